"""Building estimators from values, and comparing a space with their parameters."""

from __future__ import annotations

from typing import Any

import pytest

from hptune.job import Finding
from hptune.model import EstimatorModel
from hptune.models import model_from
from hptune.space import Choice, Fixed, Float, Int, Parameter, SearchSpace
from hptune.worker.imports import Importer
from tests.models.test_nodes import PIPELINE
from tests.worker.problems import SAMPLES

NOWHERE = SearchSpace(())


def estimator(model: dict[str, Any], values: dict[str, Any] | None = None, seed: int = 0) -> Any:
    spec = model_from(model)
    assert isinstance(spec, EstimatorModel)
    return spec.build(values or {}, space=NOWHERE, seed=seed, load=Importer(str(SAMPLES)))


def examined(model: dict[str, Any], *space: Parameter) -> tuple[SearchSpace, list[Finding]]:
    return model_from(model).examine(SearchSpace(space), Importer(str(SAMPLES)))


def test_values_reach_the_class_and_params_fill_the_rest() -> None:
    svr = estimator(
        {"class": "sklearn.svm.SVR", "params": {"C": 3, "kernel": "poly"}}, {"kernel": "rbf", "gamma": 0.5}
    )
    assert (svr.C, svr.kernel, svr.gamma) == (3, "rbf", 0.5)


def test_a_choice_picks_its_alternative_and_the_first_without_a_value() -> None:
    first = estimator(PIPELINE)
    assert [type(step).__name__ for _, step in first.steps] == ["SimpleImputer", "StandardScaler", "Ridge"]
    values = {
        "impute.strategy": "median",
        "scale": "passthrough",
        "regressor": "bag",
        "regressor.bag.estimator.C": 9.0,
        "regressor.ridge.alpha": 5.0,  # of an alternative not taken: ignored
    }
    other = estimator(PIPELINE, values)
    assert other.get_params()["impute__strategy"] == "median"
    assert other.named_steps["scale"] == "passthrough"
    assert type(other.named_steps["regressor"]).__name__ == "BaggingRegressor"
    assert other.named_steps["regressor"].estimator.C == 9.0


def test_paths_reach_into_default_estimators_of_a_class() -> None:
    voting = {
        "class": "sklearn.compose.TransformedTargetRegressor",
        "params": {"regressor": {"class": "sklearn.svm.SVR"}},
    }
    assert estimator(voting, {"regressor.C": 4}).regressor.C == 4
    kernel = {
        "class": "sklearn.calibration.CalibratedClassifierCV",
        "params": {"estimator": {"class": "sklearn.svm.SVC"}},
    }
    assert estimator(kernel, {"estimator.kernel": "linear"}).estimator.kernel == "linear"


def test_every_free_random_state_gets_a_seed_of_its_own_that_depends_on_the_seed_only() -> None:
    model = {
        "class": "sklearn.ensemble.BaggingRegressor",
        "params": {"estimator": {"class": "sklearn.tree.DecisionTreeRegressor"}},
    }
    one, again, other = (
        estimator(model, seed=1),
        estimator(model, {"n_estimators": 3}, seed=1),
        estimator(model, seed=2),
    )
    for built in (one, again, other):
        assert 0 <= built.random_state < 2**31
        assert built.random_state != built.estimator.random_state is not None
    assert (one.random_state, one.estimator.random_state) == (again.random_state, again.estimator.random_state)
    assert one.random_state != other.random_state


def test_a_random_state_that_the_config_or_the_space_fixes_stays() -> None:
    forest = "sklearn.ensemble.RandomForestRegressor"
    assert estimator({"class": forest, "params": {"random_state": 3}}).random_state == 3
    assert estimator({"class": forest, "params": {"random_state": None}}).random_state is None
    assert estimator({"class": forest}, {"random_state": 5}).random_state == 5


def test_lists_become_tuples_only_where_the_class_wants_tuples() -> None:
    tfidf = estimator({"class": "sklearn.feature_extraction.text.TfidfVectorizer"}, {"ngram_range": [1, 2]})
    assert tfidf.ngram_range == (1, 2)
    mlp = estimator({"class": "sklearn.neural_network.MLPRegressor"}, {"hidden_layer_sizes": [5, 5]})
    assert mlp.hidden_layer_sizes == (5, 5)
    inside = {
        "class": "sklearn.ensemble.BaggingRegressor",
        "params": {"estimator": {"class": "sklearn.neural_network.MLPRegressor"}},
    }
    assert estimator(inside, {"estimator.hidden_layer_sizes": [3]}).estimator.hidden_layer_sizes == (3,)
    grid = estimator({"class": "sklearn.preprocessing.OneHotEncoder"}, {"categories": [["a", "b"]]})
    assert grid.categories == [["a", "b"]]


def test_an_estimator_cannot_change_the_config() -> None:
    spec = model_from({"class": "sklearn.svm.SVC", "params": {"class_weight": {"a": 1}}})
    assert isinstance(spec, EstimatorModel)
    load = Importer(str(SAMPLES))
    spec.build({}, space=NOWHERE, seed=0, load=load).class_weight["a"] = 99
    assert spec.build({}, space=NOWHERE, seed=0, load=load).class_weight == {"a": 1}


def test_the_estimators_defaults_become_the_spaces() -> None:
    space, findings = examined(
        PIPELINE,
        Choice(name="impute.strategy", values=("median", "mean")),
        Float(name="regressor.ridge.alpha", low=0.1, high=100, scale="log"),
        Float(name="regressor.bag.estimator.C", low=0.1, high=100, scale="log"),
        Int(name="regressor.bag.n_estimators", low=1, high=9, default=4),
    )
    assert findings == []
    defaults = {p.name: p.default_value for p in space}
    assert defaults == {
        "impute.strategy": "mean",
        "regressor.ridge.alpha": 1.0,
        "regressor.bag.estimator.C": 3.0,  # its `params`, not the class's own
        "regressor.bag.n_estimators": 4,
    }


def test_a_default_outside_the_range_is_clipped_and_said() -> None:
    space, (finding,) = examined({"class": "sklearn.svm.SVR"}, Float(name="C", low=2, high=5))
    assert space["C"].default_value == 2.0
    assert finding.severity == "warning"
    assert finding.key == "space.C"
    assert "own default 1.0 is not in the range; the default configuration takes 2.0" in finding.message


def test_a_default_of_none_outside_the_range_is_said_with_the_mend() -> None:
    tree = {"class": "sklearn.tree.DecisionTreeRegressor"}
    _, (finding,) = examined(tree, Int(name="max_depth", low=2, high=5))
    assert "own default null is not in the range" in finding.message
    assert "`extra: [null]`" in finding.message
    space, findings = examined(tree, Int(name="max_depth", low=2, high=5, extra=(None,)))
    assert findings == []
    assert space["max_depth"].default_value is None


@pytest.mark.parametrize(
    ("params", "meant"), [({}, "l2"), ({"l1_ratio": 1}, "l1"), ({"l1_ratio": 0.5}, "elasticnet")]
)
def test_a_default_that_stands_for_not_given_is_what_the_estimator_then_does(
    params: dict[str, Any], meant: str
) -> None:
    model = {"class": "sklearn.linear_model.LogisticRegression", "params": {"solver": "saga", **params}}
    space, findings = examined(model, Choice(name="penalty", values=("l1", "elasticnet", "l2")))
    assert space["penalty"].default_value == meant
    assert [one for one in findings if "default" in one.message] == []
    _, findings = examined(model, Choice(name="penalty", values=(None, "other")))
    assert any(f"own default {meant!r} is not among the values" in one.message for one in findings)


def test_a_default_that_stands_for_a_rule_of_its_own_is_said_not_to_be_the_baseline() -> None:
    model = {"class": "sklearn.linear_model.LogisticRegressionCV"}
    scoring = Choice(name="scoring", values=("accuracy", "f1"))
    _, findings = examined(model, scoring)
    (finding,) = [one for one in findings if "default" in one.message]
    assert (finding.key, finding.severity) == ("space.scoring", "warning")
    assert "which is no value of the range; the default configuration takes 'accuracy'" in finding.message
    assert examined(model, Choice(name="scoring", values=("accuracy", "f1"), default="f1"))[1] == []


@pytest.mark.parametrize("nested", [False, True])
def test_a_seed_that_hptune_drew_is_not_said_to_be_the_estimators_default(nested: bool) -> None:
    tree: dict[str, Any] = {"class": "sklearn.tree.DecisionTreeRegressor"}
    model = {"class": "sklearn.ensemble.BaggingRegressor", "params": {"estimator": tree}} if nested else tree
    name = "estimator.random_state" if nested else "random_state"
    space, findings = examined(model, Choice(name=name, values=(1, 2)))
    assert (space[name].default_value, findings) == (1, [])


RIDGE = {"class": "sklearn.linear_model.Ridge"}
SVR_TYPO = {"class": "sklearn.svm.SVR", "params": {"kernl": "rbf"}}
BAG_TYPO = {"class": "sklearn.ensemble.BaggingRegressor", "params": {"estimator": {"class": "sklearn.svm.SVRR"}}}


@pytest.mark.parametrize(
    ("model", "name", "key", "said"),
    [
        (RIDGE, "alhpa", "space.alhpa", "Ridge has no parameter 'alhpa'; did you mean 'alpha'?"),
        (PIPELINE, "regressor.ridge.alhpa", "space.regressor.ridge.alhpa", "'alpha'? (it has alpha, copy_X"),
        (PIPELINE, "regressor.bag.estimator.c", "space.regressor.bag.estimator.c", "SVR has no parameter 'c'"),
        (PIPELINE, "regresor.ridge.alpha", "space.regresor.ridge.alpha", "did you mean 'regressor'?"),
        (SVR_TYPO, "C", "model.params.kernl", "SVR has no parameter 'kernl'; did you mean 'kernel'?"),
        (BAG_TYPO, "n_estimators", "model.params.estimator.class", "has no 'SVRR'; did you mean 'SVR'?"),
    ],
)
def test_a_name_that_no_estimator_has_is_an_error_at_its_key(
    model: dict[str, Any], name: str, key: str, said: str
) -> None:
    findings = examined(model, Fixed(name=name, value=1))[1]
    (finding,) = [one for one in findings if one.severity == "error"]
    assert finding.key == key
    assert said in finding.message


def test_all_wrong_names_are_told_at_once() -> None:
    _, findings = examined(
        PIPELINE, *(Fixed(name=f"regressor.ridge.{name}", value=1) for name in ("a", "b", "alpha"))
    )
    assert [one.key for one in findings] == ["space.regressor.ridge.a", "space.regressor.ridge.b"]


FOREST = {"class": "sklearn.ensemble.RandomForestRegressor"}
LISTED = "write `default:` to choose another, or list the values with 1.0 among them"
ADDED = "add 1.0 to the values, or put another value first"


@pytest.mark.parametrize(
    ("parameter", "taken", "where", "mend"),
    [
        (Int(name="max_features", low=1, high=10), 6, "in the range", LISTED),
        (Choice(name="max_features", values=(2, 1, "sqrt")), 2, "among the values", ADDED),
        (Int(name="max_features", low=1, high=10, extra=("sqrt",)), 6, "in the range", LISTED),
    ],
)
def test_a_share_of_one_does_not_become_the_count_one(
    parameter: Parameter, taken: int, where: str, mend: str
) -> None:
    space, [finding] = examined(FOREST, parameter)  # 1.0 is all of the features, 1 a single one
    assert space.defaults()["max_features"] == taken
    assert finding.severity == "warning"
    assert finding.message == (
        f"the estimator's own default 1.0 is not {where}, as the float that it is; the default configuration "
        f"takes {taken} ({mend})"
    )


def test_a_count_of_one_does_not_become_the_share_of_one() -> None:
    _, [finding] = examined(
        {"class": "sklearn.feature_extraction.text.CountVectorizer"}, Float(name="min_df", low=0.1, high=1.0)
    )
    assert "own default 1 is not in the range, as the whole number that it is" in finding.message


@pytest.mark.parametrize(
    ("model", "parameter", "own"),
    [
        (FOREST, Choice(name="max_features", values=(1, 1.0, "sqrt")), 1.0),
        (FOREST, Float(name="max_features", low=0.1, high=1.0), 1.0),
        (FOREST, Float(name="ccp_alpha", low=1e-3, high=1e3, scale="log", extra=(0,)), 0),
        ({"class": "sklearn.neighbors.KNeighborsRegressor"}, Int(name="n_neighbors", low=1, high=10), 5),
        ({"class": "sklearn.svm.SVR"}, Int(name="C", low=1, high=10), 1),  # a number, whole or not
        ({"class": "sklearn.svm.SVR"}, Choice(name="C", values=(10, 1)), 1),
        ({"class": "sklearn.linear_model.HuberRegressor"}, Choice(name="fit_intercept", values=(False, True)), True),
        ({"class": "sklearn.linear_model.ARDRegression"}, Float(name="threshold_lambda", low=1, high=1e5), 1e4),
        ({"class": "sklearn.linear_model.Ridge", "params": {"alpha": 3}}, Float(name="alpha", low=1, high=9), 3.0),
    ],
)
def test_an_own_default_of_the_same_meaning_is_taken_in_silence(
    model: dict[str, Any], parameter: Parameter, own: Any
) -> None:
    space, findings = examined(model, parameter)
    found = space.defaults()[parameter.name]
    assert (found, type(found)) == (own, type(own))
    assert [one for one in findings if "own default" in one.message] == []
