"""The data: populations from which a study's rows and a large fresh sample are drawn.

A synthetic population gives as many rows as asked for. A bundled data set is a finite population: the study draws n
rows of it, the fresh sample is the rest; its fresh figures carry more noise, and the tables say "finite".
"Shuffled" tasks draw the target by itself, independent of the features: with two balanced classes and accuracy,
every configuration is worth exactly 0.5, and every gain is a false one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray
from sklearn import datasets

Rows = tuple[NDArray[np.float64], NDArray[np.float64]]
FRESH = 4000


@dataclass(frozen=True)
class Task:
    """A population, the rows a study sees, the model family and the score (greater is better)."""

    name: str
    population: str
    n: int
    family: str
    metric: str  # neg_rmse | neg_mae | r2 | accuracy | neg_log_loss | roc_auc
    shuffled: bool = False
    trials: int | None = None  # configurations a study tries; by default the family's

    @property
    def classify(self) -> bool:
        return self.metric in ("accuracy", "neg_log_loss", "roc_auc")

    @property
    def finite(self) -> bool:
        return self.population in BUNDLED

    @property
    def null(self) -> bool:
        """Whether every configuration is worth the same by construction."""
        return self.shuffled and self.metric == "accuracy"

    def draw(self, rng: np.random.Generator) -> tuple[Rows, Rows]:
        """Return the study's rows and the fresh ones, X (n, d) and y (n,)."""
        if self.finite:
            X, y = _bundled(self.population)
            order = rng.permutation(len(y))
            X, y = X[order], y[order]
        else:
            X, y = SYNTHETIC[self.population](self.n + max(FRESH, 4 * self.n), rng)
        if self.shuffled and self.classify:
            # both halves exactly balanced: with stratified folds, no class is worth guessing
            halves = (np.arange(self.n) % 2, np.arange(len(y) - self.n) % 2)
            y = np.concatenate([rng.permuted(half) for half in halves]).astype(float)
        elif self.shuffled:
            y = rng.permuted(y)
        return (X[: self.n], y[: self.n]), (X[self.n :], y[self.n :])


@cache
def _bundled(name: str) -> Rows:
    X, y = BUNDLED[name](return_X_y=True)
    return np.asarray(X, float), np.asarray(y, float)


def _seed(rng: np.random.Generator) -> int:
    return int(rng.integers(2**31))


def _friedman(kind: int, noise: float) -> Callable[[int, np.random.Generator], Rows]:
    make = {1: datasets.make_friedman1, 2: datasets.make_friedman2, 3: datasets.make_friedman3}[kind]

    def draw(n: int, rng: np.random.Generator) -> Rows:
        X, y = make(n_samples=n, noise=noise, random_state=_seed(rng))
        return X, y

    return draw


def _linear(features: int, informative: int, noise: float, correlation: float) -> Callable[..., Rows]:
    weights = np.zeros(features)
    weights[:informative] = np.random.default_rng(5).normal(size=informative)

    def draw(n: int, rng: np.random.Generator) -> Rows:
        X = rng.normal(size=(n, features)) + np.sqrt(correlation) * rng.normal(size=(n, 1))
        return X, X @ weights + noise * rng.normal(size=n)

    return draw


def _classes(features: int, informative: int, classes: int, flip: float, sep: float) -> Callable[..., Rows]:
    rng0 = np.random.default_rng(11)
    clusters = 2
    centers = (
        sep
        * rng0.choice([-1.0, 1.0], size=(classes * clusters, informative))
        * rng0.uniform(0.5, 1.5, size=(classes * clusters, informative))
    )
    mix = rng0.normal(size=(informative, informative))

    def draw(n: int, rng: np.random.Generator) -> Rows:
        """As make_classification, but with the hypercube fixed: every draw is of one population."""
        cluster = rng.integers(classes * clusters, size=n)
        X = rng.normal(size=(n, features))
        X[:, :informative] = X[:, :informative] @ mix + centers[cluster]
        y = (cluster % classes).astype(float)
        flipped = rng.random(n) < flip
        y[flipped] = rng.integers(classes, size=int(flipped.sum()))
        return X, y

    return draw


def _moons(n: int, rng: np.random.Generator) -> Rows:
    X, y = datasets.make_moons(n_samples=n, noise=0.35, random_state=_seed(rng))
    return np.hstack([X, rng.normal(size=(n, 4))]), y.astype(float)


def _hastie(n: int, rng: np.random.Generator) -> Rows:
    X, y = datasets.make_hastie_10_2(n_samples=n, random_state=_seed(rng))
    return X, (y > 0).astype(float)


BUNDLED: dict[str, Callable[..., object]] = {
    "diabetes": datasets.load_diabetes,
    "breast_cancer": datasets.load_breast_cancer,
    "digits": datasets.load_digits,
    "wine": datasets.load_wine,
}
SYNTHETIC: dict[str, Callable[[int, np.random.Generator], Rows]] = {
    "friedman1": _friedman(1, 1.0),
    "friedman2": _friedman(2, 100.0),
    "friedman3": _friedman(3, 0.1),
    "linear30": _linear(30, 10, 4.0, 0.0),
    "correlated": _linear(40, 5, 2.0, 1.0),
    "classes2": _classes(20, 5, 2, 0.1, 0.7),
    "classes3": _classes(12, 6, 3, 0.05, 0.8),
    "moons": _moons,
    "hastie": _hastie,
}
TASKS: tuple[Task, ...] = (
    Task("linear30-60-linear", "linear30", 60, "linear", "neg_rmse"),
    Task("correlated-200-linear", "correlated", 200, "linear", "neg_mae"),
    Task("diabetes-120-linear", "diabetes", 120, "linear", "neg_rmse"),
    Task("friedman1-100-svm", "friedman1", 100, "svm", "neg_rmse"),
    Task("friedman2-200-neighbors", "friedman2", 200, "neighbors", "neg_rmse"),
    Task("friedman1-300-boosting", "friedman1", 300, "boosting", "neg_rmse"),
    Task("friedman3-200-trees", "friedman3", 200, "trees", "r2"),
    Task("diabetes-120-trees", "diabetes", 120, "trees", "r2"),
    Task("diabetes-100-svm", "diabetes", 100, "svm", "neg_mae"),
    Task("classes2-100-svm", "classes2", 100, "svm", "accuracy"),
    Task("classes2-400-svm", "classes2", 400, "svm", "accuracy"),
    Task("classes2-60-logistic", "classes2", 60, "logistic", "accuracy"),
    Task("classes2-2000-logistic", "classes2", 2000, "logistic", "neg_log_loss"),
    Task("classes3-300-neighbors", "classes3", 300, "neighbors", "accuracy"),
    Task("classes3-150-logistic", "classes3", 150, "logistic", "neg_log_loss"),
    Task("breast_cancer-100-logistic", "breast_cancer", 100, "logistic", "roc_auc"),
    Task("digits-200-svm", "digits", 200, "svm", "accuracy"),
    Task("wine-60-neighbors", "wine", 60, "neighbors", "accuracy"),
    Task("moons-200-trees", "moons", 200, "trees", "accuracy"),
    Task("hastie-800-boosting", "hastie", 800, "boosting", "accuracy"),
    Task("shuffled-100-svm", "classes2", 100, "svm", "accuracy", shuffled=True),
    Task("shuffled-60-logistic", "classes2", 60, "logistic", "accuracy", shuffled=True),
    Task("shuffled-300-neighbors", "classes3", 300, "neighbors", "accuracy", shuffled=True),
    Task("shuffled-150-trees", "moons", 150, "trees", "accuracy", shuffled=True),
    Task("shuffled-400-boosting", "hastie", 400, "boosting", "accuracy", shuffled=True),
    Task("shuffled-diabetes-120-linear", "diabetes", 120, "linear", "neg_rmse", shuffled=True),
    Task("shuffled-friedman1-100-svm", "friedman1", 100, "svm", "neg_rmse", shuffled=True),
    Task("many-classes2-100-svm", "classes2", 100, "svm", "accuracy", trials=150),
    Task("many-diabetes-120-linear", "diabetes", 120, "linear", "neg_rmse", trials=150),
    Task("many-shuffled-100-svm", "classes2", 100, "svm", "accuracy", shuffled=True, trials=150),
    Task("many-shuffled-60-logistic", "classes2", 60, "logistic", "accuracy", shuffled=True, trials=150),
)
