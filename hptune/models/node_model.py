"""What `class`, `pipeline` and `choose` models share: each is one estimator node, they differ in its form only."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any

from hptune.job import Finding
from hptune.model import ChoicePoint, EstimatorModel, Loader, ParentValue
from hptune.models.nodes import ClassNode, Node
from hptune.models.paths import Place, choice_points, combinations, locate, root_place, walk
from hptune.space import SearchSpace


class NodeModel(EstimatorModel):
    """A model that is an estimator node."""

    @property
    def node(self) -> Node:
        """The node that is the whole model."""
        raise NotImplementedError

    @cached_property
    def root(self) -> Place:
        """The place of that node."""
        return root_place(self.node)

    def choices(self) -> list[ChoicePoint]:
        return choice_points(self.root)

    def conditions_for(self, path: str) -> list[ParentValue]:
        return list(locate(self.root, path)[0].conditions)

    def imports(self) -> list[tuple[str, str]]:
        nodes = [(place.key, place.node) for place in walk(self.root)]
        return [(f"{key}.class", node.class_) for key, node in nodes if isinstance(node, ClassNode)]

    def variants(self) -> list[dict[str, str]]:
        return list(combinations(self.root))

    def build(self, values: Mapping[str, Any], *, space: SearchSpace, seed: int, load: Loader) -> Any:
        from hptune.models.estimators import build

        del space
        return build(self.root, values, seed=seed, load=load)

    def examine(self, space: SearchSpace, load: Loader) -> tuple[SearchSpace, list[Finding]]:
        from hptune.models.estimators import examine

        return examine(self.root, space, load)
