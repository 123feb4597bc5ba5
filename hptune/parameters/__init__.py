"""The kinds of parameter a search space is made of: `Float`, `Int`, `Choice`, `Boolean`, `Fixed`.

A parameter knows its values, its default, when it is active, and how it stands in the encoding: as one or two columns
(see `Column`). Values are plain Python: float, int, str, bool, None, or a list of those.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hptune.conditions import Condition
from hptune.parameters.base import UNSET, Column, Listed, Parameter, Unset, When, canonical
from hptune.parameters.choices import Boolean, Choice, Fixed
from hptune.parameters.numeric import SCALES, Float, Int

__all__ = [
    "SCALES",
    "UNSET",
    "Boolean",
    "Choice",
    "Column",
    "Fixed",
    "Float",
    "Int",
    "Listed",
    "Parameter",
    "Unset",
    "When",
    "canonical",
    "parameter_from_json",
]


def parameter_from_json(data: Mapping[str, Any]) -> Parameter:
    """Return the parameter that `Parameter.to_json` described; raises ValueError for anything else."""
    options = dict(data)
    kind = options.pop("type", None)
    name = options.pop("name", None)
    if not isinstance(name, str):
        raise ValueError(f"a parameter needs a name, found {name!r}")
    when = tuple(Condition.from_json(one) for one in options.pop("when", ()))
    for short, long in (("min", "low"), ("max", "high")):
        if short in options:
            options[long] = options.pop(short)
    for key in ("extra", "values", "weights", "sets"):
        if isinstance(options.get(key), list):
            options[key] = tuple(options[key])
    kinds: dict[Any, type[Parameter]] = {one.type: one for one in (Float, Int, Choice, Boolean, Fixed)}
    if kind not in kinds:
        raise ValueError(f"{name}: type: expected {', '.join(kinds)}, found {kind!r}")
    try:
        return kinds[kind](name=name, when=when, **options)
    except TypeError as error:
        raise ValueError(f"{name}: {error}") from None
