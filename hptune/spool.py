"""The spool: outcomes that a worker wrote down before reporting them, so that a killed coordinator loses no result.

One file per evaluate job, `spool/t{trial}-a{attempt}-f{first fold}.json`, written whole by the worker and deleted by
the coordinator once the journal has it.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
from collections.abc import Iterator
from pathlib import Path

from hptune.errors import DirectoryUnusable
from hptune.job import Job, Outcome

_NAME = re.compile(r"t(\d{1,9})-a\d{1,9}-f(\d{1,9})\.json")
MAX_BYTES = 64 << 20
PROBE = 1 << 20
"""Bytes there should be room for: as much as a trial's log may hold."""


def path_for(folder: Path, job: Job) -> Path:
    """Return the spool file of a job."""
    first = job.folds[0] if job.folds else 0
    return folder / f"t{job.trial}-a{job.attempt}-f{first}.json"


def left_over(folder: Path) -> Iterator[tuple[int, int, Outcome, Path]]:
    """Yield (trial, first fold, outcome, file) of every complete outcome in a spool folder, by file name.

    Files that are no outcome are passed over: a worker renames only whole ones into place.
    """
    if not folder.is_dir():
        return
    for path in sorted(folder.iterdir()):
        match = _NAME.fullmatch(path.name)
        if match is None or path.is_symlink() or path.stat().st_size > MAX_BYTES:
            continue
        with contextlib.suppress(ValueError, TypeError, KeyError, AttributeError, RecursionError):
            yield int(match[1]), int(match[2]), Outcome.from_json(json.loads(path.read_bytes())), path


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
    """Delete a spool file whose outcome the journal has."""
    path.unlink(missing_ok=True)
