"""Run studies with all their folds once, and keep their fold losses.

Six model families on bundled data sets, each searched by the default oracle and by random search: 60 trials, 5 folds
(10 for two of them), several seeds. A file holds `losses`, shape (studies, trials, folds).
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn import datasets
from sklearn.ensemble import ExtraTreesClassifier, HistGradientBoostingRegressor
from sklearn.linear_model import ElasticNet, LogisticRegression
from sklearn.metrics import get_scorer
from sklearn.model_selection import KFold, StratifiedKFold
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from hptune.objective import Objective
from hptune.space import Choice, Float, Int, SearchSpace
from hptune.study import Study
from hptune.trial import Measurement

RESULTS = Path(__file__).parent / "results"
TRIALS = 60
Array = NDArray[np.float64]


@dataclass(frozen=True)
class Task:
    """A family on a data set: `build(values, seed)` is a fresh estimator, `rows` how many a study draws."""

    name: str
    data: Callable[..., Any]
    rows: int
    metric: str
    space: SearchSpace
    build: Callable[[Mapping[str, Any], int], Any]
    folds: int = 5

    @property
    def classify(self) -> bool:
        return self.metric in ("accuracy", "roc_auc", "neg_log_loss")


def _log(name: str, low: float, high: float, default: float) -> Float:
    return Float(name=name, low=low, high=high, scale="log", default=default)


def _scaled(model: Any) -> Any:
    return make_pipeline(StandardScaler(), model)


TASKS = [
    Task(
        "elastic_net-diabetes", datasets.load_diabetes, 442, "neg_root_mean_squared_error",
        SearchSpace((_log("alpha", 1e-4, 10, 1.0), Float(name="l1_ratio", low=0.0, high=1.0, default=0.5))),
        lambda v, _: _scaled(ElasticNet(max_iter=300, tol=1e-3, **v)),
    ),
    Task(
        "logistic-breast_cancer", datasets.load_breast_cancer, 400, "neg_log_loss",
        SearchSpace((_log("C", 1e-4, 1e3, 1.0), Choice(name="class_weight", values=(None, "balanced")))),
        lambda v, _: _scaled(LogisticRegression(max_iter=200, **v)),
    ),
    Task(
        "svm-digits", datasets.load_digits, 400, "accuracy",
        SearchSpace((_log("C", 1e-2, 1e3, 1.0), _log("gamma", 1e-5, 1.0, 0.02),
                     Choice(name="kernel", values=("rbf", "poly", "linear")))),
        lambda v, _: _scaled(SVC(max_iter=20_000, **v)),
    ),
    Task(
        "trees-wine", datasets.load_wine, 150, "neg_log_loss",
        SearchSpace((Float(name="max_features", low=0.1, high=1.0, default=0.3),
                     Int(name="min_samples_leaf", low=1, high=20, scale="log", default=1),
                     Choice(name="criterion", values=("gini", "entropy")),
                     Choice(name="bootstrap", values=(False, True)))),
        lambda v, s: ExtraTreesClassifier(n_estimators=40, random_state=s, **v),
    ),
    Task(
        "boosting-diabetes", datasets.load_diabetes, 300, "neg_root_mean_squared_error",
        SearchSpace((_log("learning_rate", 0.01, 0.6, 0.1), Int(name="max_leaf_nodes", low=3, high=40, scale="log",
                     default=31), Int(name="min_samples_leaf", low=2, high=60, scale="log", default=20),
                     _log("l2_regularization", 1e-3, 1e2, 1e-3))),
        lambda v, s: HistGradientBoostingRegressor(max_iter=40, early_stopping=False, random_state=s, **v),
    ),
    Task(
        "neighbors-digits", datasets.load_digits, 500, "accuracy",
        SearchSpace((Int(name="n_neighbors", low=1, high=35, scale="log", default=5),
                     Choice(name="weights", values=("uniform", "distance")), Choice(name="p", values=(2, 1)))),
        lambda v, _: _scaled(KNeighborsClassifier(algorithm="brute", **v)),
    ),
    Task(
        "svm-breast_cancer-10", datasets.load_breast_cancer, 300, "roc_auc",
        SearchSpace((_log("C", 1e-2, 1e3, 1.0), _log("gamma", 1e-5, 1.0, 0.03))),
        lambda v, _: _scaled(SVC(max_iter=20_000, **v)), folds=10,
    ),
    Task(
        "elastic_net-diabetes-10", datasets.load_diabetes, 442, "r2",
        SearchSpace((_log("alpha", 1e-4, 10, 1.0), Float(name="l1_ratio", low=0.0, high=1.0, default=0.5))),
        lambda v, _: _scaled(ElasticNet(max_iter=300, tol=1e-3, **v)), folds=10,
    ),
]  # fmt: skip
ORACLES = ("auto", "random")


def study(task: Task, oracle: str, seed: int) -> Array:
    """Return the fold losses (trials, folds) of a study without racing, on its own draw of the rows."""
    X, y = task.data(return_X_y=True)
    rows = np.random.default_rng([seed, 77]).permutation(len(y))[: task.rows]
    X, y = X[rows], y[rows]
    kind = StratifiedKFold if task.classify else KFold
    splits = list(kind(task.folds, shuffle=True, random_state=seed).split(X, y))
    scorer = get_scorer(task.metric)
    losses = np.empty((TRIALS, task.folds))
    one = Study(task.space, Objective(task.metric, "maximize"), oracle=oracle, seed=seed, lookahead=4)
    for _ in range(TRIALS):
        trial = one.ask()
        for fold, (train, test) in enumerate(splits):
            fitted = task.build(trial.values, fold).fit(X[train], y[train])
            score = float(scorer(fitted, X[test], y[test]))
            losses[trial.number, fold] = -score
            one.score(trial.number, Measurement(fold, score))
        one.complete(trial.number)
    return losses


def path(task: Task, oracle: str) -> Path:
    """Return where a task's studies by an oracle are kept."""
    return RESULTS / f"{task.name}-{oracle}.npz"


def stored() -> dict[str, Array]:
    """Return the stored losses by file stem, each (studies, trials, folds)."""
    out = {}
    for file in sorted(RESULTS.glob("*.npz")):
        with np.load(file) as kept:
            out[file.stem] = kept["losses"]
    return out


def record(seeds: int) -> None:
    """Run the studies that are not stored yet, seed by seed."""
    have = stored()
    for task in TASKS:
        for oracle in ORACLES:
            known = have.get(path(task, oracle).stem, np.empty((0, TRIALS, task.folds)))
            began = time.monotonic()
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                new = [study(task, oracle, seed) for seed in range(len(known), seeds)]
            if new:
                np.savez_compressed(path(task, oracle), losses=np.concatenate([known, np.stack(new)]))
                print(f"{task.name} {oracle}: {(time.monotonic() - began) / len(new):.1f} s a study", flush=True)
