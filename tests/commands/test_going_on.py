"""Studies that go on: `--trials +N` cut short, a larger budget under nested folds, a kill between two last records."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from hptune import cli
from hptune import events as ev
from hptune import journal as jn

FUNCTION = """
model: {function: "somewhere:f"}
space: {x: {type: float, min: 0, max: 1}}
evaluate: {metric: loss, direction: minimize}
oracle: {type: random}
budget: {trials: 3}
executor: {type: serial}
"""

HOLDOUT = """
seed: 1
data: {train: "sklearn:load_diabetes", holdout: {fraction: 0.2}}
model: {class: sklearn.neighbors.KNeighborsRegressor}
space:
  n_neighbors: {type: int, min: 1, max: 80, scale: log}
  weights: [uniform, distance]
  p: {type: float, min: 1, max: 4}
evaluate: {metric: neg_mean_absolute_error, cv: 5, early_stop_folds: true, finals: {finalists: 8}}
oracle: {type: tpe}
budget: {trials: 26}
executor: {type: serial}
probe: false
"""

NESTED = """
data: {train: "sklearn:load_diabetes"}
model: {class: sklearn.neighbors.KNeighborsRegressor}
space: {n_neighbors: {type: int, min: 1, max: 40, default: 1}}
evaluate: {metric: r2, cv: 3, nested: 2, finals: {enabled: false}}
oracle: {type: grid}
budget: {trials: 2}
executor: {type: serial}
probe: false
"""

TIMED = ("seconds", "versions")


def run(*arguments: str) -> dict[str, Any]:
    assert cli.invoke(["run", *arguments, "-q"]) == 0
    found: dict[str, Any] = json.loads((Path("run") / "result.json").read_text())
    return {key: value for key, value in found.items() if key not in TIMED}


def cut(folder: Path, records: int) -> None:
    """Leave the journal as a kill after so many records would have."""
    path = folder / jn.NAME
    path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:records]))


def cut_before_trial(number: int) -> None:
    events = jn.read(Path("run")).events
    cut(Path("run"), next(i for i, e in enumerate(events) if e.type == "trial_started" and e.trial == number))


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    module = f"going_on_{abs(hash(tmp_path)) % 10**8}"
    (tmp_path / f"{module}.py").write_text("def f(values):\n    return values['x']\n")
    (tmp_path / "function.yaml").write_text(FUNCTION.replace("somewhere", module))
    (tmp_path / "holdout.yaml").write_text(HOLDOUT)
    (tmp_path / "nested.yaml").write_text(NESTED)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    "again", [["function.yaml", "--dir", "run", "--trials", "+6"], ["run"], ["run", "--trials", "+6"]]
)
def test_more_trials_that_were_cut_short_go_on_to_as_many(again: list[str], project: Path) -> None:
    run("function.yaml", "--dir", "run")
    whole = run("function.yaml", "--dir", "run", "--trials", "+6")
    assert whole["trials"]["total"] == 9
    events = jn.read(Path("run")).events
    cut(Path("run"), next(i for i, e in enumerate(events) if e.type == "trial_started" and e.trial == 5))
    assert run(*again) == whole
    assert run("run") == whole
    assert run("run", "--trials", "+2")["trials"]["total"] == 11


def test_a_new_study_that_was_asked_for_so_many_more_goes_on_to_as_many(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ("function.yaml", "--dir", "run", "--trials", "+6")
    whole = run(*command)
    assert whole["trials"]["total"] == 6
    cut_before_trial(3)
    capsys.readouterr()
    assert cli.invoke(["run", *command, "--dry-run", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["estimate"]["trials"] == 3
    assert run(*command) == whole
    assert run(*command)["trials"]["total"] == 12


def test_another_number_of_more_trials_counts_from_where_the_study_was_cut_short(project: Path) -> None:
    run("function.yaml", "--dir", "run")
    run("run", "--trials", "+6")
    cut_before_trial(5)
    assert run("run", "--trials", "+2")["trials"]["total"] == 7


def test_a_last_trial_that_was_cut_short_is_finished_although_the_budget_has_begun(project: Path) -> None:
    config = Path("function.yaml")
    config.write_text(config.read_text().replace("{type: serial}", "{type: serial, lookahead: 3}"))
    whole = run("function.yaml", "--dir", "run")
    events = jn.read(Path("run")).events
    cut(Path("run"), next(i for i, e in enumerate(events) if e.type == "trial_started" and e.trial == 2) + 1)
    assert run("run") == whole
    assert whole["trials"]["completed"] == 3


@pytest.mark.slow
def test_an_outer_fold_that_did_not_come_to_its_end_goes_on(project: Path) -> None:
    """Of a larger budget, although the winner of the smaller one was scored; or killed before its last record."""
    first = run("nested.yaml", "--dir", "run")
    shutil.copytree("run", "kept")
    fold = Path("run/outer-0")
    events = jn.read(fold).events
    assert events[-1].type == "study_ended"
    cut(fold, len(events) - 1)
    assert run("run")["nested"] == first["nested"]
    assert jn.read(fold).events[-1].type == "study_ended"
    for last in ([], [ev.StudyEnded(time=events[-1].time, reason="signal")]):
        shutil.rmtree("run")
        shutil.copytree("kept", "run")
        more = [ev.StudyResumed(time=events[-1].time, options={"trials": 8}), *last]
        lines = [jn.encode(event, number) for number, event in enumerate(more, len(events))]
        with (fold / jn.NAME).open("ab") as file:
            file.writelines(lines)
        assert [one["trials"] for one in run("run", "--trials", "+6")["nested"]["outer"]] == [8, 8]


def test_a_larger_budget_reaches_the_outer_folds_too(project: Path) -> None:
    first = run("nested.yaml", "--dir", "run")
    assert [fold["trials"] for fold in first["nested"]["outer"]] == [2, 2]
    later = run("run", "--trials", "+6")
    assert [fold["trials"] for fold in later["nested"]["outer"]] == [8, 8]
    assert any(
        a["params"] != b["params"] for a, b in zip(first["nested"]["outer"], later["nested"]["outer"], strict=True)
    )
    before = [(Path("run") / f"outer-{fold}" / jn.NAME).stat().st_mtime_ns for fold in range(2)]
    assert run("run")["nested"] == later["nested"]
    assert before == [(Path("run") / f"outer-{fold}" / jn.NAME).stat().st_mtime_ns for fold in range(2)]


@pytest.mark.slow
def test_no_record_of_the_end_is_lost_for_good(project: Path) -> None:
    """Killed after any of the last records, or with any one damaged and repaired, the study ends as it would have."""
    whole = run("holdout.yaml", "--dir", "run")
    assert whole["best"]["trial"] != 0
    assert whole["best"]["holdout"] is not None
    assert whole["baseline"]["holdout"] is not None
    shutil.copytree("run", "kept")
    events = jn.read(Path("kept")).events
    lines = (Path("kept") / jn.NAME).read_bytes().splitlines(keepends=True)

    def back() -> Path:
        shutil.rmtree("run")
        shutil.copytree("kept", "run")
        return Path("run")

    for index, event in enumerate(events):
        if event.type in ("holdout_scored", "winner_chosen"):
            cut(back(), index)
            assert run("run") == whole, f"killed before record {index} ({event.type})"
    of_interest: dict[str, list[int]] = {}
    for index, event in enumerate(events):
        kind = "recalled" if event.type == "trial_started" and event.attempt > 1 else event.type
        of_interest.setdefault(kind, []).append(index)
    assert {"trial_stopped", "recalled", "holdout_scored", "final_scored"} <= set(of_interest)
    stopped = {events[index].trial for index in of_interest["trial_stopped"]}  # type: ignore[union-attr]
    of_interest["fold_of_stopped"] = [i for i in of_interest["fold_scored"] if events[i].trial in stopped]  # type: ignore[union-attr]
    for kind, indices in of_interest.items():
        for index in indices[-2:] if kind != "study_started" else []:
            path = back() / jn.NAME
            path.write_bytes(b"".join([*lines[:index], lines[index].replace(b":", b";", 1), *lines[index + 1 :]]))
            assert cli.invoke(["repair", "run"]) == 0
            assert run("run") == whole, f"record {index} ({kind}) was damaged"


def test_a_record_with_a_far_number_costs_a_repair_nothing(project: Path) -> None:
    run("function.yaml", "--dir", "run")
    path = Path("run") / jn.NAME
    events = jn.read(Path("run")).events
    with path.open("ab") as file:
        file.write(jn.encode(events[-1], 10**15))
    assert cli.invoke(["repair", "run"]) == 0
    assert jn.read(Path("run")).events[: len(events)] == events
