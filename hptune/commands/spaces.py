"""`hptune spaces [NAME]`: search spaces to begin with, as YAML to paste."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Mapping
from typing import Any

from hptune.commands._shared import say, say_json, table_lines
from hptune.config.yaml_dump import line
from hptune.errors import UsageError
from hptune.report.layout import Table
from hptune.report.result import SCHEMA_VERSION
from hptune.spaces import SPACES, DefaultSpace, find, under

_COMMENT = 98


def spaces(name: str | None = None, *, path: str = "", as_json: bool = False) -> int:
    """Print the space for one estimator, or which there are; return the exit code.

    `path` is where the estimator stands in the model. Raises `UsageError` for an unknown name and for
    a path that is none.
    """
    if path and not re.fullmatch(r"[A-Za-z_][\w-]*(\.[A-Za-z_][\w-]*)*", path):
        raise UsageError(f"--path: expected names joined by dots, such as model.svc, found {path!r}")
    wanted = list(SPACES.values()) if name is None else [find(name)]
    if as_json:
        say_json({"schema_version": SCHEMA_VERSION, "spaces": [_document(one, path) for one in wanted]})
    elif name is None:
        rows = [(one.name, one.task, str(len(one.space)), ", ".join(one.space)) for one in wanted]
        table = Table(("estimator", "task", "n", "parameters"), rows, ("left", "left", "right", "left"), keep=1)
        say([*table_lines(table), "", "hptune spaces NAME prints one as YAML, with its source"])
    else:
        say(section(wanted[0], path))
    return 0


def section(one: DefaultSpace, path: str = "") -> list[str]:
    """Return the lines of a config's `space:` for an estimator that stands at `path`."""
    return [*heading(one), "space:", *entry_lines(under(one.space, path))]


def heading(one: DefaultSpace) -> list[str]:
    """Return the comment above a space: for which class, from where, and what to mind."""
    node = {"class": one.class_path, **({"params": dict(one.params)} if one.params else {})}
    lines = comment(f"For {line(node)}" + (", with scaled features." if one.scale else "."))
    lines += comment(f"Source: {one.source}.")
    return lines + (comment(f"Mind: {one.note}.") if one.note else [])


def entry_lines(entries: Mapping[str, Any], indent: str = "  ") -> list[str]:
    """Return the lines below `space:`."""
    return [f"{indent}{name}: {line(entry)}" for name, entry in entries.items()]


def comment(text: str, indent: str = "") -> list[str]:
    """Return a text as comment lines."""
    return textwrap.wrap(
        text, _COMMENT, initial_indent=f"{indent}# ", subsequent_indent=f"{indent}#   ", break_on_hyphens=False
    )


def _document(one: DefaultSpace, path: str) -> dict[str, Any]:
    return {
        "name": one.name,
        "class": one.class_path,
        "task": one.task,
        "params": dict(one.params),
        "space": under(one.space, path),
        "source": one.source,
        "note": one.note,
        "scale_features": one.scale,
        "takes_missing_values": one.missing,
    }
