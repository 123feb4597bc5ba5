"""Real scikit-learn fits of our own: small and mid-sized data, five metrics, conditional and integer spaces.

None of them is one of the public REAL problems. All are deterministic: fixed splits, fixed model seeds. Evaluated
configurations are kept in the folder that HPTUNE_BENCH_CACHE names, if it does, so that a repeated run costs nothing.
"""

from __future__ import annotations

import json
import os
import warnings
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.problems import Problem
from hptune.conditions import Condition
from hptune.space import Boolean, Choice, Float, Int, Parameter, SearchSpace

CACHE = "HPTUNE_BENCH_CACHE"
Values = Mapping[str, Any]


def _log(name: str, low: float, high: float, **more: Any) -> Float:
    return Float(name=name, low=low, high=high, scale="log", **more)


def _lin(name: str, low: float, high: float, **more: Any) -> Float:
    return Float(name=name, low=low, high=high, **more)


def _int(name: str, low: int, high: int, *, log: bool = False, **more: Any) -> Int:
    return Int(name=name, low=low, high=high, scale="log" if log else "linear", **more)


def _cat(name: str, *values: Any, **more: Any) -> Choice:
    return Choice(name=name, values=values, **more)


def _when(name: str, *values: Any) -> tuple[Condition, ...]:
    return (Condition(name, "in", values),)


# -- data: name -> (X, y, is regression) --------------------------------------------------------------------------


@cache
def _data(name: str) -> tuple[Any, Any, bool]:
    from sklearn import datasets

    made: dict[str, Callable[[], Any]] = {
        "sonar_like": lambda: datasets.make_classification(
            208, 60, n_informative=12, n_redundant=10, flip_y=0.08, class_sep=0.8, random_state=3
        ),
        "moons": lambda: datasets.make_moons(240, noise=0.35, random_state=1),
        "imbalanced": lambda: datasets.make_classification(
            400, 15, n_informative=6, weights=[0.85], flip_y=0.05, random_state=5
        ),
        "friedman": lambda: datasets.make_friedman1(250, noise=1.0, random_state=2),
        "friedman3": lambda: datasets.make_friedman3(200, noise=0.1, random_state=4),
        "wide": lambda: datasets.make_regression(90, 120, n_informative=15, noise=20.0, random_state=6),
    }
    if name in made:
        X, y = made[name]()
    else:
        X, y = getattr(datasets, "load_" + name.removesuffix("_small"))(return_X_y=True)
    if name.endswith("_small"):
        keep = np.random.default_rng(7).permutation(len(X))[:400]
        X, y = X[keep], y[keep]
    regression = y.dtype.kind == "f" and len(np.unique(y)) > 20
    return X, (y - y.mean()) / y.std() if regression else y, regression


# -- models: name -> (space, values -> estimator) -------------------------------------------------------------------


def _svm(*, regression: bool) -> tuple[list[Parameter], Callable[[Values], Any]]:
    from sklearn import svm

    space: list[Parameter] = [
        _log("C", 1e-3, 1e3),
        _cat("kernel", "rbf", "poly", "linear", "sigmoid"),
        _log("gamma", 1e-5, 10, when=_when("kernel", "rbf", "poly", "sigmoid")),
        _int("degree", 2, 5, when=_when("kernel", "poly")),
    ]
    if regression:
        space.append(_log("epsilon", 1e-3, 1))
    return space, lambda v: (svm.SVR if regression else svm.SVC)(**v, max_iter=5000)


def _neighbours() -> tuple[list[Parameter], Callable[[Values], Any]]:
    from sklearn import decomposition, neighbors, pipeline

    space = [
        _int("n_neighbors", 1, 60, log=True),
        _cat("weights", "uniform", "distance"),
        _cat("metric", "euclidean", "manhattan", "chebyshev", "cosine"),
        _int("components", 1, 30, log=True),
        Boolean(name="whiten"),
    ]

    def build(v: Values) -> Any:
        reduce = decomposition.PCA(v["components"], whiten=v["whiten"], random_state=0)
        model = neighbors.KNeighborsClassifier(v["n_neighbors"], weights=v["weights"], metric=v["metric"])
        return pipeline.make_pipeline(reduce, model)

    return space, build


def _tree() -> tuple[list[Parameter], Callable[[Values], Any]]:
    from sklearn import tree

    space = [
        _int("max_depth", 1, 20),
        _int("min_samples_leaf", 1, 60, log=True),
        _int("min_samples_split", 2, 60, log=True),
        _cat("criterion", "gini", "entropy"),
        _cat("splitter", "best", "random"),
        _log("ccp_alpha", 1e-5, 1e-1, extra=(0.0,)),
        _cat("class_weight", None, "balanced"),
    ]
    return space, lambda v: tree.DecisionTreeClassifier(**v, random_state=0)


def _extra_trees() -> tuple[list[Parameter], Callable[[Values], Any]]:
    from sklearn import ensemble

    space = [
        _int("max_depth", 1, 20),
        _lin("max_features", 0.02, 1.0),
        _int("min_samples_leaf", 1, 30, log=True),
        _int("min_samples_split", 2, 40, log=True),
        Boolean(name="bootstrap"),
    ]
    return space, lambda v: ensemble.ExtraTreesClassifier(12, **v, random_state=0)


def _boosting() -> tuple[list[Parameter], Callable[[Values], Any]]:
    from sklearn import ensemble

    space = [
        _log("learning_rate", 1e-2, 1),
        _int("n_estimators", 5, 80, log=True),
        _int("max_depth", 1, 6),
        _lin("subsample", 0.3, 1.0),
        _int("min_samples_leaf", 1, 40, log=True),
        _lin("max_features", 0.1, 1.0),
    ]
    return space, lambda v: ensemble.GradientBoostingRegressor(**v, random_state=0)


def _forest() -> tuple[list[Parameter], Callable[[Values], Any]]:
    from sklearn import ensemble

    space = [
        _int("max_depth", 1, 16),
        _lin("max_features", 0.1, 1.0),
        _int("min_samples_leaf", 1, 30, log=True),
        _cat("criterion", "gini", "entropy"),
        _cat("class_weight", None, "balanced", "balanced_subsample"),
    ]
    return space, lambda v: ensemble.RandomForestClassifier(12, **v, random_state=0)


def _network() -> tuple[list[Parameter], Callable[[Values], Any]]:
    from sklearn import neural_network

    space = [
        _int("layers", 1, 2),
        _int("units", 2, 32, log=True),
        _int("units2", 2, 32, log=True, when=(Condition("layers", "ge", 2),)),
        _log("alpha", 1e-6, 10),
        _log("learning_rate_init", 1e-4, 0.3),
        _cat("activation", "relu", "tanh", "logistic"),
        _int("batch_size", 8, 64, log=True),
    ]

    def build(v: Values) -> Any:
        kept = {name: v[name] for name in ("alpha", "learning_rate_init", "activation", "batch_size")}
        hidden = (v["units"], v["units2"]) if "units2" in v else (v["units"],)
        return neural_network.MLPClassifier(hidden, max_iter=12, random_state=0, **kept)

    return space, build


def _nystroem() -> tuple[list[Parameter], Callable[[Values], Any]]:
    from sklearn import kernel_approximation, linear_model, pipeline

    space = [
        _log("gamma", 1e-3, 30),
        _int("components", 2, 80, log=True),
        _log("C", 1e-3, 1e3),
        _cat("kernel", "rbf", "laplacian", "sigmoid"),
    ]

    def build(v: Values) -> Any:
        features = kernel_approximation.Nystroem(
            kernel=v["kernel"], gamma=v["gamma"], n_components=v["components"], random_state=0
        )
        return pipeline.make_pipeline(features, linear_model.LogisticRegression(C=v["C"], max_iter=200))

    return space, build


def _logistic() -> tuple[list[Parameter], Callable[[Values], Any]]:
    from sklearn import feature_selection, linear_model, pipeline

    space = [
        _int("features", 2, 30),
        _log("C", 1e-4, 1e3),
        _cat("class_weight", None, "balanced"),
        Boolean(name="fit_intercept", default=True),
    ]

    def build(v: Values) -> Any:
        chosen = feature_selection.SelectKBest(k=v["features"])
        kept = {name: v[name] for name in ("C", "class_weight", "fit_intercept")}
        return pipeline.make_pipeline(chosen, linear_model.LogisticRegression(max_iter=200, **kept))

    return space, build


def _regressors() -> tuple[list[Parameter], Callable[[Values], Any]]:
    from sklearn import kernel_ridge, linear_model, neighbors, svm, tree

    space = [
        _cat("model", "ridge", "lasso", "svr", "knn", "tree", "kernel_ridge"),
        _log("ridge_alpha", 1e-4, 1e4, when=_when("model", "ridge")),
        _log("lasso_alpha", 1e-4, 10, when=_when("model", "lasso")),
        _log("C", 1e-2, 1e3, when=_when("model", "svr")),
        _log("gamma", 1e-4, 10, when=_when("model", "svr", "kernel_ridge")),
        _log("epsilon", 1e-3, 1, when=_when("model", "svr")),
        _int("k", 1, 60, log=True, when=_when("model", "knn")),
        _cat("weights", "uniform", "distance", when=_when("model", "knn")),
        _int("max_depth", 1, 12, when=_when("model", "tree")),
        _int("min_samples_leaf", 1, 60, log=True, when=_when("model", "tree")),
        _log("kr_alpha", 1e-4, 1e2, when=_when("model", "kernel_ridge")),
    ]

    def build(v: Values) -> Any:
        match v["model"]:
            case "ridge":
                return linear_model.Ridge(v["ridge_alpha"])
            case "lasso":
                return linear_model.Lasso(v["lasso_alpha"], max_iter=2000)
            case "svr":
                return svm.SVR(C=v["C"], gamma=v["gamma"], epsilon=v["epsilon"], max_iter=5000)
            case "knn":
                return neighbors.KNeighborsRegressor(v["k"], weights=v["weights"])
            case "tree":
                return tree.DecisionTreeRegressor(
                    max_depth=v["max_depth"], min_samples_leaf=v["min_samples_leaf"], random_state=0
                )
        return kernel_ridge.KernelRidge(alpha=v["kr_alpha"], kernel="rbf", gamma=v["gamma"])

    return space, build


def _classifiers() -> tuple[list[Parameter], Callable[[Values], Any]]:
    from sklearn import discriminant_analysis, linear_model, naive_bayes, neighbors, svm, tree

    space = [
        _cat("model", "logistic", "svm", "knn", "bayes", "qda", "tree"),
        _log("logistic_C", 1e-4, 1e3, when=_when("model", "logistic")),
        _log("C", 1e-3, 1e3, when=_when("model", "svm")),
        _log("gamma", 1e-5, 10, when=_when("model", "svm")),
        _int("k", 1, 60, log=True, when=_when("model", "knn")),
        _cat("weights", "uniform", "distance", when=_when("model", "knn")),
        _log("smoothing", 1e-12, 1, when=_when("model", "bayes")),
        _lin("reg_param", 0, 1, when=_when("model", "qda")),
        _int("max_depth", 1, 12, when=_when("model", "tree")),
        _int("min_samples_leaf", 1, 60, log=True, when=_when("model", "tree")),
    ]

    def build(v: Values) -> Any:
        match v["model"]:
            case "logistic":
                return linear_model.LogisticRegression(C=v["logistic_C"], max_iter=200)
            case "svm":
                return svm.SVC(C=v["C"], gamma=v["gamma"], max_iter=5000)
            case "knn":
                return neighbors.KNeighborsClassifier(v["k"], weights=v["weights"])
            case "bayes":
                return naive_bayes.GaussianNB(var_smoothing=v["smoothing"])
            case "qda":
                return discriminant_analysis.QuadraticDiscriminantAnalysis(reg_param=v["reg_param"])
        return tree.DecisionTreeClassifier(
            max_depth=v["max_depth"], min_samples_leaf=v["min_samples_leaf"], random_state=0
        )

    return space, build


TASKS: dict[str, tuple[Callable[[], tuple[list[Parameter], Callable[[Values], Any]]], str, str]] = {
    "own-svm/sonar_like": (lambda: _svm(regression=False), "sonar_like", "accuracy"),
    "own-svm/digits_small": (lambda: _svm(regression=False), "digits_small", "accuracy"),
    "own-svm/imbalanced": (lambda: _svm(regression=False), "imbalanced", "roc_auc"),
    "own-svr/diabetes": (lambda: _svm(regression=True), "diabetes", "r2"),
    "own-knn/digits_small": (_neighbours, "digits_small", "accuracy"),
    "own-tree/breast_cancer": (_tree, "breast_cancer", "roc_auc"),
    "own-extra/digits_small": (_extra_trees, "digits_small", "neg_log_loss"),
    "own-boosting/friedman": (_boosting, "friedman", "r2"),
    "own-forest/imbalanced": (_forest, "imbalanced", "accuracy"),
    "own-mlp/wine": (_network, "wine", "neg_log_loss"),
    "own-nystroem/moons": (_nystroem, "moons", "neg_log_loss"),
    "own-logistic/breast_cancer": (_logistic, "breast_cancer", "accuracy"),
    "own-regressors/friedman3": (_regressors, "friedman3", "r2"),
    "own-regressors/wide": (_regressors, "wide", "r2"),
    "own-classifiers/imbalanced": (_classifiers, "imbalanced", "roc_auc"),
    "own-classifiers/iris": (_classifiers, "iris", "accuracy"),
}
"""Name -> (model, data, scikit-learn's name of the metric)."""

SLOW = ("own-extra/digits_small", "own-boosting/friedman", "own-forest/imbalanced", "own-mlp/wine")
"""Tasks that take more than 0.1 s a configuration, left out of quick comparisons."""


def gridded(space: SearchSpace) -> SearchSpace:
    """Return the space with every numeric range thinned to some 13 values, so that kept results are met again."""

    def thin(p: Parameter) -> Parameter:
        if not isinstance(p, (Float, Int)) or (p.count is not None and p.count <= 16):
            return p
        if p.scale == "log":
            factor = (p.high / p.low) ** (1 / 12)
            return replace(p, factor=factor)
        step = (p.high - p.low) / 12
        return replace(p, step=max(round(step), 1) if isinstance(p, Int) else float(f"{step:.3g}"))

    return SearchSpace(tuple(thin(p) for p in space.parameters), space.constraints)


def get(name: str) -> Problem:
    """Return a task by name: `evaluate` gives the losses of five folds; a score that is not finite counts as 1e6.

    `grid-svm/iris` is `own-svm/iris` on a thinned grid.
    """
    from sklearn import metrics, model_selection, pipeline, preprocessing

    kind_of, _, rest = name.partition("-")
    model, dataset, metric = TASKS[f"own-{rest}"]
    parameters, build = model()
    space = SearchSpace(tuple(parameters))
    if kind_of == "grid":
        space = gridded(space)
    X, y, regression = _data(dataset)
    kind = model_selection.KFold if regression else model_selection.StratifiedKFold
    folds = list(kind(5, shuffle=True, random_state=0).split(X, y))
    scorer = metrics.get_scorer(metric)
    kept = _Kept(name)

    def evaluate(values: Values) -> list[float]:
        key = space.key(values)
        if key not in kept.losses:
            kept.add(key, [fold(values, train, test) for train, test in folds])
        return list(kept.losses[key])

    def fold(values: Values, train: Any, test: Any) -> float:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            estimator = pipeline.make_pipeline(preprocessing.StandardScaler(), build(values))
            try:
                score = float(scorer(estimator.fit(X[train], y[train]), X[test], y[test]))
            except (ValueError, np.linalg.LinAlgError):
                return 1e6
        return -score if np.isfinite(score) and score > -1e6 else 1e6

    return Problem(name, space, evaluate)


class _Kept:
    """Evaluated configurations, on disk where HPTUNE_BENCH_CACHE is set."""

    def __init__(self, name: str) -> None:
        folder = os.environ.get(CACHE)
        self.path = Path(folder) / (name.replace("/", "-") + ".jsonl") if folder else None
        self.losses: dict[str, list[float]] = {}
        if self.path is not None and self.path.exists():
            for line in self.path.read_text().splitlines():
                key, losses = json.loads(line)
                self.losses[key] = losses

    def add(self, key: str, losses: list[float]) -> None:
        self.losses[key] = losses
        if self.path is not None:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with self.path.open("a") as out:
                out.write(json.dumps([key, losses]) + "\n")
