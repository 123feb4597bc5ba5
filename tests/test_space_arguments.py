"""What `SearchSpace` may be given: parameters in any iterable, constraints as a config writes them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import hptune
from hptune.conditions import Condition, Forbid, Require
from hptune.errors import UsageError
from hptune.space import Choice, Float, Int, SearchSpace

A, B = Int(name="a", low=0, high=3), Int(name="b", low=0, high=3)


def test_parameters_come_in_any_iterable() -> None:
    made = SearchSpace((A, B))
    assert SearchSpace([A, B]) == SearchSpace(iter((A, B))) == SearchSpace({A: 1, B: 2}.keys()) == made
    assert SearchSpace(Int(name=name, low=0, high=3) for name in "ab") == made
    assert hash(SearchSpace([A, B])) == hash(made)
    assert SearchSpace([Choice(name="c", values=np.array([1, 2])), A]).defaults() == {"c": 1, "a": 2}


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (A, r"expected a list of parameters such as \[hptune.Float\(.*found Int\("),
        ({"a": A, "b": B}, r"found a mapping; each carries its name itself: list\(parameters.values\(\)\)"),
        (["a"], "found 'a' in it"),
        ("ab", "found 'ab'"),
        (None, "found None"),
        ([[A, B]], r"found \[Int\("),
    ],
)
def test_what_is_no_list_of_parameters_is_said(given: Any, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        SearchSpace(given)


def test_constraints_are_written_as_in_a_config() -> None:
    made = SearchSpace([A, B], ["a < b", {"require": "a != 2"}, {"forbid": {"a": 1, "b": [2, 3]}}])
    assert made.constraints == (
        Require("a < b"),
        Require("a != 2"),
        Forbid((Condition("a", "eq", 1), Condition("b", "in", (2, 3)))),
    )
    assert [tuple(one.values()) for one in made.listed()] == [(0, 1), (0, 2), (0, 3)]
    assert SearchSpace.from_json(made.to_json()) == made
    assert SearchSpace([A, B], made.constraints) == made


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("a < b", r"constraints: expected a list such as \['a < b'\], found 'a < b'"),
        ({"require": "a < b"}, "constraints: expected a list"),
        (3, "constraints: expected a list"),
        ([{"forbid": {}}], "expected text such as 'a < b', .* found {'forbid': {}}"),
        ([{"forbid": {"a": 1}, "require": "a < b"}], "expected text such as"),
        ([{"require": "a < b", "forbid": {"a": 1}}], "expected text such as"),
        ([3], "expected text such as .* found 3"),
        (["a <"], "is not an expression"),
        (["a < c"], "no parameter 'c'"),
        ([{"forbid": {"c": 1}}], "no parameter 'c'"),
        ([{"forbid": {"a": 7}}], "expected 0 to 3, found 7"),
        ([{"forbid": {"a": {"above": 7}}}], "a: expected gt, ge"),
    ],
)
def test_what_is_no_constraint_is_said(given: Any, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        SearchSpace([A, B], given)


def test_a_study_keeps_them() -> None:
    study = hptune.Study(SearchSpace([A, B], ["a < b"]), "loss", "random", starts=[{"a": 0, "b": 1}])
    for _ in range(5):
        trial = study.ask()
        study.tell(trial, 1.0)
        assert trial.number == 0 or trial.values["a"] < trial.values["b"]  # trial 0 is the defaults


@pytest.mark.parametrize("scores", [(1, 2), [1, 2], np.array([1.0, 2.0]), map(int, "12"), {"x": 1, "y": 2}.values()])
def test_scores_come_in_any_iterable(scores: Any) -> None:
    study = hptune.Study(SearchSpace([Float(name="x", low=0, high=1)]), "loss", "random")
    assert study.tell(study.ask(), scores).scores == (1.0, 2.0)


@pytest.mark.parametrize("score", ["12", b"12", {"other": 1.0}, [True], np.zeros((1, 1)), [[1.0]], 1j])
def test_what_is_no_score_is_refused_and_the_trial_stays_open(score: Any) -> None:
    study = hptune.Study(SearchSpace([Float(name="x", low=0, high=1)]), "loss", "random")
    trial = study.ask()
    with pytest.raises(UsageError, match="score: expected"):
        study.tell(trial, score)
    assert study.tell(trial, {"loss": 1.0}).scores == (1.0,)


def test_a_number_beyond_all_floats_fails_the_trial() -> None:
    study = hptune.Study(SearchSpace([Float(name="x", low=0, high=1)]), "loss", "random")
    assert study.tell(study.ask(), 10**400).status == "failed"
