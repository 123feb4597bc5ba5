"""Objectives that crash, hang, lie or leave things behind: the study ends, each outcome is exact, the others complete."""

from __future__ import annotations

import json
import os
import subprocess
import time
from pathlib import Path

import pytest

from tests.faults.kit import MARK, ROOT, history_of, hptune, marked, until
from tests.faults.measure import measured

OUTCOMES = {
    "segfault": "crashed", "abort": "crashed", "stack_overflow": "crashed", "exit": "crashed", "sys_exit": "error",
    "sigkill": "crashed", "interrupt": "error", "sleep": "timeout", "memory_error": "memory", "raise": "error",
    "unpicklable": "error", "recursion": "error", "nan": "invalid", "minus_infinity": "invalid", "none": "invalid",
    "text": "invalid", "complex": "invalid", "numeric_text": "invalid", "huge": "invalid", "list": "invalid",
    "true": "invalid", "talk": "completed", "leave_child": "completed", "leave_thread": "completed",
    "close_all": "completed", "deaf": "timeout", "hold_interpreter": "timeout", "stop_itself": "timeout",
    "kill_guard": "crashed", "hog": "memory", "infinity": "invalid", "talk_and_raise": "error",
}  # fmt: skip
ALONE = {**OUTCOMES, "talk_for_ever": "timeout"}
CONFIG = """
name: hostile
seed: 0
model: {{function: "objective:measure"}}
space:
  i: {{type: int, min: 0, max: {last}, default: 0}}
evaluate: {{metric: loss, direction: minimize}}
oracle: {{type: grid}}
budget: {{trials: {trials}, trial_time: 10s, trial_memory: 400MiB, failures: {{in_a_row: null}}}}
executor: {{workers: 2, lookahead: 4}}
"""


def run_hostile(folder: Path, deeds: list[str]) -> tuple[Path, subprocess.CompletedProcess[str]]:
    """Run a study whose odd trials do these deeds; its processes carry the folder's name in their environment."""
    folder.mkdir(exist_ok=True)
    source = (Path(__file__).parent / "hostile_objective.py").read_text()
    (folder / "objective.py").write_text(source.replace("DEEDS: list[str] = []", f"DEEDS = {deeds!r}"))
    last = 2 * len(deeds)
    (folder / "hostile.yaml").write_text(CONFIG.format(last=last, trials=last + 1))
    command = hptune("run", str(folder / "hostile.yaml"), "--dir", str(folder / "run"), "-q", "--json")
    environment = {**os.environ, MARK: str(folder)}
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=300, check=False, cwd=ROOT, env=environment
    )
    return folder / "run", done


def check(tmp_path: Path, part: str, deeds: list[str], row: str = "hostile") -> None:
    run, done = run_hostile(tmp_path, deeds)
    began = time.monotonic()
    gone = until(lambda: not marked(tmp_path), 2.0, pause=0.05)
    seconds = time.monotonic() - began
    assert "Traceback" not in done.stderr.split("error:")[-1]
    assert done.returncode == 0, done.stderr
    history = history_of(run)
    wrong = {}
    for trial in history.trials:
        i = trial.values["i"]
        deed = deeds[i // 2] if i % 2 else "innocent"
        outcome = trial.failure.kind if trial.failure else trial.status
        if outcome != ALONE.get(deed, "completed"):
            wrong[deed] = f"{outcome}: {trial.failure.message if trial.failure else trial.score}"
    logs = [path.stat().st_size for path in (run / "logs").glob("*.log")]
    measured(
        row, part, objectives=len(deeds), ended_well=len(deeds) - len(wrong), innocents=len(deeds) + 1,
        innocents_lost="innocent" in wrong, orphans=len(marked(tmp_path)), max_gone_seconds=seconds,
        max_log=max(logs, default=0),
    )  # fmt: skip
    assert wrong == {}
    assert len(history.trials) == 2 * len(deeds) + 1
    assert gone, marked(tmp_path)
    assert max(logs, default=0) <= 2**20
    document = json.loads(done.stdout)
    assert document == json.loads((run / "result.json").read_text())
    assert document["trials"]["failed"] == sum(ALONE[deed] != "completed" for deed in deeds)


GROUPS = [list(OUTCOMES)[start::5] for start in range(5)]


@pytest.mark.faults
@pytest.mark.parametrize("group", range(len(GROUPS)))
def test_every_hostile_objective_ends_well(tmp_path: Path, group: int) -> None:
    check(tmp_path, str(group), GROUPS[group])


@pytest.mark.faults_long
@pytest.mark.parametrize("deed", sorted(ALONE))
def test_each_alone(tmp_path: Path, deed: str) -> None:
    check(tmp_path, deed, [deed] * 5, "hostile-long")


@pytest.mark.faults
def test_a_configuration_that_always_crashes_does_not_keep_the_study_from_its_end(tmp_path: Path) -> None:
    run, done = run_hostile(tmp_path, ["segfault"] * 3)
    assert done.returncode == 0, done.stderr
    history = history_of(run)
    attempts = [trial.attempt for trial in history.trials if trial.failure]
    measured("crash-loop", "all", crashing=len(attempts), max_attempts=max(attempts), unfinished=0)
    assert history.count("running") == 0
    assert max(attempts) == 1
