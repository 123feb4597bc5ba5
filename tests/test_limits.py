"""A trial's limits, from the config to the failure in the journal: time, memory, retries."""

from __future__ import annotations

from pathlib import Path

import pytest

from hptune.compose import start
from hptune.config.load import load

OBJECTIVE = """
import pathlib, time

def measure(values, seed):
    folder = pathlib.Path(__file__).parent
    with (folder / "calls.txt").open("a") as calls:
        calls.write(values["deed"] + "\\n")
    if values["deed"] == "hang":
        time.sleep(60)
    if values["deed"] == "hog":
        held = bytearray(b"x") * 700_000_000
        time.sleep(60)
    if values["deed"] == "raise":
        raise ValueError("never")
    return 1.0
"""
CONFIG = """
model: {function: "deeds:measure"}
space:
  deed: [fine, hang, hog, raise]
evaluate: {metric: loss, direction: minimize}
oracle: {type: grid}
budget: {trials: 4, trial_time: 6s, trial_memory: 500MiB}
executor: {workers: 2, retries: 1}
probe: false
"""


@pytest.mark.slow
def test_a_trial_over_its_time_or_memory_fails_as_such_after_its_retries(tmp_path: Path) -> None:
    (tmp_path / "deeds.py").write_text(OBJECTIVE)
    (tmp_path / "c.yaml").write_text(CONFIG)
    with start(load(tmp_path / "c.yaml"), tmp_path / "run") as session:
        session.run()
        trials = session.study.history.trials
    found = {t.values["deed"]: (t.status, t.failure.kind if t.failure else "", t.attempt) for t in trials}
    assert found == {
        "fine": ("completed", "", 1),
        "hang": ("failed", "timeout", 2),
        "hog": ("failed", "memory", 2),
        "raise": ("failed", "error", 2),
    }
    calls = (tmp_path / "calls.txt").read_text().split()
    assert sorted(calls) == ["fine", "hang", "hang", "hog", "hog", "raise", "raise"]
