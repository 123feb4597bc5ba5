"""Nested cross-validation: the whole search again inside every outer fold, so that the *procedure* is measured.

Each outer fold is a study of its own in `outer-I/` of the run directory, whose holdout is that fold: parallel inside,
continued after an interruption, journalled like any other.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from hptune import journal as jn
from hptune.compose import start
from hptune.config.load import Loaded
from hptune.history import History
from hptune.loop import RunState
from hptune.replay import replay
from hptune.run_directory import OUTER


def fold_folder(folder: Path, fold: int) -> Path:
    """Return the run directory of an outer fold."""
    return folder / f"{OUTER}{fold}"


def run_nested(
    loaded: Loaded,
    folder: Path,
    *,
    allow_import: Sequence[str] = (),
    trials: int | None = None,
    fresh: bool = False,
    say: Callable[[str], None] = lambda _: None,
    tick: Callable[[RunState], None] = lambda _: None,
    interrupt: Callable[[], str | None] = lambda: None,
) -> str | None:
    """Run the search in every outer fold that is not done; return the reason if interrupted, else None.

    The budget of `loaded` holds for each fold, with `trials` configurations. Raises what `start` and a session raise.
    """
    folds = loaded.config.evaluate.nested
    if folds is None:
        return None
    # The branches were probed by the main study, and no model of an outer fold is to be kept.
    config = loaded.config.model_copy(
        update={
            "probe": False,
            "gate": None,
            # Earlier studies may have seen the outer fold's rows, and then the procedure would look too good.
            "prior": None,
            "budget": loaded.config.budget.model_copy(update={"trials": trials}),
            "output": loaded.config.output.model_copy(update={"refit": False}),
            "evaluate": loaded.config.evaluate.model_copy(update={"nested": None}),
        }
    )
    inner = replace(loaded, config=config)
    for fold in range(folds):
        place = fold_folder(folder, fold)
        if not fresh and _is_done(place, trials):
            continue
        say(f"outer fold {fold + 1} of {folds}: the search again, without its rows")
        with start(
            inner, place, fresh=fresh, allow_import=allow_import, outer=(folds, fold), interrupt=interrupt
        ) as session:
            reason = session.run(tick=tick, interrupt=interrupt)
            if (interrupted := interrupt()) is not None or reason == "signal":
                session.end(interrupted or reason)  # cut short: its winner is still to be scored
                return reason
            session.refit(interrupt, holdout_again=True)  # a larger budget may have another winner
    return None


def _is_done(place: Path, trials: int | None) -> bool:
    """Return whether a fold's search has had so many configurations, or stopped for another reason, and was scored."""
    try:
        history = replay(jn.read(place, packed=True).events)
    except (OSError, ValueError, IndexError):
        return False
    if history.ended in (None, "signal"):
        return False
    if history.ended == "trials" and (trials is None or history.view().configurations < trials):
        return False
    return history.best is not None and history.best.number in history.holdout


def outer_histories(folder: Path, folds: int) -> list[History]:
    """Return the histories of the outer folds that are there, in order, read without a lock."""
    places = [fold_folder(folder, fold) for fold in range(folds)]
    return [replay(jn.read(place, packed=True).events) for place in places if (place / jn.NAME).is_file()]
