"""The docstrings below a class's attributes, read from its source when somebody asks.

Pydantic can do it too (`use_attribute_docstrings`), but for every class when it is made: that was a third of what
loading a config cost, and only `hptune schema` and `hptune oracles` show them.
"""

from __future__ import annotations

import ast
import inspect
import itertools
import textwrap
from functools import cache


@cache
def attribute_docs(kind: type) -> dict[str, str]:
    """Return attribute -> docstring of a class, its bases' included; without source (a class made in a shell) none."""
    found: dict[str, str] = {}
    for one in reversed(kind.__mro__):
        try:
            source = textwrap.dedent(inspect.getsource(one))
        except (OSError, TypeError):
            continue
        body = ast.parse(source).body[0]
        if isinstance(body, ast.ClassDef):
            found.update(_documented(body))
    return found


def _documented(body: ast.ClassDef) -> dict[str, str]:
    out = {}
    for line, below in itertools.pairwise(body.body):
        told = isinstance(below, ast.Expr) and isinstance(below.value, ast.Constant) and below.value.value
        if isinstance(line, ast.AnnAssign) and isinstance(line.target, ast.Name) and isinstance(told, str):
            out[line.target.id] = inspect.cleandoc(told)
    return out
