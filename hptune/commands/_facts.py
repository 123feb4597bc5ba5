"""The header of `hptune run`: what is going to happen, in facts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hptune.commands.validate import data
from hptune.console import Budget
from hptune.report import phrases, wording

if TYPE_CHECKING:
    from hptune.session import Session


def budget_of(session: Session) -> Budget:
    """Return what ends the study at the latest, as far as it can be told in numbers."""
    return Budget(trials=session.trials, seconds=session.config.budget.time)


def header(session: Session) -> list[tuple[str, str]]:
    """Return the header's labels and texts."""
    history, config = session.study.history, session.config
    started = history.started
    threads = wording.count(config.executor.threads(), "thread")
    return [
        *(("runs", line) for line in config.model.programs()),
        ("metric", f"{phrases.metric(history.objective)}{_folds(session)}"),
        ("data", data(session.inspection)),
        ("space", phrases.space(history.space)),
        ("oracle", f"{phrases.oracle(started.oracle)}, seed {started.seed}, {phrases.lookahead(started.lookahead)}"),
        ("prior", phrases.prior(history)),
        ("budget", _budget(session)),
        ("workers", f"{session.slots} x {threads} ({session.executor.name})"),
        ("folder", str(session.folder)),
    ]


def _folds(session: Session) -> str:
    folds = session.inspection.folds
    return f", mean of {folds} folds" if folds > 1 else ""


def _budget(session: Session) -> str:
    budget = session.config.budget
    limits = [
        wording.count(session.trials, "trial") if session.trials else "",
        wording.seconds(budget.time) if budget.time else "",
        f"target {wording.number(budget.target)}" if budget.target is not None else "",
        f"patience {budget.patience}" if budget.patience else "",
        f"{wording.seconds(budget.trial_time)} a trial" if budget.trial_time else "",
    ]
    return ", ".join(limit for limit in limits if limit)


def resume_notes(session: Session) -> list[str]:
    """Return what is to be said of a study that is continued, and what the session itself noted."""
    history = session.study.history
    notes = list(session.notes)
    if session.resumed:
        notes.insert(0, f"continues: {wording.count(len(history.trials), 'trial')} found")
        limit = session.config.budget.time
        if limit is not None and history.elapsed(history.last_time) >= limit:
            notes.append(f"budget.time ({wording.seconds(limit)}) is spent: nothing new begins until it is raised")
    return notes
