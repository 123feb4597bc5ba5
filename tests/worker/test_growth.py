"""Growing by `warm_start` is bit for bit a fit from scratch, for every class that grows, and memory is bounded."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import sklearn.ensemble
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from hptune.job import Job, Outcome
from hptune.resource import Resource
from hptune.space import Choice, Fixed, Float
from hptune.worker.growth import GROWS, Growth, growing_parameter, grown
from hptune.worker.service import Service
from tests.worker.problems import IRIS, setup

OPTIONS: dict[str, list[dict[str, Any]]] = {
    "RandomForest": [{}, {"max_features": 0.5, "max_depth": 4, "bootstrap": True, "max_samples": 0.7}],
    "ExtraTrees": [{}, {"bootstrap": True, "min_samples_leaf": 3}],
    "Bagging": [{}, {"max_samples": 0.6, "max_features": 0.7, "bootstrap": False}],
    "GradientBoosting": [{}, {"subsample": 0.6, "max_features": 2, "learning_rate": 0.3}],
    "HistGradientBoosting": [{}, {"max_features": 0.5, "learning_rate": 0.3, "max_leaf_nodes": 7}],
}
CASES = [
    (name, options)
    for name in GROWS
    for options in OPTIONS[name.removesuffix("Classifier").removesuffix("Regressor")]
]


def data(name: str, rows: int = 120) -> tuple[Any, Any]:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(rows, 6))
    y = X[:, 0] - X[:, 1] ** 2 + 0.3 * rng.normal(size=rows)
    return X, np.digitize(y, [-1.5, 0.0]) if name.endswith("Classifier") else y


def answers(estimator: Any, X: Any) -> Any:
    return estimator.predict_proba(X) if hasattr(estimator, "predict_proba") else estimator.predict(X)


@pytest.mark.parametrize(("name", "options"), CASES, ids=[f"{n}-{sorted(o)}" for n, o in CASES])
@pytest.mark.parametrize("piped", [False, True])
def test_growing_in_steps_is_a_fit_from_scratch_to_the_last_bit(
    name: str, options: dict[str, Any], piped: bool
) -> None:
    parameter = GROWS[name][0]
    X, y = data(name)

    def made(amount: int) -> Any:
        one = getattr(sklearn.ensemble, name)(**options, **{parameter: amount}, random_state=7)
        return make_pipeline(StandardScaler(), one) if piped else one

    kept = made(3).fit(X, y)
    assert growing_parameter(kept, len(X)) == parameter
    for amount in (5, 12):
        kept = grown(kept, amount, X, y, {})
        fresh = made(amount).fit(X, y)
        assert np.array_equal(answers(kept, X), answers(fresh, X))
        assert kept.get_params(deep=False).keys() == fresh.get_params(deep=False).keys()
    assert not kept.get_params()[f"{name.lower()}__warm_start" if piped else "warm_start"]


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("RandomForestClassifier", {"class_weight": "balanced"}),
        ("BaggingClassifier", {"oob_score": True}),
        ("GradientBoostingRegressor", {"n_iter_no_change": 5}),
        ("HistGradientBoostingClassifier", {"early_stopping": True}),
        ("RandomForestRegressor", {"random_state": None}),
        ("AdaBoostClassifier", {}),
    ],
)
def test_what_would_not_be_exact_does_not_grow(name: str, options: dict[str, Any]) -> None:
    one = getattr(sklearn.ensemble, name)(**{"random_state": 0, **options})
    assert growing_parameter(one, 100) is None


def test_early_stopping_left_to_the_estimator_grows_on_few_rows_only() -> None:
    one = sklearn.ensemble.HistGradientBoostingRegressor(random_state=0)
    assert growing_parameter(one, 10_000) == "max_iter"
    assert growing_parameter(one, 10_001) is None


# -- in a worker ----------------------------------------------------------------------------------------------------

FOREST = {"class": "sklearn.ensemble.RandomForestClassifier", "params": {"max_depth": 4}}
SPACE = (Fixed(name="n_estimators", value=27), Float(name="max_features", low=0.1, high=1.0))
RESOURCE = Resource("n_estimators", 27, 1 / 9).to_json()


def forest(values: dict[str, Any], shares: list[float | None]) -> tuple[Service, list[Outcome]]:
    service = Service(setup(FOREST, data=IRIS, space=SPACE, resource=RESOURCE))
    found = [service.run(Job(values=values, folds=(0, 1), fidelity=share)) for share in shares]
    return service, found


def scores(outcome: Outcome) -> list[float]:
    assert outcome.failure is None, outcome.failure
    return [m.score for m in outcome.measurements]


def test_a_promoted_trial_goes_on_and_scores_as_one_from_scratch() -> None:
    values = {"n_estimators": 27, "max_features": 0.5}
    service, found = forest(values, [1 / 9, 1 / 3, None])
    for share, outcome in zip([1 / 9, 1 / 3, None], found, strict=True):
        _, (alone,) = forest(values, [share])
        assert scores(outcome) == scores(alone)
        assert [m.continued for m in alone.measurements] == [None, None]
    assert [m.continued for m in found[0].measurements] == [None, None]
    assert [m.continued for m in found[1].measurements] == [3 / 27, 3 / 27]
    assert [m.continued for m in found[2].measurements] == [9 / 27, 9 / 27]
    assert len(service.problem.growth) == 0  # measured in full it need not be kept


NET = {
    "pipeline": [
        {"scale": {"class": "sklearn.preprocessing.StandardScaler"}},
        {"net": {"class": "sklearn.neural_network.MLPClassifier", "params": {"hidden_layer_sizes": [5]}}},
    ]
}


@pytest.mark.parametrize("step", ["scale.with_mean", "net.alpha"])
def test_in_epochs_a_promoted_trial_goes_on_whether_or_not_its_first_steps_are_tuned(step: str) -> None:
    values = {"net.epochs": 27, step: True if step.startswith("scale") else 0.01}
    tuned = (
        Choice(name=step, values=(True, False)) if step.startswith("scale") else Float(name=step, low=0.0, high=1.0)
    )
    space = (Fixed(name="net.epochs", value=27), tuned)

    def worker(*shares: float | None) -> tuple[Service, list[Outcome]]:
        resource = Resource("net.epochs", 27, 1 / 9).to_json()
        service = Service(setup(NET, data=IRIS, space=space, resource=resource))
        return service, [service.run(Job(values=values, folds=(0, 1), fidelity=share)) for share in shares]

    service, found = worker(1 / 9, 1 / 3, None)
    for share, outcome in zip([1 / 9, 1 / 3, None], found, strict=True):
        assert scores(outcome) == scores(worker(share)[1][0])
    assert [m.continued for one in found for m in one.measurements] == [None, None, *[3 / 27] * 2, *[9 / 27] * 2]
    assert service.problem.prefixes.hits == (4 if step == "net.alpha" else 0)  # fitted once a fold


def test_leading_steps_that_hold_the_resource_are_fitted_for_every_amount() -> None:
    selector = {
        "class": "sklearn.feature_selection.SelectFromModel",
        "params": {"estimator": {"class": "sklearn.ensemble.RandomForestClassifier"}, "max_features": 1},
    }
    name = "select.estimator.n_estimators"
    model = {"pipeline": [{"select": selector}, {"svm": {"class": "sklearn.svm.LinearSVC"}}]}
    space = (Fixed(name=name, value=27), Float(name="svm.C", low=0.1, high=1.0))
    service = Service(setup(model, data=IRIS, space=space, resource=Resource(name, 27, 1 / 27).to_json()))
    assert service.run(Job(values={name: 27, "svm.C": 1.0}, folds=(0,), fidelity=1 / 27)).failure is None
    assert service.run(Job(values={name: 27, "svm.C": 1.0}, folds=(0,), fidelity=None)).failure is None
    assert service.problem.prefixes.held == 0


def test_another_configuration_does_not_go_on_from_this_one() -> None:
    service = Service(setup(FOREST, data=IRIS, space=SPACE, resource=RESOURCE))
    for value in (0.5, 0.6):
        values = {"n_estimators": 27, "max_features": value}
        outcome = service.run(Job(values=values, folds=(0,), fidelity=1 / 9 if value == 0.5 else None))
        assert outcome.measurements[0].continued is None


def test_a_parameter_of_an_earlier_step_does_not_make_the_last_one_grow() -> None:
    selector = {
        "class": "sklearn.feature_selection.SelectFromModel",
        "params": {"estimator": {"class": "sklearn.ensemble.RandomForestClassifier"}},
    }
    last = {"class": "sklearn.ensemble.RandomForestClassifier", "params": {"n_estimators": 3}}
    name = "select.estimator.n_estimators"
    service = Service(
        setup(
            {"pipeline": [{"select": selector}, {"forest": last}]},
            data=IRIS,
            space=(Fixed(name=name, value=27),),
            resource=Resource(name, 27, 1 / 9).to_json(),
        )
    )
    outcome = service.run(Job(values={name: 27}, folds=(0,), fidelity=1 / 9))
    assert outcome.failure is None
    assert len(service.problem.growth) == 0


def test_what_is_kept_is_bounded_and_the_oldest_goes_first() -> None:
    growth = Growth(most=3_000)
    for number in range(5):
        growth.keep((f"c{number}", 0), b"x" * 1_000, 3)
    assert growth.size <= 3_000
    assert growth.take(("c0", 0)) is None
    assert growth.take(("c4", 0)) == (b"x" * 1_000, 3)
    growth.keep(("big", 0), b"x" * 10_000, 3)
    assert growth.take(("big", 0)) is None
    growth.keep(("small", 0), b"x" * 1_000, 3, memory=4_000)
    assert growth.take(("small", 0)) is None
