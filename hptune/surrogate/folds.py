"""How hard each fold is for a configuration, learnt from complete trials nearby: what a few folds say of all of them.

Legend: n complete trials, k folds; y_if loss of trial i on fold f; m_i its mean over the folds; U positions (n, d) and Z
levels (n, c), as in `hptune.surrogate.kernels`.

    y_if = m_i + b_f + e_f(x_i),    Σ_f b_f = Σ_f e_f = 0                                   (1)
    e_f ~ process with covariance s² (k(x, x') + g [x = x']), the same for every fold        (2)
    e_f(x) = Σ_i w_i(x) (y_if - m_i - b_f),   w = (K + g I)^-1 k(x)                           (3)
    var e_f(x) = s² (1 + g - k(x)ᵀ (K + g I)^-1 k(x))                                         (4)

k is Matérn-5/2 of one length scale, that of a mismatched level 1; length and g are those of the largest likelihood among
`HYPOTHESES`. (3) and (4) are simple kriging (Rasmussen and Williams 2006, equations 2.23 and 2.24), s²
the mean square over (n - 1) (k - 1) degrees of freedom. Neighbours find the same folds hard: predicting the mean from one
to three folds has .3 to .9 of the error that it has without e, in 13 of 14 searches (docs/decisions/0008-fold-racing.md).
Losses are in any unit, smaller is better; b and e are in the same, s² in its square.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Levels = NDArray[np.int64]

LENGTHS = (0.1, 0.3, 1.0)
"""Length scales tried, in units of the root of the number of columns."""

NUGGETS = (0.01, 0.1, 1.0)

HYPOTHESES = ((1e-6, 1.0), *itertools.product(LENGTHS, NUGGETS))
"""(length, nugget) tried; of equally likely ones the first. The very first has no neighbours at all."""

SHARE, LEAST = 0.75, 4
"""The share of the complete trials, from the best, that is looked at, and how many at least: bad ones disagree more."""


def _kernel(squares: Array) -> Array:
    s = np.sqrt(5.0 * squares)
    return np.asarray((1.0 + s + s * s / 3.0) * np.exp(-s))


@dataclass(frozen=True, eq=False)
class FoldEffects:
    """Equations (1) to (4) fitted: `mean` b (k,); `deviation` (n, k), whitened by `factor`; `scale` s²."""

    U: Array
    Z: Levels
    mean: Array
    length: float
    nugget: float
    factor: Array
    deviation: Array
    scale: float

    @classmethod
    def of(cls, U: Array, Z: Levels, losses: Array) -> FoldEffects:
        """Return the effects that complete losses (n, k), the best trials first, show; n and k are at least 2."""
        n = max(int(np.ceil(SHARE * len(losses))), min(LEAST, len(losses)))
        U, Z, losses = U[:n], Z[:n], losses[:n]
        k = losses.shape[1]
        centred = losses - losses.mean(axis=1, keepdims=True)
        mean = centred.mean(axis=0)
        D = centred - mean
        # By a power of two, so that no square under- or overflows and the scale of the losses decides nothing.
        exponent = int(np.frexp(np.abs(D).max())[1])
        D = np.ldexp(D, -exponent)
        near, far = _squares(U, Z, U, Z)
        best: tuple[Any, ...] | None = None
        for length, nugget in HYPOTHESES:
            factor = np.linalg.cholesky(_kernel(near / length**2 + far) + nugget * np.eye(n))
            white = np.linalg.solve(factor, D)
            # One degree of freedom of each fold went into its mean effect.
            scale = float((white * white).sum()) / (max(n - 1, 1) * (k - 1))
            likelihood = -n * np.log(max(scale, 1e-300)) - 2.0 * float(np.log(np.diag(factor)).sum())
            value = round(float(likelihood), 6)  # what differs by rounding only is equally likely
            if best is None or value > best[0]:
                best = (value, length, nugget, factor, white, scale)
        assert best is not None
        _, length, nugget, factor, white, scale = best
        return cls(
            U, Z, mean, length, nugget, factor, np.ldexp(white, exponent), float(np.ldexp(scale, 2 * exponent))
        )

    def at(self, U: Array, Z: Levels) -> tuple[Array, Array]:
        """Return b + e of configurations (m, d), (m, c), shape (m, k), and the variance of a fold's loss about it (m,)."""
        near, far = _squares(U, Z, self.U, self.Z)
        w = np.linalg.solve(self.factor, _kernel(near / self.length**2 + far).T)
        left = 1.0 + self.nugget - (w * w).sum(axis=0)  # at least the nugget: the rest is a variance too
        return self.mean + w.T @ self.deviation, self.scale * left


def _squares(A: Array, a: Levels, B: Array, b: Levels) -> tuple[Array, Array]:
    """Return squared distances of positions, the number of columns taken off, and how many levels differ; (m, n)."""
    middle = B.mean(axis=0) if len(B) else 0.0
    A, B = A - middle, B - middle
    near = (A * A).sum(axis=1)[:, None] + (B * B).sum(axis=1)[None, :] - 2.0 * (A @ B.T)
    far = np.zeros(near.shape)
    for column in range(a.shape[1]):
        far += a[:, column, None] != b[None, :, column]
    return np.maximum(near, 0.0) / max(A.shape[1], 1), far
