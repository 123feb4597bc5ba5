"""`hptune schema [config|result]`: JSON Schemas, for editors and for programs that read results."""

from __future__ import annotations

from hptune.commands._shared import say_json
from hptune.errors import UsageError, did_you_mean

KINDS = ("config", "result")


def schema(kind: str = "config") -> int:
    """Print the JSON Schema of configs or of result.json; return the exit code."""
    if kind == "result":
        from hptune.report.result_schema import result_schema

        say_json(result_schema())
    elif kind == "config":
        from hptune.config.schema import config_schema

        say_json(config_schema())
    else:
        raise UsageError(f"schema: expected config or result, found {kind!r}{did_you_mean(kind, KINDS)}")
    return 0
