"""The JSON Schema of configs, for completion and red underlines in editors (`hptune schema`).

What decides is the loader; the schema accepts everything that the loader accepts.
"""

from __future__ import annotations

from typing import Any

from hptune import __version__
from hptune.config.schema_values import with_environment
from hptune.config.specs import StudyConfig
from hptune.executors import EXECUTORS
from hptune.oracle import OracleSpec, OwnOracle
from hptune.oracles import ORACLES

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def config_schema() -> dict[str, Any]:
    """Return the JSON Schema of a config, as plain data."""
    schema = StudyConfig.model_json_schema(by_alias=True, mode="validation")
    _with_samplers(schema)
    _told_apart(schema)
    _titled(schema)
    return {
        "$schema": DIALECT,
        **with_environment(schema),
        "title": "hptune config",
        "$comment": f"written by hptune {__version__}; regenerate with: hptune schema > hptune.schema.json",
    }


def _with_samplers(schema: dict[str, Any]) -> None:
    """Give an oracle within an oracle (`sampler`) the names and options of those that have none themselves.

    Its field is typed as what all oracles share, whose schema has no name and no options.
    """
    shared = f"#/$defs/{OracleSpec.__name__}"
    samplers = {name: one for name, one in ORACLES.items() if "sampler" not in one.model_fields}
    options = [{"$ref": f"#/$defs/{one.__name__}"} for one in samplers.values()]
    for one in schema["$defs"].values():
        for field in one.get("properties", {}).values():
            if field.get("$ref") == shared:
                del field["$ref"]
                field["anyOf"] = [{"enum": list(samplers)}, *options]
    del schema["$defs"][OracleSpec.__name__]


def _told_apart(schema: dict[str, Any]) -> None:
    """Require the `type` of what is told apart by it, as the loader does; an executor may leave it out."""
    executors = {one.__name__ for one in EXECUTORS.values()}
    for name, one in schema["$defs"].items():
        if name == OwnOracle.__name__:
            del one["required"]
            one["anyOf"] = [{"required": ["type"]}, {"required": ["class"]}]
        elif "type" in one.get("properties", {}) and name not in executors:
            one["required"] = list(dict.fromkeys(["type", *one.get("required", ())]))


def _titled(schema: Any, name: str = "") -> None:
    """Give every property a title a person would write: pydantic's come from the classes' names."""
    if isinstance(schema, dict):
        for key, one in schema.get("properties", {}).items():
            if isinstance(one, dict) and "title" not in one and "$ref" not in one:
                one["title"] = key.replace("_", " ").strip().capitalize()
        for key, one in schema.items():
            if key != "default":
                _titled(one, key)
    elif isinstance(schema, list):
        for one in schema:
            _titled(one, name)
