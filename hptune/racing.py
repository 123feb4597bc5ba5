"""Fold racing: gives a trial up as soon as it will hardly beat the best complete one on the mean over all folds.

Legend: k folds; d_f loss of the challenger minus that of the incumbent on fold f; dbar their mean over the j folds
measured; s the spread of d_f within a pair of configurations, pooled over earlier complete trials; nu its degrees of
freedom, at most 8; T Student's distribution function; m a tenth of the standard error of the incumbent's score, 0 for
refinements (`hptune.refinement`).

    P(win) = T_nu((-dbar - m (k - j) / (k - 1)) / (s sqrt((k - j) / (j k))))    the trial is given up below `ALPHA`    (1)

It does not ask whether the challenger is worse in truth but whether it will win on *these* k folds, so that the folds'
dependence needs no correction. From `NEIGHBOURS` complete trials on, d_f is taken to what a trial at the challenger's place
would lose on fold f if it were as good as the incumbent, and s² is equation (4) of `hptune.surrogate.folds`: similar
configurations find the same folds hard. Before that d_f is to the incumbent's own losses, and s is pooled, so that it works
from the first fold on; pairs far from the incumbent disagree more from fold to fold, so s comes from the nearer half.
Settings and what they cost were measured on stored studies: `python -m benchmarks.racing`, decision 8.

Pure: a `Race` is a function of the view, and a decision one of the race and the trial's own folds in their order.
"""

from __future__ import annotations

import math
import weakref
from dataclasses import replace
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from hptune.encoding import encoding_of
from hptune.history import History, View
from hptune.observations import FOLD_TRIALS, observe
from hptune.race import Race, standard_error
from hptune.randomness import generator
from hptune.statistics import HUGE, student_cdf, student_quantile
from hptune.surrogate.folds import FoldEffects
from hptune.trial import REFINEMENT, Values

ALPHA = 0.20
"""A trial is given up when its chance to win falls below this."""

MARGIN = 0.10
"""By how many standard errors of the incumbent's score a trial has to win after its first fold: where a search converges,
most trials are as good as the incumbent but for less than that. It falls with the folds that giving up would save."""

DEGREES = 8
"""Nobody is given up before the spread has this many degrees of freedom, and no more are believed."""

NEIGHBOURS = 8
"""From so many complete trials on a trial is compared with its neighbours' folds, before with the incumbent's."""

Array = NDArray[np.float64]


def fold_order(seed: int, trial: int, folds: int) -> tuple[int, ...]:
    """Return the order in which a raced trial's folds are measured: drawn anew for each, so that no fold decides."""
    return tuple(int(fold) for fold in generator(seed, "order", trial).permutation(folds))


class _Complete:
    """The fold losses of a history's ended trials as a growing array, NaN for those that are not complete."""

    def __init__(self, reopenings: int, folds: int) -> None:
        self.reopenings = reopenings
        self.size = 0
        self.losses = np.full((64, folds), math.nan)

    def grow(self, view: View, size: int) -> Array:
        """Return the rows of the first `size` trials, all of which have ended; shape (size, folds)."""
        if size > len(self.losses):
            grown = np.full((2 * size, self.losses.shape[1]), math.nan)
            grown[: self.size] = self.losses[: self.size]
            self.losses = grown
        for number in range(self.size, size):
            _put(view, number, self.losses[number])
        self.size = max(self.size, size)
        return self.losses[:size]


_CACHE: weakref.WeakKeyDictionary[History, _Complete] = weakref.WeakKeyDictionary()
"""Arrays that only depend on ended trials: a memo, not a state."""


def _put(view: View, number: int, row: Array) -> None:
    trial = view[number]
    if trial.completed and trial.fidelity is None:
        for measurement in trial.measurements:
            row[measurement.fold] = view.objective.loss(measurement.score)


def complete_losses(view: View) -> tuple[NDArray[np.intp], Array]:
    """Return the numbers (n,) and fold losses (n, folds) of the complete trials of full fidelity that a view shows."""
    history = view.history
    memo = _CACHE.get(history)
    if memo is None or memo.reopenings != history.reopenings:
        memo = _CACHE[history] = _Complete(history.reopenings, history.started.folds)
    settled = view.settled
    rows = memo.grow(view, settled)
    if settled < view.visible:
        rest = np.full((view.visible - settled, rows.shape[1]), math.nan)
        for i, row in enumerate(rest):
            _put(view, settled + i, row)
        rows = np.vstack([rows, rest])
    numbers = np.flatnonzero(~np.isnan(rows).any(axis=1))
    return numbers, rows[numbers]


def pooled_spread(losses: Array, incumbent: int) -> tuple[float, int] | None:
    """Return the spread s of paired differences from row `incumbent` of (n, k) losses, and its degrees of freedom.

    Of the nearer half of the pairs, or of so many that there are `DEGREES`; None while there are too few.
    """
    n, k = losses.shape
    needed = math.ceil(DEGREES / (k - 1))
    if n - 1 < needed:
        return None
    differences = np.delete(losses - losses[incumbent], incumbent, axis=0)
    means = differences.mean(axis=1)
    nearest = np.argsort(np.abs(means), kind="stable")[: max((n - 1) // 2, needed)]
    residuals = differences[nearest] - means[nearest, None]
    degrees = len(nearest) * (k - 1)
    return math.sqrt(float(np.sum(residuals**2)) / degrees), degrees


@lru_cache(maxsize=64)
def _bar(alpha: float, degrees: int, done: int, folds: int) -> float:
    """Return the largest mean difference, in spreads, with which (1) without its margin is still at least `alpha`."""
    return student_quantile(1.0 - alpha, degrees) * standard_error(1.0, done, folds)


def _left(done: int, folds: int) -> float:
    """Return the share of the folds after the first that are still to be measured."""
    return (folds - done) / (folds - 1)


def race_of(losses: Array, numbers: NDArray[np.intp], *, alpha: float = ALPHA, margin: float = MARGIN) -> Race | None:
    """Return the race that complete trials with these losses (n, k) make, None while nobody is to be given up."""
    n, k = losses.shape
    if k < 2 or n < 2 or np.abs(losses).max() > HUGE:
        return None
    incumbent = int(np.argmin(losses.mean(axis=1)))
    found = pooled_spread(losses, incumbent)
    if found is None or not found[0] > 0.0:
        return None
    spread, degrees = found[0], min(found[1], DEGREES)
    least = margin * float(np.std(losses[incumbent], ddof=1)) / math.sqrt(k)
    return Race(
        incumbent=int(numbers[incumbent]),
        losses=tuple(losses[incumbent].tolist()),
        bars=tuple(spread * _bar(alpha, degrees, done, k) - least * _left(done, k) for done in range(1, k)),
        spread=spread,
        degrees=degrees,
        margin=least,
    )


def race(view: View, values: Values | None = None, *, origin: str = "") -> Race | None:
    """Return what a trial with this view has to keep up with; None: all its folds are measured.

    With the trial's `values`, what it is compared with on a fold is what a trial there would lose on it if it were as
    good as the incumbent, by its complete neighbours (equation 3 of `hptune.surrogate.folds`). By its `origin` it may be a
    refinement, of which no margin is asked: it was proposed for less than that.
    """
    if view.history.started.folds < 2:
        return None
    numbers, losses = complete_losses(view)
    held = race_of(losses, numbers, margin=0.0 if origin == REFINEMENT else MARGIN)
    if held is None or values is None or len(numbers) < NEIGHBOURS:
        return held
    order = np.argsort(losses.mean(axis=1), kind="stable")[:FOLD_TRIALS]
    split, rows = encoding_of(view.space).split, view.rows()
    effects = FoldEffects.of(*split(rows[numbers[order]]), losses[order])
    effect, s2 = effects.at(*split(view.space.encode(values)[None]))
    return local(held, effect[0], float(s2[0])) if s2[0] > 0.0 else held


def local(held: Race, effect: Array, s2: float) -> Race:
    """Return the race of a trial whose loss on fold f is its mean plus `effect` (k,), give or take the root of `s2`."""
    mean, spread, folds = sum(held.losses) / held.folds, math.sqrt(s2), held.folds
    bars = (
        spread * _bar(ALPHA, held.degrees, done, folds) - held.margin * _left(done, folds) for done in range(1, folds)
    )
    return replace(held, losses=tuple((mean + effect).tolist()), bars=tuple(bars), spread=spread)


def chance(held: Race, done: list[tuple[int, float]]) -> float:
    """Return P(win) of (1) for a trial with these (fold, loss) pairs, some but not all of the folds."""
    error = standard_error(held.spread, len(done), held.folds)
    margin = held.margin * _left(len(done), held.folds)
    return student_cdf((-held.lead(done) - margin) / error, held.degrees)


def reason(held: Race, done: list[tuple[int, float]]) -> str:
    """Return why a trial was given up, for people."""
    lost = chance(held, done)
    shown = "under 0.1%" if lost < 0.001 else f"{lost:.1%}"
    return f"raced out after {len(done)} of {held.folds} folds: {shown} chance to beat trial {held.incumbent}"


def to_complete(history: History, count: int) -> list[int]:
    """Return the raced-out trials among the best `count`, which are to be completed when the search is over.

    Ranked by what the search knew: partial means corrected for their folds. The same before and after completing.
    """
    view = history.view(everything=True)
    if not any(trial.ended == "stopped" for trial in view):
        return []
    seen = observe(view)
    ranking = seen.measured[np.argsort(seen.loss, kind="stable")][:count]
    return [int(number) for number in sorted(ranking) if view[int(number)].ended == "stopped"]
