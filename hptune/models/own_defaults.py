"""Where the default configuration differs from what the estimator does by itself, said with mends that a config takes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from hptune.job import Finding
from hptune.parameters import Boolean, Choice, Fixed, Float, Int, Parameter
from hptune.parameters.base import plain_or_mapping


def unsaid_default(parameter: Parameter, target: str, own: str) -> list[Finding]:
    """Return the note that the default configuration cannot be the estimator's own, which says no value."""
    if isinstance(parameter, Fixed) or "default" in parameter.to_json():
        return []
    message = (
        f"{target}: left out ({own!r}), the estimator goes by a rule of its own, which is no value of the range; the "
        f"default configuration takes {_written(parameter.default_value)} ({_another(parameter)})"
    )
    return [Finding(key=f"space.{parameter.name}", message=message, severity="warning")]


def moved(
    declared: Parameter, parameter: Parameter, target: str, own: Any, apart: bool, alike: bool = True
) -> Finding | None:
    """Return the note that the default configuration differs from the estimator's own, where it does.

    `declared` is the config's parameter, `parameter` has the default that is taken, `target` is the path it sets;
    `apart`: the value that equals `own` means another thing to the estimator (see `estimators.examine`), as it would,
    not `alike`, if the range were to hold it.
    """
    if isinstance(declared, Fixed) or "default" in declared.to_json():
        return None
    if own is None and target.replace("__", ".").rpartition(".")[2] == "random_state":
        return None  # left out, it would get a seed
    found = parameter.default_value
    own = list(own) if isinstance(own, tuple) else own
    if not apart and found == own and isinstance(found, bool) == isinstance(own, bool):
        return None
    if not apart and declared.nearest(own) == own:  # only a tied parameter's: it has one default for all that it sets
        message = (
            f"{target}: the estimator's own default is {_written(own)}; the default configuration takes "
            f"{_written(found)} (write `default:` to choose another)"
        )
        return Finding(key=f"space.{declared.name}", message=message, severity="warning")
    where = "among the values" if isinstance(declared, Choice) else "in the range"
    why = f", as the {'float' if isinstance(own, float) else 'whole number'} that it is" if apart else ""
    mends = ", or ".join(_mends(declared, own, apart, alike))
    message = (
        f"the estimator's own default {_written(own)} is not {where}{why}; the default configuration takes "
        f"{_written(found)} ({mends}){_range_meant(declared)}"
    )
    return Finding(key=f"space.{declared.name}", message=message, severity="warning")


def _mends(declared: Parameter, own: Any, apart: bool, alike: bool) -> Iterator[str]:
    """Yield what to write to begin with another value, and to search the estimator's own as well."""
    if isinstance(declared, Choice) and _can_be_written(own):
        how = " with its weight" if declared.weights is not None else ", in order" if declared.ordered else ""
        yield f"add {_written(own)} to the values{how}"
    yield _another(declared)
    if isinstance(declared, Choice) or not _can_be_written(own):
        return
    if isinstance(declared, Boolean):
        yield f"list the values: [false, true, {_written(own)}]"
    elif apart:
        yield f"list the values with {_written(own)} among them"
    elif isinstance(declared, (Float, Int)):
        wider = {"low": min(declared.low, own), "high": max(declared.high, own)} if _is_number(own) else {}
        if wider and alike and _taken(declared, own, **wider):
            yield "widen the range"
        elif _taken(declared, own, extra=(*declared.extra, own)):
            yield f"`extra: {_written([*declared.extra, own])}` to search it as well"


def _range_meant(declared: Parameter) -> str:
    """Return how a range is written, for a choice between two numbers that may stand for one."""
    values = declared.values if isinstance(declared, Choice) else ()
    if len(values) != 2 or not all(map(_is_number, values)) or not values[0] < values[1]:
        return ""
    kind = "int" if all(isinstance(one, int) for one in values) else "float"
    if kind == "int" and values[1] - values[0] == 1:  # nothing lies between
        return ""
    low, high = map(_written, values)
    return f"; a list is a choice between its values, a range is {{type: {kind}, min: {low}, max: {high}}}"


def _another(declared: Parameter) -> str:
    # A short list of values takes no `default:`, and both forms begin with their first.
    movable = isinstance(declared, Choice) and not declared.ordered and declared.weights is None
    return "put another value first" if movable else "write `default:` to choose another"


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _can_be_written(value: Any) -> bool:
    """Return whether a space can hold a value: infinity it cannot."""
    try:
        plain_or_mapping(value, "")
    except ValueError:
        return False
    return True


def _taken(declared: Float | Int, own: Any, **changes: Any) -> bool:
    """Return whether the parameter can be declared like this, and then has the value."""
    try:
        found = replace(declared, **changes).coerce(own)
    except ValueError:
        return False
    return bool(found == own)


def _written(value: Any) -> str:
    """Return a value as a config writes it, in one line."""
    if isinstance(value, str):
        return "'" + value.replace("'", "''") + "'" if value.isprintable() else json.dumps(value)
    if isinstance(value, list):
        return f"[{', '.join(_written(one) for one in value)}]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_written(key)}: {_written(one)}" for key, one in value.items()) + "}"
    if value is None or isinstance(value, bool):
        return json.dumps(value)
    return repr(value)
