"""Wraps a user's `build(hp)`, a class's or a plain function, into what every estimator model can do."""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from hptune.conditions import Condition, Constraint, Forbid
from hptune.dataset import bad
from hptune.errors import did_you_mean
from hptune.hyperparameters import HyperParameters
from hptune.job import Finding
from hptune.model import Loader
from hptune.models.estimators import seeded
from hptune.models.fitting import weighing_classes, weighted
from hptune.parameters import Fixed, Parameter
from hptune.places import plain_name
from hptune.reachable import TOO_LITTLE, share_too_small
from hptune.recording import RecordingError, record
from hptune.space import SearchSpace

KEY = "model.hypermodel"


class Built:
    """The model that a hypermodel builds for one configuration of `space`, with what is needed to fit it.

    A fresh instance of a hypermodel class serves each configuration, so that `fit` finds on `self` what `build` left
    there, and nothing of the trial before. Raises `ConfigError` for a name that cannot be used, TypeError if
    `build(hp)` returns no estimator.
    """

    def __init__(self, name: str, values: Mapping[str, Any], *, space: SearchSpace, seed: int, load: Loader) -> None:
        self.owner, build = _opened(name, load)
        self.hp = HyperParameters.from_values(space, values) if len(space) else HyperParameters()
        model = build(self.hp)
        if not (hasattr(model, "fit") and hasattr(model, "predict")):
            raise TypeError(f"{name}: expected build(hp) to return an estimator, it returned {type(model).__name__}")
        self.model = seeded(model, seed) if hasattr(model, "get_params") and hasattr(model, "set_params") else model

    def fit(self, X: Any, y: Any, weights: Any = None) -> Any:
        """Return the fitted model: what the hypermodel's own `fit` returns if it can predict, else what was built.

        `weights` (rows,) go to the model's `fit` as `sample_weight` if it takes that; a `fit` of the hypermodel's own
        gets them if its signature names `sample_weight`.
        """
        self.model = weighing_classes(self.model, y)
        own = getattr(self.owner, "fit", None)
        if own is None:
            keyword = None if weights is None else weighted(self.model)
            fitted = self.model.fit(X, y, **({} if keyword is None else {keyword: weights}))
        else:
            named = weights is not None and "sample_weight" in inspect.signature(own).parameters
            fitted = own(self.hp, self.model, X, y, **({"sample_weight": weights} if named else {}))
        return fitted if hasattr(fitted, "predict") else self.model


def _opened(name: str, load: Loader) -> tuple[Any, Callable[[HyperParameters], Any]]:
    """Return the hypermodel's instance (None for a function) and its build function."""
    found = load(name, key=KEY, wanted="function")
    if not isinstance(found, type):
        return None, found
    if not callable(getattr(found, "build", None)):
        raise bad(KEY, f"{name} has no method build(hp)")
    try:
        owner = found()
    except TypeError as error:
        raise bad(KEY, f"{name} cannot be made without arguments: {error}") from error
    return owner, owner.build


def examine(
    name: str, declared: SearchSpace, load: Loader, later: Mapping[str, Constraint]
) -> tuple[SearchSpace, list[Finding]]:
    """Return the space that `build(hp)` records, and what is wrong with it.

    Parameters that the config declares take the place of those of the same name; its constraints hold, those of
    `later` (by key path) included, which name parameters that the config does not declare.
    """
    _opened(name, load)  # what is wrong with the name itself is told as such, not as a failed recording
    findings: list[Finding] = []
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            space = record(lambda hp: _opened(name, load)[1](hp))
            # A name that several scopes define differently stands in the space once for each (`layers@model=v1`).
            names = {plain_name(parameter.name): None for parameter in space}
            for parameter in declared:
                if parameter.name not in space and parameter.name not in names:
                    hint = did_you_mean(parameter.name, names)
                    message = f"{name} has no hyperparameter {parameter.name!r}{hint}"
                    findings.append(Finding(key=f"space.{parameter.name}", message=message))
            if len(declared) and not findings:
                start = HyperParameters()
                start.merge([_as_in_model(parameter, space) for parameter in declared])
                space = record(lambda hp: _opened(name, load)[1](hp), start=start)
            bound, faults = _bound_all(later, space)
            findings += faults
            space = SearchSpace(space.parameters, (*declared.constraints, *bound))
        except RecordingError as error:
            return declared, [Finding(key=KEY, message=str(error))]
        except ValueError as error:  # the config's constraints do not fit the model's hyperparameters
            return declared, [Finding(key="constraints", message=str(error))]
    if not findings and share_too_small(space):
        findings.append(Finding(key="constraints", message=TOO_LITTLE))
    said = dict.fromkeys(str(one.message) for one in caught)
    return space, findings + [Finding(key=KEY, message=message, severity="warning") for message in said]


def _bound_all(later: Mapping[str, Constraint], space: SearchSpace) -> tuple[list[Constraint], list[Finding]]:
    """Return the constraints as they bind in the recorded space, and what is wrong with the others."""
    bound, findings = [], []
    for key, constraint in later.items():
        try:
            one = _bound(constraint, space)
        except ValueError as error:
            findings.append(Finding(key=key, message=str(error)))
        else:
            bound += [] if one is None else [one]
    return bound, findings


def _bound(constraint: Constraint, space: SearchSpace) -> Constraint | None:
    """Return a constraint with values as the recorded parameters hold them; None if it can forbid nothing.

    Raises ValueError for a name that the model does not have, or a value that its parameter does not have.
    """
    for name in constraint.names:
        if name not in space:
            raise ValueError(_unknown(name, space))
    if not isinstance(constraint, Forbid):
        return constraint
    conditions = []
    for condition in constraint.conditions:
        parent, value = space[condition.parameter], condition.value
        if isinstance(parent, Fixed):  # by the config, which may forbid what it leaves out
            if not condition.holds({parent.name: parent.value}):
                return None
            condition = Condition(parent.name, "eq", parent.value)
        elif condition.op in ("eq", "ne"):
            condition = replace(condition, value=parent.coerce(value))
        elif condition.op == "in":
            condition = replace(condition, value=tuple(parent.coerce(one) for one in value))
        conditions.append(condition)
    return Forbid(tuple(conditions))


def _unknown(name: str, space: SearchSpace) -> str:
    several = [one.name for one in space if plain_name(one.name) == name]
    if several:
        return f"{name} is several hyperparameters ({', '.join(several)}); declare {name} once under space:"
    names = ", ".join(space.by_name) or "none"
    return f"the model has no hyperparameter {name!r}{did_you_mean(name, space.by_name) or f'; it has {names}'}"


def _as_in_model(declared: Parameter, recorded: SearchSpace) -> Parameter:
    """Return a declared parameter under the name it has in the model.

    One that names a single definition of several (`layers@model=v1`) stands where that one does.
    """
    name = plain_name(declared.name)
    if declared.name not in recorded or name == declared.name:
        return declared
    when = tuple(replace(one, parameter=plain_name(one.parameter)) for one in recorded[declared.name].when)
    return replace(declared, name=name, when=when)
