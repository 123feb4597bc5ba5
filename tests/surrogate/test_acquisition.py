"""log-EI: against quadrature, exact arithmetic of its tail, and finite differences."""

import math
from decimal import Decimal, getcontext

import numpy as np
import pytest
from scipy.integrate import quad

from hptune.surrogate.acquisition import log_ei, log_ei_slopes, log_h


@pytest.mark.parametrize("z", [-6.0, -3.0, -1.0001, -0.9999, -0.3, 0.0, 0.7, 3.0, 12.0])
def test_log_h_is_the_logarithm_of_the_improvement_integral(z):
    value, _ = quad(lambda t: (z - t) * math.exp(-t * t / 2) / math.sqrt(2 * math.pi), -40, z, epsabs=0, epsrel=1e-12)
    assert log_h(np.array([z]))[0] == pytest.approx(math.log(value), rel=1e-9)


def tail(z: float) -> float:
    """log h by the continued fraction of Mills' ratio in 80-digit arithmetic, z < -2."""
    getcontext().prec = 80
    x = Decimal(-z)
    ratio = Decimal(0)
    for k in range(20000 if z > -4 else 4000, 0, -1):
        ratio = Decimal(k) / (x + ratio)
    mills = 1 / (x + ratio)  # (1 - Φ(x)) / φ(x)
    bracket = 1 - x * mills
    return float(-x * x / 2 + bracket.ln()) - 0.5 * math.log(2 * math.pi)


@pytest.mark.parametrize("z", [-2.5, -5.0, -10.0, -40.0, -100.0, -1e3, -9e3, -1.1e4, -1e5, -1e7])
def test_log_h_is_exact_in_the_tail(z):
    assert log_h(np.array([z]))[0] == pytest.approx(tail(z), rel=1e-9)


def test_log_h_increases_everywhere():
    z = np.concatenate([-np.logspace(9, -3, 4000), np.logspace(-3, 3, 1000)])
    assert (np.diff(log_h(z)) > 0).all()


def test_the_gradient_is_the_finite_difference():
    rng = np.random.default_rng(0)
    a, b = rng.normal(0, 1, (6, 2)), rng.normal(0, 0.3, (6, 2))

    def parts(u):
        return (a * u).sum(axis=1), np.exp((b * u).sum(axis=1))

    u, tau, h = rng.random((6, 2)), -1.5, 1e-6
    mean, deviation = parts(u)
    value, gradient = log_ei_slopes(mean, deviation, a, b * deviation[:, None], tau)
    np.testing.assert_allclose(value, log_ei(mean, deviation, tau))
    for j in range(2):
        step = np.eye(2)[j] * h
        numeric = (log_ei(*parts(u + step), tau) - log_ei(*parts(u - step), tau)) / (2 * h)
        np.testing.assert_allclose(gradient[:, j], numeric, rtol=1e-5, atol=1e-7)
