"""Nested cross-validation: the search inside every outer fold, its winner scored on rows that it never saw."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hptune import cli
from hptune import journal as jn
from hptune.errors import UsageError
from hptune.job import Setup
from hptune.replay import replay
from hptune.run_directory import outer_fold_of
from hptune.worker.problem import Problem

CONFIG = """
data: {train: "sklearn:load_diabetes"}
model: {class: sklearn.linear_model.Ridge}
space: {alpha: {type: float, min: 1e-3, max: 100, scale: log}}
evaluate: {metric: r2, cv: 3, nested: 3}
oracle: {type: random}
budget: {trials: 4}
probe: false
"""


def problem(outer: dict[str, int] | None) -> Problem:
    return Problem(
        Setup(
            model={"class": "sklearn.linear_model.Ridge"},
            data={"train": "sklearn:load_diabetes"},
            evaluate={"cv": 3},
            space={"parameters": []},
            seed=0,
            folder=".",
            outer=outer,
        )
    )


def test_the_outer_folds_divide_the_rows() -> None:
    whole = problem(None).dataset.train
    parts = [problem({"folds": 3, "fold": fold}).dataset for fold in range(3)]
    held = np.concatenate([np.asarray(part.holdout.X) for part in parts if part.holdout is not None])
    assert len(held) == len(whole)
    assert {tuple(row) for row in held} == {tuple(row) for row in np.asarray(whole.X)}
    for part in parts:
        assert part.holdout is not None
        assert not {tuple(row) for row in np.asarray(part.train.X)} & {tuple(r) for r in np.asarray(part.holdout.X)}
    assert len({part.hash for part in parts}) == 3


def run(folder: Path, *more: str) -> dict[str, Any]:
    command = [
        sys.executable,
        "-m",
        "hptune",
        "run",
        str(folder / "c.yaml"),
        "--dir",
        str(folder / "run"),
        "-q",
        *more,
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=200, check=False)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads((folder / "run" / "result.json").read_text())
    return found


@pytest.mark.slow
def test_the_result_holds_every_outer_fold_and_a_rerun_repeats_none(tmp_path: Path) -> None:
    (tmp_path / "c.yaml").write_text(CONFIG)
    found = run(tmp_path)["nested"]
    assert (found["folds"], found["done"]) == (3, 3)
    for row in found["outer"]:
        inner = replay(jn.read(tmp_path / "run" / f"outer-{row['fold']}").events)
        assert inner.best is not None
        assert row["params"] == dict(inner.best.values)
        assert inner.holdout[inner.best.number][-1]["r2"] == row["score"]
    assert found["score"] == pytest.approx(np.mean([row["score"] for row in found["outer"]]))
    outer = [jn.read(tmp_path / "run" / f"outer-{i}").events for i in range(3)]
    before = [(tmp_path / "run" / f"outer-{i}" / jn.NAME).read_bytes() for i in range(3)]
    (tmp_path / "run" / "outer-1" / jn.NAME).write_bytes(before[1][: len(before[1]) * 2 // 3])  # interrupted there
    again = run(tmp_path)["nested"]
    assert {**again, "seconds": 0} == {**found, "seconds": 0}
    assert found["seconds"] == pytest.approx(sum(replay(events).seconds for events in outer))
    assert (tmp_path / "run" / "outer-0" / jn.NAME).read_bytes() == before[0]


@pytest.mark.slow
def test_a_signal_as_an_outer_fold_begins_saves_the_study_and_exits_as_signals_do(tmp_path: Path) -> None:
    (tmp_path / "c.yaml").write_text(CONFIG)
    command = [sys.executable, "-m", "hptune", "run", "c.yaml", "--dir", "run", "--json"]
    process = subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    for line in process.stderr:
        if "outer fold 1" in line:
            break
    process.send_signal(signal.SIGTERM)
    out, err = process.communicate(timeout=100)
    assert process.returncode == 143, err
    found = json.loads(out)
    assert found == json.loads((tmp_path / "run" / "result.json").read_text())
    assert (found["stop_reason"], found["trials"]["total"]) == ("signal", 4)
    assert (tmp_path / "run" / "best.yaml").is_file()


@pytest.mark.slow
def test_an_outer_folds_folder_names_the_study_that_goes_on_with_it(tmp_path: Path) -> None:
    (tmp_path / "n.yaml").write_text(CONFIG.replace("nested: 3", "nested: 2").replace("trials: 4", "trials: 2"))
    run = tmp_path / "run"

    def hptune(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "hptune", *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    assert hptune("run", str(tmp_path / "n.yaml"), "--dir", str(run), "-q").returncode == 0
    fold = run / "outer-1"
    lines = (fold / jn.NAME).read_bytes().splitlines(keepends=True)
    (fold / jn.NAME).write_bytes(b"".join([lines[0], b"{ damaged }\n", *lines[2:]]))
    refused = hptune("run", str(fold))
    assert refused.returncode == 2
    assert f"outer fold of the study in {run}" in refused.stderr
    for said in (refused.stderr, hptune("repair", str(fold)).stdout):
        assert f"`hptune run {run}`" in said
    assert hptune("run", str(run), "-q").returncode == 0
    assert replay(jn.read(fold).events).ended == "trials"
    assert outer_fold_of(tmp_path / "outer-1") is None


def test_an_error_in_an_outer_fold_loses_nothing_of_the_study(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "c.yaml").write_text(CONFIG + "executor: {type: serial}\n")
    monkeypatch.chdir(tmp_path)
    before: list[dict[str, Any]] = []

    def fails(*_: Any, **__: Any) -> None:
        before.append(json.loads((tmp_path / "run" / "result.json").read_text()))
        assert (tmp_path / "run" / "best.yaml").is_file()
        raise UsageError("no outer fold today")

    monkeypatch.setattr("hptune.nested.run_nested", fails)
    with pytest.raises(SystemExit) as left:
        cli.main(["run", "c.yaml", "--dir", "run", "-q"])
    assert left.value.code == 2
    assert "no outer fold today" in capsys.readouterr().err
    assert [one["nested"] for one in before] == [None]
    after = json.loads((tmp_path / "run" / "result.json").read_text())
    assert (after["stop_reason"], after["trials"]["total"], after["nested"]) == ("trials", 4, None)
    assert (tmp_path / "run" / "trials.csv").is_file()
    assert replay(jn.read(tmp_path / "run").events).ended == "trials"
