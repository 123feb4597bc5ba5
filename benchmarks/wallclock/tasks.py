"""Eight tasks: a model in hptune's YAML and the same as a scikit-learn estimator with the same space for the rivals.

A task's data are bundled or generated; a third of the rows is the test set, which no tuner sees. All metrics
but one are smooth: accuracy moves in steps of one row, and which tuner ends a row or two higher is luck.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn import datasets
from sklearn.ensemble import HistGradientBoostingRegressor, RandomForestClassifier
from sklearn.feature_extraction.text import CountVectorizer, TfidfTransformer
from sklearn.kernel_approximation import Nystroem
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC, SVR

SK = "sklearn."


@dataclass(frozen=True)
class Parameter:
    """A parameter: `low` to `high` (whole numbers if both are), on a log scale or not, or one of `values`."""

    low: float = 0.0
    high: float = 1.0
    log: bool = True
    values: tuple[Any, ...] = ()

    @property
    def whole(self) -> bool:
        return isinstance(self.low, int) and isinstance(self.high, int)

    def grid(self, points: int) -> list[Any]:
        """Return that many values, evenly spread (all of a choice)."""
        if self.values:
            return list(self.values)
        space = np.geomspace if self.log else np.linspace
        found = space(self.low, self.high, points)
        return sorted({round(float(x)) for x in found}) if self.whole else [float(x) for x in found]

    def yaml(self) -> Any:
        """Return the parameter as hptune's config has it."""
        if self.values:
            return list(self.values)
        kind = "int" if self.whole else "float"
        return {"type": kind, "min": self.low, "max": self.high, "scale": "log" if self.log else "linear"}


@dataclass(frozen=True)
class Task:
    """Data, metric, the model for hptune (`model`) and for the rivals (`estimator`), the space by dotted path."""

    name: str
    data: Callable[[], tuple[Any, Any]]
    metric: str
    model: Mapping[str, Any]
    estimator: Callable[[], Any]
    space: Mapping[str, Parameter]
    points: int = 5

    def rows(self) -> tuple[Any, Any, Any, Any]:
        """Return X, X_test, y, y_test."""
        X, y = self.data()
        stratify = y if self.metric != "r2" else None
        return tuple(train_test_split(X, y, test_size=1 / 3, random_state=0, stratify=stratify))


def bundled(loader: Callable[..., Any], rows: int | None = None) -> Callable[[], tuple[Any, Any]]:
    def data() -> tuple[Any, Any]:
        X, y = loader(return_X_y=True)
        chosen = np.random.default_rng(0).permutation(len(y))[:rows]
        return X[chosen], y[chosen]

    return data


def generated(rows: int, columns: int, classes: int = 3) -> Callable[[], tuple[Any, Any]]:
    """Noisy classes; a sixth of the columns tell them apart, twice as many repeat those."""

    def data() -> tuple[Any, Any]:
        return datasets.make_classification(  # type: ignore[no-any-return]
            rows, columns, n_informative=columns // 6, n_redundant=columns // 3, n_classes=classes, flip_y=0.05,
            class_sep=0.8, random_state=0,
        )  # fmt: skip

    return data


def friedman() -> tuple[Any, Any]:
    """Friedman's first function, twelve columns of which five matter; shape (2000, 12)."""
    return datasets.make_friedman1(2000, 12, noise=2.0, random_state=0)  # type: ignore[no-any-return]


def text() -> tuple[Any, Any]:
    """Documents of three topics that share most words, as counts of words and pairs of words; shape (1500, 3000)."""
    rng = np.random.default_rng(0)
    words = np.array([f"{a}{b}{c}" for a in "bdfgklmnprst" for b in "aeiou" for c in "bdfgklmnprst"])
    base = rng.dirichlet(np.full(len(words), 0.3))
    topics = [0.9 * base + 0.1 * rng.dirichlet(np.full(len(words), 0.1)) for _ in range(3)]
    y = rng.integers(3, size=1500)
    rows = [" ".join(rng.choice(words, 40, p=topics[k])) for k in y]
    counts = CountVectorizer(ngram_range=(1, 2), max_features=3000).fit_transform(rows)
    return counts.toarray().astype(float), y


def _svc() -> Any:
    return Pipeline([("scale", StandardScaler()), ("svc", SVC())])


def _svr() -> Any:
    return Pipeline([("scale", StandardScaler()), ("svr", SVR())])


def _logistic() -> Any:
    return Pipeline([("scale", StandardScaler()), ("lr", LogisticRegression(max_iter=300))])


def _features() -> Any:
    steps = [("scale", StandardScaler()), ("features", Nystroem(n_components=400, random_state=0))]
    return Pipeline([*steps, ("lr", LogisticRegression(max_iter=100))])


def _text() -> Any:
    return Pipeline([("weights", TfidfTransformer()), ("lr", LogisticRegression(max_iter=100))])


def _class(path: str, **params: Any) -> dict[str, Any]:
    return {"class": SK + path, "params": params}


SCALE = {"scale": _class("preprocessing.StandardScaler")}
BALANCE = Parameter(values=(None, "balanced"))
TASKS = {
    task.name: task
    for task in (
        Task("svm", generated(1700, 60, classes=2), "roc_auc",
             {"pipeline": [SCALE, {"svc": _class("svm.SVC")}]}, _svc,
             {"svc.C": Parameter(0.01, 1000.0), "svc.gamma": Parameter(1e-5, 1.0)}, 8),
        Task("forest", bundled(datasets.load_digits), "neg_log_loss",
             _class("ensemble.RandomForestClassifier", n_estimators=25, random_state=0),
             lambda: RandomForestClassifier(n_estimators=25, random_state=0),
             {"max_features": Parameter(0.05, 1.0, log=False), "min_samples_leaf": Parameter(1, 20),
              "max_depth": Parameter(2, 30)}, 4),
        Task("boosting", friedman, "r2",
             _class("ensemble.HistGradientBoostingRegressor", max_iter=60, early_stopping=False, random_state=0),
             lambda: HistGradientBoostingRegressor(max_iter=60, early_stopping=False, random_state=0),
             {"learning_rate": Parameter(0.01, 0.5), "max_leaf_nodes": Parameter(3, 40),
              "min_samples_leaf": Parameter(2, 60)}, 4),
        Task("logistic", generated(8000, 300), "neg_log_loss",
             {"pipeline": [SCALE, {"lr": _class("linear_model.LogisticRegression", max_iter=300)}]}, _logistic,
             {"lr.C": Parameter(1e-4, 1e3), "lr.class_weight": BALANCE}, 30),
        Task("features", bundled(datasets.load_digits), "neg_log_loss",
             {"pipeline": [SCALE, {"features": _class("kernel_approximation.Nystroem", n_components=400,
                                                      random_state=0)},
                           {"lr": _class("linear_model.LogisticRegression", max_iter=100)}]}, _features,
             {"lr.C": Parameter(1e-3, 1e3), "lr.class_weight": BALANCE}, 30),
        Task("text", text, "neg_log_loss",
             {"pipeline": [{"weights": _class("feature_extraction.text.TfidfTransformer")},
                           {"lr": _class("linear_model.LogisticRegression", max_iter=100)}]}, _text,
             {"lr.C": Parameter(1e-2, 1e3), "lr.class_weight": BALANCE}, 30),
        # Two forms that "svm" had before, kept because they are the harder ones for hptune: a level that is a row or
        # two, and an optimum where fits take four times as long.
        Task("svm_accuracy", generated(1700, 60), "accuracy",
             {"pipeline": [SCALE, {"svc": _class("svm.SVC")}]}, _svc,
             {"svc.C": Parameter(0.01, 1000.0), "svc.gamma": Parameter(1e-5, 1.0)}, 8),
        Task("svr", friedman, "r2",
             {"pipeline": [SCALE, {"svr": _class("svm.SVR")}]}, _svr,
             {"svr.C": Parameter(0.01, 100.0), "svr.gamma": Parameter(1e-4, 1.0)}, 8),
    )
}  # fmt: skip
