"""What an inspection finds: the facts of a problem, and every fault at its config key."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from hptune.job import Finding, Inspection, Job, Setup
from hptune.space import Choice, Fixed, Float, SearchSpace
from hptune.worker.service import Service
from tests.worker.problems import DIABETES, IRIS, RIDGE, SAMPLES, SYNTHETIC, setup

SVC = {"class": "sklearn.svm.SVC"}


def inspect(problem: Setup) -> Inspection:
    outcome = Service(problem).run(Job(kind="inspect"))
    assert outcome.failure is None
    assert outcome.answer is not None
    return Inspection.from_json(json.loads(json.dumps(outcome.answer, allow_nan=False)))


def only(problem: Setup) -> Finding:
    (finding,) = inspect(problem).findings
    return finding


def test_the_facts_of_a_problem() -> None:
    evaluate = {"metric": "neg_log_loss", "cv": {"type": "repeated_stratified", "folds": 3, "repeats": 2}}
    space = (Float(name="C", low=0.01, high=100, scale="log"),)
    model = {"class": "sklearn.linear_model.LogisticRegression"}
    found = inspect(setup(model, {**IRIS, "holdout": {"fraction": 0.2}}, evaluate, space))
    assert found.findings == ()
    assert (found.task, found.metric, found.direction) == ("classification", "neg_log_loss", "maximize")
    assert (found.folds, found.rows, found.features, found.holdout_rows) == (6, 120, 4, 30)
    assert len(found.data_hash) == 64
    assert SearchSpace.from_json(found.space).defaults() == {"C": 1.0}
    assert {"python", "platform", "hptune", "numpy", "scikit-learn"} <= set(found.versions)


def test_the_default_metric_is_the_estimators_own() -> None:
    assert inspect(setup(SVC, IRIS)).metric == "accuracy"
    assert inspect(setup(RIDGE, DIABETES)).metric == "r2"


METRIC, CV_ = "evaluate.metric", "evaluate.cv"
SCALER = {"class": "sklearn.preprocessing.StandardScaler"}
KMEANS = {"class": "sklearn.cluster.KMeans"}
ABSOLUTE = {"metric": "sample_objectives:absolute"}
GETCWD = {"metric": "os:getcwd", "direction": "minimize"}
PREDEFINED = {"cv": {"type": "predefined", "column": "f"}}
BAD_PARAMS = {"class": "sklearn.svm.SVC", "params": {"c": 1}}


@pytest.mark.parametrize(
    ("model", "data", "evaluate", "key", "said"),
    [
        (RIDGE, DIABETES, {"metric": "r22"}, METRIC, "scikit-learn scorer, found 'r22'; did you mean 'r2'?"),
        (RIDGE, DIABETES, {"metric": "rmse"}, METRIC, "did you mean 'neg_root_mean_squared_error'?"),
        (RIDGE, DIABETES, {"metric": "zzz"}, METRIC, "or a function pkg.mod:name with `direction:`"),
        (RIDGE, DIABETES, {"metric": "accuracy"}, METRIC, "accuracy is for classification, this is regression"),
        (SVC, IRIS, {"metric": "r2"}, METRIC, "r2 is for regression, this is classification; take accuracy"),
        (SVC, IRIS, {"also": ["accuracy", "f2"]}, "evaluate.also.1", "found 'f2'"),
        (SVC, IRIS, {"metric": "f1"}, METRIC, "f1 cannot score this target: Target is multiclass"),
        (SVC, IRIS, {"metric": "neg_log_loss"}, METRIC, "neg_log_loss needs predict_proba, which SVC does not"),
        (SVC, IRIS, {"direction": "minimize"}, "evaluate.direction", "scorers are maximized (accuracy: more"),
        (RIDGE, DIABETES, ABSOLUTE, "evaluate.direction", "expected maximize or minimize"),
        (RIDGE, DIABETES, GETCWD, METRIC, "--allow-import os"),
        (SVC, IRIS, {"cv": {"type": "group", "folds": 3}}, CV_, "group: needs data.groups"),
        (SVC, IRIS, {"cv": 60}, CV_, "stratified: n_splits=60 cannot be greater"),
        (SVC, IRIS, PREDEFINED, "evaluate.cv.column", "has no column of fold numbers"),
        (RIDGE, None, {}, "data", "a class model needs data"),
        (SVC, SYNTHETIC, {}, "data", "the model is a classifier, the target holds 60 different real numbers"),
        (SVC, {"train": "sklearn:load_irs"}, {}, "data.train", "did you mean 'sklearn:load_iris'?"),
        (SVC, {"trian": "t.csv"}, {}, "data", "did you mean 'train'?"),
        ({"clas": "sklearn.svm.SVC"}, IRIS, {}, "model", "did you mean 'class'?"),
        ({"class": "sklearn.svm.SVCC"}, IRIS, {}, "model.class", "did you mean 'SVC'?"),
        (BAD_PARAMS, IRIS, {}, "model.params.c", "SVC has no parameter 'c'"),
        ({"choose": [RIDGE, SVC]}, DIABETES, {}, "model", "SVC is for classification, the other models for"),
        (SCALER, DIABETES, {}, "model", "must predict, StandardScaler does not"),
        (KMEANS, DIABETES, {}, "model", "must predict the target, KMeans numbers clusters and never learns it"),
        ({"pipeline": [{"k": KMEANS}]}, IRIS, {}, "model", "KMeans numbers clusters"),
        ({"hypermodel": "sample_models:NoBuild"}, IRIS, {}, "model.hypermodel", "has no method build(hp)"),
        ({"hypermodel": "sample_models:raises"}, IRIS, {}, "model.hypermodel", "RuntimeError: no build today"),
    ],
)
def test_a_fault_is_an_error_at_its_key(
    model: dict[str, Any], data: dict[str, Any] | None, evaluate: dict[str, Any], key: str, said: str
) -> None:
    finding = only(setup(model, data, evaluate))
    assert (finding.key, finding.severity) == (key, "error")
    assert said in finding.message


def test_numbers_that_look_like_a_regression_are_a_warning_for_a_classifier() -> None:
    target, folds = inspect(setup(SVC, DIABETES, {"cv": 3})).findings
    assert (target.key, target.severity, folds.severity) == ("data", "warning", "warning")
    assert target.message.endswith("the target holds 214 different numbers: is it a regression?")
    assert folds.message.endswith("more classes")


def test_faults_of_model_space_and_data_are_told_together() -> None:
    model = {"pipeline": [{"scale": "sklearn.preprocessing.StandardScalr"}, {"svc": SVC}]}
    problem = setup(model, {"train": "none.csv", "target": "y"}, space=(Fixed(name="svc.c", value=1),))
    assert [one.key for one in inspect(problem).findings] == [
        "model.pipeline.0.scale.class",
        "space.svc.c",
        "data.train",
    ]


def test_a_default_that_is_clipped_is_a_warning() -> None:
    found = inspect(setup(SVC, IRIS, space=(Float(name="C", low=2, high=5),)))
    (finding,) = found.findings
    assert (finding.key, finding.severity) == ("space.C", "warning")
    assert SearchSpace.from_json(found.space).defaults() == {"C": 2.0}
    assert found.folds == 5


def test_every_alternative_is_looked_at() -> None:
    model = {
        "choose": ["sklearn.linear_model.LogisticRegression", "sklearn.svm.SVC", "sklearn.linear_model.Perceptron"]
    }
    space = (Choice(name="model", values=("LogisticRegression", "SVC", "Perceptron")),)
    found = inspect(setup(model, IRIS, {"metric": "neg_log_loss"}, space))
    assert [one.message.split(" which ")[1] for one in found.findings] == [
        "SVC does not have (with model: SVC)",
        "Perceptron does not have (with model: Perceptron)",
    ]


# -- tables ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def table(tmp_path: Path) -> dict[str, Any]:
    lines = ["g,text,gap,x,y"]
    lines += [
        f"{i // 4},{'ab'[i // 2 % 2]},{'' if i == 3 else i % 7},{i * i % 31 / 2},{'pq'[i % 2] if i > 2 else 'rare'}"
        for i in range(40)
    ]
    (tmp_path / "t.csv").write_text("\n".join(lines) + "\n")
    return {"data": {"train": "t.csv", "target": "y"}, "folder": str(tmp_path)}


def on(table: dict[str, Any], model: dict[str, Any], evaluate: dict[str, Any] | None = None, **data: Any) -> Setup:
    return setup(model, {**table["data"], **data}, evaluate or {"cv": 3}, folder=table["folder"])


def test_text_and_gaps_that_a_lone_estimator_refuses_are_errors(table: dict[str, Any]) -> None:
    assert only(on(table, SVC)).message.startswith("SVC takes numbers only, text in text; encode them")
    finding = only(on(table, SVC, drop=["text"]))
    assert (finding.key, finding.message) == (
        "data.train",
        "SVC takes no missing values, there are some in gap; impute them in a pipeline step",
    )
    boosting = {"class": "sklearn.ensemble.HistGradientBoostingClassifier"}
    assert inspect(on(table, boosting, drop=["text"])).findings == ()
    imputed = {"pipeline": [{"impute": "sklearn.impute.SimpleImputer"}, {"svc": SVC}]}
    assert inspect(on(table, imputed, drop=["text"])).findings == ()


def test_classes_rarer_than_the_folds_are_a_warning(table: dict[str, Any]) -> None:
    finding = only(on(table, SVC, {"cv": 4}, drop=["text", "gap"]))
    assert (finding.key, finding.severity) == ("evaluate.cv", "warning")
    assert finding.message.endswith("the 4 folds are missing from some of them: 'rare' (3)")


def test_groups_that_the_folds_ignore_are_a_warning(table: dict[str, Any]) -> None:
    clean = {"drop": ["text", "gap"], "groups": "g"}
    finding = only(on(table, SVC, {"cv": {"type": "stratified", "folds": 3}}, **clean))
    assert (finding.key, finding.severity) == ("evaluate.cv", "warning")
    assert "data.groups is declared, but stratified puts rows of one group into training and test" in finding.message
    assert inspect(on(table, SVC, {"cv": 3}, **clean)).folds == 3


@pytest.mark.parametrize("cv", ["time_series", "kfold", "repeated_kfold", "predefined", "single_split"])
def test_folds_and_a_holdout_that_divide_groups_are_warnings_for_every_kind(cv: str, tmp_path: Path) -> None:
    lines = [f"{i % 3},{i % 2},{i * 7 % 11},{i}" for i in range(60)]
    (tmp_path / "t.csv").write_text("\n".join(["g,fold,x,y", *lines]) + "\n")
    more = {"predefined": {"column": "fold"}, "single_split": {"shuffle": False}}.get(cv, {})
    evaluate = {"metric": "r2", "cv": {"type": cv, **more}}
    data = {"train": "t.csv", "target": "y", "groups": "g", "holdout": {"fraction": 0.2, "shuffle": False}}
    folds, held = inspect(setup(RIDGE, data, evaluate, folder=str(tmp_path))).findings
    assert (folds.key, folds.severity) == ("evaluate.cv", "warning")
    assert f"{cv} puts rows of one group into training and test (" in folds.message
    assert (held.key, held.severity) == ("data.holdout", "warning")
    assert "12 of the holdout's 12 rows (the last ones) are of groups that the search sees too" in held.message


def test_divisions_that_keep_groups_together_are_no_warning(tmp_path: Path) -> None:
    lines = [f"{i // 10},{i // 20},{i * 7 % 11},{i}" for i in range(60)]
    (tmp_path / "t.csv").write_text("\n".join(["g,fold,x,y", *lines]) + "\n")
    data = {"train": "t.csv", "target": "y", "groups": "g", "holdout": {"fraction": 1 / 6, "shuffle": False}}
    evaluate = {"metric": "r2", "cv": {"type": "predefined", "column": "fold"}}
    assert inspect(setup(RIDGE, data, evaluate, folder=str(tmp_path))).findings == ()


def test_a_regressor_wants_numbers_as_target(table: dict[str, Any]) -> None:
    finding = only(on(table, RIDGE, drop=["text", "gap"]))
    assert (finding.key, finding.severity) == ("data.target", "error")
    assert "the model is a regressor, the target holds text (such as 'rare')" in finding.message


def test_a_target_of_one_class_is_refused(table: dict[str, Any]) -> None:
    (Path(table["folder"]) / "t.csv").write_text("x,y\n1,p\n2,p\n3,p\n4,p\n")
    found = inspect(on(table, SVC, {"cv": 2}))
    assert found.findings[0].message == "expected at least two classes, found only 'p'"


# -- function models and hypermodels --------------------------------------------------------------------------------


def test_a_function_model_is_one_fold_with_the_metric_it_is_given() -> None:
    function = {"function": "sample_objectives:sphere"}
    space = (Float(name="x", low=0, high=1),)
    found = inspect(setup(function, evaluate={"metric": "loss", "direction": "minimize"}, space=space))
    assert found.findings == ()
    assert (found.metric, found.direction, found.folds, found.rows, found.data_hash) == ("loss", "minimize", 1, 0, "")
    assert SearchSpace.from_json(found.space).defaults() == {"x": 0.5}
    with_data = inspect(setup(function, SYNTHETIC, {"direction": "maximize"}))
    assert (with_data.metric, with_data.rows, with_data.task) == ("score", 60, "regression")


@pytest.mark.parametrize(
    ("function", "evaluate", "key", "said"),
    [
        ("sphere", {}, "evaluate.direction", "hptune cannot know it of what a function returns"),
        ("spher", {"direction": "minimize"}, "model.function", "did you mean 'sphere'?"),
        ("not_callable", {"direction": "minimize"}, "model.function", "expected a function"),
    ],
)
def test_a_fault_of_a_function_model(function: str, evaluate: dict[str, Any], key: str, said: str) -> None:
    finding = only(setup({"function": f"sample_objectives:{function}"}, evaluate=evaluate))
    assert finding.key == key
    assert said in finding.message


def test_the_space_of_a_hypermodel_is_recorded_with_its_conditions() -> None:
    found = inspect(setup({"hypermodel": "sample_models:build"}, DIABETES))
    assert found.findings == ()
    space = SearchSpace.from_json(found.space)
    assert [(p.name, [str(one) for one in p.when]) for p in space] == [
        ("kind", []),
        ("alpha", ["kind in ridge"]),
        ("l1", ["kind in lasso"]),
    ]
    assert found.task == "regression"


def test_what_the_config_declares_of_a_hypermodel_takes_precedence() -> None:
    model = {"hypermodel": "sample_models:build"}
    declared = (Float(name="alpha", low=1, high=2),)
    space = SearchSpace.from_json(inspect(setup(model, DIABETES, space=declared)).space)
    assert (space["alpha"].to_json()["min"], space["alpha"].to_json()["max"]) == (1.0, 2.0)
    assert set(space.by_name) == {"kind", "alpha", "l1"}
    finding = only(setup(model, DIABETES, space=(Float(name="alhpa", low=1, high=2),)))
    assert finding.key == "space.alhpa"
    assert "has no hyperparameter 'alhpa'; did you mean 'alpha'?" in finding.message


def test_the_samples_are_where_the_tests_think() -> None:
    assert (SAMPLES / "sample_models.py").is_file()
