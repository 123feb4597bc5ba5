"""The covariance of two configurations: Matérn-5/2 over numeric columns times a factor per category column.

Legend: n points, m candidates; d numeric and c category columns. U positions in [0, 1], shape (n, d); Z levels, shape
(n, c). l length scales, shape (d,); θ category weights, shape (c,). r² squared scaled distance; s = sqrt(5 r²);
E the category factor. Pairs are the i > k of n points, p = n (n - 1) / 2 of them, in `numpy.tril_indices` order.

    k = (1 + s + s²/3) e^-s · exp(-Σ_c θ_c [z_c ≠ z'_c])          (1)

Matérn: Rasmussen and Williams (2006), eq. 4.17, ν = 5/2. Category factor: exp(-θ [z ≠ z']) = ρ + (1 - ρ) [z = z']
with ρ = e^-θ, a surface shared by all levels plus one of each level's own.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Levels = NDArray[np.int64]


@dataclass(frozen=True)
class Pairs:
    """What does not depend on hyperparameters: squared differences (d, p) and mismatches (c, p) of n points.

    `lower` are the places (p,) of the pairs in a flattened (n, n) matrix.
    """

    n: int
    squares: Array
    mismatches: Array
    lower: NDArray[np.intp]

    @classmethod
    def of(cls, U: Array, Z: Levels) -> Pairs:
        """Return the pairs of points U, shape (n, d), with levels Z, shape (n, c)."""
        i, k = np.tril_indices(len(U), -1)
        squares = np.ascontiguousarray(((U[i] - U[k]) ** 2).T)
        mismatches = np.ascontiguousarray((Z[i] != Z[k]).T.astype(np.float64))
        return cls(len(U), squares, mismatches, i * len(U) + k)

    def kernel(self, inverse_squares: Array, theta: Array) -> tuple[Array, Array]:
        """Return k of every pair, equation (1), and dk/d(log l_j) divided by squares_j / l_j², both shape (p,)."""
        s = np.sqrt((5.0 * inverse_squares) @ self.squares)
        decay = -(theta @ self.mismatches)
        decay -= s
        np.exp(decay, out=decay)
        slope = s + 1.0
        s *= s
        s *= 1.0 / 3.0
        s += slope
        s *= decay
        slope *= decay
        slope *= 5.0 / 3.0
        return s, slope


def one_hot(Z: Levels, theta: Array, levels: Levels) -> Array:
    """Return rows with inner product Σ_c θ_c [z_c = z'_c], shape (n, Σ (levels + 1))."""
    blocks = [np.sqrt(theta[j]) * (Z[:, j : j + 1] == np.arange(levels[j] + 1)) for j in range(Z.shape[1])]
    return np.concatenate(blocks, axis=1) if blocks else np.zeros((len(Z), 0))


def right(B: Array) -> Array:
    """Return scaled points B (n, d) as `cross` takes its second ones, shape (n, d + 2)."""
    return np.column_stack([B, np.ones(len(B)), (B * B).sum(axis=1)])


def cross(A: Array, B: Array, hot_A: Array, hot_B: Array, total: float) -> tuple[Array, Array, Array]:
    """Return s, the decay e^-s · exp(-Σ θ [z ≠ z']) and k of points A (m, d) and B (n, d + 2), each shape (m, n).

    A is divided by the length scales; B comes from `right`, `hot_A` and `hot_B` from `one_hot`, `total` is Σ θ. Arrays of
    this size are what a suggestion spends its time on: each is written once and then changed in place.
    """
    left = np.empty((len(A), A.shape[1] + 2))
    np.multiply(A, -2.0, out=left[:, :-2])
    np.einsum("ij,ij->i", A, A, out=left[:, -2])
    left[:, -1] = 1.0
    s = left @ B.T  # |a - b|² = |a|² - 2 ab + |b|²
    np.maximum(s, 0.0, out=s)  # rounding may leave a tiny negative square
    s *= 5.0
    np.sqrt(s, out=s)
    if hot_A.shape[1]:
        decay = hot_A @ hot_B.T
        decay -= total
        np.minimum(decay, 0.0, out=decay)
        decay -= s
    else:
        decay = -s
    np.exp(decay, out=decay)
    k = s * (1.0 / 3.0)
    k += 1.0
    k *= s
    k += 1.0
    k *= decay
    return s, decay, k
