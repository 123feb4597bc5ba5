"""Log files with a bound: a trial may print as much as it likes, its log keeps the head and the tail."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from hptune.regular_file import created, opened

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
    with opened(path, follow=False) as source, os.fdopen(created(short), "wb") as target:
        target.write(source.read(head))
        target.write(note)
        source.seek(size - tail)
        target.write(source.read(tail))
        os.fchmod(target.fileno(), os.fstat(source.fileno()).st_mode & 0o777)
    short.replace(path)


def hold(path: str | os.PathLike[str], limit: int = RUNNING) -> None:
    """Cut a log that is being written back to its head if it has more than `limit` bytes (the writer appends)."""
    with contextlib.suppress(OSError):
        if Path(path).lstat().st_size > limit:
            os.truncate(path, KEEP // 2)


def tail(path: str | os.PathLike[str], limit: int = 8000) -> str:
    """Return the last `limit` bytes as text, "" if the file cannot be read, or is a link to another."""
    with contextlib.suppress(OSError), opened(Path(path), follow=False) as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(max(0, size - limit))
        return file.read(limit).decode(errors="replace").strip()
    return ""
