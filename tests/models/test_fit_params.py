"""What `fit` is given beside X and y: constants by name, and the data's weights."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from sklearn.linear_model import Ridge

from hptune.job import Setup
from hptune.models import model_from
from hptune.models.fit_params import route
from hptune.models.node_model import NodeModel
from hptune.worker.problem import Problem
from tests.models.houses import findings, scores, setup

RIDGE = "sklearn.linear_model.Ridge"
KNN = "sklearn.neighbors.KNeighborsRegressor"
PREP = {"columns": [{"size": {"select": ["size", "smoker"], "with": "passthrough"}}], "remainder": "drop"}
CHOICE: dict[str, Any] = {
    "pipeline": [
        {"prep": PREP},
        {"reg": {"choose": {"ridge": RIDGE, "knn": KNN}}},
    ]
}
LAST: dict[str, Any] = {"pipeline": [{"prep": PREP}, {"reg": RIDGE}]}


def coefficients(asked: Setup, values: dict[str, Any] | None = None) -> list[float]:
    """Return the coefficients of the ridge regression fitted to all rows."""
    problem = Problem(asked)
    fitted = problem.fit(values or {}, problem.dataset.train, seed=0)
    return [float(one) for one in fitted.named_steps["reg"].coef_]


def by_hand(asked: Setup, *, weights: bool) -> list[float]:
    rows = Problem(asked).dataset.train
    X = rows.X[["size", "smoker"]]
    return [float(one) for one in Ridge().fit(X, rows.y, sample_weight=rows.weights if weights else None).coef_]


def test_weights_go_to_the_last_step_by_default(tmp_path: Path) -> None:
    asked = setup(tmp_path, LAST, weights="w")
    weighted = coefficients(asked)
    assert weighted == pytest.approx(by_hand(asked, weights=True))
    assert weighted != pytest.approx(by_hand(asked, weights=False), rel=1e-3)


def test_weights_may_be_named(tmp_path: Path) -> None:
    for name in ("reg.sample_weight", "reg__sample_weight"):
        asked = setup(tmp_path, {**LAST, "fit_params": {name: "weights"}}, weights="w")
        assert coefficients(asked) == pytest.approx(by_hand(asked, weights=True))


def test_a_fit_parameter_above_a_choose_goes_to_the_alternatives_that_take_it(tmp_path: Path) -> None:
    asked = setup(tmp_path, {**CHOICE, "fit_params": {"reg.sample_weight": "weights"}}, weights="w")
    assert coefficients(asked, {"reg": "ridge"}) == pytest.approx(by_hand(asked, weights=True))
    assert len(scores(asked, {"reg": "knn"})) == 3
    (found,) = findings(asked)
    assert (found.key, found.severity) == ("model.fit_params.reg.sample_weight", "warning")
    assert found.message == "KNeighborsRegressor.fit takes no argument 'sample_weight' and is fitted without it"


def test_an_alternative_that_takes_no_weights_is_said(tmp_path: Path) -> None:
    (found,) = findings(setup(tmp_path, CHOICE, weights="w"))
    assert (found.key, found.severity) == ("data.weights", "warning")
    assert found.message.startswith("KNeighborsRegressor: fit takes no sample_weight")


@pytest.mark.parametrize(
    ("fit_params", "said"),
    [
        ({"reg.sample_weight": "weights"}, "stands for the column that data.weights names; it names none"),
        ({"reg.sample_wieght": 1}, "Ridge.fit takes no argument 'sample_wieght'"),
    ],
)
def test_a_fit_parameter_that_cannot_be_given_is_an_error(
    tmp_path: Path, fit_params: dict[str, Any], said: str
) -> None:
    (found,) = findings(setup(tmp_path, {**LAST, "fit_params": fit_params}))
    assert (found.key, found.severity) == (f"model.fit_params.{next(iter(fit_params))}", "error")
    assert said in found.message


NESTED = model_from({"choose": {"pipe": CHOICE, "lone": RIDGE}})
assert isinstance(NESTED, NodeModel)


@pytest.mark.parametrize(
    ("name", "keyword", "conditions", "optional"),
    [
        ("model.lone.sample_weight", "sample_weight", (("model", "lone"),), False),
        ("lone.sample_weight", "sample_weight", (("model", "lone"),), False),
        ("pipe.reg.sample_weight", "reg__sample_weight", (("model", "pipe"),), True),
        (
            "pipe.reg.ridge.sample_weight",
            "reg__sample_weight",
            (("model", "pipe"), ("model.pipe.reg", "ridge")),
            False,
        ),
    ],
)
def test_a_name_leads_through_steps_and_alternatives(
    name: str, keyword: str, conditions: tuple[Any, ...], optional: bool
) -> None:
    assert isinstance(NESTED, NodeModel)
    found = route(NESTED.root, name)
    assert (found.keyword, found.conditions, found.optional) == (keyword, conditions, optional)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("sample_weight", "no alternative 'sample_weight' (alternatives: pipe, lone); write pipe.sample_weight"),
        ("pipe.rge.sample_weight", "no step 'rge'; did you mean 'reg'?"),
        ("pipe.prep.size.y", "fit parameters reach the steps of pipelines"),
        ("pipe..y", "names joined by single dots"),
    ],
)
def test_a_name_that_leads_to_no_fit_is_refused_before_anything_is_imported(name: str, said: str) -> None:
    assert isinstance(NESTED, NodeModel)
    with pytest.raises(ValueError) as caught:
        route(NESTED.root, name)
    assert said in str(caught.value)
