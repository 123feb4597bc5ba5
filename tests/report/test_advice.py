"""Advice: bounds, ties, folds, more trials; and that what is advised to be widened can be."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from hptune.events import StudyStarted
from hptune.objective import Objective
from hptune.report.advice import Advice, AtBound, Stability, advise, at_bounds, outlook, patch, widened
from hptune.space import Choice, Float, Int, Parameter, SearchSpace
from hptune.study import Study
from hptune.trial import Measurement, Trial
from tests import told

C = Float(name="C", low=1e-2, high=1e3, scale="log")


def bounds(parameter: Parameter, value: Any) -> list[AtBound]:
    return at_bounds(SearchSpace((parameter,)), Trial(number=1, values={parameter.name: value}, folds=0))


def test_a_winner_at_a_bound_is_said_in_the_words_of_the_contract() -> None:
    (found,) = bounds(C, 1000.0)
    assert found.text() == "widen C: its best value 1000 is at the upper bound"
    assert (found.side, found.wider) == ("upper", 10000.0)
    (near,) = bounds(C, 990.0)
    assert near.text() == "widen C: its best value 990 is near the upper bound 1000"


@pytest.mark.parametrize("value", [0.5, 500.0, 1.0])
def test_a_winner_inside_is_not_at_a_bound(value: float) -> None:
    assert bounds(C, value) == []


def test_extras_choices_and_inactive_parameters_are_at_no_bound() -> None:
    assert bounds(Float(name="gamma", low=1e-5, high=1, scale="log", extra=("scale", 0)), "scale") == []
    assert bounds(Float(name="gamma", low=1e-5, high=1, scale="log", extra=("scale", 0)), 0) == []
    assert bounds(Choice(name="n", values=(16, 32, 64), ordered=True), 64) == []
    assert at_bounds(SearchSpace((C,)), Trial(number=1, values={}, folds=0)) == []


@pytest.mark.parametrize(
    ("parameter", "side", "wider"),
    [
        (C, "upper", 1e4),
        (C, "lower", 1e-3),
        (Int(name="n", low=10, high=100, scale="log"), "upper", 1000),
        (Int(name="n", low=1, high=100, scale="log"), "lower", None),
        (Int(name="n", low=1, high=9, scale="log", factor=3), "upper", 243),
        (Int(name="n", low=2, high=10), "upper", 14),
        (Int(name="n", low=2, high=10), "lower", 1),
        (Int(name="n", low=1, high=10), "lower", None),
        (Int(name="n", low=32, high=512, step=32), "upper", 512 + 8 * 32),
        (Float(name="x", low=-5, high=5), "lower", -10.0),
        (Float(name="x", low=0, high=1), "upper", None),
        (Float(name="x", low=0, high=1), "lower", None),
        (Float(name="x", low=0.1, high=10), "lower", 0.05),
        (Float(name="b", low=0.5, high=0.999, scale="reverse_log"), "upper", 0.9999),
    ],
    ids=lambda one: getattr(one, "name", None),
)
def test_ranges_go_on_where_there_is_somewhere_to_go(parameter: Float | Int, side: Any, wider: Any) -> None:
    found = widened(parameter, side)
    assert found == pytest.approx(wider) if wider is not None else found is None
    assert isinstance(found, int) == (isinstance(parameter, Int) and wider is not None)


def test_the_patch_holds_only_what_the_config_declares() -> None:
    study = told.study()
    found = [AtBound("alpha", 1e3, 1e3, "upper", 1e4), AtBound("alpha", 1e-4, 1e-4, "lower", 1e-5)]
    assert patch(study.history, found) == {"space": {}}
    config = {"space": {"alpha": {"type": "float", "min": 1e-4, "max": 1e3}, "kernel": ["rbf"]}}
    history = _history(config)
    found.append(AtBound("kernel", 1, 1, "upper", 2))
    assert patch(history, found) == {"space": {"alpha": {"max": 1e4, "min": 1e-5}}}


def _history(config: dict[str, Any], oracle: str = "random") -> Any:
    from hptune.history import History

    return History(
        StudyStarted(
            time=0.0,
            name="x",
            metric="loss",
            direction="minimize",
            space=told.RIDGE.to_json(),
            seed=0,
            config=config,
            oracle={"type": oracle},
        )
    )


def _study(losses: list[list[float]]) -> Study:
    """Return a study of trials with these fold losses, smaller is better."""
    ticks = itertools.count(1.0)
    study = Study(told.RIDGE, Objective("loss", "minimize"), seed=0, clock=lambda: float(next(ticks)))
    for row in losses:
        number = study.ask().number
        for fold, loss in enumerate(row):
            study.score(number, Measurement(fold, loss))
        study.complete(number)
    return study


def test_the_tied_are_those_that_differ_less_than_the_folds_do() -> None:
    study = _study(
        [
            [9.0, 9.1, 9.2, 8.9, 9.0],  # far behind on every fold
            [1.0, 2.0, 3.0, 2.0, 1.0],
            [1.1, 1.9, 3.2, 1.8, 1.2],  # behind on average, ahead on two folds
        ]
    )
    found = advise(study.history)
    assert found.tied == (2,)
    assert "1 configuration cannot be told from the winner" in found.full()
    assert [one.name for one in found.stability] == ["alpha"]
    assert found.stability[0].same == 3


def test_ties_with_the_defaults_are_said() -> None:
    found = advise(_study([[1.1, 1.9, 3.2], [1.0, 2.0, 3.0], [9.0, 8.0, 9.0]]).history)
    assert found.short() == ["1 configuration cannot be told from the winner, the defaults among them"]


def test_the_chance_of_random_search_is_the_theorys_and_others_get_no_promise() -> None:
    trials = [
        Trial(number=n, values={}, folds=1, measurements=(Measurement(0, float(n)),), ended="completed")
        for n in range(40)
    ]
    random = outlook(_history({}), trials)
    assert random == "10 more random trials have a chance of 20% of a better score"  # one score a trial: no folds
    other = outlook(_history({}, "bayesian"), trials)
    assert "on average, a single" in other
    folded = [one.changed(folds=2, measurements=(*one.measurements, Measurement(1, 1.0))) for one in trials]
    assert outlook(_history({}), folded) == f"{random} on these folds"
    assert "on average (the luck of the folds included), a single" in outlook(_history({}, "bayesian"), folded)
    assert "a single search may gain nothing or much more" in other
    assert outlook(_history({}), trials[:7]) == ""


@pytest.mark.parametrize("study", [told.study, told.ridge, told.pipeline])
def test_advice_is_at_most_three_lines_in_short(study: Any) -> None:
    found = advise(study().history)
    assert len(found.short()) <= 3
    assert set(found._told()) <= set(found.full())


def test_a_study_without_a_success_gets_no_advice() -> None:
    study = told.study()
    told.fail(study)
    assert advise(study.history) == Advice()


def test_the_defaults_as_winner_widen_nothing() -> None:
    space = SearchSpace((Float(name="alpha", low=1e-4, high=1e3, scale="log", default=1e3),))
    study = told.study(space, told.R2)
    told.tell(study, 0.9)
    told.tell(study, 0.1)
    assert advise(study.history).bounds == ()


@pytest.mark.parametrize(
    ("values", "said"),
    [
        (("rbf", "rbf"), "kernel=rbf: so has the best on all 2 single folds"),
        (("rbf", "poly", None), "kernel=rbf: so has the best on 1 of the 3 single folds"),
    ],
)
def test_how_a_choice_fares_on_single_folds_is_a_sentence(values: tuple[Any, ...], said: str) -> None:
    assert Stability("kernel", "rbf", values, numeric=False).text() == said
