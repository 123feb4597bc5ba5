"""Parzen estimators: against a plain implementation with scipy.stats, and as densities that integrate to one."""

import numpy as np
import pytest
from scipy import stats

from hptune.surrogate.parzen import Parzen, bandwidths

NUMERIC, CATEGORY = np.array([0, 2]), np.array([1])
LEVELS = (np.array([0.5, 0.3, 0.2]),)
SMALLEST = np.array([0.03, 0.1])


def rows(n, seed=0):
    rng = np.random.default_rng(seed)
    X = np.column_stack([rng.random(n), rng.integers(0, 3, n).astype(float), rng.random(n)])
    X[X[:, 1] == 2, 2] = np.nan  # column 2 is inactive under level 2
    return X


def gaps(position, smallest):
    """The bandwidths of one column, neighbour by neighbour."""
    known = sorted(p for p in position if not np.isnan(p))
    out = []
    for p in position:
        if np.isnan(p):
            out.append(np.nan)
        elif len(known) == 1:
            out.append(max(p, 1 - p))
        else:
            at = known.index(p)
            left = known[at] - known[at - 1] if at else 0.0
            right = known[at + 1] - known[at] if at + 1 < len(known) else 0.0
            out.append(min(max(left, right, smallest), 1.0))
    return out


def plain(X, weight, x):
    """Equation (1) kernel by kernel with scipy.stats."""
    n = len(X) + 1
    weight = np.append(weight, np.mean(weight))
    widths = [gaps(X[:, j], max(s, 1 / (n + 1))) for j, s in zip(NUMERIC, SMALLEST, strict=True)]
    total = 0.0
    for i in range(n):
        density = weight[i] / weight.sum()
        for place, j in enumerate(NUMERIC):
            if np.isnan(x[j]) or (i < n - 1 and np.isnan(X[i, j])):
                continue
            mu, h = (X[i, j], widths[place][i]) if i < n - 1 else (0.5, 1.0)
            density *= stats.truncnorm.pdf(x[j], -mu / h, (1 - mu) / h, mu, h)
        density *= ((X[i, 1] == x[1]) + 1 / n) / (1 + 3 / n) if i < n - 1 else LEVELS[0][int(x[1])]
        total += density
    return np.log(total)


def test_the_density_is_that_of_a_plain_implementation():
    X, weight = rows(9), np.random.default_rng(1).random(9)
    estimator = Parzen.of(X, weight, NUMERIC, CATEGORY, LEVELS, SMALLEST)
    new = rows(20, seed=2)
    np.testing.assert_allclose(estimator.log_density(new), [plain(X, weight, x) for x in new], rtol=1e-9)


def test_the_density_integrates_to_one_over_branches():
    estimator = Parzen.of(rows(6), np.ones(6), NUMERIC, CATEGORY, LEVELS, SMALLEST)
    grid = (np.arange(200) + 0.5) / 200
    a, b = (one.ravel() for one in np.meshgrid(grid, grid))
    total = 0.0
    for level in (0.0, 1.0):
        total += np.exp(estimator.log_density(np.column_stack([a, np.full(len(a), level), b]))).mean()
    flat = np.column_stack([grid, np.full(200, 2.0), np.full(200, np.nan)])
    assert total + np.exp(estimator.log_density(flat)).mean() == pytest.approx(1.0, rel=2e-3)


def test_samples_follow_the_density():
    """20,000 draws in 10 bins of one column: a chi-squared test at 1e-6."""
    estimator = Parzen.of(rows(6), np.ones(6), NUMERIC, CATEGORY, LEVELS, SMALLEST)
    rng = np.random.default_rng(3)
    X = estimator.sample(rng.random((20_000, 3)), rng.random(20_000))
    assert ((X >= 0) & (X[:, 1:2] < 3)).all()
    counts = np.histogram(X[:, 0], bins=10, range=(0, 1))[0]
    grid = (np.arange(1000) + 0.5) / 1000
    density = np.zeros(1000)
    for level in (0.0, 1.0, 2.0):
        column = np.full(1000, np.nan if level == 2 else 0.5)
        for b in [column] if level == 2 else [(np.full(1000, v)) for v in (np.arange(40) + 0.5) / 40]:
            share = np.exp(estimator.log_density(np.column_stack([grid, np.full(1000, level), b])))
            density += share if level == 2 else share / 40
    expected = density.reshape(10, 100).mean(axis=1) / density.mean() * 2000
    assert stats.chisquare(counts, expected * counts.sum() / expected.sum()).pvalue > 1e-6


@pytest.mark.parametrize("position", [[0.2], [0.5, 0.5], [0.0, 1.0], [np.nan, 0.3, 0.9, 0.35], [np.nan, np.nan]])
def test_bandwidths_are_the_larger_gap_and_never_too_small(position):
    other = np.linspace(0, 1, len(position)) ** 2
    found = bandwidths(np.column_stack([position, other]), np.array([0.03, 0.1]))
    np.testing.assert_allclose(found[:, 0], gaps(position, 0.03))
    np.testing.assert_allclose(found[:, 1], gaps(other, 0.1))


def test_pulled_kernels_keep_their_weighted_mean_and_shrink_their_spread_by_the_share():
    X, weight = rows(9), np.random.default_rng(1).random(9)
    plain_one, pulled = (Parzen.of(X, weight, NUMERIC, CATEGORY, LEVELS, SMALLEST, pull=a) for a in (0.0, 0.75))
    np.testing.assert_array_equal(pulled.width, plain_one.width)
    for place, j in enumerate(NUMERIC):
        known = ~np.isnan(X[:, j])
        middle = np.average(X[known, j], weights=weight[known])
        np.testing.assert_allclose(pulled.mean[:-1, place][known] - middle, (X[known, j] - middle) / 2, atol=1e-12)
        assert np.isnan(pulled.mean[:-1, place][~known]).all()


def test_the_clip_keeps_few_kernels_wide():
    X = rows(5)
    for clip, least in ((None, 1 / 7), (0.25, 0.25)):
        width = Parzen.of(X, np.ones(5), NUMERIC, CATEGORY, LEVELS, SMALLEST, clip=clip).width[:-1]
        assert np.nanmin(width) >= least
