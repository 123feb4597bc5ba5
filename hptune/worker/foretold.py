"""A fitted estimator whose predictions for some rows are known: drawn rows are looked up instead of predicted again."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any


class Foretold:
    """Stands for `fitted` in scikit-learn's scorers, with positions among the rows in place of X.

    It has the first of `methods` (decision_function, predict_proba, ...) that `fitted` has, which is the one that a scorer
    takes; that is called once, here.
    """

    def __init__(self, fitted: Any, X: Any, methods: Sequence[str]) -> None:
        self._fitted = fitted
        for name in methods:
            if hasattr(fitted, name):
                setattr(self, name, _looked_up(name, getattr(fitted, name)(X)))
                break

    @property
    def classes_(self) -> Any:
        """The classes of the estimator; AttributeError for one without, as a scorer expects."""
        return self._fitted.classes_

    def __sklearn_tags__(self) -> Any:
        from sklearn.utils import get_tags

        return get_tags(self._fitted)

    def __sklearn_is_fitted__(self) -> bool:
        return True


def _looked_up(name: str, predicted: Any) -> Callable[[Any], Any]:
    import numpy as np

    known = np.asarray(predicted)

    def look_up(rows: Any) -> Any:
        return known[rows]

    look_up.__name__ = name  # scorers tell by it what they are given
    return look_up
