"""Classes for estimators that know only 0, 1, 2: encoded for the fit, and what they predict is decoded again.

scikit-learn's, LightGBM's and CatBoost's classifiers take any classes; XGBoost's demands the numbers from 0. Scores,
predictions and the kept model speak of the data's own classes either way.
"""

from __future__ import annotations

from typing import Any

NUMBERED: tuple[str, ...] = ("xgboost",)
"""The packages whose classifiers want the classes 0 ... k - 1."""


def encoded(y: Any) -> tuple[Any, Any]:
    """Return (numbers of the classes (rows,), the classes (k,) in their order)."""
    import numpy as np

    classes, codes = np.unique(y, return_inverse=True)
    return codes, classes


def wants_numbers(estimator: Any, y: Any) -> bool:
    """Return whether an unfitted estimator (its last step) needs classes y (rows,) to be numbered first."""
    import numpy as np
    from sklearn.base import is_classifier

    last = getattr(estimator, "_final_estimator", estimator)
    if type(last).__module__.split(".")[0] not in NUMBERED or not is_classifier(last):
        return False
    classes = np.unique(y)
    return not (classes.dtype.kind in "iu" and np.array_equal(classes, np.arange(len(classes))))
