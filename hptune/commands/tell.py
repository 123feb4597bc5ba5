"""`hptune tell DIR --trial N`: what became of a trial that was asked."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from hptune.asking import Told, tell
from hptune.commands._failing import mutter
from hptune.commands._found import write_told
from hptune.commands._shared import NEXT_TO_JOURNAL, no_study, say, say_json
from hptune.errors import UsageError


def tell_verb(
    folder: Path, trial: int, values: Sequence[str] = (), *, failed: str | None = None, as_json: bool = False
) -> int:
    """Record the values of a trial (one for each fold), or why it failed; print the best so far; return the exit code.

    A value that is not finite makes it failed. Raises `UsageError` and the run directory's errors.
    """
    if bool(values) is (failed is not None):
        found = "both" if values else "neither"
        raise UsageError(
            f"expected either --value SCORE (again for each fold) or --failed WHY, found {found}: "
            f"`hptune tell {folder} --trial {trial} --value 0.31`"
        )
    scores = [_number(text) for text in values] or None
    _must_be_there(folder)
    told = tell(
        folder, trial, scores, failed=failed, keep=lambda history, reason: write_told(folder, history, reason)
    )
    for note in told.notes:
        mutter(f"note: {note}")
    if told.before:
        mutter(f"trial {trial} was told this already; nothing was changed")
    if as_json:
        say_json(_document(told, folder))
    else:
        say(_lines(told))
    return 0


def _must_be_there(folder: Path) -> None:
    """Raise `UsageError` where there is no journal: opening one would make it."""
    if folder.is_dir() and (folder / NEXT_TO_JOURNAL).is_file():
        return
    if folder.is_file():
        raise UsageError(
            f"{folder}: expected a run directory, found a file (a config's run directory is its output.dir; `hptune ask` "
            "prints it)"
        )
    raise UsageError(no_study(folder).replace("hptune run CONFIG", "hptune ask CONFIG"))


def _number(text: str) -> float:
    """Return what `--value` says; raises `UsageError` for what is no number."""
    try:
        if "_" not in text:
            return float(text)
    except ValueError:
        pass
    mend = "one that was not measured is `--failed WHY`"
    if not text.strip():
        raise UsageError(f"--value: expected a number, found nothing (an unset shell variable?); {mend}")
    comma = text.replace(",", ".") if text.count(",") == 1 else ""
    with contextlib.suppress(ValueError):
        mend = f"write {float(comma):g}" if comma else mend
    raise UsageError(f"--value: expected a number, found {text[:60]!r}; {mend}")


def _lines(told: Told) -> list[str]:
    from hptune.report import phrases, wording

    history, trial = told.history, told.trial
    objective, best = history.objective, history.best
    metric = wording.metric(objective)
    failure = trial.failure
    is_best = best is not None and best.number == trial.number
    if failure is not None:
        head = f"trial {trial.number} failed: {wording.one_line(failure.message)}"
    else:
        head = f"trial {trial.number}: {metric} {phrases.score(objective, trial)}" + ", the best so far" * is_best
    lines = [head]
    if best is not None and not is_best:
        lines.append(
            f"best so far: trial {best.number}, {metric} {phrases.score(objective, best)} ({phrases.params(best.values)})"
        )
    if told.reason is not None:
        lines.append(f"the study has ended: {phrases.ending(history, told.reason)}")
    return lines


def _document(told: Told, folder: Path) -> dict[str, Any]:
    from hptune.report.result import outcome

    history, trial, best = told.history, told.trial, told.history.best
    failure = trial.failure
    score = trial.score
    return {
        "schema_version": 1,
        "name": history.name,
        "dir": str(folder),
        "trial": trial.number,
        "status": trial.status,
        "score": score if score is not None and math.isfinite(score) else None,
        "failure": None if failure is None else {"kind": failure.kind, "message": failure.message},
        "told_before": told.before,
        "best": None if best is None else outcome(history, best),
        "open": told.open,
        "stop_reason": told.reason,
    }
