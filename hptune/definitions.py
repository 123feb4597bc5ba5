"""From KerasTuner's way of writing a hyperparameter to `Parameter`, and to and from KerasTuner's config dicts.

What differs from KerasTuner on purpose: a grid always reaches its maximum; `[True, False]` stays boolean; a choice
may mix types and hold None; a numeric choice is ordered by size however it was listed; numpy scalars become plain
Python.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from hptune.conditions import Condition
from hptune.errors import did_you_mean
from hptune.owned import fresh
from hptune.parameters import (
    SCALES,
    UNSET,
    Boolean,
    Choice,
    Fixed,
    Float,
    Int,
    Parameter,
    Unset,
    canonical,
)

When = tuple[Condition, ...]
Say = Callable[[str], None]


def bare(value: Any) -> Any:
    """Return the value without numpy: its scalars and arrays as plain Python, also inside lists and dicts."""
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, np.ndarray):
        return value.tolist()
    if isinstance(value, (list, tuple)):
        return [bare(one) for one in value]
    if isinstance(value, dict):
        return {key: bare(one) for key, one in value.items()}
    return value


def number(
    kind: type[Int] | type[Float],
    name: str,
    low: Any,
    high: Any,
    step: Any,
    sampling: str | None,
    default: Any,
    when: When,
    say: Say,
) -> Int | Float:
    """Return the `Int` or `Float` of KerasTuner's arguments; `say` is told of a default that had to be moved.

    Raises ValueError for anything inconsistent; a default outside the range or between two steps is brought to the
    nearest value.
    """
    scale = "linear" if sampling is None else sampling
    if scale not in SCALES:
        hint = did_you_mean(str(sampling), SCALES)
        raise ValueError(f"{name}: sampling: expected linear, log or reverse_log, found {sampling!r}{hint}")
    if scale != "linear" and low == 0:
        raise ValueError(
            f"{name}: a {scale} scale needs min_value > 0, found {low!r}; begin above it, or declare a "
            f"hptune.SearchSpace, whose {kind.__name__} takes extra=[0] for zero as well"
        )
    spacing = {} if step is None else {"step" if scale == "linear" else "factor": bare(step)}
    parameter = kind(name=name, when=when, low=bare(low), high=bare(high), scale=scale, **spacing)  # type: ignore[arg-type]
    if default is None:
        return replace(parameter, default=parameter.low)
    default = bare(default)
    if isinstance(default, bool) or not isinstance(default, (int, float)) or not math.isfinite(default):
        raise ValueError(f"{name}: default: expected a number, found {default!r}")
    nearest = parameter.nearest(default)
    if nearest != default:
        say(f"{name}: the default {default!r} is not one of its values; the nearest, {nearest!r}, is taken")
    return replace(parameter, default=nearest)


def choice(name: str, values: Any, ordered: bool | None, default: Any, when: When) -> Choice:
    """Return the `Choice` of KerasTuner's arguments.

    `ordered` None means: if all values are numbers. Numbers that are ordered are sorted; a value listed twice counts
    once. Raises ValueError for no values or a default that is not among them.
    """
    listed = (
        bare(list(values)) if isinstance(values, (Sequence, np.ndarray)) and not isinstance(values, str) else values
    )
    if not isinstance(listed, list) or not listed:
        raise ValueError(f"{name}: expected a list with at least one value, found {values!r}")
    first = listed[0]
    listed = _once(listed)
    numeric = all(isinstance(one, (int, float)) and not isinstance(one, bool) for one in listed)
    if ordered is None:
        ordered = numeric
    if ordered and numeric:
        listed.sort()
    if isinstance(default, Unset) or (default is None and None not in listed):
        default = first
    return Choice(name=name, when=when, values=tuple(listed), ordered=bool(ordered), default=bare(default))


def _once(values: list[Any]) -> list[Any]:
    """Return the values without those that were there before, by type and value."""
    try:
        if len({(type(one), one) for one in values}) == len(values):
            return values
    except TypeError:
        pass  # lists cannot be put into a set
    once: dict[str, Any] = {}
    for one in values:
        # repr only names what JSON cannot hold, until Choice refuses it with its own message
        once.setdefault(canonical(one) if _is_json(one) else repr(one), one)
    return list(once.values())


def _is_json(value: Any) -> bool:
    try:
        canonical(value)
    except (TypeError, ValueError):
        return False
    return True


def boolean(name: str, default: Any, when: When) -> Boolean:
    """Return the `Boolean` of KerasTuner's arguments; raises ValueError for a default that is not true or false."""
    default = bare(default)
    if default is None or (isinstance(default, int) and default in (0, 1)):
        default = bool(default)
    return Boolean(name=name, when=when, default=default)


def fixed(name: str, value: Any, when: When) -> Fixed:
    """Return the `Fixed` of KerasTuner's arguments; raises ValueError for a value that JSON cannot hold."""
    return Fixed(name=name, when=when, value=bare(value))


def same_definition(a: Parameter, b: Parameter) -> bool:
    """Return whether two parameters are the same but for name and conditions."""
    return _definition(a) == _definition(b)


def _definition(parameter: Parameter) -> str:
    return canonical({key: value for key, value in parameter.to_json().items() if key not in ("name", "when")})


# -- KerasTuner's config dicts ---------------------------------------------------------------------------------------


def to_config(parameter: Parameter) -> dict[str, Any]:
    """Return `{"class_name": ..., "config": {...}}` as KerasTuner writes it, the inverse of `from_config`."""
    config: dict[str, Any] = {"name": parameter.name}
    if not isinstance(parameter, Fixed):
        config["default"] = fresh(parameter.default_value)
    config["conditions"] = [_condition_config(one) for one in parameter.when]
    if isinstance(parameter, (Int, Float)):
        config["min_value"], config["max_value"] = parameter.low, parameter.high
        config["step"] = parameter.step if parameter.scale == "linear" else parameter.factor
        config["sampling"] = parameter.scale
        if parameter.extra:
            config["extra"] = list(parameter.extra)
    elif isinstance(parameter, Choice):
        config["values"], config["ordered"] = fresh(list(parameter.values)), parameter.ordered
        if parameter.weights is not None:
            config["weights"] = list(parameter.weights)
    elif isinstance(parameter, Fixed):
        config["value"] = fresh(parameter.value)
    return {"class_name": type(parameter).__name__, "config": config}


def from_config(data: Mapping[str, Any]) -> Parameter:
    """Return the parameter of a `to_config` dict; raises ValueError for anything else."""
    try:
        kind, config = data["class_name"], dict(data["config"])
        name, default = str(config["name"]), config.get("default", UNSET)
        when = tuple(_condition(one) for one in config.get("conditions", ()))
        match kind:
            case "Int" | "Float":
                extra = tuple(config.get("extra", ()))
                is_extra = not isinstance(default, Unset) and canonical(default) in map(canonical, extra)
                parameter = number(
                    Int if kind == "Int" else Float,
                    name,
                    config["min_value"],
                    config["max_value"],
                    config.get("step"),
                    config.get("sampling"),
                    None if is_extra or isinstance(default, Unset) else default,
                    when,
                    lambda _: None,
                )
                return replace(parameter, extra=extra, default=default if is_extra else parameter.default)
            case "Choice":
                weights = config.get("weights")
                made = choice(name, config["values"], config.get("ordered"), default, when)
                return made if weights is None else replace(made, weights=tuple(weights))
            case "Boolean":
                return boolean(name, None if isinstance(default, Unset) else default, when)
            case "Fixed":
                return fixed(name, config["value"], when)
    except (KeyError, TypeError) as error:
        raise ValueError(f"not the config of a hyperparameter ({error!r}): {data!r}") from None
    raise ValueError(f"class_name: expected Int, Float, Choice, Boolean or Fixed, found {kind!r}")


def _condition_config(condition: Condition) -> dict[str, Any]:
    if condition.op == "in":
        return {"class_name": "Parent", "config": {"name": condition.parameter, "values": list(condition.value)}}
    return {"class_name": "Condition", "config": condition.to_json()}  # KerasTuner has no comparisons


def _condition(data: Mapping[str, Any]) -> Condition:
    config = data["config"]
    if data["class_name"] == "Parent":
        return Condition(config["name"], "in", tuple(config["values"]))
    return Condition.from_json(config)
