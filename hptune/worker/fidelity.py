"""Fits at a fidelity: fewer iterations, fewer rows, or a function stopped at a step; and what can be wrong with it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hptune.dataset import Rows
from hptune.job import Finding
from hptune.models.fitting import arguments
from hptune.models.node_model import NodeModel
from hptune.randomness import seed_for
from hptune.resource import ROWS, Resource
from hptune.worker.growth import growing_parameter, grown, last_step
from hptune.worker.problem import Problem

LEAST_ROWS = 2000
"""Data with fewer training rows in a fold are not searched with shares of them: scores on so few are noise."""

LOWEST_ROWS = 1000
"""The lowest rung has at least so many rows."""

LOWEST_OF_A_CLASS = 50


class Enough(BaseException):
    """Ends a function that has reported the step it was to be trained to; `value` is what it reported there."""

    def __init__(self, value: float) -> None:
        super().__init__(value)
        self.value = value


def fewer(problem: Problem, kept: Any, fold: int, fidelity: float | None) -> Any:
    """Return a share of a fold's training rows, the smaller ones within the larger ones; all for the whole.

    Of a time series the latest; else drawn with the study's seed, of every class its share.
    """
    resource = problem.resource
    if fidelity is None or resource is None or resource.name != ROWS:
        return kept
    order = _order(problem, np.asarray(kept), fold)
    return np.sort(order[: max(round(len(order) * fidelity), 1)])


def _order(problem: Problem, kept: NDArray[Any], fold: int) -> NDArray[Any]:
    """Return the rows in the order in which they are given out."""
    if problem.cv.in_order:
        return kept[::-1]
    rng = np.random.default_rng(seed_for(problem.setup.seed, "rows", fold))
    order = kept[rng.permutation(len(kept))]
    if problem.dataset.task != "classification":
        return order
    _, label, counts = np.unique(problem.dataset.train.y[order], return_inverse=True, return_counts=True)
    place = np.empty(len(order))
    for one in range(len(counts)):
        here = np.flatnonzero(label == one)
        place[here] = (np.arange(len(here)) + 0.5) / len(here)
    return order[np.argsort(place, kind="stable")]


def fit_at(
    problem: Problem,
    values: Mapping[str, Any],
    train: Rows,
    test: Rows,
    *,
    seed: int,
    fold: int,
    fidelity: float | None,
    memory: int | None = None,
) -> tuple[Any, Any, float | None]:
    """Return an estimator fitted at a fidelity, X to score it on, and the share it went on from (None: from scratch).

    Bit for bit the same either way. As in `Problem.fit_for`, leading steps that no trial changes may come from the
    cache. `memory` is the trial's limit in bytes.
    """
    resource, model = problem.resource, problem.model
    given = values if resource is None else resource.applied(values, fidelity)
    if resource is None or not resource.is_parameter or not isinstance(model, NodeModel):
        return problem.fit(given, train, seed=seed), test.X, None
    tuned = frozenset({resource.name})
    rest = problem.rest_for(given, fold, train, test, finals=None, seed=seed, tuned=tuned)
    key = (f"{problem.declared.key(values)}{'' if rest is None else ' rest'}", fold)
    amount = resource.amount(fidelity)
    taken = problem.growth.take(key)
    continued = None
    if taken is not None and taken[1] < amount:
        extra = arguments(taken[0], model.routes, model.taken(given), train.weights)
        fitted = grown(taken[0], amount, train.X if rest is None else rest.train, train.y, extra)
        continued = taken[1] / resource.max
    elif rest is None:
        fitted = problem.fit(given, train, seed=seed)
    else:
        fitted = rest.estimator.fit(rest.train, train.y, **rest.arguments)
    if fidelity is not None and _grows(problem, resource, values, fitted, amount, len(train)):
        problem.growth.keep(key, fitted, amount, memory)
    return fitted, test.X if rest is None else rest.test, continued


def _grows(
    problem: Problem, resource: Resource, values: Mapping[str, Any], fitted: Any, amount: int, rows: int
) -> bool:
    """Return whether the resource is what a fitted estimator's last step grows in."""
    name = growing_parameter(fitted, rows)
    if name is None or getattr(last_step(fitted), name) != amount:
        return False
    other = last_step(problem.build({**values, resource.name: amount + 1}))  # by chance it might have been equal
    return bool(getattr(other, name) == amount + 1)


def check_resource(problem: Problem) -> list[Finding]:
    """Return what is wrong with the oracle's resource for these data: too few rows to take shares of them."""
    resource = problem.resource
    if resource is None or resource.name != ROWS:
        return []
    smallest = min(len(kept) for kept, _ in problem.splits)
    if smallest < LEAST_ROWS:
        message = (
            f"expected at least {LEAST_ROWS:,} training rows in a fold, found {smallest:,}: on shares of so few the "
            "scores are noise, and good configurations are lost by it; take a parameter that counts iterations, or "
            "an oracle without shares (bayesian)"
        )
        return [Finding(key="oracle.resource", message=message)]
    least = LOWEST_ROWS / smallest
    why = f"{LOWEST_ROWS:,} rows"
    if problem.dataset.task == "classification":
        y = problem.dataset.train.y
        rarest = min(int(np.unique(y[kept], return_counts=True)[1].min()) for kept, _ in problem.splits)
        if rarest * resource.lowest < LOWEST_OF_A_CLASS and LOWEST_OF_A_CLASS / rarest > least:
            least = LOWEST_OF_A_CLASS / rarest
            why = f"{LOWEST_OF_A_CLASS} rows of the rarest class"
    if resource.lowest >= least:
        return []
    message = (
        f"the lowest rung is {resource.lowest:.3g} of the rows; it must hold at least {why}, a share of {least:.3g}"
    )
    return [Finding(key="oracle.min", message=f"{message}; {_mend(least)}")]


def _mend(least: float) -> str:
    """Return what to write so that the lowest rung holds at least this share and lies below the whole."""
    low = math.ceil(least * 100 - 1e-9) / 100
    if low > 0.5:
        return "take another resource"
    return f"write min: {low:g}, reduction: {3 if low * 3 <= 1 else 2}"
