"""What `hptune run` shows on stderr while it works: header, live bar or plain lines, each new best, each failure.

A terminal outside of CI gets a live bar; anything else gets plain lines, never wrapped, one for each trial but at
most one a second. A new best and a failure have a line of their own in both. Nothing here can stop a run: when stderr
is gone, it falls silent.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, TextIO

from hptune import events as ev
from hptune.history import History
from hptune.report import phrases, wording
from hptune.report.inert import inert
from hptune.report.layout import animated, coloured, paint, pairs, width_of
from hptune.report.tables import short_names
from hptune.space import Fixed
from hptune.trial import Trial

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.live import Live

LINE_SECONDS = 1.0
"""Without a terminal, ordinary lines come at most this often."""

_REFRESH_SECONDS = 0.1
_PLAIN_WIDTH = 160  # a line of a log file: never wrapped, but not without end either
_TRACEBACK_LINES = 8
_LOUD = 1  # how many failures are shown with their traceback
_BAR = 24


class Progress(Protocol):
    """What the loop tells of a running study (`loop.RunState`)."""

    @property
    def seconds(self) -> float: ...
    @property
    def running(self) -> Sequence[tuple[int, float]]: ...
    @property
    def stopping(self) -> str | None: ...


@dataclass(frozen=True)
class Budget:
    """What ends the study at the latest: trials in all, seconds in all (None: no such limit)."""

    trials: int | None = None
    seconds: float | None = None


class Console:
    """Writes to `stream`; with `quiet` nothing, with `verbose` every trial and every traceback in full.

    `folder` is named in the commands that it suggests.
    """

    def __init__(
        self,
        stream: TextIO,
        *,
        quiet: bool = False,
        verbose: bool = False,
        budget: Budget = Budget(),
        folder: str = "",
        environ: Mapping[str, str] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.stream, self.quiet, self.verbose = stream, quiet, verbose
        self.budget, self.folder = budget, folder
        self.width = width_of(stream, environ)
        self.colour = coloured(stream, environ)
        self.animated = animated(stream, environ) and not quiet
        self._clock = clock
        self._live: Live | None = None
        self._history: History | None = None
        self._state: Progress | None = None
        self._places = 4
        self._began = clock()
        self._last_line = self._last_refresh = -1e9
        self._finished = self._failures = 0

    # -- writing --------------------------------------------------------------------------------------------------

    def line(self, text: str = "", style: str | None = None, *, whole: bool = False) -> None:
        """Write one permanent line, above the bar if there is one; shortened to the width unless `whole`."""
        if self.quiet:
            return
        if not whole:
            text = wording.cut(text, min(self.width or _PLAIN_WIDTH, _PLAIN_WIDTH))
        text = inert(text)
        painted = paint(text, style, self.colour) if style else text
        with contextlib.suppress(OSError, ValueError):
            if self._live is not None:
                from rich.text import Text

                if self._state is not None:  # else the bar below the line counts fewer trials than the line does
                    self._live.update(self._picture(self._state), refresh=True)
                self._live.console.print(Text.from_ansi(painted), soft_wrap=True)
            else:
                self.stream.write(wording.spelled(painted, getattr(self.stream, "encoding", None)) + "\n")
                self.stream.flush()

    def error(self, text: str) -> None:
        """Write an error, even when quiet."""
        quiet, self.quiet = self.quiet, False
        self.line(text, "red", whole=True)
        self.quiet = quiet

    def header(self, title: str, facts: Iterable[tuple[str, str]], notes: Iterable[str] = ()) -> None:
        """Write what is going to happen: the study's name, then aligned facts, then notes."""
        self.line(wording.one_line(title), "bold")
        for text in pairs(facts, self.width):
            self.line(text)
        for note in notes:
            self.line(note, "cyan", whole=True)

    # -- while it runs ----------------------------------------------------------------------------------------------

    def start(self, history: History) -> None:
        """Begin to show progress of this study."""
        self._history = history
        self._began = self._clock()
        best = history.best
        if best is not None and best.score is not None:
            self._places = wording.decimals([abs(best.score)])
        if self.animated:
            from rich.console import Console as Rich
            from rich.live import Live

            rich = Rich(file=self.stream, no_color=not self.colour, highlight=False, soft_wrap=False)
            self._live = Live(
                console=rich, auto_refresh=False, transient=True, redirect_stdout=False, redirect_stderr=False
            )
            self._live.start()

    def stop(self) -> None:
        """Take the bar away; harmless when called twice."""
        live, self._live = self._live, None
        if live is not None:
            with contextlib.suppress(OSError, ValueError):
                live.update("", refresh=False)
                live.stop()

    def observe(self, event: ev.Event, history: History) -> None:
        """Take in what happened: an observer of the study."""
        if self.quiet:  # words that nobody reads cost more than a short trial
            return
        match event:
            case ev.TrialCompleted():
                self._ended(history.trials[event.trial], history)
            case ev.TrialStopped():
                trial = history.trials[event.trial]
                self._count()
                if self._due():
                    self._ordinary(f"{self._place(trial)}: stopped, {event.reason}")
            case ev.TrialFailed():
                self._failed(event, history)
            case _:
                pass

    def tick(self, state: Progress) -> None:
        """Show the progress anew; called often, draws ten times a second at most."""
        self._state = state
        now = self._clock()
        if self._live is None or now - self._last_refresh < _REFRESH_SECONDS:
            return
        self._last_refresh = now
        with contextlib.suppress(OSError, ValueError):
            self._live.update(self._picture(state), refresh=True)

    # -- events -----------------------------------------------------------------------------------------------------

    def _count(self) -> None:
        self._finished += 1

    def _done(self, history: History) -> int:
        """Return how many trials have ended, without the promotions, which the budget does not count."""
        ended = len(history.trials) - history.count("running")
        return ended - history.ended_promotions if history.view().lower else ended

    def _place(self, trial: Trial) -> str:
        """Return `[ 3/20] trial 2`."""
        assert self._history is not None
        done, total = self._done(self._history), self.budget.trials
        if total is None:
            return f"[{done}] trial {trial.number}"
        return f"[{done:>{len(str(total))}}/{total}] trial {trial.number}"

    def _ended(self, trial: Trial, history: History) -> None:
        assert trial.score is not None
        self._count()
        best = history.best_number == trial.number
        if best:
            self._places = wording.decimals([abs(trial.score)])
        ordinary = not best and trial.number != 0
        if ordinary and not self._due():
            return
        score = wording.fixed(wording.shown(history.objective, trial.score), self._places)
        if ordinary:
            values = f"  {self._values(trial)}" if self.verbose else ""
            self._ordinary(f"{self._place(trial)}: {score}{values}")
            return
        if trial.number == 0:
            self.line(f"{self._place(trial)}: {score}, the defaults")
        else:
            gain = phrases.over_defaults(history)
            which = f"best so far ({gain})" if gain else "best so far"
            values = self._values(trial, changed=not self.verbose)
            self.line(f"{self._place(trial)}: {score}, {which}: {values}", "green", whole=self.verbose)
        self._last_line = self._clock()

    def _values(self, trial: Trial, *, changed: bool = False) -> str:
        """Return those of a trial's values that were searched (or `changed` from the defaults), names shortened."""
        assert self._history is not None
        space, defaults = self._history.space, self._history.trials[0].values if changed else {}
        shown = {
            name: found
            for name, found in trial.values.items()
            if not isinstance(space[name], Fixed)
            and not (name in defaults and space.key({name: found}) == space.key({name: defaults[name]}))
        }
        return phrases.params(shown, short_names(shown))

    def _failed(self, event: ev.TrialFailed, history: History) -> None:
        trial = history.trials[event.trial]
        again = "" if event.final else ", and is tried again"
        if event.final:
            self._count()
        self._failures += 1
        message = wording.one_line(event.message)
        self.line(f"{self._place(trial)}: failed ({event.kind}){again}: {message}", "red")
        if self._failures <= _LOUD or self.verbose:
            lines = wording.printable((event.traceback or "").rstrip())
            shown = lines if self.verbose else lines[-_TRACEBACK_LINES:]
            for text in shown:
                self.line(f"    {text}", "dim", whole=self.verbose)
            if event.final:
                self.line(f"    with {self._values(trial)}", "dim")
                self.line(f"    more: hptune show {self.folder} {trial.number}", "dim", whole=True)
        self._last_line = self._clock()

    def _due(self) -> bool:
        """Whether a line that may be left out is written: under a live bar if verbose, else when none came just before."""
        return self.verbose or (self._live is None and self._clock() - self._last_line >= LINE_SECONDS)

    def _ordinary(self, text: str) -> None:
        """Write a line that is due."""
        self._last_line = self._clock()
        self.line(text, whole=self.verbose)

    # -- the bar ----------------------------------------------------------------------------------------------------

    def _picture(self, state: Progress) -> RenderableType:
        from rich.console import Group
        from rich.table import Table
        from rich.text import Text

        assert self._history is not None
        history, done = self._history, self._done(self._history)
        row = Table.grid(padding=(0, 1))
        total = self.budget.trials
        share = self._share(state, done)
        if share is not None:
            from rich.progress_bar import ProgressBar

            row.add_column()
            row.add_column(no_wrap=True)
            row.add_row(ProgressBar(total=1.0, completed=share, width=_BAR), self._counted(state, done, total))
        else:
            row.add_row(self._counted(state, done, total))
        texts = [text for text in (self._best(history), self._running(history, state)) if text]
        return Group(row, *(Text(text, no_wrap=True, overflow="ellipsis") for text in texts))

    def _share(self, state: Progress, done: int) -> float | None:
        """Return how much of the budget is used, 0 to 1, by the limit that is nearest; None without limits."""
        shares = []
        if self.budget.trials:
            shares.append(done / self.budget.trials)
        if self.budget.seconds:
            shares.append(state.seconds / self.budget.seconds)
        return min(max(shares), 1.0) if shares else None

    def _counted(self, state: Progress, done: int, total: int | None) -> str:
        counted = f"{done}/{total} trials" if total is not None else wording.count(done, "trial")
        left = self.left(state, done)
        return f"{counted}, {wording.seconds(state.seconds)}" + (
            f", about {wording.seconds(left)} left" if left is not None else ""
        )

    def left(self, state: Progress, done: int) -> int | None:
        """Return about how many whole seconds are left, None while nobody can know."""
        guesses = []
        if self.budget.trials is not None and self._finished:
            each = (self._clock() - self._began) / self._finished
            guesses.append(max(self.budget.trials - done, 0) * each)
        if self.budget.seconds is not None:
            guesses.append(max(self.budget.seconds - state.seconds, 0.0))
        return max(round(min(guesses)), 1) if guesses else None

    def _best(self, history: History) -> str:
        best = history.best
        if best is None or best.score is None:
            return ""
        gain = phrases.over_defaults(history)
        which = (
            f"trial {best.number}, {gain}" if gain else "the defaults" if best.number == 0 else f"trial {best.number}"
        )
        return f"best {wording.fixed(wording.shown(history.objective, best.score), self._places)} ({which})"

    def _running(self, history: History, state: Progress) -> str:
        if state.stopping is not None:
            return f"finishing: {phrases.ending(history, state.stopping)}"
        listed = [f"{number} ({wording.seconds(int(seconds))})" for number, seconds in state.running]
        return "running " + ", ".join(listed[:8]) + (", ..." if len(listed) > 8 else "") if listed else ""
