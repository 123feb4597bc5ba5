"""Fits that go on where an earlier one of the same configuration and fold stopped: in epochs, or by `warm_start`.

Only where the result is bit for bit that of a fit from scratch (`tests/worker/test_growth.py` proves it for each
class below, and for all that scikit-learn has a `partial_fit` for). For all other estimators `warm_start` goes on from
the coefficients but begins the optimiser, its step sizes or its shuffling anew: they are fitted from scratch, unless
the resource is their `epochs`. What is kept lives in this process only and is bounded; after a kill, or in another
worker, a fit from scratch gives the same.
"""

from __future__ import annotations

import pickle
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from hptune.models.epochs import EPOCHS, itself

MOST_BYTES: Final = 256 * 2**20
"""Kept estimators take at most so much memory, pickled; with a limit on a trial's memory at most an eighth of it."""


def _forest(one: Any, rows: int) -> bool:
    del rows
    return not isinstance(one.class_weight, str) if hasattr(one, "class_weight") else True


def _bagging(one: Any, rows: int) -> bool:
    del rows
    return not one.oob_score


def _boosting(one: Any, rows: int) -> bool:
    del rows
    return one.n_iter_no_change is None


def _histogram(one: Any, rows: int) -> bool:
    # "auto" stops early, on a part of the rows set aside, above ten thousand rows.
    return one.early_stopping is False or (one.early_stopping == "auto" and rows <= 10_000)


GROWS: Final[Mapping[str, tuple[str, Callable[[Any, int], bool]]]] = {
    "RandomForestClassifier": ("n_estimators", _forest),
    "RandomForestRegressor": ("n_estimators", _forest),
    "ExtraTreesClassifier": ("n_estimators", _forest),
    "ExtraTreesRegressor": ("n_estimators", _forest),
    "BaggingClassifier": ("n_estimators", _bagging),
    "BaggingRegressor": ("n_estimators", _bagging),
    "GradientBoostingClassifier": ("n_estimators", _boosting),
    "GradientBoostingRegressor": ("n_estimators", _boosting),
    "HistGradientBoostingClassifier": ("max_iter", _histogram),
    "HistGradientBoostingRegressor": ("max_iter", _histogram),
}
"""Of scikit-learn's `sklearn.ensemble`: the parameter that grows, and under which options growing is exact."""


def last_step(estimator: Any) -> Any:
    """Return the last step of a pipeline, of nested ones the innermost; any other estimator itself."""
    while hasattr(estimator, "steps"):
        estimator = estimator.steps[-1][1]
    return estimator


def growing_parameter(estimator: Any, rows: int) -> str | None:
    """Return the parameter in which an estimator's last step, fitted to so many rows, grows exactly; None if in none."""
    last = last_step(estimator)
    if itself(last) is not last:
        return EPOCHS
    kind = type(last)
    if not kind.__module__.startswith("sklearn.ensemble.") or kind.__name__ not in GROWS:
        return None
    name, exact = GROWS[kind.__name__]
    return name if exact(last, rows) and isinstance(last.random_state, int) else None


@dataclass
class _Kept:
    estimator: Any
    amount: int
    size: int


class Growth:
    """The estimators of this process that may still grow, the latest used last."""

    def __init__(self, most: int = MOST_BYTES) -> None:
        self.most = most
        self._kept: OrderedDict[tuple[str, int], _Kept] = OrderedDict()

    @property
    def size(self) -> int:
        """How many bytes the kept estimators take, pickled."""
        return sum(one.size for one in self._kept.values())

    def __len__(self) -> int:
        return len(self._kept)

    def take(self, key: tuple[str, int]) -> tuple[Any, int] | None:
        """Return the fitted estimator of a configuration and fold with the amount it is trained to; it is let go."""
        found = self._kept.pop(key, None)
        return None if found is None else (found.estimator, found.amount)

    def keep(self, key: tuple[str, int], estimator: Any, amount: int, memory: int | None = None) -> None:
        """Keep a fitted estimator, dropping the least recently used beyond the bound."""
        most = self.most if memory is None else min(self.most, memory // 8)
        counter = _Counter(most)
        try:
            pickle.Pickler(counter, protocol=5).dump(estimator)
        except Exception:  # too large, or it cannot be pickled: then its size is not known
            return
        self._kept[key] = _Kept(estimator, amount, counter.size)
        while self.size > most:
            self._kept.popitem(last=False)


class _Counter:
    """A file that only counts; raises OverflowError beyond the bound."""

    def __init__(self, most: int) -> None:
        self.most = most
        self.size = 0

    def write(self, data: Any) -> int:
        size = memoryview(data).nbytes
        self.size += size
        if self.size > self.most:
            raise OverflowError
        return size


def grown(fitted: Any, amount: int, X: Any, y: Any, arguments: Mapping[str, Any]) -> Any:
    """Return a fitted estimator trained on to an amount of its parameter; X, y and arguments as in its first fit."""
    last = last_step(fitted)
    parameter = EPOCHS if itself(last) is not last else GROWS[type(last).__name__][0]
    last.set_params(**{parameter: amount, "warm_start": True})
    try:
        fitted.fit(X, y, **arguments)
    finally:
        last.set_params(warm_start=False)
    return fitted
