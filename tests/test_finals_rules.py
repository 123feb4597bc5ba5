"""What the finals promise where something is missing: folds, defaults, fidelity, or numbers one can compute with."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from hptune import events as ev
from hptune.evaluate import FinalsSpec
from hptune.finals import Plan, first_round, plan, search_gain, search_optimism, second_round, verdict
from hptune.gate import judge
from hptune.history import History
from hptune.objective import Objective
from hptune.optimism import left_out_optimism, tibshirani_optimism
from hptune.report.honest import assess
from hptune.simplicity import complexities
from hptune.statistics import paired_gain
from hptune.study import Study
from tests.test_finals import SPACE, finish, noisy, searched

THREE = [[0.5, 0.5], [0.6, 0.61], [0.55, 0.56]]
"""The search's scores of the defaults and two others."""


def losses(*scores: list[float]) -> np.ndarray[Any, np.dtype[np.float64]]:
    return -np.array(scores)


def lower(history: History, score: float, fidelity: float = 0.25, folds: int = 2) -> int:
    """Complete a further trial with less of a resource; return its number."""
    number = len(history.trials)
    values = {"alpha": 10.0 ** (number % 6 - 3), "kind": "a"}
    history.apply(ev.TrialStarted(time=1, trial=number, values=values, fidelity=fidelity))
    for fold in range(folds):
        history.apply(ev.FoldScored(time=1, trial=number, fold=fold, score=score))
    history.apply(ev.TrialCompleted(time=1, trial=number))
    return number


# -- who takes part -------------------------------------------------------------------------------------------------


def test_trials_with_less_of_a_resource_are_no_finalists_and_do_not_count_as_tried() -> None:
    history = searched([[0.01 * i, 0.01 * i] for i in range(20)])
    for _ in range(30):
        lower(history, 0.9)
    assert plan(history, FinalsSpec(), 5) is None  # 20 whole trials, not 50
    assert plan(history, FinalsSpec(enabled=True), 5) == Plan((0, 19, 18, 17), 10, 5)


def test_the_repeats_asked_for_hold_with_a_single_split_too() -> None:
    history = searched([[0.1], [0.2]])
    for repeats, folds in ((2, 10), (20, 20)):
        held = plan(history, FinalsSpec(enabled=True, repeats=repeats), 1)
        assert held is not None
        assert (held.opening, held.folds) == (5, folds)


# -- folds that are missing, or too many ----------------------------------------------------------------------------


def test_where_the_defaults_fail_no_further_fit_is_spent_on_the_others() -> None:
    history = searched(THREE)
    held = Plan((0, 1, 2), 4, 2)
    finish(history, held, {0: [0.5], 1: [0.6, 0.6], 2: [0.55, 0.55]})
    assert list(second_round(history, held, "best")) == []
    assert verdict(history, held, test_share=0.25, select="best") is None


@pytest.mark.parametrize("select", ["best", "one_standard_error"])
def test_where_all_others_fail_nothing_is_said(select: str) -> None:
    history = searched(THREE)
    held = Plan((0, 1, 2), 2, 2)
    finish(history, held, {0: [0.5, 0.5], 1: [0.6]})
    assert verdict(history, held, test_share=0.25, select=select) is None


def test_folds_of_more_repeats_than_are_asked_for_now_are_left_out() -> None:
    history = searched(THREE)
    finish(history, Plan((0, 1), 4, 2), {0: [0.5, 0.51, 0.9, 0.9], 1: [0.6, 0.62, 0.1, 0.1]})
    held = Plan((0, 1), 2, 2)
    assert list(first_round(history, held)) == list(second_round(history, held, "best")) == []
    found = verdict(history, held, test_share=0.25, select="best")
    assert found is not None
    assert (found.winner, found.gain.pairs) == (1, 2)


@pytest.mark.parametrize("scale", [1e160, -1e160])
def test_of_scores_too_large_to_square_nothing_is_said(scale: float) -> None:
    """A warning of an overflow would fail it too."""
    history = searched([[scale * score for score in scores] for scores in THREE])
    assert search_optimism(history) == 0.0
    assert search_gain(history, test_share=0.25, optimism=0.0) is None
    assert assess(history) is None
    held = Plan((0, 1), 2, 2)
    finish(history, held, {0: [0.5, 0.5], 1: [0.6, 0.6 * scale]})
    assert verdict(history, held, test_share=0.25, select="best") is None


# -- the choice and its luck ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("about", "independent"),
    [({"final_folds": 5}, False), ({"final_folds": 1}, True), ({"final_folds": 5, "overlapping": True}, True)],
)
def test_the_luck_in_the_finals_is_that_of_how_the_rows_were_divided(
    about: dict[str, Any], independent: bool
) -> None:
    history = searched(THREE)
    history.started.about.clear()
    history.started.about.update(about)
    scores = (-np.random.default_rng(9).normal(size=(3, 5))).tolist()
    held = Plan((0, 1, 2), 5, 5)
    finish(history, held, dict(enumerate(scores)))
    found = verdict(history, held, test_share=0.25, select="best")
    assert found is not None
    by_division, by_leaving_out = tibshirani_optimism(losses(*scores)), left_out_optimism(losses(*scores))
    assert by_division > by_leaving_out > 0
    assert found.optimism == pytest.approx(by_division if independent else by_leaving_out)


def test_the_simplest_is_chosen_in_the_opening_and_stays_chosen() -> None:
    """On all of the folds the defaults would be within a standard error of it, which is not asked any more."""
    history = searched(THREE)
    held = Plan((0, 1, 2), 4, 2)
    finish(history, held, {0: [0.5, 0.5], 1: [0.65, 0.6], 2: [0.6, 0.62]})
    assert {number for number, _ in second_round(history, held, "one_standard_error")} == {0, 2}
    finish_later = {0: [0.5, 0.5], 2: [0.45, 0.45]}
    for number, scores in finish_later.items():
        for fold, score in enumerate(scores, 2):
            history.apply(ev.FinalScored(time=2, trial=number, fold=fold, score=score))
    found = verdict(history, held, test_share=0.25, select="one_standard_error")
    assert found is not None
    assert (found.winner, found.rule.split()[0]) == (2, "simplest")


def test_defaults_that_are_chosen_gain_nothing_with_the_openings_degrees_of_freedom() -> None:
    history = searched(THREE)
    held = Plan((0, 1), 10, 5)
    finish(history, held, {0: [0.50, 0.52, 0.48, 0.51, 0.49], 1: [0.6, 0.3, 0.7, 0.45, 0.5]})
    found = verdict(history, held, test_share=0.25, select="one_standard_error")
    assert found is not None
    assert (found.winner, found.gain.mean, found.gain.degrees) == (0, 0.0, 4)


def test_the_luck_of_the_search_is_that_of_whole_trials_on_as_many_folds() -> None:
    """As a study told from Python may hold; seven folds are no repeats of five, but one of seven."""
    rng = np.random.default_rng(0)
    scores = [noisy(rng, 0.6, 7) for _ in range(6)]
    expected = left_out_optimism(losses(*scores))
    study = Study(SPACE, Objective("r2", "maximize"), "random")
    for told in (*scores, [0.1, 0.2, 0.3]):
        study.tell(study.ask(), told)
    study.history.started.about.update({"final_folds": 5})
    assert expected > 0
    assert search_optimism(study.history) == pytest.approx(expected)
    for _ in range(4):
        lower(study.history, 0.9, folds=7)
    assert search_optimism(study.history) == pytest.approx(expected)


# -- what is said of the winner -------------------------------------------------------------------------------------


def chosen(history: History, folds: int) -> None:
    history.apply(
        ev.WinnerChosen(
            time=3,
            trial=1,
            finalists=[0, 1],
            folds=folds,
            rule="best",
            gain={"mean": 0.1, "degrees": 1.0},
            optimism=0.01,
            refit_gain=0.02,
        )
    )


def test_what_is_expected_of_a_winner_comes_from_the_folds_it_was_chosen_on() -> None:
    history = searched(THREE)
    finish(history, Plan((0, 1), 4, 2), {0: [0.5] * 4, 1: [0.6, 0.62, 0.1, 0.1]})
    chosen(history, folds=2)
    found = assess(history)
    assert found is not None
    assert found.expected == pytest.approx(0.61 - 0.01 + 0.02)
    judged = judge(history, baseline=0.5, on="cv", min_gain=0.0, confidence=0.9)
    assert judged.gain == pytest.approx(found.expected - 0.5)


def test_a_gate_without_a_known_division_of_the_rows_takes_that_of_five_folds() -> None:
    history = searched([[0.5, 0.52, 0.49], [0.6, 0.63, 0.58]])
    history.started.about.clear()
    judged = judge(history, baseline=0.5, on="cv", min_gain=0.0, confidence=0.9)
    optimism = search_optimism(history)
    expected = paired_gain([-0.5] * 3, [optimism - s for s in (0.6, 0.63, 0.58)], test_share=0.25)
    assert judged.bound == pytest.approx(expected.bound(0.9))


@pytest.mark.parametrize("on", ["cv", "holdout"])
@pytest.mark.parametrize("scale", [1.0, 1e160])
def test_a_winner_that_is_the_defaults_fails_the_gate_whatever_was_measured(on: Any, scale: float) -> None:
    history = searched([[0.9 * scale, 0.9 * scale], [0.5 * scale, 0.4 * scale]])
    judged = judge(history, baseline="defaults", on=on, min_gain=0.0, confidence=0.9)
    assert (judged.verdict, judged.gain) == ("fail", 0.0)


def test_of_equals_the_defaults_are_chosen_although_another_is_simpler_by_its_values() -> None:
    history = searched(THREE)
    held = Plan((0, 2), 5, 5)
    finish(history, held, {0: [0.50, 0.52, 0.48, 0.51, 0.49], 2: [0.6, 0.3, 0.7, 0.45, 0.5]})
    default, other = complexities(SPACE, [history.trials[number].values for number in held.finalists])
    assert other < default
    found = verdict(history, held, test_share=0.25, select="one_standard_error")
    assert found is not None
    assert found.winner == 0
