"""Leading pipeline steps that no trial changes are fitted once per fold and child, bit-identical to doing without.

A step belongs to the prefix when the space has no parameter of it, nor a choice whether it is there. Its fit then
depends on the fold's rows and seeds alone, which are the same for every trial; so its output on the fold's training
and test rows is kept, and a trial fits the rest of its pipeline to a copy of it.

Only scikit-learn's own steps are trusted with that, down to the estimators and functions inside them: what user code
does when it is fitted nobody knows. Steps that draw from numpy's or Python's global generator are fine: the state
before and after is kept too, a prefix is used only where the state before is the same, and the state after is set.
"""

from __future__ import annotations

import random
import sys
import types
from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import dataclass
from typing import Any

import numpy as np

LIMIT = 256 << 20
"""How many bytes of transformed rows a child keeps, the least recently used fold going first."""

_TRUSTED = ("sklearn", "numpy", "scipy")


def trusted(value: Any) -> bool:
    """Return whether nothing in an unfitted estimator (or a parameter's value) is user code."""
    if isinstance(value, (list, tuple, set)):
        return all(map(trusted, value))
    if isinstance(value, dict):
        return all(map(trusted, value.values()))
    if value is None or isinstance(value, (str, bytes, bool, int, float, complex, slice, np.ndarray, np.generic)):
        return True
    functions = (types.FunctionType, types.BuiltinFunctionType, np.ufunc)
    home = getattr(value, "__module__", None) if isinstance(value, (type, *functions)) else type(value).__module__
    if isinstance(value, np.ufunc):
        home = "numpy"
    if (home or "").split(".")[0] not in _TRUSTED:
        return False
    parameters = getattr(value, "get_params", None)
    return parameters is None or isinstance(value, type) or all(map(trusted, parameters(deep=False).values()))


@dataclass(frozen=True)
class _Kept:
    """What a prefix made of a fold: training and test rows, and the generators' states before and after its fit."""

    train: Any
    test: Any
    before: tuple[Any, ...]
    after: tuple[Any, ...]
    bytes: int


class PrefixCache:
    """The outputs of prefixes by key, at most `limit` bytes of them."""

    def __init__(self, limit: int = LIMIT) -> None:
        self.limit = limit
        self.hits = 0
        self._kept: OrderedDict[Hashable, _Kept] = OrderedDict()
        self._refused: set[Hashable] = set()

    @property
    def held(self) -> int:
        """How many bytes are kept."""
        return sum(one.bytes for one in self._kept.values())

    def through(self, key: Hashable, prefix: Any, X: Any, y: Any, tested: Any) -> tuple[Any, Any] | None:
        """Return training rows X and test rows `tested` as the prefix makes them, None where nothing can be kept.

        `prefix` is the unfitted Pipeline of the leading steps, fitted to X and y (rows,) unless `key` is known. The
        arrays returned are the caller's own. After None the generators are as before.
        """
        if key in self._refused:
            return None
        before = _generators()
        kept = self._kept.get(key)
        if kept is not None and _same(kept.before, before):
            self._kept.move_to_end(key)
            self.hits += 1
        else:
            kept = self._made(prefix, X, y, tested, before)
            if kept is None:
                self._refused.add(key)
                _set_generators(before)
                return None
            self._keep(key, kept)
        _set_generators(kept.after)
        return _copy(kept.train), _copy(kept.test)

    def _made(self, prefix: Any, X: Any, y: Any, tested: Any, before: tuple[Any, ...]) -> _Kept | None:
        train = prefix.fit_transform(X, y)
        after = _generators()
        test = prefix.transform(tested)
        size = _size(train) + _size(test)
        # A transform that draws numbers draws them later in a whole pipeline: after the fit of what follows.
        return _Kept(train, test, before, after, size) if size <= self.limit and _same(after, _generators()) else None

    def _keep(self, key: Hashable, kept: _Kept) -> None:
        self._kept.pop(key, None)
        self._kept[key] = kept
        while self.held > self.limit:
            self._kept.popitem(last=False)


def _generators() -> tuple[Any, ...]:
    return random.getstate(), np.random.get_state()  # noqa: NPY002 - the global one is the point


def _set_generators(states: tuple[Any, ...]) -> None:
    random.setstate(states[0])
    np.random.set_state(states[1])  # noqa: NPY002


def _same(one: tuple[Any, ...], other: tuple[Any, ...]) -> bool:
    a, b = one[1], other[1]
    return bool(one[0] == other[0] and a[0] == b[0] and a[2:] == b[2:] and np.array_equal(a[1], b[1]))


def _size(rows: Any) -> int:
    if hasattr(rows, "memory_usage"):
        return int(rows.memory_usage(deep=True).sum())
    if hasattr(rows, "indptr"):
        return int(rows.data.nbytes + rows.indices.nbytes + rows.indptr.nbytes)
    if isinstance(rows, np.ndarray) and (rows.flags.c_contiguous or rows.flags.f_contiguous):
        return int(rows.nbytes)
    return sys.maxsize // 4  # a copy of it would have another layout, or is none


def _copy(rows: Any) -> Any:
    """Return a copy with the same layout in memory: sums over another layout round differently."""
    return rows.copy(order="K") if isinstance(rows, np.ndarray) else rows.copy()
