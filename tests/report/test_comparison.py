"""Two studies side by side, from histories told by hand: whose luck counts, and which settings change the folds."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from hptune import events as ev
from hptune.evaluate import EvaluateSpec
from hptune.finals import search_optimism
from hptune.history import History
from hptune.report.comparison import _NOT_OF_THE_FOLDS, Paired, paired
from hptune.statistics import paired_gain
from tests.test_finals import noisy, searched

LEAVE_THE_FOLDS = {
    "finals": {"enabled": True},
    "nested": 5,
    "select": "one_standard_error",
    "train_score": True,
    "also": ["r2"],
    "early_stop_folds": False,
}
"""Options of `evaluate:` with which a trial is measured on the same rows."""


def study(scores: list[list[float]], *, data: str = "d", evaluate: dict[str, Any] | None = None) -> History:
    history = searched([*scores])
    history.started.hashes.update({"data": data})
    history.started.problem.update({"evaluate": {"cv": 5, **(evaluate or {})}})
    return history


def lucky(trials: int = 8) -> History:
    rng = np.random.default_rng(5)
    return study([noisy(rng, 0.6) for _ in range(trials)])


def best(history: History) -> tuple[float, ...]:
    assert history.best is not None
    return history.best.scores


# -- whose luck counts ----------------------------------------------------------------------------------------------


def test_where_the_best_scores_are_the_same_neither_study_gains_whatever_their_luck() -> None:
    one = lucky()
    other = study([[0.1] * 5, list(best(one))])
    assert search_optimism(one) > search_optimism(other) == 0
    for found in (paired(one, other), paired(other, one)):
        assert found.gain is not None
        assert (found.gain.mean, found.gain.low, found.gain.high) == (0.0, 0.0, 0.0)


@pytest.mark.parametrize("better", [-0.002, -0.2, 0.002, 0.2])
def test_luck_neither_turns_round_what_the_folds_say_nor_counts_as_known(better: float) -> None:
    one = lucky()
    other = study([[score + better + 1e-4 * fold for fold, score in enumerate(best(one))]])
    luck = search_optimism(one)
    assert 0.002 < luck < 0.2
    found, back = paired(one, other).gain, paired(other, one).gain
    assert found is not None
    assert back is not None
    assert found.low is not None
    assert found.high is not None
    raw = better + 2e-4
    assert found.mean == pytest.approx(0.0 if -luck < raw < 0 else raw + luck)
    assert found.low < found.mean - luck  # the folds' own interval is around all of it
    assert found.high > found.mean + luck
    assert (back.mean, back.low, back.high) == pytest.approx((-found.mean, -found.high, -found.low))
    assert back.p_value == pytest.approx(1 - (found.p_value or 0.0))
    assert ("cannot tell them apart" in paired(one, other).text(other)) == (better == -0.002)


def test_a_winner_of_the_finals_was_not_chosen_for_its_luck_in_the_search() -> None:
    one, other = lucky(), study([[0.5, 0.51, 0.49, 0.5, 0.52]])
    assert one.best is not None
    assert search_optimism(one) > 0
    winner = next(number for number in range(1, 8) if number != one.best.number)
    chosen = {"rule": "best", "gain": {"mean": 0.1}, "optimism": 0.0, "finalists": [0, winner], "folds": 5}
    one.apply(ev.FinalScored(time=3, trial=winner, fold=0, score=0.6))
    one.apply(ev.WinnerChosen(time=3, trial=winner, **chosen))
    found = paired(other, one).gain
    assert found is not None
    assert found.mean == pytest.approx(np.mean(one.trials[winner].scores) - np.mean(best(other)))


# -- which folds are the same ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("key", LEAVE_THE_FOLDS)
def test_settings_that_leave_the_folds_as_they_are_leave_studies_comparable(key: str) -> None:
    evaluate = {key: LEAVE_THE_FOLDS[key]}
    assert paired(study([[0.5] * 5]), study([[0.6] * 5], evaluate=evaluate)).gain is not None


def test_these_are_all_and_every_other_setting_makes_them_another_study() -> None:
    assert set(_NOT_OF_THE_FOLDS) == set(LEAVE_THE_FOLDS) <= set(EvaluateSpec.model_fields)
    for key in set(EvaluateSpec.model_fields) - set(LEAVE_THE_FOLDS):
        found = paired(study([[0.5] * 5]), study([[0.6] * 5], evaluate={key: "another"}))
        assert found == Paired(None, "`evaluate:` differs, and with it the folds")


@pytest.mark.parametrize(
    ("one", "other", "why"),
    [
        ("", "", "there is no data set to share folds of"),
        ("d", "", "there is no data set to share folds of"),
        ("", "d", "there is no data set to share folds of"),
        ("d", "e", "the data differ"),
    ],
)
def test_without_the_same_data_there_are_no_folds_to_share(one: str, other: str, why: str) -> None:
    assert paired(study([[0.5] * 5], data=one), study([[0.6] * 5], data=other)) == Paired(None, why)


def test_an_unknown_division_of_the_rows_counts_as_that_of_five_folds() -> None:
    one, other = study([[0.5, 0.51, 0.49, 0.5, 0.52]]), study([[0.6, 0.63, 0.58, 0.6, 0.61]])
    one.started.about.clear()
    found = paired(one, other).gain
    assert found is not None
    expected = paired_gain([-s for s in best(one)], [-s for s in best(other)], test_share=0.25)
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high))


# -- in words -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("scores", "told_apart"),
    [
        ([0.6, 0.62, 0.59, 0.61, 0.6], True),
        ([0.4, 0.42, 0.39, 0.41, 0.4], True),
        ([0.5, 0.6, 0.4, 0.55, 0.45], False),
    ],
    ids=["better", "worse", "neither"],
)
def test_better_and_worse_are_told_apart_alike(scores: list[float], told_apart: bool) -> None:
    one, other = study([[0.5, 0.51, 0.49, 0.5, 0.52]]), study([scores])
    assert ("cannot tell them apart" not in paired(one, other).text(other)) == told_apart
