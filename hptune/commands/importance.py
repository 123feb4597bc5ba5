"""`hptune importance DIR`: which hyperparameters mattered, and how sure that is."""

from __future__ import annotations

from pathlib import Path

from hptune.commands._shared import chosen_format, read_study, say, say_json, stdout_width, table_lines
from hptune.report import importance as shown
from hptune.report.layout import folded
from hptune.report.markdown import code

FORMATS = ("table", "json", "markdown")


def importance(folder: Path, *, format: str = "table", as_json: bool = False) -> int:
    """Print the importance of the study's hyperparameters; return the exit code.

    Where it cannot be told the reason is printed instead.
    """
    format = chosen_format(format, as_json, FORMATS)
    history = read_study(folder)
    from hptune.analysis.importance import importance_of

    found = importance_of(history)
    if format == "json":
        say_json(shown.document(history, found))
        return 0
    width = None if format == "markdown" else stdout_width()
    if found.reason is not None:
        told = [f"importance cannot be told: {found.reason}", f"({shown.basis(found)})"]
        say(line for text in told for line in folded(text, width, more=""))
        return 0
    table = shown.table(history, found)
    if format == "markdown":
        notes = shown.notes(found, lambda name: code(name, cell=False))
        say([*table.markdown(), *(line for note in notes for line in ("", note))])
    else:
        say([*table_lines(table), *(line for note in shown.notes(found) for line in folded(note, width, more=""))])
    return 0
