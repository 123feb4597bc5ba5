"""Many scripts that ask and tell one study at once, and `kill -9` in the middle of it: no number twice, nothing lost."""

from __future__ import annotations

import json
import os
import random
import re
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from hptune import journal as jn
from hptune.events import FoldScored, TrialStarted
from hptune.run_directory import MARKER
from tests.faults.kit import ROOT, call, history_of, hptune

CONFIG = """
version: 1
name: outside
seed: 5
space:
  x: {type: float, min: -1, max: 1}
  k: [a, b, null, true]
evaluate: {metric: loss}
oracle: {type: ORACLE}
budget: {trials: TRIALS}
"""
# A loop as a script has it, each question a process; what it was given and what was acknowledged goes to its own file.
WORKER = """
import json, subprocess, sys
config, run, log = sys.argv[1:]

def hptune(*words):
    return subprocess.run([sys.executable, "-m", "hptune", *words], capture_output=True, text=True)

with open(log, "a") as said:
    while True:
        done = hptune("ask", config, "--dir", run, "--json")
        assert done.returncode == 0, done.stderr
        trial = json.loads(done.stdout)
        if trial["trial"] is None:
            break
        score = trial["params"]["x"] ** 2 + trial["trial"]
        print("asked", trial["trial"], file=said, flush=True)
        done = hptune("tell", run, "--trial", str(trial["trial"]), "--value", repr(score))
        assert done.returncode == 0, done.stderr
        print("told", trial["trial"], file=said, flush=True)
"""


def write(folder: Path, oracle: str, trials: int) -> Path:
    config = folder / "study.yaml"
    config.write_text(CONFIG.replace("ORACLE", oracle).replace("TRIALS", str(trials)))
    (folder / "worker.py").write_text(WORKER)
    return config


@pytest.mark.faults
@pytest.mark.parametrize("oracle", ["random", "bayesian"])
def test_eight_at_once_get_each_number_once_and_lose_nothing(tmp_path: Path, oracle: str) -> None:
    config, run = write(tmp_path, oracle, 24), tmp_path / "run"
    words = [sys.executable, str(tmp_path / "worker.py"), str(config), str(run)]
    workers = [
        subprocess.Popen([*words, str(tmp_path / f"log-{number}")], cwd=ROOT, stderr=subprocess.PIPE, text=True)
        for number in range(8)
    ]
    said = [worker.communicate(timeout=300)[1] for worker in workers]
    assert [worker.returncode for worker in workers] == [0] * 8, said
    log = " ".join((tmp_path / f"log-{number}").read_text() for number in range(8))
    for word in ("asked", "told"):
        assert sorted(map(int, re.findall(rf"{word} (\d+)", log))) == list(range(24)), word
    history = history_of(run)
    assert history.count("completed") == 24
    assert len({history.space.key(trial.values) for trial in history.trials}) == 24
    assert all(trial.score == trial.values["x"] ** 2 + trial.number for trial in history.trials)
    result = json.loads((run / "result.json").read_text())
    assert (result["status"], result["trials"]["completed"]) == ("complete", 24)
    assert len((run / "trials.csv").read_text().splitlines()) == 25


@pytest.mark.faults
@pytest.mark.parametrize("seed", range(2))
def test_fifty_kills_in_the_middle_of_ask_and_tell_lose_nothing_that_was_acknowledged(
    tmp_path: Path, seed: int
) -> None:
    config, run = write(tmp_path, "random", 1000), tmp_path / "run"
    rng = random.Random(seed)
    asked: set[int] = set()
    told: dict[int, float] = {}
    kills = 0
    usual = _seconds(config, tmp_path / "warm")
    while kills < 50:
        ended, out = _killed(hptune("ask", str(config), "--dir", str(run), "--json"), rng.uniform(0.4, 1.1) * usual)
        kills += not ended
        if ended:
            number = json.loads(out)["trial"]
            assert number not in asked
            asked.add(number)
        for number in sorted(asked - told.keys())[-1:]:
            score = rng.random()
            words = hptune("tell", str(run), "--trial", str(number), "--value", repr(score), "--value", "0.5")
            ended, out = _killed(words, rng.uniform(0.4, 1.1) * usual)
            kills += not ended
            # The script does not know what became of it, and tells the same again.
            again = call(*words[3:])
            assert again.returncode == 0, again.stderr
            told[number] = score
            assert json.loads((run / "result.json").read_text())["trials"]["completed"] == len(told)
        if (run / jn.NAME).is_file() and jn.read(run).events:
            _check(run, asked, told)
            assert (run / "config.yaml").is_file()
        assert not run.exists() or not list(run.iterdir()) or (run / MARKER).is_file()
    done = call("ask", str(config), "--dir", str(run), "--json")
    assert done.returncode == 0, done.stderr


def _seconds(config: Path, run: Path) -> float:
    began = time.monotonic()
    assert call("ask", str(config), "--dir", str(run)).returncode == 0
    return time.monotonic() - began


def _killed(words: list[str], after: float) -> tuple[bool, str]:
    """Start a process and kill it after so many seconds; return whether it ended before, and what it printed."""
    process = subprocess.Popen(words, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        out, err = process.communicate(timeout=after)
    except subprocess.TimeoutExpired:
        os.kill(process.pid, signal.SIGKILL)
        process.communicate()
        return False, ""
    assert process.returncode == 0, err
    return True, out


def _check(run: Path, asked: set[int], told: dict[int, float]) -> None:
    events, history = jn.read(run).events, history_of(run)
    started = Counter(one.trial for one in events if isinstance(one, TrialStarted))
    assert not asked or asked <= started.keys()
    assert set(started.values()) <= {1}  # nothing was given out again by itself
    assert (
        max(Counter((one.trial, one.fold) for one in events if isinstance(one, FoldScored)).values(), default=1) == 1
    )
    for number, score in told.items():
        assert history.trials[number].scores == (score, 0.5)
    assert history.count("completed") == len(told)
