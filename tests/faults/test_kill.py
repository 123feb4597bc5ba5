"""`kill -9` of a real run, resumed: nothing finished is lost or repeated, and the end is the uninterrupted study."""

from __future__ import annotations

import csv
import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from hptune import journal as jn
from hptune.events import FoldScored, TrialStarted
from hptune.replay import replay

CONFIG = """
name: kill
seed: 5
model: {function: "objective:measure"}
space:
  x: {type: float, min: -1, max: 1}
  k: [a, b, null, true]
  n: {type: int, min: 1, max: 50, scale: log, when: {k: [a, b]}}
evaluate: {metric: loss, direction: minimize}
oracle: {type: random}
budget: {trials: 14}
executor: {workers: 2, lookahead: 4}
"""
OBJECTIVE = """
import os, time

def measure(values, seed):
    with open(os.path.join(os.path.dirname(__file__), "calls.txt"), "a") as calls:
        calls.write(f"{values}\\n")
    time.sleep(0.05)
    return values["x"] ** 2 + len(str(values["k"])) / 10 + values.get("n", 0) / 100
"""
TIMED = {"seconds", "fit_seconds", "score_seconds", "started", "ended", "worker", "attempt"}


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("project")
    (folder / "kill.yaml").write_text(CONFIG)
    (folder / "objective.py").write_text(OBJECTIVE)
    return folder


def command(project: Path, run: Path, *more: str) -> list[str]:
    return [sys.executable, "-m", "hptune", "run", str(project / "kill.yaml"), "--dir", str(run), "-q", *more]


def finish(project: Path, run: Path) -> list[dict[str, Any]]:
    done = subprocess.run(command(project, run), capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    with (run / "trials.csv").open() as stream:
        return [{k: v for k, v in row.items() if k not in TIMED} for row in csv.DictReader(stream)]


@pytest.fixture(scope="module")
def whole(project: Path, tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    return finish(project, tmp_path_factory.mktemp("whole") / "run")


def alive(run: Path) -> list[str]:
    """Return the processes that were started for this run directory."""
    out = subprocess.run(["ps", "-eo", "pid,args"], capture_output=True, text=True, check=True).stdout
    return [line for line in out.splitlines() if str(run) in line and "pytest" not in line]


def kill_once(project: Path, run: Path, after: float, group: bool) -> None:
    """Start the run and SIGKILL it (or its whole group) `after` seconds past its first trial."""
    process = subprocess.Popen(
        command(project, run), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    )
    deadline = time.monotonic() + 60
    journal = run / jn.NAME
    while process.poll() is None and time.monotonic() < deadline:
        if journal.exists() and b"trial_started" in journal.read_bytes():
            break
        time.sleep(0.005)
    time.sleep(after)
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL) if group else process.send_signal(signal.SIGKILL)
    process.wait()


def check_once(run: Path) -> None:
    """Every trial and every fold is in the journal once."""
    events = jn.read(run).events
    folds = [(e.trial, e.fold) for e in events if isinstance(e, FoldScored)]
    assert len(set(folds)) == len(folds)
    first = [e.trial for e in events if isinstance(e, TrialStarted) and e.attempt == 1]
    assert first == list(range(14))
    assert replay(events).count("completed") == 14


@pytest.mark.parametrize("kills", [1, 3])
def test_a_killed_run_resumes_to_the_uninterrupted_one(
    project: Path, tmp_path: Path, whole: list[dict[str, Any]], kills: int
) -> None:
    rng = random.Random(kills)
    run = tmp_path / "run"
    for _ in range(kills):
        kill_once(project, run, rng.uniform(0, 0.3), group=bool(rng.getrandbits(1)))
    assert finish(project, run) == whole
    check_once(run)
    assert json.loads((run / "result.json").read_text())["status"] == "complete"


def test_no_process_is_left_two_seconds_after_a_kill(project: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    kill_once(project, run, 0.1, group=False)
    time.sleep(2)
    assert alive(run) == []


def test_a_run_that_is_complete_says_so_and_runs_nothing(project: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    first = finish(project, run)
    calls = (project / "calls.txt").read_text()
    assert finish(project, run) == first
    assert (project / "calls.txt").read_text() == calls


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_saves_everything_and_leaves_one_line(project: Path, tmp_path: Path, number: int, code: int) -> None:
    run = tmp_path / "run"
    process = subprocess.Popen(
        command(project, run), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    while b"fold_scored" not in ((run / jn.NAME).read_bytes() if (run / jn.NAME).exists() else b""):
        assert process.poll() is None
        time.sleep(0.01)
    process.send_signal(number)
    try:
        _, errors = process.communicate(timeout=30)
    finally:
        process.kill()
    assert process.returncode == code
    assert "Traceback" not in errors
    result = json.loads((run / "result.json").read_text())
    assert result["status"] == "interrupted"
    assert result["stop_reason"] == "signal"
    assert result["trials"]["completed"] == replay(jn.read(run).events).count("completed")


def test_a_second_run_of_the_same_directory_is_refused_at_once(project: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    journal = jn.Journal(run)
    done = subprocess.run(command(project, run), capture_output=True, text=True, timeout=60, check=False)
    journal.close()
    assert done.returncode == 5
    assert f"in use by process {os.getpid()}" in done.stderr


def test_a_changed_problem_is_refused_with_the_difference_named(project: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    finish(project, run)
    done = subprocess.run(
        command(project, run, "-o", "seed=6"), capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 2
    assert "seed: was 5, now 6" in done.stderr
    assert "--fresh" in done.stderr
    assert subprocess.run(command(project, run, "-o", "budget.trials=15"), timeout=60, check=False).returncode == 0
