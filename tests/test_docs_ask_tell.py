"""docs/ask-tell.md: its config, its loop and its commands run as they stand there, by one shell and by four at once."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from hptune import cli
from hptune import journal as jn
from hptune.events import TrialStarted
from hptune.replay import replay

PAGE = (Path(__file__).resolve().parent.parent / "docs" / "ask-tell.md").read_text()
(YAML,) = re.findall(r"^```yaml\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
(LOOP,) = re.findall(r"^```bash\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
TRAIN, AFTER = re.findall(r"^```sh\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The files of the page, and an `hptune` on the PATH that is this one."""
    (tmp_path / "study.yaml").write_text(YAML)
    (tmp_path / "train.sh").write_text(TRAIN)
    (tmp_path / "loop.sh").write_text(LOOP)
    program = tmp_path / "bin" / "hptune"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m hptune "$@"\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def loops(shell: str, count: int) -> list[str]:
    """Run so many loops side by side and return what each said on stderr."""
    started = [
        subprocess.Popen([shell, "loop.sh"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for _ in range(count)
    ]
    said = [one.communicate(timeout=300)[1] for one in started]
    assert [one.returncode for one in started] == [0] * count, said
    return said


@pytest.mark.slow
@pytest.mark.parametrize(("shell", "count"), [("bash", 1), ("sh", 1), ("bash", 4)])
def test_the_loop_ends_with_every_trial_told_once(shell: str, count: int, project: Path) -> None:
    said = loops(shell, count)
    assert all("nothing left to ask: the budget of trials is spent" in one for one in said), said
    events = jn.read(project / "runs" / "outside").events
    assert sorted(one.trial for one in events if isinstance(one, TrialStarted)) == list(range(12))
    history = replay(events)
    assert history.count("completed") == 12
    assert {len(trial.scores) for trial in history.trials} == {1}
    result = json.loads((project / "runs" / "outside" / "result.json").read_text())
    assert (result["status"], result["stop_reason"]) == ("complete", "trials")


def test_the_commands_after_it_run(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for number in range(2):
        assert cli.invoke(["ask", "study.yaml"]) == 0
        assert cli.invoke(["tell", "runs/outside", "--trial", str(number), "--value", "0.5"]) == 0
    for line in AFTER.splitlines():
        assert cli.invoke(line.split()[1:]) == 0
        assert capsys.readouterr().out


@pytest.mark.parametrize(
    "train", [pytest.param("exit 3", marks=pytest.mark.slow, id="fails"), pytest.param("echo", id="prints nothing")]
)
def test_a_script_that_fails_never_makes_the_loop_tell_the_last_score(train: str, project: Path) -> None:
    (project / "train.sh").write_text(f"{train}\n")
    loops("bash", 1)
    history = replay(jn.read(project / "runs" / "outside").events)
    assert history.count("completed") == 0
    if train == "exit 3":
        assert {trial.failure.message for trial in history.trials if trial.failure} == {"train.sh ended with 3"}
        assert history.ended == "failures"


def test_a_loop_ends_when_an_ask_is_killed(project: Path) -> None:
    (project / "bin" / "hptune").write_text("#!/bin/sh\nkill -9 $$\n")
    loops("bash", 1)
