"""The finals: who takes part, and what their fresh folds say. Pure: from a history to a plan and to a verdict.

The winner of a search was chosen for its luck as well as for its worth. So the best few and the defaults are measured
again on fresh splits, and the winner is chosen there (decision 4 says what that was measured to be worth).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hptune.evaluate import FinalsSpec
from hptune.history import History
from hptune.optimism import left_out_optimism
from hptune.simplicity import complexities
from hptune.statistics import (
    Gain,
    choose_finalists,
    finals_repeats,
    finals_verdict,
    one_standard_error,
    paired_gain,
)

FROM_TRIALS = 20
"""Searches of more completed trials than this hold finals by default: below, they would cost more than a tenth."""

HUGE = 1e150
"""Losses beyond this have no variance in floating point; nothing is said of them."""

SINGLE_SPLITS = 10
"""Fresh divisions in the finals of a study with a single split: an interval needs several."""


@dataclass(frozen=True)
class Plan:
    """Who meets in the finals (trial numbers, the baseline first) and on how many folds."""

    finalists: tuple[int, ...]
    folds: int
    folds_per_repeat: int


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
    if final_folds == 1:
        repeats = max(repeats, SINGLE_SPLITS)
    return Plan(tuple(done[row].number for row in rows), repeats * final_folds, final_folds)


def verdict(history: History, finals: Plan, *, test_share: float, select: str) -> Verdict | None:
    """Return what the finals found, None while the baseline or all others lack folds.

    A finalist that lacks a fold (it failed there) cannot win. With `select: one_standard_error` the simplest within
    one standard error of the best is taken, the defaults counting as simplest.
    """
    losses = _losses(history, finals)
    complete = [bool(np.isfinite(row).all()) for row in losses]
    if np.abs(losses[np.isfinite(losses)]).max(initial=0.0) > HUGE:
        return None
    if not complete[0] or not any(complete[1:]):
        return None
    # Independent single splits are folds of their own; otherwise repeats judge the same rows again.
    folds = finals.folds_per_repeat if finals.folds_per_repeat > 1 else finals.folds
    found = finals_verdict(losses, folds=folds, test_share=test_share)
    assert found.gain is not None, "the baseline has every fold"
    winner, gain, rule = found.winner, found.gain, "best mean in the finals"
    if select == "one_standard_error":
        liked = complexities(history.space, [history.trials[n].values for n in finals.finalists])
        liked[0] = -math.inf  # the defaults are what one would take without tuning
        winner = one_standard_error(losses, liked)
        rule = "simplest within one standard error of the best mean in the finals"
        if winner != found.winner:
            gain = paired_gain(losses[0], losses[winner], test_share=test_share, degrees=max(folds - 1, 1))
    return Verdict(finals.finalists[winner], gain, found.optimism, rule)


def _losses(history: History, finals: Plan) -> NDArray[np.float64]:
    """Return the finals' losses, shape (finalists, folds), NaN where a fold was not measured."""
    out = np.full((len(finals.finalists), finals.folds), np.nan)
    for row, number in enumerate(finals.finalists):
        for measurement in history.finals.get(number, ()):
            if measurement.fold < finals.folds:
                out[row, measurement.fold] = history.objective.loss(measurement.score)
    return out


def search_gain(history: History, *, test_share: float) -> tuple[Gain, float] | None:
    """Return the best trial's gain over the defaults and its optimism (loss units) from the search's own folds.

    For studies without finals: the corrected interval around the mean difference less the optimism. None without a
    completed baseline and best.
    """
    best, baseline = history.best, history.baseline
    if best is None or baseline is None or not baseline.completed or len(best.scores) != len(baseline.scores):
        return None
    losses = history.objective.loss
    if max(abs(score) for score in (*best.scores, *baseline.scores)) > HUGE:
        return None
    done = [t for t in history.trials if t.completed and t.fidelity is None and len(t.scores) == len(best.scores)]
    done = [t for t in done if max(abs(score) for score in t.scores) <= HUGE]
    optimism = 0.0
    if len(best.scores) > 1 and len(done) > 1:
        optimism = left_out_optimism(np.array([[losses(score) for score in trial.scores] for trial in done]))
    gain = paired_gain(
        [losses(score) for score in baseline.scores],
        [losses(score) for score in best.scores],
        test_share=test_share,
        shift=optimism if best.number != baseline.number else 0.0,
    )
    return gain, optimism


def missing(history: History, finals: Plan) -> Sequence[tuple[int, int]]:
    """Return the (trial number, fold) pairs of the finals not measured yet, fold by fold so that pairs come early."""
    known = {(number, m.fold) for number in finals.finalists for m in history.finals.get(number, ())}
    return [
        (number, fold) for fold in range(finals.folds) for number in finals.finalists if (number, fold) not in known
    ]
