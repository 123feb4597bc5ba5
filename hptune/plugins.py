"""Pydantic without its plugins where only hptune's own options are built: looking for plugins takes 25 ms.

Pydantic reads the metadata of every installed package for it. Models of the user's code keep their plugins: in workers
only hptune's options do without, and workers do not inherit what the command line sets for itself.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator

_VARIABLE = "PYDANTIC_DISABLE_PLUGINS"

_ours = False


def without_plugins_here() -> None:
    """Let pydantic not look for plugins in this process; what the user has set stays."""
    global _ours
    if _VARIABLE not in os.environ:
        _ours = True
        os.environ[_VARIABLE] = "__all__"


def environment() -> dict[str, str]:
    """Return this process's environment without what `without_plugins_here` set."""
    return {name: value for name, value in os.environ.items() if not (_ours and name == _VARIABLE)}


@contextlib.contextmanager
def no_plugins() -> Iterator[None]:
    """Let pydantic not look for plugins for a moment; what the user has set stays."""
    if _VARIABLE in os.environ:
        yield
        return
    os.environ[_VARIABLE] = "__all__"
    try:
        yield
    finally:
        os.environ.pop(_VARIABLE, None)
