"""Key paths: a tuple of mapping keys and list indices inside hptune, `a.b[0].c` for people."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

Path = tuple[str | int, ...]

_INDEX = re.compile(r"\[(\d+)\]")


def dotted(path: Sequence[str | int]) -> str:
    """Return the path as people write it: `("model", "pipeline", 0, "scale")` is `model.pipeline[0].scale`."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            text += f".{part}" if text else part
    return text


def split(text: str) -> list[str]:
    """Return the parts of a dotted path; `a[0].b` and `a.0.b` both give `["a", "0", "b"]`."""
    return [part for part in _INDEX.sub(r".\1", text).split(".") if part]


def indexed(key: str, path: Path) -> str:
    """Return a dotted key with the list indices of the `path` it leads to as `dotted` writes them: `a.0.b` is `a[0].b`."""
    begin = 0
    for index in (part for part in path if isinstance(part, int)):
        found = re.compile(rf"\.{index}(?=\.|$)").search(key, begin)
        if found is not None:  # a pipeline's step may be known by its name alone
            key = f"{key[: found.start()]}[{index}]{key[found.end() :]}"
            begin = found.start()
    return key


def locate(value: Any, text: str) -> tuple[Path, list[str]]:
    """Follow the dotted path `text` into `value` as far as it goes: the path that exists, and the parts left over.

    Keys may hold dots themselves (`space:` is keyed by `regressor.ridge.alpha`), so at each mapping the longest key
    that fits the parts still to go is taken.
    """
    path: list[str | int] = []
    parts = split(text)
    while parts:
        step, used = _step(value, parts)
        if step is None:
            break
        path.append(step)
        value = value[step]
        parts = parts[used:]
    return tuple(path), parts


def _step(value: Any, parts: list[str]) -> tuple[str | int | None, int]:
    """Return the next key or index into `value` and how many of the parts it uses up."""
    if isinstance(value, dict):
        for used in range(len(parts), 0, -1):
            key = ".".join(parts[:used])
            if key in value:
                return key, used
            dots = key.replace("__", ".")
            spelled = next((one for one in value if one.replace("__", ".") == dots), None)
            if spelled is not None:
                return spelled, used
    elif isinstance(value, list):
        if parts[0].isdecimal() and len(parts[0]) < 9 and int(parts[0]) < len(value):
            return int(parts[0]), 1
        for index, item in enumerate(value):  # a pipeline's steps are known by their names
            if isinstance(item, dict) and list(item) == [parts[0]]:
                return index, 0
    return None, 0
