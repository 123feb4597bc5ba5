"""Processes that are stopped, not killed: a suspended run goes on unharmed, and a stopped guard outlives no coordinator."""

from __future__ import annotations

import os
import signal
import sys
import time
from pathlib import Path

import pytest

from tests.faults.kit import Project, command_line, history_of, journal_of, marked, until, workers_of

pytestmark = pytest.mark.faults
CONFIG = """
name: stopped
seed: 1
model: {{function: "objective:measure"}}
space: {{x: {{type: float, min: -1, max: 1}}}}
evaluate: {{metric: loss, direction: minimize}}
oracle: {{type: random}}
budget: {{trials: {trials}, trial_time: 5s}}
executor: {{workers: 2, lookahead: {lookahead}}}
"""
OBJECTIVE = """
import subprocess, time

def measure(values):
    helper = subprocess.Popen(["sleep", "600"], start_new_session=True)
    time.sleep(SLEEP)
    return values["x"] ** 2
"""


def stopped(tmp_path: Path, sleep: str) -> Project:
    return Project(tmp_path / "project", trials=4, lookahead=4, sleep=sleep, objective=OBJECTIVE, config=CONFIG)


def sleeps(pids: list[int]) -> list[int]:
    return [pid for pid in pids if command_line(pid).startswith("sleep\0")]


def test_a_run_suspended_for_longer_than_trial_time_loses_no_trial(tmp_path: Path) -> None:
    """As by `docker pause`: coordinator, guards and workers stop together, the clock does not."""
    project, run = stopped(tmp_path, "1.5"), tmp_path / "run"
    process = project.start(run)
    assert until(lambda: len(sleeps(workers_of(process.pid))) == 2)
    family = [process.pid, *workers_of(process.pid)]
    for pid in family:
        os.kill(pid, signal.SIGSTOP)
    time.sleep(8)
    for pid in family:
        os.kill(pid, signal.SIGCONT)
    _, errors = process.communicate(timeout=120)
    assert process.returncode == 0, errors
    assert [trial.failure for trial in history_of(run).trials] == [None] * 4


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a process that its parent has died")
@pytest.mark.parametrize("what", ["guards stopped", "all stopped", "guards killed"])
def test_nothing_is_left_of_a_killed_coordinator_whose_guards_cannot_see_to_it(tmp_path: Path, what: str) -> None:
    project, run = stopped(tmp_path, "3"), tmp_path / "run"
    process = project.start(run)
    assert until(lambda: b"trial_started" in journal_of(run) and len(sleeps(workers_of(process.pid))) == 2)
    family = workers_of(process.pid)
    guards = [pid for pid in family if "guard.py" in command_line(pid)]
    assert len(guards) == 2
    killed = what == "guards killed"
    for pid in family if what == "all stopped" else guards:
        os.kill(pid, signal.SIGKILL if killed else signal.SIGSTOP)
    process.kill()
    process.communicate()
    # What a trial itself has started is the guards' to find: once they are killed, too, the workers end, not that.
    spared = sleeps(family) if killed else []
    try:
        assert until(lambda: not set(marked(project.folder)).difference(spared), 2.0)
    finally:
        for pid in marked(project.folder):
            os.kill(pid, signal.SIGKILL)
