"""Mappings by class (`class_weight: {0: 1, 1: 5}`): in the config, in the study's files, and in the fit."""

from __future__ import annotations

import csv
import json
import re
import runpy
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.ensemble import BaggingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from hptune import cli
from hptune.class_keys import to_classes
from hptune.commands._shared import read_study
from hptune.compose import setup_of
from hptune.config.load import load
from hptune.config.yaml_dump import dump
from hptune.models.fitting import weighing_classes
from hptune.space import Choice, Float, SearchSpace
from hptune.worker.problem import Problem
from tests.config.helpers import loaded, refused

Capture = pytest.CaptureFixture[str]

CONFIG = """
name: weighed
data: {{train: rows.csv, target: {target}}}
model:
  pipeline:
    - scale: sklearn.preprocessing.StandardScaler
    - clf: {{class: sklearn.linear_model.LogisticRegression, params: {params}}}
space: {space}
evaluate: {{metric: accuracy, cv: 3, finals: {{enabled: false}}}}
oracle: {{type: grid}}
budget: {{trials: {trials}}}
executor: {{type: serial}}
output: {{dir: runs/weighed}}
"""
WEIGHTS: dict[str, tuple[str, dict[Any, float]]] = {
    "number": ("{0: 1, 1: 5}", {0: 1, 1: 5}),
    "text": ("{low: 1, mid: 5, high: 2}", {"low": 1, "mid": 5, "high": 2}),
    "truth": ("{false: 1, true: 5}", {False: 1, True: 5}),
    "quoted": ('{"0": 1, "1": 5}', {0: 1, 1: 5}),
}


def rows() -> pd.DataFrame:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(90, 2))
    score = X[:, 0] + rng.normal(size=90)
    named = np.array(["low", "mid", "high"])[np.digitize(score, [-0.7, 0.7])]
    number = (score > 0).astype(int)
    return pd.DataFrame(
        {"a": X[:, 0], "b": X[:, 1], "number": number, "quoted": number, "truth": score > 0, "text": named}
    )


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.chdir(tmp_path)
    path = list(sys.path)
    yield tmp_path
    sys.path[:] = path


def write(target: str, *, params: str = "{}", space: str = "{}", trials: int = 1) -> None:
    table = rows()
    table[["a", "b", target]].to_csv("rows.csv", index=False)
    Path("study.yaml").write_text(CONFIG.format(target=target, params=params, space=space, trials=trials))


def invoke(*words: str) -> None:
    assert cli.invoke(list(words)) == 0, words


def scores(folder: str = "runs/weighed") -> dict[str, tuple[float, ...]]:
    found = read_study(Path(folder))
    return {found.space.key(trial.values): trial.scores for trial in found.trials}


def expected(target: str, weights: Any) -> list[float]:
    table = rows()
    model = make_pipeline(StandardScaler(), LogisticRegression(class_weight=weights))
    problem = Problem(setup_of(load("study.yaml")))  # for its folds
    X, y = table[["a", "b"]], table[target].to_numpy()
    return list(cross_val_score(model, X, y, cv=problem.splits, scoring="accuracy"))


@pytest.mark.parametrize("target", WEIGHTS)
@pytest.mark.parametrize("under", ["params", "space"])
def test_the_scores_are_those_of_the_classes_weights(target: str, under: str, home: Path) -> None:
    spelled, weights = WEIGHTS[target]
    if under == "params":
        write(target, params=f"{{class_weight: {spelled}}}")
    else:
        write(target, space=f"{{clf.class_weight: [{spelled}]}}")
    invoke("run", "study.yaml", "-q")
    (found,) = scores().values()
    assert list(found) == pytest.approx(expected(target, weights))
    assert list(found) != pytest.approx(expected(target, None))


@pytest.mark.parametrize("target", WEIGHTS)
def test_a_winner_with_weights_by_class_survives_every_file(target: str, home: Path, capsys: Capture) -> None:
    spelled, weights = WEIGHTS[target]
    write(target, space=f"{{clf.class_weight: [{spelled}]}}")
    invoke("run", "study.yaml", "-q")
    as_text = {str(key).lower() if isinstance(key, bool) else str(key): one for key, one in weights.items()}
    short = "{" + ", ".join(f"{key}: {one}" for key, one in as_text.items()) + "}"

    best = json.loads(Path("runs/weighed/result.json").read_text())["best"]
    assert best["params"] == {"clf.class_weight": as_text}
    row = next(csv.DictReader(Path("runs/weighed/trials.csv").read_text().splitlines()))
    assert json.loads(row["param.clf.class_weight"]) == as_text
    capsys.readouterr()
    invoke("trials", "runs/weighed", "--json")
    assert json.loads(capsys.readouterr().out)["trials"][0]["params"] == {"clf.class_weight": as_text}
    for verb in (["trials", "runs/weighed"], ["show", "runs/weighed"], ["space", "study.yaml"]):
        capsys.readouterr()
        invoke(*verb)
        assert short in capsys.readouterr().out, verb

    before = scores()
    invoke("run", "runs/weighed/best.yaml", "-q", "--dir", "again")
    assert scores("again") == before

    invoke("export", "runs/weighed", "--out", "exported.py")
    script = runpy.run_path("exported.py")
    assert "hptune." not in Path("exported.py").read_text().split('"""', 2)[2]
    X, y = script["load"]()
    fitted = script["fit"](X, y)
    assert fitted[-1].class_weight == weights
    capsys.readouterr()
    new = rows()[["a", "b"]]
    new.to_csv("new.csv", index=False)
    invoke("predict", "runs/weighed", "new.csv")
    said = capsys.readouterr().out.split()
    assert said[1:] == [str(one) for one in fitted.predict(new).tolist()]


def test_a_study_goes_on_with_its_mappings_and_tries_none_twice(home: Path) -> None:
    space = "{clf.C: [0.1, 1], clf.class_weight: [null, balanced, {0: 1, 1: 5}, {0: 5, 1: 1}]}"
    write("number", space=space, trials=8)
    config = Path("study.yaml").read_text()
    Path("study.yaml").write_text(config + "start_with: [{clf.class_weight: {1: 5, 0: 1}}]\n")
    for trials in ("2", "5", "8"):
        invoke("run", "study.yaml", "-q", "--trials", trials)
    parts = scores()
    assert len(parts) == 8
    assert read_study(Path("runs/weighed")).trials[1].values["clf.class_weight"] == {"0": 1, "1": 5}
    invoke("run", "study.yaml", "-q", "--dir", "whole")
    assert scores("whole") == parts
    # the same problem when it is read from the run directory
    assert cli.invoke(["run", "runs/weighed", "-q"]) == 0
    Path("later.yaml").write_text(
        config.replace("{type: grid}", "{type: bayesian, startup: 2}").replace("trials: 8", "trials: 6")
        + "prior: {runs: [runs/weighed]}\n"
    )
    invoke("run", "later.yaml", "-q", "--dir", "later")
    assert len(scores("later")) == 6


def test_a_default_of_the_estimator_that_is_a_mapping_is_found_among_the_choices(home: Path, capsys: Capture) -> None:
    write("number", params="{class_weight: {0: 1, 1: 5}}", space="{clf.class_weight: [null, {0: 1, 1: 5}]}")
    invoke("validate", "study.yaml")
    assert "clf.class_weight={0: 1, 1: 5}" in capsys.readouterr().out


def test_a_class_that_is_not_there_is_said_before_the_first_trial(home: Path, capsys: Capture) -> None:
    write("text", space="{clf.class_weight: [null, {low: 1, mid: 5, hihg: 2}]}")
    assert cli.invoke(["validate", "study.yaml"]) == 2
    said = capsys.readouterr().err
    assert "study.yaml:8: space.clf.class_weight: a fit with clf.class_weight:" in said
    assert "The classes, ['high'], are not in class_weight" in said


def test_a_mapping_where_the_estimator_takes_none_is_refused(home: Path, capsys: Capture) -> None:
    write("number", params="{C: {a: 1}}")
    assert cli.invoke(["validate", "study.yaml"]) == 2
    assert "LogisticRegression.C takes a number" in capsys.readouterr().err


# -- the config -----------------------------------------------------------------------------------------------------

LOGISTIC = "model: {class: sklearn.linear_model.LogisticRegression}\ndata: {train: 'sklearn:load_iris'}\n"


def test_only_mappings_by_class_may_have_numbers_as_keys() -> None:
    config = loaded(LOGISTIC + "space: {class_weight: [null, {0: 1, true: 2, -1: 3}]}\n")
    assert config.space["class_weight"].values == (None, {"0": 1, "true": 2, "-1": 3})  # type: ignore[attr-defined]
    config = loaded(LOGISTIC, ["model.params.class_weight={0: 1, 1: 5}", "space.class_weight=[{0: 1, 1: 5}, null]"])
    assert config.config.model.params == {"class_weight": {"0": 1, "1": 5}}  # type: ignore[attr-defined]
    assert config.space["class_weight"].values == ({"0": 1, "1": 5}, None)  # type: ignore[attr-defined]
    for text in ("space: {other: [{0: 1}]}\n", "budget: {0: 1}\n", "0: 1\n"):
        with_it = refused(LOGISTIC + text)
        assert "expected text as a key, found 0: write it in quotes" in with_it[0]
    assert "duplicate key '0'" in refused(LOGISTIC + 'space: {class_weight: [{0: 1, "0": 2}]}\n')[0]
    assert "expected text as a key, found 0.5" in refused(LOGISTIC + "space: {class_weight: [{0.5: 1}]}\n")[0]
    (said,) = refused(LOGISTIC + "space: {class_weight: {0: 1, 1: 5}}\n")
    assert said.endswith("(a mapping that is itself the value: {type: fixed, value: {...}})")


def test_the_values_are_told_apart_whatever_the_order_of_their_keys() -> None:
    weights = Choice(name="w", values=(None, {"0": 1, "1": 5}, {"0": 1, "1": 5.0}))
    space = SearchSpace((weights, Float(name="x", low=0, high=1)))
    assert SearchSpace.from_json(json.loads(json.dumps(space.to_json()))).hash == space.hash
    assert weights.coerce({"1": 5, "0": 1}) == {"0": 1, "1": 5}
    assert space.key({"w": {"1": 5, "0": 1}, "x": 0.5}) == space.key({"w": {"0": 1, "1": 5}, "x": 0.5})
    for values in ({"w": one, "x": 0.25} for one in weights.values):
        assert space.key(space.decode(space.encode(values))) == space.key(values)
    with pytest.raises(ValueError, match=r"w: the value .* is listed twice"):
        Choice(name="w", values=({"0": 1, "1": 5}, {"1": 5, "0": 1}))
    assert dump({"w": [None, {"0": 1, "1": 5}]}) == 'w:\n  - null\n  - "0": 1\n    "1": 5\n'


# -- the fit --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("classes", "keys", "found"),
    [
        ([0, 1], ["0", "1"], [0, 1]),
        ([0.0, 1.0, 2.5], ["0", "1.0", "2.5"], [0.0, 1.0, 2.5]),
        (["0", "1"], ["0", "1"], ["0", "1"]),
        ([False, True], ["false", "True"], [False, True]),
        (["True", "no"], ["True", "no"], ["True", "no"]),
        (["low"], ["low", "high", "3"], ["low", "high", 3]),
    ],
)
def test_keys_become_the_classes_whose_text_they_are(classes: list[Any], keys: list[str], found: list[Any]) -> None:
    got = list(to_classes(dict.fromkeys(keys, 1), classes))
    assert (got, [type(one) for one in got]) == (found, [type(one) for one in found])


def test_estimators_inside_others_are_weighed_too_and_own_keys_are_left_alone() -> None:
    y = np.array(["low", "high"] * 5)
    inside = BaggingClassifier(LogisticRegression(class_weight={"0": 1, "1": 5}))
    assert weighing_classes(inside, y).estimator.class_weight == {0: 1, 1: 5}  # bagging numbers the classes
    own = LogisticRegression(class_weight={0: 1})
    assert weighing_classes(own, y) is own
    assert weighing_classes(own, y).class_weight == {0: 1}


def test_a_hypermodel_may_choose_among_mappings(home: Path) -> None:
    (home / "weighed_model.py").write_text(
        "from sklearn.linear_model import LogisticRegression\n\n\n"
        "def build(hp):\n"
        '    return LogisticRegression(class_weight=hp.Choice("w", [{"0": 1, "1": 5}, None]))\n'
    )
    write("number")
    text = Path("study.yaml").read_text()
    model = re.compile(r"^model:\n.*?^space", re.MULTILINE | re.DOTALL)
    Path("study.yaml").write_text(model.sub('model: {hypermodel: "weighed_model:build"}\nspace', text))
    invoke("run", "study.yaml", "-q", "--trials", "2")
    assert len(set(scores().values())) == 2
