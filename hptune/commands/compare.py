"""`hptune compare DIR DIR...`: studies side by side, the first one being what the others are compared with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from hptune.commands._shared import chosen_format, read_study, say, say_json, stdout_width, table_lines
from hptune.config.identity import Change, difference, limits_of
from hptune.errors import UsageError
from hptune.history import History
from hptune.report import phrases, wording
from hptune.report.comparison import Paired, paired
from hptune.report.layout import Table, folded
from hptune.report.markdown import code
from hptune.report.result import SCHEMA_VERSION, gain, outcome

FORMATS = ("table", "json", "markdown")

_LIMITS = "limits and outputs"


@dataclass(frozen=True)
class _Against:
    """One study against the first."""

    folder: Path
    history: History
    changes: Sequence[Change]
    limits: Sequence[Change]
    paired: Paired


def compare(folders: Sequence[Path], *, format: str = "table", as_json: bool = False) -> int:
    """Print the studies in `folders` beside each other; return the exit code.

    Reads the journals and nothing else. Raises `UsageError` for fewer than two folders.
    """
    format = chosen_format(format, as_json, FORMATS)
    if len(folders) < 2:
        raise UsageError("expected at least two run directories: `hptune compare runs/a runs/b`")
    histories = [read_study(folder) for folder in folders]
    first = histories[0]
    others = [
        _Against(
            folder,
            history,
            difference(first.started.problem, history.started.problem),
            difference(_limits(first), _limits(history)),
            paired(first, history),
        )
        for folder, history in zip(folders[1:], histories[1:], strict=True)
    ]
    if format == "json":
        say_json(_document(folders, histories, others))
    else:
        say(_lines(folders, histories, others, markdown=format == "markdown"))
    return 0


def _limits(history: History) -> dict[str, Any]:
    trials = history.resumed[-1].options.get("trials") if history.resumed else None
    return limits_of(history.started.config, trials if isinstance(trials, int) else None)


def _document(folders: Sequence[Path], histories: Sequence[History], others: Sequence[_Against]) -> dict[str, Any]:
    return {
        "schema_version": SCHEMA_VERSION,
        "studies": [
            {
                "dir": str(folder),
                "name": history.name,
                "objective": {"metric": history.started.metric, "direction": history.started.direction},
                "best": None if history.best is None else outcome(history, history.best),
                "gain": gain(history),
                "trials": len(history.trials),
                "seconds": history.seconds,
                "problem_hash": history.started.hashes.get("problem") or None,
            }
            for folder, history in zip(folders, histories, strict=True)
        ],
        "comparisons": [
            {
                "dir": str(one.folder),
                "against": str(folders[0]),
                "changes": [asdict(change) for change in one.changes],
                "limits": [asdict(change) for change in one.limits],
                "paired": None if one.paired.gain is None else asdict(one.paired.gain),
                "why_not": one.paired.why or None,
            }
            for one in others
        ],
    }


def _lines(
    folders: Sequence[Path], histories: Sequence[History], others: Sequence[_Against], *, markdown: bool
) -> list[str]:
    table = _table(folders, histories)
    width = stdout_width()
    out = table.markdown() if markdown else table_lines(table)
    name = (lambda text: code(text, cell=False)) if markdown else wording.one_line
    for one in others:
        heading = f"{name(str(one.folder))} against {name(str(folders[0]))}"
        gained = f"gain of its best: {one.paired.text(one.history)}"
        if markdown:
            changes, limits = ([f"- {name(str(change))}" for change in found] for found in (one.changes, one.limits))
            out += ["", f"### {heading}", "", gained, "", *(changes or [_same(histories[0], one.history)])]
            out += ["", f"{_LIMITS}:", "", *limits] if limits else []
        else:
            begins = {"begin": "  ", "more": " " * 6}
            changes, limits = (
                [line for change in found for line in folded(name(str(change)), width, **begins)]
                for found in (one.changes, one.limits)
            )
            out += ["", *folded(heading, width), *folded(gained, width, **begins)]
            out += changes or [f"  {_same(histories[0], one.history)}"]
            out += [f"  {_LIMITS}:", *limits] if limits else []
    return out


def _same(a: History, b: History) -> str:
    if not a.started.problem or not b.started.problem:
        return "(a study made in Python records no config to compare)"
    return "the same problem"


def _table(folders: Sequence[Path], histories: Sequence[History]) -> Table:
    rows = []
    for folder, history in zip(folders, histories, strict=True):
        best = history.best
        rows.append(
            [
                wording.one_line(str(folder)),
                f"{wording.metric(history.objective)} ({wording.better(history.objective)})",
                wording.ABSENT if best is None else phrases.brief_score(history.objective, best),
                phrases.honest_gain(history).partition(" over")[0] or wording.ABSENT,
                wording.ABSENT if best is None else str(best.number),
                str(len(history.trials)),
                wording.seconds(history.seconds),
            ]
        )
    return Table(
        ["study", "metric", "best", "gain", "trial", "trials", "time"],
        rows,
        ["left", "left", "right", "right", "right", "right", "right"],
        keep=1,
    )
