"""`hptune oracles`: which oracles there are, with their options, from the registry."""

from __future__ import annotations

from typing import Any

from hptune.commands._shared import chosen_format, say, say_json, stdout_width
from hptune.oracle import OracleSpec
from hptune.oracles import ORACLES
from hptune.report import wording
from hptune.report.layout import pairs
from hptune.report.result import SCHEMA_VERSION

FORMATS = ("table", "json", "markdown")


def oracles(*, format: str = "table", as_json: bool = False) -> int:
    """Print the registry; return the exit code."""
    format = chosen_format(format, as_json, FORMATS)
    if format == "markdown":
        say(markdown())
        return 0
    if format == "json":
        listed = [
            {"type": name, "summary": kind.summary, "uses_prior": kind.uses_prior, "options": _options(kind)}
            for name, kind in ORACLES.items()
        ]
        say_json({"schema_version": SCHEMA_VERSION, "oracles": listed})
        return 0
    width = stdout_width()
    lines: list[str] = []
    for name, kind in ORACLES.items():
        learns = f"; learns from earlier studies (prior){_unless(kind)}" if kind.uses_prior else ""
        lines += pairs([(name, kind.summary + learns)], width, indent="")
        options = [
            (option["name"], f"{option['description']} (default {wording.exact(option['default'])})")
            for option in _options(kind)
        ]
        lines += [*pairs(options, width, indent="    "), ""]
    say(
        [
            *lines,
            *pairs(
                [
                    ("in a config", "oracle: {type: NAME, OPTION: VALUE}"),
                    ("your own", "oracle: {type: MODULE.CLASS, OPTION: VALUE}"),
                ],
                width,
                indent="",
            ),
        ]
    )
    return 0


def markdown() -> list[str]:
    """Return the registry as a Markdown table, which docs/oracles.md shows."""
    lines = ["| oracle | what it does | learns from `prior:` | options (default) |", "|---|---|---|---|"]
    for name, kind in ORACLES.items():
        options = "; ".join(
            f"`{one['name']}` ({wording.exact(one['default'])}): {one['description'].rstrip('.')}"
            for one in _options(kind)
        )
        learns = ("yes" if kind.uses_prior else "no") + _unless(kind)
        lines.append(f"| `{name}` | {kind.summary.replace('|', ' ')} | {learns} | {options or '-'} |")
    return lines


def _unless(kind: type[OracleSpec]) -> str:
    """Return when it is otherwise with `prior:`, to follow a yes or no."""
    return f"; {kind.prior_unless}" if kind.prior_unless else ""


def _options(kind: type[OracleSpec]) -> list[dict[str, Any]]:
    """Return an oracle's options as its fields declare them."""
    properties = kind.model_json_schema().get("properties", {})
    return [
        {
            "name": name,
            "default": found.get("default"),
            "description": " ".join(str(found.get("description") or found.get("title", "")).replace("`", "").split()),
        }
        for name, found in properties.items()
        if name != "type"
    ]
