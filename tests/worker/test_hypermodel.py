"""Hypermodels in a worker: built and fitted with a trial's values."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest

from hptune.job import Inspection, Job, Outcome
from hptune.parameters import Fixed, Int, Parameter
from hptune.space import SearchSpace
from hptune.worker.problem import Problem
from hptune.worker.service import Service
from tests.worker.problems import SYNTHETIC, setup


def run(name: str, values: dict[str, Any], **options: Any) -> Outcome:
    return Service(setup({"hypermodel": f"sample_models:{name}"}, SYNTHETIC, {"cv": 3}, **options)).run(
        Job(values=values, folds=(0, 1))
    )


def test_a_build_function_gets_the_trials_values() -> None:
    ridge = Service(setup({"hypermodel": "sample_models:build"}, SYNTHETIC)).problem.build(
        {"kind": "ridge", "alpha": 9.0}
    )
    assert ridge.named_steps["ridge"].alpha == 9.0
    outcome = run("build", {"kind": "lasso", "l1": 0.01})
    assert outcome.failure is None
    assert len(outcome.measurements) == 2
    assert outcome.measurements[0].score != run("build", {"kind": "lasso", "l1": 5.0}).measurements[0].score


def test_a_class_with_build_is_fitted_by_its_model() -> None:
    first, again = run("Forest", {"trees": 3}), run("Forest", {"trees": 3})
    assert first.failure is None
    assert [one.score for one in first.measurements] == [one.score for one in again.measurements]  # seeded


def test_a_class_with_its_own_fit_is_fitted_by_that() -> None:
    scores = [run("OwnFit", {"shift": shift}).measurements[0].score for shift in (0.0, 9.0)]
    assert scores[0] > 0.5 > scores[1]


def test_the_recorded_space_serves_other_workers() -> None:
    model = {"hypermodel": "sample_models:build"}
    answer = Service(setup(model, SYNTHETIC)).run(Job(kind="inspect")).answer
    assert answer is not None
    space = Inspection.from_json(answer).space
    values = {"kind": "lasso", "l1": 0.01}
    recorded = run("build", values).measurements[0].score
    service = Service(dataclasses.replace(setup(model, SYNTHETIC, {"cv": 3}), space=space))
    assert service.run(Job(values=values)).measurements[0].score == recorded
    assert "_examined" not in vars(service.problem)  # nothing was recorded again


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("builds_text", "expected build(hp) to return an estimator, it returned str"),
        ("raises", "RuntimeError: no build today"),
        ("NoBuild", "has no method build(hp)"),
    ],
)
def test_a_hypermodel_that_builds_nothing_is_a_failure(name: str, said: str) -> None:
    failure = run(name, {}).failure
    assert failure is not None
    assert failure.kind == "error"
    assert said in failure.message


LAYERS = {"hypermodel": "sample_models:layers"}


def examined(*declared: Parameter) -> tuple[SearchSpace, list[str]]:
    problem = Problem(setup(LAYERS, SYNTHETIC, space=declared))
    space, findings = problem.model.examine(problem.declared, problem.load)
    return space, [one.message for one in findings]


def test_a_name_that_scopes_define_differently_may_be_declared_once_for_all() -> None:
    assert [one.name for one in examined()[0]] == ["model", "layers@model=v1", "layers@model=v2"]
    space, found = examined(Int(name="layers", low=4, high=5))
    assert found == []
    assert space["layers"] == Int(name="layers", low=4, high=5)
    assert not [name for name in space.by_name if "@" in name]


def test_one_definition_of_several_may_be_declared_by_its_name_in_the_space() -> None:
    space, found = examined(Fixed(name="layers@model=v1", value=2))
    assert found == []
    assert isinstance(space["layers@model=v1"], Fixed)
    assert space.defaults() == {"model": "v1", "layers@model=v1": 2}
    assert space["layers@model=v2"].default_value == 20


def test_a_misspelt_hyperparameter_is_compared_with_the_models_own_names() -> None:
    _, (found,) = examined(Int(name="layrs", low=4, high=5))
    assert found.endswith("has no hyperparameter 'layrs'; did you mean 'layers'?")


def test_weights_reach_the_model_and_a_fit_that_names_them() -> None:
    problem = Problem(setup({"hypermodel": "sample_models:build"}, SYNTHETIC))
    rows = problem.dataset.train
    weights = np.linspace(0.1, 3, len(rows))
    values = {"kind": "ridge", "alpha": 1.0}
    plain, weighted = (problem.fit(values, dataclasses.replace(rows, weights=one), seed=0) for one in (None, weights))
    assert not np.allclose(plain.predict(rows.X), weighted.predict(rows.X))
    problem = Problem(setup({"hypermodel": "sample_models:WeightedFit"}, SYNTHETIC))
    assert problem.fit({}, dataclasses.replace(rows, weights=weights), seed=0).weighed
    assert not problem.fit({}, rows, seed=0).weighed


# -- constraints on what only the recording knows -------------------------------------------------------------------


def bound(model: str, *declared: Parameter, **later: Any) -> tuple[SearchSpace, list[tuple[str, str]]]:
    """Return the space and the findings of an inspection with these later constraints (require or forbid)."""
    asked = setup(
        {"hypermodel": f"sample_models:{model}"},
        SYNTHETIC,
        space=declared,
        later=later,
    )
    answer = Service(asked).run(Job(kind="inspect")).answer
    assert answer is not None
    found = Inspection.from_json(answer)
    return SearchSpace.from_json(found.space), [(one.key, one.message) for one in found.findings]


def test_constraints_bind_on_recorded_hyperparameters() -> None:
    space, found = bound("build", first={"require": "alpha < 2"}, second={"forbid": [["l1", "gt", 1]]})
    assert found == []
    assert [str(one) for one in space.constraints] == ["require alpha < 2", "forbid l1 > 1"]
    assert space.broken({"kind": "ridge", "alpha": 3.0}) is not None
    assert space.broken({"kind": "lasso", "l1": 0.5}) is None


def test_a_constraint_may_speak_of_declared_and_recorded_hyperparameters() -> None:
    kind = Fixed(name="kind", value="lasso")
    never = {"forbid": [["kind", "eq", "ridge"], ["l1", "gt", 1]]}  # of a kind that the config leaves out
    ever = {"forbid": [["kind", "ne", "ridge"], ["l1", "gt", 2]]}
    space, found = bound("build", kind, never=never, ever=ever)
    assert found == []
    assert [str(one) for one in space.constraints] == ["forbid kind = lasso and l1 > 2"]


@pytest.mark.parametrize(
    ("model", "constraint", "said"),
    [
        ("build", {"require": "alpa > 3"}, "the model has no hyperparameter 'alpa'; did you mean 'alpha'?"),
        ("build", {"forbid": [["such", "eq", 3]]}, "the model has no hyperparameter 'such'; it has kind, alpha, l1"),
        ("build", {"forbid": [["kind", "eq", "lazo"]]}, 'kind: expected one of "ridge", "lasso", found \'lazo\''),
        ("layers", {"require": "layers > 3"}, "layers is several hyperparameters (layers@model=v1, layers@model=v2); "
         "declare layers once under space:"),
    ],
)  # fmt: skip
def test_a_constraint_that_does_not_fit_the_recording_is_told_at_its_key(
    model: str, constraint: dict[str, Any], said: str
) -> None:
    _, ((key, message),) = bound(model, here=constraint)
    assert key == "here"
    assert message.startswith(said)


def test_constraints_that_leave_next_to_nothing_of_a_recorded_space_are_refused() -> None:
    both = {"kind": {"forbid": [["kind", "eq", "lasso"]]}, "alpha": {"require": "alpha > 2000"}}
    _, found = bound("build", **both)
    assert found == [
        ("constraints", "the constraints leave less than 0.1% of the space: loosen them, or narrow the ranges")
    ]


def test_what_only_fit_asks_for_is_told_to_be_not_searched() -> None:
    answer = Service(setup({"hypermodel": "sample_models:AsksInFit"}, SYNTHETIC)).run(Job(kind="inspect")).answer
    assert answer is not None
    (found,) = Inspection.from_json(answer).findings
    assert (found.key, found.severity) == ("model.hypermodel", "warning")
    assert found.message == (
        "reverse is asked for in fit only, which is not recorded: it is not searched, trials run it at False; ask for it "
        "in build(hp) too"
    )


def test_what_a_trial_meets_first_comes_with_its_outcome_and_not_on_stderr(
    capsys: pytest.CaptureFixture[str],
) -> None:
    service = Service(setup({"hypermodel": "sample_models:AsksInFit"}, SYNTHETIC))
    outcome = service.run(Job(values={"alpha": 0.5}, folds=(0, 1)))
    assert len(outcome.measurements) == 2
    assert Outcome.from_json(outcome.to_json()).first_met == {"reverse": False}
    assert capsys.readouterr().err == ""
