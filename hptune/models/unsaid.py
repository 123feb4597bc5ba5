"""Defaults by which scikit-learn notices that a parameter was not given, and the values that they stand for.

`LogisticRegression(penalty="deprecated")` is l2, l1 or elastic net by its `l1_ratio`: a search over `penalty` must begin
with that, or its baseline is another model than the estimator's own.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

_SENTINELS: Final = ("deprecated", "warn")

# scikit-learn 1.9: what the classes do where they find the sentinel.
_MEANT: Final[Mapping[tuple[str, str], Any]] = {
    ("GradientBoostingClassifier", "criterion"): "friedman_mse",
    ("GradientBoostingRegressor", "criterion"): "friedman_mse",
    ("NuSVC", "probability"): False,
    ("SVC", "probability"): False,
    ("TargetEncoder", "shuffle"): True,
}


def is_unsaid(value: Any) -> bool:
    """Return whether a default stands for "not given"."""
    return isinstance(value, str) and value in _SENTINELS


def meant(cls: type, name: str, parameters: Mapping[str, Any]) -> Any:
    """Return the value that acts as the sentinel of parameter `name` (its last part is `cls`'s) does, else the sentinel.

    `parameters` are all of the estimator's that holds it.
    """
    prefix, _, last = name.rpartition("__")
    prefix += "__" if prefix else ""
    match cls.__name__, last:
        case "LogisticRegression", "penalty":
            ratio = parameters.get(f"{prefix}l1_ratio")
            return "l2" if not ratio else "l1" if ratio == 1 else "elasticnet"
        case "LogisticRegressionCV", "penalty" if is_unsaid(parameters.get(f"{prefix}l1_ratios")):
            return "l2"
        case known:
            return _MEANT.get(known, parameters[name])
