"""A process around a mean that is itself a weighted sum of other processes' means: what earlier studies expect.

Legend: m candidates, d numeric columns; β_s weights and μ_s(x) mean of earlier process s; c a constant.

    f(x) = Σ_s β_s μ_s(x) - c + g(x),   g the process of the residuals                            (1)

The deviation is that of g: the earlier processes' own uncertainty is left out, their weights are shrunk instead.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from hptune.surrogate.gp import GaussianProcess
from hptune.surrogate.kernels import Array, Levels


@dataclass(frozen=True, eq=False)
class Shifted:
    """The process (1): `residual` is g, `believed` the pairs (β_s, process s) with β_s > 0, `constant` is c."""

    residual: GaussianProcess
    believed: tuple[tuple[float, GaussianProcess], ...]
    constant: float

    @property
    def length(self) -> Array:
        """The residual's length scales, shape (d,)."""
        return self.residual.length

    def shift(self, U: Array, Z: Levels) -> Array:
        """Return what is added to the residual at U (m, d), Z (m, c), shape (m,)."""
        out = np.full(len(U), -self.constant)
        for weight, process in self.believed:
            out += weight * process.mean(U, Z)
        return out

    def mean(self, U: Array, Z: Levels) -> Array:
        """Return the mean, shape (m,)."""
        return self.residual.mean(U, Z) + self.shift(U, Z)

    def predict(self, U: Array, Z: Levels) -> tuple[Array, Array]:
        """Return mean and standard deviation, both shape (m,)."""
        mean, deviation = self.residual.predict(U, Z)
        return mean + self.shift(U, Z), deviation

    def slopes(self, U: Array, Z: Levels) -> tuple[Array, Array, Array, Array]:
        """Return mean (m,), deviation (m,) and their gradients with respect to U, shape (m, d) each."""
        mean, deviation, d_mean, d_deviation = self.residual.slopes(U, Z)
        mean, d_mean = mean - self.constant, d_mean.copy()
        for weight, process in self.believed:
            value, slope = process.mean_slopes(U, Z)
            mean = mean + weight * value
            d_mean += weight * slope
        return mean, deviation, d_mean, d_deviation

    def with_pending(self, U: Array, Z: Levels) -> Shifted:
        """Return the process that also knows that these points are being evaluated."""
        return replace(self, residual=self.residual.with_pending(U, Z))

    def with_doubt(self, doubt: float) -> Shifted:
        """Return the process with this share of the noise in its deviation."""
        return replace(self, residual=self.residual.with_doubt(doubt))
