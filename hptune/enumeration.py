"""The configurations of a finite space: how many there are, counted rather than walked through, and each of them.

Here a set of parameters is an int, bit i standing for the i-th of an order with parents before children. Choosing a value
rules out the children whose conditions it does not meet, with all their descendants: nothing else is ever looked at.
"""

from __future__ import annotations

import bisect
import itertools
import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hptune.conditions import Condition
from hptune.parameters import Float, Int, Parameter

LIMIT = 10**18
"""Up to so many configurations are counted exactly: more make no difference to anybody."""

STATES = 4096
"""Counting remembers so many sets of parameters that are ruled out; a space that needs more is counted from below."""

_LISTED = 1000  # a range of more whole numbers is not listed for its conditions but cut at the bounds they name

Conditions = Sequence[Condition]


@dataclass(frozen=True)
class Count:
    """How many configurations there are: `least`, and more than that unless `exact`."""

    least: int
    exact: bool = True


def listed(order: Sequence[Parameter], points: int | None) -> Iterator[dict[str, Any]]:
    """Yield every configuration once, names in this order, the last parameter changing fastest."""
    children = _children(order)
    lost = _with_descendants(children)
    known: list[list[int]] = [[] for _ in order]  # by parameter: what each of its values rules out

    def steps(index: int) -> Iterator[tuple[Any, int]]:
        for place, value in enumerate(order[index].listed(points)):
            if place == len(known[index]):
                found = {order[index].name: value}
                failing = (child for child, conditions in children[index].items() if not _all_hold(conditions, found))
                known[index].append(_union(lost[child] for child in failing))
            yield value, known[index][place]

    values: dict[str, Any] = {}
    open_: list[tuple[str, Iterator[tuple[Any, int]], int]] = []  # name, values left, parameters after it
    rest = (1 << len(order)) - 1
    while True:
        if rest:
            first = rest & -rest
            index = first.bit_length() - 1
            open_.append((order[index].name, steps(index), rest ^ first))
        else:
            yield dict(values)
        while open_:
            name, left, after = open_[-1]
            step = next(left, None)
            if step is not None:
                values[name], ruled_out = step
                rest = after & ~ruled_out
                break
            open_.pop()
            values.pop(name, None)
        else:
            return


def count(order: Sequence[Parameter], points: int | None) -> Count | None:
    """Return how many configurations there are, None for a continuum (with `points` each range has that many values).

    A parameter whose conditions name one parent only is counted into that parent's values. What then remains tied falls
    into components whose counts multiply; within one, `_component` goes from parameter to parameter.
    """
    if any(_values(parameter, points) is None for parameter in order):
        return None
    children = _children(order)
    parents = [{c.parameter for c in parameter.when} for parameter in order]
    tied: dict[int, dict[int, int]] = {}  # by parameter: how many of its values rule out which tied children
    alone: dict[int, int] = {}  # by parameter counted into its only parent: the configurations of it and below it
    total = 1
    for index in reversed(range(len(order))):
        ways: Counter[int] = Counter()
        for met, values in _classes(order[index], points, children[index]).items():
            held = [child for child in alone if child in met]
            ways[_union(1 << child for child in children[index] if child not in alone and child not in met)] += (
                values * math.prod(alone[child] for child in held)
            )
        if any(child not in alone for child in children[index]) or len(parents[index]) > 1:
            tied[index] = ways
        elif parents[index]:
            alone[index] = ways[0]
        else:
            total *= ways[0]
    exact = True
    for component in _components(tied, children):
        found = _component(component, {i: tied[i] for i in component}, children, [len(one) for one in parents])
        total, exact = total * found.least, exact and found.exact
    return Count(total, exact) if total <= LIMIT else Count(LIMIT, exact=False)


def _children(order: Sequence[Parameter]) -> list[dict[int, list[Condition]]]:
    """Return, for each parameter, its children with the conditions that they put on it."""
    index = {parameter.name: i for i, parameter in enumerate(order)}
    children: list[dict[int, list[Condition]]] = [{} for _ in order]
    for child, parameter in enumerate(order):
        for condition in parameter.when:
            children[index[condition.parameter]].setdefault(child, []).append(condition)
    return children


def _with_descendants(children: Sequence[Iterable[int]]) -> list[int]:
    """Return, for each parameter, the set of it and all that is inactive without it."""
    out = [1 << index for index in range(len(children))]
    for index in reversed(range(len(children))):
        out[index] |= _union(out[child] for child in children[index])
    return out


def _union(sets: Iterable[int]) -> int:
    out = 0
    for one in sets:
        out |= one
    return out


def _all_hold(conditions: Conditions, values: Mapping[str, Any]) -> bool:
    return all(condition.holds(values) for condition in conditions)


def _values(parameter: Parameter, points: int | None) -> int | None:
    """Return how many values `listed` yields, None for a continuum without `points`."""
    if parameter.count is not None or points is None:
        return parameter.count
    return points + len(getattr(parameter, "extra", ()))


def _classes(parameter: Parameter, points: int | None, children: Mapping[int, Conditions]) -> Counter[frozenset[int]]:
    """Return how many of a parameter's values meet all the conditions of which children."""
    if not children:
        return Counter({frozenset(): _values(parameter, points) or 0})
    out: Counter[frozenset[int]] = Counter()
    for value, alike in _representatives(parameter, points, children.values()):
        found = {parameter.name: value}
        out[frozenset(child for child, conditions in children.items() if _all_hold(conditions, found))] += alike
    return out


def _representatives(
    parameter: Parameter, points: int | None, tests: Iterable[Conditions]
) -> Iterator[tuple[Any, int]]:
    """Yield values, and how many there are for which the tests say the same."""
    if not isinstance(parameter, (Float, Int)) or parameter.count is None or parameter.count <= _LISTED:
        for value in parameter.listed(points):
            yield value, 1
        return
    for value in parameter.extra:
        yield value, 1
    steps = range(parameter.count - len(parameter.extra))
    at = parameter.map.value_at
    cuts = {0, len(steps)}
    for condition in (one for conditions in tests for one in conditions):
        for bound in condition.value if condition.op == "in" else (condition.value,):
            if isinstance(bound, (int, float)):
                cuts.add(bisect.bisect_left(steps, bound, key=at))
                cuts.add(bisect.bisect_right(steps, bound, key=at))
    ordered = sorted(cuts)
    for start, end in itertools.pairwise(ordered):
        yield at(start), end - start


def _components(tied: Iterable[int], children: Sequence[Iterable[int]]) -> list[list[int]]:
    """Return the tied parameters, those apart that no condition joins."""
    group = {index: [index] for index in tied}
    for index in list(group):
        for child in children[index]:
            if child in group and group[child] is not group[index]:
                group[index] += group[child]
                for member in group[child]:
                    group[member] = group[index]
    return list({id(one): one for one in group.values()}.values())


def _component(
    members: Sequence[int],
    ways: Mapping[int, Mapping[int, int]],
    children: Sequence[Iterable[int]],
    parents: Sequence[int],
) -> Count:
    """Return the count of a component; `ways` as in `count`, `parents` is how many each parameter has.

    Configurations so far are told apart only by what they rule out of what is still to come: few, however many
    configurations there are, if a parameter comes soon after its parents.
    """
    below = {index: _union(1 << child for child in children[index] if child in ways) for index in members}
    waiting = {index: parents[index] for index in members}
    ready = [index for index in sorted(members, reverse=True) if not waiting[index]]
    pending, exact = 0, True
    states: Counter[int] = Counter({0: 1})
    while ready:
        # Least pending after it; of equals the one that became ready last, whose parents have just been chosen.
        place = min(
            range(len(ready)),
            key=lambda i: ((pending | below[ready[i]]) & ~(1 << ready[i])).bit_count() * len(ready) - i,
        )
        index = ready.pop(place)
        bit = 1 << index
        pending = (pending | below[index]) & ~bit
        grown: Counter[int] = Counter()
        for state, n in states.items():
            if state & bit:
                grown[(state ^ bit) | below[index]] += n
                continue
            for ruled_out, values in ways[index].items():
                grown[state | ruled_out] += n * values
        if len(grown) > STATES:
            exact, grown = False, Counter(dict(grown.most_common(STATES)))
        states = grown
        for child in sorted(children[index], reverse=True):
            if child in waiting:
                waiting[child] -= 1
                if not waiting[child]:
                    ready.append(child)
    return Count(states.total(), exact)
