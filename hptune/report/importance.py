"""Importance as a table with bars of text, in one line of words, and as plain data."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from hptune.analysis.importance import Better, Importance, ParameterImportance, Share
from hptune.history import History
from hptune.report import wording
from hptune.report.layout import Table
from hptune.report.result import SCHEMA_VERSION
from hptune.report.tables import short_names

BAR: Final = 10
"""Characters of a bar that stands for the whole variance."""


CARE: Final = 0.7
"""Under this R2 the intervals may hold less than they say (docs/decisions/0009-importance.md)."""


def percent(share: float) -> str:
    """Return a share in whole percent."""
    return f"{100 * share:.0f}%"


def with_interval(found: Share) -> str:
    """Return a share with its interval: `62% (48-75)`."""
    return f"{percent(found.share)} ({100 * found.low:.0f}-{100 * found.high:.0f})"


def bar(found: Share) -> str:
    """Return a share as a bar: `#` up to the low end of its interval, `-` on to the high end."""
    low, high = round(BAR * found.low), round(BAR * found.high)
    return "#" * low + "-" * (high - low)


def better(found: Better | None) -> str:
    """Return what is better in words."""
    if found is None:
        return wording.ABSENT
    return found.direction or wording.one_line(wording.value(found.value))


def table(history: History, found: Importance) -> Table:
    """Return the parameters' shares as a table, the most important first."""
    short = short_names(history.space.by_name)
    values = {} if history.best is None else history.best.values

    def row(one: ParameterImportance) -> list[str]:
        held = one.name in values
        return [
            wording.shorten(wording.one_line(short[one.name]), 24),
            with_interval(one.importance),
            percent(one.alone.share),
            percent(one.good.share),
            bar(one.importance),
            wording.shorten(wording.one_line(wording.value(values[one.name])), 14) if held else wording.ABSENT,
            better(one.better),
        ]

    return Table(
        ["parameter", "importance", "alone", "good", "", "best", "better"],
        [row(one) for one in found.parameters],
        ["left", "right", "right", "right", "left", "right", "left"],
        keep=2,
    )


def notes(found: Importance, name: Callable[[str], str] = wording.one_line) -> list[str]:
    """Return what stands below the table: the interaction that is sure, and what all rests on."""
    out = []
    if found.interaction is not None:
        first, second = map(name, found.interaction.names)
        out.append(f"{first} and {second} interact: {with_interval(found.interaction.share)} of the variance")
    return [*out, basis(found)]


def basis(found: Importance) -> str:
    """Return from how many trials it comes, and how well the surrogate predicts."""
    parts = [f"from {wording.count(found.trials, 'trial')}"]
    if found.lower:
        parts.append(f"{found.lower:,} of them at a lower fidelity")
    if found.failed:
        parts.append(f"{wording.count(found.failed, 'failed one')} left out")
    if found.r2 is not None:
        care = (
            f" (under {CARE:.1f} the intervals promise too much)" if found.reason is None and found.r2 < CARE else ""
        )
        parts.append(f"the surrogate predicts trials left out with R2 {found.r2:.2f}{care}")
    return ", ".join(parts)


def document(history: History, found: Importance) -> dict[str, Any]:
    """Return it as plain data; `parameters` is null where nothing can be told, and `reason` says why."""
    values = {} if history.best is None else history.best.values
    return {
        "schema_version": SCHEMA_VERSION,
        "name": history.name,
        "objective": {"metric": history.started.metric, "direction": history.started.direction},
        "parameters": None
        if found.reason is not None
        else [
            {
                "name": one.name,
                "importance": _share(one.importance),
                "alone": _share(one.alone),
                "good": _share(one.good),
                "best": values.get(one.name),
                "active_in_best": one.name in values,
                "better": _better(one.better),
            }
            for one in found.parameters
        ],
        "interaction": None
        if found.interaction is None
        else {"parameters": list(found.interaction.names), **_share(found.interaction.share)},
        "r2": found.r2,
        "trials": {"used": found.trials, "lower_fidelity": found.lower, "failed": found.failed},
        "reason": found.reason,
    }


def _share(found: Share) -> dict[str, float]:
    return {"share": found.share, "low": found.low, "high": found.high}


def _better(found: Better | None) -> dict[str, Any] | None:
    if found is None:
        return None
    return {"value": found.value} if found.direction is None else {"direction": found.direction}
