"""Which of two configurations is the simpler, for the one-standard-error rule.

A parameter counts if its name is known to make a model simpler in one direction (`alpha` high, `max_depth` low), or
if it is a choice: choices are simple in declared order, the first simplest.
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
            entries = parameter.encode(value)
            if not math.isnan(entries[-1]):
                found.append(entries[-1] if last in SIMPLER_LOW else 1 - entries[-1])
        elif isinstance(parameter, Choice) and parameter.count > 1:
            found.append([*parameter.values].index(value) / (parameter.count - 1))
    return math.fsum(found) / len(found) if found else 0.5
