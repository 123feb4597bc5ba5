"""`hptune compare`: what differs, who is better by how much, and when that cannot be told."""

from __future__ import annotations

import copy
import itertools
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hptune import cli
from hptune.events import StudyStarted
from hptune.objective import Objective
from hptune.study import Study
from hptune.trial import Measurement
from tests import told

Capture = pytest.CaptureFixture[str]


def make(
    folder: Path,
    losses: list[list[float]],
    *,
    data: str = "d" * 64,
    seed: int = 0,
    config: Any = None,
    **problem: Any,
) -> Path:
    """Write a study of trials with these fold losses, its config recorded as `hptune run` does."""
    ticks = itertools.count(1.0)
    made: dict[str, Any] = {
        "data": data,
        "seed": seed,
        "evaluate": {"cv": 3},
        "oracle": {"type": "random"},
        **problem,
    }
    started = StudyStarted(
        time=0.5,
        name=folder.name,
        metric="loss",
        direction="minimize",
        space=told.RIDGE.to_json(),
        seed=seed,
        folds=3,
        starts=[{"alpha": 1.0}],
        oracle=made["oracle"],
        problem=copy.deepcopy(made),
        config=config or {},
        hashes={"data": data, "problem": "p"},
        about={"test_share": 0.5},
    )
    study = Study(
        told.RIDGE,
        Objective("loss", "minimize"),
        seed=seed,
        directory=folder,
        name=folder.name,
        clock=lambda: float(next(ticks)),
    )
    for row in losses:
        number = study.ask().number
        for fold, loss in enumerate(row):
            study.score(number, Measurement(fold, loss))
        study.complete(number)
    study.close()
    _replace_first(folder, started)
    return folder


def _replace_first(folder: Path, started: StudyStarted) -> None:
    """Put another first event into a journal: one of the command line's, without running a config."""
    from hptune.journal import Journal, read

    events = [started, *read(folder).events[1:]]
    (folder / "journal.jsonl").unlink()
    journal = Journal(folder)
    for event in events:
        journal.append(event)
    journal.close()


def compared(capsys: Capture, *arguments: str | Path) -> dict[str, Any]:
    assert cli.invoke(["compare", *map(str, arguments), "--json"]) == 0
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


LOW, HIGH = [[1.0, 2.0, 3.0]], [[2.0, 3.1, 3.9]]


def test_the_gain_on_the_same_folds_is_paired(tmp_path: Path, capsys: Capture) -> None:
    a, b = make(tmp_path / "a", HIGH), make(tmp_path / "b", LOW, oracle={"type": "grid"})
    (one,) = compared(capsys, a, b)["comparisons"]
    assert one["why_not"] is None
    assert one["paired"]["mean"] == pytest.approx(1.0)
    assert one["paired"]["pairs"] == 3
    assert one["paired"]["low"] > 0
    assert one["changes"] == [{"key": "oracle.type", "old": "random", "new": "grid"}]
    (back,) = compared(capsys, b, a)["comparisons"]
    assert back["paired"]["mean"] == pytest.approx(-1.0)


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ({"data": "e" * 64}, "the data differ"),
        ({"data": ""}, "no data set"),
        ({"seed": 1}, "the seeds differ (0 and 1)"),
        ({"evaluate": {"cv": 5}}, "`evaluate:` differs"),
    ],
)
def test_where_folds_differ_it_says_why_there_is_no_pairing(
    options: dict[str, Any], why: str, tmp_path: Path, capsys: Capture
) -> None:
    a, b = make(tmp_path / "a", HIGH), make(tmp_path / "b", LOW, **options)
    (one,) = compared(capsys, a, b)["comparisons"]
    assert one["paired"] is None
    assert why in one["why_not"]
    assert cli.invoke(["compare", str(a), str(b)]) == 0
    assert f"not compared: {one['why_not']}" in capsys.readouterr().out


def test_limits_and_outputs_that_differ_are_listed_too(tmp_path: Path, capsys: Capture) -> None:
    plain = {"evaluate": {"also": []}, "output": {"dir": None, "refit": True}, "gate": None}
    gate = {"baseline": "defaults", "min_gain": 0.1}
    a = make(tmp_path / "a", HIGH, config={**plain, "budget": {"trials": 25, "time": None}})
    b = make(tmp_path / "b", LOW, config={**plain, "budget": {"trials": 6, "time": None}, "gate": gate})
    (one,) = compared(capsys, a, b)["comparisons"]
    assert one["changes"] == []
    assert one["limits"] == [
        {"key": "budget.trials", "old": "25", "new": "6"},
        {"key": "gate", "old": "nothing", "new": json.dumps(gate)},
    ]
    assert cli.invoke(["compare", str(a), str(b)]) == 0
    text = capsys.readouterr().out
    assert "  the same problem\n  limits and outputs:\n  budget.trials: was 25, now 6\n" in text
    assert cli.invoke(["compare", str(a), str(b), "--format", "markdown"]) == 0
    assert "\nlimits and outputs:\n\n- `budget.trials: was 25, now 6`\n" in capsys.readouterr().out
    assert compared(capsys, a, a)["comparisons"][0]["limits"] == []


def test_finals_and_selection_leave_the_folds_the_same(tmp_path: Path, capsys: Capture) -> None:
    a = make(tmp_path / "a", HIGH, evaluate={"cv": 3, "select": "best"})
    b = make(tmp_path / "b", LOW, evaluate={"cv": 3, "select": "one_standard_error", "finals": {"enabled": True}})
    (one,) = compared(capsys, a, b)["comparisons"]
    assert one["paired"] is not None


def test_the_luck_of_a_longer_search_counts_alike_from_both_sides(tmp_path: Path, capsys: Capture) -> None:
    rng = np.random.default_rng(4)
    noise = rng.normal(1.0, 0.1, size=(12, 3)).tolist()
    a, b = make(tmp_path / "a", [[0.9, 0.95, 0.97]]), make(tmp_path / "b", noise)
    (there,) = compared(capsys, a, b)["comparisons"]
    (back,) = compared(capsys, b, a)["comparisons"]
    for low, high in (("mean", "mean"), ("low", "high"), ("high", "low")):
        assert there["paired"][low] == pytest.approx(-back["paired"][high])
    best = min(sum(row) / 3 for row in noise)
    assert there["paired"]["mean"] < 0.94 - best  # less than its scores say
    same = make(tmp_path / "same", [*noise, noise[0]])
    (none,) = compared(capsys, b, same)["comparisons"]
    assert none["paired"]["mean"] == 0


def test_three_studies_as_table_and_markdown(tmp_path: Path, capsys: Capture) -> None:
    folders = [make(tmp_path / name, losses) for name, losses in (("a", HIGH), ("b", LOW), ("c", HIGH))]
    assert cli.invoke(["compare", *map(str, folders)]) == 0
    text = capsys.readouterr().out
    assert text.count("gain of its best: ") == 2
    assert "the folds cannot tell them apart" in text
    assert cli.invoke(["compare", *map(str, folders), "--format", "markdown"]) == 0
    text = capsys.readouterr().out
    assert text.startswith("| study | metric | best |")
    assert text.count("### ") == 2


def test_one_directory_is_a_usage_error_and_so_is_no_study(tmp_path: Path, capsys: Capture) -> None:
    a = make(tmp_path / "a", LOW)
    assert cli.invoke(["compare", str(a)]) == 2
    assert "at least two" in capsys.readouterr().err
    assert cli.invoke(["compare", str(a), str(tmp_path)]) == 2


def test_studies_made_in_python_and_empty_ones_are_compared_too(tmp_path: Path, capsys: Capture) -> None:
    told.ridge(tmp_path / "a").close()
    told.study(directory=tmp_path / "b").close()
    (one,) = compared(capsys, tmp_path / "a", tmp_path / "b")["comparisons"]
    assert one["why_not"] == "no trial has completed in one of them"


def test_comparing_changes_nothing_and_runs_nothing_of_the_directories(tmp_path: Path, capsys: Capture) -> None:
    a, b = make(tmp_path / "a", HIGH), make(tmp_path / "b", LOW)
    (a / "config.yaml").write_text("model: {function: 'trap:f'}\n")
    (a / "trap.py").write_text("raise SystemExit('imported')\n")
    before = sorted((path, path.stat().st_mtime_ns) for path in tmp_path.rglob("*"))
    compared(capsys, a, b)
    assert sorted((path, path.stat().st_mtime_ns) for path in tmp_path.rglob("*")) == before


def test_no_line_is_wider_than_the_terminal(tmp_path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "60")
    model = {"pipeline": [{"scale": "sklearn.preprocessing.StandardScaler"}, {"ridge": {"class": "a.B"}}]}
    a = make(Path("a"), [*LOW, *HIGH])
    b = make(Path("runs-of-the-second-model-with-a-long-name"), HIGH, model=model)
    for words in (["compare", a, b], ["trials", b], ["suggest", a], ["oracles"]):
        assert cli.invoke(list(map(str, words))) == 0
        lines = capsys.readouterr().out.splitlines()
        assert max(map(len, lines)) <= 60, lines
