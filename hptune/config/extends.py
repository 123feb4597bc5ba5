"""`extends: base.yaml`: a config as what it changes in others.

Mappings are merged key by key, everything else replaces, and `null` takes a key out. A mapping that names another
kind of thing than the one below it (`type:`, `class:`, `choose:` instead of `pipeline:` ...) replaces it as a whole:
the options of one kind make no sense for another. Every key keeps the place where it really stands.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from hptune.config.files import Unreadable, contents
from hptune.config.paths import Path as KeyPath
from hptune.config.wording import found
from hptune.config.yaml_events import Place
from hptune.config.yaml_loader import Document, load_text
from hptune.errors import ConfigError, Problem

KEY = "extends"
MOST_LEVELS = 8
MOST_FILES = 32
"""Each file is read once, and what is merged is no more than all of them together: the limit keeps that small."""

_KINDS = ("class", "pipeline", "choose", "function", "hypermodel", "command", "synthetic", "train", "type")
_SAME_VALUE = ("class", "type")  # another function or file may well keep the options beside it, another class not
_PATHS: dict[KeyPath, tuple[str, ...]] = {
    ("base",): (),
    ("data", "train"): (),
    ("output", "dir"): (),
    ("gate", "baseline"): ("defaults",),
    ("prior", "runs"): (),
    ("model", "cwd"): ("config", "trial"),
}
"""The keys whose values are paths, or lists of them, and the words there that are none."""
_NO_FILE = ("sklearn:", "/", "~")


def extended(document: Document, folder: Path) -> Document:
    """Return the document with all that it extends merged below it, and without the key itself.

    `folder` is where it lies. Raises ConfigError for files that cannot be read or that extend each other in a circle.
    """
    value = document.value
    if not isinstance(value, dict) or KEY not in value:
        return document
    start = (folder / Path(document.file).name).resolve()
    return _Reader().merged(document, start, (start,))


@dataclass
class _Reader:
    """Reads the files, each once. `shown` is how messages call them."""

    done: dict[Path, Document] = field(default_factory=dict)
    shown: dict[Path, str] = field(default_factory=dict)

    def merged(self, document: Document, path: Path, chain: tuple[Path, ...]) -> Document:
        """Return the document at `path` with what it extends; `chain` are the files on the way to it and itself."""
        self.shown[path] = document.file
        below: Document | None = None
        for text, at in _named(document):
            base = self.base(document, path, (text, at), chain)
            below = base if below is None else merge(below, base)
        above = _without_key(document)
        return above if below is None else merge(below, above)

    def base(self, document: Document, path: Path, named: tuple[str, KeyPath], chain: tuple[Path, ...]) -> Document:
        """Return what one entry of `extends:` names, its own bases merged, its paths seen from the first config."""
        text, at = named
        target = Path(os.path.expanduser(text))  # noqa: PTH111 - expanduser of a Path raises where there is no home
        place = (path.parent / target).resolve()
        name = os.path.normpath(Path(document.file).parent / target)
        if place in chain:
            circle = [self.shown[one] for one in chain[chain.index(place) :]]
            words = " extends ".join([*circle, circle[0]])
            raise _refusal(document, at, f"expected no circle, found that {words}: take one of them out")
        if len(chain) > MOST_LEVELS:
            words = " -> ".join([*(self.shown[one] for one in chain), name])
            raise _refusal(
                document, at, f"expected at most {MOST_LEVELS} files below each other, found more: {words}"
            )
        if place not in self.done:
            if len(self.done) >= MOST_FILES:
                raise _refusal(document, at, f"expected at most {MOST_FILES} files in all, found more")
            read = _moved(_read(document, at, place, name), place.parent, chain[0].parent)
            self.done[place] = self.merged(read, place, (*chain, place))
        return self.done[place]


def _named(document: Document) -> list[tuple[str, KeyPath]]:
    """Return the files that a document extends and where each is named, the one that wins last."""
    if KEY not in document.value:
        return []
    value = document.value[KEY]
    entries: list[tuple[KeyPath, Any]] = [((KEY,), value)]
    if isinstance(value, list):
        entries = [((KEY, number), one) for number, one in enumerate(value)]
    for path, one in entries:
        if not isinstance(one, str) or not one.strip() or "\0" in one:
            wanted = "the name of a config file" + ("" if isinstance(value, list) else ", or a list of them")
            raise _refusal(document, path, f"expected {wanted}, found {found(one)}")
    return [(one, path) for path, one in entries]


def _read(document: Document, at: KeyPath, place: Path, name: str) -> Document:
    """Return the document in the file `place`, which messages call `name`."""
    if place.exists() and not place.is_dir() and not place.is_file():
        raise _refusal(document, at, f"{name}: expected a file, found a device or a pipe")
    try:
        base = load_text(contents(place), name)
    except Unreadable as error:
        raise _refusal(document, at, f"{name}: {error} (relative to the file that names it)") from None
    if not isinstance(base.value, dict):
        what = "an empty file" if base.value is None else "a list" if isinstance(base.value, list) else "a value"
        raise ConfigError([Problem("", f"expected a mapping of keys to extend, found {what}", name, 1, 1)])
    return base


def _moved(document: Document, folder: Path, start: Path) -> Document:
    """Return a document from `folder` with its relative paths as they are seen from `start`."""
    if folder == start:
        return document
    value = dict(document.value)
    for path, words in _PATHS.items():
        # Where a config names its base folder, its other paths start there, wherever the config itself lies.
        if path == ("base",) or "base" not in document.value:
            _move(value, path, words, os.path.relpath(folder, start))
    return replace(document, value=value)


def _move(value: dict[str, Any], path: KeyPath, words: tuple[str, ...], way: str) -> None:
    section, key = value, str(path[-1])
    if len(path) > 1:
        inner = value.get(str(path[0]))
        if not isinstance(inner, dict):
            return
        section = value[str(path[0])] = dict(inner)
    if key in section:
        one = section[key]
        section[key] = [_seen(text, words, way) for text in one] if isinstance(one, list) else _seen(one, words, way)


def _seen(text: Any, words: tuple[str, ...], way: str) -> Any:
    """Return a path as it is seen from the end of `way`, anything else as it is."""
    if not isinstance(text, str) or not text.strip() or text.startswith(_NO_FILE) or text in words:
        return text
    moved = os.path.normpath(os.path.join(way, text))  # noqa: PTH118 - text, not a place on the disk
    return f"./{moved}" if moved in words else moved


def _without_key(document: Document) -> Document:
    return replace(document, value={key: one for key, one in document.value.items() if key != KEY})


def _refusal(document: Document, path: KeyPath, message: str) -> ConfigError:
    return ConfigError([Problem(KEY, message, document.file_of(path), *document.value_place(path))])


# -- merging --------------------------------------------------------------------------------------------------------


def merge(below: Document, above: Document) -> Document:
    """Return `above` laid over `below`, called like `above`; both hold mappings. Neither is changed."""
    merging = _Merging(below, above)
    value = merging.both((), below.value, above.value)
    return Document(value, above.file, above.text, merging.keys, merging.values, merging.files, merging.variables)


@dataclass
class _Merging:
    """Two documents, and the places of what is kept of them."""

    below: Document
    above: Document
    keys: dict[KeyPath, Place] = field(default_factory=dict)
    values: dict[KeyPath, Place] = field(default_factory=dict)
    files: dict[KeyPath, str] = field(default_factory=dict)
    variables: dict[KeyPath, str] = field(default_factory=dict)

    def both(self, path: KeyPath, below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
        self.note(self.above, path)
        out: dict[str, Any] = {}
        for key, value in below.items():
            here = (*path, key)
            if key not in above:
                out[key] = self.whole(self.below, here, value)
                continue
            new = above[key]
            if isinstance(value, dict) and isinstance(new, dict) and not _another_kind(here, value, new):
                out[key] = self.both(here, value, new)
            elif new is not None:
                out[key] = self.whole(self.above, here, new)
        for key, value in above.items():
            if key not in below:
                out[key] = self.whole(self.above, (*path, key), value)
        return out

    def whole(self, document: Document, path: KeyPath, value: Any) -> Any:
        """Return a value that comes from one of the documents alone, a copy with its places noted."""
        self.note(document, path)
        if isinstance(value, dict):
            return {key: self.whole(document, (*path, key), one) for key, one in value.items()}
        if isinstance(value, list):
            return [self.whole(document, (*path, number), one) for number, one in enumerate(value)]
        return value

    def note(self, document: Document, path: KeyPath) -> None:
        for kept, given in ((self.keys, document.keys), (self.values, document.values)):
            if path in given:
                kept[path] = given[path]
        if path in document.variables:
            self.variables[path] = document.variables[path]
        self.files[path] = document.file_of(path)


def _another_kind(path: KeyPath, below: Mapping[str, Any], above: Mapping[str, Any]) -> bool:
    """Return whether `above` names a kind of thing that is not the one in `below`."""
    if path in (("space",), ()):  # their keys are not ours: a parameter may be called type
        return False
    named = [key for key in _KINDS if key in above and above[key] is not None]
    if not named or not any(key in below for key in _KINDS):
        return False
    if any(key not in below for key in named):
        return True
    return any(key in named and below[key] != above[key] for key in _SAME_VALUE)
