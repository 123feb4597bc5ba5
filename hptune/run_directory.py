"""The run directory as a folder: what hptune writes there, the marker that says whose it is, and what may be deleted."""

from __future__ import annotations

import contextlib
import os
import shutil
from pathlib import Path

from hptune import journal as jn
from hptune.errors import DirectoryUnusable, UsageError

MARKER = ".hptune"
OURS = (
    *(jn.NAME, jn.TORN, "result.json", "trials.csv", "best.yaml", "config.yaml"),
    *("model.skops", "model.joblib", "model.json"),
)
OUTER = "outer-"
OUR_FOLDERS = ("logs", "spool", "work")
NAMED = 8
"""So many strangers are named; the rest are counted."""


def outer_fold_of(folder: Path) -> Path | None:
    """Return the run directory whose outer fold a folder is, None for any other folder."""
    name = folder.resolve().name
    parent = folder.parent if folder.name == name else folder / ".."
    number = name.removeprefix(OUTER)
    ours = (
        number != name and number.isdecimal() and (parent / "config.yaml").is_file() and (parent / jn.NAME).is_file()
    )
    return parent if ours else None


def check_free(folder: Path, outer_folds: int = 0) -> None:
    """Raise `UsageError` if a new study would write over files of others; `JournalDamaged`, `DirectoryUnusable`.

    A folder without marker may hold anything but the names that hptune writes, replaces and deletes there. One with
    the marker, or with a study that has begun, is ours.
    """
    with jn.disk(folder, "read"):
        found = _strangers(folder, outer_folds)
    if found:
        more = f" and {len(found) - NAMED} more" if len(found) > NAMED else ""
        raise UsageError(
            f"{folder}: a new study would write over {', '.join(found[:NAMED])}{more}, which no study of hptune left there "
            f"(no {MARKER} beside it); expected a folder without files of these names: name another (--dir, output.dir), "
            "or move them away"
        )


def _strangers(folder: Path, outer_folds: int) -> list[str]:
    """Return the names that a new study in this folder would take from others; raises as `check_free`, and OSError."""
    if not folder.exists():
        return []
    if not folder.is_dir():
        raise UsageError(f"{folder} is a file; a run directory is wanted (--dir, output.dir)")
    if (folder / MARKER).is_file():
        return []
    names = [*OURS, jn.LOCK, *OUR_FOLDERS, *(f"{OUTER}{fold}" for fold in range(outer_folds))]
    with contextlib.suppress(FileNotFoundError):
        held = jn.read(folder, packed=True)
        if held.events:
            return []
        if not held.torn:  # made and locked, but nothing was written
            names = [name for name in names if name not in (jn.NAME, jn.LOCK)]
    found = [name for name in names if os.path.lexists(folder / name)]
    return [] if (folder / MARKER).is_file() else found  # another run may have begun here meanwhile


def mark(folder: Path) -> None:
    """Make the folder if need be, and say that it is ours; raises `DirectoryUnusable`.

    Comes before all else that is written there: whatever is found later, beside the marker, is ours.
    """
    with jn.disk(folder, "create"):
        folder.mkdir(parents=True, exist_ok=True)
    # One that is there is of an earlier study here; or it is something else, which is left alone.
    with jn.disk(folder, "write to"), contextlib.suppress(FileExistsError), (folder / MARKER).open("x") as file:
        file.write("A run directory of hptune; `hptune show` reads it.\n")


def clear(folder: Path) -> None:
    """Delete an earlier study's files from a run directory; raises `UsageError` for a folder that is not ours."""
    if not (folder / MARKER).is_file():
        raise UsageError(f"{folder} was not made by hptune (no {MARKER} in it); nothing was deleted")
    for name in OURS:
        if (folder / name).is_dir() and not (folder / name).is_symlink():
            raise UsageError(
                f"{folder / name}: expected a file of an earlier study, found a folder, which hptune did not make; move it "
                "away. Nothing was deleted"
            )
    for name in OURS:
        (folder / name).unlink(missing_ok=True)
    for name in OUR_FOLDERS:
        if (folder / name).is_dir() and not (folder / name).is_symlink():
            shutil.rmtree(folder / name)
    for inner in folder.glob(f"{OUTER}*"):
        if (inner / MARKER).is_file() and not inner.is_symlink():
            shutil.rmtree(inner)


def no_links(folder: Path) -> None:
    """Raise `DirectoryUnusable` if a folder of ours is a link: what we write and delete there would be elsewhere."""
    for name in (*OUR_FOLDERS, *(inner.name for inner in folder.glob(f"{OUTER}*"))):
        if (folder / name).is_symlink():
            raise DirectoryUnusable(
                f"{folder / name} is a link, which may lead out of the run directory; remove it and run again"
            )
