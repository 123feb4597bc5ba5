"""What every kind of `model:` is: its options, the names it gives to parameters, and what a worker can do with it.

The kinds stand in `hptune/models/`, one a file. A spec is read by the coordinator, which imports no scikit-learn;
whatever needs it is imported inside the methods that only a worker calls.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Protocol

from hptune.conditions import Constraint
from hptune.evaluate import MEASURED, EvaluateSpec
from hptune.job import Finding
from hptune.space import SearchSpace
from hptune.spec import Spec
from hptune.trial import Failure

ParentValue = tuple[str, str]


class Loader(Protocol):
    """Returns the object a dotted name stands for, if it may be imported (see `worker.imports.Importer`)."""

    def __call__(self, name: str, *, key: str = ..., wanted: str = ...) -> Any: ...


@dataclass(frozen=True)
class ChoicePoint:
    """A `choose` in the model: a choice parameter of the space that no one has to declare.

    `path` is its parameter path, `names` its values in declared order (the first is the default), `conditions` the
    (parent path, name) pairs that must hold for it to be active, `key` where it stands in the config.
    """

    path: str
    names: tuple[str, ...]
    conditions: tuple[ParentValue, ...]
    key: str


class ModelSpec(Spec):
    """The options of one kind of model. `key` is the YAML key that names the kind."""

    key: ClassVar[str]
    makes_estimator: ClassVar[bool] = True
    """Whether `build` gives an estimator to cross-validate, else the model measures itself (`measure`)."""

    keeps_logs: ClassVar[bool] = False
    """Whether the output of trials that succeeded is kept too (a command's is, it is all there is to see)."""

    def choices(self) -> list[ChoicePoint]:
        """Return the model's choose points, parents before children."""
        return []

    def conditions_for(self, path: str) -> list[ParentValue]:
        """Return the (parent path, name) pairs under which the parameter at `path` exists.

        Raises ValueError for a path that leads to no estimator of this model.
        """
        del path
        return []

    def imports(self) -> list[tuple[str, str]]:
        """Return the (config key, dotted name) of everything that running this model imports."""
        return []

    def programs(self) -> list[str]:
        """Return the command lines that running this model starts."""
        return []

    def check(self, space: SearchSpace, evaluate: EvaluateSpec, folder: Path) -> list[Finding]:
        """Return what is wrong with the model for this space and metric, without importing or running anything.

        `folder` is the config's.
        """
        del space, evaluate, folder
        return []

    def examine(
        self, space: SearchSpace, load: Loader, later: Mapping[str, Constraint] | None = None
    ) -> tuple[SearchSpace, list[Finding]]:
        """Return the space to search (with the model's own defaults) and what is wrong with it; worker only.

        `later` are the constraints on parameters that only a hypermodel knows, by their key path.
        """
        del load, later
        return space, []


class NoModel(ModelSpec):
    """No `model:`: configurations are asked for and their scores told by a script outside (`hptune ask`, `hptune tell`)."""

    key = ""
    makes_estimator = False


class EstimatorModel(ModelSpec):
    """A model that is an estimator in scikit-learn's sense: hptune fits and scores it on folds."""

    def variants(self) -> list[dict[str, str]]:
        """Return values of the choose points, so few that each alternative is taken once; first the defaults ({})."""
        return [{}]

    def build(self, values: Mapping[str, Any], *, space: SearchSpace, seed: int, load: Loader) -> Any:
        """Return a fresh, unfitted estimator for one configuration of `space`; worker only.

        A parameter without a value takes its default. `seed` goes to every `random_state` that neither the config nor
        the values fix.
        """
        raise NotImplementedError

    def untuned(
        self, values: Mapping[str, Any], space: SearchSpace, tuned: frozenset[str] = frozenset()
    ) -> tuple[str, int]:
        """Return the path of the pipeline that a configuration builds and how many of its leading steps, the last
        left out, are the same for all configurations of `space` that build it.

        `tuned` are parameters that change although the space fixes them (the resource of a lower fidelity).
        """
        del values, space, tuned
        return "", 0

    def prepared(self, estimator: Any, values: Mapping[str, Any], y: Any) -> Any:
        """Return an unfitted estimator of a configuration as it is to be fitted to y (rows,); worker only."""
        del values, y
        return estimator

    def arguments(self, estimator: Any, values: Mapping[str, Any], weights: Any = None) -> dict[str, Any]:
        """Return what an unfitted estimator's `fit` is given beside X and y; worker only."""
        del estimator, values, weights
        return {}

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
        """Return an estimator for one configuration, fitted to X (rows, features) and y (rows,); worker only.

        `weights` (rows,) are those of the rows; whether they are used is the model's affair.
        """
        estimator = self.prepared(self.build(values, space=space, seed=seed, load=load), values, y)
        estimator.fit(X, y, **self.arguments(estimator, values, weights))
        return estimator


@dataclass(frozen=True, kw_only=True)
class Call:
    """What a model that measures itself may ask for beside its values, each only if its signature names it."""

    seed: int
    report: Callable[[float, float], None]
    data: Mapping[str, Any]
    metrics: tuple[str, ...] = (MEASURED,)
    """The names of the metric and of those under `evaluate.also`."""
    trial: int = -1
    fold: int = 0
    fidelity: float | None = None
    folder: str = "."
    """The config's folder."""
    work: str | None = None
    """The trial's own folder in the run directory (it may not exist yet), None without a run directory."""


class TrialFailed(Exception):
    """A model's word that it cannot be measured: a failure whose kind and message it knows best."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.message)
        self.failure = failure


class MeasuringModel(ModelSpec):
    """A model that is given a configuration and returns its metric (a function, a command)."""

    makes_estimator: ClassVar[bool] = False

    def folds(self, evaluate: EvaluateSpec) -> int:
        """Return how many measurements make a trial."""
        del evaluate
        return 1

    def callable_with(self, load: Loader, *, data: bool) -> list[Finding]:
        """Return why it cannot be called, with `data` or without; worker only."""
        del load, data
        return []

    def measure(self, values: Mapping[str, Any], call: Call, *, load: Loader) -> Any:
        """Return what the model returned, unchecked: a number, or a mapping that holds the metric; worker only.

        May raise `TrialFailed`; any other exception is a failure of kind error.
        """
        raise NotImplementedError
