"""`hptune run CONFIG --dry-run`: the header, one default trial, and an estimate for the whole budget."""

from __future__ import annotations

import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hptune.commands._shared import say, say_json, stdout_width
from hptune.errors import NoSuccess, UsageError
from hptune.report import phrases, wording
from hptune.report.layout import pairs
from hptune.report.result import SCHEMA_VERSION
from hptune.trial import Trial

if TYPE_CHECKING:
    from hptune.commands.run import Options
    from hptune.config.load import Loaded
    from hptune.rehearsal import Estimate
    from hptune.session import Session

_MADE_FROM = (
    "the default trial alone: other configurations may take far less or more; choosing trials and fitting the winner "
    "come on top"
)


def rehearse(loaded: Loaded, folder: Path, options: Options, add_trials: int | None = None) -> int:
    """Measure the defaults once and print how long the budget may take; nothing is written; return the exit code.

    Raises what `run` raises for the config, and `NoSuccess` if the defaults cannot be measured.
    """
    from hptune.commands._facts import header
    from hptune.commands._problem import warn
    from hptune.console import Console
    from hptune.rehearsal import estimate, measure, rehearsed

    session, begun = rehearsed(
        loaded,
        folder,
        fresh=options.fresh,
        add_trials=add_trials,
        workers=options.workers,
        allow_import=options.allow_import,
    )
    try:
        if not options.quiet:
            warn(session.warnings)
        notes = ["dry run: one default trial is measured, nothing is written"]
        if begun:
            notes.append(f"{folder} holds {wording.count(begun, 'trial')} of this study; a run goes on from there")
        Console(sys.stderr, quiet=options.quiet).header(session.config.name, header(session), notes)
        trial = _measured(session, measure(session))
        found = estimate(session, trial.seconds, begun)
    finally:
        session.close(kill=True)
    if options.as_json:
        say_json(_document(session, trial, found))
    elif not options.quiet:
        say(pairs(_facts(session, trial, found), stdout_width()))
    return 0


def _measured(session: Session, outcome: Any) -> Trial:
    """Return the default trial; raises `NoSuccess` with what it died of."""
    if outcome.failure is not None:
        failure = outcome.failure
        detail = f"\n{failure.traceback}" if failure.traceback else ""
        raise NoSuccess(f"dry run: the default trial failed ({failure.kind}): {failure.message}{detail}")
    if not outcome.measurements:
        raise UsageError("dry run: the default trial measured nothing")
    return Trial(
        number=0,
        values=session.study.history.starts[0],
        folds=len(outcome.measurements),
        origin="default",
        measurements=outcome.measurements,
        ended="completed",
    )


def _facts(session: Session, trial: Trial, found: Estimate) -> list[tuple[str, str]]:
    history = session.study.history
    return [
        ("defaults", phrases.params(trial.values)),
        (wording.metric(history.objective), phrases.score(history.objective, trial)),
        ("one trial", f"{wording.seconds(trial.seconds)} ({wording.count(trial.folds, 'fold')} in turn)"),
        ("estimate", words(found)),
        ("made from", _MADE_FROM),
    ]


def words(found: Estimate) -> str:
    """Return an estimate in words, with how it was made."""
    one = wording.seconds(found.trial_seconds)
    if found.seconds is None:
        return f"no limit says how many trials there will be; each takes about {one}"
    if found.trials is not None and found.limited:
        return (
            f"{wording.seconds(found.seconds)}, the time limit: room for about {wording.count(found.trials, 'trial')}"
        )
    if not found.trials:
        return "nothing left to do: the budget is used up"
    lanes = f" / {found.lanes} at once" if found.lanes > 1 else ""
    return f"about {wording.seconds(found.seconds)} = {wording.count(found.trials, 'trial')} x {one}{lanes}"


def _document(session: Session, trial: Trial, found: Estimate) -> dict[str, Any]:
    started = session.study.history.started
    return {
        "schema_version": SCHEMA_VERSION,
        "name": session.config.name,
        "dry_run": True,
        "objective": {"metric": started.metric, "direction": started.direction},
        "trial": {
            "params": dict(trial.values),
            "score": trial.score,
            "std": trial.std,
            "folds": list(trial.scores),
            "seconds": trial.seconds,
        },
        "estimate": asdict(found),
    }
