"""`hptune repair DIR`: mend a damaged journal, keeping what is sound."""

from __future__ import annotations

from pathlib import Path

from hptune.commands._shared import no_study, say, say_json
from hptune.errors import DirectoryUnusable, UsageError
from hptune.report.result import SCHEMA_VERSION
from hptune.report.wording import count

SHOWN = 20


def repair(folder: Path, *, as_json: bool = False) -> int:
    """Mend the journal in `folder`, say what was left out, and return the exit code.

    Raises `UsageError` without a journal, `DirectoryUnusable` if it may not be read, and what `hptune.repair.repair`
    raises.
    """
    from hptune.repair import repair as mend
    from hptune.run_directory import outer_fold_of

    try:
        found = mend(folder)
    except (FileNotFoundError, NotADirectoryError):
        raise UsageError(no_study(folder)) from None
    except PermissionError as error:
        raise DirectoryUnusable(f"cannot read {error.filename}: {error.strerror}") from None
    if as_json:
        left = [{"line": line, "byte": byte, "reason": why} for line, byte, why in found.left_out]
        kept = None if found.kept_as is None else found.kept_as.name
        say_json({"schema_version": SCHEMA_VERSION, "records": len(found.events), "left_out": left, "kept_as": kept})
        return 0
    records = count(len(found.events), "record")
    if found.kept_as is None:
        say([f"{folder}: the journal is sound ({records}); nothing was changed"])
        return 0
    study = outer_fold_of(folder) or folder
    lines = [f"  line {line}, byte {byte}: {why}" for line, byte, why in found.left_out[:SHOWN]]
    more = len(found.left_out) - SHOWN
    old = f"the old file is {found.kept_as.name}; `hptune run {study}`"
    if not found.left_out:
        say([f"{folder}: kept {records}, each on a line of its own and in order; none was damaged", f"{old} goes on"])
        return 0
    say(
        [
            f"{folder}: kept {records}, left out {count(len(found.left_out), 'line')}",
            *lines,
            *([f"  and {more} more"] if more > 0 else []),
            f"{old} runs again what was lost",
        ]
    )
    return 0
