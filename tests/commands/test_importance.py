"""`hptune importance`: the table at 80 columns, narrow and in Markdown, JSON, and the reason where nothing can be told."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from hptune import cli
from hptune.objective import Objective
from hptune.report import figures
from hptune.space import Choice, Float, SearchSpace
from hptune.study import Study

Capture = pytest.CaptureFixture[str]

SPACE = SearchSpace(
    (
        Choice(name="model.kernel", values=("rbf", "linear")),
        Float(name="model.C", low=1e-3, high=1e3, scale="log", when={"model.kernel": "rbf"}),
        Float(name="model.tol", low=1e-5, high=1e-2, scale="log"),
        Float(name="a|name*with_marks", low=0, high=1),
    )
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runs") / "told"
    with Study(SPACE, Objective("loss", "minimize"), "random", directory=folder, name="told") as study:
        for number in range(40):
            trial = study.ask()
            v = trial.values
            if number == 7:
                study.tell(trial, failed="boom")
                continue
            study.tell(trial, 1.0 - 0.2 * np.log10(v.get("model.C", 1.0)) + v["a|name*with_marks"])
    return folder


def out(capsys: Capture, *arguments: str | Path) -> str:
    assert cli.invoke(["importance", *map(str, arguments)]) == 0
    return capsys.readouterr().out


def test_the_table_fits_80_columns_and_narrower(
    folder: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    text = out(capsys, folder)
    head, *rows = text.splitlines()
    assert head.split() == ["parameter", "importance", "alone", "good", "best", "better"]
    assert max(map(len, text.splitlines())) <= 80
    assert "\x1b" not in text
    found = {row.split()[0]: row for row in rows}
    assert found["C"].endswith("larger")
    assert "#" in found["C"]
    assert found["a|name*with_marks"].endswith("smaller")
    assert "C and model.kernel interact" not in text
    assert "model.kernel and model.C interact: " in text
    assert "from 39 trials, 1 failed one left out, the surrogate predicts" in text
    monkeypatch.setenv("COLUMNS", "40")
    narrow = out(capsys, folder).splitlines()
    assert "more" in narrow[0]
    assert all(len(line) <= 48 for line in narrow)  # name and importance are never cut


def test_colour_is_for_who_wants_it(folder: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert "\x1b[2m" in out(capsys, folder)
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b" not in out(capsys, folder)


def test_markdown_is_a_table_whatever_the_names(folder: Path, capsys: Capture) -> None:
    lines = out(capsys, folder, "--format", "markdown").splitlines()
    table = [line for line in lines if line.startswith("|")]
    assert len(table) == 6
    assert any("a\\|name" in line for line in table)
    assert "`model.kernel` and `model.C` interact" in "\n".join(lines)


def test_json_has_every_share_with_its_interval(folder: Path, capsys: Capture) -> None:
    told = json.loads(out(capsys, folder, "--json"))
    assert told == json.loads(out(capsys, folder, "--format", "json"))
    assert {one["name"] for one in told["parameters"]} == set(SPACE.by_name)
    for one in told["parameters"]:
        for share in (one["importance"], one["alone"], one["good"]):
            assert 0 <= share["low"] <= share["share"] <= share["high"] <= 1
    by = {one["name"]: one for one in told["parameters"]}
    assert by["model.C"]["better"] == {"direction": "larger"}
    assert by["model.tol"]["better"] is None
    assert by["model.C"]["best"] is not None
    assert told["interaction"]["parameters"] == ["model.kernel", "model.C"]
    assert told["trials"] == {"used": 39, "lower_fidelity": 0, "failed": 1}
    assert told["reason"] is None
    assert told["r2"] > 0.8


def test_where_nothing_can_be_told_the_reason_stands_instead(tmp_path: Path, capsys: Capture) -> None:
    with Study(SPACE, Objective("loss", "minimize"), "random", directory=tmp_path / "few") as study:
        for _ in range(4):
            study.tell(study.ask(), 1.0)
    text = " ".join(out(capsys, tmp_path / "few").split())
    assert text == (
        "importance cannot be told: expected at least 12 configurations with a score, found 4: run more trials "
        "(from 4 trials)"
    )
    told = json.loads(out(capsys, tmp_path / "few", "--json"))
    assert (told["parameters"], told["interaction"], told["r2"]) == (None, None, None)
    assert told["reason"].startswith("expected at least 12")


def test_a_wrong_folder_or_format_is_one_message(tmp_path: Path, folder: Path, capsys: Capture) -> None:
    assert cli.invoke(["importance", str(tmp_path / "nothing")]) == 2
    assert "expected a run directory, found nothing by that name" in capsys.readouterr().err
    assert cli.invoke(["importance", str(folder), "--format", "yaml"]) == 2
    assert "--format: expected table, json, markdown, found 'yaml'" in capsys.readouterr().err


def test_the_report_draws_it(folder: Path, tmp_path: Path) -> None:
    files = figures.draw([folder], tmp_path)
    assert {"told-importance.svg", "told-importance.png"} <= {path.name for path in files}
    again = figures.draw([folder], tmp_path / "again")
    for one, other in zip(files, again, strict=True):
        assert one.read_bytes() == other.read_bytes()
