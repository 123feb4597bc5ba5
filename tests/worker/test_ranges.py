"""Ends of ranges that cannot be fitted are found, with the bound to write, and none that a trial could fit."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hptune import cli
from hptune.conditions import Condition, Forbid
from hptune.job import Finding
from hptune.resource import Resource
from hptune.space import Choice, Float, Int, Parameter, SearchSpace
from hptune.worker import probe_fits
from hptune.worker.inspect import inspect
from hptune.worker.probe_fits import ProbeFits
from hptune.worker.problem import Problem
from hptune.worker.ranges import check_range
from tests.worker.problems import IRIS, setup

LOGISTIC = {"class": "sklearn.linear_model.LogisticRegression"}
NEIGHBOURS = {"class": "sklearn.neighbors.KNeighborsClassifier"}
REDUCED = {"pipeline": [{"pca": "sklearn.decomposition.PCA"}, {"clf": "sklearn.naive_bayes.GaussianNB"}]}
L1_RATIO = Float(name="l1_ratio", low=0, high=1, default=0.0)
SOLVER = Choice(name="solver", values=("lbfgs", "saga", "newton-cg"))


def problem(model: Mapping[str, Any], *space: Parameter, **options: Any) -> Problem:
    return Problem(setup(dict(model), IRIS, {"cv": 3}, tuple(space), **options))  # 100 training rows in a fold


def found(one: Problem, space: SearchSpace | None = None) -> list[Finding]:
    space = one.declared if space is None else space
    fits = ProbeFits(one)
    return [finding for parameter in space for finding in check_range(fits, space, parameter.name)]


def test_an_end_that_goes_with_no_default_is_an_error_that_names_the_end() -> None:
    (finding,) = found(problem(LOGISTIC, L1_RATIO, Float(name="C", low=1e-3, high=10, scale="log")))
    assert (finding.key, finding.severity) == ("space.l1_ratio.max", "error")
    assert (
        "a fit with l1_ratio: 1.0 on the 100 training rows of a fold fails: ValueError: Solver lbfgs"
        in finding.message
    )
    assert finding.message.endswith("only 0.0 could be fitted: leave l1_ratio out, or change what refuses the rest")


def test_an_end_that_another_choice_takes_has_the_line_that_forbids_it_and_then_is_let_be() -> None:
    (finding,) = found(problem(LOGISTIC, L1_RATIO, SOLVER))
    assert (finding.key, finding.severity) == ("space.l1_ratio.max", "error")
    assert "`- forbid: {solver: [lbfgs, newton-cg], l1_ratio: {gt: 0.0}}`" in finding.message
    forbidden = Forbid((Condition("solver", "in", ("lbfgs", "newton-cg")), Condition("l1_ratio", "gt", 0.0)))
    assert found(problem(LOGISTIC), SearchSpace((L1_RATIO, SOLVER), (forbidden,))) == []


def test_a_default_that_cannot_be_fitted_is_traced_to_its_range() -> None:
    components = Int(name="pca.n_components", low=1, high=10)
    (finding,) = [one for one in inspect(problem(REDUCED, components)).findings if one.severity == "error"]
    assert finding.key == "space.pca.n_components.max"
    assert "and so does one with its default here, 6: " in finding.message
    assert finding.message.endswith("up to 4 it can be fitted: write `max: 4`")
    assert found(problem(REDUCED, Int(name="pca.n_components", low=1, high=4))) == []


def test_a_default_that_fails_under_one_choice_is_traced_to_its_range_too() -> None:
    steps = [
        {"pca": {"choose": ["passthrough", "sklearn.decomposition.PCA"]}},
        {"clf": "sklearn.naive_bayes.GaussianNB"},
    ]
    space = (
        Choice(name="pca", values=("passthrough", "PCA")),
        Int(name="pca.PCA.n_components", low=1, high=10, when=(Condition("pca", "eq", "PCA"),)),
    )
    errors = [one for one in inspect(problem({"pipeline": steps}, *space)).findings if one.severity == "error"]
    assert [one.key for one in errors] == ["space.pca.PCA.n_components.max"]
    assert "write `max: 4`" in errors[0].message


def test_a_bound_that_the_rows_set_is_that_of_a_whole_fold_not_of_the_few_rows_of_the_first_fit() -> None:
    assert probe_fits.ROWS < 100
    assert found(problem(NEIGHBOURS, Int(name="n_neighbors", low=1, high=100, default=5))) == []
    (little,) = found(problem(NEIGHBOURS, Int(name="n_neighbors", low=1, high=110, default=5)))
    (most,) = found(problem(NEIGHBOURS, Int(name="n_neighbors", low=1, high=500, default=5)))
    assert (little.severity, most.severity) == ("warning", "error")  # a tenth of the range; four fifths
    assert "write `max: 100`" in little.message
    assert "write `max: 100`" in most.message


def test_choices_that_the_rows_refuse_are_found_too() -> None:
    values = inspect(problem(NEIGHBOURS, Choice(name="n_neighbors", values=(5, 100, 101)))).findings
    assert [(one.key, one.severity) for one in values] == [("space.n_neighbors", "error")]
    assert "a fit with n_neighbors: 101 fails" in values[0].message


def test_where_trials_get_a_share_of_the_rows_that_share_sets_the_bound() -> None:
    shares = Resource(name="rows", max=1, lowest=0.5).to_json()
    (finding,) = found(problem(NEIGHBOURS, Int(name="n_neighbors", low=1, high=90, default=5), resource=shares))
    assert "write `max: 50`" in finding.message


def test_both_ends_are_errors_however_much_lies_between() -> None:
    tree = {"class": "stubborn.Stubborn"}
    given = problem(tree, Float(name="x", low=0, high=1))
    given.load = lambda *_, **__: Stubborn  # type: ignore[assignment,method-assign]
    assert [(one.key, one.severity) for one in found(given)] == [("space.x.min", "error"), ("space.x.max", "error")]


class Stubborn:
    """A classifier that takes x from 0.1 to 0.9 only."""

    def __init__(self, x: float = 0.5) -> None:
        self.x = x

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        del deep
        return {"x": self.x}

    def fit(self, X: Any, y: Any) -> Stubborn:
        del X
        if not 0.1 <= self.x <= 0.9:
            raise ValueError("no such x")
        self.first = y[0]
        return self

    def predict(self, X: Any) -> Any:
        return np.full(len(X), self.first)


def test_a_range_under_a_condition_is_tried_where_it_is_active() -> None:
    svm = {"class": "sklearn.svm.SVC"}
    kernel = Choice(name="kernel", values=("rbf", "poly"))
    degree = Int(name="degree", low=0, high=4, when=(Condition("kernel", "eq", "poly"),))
    given = problem(svm, kernel, degree)
    fits, tried = ProbeFits(given), []
    attempt = fits._attempt
    fits._attempt = lambda values, *rest, **more: (  # type: ignore[method-assign]
        tried.append(dict(values)),
        attempt(values, *rest, **more),
    )[1]
    assert check_range(fits, given.declared, "degree") == []
    assert [one.get("degree") for one in tried] == [2, 0, 4]
    assert {one["kernel"] for one in tried} == {"poly"}


def test_a_resource_and_upper_ends_of_counts_of_iterations_are_not_fitted() -> None:
    forest = {"class": "sklearn.ensemble.RandomForestClassifier"}
    trees = Int(name="n_estimators", low=1, high=100_000, default=3)
    given = problem(forest, trees)
    fits = ProbeFits(given)
    assert check_range(fits, given.declared, "n_estimators") == []
    assert len(fits._known) == 2  # the default and the lower end
    spent = problem(forest, trees, resource=Resource(name="n_estimators", max=100_000, lowest=1e-5).to_json())
    fits = ProbeFits(spent)
    assert check_range(fits, spent.declared, "n_estimators") == []
    assert fits({"n_estimators": 100_000}) is None  # with one tree
    assert fits.seconds < 5


def test_a_failure_on_few_rows_that_cannot_be_looked_into_is_not_told_of_a_range(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(probe_fits, "MOST_SECONDS", 0.0)
    assert found(problem(NEIGHBOURS, Int(name="n_neighbors", low=1, high=500, default=5))) == []
    assert found(problem(LOGISTIC, L1_RATIO)) == []


def test_the_classes_have_their_shares_in_a_probe_and_predictions_are_looked_at(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    rest = "evaluate: {cv: 3}\nexecutor: {type: serial}\n"
    Path("nu.yaml").write_text(
        'data: {train: "sklearn:load_breast_cancer"}\nmodel: {class: sklearn.svm.NuSVC}\n'
        "space: {nu: {type: float, min: 0.05, max: 0.95}}\n" + rest
    )
    cli.invoke(["validate", "nu.yaml"])
    assert "specified nu is infeasible" in capsys.readouterr().err
    Path("radius.yaml").write_text(
        'data: {train: "sklearn:load_diabetes"}\nmodel: {class: sklearn.neighbors.RadiusNeighborsRegressor}\n'
        "space: {radius: {type: float, min: 0.001, max: 0.002}}\n" + rest
    )
    assert cli.invoke(["validate", "radius.yaml"]) == 2
    assert "it predicts NaN for" in capsys.readouterr().err
