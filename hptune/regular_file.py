"""Files that may be a stranger's: no pipe is waited for, no device read without end, no link written through.

Standard library only.
"""

from __future__ import annotations

import errno
import os
import stat
from io import BufferedReader
from pathlib import Path

NO_FILE = "expected a file, found something else (a pipe, a device or a folder)"


class NoRegularFile(OSError):
    """Something else under a file's name, or a file that is larger than those that hptune writes there."""


def opened(path: Path, *, follow: bool = True) -> BufferedReader:
    """Return a regular file, open for reading; without `follow` not through a link. Raises OSError, `NoRegularFile`."""
    link = 0 if follow else os.O_NOFOLLOW
    handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | link)
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise NoRegularFile(errno.EINVAL, NO_FILE, str(path))
    return os.fdopen(handle, "rb")


def created(path: Path, mode: int = 0o644) -> int:
    """Return the descriptor of a new, empty file; what has its name already, a link say, makes room. Raises OSError."""
    path.unlink(missing_ok=True)
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW, mode)


def contents(path: Path, limit: int, *, follow: bool = True) -> bytes:
    """Return what a regular file of at most `limit` bytes holds; raises OSError, `NoRegularFile`."""
    with opened(path, follow=follow) as file:
        size = os.fstat(file.fileno()).st_size
        if size <= limit:
            data = file.read(size + 1)
            while len(data) <= limit and (more := file.read(2**20)):  # it grows, or is of /proc and tells no size
                data += more
            size = len(data)
            if size <= limit:
                return data
    raise NoRegularFile(errno.EFBIG, f"expected at most {limit:,} bytes, found {size:,}", str(path))
