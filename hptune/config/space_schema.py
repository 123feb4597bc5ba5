"""The JSON Schema of `space:`, `constraints:` and `start_with:`, which `config.space` reads by hand.

Only editors read it: completion and red underlines while typing. What counts is what `config.space` says.
"""

from __future__ import annotations

from typing import Any

Schema = dict[str, Any]

_SCALAR: Schema = {"type": ["string", "number", "boolean", "null"]}
_VALUE: Schema = {"anyOf": [_SCALAR, {"type": ["array", "object"]}]}
_SIGNS = {"gt": "Above this number.", "ge": "At least this.", "lt": "Below this number.", "le": "At most this."}
_TEST: Schema = {
    "anyOf": [
        _SCALAR,
        {"type": "array", "minItems": 1},
        {
            "type": "object",
            "properties": {
                **{sign: {"type": "number", "description": meaning} for sign, meaning in _SIGNS.items()},
                "ne": {**_SCALAR, "description": "Not equal to this value."},
            },
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


_TYPES = {
    "float": "A number between min and max.",
    "int": "A whole number between min and max.",
    "choice": "One of a list of values.",
    "boolean": "true or false.",
    "fixed": "Always this value: it is not searched.",
}


def _other_name(schema: Schema, name: str) -> Schema:
    """Return the schema of an alias: it is read, and not what a new config writes."""
    return {**schema, "deprecated": True, "description": f"Another name for {name}."}


def _kind(name: str, required: list[str], properties: Schema, others: list[list[str]] = []) -> Schema:  # noqa: B006
    """Return the schema of one type of parameter; `others` lists groups of keys of which one is required."""
    schema: Schema = {
        "type": "object",
        "title": f"{name} parameter",
        "properties": {
            "type": {"const": name, "description": _TYPES[name]},
            **properties,
            "when": _WHEN,
            "sets": _SETS,
        },
        "required": ["type", *required],
        "additionalProperties": False,
    }
    if others:
        schema["allOf"] = [{"anyOf": [{"required": [key]} for key in group]} for group in others]
    return schema


def _numeric(name: str, kind: str) -> Schema:
    number: Schema = {"type": kind}
    scale: Schema = {"enum": ["linear", "log", "reverse_log"], "title": "Scale"}
    spread = (
        "How values are spread over the range. linear: evenly; log: as many from 0.01 to 0.1 as from 0.1 to 1 (min "
        "above 0); reverse_log: log seen from max, so from 0.001 to 0.999 as many below 0.99 (down to 0.9) as above."
    )
    bounds: Schema = {
        "min": {**number, "title": "Smallest value", "description": "The lower end, itself one of the values."},
        "max": {**number, "title": "Largest value", "description": "The upper end, itself one of the values."},
    }
    aliases: Schema = {
        key: _other_name(number, name)
        for key, name in (("min_value", "min"), ("low", "min"), ("max_value", "max"), ("high", "max"))
    }
    options: Schema = {
        "scale": {**scale, "description": spread},
        "sampling": _other_name(scale, "scale"),
        "log": _other_name({"type": "boolean"}, "scale: log"),
        "step": {
            **number,
            "exclusiveMinimum": 0,
            "title": "Step of a linear scale",
            "description": "Only min, min + step, min + 2 step and so on, and max itself.",
        },
        "factor": {
            "type": "number",
            "exclusiveMinimum": 1,
            "title": "Factor of a log scale",
            "description": "Only min, min * factor, min * factor^2 and so on, and max itself.",
        },
        "default": {
            **_SCALAR,
            "title": "Default",
            "description": "The value in trial 0; the estimator's own where this is left out, else the middle.",
        },
        "extra": {
            "type": "array",
            "minItems": 1,
            "title": "Values beside the range",
            "description": "Further values outside the range, such as [null] for no limit. Random draws take one such "
            "value in a third of cases, one of two in half.",
        },
    }
    groups = [["min", "min_value", "low"], ["max", "max_value", "high"]]
    return _kind(name, [], {**bounds, **options, **aliases}, groups)


_CHOICE = _kind(
    "choice",
    [],
    {
        "values": {
            "type": "array",
            "minItems": 1,
            "title": "Values",
            "description": "What is chosen from: values of any type, lists and mappings too.",
        },
        "choices": _other_name({"type": "array", "minItems": 1}, "values"),
        "default": {
            **_VALUE,
            "title": "Default",
            "description": "The value in trial 0; the estimator's own where this is left out, else the first.",
        },
        "ordered": {
            "type": "boolean",
            "title": "Ordered",
            "description": "Whether neighbours in the list are alike, as small, medium, large: the oracle then takes "
            "them for places on a line. Numbers have to increase.",
        },
        "weights": {
            "type": "array",
            "items": {"type": "number", "exclusiveMinimum": 0},
            "title": "Sampling weights",
            "description": "How often random draws take each value, relative to the others; one number for each.",
        },
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
        _kind(
            "boolean",
            [],
            {
                "default": {
                    "type": "boolean",
                    "description": "The value in trial 0; the estimator's own where this is left out, else false.",
                }
            },
        ),
        _kind("fixed", ["value"], {"value": {"title": "Value", "description": "The value, of any type."}}),
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
                "properties": {
                    "forbid": {
                        **_WHEN,
                        "title": "Forbid",
                        "description": "Conditions as under when: that may not all hold at once.",
                    }
                },
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
