"""SIGKILL of the coordinator, of its group and of a worker, at random moments, for every oracle and 1, 2 and 4 workers.

Afterwards the same command finishes the study, which must be the uninterrupted one in every trial.
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
from tests.faults.kit import Project, alive, check_exact, history_of, journal_of, kill, until
from tests.faults.measure import measured

OBJECTIVE = """
import os, random, time

def measure(values, seed, report):
    time.sleep(random.uniform(0.02, 0.1))  # the order in which results come is another in every run
    score = values["x"] ** 2 + len(str(values["k"])) / 10 + values.get("n", 0) / 100
    with open(os.path.join(os.path.dirname(__file__), "calls.txt"), "a") as calls:
        calls.write(f"{values}\\n")
    for step in (1, 3, 9):  # asha and hyperband end it at one of them
        report(score + 0.1 / step, step)
    return score
"""


HALVING = sorted(name for name, kind in ORACLES.items() if "resource" in kind.model_fields)


class Tally:
    """What came of a number of kills."""

    def __init__(self) -> None:
        self.figures: dict[str, float] = {
            "kills": 0, "unreadable": 0, "zombies": 0, "lost": 0, "again": 0, "wrong_count": 0, "different": 0,
            "max_gone_seconds": 0.0, "max_resume_seconds": 0.0, "resumes": 0, "resume_seconds": 0.0,
        }  # fmt: skip

    def add(self, **figures: float) -> None:
        for name, value in figures.items():
            old = self.figures.get(name, 0)
            self.figures[name] = max(old, value) if name.startswith("max_") else old + value


def project_for(folder: Path, oracle: str) -> Project:
    less = f"{oracle}, resource: steps, min: 1, max: 9" if oracle in HALVING else oracle
    return Project(folder, oracle=less, retries=1, objective=OBJECTIVE)


def calls(project: Project) -> Counter[str]:
    path = project.folder / "calls.txt"
    return Counter(path.read_text().splitlines()) if path.exists() else Counter()


def kill_and_finish(project: Project, run: Path, workers: int, how: str, rng: random.Random, tally: Tally) -> Any:
    """Run, kill at a random moment, finish with the same command; return the trials."""
    process = project.start(run, "--workers", str(workers), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    scored = rng.randrange(0, project.trials)
    assert until(lambda: process.poll() is not None or journal_of(run).count(b"fold_scored") >= scored, 120)
    time.sleep(rng.uniform(0, 0.1))
    family = kill(process, how)
    tally.add(kills=1)
    if how == "worker":
        assert process.wait(120) == 0
        return check(project, run, tally)
    began = time.monotonic()
    left = until(lambda: not alive(family), 2.0, pause=0.02)
    tally.add(max_gone_seconds=time.monotonic() - began, zombies=0 if left else len(alive(family)))
    begun = (run / jn.NAME).exists() and bool(jn.read(run).events)  # else it died before the study's first record
    trials = history_of(run).trials if begun else []  # raises if the journal cannot be read
    known = {(t.number, m.fold): m.score for t in trials for m in t.measurements}
    known |= {
        (number, m.fold): m.score
        for number, _, outcome, _ in spool.left_over(run / "spool")
        for m in outcome.measurements
    }
    finished = [str(dict(trials[number].values)) for number, _ in known]
    before = calls(project)
    size = len(journal_of(run))
    began = time.monotonic()
    process = project.start(run, "--workers", str(workers), stdout=subprocess.DEVNULL)
    until(lambda: process.poll() is not None or len(journal_of(run)) > size, 120, pause=0.002)
    seconds = time.monotonic() - began
    tally.add(resumes=1, resume_seconds=seconds, max_resume_seconds=seconds)
    _, said = process.communicate(timeout=120)
    assert process.returncode == 0, said
    after = history_of(run)
    now = {(t.number, m.fold): m.score for t in after.trials for m in t.measurements}
    tally.add(lost=sum(now.get(key) != score for key, score in known.items()))
    later = calls(project) - before
    tally.add(again=sum(later[text] > 0 for text in finished))
    return check(project, run, tally)


def check(project: Project, run: Path, tally: Tally) -> Any:
    from tests.faults.kit import rows

    check_exact(run, project.trials)
    return rows(run)


def one_oracle(tmp_path: Path, oracle: str, plan: list[tuple[int, str]], seed: int, tally: Tally) -> None:
    whole = project_for(tmp_path / "whole", oracle).finish(tmp_path / "whole" / "run")
    rng = random.Random(f"{oracle} {seed}")
    for number, (workers, how) in enumerate(plan):
        project = project_for(tmp_path / f"project-{number}", oracle)
        found = kill_and_finish(project, project.folder / "run", workers, how, rng, tally)
        tally.add(different=found != whole)
        assert found == whole, (oracle, workers, how)


PLAN = [(1, "alone"), (2, "worker"), (2, "alone"), (2, "group"), (4, "alone"), (4, "worker"), (4, "group")]


@pytest.mark.parametrize(
    "oracle",
    [
        pytest.param(name, marks=pytest.mark.faults_long if name in HALVING else pytest.mark.faults)
        for name in sorted(ORACLES)
    ],
)
def test_a_killed_study_ends_as_the_uninterrupted_one(tmp_path: Path, oracle: str) -> None:
    """7 kills for each oracle. Halving calls the objective again on purpose, with the values of a trial it continues."""
    bad = ("zombies", "lost") if oracle in HALVING else ("zombies", "lost", "again")
    tally = Tally()
    try:
        one_oracle(tmp_path, oracle, PLAN, 0, tally)
    finally:
        measured("kill", oracle, **tally.figures)
    assert not {name: n for name, n in tally.figures.items() if n and name in bad}


@pytest.mark.faults_long
@pytest.mark.parametrize("batch", range(50))
def test_five_hundred_kills(tmp_path: Path, batch: int) -> None:
    tally = Tally()
    rng = random.Random(batch)
    plan = [(rng.choice((1, 2, 4)), rng.choice(("alone", "group", "worker"))) for _ in range(10)]
    try:
        one_oracle(tmp_path, sorted(ORACLES)[batch % len(ORACLES)], plan, batch, tally)
    finally:
        measured("kill-long", str(batch), **tally.figures)
    assert not {name: n for name, n in tally.figures.items() if n and name in ("zombies", "lost")}
