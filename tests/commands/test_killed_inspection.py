"""A worker that is killed while it inspects the problem: once more, and no oftener."""

from __future__ import annotations

from pathlib import Path

import pytest

from hptune import cli

CONFIG = """
data: {function: "tables:load"}
model: {class: sklearn.linear_model.Ridge}
space: {alpha: [1.0, 2.0]}
evaluate: {metric: r2, cv: 3}
budget: {trials: 1}
executor: {workers: 1}
output: {refit: false}
probe: false
"""
TABLES = """
import os
import signal
from pathlib import Path

import numpy as np


def load():
    begun = Path(__file__).with_name("begun")
    begun.write_text((begun.read_text() if begun.exists() else "") + "x")
    if len(begun.read_text()) <= TIMES:
        os.kill(os.getpid(), signal.SIGNAL)
    rng = np.random.default_rng(0)
    return {"X": rng.normal(size=(30, 2)), "y": rng.normal(size=30)}
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("times", "signal", "code", "tries"),
    [(1, "SIGKILL", 0, 2), (9, "SIGKILL", 4, 2), (9, "SIGABRT", 4, 1)],
    ids=["once", "always", "by its own fault"],
)
def test_an_inspection_whose_worker_is_killed_is_made_once_more(
    times: int, signal: str, code: int, tries: int,
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    (tmp_path / "study.yaml").write_text(CONFIG)
    (tmp_path / "tables.py").write_text(TABLES.replace("TIMES", str(times)).replace("SIGNAL", signal))
    assert cli.invoke(["run", "study.yaml", "--dir", "r", "-q"]) == code
    said = capsys.readouterr().err
    assert code == 0 or len((tmp_path / "begun").read_text()) == tries
    assert ("the inspect step failed (crashed)" in said) is (code == 4)
    assert "Traceback" not in said
