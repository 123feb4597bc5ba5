"""How the parameters of a tree of estimators are named, and under which choices they exist.

A parameter's path is the names on the way to it, joined by dots: the step, the alternative (after a choose), the
constructor's parameter. So `regressor.ridge.alpha` is the alpha of alternative `ridge` at step `regressor`; it exists
where `regressor` is `ridge`. A choose that is the whole model is called `model`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from hptune.errors import did_you_mean
from hptune.model import ChoicePoint, ParentValue
from hptune.models.nodes import PASSTHROUGH, ChooseNode, ClassNode, Node, PipelineNode

ROOT_CHOICE = "model"  # the path of a choose that is the whole model


def join(*parts: str) -> str:
    """Return the path of these parts; empty parts vanish."""
    return ".".join(part for part in parts if part)


@dataclass(frozen=True)
class Place:
    """A node in the tree: its path, its config key, and the (parent path, name) pairs under which it exists."""

    node: Node
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
                return {
                    name: Place(child, join(self.path, name), f"{self.key}.pipeline.{number}.{name}", self.conditions)
                    for number, (name, child) in enumerate(node.steps.items())
                }
            case ClassNode() as node:
                return {
                    name: Place(child, join(self.path, name), f"{self.key}.params.{name}", self.conditions)
                    for name, child in node.params.items()
                    if isinstance(child, (ClassNode, ChooseNode, PipelineNode))
                }
        return {}


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
            near = f"; did you mean '{ROOT_CHOICE}.{path}'?" if parts[0] in root.children() else ""
            raise ValueError(f"{path}: the model is a choose, its paths begin with {ROOT_CHOICE!r}{near}")
        parts = parts[1:]
    while True:
        children = place.children()
        if isinstance(place.node, ChooseNode):
            if not parts:
                return place, ()
            if parts[0] not in children:
                raise ValueError(_no_alternative(path, place, parts))
        elif isinstance(place.node, PipelineNode):
            if not parts:
                raise ValueError(f"{path}: names a pipeline; name a parameter of a step ({', '.join(children)})")
            if parts[0] not in children:
                hint = did_you_mean(parts[0], children) or f" (steps: {', '.join(children)})"
                where = f" in {place.path}" if place.path else ""
                raise ValueError(f"{path}: no step {parts[0]!r}{where}{hint}")
        elif place.node == PASSTHROUGH:
            raise ValueError(f"{path}: passthrough has no parameters")
        elif not parts:
            raise ValueError(
                f"{path}: names an estimator; name a parameter of it, or write a choose to search classes"
            )
        elif parts[0] not in children:
            return place, tuple(parts)
        place, parts = children[parts[0]], parts[1:]


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
