"""Trials as tables and rows: which ones, in which order, and only the columns that say something."""

from __future__ import annotations

import math
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hptune.errors import UsageError, did_you_mean
from hptune.history import History
from hptune.report import fidelity, wording
from hptune.report.layout import Align, Table
from hptune.space import Fixed, Float, Int, SearchSpace
from hptune.trial import Trial

SORT_KEYS = ("trial", "score", "std", "seconds", "status")
STATUSES = ("completed", "stopped", "failed", "running")

_OWN_COLUMNS = 2  # more conditional parameters than this share one column: most of their cells would be empty
SHARED = "with"
"""The header of that column."""


def short_names(names: Iterable[str]) -> dict[str, str]:
    """Return the shortest end of each dotted name that no other name ends in: `regressor.svr.C` becomes `C`.

    >>> short_names(["ridge.alpha", "lasso.alpha", "svr.C"])
    {'ridge.alpha': 'ridge.alpha', 'lasso.alpha': 'lasso.alpha', 'svr.C': 'C'}
    """
    listed = list(names)
    ends: dict[str, int] = {}
    for name in listed:
        for end in _ends(name):
            ends[end] = ends.get(end, 0) + 1
    return {name: next((end for end in _ends(name) if ends[end] == 1), name) for name in listed}


def _ends(name: str) -> list[str]:
    parts = name.split(".")
    return [".".join(parts[start:]) for start in range(len(parts) - 1, -1, -1)]


def find_name(wanted: str, names: Iterable[str], active: Container[str] = ()) -> str:
    """Return the parameter that is meant: its name, with `__` for dots, or an end of it that only one has.

    Of several with that end it is the one that is `active`, if only one is. Raises `UsageError` otherwise.
    """
    listed = list(names)
    dotted = wanted.replace("__", ".")
    if wanted in listed or dotted in listed:
        return wanted if wanted in listed else dotted
    matching = [name for name in listed if name.endswith("." + dotted)]
    running = [name for name in matching if name in active] if len(matching) > 1 else matching
    if len(running) == 1:
        return running[0]
    if matching:
        raise UsageError(f"{wanted!r} may be {' or '.join(map(wording.one_line, matching))}; give more of the name")
    hint = did_you_mean(wanted, [*listed, *short_names(listed).values()])
    raise UsageError(f"no parameter {wanted!r}{hint or '; there are ' + ', '.join(map(wording.one_line, listed))}")


# -- which trials, in which order -----------------------------------------------------------------------------------


def best_first(history: History, trials: Iterable[Trial]) -> list[Trial]:
    """Return the trials by score, best first: completed ones before raced-out ones, those without a score last.

    Those measured in full come before those at a lower fidelity.
    """

    def rank(trial: Trial) -> tuple[float, float, int]:
        if trial.score is None or trial.status == "running":
            return (2, 0.0, trial.number)
        lower = 0.0 if trial.fidelity is None else 1.0 - trial.fidelity
        return (lower if trial.completed else 1, history.objective.loss(trial.score), trial.number)

    return sorted(trials, key=rank)


def ordered(history: History, trials: Sequence[Trial], key: str) -> list[Trial]:
    """Return the trials sorted by a column of `SORT_KEYS` or a parameter; raises `UsageError` for any other key."""
    if key == "score":
        return best_first(history, trials)
    if key in ("trial", "std", "seconds"):
        attribute = "number" if key == "trial" else key
        return sorted(trials, key=lambda t: (getattr(t, attribute) is None, getattr(t, attribute) or 0, t.number))
    if key == "status":
        return sorted(trials, key=lambda t: (STATUSES.index(t.status), t.number))
    try:
        name = find_name(key, history.space.by_name)
    except UsageError as error:
        known = ", ".join(SORT_KEYS)
        raise UsageError(f"--sort: expected {known} or a parameter; {error}") from None
    return sorted(trials, key=lambda t: (*_value_order(fidelity.values_of(history, t), name), t.number))


def _value_order(values: Mapping[str, Any], name: str) -> tuple[int, float, str]:
    """Return a sort key for values of any kind: numbers first, then the rest as text, inactive last."""
    if name not in values:
        return (2, 0.0, "")
    found = values[name]
    if isinstance(found, (int, float)) and not isinstance(found, bool):
        return (0, float(found), "")
    return (1, 0.0, wording.exact(found))


# -- trials as a table ----------------------------------------------------------------------------------------------


def split_columns(space: SearchSpace, trials: Sequence[Trial]) -> tuple[list[str], dict[str, str]]:
    """Return the parameters whose values differ among these trials, and those that are the same in all, with values.

    Fixed parameters and those inactive in all the trials are in neither.
    """
    changed, constant = [], {}
    for parameter in space:
        if isinstance(parameter, Fixed):
            continue
        found = {
            space.key({parameter.name: t.values[parameter.name]}) if parameter.name in t.values else ""
            for t in trials
        }
        if len(found) > 1:
            changed.append(parameter.name)
        elif found and found != {""}:
            constant[parameter.name] = wording.value(trials[0].values[parameter.name])
    return changed, constant


@dataclass(frozen=True)
class TrialTable:
    """A table of trials, and the parameters it leaves out because they are the same in all of them."""

    table: Table
    constant: Mapping[str, str]

    def footnote(self) -> str:
        """Return what is the same in all rows as one line, "" if nothing is."""
        return ", ".join(f"{name}={value}" for name, value in self.constant.items())


def trial_table(
    history: History,
    trials: Sequence[Trial],
    *,
    everything: bool = False,
    ranked: bool = False,
    labels: Mapping[int, str] | None = None,
) -> TrialTable:
    """Return the trials as a table: number, status where not all are completed, score, deviation, changed parameters.

    With `everything` also seconds, further metrics and the parameters that are the same in all, but for the resource
    where a column tells how much of it each trial had; with `ranked` a first column counts the rows; `labels` are notes
    by trial number, shown in a last column.
    """
    changed, constant = split_columns(history.space, trials)
    columns = _Columns()
    if ranked:
        columns.add("", [str(rank) for rank in range(1, len(trials) + 1)])
    _add_facts(columns, history, trials, everything=everything)
    if labels is not None and any(labels.get(t.number) for t in trials):
        columns.add("", [labels.get(t.number, "") for t in trials], "left")
    keep = len(columns.headers)
    if everything:
        for metric in dict.fromkeys(name for t in trials for name in t.metrics):
            columns.add(metric.removeprefix("neg_"), _metric_cells(trials, metric))
        columns.add("seconds", [wording.number(t.seconds, 3) for t in trials])
    _add_parameters(columns, history, trials, [p.name for p in history.space] if everything else changed)
    rows = list(zip(*columns.cells, strict=True)) if trials else []
    best = history.best  # the finals' winner need not be the best of the search
    marked = frozenset(i for i, t in enumerate(trials) if best is not None and t.number == best.number)
    return TrialTable(Table(columns.headers, rows, columns.align, keep, marked), {} if everything else constant)


class _Columns:
    """The columns of a table to be, from left to right."""

    def __init__(self) -> None:
        self.headers: list[str] = []
        self.align: list[Align] = []
        self.cells: list[list[str]] = []

    def add(self, header: str, cells: list[str], side: Align = "right") -> None:
        self.headers.append(header)
        self.align.append(side)
        self.cells.append(cells)


def _add_facts(columns: _Columns, history: History, trials: Sequence[Trial], *, everything: bool) -> None:
    """Add number, status, share of the resource, score and deviation, those that tell something or `everything`."""
    places = wording.decimals([abs(t.score) for t in trials if t.score is not None])
    columns.add("trial", [str(t.number) for t in trials])
    if everything or any(not t.completed for t in trials):
        columns.add("status", [_status(history, t) for t in trials], "left")
    if _shares(trials):
        columns.add(fidelity.heading(history), [fidelity.amount(history, t) for t in trials])
    columns.add("score", [wording.fixed(_shown(history, t), places) for t in trials])
    if everything or any(t.std is not None for t in trials):
        columns.add("± std", [wording.fixed(t.std, places) for t in trials])


def _add_parameters(columns: _Columns, history: History, trials: Sequence[Trial], names: Sequence[str]) -> None:
    space = history.space
    if _shares(trials) and (resource := fidelity.resource_of(history)) is not None:
        names = [name for name in names if name != resource.name]  # its own column tells what each trial had of it
    short, nested = short_names(space.by_name), sharing(space, names)
    for name in names:
        if name in nested:
            continue
        numeric = isinstance(space[name], (Float, Int))
        cells = [wording.value(t.values[name]) if name in t.values else wording.ABSENT for t in trials]
        columns.add(short[name], cells, "right" if numeric else "left")
    if nested:
        columns.add(SHARED, [active(t.values, nested) for t in trials], "left")


def _shares(trials: Sequence[Trial]) -> bool:
    return any(trial.fidelity is not None for trial in trials)


def sharing(space: SearchSpace, names: Sequence[str]) -> list[str]:
    """Return the parameters among these that share one column of a table, if any do."""
    nested = [name for name in names if space[name].when]
    return nested if len(nested) > _OWN_COLUMNS else []


def active(values: Mapping[str, Any], names: Iterable[str]) -> str:
    """Return the active ones of these parameters on one line, each by the end of its name."""
    found = [name for name in names if name in values]
    short = short_names(found)
    return ", ".join(f"{short[name]}={wording.value(values[name])}" for name in found) or wording.ABSENT


def _status(history: History, trial: Trial) -> str:
    if trial.status == "stopped" and trial.folds > 1:
        return f"stopped {len(trial.measurements)}/{trial.folds}"
    return f"failed: {trial.failure.kind}" if trial.failure else status_word(history, trial.status)


def _shown(history: History, trial: Trial) -> float | None:
    return None if trial.score is None else wording.shown(history.objective, trial.score)


def _metric_cells(trials: Sequence[Trial], metric: str) -> list[str]:
    found = [wording.shown_metric(metric, t.metrics[metric])[1] if metric in t.metrics else None for t in trials]
    places = wording.decimals([abs(x) for x in found if x is not None])
    return [wording.fixed(x, places) for x in found]


# -- trials as plain data -------------------------------------------------------------------------------------------


def trial_row(trial: Trial) -> dict[str, Any]:
    """Return all that is known of a trial as plain data: real types, the metric's own sign, no NaN."""
    return {
        "trial": trial.number,
        "status": trial.status,
        "score": finite(trial.score),
        "std": finite(trial.std),
        "folds": [finite(score) for score in trial.scores],
        "train_score": finite(trial.train_score),
        "metrics": {name: finite(value) for name, value in trial.metrics.items()},
        "params": dict(trial.values),
        "seconds": trial.seconds,
        "attempt": trial.attempt,
        "fidelity": trial.fidelity,
        "parent": trial.parent,
        "origin": trial.origin,
        "note": None if trial.note is None else dict(trial.note),
        "reason": trial.reason or None,
        "failure": None if trial.failure is None else {"kind": trial.failure.kind, "message": trial.failure.message},
    }


def finite(x: float | None) -> float | None:
    """Return the number, None for NaN and infinities: JSON has neither."""
    return x if x is not None and math.isfinite(x) else None


def counts(history: History) -> list[tuple[str, int]]:
    """Return how many trials have each status, in the order people ask for them."""
    return [(status, history.count(status)) for status in STATUSES]


def counted(history: History) -> str:
    """Return the same in words: `17 completed, 2 stopped`; nothing runs in a study that has ended (its time was up)."""
    return wording.counts([(status_word(history, status), n) for status, n in counts(history)])


def status_word(history: History, status: str) -> str:
    """Return a trial's status for people."""
    if status == "running" and history.asked:
        return "open"
    return "unfinished" if status == "running" and history.ended is not None else status
