"""How much of the winner's score is luck, and how much luck more trials would still bring.

The best of many cross-validated means is too good: it was chosen for its noise as well as for its worth. Folds do
not show it, because every configuration was chosen on all of them. Three estimates of that optimism from nothing but
the fold losses, and the expected course of the best so far.

    letter  meaning                                                   shape
    L       losses (smaller is better), NaN where not measured         (T, k)
    T       configurations (trials)
    k       folds; with repeats: k = repeats x folds, repeat-major
    m       mean loss of every configuration                          (T,)

Optimism is in units of the loss and is *added* to the winner's mean loss; it is never negative.
Only configurations measured on every fold can be chosen (a raced-out trial cannot win).
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

Losses = NDArray[np.float64]


def complete(losses: ArrayLike) -> NDArray[np.intp]:
    """Return the indices of the rows without a missing or infinite value, from losses of shape (T, k)."""
    L = _matrix(losses)
    return np.flatnonzero(np.isfinite(L).all(axis=1))


def fold_winners(losses: ArrayLike) -> NDArray[np.intp]:
    """Return the index of the best configuration on every fold, shape (k,); of equals, the first.

    How often the winner's own index (or its value of a parameter) occurs here is its stability.
    """
    L = _matrix(losses)
    rows = complete(L)
    if not len(rows):
        raise ValueError("losses: expected at least one configuration measured on every fold, found none")
    winners: NDArray[np.intp] = rows[np.argmin(L[rows], axis=0)]
    return winners


def tibshirani_optimism(losses: ArrayLike) -> float:
    """Return the optimism of the best mean by Tibshirani & Tibshirani (2009), equation (3).

        bias = 1/k sum_f [ L(w, f) - min_i L(i, f) ],   w = argmin_i m_i

    Every fold plays the study in small: how much better than the overall winner is the fold's own? Meant for equal
    folds; too large where many configurations are tied (Tsamardinos et al. 2018), see docs/decisions/0004.
    """
    L = _chosen_from(losses)
    if L is None:
        return 0.0
    w = int(np.argmin(L.mean(axis=1)))
    return float(np.mean(L[w] - L.min(axis=0)))


def left_out_optimism(losses: ArrayLike, *, folds: int | None = None) -> float:
    """Return the optimism of the best mean by choosing without the fold that judges.

        bias = 1/k sum_f [ L(w_f, f) ] - m_w,   w_f = argmin_i of the mean over the other folds of f's repeat

    The leave-one-out form of `bootstrap_optimism`: no randomness, and a choice from k - 1 of the k folds instead of
    63 % of them. `folds` is the folds in one repeat (default: all of them are one repeat); folds of other repeats
    hold the judging rows, so that they cannot take part in the choice.
    """
    L = _chosen_from(losses)
    if L is None:
        return 0.0
    k = L.shape[1]
    size = k if folds is None else folds
    if size < 2 or k % size:
        raise ValueError(f"folds: expected a divisor of {k}, at least 2, found {size}")
    judged = 0.0
    for start in range(0, k, size):
        block = L[:, start : start + size]
        others = block.sum(axis=1, keepdims=True) - block
        judged += float(block[np.argmin(others, axis=0), np.arange(size)].sum())
    return float(max(judged / k - float(L.mean(axis=1).min()), 0.0))


def winner_optimism(losses: ArrayLike, *, folds: int | None = None, overlapping: bool = False) -> float:
    """Return the optimism of the best mean, by what suits the division of the rows.

    `folds` is the folds in one repeat. With `overlapping` test sets (independent random divisions) the other folds hold the
    judging rows, so that leaving one out finds a third of the optimism or less, and Tibshirani's is near it
    (docs/decisions/0004-honest-gain.md).
    """
    return tibshirani_optimism(losses) if overlapping else left_out_optimism(losses, folds=folds)


def bootstrap_optimism(losses: ArrayLike, rng: np.random.Generator, *, samples: int = 500) -> float:
    """Return the optimism of the best mean by BBC-CV over folds (Tsamardinos, Greasidou & Borboudakis 2018, alg. 5).

    Draw k folds with replacement, choose on them, judge on the folds not drawn; average over `samples` draws. The
    paper resamples rows; fold losses are all that a general metric leaves behind.
    """
    L = _chosen_from(losses)
    if L is None:
        return 0.0
    k = L.shape[1]
    counts = rng.multinomial(k, np.full(k, 1.0 / k), size=samples)  # (samples, k)
    counts = counts[(counts == 0).any(axis=1)]
    if not len(counts):
        return 0.0
    chosen = np.argmin(counts @ L.T, axis=1)
    out = counts == 0
    excess = L - L[np.argmin(L.mean(axis=1))]  # over the winner: the same expectation, without the folds' own noise
    judged = (excess[chosen] * out).sum(axis=1) / out.sum(axis=1)
    return max(float(judged.mean()), 0.0)


def expected_best(losses: Sequence[float] | ArrayLike, count: int) -> float:
    """Return the expected smallest of `count` of these losses (T,), drawn without replacement.

    The unbiased expected validation performance (Tang et al. 2020, equation 3, after Dodge et al. 2019):

        sum_i x_(i) C(n - i, count - 1) / C(n, count)
    """
    x = np.sort(_finite(losses))
    n = len(x)
    if not 1 <= count <= n:
        raise ValueError(f"count: expected 1 to {n} (the finite losses), found {count}")
    weights = np.empty(n)
    weight = count / n  # C(n - 1, count - 1) / C(n, count)
    for i in range(n):
        weights[i] = weight
        left = n - 1 - i
        weight = weight * (left - count + 1) / left if left else 0.0
    return float(weights @ x)


def expected_gain(losses: Sequence[float] | ArrayLike, more: int) -> float | None:
    """Return by how much `more` trials are expected to lower the best of these mean losses (T,).

    From the curve of the expected best at n/4, n/2 and n trials, continued as extreme values continue (Pickands
    1975: the gain of every doubling is a constant multiple 2^xi of the last one's, xi <= 0, a loss having an end):

        gain = g q (1 - q^log2(1 + more/n)) / (1 - q),   g = E(n/2) - E(n),   q = g / [E(n/4) - E(n/2)] in [1/4, 1]

    The trials must be exchangeable, as random search's are; for a model-based oracle it is a guess. Part of the gain
    is the luck of the folds: it is what the *printed* best would gain. Right on average over searches and hardly at
    all for a single one (docs/decisions/0004-honest-gain.md): do not stop a search on it alone. None under eight
    finite losses.
    """
    x = _finite(losses)
    n = len(x)
    if n < 8:
        return None
    if more <= 0:
        return 0.0
    quarter, half, whole = (expected_best(x, count) for count in (n // 4, n // 2, n))
    g, earlier = half - whole, quarter - half
    if g <= 0:
        return 0.0
    q = min(max(g / earlier, 0.25), 1.0) if earlier > 0 else 1.0
    doublings = math.log2(1.0 + more / n)
    return g * q * (doublings if q == 1.0 else (1.0 - q**doublings) / (1.0 - q))


def record_chance(trials: int, more: int) -> float:
    """Return the chance that `more` exchangeable trials bring a new best after `trials`: more / (trials + more).

    Exact for random search whatever the losses (Renyi 1962, theory of records), ties apart.
    """
    if trials < 1 or more < 0:
        raise ValueError(f"expected trials >= 1 and more >= 0, found {trials} and {more}")
    return more / (trials + more)


def _matrix(losses: ArrayLike) -> Losses:
    L = np.asarray(losses, dtype=float)
    if L.ndim != 2:
        raise ValueError(f"losses: expected shape (configurations, folds), found {L.shape}")
    return L


def _finite(losses: Sequence[float] | ArrayLike) -> Losses:
    x = np.asarray(losses, dtype=float).ravel()
    finite: Losses = x[np.isfinite(x)]
    return finite


def _chosen_from(losses: ArrayLike) -> Losses | None:
    """Return the complete rows, None where there is no choice to be optimistic about (one row, or one fold)."""
    L = _matrix(losses)
    L = L[complete(L)]
    return L if L.shape[0] > 1 and L.shape[1] > 1 else None
