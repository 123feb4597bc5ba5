"""Data reaches a worker once, by its own reading, and is the same for all of them: its content hash says so."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest

from hptune.compose import start
from hptune.config.load import load
from hptune.job import Job
from hptune.session import Session

ROWS = """
import os, pathlib
import numpy as np

def rows():
    folder = pathlib.Path(__file__).parent
    with (folder / "reads.txt").open("a") as reads:
        reads.write(f"{os.getpid()}\\n")
    rng = np.random.default_rng(int((folder / "seed.txt").read_text()))
    X = rng.normal(size=(60, 3))
    return X, X[:, 0] + 0.1 * rng.normal(size=60)
"""
CONFIG = """
data: {function: "rows:rows"}
model: {class: sklearn.linear_model.Ridge}
space: {alpha: {type: float, min: 0.001, max: 1000, scale: log}}
evaluate: {metric: r2, cv: 3, early_stop_folds: false, finals: {enabled: false}}
oracle: {type: random}
budget: {trials: 12, failures: {in_a_row: null}}
executor: {workers: 2}
output: {refit: false}
probe: false
"""


@pytest.fixture
def session(tmp_path: Path) -> Session:
    (tmp_path / "rows.py").write_text(ROWS)
    (tmp_path / "seed.txt").write_text("0")
    (tmp_path / "study.yaml").write_text(CONFIG)
    return start(load(tmp_path / "study.yaml"), tmp_path / "run")


def test_each_worker_reads_the_data_once_however_many_trials_there_are(session: Session, tmp_path: Path) -> None:
    with session:
        session.run()
        assert session.study.history.count("completed") == 12
    reads = Counter((tmp_path / "reads.txt").read_text().split())
    # Who inspects calls a data function twice, to see that it gives the same rows again.
    assert len(reads) <= 2
    assert sorted(reads.values()) in ([2], [1, 2])


def test_no_job_carries_rows(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[Job] = []
    submit = session.executor.submit
    monkeypatch.setattr(session.executor, "submit", lambda job: (sent.append(job), submit(job))[1])
    with session:
        session.run()
    assert len(sent) >= 12
    assert max(len(json.dumps(job.to_json())) for job in sent) < 2000  # the rows are 4,000 characters at least


def test_a_worker_that_finds_other_rows_than_the_study_began_with_fails_its_trials(
    session: Session, tmp_path: Path
) -> None:
    with session:
        (tmp_path / "seed.txt").write_text("1")  # the second worker, or a replaced one, reads only now
        for slot in session.executor._slots:  # type: ignore[attr-defined]
            slot.cancel()  # the next job of each is lost, and its child replaced
        session.run()
        trials = session.study.history.trials
    assert {trial.status for trial in trials} == {"failed"}
    assert all("found others" in trial.failure.message for trial in trials if trial.failure)
