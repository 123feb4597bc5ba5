"""Where each part of a config came from: a place in its file (or one that it extends), or a `-o key=value`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from hptune.config.paths import Path, dotted, indexed, locate
from hptune.config.yaml_loader import Document
from hptune.errors import Problem

Severity = Literal["error", "warning"]


@dataclass(frozen=True)
class Sources:
    """The document as read, the value after the overrides, and which override each overridden path came from."""

    document: Document
    value: Any
    overrides: Mapping[Path, str] = field(default_factory=dict)

    def problem(
        self, path: Path, message: str, *, key: str | None = None, at: Path | None = None, on_key: bool = False,
        severity: Severity = "error",
    ) -> Problem:  # fmt: skip
        """Return the problem at `path`, with its place.

        `key` is what people read (the dotted path by default), `at` the path whose place is shown (the same by
        default), `on_key` points to the key rather than to its value.
        """
        key = dotted(path) if key is None else key
        at = path if at is None else at
        for end in range(len(at), 0, -1):
            if at[:end] in self.overrides:
                return Problem(key, message, f"-o {self.overrides[at[:end]]}", severity=severity)
        place = self.document.key_place(at) if on_key else self.document.value_place(at)
        if at in self.document.variables and not on_key:
            message = f"{message} (from {self.document.variables[at]})"
        return Problem(key, message, self.document.file_of(at), *place, severity=severity)

    def problem_at(self, key: str, message: str, severity: Severity = "error", *, spelled: str = "") -> Problem:
        """Return the problem at a dotted key path, which may go on where the config ends.

        `spelled` is the key as the config spells it, where that is known to differ.
        """
        path, rest = locate(self.value, spelled or key)
        return self.problem(
            path, message, key=indexed(key, path), on_key=bool(rest) and bool(path), severity=severity
        )
