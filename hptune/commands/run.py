"""`hptune run CONFIG|DIR`: the main job, from the config to the files and the closing part."""

from __future__ import annotations

import gc
import sys
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hptune import __version__
from hptune.commands._failing import StdoutClosed, let_stdout_go, mutter
from hptune.commands._shared import say, say_json, stdout_coloured, stdout_width
from hptune.commands._signals import signals
from hptune.errors import (
    DirectoryUnusable,
    GateNotMet,
    HptuneError,
    Interrupted,
    NoSuccess,
    UsageError,
)

if TYPE_CHECKING:
    from hptune.config.load import Loaded
    from hptune.console import Console
    from hptune.gate import Judged
    from hptune.session import Session


@dataclass(frozen=True, kw_only=True)
class Options:
    """The command line of `run`."""

    target: Path
    overrides: tuple[str, ...] = ()
    workers: int | None = None
    folder: Path | None = None
    trials: str | None = None
    fresh: bool = False
    holdout_again: bool = False
    as_json: bool = False
    allow_import: tuple[str, ...] = ()
    quiet: bool = False
    verbose: bool = False
    dry_run: bool = False
    summary: Path | None = None
    junit: Path | None = None


def run(options: Options) -> int:
    """Run or continue a study and return the exit code.

    Raises `ConfigError`, `UsageError`, the run directory's and the executor's errors, and `NoSuccess` once everything
    is saved.
    """
    add, overrides = _trials(options.trials)
    if not options.quiet:
        mutter(f"hptune {__version__}: {options.target}")  # before anything heavy is imported
    from hptune.commands._problem import config_of

    path, folder = config_of(options.target)
    overrides = [*options.overrides, *overrides]
    if options.dry_run:
        from hptune.commands._rehearsal import rehearse

        loaded, place = _loaded(path, folder, options, overrides)
        return rehearse(loaded, place, options, add)
    from hptune.early import first_worker

    with first_worker(path, overrides, options.workers) as spare:
        loaded, place = _loaded(path, folder, options, overrides)
        from hptune import compose

        session = compose.start(
            loaded,
            place,
            fresh=options.fresh,
            add_trials=add,
            workers=options.workers,
            allow_import=options.allow_import,
            spare=spare,
        )
    return conduct(session, options)


def _loaded(path: Path, folder: Path | None, options: Options, overrides: Sequence[str]) -> tuple[Loaded, Path]:
    """Return the config and its run directory, having said what running it means.

    Raises `ConfigError`, and `UsageError` for a run directory that is to be run in another.
    """
    from hptune.collecting import no_collecting

    with no_collecting():
        from hptune import compose  # noqa: F401 - most of what follows, imported while nothing is collected
        from hptune.commands._problem import LOOKING, code_named, place_of
        from hptune.config.asked import must_have_a_model
        from hptune.config.load import load

        loaded = load(path, overrides)
    gc.freeze()  # modules stay for good: they need not be looked through for garbage again and again
    must_have_a_model(loaded)
    place = place_of(loaded, folder, options.folder)
    named = code_named(loaded)
    if named and not options.quiet:
        mutter(f"runs code that the config names: {', '.join(named)}")
    if not options.quiet:
        mutter(LOOKING)
    return loaded, place


def conduct(session: Session, options: Options, again: Collection[int] = ()) -> int:
    """Run an open session to its files and its closing part, close it and return the exit code.

    `again` are failed trials to run again first. Raises as `run` does.
    """
    from hptune.commands._outputs import check_outputs
    from hptune.commands._problem import warn
    from hptune.commands._results import write_config

    try:
        if not options.quiet:
            warn(session.warnings)
        check_outputs(options)
        write_config(session)
        return _Run(session, options, again).go()
    except BaseException:
        session.close(kill=True)
        raise
    finally:
        session.close()


def _trials(text: str | None) -> tuple[int | None, list[str]]:
    """Return what `--trials` asks for: how many more, and the override that sets the total."""
    if text is None:
        return None, []
    digits = text.removeprefix("+")
    if not digits.isdecimal() or int(digits) < 1:
        raise UsageError(
            f"--trials: expected a number above 0 (`--trials 80`) or how many more (`--trials +50`), found {text!r}"
        )
    return (int(digits), []) if text.startswith("+") else (None, [f"budget.trials={digits}"])


_MORE = {
    "trials": "--trials +N adds N trials",
    "time": "a larger budget.time goes on (-o budget.time=2h)",
    "patience": "a larger budget.patience goes on (-o budget.patience=40)",
    "target": "another budget.target goes on (-o budget.target=null: none)",
    "failures": "`hptune retry` runs the failed ones again, a larger budget.failures goes on",
}
"""How a study that has stopped goes on, by its stop reason."""


class _Run:
    """One call of `hptune run` on an open session."""

    def __init__(self, session: Session, options: Options, again: Collection[int] = ()) -> None:
        self.session = session
        self.options = options
        self.again = again
        self.console = self._console()
        self.failed: HptuneError | None = None

    def _console(self) -> Console:
        from hptune.commands._facts import budget_of
        from hptune.console import Console

        return Console(
            sys.stderr,
            quiet=self.options.quiet,
            verbose=self.options.verbose,
            budget=budget_of(self.session),
            folder=str(self.session.folder),
        )

    def go(self) -> int:
        from hptune.commands._facts import header, resume_notes
        from hptune.commands._results import to_refit
        from hptune.report import phrases

        session = self.session
        self.console.header(session.config.name, header(session), resume_notes(session))
        if session.complete is not None and not self.again:
            reason = session.complete
            session.rename()
            more = _MORE.get(reason, "")
            self.console.line(f"complete already: {phrases.ending(session.study.history, reason)}")
            if more:
                self.console.line(more)
        else:
            reason = self._search()
        refit = self._refit() if reason != "signal" and to_refit(session, self.options.holdout_again) else None
        if reason != "signal" and signals.number is None and session.study.best is not None:
            reason = self._nested(reason, refit) or reason
        return self._finish("signal" if signals.number is not None else reason, refit)

    def _search(self) -> str:
        """Run the loop; return the stop reason."""
        from hptune.commands._results import ModelKeeper

        console, study = self.console, self.session.study
        said = False

        def interrupt() -> str | None:
            nonlocal said
            reason = signals.requested()
            if reason is not None and not said:
                said = True
                console.line(
                    "stopping: running folds get 5 s and everything is saved; again to end them now", "yellow"
                )
            return reason

        def warn(text: str) -> None:
            console.line(text, "yellow", whole=True)

        drop = ModelKeeper(self.session).observe
        console.start(study.history)
        study.observers += [drop, console.observe]
        try:
            with signals.gently(), signals.interrupting():
                return self.session.run(again=self.again, tick=console.tick, interrupt=interrupt, say=warn)
        except Interrupted:  # the second signal: the workers go now, what they did not report is done again later
            self.session.close(kill=True)
            return "signal"
        finally:
            console.stop()
            study.observers.remove(console.observe)
            study.observers.remove(drop)

    def _nested(self, reason: str, refit: Mapping[str, Any] | None) -> str | None:
        """Run what is missing of nested cross-validation; return "signal" if interrupted.

        What the study itself found is written before: the outer folds take many times as long, and may fail.
        """
        from hptune.commands._results import written
        from hptune.nested import run_nested

        if self.session.config.evaluate.nested is None:
            return None
        written(self.session, reason, refit, None if self.failed is not None else self.session.judge())
        try:
            with signals.gently(), signals.interrupting():
                return run_nested(
                    self.session.loaded,
                    self.session.folder,
                    allow_import=self.options.allow_import,
                    trials=self.session.trials,
                    fresh=self.options.fresh,
                    say=self.console.line,
                    interrupt=signals.requested,
                )
        except HptuneError as error:  # said at the end, when all else is saved
            self.failed = self.failed or error
            return None
        except Interrupted:
            return "signal"

    def _refit(self) -> Mapping[str, Any] | None:
        """Fit the winner on all training data, score the holdout; None if that was interrupted or failed."""
        try:
            with signals.interrupting():
                return self.session.refit(holdout_again=self.options.holdout_again, say=self.console.line)
        except HptuneError as error:  # said at the end, when all else is saved
            self.failed = error
            return None
        except Interrupted:
            self.console.line("interrupted while the winner was being fitted; run again to fit it", "yellow")
            self.session.executor.close(kill=True)  # the journal is open: the interruption is recorded there
            return None

    def _finish(self, reason: str, refit: Mapping[str, Any] | None) -> int:
        """Write the files, print the closing part, return the exit code."""
        from hptune.commands._outputs import write_outputs
        from hptune.commands._results import document_of, written
        from hptune.report.closing import Closing, closing

        session, history = self.session, self.session.study.history
        with signals.gently():
            try:
                session.end(reason)
            except DirectoryUnusable:
                if signals.number is None:  # else it came in the middle of a record, and the journal just ends there
                    raise
            failed = None if signals.number is not None else _no_success(session, reason) or self.failed
            judged = None if failed is not None or reason == "signal" else session.judge()
            files = written(session, reason, refit, judged)
            unwritten = None
            try:
                write_outputs(session, self.options, reason, judged, failed)
            except DirectoryUnusable as error:  # the closing part and the verdict are told all the same
                unwritten = error
            try:
                if self.options.as_json:
                    if failed is None:
                        say_json(document_of(session, reason, judged))
                elif not self.options.quiet:
                    facts = Closing(
                        stop_reason=reason,
                        folder=str(session.folder),
                        files=files,
                        notes=[*_refit_notes(refit), *session.after, *_gate_notes(judged), *_nested_notes(session)],
                    )
                    say(["", *closing(history, facts, width=stdout_width(), colour=stdout_coloured())])
            except StdoutClosed:  # `| head` reads no more: the verdict is in the exit code all the same
                let_stdout_go()
        if signals.number is not None:
            if unwritten is not None:
                mutter(f"error: {unwritten}")
            return signals.exit_code
        if failed is not None:
            raise _also(failed, unwritten)
        if judged is not None and not _passes(session, judged):
            raise _also(GateNotMet(f"gate not met ({judged.verdict}): {judged.reason}"), unwritten)
        if unwritten is not None:
            if self.options.as_json:  # the result is printed: no second document
                mutter(f"error: {unwritten}")
                return unwritten.exit_code
            raise unwritten
        return 0


def _also(verdict: HptuneError, unwritten: HptuneError | None) -> HptuneError:
    """Return the verdict, whose exit code counts, having said what could not be written."""
    if unwritten is not None:
        mutter(f"error: {unwritten}")
    return verdict


def _passes(session: Session, judged: Judged) -> bool:
    gate = session.config.gate
    return gate is not None and judged.passes(gate.undecided)


def _nested_notes(session: Session) -> list[str]:
    from hptune.commands._results import nested_of
    from hptune.report import phrases

    found = nested_of(session)
    return [] if found is None else [f"nested: {phrases.nested(session.study.history.objective, found)}"]


def _gate_notes(judged: Judged | None) -> list[str]:
    return [] if judged is None else [f"gate: {judged.verdict}; {judged.reason}"]


def _no_success(session: Session, reason: str) -> NoSuccess | None:
    """Return the error of a study without success, None if it has one (or may still get one)."""
    history, folder = session.study.history, session.folder
    if reason == "signal":
        return None
    if reason == "failures":
        return NoSuccess(f"too many trials failed in a row (budget.failures); `hptune show {folder}` says why")
    if history.best is None:
        return NoSuccess(f"no trial succeeded; `hptune show {folder}` says why")
    return None


def _refit_notes(refit: Mapping[str, Any] | None) -> list[str]:
    reason = str((refit or {}).get("reason") or "")
    return [reason] if reason else []
