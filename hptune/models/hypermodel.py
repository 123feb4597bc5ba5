"""`model: {hypermodel: pkg.mod:Class}`: code that declares its space while it builds, as in KerasTuner."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar

from pydantic import AfterValidator

from hptune.conditions import Constraint
from hptune.job import Finding
from hptune.model import EstimatorModel, Loader
from hptune.models.nodes import dotted
from hptune.space import SearchSpace


class HyperModelSpec(EstimatorModel):
    """A class with `build(hp)` (and, if it likes, `fit(hp, model, X, y)`), or a plain function `build(hp)`."""

    key: ClassVar[str] = "hypermodel"

    hypermodel: Annotated[str, AfterValidator(dotted)]
    """The class or build function, as package.module:name."""

    def imports(self) -> list[tuple[str, str]]:
        return [("model.hypermodel", self.hypermodel)]

    def examine(
        self, space: SearchSpace, load: Loader, later: Mapping[str, Constraint] | None = None
    ) -> tuple[SearchSpace, list[Finding]]:
        from hptune.worker.hypermodel import examine

        return examine(self.hypermodel, space, load, later or {})

    def build(self, values: Mapping[str, Any], *, space: SearchSpace, seed: int, load: Loader) -> Any:
        from hptune.worker.hypermodel import Built

        return Built(self.hypermodel, values, space=space, seed=seed, load=load).model

    def fit(
        self,
        values: Mapping[str, Any],
        X: Any,
        y: Any,
        *,
        space: SearchSpace,
        seed: int,
        load: Loader,
        weights: Any = None,
    ) -> Any:
        from hptune.worker.hypermodel import Built

        return Built(self.hypermodel, values, space=space, seed=seed, load=load).fit(X, y, weights)
