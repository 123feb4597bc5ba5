"""The types that hptune promises (`py.typed`): a user's program passes mypy --strict, and does what it says."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest

import hptune

ROOT = Path(__file__).resolve().parent.parent
PROGRAM = Path(__file__).with_name("typed") / "program.py"


@pytest.mark.slow
def test_a_users_program_passes_mypy_strict(tmp_path: Path) -> None:
    (tmp_path / "mypy.ini").write_text("[mypy]\nstrict = true\n")
    command = [sys.executable, "-m", "mypy", "--config-file", "mypy.ini", "--cache-dir", "cache", str(PROGRAM)]
    found = {**os.environ, "MYPYPATH": str(ROOT)}
    done = subprocess.run(command, cwd=tmp_path, env=found, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_users_program_runs(capsys: pytest.CaptureFixture[str]) -> None:
    spec = importlib.util.spec_from_file_location("program", PROGRAM)
    assert spec is not None
    assert spec.loader is not None
    spec.loader.exec_module(importlib.util.module_from_spec(spec))
    assert len(capsys.readouterr().out.splitlines()) == 2


def test_the_errors_need_no_import_of_their_own() -> None:
    code = "import hptune; print(hptune.errors.StudyExhausted.__name__)"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "StudyExhausted"
    assert hptune.__getattr__("errors").StudyExhausted is hptune.errors.StudyExhausted
