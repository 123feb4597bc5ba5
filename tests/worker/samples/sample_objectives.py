"""Function models, as a user writes them next to a config."""

import random
import sys
import warnings

import numpy as np
from scipy import sparse


def sphere(values):
    return sum(value**2 for value in values.values())


def with_all(values, seed, report, X, y, groups):
    report(0.5, 1)
    report(0.25, 2)
    return {"loss": values["x"] + len(X), "seed": seed, "rows": len(y), "grouped": float(groups is not None)}


def only_seed(values, *, seed):
    return float(seed)


def greedy(values, **options):
    return float(len(options))


def returns(values):
    return {
        "nan": float("nan"), "inf": -float("inf"), "none": None, "true": True, "text": "-123.5", "complex": 1 + 2j,
        "list": [0.25], "huge": 10**400, "numpy bool": np.bool_(True), "array": np.array(1.0), "dict": {"other": 1.0},
        "int": 3, "numpy": np.float32(0.5),
    }[values["what"]]  # fmt: skip


def raises(values):
    return inner(values)


def inner(values):
    raise RuntimeError(f"no luck with {values['x']}\nsecond line")


def exits(values):
    sys.exit(3)


def memory(values):
    raise MemoryError


def warns(values):
    for _ in range(3):
        warnings.warn("careful", UserWarning, stacklevel=1)
    return 1.0


def draws(values):
    return random.random() + np.random.random()  # noqa: NPY002 - the global generator is the point


def reports_nan(values, report):
    report(float("nan"), 1)
    return 1.0


def absolute(y_true, y_pred):
    return np.abs(y_true - y_pred).mean()


def none_metric(y_true, y_pred):
    return None


not_callable = 3


def changes_in_place(values, X, y, groups):
    seen = float(X.to_numpy().sum() if hasattr(X, "iloc") else X.sum()) + float(y.sum())
    if hasattr(X, "iloc"):
        X["extra"] = 1.0
        X.iloc[0, 0] += 100.0
    else:
        (X.data if sparse.issparse(X) else X[0])[0] += 100.0
    y[:3] += 100.0
    return seen


def sparse_data():
    return sparse.csr_array(np.eye(6)), np.arange(6.0)
