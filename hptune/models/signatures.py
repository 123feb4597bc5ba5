"""What the constructor of an estimator's class takes."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Mapping
from typing import Any


@functools.cache
def signature(cls: Any) -> Mapping[str, inspect.Parameter]:
    """Return the parameters of a class by name, none where Python cannot tell."""
    try:
        return inspect.signature(cls).parameters
    except (TypeError, ValueError):
        return {}


def fitting(cls: type, name: str, value: Any) -> Any:
    """Return a list as a tuple where the class wants one (YAML and JSON have no tuples), else the value."""
    if not isinstance(value, list):
        return value
    declared = getattr(cls, "_parameter_constraints", {})
    wanted = declared.get(name) if isinstance(declared, dict) else None
    if isinstance(wanted, list) and any(one is tuple for one in wanted) and not any(one is list for one in wanted):
        return tuple(value)
    parameter = signature(cls).get(name)
    return tuple(value) if parameter is not None and isinstance(parameter.default, tuple) else value
