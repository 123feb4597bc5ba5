"""Estimators as Python code: an expression that builds the same unfitted object again, and the imports it needs."""

from __future__ import annotations

import functools
import importlib
import inspect
import math
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

WIDTH = 100
_PLAIN = (type(None), bool, int, str, bytes)


class NotPlain(ValueError):
    """A parameter that no Python literal or importable name stands for; the message says where and what it is."""


@dataclass(frozen=True)
class _Group:
    """Something in brackets: what opens it, its parts (each with a prefix such as `alpha=`), what closes it."""

    opening: str
    parts: tuple[tuple[str, _Node], ...]
    closing: str

    def lines(self, indent: int, before: int, after: int) -> str:
        """Return its text; `before` and `after` characters stand beside it on its first and last line."""
        flat = self.flat()
        if indent + before + len(flat) + after <= WIDTH:
            return flat
        inner = indent + 4
        parts = [f"{' ' * inner}{prefix}{_text(part, inner, len(prefix), 1)},\n" for prefix, part in self.parts]
        return f"{self.opening}\n{''.join(parts)}{' ' * indent}{self.closing}"

    def flat(self) -> str:
        parts = [prefix + (part if isinstance(part, str) else part.flat()) for prefix, part in self.parts]
        alone = "," if self.opening == "(" and len(parts) == 1 else ""  # a tuple of one
        return f"{self.opening}{', '.join(parts)}{alone}{self.closing}"


_Node = str | _Group


def _text(node: _Node, indent: int, before: int = 0, after: int = 0) -> str:
    return node if isinstance(node, str) else node.lines(indent, before, after)


class Source:
    """Writes expressions and remembers what they import."""

    def __init__(self) -> None:
        self._names: dict[str, tuple[str, str]] = {}
        self._modules: set[str] = set()

    def expression(self, value: Any, *, indent: int = 0, before: int = 0) -> str:
        """Return code that makes `value`, broken into lines at `indent`; raises `NotPlain`."""
        return _text(self._node(value, "model"), indent, before)

    def name(self, module: str, name: str) -> str:
        """Return how to write `name` of `module`, which will be imported."""
        top = name.split(".")[0]
        if self._names.setdefault(top, (module, top)) == (module, top):
            return name
        self._modules.add(module)
        return f"{module}.{name}"

    @property
    def modules(self) -> set[str]:
        """The modules that are imported."""
        return self._modules | {module for module, _ in self._names.values()}

    def imports(self) -> list[str]:
        """Return the import lines in order."""
        by_module: dict[str, list[str]] = {}
        for module, name in self._names.values():
            by_module.setdefault(module, []).append(name)
        lines = [f"import {module}" for module in sorted(self._modules)]
        return [
            *lines,
            *(f"from {module} import {', '.join(sorted(by_module[module]))}" for module in sorted(by_module)),
        ]

    # -- nodes ------------------------------------------------------------------------------------------------------

    def _node(self, value: Any, where: str) -> _Node:
        if type(value) is str:
            return quoted(value)
        if type(value) in _PLAIN:
            return repr(value)
        if type(value) is float:
            return repr(value) if math.isfinite(value) else f'float("{value}")'
        if isinstance(value, (list, tuple, set, frozenset)) and type(value) in (list, tuple, set, frozenset):
            return self._collection(value, where)
        if type(value) is dict:
            pairs = [
                (self.expression(key) + ": ", self._node(one, f"{where}[{key!r}]")) for key, one in value.items()
            ]
            return _Group("{", tuple(pairs), "}")
        if isinstance(value, slice):
            return f"slice({value.start!r}, {value.stop!r}, {value.step!r})"
        if isinstance(value, type) or inspect.isroutine(value) or type(value).__name__ == "ufunc":
            return self._named(value, where)
        if isinstance(value, functools.partial):
            return self._partial(value, where)
        if type(value).__module__ == "numpy":
            return self._numpy(value, where)
        return self._object(value, where)

    def _collection(self, value: Any, where: str) -> _Node:
        kinds: dict[Any, tuple[str, str]] = {
            list: ("[", "]"),
            tuple: ("(", ")"),
            set: ("{", "}"),
            frozenset: ("frozenset([", "])"),
        }
        opening, closing = kinds[type(value)]
        if type(value) is set and not value:
            return "set()"
        every = sorted(value, key=repr) if isinstance(value, (set, frozenset)) else list(value)
        return _Group(opening, tuple(("", self._node(one, f"{where}[{i}]")) for i, one in enumerate(every)), closing)

    def _numpy(self, value: Any, where: str) -> _Node:
        if not hasattr(value, "tolist"):
            raise NotPlain(f"{where}: a {type(value).__name__} cannot be written as Python code")
        if getattr(value, "ndim", 0) == 0:
            return self._node(value.item(), where)
        array = self.name("numpy", "array")
        dtype = (f'dtype="{value.dtype}"',) if value.dtype.kind in "biufc" else ("dtype=object",)
        return _Group(f"{array}(", (("", self._node(value.tolist(), where)), *((text, "") for text in dtype)), ")")

    def _named(self, value: Any, where: str) -> str:
        module, name = _home(value)
        if module is None or name is None:
            raise NotPlain(f"{where}: {getattr(value, '__qualname__', value)!s} cannot be imported by its name")
        return name if module == "builtins" else self.name(module, name)

    def _partial(self, value: functools.partial[Any], where: str) -> _Node:
        parts = [("", self._node(one, where)) for one in (value.func, *value.args)]
        parts += [(f"{key}=", self._node(one, f"{where}.{key}")) for key, one in value.keywords.items()]
        return _Group(f"{self.name('functools', 'partial')}(", tuple(parts), ")")

    def _object(self, value: Any, where: str) -> _Node:
        """An estimator, a kernel, a splitter: the call of its class with all that differs from the defaults."""
        cls = type(value)
        given = _parameters(value, where)
        defaults = {name: one.default for name, one in inspect.signature(cls).parameters.items()}
        parts: list[tuple[str, _Node]] = []
        for name, one in given.items():
            required = defaults.get(name) is inspect.Parameter.empty
            if not required and name in defaults and _same(one, defaults[name]):
                continue
            # get_params goes by the alphabet, arguments without a name by the signature.
            bare = required and not any(prefix for prefix, _ in parts) and list(defaults).index(name) == len(parts)
            prefix = "" if bare else f"{name}="
            parts.append((prefix, self._node(one, f"{where}.{name}")))
        return _Group(f"{self._named(cls, where)}(", tuple(parts), ")")


def quoted(text: str) -> str:
    """Return a string literal, in double quotes where that needs no escapes."""
    plain = repr(text)
    return f'"{text}"' if plain == f"'{text}'" and '"' not in text else plain


def _parameters(value: Any, where: str) -> Mapping[str, Any]:
    if hasattr(value, "get_params"):
        try:
            return dict(value.get_params(deep=False))
        except Exception as error:
            raise NotPlain(f"{where}: {type(value).__name__} does not tell its parameters: {error}") from error
    names = inspect.signature(type(value)).parameters if _is_sklearn(type(value)) else {}
    missing = object()
    found = {name: getattr(value, name, missing) for name in names}
    if not _is_sklearn(type(value)) or missing in found.values():
        raise NotPlain(f"{where}: a {type(value).__name__} cannot be written as Python code")
    return found


def _is_sklearn(cls: type) -> bool:
    return cls.__module__.split(".")[0] == "sklearn"


def _same(value: Any, default: Any) -> bool:
    """Return whether a value is its default; 1 is neither True nor 1.0."""
    if value is default:
        return True
    if type(value) is not type(default) or type(value) not in (*_PLAIN, float, list, tuple, dict):
        return False
    return repr(value) == repr(default)


def _home(value: Any) -> tuple[str | None, str | None]:
    """Return the shortest public module in which a class or function is found, and its name there."""
    module, name = getattr(value, "__module__", None), getattr(value, "__qualname__", None)
    if type(value).__name__ == "ufunc":  # numpy's log1p and the like name no module in some versions
        module, name = "numpy", value.__name__
    if module is None or name is None or "<" in name:
        return None, None
    parts = module.split(".")
    private = next((i for i, part in enumerate(parts) if part.startswith("_")), len(parts))
    parts = parts[: max(private, 1)]
    for candidate in (".".join(parts), module):
        try:
            found: Any = importlib.import_module(candidate)
        except ImportError:
            continue
        for attribute in name.split("."):
            found = getattr(found, attribute, None)
        if found is value:
            return candidate, name
    return None, None


def files_of(modules: set[str]) -> dict[str, str]:
    """Return the file of each module that has one."""
    return {name: file for name in modules if (file := getattr(sys.modules.get(name), "__file__", None))}
