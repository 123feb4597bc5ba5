"""Six model families: how to build a member from its values, and how to draw values at random.

The first configuration of every family is scikit-learn's default, as trial 0 of a study is. Forests are kept at 40
trees and boosting at 40 rounds, so that a thousand studies can be run; both are fixed, not tuned.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.ensemble import (
    ExtraTreesClassifier,
    ExtraTreesRegressor,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
)
from sklearn.linear_model import ElasticNet, LogisticRegression, Ridge
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor
from sklearn.svm import SVC, SVR

Values = dict[str, Any]


@dataclass(frozen=True)
class Family:
    """`draw(rng)` gives random values, `build(values, classify, seed)` an estimator; slow: fewer studies."""

    draw: Callable[[np.random.Generator], Values]
    build: Callable[[Values, bool, int], Any]
    slow: bool = False

    def pool(self, count: int, seed: int) -> list[Values]:
        """Return the defaults and `count - 1` random configurations."""
        rng = np.random.default_rng(seed)
        return [{}] + [self.draw(rng) for _ in range(count - 1)]


def _log(rng: np.random.Generator, low: float, high: float) -> float:
    return float(np.exp(rng.uniform(np.log(low), np.log(high))))


def _draw_linear(rng: np.random.Generator) -> Values:
    if rng.random() < 0.5:
        return {"alpha": _log(rng, 1e-3, 1e3)}
    return {"elastic": True, "alpha": _log(rng, 1e-3, 1e1), "l1_ratio": float(rng.uniform(0.05, 1))}


def _build_linear(values: Values, classify: bool, seed: int) -> Any:  # noqa: ARG001 - one signature
    assert not classify
    if values.get("elastic"):
        return ElasticNet(alpha=values["alpha"], l1_ratio=values["l1_ratio"], max_iter=300, tol=1e-3)
    return Ridge(**values)


def _draw_logistic(rng: np.random.Generator) -> Values:
    return {"C": _log(rng, 1e-4, 1e3), "class_weight": [None, "balanced"][rng.integers(2)]}


def _build_logistic(values: Values, classify: bool, seed: int) -> Any:  # noqa: ARG001 - one signature
    return LogisticRegression(max_iter=200, **values)


def _draw_svm(rng: np.random.Generator) -> Values:
    values: Values = {"C": _log(rng, 1e-2, 1e3), "kernel": ["rbf", "rbf", "linear", "poly"][rng.integers(4)]}
    if values["kernel"] == "linear":
        values["C"] = min(values["C"], 10.0)
    else:
        values["gamma"] = _log(rng, 1e-4, 1.0)
    return values


def _build_svm(values: Values, classify: bool, seed: int) -> Any:  # noqa: ARG001 - one signature
    return (SVC if classify else SVR)(max_iter=20_000, **values)


def _draw_trees(rng: np.random.Generator) -> Values:
    return {
        "max_features": float(rng.uniform(0.1, 1)),
        "min_samples_leaf": int(np.exp(rng.uniform(0, np.log(20)))),
        "max_depth": [None, 2, 4, 8][rng.integers(4)],
        "bootstrap": bool(rng.integers(2)),
    }


def _build_trees(values: Values, classify: bool, seed: int) -> Any:
    return (ExtraTreesClassifier if classify else ExtraTreesRegressor)(n_estimators=40, random_state=seed, **values)


def _draw_boosting(rng: np.random.Generator) -> Values:
    return {
        "learning_rate": _log(rng, 0.01, 0.6),
        "max_leaf_nodes": int(np.exp(rng.uniform(np.log(3), np.log(40)))),
        "min_samples_leaf": int(np.exp(rng.uniform(np.log(2), np.log(60)))),
        "l2_regularization": _log(rng, 1e-3, 1e2),
    }


def _build_boosting(values: Values, classify: bool, seed: int) -> Any:
    kind = HistGradientBoostingClassifier if classify else HistGradientBoostingRegressor
    return kind(max_iter=40, early_stopping=False, random_state=seed, **values)


def _draw_neighbors(rng: np.random.Generator) -> Values:
    return {
        "n_neighbors": int(np.exp(rng.uniform(0, np.log(35)))),
        "weights": ["uniform", "distance"][rng.integers(2)],
        "p": [1, 2][rng.integers(2)],
    }


def _build_neighbors(values: Values, classify: bool, seed: int) -> Any:  # noqa: ARG001 - one signature
    return (KNeighborsClassifier if classify else KNeighborsRegressor)(algorithm="brute", **values)


FAMILIES: dict[str, Family] = {
    "linear": Family(_draw_linear, _build_linear),
    "logistic": Family(_draw_logistic, _build_logistic),
    "svm": Family(_draw_svm, _build_svm),
    "trees": Family(_draw_trees, _build_trees, slow=True),
    "boosting": Family(_draw_boosting, _build_boosting, slow=True),
    "neighbors": Family(_draw_neighbors, _build_neighbors),
}
