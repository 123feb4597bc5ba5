"""From the places of a `HyperParameters` to a `SearchSpace`, and names in the space back to names in the model.

In the space every parameter has a name of its own. Most keep theirs. Where one name has different definitions under
different conditional scopes, the conditions follow after an @:

    with hp.conditional_scope("model", "cnn"): hp.Int("layers", 1, 3)      -> layers@model=cnn
    with hp.conditional_scope("model", "mlp"): hp.Int("layers", 2, 9)      -> layers@model=mlp

Equal definitions under several values of one parent are one parameter, active under all of them. A child of a parent
that has several definitions is one parameter for each definition it can stand under. A bare @ ends the name of a
definition without conditions that has rivals, and a name that looks like one of these by itself.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from hptune.conditions import Condition, same
from hptune.definitions import same_definition
from hptune.parameters import Boolean, Choice, Parameter, canonical
from hptune.space import SearchSpace

When = tuple[Condition, ...]


def plain_name(name: str) -> str:
    """Return the name in the model for a name in the space: `layers@model=cnn` is `layers`."""
    base, at, suffix = name.rpartition("@")
    return base if at and (not suffix or any(sign in suffix for sign in "=<>")) else name


def as_held(parent: Parameter, value: Any) -> tuple[Any, ...]:
    """Return (the value as the parent holds it,), or () if it never has it.

    Between a Boolean's values and the numbers 0 and 1, which KerasTuner takes for the same, equality is enough.
    """
    try:
        return (parent.coerce(value),)
    except ValueError:
        if isinstance(value, int) and isinstance(parent, (Boolean, Choice)):
            return tuple(one for one in parent.listed(None) if isinstance(one, int) and one == value)[:1]
    return ()


@dataclass(eq=False)
class _Node:
    """One parameter of the space to be: a definition and the definitions its conditions are about."""

    parameter: Parameter
    parents: tuple[tuple[_Node, Condition], ...]
    name: str = ""
    order: int = 0
    needs: dict[_Node, list[Condition]] = field(default_factory=dict)


def space_of(parameters: Sequence[Parameter]) -> SearchSpace:
    """Return the search space of hyperparameters whose names and conditions are those of the model.

    A later definition that could only ever be active beside an earlier one of the same name is left out, and so is
    one whose conditions can never hold. Raises ValueError for conditions that go in a circle.
    """
    order = {id(one): position for position, one in enumerate(parameters)}
    kept = _merged([_one_list_a_parent(one) for one in parameters], [order[id(one)] for one in parameters])
    nodes: dict[str, list[_Node]] = {}
    waiting = kept
    while waiting:
        names = {parameter.name for _, parameter in waiting}
        ready = [(i, p) for i, p in waiting if not any(c.parameter in names for c in p.when)]
        if not ready:
            raise ValueError(f"the conditions of {', '.join(sorted(names))} go in a circle")
        for position, parameter in ready:
            nodes.setdefault(parameter.name, []).extend(_variants(parameter, position, nodes))
        waiting = [(i, p) for i, p in waiting if not any(p is done for _, done in ready)]
    _name(nodes)
    listed = sorted((node for group in nodes.values() for node in group), key=lambda node: node.order)
    return SearchSpace(
        tuple(
            replace(
                node.parameter,
                name=node.name,
                when=tuple(replace(condition, parameter=parent.name) for parent, condition in node.parents),
            )
            for node in listed
        )
    )


# -- which definitions there are ----------------------------------------------------------------------------------


def _one_list_a_parent(parameter: Parameter) -> Parameter:
    """Return the parameter with at most one list of alternatives for each parent."""
    lists: dict[str, tuple[Any, ...]] = {}
    others: list[Condition] = []
    for condition in parameter.when:
        if condition.op != "in":
            others.append(condition)
        elif condition.parameter in lists:
            both = lists[condition.parameter]
            lists[condition.parameter] = tuple(v for v in both if any(same(v, one) for one in condition.value))
        else:
            lists[condition.parameter] = condition.value
    # Two scopes that exclude each other: nothing is active there, which an impossible value says as well.
    when = [Condition(name, "in", values or (_NEVER,)) for name, values in lists.items()]
    return replace(parameter, when=(*when, *others)) if parameter.when else parameter


_NEVER = "\0never"


def _implies(strong: When, weak: When) -> bool:
    """Return whether `strong` holding makes `weak` hold (or it is not seen to)."""

    def follows(condition: Condition) -> bool:
        if condition.op != "in":
            return condition in strong
        return any(
            one.op == "in"
            and one.parameter == condition.parameter
            and all(any(same(v, w) for w in condition.value) for v in one.value)
            for one in strong
        )

    return all(follows(condition) for condition in weak)


def _union(a: When, b: When) -> When | None:
    """Return the conditions under which a or b holds, if they differ in the alternatives of one parent only."""
    ours = {c.parameter: c for c in a if c.op == "in"}
    theirs = {c.parameter: c for c in b if c.op == "in"}
    rest = [c for c in a if c.op != "in"], [c for c in b if c.op != "in"]
    if ours.keys() != theirs.keys() or rest[0] != rest[1]:
        return None
    different = [
        name
        for name in ours
        if not (_implies((ours[name],), (theirs[name],)) and _implies((theirs[name],), (ours[name],)))
    ]
    if len(different) != 1:
        return None
    name = different[0]
    values = {canonical(v): v for v in (*ours[name].value, *theirs[name].value)}
    return tuple(Condition(name, "in", tuple(values.values())) if c is ours[name] else c for c in a)


def _merged(parameters: Iterable[Parameter], order: Iterable[int]) -> list[tuple[int, Parameter]]:
    kept: list[tuple[int, Parameter]] = []
    for position, parameter in zip(order, parameters, strict=True):
        new = parameter
        again = True
        while again:
            again = False
            for i, (at, old) in enumerate(kept):
                if old.name != new.name:
                    continue
                if _implies(new.when, old.when):
                    break  # never active without the earlier one
                if not same_definition(old, new):
                    continue
                when = new.when if _implies(old.when, new.when) else _union(old.when, new.when)
                if when is not None:
                    # The wider one may by now cover a third, so it is looked at again.
                    new, position, again = replace(old, when=when), at, True
                    del kept[i]
                    break
            else:
                kept.append((position, new))
    return sorted(kept, key=lambda pair: pair[0])


# -- which definition of a parent a condition is about --------------------------------------------------------------


def _variants(parameter: Parameter, order: int, nodes: dict[str, list[_Node]]) -> Iterator[_Node]:
    """Yield one node for each consistent choice of definitions that the conditions can be about."""
    options = []
    for condition in parameter.when:
        held = ((node, _restricted(condition, node.parameter)) for node in nodes.get(condition.parameter, ()))
        options.append([(node, one) for node, one in held if one is not None])
    for parents in itertools.product(*options):
        needs: dict[_Node, list[Condition]] = {}
        for node, condition in parents:
            for needed, conditions in ((node, [condition]), *node.needs.items()):
                needs.setdefault(needed, []).extend(conditions)
        if _consistent(needs):
            yield _Node(parameter, parents, order=order, needs=needs)


def _restricted(condition: Condition, parent: Parameter) -> Condition | None:
    """Return the condition with only the values this parent can have, None if there are none."""
    if condition.op != "in":
        return condition
    values = tuple(held for value in condition.value for held in as_held(parent, value))
    return replace(condition, value=values) if values else None


def _consistent(needs: dict[_Node, list[Condition]]) -> bool:
    names = [node.parameter.name for node in needs]
    if len(set(names)) < len(names):
        return False  # one name has one value, so one definition at a time
    for conditions in needs.values():
        lists = [condition.value for condition in conditions if condition.op == "in"]
        if lists and not any(all(any(same(v, w) for w in one) for one in lists[1:]) for v in lists[0]):
            return False
    return True


# -- names in the space ---------------------------------------------------------------------------------------------


def _name(nodes: dict[str, list[_Node]]) -> None:
    for name, group in nodes.items():
        if len(group) == 1:
            group[0].name = name if plain_name(name) == name else f"{name}@"
            continue
        used: set[str] = set()
        for node in group:
            wanted = unique = f"{name}@{_suffix(node)}"
            for number in itertools.count(2):
                if unique not in used:
                    break
                unique = f"{wanted}#{number}"
            used.add(unique)
            node.name = unique


def _suffix(node: _Node) -> str:
    """Return the conditions of a node as text without @, those of a parent with rivals included."""
    texts = {
        f"{parent.parameter.name}{_SIGNS[condition.op]}{_values_text(condition)}".replace("@", "(at)"): None
        for parent, conditions in node.needs.items()
        for condition in conditions
    }
    return ",".join(texts)


_SIGNS = {"in": "=", "eq": "=", "ne": "!=", "ge": ">=", "gt": ">", "le": "<=", "lt": "<"}


def _values_text(condition: Condition) -> str:
    values = condition.value if condition.op == "in" else (condition.value,)
    return "|".join(value if isinstance(value, str) else canonical(value) for value in values)
