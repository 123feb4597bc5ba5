"""A bounded reader of YAML 1.2 that knows where everything stands.

PyYAML only cuts the text into events; what they mean is decided here, so that a config of any size, depth or malice
is read or refused quickly, and never runs anything. Whatever is wrong is a `ConfigError` with a line.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from hptune.class_keys import by_class, text_of
from hptune.config.environment import is_whole, mentions, substituted
from hptune.config.paths import Path, dotted
from hptune.config.yaml_dump import dump
from hptune.config.yaml_events import MOST_BYTES, Place, decoded
from hptune.config.yaml_nodes import MOST_DEPTH, MOST_NODES, Composer, Node
from hptune.config.yaml_scalars import resolve, shortened
from hptune.errors import ConfigError, Problem

__all__ = ["MOST_BYTES", "MOST_DEPTH", "MOST_NODES", "Document", "dump", "load_text"]

_MOST_PROBLEMS = 20


@dataclass(frozen=True)
class Document:
    """A YAML document as plain dicts, lists and scalars, with the place of each key and value.

    `keys` and `values` map paths to (line, column), both counted from 1; an item of a list has no key. What came in
    through an alias stands where the anchor is. `files` names the file of each path that stands in another one
    (`extends`), `variables` gives the text of each value in which `${...}` was replaced.
    """

    value: Any
    file: str
    text: str
    keys: Mapping[Path, Place] = field(default_factory=dict)
    values: Mapping[Path, Place] = field(default_factory=dict)
    files: Mapping[Path, str] = field(default_factory=dict)
    variables: Mapping[Path, str] = field(default_factory=dict)

    def file_of(self, path: Path) -> str:
        """Return the file in which `path` stands, else the nearest thing above it that exists."""
        for end in range(len(path), -1, -1):
            if path[:end] in self.values:
                return self.files.get(path[:end], self.file)
        return self.file

    def key_place(self, path: Path) -> Place:
        """Return where the key (or list item) at `path` stands, else the nearest thing above it that exists."""
        for end in range(len(path), 0, -1):
            place = self.keys.get(path[:end]) or self.values.get(path[:end])
            if place is not None:
                return place
        return self.values.get((), (1, 1))

    def value_place(self, path: Path) -> Place:
        """Return where the value at `path` stands, else the nearest thing above it that exists."""
        return self.values.get(path) or self.key_place(path)


def load_text(
    text: str | bytes, file: str, environment: Mapping[str, str] | None = None, *, key: Path = ()
) -> Document:
    """Return the one document in `text`; `file` names it in messages. Raise ConfigError for anything else.

    `environment` is where `${NAME}` is looked up, the process's own by default.
    `key` is the path in a config at which the document is to stand.
    """
    source = decoded(text, file)
    root = Composer(source, file).compose()
    if root is None:
        return Document(None, file, source)
    converter = _Converter(file, os.environ if environment is None else environment, key)
    value = converter.convert(root, ())
    if converter.problems:
        raise ConfigError(converter.problems)
    return Document(value, file, source, converter.keys, converter.values, variables=converter.variables)


_HOLDING_VALUES = ("model", "space", "start_with", "constraints")


def _by_class(path: Path) -> bool:
    """Return whether a mapping at `path` is one by class, whose keys may be numbers and booleans (kept as text)."""
    names = [part for part in path if isinstance(part, str)]
    return bool(names) and names[0] in _HOLDING_VALUES and any(map(by_class, names[1:]))


class _Converter:
    """Turns nodes into plain values, noting places, and every problem rather than the first."""

    def __init__(self, file: str, environment: Mapping[str, str], above: Path) -> None:
        self.file = file
        self.above = above
        self.environment = environment
        self.variables: dict[Path, str] = {}
        self.keys: dict[Path, Place] = {}
        self.values: dict[Path, Place] = {}
        self.problems: list[Problem] = []

    def complain(self, path: Path, message: str, place: Place) -> None:
        if len(self.problems) < _MOST_PROBLEMS:
            self.problems.append(Problem(dotted(path), message, self.file, *place))

    def convert(self, node: Node, path: Path) -> Any:
        self.values[path] = node.place
        if node.items is None:
            return self.scalar(node, path)
        if node.mapping:
            return self.mapping(node.items, path)
        return [self.convert(item, (*path, index)) for index, item in enumerate(node.items)]

    def scalar(self, node: Node, path: Path) -> Any:
        plain, text = node.plain, node.text
        try:
            if mentions(text):
                # Inside { } and [ ] a bare ${X} is no YAML, so there one in double quotes may be a number as well.
                plain = is_whole(text) and not node.single
                self.variables[path] = shortened(text)
                text = substituted(text, self.environment)
            return resolve(text) if plain else text
        except ValueError as error:
            self.complain(path, str(error), node.place)
            return None

    def mapping(self, items: list[Node], path: Path) -> dict[str, Any]:
        result: dict[str, Any] = {}
        lines: dict[str, int] = {}
        for key_node, value_node in zip(items[::2], items[1::2], strict=True):
            key = self.key(key_node, path)
            if key is None:
                continue
            here = (*path, key)
            if key in result:
                self.complain(
                    here, f"duplicate key {shortened(key)!r} (first at line {lines[key]}): keep one", key_node.place
                )
                continue
            lines[key] = key_node.place[0]
            self.keys[here] = key_node.place
            result[key] = self.convert(value_node, here)
        return result

    def key(self, node: Node, path: Path) -> str | None:
        if node.items is not None:
            kind = "a mapping" if node.mapping else "a list"
            message = f"expected text as a key, found {kind}: quote it if the brackets are meant as text"
            self.complain(path, message, node.place)
            return None
        if not node.plain:
            return node.text
        if node.text == "<<":
            message = (
                "merge keys (<<) are not YAML 1.2 and not read: write the keys out, or share them between "
                "configs with 'extends:'"
            )
            self.complain((*path, "<<"), message, node.place)
            return None
        try:
            value = resolve(node.text)
        except ValueError:
            value = None
        if isinstance(value, str):
            return value
        if isinstance(value, int) and node.text and _by_class((*self.above, *path)):
            return text_of(value)
        found = "nothing" if node.text == "" else shortened(node.text)
        self.complain(path, f"expected text as a key, found {found}: write it in quotes", node.place)
        return None
