"""`hptune show` on what a stranger may have put into a run directory: it answers, and soon."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from hptune import cli
from hptune import journal as jn
from hptune.checksum import with_checksum
from tests import told

Capture = pytest.CaptureFixture[str]


@pytest.fixture
def run(tmp_path: Path) -> Path:
    told.ridge(tmp_path / "run").close()
    return tmp_path / "run"


@pytest.mark.parametrize("kind", ["fifo", "zero", "holes"])
@pytest.mark.parametrize("more", [(), ("--json",)])
def test_a_result_that_is_no_file_is_passed_over(run: Path, kind: str, more: tuple[str, ...]) -> None:
    path = run / "result.json"
    path.unlink(missing_ok=True)
    if kind == "fifo":
        os.mkfifo(path)
    elif kind == "zero":
        path.symlink_to("/dev/zero")
    else:
        path.touch()
        os.truncate(path, 2**40)
    program = (
        "import resource, sys; resource.setrlimit(resource.RLIMIT_AS, (2**32, 2**32)); from hptune import cli; "
        "sys.exit(cli.invoke(sys.argv[1:]))"
    )
    command = [sys.executable, "-c", program, "show", str(run), *more]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("time", [1e300, -1e300, 1e14])
def test_a_time_that_no_calendar_has_is_said(run: Path, time: float, capsys: Capture) -> None:
    path = run / jn.NAME
    first, *rest = path.read_bytes().splitlines(keepends=True)
    fields = {key: value for key, value in json.loads(first).items() if key != "crc"}
    path.write_bytes(
        with_checksum(json.dumps({**fields, "time": time}, separators=(",", ":")).encode()) + b"\n" + b"".join(rest)
    )
    assert cli.invoke(["show", str(run)]) == 0, capsys.readouterr().err
    assert "begun at no time that a calendar has" in capsys.readouterr().out
