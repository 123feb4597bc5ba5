"""Ctrl-C and SIGTERM with two workers, one of them in a trial that hangs; the second signal; a closed terminal."""

from __future__ import annotations

import contextlib
import json
import os
import pty
import signal
import subprocess
import threading
import time
from pathlib import Path

import jsonschema
import pytest

from tests.faults.kit import Project, alive, call, history_of, journal_of, until, workers_of
from tests.faults.measure import measured
from tests.timing import in_time

pytestmark = pytest.mark.faults
GRACE = 5.0
OBJECTIVE = """
import os, signal, time

def measure(values):
    hang = os.path.join(os.path.dirname(__file__), "hang")
    if os.path.exists(hang):
        with open(hang, "r+") as file:
            first = not file.read()
            file.write("taken")
        if first:
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            time.sleep(600)
    time.sleep(0.05)
    return values["x"]
"""


def hanging(tmp_path: Path) -> Project:
    project = Project(tmp_path / "project", trials=400, lookahead=400, objective=OBJECTIVE)
    (project.folder / "hang").write_text("")
    return project


def started(project: Project, run: Path, *, quiet: bool = True) -> tuple[subprocess.Popen[str], list[int]]:
    command = [word for word in project.command(run, "--workers", "2") if quiet or word != "-q"]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )  # fmt: skip
    assert until(lambda: journal_of(run).count(b"fold_scored") >= 3 or process.poll() is not None, 90)
    assert process.poll() is None, process.communicate()
    return process, workers_of(process.pid)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_run_within_the_grace_with_everything_saved(tmp_path: Path, number: int) -> None:
    project, run = hanging(tmp_path), tmp_path / "run"
    process, family = started(project, run)
    scored = journal_of(run).count(b"fold_scored")
    began = time.monotonic()
    # A terminal sends Ctrl-C to the whole group; a scheduler sends SIGTERM to the process.
    os.killpg(process.pid, number) if number == signal.SIGINT else process.send_signal(number)
    out, err = process.communicate(timeout=60)
    seconds = in_time(began, GRACE + 2.0)
    assert process.returncode == 128 + number
    assert "Traceback" not in err + out
    assert len(err.splitlines()) <= 1, err
    assert until(lambda: not alive(family), 2.0)
    document = json.loads((run / "result.json").read_text())
    jsonschema.validate(document, json.loads(call("schema", "result").stdout))
    history = history_of(run)
    assert document["status"] == "interrupted"
    assert document["trials"]["completed"] == history.count("completed") >= scored
    assert history.count("running") >= 1
    (project.folder / "hang").unlink()
    project.finish(run, "--trials", str(len(history.trials)))
    assert history_of(run).count("completed") == len(history.trials)
    measured(
        "signals", signal.Signals(number).name, signals=1, max_seconds=seconds, lost=0, orphans=len(alive(family)),
        max_lines=len(err.splitlines()),
    )  # fmt: skip


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_is_answered_in_one_line(tmp_path: Path, number: int) -> None:
    project, run = hanging(tmp_path), tmp_path / "run"
    process, _ = started(project, run, quiet=False)
    process.send_signal(number)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 128 + number
    lines = err.splitlines()
    first = next(at for at, line in enumerate(lines) if line.startswith("["))
    told = [line for line in lines[first:] if not line.startswith("[")]
    assert len(told) == 1, err
    assert told[0].startswith("stopping: "), told
    assert "it was interrupted" in out


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_second_signal_ends_it_at_once(tmp_path: Path, number: int) -> None:
    project, run = hanging(tmp_path), tmp_path / "run"
    process, family = started(project, run)
    process.send_signal(number)
    time.sleep(0.5)
    assert process.poll() is None  # the hung trial has its grace
    began = time.monotonic()
    process.send_signal(number)
    _, err = process.communicate(timeout=60)
    seconds = in_time(began, 2.0)
    assert process.returncode == 128 + number
    assert "Traceback" not in err
    assert until(lambda: not alive(family), 2.0)
    assert json.loads((run / "result.json").read_text())["status"] == "interrupted"
    measured(
        "second-signal", signal.Signals(number).name, signals=1, max_seconds=seconds, orphans=len(alive(family))
    )  # fmt: skip


def test_a_hung_trial_ends_at_its_time_limit(tmp_path: Path) -> None:
    project, run = hanging(tmp_path), tmp_path / "run"
    trials = project.finish(run, "-o", "budget.trial_time=2s", "-o", "budget.trials=12")
    kinds = [row["failure"] for row in trials if row["status"] == "failed"]
    assert kinds == ["timeout"]
    assert history_of(run).count("completed") == 11
    measured("hang", "all", hung=1, ended=1, others_lost=0)


def test_a_terminal_that_is_closed_leaves_everything_saved(tmp_path: Path) -> None:
    """The window is closed or the connection lost: SIGHUP, and every further line to the terminal fails with EIO."""
    project, run = Project(tmp_path / "project", trials=400), tmp_path / "run"
    pid, terminal = pty.fork()
    if pid == 0:
        # Under nohup the tests ignore it, and so would hptune.
        signal.signal(signal.SIGHUP, signal.SIG_DFL)
        words = [word for word in project.command(run, "--workers", "2") if word != "-q"]
        os.execv(words[0], words)
    reader = threading.Thread(target=_drained, args=(terminal,), daemon=True)
    reader.start()
    assert until(lambda: journal_of(run).count(b"fold_scored") >= 3, 90)
    family = workers_of(pid)
    scored = journal_of(run).count(b"fold_scored")
    began = time.monotonic()
    os.kill(pid, signal.SIGSTOP)  # so that the reader ends before the run hears of it
    os.close(terminal)
    os.kill(pid, signal.SIGCONT)
    _, status = os.waitpid(pid, 0)
    seconds = in_time(began, GRACE + 2)
    assert os.waitstatus_to_exitcode(status) == 128 + signal.SIGHUP
    assert until(lambda: not alive(family), 2.0)
    result = json.loads((run / "result.json").read_text())
    assert result["stop_reason"] == "signal"
    assert result["trials"]["completed"] >= scored
    assert len(history_of(run).view(everything=True).completed()) == result["trials"]["completed"]
    measured("hangup", "all", max_seconds=seconds, lost=0, orphans=0)


def _drained(terminal: int) -> None:
    with contextlib.suppress(OSError):
        while os.read(terminal, 2**16):
            pass
