"""A folder in memory, for tests that sync thousands of times: what a killed process leaves behind is the same there."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture
def memory(tmp_path: Path) -> Iterator[Path]:
    """A folder of a tmpfs where there is one, else an ordinary one."""
    if not Path("/dev/shm").is_dir():
        yield tmp_path
        return
    with tempfile.TemporaryDirectory(dir="/dev/shm", prefix="hptune-") as folder:
        yield Path(folder)
