"""The files of a run directory other than the journal: each written whole, from the history and the config."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hptune.commands._found import config_text, resolved_in, write_found
from hptune.commands._problem import CONFIG
from hptune.nested import outer_histories
from hptune.regular_file import contents
from hptune.report.files import write_whole
from hptune.report.nested import nested_result
from hptune.report.result import LARGEST, result

if TYPE_CHECKING:
    from hptune.events import Event
    from hptune.gate import Judged
    from hptune.history import History
    from hptune.session import Session

MODELS = ("model.skops", "model.joblib")
CARD = "model.json"
"""What the model file is: see `worker.kept`."""


def written(
    session: Session, reason: str, refit: Mapping[str, Any] | None, judged: Judged | None = None
) -> list[str]:
    """Write result.json, trials.csv and best.yaml; return the names of the files a reader will want.

    Raises `DirectoryUnusable`.
    """
    folder = session.folder
    names = write_found(folder, session.study.history, document_of(session, reason, judged), resolved(session))
    model = (refit or {}).get("model") or _model_in(folder)
    return [*names, str(model)] if model else names


def document_of(session: Session, reason: str, judged: Judged | None = None) -> dict[str, Any]:
    """Return the content of result.json."""
    gate = None if judged is None else judged.to_json()
    nested = nested_of(session)
    return result(
        session.study.history, stop_reason=reason, reproducible=reproducible(session), gate=gate, nested=nested
    )


def nested_of(session: Session) -> dict[str, Any] | None:
    """Return what nested cross-validation found so far, None where it was not asked for or no fold is done."""
    folds = session.config.evaluate.nested
    return None if folds is None else nested_result(outer_histories(session.folder, folds), folds)


def reproducible(session: Session) -> bool:
    """Return whether the same config, seed and lookahead give the same trials, whatever the timing."""
    config, history = session.config, session.study.history
    budget = config.budget
    timed = any(getattr(budget, limit, None) is not None for limit in ("time", "trial_time", "trial_memory"))
    lost = any(trial.failure is not None and trial.failure.kind == "lost" for trial in history.trials)
    return history.lookahead is not None and not timed and not lost and not history.retried


def resolved(session: Session) -> Mapping[str, Any]:
    """Return the study's config as plain data, with paths that hold from the run directory."""
    plain = resolved_in(session.loaded, session.folder)
    budget = plain.get("budget", {})
    if session.trials != session.config.budget.trials:  # `--trials +N`: what is interrupted goes on to as many
        budget = {**(budget or {}), "trials": session.trials}
    return {**plain, "budget": budget}


def write_config(session: Session) -> None:
    """Write config.yaml, with which `hptune run DIR` goes on; raises `DirectoryUnusable`."""
    write_whole(session.folder / CONFIG, config_text(resolved(session)))


def to_refit(session: Session, holdout_again: bool = False) -> bool:
    """Return whether the winner is still to be fitted and saved, or to be scored on the holdout."""
    history = session.study.history
    if history.best is None or not session.config.model.makes_estimator:
        return False
    rows = "all" if session.config.output.refit == "all" else "training"
    kept = _model_in(session.folder) is not None and _is_kept(session.folder, history.best.number, rows)
    unsaved = bool(session.config.output.refit) and not kept
    unscored = history.best.number not in history.holdout and (holdout_again or not history.holdout_uses)
    return unsaved or (session.inspection.holdout_rows > 0 and unscored)


class ModelKeeper:
    """An observer that removes the saved model as soon as another trial is the best: model.* is always the best's."""

    def __init__(self, session: Session) -> None:
        self.folder = session.folder
        self.best = session.study.history.best_number

    def observe(self, event: Event, history: History) -> None:
        del event
        if history.best_number != self.best:
            self.best = history.best_number
            for name in (*MODELS, CARD):
                with contextlib.suppress(OSError):
                    (self.folder / name).unlink(missing_ok=True)


def _is_kept(folder: Path, trial: int, refit: str) -> bool:
    """Return whether the card is of the model of a trial, fitted to the rows that `refit` names (older ones do not say)."""
    try:
        card = json.loads(contents(folder / CARD, LARGEST))
        return bool(card["trial"] == trial and card.get("refit", refit) == refit)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return False


def _model_in(folder: Path) -> str | None:
    return next((name for name in MODELS if (folder / name).is_file()), None)
