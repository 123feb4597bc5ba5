"""Files written whole: a reader sees the old one or the new one, never half of one."""

from __future__ import annotations

import contextlib
import os
import tempfile
from pathlib import Path

from hptune.errors import DirectoryUnusable


def write_whole(path: Path, content: str | bytes) -> None:
    """Write `content` to a temporary file beside `path`, force it to the disk, and put it in `path`'s place.

    Raises `DirectoryUnusable`, naming the file, when that fails; the old file is untouched then.
    """
    data = content.encode() if isinstance(content, str) else content
    temporary = ""
    try:
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".tmp")
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        umask = os.umask(0)
        os.umask(umask)
        Path(temporary).chmod(0o666 & ~umask)  # mkstemp's 0600 would hide results from a group that may read the rest
        Path(temporary).replace(path)
    except OSError as error:
        if temporary:
            with contextlib.suppress(OSError):
                Path(temporary).unlink()
        raise DirectoryUnusable(
            f"cannot write {path}: {error.strerror or error}; {_mend(error, path)} and run again"
        ) from error
    _sync_folder(path.parent)


def _mend(error: OSError, path: Path) -> str:
    return (
        f"make the folder {path.parent}" if isinstance(error, FileNotFoundError) else "free the space or the folder"
    )


def _sync_folder(folder: Path) -> None:
    """Make the new name durable; some file systems do not allow it, and then the name is safe enough."""
    with contextlib.suppress(OSError):
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
