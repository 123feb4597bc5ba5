"""Expected improvement as a logarithm, in a form that neither underflows nor loses its gradient.

Legend: μ, σ predicted mean and standard deviation of a loss, shape (m,); τ the loss to improve on;
z = (τ - μ) / σ; h(z) = φ(z) + z Φ(z); EI = σ h(z).

Ament et al. 2023 (arXiv 2310.20708), eq. 9 and appendix A.1.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import erfcx, log_ndtr

Array = NDArray[np.float64]

_C1 = 0.5 * np.log(2.0 * np.pi)
_C2 = 0.5 * np.log(0.5 * np.pi)


def log_h(z: Array) -> Array:
    """Return log(φ(z) + z Φ(z)), shape of z."""
    out = np.empty_like(z)
    near = z > -1.0
    far = z < -1e6
    middle = ~near & ~far
    a = z[near]
    out[near] = np.log(np.exp(-0.5 * a * a - _C1) + a * np.exp(log_ndtr(a)))
    b = z[middle]
    # φ(z) (1 - |z| Φ(z)/φ(z)): the bracket through erfcx, which does not underflow; its log as log1mexp.
    t = np.log(erfcx(-b / np.sqrt(2.0)) * -b) + _C2
    log1mexp = np.where(t > -np.log(2.0), np.log(-np.expm1(np.minimum(t, -1e-300))), np.log1p(-np.exp(t)))
    out[middle] = -0.5 * b * b - _C1 + log1mexp
    # Beyond z = -1e4 the bracket is lost to rounding; of its expansion 1/z² - 3/z⁴ the first term is enough there.
    deep = middle & (z < -1e4)
    out[deep | far] = -0.5 * z[deep | far] ** 2 - _C1 - 2.0 * np.log(-z[deep | far])
    return out


def log_ei(mean: Array, deviation: Array, threshold: float) -> Array:
    """Return log EI for losses, shape (m,): larger is better."""
    return np.asarray(log_h((threshold - mean) / deviation) + np.log(deviation))


def log_ei_slopes(
    mean: Array, deviation: Array, d_mean: Array, d_deviation: Array, threshold: float
) -> tuple[Array, Array]:
    """Return log EI (m,) and its gradient (m, d), given those of mean and deviation (m, d).

    d log EI = (h'(z)/h(z)) dz + dσ/σ with h'(z) = Φ(z) and dz = -(dμ + z dσ)/σ.
    """
    z = (threshold - mean) / deviation
    h = log_h(z)
    ratio = np.exp(log_ndtr(z) - h)
    dz = -(d_mean + z[:, None] * d_deviation) / deviation[:, None]
    return h + np.log(deviation), ratio[:, None] * dz + d_deviation / deviation[:, None]
