"""A worker's result that was written down while the coordinator was dying, and was changed since: never a number."""

from __future__ import annotations

import re
import signal
import subprocess
from pathlib import Path

import pytest

from hptune import journal as jn
from hptune.events import FoldScored
from tests.faults.kit import Project, journal_of, rows, until

pytestmark = pytest.mark.faults
SCORE = re.compile(rb'("score": -?\d*?)(\d)(?=\.)')


def test_a_digit_changed_in_the_spool_is_told_and_the_trial_runs_again(tmp_path: Path) -> None:
    project = Project(tmp_path / "project", trials=12, sleep="0.3")
    whole = project.finish(tmp_path / "whole")
    run = tmp_path / "run"
    process = project.start(run)
    spool = run / "spool"
    assert until(lambda: journal_of(run).count(b"fold_scored") >= 2)
    process.send_signal(signal.SIGSTOP)
    known = {event.trial for event in jn.read(run).events if isinstance(event, FoldScored)}

    def unknown() -> list[Path]:
        return [path for path in sorted(spool.glob("*.json")) if int(path.name[1:].split("-")[0]) not in known]

    assert until(unknown, 10.0)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    (spool / "t9-a1-f0.json.4711.tmp").write_text("{half")
    for path in unknown():
        data = path.read_bytes()
        changed = SCORE.sub(lambda found: found[1] + str((int(found[2]) + 4) % 10).encode(), data)
        assert changed != data
        path.write_bytes(changed)
    command = [word for word in project.command(run) if word != "-q"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    assert rows(run) == whole
    assert "the checksum does not match" in done.stderr
    assert list(spool.iterdir()) == []
