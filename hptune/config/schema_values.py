"""A JSON Schema that takes `${NAME}` wherever the loader does: as any value, be it a number, a flag or a choice."""

from __future__ import annotations

from typing import Any

Schema = dict[str, Any]

NAME = "Environment"
_ENVIRONMENT: Schema = {
    "type": "string",
    "pattern": r"\$\{",
    "title": "From the environment",
    "description": "${NAME} or ${NAME:-default}: what the environment variable says.",
}
_HERE: Schema = {"$ref": f"#/$defs/{NAME}"}

_SAID = ("title", "description", "default", "deprecated")
"""What editors show of a key: it stays where they look for it."""

_SCHEMAS_BY_NAME = ("properties", "$defs")
_SCHEMA_LISTS = ("anyOf", "allOf", "prefixItems")


def with_environment(schema: Schema) -> Schema:
    """Return a config's schema in which each value that is not any text may also be one with `${`.

    Alternatives are all `anyOf`: such a text, and a mapping without its `type`, may fit several of them.
    """
    out: Schema = _opened(schema)
    return {**out, "$defs": {**out["$defs"], NAME: _ENVIRONMENT}}


def _opened(schema: Any) -> Any:
    if not isinstance(schema, dict):
        return schema
    if "oneOf" in schema:
        schema = {("anyOf" if key == "oneOf" else key): one for key, one in schema.items()}
    if _is_strict(schema):
        said = {key: one for key, one in schema.items() if key in _SAID}
        return {**said, "anyOf": [{key: one for key, one in schema.items() if key not in _SAID}, _HERE]}
    out: Schema = {}
    for key, one in schema.items():
        if key in _SCHEMAS_BY_NAME:
            out[key] = {name: _opened(inner) for name, inner in one.items()}
        elif key == "anyOf" and any(_is_strict(inner) for inner in one):
            out[key] = [*(inner if _is_strict(inner) else _opened(inner) for inner in one), _HERE]
        elif key in _SCHEMA_LISTS:
            out[key] = [_opened(inner) for inner in one]
        elif key in ("items", "additionalProperties"):
            out[key] = _opened(one)
        else:
            out[key] = one
    return out


def _is_strict(schema: Any) -> bool:
    """Return whether a schema is one of single values that refuses texts, or some of them."""
    if not isinstance(schema, dict):
        return False
    if "const" in schema or "enum" in schema:
        return True
    kinds = schema.get("type", "object")
    kinds = {kinds} if isinstance(kinds, str) else set(kinds)
    if "string" in kinds:
        return "pattern" in schema
    return bool(kinds & {"number", "integer", "boolean", "null"})
