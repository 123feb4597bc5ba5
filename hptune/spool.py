"""The spool: outcomes that a worker wrote down before reporting them, so that a killed coordinator loses no result.

One file per evaluate job, `spool/t{trial}-a{attempt}-f{first fold}.json` (of the finals `whole-t...` and `half-t...`),
written whole by the worker and deleted by the coordinator once the journal has it. What is in it: `spool_file`.
"""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Iterator
from pathlib import Path

from hptune import spool_file
from hptune.errors import DirectoryUnusable
from hptune.job import Job, Outcome
from hptune.journal import disk
from hptune.regular_file import NoRegularFile, contents
from hptune.spool_file import Spooled

FOLDER = "spool"
_NAME = re.compile(r"(?:(?:whole|half)-)?t(\d{1,9})-a\d{1,9}-f\d{1,9}\.json")
_UNFINISHED = re.compile(rf"{_NAME.pattern}\.\d+\.tmp|\.probe-\d+")
"""What a worker that died in the middle of a write, or a coordinator that looked for room, has left."""
PROBE = 1 << 20
"""Bytes there should be room for: as much as a trial's log may hold."""


def path_for(folder: Path, job: Job) -> Path:
    """Return the spool file of a job."""
    return folder / _name(job)


def _name(of: Job | Spooled) -> str:
    finals = of.finals if isinstance(of, Spooled) else spool_file.finals_of(of)
    return f"{finals and f'{finals}-'}t{of.trial}-a{of.attempt}-f{of.folds[0] if of.folds else 0}.json"


def left_over(folder: Path) -> Iterator[tuple[int, int, Outcome, Path]]:
    """Yield (trial, first fold, outcome, file) of every complete outcome of the search in a spool folder, by file name.

    Files that are no outcome as it was written, or not of the job that their name says, are passed over.
    """
    for found, path in _left(folder):
        if not found.finals:
            yield found.trial, found.folds[0] if found.folds else 0, found.outcome, path


def left_over_of_finals(folder: Path) -> Iterator[tuple[int, bool, Outcome, Path]]:
    """Yield (trial, whether on half of the rows, outcome, file) in the same way of those of the finals."""
    for found, path in _left(folder):
        if found.finals:
            yield found.trial, found.finals == "half", found.outcome, path


def _left(folder: Path) -> Iterator[tuple[Spooled, Path]]:
    for path in _files(folder):
        with contextlib.suppress(ValueError):
            yield _sound(path), path


def sweep(folder: Path) -> list[tuple[int, Path, str]]:
    """Delete the files of a spool folder that no outcome can be had from; return (trial, file, reason) of those named
    as one. The caller holds the directory's lock. Raises `DirectoryUnusable`.
    """
    refused = []
    with disk(folder, "read"):
        for path in _files(folder):
            try:
                _sound(path)
            except ValueError as error:
                refused.append((_trial_of(path), path, str(error)))
    with disk(folder, "write to"):
        unfinished = [path for path in _entries(folder) if _UNFINISHED.fullmatch(path.name)]
        for path in (*unfinished, *(path for _, path, _ in refused)):
            if path.is_file() and not path.is_symlink():
                discard(path)
    return refused


def _trial_of(path: Path) -> int:
    named = _NAME.fullmatch(path.name)
    assert named is not None
    return int(named[1])


def _entries(folder: Path) -> list[Path]:
    """Return what is in a folder, by name; nothing if there is none, or a link that may lead anywhere."""
    return sorted(folder.iterdir()) if folder.is_dir() and not folder.is_symlink() else []


def _files(folder: Path) -> list[Path]:
    """Return the regular files that are named as a job's outcome."""
    return [
        path for path in _entries(folder) if _NAME.fullmatch(path.name) and path.is_file() and not path.is_symlink()
    ]


def _sound(path: Path) -> Spooled:
    """Return what a file holds; raises ValueError, saying why that is no outcome to go by."""
    try:
        found = spool_file.from_bytes(contents(path, spool_file.MAX_BYTES, follow=False))
    except NoRegularFile as error:
        raise ValueError(error.strerror) from None
    if _name(found) != path.name:
        raise ValueError(f"it holds the outcome of {_name(found)}")
    return found


def check_room(folder: Path) -> None:
    """Raise `DirectoryUnusable` if there is no room for a trial's log and outcome: its failure may come of that."""
    probe = folder / f".probe-{os.getpid()}"
    try:
        with probe.open("xb") as file:
            file.write(bytes(PROBE))
    except OSError as error:
        raise DirectoryUnusable(
            f"a trial failed, and {folder.parent} cannot be written ({error.strerror}): the trial will run again; "
            f"free some space and run the same command again"
        ) from error
    finally:
        with contextlib.suppress(OSError):
            probe.unlink(missing_ok=True)


def discard(path: Path) -> None:
    """Delete a spool file whose outcome the journal has, or that holds none."""
    path.unlink(missing_ok=True)
