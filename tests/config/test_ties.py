"""Tied parameters: one entry of the space that sets several places."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from hptune.config.load import load
from hptune.config.yaml_dump import dump
from hptune.job import Setup
from hptune.report.best_yaml import best_config
from hptune.space import SearchSpace
from hptune.trial import Measurement, Trial
from hptune.worker.problem import Problem
from tests.config.helpers import PIPELINE, loaded, refused
from tests.config.test_schema import faults

TWO = """\
model:
  pipeline:
    - scale: sklearn.preprocessing.StandardScaler
    - reg:
        class: sklearn.ensemble.VotingRegressor
        params:
          estimators:
            - a: sklearn.linear_model.Ridge
            - b: {class: sklearn.linear_model.Lasso, params: {max_iter: 5000}}
data: {train: 'sklearn:load_diabetes'}
"""
INT = "{type: int, min: 1, max: 2}"
TIED = TWO + "space: {alpha: {type: float, min: 0.1, max: 10, sets: [reg.estimators.a.alpha, reg__b__alpha]}}\n"


def problem(text: str) -> Problem:
    config = loaded(text)
    plain = config.config.model_dump(mode="json", by_alias=True)
    return Problem(
        Setup(model=plain["model"], data=plain["data"], evaluate={}, space=config.space.to_json(), seed=0, folder=".")
    )


def test_one_value_reaches_all_places_under_any_spelling() -> None:
    assert loaded(TIED).space["alpha"].sets == ("reg.estimators.a.alpha", "reg.estimators.b.alpha")
    built = problem(TIED).build({"alpha": 3.0}).named_steps["reg"]
    assert [one.alpha for _, one in built.estimators] == [3.0, 3.0]


def test_a_tied_parameter_survives_json_and_the_resolved_config() -> None:
    space = loaded(TIED).space
    assert SearchSpace.from_json(space.to_json()) == space
    assert loaded(dump(loaded(TIED).resolved)).space == space
    assert faults(TIED) == []


def test_the_winners_file_goes_on_tying(tmp_path: Path) -> None:
    trial = Trial(number=1, values={"alpha": 2.5}, measurements=(Measurement(fold=0, score=1.0),))
    config = best_config(loaded(TIED).resolved, trial, name="best", folder="x")
    (tmp_path / "best.yaml").write_text(dump(config))
    again = load(tmp_path / "best.yaml")
    assert again.space["alpha"].sets == ("reg.estimators.a.alpha", "reg.estimators.b.alpha")
    assert again.space.defaults() == {"alpha": 2.5}


@pytest.mark.parametrize(
    ("sets", "conditions"),
    [
        ("[regressor.ridge.alpha, regressor.lasso.alpha]", ["regressor in ridge, lasso"]),
        ("[regressor.ridge.alpha, regressor.ridge.tol]", ["regressor is ridge"]),
        ("[regressor.ridge.alpha, impute.fill_value]", []),
        ("[regressor.svr.linear.C, regressor.svr.kernel.C]", ["regressor is svr", "regressor.svr in linear, kernel"]),
        ("[regressor.ridge.alpha, regressor.svr.kernel.C]", ["regressor in ridge, svr"]),
    ],
)
def test_it_is_active_wherever_one_of_its_places_is(sets: str, conditions: list[str]) -> None:
    space = loaded(PIPELINE + f"space: {{t: {{type: float, min: 1, max: 2, sets: {sets}}}}}").space
    found = {(c.parameter, c.op, c.value) for c in space["t"].when}
    wanted: set[Any] = set()
    for text in conditions:
        parent, word, values = text.split(" ", 2)
        wanted.add((parent, "eq", values) if word == "is" else (parent, "in", tuple(values.split(", "))))
    assert found == wanted


def test_places_that_narrowing_takes_away_do_not_count() -> None:
    entry = "t: {type: float, min: 1, max: 2, sets: [regressor.ridge.alpha, regressor.lasso.alpha]}"
    space = loaded(PIPELINE + f"space: {{regressor: [lasso, svr], {entry}}}").space
    assert [(c.parameter, c.op, c.value) for c in space["t"].when] == [("regressor", "eq", "lasso")]
    config = loaded(PIPELINE + f"space: {{regressor: svr, {entry}}}")
    assert "t" not in config.space
    assert "regressor is narrowed to svr" in str(config.warnings[0])


@pytest.mark.parametrize(
    ("sets", "said"),
    [
        ("regressor.ridge.alpha", "space.t.sets: expected a list of paths"),
        ("[]", "space.t.sets: expected a list of paths"),
        ("[regressor.rigde.alpha]", "space.t.sets[0]: regressor has no alternative 'rigde'; did you mean 'ridge'?"),
        ("[regressor]", "space.t.sets[0]: regressor names a choose"),
        ("[impute.strategy, impute__strategy]", "space.t.sets[1]: impute.strategy stands here twice"),
        ("[impute.copy]", "space.t.sets[0]: impute.copy is declared under space: itself"),
    ],
)
def test_a_bad_tie_is_told_at_its_key(sets: str, said: str) -> None:
    problems = refused(PIPELINE + f"space: {{impute.copy: true, t: {INT[:-1]}, sets: {sets}}}}}")
    assert any(said in one for one in problems), problems


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("impute.fill_value", "is a path of the model itself: list it under sets"),
        ("scale", "scale names a choose, which can set nothing else"),
    ],
)
def test_the_name_of_a_tie_is_no_path_that_it_does_not_set(name: str, said: str) -> None:
    entry = "{type: choice, values: [passthrough], sets: [impute.strategy]}"
    (problem,) = refused(PIPELINE + f"space: {{{name}: {entry}}}")
    assert said in problem


def test_two_ties_cannot_set_one_place() -> None:
    entry = INT[:-1] + ", sets: [impute.x]}"
    (one, *_) = refused(PIPELINE + f"space: {{s: {entry}, t: {entry}}}")
    assert "impute.x is set by t already: keep one" in one


def test_a_function_has_no_places_to_set() -> None:
    (problem,) = refused("model: {function: 'm:f'}\nspace: {t: {type: int, min: 1, max: 2, sets: [a]}}")
    assert "a function model has no paths to set" in problem


def test_every_place_is_checked_against_its_estimator() -> None:
    text = TWO + "space: {t: {type: float, min: 0.1, max: 10, sets: [reg.a.alpha, reg.b.alhpa, reg.b.positive]}}"
    asked = problem(text)
    _, findings = asked.model.examine(asked.declared, asked.load)
    errors = [(one.key, one.message) for one in findings if one.severity == "error"]
    assert errors[0][0] == "space.t.sets.1"
    assert "did you mean 'alpha'?" in errors[0][1]
    assert errors[1][0] == "space.t"
    assert "Lasso.positive takes true or false" in errors[1][1]


def test_the_default_is_that_of_the_first_place_and_another_is_said() -> None:
    text = TWO + "space: {t: {type: float, min: 1e-5, max: 10, sets: [reg.b.tol, reg.b.alpha]}}"
    asked = problem(text)
    space, findings = asked.model.examine(asked.declared, asked.load)
    assert space.defaults()["t"] == 1e-4
    (found,) = findings
    assert found.severity == "warning"
    assert found.message.startswith("reg.estimators.b.alpha: the estimator's own default is 1.0; the default conf")
