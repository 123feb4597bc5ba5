"""The JSON Schema of `space:`, `constraints:` and `start_with:`, which `config.space` reads by hand.

Only editors read it: completion and red underlines while typing. What counts is what `config.space` says.
"""

from __future__ import annotations

from typing import Any

Schema = dict[str, Any]

_SCALAR: Schema = {"type": ["string", "number", "boolean", "null"]}
_VALUE: Schema = {"anyOf": [_SCALAR, {"type": ["array", "object"]}]}
_TEST: Schema = {
    "anyOf": [
        _SCALAR,
        {"type": "array", "minItems": 1},
        {
            "type": "object",
            "properties": {**{sign: {"type": "number"} for sign in ("gt", "ge", "lt", "le")}, "ne": _SCALAR},
            "additionalProperties": False,
            "minProperties": 1,
        },
    ]
}
_WHEN: Schema = {
    "type": "object",
    "title": "Only when",
    "description": "Parameters by path and the value (or list of values, or comparison) they must have.",
    "additionalProperties": _TEST,
    "minProperties": 1,
}


_SETS: Schema = {
    "type": "array",
    "title": "Paths that it sets",
    "description": "A tied parameter: its name is free, its value goes to all of these.",
    "items": {"type": "string"},
    "minItems": 1,
}


def _kind(name: str, required: list[str], properties: Schema, others: list[list[str]] = []) -> Schema:  # noqa: B006
    """Return the schema of one type of parameter; `others` lists groups of keys of which one is required."""
    schema: Schema = {
        "type": "object",
        "title": f"{name} parameter",
        "properties": {"type": {"const": name}, **properties, "when": _WHEN, "sets": _SETS},
        "required": ["type", *required],
        "additionalProperties": False,
    }
    if others:
        schema["allOf"] = [{"anyOf": [{"required": [key]} for key in group]} for group in others]
    return schema


def _numeric(name: str, kind: str) -> Schema:
    number: Schema = {"type": kind}
    scale: Schema = {"enum": ["linear", "log", "reverse_log"], "title": "Scale"}
    bounds: Schema = {
        "min": {**number, "title": "Smallest value"},
        "max": {**number, "title": "Largest value"},
    }
    aliases: Schema = {key: {**number, "deprecated": True} for key in ("min_value", "low", "max_value", "high")}
    options: Schema = {
        "scale": scale,
        "sampling": {**scale, "deprecated": True},
        "log": {"type": "boolean", "deprecated": True},
        "step": {**number, "exclusiveMinimum": 0, "title": "Step of a linear scale"},
        "factor": {"type": "number", "exclusiveMinimum": 1, "title": "Factor of a log scale"},
        "default": {**_SCALAR, "title": "Default"},
        "extra": {"type": "array", "minItems": 1, "title": "Values beside the range"},
    }
    groups = [["min", "min_value", "low"], ["max", "max_value", "high"]]
    return _kind(name, [], {**bounds, **options, **aliases}, groups)


_CHOICE = _kind(
    "choice",
    [],
    {
        "values": {"type": "array", "minItems": 1, "title": "Values"},
        "choices": {"type": "array", "minItems": 1, "deprecated": True},
        "default": {**_VALUE, "title": "Default"},
        "ordered": {"type": "boolean", "title": "Ordered"},
        "weights": {"type": "array", "items": {"type": "number", "exclusiveMinimum": 0}, "title": "Sampling weights"},
    },
    [["values", "choices"]],
)
_PARAMETER: Schema = {
    "anyOf": [
        {**_SCALAR, "title": "Fixed value"},
        {
            "type": "array",
            "minItems": 1,
            "title": "One of a list",
            "description": "Values, lists and mappings, such as class_weight: [null, balanced, {0: 1, 1: 5}].",
        },
        _numeric("float", "number"),
        _numeric("int", "integer"),
        _CHOICE,
        _kind("boolean", [], {"default": {"type": "boolean"}}),
        _kind("fixed", ["value"], {"value": {"title": "Value"}}),
    ]
}
SPACE: Schema = {"type": "object", "additionalProperties": _PARAMETER}
CONSTRAINTS: Schema = {
    "type": "array",
    "items": {
        "anyOf": [
            {
                "type": "object",
                "title": "Forbidden combination",
                "properties": {"forbid": {**_WHEN, "title": "Forbid"}},
                "required": ["forbid"],
                "additionalProperties": False,
            },
            {
                "type": "object",
                "title": "Required relation",
                "properties": {"require": {"type": "string", "description": "An expression of parameters' paths."}},
                "required": ["require"],
                "additionalProperties": False,
            },
        ]
    },
}
START_WITH: Schema = {
    "type": "array",
    "items": {"anyOf": [{"const": "defaults"}, {"type": "object", "additionalProperties": _VALUE}]},
}
