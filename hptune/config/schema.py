"""The JSON Schema of configs, for completion and red underlines in editors (`hptune schema`).

What decides is the loader; the schema accepts everything that the loader accepts.
"""

from __future__ import annotations

from typing import Any

from hptune import __version__
from hptune.config.specs import StudyConfig

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def config_schema() -> dict[str, Any]:
    """Return the JSON Schema of a config, as plain data."""
    schema = StudyConfig.model_json_schema(by_alias=True, mode="validation")
    _titled(schema)
    return {
        "$schema": DIALECT,
        **schema,
        "title": "hptune config",
        "$comment": f"written by hptune {__version__}; regenerate with: hptune schema > hptune.schema.json",
    }


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
