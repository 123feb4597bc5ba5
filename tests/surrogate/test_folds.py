"""Fold effects against an independent implementation, and what they are for: the mean from a few folds."""

from __future__ import annotations

import numpy as np
import pytest

from hptune.surrogate.folds import HYPOTHESES, LEAST, SHARE, FoldEffects

RNG = np.random.default_rng(0)


def table(n: int, k: int, noise: float = 0.0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return U, Z and losses whose fold effects vary smoothly with the first number, sorted from the best."""
    U, Z = RNG.random((n, 2)), RNG.integers(0, 2, (n, 1))
    phase = np.arange(k) * 2 * np.pi / k
    effects = np.sin(2.0 * U[:, :1] + phase) + 0.3 * np.cos(phase)  # each row sums to zero
    losses = (U**2).sum(axis=1, keepdims=True) + effects + noise * RNG.standard_normal((n, k))
    order = np.argsort(losses.mean(axis=1))
    return U[order], Z[order], losses[order]


def plain(U: np.ndarray, Z: np.ndarray, losses: np.ndarray, u: np.ndarray, z: np.ndarray) -> tuple[np.ndarray, float]:
    """Equations (1) to (4) with inverses and loops."""
    n = max(int(np.ceil(SHARE * len(U))), min(LEAST, len(U)))
    U, Z, losses = U[:n], Z[:n], losses[:n]
    k = losses.shape[1]
    b = (losses - losses.mean(axis=1)[:, None]).mean(axis=0)
    D = losses - losses.mean(axis=1)[:, None] - b

    def kernel(one: tuple[np.ndarray, np.ndarray], other: tuple[np.ndarray, np.ndarray], length: float) -> float:
        squares = ((one[0] - other[0]) ** 2).sum() / (length**2 * len(one[0])) + (one[1] != other[1]).sum()
        s = np.sqrt(5 * squares)
        return float((1 + s + s**2 / 3) * np.exp(-s))

    best = (-np.inf, np.zeros(k), 0.0)
    for length, nugget in HYPOTHESES:
        K = np.array([[kernel((U[i], Z[i]), (U[j], Z[j]), length) for j in range(n)] for i in range(n)])
        C = K + nugget * np.eye(n)
        inverse = np.linalg.inv(C)
        scale = np.trace(D.T @ inverse @ D) / ((n - 1) * (k - 1))
        value = -n * np.log(scale) - np.linalg.slogdet(C)[1]
        if value > best[0] + 1e-6:
            x = np.array([kernel((u, z), (U[j], Z[j]), length) for j in range(n)])
            best = (value, b + D.T @ inverse @ x, scale * (1 + nugget - x @ inverse @ x))
    return best[1], best[2]


@pytest.mark.parametrize(("n", "k", "noise"), [(2, 2, 0.1), (5, 3, 0.1), (12, 5, 0.0), (30, 5, 0.5), (40, 10, 2.0)])
def test_effects_and_variances_are_those_of_a_plain_implementation(n: int, k: int, noise: float) -> None:
    U, Z, losses = table(n, k, noise)
    u, z = RNG.random((4, 2)), RNG.integers(0, 2, (4, 1))
    effect, variance = FoldEffects.of(U, Z, losses).at(u, z)
    for i in range(4):
        expected, spread = plain(U, Z, losses, u[i], z[i])
        np.testing.assert_allclose(effect[i], expected, rtol=1e-6, atol=1e-9)
        np.testing.assert_allclose(variance[i], spread, rtol=1e-5, atol=1e-12)


def test_a_first_fold_says_more_of_the_mean_with_neighbours() -> None:
    U, Z, losses = table(40, 5, 0.02)
    fitted = FoldEffects.of(U[::2], Z[::2], losses[::2])
    effect, variance = fitted.at(U[1::2], Z[1::2])
    mean = losses[1::2].mean(axis=1, keepdims=True)
    missed, without = losses[1::2] - effect - mean, losses[1::2] - fitted.mean - mean
    assert np.sqrt(np.mean(missed**2)) < 0.5 * np.sqrt(np.mean(without**2))
    assert 0.2 < np.mean(missed**2) / np.mean(variance) < 5.0


def test_effects_sum_to_zero_and_follow_the_scale_to_the_last_bit() -> None:
    U, Z, losses = table(20, 5, 0.3)
    u, z = RNG.random((6, 2)), RNG.integers(0, 2, (6, 1))
    effect, variance = FoldEffects.of(U, Z, losses).at(u, z)
    np.testing.assert_allclose(effect.sum(axis=1), 0.0, atol=1e-12)
    scaled, wide = FoldEffects.of(U, Z, losses * 2.0**-30).at(u, z)
    np.testing.assert_array_equal(scaled, effect * 2.0**-30)
    np.testing.assert_array_equal(wide, variance * 2.0**-60)


@pytest.mark.parametrize("exponent", [-600, -30, 20, 400])
def test_the_scale_of_losses_without_any_structure_decides_nothing(exponent: int) -> None:
    """Hypotheses are equally likely then; rounding must not choose among them."""
    rng = np.random.default_rng(5)
    for _ in range(40):
        U, Z, losses = rng.random((12, 6)), np.zeros((12, 0), dtype=np.int64), rng.standard_normal((12, 5))
        one, other = (FoldEffects.of(U, Z, np.ldexp(losses, e)) for e in (0, exponent))
        assert (one.length, one.nugget) == (other.length, other.nugget)
        np.testing.assert_array_equal(
            np.ldexp(one.at(U[:1] + 0.01, Z[:1])[0], exponent), other.at(U[:1] + 0.01, Z[:1])[0]
        )


def test_equal_configurations_and_losses_without_spread_are_no_trouble() -> None:
    U, Z = np.tile(RNG.random((1, 2)), (9, 1)), np.zeros((9, 1), dtype=np.int64)
    effect, variance = FoldEffects.of(U, Z, np.ones((9, 3))).at(U[:1], Z[:1])
    assert not effect.any()
    assert variance[0] == 0.0
    nothing = np.zeros((9, 0))
    effect, variance = FoldEffects.of(nothing, Z, RNG.random((9, 3))).at(nothing[:1], Z[:1])
    assert np.isfinite(effect).all()
    assert variance[0] > 0.0
