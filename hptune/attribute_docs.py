"""The docstrings below a class's attributes, read from its source when somebody asks.

Pydantic can do it too (`use_attribute_docstrings`), but for every class when it is made: that was a third of what
loading a config cost, and only `hptune schema` and `hptune oracles` show them.
"""

from __future__ import annotations

import ast
import inspect
import itertools
import linecache
import sys
from collections.abc import Iterator
from functools import cache


def attribute_docs(kind: type) -> dict[str, str]:
    """Return attribute -> docstring of a class, its bases' included; without source (a class made in a shell) none."""
    found: dict[str, str] = {}
    for one in reversed(kind.__mro__):
        found.update(_own(one))
    return found


@cache
def _own(kind: type) -> dict[str, str]:
    """Return those that the class itself writes."""
    try:
        file = inspect.getsourcefile(kind)
    except TypeError:  # one of Python's own
        return {}
    body = _classes(file, kind.__module__).get(kind.__qualname__) if file else None
    return {} if body is None else _documented(body)


@cache
def _classes(file: str, module: str) -> dict[str, ast.ClassDef]:
    """Return the classes of a file by qualified name: it is parsed once, where `inspect.getsource` does for each class."""
    lines = linecache.getlines(file, vars(sys.modules[module]) if module in sys.modules else None)
    try:
        tree = ast.parse("".join(lines))
    except SyntaxError:  # it was changed since
        return {}
    out: dict[str, ast.ClassDef] = {}
    for name, body in _within(tree, ""):
        out.setdefault(name, body)
    return out


def _within(node: ast.AST, prefix: str) -> Iterator[tuple[str, ast.ClassDef]]:
    for child in ast.iter_child_nodes(node):
        match child:
            case ast.ClassDef(name=name):
                yield prefix + name, child
                yield from _within(child, f"{prefix}{name}.")
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                yield from _within(child, f"{prefix}{name}.<locals>.")
            case ast.stmt() | ast.ExceptHandler() | ast.match_case():
                yield from _within(child, prefix)


def _documented(body: ast.ClassDef) -> dict[str, str]:
    out = {}
    for line, below in itertools.pairwise(body.body):
        told = isinstance(below, ast.Expr) and isinstance(below.value, ast.Constant) and below.value.value
        if isinstance(line, ast.AnnAssign) and isinstance(line.target, ast.Name) and isinstance(told, str):
            out[line.target.id] = inspect.cleandoc(told)
    return out
