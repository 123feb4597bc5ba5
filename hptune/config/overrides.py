"""`-o key.path=value`: single keys of a config set on the command line.

The value is read as YAML (`-o space.alpha=[0.1, 1]`); what the key means is checked with the rest of the config.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable
from typing import Any

from hptune.config.paths import Path, dotted, locate, split
from hptune.config.yaml_loader import load_text
from hptune.errors import ConfigError, Problem

EMPTY = (
    "expected a value behind `=`, found nothing (an unset shell variable?); `null` says none, `''` is an empty text"
)


def apply(value: Any, overrides: Iterable[str]) -> tuple[Any, dict[Path, str]]:
    """Return a copy of the config's plain `value` with the overrides, and which of them each path came from.

    Raises ConfigError with the problems of all overrides; they name the override instead of a file and line.
    """
    value = copy.deepcopy(value)
    origins: dict[Path, str] = {}
    problems: list[Problem] = []
    for text in overrides:
        try:
            origins[_set(value, text)] = text
        except ConfigError as error:
            problems += [Problem(one.key, one.message, f"-o {text}") for one in error.problems]
    if problems:
        raise ConfigError(problems)
    return value, origins


def _refusal(key: str, message: str) -> ConfigError:
    return ConfigError([Problem(key, message)])


def _set(value: Any, text: str) -> Path:
    """Carry out one override on `value`; return the path that it set."""
    key, equals, written = text.partition("=")
    key = key.strip()
    if not equals or not key:
        raise _refusal("", "expected key.path=value, such as budget.trials=20")
    if not written.strip():
        raise _refusal(key, EMPTY)
    try:
        new = load_text(written, "", key=tuple(split(key))).value
    except ConfigError as error:
        raise ConfigError(Problem(key, one.message) for one in error.problems) from None
    path, rest = locate(value, key)
    if not rest:
        _parent(value, path)[path[-1]] = new
        return path
    target = _at(value, path)
    if target is None and path:  # `data:` with nothing behind it, or an explicit null
        target = _parent(value, path)[path[-1]] = {}
    if not isinstance(target, dict):
        raise _refusal(key, _no_entry(target, dotted(path), rest[0]))
    if path[:1] in (("space",), ("start_with",)) and len(path) == 1:
        rest = [".".join(rest)]  # the keys of `space:` are paths themselves
    elif not path and rest[0] == "space" and len(rest) > 1:
        rest = ["space", ".".join(rest[1:])]
    for part in rest[:-1]:
        target[part] = target = {}
    target[rest[-1]] = new
    return (*path, rest[0])


def _at(value: Any, path: Path) -> Any:
    for part in path:
        value = value[part]
    return value


def _parent(value: Any, path: Path) -> Any:
    return _at(value, path[:-1])


def _no_entry(target: Any, where: str, part: str) -> str:
    if isinstance(target, list):
        number = "no items" if not target else "1 item" if len(target) == 1 else f"{len(target)} items"
        return f"expected the number of an item or a step's name, found {part!r}: {where} is a list of {number}"
    found = f"the text {target!r}" if isinstance(target, str) else f"the value {target!r}"
    return f"{where} is {found} and has no key {part!r}: set {where} as a whole"
