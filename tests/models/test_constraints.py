"""Values outside what an estimator takes are found before anything is fitted."""

from __future__ import annotations

import pytest
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.svm import SVC

from hptune.models.constraints import check_parameter, check_value
from hptune.parameters import Boolean, Choice, Fixed, Float, Int, Parameter

CASES: list[tuple[type, str, Parameter, str]] = [
    (SVC, "C", Float(name="C", low=0, high=10), "SVC.C takes a number > 0, found min 0.0"),
    (SVC, "degree", Float(name="d", low=2.5, high=5.5), "found floats from 2.5 to 5.5; take `type: int`"),
    (SVC, "kernel", Choice(name="k", values=("rbf", "line")), "found 'line'; did you mean 'linear'?"),
    (SVC, "shrinking", Choice(name="s", values=(True, "maybe")), "takes true or false, found 'maybe'"),
    (SVC, "tol", Fixed(name="tol", value=-1), "takes a number > 0, found -1"),
    (
        RandomForestClassifier,
        "max_features",
        Float(name="m", low=0.1, high=1.5),
        "takes a whole number >= 1 or a float > 0 and <= 1 or 'log2', 'sqrt' or null, found max 1.5",
    ),
    (RandomForestClassifier, "n_estimators", Int(name="n", low=0, high=10), "found min 0"),
    (RandomForestClassifier, "max_depth", Choice(name="d", values=(None, 3, "deep")), "found 'deep'"),
    (KNeighborsClassifier, "n_neighbors", Choice(name="n", values=(1, 0)), "found 0"),
    (MLPClassifier, "alpha", Float(name="a", low=1e-5, high=1, scale="log", extra=(-1,)), "found -1"),
    (LogisticRegression, "fit_intercept", Choice(name="f", values=("yes", "no")), "found 'yes'"),
]


@pytest.mark.parametrize(("cls", "name", "parameter", "message"), CASES, ids=lambda one: getattr(one, "name", None))
def test_what_the_estimator_refuses_is_named_with_what_it_takes(
    cls: type, name: str, parameter: Parameter, message: str
) -> None:
    found = [one for one in check_parameter(cls, name, parameter) if one.severity == "error"]
    assert found
    assert message in found[0].message


@pytest.mark.parametrize(
    ("cls", "name", "parameter"),
    [
        (SVC, "C", Float(name="C", low=1e-3, high=1e3, scale="log")),
        (SVC, "gamma", Float(name="g", low=1e-5, high=1, scale="log", extra=("scale", "auto"))),
        (RandomForestClassifier, "max_features", Choice(name="m", values=("sqrt", None, 3, 0.5))),
        (RandomForestClassifier, "bootstrap", Boolean(name="b")),
        (MLPClassifier, "hidden_layer_sizes", Choice(name="h", values=([10], [10, 10], 5))),
        (Ridge, "alpha", Choice(name="a", values=(0.1, 1, [0.1, 0.2]))),
        (dict, "anything", Fixed(name="x", value="y")),
    ],
)
def test_what_the_estimator_takes_is_not_complained_of(cls: type, name: str, parameter: Parameter) -> None:
    assert [one for one in check_parameter(cls, name, parameter) if one.severity == "error"] == []


def test_an_estimators_own_n_jobs_is_a_warning_unless_it_is_one() -> None:
    (found,) = check_value(RandomForestClassifier, "n_jobs", 4)
    assert found.severity == "warning"
    assert "executor.workers" in found.message
    assert check_value(RandomForestClassifier, "n_jobs", 1) == []
    assert check_value(RandomForestClassifier, "n_jobs", None) == []


def test_a_deprecated_parameter_is_a_warning() -> None:
    (found,) = check_value(LogisticRegression, "penalty", "l2")
    assert found.severity == "warning"
    assert "deprecated" in found.message
