"""What the fault tests share: a project that leaves a trace of each call, real runs of it, and real kills."""

from __future__ import annotations

import contextlib
import csv
import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hptune import guard
from hptune import journal as jn
from hptune.events import FoldScored, TrialStarted
from hptune.history import History
from hptune.replay import replay

ROOT = Path(__file__).resolve().parents[2]
MARK = "HPTUNE_FAULT"
TIMED = {"seconds", "fit_seconds", "score_seconds", "started", "ended", "worker", "attempt"}

CONFIG = """
name: fault
seed: 5
model: {{function: "objective:measure"}}
space:
  x: {{type: float, min: -1, max: 1}}
  k: [a, b, null, true]
  n: {{type: int, min: 1, max: 50, scale: log, when: {{k: [a, b]}}}}
evaluate: {{metric: loss, direction: minimize}}
oracle: {{type: {oracle}}}
budget: {{trials: {trials}}}
executor: {{workers: 2, lookahead: {lookahead}, retries: {retries}}}
"""
OBJECTIVE = """
import os, random, time

def measure(values, seed):
    with open(os.path.join(os.path.dirname(__file__), "calls.txt"), "a") as calls:
        calls.write(f"{os.getpid()} {values}\\n")
    time.sleep(SLEEP)
    return values["x"] ** 2 + len(str(values["k"])) / 10 + values.get("n", 0) / 100
"""


@dataclass
class Project:
    """A config with its objective in a folder of its own; each finished call leaves a line in `calls.txt`."""

    folder: Path
    trials: int = 12
    oracle: str = "random"
    lookahead: int = 8
    retries: int = 0
    sleep: str = "0.05"
    objective: str = field(default=OBJECTIVE, repr=False)
    config: str = field(default=CONFIG, repr=False)

    def __post_init__(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        options = {
            "oracle": self.oracle, "trials": self.trials, "lookahead": self.lookahead, "retries": self.retries,
        }  # fmt: skip
        (self.folder / "fault.yaml").write_text(self.config.format(**options))
        (self.folder / "objective.py").write_text(self.objective.replace("SLEEP", self.sleep))

    def command(self, run: Path, *more: str) -> list[str]:
        return hptune("run", str(self.folder / "fault.yaml"), "--dir", str(run), "-q", *more)

    def start(self, run: Path, *more: str, **how: Any) -> subprocess.Popen[str]:
        """Start a run in a session of its own; its processes carry the project's folder in their environment."""
        environment = {**os.environ, MARK: str(self.folder)}
        how = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "env": environment, **how}
        return subprocess.Popen(self.command(run, *more), text=True, start_new_session=True, **how)

    def finish(self, run: Path, *more: str, code: int = 0) -> list[dict[str, Any]]:
        """Run to the end and return the trials without what depends on the clock."""
        done = subprocess.run(self.command(run, *more), capture_output=True, text=True, timeout=300, check=False)
        assert done.returncode == code, (done.returncode, done.stderr)
        return rows(run)


def hptune(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "hptune", *arguments]


def call(*arguments: str, timeout: float = 120, **how: Any) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        hptune(*arguments), capture_output=True, text=True, timeout=timeout, check=False, cwd=ROOT, **how
    )


def rows(run: Path) -> list[dict[str, Any]]:
    with (run / "trials.csv").open() as stream:
        return [{k: v for k, v in row.items() if k not in TIMED} for row in csv.DictReader(stream)]


def history_of(run: Path) -> History:
    return replay(jn.read(run).events)


def journal_of(run: Path) -> bytes:
    try:
        return (run / jn.NAME).read_bytes()
    except FileNotFoundError:
        return b""


def until(condition: Callable[[], object], seconds: float = 60.0, pause: float = 0.005) -> bool:
    limit = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > limit:
            return False
        time.sleep(pause)
    return True


def command_line(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace")
    except OSError:
        return ""


def marked(folder: Path) -> list[int]:
    """Return the living processes that were started for this folder, whatever session they are in by now."""
    mark = f"{MARK}={folder}\0".encode()
    found = []
    for pid, *_ in guard.processes():
        with contextlib.suppress(OSError):
            if pid != os.getpid() and mark in Path(f"/proc/{pid}/environ").read_bytes():
                found.append(pid)
    return found


def workers_of(pid: int) -> list[int]:
    """Return every living descendant of a coordinator: guards, workers, and what they started."""
    return sorted(guard.family(pid))


def kill(process: subprocess.Popen[str], how: str) -> list[int]:
    """SIGKILL the coordinator, its group, or one worker; return the descendants it had.

    Only for a worker does the run go on.
    """
    family = workers_of(process.pid)
    if how == "worker":
        workers = [pid for pid in family if "hptune.worker.child" in command_line(pid)]
        if workers:
            os.kill(workers[process.pid % len(workers)], signal.SIGKILL)
        return family
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL) if how == "group" else process.send_signal(signal.SIGKILL)
    process.communicate()
    return family


def alive(pids: Sequence[int]) -> list[int]:
    living = {row[0] for row in guard.processes()}
    return [pid for pid in pids if pid in living]


def check_exact(run: Path, trials: int) -> None:
    """Every trial began once under its number, every fold was measured once, and none is missing or one too many.

    `trials` is how many configurations there are; what halving continues is a trial of its own.
    """
    events = jn.read(run).events
    folds = Counter((e.trial, e.fold) for e in events if isinstance(e, FoldScored))
    assert not [pair for pair, times in folds.items() if times > 1]
    first = [e.trial for e in events if isinstance(e, TrialStarted) and e.attempt == 1]
    history = replay(events)
    assert history.view().configurations == trials
    trials = len(history.trials)
    assert first == list(range(trials))
    assert history.count("completed") == trials
    assert history.count("running") == 0
    assert json.loads((run / "result.json").read_text())["trials"]["completed"] == trials
