"""The statistics at their edges: one fold, one unit, equals, many degrees of freedom, and the cost of a round."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from hptune.optimism import expected_best, expected_gain, left_out_optimism, tibshirani_optimism
from hptune.statistics import (
    finals_repeats,
    finals_verdict,
    one_standard_error,
    paired_gain,
    resampled_gain,
    student_cdf,
    tied_set,
)


@pytest.mark.parametrize("degrees", [1e3, 1e5])
@pytest.mark.parametrize("t", [-3.0, -1.0, -0.9, 0.0, 0.9, 1.0, 3.0])
def test_of_many_degrees_of_freedom_students_t_agrees_with_scipy(t: float, degrees: float) -> None:
    assert student_cdf(t, degrees) == pytest.approx(stats.t.cdf(t, degrees), rel=1e-9)


# -- the rule of one standard error ---------------------------------------------------------------------------------


def test_on_one_fold_only_the_best_and_its_equals_are_near_enough() -> None:
    assert one_standard_error([[0.3], [0.2], [0.4]], [0, 1, 2]) == 1
    assert one_standard_error([[0.3], [0.2], [0.2]], [0, 2, 1]) == 2


def test_on_equal_folds_only_the_best_and_its_equals_are_near_enough() -> None:
    assert one_standard_error([[0.3, 0.3], [0.2, 0.2], [0.25, 0.25]], [0, 1, 2]) == 1


def test_of_equally_liked_ones_the_better_mean_is_chosen() -> None:
    assert one_standard_error([[0.31, 0.21, 0.21], [0.3, 0.2, 0.2]], [1, 1]) == 1


def test_the_standard_error_divides_by_one_fold_less() -> None:
    """Of 0 and 2 it is 1: what lies 0.9 above the mean is within it, what lies 1.1 above is not."""
    assert one_standard_error([[1.9, 1.9], [0.0, 2.0]], [0, 1]) == 0
    assert one_standard_error([[2.1, 2.1], [0.0, 2.0]], [0, 1]) == 1


# -- who is tied ----------------------------------------------------------------------------------------------------


def test_what_shares_one_fold_with_the_winner_is_not_tied_even_if_it_is_better_there() -> None:
    nan = math.nan
    assert tied_set([[0.2, 0.3, 0.4], [0.1, nan, nan], [nan, nan, nan]], 0, test_share=0.25).tolist() == [0]


def test_what_is_better_or_worse_by_the_same_on_every_fold_needs_no_error_to_be_told_from_the_winner() -> None:
    winner = [0.25, 0.5, 0.75]
    better, worse, same = ([x + shift for x in winner] for shift in (-0.125, 0.125, 0.0))
    assert tied_set([winner, better, worse, same], 0, test_share=0.25).tolist() == [0, 1, 3]


def test_two_equal_scores_on_a_single_fold_are_a_gain_of_exactly_zero() -> None:
    gain = paired_gain([0.5], [0.5], test_share=0.25)
    assert (gain.mean, gain.low, gain.high, gain.p_value, gain.error) == (0.0, 0.0, 0.0, 1.0, 0.0)


def test_a_holdout_of_one_unit_tells_no_interval() -> None:
    gain = resampled_gain(0.5, np.linspace(0, 1, 300), units=1)
    assert (gain.mean, gain.low, gain.error, gain.pairs) == (0.5, None, None, 1)


# -- what the finals cost, and their luck ---------------------------------------------------------------------------


@pytest.mark.parametrize("finalists", [1, 3, 7])
def test_the_finals_take_as_many_repeats_as_their_share_of_the_search_pays_for(finalists: int) -> None:
    for trials in range(1, 400):
        repeats = finals_repeats(trials, finalists=finalists, share=0.125)  # exact in binary

        def cost(repeats: int) -> float:
            return finalists + 1 + 2 * (repeats - 1) + 0.5  # and half a trial's rows once more

        assert 2 <= repeats <= 4
        assert repeats == 2 or cost(repeats) <= 0.125 * trials
        assert repeats == 4 or cost(repeats + 1) > 0.125 * trials


def test_independent_divisions_have_tibshiranis_optimism_in_the_finals() -> None:
    losses = np.random.default_rng(0).normal(size=(4, 5))
    for overlapping, estimate in ((True, tibshirani_optimism), (False, left_out_optimism)):
        found = finals_verdict(losses, folds=5, overlapping=overlapping)
        assert found.optimism == pytest.approx(estimate(losses))
    assert tibshirani_optimism(losses) != pytest.approx(left_out_optimism(losses))


@pytest.mark.parametrize("folds", [0, 1, 4])
def test_a_repeat_of_one_fold_or_of_no_divisor_is_refused(folds: int) -> None:
    with pytest.raises(ValueError, match="expected a divisor of 6, at least 2"):
        left_out_optimism(np.random.default_rng(0).normal(size=(4, 6)), folds=folds)


def test_luck_is_never_negative_even_where_every_repeat_likes_another() -> None:
    losses = [[0.0, 0.0, 1.0, 1.0], [1.0, 1.0, 0.0, 0.0]]
    assert left_out_optimism(losses, folds=2) == 0.0


def test_a_gain_that_dies_down_is_not_expected_to_die_faster_than_by_a_quarter() -> None:
    losses = [0.0] * 4 + [1.0] * 4
    quarter, half, whole = (expected_best(losses, count) for count in (2, 4, 8))
    assert (half - whole) / (quarter - half) < 0.1
    assert expected_gain(losses, 8) == pytest.approx((half - whole) / 4)
