"""A run directory whose trials a script outside asks for and tells: opened for one question, and closed again.

    asked = ask(load("study.yaml"), Path("runs/x"))
    told = tell(Path("runs/x"), asked.trial.number, [0.31])

Many processes may do so at once: each waits for the lock. A trial that was asked is in the journal before it is given
out, and is given to nobody else unless it is asked for `again`.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hptune import events as ev
from hptune import journal as jn
from hptune.ended import Ended
from hptune.errors import Problem, ProblemChanged, StudyLocked, UsageError
from hptune.history import History
from hptune.oracle import EXHAUSTED, OracleSpec
from hptune.run_directory import check_free, mark, no_links
from hptune.stopping import first_reached, stops_of
from hptune.study import Study
from hptune.study_arguments import finite
from hptune.trial import Trial

if TYPE_CHECKING:
    from hptune.config.load import Loaded

WAIT_SECONDS = 60.0
"""So long an ask or a tell waits for the others to let go of the folder; each of them takes a fraction of a second."""

POLL_SECONDS = 0.01

Keep = Callable[[History, str | None], None]
"""Writes the files beside the journal: the history, and why the study has ended (None: it has not)."""


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What an ask brought: a trial, or None and why; which trials are open, that one included."""

    trial: Trial | None
    reason: str | None
    history: History
    warnings: Sequence[Problem] = ()
    notes: Sequence[str] = ()

    @property
    def open(self) -> list[int]:
        return open_trials(self.history)


@dataclass(frozen=True, kw_only=True)
class Told:
    """What a tell brought: the trial as it is now; `before` says that this very answer had been told already."""

    trial: Trial
    reason: str | None
    history: History
    before: bool = False
    notes: Sequence[str] = ()

    @property
    def open(self) -> list[int]:
        return open_trials(self.history)


def open_trials(history: History) -> list[int]:
    """Return the numbers of the trials that were asked and not told."""
    return [trial.number for trial in history.trials if trial.status == "running"]


# -- ask --------------------------------------------------------------------------------------------------------------


def ask(
    loaded: Loaded,
    folder: Path,
    *,
    again: int | None = None,
    allow_import: Sequence[str] = (),
    config: Callable[[], None] = lambda: None,
    keep: Keep = lambda _history, _reason: None,
) -> Asked:
    """Return a new trial of a config's study, or why there is none; with `again` that open (or failed) trial once more.

    The first call makes the run directory. `config` writes its config.yaml, before the study's first record, and is
    called each time. Raises `ConfigError`, `ProblemChanged`, `UsageError` and the journal's errors.
    """
    from hptune.config.asked import must_have_no_model, told_inspection
    from hptune.cross_checks import checked
    from hptune.open_study import study_of
    from hptune.own_oracle import oracle_of

    must_have_no_model(loaded)
    oracle = oracle_of(loaded, allow_import)
    inspection = told_inspection(loaded)
    warnings: list[Problem] = []
    check_free(folder)
    with jn.disk(folder, "read"):
        there = (folder / jn.NAME).exists()
    if not there:  # what a new study is refused for is said before a folder is made
        warnings = checked(loaded, inspection)
        study_of(loaded, inspection, folder, [], None, oracle, warnings)
        mark(folder)
    journal = opened(folder)
    try:
        no_links(folder)
        if journal.events:
            warnings = []  # another process was first, and has said them
            _must_be_asked(journal.events[0], folder)
            study = study_of(loaded, inspection, folder, journal.events, journal, oracle, [])
            config()
        else:
            config()
            study = study_of(loaded, inspection, folder, (), journal, oracle, [])
        trial, reason = _next(study, loaded, again, folder)
        history = study.history
        if trial is None and reason is not None and not open_trials(history) and history.ended is None:
            study.end(reason)
            keep(history, reason)
        study.sync()
        notes = [journal.repaired] if journal.repaired else []
        return Asked(trial=trial, reason=reason, history=history, warnings=warnings, notes=notes)
    finally:
        journal.close()


def _next(study: Study, loaded: Loaded, again: int | None, folder: Path) -> tuple[Trial | None, str | None]:
    """Begin the next trial, or trial `again` once more; return it, or None and the stop reason.

    Without either the oracle waits for trials that are open.
    """
    history, options = study.history, _options(loaded)
    if again is not None:
        _must_be_open(history, again, folder)
    reason = None if again is not None else stop_reason(history, options["budget"])
    if options != _options_of(history) or (history.ended is not None and reason is None):
        study.resume(options)
    if again is not None:
        return study.retry(again), None
    if reason is not None:
        return None, reason
    trial = study.next()
    if isinstance(trial, Trial):
        return trial, None
    return None, "exhausted" if trial is EXHAUSTED else None


def _options(loaded: Loaded) -> dict[str, Any]:
    """Return what of a config may change while the study goes on: each change is recorded, for who tells."""
    return {"name": loaded.config.name, "budget": loaded.resolved["budget"]}


def _options_of(history: History) -> dict[str, Any]:
    return {"name": history.name, "budget": budget_of(history)}


def budget_of(history: History) -> Mapping[str, Any]:
    """Return the budget that was asked with last, as plain data."""
    told = [one.options["budget"] for one in history.resumed if isinstance(one.options.get("budget"), dict)]
    first = history.started.config.get("budget")
    return told[-1] if told else first if isinstance(first, dict) else {}


def stop_reason(history: History, budget: Mapping[str, Any]) -> str | None:
    """Return why no further trial is to begin, None if one may; seconds count from the first ask."""
    reason = first_reached(stops_of(budget), Ended.of(history), history.elapsed(time.time()))
    return "exhausted" if reason is None and history.ended == "exhausted" else reason


def _must_be_open(history: History, number: int, folder: Path) -> None:
    trial = existing(history, number, folder)
    if trial.status in ("running", "failed"):
        return
    raise UsageError(
        f"--again: expected a trial that was asked and not told, or that failed; trial {number} is {trial.status} "
        f"(`hptune show {folder} {number}`); without --again a new one is asked"
    )


# -- tell -------------------------------------------------------------------------------------------------------------


def tell(
    folder: Path,
    number: int,
    scores: Sequence[float] | None = None,
    *,
    failed: str | None = None,
    keep: Keep = lambda _history, _reason: None,
) -> Told:
    """Record a trial's scores, one for each fold, or why it `failed`; durable when this returns.

    What was told before is told again without effect if it is the same. Raises `UsageError` for another answer, for a
    trial that was never asked and for a study that hptune runs itself, and the journal's errors.
    """
    journal = opened(folder)
    try:
        if not journal.events:
            raise UsageError(f"{folder}: the study in it has not begun: its journal holds no record yet")
        started = journal.events[0]
        _must_be_asked(started, folder)
        assert isinstance(started, ev.StudyStarted)
        study = Study.of(started, OracleSpec(type="told"), journal)  # who tells asks nothing of an oracle
        history = study.history
        trial = existing(history, number, folder)
        answer = Answer(None if scores is None else tuple(scores), failed)
        before = trial.status != "running"
        if before:
            answer.must_be_that_of(trial, folder)
        else:
            answer.must_go_on(trial, folder)
            study.tell(number, None if scores is None else list(scores), failed=failed)
        reason = stop_reason(history, budget_of(history))
        if open_trials(history):
            reason = None
        elif reason is not None and history.ended is None:
            study.end(reason)
        keep(history, history.ended)
        notes = [journal.repaired] if journal.repaired else []
        return Told(trial=history.trials[number], reason=reason, history=history, before=before, notes=notes)
    finally:
        journal.close()


@dataclass(frozen=True)
class Answer:
    """What is told of a trial: its scores, or why it failed."""

    scores: tuple[float, ...] | None
    failed: str | None

    def must_be_that_of(self, trial: Trial, folder: Path) -> None:
        """Raise `UsageError` unless the trial, told already, was told this: then the reply was lost, and no more."""
        number, failure = trial.number, trial.failure
        if failure is not None:
            unmeasured = self.scores is not None and not all(map(finite, self.scores))
            if failure.message == self.failed or (unmeasured and failure.kind == "invalid"):
                return
            raise UsageError(
                f"--trial: expected a trial that is open, trial {number} failed already: {failure.message}; "
                f"`hptune ask {folder} --again {number}` gives it out once more"
            )
        if self.scores == trial.scores:
            return
        found = "a failure" if self.scores is None else _words(self.scores)
        raise UsageError(
            f"--trial: expected a trial that is open, trial {number} was told {_words(trial.scores)} already, found "
            f"{found}; what was told stays (`hptune show {folder} {number}`)"
        )

    def must_go_on(self, trial: Trial, folder: Path) -> None:
        """Raise `UsageError` if folds of the trial that are recorded already, before a kill, are told otherwise."""
        known = {one.fold: one.score for one in trial.measurements}
        if self.scores is None or all(
            fold < len(self.scores) and self.scores[fold] == score for fold, score in known.items()
        ):
            return
        raise UsageError(
            f"--value: trial {trial.number} was told {_words(trial.scores)} by a call that was killed, found "
            f"{_words(self.scores)}; tell the same again, or `hptune tell {folder} --trial {trial.number} --failed WHY`"
        )


def _words(scores: Sequence[float]) -> str:
    return ", ".join(map(str, scores))


# -- both -------------------------------------------------------------------------------------------------------------


def existing(history: History, number: int, folder: Path) -> Trial:
    """Return a trial by its number; raises `UsageError` for one that was never asked."""
    if 0 <= number < len(history.trials):
        return history.trials[number]
    there = f"trials 0 to {len(history.trials) - 1}" if history.trials else "no trials"
    raise UsageError(f"no trial {number} was asked; there are {there} in {folder} (`hptune ask` begins one)")


def _must_be_asked(started: ev.Event, folder: Path) -> None:
    """Raise `ProblemChanged` for a study whose trials hptune measures, or which Python keeps."""
    if not isinstance(started, ev.StudyStarted) or "model" in started.config:
        raise ProblemChanged(
            f"{folder} holds a study that `hptune run` measures, and told scores must not mix with these; to ask and "
            "tell, take a config without model: and another folder (--dir)"
        )
    if not started.config:
        raise ProblemChanged(
            f"{folder} holds a study that hptune.Study or hptune.Tuner keeps: the same call in Python goes on with it; "
            "to ask and tell from a shell, take another folder (--dir)"
        )


def opened(folder: Path) -> jn.Journal:
    """Return the journal of a run directory, having waited for others to let go of it.

    Raises `StudyLocked` after that, and what `Journal` raises.
    """
    until = time.monotonic() + WAIT_SECONDS
    while True:
        try:
            return jn.Journal(folder)
        except StudyLocked as error:
            if time.monotonic() >= until:
                raise StudyLocked(f"{error}; waited {WAIT_SECONDS:g} s for it") from None
        time.sleep(POLL_SECONDS + (os.getpid() % 8) * POLL_SECONDS / 8)
