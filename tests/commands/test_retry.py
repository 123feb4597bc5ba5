"""`hptune retry`: failed trials again, under their numbers."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from hptune import cli, journal
from hptune.replay import replay
from hptune.report.result_schema import result_schema

Capture = pytest.CaptureFixture[str]

OBJECTIVE = """
import pathlib

def f(values):
    if values["x"] > 0 and not (pathlib.Path(__file__).parent / "mended").exists():
        raise ValueError("not mended")
    return (values["x"] - 1) ** 2
"""

CONFIG = """
name: fun
model: {function: "MODULE:f"}
space: {x: {type: float, min: -5, max: 5, default: -3}}
evaluate: {metric: loss, direction: minimize}
oracle: {type: random}
budget: {trials: 8, failures: {in_a_row: null}}
executor: {type: serial}
output: {dir: runs/fun}
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    module = f"mendable_{abs(hash(tmp_path)) % 10**8}"
    (tmp_path / f"{module}.py").write_text(OBJECTIVE)
    (tmp_path / "study.yaml").write_text(CONFIG.replace("MODULE", module))
    monkeypatch.chdir(tmp_path)
    path = list(sys.path)
    yield tmp_path
    sys.path[:] = path


def result() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(Path("runs/fun/result.json").read_text())
    jsonschema.Draft202012Validator(result_schema()).validate(found)
    return found


def failed() -> list[int]:
    history = replay(journal.read(Path("runs/fun")).events)
    return [trial.number for trial in history.trials if trial.failure is not None]


def test_failed_trials_run_again_under_their_numbers_and_the_files_are_fresh(project: Path, capsys: Capture) -> None:
    assert cli.invoke(["run", "study.yaml", "-q"]) == 0
    before, lost = result(), failed()
    assert before["reproducible"] is True
    assert lost
    (project / "mended").touch()
    assert cli.invoke(["retry", "runs/fun"]) == 0
    assert "runs again from the first fold" in capsys.readouterr().err
    after = result()
    assert (after["trials"]["total"], after["trials"]["failed"], failed()) == (8, 0, [])
    assert after["reproducible"] is False
    assert (after["status"], after["stop_reason"]) == ("complete", "trials")
    history = replay(journal.read(Path("runs/fun")).events)
    assert [history.trials[number].attempt for number in lost] == [2] * len(lost)
    assert after["best"]["score"] == min(trial.score for trial in history.trials if trial.score is not None)


def test_one_trial_can_be_named_and_the_others_stay_failed(project: Path, capsys: Capture) -> None:
    assert cli.invoke(["run", "study.yaml", "-q"]) == 0
    lost = failed()
    assert cli.invoke(["retry", "runs/fun", "--trial", str(lost[0]), "-q"]) == 0
    assert failed() == lost  # not mended yet: it failed again
    (project / "mended").touch()
    assert cli.invoke(["retry", "runs/fun", "--trial", str(lost[-1]), "-q", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == result()
    assert failed() == lost[:-1]


def test_a_study_that_gave_up_goes_on_after_its_failures_were_mended(project: Path) -> None:
    options = ["-o", "budget.failures.in_a_row=1", "-q"]
    assert cli.invoke(["run", "study.yaml", *options]) == 4
    assert (result()["stop_reason"], len(failed())) == ("failures", 1)
    (project / "mended").touch()
    assert cli.invoke(["retry", "runs/fun", "-q"]) == 0
    assert (result()["stop_reason"], result()["trials"]["total"], failed()) == ("trials", 8, [])


@pytest.mark.parametrize(
    ("arguments", "said"),
    [(["--trial", "0"], "expected a failed trial, trial 0 is completed"), (["--trial", "99"], "has no trial 99")],
)
def test_a_trial_that_did_not_fail_is_a_usage_error(
    arguments: list[str], said: str, project: Path, capsys: Capture
) -> None:
    assert cli.invoke(["run", "study.yaml", "-q"]) == 0
    assert cli.invoke(["retry", "runs/fun", *arguments]) == 2
    assert said in capsys.readouterr().err


def test_with_nothing_failed_there_is_nothing_to_do(project: Path, capsys: Capture) -> None:
    (project / "mended").touch()
    assert cli.invoke(["run", "study.yaml", "-q"]) == 0
    size = Path("runs/fun/journal.jsonl").stat().st_size
    assert cli.invoke(["retry", "runs/fun"]) == 0
    assert "nothing to do" in capsys.readouterr().err
    assert Path("runs/fun/journal.jsonl").stat().st_size == size
    assert result()["reproducible"] is True


# -- a dry run ------------------------------------------------------------------------------------------------------


def test_a_dry_run_measures_the_defaults_and_writes_nothing(project: Path, capsys: Capture) -> None:
    before = sorted(project.rglob("*"))
    assert cli.invoke(["run", "study.yaml", "--dry-run"]) == 0
    captured = capsys.readouterr()
    assert "1 parameter, continuous" in captured.err
    assert "8 trials x" in captured.out
    assert [path for path in sorted(project.rglob("*")) if "__pycache__" not in path.parts] == before
    assert cli.invoke(["run", "study.yaml", "--dry-run", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["trial"]["params"], found["trial"]["score"]) == ({"x": -3.0}, 16.0)
    assert (found["estimate"]["trials"], found["estimate"]["lanes"]) == (8, 1)


def test_a_dry_run_counts_what_is_left_and_refuses_another_problem(project: Path, capsys: Capture) -> None:
    assert cli.invoke(["run", "study.yaml", "-q"]) == 0
    journal_bytes = Path("runs/fun/journal.jsonl").read_bytes()
    assert cli.invoke(["run", "study.yaml", "--dry-run", "--trials", "+5", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["estimate"]["trials"] == 5
    assert cli.invoke(["run", "study.yaml", "--dry-run", "-o", "seed=9"]) == 2
    assert "another problem" in capsys.readouterr().err
    assert Path("runs/fun/journal.jsonl").read_bytes() == journal_bytes


def test_a_dry_run_whose_defaults_fail_is_exit_4(project: Path, capsys: Capture) -> None:
    assert cli.invoke(["run", "study.yaml", "--dry-run", "-o", "space.x.default=2.0"]) == 4
    assert "the default trial failed (error)" in capsys.readouterr().err
    assert not (project / "runs").exists()
