"""Hands weights and fit parameters to an estimator's `fit`. Worker only."""

from __future__ import annotations

import copy
import inspect
from collections.abc import Mapping
from typing import Any

import numpy as np

from hptune.class_keys import by_class, to_classes
from hptune.models.epochs import itself
from hptune.models.fit_params import WEIGHTS, Route


def weighing_classes(estimator: Any, y: Any) -> Any:
    """Return an unfitted estimator whose mappings by class (`class_weight`) have the classes of y (rows,) as keys."""
    if not hasattr(estimator, "get_params"):
        return estimator
    found = {
        name: value
        for name, value in estimator.get_params(deep=True).items()
        if by_class(name) and isinstance(value, Mapping) and any(isinstance(key, str) for key in value)
    }
    if not found:
        return estimator
    classes = dict.fromkeys(np.ravel(y).tolist())
    return estimator.set_params(**{name: to_classes(value, classes) for name, value in found.items()})


def takes(estimator: Any, argument: str) -> bool:
    """Return whether an estimator's `fit` names this argument."""
    return argument in _arguments(estimator)


def may_take(estimator: Any, argument: str) -> bool:
    """Return whether an estimator's `fit` names this argument, or takes any."""
    found = _arguments(estimator)
    return argument in found or any(one.kind is inspect.Parameter.VAR_KEYWORD for one in found.values())


def _arguments(estimator: Any) -> Mapping[str, inspect.Parameter]:
    try:
        inner = itself(estimator)
        return inspect.signature(estimator.fit if inner is estimator else inner.partial_fit).parameters
    except (AttributeError, TypeError, ValueError):
        return {}


def step_of(estimator: Any, steps: tuple[str, ...]) -> Any:
    """Return the step that a route leads to, None if there is nothing to fit (passthrough)."""
    for step in steps:
        estimator = dict(getattr(estimator, "steps", ())).get(step)
    return None if isinstance(estimator, str) else estimator


def weighted(estimator: Any) -> str | None:
    """Return the keyword by which the last step of an estimator takes weights, None if it does not.

    A resampling step before it changes the number of rows: then weights cannot be handed on.
    """
    steps: list[str] = []
    while hasattr(estimator, "steps"):
        if any(hasattr(step, "fit_resample") for _, step in estimator.steps):
            return None
        name, estimator = estimator.steps[-1]
        steps.append(name)
    return "__".join([*steps, "sample_weight"]) if takes(estimator, "sample_weight") else None


def arguments(
    estimator: Any, routes: Mapping[Route, Any], choices: Mapping[str, Any], weights: Any = None
) -> dict[str, Any]:
    """Return what `fit` is given beside X and y.

    `routes` are the fit parameters with their values, `choices` the alternative taken at each choose, `weights`
    (rows,) those of the rows to be fitted; they go to the last step where no fit parameter says otherwise.
    """
    out: dict[str, Any] = {}
    for route, value in routes.items():
        step = step_of(estimator, route.steps)
        chosen = all(choices.get(parent) == name for parent, name in route.conditions)
        if step is None or not chosen or (route.optional and not may_take(step, route.argument)):
            continue
        out[route.keyword] = weights if value == WEIGHTS else copy.deepcopy(value)
    if weights is not None and not any(value == WEIGHTS for value in routes.values()):
        keyword = weighted(estimator)
        if keyword is not None and keyword not in out:
            out[keyword] = weights
    return out
