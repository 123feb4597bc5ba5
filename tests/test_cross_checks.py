"""What only several sections of a config together show to be wrong: said before the first fit, with its line."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from hptune import cli
from hptune.commands._problem import LOOKING
from hptune.commands._shared import read_study
from hptune.conditions import Condition, Forbid, Require, clause, constraint_from_json
from hptune.reachable import never_active, never_allowed
from hptune.space import Boolean, Choice, Float, Int, SearchSpace

Capture = pytest.CaptureFixture[str]

RIDGE = """\
name: ridge
data: {train: "sklearn:load_diabetes"}
model: {class: sklearn.linear_model.Ridge}
space:
  alpha: {type: float, min: 0.1, max: 10, default: 1}
evaluate: {metric: neg_root_mean_squared_error, cv: 3, finals: {enabled: false}}
oracle: {type: random}
budget: {trials: 3}
executor: {type: serial}
probe: false
output: {refit: false}
"""
FUNCTION = """\
name: fun
model: {function: "crossed:f"}
space: {x: {type: float, min: -5, max: 5, default: 3}}
evaluate: {metric: loss, direction: minimize}
oracle: {type: random}
budget: {trials: 3}
executor: {type: serial}
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    (tmp_path / "ridge.yaml").write_text(RIDGE)
    (tmp_path / "fun.yaml").write_text(FUNCTION)
    (tmp_path / "crossed.py").write_text(
        "def f(values):\n    return values['x'] ** 2\n\n"
        "def steps(values, report):\n    for step in range(1, 28):\n        report(values['x'] ** 2 / step, step)\n"
        "    return values['x'] ** 2 / 27\n\n"
        "def early(values, report):\n    report(1.0, 1)\n    return 1.0\n\n"
        "def takes(values, X, *more, seed=0, **others):\n    return 1.0\n"
    )
    monkeypatch.chdir(tmp_path)
    path = list(sys.path)
    yield tmp_path
    sys.path[:] = path
    sys.modules.pop("crossed", None)


def refused(capsys: Capture, *arguments: str) -> str:
    capsys.readouterr()
    assert cli.invoke(["validate", *arguments]) == 2, arguments
    found = capsys.readouterr().err
    assert "Traceback" not in found
    return " ".join(found.split())


COMMAND = """\
name: echo
model: {command: [/bin/echo, '{{"loss": 1}}'], metrics: {stdout: json}}
space: {batch: {type: int, min: 10, max: 90, step: 20, default: 55}}
evaluate: {metric: loss, direction: minimize}
oracle: {type: random}
budget: {trials: 1}
executor: {type: serial}
"""


NOTHING = FUNCTION.replace("{x: {type: float, min: -5, max: 5, default: 3}}", "{x: 1}")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (NOTHING, ["space"]),
        (RIDGE.replace("default: 1", "default: 100"), ["space.alpha.default"]),
        (RIDGE.replace("default: 1", "default: 100") + "start_with: [{alpha: 20}]\n", ["start_with[0].alpha"]),
        (FUNCTION.replace("default: 3", "default: 7"), ["space.x.default"]),
        (FUNCTION.replace("direction: minimize", "direction: minimize, cv: 5"), ["evaluate.cv"]),
        (COMMAND, ["space.batch.default", "space.batch"]),
        (FUNCTION + "gate: {min_gain: 0.1}\n", ["gate"]),
    ],
    ids=["nothing", "range", "error too", "function", "cv", "command", "gate"],
)
def test_validate_and_space_give_the_warnings_of_run(
    text: str, expected: list[str], project: Path, capsys: Capture
) -> None:
    (project / "study.yaml").write_text(text)
    said = {}
    for verb in (["validate"], ["space"], ["run", "--dry-run"], ["run"]):
        capsys.readouterr()
        cli.invoke([*verb, "study.yaml"])
        lines = capsys.readouterr().err.splitlines()
        said[" ".join(verb)] = [line for line in lines if "study.yaml:" in line and "hptune " not in line]
    assert all(any(f": {key}: " in line for line in said["validate"]) for key in expected), said
    assert said["validate"] == said["space"] == said["run --dry-run"] == said["run"]


# -- constraints, conditions ----------------------------------------------------------------------------------------


def test_defaults_that_a_constraint_forbids_are_refused_and_never_run(project: Path, capsys: Capture) -> None:
    (project / "ridge.yaml").write_text(RIDGE + 'constraints: [{require: "alpha > 2"}]\n')
    found = refused(capsys, "ridge.yaml")
    assert "ridge.yaml:12: constraints: not met by the defaults (alpha=1)" in found
    assert "Write a `default:` that it allows" in found
    assert cli.invoke(["run", "ridge.yaml", "-q"]) == 2
    assert not (project / "runs" / "ridge" / "journal.jsonl").exists()
    assert cli.invoke(["validate", "ridge.yaml", "-o", "space.alpha.default=3"]) == 0


HYPER = """\
name: hyper
data: {train: "sklearn:load_diabetes"}
model: {hypermodel: "crossed:build"}
evaluate: {metric: neg_root_mean_squared_error, cv: 3, finals: {enabled: false}}
oracle: {type: random}
budget: {trials: 3}
executor: {type: serial}
probe: false
output: {refit: false}
constraints: [{require: "alpha < 200"}]
"""


def test_constraints_on_what_a_hypermodel_records_are_held_and_its_defaults_have_to_meet_them(
    project: Path, capsys: Capture
) -> None:
    (project / "crossed.py").write_text(
        "from sklearn.linear_model import Ridge\n\n\ndef build(hp):\n    return Ridge(hp.Float('alpha', 1e-3, 1e3))\n"
    )
    (project / "hyper.yaml").write_text(HYPER)
    for constraint, said in (
        (
            "alfa > 3",
            "wrong.yaml:10: constraints[0].require: the model has no hyperparameter 'alfa'; did you mean 'al",
        ),
        ("alpha > 2000", "wrong.yaml:10: constraints: the constraints leave less than 0.1% of the space"),
        ("alpha > 2", "wrong.yaml:10: constraints: not met by the defaults (alpha=0.001)"),
    ):
        (project / "wrong.yaml").write_text(HYPER.replace("alpha < 200", constraint))
        assert said in refused(capsys, "wrong.yaml")
    assert cli.invoke(["run", "hyper.yaml", "-q", "-o", "budget.trials=8"]) == 0
    trials = read_study(project / "runs" / "hyper").trials
    assert len(trials) == 8
    assert all(trial.values["alpha"] < 200 for trial in trials)


def space(*when: Condition) -> SearchSpace:
    return SearchSpace(
        (
            Choice(name="model", values=("svc", "lr")),
            Float(name="C", low=0.1, high=10.0, when=clause("model", "svc")),
            Int(name="depth", low=1, high=9, extra=(None,)),
            Boolean(name="on"),
            Float(name="child", low=0.0, high=1.0, when=when),
        )
    )


@pytest.mark.parametrize(
    ("when", "reachable"),
    [
        (clause("model", "svc"), True),
        ((*clause("model", "svc"), *clause("model", "lr")), False),
        ((*clause("C", {"gt": 5}), *clause("model", "lr")), False),  # C itself needs svc
        (clause("C", {"gt": 10}), False),
        (clause("C", {"ge": 10}), True),
        (clause("C", {"lt": 0.1}), False),
        (clause("C", {"gt": 5, "lt": 5.000001}), True),
        (clause("C", {"gt": 5, "lt": 5}), False),
        (clause("depth", {"gt": 3, "lt": 4}), False),  # no whole number between
        (clause("depth", {"gt": 3, "lt": 5}), True),
        (clause("depth", None), True),
        (clause("on", True), True),
        ((*clause("on", True), *clause("on", False)), False),
        (clause("model", {"gt": 3}), False),  # a name is not above a number
    ],
)
def test_a_parameter_that_no_trial_can_have_is_found(when: tuple[Condition, ...], reachable: bool) -> None:
    found = dict(never_active(space(*when)))
    assert set(found) == (set() if reachable else {"child"})
    drawn = [space(*when).draw(u) for u in np.random.default_rng(0).random((2000, 7))]
    if not reachable:
        assert not any("child" in values for values in drawn)


def test_a_value_that_constraints_leave_nothing_of_is_found_its_branch_once() -> None:
    whole = SearchSpace(
        (
            Choice(name="model", values=("svc", "lr")),
            Choice(name="kernel", values=("rbf", "linear"), when=clause("model", "svc")),
            Float(name="C", low=0.1, high=10.0, when=clause("model", "svc")),
        ),
        (Require("kernel == 'poly' or C > 100"),),
    )
    assert list(never_allowed(whole, np.random.default_rng(0))) == [("model", "svc")]
    some = SearchSpace(whole.parameters, (Forbid(tuple(clause("kernel", "rbf"))),))
    assert list(never_allowed(some, np.random.default_rng(0))) == [("kernel", "rbf")]
    assert not list(never_allowed(SearchSpace(whole.parameters), np.random.default_rng(0)))


# -- scores and gates -----------------------------------------------------------------------------------------------


def test_scores_above_zero_of_a_negated_metric_are_refused_with_the_right_sign(
    project: Path, capsys: Capture
) -> None:
    for override, key in (("gate={baseline: 60}", "gate"), ("budget.target=60", "budget.target")):
        found = refused(capsys, "ridge.yaml", "-o", override)
        assert f"{key}" in found
        assert "expected at most 0, as scores of neg_root_mean_squared_error are; found 60. Write -60" in found
    assert cli.invoke(["validate", "ridge.yaml", "-o", "gate={baseline: -60}", "-o", "budget.target=-50"]) == 0


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "does not exist; commit the result.json of a run there"),
        ("{}", "is no result.json of hptune with a best trial"),
        ('{"objective": {"metric": "neg_root_mean_squared_error"}, "best": null}', "is no result.json of hptune"),
        ('{"objective": {"metric": "r2"}, "best": {"score": 0.5}}', "is about r2, this study about neg_root_mean"),
        ('{"objective": {"metric": "neg_root_mean_squared_error"}, "best": {"score": "x"}}', "expected a number"),
    ],
)
def test_a_floor_that_cannot_be_used_is_refused_before_the_first_fit(
    content: str | None, said: str, project: Path, capsys: Capture
) -> None:
    if content is not None:
        (project / "floor.json").write_text(content)
    (project / "ridge.yaml").write_text(RIDGE + "gate: {baseline: floor.json}\n")
    found = refused(capsys, "ridge.yaml")
    assert "ridge.yaml:12: gate.baseline: " in found
    assert said in found
    assert cli.invoke(["run", "ridge.yaml", "-q"]) == 2
    assert not (project / "runs" / "ridge" / "journal.jsonl").exists()


@pytest.mark.parametrize("metric", ["r2", "explained_variance"])
def test_a_target_that_no_score_can_reach_is_refused(metric: str, project: Path, capsys: Capture) -> None:
    options = ["-o", f"evaluate.metric={metric}", "-o", "budget.target=1.5"]
    said = refused(capsys, "ridge.yaml", *options)
    assert f"budget.target: expected at most 1, as scores of {metric} are; found 1.5" in said
    assert cli.invoke(["validate", "ridge.yaml", *options[:2], "-o", "budget.target=1.0"]) == 0


def test_every_scorer_but_two_ends_at_zero_or_one() -> None:
    from sklearn.metrics import get_scorer_names

    from hptune.cross_checks import _ONE

    rest = {name for name in get_scorer_names() if not _ONE.fullmatch(name) and not name.startswith("neg_")}
    assert rest == {"positive_likelihood_ratio", "mutual_info_score"}


def test_a_config_without_a_space_is_said_to_search_nothing(project: Path, capsys: Capture) -> None:
    (project / "ridge.yaml").write_text(re.sub(r"^space:\n.*\n", "", RIDGE, flags=re.MULTILINE))
    assert cli.invoke(["validate", "ridge.yaml"]) == 0
    assert "model: nothing is searched, for there is no `space:`" in capsys.readouterr().err
    assert cli.invoke(["validate", "ridge.yaml", "-o", "budget.trials=1"]) == 0
    assert "nothing is searched" not in capsys.readouterr().err


def test_a_misspelt_defaults_is_not_a_file(project: Path, capsys: Capture) -> None:
    assert "did you mean defaults?" in refused(capsys, "ridge.yaml", "-o", "gate={baseline: default}")


def test_a_holdout_gate_compares_with_the_defaults_only(project: Path, capsys: Capture) -> None:
    overrides = ("-o", "gate={baseline: -60, on: holdout}", "-o", "data.holdout={fraction: 0.2}")
    assert "gate.on: holdout compares with the defaults" in refused(capsys, "ridge.yaml", *overrides)


def test_the_gate_says_what_it_compared(project: Path, capsys: Capture) -> None:
    assert cli.invoke(["run", "ridge.yaml", "-o", "gate={baseline: -60, min_gain: -20}"]) == 0
    found = " ".join(capsys.readouterr().out.split())
    assert "gate pass; the gain over -60 is at least" in found
    best = json.loads((project / "runs" / "ridge" / "result.json").read_text())["best"]["score"]
    floor = {"objective": {"metric": "neg_root_mean_squared_error"}, "best": {"score": best}}
    (project / "floor.json").write_text(json.dumps(floor))
    assert cli.invoke(["run", "ridge.yaml", "--fresh", "-o", "gate={baseline: floor.json}"]) == 3
    found = " ".join(capsys.readouterr().out.split())
    assert "floor.json is 0, but only -" in found


def test_a_gate_without_folds_is_said_to_stay_undecided(project: Path, capsys: Capture) -> None:
    assert cli.invoke(["validate", "fun.yaml", "-o", "gate={min_gain: 0}"]) == 0
    assert "without folds nothing tells how sure a gain is" in " ".join(capsys.readouterr().err.split())
    assert cli.invoke(["validate", "fun.yaml", "-o", "gate={min_gain: 0, undecided: pass}"]) == 0
    assert capsys.readouterr().err == f"{LOOKING}\n"
    assert cli.invoke(["run", "fun.yaml", "-o", "gate={min_gain: 0}", "-o", "budget.trials=12"]) == 3
    assert "one score has no folds that tell how sure it is" in " ".join(capsys.readouterr().out.split())


def test_finals_that_cannot_be_held_are_told_where_they_were_asked_for(project: Path, capsys: Capture) -> None:
    asked = ("-o", "evaluate.finals.enabled=true")
    assert cli.invoke(["validate", "fun.yaml", *asked]) == 0
    assert "no finals will be held: there are no fresh splits, for a function model" in folded(capsys)
    assert cli.invoke(["validate", "ridge.yaml", *asked, "-o", "evaluate.cv={type: time_series}"]) == 0
    assert "can be divided in one way only" in folded(capsys)


def folded(capsys: Capture) -> str:
    return " ".join(capsys.readouterr().err.split())


# -- functions ------------------------------------------------------------------------------------------------------


def test_a_function_has_no_outer_folds(project: Path, capsys: Capture) -> None:
    assert "evaluate.nested: a function model measures itself" in refused(
        capsys, "fun.yaml", "-o", "evaluate.nested=3"
    )


def test_a_function_may_take_what_data_give_it(project: Path, capsys: Capture) -> None:
    found = refused(capsys, "fun.yaml", "-o", "model.function=crossed:takes")
    assert "crossed:takes takes X, which nothing gives it" in found
    assert "X, y and groups come with `data:`" in found
    with_data = ("-o", "data={train: 'sklearn:load_diabetes'}")
    assert cli.invoke(["validate", "fun.yaml", "-o", "model.function=crossed:takes", *with_data]) == 0


@pytest.mark.parametrize(("name", "failed"), [("f", True), ("steps", False), ("early", False)])
def test_a_function_that_is_charged_a_part_has_to_report(name: str, failed: bool, project: Path) -> None:
    oracle = "oracle={type: hyperband, resource: steps, min: 3, max: 27}"
    command = ["run", "fun.yaml", "-q", "-o", f"model.function=crossed:{name}", "-o", oracle]
    assert cli.invoke(command) == 0  # trial 0 is measured in full
    journal = (project / "runs" / "fun" / "journal.jsonl").read_text()
    assert ("the function returned without any" in journal) == failed


@pytest.mark.parametrize(
    ("limit", "mend"),
    [
        ("budget.patience=1", "a larger budget.patience goes on"),
        ("budget.target=100", "another budget.target goes on"),
    ],
)
def test_a_study_that_stopped_says_what_makes_it_go_on(limit: str, mend: str, project: Path, capsys: Capture) -> None:
    assert cli.invoke(["run", "fun.yaml", "-q", "-o", "budget.trials=30", "-o", limit]) == 0
    capsys.readouterr()
    assert cli.invoke(["run", "fun.yaml", "-o", "budget.trials=30", "-o", limit]) == 0
    found = capsys.readouterr().err
    assert mend in found
    assert "--trials +N" not in found


def test_a_space_that_is_used_up_is_complete_however_often_it_is_run(project: Path, capsys: Capture) -> None:
    small = ("-o", "space={x: [1, 2, 3]}", "-o", "budget.trials=30")
    assert cli.invoke(["run", "fun.yaml", "-q", *small]) == 0
    first = (project / "runs" / "fun" / "journal.jsonl").read_bytes()
    capsys.readouterr()
    for more in ((), ("--trials", "+5")):
        assert cli.invoke(["run", "fun.yaml", *small, *more]) == 0
        assert "complete already: every configuration of the space has been tried" in capsys.readouterr().err
    assert (project / "runs" / "fun" / "journal.jsonl").read_bytes() == first


def test_in_wants_a_parameter_that_holds_lists(project: Path, capsys: Capture) -> None:
    layers = ("-o", "space={x: [1, 2], y: {type: float, min: 0, max: 1}, z: [[1, 2], [1]]}")
    found = refused(capsys, "fun.yaml", *layers, "-o", 'constraints=[{require: "x in y"}]')
    assert "'x in y' can never be computed: expected a list such as [1, 2] after in, found y (a number)" in found
    assert cli.invoke(["validate", "fun.yaml", *layers, "-o", 'constraints=[{require: "x in z"}]']) == 0


@pytest.mark.parametrize("text", ["min(x) > 100", "sqrt(x, x) < 2", "max() > 1", "x in 3", "'a' < 3"])
def test_a_requirement_that_can_never_be_computed_is_refused(text: str, project: Path, capsys: Capture) -> None:
    found = refused(capsys, "fun.yaml", "-o", f'constraints=[{{require: "{text}"}}]')
    assert "constraints[0].require: " in found
    assert constraint_from_json({"require": text}).allows({"x": 1.0})  # and yet an earlier study with it can be read


def test_tight_constraints_alone_forbid_no_value() -> None:
    """A share of .36 % is accepted; of 200 draws of a value half the time none is allowed."""
    tight = SearchSpace(
        (
            Float(name="x", low=0, high=1),
            Float(name="y", low=0, high=1),
            Choice(name="k", values=tuple("abcdefghij")),
        ),
        (Require("x > 0.94 and y > 0.94"),),
    )
    for seed in range(5):
        assert not list(never_allowed(tight, np.random.default_rng(seed)))


@pytest.mark.parametrize(
    "bound", [10**400, -(10**400), float("inf"), 1e300, -1e300, 0.5], ids=lambda one: str(one)[:9]
)
def test_odd_bounds_of_conditions_are_survived(bound: float) -> None:
    for parent in (
        Float(name="p", low=0.0, high=1.0),
        Int(name="p", low=0, high=10**6),
        Int(name="p", low=0, high=5),
    ):
        one = SearchSpace((parent, Float(name="c", low=0, high=1, when=(Condition("p", "gt", bound),))))
        assert set(dict(never_active(one))) == ({"c"} if bound > 1 else set())


def test_a_wrapper_may_supply_what_it_wraps(project: Path) -> None:
    (project / "crossed.py").write_text(
        "import functools\n\ndef inner(values, data):\n    return values['x'] * data\n\n"
        "@functools.wraps(inner)\ndef f(values, **more):\n    return inner(values, 2.0)\n"
    )
    assert cli.invoke(["run", "fun.yaml", "-q"]) == 0


def test_a_study_begun_before_its_defaults_were_forbidden_goes_on_with_a_warning(
    project: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    (project / "fun.yaml").write_text(FUNCTION + 'constraints: [{require: "x < 2"}]\n')
    with monkeypatch.context() as before:
        before.setattr("hptune.compose.cross_checks", lambda *_, **__: [])
        assert cli.invoke(["run", "fun.yaml", "-q"]) == 0
    assert cli.invoke(["run", "fun.yaml", "--trials", "+2"]) == 0
    assert "warning: fun.yaml:8: constraints: not met by the defaults (x=3)" in capsys.readouterr().err


def test_a_gate_of_huge_scores_fails_and_the_results_are_kept(project: Path, capsys: Capture) -> None:
    (project / "crossed.py").write_text("def f(values):\n    return 1e200 * (1 + values['x'] ** 2)\n")
    assert cli.invoke(["run", "fun.yaml", "-o", "gate={baseline: 1.0e+201}"]) == 3
    assert "the scores are too large to compute with" in " ".join(capsys.readouterr().out.split())
    assert json.loads((project / "runs" / "fun" / "result.json").read_text())["gate"]["verdict"] == "fail"
