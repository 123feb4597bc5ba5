"""How problems are worded: what pydantic expected, what a config held, and the mends that the two suggest."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Mapping, Sequence
from typing import Any

from hptune.config.yaml_scalars import resolve, shortened
from hptune.errors import did_you_mean
from hptune.spec import Spec

_BOUNDS = {
    "greater_than": ("gt", "a number above {}"),
    "greater_than_equal": ("ge", "a number of at least {}"),
    "less_than": ("lt", "a number below {}"),
    "less_than_equal": ("le", "a number of at most {}"),
    "multiple_of": ("multiple_of", "a multiple of {}"),
}
_KINDS = {
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "string": "text",
    "list": "a list",
    "tuple": "a list",
    "dict": "a mapping",
    "model": "a mapping",
    "mapping": "a mapping",
    "dataclass": "a mapping",
    "finite": "a finite number",
    "none": "null",
}
_COLON = re.compile(r"([A-Za-z_][\w.]*):(\S.*)", re.DOTALL)


def found(value: Any) -> str:
    """Return how a config's value is named in a message."""
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict):
        return "a mapping" if value else "an empty mapping"
    if isinstance(value, (list, tuple)):
        return "a list" if value else "an empty list"
    if isinstance(value, str):
        return f"{shortened(value)!r}" if value else "empty text"
    return str(value)


def expectation(error: Mapping[str, Any]) -> str:
    """Return what pydantic wanted, to stand between "expected " and ", found ..."."""
    kind, context = str(error["type"]), error.get("ctx", {})
    if kind in _BOUNDS:
        name, text = _BOUNDS[kind]
        return text.format(f"{context[name]:g}" if isinstance(context[name], float) else context[name])
    if kind == "literal_error":
        return ", ".join(_literals(error)).replace(", ", " or ") if len(_literals(error)) < 3 else _listed(error)
    if kind in ("too_short", "string_too_short"):
        least = context["min_length"]
        what = "text" if kind.startswith("string") else f"at least {least} item{'s' * (least > 1)}"
        return what if least == 1 or not kind.startswith("string") else f"{what} of at least {least} characters"
    if kind in ("too_long", "string_too_long"):
        return f"at most {context['max_length']} {'characters' if kind.startswith('string') else 'items'}"
    known = _KINDS.get(kind.split("_")[0])
    return known if known is not None else str(error["msg"]).removeprefix("Input should be ")


def _listed(error: Mapping[str, Any]) -> str:
    return f"one of {', '.join(_literals(error))}"


def _literals(error: Mapping[str, Any]) -> list[str]:
    """Return the values of a Literal as YAML has them, from pydantic's "'a', 'b' or 'c'"."""
    names = re.findall(r"'([^']*)'|\b(True|False|None|-?\d+)\b", str(error.get("ctx", {}).get("expected", "")))
    return [text or {"True": "true", "False": "false", "None": "null"}.get(bare, bare) for text, bare in names]


def hint(errors: Sequence[Mapping[str, Any]], value: Any) -> str:
    """Return the mend that the value suggests, as the end of a message, "" if none."""
    kinds = {str(one["type"]) for one in errors}
    literals = [name for one in errors if one["type"] == "literal_error" for name in _literals(one)]
    if isinstance(value, str):
        close = did_you_mean(value, literals)
        if close:
            return close
        if "bool_type" in kinds and value.lower() in ("yes", "on", "y", "no", "off", "n"):
            return f"; write {'true' if value.lower() in ('yes', 'on', 'y') else 'false'}"
        if kinds & {"int_type", "float_type"} and _is_number(value):
            return "; write it without quotes"
        match = _COLON.fullmatch(value)
        if match and kinds & {"dict_type", "model_type", "model_attributes_type", "mapping_type", "list_type"}:
            return f"; is a space missing after the colon ({match[1]}: {shortened(match[2])})?"
        if "list_type" in kinds:
            return f"; write [{shortened(value)}]"
    if "string_type" in kinds and isinstance(value, (int, float, bool)):
        return "; quote it if it is meant as text"
    if isinstance(value, (int, float, list)) and "model_type" in kinds:
        return _under_its_key(errors, value)
    if isinstance(value, dict) and len(value) == 1 and kinds & {"string_type"} and next(iter(value.values())) is None:
        return "; quote text with braces"
    return ""


def _under_its_key(errors: Sequence[Mapping[str, Any]], value: Any) -> str:
    """Return `; write {fraction: 0.2}` for a value that just one of a mapping's keys would take, else ""."""
    named = {str(one.get("ctx", {}).get("class_name")) for one in errors if one["type"] == "model_type"}
    waiting: list[type[Spec]] = [Spec]
    fitting: list[str] = []
    while waiting:
        spec = waiting.pop()
        waiting += spec.__subclasses__()
        for name, field in spec.model_fields.items() if spec.__name__ in named else ():
            with contextlib.suppress(ValueError):
                spec.model_validate({field.alias or name: value})
                fitting.append(field.alias or name)
    if len(fitting) != 1:
        return ""
    shown = f"[{', '.join(map(str, value))}]" if isinstance(value, list) else found(value)
    return f"; write {{{fitting[0]}: {shown}}}"


def _is_number(text: str) -> bool:
    try:
        number = resolve(text)
    except ValueError:
        return False
    return isinstance(number, (int, float)) and not isinstance(number, bool)
