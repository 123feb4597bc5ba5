"""What several verbs share: writing results to stdout, and reading a run directory without touching it."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hptune.commands._failing import StdoutClosed
from hptune.commands._streams import stdout
from hptune.errors import DirectoryUnusable, UsageError
from hptune.report.inert import inert, quoted
from hptune.report.layout import Table, coloured, paint, width_of
from hptune.report.wording import spelled

if TYPE_CHECKING:
    from hptune.history import History
    from hptune.space import SearchSpace

NEXT_TO_JOURNAL = "journal.jsonl"

STDOUT = "-"
"""What `--out` names where the text is to be printed."""


def say(lines: Iterable[str]) -> None:
    """Write lines for people to stdout; raises `StdoutClosed` when nobody reads them."""
    write(inert("".join(f"{line}\n" for line in lines), styles=stdout_coloured()))


def say_json(data: Mapping[str, Any]) -> None:
    """Write one JSON document to stdout."""
    from hptune.report.result import document

    write(quoted(document(data)))


def write(text: str) -> None:
    """Write text to stdout at once, whatever its encoding can hold."""
    try:
        stdout.stream.write(spelled(text, stdout.stream.encoding))
        stdout.stream.flush()
    except OSError as error:
        if isinstance(error, BrokenPipeError) or (error.errno == errno.EIO and _is_terminal()):
            raise StdoutClosed from None
        raise


def file_of(out: Path | None) -> Path | None:
    """Return the file that `--out` names, None for stdout.

    Raises `UsageError` for what cannot be a file, before the work for it is done.
    """
    if out is None or str(out) == STDOUT:
        return None
    if out.is_dir() or not out.absolute().parent.is_dir():
        raise UsageError(f"--out: expected a file in a folder that exists, found {out}")
    return out


def _is_terminal() -> bool:
    """Whether stdout is a terminal, or was one: `isatty` says no of one that has hung up."""
    try:
        return stat.S_ISCHR(os.fstat(stdout.stream.fileno()).st_mode)
    except (OSError, ValueError):
        return False


def stdout_width() -> int | None:
    """Return how wide tables on stdout may be, None where it is no terminal."""
    return width_of(stdout.stream)


def stdout_coloured() -> bool:
    """Return whether stdout gets colour."""
    return coloured(stdout.stream)


def table_lines(table: Table, indent: str = "") -> list[str]:
    """Return a table's lines for stdout: as wide as the terminal, the header and marked rows in bold."""
    on = stdout_coloured()
    head, *rows = table.lines(stdout_width(), indent)
    return [paint(head, "dim", on)] + [
        paint(row, "bold", on) if index in table.marked else row for index, row in enumerate(rows)
    ]


def sized(space: SearchSpace) -> dict[str, int | bool | None]:
    """Return a space's size as plain data: null for a continuum; there are more if it is not exact."""
    count = space.count()
    return {"size": None, "size_exact": True} if count is None else {"size": count.least, "size_exact": count.exact}


def read_study(folder: Path) -> History:
    """Return the history in a run directory, read without a lock.

    Nothing in the folder is imported, executed or changed. Raises `UsageError` if there is no study,
    `DirectoryUnusable` if it may not be read, and `JournalDamaged`.
    """
    from hptune import journal
    from hptune.replay import replay

    try:
        scan = journal.read(folder, packed=True)
    except FileNotFoundError:
        raise UsageError(no_study(folder)) from None
    except NotADirectoryError:
        raise UsageError(
            f"{folder}: expected a run directory, found a file (a config's run directory is its output.dir)"
        ) from None
    except PermissionError as error:
        raise DirectoryUnusable(f"cannot read {error.filename}: {error.strerror}") from None
    if not scan.events:
        raise UsageError(f"{folder}: the study in it has not begun: its journal holds no record yet")
    return replay(scan.events, folder / journal.NAME)


def no_study(folder: Path) -> str:
    """Return what to say of a folder without a journal."""
    if not folder.exists():
        near = _near(folder)
        return f"{folder}: expected a run directory, found nothing by that name{near}"
    made_by = f"`hptune run CONFIG --dir {folder}` makes one"
    return f"{folder}: expected a run directory, found no {NEXT_TO_JOURNAL} in it; {made_by}"


def _near(folder: Path) -> str:
    """Return a hint at run directories with a similar name."""
    from hptune.errors import did_you_mean

    try:
        siblings = [one for one in folder.parent.iterdir() if (one / NEXT_TO_JOURNAL).is_file()]
    except OSError:
        return ""
    return did_you_mean(str(folder), [str(one) for one in siblings[:1000]])


def chosen_format(format: str, as_json: bool, known: Sequence[str]) -> str:
    """Return the output format that `--format` and `--json` ask for; raises `UsageError` for an unknown one."""
    from hptune.errors import did_you_mean

    if format not in known:
        raise UsageError(f"--format: expected {', '.join(known)}, found {format!r}{did_you_mean(format, known)}")
    return "json" if as_json else format
