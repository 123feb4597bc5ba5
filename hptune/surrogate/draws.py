"""Functions drawn from what a Gaussian process believes, its hyperparameters drawn too.

Legend: as in `hptune.surrogate.gp`; P draws of φ, S functions for each; M points; F random features of the kernel.

    φ = φ̂ + T z ~ exp(-L(φ)),   T Tᵀ = H⁻¹, H the Hessian of L at its mode φ̂                 (1)
    σ² ~ InvGamma(a₀ + n/2, Q)                                                                (2)
    f(x) = σ ψ(x)ᵀw + k(x)ᵀ A⁻¹ (y - σ ψ(X)ᵀw - σ e),   w ~ N(0, I), e ~ N(0, η + extra)      (3)

(1) is drawn by Hamiltonian Monte Carlo in z (Duane et al. 1987; Neal 2011, arXiv 1206.1901): Laplace's approximation,
of which T is the scale, alone gives intervals that are too narrow (docs/decisions/0009-importance.md). (3) is Matheron's
rule: a draw of the prior, corrected by what it says of the data. Its values at many points cost a product with each,
where a joint draw takes the root of their covariance (Wilson et al. 2020, arXiv 2002.09309). ψ are random cosines:
frequencies of the Matérn-5/2 kernel, a multivariate t with five degrees of freedom (Rahimi and Recht 2007), and for each
category column one phase for all levels with probability e^-θ, else one of each level's own, whose expected product is
e^(-θ [z ≠ z']).
"""

from __future__ import annotations

import numpy as np
from scipy.linalg import lapack

from hptune.surrogate.gp import A0, B0, GaussianProcess, Posterior, Prior, bounds
from hptune.surrogate.kernels import Array, Levels, Pairs

FEATURES = 256
"""Random features of a draw of the prior."""

STEP = 1e-3
"""The step of the differences that make the Hessian of the gradient; φ are logarithms."""

FLATTEST = 1.5
"""No direction of φ has a larger scale than this, whatever the Hessian says."""

WARM_UP, APART, LEAPS, PACE = 10, 2, 4, 0.35
"""Trajectories before the first draw and from one draw to the next, steps of each, and their length in units of z."""

WALL = 25.0
"""The stiffness of the bounds of φ."""


def hyperparameters(model: GaussianProcess, prior: Prior, count: int, rng: np.random.Generator) -> Array:
    """Return `count` draws of φ around the mode that the model has (1), shape (count, d + c + 1), within the bounds."""
    d = model.U.shape[1]
    posterior = Posterior(Pairs.of(model.U, model.Z), d, model.y, model.extra, prior)
    low, high = np.array(bounds(d, model.Z.shape[1], prior.noise_limit)).T
    T = _scale(posterior, model.phi)

    def potential(z: Array) -> tuple[float, Array]:
        phi = model.phi + T @ z
        inside = np.clip(phi, low, high)
        value, gradient = posterior(inside)
        beyond = phi - inside
        gradient = np.where(beyond == 0, gradient, 0.0) + WALL * beyond
        return value + WALL / 2 * float(beyond @ beyond), T.T @ gradient

    z = np.zeros(len(model.phi))
    value, gradient = potential(z)
    out: list[Array] = []
    for trajectory in range(WARM_UP + APART * count):
        start = rng.standard_normal(len(z))
        pace = PACE * rng.uniform(0.7, 1.3)
        new, new_value, new_gradient, momentum = z, value, gradient, start - pace / 2 * gradient
        for leap in range(LEAPS):
            new = new + pace * momentum
            new_value, new_gradient = potential(new)
            momentum = momentum - (pace if leap < LEAPS - 1 else pace / 2) * new_gradient
        gained = value + 0.5 * float(start @ start) - new_value - 0.5 * float(momentum @ momentum)
        if np.log(rng.random()) < gained:
            z, value, gradient = new, new_value, new_gradient
        if trajectory >= WARM_UP and (trajectory - WARM_UP) % APART == 0:
            out.append(np.clip(model.phi + T @ z, low, high))
    return np.array(out)


def _scale(posterior: Posterior, phi: Array) -> Array:
    """Return T of (1), shape (d + c + 1,) squared."""
    size = len(phi)
    H = np.empty((size, size))
    for j in range(size):
        step = np.zeros(size)
        step[j] = STEP
        H[j] = (posterior(phi + step)[1] - posterior(phi - step)[1]) / (2 * STEP)
    value, vector = np.linalg.eigh((H + H.T) / 2)
    return np.asarray(vector / np.sqrt(np.maximum(value, FLATTEST**-2)))


class Features:
    """Random features of the kernel: ψ(x) with E ψ(x)ᵀψ(x') = k(x, x')."""

    def __init__(self, model: GaussianProcess, rng: np.random.Generator, count: int = FEATURES) -> None:
        d, c = model.U.shape[1], model.Z.shape[1]
        theta = np.exp(model.phi[d:-1])
        self.frequency = (
            rng.standard_normal((d, count)) / np.sqrt(rng.chisquare(5, count) / 5) / model.length[:, None]
        )
        self.phase = rng.uniform(0, 2 * np.pi, count)
        self.levels: list[Array] = []
        for j in range(c):
            own = rng.uniform(0, 2 * np.pi, (int(model.levels[j]) + 1, count))
            self.levels.append(np.where(rng.random(count) < np.exp(-theta[j]), 0.0, own))

    def __call__(self, U: Array, Z: Levels) -> Array:
        """Return ψ of points, shape (M, F)."""
        angle = (U @ self.frequency + self.phase).astype(np.float32)
        for j, table in enumerate(self.levels):
            angle += table[Z[:, j]]
        np.cos(angle, out=angle)
        angle *= np.sqrt(2.0 / len(self.phase))
        return np.asarray(angle, dtype=np.float64)


def drawn(model: GaussianProcess, U: Array, Z: Levels, count: int, rng: np.random.Generator) -> Array:
    """Return `count` functions drawn from the process at its φ (2, 3), at points U (M, d), Z (M, c), shape (M, count)."""
    n = len(model.y)
    alpha, _, factor = model._conditioned
    Q = B0 + 0.5 * float(model.y @ alpha)
    sigma = np.sqrt(Q / rng.gamma(A0 + n / 2.0, size=count))
    features = Features(model, rng)
    w = rng.standard_normal((len(features.phase), count))
    e = rng.standard_normal((n, count)) * np.sqrt(model.eta + model.extra)[:, None]
    left = model.y[:, None] / sigma - features(model.U, model.Z) @ w - e
    correction, _ = lapack.dpotrs(factor, left, lower=0)
    out = np.empty((len(U), count))
    for some in model._blocks(len(U)):
        out[some] = features(U[some], Z[some]) @ w + model._cross(U[some], Z[some])[2] @ correction
    return out * sigma
