"""Real faults from the kernel: a small disk that can be full or read-only, and system calls that it refuses."""

from __future__ import annotations

import contextlib
import ctypes
import errno
import os
import platform
import struct
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

_LIBC = ctypes.CDLL(None, use_errno=True)
_FSYNC = {"x86_64": 74, "aarch64": 82}
_PR_SET_SECCOMP, _PR_SET_NO_NEW_PRIVS, _MODE_FILTER = 22, 38, 2


@contextlib.contextmanager
def small_disk(place: Path, kilobytes: int) -> Iterator[Path]:
    """Mount a tmpfs of this size on `place`; skips the test where that is not allowed (it needs root)."""
    place.mkdir(parents=True, exist_ok=True)
    command = ["mount", "-t", "tmpfs", "-o", f"size={kilobytes}k", "none", str(place)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        pytest.skip(f"cannot mount a small disk: {done.stderr.strip()}")
    try:
        yield place
    finally:
        subprocess.run(["umount", "-l", str(place)], check=True)


def read_only(place: Path, on: bool = True) -> None:
    """Make a mounted disk read-only, or writable again."""
    subprocess.run(["mount", "-o", "remount,ro" if on else "remount,rw", str(place)], check=True)


def fill(disk: Path, leave: int = 0) -> Path:
    """Fill a disk to the last byte but `leave`; return the file that did."""
    filler = disk / "filler"
    with filler.open("ab", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            file.write(b"\0" * 4096)
    if leave:
        os.truncate(filler, max(0, filler.stat().st_size - leave))
    return filler


def refuse_fsync() -> None:
    """From now on the kernel answers every fsync of this thread with EIO, as a dying disk does (seccomp)."""
    load, jump_if_equal, answer = 0x20, 0x15, 0x06
    number = _FSYNC[platform.machine()]
    allow, refuse = 0x7FFF0000, 0x00050000 | errno.EIO
    steps = [(load, 0, 0, 0), (jump_if_equal, 0, 1, number), (answer, 0, 0, refuse), (answer, 0, 0, allow)]
    program = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *step) for step in steps))
    header = ctypes.create_string_buffer(struct.pack("HxxxxxxQ", len(steps), ctypes.addressof(program)))
    if _LIBC.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) or _LIBC.prctl(_PR_SET_SECCOMP, _MODE_FILTER, header, 0, 0):
        raise OSError(ctypes.get_errno(), "seccomp")
