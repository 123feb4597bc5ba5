"""A `Tuner`'s directory: the study that it holds, whether that goes on with what is searched now, and starting over."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hptune import run_directory
from hptune.errors import UsageError
from hptune.history import History
from hptune.journal import NAME, TORN, checked, disk, locked, read, read_bytes
from hptune.replay import replay
from hptune.space import SearchSpace

KEY = "tuner"
"""Where `StudyStarted.about` holds what a `Tuner` knows of its study."""

_WORDS = {"data": "other data", "folds": "another division of the rows (cv)"}


def kept(directory: Path | None) -> History | None:
    """Return what a directory holds, None where no study has begun; raises the journal's errors."""
    if directory is None or not (directory / NAME).is_file():
        return None
    with disk(directory / NAME, "read"):
        events = read(directory, packed=True).events
    return replay(events, directory / NAME) if events else None


def check_same(held: History, directory: Path, asked: Mapping[str, Any]) -> None:
    """Raise `UsageError` if a directory's study measured something else than what is `asked`.

    What the version that began the study did not note is not compared.
    """
    noted = held.started.about.get(KEY, {})
    differs = []
    for name, value in asked.items():
        found = noted.get(name)
        if name in noted and found != value and name in _WORDS:
            differs.append(_WORDS[name])
        elif name in noted and found != value:
            differs.append(f"{name}: expected {value}, found {found}")
    if differs:
        raise UsageError(
            f"{directory} holds a study of {'; '.join(differs)}: its scores and new ones cannot be compared. Take another "
            "directory, overwrite=True to start over, or search what this one holds"
        )


def with_met(recorded: SearchSpace, held: History) -> SearchSpace:
    """Return the kept space if it is the recorded one and what the first trial met besides, else the recorded one."""
    met = held.started.about.get(KEY, {}).get("met", [])
    rest = SearchSpace(tuple(one for one in held.space if one.name not in met), recorded.constraints)
    return held.space if met and rest.hash == recorded.hash else recorded


def start_over(directory: Path) -> None:
    """Delete a directory's study: of a run directory all that hptune wrote, else the journal alone.

    Raises `UsageError` for a journal that is none of hptune's, and the lock's errors.
    """
    if not (directory / NAME).is_file():
        return
    if not (directory / run_directory.MARKER).is_file() and not _ours(directory / NAME):
        raise UsageError(
            f"{directory / NAME} was not written by hptune; nothing was deleted. Take another directory, or move the file "
            "away"
        )
    with locked(directory):
        if (directory / run_directory.MARKER).is_file():
            run_directory.clear(directory)
        for name in (NAME, TORN):  # what else lies there is the user's
            (directory / name).unlink(missing_ok=True)


def _ours(path: Path) -> bool:
    """Return whether a file is a journal as far as its first record tells, be the rest damaged; an empty one is."""
    with disk(path, "read"):
        first, _, _ = (data := read_bytes(path)).partition(b"\n")
    try:
        return not data or bool(checked(first))
    except ValueError:
        return False
