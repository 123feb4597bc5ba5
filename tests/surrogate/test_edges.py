"""The models at their edges: matrices that hardly factor, many points, steps beyond the data, draws at the ends."""

from __future__ import annotations

import numpy as np
import pytest

from hptune.encoding import Encoding
from hptune.surrogate import gp
from hptune.surrogate.acquisition import log_h
from hptune.surrogate.maximize import Effort, ranked
from hptune.surrogate.parzen import Parzen
from hptune.surrogate.warp import slopes, warp
from tests.conftest import SPACES

NO_LEVELS = np.zeros(0, dtype=np.int64)


# -- expected improvement ---------------------------------------------------------------------------------------------


def test_the_logarithm_of_a_hopeless_improvement_is_exact_to_the_last_bits() -> None:
    """The form for z > -1e4 is wrong by eleven units in the last place at -1e6."""
    z = -np.logspace(4.3, 6, 2000)[:-1]
    exact = np.asarray(z, dtype=np.longdouble)
    expected = (
        -exact * exact / 2 - np.log(2 * np.longdouble(np.pi)) / 2 - 2 * np.log(-exact) + np.log1p(-3 / exact**2)
    )
    assert (np.abs(log_h(z) - expected) <= 4 * np.spacing(np.abs(log_h(z)))).all()


# -- the Gaussian process -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("lacking", [0.0, 1e-9, 1e-7, 1e-5, 1e-3])
def test_a_covariance_that_rounding_made_indefinite_gets_as_little_as_helps(lacking: float) -> None:
    A = np.full((6, 6), 0.5) + 0.5 * np.eye(6)
    A[:3, :3] = 1.0 - lacking * np.eye(3)  # three equal points, and a little less on the diagonal
    factor = gp._factor(A)
    added = np.diag(factor.T @ factor - A)
    np.testing.assert_allclose(factor.T @ factor - np.diag(added), A, atol=1e-12)
    assert added.max() <= max(10.1 * lacking, 1.1e-8)


def test_what_is_far_from_a_covariance_is_refused() -> None:
    with pytest.raises(np.linalg.LinAlgError, match="not positive definite"):
        gp._factor(np.array([[1.0, 2.0], [2.0, 1.0]]))


def test_more_points_than_a_block_holds_covariances_are_predicted_all_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rng = np.random.default_rng(0)
    U, at = rng.random((40, 2)), rng.random((200, 2))
    Z, levels = np.zeros((40, 0), dtype=np.int64), np.zeros((200, 0), dtype=np.int64)
    process = gp.GaussianProcess(U, Z, NO_LEVELS, np.sin(U.sum(axis=1)), np.zeros(40), gp.Prior().centre(2, 0))
    expected = process.predict(at, levels)
    monkeypatch.setattr(gp, "BLOCK", len(U) - 1)
    np.testing.assert_allclose(process.predict(at, levels), expected, rtol=1e-9)
    np.testing.assert_allclose(process.mean(at, levels), expected[0], rtol=1e-9)


# -- the search for the best candidate ------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["three points", "log ints and steps"])
def test_rows_that_are_taken_are_not_proposed_and_no_row_is_twice(name: str) -> None:
    encoding = Encoding(SPACES[name])
    length = np.ones(len(encoding.numeric))

    def found(taken: set[bytes]) -> list[bytes]:
        leaders = encoding.sample(np.random.default_rng(1).random((4, encoding.width)))
        effort = Effort(uniform=200)

        def score(X: np.ndarray) -> np.ndarray:
            return -np.nan_to_num(X).sum(axis=1)

        X, value = ranked(encoding, score, None, leaders, length, taken, np.random.default_rng(0), effort)
        assert (np.diff(value) <= 1e-9).all()
        return encoding.keys(X)

    first = found(set())
    assert len(set(first)) == len(first) > 0
    taken = set(first[:2])
    assert not taken & set(found(taken))
    if name == "three points":
        assert len(first) == 3
        assert found(set(first)) == []


# -- Parzen estimators ----------------------------------------------------------------------------------------------


def estimator(position: list[float], **options: object) -> Parzen:
    column, none = np.array([0]), np.zeros(0, dtype=np.intp)
    rows, weight = np.array(position)[:, None], np.linspace(1.0, 0.2, len(position))
    return Parzen.of(rows, weight, column, none, (), np.array([0.02]), clip=0.02, **options)  # type: ignore[arg-type]


@pytest.mark.parametrize("at", [0.0, 0.01, 0.5, 1.0])
def test_no_draw_lies_where_a_kernel_has_no_mass_not_even_by_the_least_and_the_largest_number(at: float) -> None:
    """The normal quantiles of 1e-300 and of the number before 1 are -37 and 8."""
    made = estimator([at, at])
    least, largest = np.zeros((1, 1)), np.full((1, 1), np.nextafter(1.0, 0.0))
    for uniform in (least, largest):
        drawn = made.sample(uniform, np.zeros(1))[0, 0]
        assert 0.0 <= drawn <= 1.0
        assert abs(drawn - at) <= (38 if uniform is least else 9) * 0.02


def test_only_the_first_rows_are_pulled_where_that_is_asked_for() -> None:
    """To the mean of their own, by their own weights: an earlier study's rows have no part in it."""
    position = [0.1, 0.2, 0.4, 0.8, 0.9]
    plain, some, all_of_them = (
        estimator(position, **options) for options in ({}, {"pull": 0.75, "pulled": 3}, {"pull": 0.75})
    )
    middle = np.average(position[:3], weights=np.linspace(1.0, 0.2, 5)[:3])
    np.testing.assert_allclose(some.mean[:3, 0] - middle, (np.array(position[:3]) - middle) / 2)
    np.testing.assert_array_equal(some.mean[3:], plain.mean[3:])
    assert (all_of_them.mean[3:5] != plain.mean[3:5]).all()
    np.testing.assert_array_equal(some.width, plain.width)


# -- the warp -------------------------------------------------------------------------------------------------------


def test_a_step_beyond_half_of_the_range_carries_no_further() -> None:
    y = np.array([0.0, 0.1, 0.4, 0.7, 1.0])
    w = warp(y)
    half = slopes(y, w, np.full(5, 0.5))
    for step in (0.6, 2.0, 1e300):
        np.testing.assert_array_equal(slopes(y, w, np.full(5, step)), half)
    assert half[0] == pytest.approx((np.interp(0.5, y, w) - w[0]) / 2)  # nothing beyond the best
