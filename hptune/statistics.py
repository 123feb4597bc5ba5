"""What can honestly be said of two configurations' fold losses: an interval, a p-value, a verdict.

Folds of one data set share rows, so that their scores are not independent and the ordinary paired t-test is far too
sure of itself. The corrected resampled t-test (Nadeau & Bengio 2003, section 3; for r x k cross-validation Bouckaert
& Frank 2004, section 3.2) widens the variance of the mean by the share of rows that judge:

    letter  meaning                                                           shape
    d       loss of the baseline - loss of the challenger, per fold           (J,)
    J       folds in all; with repeats: J = r k
    s2      sample variance of d
    n2/n1   rows that judge / rows that fit in one fold; 1/(k - 1) for k folds
    t       mean(d) / sqrt((1/J + n2/n1) s2), Student-t with J - 1 degrees of freedom

Everything here takes *losses* (smaller is better) and gives the *gain* (greater is better), in units of the loss.
numpy only: Student's t is computed here, so that the end of a run need not import scipy.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hptune.optimism import winner_optimism

Verdict = Literal["pass", "fail", "undecided"]
FINALISTS = 3  # beside the baseline; chosen by benchmark, see docs/decisions/0004-honest-gain.md
HUGE = 1e150  # losses beyond this have no variance in floating point: no race is held, and nothing is said of them
CONSTANT = 1e-12  # a standard deviation under this share of the greatest difference is rounding, not spread


@dataclass(frozen=True)
class Gain:
    """What a challenger gains over a baseline: positive is better, in units of the loss.

    `low` and `high` bound the two-sided interval at `confidence`; `p_value` is one-sided, against "no gain or worse".
    `error` is the corrected standard error, `pairs` the number of folds J that both were measured on, `degrees` those
    of freedom of Student's t. Where the
    folds cannot tell (fewer than two pairs, or the same non-zero difference on each of them) `error`, `low`, `high`
    and `p_value` are None. Where all differences are zero the gain is exactly zero: [0, 0] and p = 1.
    """

    mean: float
    low: float | None
    high: float | None
    p_value: float | None
    error: float | None
    pairs: int
    degrees: float
    confidence: float

    @classmethod
    def told(cls, found: Mapping[str, float | None]) -> Gain:
        """Return the gain that a journal's record holds; what an older one lacks is as unknown."""
        return cls(
            mean=found["mean"] or 0.0,
            low=found.get("low"),
            high=found.get("high"),
            p_value=found.get("p_value"),
            error=found.get("error"),
            pairs=int(found.get("pairs") or 1),
            degrees=found.get("degrees") or 1.0,
            confidence=found.get("confidence") or 0.9,
        )

    @classmethod
    def none(cls, pairs: int = 1, *, confidence: float = 0.9) -> Gain:
        """Return the gain of a configuration over itself: exactly zero."""
        return cls(0.0, 0.0, 0.0, 1.0, 0.0, pairs, 1.0, confidence)

    def without(self, luck: float) -> Gain:
        """Return it with an estimated luck (of either sign) taken off, and the interval wider by as much on both sides.

        Luck may be all there is to a difference, but does not turn it round. Mirrored, it is the loss's without -luck.
        """
        left = self.mean - luck
        mean = 0.0 if left * self.mean <= 0 else left
        if not self.error or not luck:
            return replace(self, mean=mean)
        quantile = student_quantile(0.5 + self.confidence / 2, self.degrees)
        return _gain(mean, self.error + abs(luck) / quantile, self.pairs, self.degrees, self.confidence)

    def bound(self, confidence: float, *, upper: bool = False) -> float | None:
        """Return the one-sided lower (or upper) bound of the gain at a confidence, None where folds cannot tell."""
        _check_confidence(confidence)
        if self.error is None:
            return None
        margin = student_quantile(confidence, self.degrees) * self.error
        return self.mean + margin if upper else self.mean - margin


def corrected_error(differences: ArrayLike, *, test_share: float) -> float | None:
    """Return the corrected standard error of the mean of differences of shape (J,), None where they cannot tell.

    `test_share` is n2/n1, the rows that judge over the rows that fit.
    """
    d = np.asarray(differences, dtype=float)
    if not test_share > 0:
        raise ValueError(f"test_share: expected rows that judge / rows that fit > 0, found {test_share!r}")
    if not d.any() and len(d):
        return 0.0
    if len(d) < 2:
        return None
    s = float(d.std(ddof=1))
    if s <= CONSTANT * float(np.abs(d).max()):
        return None
    return math.sqrt(1.0 / len(d) + test_share) * s


def paired_gain(
    baseline: ArrayLike,
    challenger: ArrayLike,
    *,
    test_share: float,
    confidence: float = 0.9,
    shift: float = 0.0,
    degrees: float | None = None,
) -> Gain:
    """Return the gain of a challenger over a baseline from their losses on the same folds, both of shape (J,).

    Folds that one of them lacks (NaN) are left out of both. For folds of unequal size give the mean of n2/n1 over
    the folds as `test_share`; the mean of d stays the plain one, as the score is the plain mean of the folds.
    `shift` is taken off the mean before the interval is laid around it (the challenger's optimism, if it was chosen), as
    far as the mean goes: luck may be all there is to a difference, but does not turn it round.
    `degrees` of freedom: J - 1 by default (Bouckaert & Frank), or fewer for a more careful interval.
    Against a number instead of a configuration, give it as the baseline's loss on every fold.
    """
    _check_confidence(confidence)
    b, c = np.asarray(baseline, dtype=float), np.asarray(challenger, dtype=float)
    if b.shape != c.shape or b.ndim != 1:
        raise ValueError(f"losses: expected two of the same shape (J,), found {b.shape} and {c.shape}")
    d = b - c
    d = d[np.isfinite(d)]
    if not len(d):
        raise ValueError("losses: expected at least one fold that both were measured on, found none")
    error = corrected_error(d, test_share=test_share)
    freedom = max(len(d) - 1, 1) if degrees is None else degrees
    mean = float(d.mean())
    return _gain(mean - min(shift, max(mean, 0.0)), error, len(d), freedom, confidence)


def resampled_gain(gain: float, resamples: ArrayLike, *, units: int, confidence: float = 0.9) -> Gain:
    """Return the gain on one holdout of so many units, with an interval from the bootstrap.

    `gain` is the one observed on all rows, `resamples`, shape (B,), those on units drawn with replacement (the same
    draw for both models; B >= 200). Units are what is independent: rows, groups of them, or blocks of neighbours.
    Student's t around the observed gain with the bootstrap's standard error and units - 1 degrees of freedom (Efron &
    Tibshirani 1993, section 12.4). The bootstrap divides a variance by units, not by units - 1: made good here, which
    matters for few groups. It holds for any metric, but only for these two fitted models: it says nothing of other
    training rows. `pairs` is the units.
    """
    _check_confidence(confidence)
    degrees = max(units - 1, 1)
    found = np.asarray(resamples, dtype=float)
    found = found[np.isfinite(found)]
    if len(found) < 2 or units < 2:
        return _gain(gain, None, units, degrees, confidence)
    with np.errstate(over="ignore", invalid="ignore"):
        error = float(found.std(ddof=1)) * math.sqrt(units / (units - 1))
    if not math.isfinite(error):
        return _gain(gain, None, units, degrees, confidence)
    if error <= CONSTANT * max(abs(gain), float(np.abs(found).max())):
        return _gain(gain, 0.0 if gain == 0 else None, units, degrees, confidence)
    return _gain(gain, error, units, degrees, confidence)


def _gain(mean: float, error: float | None, pairs: int, degrees: float, confidence: float) -> Gain:
    if error is None:
        return Gain(mean, None, None, None, None, pairs, degrees, confidence)
    if error == 0:
        return Gain(0.0, 0.0, 0.0, 1.0, 0.0, pairs, degrees, confidence)
    margin = student_quantile(0.5 + confidence / 2, degrees) * error
    p_value = student_cdf(-mean / error, degrees)
    return Gain(mean, mean - margin, mean + margin, p_value, error, pairs, degrees, confidence)


def gate_verdict(gain: Gain, *, confidence: float, min_gain: float = 0.0) -> Verdict:
    """Return whether the gain exceeds `min_gain` at a one-sided confidence.

    pass: the lower bound lies above min_gain; fail: the upper bound does not; undecided: the folds cannot tell. A
    winner that *is* the baseline gains exactly zero, and fails `min_gain: 0`.
    """
    low, high = gain.bound(confidence), gain.bound(confidence, upper=True)
    if low is None or high is None:
        return "undecided"
    if low > min_gain:
        return "pass"
    return "fail" if high <= min_gain else "undecided"


def tied_set(losses: ArrayLike, winner: int, *, test_share: float, confidence: float = 0.9) -> NDArray[np.intp]:
    """Return the indices of the configurations that the folds cannot tell from the winner, itself included.

    From losses of shape (T, J). Tied = the one-sided lower bound of the winner's gain over it is not above zero.
    Each comparison is at `confidence` by itself. Rows with fewer than two shared folds are never in the set.
    """
    L = np.asarray(losses, dtype=float)
    tied = []
    for i, row in enumerate(L):
        if i == winner:
            tied.append(i)
            continue
        if np.isfinite(row - L[winner]).sum() < 2:
            continue
        gain = paired_gain(row, L[winner], test_share=test_share, confidence=confidence)
        low = gain.mean if gain.error is None else gain.bound(confidence)
        if low is not None and low <= 0:
            tied.append(i)
    return np.array(tied, dtype=np.intp)


def one_standard_error(losses: ArrayLike, preference: ArrayLike) -> int:
    """Return the index of the preferred configuration within one standard error of the best mean.

    The rule of Breiman, Friedman, Olshen & Stone (1984, section 3.4.3): the standard error is that of the best
    configuration's own fold mean, s / sqrt(J). `preference`, shape (T,), is smaller for what is liked better
    (simpler, cheaper, the defaults); of equals the better mean, then the first. A row lacking a fold is not chosen.
    """
    L, liked = np.asarray(losses, dtype=float), np.asarray(preference, dtype=float)
    if liked.shape != L.shape[:1]:
        raise ValueError(f"preference: expected shape {L.shape[:1]}, found {liked.shape}")
    rows = np.flatnonzero(np.isfinite(L).all(axis=1))
    if not len(rows):
        raise ValueError("losses: expected at least one configuration measured on every fold, found none")
    means = L[rows].mean(axis=1)
    best = int(np.argmin(means))
    J = L.shape[1]
    error = float(L[rows[best]].std(ddof=1)) / math.sqrt(J) if J > 1 else 0.0
    near = np.flatnonzero(means <= means[best] + error)
    return int(min(rows[near], key=lambda i: (liked[i], L[i].mean(), i)))


# -- the finals ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Finals:
    """What the finals found. `winner` is a row of the finals' losses (the baseline's, if nothing beat it).

    `loss` is the winner's mean loss in the finals and `optimism` what its choice flatters it by: report
    `expected_loss`, their sum. `gain` is over the baseline, with the optimism taken off; None if the
    baseline has no fold (the defaults failed).
    """

    winner: int
    loss: float
    optimism: float
    gain: Gain | None

    @property
    def expected_loss(self) -> float:
        """The loss to expect on fresh rows."""
        return self.loss + self.optimism


def choose_finalists(losses: ArrayLike, *, count: int = FINALISTS, baseline: int = 0) -> list[int]:
    """Return who goes to the finals: the baseline, then the `count` best others by mean loss, best first.

    From the search's losses, shape (T, k). Rows with a missing fold stay out, the baseline excepted; of equal means
    the earlier goes first. Fewer come back where there are no more.
    """
    L = np.asarray(losses, dtype=float)
    rows = [int(i) for i in np.flatnonzero(np.isfinite(L).all(axis=1)) if i != baseline]
    return [baseline, *sorted(rows, key=lambda i: (L[i].mean(), i))[:count]]


def finals_repeats(trials: int, *, finalists: int = FINALISTS, share: float = 0.1, most: int = 4) -> int:
    """Return how many repeats of the folds the leader and the defaults run: 2 to `most`.

    All finalists and the defaults run one, the two that are left the others, and the winner half a trial's rows once
    more (`hptune.learning_curve`): finalists + 1 + 2 (r - 1) + 1/2 trials' worth of fits, about `share` of those of a
    search without racing where that allows two. With one repeat 12 % of the searches on noise claim a gain
    (docs/decisions/0004-honest-gain.md), so that short searches pay more.
    """
    left = share * trials - (finalists + 1) - 0.5
    return min(max(1 + math.floor(left / 2), 2), most)


def finals_leader(losses: ArrayLike, *, folds: int, baseline: int = 0) -> int | None:
    """Return who meets the baseline again: of the others, the smallest mean loss in the opening.

    The opening is the first `folds` columns of the losses, shape (F, J). A row that lacks one of them cannot lead;
    of equals the first. None if there is none.
    """
    L = np.asarray(losses, dtype=float)[:, :folds]
    rows = [int(i) for i in np.flatnonzero(np.isfinite(L).all(axis=1)) if i != baseline]
    return min(rows, key=lambda i: (L[i].mean(), i)) if rows else None


def finals_verdict(
    losses: ArrayLike,
    *,
    folds: int,
    leader: int | None = None,
    test_share: float | None = None,
    confidence: float = 0.9,
    baseline: int = 0,
    overlapping: bool = False,
) -> Finals:
    """Return the finals' winner, and what it gains, from losses of shape (F, r folds), repeat-major.

    All finalists meet in the opening, the first `folds` columns; the `leader` (by default `finals_leader`'s) and the
    baseline go on, and the better of the two by the mean of all columns wins, of equals the baseline. Other rows'
    later columns are not looked at. The optimism is that of `winner_optimism` in the opening, where the choice was
    made (`overlapping`: its folds are independent random divisions). Student's t gets folds - 1 degrees of freedom
    instead of J - 1: repeats judge the same rows again, and the finalists were chosen on them. `test_share` is n2/n1,
    default 1/(folds - 1). A leader that lacks a later fold is judged by the folds that it shares with the baseline; the
    baseline needs two folds for an interval, one for a gain. Measured in docs/decisions/0004-honest-gain.md.

    >>> verdict = finals_verdict(losses, folds=5)            # row 0: the defaults
    >>> verdict.gain.low, verdict.gain.mean, verdict.gain.high, verdict.expected_loss
    """
    L = np.asarray(losses, dtype=float)
    if test_share is None and folds < 2:
        raise ValueError(
            f"test_share: expected rows that judge / rows that fit, there being {folds} fold, found None"
        )
    opening = L[:, :folds]
    if leader is None:
        leader = finals_leader(L, folds=folds, baseline=baseline)
    rows = [i for i in (baseline, leader) if i is not None and np.isfinite(opening[i]).all()]
    if not rows:
        raise ValueError("losses: expected at least one finalist measured on every fold, found none")
    shared = np.isfinite(L[rows]).all(axis=0)
    winner = min(rows, key=lambda i: (L[i, shared].mean(), i != baseline))
    share = 1.0 / (folds - 1) if test_share is None else test_share
    optimism = winner_optimism(opening, overlapping=overlapping) if folds > 1 else 0.0
    gain = None
    if baseline in rows:
        gain = paired_gain(
            L[baseline, shared],
            L[winner, shared],
            test_share=share,
            confidence=confidence,
            shift=optimism if winner != baseline else 0.0,
            degrees=max(folds - 1, 1),
        )
    return Finals(winner, float(L[winner, shared].mean()), optimism, gain)


# -- Student's t ----------------------------------------------------------------------------------------------------


def student_cdf(t: float, degrees: float) -> float:
    """Return P(T <= t) for Student's t with `degrees` > 0 degrees of freedom."""
    square = t * t
    if square < min(degrees, 1.0):  # the middle: x = degrees / (degrees + t^2) loses the digits of t there
        tail = 0.5 - 0.5 * _incomplete_beta(0.5, degrees / 2, square / (degrees + square))
    else:
        tail = 0.5 * _incomplete_beta(degrees / 2, 0.5, degrees / (degrees + square))
    return tail if t <= 0 else 1.0 - tail


@lru_cache(maxsize=256)
def student_quantile(probability: float, degrees: float) -> float:
    """Return t with P(T <= t) = probability in (0, 1), by bisection."""
    if not 0 < probability < 1 or not degrees > 0:
        raise ValueError(f"expected a probability in (0, 1) and degrees > 0, found {probability!r} and {degrees!r}")
    if probability == 0.5:
        return 0.0
    tail = min(probability, 1 - probability)
    low, high = 0.0, 1.0
    while student_cdf(-high, degrees) > tail:
        low, high = high, 2 * high
    for _ in range(80):
        middle = (low + high) / 2
        if student_cdf(-middle, degrees) > tail:
            low = middle
        else:
            high = middle
    return high if probability > 0.5 else -high


def _incomplete_beta(a: float, b: float, x: float) -> float:
    """Return the regularised incomplete beta function I_x(a, b): the continued fraction DLMF 8.17.22, by Lentz."""
    if x <= 0 or x >= 1:
        return 0.0 if x <= 0 else 1.0
    if x > (a + 1) / (a + b + 2):  # the fraction converges fast only below; DLMF 8.17.4
        return 1.0 - _incomplete_beta(b, a, 1 - x)
    front = math.exp(math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log1p(-x))
    tiny = 1e-300
    c, d = 1.0, 1.0 / (1.0 - (a + b) * x / (a + 1) or tiny)
    fraction = d
    for m in range(1, 400):
        even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        for step in (even, odd):
            d = 1.0 / (1.0 + step * d or tiny)
            c = 1.0 + step / c or tiny
            fraction *= c * d
        if abs(c * d - 1.0) < 1e-15:
            break
    return front * fraction / a


def _check_confidence(confidence: float) -> None:
    if not 0.5 <= confidence < 1:
        raise ValueError(f"confidence: expected 0.5 to 1 (0.9 for 90 %), found {confidence!r}")
