"""The classifier that `labels` makes. In a file of its own because it needs scikit-learn to be imported."""

from __future__ import annotations

from typing import Any

from sklearn.base import BaseEstimator, ClassifierMixin

from hptune.worker.labels import encoded


class Decoded(ClassifierMixin, BaseEstimator):  # type: ignore[misc] # scikit-learn has no types
    """A fitted classifier of numbered classes that answers in the classes of the data, `classes` (k,)."""

    def __init__(self, estimator: Any, classes: Any) -> None:
        self.estimator = estimator
        self.classes = classes

    @property
    def classes_(self) -> Any:
        """The classes, in the order of the columns of `predict_proba`."""
        return self.classes

    def fit(self, X: Any, y: Any) -> Decoded:
        """Fit the estimator anew to X (rows, features) and classes y (rows,)."""
        codes, self.classes = encoded(y)
        self.estimator.fit(X, codes)
        return self

    def __sklearn_is_fitted__(self) -> bool:
        return True

    def predict(self, X: Any) -> Any:
        """Return the class (rows,) of each row."""
        import numpy as np

        return self.classes[np.asarray(self.estimator.predict(X)).astype(int)]

    def predict_proba(self, X: Any) -> Any:
        """Return the probability (rows, k) of each class."""
        return self.estimator.predict_proba(X)
