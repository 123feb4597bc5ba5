"""`hptune trials DIR`: the trials of a study as a table, JSON, CSV or Markdown."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hptune.commands._shared import chosen_format, read_study, say, say_json, stdout_width, table_lines, write
from hptune.errors import UsageError
from hptune.history import History
from hptune.report import phrases
from hptune.report.layout import folded
from hptune.report.markdown import same_in_all
from hptune.report.result import SCHEMA_VERSION
from hptune.report.tables import best_first, counted, ordered, trial_row, trial_table
from hptune.report.trials_csv import trials_csv
from hptune.trial import Trial

FORMATS = ("table", "json", "csv", "markdown")


@dataclass(frozen=True, kw_only=True)
class Selection:
    """Which trials, in which order: by `sort` (None: by number), at most `top` (None: all; alone: the best)."""

    sort: str | None = None
    top: int | None = None

    def of(self, history: History) -> list[Trial]:
        """Return the trials selected; raises `UsageError` for an unknown sort key."""
        if self.top is not None and self.top < 1:
            raise UsageError(f"--top: expected a number above 0, found {self.top}")
        if self.sort is not None:
            listed = ordered(history, history.trials, self.sort)
        else:
            listed = list(history.trials) if self.top is None else best_first(history, history.trials)
        return listed if self.top is None else listed[: self.top]


def trials(
    folder: Path,
    *,
    format: str = "table",
    as_json: bool = False,
    selection: Selection = Selection(),
    everything: bool = False,
) -> int:
    """Print the selected trials of the study in `folder`; return the exit code."""
    format = chosen_format(format, as_json, FORMATS)
    history = read_study(folder)
    listed = selection.of(history)
    match format:
        case "json":
            say_json(_document(history, listed))
        case "csv":
            write(trials_csv(history, listed))
        case "markdown":
            made = trial_table(history, listed, everything=everything)
            say([*made.table.markdown(), *same_in_all(made)])
        case _:
            say(_lines(history, listed, everything))
    return 0


def _document(history: History, listed: list[Trial]) -> dict[str, Any]:
    return {
        "schema_version": SCHEMA_VERSION,
        "name": history.name,
        "objective": {"metric": history.started.metric, "direction": history.started.direction},
        "trials": [trial_row(trial) for trial in listed],
    }


def _lines(history: History, listed: list[Trial], everything: bool) -> list[str]:
    objective = history.objective
    width = stdout_width()
    head = folded(f"{phrases.name(history)}: {phrases.metric(objective)}; {counted(history)}", width)
    if not listed:
        return head
    made = trial_table(history, listed, everything=everything)
    same = made.footnote()
    foot = ["", *folded(f"the same in all: {same}", width)] if same else []
    return [*head, "", *table_lines(made.table), *foot]
