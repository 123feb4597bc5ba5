"""Which of two configurations is the simpler, for the one-standard-error rule.

A parameter counts if its name is known to make a model simpler in one direction (`alpha` high, `max_depth` low), or
if it is a choice: choices are simple in declared order, the first simplest. A value beside the range (`extra`) is
placed where it belongs: no limit (null) at the complex end, a number by its size; text does not count.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from hptune.parameters import Choice, Float, Int
from hptune.space import SearchSpace

_LOW = (
    "C degree gamma hidden_layer_sizes max_depth max_features max_iter max_leaf_nodes n_components n_estimators"
    " n_knots learning_rate"
)
_HIGH = (
    "alpha ccp_alpha epsilon l2_regularization lambda min_child_weight min_impurity_decrease min_samples_leaf"
    " min_samples_split n_neighbors reg_alpha reg_lambda var_smoothing"
)
SIMPLER_LOW: Final = frozenset(_LOW.split(" "))
SIMPLER_HIGH: Final = frozenset(_HIGH.split(" "))


def complexities(space: SearchSpace, configurations: Sequence[Mapping[str, Any]]) -> NDArray[np.float64]:
    """Return how complex each configuration is, shape (configurations,): the mean position of what counts, 0 to 1.

    A configuration of which nothing counts gets 1/2.
    """
    return np.array([_complexity(space, values) for values in configurations])


def _complexity(space: SearchSpace, values: Mapping[str, Any]) -> float:
    found = []
    for name, value in values.items():
        parameter = space[name]
        last = name.rpartition(".")[2].rpartition("__")[2]
        if isinstance(parameter, (Float, Int)) and (last in SIMPLER_LOW or last in SIMPLER_HIGH):
            position = _position(parameter, value, last)
            if position is not None:
                found.append(position if last in SIMPLER_LOW else 1 - position)
        elif isinstance(parameter, Choice) and parameter.count > 1:
            found.append([*parameter.values].index(value) / (parameter.count - 1))
    return math.fsum(found) / len(found) if found else 0.5


def _position(parameter: Float | Int, value: Any, last: str) -> float | None:
    """Return where a value lies from the low end (0) to the high end (1), None where nobody knows."""
    entry = parameter.encode(value)[-1]
    if not math.isnan(entry):
        return entry
    if value is None:
        return 1.0 if last in SIMPLER_LOW else None
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    if value <= 0 and last.startswith("max_"):
        return 1.0  # LightGBM's max_depth -1, XGBoost's 0, an SVM's max_iter -1: no limit
    if not parameter.low <= value <= parameter.high:
        return float(value > parameter.high)
    return parameter.map.encode(parameter.map.nearest(value))  # between two steps
