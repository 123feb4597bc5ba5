"""Probe fits find combinations that fail, trace them to the smallest cause, and hold the line that mends them."""

from __future__ import annotations

from typing import Any

import pytest

from hptune.job import Finding, Setup
from hptune.space import SearchSpace
from hptune.worker.inspect import inspect, versions
from hptune.worker.problem import Problem


def findings(
    model: dict[str, Any], space: list[dict[str, Any]], constraints: list[Any] | None = None, **options: Any
) -> list[Finding]:
    setup = Setup(
        model=model,
        data={"train": "sklearn:load_iris"},
        evaluate={"cv": 3},
        space={"parameters": space, "constraints": constraints or []},
        seed=0,
        folder=".",
    )
    return [one for one in inspect(Problem(setup), **options).findings if one.severity == "error"]


LINEAR_SVC = [
    {"name": "penalty", "type": "choice", "values": ["l2", "l1"]},
    {"name": "loss", "type": "choice", "values": ["squared_hinge", "hinge"]},
    {"name": "dual", "type": "choice", "values": [True, False]},
    {"name": "C", "type": "float", "min": 0.1, "max": 10},
]
# l1 with hinge fails too, but never without one of these two.
BROKEN = [
    {"forbid": [["penalty", "eq", "l1"], ["dual", "eq", True]]},
    {"forbid": [["loss", "eq", "hinge"], ["dual", "eq", False]]},
]


def test_each_pair_that_cannot_be_fitted_is_found_with_the_line_that_forbids_it() -> None:
    found = findings({"class": "sklearn.svm.LinearSVC"}, LINEAR_SVC)
    lines = {one.message.split("add under constraints: ")[1] for one in found}
    assert lines == {
        "`- forbid: {penalty: l1, dual: true}`",
        "`- forbid: {loss: hinge, dual: false}`",
    }
    assert {one.key for one in found} == {"space.penalty", "space.loss"}


def test_forbidding_what_was_found_leaves_nothing_to_find() -> None:
    assert findings({"class": "sklearn.svm.LinearSVC"}, LINEAR_SVC, BROKEN) == []


def test_probing_can_be_left_out() -> None:
    assert findings({"class": "sklearn.svm.LinearSVC"}, LINEAR_SVC, probe_fits=False) == []


def test_what_was_probed_with_the_same_packages_is_not_probed_again() -> None:
    model = {"class": "sklearn.svm.LinearSVC"}
    assert findings(model, LINEAR_SVC, probed=versions()) == []
    assert len(findings(model, LINEAR_SVC, probed={**versions(), "scikit-learn": "0.1"})) == 2


def test_a_value_that_fails_in_every_combination_is_blamed_alone() -> None:
    steps = {
        "pipeline": [
            {"scale": {"choose": ["passthrough", "sklearn.decomposition.TruncatedSVD"]}},
            {"clf": "sklearn.naive_bayes.MultinomialNB"},
        ]
    }
    space = [
        {"name": "scale", "type": "choice", "values": ["passthrough", "TruncatedSVD"]},
        {"name": "clf.fit_prior", "type": "choice", "values": [True, False]},
    ]
    (found,) = findings(steps, space)
    assert found.key == "space.scale"
    assert "scale: TruncatedSVD fails" in found.message  # negative components


def test_a_model_that_cannot_be_fitted_at_all_is_said_to_be() -> None:
    (found,) = findings(
        {"pipeline": [{"pca": "sklearn.decomposition.TruncatedSVD"}, {"clf": "sklearn.naive_bayes.MultinomialNB"}]},
        [],
    )
    assert found.key == "model"
    assert "no configuration can be fitted" in found.message


def test_more_combinations_than_the_bound_are_said_not_to_be_tried(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("hptune.worker.probe.MOST_FITS", 3)
    setup = Setup(
        model={"class": "sklearn.svm.LinearSVC"},
        data={"train": "sklearn:load_iris"},
        evaluate={"cv": 3},
        space={"parameters": LINEAR_SVC, "constraints": BROKEN},
        seed=0,
        folder=".",
    )
    problem = Problem(setup)
    warnings = [one for one in inspect(problem).findings if "probed" in one.message]
    assert [one.message for one in warnings] == [
        f"probed 3 of {len(list(branches(problem)))} combinations of choices; the others were not tried, for 3 are the most"
    ]
    monkeypatch.setattr("hptune.worker.probe_fits.MOST_SECONDS", 0.0)
    monkeypatch.setattr("hptune.worker.probe.MOST_SECONDS", 0.0)
    (late,) = [one.message for one in inspect(problem).findings if "probed" in one.message]
    assert late.endswith("the others were not tried, for no more are begun after 0 s")


def branches(problem: Problem) -> list[str]:
    space: SearchSpace = problem.declared
    return list({space.key({k: v for k, v in values.items() if k != "C"}) for values in space.listed(1)})
