"""`hptune validate CONFIG`: everything that can be known before the first trial."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from hptune.commands._problem import inspected, loaded_from, warn
from hptune.commands._shared import say, say_json, sized, stdout_width
from hptune.errors import Problem
from hptune.job import Inspection
from hptune.objective import Objective
from hptune.report import phrases, wording
from hptune.report.layout import pairs
from hptune.report.result import SCHEMA_VERSION
from hptune.space import SearchSpace

ASKED = "`hptune ask` and `hptune tell`"
"""What drives a config without a model."""


def validate(
    config: Path,
    overrides: Sequence[str] = (),
    *,
    static: bool = False,
    as_json: bool = False,
    allow_import: Sequence[str] = (),
) -> int:
    """Check `config` and print what was found; return the exit code.

    With `static` nothing the config names is imported. Raises `ConfigError` with every error.
    """
    if static:
        loaded = loaded_from(config, overrides)
        inspection, warnings = None, list(loaded.warnings)
    else:
        loaded, inspection, warnings = inspected(config, overrides, allow_import)
    warn(warnings)
    if as_json:
        say_json(_document(loaded.config.name, inspection, warnings))
        return 0
    words = f"{config}: valid" + (f", without model: for {ASKED}" if loaded.config.asked else "")
    words += f", {wording.count(len(warnings), 'warning')}" if warnings else ""
    if inspection is None:
        unchecked = "" if loaded.config.asked else ", the space was not checked against the estimators"
        say([f"{words} (static: nothing was imported{unchecked})"])
        return 0
    say([words, *pairs(facts(inspection), stdout_width())])
    return 0


def facts(inspection: Inspection) -> list[tuple[str, str]]:
    """Return what the inspection found, in words."""
    space = SearchSpace.from_json(inspection.space)
    objective = Objective(inspection.metric, inspection.direction)
    rows = [
        ("task", "" if inspection.task == "none" else inspection.task),
        ("metric", phrases.metric(objective)),
        ("space", phrases.space(space)),
        ("feasible", feasible(space)),
        ("data", data(inspection)),
        ("folds", str(inspection.folds or "")),
        ("defaults", phrases.params(space.defaults())),
    ]
    return [(label, text) for label, text in rows if text]


def data(inspection: Inspection) -> str:
    """Return the data's size in words, "" without data."""
    if not inspection.rows:
        return ""
    kept = f" (+ {inspection.holdout_rows:,} held out)" if inspection.holdout_rows else ""
    return f"{wording.count(inspection.rows, 'row')}{kept}, {wording.count(inspection.features, 'feature')}"


def feasible(space: SearchSpace) -> str:
    """Return which share of the space its constraints allow, "" without constraints."""
    import numpy as np

    if not space.constraints:
        return ""
    return f"{space.feasible_share(np.random.default_rng(0)):.1%} satisfies the constraints"


def _document(name: str, inspection: Inspection | None, warnings: Sequence[Problem]) -> dict[str, Any]:
    found: dict[str, Any] = {"schema_version": SCHEMA_VERSION, "valid": True, "name": name}
    found["warnings"] = [{"file": p.file, "line": p.line, "key": p.key, "message": p.message} for p in warnings]
    if inspection is not None:
        space = SearchSpace.from_json(inspection.space)
        found |= {
            "task": inspection.task,
            "objective": {"metric": inspection.metric, "direction": inspection.direction},
            "rows": inspection.rows,
            "holdout_rows": inspection.holdout_rows,
            "features": inspection.features,
            "folds": inspection.folds,
            "space": inspection.space,
            **sized(space),
            "defaults": space.defaults(),
        }
    return found
