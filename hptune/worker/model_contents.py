"""What the attributes of a model that was read from a file may not say. The types alone do not tell.

`memory` names a folder of pickles, which fitting loads. The methods that stacking and its like call are named by texts:
with others than these an array would be written to a file, or a part fitted that has such a `memory`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

MEMORY = "memory"
_NAMES_METHODS = frozenset(
    {"stack_method", "stack_method_", "chain_method", "chain_method_", "response_method", "_response_method"}
)
_METHODS = frozenset({"auto", "predict", "predict_proba", "predict_log_proba", "decision_function"})


def strange(model: Any) -> str:
    """Return what somewhere inside a model makes it one that hptune would not have written, "" if nothing does."""
    seen: set[int] = set()
    left = [model]
    while left:
        one = left.pop()
        if id(one) in seen:
            continue
        seen.add(id(one))
        for name, value in _attributes(one).items():
            if name == MEMORY and value is not None:
                return f"{type(one).__name__}.memory is set"
            if name in _NAMES_METHODS and not _are_methods(value):
                return f"{type(one).__name__}.{name} is {str(value)[:60]!r}"
        left += _inside(one)
    return ""


def _attributes(one: Any) -> Mapping[Any, Any]:
    found = None if isinstance(one, type) else getattr(one, "__dict__", None)
    return found if isinstance(found, dict) else {}


def _inside(one: Any) -> Iterator[Any]:
    """Yield what an object holds: attributes, members, keys and values."""
    import numpy as np

    yield from _attributes(one).values()
    if isinstance(one, Mapping):
        yield from one
        yield from one.values()
    elif isinstance(one, (list, tuple, set, frozenset)):
        yield from one
    elif isinstance(one, np.ndarray) and one.dtype == object:
        yield from one.ravel().tolist()


def _are_methods(value: Any) -> bool:
    if isinstance(value, (list, tuple)):
        return all(map(_are_methods, value))
    return value is None or (isinstance(value, str) and value in _METHODS)
