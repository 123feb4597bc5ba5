"""Problems of a config as GitHub's workflow commands: they appear at their lines in a pull request."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

from hptune.errors import Problem

MOST: Final = 10
"""GitHub shows no more of one kind for a step."""


def wanted(environ: Mapping[str, str] | None = None) -> bool:
    """Return whether this is a step of a GitHub workflow."""
    return (os.environ if environ is None else environ).get("GITHUB_ACTIONS") == "true"


def error_lines(problems: Iterable[Problem], workspace: str | None = None) -> list[str]:
    """Return the first ten errors as `::error file=...,line=...,col=...::message`, a line each.

    Files inside `workspace` (the checkout; default: as they are) are named from there, as GitHub wants them.
    """
    lines = []
    for problem in [one for one in problems if one.severity == "error"][:MOST]:
        override = (problem.file or "").startswith("-o ")  # which stands in no file
        place = {
            "file": None if problem.file is None or override else _from(workspace, problem.file),
            "line": problem.line,
            "col": None if problem.line is None else problem.column,
        }
        properties = ",".join(f"{key}={_property(str(found))}" for key, found in place.items() if found is not None)
        message = ": ".join(part for part in (problem.file if override else "", problem.key, problem.message) if part)
        lines.append(f"::error{' ' if properties else ''}{properties}::{_data(message)}")
    return lines


def _from(workspace: str | None, file: str) -> str:
    if not workspace:
        return file
    path, root = Path(file).resolve(), Path(workspace).resolve()
    return path.relative_to(root).as_posix() if path.is_relative_to(root) else file


def _data(text: str) -> str:
    """Return a message as GitHub reads it back: its own escape first, then what would end the line."""
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
