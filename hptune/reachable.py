"""What of a space no trial can reach: parameters whose conditions exclude each other, values that constraints forbid."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator

import numpy as np

from hptune.conditions import Condition
from hptune.parameters import Boolean, Choice, Parameter
from hptune.space import SearchSpace

DRAWS = 2000
"""Random configurations that tell whether constraints leave anything of a value."""

EXPECTED = 10.0
"""A value that would have been allowed so often, were it like the others, and never was, is taken to be forbidden."""

LEAST_SHARE = 0.001
"""A space of which the constraints allow less than this is refused."""

TOO_LITTLE = f"the constraints leave less than {LEAST_SHARE:.1%} of the space: loosen them, or narrow the ranges"


def share_too_small(space: SearchSpace) -> bool:
    """Return whether the constraints allow less than `LEAST_SHARE` of the space, by 20,000 draws."""
    if not space.constraints:
        return False
    rng = np.random.default_rng(0)
    if space.feasible_share(rng, 500) > 0.02:
        return False
    return space.feasible_share(rng, 20_000) < LEAST_SHARE


def never_active(space: SearchSpace) -> Iterator[tuple[str, str]]:
    """Yield (parameter, the conditions on one parent that exclude each other) of parameters that are never active.

    The conditions of its parents count too. Judged parent by parent: what only several parents together exclude is
    not found.
    """
    for parameter in space.parameters:
        by_parent: dict[str, list[Condition]] = {}
        for condition in _all_conditions(space, parameter):
            by_parent.setdefault(condition.parameter, []).append(condition)
        for name, conditions in by_parent.items():
            if not any(
                all(one.holds({name: value}) for one in conditions) for value in _tried(space[name], conditions)
            ):
                yield parameter.name, " and ".join(str(one) for one in conditions)
                break


def never_allowed(space: SearchSpace, rng: np.random.Generator) -> Iterator[tuple[str, object]]:
    """Yield (parameter, value) of choices that the constraints allow in none of many random configurations."""
    if not space.constraints:
        return
    drawn: dict[tuple[str, int], int] = {}
    allowed: set[tuple[str, int]] = set()
    choices = [one for one in space.parameters if isinstance(one, (Choice, Boolean)) and (one.count or 0) > 1]
    listed = {one.name: list(one.listed(None)) for one in choices}
    hits = 0
    for _ in range(DRAWS):
        values = space.draw(rng.random(len(space.columns)))
        met = space.broken(values) is None
        hits += met
        for one in choices:
            if one.name in values:
                level = next(i for i, v in enumerate(listed[one.name]) if _is(v, values[one.name]))
                drawn[one.name, level] = drawn.get((one.name, level), 0) + 1
                if met:
                    allowed.add((one.name, level))
    said: dict[str, object] = {}
    for one in choices if allowed else ():  # else nothing is: that is said otherwise
        if any(c.parameter in said and c.holds({c.parameter: said[c.parameter]}) for c in one.when):
            continue  # it goes with its parent's
        for level, value in enumerate(listed[one.name]):
            expected = drawn.get((one.name, level), 0) * hits / DRAWS
            if expected >= EXPECTED and (one.name, level) not in allowed:
                said[one.name] = value
                yield one.name, value


def _is(listed: object, value: object) -> bool:
    return type(listed) is type(value) and listed == value


def _all_conditions(space: SearchSpace, parameter: Parameter) -> Iterator[Condition]:
    """Yield the conditions under which a parameter is active, its parents' included, each once."""
    seen: set[str] = set()
    waiting = [parameter]
    while waiting:
        for condition in waiting.pop().when:
            yield condition
            if condition.parameter not in seen:
                seen.add(condition.parameter)
                waiting.append(space[condition.parameter])


def _tried(parent: Parameter, conditions: list[Condition]) -> Iterator[object]:
    """Yield values of a parent, one on each side of every bound that the conditions name."""
    if parent.count is not None and parent.count <= 10_000:
        yield from parent.listed(None)
        return
    yield from getattr(parent, "extra", ())
    low, high = parent.low, parent.high  # type: ignore[attr-defined] # only ranges have no or many values
    named = (one.value if one.op == "in" else (one.value,) for one in conditions)
    near: list[float] = []
    for bound in itertools.chain(*named):
        if isinstance(bound, bool) or not isinstance(bound, (int, float)) or not low <= bound <= high:
            continue  # what lies outside tells the ends apart as little as text does
        if isinstance(low, int):
            near += [math.floor(bound) - 1, math.floor(bound), math.floor(bound) + 1]
        else:
            near += [math.nextafter(bound, -math.inf), float(bound), math.nextafter(bound, math.inf)]
    yield from (one for one in (low, high, *near) if low <= one <= high)
