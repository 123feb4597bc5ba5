"""What `class`, `pipeline` and `choose` models share: each is one estimator node, they differ in its form only."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

from pydantic import Field, SerializerFunctionWrapHandler, model_serializer

from hptune.conditions import Constraint
from hptune.evaluate import EvaluateSpec
from hptune.job import Finding
from hptune.model import ChoicePoint, EstimatorModel, Loader, ParentValue
from hptune.models.fit_params import Route, route
from hptune.models.nodes import ChooseNode, ClassNode, FunctionNode, Node, PipelineNode
from hptune.models.paths import Place, canonical, choice_points, combinations, locate, root_place, walk
from hptune.parameters import Fixed
from hptune.space import SearchSpace


class NodeModel(EstimatorModel):
    """A model that is an estimator node."""

    fit_params: dict[str, Any] = Field(default_factory=dict)
    """What fit is given beside X and y: a constant by step and argument; `weights` is the column data.weights."""

    @model_serializer(mode="wrap")
    def _written(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Leave out `fit_params` where there are none, as in nearly every config."""
        return {key: value for key, value in handler(self).items() if key != "fit_params" or value}

    @property
    def node(self) -> Node:
        """The node that is the whole model."""
        raise NotImplementedError

    @cached_property
    def root(self) -> Place:
        """The place of that node."""
        return root_place(self.node)

    @cached_property
    def maps(self) -> bool:
        """Whether a mapping stands among its `params`."""
        nodes = (place.node for place in walk(self.root))
        return any(
            isinstance(v, Mapping) for node in nodes if isinstance(node, ClassNode) for v in node.params.values()
        )

    def canonical(self, path: str) -> str:
        """Return a parameter's path as hptune writes it, for any of its spellings."""
        return canonical(self.root, path)

    def choices(self) -> list[ChoicePoint]:
        return choice_points(self.root)

    def conditions_for(self, path: str) -> list[ParentValue]:
        return list(locate(self.root, path)[0].conditions)

    def imports(self) -> list[tuple[str, str]]:
        out = []
        for place in walk(self.root):
            if isinstance(place.node, ClassNode):
                out.append((f"{place.key}.class", place.node.class_))
            elif isinstance(place.node, FunctionNode):
                out.append((f"{place.key}.function", place.node.function))
        return out

    def variants(self) -> list[dict[str, str]]:
        return list(combinations(self.root))

    def check(self, space: SearchSpace, evaluate: EvaluateSpec, folder: Path) -> list[Finding]:
        del space, evaluate, folder
        out = []
        for name in self.fit_params:
            try:
                route(self.root, name)
            except ValueError as error:
                key = f"model.fit_params.{name}"
                out.append(Finding(key=key, message=str(error).removeprefix(f"{name}: ")))
        return out

    # -- worker only ------------------------------------------------------------------------------------------------

    def build(self, values: Mapping[str, Any], *, space: SearchSpace, seed: int, load: Loader) -> Any:
        from hptune.models.estimators import build

        return build(self.root, self.spread(values, space), seed=seed, load=load)

    def prepared(self, estimator: Any, values: Mapping[str, Any], y: Any) -> Any:
        from hptune.models.fitting import weighing_classes

        mappings = self.maps or any(isinstance(value, Mapping) for value in values.values())
        return weighing_classes(estimator, y) if mappings else estimator

    def arguments(self, estimator: Any, values: Mapping[str, Any], weights: Any = None) -> dict[str, Any]:
        from hptune.models.fitting import arguments

        return arguments(estimator, self.routes, self.taken(values), weights)

    def untuned(
        self, values: Mapping[str, Any], space: SearchSpace, tuned: frozenset[str] = frozenset()
    ) -> tuple[str, int]:
        taken, place = self.taken(values), self.root
        while isinstance(place.node, ChooseNode):
            place = place.children()[taken[place.path]]
        if not isinstance(place.node, PipelineNode):
            return place.path, 0
        # A fixed value under a condition is there for some configurations only.
        searched = [p for p in space if not isinstance(p, Fixed) or p.when or p.name in tuned]
        targets = [target for p in searched for target in (p.sets or (p.name,))]
        steps = list(place.children().values())[:-1]
        changes = [any(t == step.path or t.startswith(f"{step.path}.") for t in targets) for step in steps]
        return place.path, changes.index(True) if True in changes else len(steps)

    @property
    def routes(self) -> dict[Route, Any]:
        """Where each fit parameter goes, with its value; raises ValueError for one that leads nowhere."""
        return {route(self.root, name): value for name, value in self.fit_params.items()}

    def taken(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """Return the alternative that a configuration takes at each choose."""
        return {point.path: values.get(point.path, point.names[0]) for point in self.choices()}

    def spread(self, values: Mapping[str, Any], space: SearchSpace) -> dict[str, Any]:
        """Return the values by the paths that they set: a tied parameter's stands under each of its own."""
        out: dict[str, Any] = {}
        for name, value in values.items():
            targets = space[name].sets if name in space else ()
            out.update(dict.fromkeys(targets or (name,), value))
        return out

    def examine(
        self, space: SearchSpace, load: Loader, later: Mapping[str, Constraint] | None = None
    ) -> tuple[SearchSpace, list[Finding]]:
        from hptune.models.estimators import examine

        del later  # all that this model has is known from the config
        return examine(self.root, space, load)
