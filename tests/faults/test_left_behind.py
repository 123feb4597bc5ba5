"""What a trial leaves behind in its worker (timers, limits, dispositions, threads, open files) costs no other trial."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.faults.kit import Project, history_of

pytestmark = pytest.mark.faults
CONFIG = """
name: left-behind
seed: 0
model: {{function: "objective:measure"}}
space: {{i: {{type: int, min: 0, max: {trials}, default: 0}}}}
evaluate: {{metric: loss, direction: minimize}}
oracle: {{type: grid}}
budget: {{trials: {trials}, trial_time: 60s, failures: {{in_a_row: null}}}}
executor: {{workers: 1, lookahead: 1}}
"""
OBJECTIVE = """
import os, resource, signal, subprocess, sys, tempfile, threading, time
import numpy as np

DEED = "SLEEP"
FILES = []

def lower(which, soft):
    resource.setrlimit(which, (soft, resource.getrlimit(which)[1]))

DEEDS = {
    "virtual timer": lambda: signal.setitimer(signal.ITIMER_VIRTUAL, 0.3),
    "profiling timer": lambda: signal.setitimer(signal.ITIMER_PROF, 0.3),
    "processor seconds": lambda: lower(resource.RLIMIT_CPU, int(time.process_time()) + 1),
    "children ignored": lambda: signal.signal(signal.SIGCHLD, signal.SIG_IGN),
    "file size": lambda: lower(resource.RLIMIT_FSIZE, 1000),
    "memory": lambda: lower(resource.RLIMIT_AS, 50_000_000),
    "recursion": lambda: sys.setrecursionlimit(60),
    "numpy": lambda: np.seterr(all="raise"),
    "environment": os.environ.clear,
    "exit from a thread": lambda: threading.Timer(0.1, lambda: os._exit(7)).start(),
    "open files": lambda: FILES.extend(open(os.devnull) for _ in range(150)),
}

def measure(values):
    if values["i"] % 2 or DEED == "open files":
        DEEDS[DEED]()
        return 0.5
    until = time.process_time() + {"processor seconds": 1.2, "virtual timer": 0.5, "profiling timer": 0.5}.get(DEED, 0.2)
    while time.process_time() < until:
        pass
    assert subprocess.run(["sh", "-c", "exit 3"]).returncode == 3
    with tempfile.TemporaryFile() as file:
        file.write(bytes(3_000_000))
    def deep(n):
        return n and deep(n - 1)
    deep(500)
    return float(np.exp(np.float64(-1e5))) + ("PATH" in os.environ)
"""
DEEDS = (
    "virtual timer", "profiling timer", "processor seconds", "children ignored", "file size", "memory", "recursion",
    "numpy", "environment", "exit from a thread", "open files",
)  # fmt: skip


@pytest.mark.parametrize("deed", DEEDS)
def test_no_other_trial_suffers(tmp_path: Path, deed: str) -> None:
    trials = 9 if deed == "open files" else 4
    project = Project(tmp_path / "project", trials=trials, sleep=deed, objective=OBJECTIVE, config=CONFIG)
    run = tmp_path / "run"
    command = ["bash", "-c", 'ulimit -n 1024; "$@"', "bash", *project.command(run)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=280, check=False)
    assert done.returncode == 0, done.stderr
    failures = {trial.values["i"]: trial.failure for trial in history_of(run).trials if trial.failure}
    assert failures == {}
    scores = {trial.values["i"] % 2 or deed == "open files": trial.score for trial in history_of(run).trials}
    assert scores == ({True: 0.5} if deed == "open files" else {0: 1.0, 1: 0.5})
