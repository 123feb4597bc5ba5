"""The journal: what happened, one checksummed JSON line per event, appended and never rewritten.

    {"crc":"1c291ca3","seq":0,"type":"study_started",...}

`crc` is the CRC-32 of the rest of the line (from `{"seq"` on, without the newline), `seq` counts from 0. One process
writes, under a lock that the operating system frees with it; anyone may read. A half-written last line was never
acknowledged: it is cut off on opening and kept in `journal.torn`. A bad line that is *followed by more* is damage,
and is refused with file, line and byte.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import socket
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hptune.errors import DirectoryUnusable, JournalDamaged, StudyLocked
from hptune.events import FORMAT, Event, StudyStarted, event_from_json

NAME = "journal.jsonl"
TORN = "journal.torn"
LOCK = "lock"
_HEAD = b'{"crc":"'
_BODY = len(_HEAD) + 8 + len(b'",')


def encode(event: Event, seq: int) -> bytes:
    """Return the event's line, newline included."""
    body = json.dumps({"seq": seq, **event.to_json()}, allow_nan=False, separators=(",", ":")).encode()
    return b'%s%08x",%s\n' % (_HEAD, zlib.crc32(body), body[1:])


def decode(line: bytes, seq: int) -> Event:
    """Return the event of a line (newline excluded) expected at `seq`; raises ValueError saying what is wrong."""
    body = b"{" + line[_BODY:]
    if line[: len(_HEAD)] != _HEAD or line[_BODY - 2 : _BODY] != b'",':
        raise ValueError("expected a checksummed record")
    if line[len(_HEAD) : len(_HEAD) + 8] != b"%08x" % zlib.crc32(body):
        raise ValueError("the checksum does not match")
    data: dict[str, Any] = json.loads(body)
    found = data.pop("seq", None)
    if found != seq:
        raise ValueError(f"expected record {seq}, found record {found}")
    if seq == 0 and data.get("format", 0) > FORMAT:
        raise ValueError(
            f"the journal has format {data['format']}, this hptune reads up to {FORMAT}; open it with a newer hptune"
        )
    return event_from_json(data)


@dataclass(frozen=True)
class Scan:
    """What a journal's bytes hold: its events, the length in bytes of the good part, and what follows it."""

    events: tuple[Event, ...]
    good: int
    torn: bytes


def scan(data: bytes, path: Path) -> Scan:
    """Return the events in a journal's bytes.

    A bad last record counts as torn even if it ends in a newline, because a crash can leave a block of zeros; only
    the very first is never thrown away. Raises `JournalDamaged` for any other bad record.
    """
    events: list[Event] = []
    start = 0
    while start < len(data):
        end = data.find(b"\n", start)
        line = data[start:] if end < 0 else data[start:end]
        try:
            event = decode(line, len(events))
            if not events and not isinstance(event, StudyStarted):
                raise ValueError("expected the study's start as first record")
        except ValueError as error:
            if end < 0 or end == len(data) - 1:
                if not events and end >= 0:
                    raise JournalDamaged(_damage(path, 1, 0, error)) from None
                return Scan(tuple(events), start, data[start:])
            raise JournalDamaged(_damage(path, len(events) + 1, start, error)) from None
        if end < 0:  # complete but for its newline
            return Scan((*events, event), len(data), b"")
        events.append(event)
        start = end + 1
    return Scan(tuple(events), start, b"")


def _damage(path: Path, line: int, byte: int, error: Exception) -> str:
    first = str(error).splitlines()[0]
    return (
        f"{path}:{line}: damaged at byte {byte}: {first}. Nothing was changed. "
        f"Restore the file from a copy, or start over with --fresh in another folder."
    )


def read(folder: Path) -> Scan:
    """Return the journal of a run directory without locking it, a torn tail ignored.

    Raises FileNotFoundError without a journal, and `JournalDamaged`.
    """
    path = folder / NAME
    return scan(path.read_bytes(), path)


@contextlib.contextmanager
def _disk(path: Path, doing: str) -> Iterator[None]:
    """Turn an OSError into `DirectoryUnusable`, naming the file and how much room there is."""
    try:
        yield
    except OSError as error:
        room = ""
        with contextlib.suppress(OSError):
            stat = os.statvfs(path if path.is_dir() else path.parent)
            room = f"; {stat.f_bavail * stat.f_frsize / 1e6:.1f} MB free there"
        raise DirectoryUnusable(f"cannot {doing} {path}: {error.strerror or error}{room}") from error


class Journal:
    """The single writer of a run directory's journal.

    Raises `StudyLocked` when another process holds the folder, `JournalDamaged`, and `DirectoryUnusable` when it
    cannot be made or written. `events` are those found on opening; `repaired` says what was cut off, "" if nothing.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.path = folder / NAME
        self.repaired = ""
        self._file = -1
        self._dirty = False
        with _disk(folder, "create"):
            folder.mkdir(parents=True, exist_ok=True)
        self._lock = self._take_lock()
        try:
            self.events = self._open()
        except BaseException:
            self.close()
            raise

    def _take_lock(self) -> int:
        path = self.folder / LOCK
        with _disk(path, "open"):
            lock = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            owner = os.pread(lock, 200, 0).decode(errors="replace").strip()
            os.close(lock)
            raise StudyLocked(f"{self.folder} is in use by {owner or 'another process'}") from None
        except OSError as error:
            os.close(lock)
            raise DirectoryUnusable(f"cannot lock {path}: {error.strerror}; use a folder on a local disk") from None
        # Who holds it is told to the one who is refused; where there is no room for that, the lock holds all the same.
        with contextlib.suppress(OSError):
            os.ftruncate(lock, 0)
            os.pwrite(lock, f"process {os.getpid()} on {socket.gethostname()}\n".encode(), 0)
        return lock

    def _open(self) -> tuple[Event, ...]:
        with _disk(self.path, "open"):
            new = not self.path.exists()
            self._file = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o644)
            data = b"" if new else self.path.read_bytes()
        found = scan(data, self.path)
        self._size = found.good
        self._seq = len(found.events)
        with _disk(self.path, "repair"):
            if found.torn:
                with (self.folder / TORN).open("ab") as torn:
                    torn.write(found.torn + b"\n")
                os.ftruncate(self._file, found.good)
                self.repaired = f"the last record was half-written ({len(found.torn)} bytes): cut off, kept in {TORN}"
            elif data and not data.endswith(b"\n"):
                os.write(self._file, b"\n")
                self._size += 1
            if new:
                folder = os.open(self.folder, os.O_RDONLY)
                os.fsync(folder)
                os.close(folder)
        return found.events

    def append(self, event: Event) -> None:
        """Write one event so that it survives the death of this process; `sync` makes it survive a power cut.

        Raises `DirectoryUnusable` when it cannot be written whole; the journal is then as it was before.
        """
        line = encode(event, self._seq)
        with _disk(self.path, "write to"):
            try:
                written = os.write(self._file, line)
                if written < len(line):  # a short write: the disk is full, find out for certain
                    written += os.write(self._file, line[written:])
                if written < len(line):
                    raise OSError(28, "No space left on device")
            except OSError:
                os.ftruncate(self._file, self._size)
                raise
        self._size += len(line)
        self._seq += 1
        self._dirty = True

    def sync(self) -> None:
        """Force all that was appended to the disk. Raises `DirectoryUnusable`; a failed fsync is never retried."""
        if not self._dirty:
            return
        self._dirty = False  # before: what another thread appends meanwhile is for the next time
        with _disk(self.path, "save"):
            os.fsync(self._file)
        if os.fstat(self._file).st_nlink == 0:
            raise DirectoryUnusable(f"{self.path} has been removed while the study was running")

    def close(self) -> None:
        """Sync and let go of the lock; harmless when called twice."""
        try:
            if self._file >= 0:
                self.sync()
        finally:
            for descriptor in (self._file, self._lock):
                if descriptor >= 0:
                    os.close(descriptor)
            self._file = self._lock = -1
