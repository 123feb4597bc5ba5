"""Classes for estimators that know only 0, 1, 2: encoded for the fit, and what they predict is decoded again.

scikit-learn's, LightGBM's and CatBoost's classifiers take any classes; XGBoost's demands the numbers from 0. Scores,
predictions and the kept model speak of the data's own classes either way.
"""

from __future__ import annotations

from typing import Any

from sklearn.base import BaseEstimator, ClassifierMixin

NUMBERED: tuple[str, ...] = ("xgboost.",)
"""Beginnings of the modules whose classifiers want the classes 0 ... k - 1."""


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


def encoded(y: Any) -> tuple[Any, Any]:
    """Return (numbers of the classes (rows,), the classes (k,) in their order)."""
    import numpy as np

    classes, codes = np.unique(y, return_inverse=True)
    return codes, classes


def wants_numbers(estimator: Any, y: Any) -> bool:
    """Return whether an unfitted estimator (its last step) needs classes y (rows,) to be numbered first."""
    import numpy as np

    last = getattr(estimator, "_final_estimator", estimator)
    if not type(last).__module__.startswith(NUMBERED):
        return False
    classes = np.unique(y)
    return not (classes.dtype.kind in "iu" and np.array_equal(classes, np.arange(len(classes))))
