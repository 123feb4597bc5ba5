"""Pydantic without its plugins while hptune's own options are built: looking for plugins takes 25 ms.

Pydantic reads the metadata of every installed package for it. Models of the user's code keep their plugins: the variable
that tells pydantic is set only as long as hptune's own are built, and never handed on to a child.
"""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Iterator

_VARIABLE = "PYDANTIC_DISABLE_PLUGINS"

_lock = threading.Lock()
_inside = 0
"""How many of those that build, in whatever thread, rely on the variable that was set here."""


@contextlib.contextmanager
def no_plugins() -> Iterator[None]:
    """Let pydantic not look for plugins for a moment; what the user has set stays. May be used from any thread."""
    global _inside
    with _lock:
        ours = _inside > 0 or _VARIABLE not in os.environ
        if ours:
            _inside += 1
            os.environ[_VARIABLE] = "__all__"
    try:
        yield
    finally:
        if ours:
            with _lock:
                _inside -= 1
                if not _inside:
                    os.environ.pop(_VARIABLE, None)


def environment() -> dict[str, str]:
    """Return this process's environment as it is without `no_plugins`, for a child."""
    with _lock:
        return {name: value for name, value in os.environ.items() if not (_inside and name == _VARIABLE)}
