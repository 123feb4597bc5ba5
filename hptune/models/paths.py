"""How the parameters of a tree of estimators are named, and under which choices they exist.

A parameter's path is the names on the way to it, joined by dots: the step, the alternative (after a choose), the
constructor's parameter. So `regressor.ridge.alpha` is the alpha of alternative `ridge` at step `regressor`; it exists
where `regressor` is `ridge`. A choose that is the whole model is called `model`. The parts of `columns:` and the
estimators of a list are on the way too: `prep.num.impute.strategy`, `estimators.forest.max_depth`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from hptune.errors import did_you_mean
from hptune.model import ChoicePoint, ParentValue
from hptune.models.nodes import (
    REMAINDER,
    ChooseNode,
    ClassNode,
    ColumnsNode,
    FunctionNode,
    NamedEstimators,
    Node,
    PipelineNode,
)
from hptune.spaces import SPACES

ROOT_CHOICE = "model"  # the path of a choose that is the whole model
_INNER = (ClassNode, ChooseNode, PipelineNode, ColumnsNode, FunctionNode, NamedEstimators)
_GROUPS: dict[type, tuple[str, str]] = {
    PipelineNode: ("a pipeline", "step"),
    ColumnsNode: ("columns", "part"),
    NamedEstimators: ("a list of estimators", "estimator"),
}


def join(*parts: str) -> str:
    """Return the path of these parts; empty parts vanish."""
    return ".".join(part for part in parts if part)


@dataclass(frozen=True)
class Place:
    """A node in the tree: its path, its config key, and the (parent path, name) pairs under which it exists."""

    node: Node | NamedEstimators
    path: str
    key: str
    conditions: tuple[ParentValue, ...] = ()

    def children(self) -> dict[str, Place]:
        """Return the places directly below by name: alternatives, steps, or parameters that are nodes."""
        match self.node:
            case ChooseNode(choose=choose) as node:
                listed = not isinstance(choose, dict)
                return {
                    name: Place(
                        child,
                        join(self.path, name),
                        f"{self.key}.choose.{number if listed else name}",
                        (*self.conditions, (self.path, name)),
                    )
                    for number, (name, child) in enumerate(node.alternatives.items())
                }
            case PipelineNode() as node:
                return self._listed(node.steps, "pipeline")
            case NamedEstimators() as node:
                return self._listed(node.estimators)
            case ColumnsNode() as node:
                parts = self._listed({name: part.with_ for name, part in node.parts.items()}, "columns", "with")
                return parts | ({} if node.remainder is None else {REMAINDER: self._below(REMAINDER, node.remainder)})
            case ClassNode() as node:
                return {
                    name: Place(child, join(self.path, name), f"{self.key}.params.{name}", self.conditions)
                    for name, child in node.params.items()
                    if isinstance(child, _INNER)
                }
        return {}

    def _below(self, name: str, node: Node) -> Place:
        return Place(node, join(self.path, name), join(self.key, name), self.conditions)

    def _listed(self, nodes: Mapping[str, Node], key: str = "", last: str = "") -> dict[str, Place]:
        """Return the places of nodes that stand in a list, each under its name."""
        return {
            name: Place(child, join(self.path, name), join(self.key, key, f"{number}.{name}", last), self.conditions)
            for number, (name, child) in enumerate(nodes.items())
        }


def root_place(node: Node) -> Place:
    """Return the place of the node that is the whole model."""
    return Place(node, ROOT_CHOICE if isinstance(node, ChooseNode) else "", "model")


def walk(place: Place) -> Iterator[Place]:
    """Yield the place and all below it, parents first, in declared order."""
    yield place
    for child in place.children().values():
        yield from walk(child)


def locate(root: Place, path: str) -> tuple[Place, tuple[str, ...]]:
    """Return the place of the node that a parameter belongs to, and the rest of its path from there.

    The rest is empty for a choose itself; otherwise the place is a class and the rest names its parameter. Raises
    ValueError for an unknown step or alternative, or a path that ends before it names a parameter.
    """
    parts = path.split(".")
    if not all(parts):
        raise ValueError(f"{path!r}: expected names joined by single dots")
    place = root
    if isinstance(root.node, ChooseNode):
        if parts[0] != ROOT_CHOICE:
            below = list(root.children())
            near = (
                f"; did you mean '{ROOT_CHOICE}.{path}'?"
                if parts[0] in below
                else f" and the alternative's name, as in '{ROOT_CHOICE}.{below[0]}.{path}'"
            )
            raise ValueError(f"{path}: the model is a choose, its paths begin with {ROOT_CHOICE!r}{near}")
        parts = parts[1:]
    while True:
        children = place.children()
        if isinstance(place.node, ChooseNode):
            if not parts:
                return place, ()
            if parts[0] not in children:
                raise ValueError(_no_alternative(path, place, parts))
        elif (group := _GROUPS.get(_group(place.node))) is not None:
            if not parts:
                raise ValueError(
                    f"{path}: names {group[0]}; name a parameter of a {group[1]} ({', '.join(children)})"
                )
            if parts[0] not in children:
                hint = _owner(place, parts) or did_you_mean(parts[0], children)
                if not hint:
                    hint = f" ({group[1]}s: {', '.join(children)})"
                    likely = _likely(place)
                    hint += f"; write {join(likely.path, parts[0])}, if it is of that" if len(parts) == 1 else ""
                where = f" in {place.path}" if place.path else ""
                raise ValueError(f"{path}: no {group[1]} {parts[0]!r}{where}{hint}")
        elif isinstance(place.node, (str, FunctionNode)):
            what = place.node if isinstance(place.node, str) else "a function"
            raise ValueError(f"{path}: {what} has no parameters")
        elif not parts:
            raise ValueError(
                f"{path}: names an estimator; name a parameter of it, or write a choose to search classes"
            )
        elif parts[0] not in children:
            return place, tuple(parts)
        place, parts = children[parts[0]], parts[1:]


def _likely(group: Place) -> Place:
    """Return the estimator of a group whose parameter is meant most often: that of the last step."""
    place = group
    while (children := list(place.children().values())) and not isinstance(place.node, ClassNode):
        place = children[-1 if isinstance(place.node, PipelineNode) else 0]
    return place


def _owner(group: Place, parts: list[str]) -> str:
    """Return a hint at the one estimator directly below that is known to have the parameter, "" if it is not one."""
    known = [
        name
        for name, child in group.children().items()
        if isinstance(child.node, ClassNode)
        and (
            parts[0] in child.node.params or (child.node.name in SPACES and parts[0] in SPACES[child.node.name].space)
        )
    ]
    return f"; did you mean {join(group.path, known[0], *parts)!r}?" if len(known) == 1 else ""


def _group(node: Node | NamedEstimators) -> type:
    """Return which kind of group of named nodes a node is (object if it is none)."""
    return next((kind for kind in _GROUPS if isinstance(node, kind)), object)


def canonical(root: Place, path: str) -> str:
    """Return a path as hptune writes it.

    Dots stand for scikit-learn's `__`, and the estimators of a list come after the parameter that holds the list:
    `stack__rf__max_depth` is `stack.estimators.rf.max_depth`. What leads nowhere is returned as it is, but for `__`.
    """
    waiting = path.replace("__", ".").split(".")
    place, out = root, []
    if isinstance(root.node, ChooseNode) and waiting[0] == ROOT_CHOICE:
        out.append(waiting.pop(0))
    while waiting:
        children = place.children()
        if waiting[0] not in children:
            lists = [name for name, one in children.items() if isinstance(one.node, NamedEstimators)]
            owner = next((name for name in lists if waiting[0] in children[name].children()), None)
            if owner is None:
                break
            waiting.insert(0, owner)
        out.append(waiting[0])
        place = children[waiting.pop(0)]
    return ".".join([*out, *waiting])


def _no_alternative(path: str, place: Place, parts: list[str]) -> str:
    names = place.children()
    hint = did_you_mean(parts[0], names)
    if not hint:
        hint = f" (alternatives: {', '.join(names)}); a parameter of one is {place.path}.{next(iter(names))}.NAME"
    return f"{path}: {place.path} has no alternative {parts[0]!r}{hint}"


def choice_points(root: Place) -> list[ChoicePoint]:
    """Return the choose points below a place, parents before children."""
    return [
        ChoicePoint(place.path, tuple(place.node.alternatives), place.conditions, f"{place.key}.choose")
        for place in walk(root)
        if isinstance(place.node, ChooseNode)
    ]


def combinations(root: Place) -> Iterator[dict[str, str]]:
    """Yield values of the choose points, so few that each alternative is taken once; first that of the defaults."""
    yield {}
    for place in walk(root):
        if isinstance(place.node, ChooseNode):
            for name in list(place.children())[1:]:
                yield {**dict(place.conditions), place.path: name}
