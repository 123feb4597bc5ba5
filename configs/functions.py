"""Functions to optimise, for `function.yaml`."""

from __future__ import annotations

import math
from collections.abc import Mapping

BRANIN_OPTIMUM = 0.397887
"""Branin's smallest value, at (-pi, 12.275), (pi, 2.275) and (9.42478, 2.475)."""


def branin(values: Mapping[str, float]) -> float:
    """Return Branin's function of x1 in [-5, 10] and x2 in [0, 15] (Dixon and Szego 1978)."""
    x1, x2 = values["x1"], values["x2"]
    valley = x2 - 5.1 / (4 * math.pi**2) * x1**2 + 5 / math.pi * x1 - 6
    return valley**2 + 10 * (1 - 1 / (8 * math.pi)) * math.cos(x1) + 10
