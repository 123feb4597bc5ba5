"""`python -m benchmarks.execution`: what running trials costs beside the fits themselves.

Four measures, each against the goal that stands beside it in the output:

busy       share of the wall time that two workers spend in fits of 60 ms (which sleep, so that what else runs on the
           machine counts little): `order: async`, and strict with equal and with log-normal times
cpu        the coordinator's CPU milliseconds a trial (random oracle, no-op objective): suggest, dispatch, journal, console
deadline   how long after its deadline a hung trial is gone, its programs included; median and worst of 20
bound      the share of the time that workers can be busy under `order: strict` at all, by simulation

Writes results/execution.json.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from hptune import guard
from hptune.compose import setup_of, start
from hptune.config.load import load
from hptune.job import Job
from hptune.slot import Slot

RESULTS = Path(__file__).parent / "results"
WORKERS = 2
OBJECTIVE = """
import ctypes, subprocess, sys, time
import numpy as np

def nothing(values, seed):
    return values["x"]

def equal(values, seed):
    time.sleep(0.06)
    return values["x"]

def uneven(values, seed):
    draw = np.random.default_rng(int(values["x"] * 1e9)).normal()
    time.sleep(0.06 * float(np.exp(draw)))
    return values["x"]

def hang(values, seed):
    time.sleep(60)

def in_c(values, seed):
    ctypes.PyDLL(None).sleep(60)  # holds the interpreter

def below(values, seed):
    subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"], start_new_session=True)
    subprocess.run(["sleep", "60"])
"""
CONFIG = """
model: {{function: "work:{function}"}}
space: {{x: {{type: float, min: 0, max: 1}}}}
evaluate: {{metric: loss, direction: minimize}}
oracle: {{type: random}}
budget: {{trials: {trials}}}
executor: {{workers: {workers}, order: {order}}}
probe: false
"""


def project(folder: Path, **options: Any) -> Path:
    """Write the objective and a config; return the config's path."""
    (folder / "work.py").write_text(OBJECTIVE)
    path = folder / "study.yaml"
    path.write_text(CONFIG.format(**{"trials": 100, "workers": WORKERS, "order": "strict", **options}))
    return path


def busy(function: str, order: str, trials: int) -> float:
    """Return the share of the workers' time that went into fits, from the first trial's start to the last's end."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        with start(load(project(folder, function=function, order=order, trials=trials)), folder / "run") as session:
            for _ in range(WORKERS):  # both children have loaded the problem
                session.executor.submit(Job(values={"x": 0.5}, folds=(0,)))
            time.sleep(3.0)
            began = time.monotonic()
            session.run()
            wall = time.monotonic() - began
            return sum(trial.seconds for trial in session.study.history.trials) / (WORKERS * wall)


def cpu(trials: int = 1000) -> float:
    """Return the CPU milliseconds of the coordinator (not of its workers) that each further trial costs."""
    program = (
        "import resource, sys\nfrom hptune.__main__ import main\n"
        "try:\n    main()\nexcept SystemExit:\n    pass\n"
        "used = resource.getrusage(resource.RUSAGE_SELF)\nprint('CPU', used.ru_utime + used.ru_stime)"
    )
    seconds = []
    for count in (trials // 10, trials):
        with tempfile.TemporaryDirectory() as place:
            folder = Path(place)
            path = project(folder, function="nothing", trials=count)
            command = [sys.executable, "-c", program, "run", str(path), "--dir", str(folder / "run")]
            done = subprocess.run(command, capture_output=True, text=True, check=True)
            seconds.append(float(done.stdout.rsplit("CPU ", 1)[1]))
    return 1000 * (seconds[1] - seconds[0]) / (trials - trials // 10)


def late(function: str, runs: int, deadline: float = 0.4) -> list[float]:
    """Return for each run the seconds from the deadline until nothing of the trial is alive."""
    out = []
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        loaded = load(project(folder, function=function, workers=1))
        slot = Slot(setup_of(loaded))
        for _ in range(runs):
            slot.start()
            while not slot.run(Job(values={"x": 0.0}, folds=(0,), kind="inspect")).answer:
                pass  # the child is warm
            session = slot.pid
            assert session is not None
            seen: set[int] = {session}
            began = time.monotonic()
            slot.run(Job(values={"x": 0.5}, folds=(0,), deadline=deadline), lambda s=session, a=seen: _look(s, a))
            while any(_alive(pid) for pid in seen):
                time.sleep(0.001)
            out.append(time.monotonic() - began - deadline)
        slot.close()
    return out


def _look(session: int, seen: set[int]) -> bool:
    """Note the processes of a running trial; it is not cancelled."""
    seen.update(guard.family(session))
    return False


def _alive(pid: int) -> bool:
    return any(row[0] == pid for row in guard.processes())


def bound(workers: int, lookahead: int, *, sigma: float = 1.0, trials: int = 20_000, seed: int = 0) -> float:
    """Return the busy share of a simulated strict study: trial k begins once those up to k - lookahead have ended."""
    seconds = np.random.default_rng(seed).lognormal(0.0, sigma, trials)
    free = np.zeros(workers)
    ended = np.zeros(trials)  # of all trials up to k
    for k in range(trials):
        slot = int(np.argmin(free))
        known = ended[k - lookahead] if k >= lookahead else 0.0
        free[slot] = max(free[slot], known) + seconds[k]
        ended[k] = max(ended[k - 1] if k else 0.0, free[slot])
    return float(seconds.sum() / (workers * free.max()))


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.execution", description=__doc__)
    parser.add_argument("what", nargs="*", choices=["busy", "cpu", "deadline", "bound", []], help="measures (all)")
    wanted = parser.parse_args().what or ["busy", "cpu", "deadline", "bound"]
    path = RESULTS / "execution.json"
    found: dict[str, Any] = json.loads(path.read_text()) if path.exists() else {}
    measures: dict[str, Callable[[], dict[str, Any]]] = {
        "busy": lambda: {
            "async, equal": busy("equal", "async", 200),
            "strict, equal": busy("equal", "strict", 200),
            "async, log-normal": busy("uneven", "async", 200),
            "strict, log-normal": busy("uneven", "strict", 200),
        },
        "cpu": lambda: {"ms a trial": cpu(), "cores": os.cpu_count()},
        "deadline": lambda: {
            name: {"median": statistics.median(seconds), "worst": max(seconds)}
            for name in ("hang", "in_c", "below")
            for seconds in (late(name, 20),)
        },
        "bound": lambda: {f"{w} workers, lookahead {m} x W": bound(w, m * w) for w in (2, 4, 8) for m in (1, 2, 4)},
    }
    goals = {"busy": ">= 0.95 (async; strict with equal times)", "cpu": "<= 3", "deadline": "<= 0.5 s", "bound": ""}
    for name in wanted:
        found[name] = measures[name]()
        print(f"{name} {goals[name]}")
        for what, value in found[name].items():
            print(f"  {what}: {value if isinstance(value, dict) else round(value, 3)}", flush=True)
    path.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    used = resource.getrusage(resource.RUSAGE_SELF)
    print(f"(CPU of this command: {used.ru_utime + used.ru_stime:.0f} s)")


if __name__ == "__main__":
    main()
