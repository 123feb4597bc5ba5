"""Gaussian process regression with the signal variance integrated out, fitted by its analytic gradient.

Legend: y standardised losses, shape (n,); extra known variances of single observations relative to the signal, shape
(n,); η noise variance over signal variance; A = K + η I + diag(extra); α = A⁻¹ y; Q = b₀ + yᵀα / 2; σ² signal
variance with prior InvGamma(a₀, b₀); φ = (log l, log θ, log η), shape (d + c + 1,). Mean zero.

    L(φ) = (n/2 + a₀) log Q + ½ log |A| - log prior(φ)                                        (1)
    G    = ½ [A⁻¹ - (n/2 + a₀)/Q · α αᵀ],   ∂L/∂φ = Σ G ∘ ∂A/∂φ                               (2)
    μ(x) = kᵀα,   σ²(x) = Q / (a₀ + n/2 - 1) · (1 - kᵀ A⁻¹ k)                                 (3)

Source: Gelman et al., Bayesian Data Analysis (2013), chapter 14, with the conjugate prior on σ²; (3) has the variance
of the Student-t predictive distribution. Prior centres: docs/decisions/0005-bayesian-oracle.md.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from scipy.linalg import lapack
from scipy.optimize import minimize

from hptune.surrogate.kernels import Array, Levels, Pairs, cross, one_hot, right

A0 = B0 = 2.0
"""Shape and scale of the signal variance's prior: mode 2/3, a weak pull towards the standardised data's 1."""

LENGTH_BOUNDS = (np.log(0.03), np.log(30.0))
THETA_BOUNDS = (np.log(0.01), np.log(8.0))
LEAST_NOISE = np.log(1e-6)


@dataclass(frozen=True)
class Prior:
    """Independent normal priors on log l, log θ, log η: centres (natural units) and standard deviations (logs).

    η is at most `noise_limit`.
    """

    length: float = 0.5
    length_sd: float = 1.2
    theta: float = 0.7
    theta_sd: float = 1.0
    noise: float = 0.008
    noise_sd: float = 1.0
    noise_limit: float = 0.5

    def centre(self, d: int, c: int) -> Array:
        """Return the centre of φ, shape (d + c + 1,)."""
        return np.asarray(np.log(np.concatenate([np.full(d, self.length), np.full(c, self.theta), [self.noise]])))

    def deviation(self, d: int, c: int) -> Array:
        """Return the standard deviations of φ, shape (d + c + 1,)."""
        return np.concatenate([np.full(d, self.length_sd), np.full(c, self.theta_sd), [self.noise_sd]])


def bounds(d: int, c: int, noise_limit: float) -> list[tuple[float, float]]:
    """Return the bounds of φ, d + c + 1 pairs."""
    return [LENGTH_BOUNDS] * d + [THETA_BOUNDS] * c + [(LEAST_NOISE, float(np.log(noise_limit)))]


def _factor(A: Array) -> Array:
    """Return the Cholesky factor of A (its lower triangle, C order), as LAPACK's upper factor in Fortran order.

    Adds jitter 1e-8 ... 1e-2 to the diagonal only when the factorisation fails.
    """
    for jitter in (0.0, 1e-8, 1e-6, 1e-4, 1e-2):
        attempt = A + jitter * np.eye(len(A)) if jitter else A
        factor, info = lapack.dpotrf(attempt.T, lower=0, clean=1, overwrite_a=0)
        if info == 0:
            return np.asarray(factor)
    raise np.linalg.LinAlgError("the covariance is not positive definite")


@dataclass(frozen=True)
class Posterior:
    """The objective of the fit: equation (1) and its gradient (2) as a function of φ."""

    pairs: Pairs
    d: int
    y: Array
    extra: Array
    prior: Prior

    def __call__(self, phi: Array) -> tuple[float, Array]:
        """Return (L, ∂L/∂φ) at φ, shape (d + c + 1,)."""
        n, d, pairs = self.pairs.n, self.d, self.pairs
        c = len(phi) - d - 1
        inverse_squares, theta, eta = np.exp(-2.0 * phi[:d]), np.exp(phi[d:-1]), float(np.exp(phi[-1]))
        k, slope = pairs.kernel(inverse_squares, theta)
        A = np.zeros((n, n))
        A.ravel()[pairs.lower] = k
        A.flat[:: n + 1] = 1.0 + eta + self.extra
        factor = _factor(A)
        alpha, _ = lapack.dpotrs(factor, self.y, lower=0)
        Q = B0 + 0.5 * float(self.y @ alpha)
        weight = n / 2.0 + A0
        inverse, _ = lapack.dpotri(factor, lower=0)
        G = inverse.T - np.outer((weight / Q) * alpha, alpha)  # of which the lower triangle counts
        below = G.take(pairs.lower)  # both halves of (2) at once
        deviation = self.prior.deviation(d, c)
        z = (phi - self.prior.centre(d, c)) / deviation
        value = weight * np.log(Q) + float(np.log(factor.diagonal()).sum()) + 0.5 * float(z @ z)
        gradient = z / deviation
        gradient[:d] += (pairs.squares @ (below * slope)) * inverse_squares
        gradient[d:-1] -= theta * (pairs.mismatches @ (below * k))
        gradient[-1] += eta * 0.5 * float(G.trace())
        return value, gradient


def fit(U: Array, Z: Levels, y: Array, extra: Array, prior: Prior, *, iterations: int = 40) -> Array:
    """Return φ at the mode of its posterior, shape (d + c + 1,): the best of L-BFGS-B from fixed starts.

    U (n, d), Z (n, c), y and extra (n,). The starts do not depend on earlier fits: a resumed study says the same.
    """
    d, c = U.shape[1], Z.shape[1]
    objective = Posterior(Pairs.of(U, Z), d, y, extra, prior)
    centre = prior.centre(d, c)
    short = centre.copy()
    short[:d] -= 0.9
    short[-1] += 1.0
    limits = bounds(d, c, prior.noise_limit)
    low, high = np.array(limits).T
    best, least = centre, np.inf
    for start in (centre, short):
        found = minimize(
            objective,
            np.clip(start, low, high),
            jac=True,
            method="L-BFGS-B",
            bounds=limits,
            options={"maxiter": iterations, "gtol": 1e-2, "ftol": 1e-6},
        )
        if found.fun < least:  # which nan is not, and no fit is minus infinity: Q is at least b₀
            best, least = np.asarray(found.x), float(found.fun)
    return best


JITTER = 1e-6
"""The least noise that the deviation is computed with."""

BLOCK = 30_000
"""Predictions are made for so many covariances at a time: what is worked on stays in the processor's cache."""


@dataclass(frozen=True, eq=False)
class GaussianProcess:
    """A process conditioned on data at fixed hyperparameters.

    U (n, d), Z (n, c), levels (c,), y and extra (n,), phi (d + c + 1,). Points beyond the first `len(y)` of U and Z
    are pending: they shrink the variance and leave the mean as it is, which is the kriging believer (Ginsbourger, Le
    Riche and Carraro 2010) at fixed hyperparameters.

    `doubt` is the share of the noise that counts in the deviation. With 0 the mean is still that of the noisy data and the
    deviation that of a function known at the points: re-interpolation (Forrester, Keane and Bressloff 2006, "Design and
    analysis of 'noisy' computer experiments"), for losses that are rough and not random.
    """

    U: Array
    Z: Levels
    levels: Levels
    y: Array
    extra: Array
    phi: Array
    doubt: float = 1.0

    @cached_property
    def length(self) -> Array:
        """The length scales, shape (d,)."""
        return np.exp(self.phi[: self.U.shape[1]])

    @cached_property
    def _theta(self) -> Array:
        return np.exp(self.phi[self.U.shape[1] : -1])

    @cached_property
    def eta(self) -> float:
        """Noise variance over signal variance."""
        return float(np.exp(self.phi[-1]))

    @cached_property
    def _known(self) -> tuple[Array, Array]:
        """The points as `cross` takes its second ones."""
        return right(self.U / self.length), one_hot(self.Z, self._theta, self.levels)

    @cached_property
    def _kernel(self) -> Array:
        """The covariances of all points relative to the signal variance, without noise."""
        points, hot = self._known
        return cross(points[:, :-2], points, hot, hot, float(self._theta.sum()))[2]

    def _noisy_factor(self, count: int, doubt: float) -> Array:
        """Return the factor of A of the first `count` points with this share of the noise."""
        A = self._kernel[:count, :count].copy()
        extra = np.zeros(count)
        extra[: len(self.extra)] = self.extra
        A.flat[:: count + 1] = 1.0 + np.maximum(doubt * (self.eta + extra), JITTER)
        return _factor(A)

    @cached_property
    def _conditioned(self) -> tuple[Array, float, Array]:
        """(α, the posterior mean of the signal variance, the factor of A of the data)."""
        n = len(self.y)
        factor = self._noisy_factor(n, 1.0)
        alpha, _ = lapack.dpotrs(factor, self.y, lower=0)
        return alpha, (B0 + 0.5 * float(self.y @ alpha)) / (A0 + n / 2.0 - 1.0), factor

    @cached_property
    def _whitening(self) -> Array:
        """W with W Wᵀ = A⁻¹ of all points: products with it take half the time of triangular solutions."""
        plain = len(self.U) == len(self.y) and self.doubt == 1.0
        factor = self._conditioned[2] if plain else self._noisy_factor(len(self.U), self.doubt)
        inverse, _ = lapack.dtrtri(factor, lower=0)
        return np.ascontiguousarray(inverse)

    @property
    def signal(self) -> float:
        """The posterior mean of the signal variance."""
        return self._conditioned[1]

    def _cross(self, U: Array, Z: Levels) -> tuple[Array, Array, Array]:
        hot = one_hot(Z, self._theta, self.levels)
        return cross(U / self.length, self._known[0], hot, self._known[1], float(self._theta.sum()))

    def predict(self, U: Array, Z: Levels) -> tuple[Array, Array]:
        """Return mean and standard deviation of the noise-free function at U (m, d), Z (m, c), both shape (m,)."""
        (alpha, signal, _), W = self._conditioned, self._whitening
        mean, share = np.empty(len(U)), np.empty(len(U))
        for some in self._blocks(len(U)):
            _, _, k = self._cross(U[some], Z[some])
            mean[some] = k[:, : len(alpha)] @ alpha
            white = k @ W
            share[some] = np.einsum("ij,ij->i", white, white)
        return mean, np.sqrt(signal * np.maximum(1.0 - share, 1e-12))

    def mean(self, U: Array, Z: Levels) -> Array:
        """Return the mean only, shape (m,)."""
        alpha = self._conditioned[0]
        mean = np.empty(len(U))
        for some in self._blocks(len(U)):
            mean[some] = self._cross(U[some], Z[some])[2][:, : len(alpha)] @ alpha
        return mean

    def _blocks(self, count: int) -> Iterator[slice]:
        rows = max(BLOCK // len(self.U), 64)
        return (slice(start, start + rows) for start in range(0, count, rows))

    def mean_slopes(self, U: Array, Z: Levels) -> tuple[Array, Array]:
        """Return the mean (m,) and its gradient with respect to U, shape (m, d)."""
        alpha = self._conditioned[0]
        n = len(alpha)
        s, decay, k = self._cross(U, Z)
        W = -(5.0 / 3.0) * (1.0 + s[:, :n]) * decay[:, :n] * alpha
        gradient = (U * W.sum(axis=1, keepdims=True) - W @ self.U[:n]) * self.length**-2
        return k[:, :n] @ alpha, gradient

    def slopes(self, U: Array, Z: Levels) -> tuple[Array, Array, Array, Array]:
        """Return mean (m,), deviation (m,) and their gradients with respect to U, shape (m, d) each."""
        (alpha, signal, _), whitening = self._conditioned, self._whitening
        s, decay, k = self._cross(U, Z)
        n = len(alpha)
        white = k @ whitening
        B = white @ whitening.T  # (A⁻¹ k)ᵀ, shape (m, n + pending)
        variance = np.maximum(1.0 - np.einsum("ij,ij->i", white, white), 1e-12)
        sigma = np.sqrt(signal * variance)
        W = -(5.0 / 3.0) * (1.0 + s) * decay  # dk_i/du_j = W_i (u_j - U_ij) / l_j²
        W_mean, W_variance = W[:, :n] * alpha, W * B
        inverse = self.length**-2
        d_mean = (U * W_mean.sum(axis=1, keepdims=True) - W_mean @ self.U[:n]) * inverse
        d_variance = -2.0 * (U * W_variance.sum(axis=1, keepdims=True) - W_variance @ self.U) * inverse
        return k[:, :n] @ alpha, sigma, d_mean, signal * d_variance / (2.0 * sigma[:, None])

    def with_pending(self, U: Array, Z: Levels) -> GaussianProcess:
        """Return the process that also knows that these points are being evaluated."""
        more = replace(self, U=np.concatenate([self.U, U]), Z=np.concatenate([self.Z, Z]))
        return self._lend(more, "_conditioned")

    def with_doubt(self, doubt: float) -> GaussianProcess:
        """Return the process with this share of the noise in its deviation."""
        return self._lend(replace(self, doubt=doubt), "_conditioned", "_known", "_kernel")

    def _lend(self, other: GaussianProcess, *names: str) -> GaussianProcess:
        """Return `other`, a copy that differs in nothing that these cached properties depend on, with their values."""
        other.__dict__.update((name, self.__dict__[name]) for name in names if name in self.__dict__)
        return other
