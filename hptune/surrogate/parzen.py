"""Parzen estimators over mixed, conditional rows: a weighted mixture with one product kernel per observation.

Legend: X rows, shape (m, C), numeric entries in [0, 1], category entries a level, NaN inactive; n kernels; d numeric
and c category columns; w kernel weights, sum 1, shape (n,); h bandwidths, shape (n, d); L levels of a column.

    p(x) = Σ_i w_i Π_j k_ij(x_j) over the active columns j of x                                   (1)
    k_ij numeric: the normal density N(μ_ij, h_ij²) truncated to [0, 1]                           (2)
    k_ij category: ([x_j = z_ij] + 1/n) / (1 + L/n)                                               (3)

A column that is active in x and not in the observation counts as uniform. With that (1) is the density of drawing a
kernel and then the columns, parents before children. One further kernel, the prior, is wide in every column.

Kernels as wide as the gaps between them make (1) wider than the rows it stands for, in many dimensions by far. Their
means may therefore be pulled to the weighted mean of their column m_j by a share a (Liu and West 2001):

    μ_ij = m_j + √(1 - a) (x_ij - m_j)                                                            (4)

Sources: Bergstra et al. 2011; bandwidths, clipping and weights: Watanabe 2023 (arXiv 2304.11127), sections 3.3 and 5;
(4): J. Liu and M. West, "Combined Parameter and State Estimation in Simulation-Based Filtering" (2001).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

Array = NDArray[np.float64]
Index = NDArray[np.intp]

MIN_BANDWIDTH = 0.02
"""Smallest bandwidth; Watanabe 2023, table 2, has 0.03. What was measured: docs/decisions/0005-bayesian-oracle.md."""

LOG_2PI = float(np.log(2 * np.pi))


def bandwidths(position: Array, smallest: Array) -> Array:
    """Return each kernel's bandwidth in every column, shape (n, d): the larger gap to its neighbours.

    Hyperopt's rule without the bounds as neighbours, clipped to [`smallest` (d,), 1]; one kernel alone takes the larger
    distance to a bound. NaN positions get NaN.
    """
    order = np.argsort(position, axis=0, kind="stable")  # NaN comes last
    there = np.take_along_axis(position, order, axis=0)
    gap = np.zeros((len(position) + 1, position.shape[1]))
    gap[1:-1] = np.nan_to_num(np.diff(there, axis=0), nan=0.0)
    width = np.clip(np.maximum(gap[:-1], gap[1:]), smallest, 1.0)
    out = np.empty_like(position)
    np.put_along_axis(out, order, width, axis=0)
    known = ~np.isnan(position)
    alone = known.sum(axis=0) == 1
    out[:, alone] = np.maximum(position[:, alone], 1.0 - position[:, alone])
    return np.where(known, out, np.nan)


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
        *,
        clip: float | None = None,
        pull: float = 0.0,
        pulled: int | None = None,
    ) -> Parzen:
        """Return the estimator of rows X (n, C) with relative weights (n,) and a prior kernel of their mean weight.

        `levels` holds each category column's sampling probabilities, `smallest` (d,) each numeric column's narrowest
        bandwidth. It is at least `clip` too, by default 1 / (n + 2), so that few kernels stay wide ("magic clip"). The
        means of the first `pulled` rows, by default of all, are pulled to their weighted mean by a share `pull` (4); the
        bandwidths are those of the rows as they are.
        """
        n = len(X) + 1
        floor = 1.0 / (1.0 + n) if clip is None else clip
        mean = np.concatenate([X[:, numeric], np.full((1, len(numeric)), 0.5)])
        width = np.ones_like(mean)
        width[:-1] = bandwidths(mean[:-1], np.maximum(smallest, floor))
        count = len(X) if pulled is None else pulled
        if pull and count:
            mean[:count] = _pulled(mean[:count], weight[:count], pull)
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

    @cached_property
    def _terms(self) -> tuple[Array, tuple[Array, ...]]:
        """What (1) to (3) are made of: factors of x², x, 1 and log w, stacked, (3 d + 1, n); log tables, shape (L, n)."""
        known = ~np.isnan(self.mean)
        mean, width = np.where(known, self.mean, 0.0), np.where(known, self.width, 1.0)
        mass = ndtr((1.0 - mean) / width) - ndtr(-mean / width)
        precision = known / width**2
        constant = np.where(known, -0.5 * LOG_2PI - np.log(width) - np.log(mass) - 0.5 * mean**2 * precision, 0.0)
        factors = np.concatenate([-0.5 * precision, mean * precision, constant, np.log(self.weight)[:, None]], axis=1)
        tables = tuple(np.ascontiguousarray(np.log(one).T) for one in self.tables)
        return np.ascontiguousarray(factors.T), tables

    def log_density(self, X: Array) -> Array:
        """Return log p of legal rows, equation (1), shape (m,)."""
        factors, log_tables = self._terms
        x = X[:, self.numeric]
        active = ~np.isnan(x)
        x = np.where(active, x, 0.0)
        # -(x - μ)²/2h² in three products; positions and bandwidths are of order one, so that nothing cancels badly.
        log_k = np.concatenate([x * x, x, active, np.ones((len(x), 1))], axis=1) @ factors
        for log_table, j in zip(log_tables, self.category, strict=True):
            level = X[:, j]
            there = ~np.isnan(level)
            if there.all():
                log_k += log_table[level.astype(np.int64)]
            else:
                log_k[there] += log_table[level[there].astype(np.int64)]
        top = log_k.max(axis=1)
        log_k -= top[:, None]
        np.exp(log_k, out=log_k)
        return np.asarray(top + np.log(log_k.sum(axis=1)))


def _pulled(position: Array, weight: Array, share: float) -> Array:
    """Return positions (n, d), NaN where inactive, pulled to their column's weighted mean by equation (4)."""
    known = ~np.isnan(position)
    w = weight[:, None] * known
    total = w.sum(axis=0)
    middle = (w * np.where(known, position, 0.0)).sum(axis=0) / np.where(total > 0, total, 1.0)
    return np.asarray(middle + np.sqrt(1.0 - share) * (position - middle))
