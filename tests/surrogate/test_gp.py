"""The Gaussian process: gradients against finite differences, predictions against scikit-learn."""

import numpy as np
import pytest
from scipy.optimize import approx_fprime

from hptune.surrogate.gp import A0, B0, BLOCK, GaussianProcess, Posterior, Prior, fit
from hptune.surrogate.kernels import Pairs, cross, one_hot, right


def data(n=14, d=3, c=2, seed=0):
    rng = np.random.default_rng(seed)
    U, Z = rng.random((n, d)), rng.integers(0, 3, (n, c))
    y = np.sin(5 * U[:, 0]) + 0.5 * (Z[:, 0] == 1) + 0.1 * rng.standard_normal(n)
    return U, Z, (y - y.mean()) / y.std(), rng.random(n) * 0.1


@pytest.mark.parametrize(("d", "c"), [(3, 2), (1, 0), (0, 2), (5, 1)])
def test_the_likelihood_gradient_is_the_finite_difference(d, c):
    rng = np.random.default_rng(1)
    U, Z = rng.random((12, d)), rng.integers(0, 3, (12, c))
    y, extra = rng.standard_normal(12), rng.random(12) * 0.1
    objective = Posterior(Pairs.of(U, Z), d, y, extra, Prior())
    for _ in range(3):
        phi = Prior().centre(d, c) + rng.normal(0, 0.5, d + c + 1)
        numeric = approx_fprime(phi, lambda at: objective(at)[0], 1e-6)
        np.testing.assert_allclose(objective(phi)[1], numeric, rtol=1e-4, atol=1e-4)


def test_the_likelihood_is_the_student_t_density_of_the_data():
    from scipy.stats import multivariate_t

    U, Z, y, extra = data()
    prior = Prior(length_sd=1e9, theta_sd=1e9, noise_sd=1e9)  # leaves the marginal likelihood alone

    def density(phi):
        gp = GaussianProcess(U, Z, np.array([3, 3]), y, extra, phi)
        factor = gp._noisy_factor(len(y), 1.0)
        A = factor.T @ factor
        return multivariate_t(shape=A * B0 / A0, df=2 * A0).logpdf(y)

    objective = Posterior(Pairs.of(U, Z), 3, y, extra, prior)
    a, b = prior.centre(3, 2), prior.centre(3, 2) + 0.3
    assert objective(a)[0] - objective(b)[0] == pytest.approx(density(b) - density(a), rel=1e-8)


def test_predictions_are_scikit_learns_at_fixed_hyperparameters():
    from sklearn.gaussian_process import GaussianProcessRegressor
    from sklearn.gaussian_process.kernels import Matern

    rng = np.random.default_rng(2)
    U, y, new = rng.random((20, 3)), rng.standard_normal(20), rng.random((9, 3))
    length, eta = np.array([0.3, 0.7, 1.4]), 0.05
    phi = np.log([*length, eta])
    ours = GaussianProcess(U, np.zeros((20, 0), dtype=int), np.zeros(0, dtype=int), y, np.zeros(20), phi)
    theirs = GaussianProcessRegressor(Matern(length, nu=2.5), alpha=eta, optimizer=None).fit(U, y)
    mean, deviation = theirs.predict(new, return_std=True)
    found, spread = ours.predict(new, np.zeros((9, 0), dtype=int))
    np.testing.assert_allclose(found, mean, rtol=1e-8)
    np.testing.assert_allclose(spread, deviation * np.sqrt(ours.signal), rtol=1e-6)


def test_the_category_factor_is_the_exponential_of_weighted_mismatches():
    rng = np.random.default_rng(3)
    U, Z, theta = rng.random((6, 2)), rng.integers(0, 4, (6, 3)), np.array([0.3, 1.1, 0.02])
    hot = one_hot(Z, theta, np.array([3, 3, 3]))
    s, decay, covariance = cross(U, right(U), hot, hot, theta.sum())
    for i in range(6):
        for k in range(6):
            r = np.sqrt(5 * ((U[i] - U[k]) ** 2).sum())
            expected = np.exp(-r - (theta * (Z[i] != Z[k])).sum())
            assert s[i, k] == pytest.approx(r, abs=1e-7)
            assert decay[i, k] == pytest.approx(expected, abs=1e-7)
            assert covariance[i, k] == pytest.approx((1 + r + r * r / 3) * expected, abs=1e-7)


def test_predictions_do_not_depend_on_how_many_are_made_at_once():
    U, Z, y, extra = data(n=40)
    gp = GaussianProcess(U, Z, np.array([3, 3]), y, extra, Prior().centre(3, 2))
    rng = np.random.default_rng(8)
    many, levels = rng.random((3000, 3)), rng.integers(0, 4, (3000, 2))
    assert len(many) > 2 * BLOCK // len(y)
    mean, deviation = gp.predict(many, levels)
    one = [gp.predict(many[i : i + 1], levels[i : i + 1]) for i in (0, 749, 750, 1500, 2999)]
    np.testing.assert_allclose(mean[[0, 749, 750, 1500, 2999]], [m[0] for m, _ in one], rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(deviation[[0, 749, 750, 1500, 2999]], [d[0] for _, d in one], rtol=1e-9)


@pytest.mark.parametrize("doubt", [0.0, 1.0])
@pytest.mark.parametrize("pending", [0, 4])
def test_the_slopes_of_mean_and_deviation_are_finite_differences(pending, doubt):
    U, Z, y, extra = data(n=16)
    gp = GaussianProcess(U, Z, np.array([3, 3]), y, extra, Prior().centre(3, 2), doubt=doubt)
    rng = np.random.default_rng(4)
    if pending:
        gp = gp.with_pending(rng.random((pending, 3)), rng.integers(0, 3, (pending, 2)))
    at, z = rng.random((5, 3)), rng.integers(0, 3, (5, 2))
    mean, deviation, d_mean, d_deviation = gp.slopes(at, z)
    np.testing.assert_allclose(np.array([mean, deviation]), gp.predict(at, z), rtol=1e-8)
    for i in range(5):
        for which, found in ((0, d_mean), (1, d_deviation)):
            numeric = approx_fprime(at[i], lambda u, i=i, w=which: gp.predict(u[None], z[i : i + 1])[w][0], 1e-6)
            np.testing.assert_allclose(found[i], numeric, rtol=1e-3, atol=1e-5)


def test_pending_points_leave_the_mean_and_shrink_the_deviation():
    U, Z, y, extra = data()
    gp = GaussianProcess(U, Z, np.array([3, 3]), y, extra, Prior().centre(3, 2))
    at, z = np.full((1, 3), 0.5), np.zeros((1, 2), dtype=int)
    more = gp.with_pending(at, z)
    np.testing.assert_allclose(more.mean(at, z), gp.mean(at, z), rtol=1e-10)
    assert more.predict(at, z)[1][0] < 0.5 * gp.predict(at, z)[1][0]


@pytest.mark.parametrize("asked_before", [False, True])
def test_what_a_process_lends_to_its_copies_is_what_they_would_have_computed(asked_before):
    U, Z, y, extra = data()
    levels, phi = np.array([3, 3]), Prior().centre(3, 2)
    rng = np.random.default_rng(6)
    at, z, new, w = rng.random((9, 3)), rng.integers(0, 3, (9, 2)), rng.random((2, 3)), rng.integers(0, 3, (2, 2))
    gp = GaussianProcess(U, Z, levels, y, extra, phi)

    def same(copy, pending, doubt):
        more = [np.concatenate(parts) for parts in (((U, new), (Z, w)) if pending else ((U,), (Z,)))]
        fresh = GaussianProcess(*more, levels, y, extra, phi, doubt=doubt)
        for one, other in zip(
            (*copy.predict(at, z), *copy.slopes(at, z)), (*fresh.predict(at, z), *fresh.slopes(at, z)), strict=True
        ):
            np.testing.assert_array_equal(one, other)

    if asked_before:
        same(gp, False, 1.0)
    same(gp.with_doubt(0.0), False, 0.0)
    same(gp.with_doubt(0.0).with_pending(new, w), True, 0.0)
    more = gp.with_pending(new, w)
    if asked_before:
        same(more, True, 1.0)
    same(more.with_doubt(0.0), True, 0.0)
    same(gp, False, 1.0)


def test_without_doubt_the_mean_stays_and_the_deviation_vanishes_where_there_are_data():
    U, Z, y, extra = data()
    noisy = Prior().centre(3, 2)
    noisy[-1] = np.log(0.5)
    gp = GaussianProcess(U, Z, np.array([3, 3]), y, extra + 0.2, noisy)
    sure = GaussianProcess(U, Z, np.array([3, 3]), y, extra + 0.2, noisy, doubt=0.0)
    np.testing.assert_array_equal(sure.mean(U, Z), gp.mean(U, Z))
    assert sure.predict(U, Z)[1].max() < 0.01 * gp.predict(U, Z)[1].min()
    exact = GaussianProcess(
        U, Z, np.array([3, 3]), gp.mean(U, Z), np.full(len(U), 1e-6), np.append(noisy[:-1], -40.0)
    )
    at, z = np.random.default_rng(5).random((7, 3)), np.zeros((7, 2), dtype=int)
    ratio = sure.predict(at, z)[1] / exact.predict(at, z)[1]  # the process through the means, but for its scale
    np.testing.assert_allclose(ratio, ratio[0], rtol=1e-5)


def test_the_believer_is_conditioning_on_the_mean():
    U, Z, y, extra = data()
    phi = Prior().centre(3, 2)
    gp = GaussianProcess(U, Z, np.array([3, 3]), y, extra, phi)
    new, z = np.array([[0.2, 0.9, 0.4]]), np.array([[0, 1]])
    told = GaussianProcess(
        np.concatenate([U, new]),
        np.concatenate([Z, z]),
        np.array([3, 3]),
        np.append(y, gp.mean(new, z)),
        np.append(extra, 0.0),
        phi,
    )
    at, za = np.random.default_rng(5).random((7, 3)), np.zeros((7, 2), dtype=int)
    np.testing.assert_allclose(gp.with_pending(new, z).mean(at, za), told.mean(at, za), rtol=1e-6, atol=1e-9)
    ratio = gp.with_pending(new, z).predict(at, za)[1] / told.predict(at, za)[1]
    np.testing.assert_allclose(ratio, ratio[0], rtol=1e-6)  # up to the signal variance, which a believer keeps


def test_a_fit_finds_which_column_matters():
    rng = np.random.default_rng(6)
    U = rng.random((40, 3))
    y = np.sin(9 * U[:, 1])
    phi = fit(U, np.zeros((40, 0), dtype=int), (y - y.mean()) / y.std(), np.zeros(40), Prior())
    assert phi[1] < phi[0] - 1
    assert phi[1] < phi[2] - 1


def test_a_fit_survives_equal_points_with_different_losses():
    U = np.repeat([[0.3, 0.4]], 8, axis=0)
    phi = fit(U, np.zeros((8, 0), dtype=int), np.linspace(-1.5, 1.5, 8), np.zeros(8), Prior())
    assert np.isfinite(phi).all()
