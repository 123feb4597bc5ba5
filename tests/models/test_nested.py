"""Estimators inside estimators: stacking, voting, transformed targets, bagging, and functions as values."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import pytest
from sklearn.compose import TransformedTargetRegressor
from sklearn.ensemble import AdaBoostRegressor, BaggingRegressor, StackingRegressor, VotingRegressor
from sklearn.linear_model import LinearRegression, Ridge
from sklearn.neighbors import KNeighborsRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from hptune.models import MODELS, model_from
from hptune.parameters import Choice, Float, Int
from hptune.worker.imports import Importer
from hptune.worker.problem import Problem
from hptune.worker.source import Source
from tests.models.houses import by_hand, findings, scores, setup

RIDGE = {"class": "sklearn.linear_model.Ridge"}
KNN = {
    "pipeline": [{"scale": "sklearn.preprocessing.StandardScaler"}, {"knn": "sklearn.neighbors.KNeighborsRegressor"}]
}
STACK = {
    "class": "sklearn.ensemble.StackingRegressor",
    "params": {"estimators": [{"ridge": RIDGE}, {"near": KNN}], "final_estimator": RIDGE, "cv": 3},
}
VOTE = {"class": "sklearn.ensemble.VotingRegressor", "params": {"estimators": [{"ridge": RIDGE}, {"near": KNN}]}}
TARGET = {
    "class": "sklearn.compose.TransformedTargetRegressor",
    "params": {"regressor": RIDGE, "func": {"function": "numpy.log1p"}, "inverse_func": {"function": "numpy.expm1"}},
}
SCALED = {
    "class": "sklearn.compose.TransformedTargetRegressor",
    "params": {"regressor": RIDGE, "transformer": {"class": "sklearn.preprocessing.StandardScaler"}},
}
BAG = {"class": "sklearn.ensemble.BaggingRegressor", "params": {"estimator": RIDGE, "random_state": 0}}
BOOST = {"class": "sklearn.ensemble.AdaBoostRegressor", "params": {"estimator": RIDGE, "random_state": 0}}


def near(n: int = 5) -> Any:
    return make_pipeline(StandardScaler(), KNeighborsRegressor(n_neighbors=n))


CASES: dict[str, tuple[dict[str, Any], dict[str, Any], Any]] = {
    "stacking": (
        STACK,
        {"estimators.ridge.alpha": 9.0, "estimators.near.knn.n_neighbors": 3, "final_estimator.alpha": 0.1},
        StackingRegressor([("ridge", Ridge(alpha=9)), ("near", near(3))], final_estimator=Ridge(alpha=0.1), cv=3),
    ),
    "voting": (
        VOTE,
        {"estimators.ridge.alpha": 9.0, "weights": [2, 1]},
        VotingRegressor([("ridge", Ridge(alpha=9)), ("near", near())], weights=[2, 1]),
    ),
    "a function of the target": (
        TARGET,
        {"regressor.alpha": 9.0},
        TransformedTargetRegressor(Ridge(alpha=9), func=np.log1p, inverse_func=np.expm1),
    ),
    "a transformer of the target": (
        SCALED,
        {"regressor.alpha": 9.0},
        TransformedTargetRegressor(Ridge(alpha=9), transformer=StandardScaler()),
    ),
    "bagging": (BAG, {"estimator.alpha": 9.0}, BaggingRegressor(Ridge(alpha=9), random_state=0)),
    "boosting": (BOOST, {"estimator.alpha": 9.0}, AdaBoostRegressor(Ridge(alpha=9), random_state=0)),
}


def on(model: dict[str, Any]) -> dict[str, Any]:
    """The model behind a step that leaves only the complete numeric columns."""
    return {
        "pipeline": [
            {"prep": {"columns": [{"size": {"select": ["size", "smoker"], "with": "passthrough"}}]}},
            {"reg": model},
        ]
    }


@pytest.mark.parametrize("name", CASES)
def test_a_nested_model_scores_as_the_same_one_built_by_hand(tmp_path: Path, name: str) -> None:
    model, values, estimator = CASES[name]
    asked = setup(tmp_path, on(model))
    from sklearn.compose import ColumnTransformer

    both = make_pipeline(ColumnTransformer([("size", "passthrough", ["size", "smoker"])]), estimator)
    found = scores(asked, {f"reg.{path}": value for path, value in values.items()})
    assert found == pytest.approx(by_hand(asked, both), rel=1e-9)


@pytest.mark.parametrize("name", CASES)
def test_a_nested_model_is_exported_as_code_that_builds_it_again(name: str) -> None:
    estimator = CASES[name][2]
    source = Source()
    code = source.expression(estimator)
    names: dict[str, Any] = {}
    exec("\n".join(source.imports()), names)
    assert repr(eval(code, names)) == repr(estimator)


@pytest.mark.parametrize("name", CASES)
def test_a_nested_models_dump_and_schema_agree_with_it(name: str) -> None:
    model = CASES[name][0]
    made = model_from(model)
    assert model_from(json.loads(json.dumps(made.model_dump(mode="json")))) == made
    jsonschema.validate(model, MODELS["class"].model_json_schema())


def test_a_probe_finds_nothing_wrong_with_stacking_and_its_defaults_are_the_estimators(tmp_path: Path) -> None:
    space = (
        Float(name="reg.estimators.ridge.alpha", low=0.1, high=10),
        Int(name="reg.estimators.near.knn.n_neighbors", low=1, high=9),
    )
    asked = setup(tmp_path, on(STACK), *space)
    assert [one.message for one in findings(asked, probe=True) if "dropped" not in one.message] == []
    examined, _ = Problem(asked).model.examine(Problem(asked).declared, Problem(asked).load)
    assert examined.defaults() == {"reg.estimators.ridge.alpha": 1.0, "reg.estimators.near.knn.n_neighbors": 5}


def test_an_estimator_of_an_ensemble_may_be_chosen_or_dropped(tmp_path: Path) -> None:
    member = {"choose": {"near": KNN, "none": "drop"}}
    vote = {**VOTE, "params": {"estimators": [{"ridge": RIDGE}, {"near": member}]}}
    asked = setup(tmp_path, on(vote), Choice(name="reg.estimators.near", values=("near", "none")))
    problem = Problem(asked)
    assert problem.estimators.variants() == [{}, {"reg.estimators.near": "none"}]
    assert problem.build({"reg.estimators.near": "none"}).named_steps["reg"].estimators[1] == ("near", "drop")
    found = scores(asked, {"reg.estimators.near": "none"})
    assert found == pytest.approx(scores(setup(tmp_path, on(RIDGE)), {}), rel=1e-9)


def test_every_forest_of_a_stack_gets_a_seed_of_its_own(tmp_path: Path) -> None:
    forest = {"class": "sklearn.ensemble.RandomForestRegressor"}
    stack = {**STACK, "params": {"estimators": [{"a": forest}, {"b": forest}]}}
    made = Problem(setup(tmp_path, stack)).build({})
    seeds = [one.random_state for _, one in made.estimators]
    assert all(isinstance(one, int) for one in seeds)
    assert len(set(seeds)) == 2
    fixed = {"class": forest["class"], "params": {"random_state": None}}
    stack = {**STACK, "params": {"estimators": [{"a": fixed}]}}
    assert Problem(setup(tmp_path, stack)).build({}).estimators[0][1].random_state is None


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("estimators.rigde.alpha", "no estimator 'rigde' in estimators; did you mean 'ridge'?"),
        ("estimators", "names a list of estimators; name a parameter of a estimator (ridge, near)"),
    ],
)
def test_a_path_into_a_list_that_leads_nowhere_is_refused(path: str, said: str) -> None:
    with pytest.raises(ValueError) as caught:
        model_from(STACK).conditions_for(path)
    assert said in str(caught.value)


def test_scikit_learns_own_spelling_of_a_stacks_parameter_is_understood() -> None:
    from hptune.models.node_model import NodeModel

    made = model_from({"pipeline": [{"stack": STACK}]})
    assert isinstance(made, NodeModel)
    for spelled in ("stack__ridge__alpha", "stack.ridge.alpha", "stack.estimators.ridge.alpha"):
        assert made.canonical(spelled) == "stack.estimators.ridge.alpha"
    assert made.canonical("stack__near__knn__p") == "stack.estimators.near.knn.p"
    assert made.canonical("stack__cv") == "stack.cv"
    assert made.canonical("nowhere__x") == "nowhere.x"


def test_a_misspelt_parameter_inside_is_told_with_its_own_key(tmp_path: Path) -> None:
    space = (
        Float(name="reg.estimators.ridge.alhpa", low=1, high=2),
        Float(name="reg.final_estimator.alpha", low=-1, high=2),
    )
    errors = {one.key: one.message for one in findings(setup(tmp_path, on(STACK), *space)) if one.severity == "error"}
    assert set(errors) == {"space.reg.estimators.ridge.alhpa", "space.reg.final_estimator.alpha.min"}
    assert "did you mean 'alpha'?" in errors["space.reg.estimators.ridge.alhpa"]


def test_a_class_written_as_text_where_an_estimator_belongs_is_told_with_the_mend(tmp_path: Path) -> None:
    stack = {**STACK, "params": {**STACK["params"], "final_estimator": "sklearn.linear_model.Ridge"}}
    (found,) = [one for one in findings(setup(tmp_path, on(stack))) if one.severity == "error"]
    assert found.message.endswith("if you mean the class, write {class: sklearn.linear_model.Ridge}")


def test_functions_may_be_chosen_among() -> None:
    select = {
        "class": "sklearn.feature_selection.SelectKBest",
        "params": {
            "score_func": {
                "choose": [
                    {"function": "sklearn.feature_selection.f_regression"},
                    {"function": "sklearn.feature_selection.mutual_info_regression"},
                ]
            }
        },
    }
    made = model_from({"pipeline": [{"select": select}, {"lin": "sklearn.linear_model.LinearRegression"}]})
    (point,) = made.choices()
    assert (point.path, point.names) == ("select.score_func", ("f_regression", "mutual_info_regression"))
    assert [name for key, name in made.imports() if key.endswith(".function")] == [
        "sklearn.feature_selection.f_regression",
        "sklearn.feature_selection.mutual_info_regression",
    ]
    load = Importer("/nowhere")
    from hptune.model import EstimatorModel
    from hptune.space import SearchSpace

    assert isinstance(made, EstimatorModel)
    built = made.build({"select.score_func": "mutual_info_regression"}, space=SearchSpace(()), seed=0, load=load)
    assert built.named_steps["select"].score_func.__name__ == "mutual_info_regression"
    assert isinstance(built.named_steps["lin"], LinearRegression)


def test_a_function_is_no_step() -> None:
    with pytest.raises(ValueError, match=r"FunctionTransformer, params: \{func: \{function: numpy.log1p\}\}"):
        model_from({"pipeline": [{"log": {"function": "numpy.log1p"}}, {"r": RIDGE}]})
