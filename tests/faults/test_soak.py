"""Very many trials: memory a trial, processor time a trial at the end against the beginning, and what opening costs."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.faults.kit import ROOT
from tests.faults.measure import measured


def soak(trials: int, folder: Path, row: str) -> None:
    command = [sys.executable, "-m", "tests.faults.soak", str(trials), str(folder / "run")]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    measured(row, "all", **found)
    assert found["ratio"] <= 1.5, found
    assert found["bytes_a_trial"] <= 5000, found
    assert found["bytes_growth"] <= 1.5, found
    # The goal of 25 us a record is one of a machine that parses a record in 3.8 us; others are slower, or busy.
    assert found["opening_over_reading"] <= 25 / 3.8, found


@pytest.mark.faults
def test_ten_thousand_trials_cost_the_same_at_the_end_as_at_the_start(memory: Path) -> None:
    soak(10_000, memory, "soak")


@pytest.mark.faults_long
def test_a_hundred_thousand_trials_cost_the_same_at_the_end_as_at_the_start(memory: Path) -> None:
    soak(100_000, memory, "soak-long")
