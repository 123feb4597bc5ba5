"""The holdout is scored once a study; again only if that is asked for, and then the result says so."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from hptune import cli
from hptune import journal as jn

CONFIG = """
data: {train: "sklearn:load_diabetes", holdout: {fraction: 0.3}}
model: {class: sklearn.linear_model.Ridge}
space: {alpha: {type: float, min: 1e-3, max: 100, scale: log}}
evaluate: {metric: r2, cv: 3, finals: {enabled: false}}
oracle: {type: grid, points: 6, shuffle: false}
budget: {trials: 1}
executor: {type: serial}
probe: false
"""


def run(folder: Path, *more: str) -> dict[str, Any]:
    assert cli.invoke(["run", str(folder / "c.yaml"), "--dir", str(folder / "run"), *more]) == 0
    found: dict[str, Any] = json.loads((folder / "run" / "result.json").read_text())
    return found


def test_a_later_winner_is_not_scored_on_the_holdout_unless_asked_for(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "c.yaml").write_text(CONFIG)
    first = run(tmp_path)
    assert first["best"]["trial"] == 0
    assert first["best"]["holdout"] is not None
    assert first["holdout_uses"] == 1
    capsys.readouterr()
    later = run(tmp_path, "--trials", "6")
    assert later["best"]["trial"] != 0
    assert later["best"]["holdout"] is None
    assert later["holdout_uses"] == 1
    assert "is not scored again" in " ".join(capsys.readouterr().out.split())
    forced = run(tmp_path, "--trials", "6", "--holdout-again")
    assert forced["best"]["holdout"] is not None
    assert forced["holdout_uses"] == 2
    assert run(tmp_path, "--trials", "6") == {**forced, "seconds": run(tmp_path, "--trials", "6")["seconds"]}


def test_a_holdout_that_is_scored_later_adds_no_time_between_the_sessions(tmp_path: Path) -> None:
    (tmp_path / "c.yaml").write_text(CONFIG)
    run(tmp_path)
    run(tmp_path, "--trials", "6")
    events = jn.read(tmp_path / "run").events
    earlier = [event.model_copy(update={"time": event.time - 3600}) for event in events]
    (tmp_path / "run" / jn.NAME).write_bytes(b"".join(jn.encode(event, n) for n, event in enumerate(earlier)))
    forced = run(tmp_path, "--trials", "6", "--holdout-again")
    assert forced["holdout_uses"] == 2
    assert forced["seconds"] < 1000
