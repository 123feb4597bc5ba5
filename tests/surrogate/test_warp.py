"""The output warp keeps order and ties, and is blind to the scale of the losses."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hptune.surrogate.warp import half_rank, slopes, warp

losses = st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=40).map(np.array)


@given(losses, st.sampled_from([0.5, 0.9, 1.0]))
def test_order_and_ties_are_kept(y, spaced):
    w = warp(y, spaced)
    assert np.isfinite(w).all()
    order = np.argsort(y, kind="stable")
    assert (np.diff(w[order]) >= 0).all()
    assert all(w[i] == w[k] for i in range(len(y)) for k in range(i) if y[i] == y[k])


@given(losses, st.integers(-60, 60), st.sampled_from([0.5, 1.0]))
def test_a_power_of_two_changes_no_bit(y, power, spaced):
    y = np.round(y, 3)
    assert (warp(y, spaced) == warp(np.ldexp(y, power), spaced)).all()


@given(st.lists(st.integers(-1000, 1000), min_size=3, max_size=30), st.floats(0.1, 10), st.floats(-50, 50))
def test_an_affine_change_changes_nothing(y, scale, shift):
    y = np.array(y, dtype=float)
    np.testing.assert_allclose(warp(y * scale + shift), warp(y), atol=1e-6)


@pytest.mark.parametrize("top", [1e300, 1.7e308])
def test_huge_losses_do_not_flatten_the_good_ones(top):
    w = warp(np.array([1.0, 2.0, 3.0, 4.0, 5.0, top, -top if top < 1e301 else 0.0]))
    assert np.isfinite(w).all()
    w = warp(np.array([1.0, 2.0, 3.0, top, top, top]))
    assert w[2] - w[0] > 0.5


def test_equal_losses_become_zeros():
    assert (warp(np.full(5, 3.7)) == 0).all()


def test_the_good_half_keeps_its_spacing_and_the_bad_half_its_ranks():
    y = np.array([0.0, 1.0, 2.0, 50.0, 1e9])
    ranked = half_rank(y)
    assert ranked[:3].tolist() == [-1.0, -0.5, 0.0]
    assert 0 < ranked[3] < ranked[4] < 3


def test_all_losses_keep_their_spacing_where_that_is_asked_for():
    y = np.array([50.0, 0.0, 1.0, 10.0, 2.0])
    np.testing.assert_allclose(half_rank(y, 1.0), (y - 50.0) / 50.0)
    assert half_rank(y, 0.75)[y <= 10].tolist() == [-1.0, -0.9, 0.0, -0.8]
    assert half_rank(y, 0.75)[0] > 0


@pytest.mark.parametrize("top", [1e300, 1.7e308])
def test_a_huge_loss_leaves_finite_ones_where_all_keep_their_spacing(top):
    w = warp(np.array([1.0, 2.0, -top, top]), 1.0)
    assert np.isfinite(w).all()


def test_slopes_measure_how_far_a_step_carries():
    y = np.linspace(0, 1, 11)
    w = warp(y)
    small, large = slopes(y, w, np.full(11, 0.01)), slopes(y, w, np.full(11, 0.02))
    np.testing.assert_allclose(large[3:5], 2 * small[3:5], rtol=0.2)
    assert (slopes(np.ones(4), np.zeros(4), np.ones(4)) == 0).all()
