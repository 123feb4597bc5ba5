"""The same seed gives the same study: again, with workers slowed at random, and stopped after any trial and resumed."""

from __future__ import annotations

from pathlib import Path

import pytest

from hptune.oracles import ORACLES
from tests.faults.measure import measured
from tests.faults.test_kill_anywhere import project_for
from tests.memory.test_journal import run

pytestmark = pytest.mark.faults
TRIALS = 12


@pytest.mark.parametrize("lookahead", [1, 4])
@pytest.mark.parametrize("oracle", sorted(ORACLES))
def test_stopped_after_every_k_of_12_and_resumed(memory: Path, oracle: str, lookahead: int) -> None:
    whole = run(memory / "whole", TRIALS, oracle, lookahead)
    for k in range(TRIALS + 1):
        run(memory / f"k{k}", k, oracle, lookahead)
        assert run(memory / f"k{k}", TRIALS, oracle, lookahead) == whole, k
    assert run(memory / "again", TRIALS, oracle, lookahead) == whole
    measured("resume", f"{oracle}-{lookahead}", stops=TRIALS + 1, different=0)


@pytest.mark.parametrize("oracle", sorted(ORACLES))
def test_workers_slowed_at_random_change_nothing(tmp_path: Path, oracle: str) -> None:
    """Each evaluation takes 20 to 100 ms, drawn anew; 2 workers twice, then 4, all at lookahead 8."""
    runs = []
    for number, workers in enumerate((2, 2, 4)):
        project = project_for(tmp_path / f"project-{number}", oracle)
        runs.append(project.finish(project.folder / "run", "--workers", str(workers)))
    measured("seed", oracle, studies=3, different=sum(one != runs[0] for one in runs))
    assert runs[0] == runs[1] == runs[2]
