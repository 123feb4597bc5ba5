"""Parzen estimators over mixed, conditional rows: a weighted mixture with one product kernel per observation.

Legend: X rows, shape (m, C), numeric entries in [0, 1], category entries a level, NaN inactive; n kernels; d numeric
and c category columns; w kernel weights, sum 1, shape (n,); h bandwidths, shape (n, d); L levels of a column.

    p(x) = Σ_i w_i Π_j k_ij(x_j) over the active columns j of x                                   (1)
    k_ij numeric: the normal density N(μ_ij, h_ij²) truncated to [0, 1]                           (2)
    k_ij category: ([x_j = z_ij] + 1/n) / (1 + L/n)                                               (3)

A column that is active in x and not in the observation counts as uniform. With that (1) is the density of drawing a
kernel and then the columns, parents before children. One further kernel, the prior, is wide in every column.
Sources: Bergstra et al. 2011; bandwidths, clipping and weights: Watanabe 2023 (arXiv 2304.11127), sections 3.3 and 5.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

Array = NDArray[np.float64]
Index = NDArray[np.intp]

MIN_BANDWIDTH = 0.03
"""Smallest bandwidth, Watanabe 2023, table 2."""

LOG_2PI = float(np.log(2 * np.pi))


def bandwidths(position: Array, smallest: float) -> Array:
    """Return each kernel's bandwidth in one column, shape (n,): the larger gap to its neighbours.

    Hyperopt's rule without the bounds as neighbours, clipped to [`smallest`, 1]; one kernel alone takes the larger
    distance to a bound. NaN positions get NaN.
    """
    out = np.full(len(position), np.nan)
    known = np.flatnonzero(~np.isnan(position))
    order = known[np.argsort(position[known], kind="stable")]
    if len(order) == 1:
        out[order] = np.maximum(position[order], 1.0 - position[order])
    elif len(order):
        gap = np.concatenate([[0.0], np.diff(position[order]), [0.0]])
        out[order] = np.clip(np.maximum(gap[:-1], gap[1:]), smallest, 1.0)
    return out


@dataclass(frozen=True, eq=False)
class Parzen:
    """A mixture (1). `mean` and `width` (n, d), NaN where inactive; `level` (n, c), -1 where inactive; `weight` (n,).

    `tables` holds, per category column, the probabilities of its levels under every kernel, shape (n, L).
    """

    numeric: Index
    category: Index
    mean: Array
    width: Array
    tables: tuple[Array, ...]
    weight: Array

    @classmethod
    def of(
        cls,
        X: Array,
        weight: Array,
        numeric: Index,
        category: Index,
        levels: tuple[Array, ...],
        smallest: Array,
    ) -> Parzen:
        """Return the estimator of rows X (n, C) with relative weights (n,) and a prior kernel of their mean weight.

        `levels` holds each category column's sampling probabilities, `smallest` (d,) each numeric column's narrowest
        bandwidth; it is at least 1 / (n + 1) too, so that few kernels stay wide ("magic clip").
        """
        n = len(X) + 1
        mean = np.concatenate([X[:, numeric], np.full((1, len(numeric)), 0.5)])
        width = np.ones_like(mean)
        for j in range(len(numeric)):
            width[:-1, j] = bandwidths(mean[:-1, j], max(float(smallest[j]), 1.0 / (1.0 + n)))
        tables = []
        for place, probability in enumerate(levels):
            table = np.tile(probability, (n, 1))
            level = X[:, category[place]]
            known = np.flatnonzero(~np.isnan(level))
            size = len(probability)
            table[known] = 1.0 / n / (1.0 + size / n)  # equation (3)
            table[known, level[known].astype(np.int64)] += 1.0 / (1.0 + size / n)
            tables.append(table)
        total = np.append(weight, weight.mean() if len(weight) else 1.0)
        return cls(numeric, category, mean, width, tuple(tables), total / total.sum())

    def sample(self, uniform: Array, pick: Array) -> Array:
        """Return complete rows (no NaN) drawn by uniform numbers (m, C) and `pick` (m,), which chooses the kernel."""
        kernel = np.minimum(np.searchsorted(np.cumsum(self.weight), pick, side="right"), len(self.weight) - 1)
        X = np.array(uniform)
        mean, width = self.mean[kernel], self.width[kernel]
        known = ~np.isnan(mean)
        mean, width = np.where(known, mean, 0.5), np.where(known, width, 1.0)
        low, high = ndtr((0.0 - mean) / width), ndtr((1.0 - mean) / width)
        u = uniform[:, self.numeric]
        drawn = mean + width * ndtri(np.clip(low + u * (high - low), 1e-300, 1 - 1e-16))
        X[:, self.numeric] = np.where(known, np.clip(drawn, 0.0, 1.0), u)
        for place, j in enumerate(self.category):
            edges = np.cumsum(self.tables[place][kernel], axis=1)
            X[:, j] = np.minimum((uniform[:, j : j + 1] >= edges).sum(axis=1), edges.shape[1] - 1)
        return X

    def log_density(self, X: Array) -> Array:
        """Return log p of legal rows, equation (1), shape (m,)."""
        x = X[:, self.numeric]
        active = ~np.isnan(x)
        x = np.where(active, x, 0.0)
        known = ~np.isnan(self.mean)
        mean, width = np.where(known, self.mean, 0.0), np.where(known, self.width, 1.0)
        mass = ndtr((1.0 - mean) / width) - ndtr(-mean / width)
        precision = known / width**2
        constant = np.where(known, -0.5 * LOG_2PI - np.log(width) - np.log(mass) - 0.5 * mean**2 * precision, 0.0)
        # -(x - μ)²/2h² in three products; positions and bandwidths are of order one, so that nothing cancels badly.
        log_k = -0.5 * (x * x) @ precision.T + x @ (mean * precision).T + active @ constant.T
        for place, j in enumerate(self.category):
            level = X[:, j]
            there = ~np.isnan(level)
            log_table = np.log(self.tables[place])
            log_k[there] += log_table[:, level[there].astype(np.int64)].T
        log_k += np.log(self.weight)
        top = log_k.max(axis=1)
        return np.asarray(top + np.log(np.exp(log_k - top[:, None]).sum(axis=1)))
