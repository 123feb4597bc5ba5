"""SIGKILL of the coordinator, of its group and of a worker, at random moments, for every oracle and 1, 2 and 4 workers.

A study is killed again and again, each time with another number of workers, and then finished by the same command: it must
be the uninterrupted one in every trial, and nothing that was finished at a kill may be lost or run again.
"""

from __future__ import annotations

import random
import subprocess
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from hptune import journal as jn
from hptune import spool
from hptune.oracles import ORACLES
from tests.faults.kit import Project, check_exact, history_of, journal_of, kill, marked, rows, until
from tests.faults.measure import measured

OBJECTIVE = """
import os, random, time

def measure(values, seed, report):
    time.sleep(random.uniform(0.02, 0.1))  # the order in which results come is another in every run
    score = values["x"] ** 2 + len(str(values["k"])) / 10 + values.get("n", 0) / 100
    try:
        for step in (1, 3, 9):  # asha and hyperband end it at one of them
            report(score + 0.1 / step, step)
    finally:
        with open(os.path.join(os.path.dirname(__file__), "calls.txt"), "a") as calls:
            calls.write(f"{values} to {step}\\n")
    return score
"""
FULL = 9
HALVING = sorted(name for name, kind in ORACLES.items() if "resource" in kind.model_fields)
WORKERS = (1, 2, 4)
BATCHES = 3
START_SECONDS = 1.5
"""A run starts in about as long; a quarter of the kills fall into that."""


def project_for(folder: Path, oracle: str, trials: int = 12) -> Project:
    """A study of this oracle; a trial whose worker is killed again and again is not given up."""
    less = f"{oracle}, resource: steps, min: 1, max: {FULL}" if oracle in HALVING else oracle
    return Project(folder, oracle=less, retries=20, objective=OBJECTIVE, trials=trials)


def calls(project: Project) -> Counter[str]:
    """Return how often the objective was called through to its end, by values and the step it came to."""
    path = project.folder / "calls.txt"
    return Counter(path.read_text().splitlines()) if path.exists() else Counter()


class UnderFire:
    """One study that is started, killed, started again; what each kill did is looked at before the next start."""

    def __init__(self, project: Project, rng: random.Random, figures: dict[str, float]) -> None:
        self.project = project
        self.run = project.folder / "run"
        self.rng = rng
        self.figures = figures
        self.known: dict[tuple[int, int], float] = {}
        self.finished: set[str] = set()
        self.before: Counter[str] = Counter()

    def add(self, **figures: float) -> None:
        for name, value in figures.items():
            old = self.figures.get(name, 0)
            self.figures[name] = max(old, value) if name.startswith("max_") else old + value

    def fire(self, workers: int, how: str) -> bool:
        """Start the run and kill it at a random moment; False if it came to its end before."""
        process = self.start(workers)
        if how != "worker" and self.rng.random() < 0.25:
            time.sleep(self.rng.uniform(0, START_SECONDS))
        elif not self.scored(process, self.rng.randrange(0, 4)):
            assert process.wait(120) == 0, self.said()
            return False
        time.sleep(self.rng.uniform(0, 0.1))
        if process.poll() is None and how == "worker":
            kill(process, "worker")
            self.add(kills=1)
            self.scored(process, 1)  # the others go on, and a new worker takes the trial up
            how = self.rng.choice(("alone", "group"))
        if process.poll() is not None:
            assert process.returncode == 0, self.said()
            return False
        kill(process, how)
        self.add(kills=1)
        self.look()
        return True

    def finish(self, whole: list[dict[str, Any]], workers: int) -> None:
        process = self.start(workers)
        assert process.wait(120) == 0, self.said()
        self.check()
        check_exact(self.run, self.project.trials)
        found = rows(self.run)
        self.add(studies=1, different=found != whole)
        assert found == whole

    def start(self, workers: int) -> subprocess.Popen[str]:
        with (self.project.folder / "stderr.txt").open("w") as words:
            return self.project.start(self.run, "--workers", str(workers), stdout=subprocess.DEVNULL, stderr=words)

    def said(self) -> str:
        return (self.project.folder / "stderr.txt").read_text()

    def scored(self, process: subprocess.Popen[str], more: int) -> bool:
        """Wait until the process has begun to work and so many folds are scored; False if it ended before."""
        size = len(journal_of(self.run))
        assert until(lambda: process.poll() is not None or len(journal_of(self.run)) > size, 120)
        goal = journal_of(self.run).count(b"fold_scored") + more
        assert until(lambda: process.poll() is not None or journal_of(self.run).count(b"fold_scored") >= goal, 120)
        return process.poll() is None

    def look(self) -> None:
        """After a kill: is all that was started gone, is the journal readable, what was finished by now?"""
        began = time.monotonic()
        left = not until(lambda: not marked(self.project.folder), 2.0, pause=0.02)
        self.add(max_gone_seconds=time.monotonic() - began, zombies=len(marked(self.project.folder)) if left else 0)
        self.check()
        if not (self.run / jn.NAME).exists() or not jn.read(self.run).events:
            return  # it died before the study's first record
        trials = history_of(self.run).trials
        told = {(t.number, m.fold): m.score for t in trials for m in t.measurements}
        spooled = {
            (number, m.fold): m.score
            for number, _, outcome, _ in spool.left_over(self.run / "spool")
            for m in outcome.measurements
        }
        self.known |= spooled | told
        self.finished = {
            f"{dict(trials[n].values)} to {round(FULL * (trials[n].fidelity or 1))}" for n, _ in self.known
        }
        self.before = calls(self.project)

    def check(self) -> None:
        """Nothing known before is lost, nothing finished before was run again."""
        if not self.known:
            return
        now = {(t.number, m.fold): m.score for t in history_of(self.run).trials for m in t.measurements}
        now |= {
            (number, m.fold): m.score
            for number, _, outcome, _ in spool.left_over(self.run / "spool")
            for m in outcome.measurements
        }
        again = calls(self.project) - self.before
        self.add(
            lost=sum(now.get(key) != score for key, score in self.known.items()),
            again=sum(again[text] > 0 for text in self.finished),
        )


def kills(folder: Path, oracle: str, number: int, trials: int, row: str, batch: int = 0) -> None:
    """Kill studies of one oracle so often, finish each, and write down what came of it."""
    whole = project_for(folder / "whole", oracle, trials).finish(folder / "whole" / "run")
    rng = random.Random(f"{oracle} {number} {batch}")
    figures: dict[str, float] = dict.fromkeys(("kills", "unreadable", "zombies", "lost", "again", "different"), 0)
    shots = [(workers, how) for workers in WORKERS for how in ("alone", "group", "worker")]
    try:
        studies = 0
        while figures["kills"] < number:
            studies += 1
            study = UnderFire(project_for(folder / f"project-{studies}", oracle, trials), rng, figures)
            rng.shuffle(shots)
            for workers, how in shots * 2:
                if figures["kills"] >= number or not study.fire(workers, how):
                    break
            study.finish(whole, rng.choice(WORKERS))
    finally:
        measured(row, f"{oracle}-{batch}", **figures)
    assert not {name: n for name, n in figures.items() if n and name in ("zombies", "lost", "again", "different")}


@pytest.mark.faults
@pytest.mark.parametrize("oracle", sorted(ORACLES))
def test_a_study_killed_five_times_ends_as_the_uninterrupted_one(tmp_path: Path, oracle: str) -> None:
    kills(tmp_path, oracle, 5, 12, "kill")


@pytest.mark.faults_long
@pytest.mark.parametrize("batch", range(BATCHES))
@pytest.mark.parametrize("oracle", sorted(ORACLES))
def test_five_hundred_kills_between_the_oracles(tmp_path: Path, oracle: str, batch: int) -> None:
    kills(tmp_path, oracle, -(-500 // (BATCHES * len(ORACLES))), 24, "kill-long", batch)
