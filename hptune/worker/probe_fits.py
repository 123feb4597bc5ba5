"""Quick fits of single configurations: on a few rows, and where that fails on as many as a trial is given at least."""

from __future__ import annotations

import contextlib
import time
import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np

from hptune.dataset import Rows
from hptune.evaluate import is_function
from hptune.hyperparameters import NotSearched
from hptune.parameters import canonical
from hptune.randomness import seed_for
from hptune.resource import ROWS as ALL_ROWS
from hptune.worker.failures import failure_of
from hptune.worker.fidelity import fewer
from hptune.worker.problem import Problem

MOST_SECONDS = 10.0
ROWS = 60
"""Rows of the first fit; in a classification about so many, in the classes' shares and at least four of each."""
GROWTH = 4
"""A fit that failed is tried on so many times the rows, up to a whole fold's."""

OF_THE_ROWS = ("n_samples", "n_splits", "n_neighbors", "members", "n_components", "predicts NaN")
"""Words of messages that too few rows may be to blame for."""


class ProbeFits:
    """Fits configurations, each once: `fits(values)` is why one cannot be fitted (first line), None if it can.

    No failure for want of rows is told that a trial would not meet: what fails on a few rows is fitted to more, at last
    to the smallest fold's training rows, on a trial's terms. Where that would take too long, a message that speaks of
    rows or counts does not count. A parameter that the study spends as its resource is given the least of it.
    """

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        self.seconds = 0.0
        """What the fits have taken so far."""
        self.unsearched: dict[str, Any] = {}
        """Hyperparameters that fits met and the space does not hold, with the defaults they run at."""
        self._known: dict[str, tuple[str | None, bool]] = {}
        fold, (kept, tested) = min(enumerate(problem.splits), key=lambda one: len(one[1][0]))
        resource = problem.resource
        if resource is not None and resource.name == ALL_ROWS:
            kept = fewer(problem, kept, fold, resource.lowest)
        self._fold, self._kept, self._tested = fold, np.asarray(kept), tested
        self._order = np.random.default_rng(0).permutation(self._kept)
        self.rows = len(self._kept)
        """The training rows of the smallest fold; where trials are given shares of them, its lowest share."""
        self._own_metric = is_function(problem.setup.evaluate.get("metric") or "")
        self._few = self._slice(ROWS)
        self._test = problem.dataset.train.take(np.asarray(tested)[:ROWS]).X

    def __call__(self, values: Mapping[str, Any]) -> str | None:
        key = canonical(dict(values))
        if key not in self._known:
            self._known[key] = self._fit(values)
        return self._known[key][0]

    def sure(self, values: Mapping[str, Any]) -> bool:
        """Return whether what was said of a configuration is what a trial of it would meet."""
        return self._known[canonical(dict(values))][1]

    @property
    def late(self) -> bool:
        """Whether the fits have taken as long as they may."""
        return self.seconds > MOST_SECONDS

    def _fit(self, values: Mapping[str, Any]) -> tuple[str | None, bool]:
        """Return what to say of a configuration, and whether a trial would meet that failure."""
        count = len(self._few)
        message, took = self._attempt(values, self._few, self._few.X, seed=0)
        while message is not None:
            last, count = count, min(count * GROWTH, self.rows)
            if self.seconds + took * (count / last) ** 2 > MOST_SECONDS:
                return (None if any(word in message for word in OF_THE_ROWS) else message), False
            if count == self.rows:
                return self._whole(values), True
            rows = self._slice(count)
            message, took = self._attempt(values, rows, rows.X, seed=0)
        return None, False

    def _whole(self, values: Mapping[str, Any]) -> str | None:
        """Return what a trial would meet in the smallest fold."""
        rows = self.problem.dataset.train
        seed = seed_for(self.problem.setup.seed, "model", self._fold)
        return self._attempt(values, rows.take(self._kept), rows.take(self._tested).X, seed=seed)[0]

    def _attempt(self, values: Mapping[str, Any], rows: Rows, X: Any, *, seed: int) -> tuple[str | None, float]:
        """Return the first line of a fit's failure, None if there is none, and its seconds."""
        resource, message = self.problem.resource, None
        given = dict(values) if resource is None else resource.applied(values, resource.lowest)
        began = time.monotonic()
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("ignore")  # convergence on sixty rows means nothing
            warnings.simplefilter("always", NotSearched)
            try:
                model = self.problem.fit(given, rows, seed=seed)
                model.predict(X)
                message = self._nan(model)
            except Exception as error:
                message = failure_of(error).message.splitlines()[0]
        met = [one.message for one in caught if isinstance(one.message, NotSearched)]
        self.unsearched.update({one.name: one.value for one in met})
        took = time.monotonic() - began
        self.seconds += took
        return message, took

    def _nan(self, model: Any) -> str | None:
        """Return that a model predicts no numbers for test rows, which no metric of scikit-learn's can score."""
        predicted = np.zeros(0)
        with contextlib.suppress(Exception):  # few training rows may not know what is in the test rows
            predicted = np.asarray(model.predict(self._test))
        wrong = int(np.isnan(predicted).sum()) if predicted.dtype.kind == "f" and not self._own_metric else 0
        return f"it predicts NaN for {wrong} of {len(predicted)} rows" if wrong else None

    def _slice(self, count: int) -> Rows:
        """Return so many training rows; of each class some, and whole groups do not matter here."""
        rows, order = self.problem.dataset.train, self._order
        if self.problem.dataset.task == "classification":
            labels = rows.y[order]
            classes, counts = np.unique(labels, return_counts=True)
            shares = np.maximum(4, np.round(count * counts / len(labels)).astype(int))  # nu of NuSVC goes by them
            order = np.concatenate([order[labels == classes[i]][: shares[i]] for i in np.argsort(-counts)])
        else:
            order = order[:count]
        return rows.take(np.sort(order))
