"""The oracle's resource in a config: its parameter stands in the space at the whole, and faults are told at a line."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from hptune.cli import app
from hptune.compose import inspect
from hptune.config.load import Loaded, load
from hptune.errors import ConfigError
from hptune.oracles.hyperband import Hyperband
from hptune.resource import Resource

HGB = """\
name: hgb
data: {train: "sklearn:load_breast_cancer"}
model: {class: sklearn.ensemble.HistGradientBoostingClassifier}
space:
  learning_rate: {type: float, min: 0.01, max: 0.5, scale: log}
oracle: ORACLE
"""
FUNCTION = """\
model: {function: "objectives:f"}
evaluate: {metric: loss, direction: minimize}
space: {x: {type: float, min: 0, max: 1}}
oracle: ORACLE
"""
SERIAL = "executor: {type: serial}\n"
USUAL = "{type: hyperband, resource: max_iter, min: 11, max: 88}"


def loaded(folder: Path, oracle: str = USUAL, text: str = HGB) -> Loaded:
    (folder / "c.yaml").write_text(text.replace("ORACLE", oracle))
    return load(folder / "c.yaml")


def test_the_resource_is_a_fixed_parameter_of_the_space(tmp_path: Path) -> None:
    found = loaded(tmp_path)
    assert found.resource == Resource("max_iter", 88, 1 / 8)
    assert found.space.defaults()["max_iter"] == 88
    assert found.resolved["space"]["max_iter"] == 88


def test_auto_takes_a_resource_too(tmp_path: Path) -> None:
    found = loaded(tmp_path, "{type: auto, resource: max_iter, min: 11, max: 88}")
    assert found.resource == Resource("max_iter", 88, 1 / 8)
    with pytest.raises(ConfigError, match=r"c.yaml:6: oracle.max: expected the resource that it is an amount of"):
        loaded(tmp_path, "{type: auto, max: 90}")
    with pytest.raises(ConfigError, match=r"oracle: max: expected how many max_iter a full training takes"):
        loaded(tmp_path, "{type: auto, resource: max_iter}")


def test_a_resolved_config_is_read_back_as_the_same(tmp_path: Path) -> None:
    from hptune.config.yaml_dump import dump

    found = loaded(tmp_path)
    (tmp_path / "again.yaml").write_text(dump(found.resolved))
    again = load(tmp_path / "again.yaml")
    assert (again.resource, again.space) == (found.resource, found.space)
    assert again.resolved == found.resolved


def test_paths_may_be_spelled_as_scikit_learn_does(tmp_path: Path) -> None:
    pipeline = HGB.replace(
        "{class: sklearn.ensemble.HistGradientBoostingClassifier}",
        "{pipeline: [{scale: sklearn.preprocessing.StandardScaler}, {gb: sklearn.ensemble.GradientBoostingClassifier}]}",
    ).replace("learning_rate", "gb.learning_rate")
    found = loaded(tmp_path, "{type: asha, resource: gb__n_estimators, max: 80}", pipeline)
    assert found.resource == Resource("gb.n_estimators", 80, 1 / 8)


@pytest.mark.parametrize(
    ("oracle", "said"),
    [
        ("{type: hyperband}", "c.yaml:6: oracle: hyperband gives trials less of something at first"),
        ("{type: asha, resource: max_iter}", "oracle: max: expected how many max_iter a full training takes"),
        ("{type: asha, resource: max_iter, max: 30.5}", "oracle.max: expected a whole number from 1 on, found 30.5"),
        (
            "{type: asha, resource: max_iter, min: 50, max: 90}",
            "oracle.max: expected a whole of at least 2 (reduction) times min (50), found 90: there is no rung below",
        ),
        (
            "{type: asha, resource: rows, min: 0.5}",
            "oracle.min: expected a whole of at least 3 (reduction) times min",
        ),
        ("{type: asha, resource: rows, min: 500}", "oracle.min: expected a share of the rows between 0 and 1"),
        ("{type: asha, resource: rows, max: 500}", "oracle.max: leave it out, the whole is all rows of a fold"),
        ("{type: asha, resource: steps, max: 50}", "oracle.resource: steps are what a function model reports"),
        (
            "{type: asha, resource: learning_rate, max: 50}",
            "c.yaml:5: space.learning_rate: the oracle's resource cannot be searched as well",
        ),
        (
            "{type: asha, resource: max_iter, max: 50, sampler: asha}",
            "oracle.sampler: type: expected one of random, grid, quasi_random, bayesian, tpe, auto, found 'asha'",
        ),
        (
            "{type: asha, resource: max_iter, max: 50, sampler: tpe, promote: model}",
            "oracle.promote: model needs sampler: bayesian, found tpe",
        ),
        (
            "{type: asha, resource: max_iter, max: 50, reduction: 1}",
            "oracle.reduction: expected a number of at least 2",
        ),
    ],
)
def test_what_is_wrong_is_told_before_anything_is_imported(tmp_path: Path, oracle: str, said: str) -> None:
    with pytest.raises(ConfigError) as error:
        loaded(tmp_path, oracle)
    assert any(said in str(problem) for problem in error.value.problems), [str(p) for p in error.value.problems]


def test_rows_are_for_estimators_and_every_alternative_must_have_the_resource(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="a function model has no rows that hptune divides"):
        loaded(tmp_path, "{type: asha, resource: rows}", FUNCTION)
    choose = (
        "model: {choose: {h: {class: sklearn.ensemble.HistGradientBoostingClassifier}, "
        "s: {class: sklearn.svm.SVC}}}\ndata: {train: 'sklearn:load_iris'}\noracle: ORACLE\n"
    )
    with pytest.raises(ConfigError, match="exists only where model = h"):
        loaded(tmp_path, "{type: asha, resource: model.h.max_iter, max: 81}", choose)


def test_alternatives_with_tied_iterations_share_a_resource(tmp_path: Path) -> None:
    text = (
        "model: {choose: {h: {class: sklearn.ensemble.HistGradientBoostingClassifier}, "
        "f: {class: sklearn.ensemble.RandomForestClassifier}}}\ndata: {train: 'sklearn:load_iris'}\n"
        "space: {n: {type: fixed, value: 27, sets: [model.h.max_iter, model.f.n_estimators]}}\noracle: ORACLE\n"
    )
    found = loaded(tmp_path, "{type: asha, resource: n, max: 27}", text)
    assert found.space["n"].sets == ("model.h.max_iter", "model.f.n_estimators")


@pytest.mark.parametrize(
    ("oracle", "said"),
    [
        (
            "{type: asha, resource: max_itr, max: 81}",
            "c.yaml:6: oracle.resource: HistGradientBoostingClassifier has no",
        ),
        (
            "{type: asha, resource: rows}",
            "oracle.resource: expected at least 2,000 training rows in a fold, found 455",
        ),
    ],
)
def test_what_only_an_inspection_finds_is_told_at_the_resource(tmp_path: Path, oracle: str, said: str) -> None:
    (tmp_path / "c.yaml").write_text(HGB.replace("ORACLE", oracle) + SERIAL)
    with pytest.raises(ConfigError) as error:
        inspect(load(tmp_path / "c.yaml"))
    assert any(said in str(problem) for problem in error.value.problems), [str(p) for p in error.value.problems]


def run(folder: Path, text: str, *options: str) -> dict[str, Any]:
    import json

    (folder / "c.yaml").write_text(text)
    done = CliRunner().invoke(app, ["run", str(folder / "c.yaml"), "--dir", str(folder / "run"), "--json", *options])
    assert done.exit_code == 0, done.output
    return dict(json.loads((folder / "run" / "result.json").read_text()))


def test_a_run_promotes_goes_on_and_its_winner_was_measured_in_full(tmp_path: Path) -> None:
    text = HGB.replace("ORACLE", "{type: hyperband, resource: max_iter, min: 3, max: 27}") + SERIAL
    text += "evaluate: {metric: neg_log_loss, cv: 2}\nbudget: {trials: 8}\noutput: {refit: false}\n"
    found = run(tmp_path, text)
    lines = (tmp_path / "run" / "trials.csv").read_text().splitlines()
    header = lines[0].split(",")
    rows = [dict(zip(header, line.split(","), strict=False)) for line in lines[1:]]
    best = rows[found["best"]["trial"]]
    assert best["fidelity"] == "1.0"
    assert found["best"]["params"]["max_iter"] == 27
    assert sum(not row["parent"] for row in rows) == 8  # the budget counts configurations
    assert {row["fidelity"] for row in rows} >= {"1.0", repr(1 / 9)}
    told = found["resource"]
    assert told["spent"] == pytest.approx(sum(float(row["fidelity"]) for row in rows), abs=1e-5)
    gone_on = sum(float(rows[int(row["parent"])]["fidelity"]) for row in rows if row["parent"])
    assert told["continued"] == pytest.approx(gone_on, abs=1e-5)  # one process, so every promotion goes on
    shown = CliRunner().invoke(app, ["trials", str(tmp_path / "run")]).output
    assert "max_iter" in shown
    promoted = next(row for row in rows if row["parent"])
    one = CliRunner().invoke(app, ["show", str(tmp_path / "run"), promoted["trial"]]).output
    assert f"promotes trial {promoted['parent']}" in one
    assert "2 of 2 fits went on from its" in one


def test_a_function_is_stopped_at_the_step_and_scored_by_what_it_reported_there(tmp_path: Path) -> None:
    (tmp_path / "objectives.py").write_text(
        "def f(values, report):\n"
        "    for step in range(1, 28):\n"
        "        value = (values['x'] - 0.3) ** 2 + 1 / step\n"
        "        report(value, step)\n"
        "    return value\n"
    )
    text = (
        FUNCTION.replace("ORACLE", "{type: asha, resource: steps, min: 3, max: 27}")
        + SERIAL
        + "budget: {trials: 8}\n"
    )
    found = run(tmp_path, text)
    assert found["resource"]["continued"] == 0
    lines = (tmp_path / "run" / "trials.csv").read_text().splitlines()
    header = lines[0].split(",")
    for line in lines[1:]:
        row = dict(zip(header, line.split(","), strict=False))
        step = round(27 * float(row["fidelity"]))
        assert float(row["score"]) == pytest.approx((float(row["param.x"]) - 0.3) ** 2 + 1 / step)


def test_a_function_that_counts_itself_gets_less_of_its_parameter(tmp_path: Path) -> None:
    (tmp_path / "counting.py").write_text("def f(values):\n    return values['x'] + 1 / values['epochs']\n")
    text = (
        FUNCTION.replace("objectives", "counting").replace(
            "ORACLE", "{type: asha, resource: epochs, min: 3, max: 27, sampler: random}"
        )
        + SERIAL
    )
    run(tmp_path, text + "budget: {trials: 7}\n")
    lines = (tmp_path / "run" / "trials.csv").read_text().splitlines()
    header = lines[0].split(",")
    for line in lines[1:]:
        row = dict(zip(header, line.split(","), strict=False))
        epochs = round(27 * float(row["fidelity"]))
        assert float(row["score"]) == pytest.approx(float(row["param.x"]) + 1 / epochs)


def test_rows_are_drawn_by_class_and_the_smaller_share_lies_in_the_larger(tmp_path: Path) -> None:
    import numpy as np

    from hptune.worker.fidelity import fewer
    from hptune.worker.problem import Problem
    from tests.worker.problems import setup

    data = {"synthetic": {"kind": "sparse_linear", "n": 3000, "d": 4, "informative": 2}}
    problem = Problem(setup(data=data, resource=Resource("rows", 1.0, 1 / 3).to_json()))
    kept, _ = problem.splits[0]
    third, ninth = (fewer(problem, kept, 0, share) for share in (1 / 3, 1 / 9))
    assert (len(kept), len(third), len(ninth)) == (2400, 800, 267)
    assert set(ninth) < set(third) < set(kept)
    assert np.array_equal(fewer(problem, kept, 0, None), kept)


@pytest.mark.parametrize(
    ("n", "classes", "mend"),
    [
        (2500, 0, "write min: 0.5, reduction: 2"),
        (3000, 0, "write min: 0.42, reduction: 2"),
        (3750, 0, "write min: 0.34, reduction: 2"),
        (3800, 0, "write min: 0.33, reduction: 3"),
        (8000, 0, "write min: 0.16, reduction: 3"),
        (5000, 250, "write min: 0.25, reduction: 3"),
        (5000, 100, "take another resource"),
    ],
)
def test_the_mend_of_a_lowest_rung_with_too_few_rows_mends_it(
    n: int, classes: int, mend: str, tmp_path: Path
) -> None:
    from hptune.worker.fidelity import check_resource
    from hptune.worker.problem import Problem
    from tests.worker.problems import setup

    label = (lambda row: int(row % n < classes)) if classes else (lambda row: row / 7)
    (tmp_path / "t.csv").write_text("x,y\n" + "".join(f"{row * 7 % 11},{label(row)}\n" for row in range(n)))
    model = {"class": "sklearn.tree.DecisionTree" + ("Classifier" if classes else "Regressor")}
    data = {"train": "t.csv", "target": "y"}

    def checked(oracle: Hyperband) -> list[str]:
        resource = oracle.to_spend()
        assert resource is not None
        problem = setup(model, data, {"cv": 5}, resource=resource.to_json(), folder=str(tmp_path))
        return [one.message for one in check_resource(Problem(problem))]

    (said,) = checked(Hyperband(resource="rows", min=0.1))
    assert said.endswith(mend)
    options = {key: float(value) for key, value in re.findall(r"(min|reduction): ([\d.]*\d)", mend)}
    if options:
        reduction = int(options["reduction"])
        assert checked(Hyperband(resource="rows", min=options["min"], reduction=reduction)) == []
