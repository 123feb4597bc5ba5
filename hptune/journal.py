"""The journal: what happened, one checksummed JSON line per event, appended and never changed in place.

    {"crc":"1c291ca3","seq":0,"type":"study_started",...}

`crc` is the CRC-32 of the rest of the line (from `{"seq"` on, without the newline), `seq` counts from 0. One process
writes, under a lock that the operating system frees with it; anyone may read. A half-written last line was never
acknowledged: it is cut off on opening and kept in `journal.torn`. A bad line that is *followed by more* is damage,
and is refused with file, line and byte.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import itertools
import json
import os
import socket
import stat
import weakref
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from math import isfinite
from pathlib import Path
from typing import Any

from hptune.checksum import HEAD, Unchecked, with_checksum, without_checksum
from hptune.collecting import no_collecting
from hptune.errors import DirectoryUnusable, FilesExhausted, JournalDamaged, StudyLocked, UsageError
from hptune.events import FORMAT, Event, Reported, Reports, StudyStarted, event_from_json
from hptune.held import Held, held_here
from hptune.regular_file import NO_FILE, NoRegularFile, contents

NAME = "journal.jsonl"
TORN = "journal.torn"
LARGEST = 4 * 2**30
"""A larger journal, in bytes, is none of ours: it has room for millions of trials."""
LOCK = "lock"
_OWNER = b"process "
_OURS = os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK  # never through a link to elsewhere, never waiting for a pipe
_NO_MEMORY = "there is not enough memory to read it; nothing was changed"
_STRANGER = (
    "{path}: expected no file, or one of hptune's own, found somebody else's, which would be written over; "
    "move it away, or take another directory"
)
_REPORT = tuple(Reported.model_fields)  # the keys of a report, as they are written
_written = json.JSONEncoder(allow_nan=False, separators=(",", ":")).encode
_parse = json.JSONDecoder().raw_decode  # without looking for blanks around it, which a record does not have


def encode(event: Event, seq: int) -> bytes:
    """Return the event's line, newline included."""
    return with_checksum(_written({"seq": seq, **event.to_json()}).encode()) + b"\n"


def checked(line: bytes) -> dict[str, Any]:
    """Return the fields of a line (newline excluded) as they were written; raises `Unchecked`."""
    text = without_checksum(line).decode()
    try:
        data, end = _parse(text)
    except RecursionError:  # whoever forges a checksum can nest as deep as he likes
        raise ValueError("nested too deep") from None
    if not isinstance(data, dict) or end != len(text):
        raise ValueError("expected an object")
    return data


def format_of(data: dict[str, Any]) -> int:
    """Return the journal format that the first record's fields state; raises ValueError for one we cannot read."""
    found = data.get("format", FORMAT)
    if not isinstance(found, int) or not 1 <= found <= FORMAT:
        raise ValueError(
            f"the journal has format {str(found)[:20]}, this hptune reads up to {FORMAT}; open it with a newer hptune"
        )
    return found


@dataclass(frozen=True)
class Scan:
    """What a journal's bytes hold: its events, the length in bytes of the good part, and what follows it.

    There are as many events as records, unless the reports are `packed`.
    """

    events: tuple[Event, ...]
    records: int
    good: int
    torn: bytes
    format: int = FORMAT


def scan(data: bytes, path: Path, *, packed: bool = False) -> Scan:
    """Return the events in a journal's bytes; `packed`: reports that follow each other as one (`events.Reports`).

    A last record that fails its checksum counts as torn even if it ends in a newline, because a crash can leave a block
    of zeros; only the very first is never thrown away. Raises `JournalDamaged` for any other bad record, and for one
    that is as it was written but does not belong there (out of order, or of a newer hptune).
    """
    try:
        return _scanned(data, path, packed)
    except MemoryError:
        raise JournalDamaged(f"{path}: {_NO_MEMORY}") from None


def _scanned(data: bytes, path: Path, packed: bool) -> Scan:
    events: list[Event] = []
    records = start = 0
    format = FORMAT
    with no_collecting():
        while start < len(data):
            end = data.find(b"\n", start)
            line = data[start:] if end < 0 else data[start:end]
            try:
                found = checked(line)
                if not records:
                    format = format_of(found)
                seq = found.pop("seq", None)
                if seq != records:
                    raise ValueError(f"expected record {records}, found record {str(seq)[:20]}")
                if not (packed and events and format == FORMAT and _pack(found, events)):
                    event = event_from_json(found, format)
                    if isinstance(event, StudyStarted) is not (not events):
                        raise ValueError(f"expected {'another' if events else 'the study start as first'} record")
                    events.append(event)
            except Unchecked as error:
                if (end < 0 or end == len(data) - 1) and (records or end < 0):
                    return Scan(tuple(events), records, start, data[start:], format)
                raise JournalDamaged(_damage(path, records + 1, start, error)) from None
            except ValueError as error:
                raise JournalDamaged(_damage(path, records + 1, start, error)) from None
            records += 1
            if end < 0:  # complete but for its newline
                return Scan(tuple(events), records, len(data), b"", format)
            start = end + 1
    return Scan(tuple(events), records, start, b"", format)


def _pack(found: dict[str, Any], events: list[Event]) -> bool:
    """Add a record's fields to the reports that came last, and return whether they are those of a report.

    What is not written quite as hptune does is left to the validation, which is slower.
    """
    if tuple(found) != _REPORT or found["type"] != "reported":
        return False
    _, time, trial, fold, step, value = found.values()
    if not (type(trial) is type(fold) is int and type(time) is type(step) is type(value) is float):
        return False
    if not (isfinite(time) and isfinite(step) and isfinite(value)):
        return False
    last = events[-1]
    if isinstance(last, Reports) and last.trial == trial:
        last.rows.append((fold, step, value))
        if time > last.time:
            last.__dict__["time"] = time  # frozen, but not yet handed out
    else:
        events.append(Reports.model_construct(time=time, trial=trial, rows=[(fold, step, value)]))
    return True


def _damage(path: Path, line: int, byte: int, error: Exception) -> str:
    first = str(error).splitlines()[0]
    if "newer hptune" in first:
        return f"{path}:{line}: {first}. Nothing was changed."
    return (
        f"{path}:{line}: damaged at byte {byte}: {first}. Nothing was changed. Restore the file from a copy, or "
        f"`hptune repair {path.parent}` keeps what is sound and runs the rest again."
    )


def read(folder: Path, *, packed: bool = False) -> Scan:
    """Return the journal of a run directory without locking it, a torn tail ignored; `packed` as in `scan`.

    Raises FileNotFoundError without a journal, and `JournalDamaged`.
    """
    path = folder / NAME
    return scan(read_bytes(path), path, packed=packed)


def read_bytes(path: Path) -> bytes:
    """Return what a regular file holds; raises `JournalDamaged` for a pipe or a device, which may have no end."""
    try:
        return contents(path, LARGEST)
    except NoRegularFile as error:
        raise JournalDamaged(f"{path}: {error.strerror}") from None
    except MemoryError:
        raise JournalDamaged(f"{path}: {_NO_MEMORY}") from None


def put_in_place(folder: Path, events: Sequence[Event], kept_as: str) -> Path:
    """Replace the journal by one of these events, whole or not at all; return the name its old bytes keep.

    That is `kept_as`, with a number where there is one already. The caller holds the lock. Raises OSError.
    """
    path = folder / NAME
    short = folder / f"{NAME}.new"
    short.unlink(missing_ok=True)
    with os.fdopen(os.open(short, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _OURS, 0o644), "wb") as file:
        file.write(b"".join(encode(event, seq) for seq, event in enumerate(events)))
        file.flush()
        os.fsync(file.fileno())
    names = itertools.chain([kept_as], (f"{kept_as}-{number}" for number in itertools.count(2)))
    kept = next(folder / name for name in names if not os.path.lexists(folder / name))
    os.link(path, kept)
    short.replace(path)
    sync_folder(folder)
    return kept


def sync_folder(folder: Path) -> None:
    """Make new names in a folder durable."""
    handle = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


@contextlib.contextmanager
def disk(path: Path, doing: str) -> Iterator[None]:
    """Turn an OSError into `DirectoryUnusable`, naming the file, and the room on a full disk (or `FilesExhausted`)."""
    try:
        yield
    except OSError as error:
        if FilesExhausted.tells(error):
            raise FilesExhausted(error) from error
        room = ""
        if error.errno in _FULL:
            with contextlib.suppress(OSError):
                there = os.statvfs(path if path.is_dir() else path.parent)
                room = f"; {there.f_bavail * there.f_frsize / 1e6:.1f} MB free there"
        if error.errno == errno.ELOOP:
            raise DirectoryUnusable(
                f"cannot {doing} {path}: it is a link, which may lead out of the run directory; put the file itself there"
            ) from error
        raise DirectoryUnusable(f"cannot {doing} {path}: {error.strerror or error}{room}") from error


def take_lock(folder: Path) -> int:
    """Return the descriptor that holds the lock of a run directory; closing it lets go.

    Raises `StudyLocked`, naming the holder, `DirectoryUnusable`, and `UsageError` for a file of somebody else's.
    """
    path = folder / LOCK
    with disk(path, "open"):
        lock = os.open(path, os.O_RDWR | os.O_CREAT | _OURS, 0o644)
    if not stat.S_ISREG(os.fstat(lock).st_mode):
        os.close(lock)
        raise DirectoryUnusable(f"{path}: {NO_FILE}; remove it")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        owner = os.pread(lock, 200, 0).decode(errors="replace").strip()
        if held_here(lock):
            owner = "this very process: an open Study of it holds it; close that one first (study.close())"
        os.close(lock)
        raise StudyLocked(f"{folder} is in use by {owner or 'another process'}") from None
    except OSError as error:
        os.close(lock)
        raise DirectoryUnusable(f"cannot lock {path}: {error.strerror}; use a folder on a local disk") from None
    found = os.pread(lock, 16, 0)
    if not (found.startswith(_OWNER) or _OWNER.startswith(found)):
        os.close(lock)
        raise UsageError(_STRANGER.format(path=path))
    # Who holds it is told to the one who is refused; where there is no room for that, the lock holds all the same.
    with contextlib.suppress(OSError):
        os.ftruncate(lock, 0)
        os.pwrite(lock, b"%s%d on %s\n" % (_OWNER, os.getpid(), socket.gethostname().encode()), 0)
    return lock


def _open_alone(path: Path, flags: int) -> int:
    """Return a descriptor of the journal that holds a lock of its own.

    The lock file may have been deleted by somebody who took it for a stale one; raises `StudyLocked` then.
    """
    handle = os.open(path, flags | _OURS, 0o644)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(handle)
        raise StudyLocked(f"{path.parent} is in use by another process, although its lock file was deleted") from None
    except OSError:
        os.close(handle)
        raise
    return handle


@contextlib.contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold the lock of a run directory, and name the file when something fails to be written; raises as `take_lock`."""
    lock = take_lock(folder)
    try:
        with disk(folder / NAME, "repair"):
            journal = _open_alone(folder / NAME, os.O_RDONLY)
            try:
                yield
            finally:
                os.close(journal)
    finally:
        os.close(lock)


class Journal:
    """The single writer of a run directory's journal.

    Raises `StudyLocked` when another process holds the folder, `JournalDamaged`, `DirectoryUnusable` when it cannot be
    made or written, and `UsageError` for files of others under its names. `events` are those found on opening, reports
    packed; `repaired` says what was cut off, "" if nothing.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.path = folder / NAME
        self.repaired = ""
        self._held = Held()
        # One that is forgotten without `close` (a notebook's cell run anew) lets go when it is collected.
        weakref.finalize(self, self._held.close).atexit = False
        self._dirty = False
        self._broken = ""
        with disk(folder, "create"):
            folder.mkdir(parents=True, exist_ok=True)
        self._held.lock = take_lock(folder)
        try:
            self.events = self._open()
        except BaseException:
            self.close()
            raise

    def _open(self) -> tuple[Event, ...]:
        if self.path.is_dir() and not self.path.is_symlink():
            raise JournalDamaged(f"{self.path}: {NO_FILE}")
        with disk(self.path, "open"):
            new = not os.path.lexists(self.path)
            self._held.file = self._journal(os.O_CREAT)
            data = b"" if new else read_bytes(self.path)
        found = scan(data, self.path, packed=True)
        # A first record of ours that a crash cut off begins so.
        begun = found.torn.startswith((HEAD[: len(found.torn)], b"\0"))
        if not found.events and not begun:
            raise UsageError(_STRANGER.format(path=self.path))
        self._size = found.good
        self._seq = found.records
        with disk(self.path, "repair"):
            if found.torn:
                handle = os.open(self.folder / TORN, os.O_WRONLY | os.O_CREAT | os.O_APPEND | _OURS, 0o644)
                with os.fdopen(handle, "wb") as torn:
                    torn.write(found.torn + b"\n")
                    torn.flush()
                    os.fsync(handle)  # before the bytes go where they were
                os.ftruncate(self._held.file, found.good)
                self.repaired = f"the last record was half-written ({len(found.torn)} bytes): cut off, kept in {TORN}"
            elif data and not data.endswith(b"\n"):
                os.write(self._held.file, b"\n")
                self._size += 1
            if new:
                sync_folder(self.folder)
            if found.format < FORMAT:
                self._upgrade(scan(data[: found.good], self.path))
        return found.events

    def begin_anew(self, clear: Callable[[Path], None]) -> None:
        """Have `clear` delete what is in the folder, and begin an empty journal, the folder locked all the time.

        Raises what `clear` raises, and what opening a journal does; it is to be closed then.
        """
        clear(self.folder)
        if self._held.file >= 0:
            os.close(self._held.file)
        self._held.file, self._dirty, self.repaired = -1, False, ""
        self.events = self._open()

    def _journal(self, more: int = 0) -> int:
        return _open_alone(self.path, os.O_RDWR | os.O_APPEND | more)

    def _upgrade(self, found: Scan) -> None:
        """Write the journal anew in today's format; the old one stays beside it."""
        first = found.events[0]
        events = [first.model_copy(update={"format": FORMAT}), *found.events[1:]]
        kept = put_in_place(self.folder, events, f"journal.format-{found.format}")
        os.close(self._held.file)
        self._held.file = self._journal()
        self._size = os.fstat(self._held.file).st_size
        told = f"the journal had format {found.format}, now {FORMAT}; the old one is {kept.name}"
        self.repaired = "; ".join(filter(None, (self.repaired, told)))

    def append(self, event: Event) -> None:
        """Write one event so that it survives the death of this process; `sync` makes it survive a power cut.

        Raises `DirectoryUnusable` when it cannot be written whole; the journal is then as it was before.
        """
        self._check()
        line = encode(event, self._seq)
        with disk(self.path, "write to"):
            try:
                written = os.write(self._held.file, line)
                if written < len(line):  # a short write: the disk is full, find out for certain
                    written += os.write(self._held.file, line[written:])
                if written < len(line):
                    raise OSError(28, "No space left on device")
            except OSError:
                os.ftruncate(self._held.file, self._size)
                raise
        self._size += len(line)
        self._seq += 1
        self._dirty = True

    def sync(self) -> None:
        """Force all that was appended to the disk.

        Raises `DirectoryUnusable`. A failed fsync is never retried: the system may have dropped what it could not
        write, and a second fsync would then say that all is well.
        """
        if not self._dirty:
            return
        self._dirty = False  # before: what another thread appends meanwhile is for the next time
        self._check()
        with disk(self.path, "save"):
            try:
                os.fsync(self._held.file)
            except OSError as error:
                self.give_up(f"saving it to the disk failed ({error.strerror}); run the same command again")
                raise
        if os.fstat(self._held.file).st_nlink == 0:
            raise DirectoryUnusable(f"{self.path} has been removed while the study was running")

    def give_up(self, reason: str) -> None:
        """Write nothing any more: what is in the file is no longer certain, and opening it anew finds out."""
        self._broken = self._broken or reason

    def _check(self) -> None:
        if self._held.forked:
            self._broken = "this process was forked from the one that holds it; ask and tell there"
        if self._broken:
            raise DirectoryUnusable(f"{self.path} is closed for writing: {self._broken}")

    def close(self) -> None:
        """Sync and let go of the lock; harmless when called twice."""
        try:
            if self._held.file >= 0 and not self._broken:
                self.sync()
        finally:
            self._held.close()
