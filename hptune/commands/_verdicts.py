"""What only the end of a run knows and its journal does not: the gate's verdict and the nested score."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path
from typing import Any

from hptune.history import History
from hptune.regular_file import contents
from hptune.report import phrases, wording
from hptune.report.result import LARGEST


def verdicts(history: History, folder: Path) -> dict[str, Any]:
    """Return `gate` and `nested` of the run's result.json, None for what it lacks.

    None too while the study goes on, or where the file is missing, damaged, or of fewer trials than the journal has.
    """
    nothing: dict[str, Any] = {"gate": None, "nested": None}
    if history.ended is None:
        return nothing
    try:
        found = json.loads(contents(folder / "result.json", LARGEST))
        if found["trials"]["total"] != len(history.trials):
            return nothing
        told = {key: found[key] if isinstance(found[key], dict) else None for key in nothing}
        json.dumps(told, allow_nan=False)  # is printed again: 1e999 is read as an infinity
        return told
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return nothing


def verdict_rows(history: History, found: dict[str, Any]) -> list[tuple[str, str]]:
    """Return the rows of `show` about them, without those that a damaged file does not tell."""
    rows = []
    gate, nested = found["gate"], found["nested"]
    if nested is not None:
        with contextlib.suppress(KeyError, TypeError, ValueError, OverflowError):
            rows.append(("nested", wording.one_line(phrases.nested(history.objective, nested))))
    if gate is not None and isinstance(gate.get("reason"), str):
        rows.append(("gate", wording.one_line(f"{gate.get('verdict')}; {gate['reason']}")))
    return rows
