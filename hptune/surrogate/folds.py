"""How hard each fold is for a configuration, learnt from complete trials nearby: what a few folds say of all of them.

Legend: n complete trials, k folds; y_if loss of trial i on fold f; m_i its mean over the folds; U positions (n, d) and Z
levels (n, c), as in `hptune.surrogate.kernels`.

    y_if = m_i + b_f + e_f(x_i),    Σ_f b_f = Σ_f e_f = 0                                   (1)
    e_f ~ process with covariance s² (k(x, x') + g [x = x']), the same for every fold        (2)
    e_f(x) = Σ_i w_i(x) (y_if - m_i - b_f),   w = (K + g I)^-1 k(x)                           (3)
    var e_f(x) = s² (1 + g - k(x)ᵀ (K + g I)^-1 k(x))                                         (4)

k is Matérn-5/2 of one length scale, that of a mismatched level 1; length and g are those of the largest likelihood among
`LENGTHS` times `NUGGETS`. (3) and (4) are simple kriging (Rasmussen and Williams 2006, equations 2.23 and 2.24), s²
the mean square over n (k - 1) degrees of freedom. Neighbours find the same folds hard: on validation losses of our own
tasks a first fold says half to a quarter as much again of the mean as with (1) without e (docs/decisions/0008).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Levels = NDArray[np.int64]

LENGTHS = (0.01, 0.1, 0.3, 1.0)
"""Length scales tried, in units of the root of the number of columns; the first is as good as no neighbours at all."""

NUGGETS = (0.01, 0.1, 1.0)

SHARE, LEAST = 0.75, 8
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
        near, far = _squares(U, Z, U, Z)
        best: tuple[Any, ...] | None = None
        for length in LENGTHS:
            K = _kernel(near / length**2 + far)
            for nugget in NUGGETS:
                factor = np.linalg.cholesky(K + nugget * np.eye(n))
                white = np.linalg.solve(factor, D)
                # One degree of freedom of each fold went into its mean effect.
                scale = float((white * white).sum()) / (max(n - 1, 1) * (k - 1))
                value = -n * np.log(max(scale, 1e-300)) - 2.0 * float(np.log(np.diag(factor)).sum())
                if best is None or value > best[0]:
                    best = (value, length, nugget, factor, white, scale)
        assert best is not None
        _, length, nugget, factor, white, scale = best
        return cls(U, Z, mean, length, nugget, factor, white, scale)

    def at(self, U: Array, Z: Levels) -> tuple[Array, Array]:
        """Return b + e of configurations (m, d), (m, c), shape (m, k), and the variance of a fold's loss about it (m,)."""
        near, far = _squares(U, Z, self.U, self.Z)
        w = np.linalg.solve(self.factor, _kernel(near / self.length**2 + far).T)
        left = np.maximum(1.0 + self.nugget - (w * w).sum(axis=0), 0.0)
        return self.mean + w.T @ self.deviation, self.scale * left


def _squares(A: Array, a: Levels, B: Array, b: Levels) -> tuple[Array, Array]:
    """Return squared distances of positions, the number of columns taken off, and how many levels differ; (m, n)."""
    near = ((A[:, None, :] - B[None, :, :]) ** 2).sum(axis=2) / max(A.shape[1], 1)
    return near, (a[:, None, :] != b[None, :, :]).sum(axis=2).astype(np.float64)
