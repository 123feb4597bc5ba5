"""The oracle's resource in the config: its parameter stands in the space, fixed at the whole amount.

So every configuration holds it, the finals, the refit and `best.yaml` train in full without knowing of fidelities,
and a trial at a lower one is given less of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from hptune.config.paths import Path
from hptune.config.sources import Sources
from hptune.config.space_rules import Declared
from hptune.config.specs import StudyConfig
from hptune.config.spelling import Spelling
from hptune.errors import Problem
from hptune.model import EstimatorModel
from hptune.models.epochs import EPOCHS, last_steps
from hptune.models.function import FunctionModel
from hptune.models.node_model import NodeModel
from hptune.models.paths import join
from hptune.oracles.halving import Halving
from hptune.parameters import Fixed
from hptune.resource import ROWS, STEPS, Resource
from hptune.space import SearchSpace

DRAWS = 500
"""Configurations that are looked at to see whether all of them have the resource."""

KEY: Path = ("oracle", "resource")


def resource_of(config: StudyConfig | None) -> Resource | None:
    """Return the resource that a config's oracle spends, its parameter's path as hptune writes it; None without.

    `epochs` alone are those of the last step.
    """
    found = None if config is None else config.oracle.to_spend()
    if found is None or config is None or not found.is_parameter:
        return found
    if not isinstance(config.model, NodeModel):
        return found
    root = config.model.root
    if found.name == EPOCHS and EPOCHS not in config.space and EPOCHS not in root.children():
        lasts = list(last_steps(root))
        return replace(found, name=join(lasts[0], EPOCHS)) if len(lasts) == 1 else found
    try:
        return replace(found, name=config.model.canonical(found.name))
    except ValueError:  # no such path: the space will say so
        return found


def with_parameter(value: Mapping[str, Any], resource: Resource | None, spelling: Spelling) -> Mapping[str, Any]:
    """Return the config with the resource's parameter in its space, if it is not there."""
    space = value.get("space") or {}
    if (
        resource is None
        or not resource.is_parameter
        or not isinstance(space, Mapping)
        or resource.name in spelling.keys
    ):
        return value
    return {**value, "space": {**space, resource.name: resource.amount(None)}}


def moved(problems: list[Problem], resource: Resource | None, sources: Sources, spelling: Spelling) -> list[Problem]:
    """Return the problems with those of a parameter that only `oracle.resource` names told there."""
    if resource is None:
        return problems
    return [
        sources.problem(KEY, one.message, severity="warning" if one.severity == "warning" else "error")
        if told_elsewhere(one.key, resource, spelling)
        else one
        for one in problems
    ]


def told_elsewhere(key: str, resource: Resource | None, spelling: Spelling) -> bool:
    """Return whether a problem's key is that of a parameter that stands under `oracle.resource` only."""
    if resource is None or key not in (f"space.{resource.name}", f"space.{resource.name}.value"):
        return False
    return resource.name not in spelling.keys


def _everywhere(space: SearchSpace, name: str) -> bool:
    """Return whether a parameter is active in all of many configurations: tied alternatives may cover the space."""
    rng = np.random.default_rng(0)
    return all(name in space.draw(rng.random(len(space.columns))) for _ in range(DRAWS))


def checks(
    config: StudyConfig, declared: Declared, resource: Resource | None, sources: Sources, spelling: Spelling
) -> list[Problem]:
    """Return what is wrong with the oracle's resource for this model and space."""
    oracle = config.oracle
    if isinstance(oracle, Halving) and resource is None:
        message = (
            f"{oracle.type} gives trials less of something at first and has to know of what: add resource: (the path "
            "of a parameter that counts iterations, such as max_iter, with min: and max:; or rows, or steps)"
        )
        return [sources.problem(("oracle",), message)]
    if resource is None:
        return []
    if resource.name == STEPS and not isinstance(config.model, FunctionModel):
        message = "steps are what a function model reports; here take a parameter that counts iterations, or rows"
        return [sources.problem(KEY, message)]
    if resource.name == ROWS and not isinstance(config.model, EstimatorModel):
        message = f"a {type(config.model).key} model has no rows that hptune divides; take a parameter, or steps"
        return [sources.problem(KEY, message)]
    if not resource.is_parameter or declared.space is None or resource.name not in declared.space:
        return []
    parameter, whole = declared.space[resource.name], resource.amount(None)
    written = spelling.keys.get(resource.name)
    at: Path = KEY if written is None else ("space", written)
    if not isinstance(parameter, Fixed) or parameter.value != whole or isinstance(parameter.value, bool):
        message = (
            f"the oracle's resource cannot be searched as well: take it out of the space (or fix it at {whole}, the "
            "oracle's max)"
        )
        return [sources.problem(at, message)]
    if parameter.when and not _everywhere(declared.space, resource.name):
        only = " and ".join(str(condition) for condition in parameter.when)
        message = (
            f"exists only where {only}: every configuration must have the resource; where the alternatives all "
            "have one, tie them: `space: {iterations: {type: fixed, value: "
            f"{whole}, sets: [a.max_iter, b.n_estimators]}}}}` and resource: iterations"
        )
        return [sources.problem(at, message)]
    return []
