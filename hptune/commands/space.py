"""`hptune space CONFIG`: the search space as a table, its size, and samples of it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from hptune.commands._problem import inspected, warn
from hptune.commands._shared import chosen_format, say, say_json, sized, table_lines
from hptune.report import phrases, wording
from hptune.report.layout import Align, Table
from hptune.report.result import SCHEMA_VERSION
from hptune.report.tables import SHARED, active, sharing, short_names
from hptune.space import Boolean, Choice, Fixed, Float, Int, Parameter, SearchSpace

FORMATS = ("table", "json", "markdown")

_NAME_WIDTH = 40


def space(
    config: Path,
    overrides: Sequence[str] = (),
    *,
    format: str = "table",
    as_json: bool = False,
    sample: int = 0,
    allow_import: Sequence[str] = (),
) -> int:
    """Print the space that `config` searches, models' own defaults filled in; return the exit code."""
    format = chosen_format(format, as_json, FORMATS)
    loaded, inspection, warnings = inspected(config, overrides, allow_import)
    warn(warnings)
    space = SearchSpace.from_json(inspection.space)
    rng = np.random.default_rng([loaded.config.seed, 0x5A3])
    samples = [space.sample(rng) for _ in range(sample)]
    share = space.feasible_share(np.random.default_rng(0))
    if format == "json":
        say_json(_document(space, samples, share))
    elif format == "markdown":
        say([*_table(space).markdown(), *(["", *_samples(space, samples).markdown()] if samples else [])])
    else:
        lines = [*table_lines(_table(space)), "", phrases.space(space)]
        lines += [f"constraint: {constraint}" for constraint in space.constraints]
        if space.constraints:
            lines.append(f"{share:.1%} of it satisfies the constraints")
        if samples:
            lines += ["", *table_lines(_samples(space, samples))]
        say(lines)
    return 0


def _document(space: SearchSpace, samples: Sequence[dict[str, Any]], share: float) -> dict[str, Any]:
    return {
        "schema_version": SCHEMA_VERSION,
        **space.to_json(),
        "hash": space.hash,
        **sized(space),
        "feasible_share": share,
        "defaults": space.defaults(),
        "samples": list(samples),
    }


def _table(space: SearchSpace) -> Table:
    rows = [
        (
            wording.shorten(parameter.name, _NAME_WIDTH),
            parameter.type,
            _range(parameter),
            wording.value(parameter.default_value),
            " and ".join(str(condition) for condition in parameter.when),
        )
        for parameter in space
    ]
    headers = ["parameter", "type", "values", "default", "only when"]
    used = [c for c in range(len(headers)) if c < 3 or any(row[c] for row in rows)]
    align: list[Align] = ["left"] * len(used)
    return Table([headers[c] for c in used], [[row[c] for c in used] for row in rows], align, keep=1)


def _range(parameter: Parameter) -> str:
    match parameter:
        case Float() | Int():
            text = f"{wording.value(parameter.low)} to {wording.value(parameter.high)}"
            if parameter.step is not None:
                text += f" by {wording.value(parameter.step)}"
            if parameter.factor is not None:
                text += f" times {wording.value(parameter.factor)}"
            if parameter.scale != "linear":
                text += f" {parameter.scale}"
            return text + "".join(f", or {wording.value(one)}" for one in parameter.extra)
        case Choice():
            return ", ".join(wording.value(one) for one in parameter.values)
        case Boolean():
            return "false, true"
        case Fixed():
            return wording.value(parameter.value)
        case _:
            return ""


def _samples(space: SearchSpace, samples: Sequence[dict[str, Any]]) -> Table:
    """Return the samples as rows; as in a table of trials, conditional parameters share a column if there are many."""
    short = short_names(space.by_name)
    names = [parameter.name for parameter in space if not isinstance(parameter, Fixed)]
    nested = sharing(space, names)
    own = [space[name] for name in names if name not in set(nested)]
    align: list[Align] = ["right" if isinstance(p, (Float, Int)) else "left" for p in own]
    rows = [[wording.value(one[p.name]) if p.name in one else wording.ABSENT for p in own] for one in samples]
    headers = [short[p.name] for p in own]
    if nested:
        headers.append(SHARED)
        align.append("left")
        rows = [[*row, active(one, nested)] for row, one in zip(rows, samples, strict=True)]
    return Table(headers, rows, align)
