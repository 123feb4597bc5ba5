"""An estimator that is trained in epochs. In a file of its own because it needs scikit-learn to be imported."""

from __future__ import annotations

import inspect
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, MetaEstimatorMixin, clone
from sklearn.utils import get_tags, shuffle

from hptune.randomness import seeded_globals

_OWN = frozenset({"estimator", "trained_", "epochs_"})


class TrainedInEpochs(MetaEstimatorMixin, BaseEstimator):  # type: ignore[misc] # scikit-learn has no types
    """An estimator whose `fit` is `epochs` calls of `partial_fit`, each on all rows in an order of its own.

    The order of epoch e (from 0), and the global generators during it, are seeded by `random_state` + e. So what is
    known after epoch e does not depend on how many are to follow: with `warm_start` a further `fit` goes on from
    there, and gives bit for bit what a fit from scratch gives. `trained_` is the fitted estimator; whatever else is
    asked for, that answers.
    """

    def __init__(self, estimator: Any, epochs: int = 1, *, random_state: int = 0, warm_start: bool = False) -> None:
        self.estimator = estimator
        self.epochs = epochs
        self.random_state = random_state
        self.warm_start = warm_start

    def fit(self, X: Any, y: Any, **given: Any) -> TrainedInEpochs:
        """Train to X (rows, features) and y (rows,); raises ValueError where there is no `partial_fit`.

        Of `given`, what is an array (rows,), such as weights, is brought into each epoch's order too.
        """
        if not (self.warm_start and hasattr(self, "trained_")):
            self.trained_ = clone(self.estimator)
            self.epochs_ = 0
        if not hasattr(self.trained_, "partial_fit"):
            raise ValueError(f"{self.estimator} has no partial_fit, so it cannot be trained in epochs")
        by_row = [name for name, one in given.items() if isinstance(one, np.ndarray) and len(one) == len(y)]
        fixed = {name: one for name, one in given.items() if name not in by_row}
        if "classes" in inspect.signature(self.trained_.partial_fit).parameters:
            fixed.setdefault("classes", np.unique(y))
        while self.epochs_ < self.epochs:
            seed = (self.random_state + self.epochs_) % 2**32
            some, label, *rest = shuffle(X, y, *(given[name] for name in by_row), random_state=seed)
            with seeded_globals(seed):
                self.trained_.partial_fit(some, label, **fixed, **dict(zip(by_row, rest, strict=True)))
            self.epochs_ += 1
        return self

    def __getattr__(self, name: str) -> Any:
        if name in _OWN or name.startswith("__"):
            raise AttributeError(name)
        return getattr(self.trained_ if "trained_" in vars(self) else self.estimator, name)

    def __sklearn_is_fitted__(self) -> bool:
        return "trained_" in vars(self)

    def __sklearn_tags__(self) -> Any:
        return get_tags(self.estimator)
