"""Functions drawn from a process: their moments are the process's, and R2 tells signal from noise."""

from __future__ import annotations

import numpy as np

from hptune.surrogate.draws import Features, drawn, hyperparameters
from hptune.surrogate.gp import GaussianProcess, Posterior, Prior, bounds, fit
from hptune.surrogate.kernels import Pairs, cross, one_hot, right
from hptune.surrogate.validation import folds_of, r2

RNG = np.random.default_rng(0)
U = RNG.random((30, 2))
Z = RNG.integers(0, 3, (30, 1))
Y = np.sin(5 * U[:, 0]) + (Z[:, 0] == 1) + 0.05 * RNG.standard_normal(30)
Y = (Y - Y.mean()) / Y.std()
LEVELS = np.array([3])
PRIOR = Prior()
MODEL = GaussianProcess(U, Z, LEVELS, Y, np.zeros(30), fit(U, Z, Y, np.zeros(30), PRIOR))


def test_the_features_inner_product_is_the_kernel() -> None:
    features = Features(MODEL, np.random.default_rng(1), 20_000)
    psi = features(U, Z)
    theta = np.exp(MODEL.phi[2:-1])
    hot = one_hot(Z, theta, LEVELS)
    k = cross(U / MODEL.length, right(U / MODEL.length), hot, hot, float(theta.sum()))[2]
    assert np.abs(psi @ psi.T - k).max() < 0.06  # 6 standard deviations of the mean of 20,000 products


def test_draws_have_the_processs_mean_and_deviation() -> None:
    rng = np.random.default_rng(2)
    at, level = rng.random((15, 2)), rng.integers(0, 3, (15, 1))
    mean, deviation = MODEL.predict(at, level)
    draws = np.concatenate([drawn(MODEL, at, level, 50, np.random.default_rng(i)) for i in range(60)], axis=1)
    assert np.abs(draws.mean(axis=1) - mean).max() < 0.15 * deviation.max()
    assert np.allclose(draws.std(axis=1), deviation, rtol=0.25)


def test_drawn_hyperparameters_lie_within_their_bounds_and_around_the_mode() -> None:
    draws = hyperparameters(MODEL, PRIOR, 200, np.random.default_rng(3))
    low, high = np.array(bounds(2, 1, PRIOR.noise_limit)).T
    assert draws.shape == (200, 4)
    assert np.all((draws >= low) & (draws <= high))
    assert np.array_equal(draws, hyperparameters(MODEL, PRIOR, 200, np.random.default_rng(3)))
    # An independent sampler of the same density: Metropolis, 20,000 steps.
    posterior = Posterior(Pairs.of(U, Z), 2, Y, np.zeros(30), PRIOR)
    rng = np.random.default_rng(4)
    phi, value, kept = MODEL.phi, posterior(MODEL.phi)[0], []
    for step in range(20_000):
        new = phi + 0.45 * rng.standard_normal(4)
        if np.all((new >= low) & (new <= high)):
            found = posterior(new)[0]
            if np.log(rng.random()) < value - found:
                phi, value = new, found
        if step >= 1000 and step % 5 == 0:
            kept.append(phi)
    # Both means have a standard error of about a tenth of the deviation.
    deviation = np.std(kept, axis=0)
    assert np.all(np.abs(draws.mean(axis=0) - np.mean(kept, axis=0)) < 0.5 * deviation)
    assert np.allclose(draws.std(axis=0), deviation, rtol=0.4)


def told_r2(y: np.ndarray) -> float:
    folds = folds_of(range(30), 10, np.random.default_rng(0))
    return r2(U, Z, LEVELS, y, np.zeros(30), PRIOR, folds, np.ones(30, dtype=bool))


def test_r2_tells_a_signal_from_noise() -> None:
    assert told_r2(Y) > 0.8
    noise = [told_r2(np.random.default_rng(seed).standard_normal(30)) for seed in range(20)]
    assert np.median(noise) < 0.05  # with the hyperparameters of all data it is .1 to .3


def test_a_group_is_left_out_as_a_whole() -> None:
    folds = folds_of([1, 2, 1, 3, 2, 1], 10, np.random.default_rng(0))
    assert len(set(folds[[0, 2, 5]])) == 1
    assert len(set(folds)) == 3
