"""The finals: who takes part, and what their fresh folds say. Pure: from a history to a plan and to a verdict.

The winner of a search was chosen for its luck as well as for its worth. So the best few and the defaults are measured
again on fresh splits, and the winner is chosen there (decision 4 says what that was measured to be worth).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hptune.evaluate import FinalsSpec
from hptune.history import History
from hptune.learning_curve import refit_gain
from hptune.optimism import winner_optimism
from hptune.simplicity import complexities
from hptune.statistics import (
    HUGE,
    Gain,
    choose_finalists,
    finals_leader,
    finals_repeats,
    finals_verdict,
    one_standard_error,
    paired_gain,
)

SINGLE_SPLITS = 10
"""Fresh divisions in the finals of a study with a single split: an interval needs several."""


@dataclass(frozen=True)
class Plan:
    """Who meets in the finals (trial numbers, the baseline first) and on how many folds.

    All meet on the `opening` folds; the leader there and the baseline meet on all `folds`.
    """

    finalists: tuple[int, ...]
    folds: int
    opening: int


@dataclass(frozen=True)
class Verdict:
    """Who won (a trial number), its gain over the baseline, what its choice flatters it by (loss units), and why."""

    winner: int
    gain: Gain
    optimism: float
    rule: str


def plan(history: History, spec: FinalsSpec, final_folds: int) -> Plan | None:
    """Return the finals to hold, None if there are to be none.

    `final_folds` is how many folds one repeat of the fresh splits has, 0 where there are no fresh ones.
    """
    done = [trial for trial in history.trials if trial.completed and trial.fidelity is None]
    baseline = history.baseline
    tried = sum(trial.status in ("completed", "stopped") and trial.fidelity is None for trial in history.trials)
    if not spec.enabled(tried) or final_folds == 0 or baseline is None or not baseline.completed or len(done) < 2:
        return None
    losses = np.array([[history.objective.loss(score) for score in trial.scores] for trial in done])
    rows = choose_finalists(losses, count=spec.finalists)
    repeats = spec.repeats or finals_repeats(tried, finalists=spec.finalists)
    opening = final_folds
    if final_folds == 1:
        opening, repeats = SINGLE_SPLITS // 2, max(repeats, SINGLE_SPLITS)
    return Plan(tuple(done[row].number for row in rows), repeats * final_folds, opening)


def verdict(history: History, finals: Plan, *, test_share: float, select: str) -> Verdict | None:
    """Return what the finals found, None while the baseline or all others lack folds of the opening.

    A finalist that lacks a fold of the opening (it failed there) cannot win. With `select: one_standard_error` the
    simplest within one standard error of the best goes on to meet the baseline, the defaults counting as simplest.
    """
    losses = _losses(history, finals)
    complete = [bool(np.isfinite(row[: finals.opening]).all()) for row in losses]
    if np.abs(losses[np.isfinite(losses)]).max(initial=0.0) > HUGE:
        return None
    if not complete[0] or not any(complete[1:]):
        return None
    leader, rule = _leader(history, finals, losses, select)
    if leader == 0:
        gain = paired_gain(losses[0], losses[0], test_share=test_share, degrees=max(finals.opening - 1, 1))
        return Verdict(finals.finalists[0], gain, 0.0, rule)
    about = history.started.about
    overlapping = bool(about.get("overlapping")) or about.get("final_folds") == 1
    found = finals_verdict(
        losses, folds=finals.opening, leader=leader, test_share=test_share, overlapping=overlapping
    )
    assert found.gain is not None, "the baseline has every fold"
    return Verdict(finals.finalists[found.winner], found.gain, found.optimism, rule)


def _leader(history: History, finals: Plan, losses: NDArray[np.float64], select: str) -> tuple[int | None, str]:
    """Return the row that goes on to meet the baseline (0: none does, the baseline is the choice), and why."""
    leader = finals_leader(losses, folds=finals.opening)
    if select != "one_standard_error" or leader is None:
        return leader, "best mean in the finals"
    liked = complexities(history.space, [history.trials[n].values for n in finals.finalists])
    liked[0] = -math.inf  # the defaults are what one would take without tuning
    simplest = one_standard_error(losses[:, : finals.opening], liked)
    return simplest, "simplest within one standard error of the best mean in the finals"


def _losses(history: History, finals: Plan) -> NDArray[np.float64]:
    """Return the finals' losses, shape (finalists, folds), NaN where a fold was not measured."""
    out = np.full((len(finals.finalists), finals.folds), np.nan)
    for row, number in enumerate(finals.finalists):
        for measurement in history.finals.get(number, ()):
            if measurement.fold < finals.folds:
                out[row, measurement.fold] = history.objective.loss(measurement.score)
    return out


def search_optimism(history: History) -> float:
    """Return what its choice flatters the best trial by, in loss units, by the search's own folds; 0 if unknown."""
    best = history.best
    if best is None or not computable(best.scores) or len(best.scores) < 2:
        return 0.0
    done = [t for t in history.trials if t.completed and t.fidelity is None and len(t.scores) == len(best.scores)]
    L = np.array([[history.objective.loss(score) for score in t.scores] for t in done if computable(t.scores)])
    if len(L) < 2:
        return 0.0
    about = history.started.about
    folds = int(about.get("final_folds") or 0)  # of one repeat
    repeated = folds >= 2 and L.shape[1] % folds == 0
    return winner_optimism(L, folds=folds if repeated else None, overlapping=bool(about.get("overlapping")))


def search_gain(history: History, *, test_share: float, optimism: float) -> Gain | None:
    """Return the best trial's gain over the defaults from the search's own folds, less its optimism (`search_optimism`).

    For studies without finals: the corrected interval around the mean difference less the optimism. None without a
    completed baseline and best.
    """
    best, baseline = history.best, history.baseline
    if best is None or baseline is None or not baseline.completed or len(best.scores) != len(baseline.scores):
        return None
    if not computable((*best.scores, *baseline.scores)):
        return None
    losses = history.objective.loss
    return paired_gain(
        [losses(score) for score in baseline.scores],
        [losses(score) for score in best.scores],
        test_share=test_share,
        shift=optimism if best.number != baseline.number else 0.0,
    )


def computable(scores: Iterable[float]) -> bool:
    """Return whether scores have a variance in floating point."""
    return max((abs(score) for score in scores), default=0.0) <= HUGE


def first_round(history: History, finals: Plan) -> Sequence[tuple[int, int]]:
    """Return the (trial number, fold) pairs of the opening not measured yet, fold by fold so that pairs come early."""
    waits = np.isnan(_losses(history, finals))
    folds = range(finals.opening)
    return [(number, fold) for fold in folds for row, number in enumerate(finals.finalists) if waits[row, fold]]


def second_round(history: History, finals: Plan, select: str) -> Sequence[tuple[int, int]]:
    """Return the pairs of the later folds, of the baseline and the opening's leader, that are not measured yet."""
    losses = _losses(history, finals)
    if not np.isfinite(losses[0, : finals.opening]).all():
        return []  # the defaults failed: there is nothing to compare with
    leader, _ = _leader(history, finals, losses, select)
    if not leader:
        return []
    waits = np.isnan(losses)
    return [
        (finals.finalists[row], fold)
        for fold in range(finals.opening, finals.folds)
        for row in (0, leader)
        if waits[row, fold]
    ]


def half_round(history: History, finals: Plan, winner: int) -> Sequence[tuple[int, int]]:
    """Return the winner's folds of the opening that were not measured on half of the training rows yet."""
    known = {m.fold for m in history.halves.get(winner, ())}
    return [(winner, fold) for fold in range(finals.opening) if fold not in known]


def measured_refit_gain(history: History, finals: Plan, winner: int, *, test_share: float) -> float | None:
    """Return `learning_curve.refit_gain` of the winner in loss units, None if a fold of it failed."""
    whole = {m.fold: history.objective.loss(m.score) for m in history.finals.get(winner, ())}
    halved = {m.fold: history.objective.loss(m.score) for m in history.halves.get(winner, ())}
    folds = range(finals.opening)
    if not all(fold in whole and fold in halved for fold in folds):
        return None
    return refit_gain([whole[f] for f in folds], [halved[f] for f in folds], test_share=test_share)
