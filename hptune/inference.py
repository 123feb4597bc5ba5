"""When is a hyperparameter of a define-by-run model there at all? Conditions read off recorded builds.

Python code such as `for i in range(hp.Int("layers", 1, 3)): hp.Int(f"units_{i}", ...)` says nothing of conditions,
but its builds show them: `units_2` is met exactly when `layers` is 3. A condition is inferred only if across *all*
builds in which the hyperparameter's conditional scopes hold its presence is exactly explained by one hyperparameter
that is met before it; and new builds are asked for wherever the recorded ones leave it open (a value of the
parent not seen yet, a gap between the largest value without and the smallest with). Otherwise it counts as always
active: searching a dimension too many is a waste, missing one would be a fault.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from hptune.conditions import Condition, same
from hptune.hyperparameters import Place
from hptune.parameters import Boolean, Choice, Int, Parameter, canonical

MAX_PROBED_VALUES = 100
"""A choice with more values than this is no parent of an inferred condition: too many builds would be needed."""


@dataclass(eq=False)
class Build:
    """One recorded build: which places it met active, in order, with which values."""

    values: dict[str, Any]
    active: dict[Place, Any]
    met: dict[Place, Parameter] = field(default_factory=dict)
    error: Exception | None = None


Probe = Callable[[Build, Place, Any], None]
"""Build again with the values of a build but for one place, and record it."""


def infer(known: Mapping[Place, Parameter], builds: Sequence[Build], probe: Probe) -> dict[Place, Condition]:
    """Return the condition found for each place whose presence has one.

    `builds` may grow while this runs: `probe` adds to it.
    """
    found = {}
    for place, parameter in known.items():
        candidates = _candidates(place, parameter, _rows(parameter, builds))
        for parent in candidates:
            condition = _settled(place, parameter, parent, known[parent], builds, probe)
            if condition is not None:
                found[place] = condition
                break
    return found


def _rows(parameter: Parameter, builds: Iterable[Build]) -> list[Build]:
    """Return the builds that can say something: they ended well, and the place's conditional scopes hold."""
    return [
        build for build in builds if build.error is None and all(one.holds(build.values) for one in parameter.when)
    ]


def _candidates(place: Place, parameter: Parameter, rows: Sequence[Build]) -> list[Place]:
    """Return the places met before this one wherever it is met, [] if it is met everywhere (or nowhere)."""
    with_it = [build for build in rows if place in build.active]
    if not with_it or len(with_it) == len(rows):
        return []
    scopes = {condition.parameter for condition in parameter.when}
    before = [one for one in _before(with_it[0], place) if one[0] != parameter.name and one[0] not in scopes]
    for build in with_it[1:]:
        earlier = set(_before(build, place))
        before = [one for one in before if one in earlier]
    return before


def _before(build: Build, place: Place) -> list[Place]:
    names = list(build.active)
    return names[: names.index(place)]


def _settled(
    place: Place, parameter: Parameter, parent: Place, definition: Parameter, builds: Sequence[Build], probe: Probe
) -> Condition | None:
    """Return the condition on one parent, probed until nothing is left open; None if it does not hold."""
    for _ in range(2 * MAX_PROBED_VALUES):
        rows = _rows(parameter, builds)
        inside = [build for build in rows if place in build.active]
        outside = [build for build in rows if place not in build.active and parent in build.active]
        if any(parent not in build.active for build in inside):
            return None
        yes, no = ([b.active[parent] for b in group] for group in (inside, outside))
        condition = _explanation(parent[0], definition, yes, no)
        if condition is None:
            return None
        value = _open(definition, condition, yes, no)
        if value is None:
            return condition if _exact(place, condition, rows) else None
        size = len(builds)
        probe(inside[0], parent, value)
        if len(builds) == size or parent not in builds[-1].active:
            return None
    return None


def _exact(place: Place, condition: Condition, rows: Iterable[Build]) -> bool:
    return all((place in build.active) == condition.holds(build.values) for build in rows)


def _explanation(name: str, definition: Parameter, yes: Sequence[Any], no: Sequence[Any]) -> Condition | None:
    """Return the condition on the parent that separates its values with the child from those without it."""
    if isinstance(definition, Int):
        if not no or min(yes) > max(no):
            return Condition(name, "ge", min(yes))
        if max(yes) < min(no):
            return Condition(name, "le", max(yes))
    if not isinstance(definition, (Int, Choice, Boolean)) or definition.count is None:
        return None
    if definition.count > MAX_PROBED_VALUES or any(same(a, b) for a in yes for b in no):
        return None
    present = {canonical(value) for value in yes}
    return Condition(name, "in", tuple(one for one in definition.listed(None) if canonical(one) in present))


def _open(definition: Parameter, condition: Condition, yes: Sequence[Any], no: Sequence[Any]) -> Any:
    """Return a value of the parent for which the builds do not say yet whether the child is there, None if none."""
    if condition.op == "in":
        seen = {canonical(value) for value in (*yes, *no)}
        return next((one for one in definition.listed(None) if canonical(one) not in seen), None)
    assert isinstance(definition, Int)
    if not no:
        return None if condition.value == definition.low else definition.low
    low, high = (max(no), min(yes)) if condition.op == "ge" else (max(yes), min(no))
    middle = definition.map.nearest((low + high) // 2)
    if low < middle < high:
        return middle
    return next((one for one in (low + 1, high - 1) if low < one < high and definition.map.nearest(one) == one), None)
