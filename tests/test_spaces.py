"""The default search spaces: each fits its estimator, and what they print is a config's `space:`."""

from __future__ import annotations

import importlib
import json
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.base import is_classifier, is_regressor
from sklearn.datasets import make_classification, make_regression
from sklearn.exceptions import ConvergenceWarning
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from hptune import cli
from hptune.commands.spaces import section
from hptune.config.load import Loaded, load_document
from hptune.config.yaml_dump import line
from hptune.config.yaml_loader import load_text
from hptune.errors import UsageError
from hptune.models.constraints import check_parameter, check_value
from hptune.models.estimators import build, examine
from hptune.models.paths import root_place
from hptune.space import SearchSpace
from hptune.spaces import SPACES, DefaultSpace, find, under
from tests.config.helpers import refused

NAMES = pytest.mark.parametrize("name", SPACES)


def config(one: DefaultSpace) -> Loaded:
    """The space in a config, as it is printed."""
    model = line({"class": one.class_path, "params": dict(one.params)})
    text = "\n".join([f"model: {model}", "data: {train: 'sklearn:load_iris'}", *section(one)])
    return load_document(load_text(text, "c.yaml"), Path("/nowhere"))


def class_of(one: DefaultSpace) -> Any:
    module, _, name = one.class_path.rpartition(".")
    return getattr(importlib.import_module(module), name)


def load_class(name: str, *, key: str = "") -> Any:
    module, _, last = name.rpartition(".")
    return getattr(importlib.import_module(module), last)


def test_there_are_two_dozen_and_each_says_its_source() -> None:
    assert len(SPACES) >= 20
    assert all("our choice" in one.source or "/" in one.source for one in SPACES.values())


@NAMES
def test_the_estimator_takes_every_value_of_its_space(name: str) -> None:
    one = SPACES[name]
    cls = class_of(one)
    assert (is_classifier if one.task == "classification" else is_regressor)(cls())
    space = config(one).space
    assert set(one.space) == {parameter.name for parameter in space}
    found = [text for p in space for text in check_parameter(cls, p.name, p)]
    found += [text for key, value in one.params.items() for text in check_value(cls, key, value)]
    assert found == []


@NAMES
def test_the_defaults_of_a_space_are_the_estimators_own(name: str) -> None:
    one = SPACES[name]
    loaded = config(one)
    own = class_of(one)().get_params()
    space, findings = examine(root_place(loaded.config.model.node), loaded.space, load_class)
    assert [finding.message for finding in findings] == []
    different = {
        key: (value, own[key])
        for key, value in space.defaults().items()
        if value not in (own[key], list_of(own[key]))
    }
    assert different == {}


def list_of(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


@NAMES
def test_a_few_configurations_of_it_fit_and_predict(name: str) -> None:
    one = SPACES[name]
    loaded = config(one)
    make = make_classification if one.task == "classification" else make_regression
    X, y = make(n_samples=130, n_features=5, random_state=0)
    y = (y - y.mean()) / y.std() if one.task == "regression" else y
    rng = np.random.default_rng(0)
    least = {"n_estimators": 10, "max_iter": 10, "C": 50}
    for values in (loaded.space.defaults(), loaded.space.sample(rng), loaded.space.sample(rng)):
        cheap = {**values, **{key: least[key] for key in least if key in one.params}}
        cheap = {key: min(value, least[key]) if key in least else value for key, value in cheap.items()}
        model = build(root_place(loaded.config.model.node), cheap, seed=0, load=load_class)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            warnings.filterwarnings("ignore", "overflow|invalid value", RuntimeWarning)
            fitted = make_pipeline(StandardScaler(), model).fit(X[:110], y[:110])
        assert fitted.predict(X[110:]).shape == (20,)


def test_a_space_can_stand_at_a_path() -> None:
    found = under(find("SVC").space, "clf.svc")
    assert set(found) == {f"clf.svc.{name}" for name in find("SVC").space}
    assert found["clf.svc.degree"]["when"] == {"clf.svc.kernel": "poly"}
    text = "model: {pipeline: [{clf: {choose: {svc: sklearn.svm.SVC}}}]}\ndata: {train: 'sklearn:load_iris'}\n"
    text += "\n".join(section(find("SVC"), "clf.svc"))
    loaded = load_document(load_text(text, "c.yaml"), Path("/nowhere"))
    assert isinstance(loaded.space, SearchSpace)
    assert "clf.svc.coef0" in loaded.space
    assert refused(text.replace("choose: {svc:", "choose: {other:"))  # so the paths are really checked


@pytest.mark.parametrize(
    ("asked", "hint"),
    [("RandomForest", "; there are RandomForestClassifier and RandomForestRegressor"),
     ("Rigde", "; did you mean 'Ridge'?"), ("Nothing", "; `hptune spaces` lists them all")],
)  # fmt: skip
def test_an_unknown_name_is_refused_with_a_hint(asked: str, hint: str) -> None:
    with pytest.raises(UsageError) as caught:
        find(asked)
    assert str(caught.value) == f"no default space for {asked!r}{hint}"
    assert find("svc") is find("sklearn.svm.SVC")


def test_the_verb_prints_yaml_a_table_or_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.invoke(["spaces", "SVC", "--path", "svc"]) == 0
    printed = load_text(capsys.readouterr().out, "out").value
    assert printed["space"]["svc.C"] == {
        "type": "float",
        "min": 0.03125,
        "max": 32768.0,
        "scale": "log",
        "default": 1.0,
    }
    assert cli.invoke(["spaces"]) == 0
    table = capsys.readouterr().out
    assert [name for name in SPACES if name not in table] == []
    assert cli.invoke(["spaces", "--json"]) == 0
    listed = json.loads(capsys.readouterr().out)["spaces"]
    assert [one["name"] for one in listed] == list(SPACES)
    assert all(one["source"] for one in listed)
    assert cli.invoke(["spaces", "Nope"]) == 2
