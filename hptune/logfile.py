"""Log files with a bound: a trial may print as much as it likes, its log keeps the head and the tail."""

from __future__ import annotations

import contextlib
import os
import shutil
from pathlib import Path

KEEP = 2**20
"""Bytes a finished log may have; the first and the last half are kept."""

RUNNING = 64 * 2**20
"""Bytes a log may reach while the trial runs; beyond, all but the head is cut away."""


def trim(path: str | os.PathLike[str], keep: int = KEEP) -> None:
    """Cut the middle out of the file if it has more than `keep` bytes. A file that is not there is left so."""
    with contextlib.suppress(OSError):  # a log is a service; no trial fails for it
        size = Path(path).lstat().st_size  # a link is none of ours
        if size > keep:
            _cut(Path(path), size, keep)


def _cut(path: Path, size: int, keep: int) -> None:
    note = f"\n[hptune: {size - keep} bytes of output left out here]\n".encode()
    short = path.with_name(path.name + ".tmp")
    head = keep // 2
    tail = keep - head - len(note)
    with path.open("rb") as source, short.open("wb") as target:
        target.write(source.read(head))
        target.write(note)
        source.seek(size - tail)
        target.write(source.read(tail))
    shutil.copymode(path, short)
    short.replace(path)


def hold(path: str | os.PathLike[str], limit: int = RUNNING) -> None:
    """Cut a log that is being written back to its head if it has more than `limit` bytes (the writer appends)."""
    with contextlib.suppress(OSError):
        if Path(path).lstat().st_size > limit:
            os.truncate(path, KEEP // 2)


def tail(path: str | os.PathLike[str], limit: int = 8000) -> str:
    """Return the last `limit` bytes as text, "" if the file cannot be read."""
    with contextlib.suppress(OSError), Path(path).open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(max(0, size - limit))
        return file.read(limit).decode(errors="replace").strip()
    return ""
