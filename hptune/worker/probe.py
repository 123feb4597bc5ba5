"""Probe fits: a quick fit per categorical branch finds what no single parameter's check can, before the study starts.

`penalty: l1` is fine and `solver: lbfgs` is fine; together they fail, in every trial that has them. Every combination
of the choices is fitted once on a small slice of the data, numbers at their defaults; the failures are then traced to
the smallest set of values that explains them, and the finding holds the `forbid:` line to paste; or to the default
inside a range, if what failed can be fitted at one of its ends.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import Any

from hptune.job import Finding
from hptune.parameters import Boolean, Choice, canonical
from hptune.space import SearchSpace
from hptune.worker.probe_fits import MOST_SECONDS, ProbeFits
from hptune.worker.ranges import culprit

MOST_FITS = 200

Cause = tuple[tuple[str, Any], ...]


def probe(fits: ProbeFits, space: SearchSpace) -> list[Finding]:
    """Return an error for each combination of choices that cannot be fitted, and what was left out or is not searched.

    Bounded by `MOST_FITS` fits and `probe_fits.MOST_SECONDS`; nothing is said of branches beyond that but how many.
    """
    branches = _branches(space)
    tried: list[tuple[dict[str, Any], str | None]] = []
    for values in branches[:MOST_FITS]:
        if tried and fits.late:
            break
        tried.append((values, fits(values)))
    out = []
    for cause, message in _causes(space, tried):
        failing = next(
            values for values, failed in tried if failed is not None and _holds(cause, list(values.items()))
        )
        out.append(culprit(fits, space, failing, dict(cause)) or _finding(space, cause, message))
    if len(tried) < len(branches):
        why = (
            f"{MOST_FITS} are the most" if len(tried) == MOST_FITS else f"no more are begun after {MOST_SECONDS:g} s"
        )
        message = (
            f"probed {len(tried)} of {len(branches)} combinations of choices; the others were not tried, for {why}"
        )
        out.append(Finding(key="space", message=message, severity="warning"))
    for name, value in fits.unsearched.items():
        message = (
            f"{name} is asked for in fit only, which is not recorded: it is not searched, trials run it at {value!r}; ask "
            "for it in build(hp) too"
        )
        out.append(Finding(key="model.hypermodel", message=message, severity="warning"))
    return out


def _branches(space: SearchSpace) -> list[dict[str, Any]]:
    """Return configurations that hold every allowed combination of choices, numbers at their defaults.

    A numeric parameter's `extra` values count as choices. Where all combinations are too many, each value is taken
    once and each pair of values of two parameters as far as the bound goes.
    """
    listed: dict[str, list[Any]] = {}
    for parameter in space:
        if isinstance(parameter, (Choice, Boolean)):
            listed[parameter.name] = list(parameter.listed(None))
        elif extra := getattr(parameter, "extra", ()):
            listed[parameter.name] = [
                parameter.default_value,
                *(one for one in extra if one != parameter.default_value),
            ]
    names = list(listed)
    total = 1
    for values in listed.values():
        total = min(total * len(values), MOST_FITS * 50)
    if total < MOST_FITS * 50:
        combinations = (dict(zip(names, one, strict=True)) for one in itertools.product(*listed.values()))
    else:
        combinations = _pairs(listed)
    out: dict[str, dict[str, Any]] = {}
    for combination in combinations:
        configuration = space.complete_or_defaults(combination)
        if space.broken(configuration) is None:
            out.setdefault(space.key(configuration), configuration)
    return list(out.values())


def _pairs(listed: Mapping[str, Sequence[Any]]) -> Any:
    base = {name: values[0] for name, values in listed.items()}
    yield base
    for name, values in listed.items():
        yield from ({**base, name: value} for value in values[1:])
    for first, second in itertools.combinations(listed, 2):
        for one, other in itertools.product(listed[first][1:], listed[second][1:]):
            yield {**base, first: one, second: other}


def _causes(space: SearchSpace, tried: Sequence[tuple[dict[str, Any], str | None]]) -> list[tuple[Cause, str]]:
    """Return the smallest sets of (name, value) that every failure holds and no success does, with a message each."""
    failures = [(values, message) for values, message in tried if message is not None]
    names = [p.name for p in space if isinstance(p, (Choice, Boolean)) or getattr(p, "extra", None)]
    good = [_items(values, names) for values, message in tried if message is None]
    out: dict[str, tuple[Cause, str]] = {}
    for values, message in failures:
        items = _items(values, names)
        if any(_holds(cause, items) for cause, _ in out.values()):
            continue
        cause: Cause = ()
        for size in range(4):
            found = next(
                (one for one in itertools.combinations(items, size) if not any(_holds(one, g) for g in good)), None
            )
            if found is not None:
                cause = found
                break
        else:
            cause = tuple(items)
        out.setdefault(canonical([list(pair) for pair in cause]), (cause, message))
    return list(out.values())


def _items(values: Mapping[str, Any], names: Sequence[str]) -> list[tuple[str, Any]]:
    return [(name, values[name]) for name in names if name in values]


def _holds(cause: Cause, items: Sequence[tuple[str, Any]]) -> bool:
    have = {name: canonical(value) for name, value in items}
    return all(have.get(name) == canonical(value) for name, value in cause)


def _finding(space: SearchSpace, cause: Cause, message: str) -> Finding:
    if not cause:
        return Finding(key="model", message=f"no configuration can be fitted: {message.rstrip('.')}{_mend(message)}")
    # The choose that leads to a parameter is implied by naming the parameter.
    told = dict(cause)
    implied = {condition.parameter for name, _ in cause for condition in space[name].when}
    shown = {name: value for name, value in told.items() if name not in implied or len(told) == 1}
    texts = {name: _as_test(value) for name, value in shown.items()}
    pairs = ", ".join(f"{name}: {text}" for name, text in texts.items())
    if len(shown) == 1:
        (name,) = shown
        return Finding(key=f"space.{name}", message=f"a fit with {pairs} fails: {message}")
    mend = f"add under constraints: `- forbid: {{{pairs}}}`"
    message = message.rstrip(".")
    first = next(iter(shown))
    return Finding(key=f"space.{first}", message=f"a fit with {pairs} fails: {message}; {mend}")


def _as_test(value: Any) -> str:
    """Return a value as `forbid:` asks for it: a mapping or list is one of a list, bare it would mean something else."""
    text = value if isinstance(value, str) else canonical(value)
    return f"[{text}]" if isinstance(value, (dict, list)) else text


_MENDS = {
    "could not convert string to float": "the columns hold text: encode it in a step before (OneHotEncoder, under "
    "`columns:`; see configs/penguins.yaml), or leave the columns out with data.drop",
    "contains NaN": "the data has gaps: put a step sklearn.impute.SimpleImputer before the others",
}


def _mend(message: str) -> str:
    """Return what to do about the faults of data that newcomers meet first, "" for others."""
    return next((f"; {mend}" for part, mend in _MENDS.items() if part in message), "")
