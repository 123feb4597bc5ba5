"""Training in epochs: going on is to the last bit as if trained at once, and what cannot be trained so is told."""

from __future__ import annotations

import pickle
import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin, is_classifier, is_regressor
from sklearn.linear_model import SGDClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils import all_estimators, shuffle

from hptune.compose import inspect
from hptune.config.load import load
from hptune.errors import ConfigError
from hptune.models.epochs import can_train_in_epochs, itself, trained
from hptune.models.fitting import may_take, takes, weighted
from hptune.models.trained_in_epochs import TrainedInEpochs

OPTIONS: dict[str, list[dict[str, Any]]] = {
    "MLPClassifier": [{}, {"solver": "sgd", "learning_rate": "adaptive", "tol": 1.0, "n_iter_no_change": 1}],
    "MLPRegressor": [{}, {"solver": "sgd", "learning_rate": "invscaling", "batch_size": 17}],
    "SGDClassifier": [{}, {"average": True, "loss": "log_loss"}, {"learning_rate": "adaptive", "eta0": 0.1}],
    "SGDRegressor": [{}, {"learning_rate": "constant", "penalty": "l1"}],
}


def learners() -> dict[str, Any]:
    """Return scikit-learn's classifiers and regressors that have `partial_fit` and need no argument."""
    out = {}
    for name, cls in all_estimators(type_filter=["classifier", "regressor"]):
        deprecated = "deprecated" in (cls.__doc__ or "")[:2000] and name.startswith("PassiveAggressive")
        if can_train_in_epochs(cls) and not deprecated and not getattr(cls, "_required_parameters", ()):
            out[name] = cls
    return {name: cls for name, cls in out.items() if not name.startswith(("MultiOutput", "OneVs"))}


LEARNERS = learners()
CASES = [(name, options) for name in LEARNERS for options in OPTIONS.get(name, [{}])]


def data(name: str, rows: int = 90) -> tuple[Any, Any]:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(rows, 5))
    y = X[:, 0] - X[:, 1] ** 2 + 0.3 * rng.normal(size=rows)
    classes = np.array(["a", "b", "c"])[np.digitize(y, [-1.5, 0.0])]
    counts = name.endswith("NB") and name != "GaussianNB"
    return np.floor(np.abs(X) * 2) if counts else X, classes if is_classifier(LEARNERS[name]()) else y


def answers(estimator: Any, X: Any) -> Any:
    return estimator.predict_proba(X) if hasattr(estimator, "predict_proba") else estimator.predict(X)


def test_there_are_learners() -> None:
    assert {"SGDClassifier", "SGDRegressor", "MLPClassifier", "MLPRegressor", "Perceptron", "GaussianNB"} <= set(
        LEARNERS
    )


@pytest.mark.parametrize(("name", "options"), CASES, ids=[f"{n}-{sorted(o)}" for n, o in CASES])
@pytest.mark.parametrize("piped", [False, True])
def test_going_on_in_epochs_is_training_at_once_to_the_last_bit(
    name: str, options: dict[str, Any], piped: bool
) -> None:
    X, y = data(name)
    piped = piped and not name.endswith("NB")

    def made(epochs: int) -> Any:
        one = LEARNERS[name](**options)
        if "random_state" in one.get_params():
            one.set_params(random_state=3)
        one = TrainedInEpochs(one, epochs, random_state=2**31 - 3)
        return make_pipeline(StandardScaler(), one) if piped else one

    kept = made(2).fit(X, y)
    for epochs in (5, 11):
        kept = pickle.loads(pickle.dumps(kept))
        last = kept[-1] if piped else kept
        last.set_params(epochs=epochs, warm_start=True)
        kept.fit(X, y)
        fresh = made(epochs).fit(X, y)
        assert np.array_equal(answers(kept, X), answers(fresh, X))
    assert is_classifier(kept) == is_classifier(LEARNERS[name]())
    assert is_regressor(kept) == is_regressor(LEARNERS[name]())


def test_an_epoch_is_one_pass_over_all_rows_in_an_order_of_its_own() -> None:
    X, y = data("SGDClassifier")
    found = TrainedInEpochs(SGDClassifier(random_state=1), 3, random_state=9).fit(X, y)
    ours = SGDClassifier(random_state=1)
    orders = []
    for epoch in range(3):
        some, label, order = shuffle(X, y, np.arange(len(y)), random_state=9 + epoch)
        orders.append(tuple(order))
        ours.partial_fit(some, label, classes=["a", "b", "c"])
    assert np.array_equal(found.coef_, ours.coef_)
    assert len(set(orders)) == 3


def test_weights_go_with_their_rows() -> None:
    X, y = data("SGDRegressor")
    w = np.random.default_rng(1).integers(1, 4, len(y)).astype(float)
    model = TrainedInEpochs(LEARNERS["SGDRegressor"](random_state=0), 4, random_state=0)
    left_out = np.where(np.arange(len(y)) % 2, 0.0, 1.0)
    one = model.fit(X, y, sample_weight=left_out).coef_
    wild = np.where(left_out > 0, y, 1e6)  # rows of weight 0 may say what they like
    assert np.array_equal(model.fit(X, wild, sample_weight=left_out).coef_, one)
    assert not np.array_equal(model.fit(X, y, sample_weight=w).coef_, one)
    assert takes(model, "sample_weight")
    assert may_take(model, "sample_weight")
    assert weighted(make_pipeline(StandardScaler(), model)) == "trainedinepochs__sample_weight"
    assert not takes(TrainedInEpochs(Drawing()), "sample_weight")


class Drawing(ClassifierMixin, BaseEstimator):  # type: ignore[misc] # scikit-learn has no types
    """A user's learner that draws from the global generators at every pass."""

    def partial_fit(self, X: Any, y: Any, classes: Any = None) -> Drawing:
        self.classes_ = classes
        self.drawn_ = [*getattr(self, "drawn_", []), random.random(), float(np.random.random())]  # noqa: NPY002
        return self

    def predict(self, X: Any) -> Any:
        return np.repeat(self.classes_[:1], len(X))


def test_what_a_learner_draws_from_the_global_generators_depends_on_the_epoch_alone() -> None:
    X, y = data("SGDClassifier")
    state = random.getstate()
    kept = TrainedInEpochs(Drawing(), 2, random_state=4).fit(X, y)
    random.seed(99)
    kept.set_params(epochs=5, warm_start=True).fit(X, y)
    random.seed(7)
    assert kept.drawn_ == TrainedInEpochs(Drawing(), 5, random_state=4).fit(X, y).drawn_
    assert len(set(kept.drawn_)) == 10
    random.setstate(state)


def test_in_its_plain_form_a_trained_model_holds_nothing_of_hptune() -> None:
    X, y = data("SGDClassifier")
    model = make_pipeline(StandardScaler(), TrainedInEpochs(SGDClassifier(random_state=0), 2))
    expected = model.fit(X, y).predict(X)
    plain = trained(model)
    assert b"hptune" not in pickle.dumps(plain)
    assert np.array_equal(plain.predict(X), expected)
    assert itself(plain[-1]) is plain[-1]
    assert itself(TrainedInEpochs(plain)) is plain


def test_a_parameter_of_that_name_is_the_estimators_own() -> None:
    class Own(SGDClassifier):  # type: ignore[misc] # scikit-learn has no types
        def __init__(self, epochs: int = 1) -> None:
            super().__init__()
            self.epochs = epochs

    assert can_train_in_epochs(SGDClassifier)
    assert not can_train_in_epochs(Own)
    assert can_train_in_epochs(MLPClassifier)


# -- configs --------------------------------------------------------------------------------------------------------

CONFIG = """\
data: {train: "sklearn:load_iris"}
model: MODEL
space:
  SPACE
oracle: {type: hyperband, resource: RESOURCE, min: 3, max: 27}
evaluate: {cv: 2}
executor: {type: serial}
"""
SGD = "{class: sklearn.linear_model.SGDClassifier}"
ALPHA = "alpha: {type: float, min: 1e-6, max: 1, scale: log}"
NET = (
    "{pipeline: [{scale: sklearn.preprocessing.StandardScaler}, "
    "{net: {class: sklearn.neural_network.MLPClassifier, params: {PARAMS}}}]}"
)
TWO = "{choose: {a: {class: sklearn.linear_model.SGDClassifier}, b: {class: sklearn.linear_model.Perceptron}}}"


def write(folder: Path, model: str, space: str, resource: str) -> Path:
    text = CONFIG.replace("MODEL", model).replace("SPACE", space).replace("RESOURCE", resource)
    (folder / "c.yaml").write_text(text.replace("PARAMS", ""))
    return folder / "c.yaml"


@pytest.mark.parametrize(
    ("model", "space", "resource", "said"),
    [
        ("{class: sklearn.svm.SVC}", "C: [1, 2]", "epochs", "c.yaml:5: oracle.resource: SVC has no partial_fit, so"),
        (
            SGD,
            "max_iter: {type: int, min: 3, max: 9}",
            "epochs",
            "c.yaml:4: space.max_iter: SGDClassifier is trained",
        ),
        (
            SGD.replace("}", ", params: {early_stopping: true}}"),
            ALPHA,
            "epochs",
            "c.yaml:2: model.params.early_stopping: SGDClassifier is trained in epochs, by partial_fit, which knows no",
        ),
        (NET, "net.early_stopping: [true, false]", "epochs", "c.yaml:4: space.net.early_stopping: MLPClassifier is"),
        (
            NET.replace("PARAMS", "solver: lbfgs"),
            "net.alpha: [1, 2]",
            "epochs",
            "has no partial_fit, so it cannot be trained in epochs",
        ),
        (NET, "net.alpha: [1, 2]", "scale.epochs", "oracle.resource: only a model's last step is trained in epochs"),
        (
            NET,
            "net.epochs: {type: float, min: 1, max: 9}",
            "net.max_iter",
            "c.yaml:4: space.net.epochs: expected whole numbers of epochs: write type: int",
        ),
        (NET, "net.epochs: [0, 3]", "net.max_iter", "space.net.epochs: expected a whole number of epochs from 1 on"),
        (SGD.replace("}", ", params: {epochs: 2.5}}"), ALPHA, "rows", "model.params.epochs: expected a whole number"),
    ],
)
def test_what_cannot_be_trained_in_epochs_is_told_at_its_line(
    model: str, space: str, resource: str, said: str, tmp_path: Path
) -> None:
    path = write(tmp_path, model, space, resource)
    if resource == "rows":
        path.write_text(path.read_text().replace(", max: 27", "").replace("min: 3", "min: 0.3"))
    with pytest.raises(ConfigError) as error:
        inspect(load(path))
    assert any(said in str(problem) for problem in error.value.problems), [str(p) for p in error.value.problems]


@pytest.mark.parametrize(
    ("model", "space", "resource", "name"),
    [
        (SGD, ALPHA, "epochs", "epochs"),
        (NET, "net.alpha: [1, 2]", "epochs", "net.epochs"),
        (NET, "net.alpha: [1, 2]", "net__epochs", "net.epochs"),
        (NET, "net.tol: [0.1, 0.2]", "net.epochs", "net.epochs"),  # the adaptive learning rate looks at it
        (TWO, "epochs: {type: fixed, value: 27, sets: [model.a.epochs, model.b.epochs]}", "epochs", "epochs"),
    ],
)
def test_epochs_alone_are_those_of_the_last_step(
    model: str, space: str, resource: str, name: str, tmp_path: Path
) -> None:
    found = load(write(tmp_path, model, space, resource))
    assert found.resource is not None
    assert found.resource.name == name
    assert found.space.defaults()[name] == 27
    inspect(found)


def test_without_an_oracle_that_spends_them_epochs_are_a_parameter_like_any_other(tmp_path: Path) -> None:
    path = write(tmp_path, SGD, "epochs: {type: int, min: 1, max: 40}", "epochs")
    path.write_text(
        path.read_text().replace("{type: hyperband, resource: epochs, min: 3, max: 27}", "{type: random}")
    )
    found, _ = inspect(load(path))
    assert [one["name"] for one in found.space["parameters"]] == ["epochs"]
