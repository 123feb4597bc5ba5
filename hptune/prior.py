"""What earlier studies know: their trials in the present space, and how much they are believed.

Legend: P trials of one earlier study; C columns of the space; S earlier studies; n own losses; w own warped losses
(n,); m_s what study s expects at a point, in units of its own warped losses; β weights (S,).

    w ≈ mean + Σ β_s (m_s - mean of m_s),   β ~ N(BELIEF / S, SPREAD²), noise variance NOISE            (1)

Losses of another data set are on another scale, so every earlier study is warped by itself, and only its *shape*
counts. (1) is ridge regression towards BELIEF: with the first own losses the earlier studies are believed, with more
of them only as far as they were right. A negative weight counts as 0: that good was bad is no reason to hope that bad
is good. Choices measured in docs/decisions/0007-prior.md.
"""

from __future__ import annotations

import weakref
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hptune.history import History
from hptune.space import SearchSpace

Array = NDArray[np.float64]

BELIEF = 0.8
SPREAD = 0.4
NOISE = 0.5

MOST_TRIALS = 200
"""Trials kept of all earlier studies together: the best half of each, and a spread over the others' ranks."""

FIRST = 2
"""So many earlier studies' best configurations are tried right after the defaults and the user's own."""

FEWEST = 3
"""An earlier study with fewer usable trials has no shape."""


@dataclass(frozen=True, eq=False)
class Earlier:
    """One earlier study: encoded rows (P, C), warped losses (P,), and their order from the best."""

    rows: Array
    w: Array

    @property
    def order(self) -> NDArray[np.intp]:
        return np.argsort(self.w, kind="stable")


_CACHE: weakref.WeakKeyDictionary[History, tuple[Earlier, ...]] = weakref.WeakKeyDictionary()


def earlier(history: History) -> tuple[Earlier, ...]:
    """Return the earlier studies that tell anything, in the order in which the config names them."""
    if history.started.prior is None:
        return ()
    if history not in _CACHE:
        found = (_earlier(history.space, record["kept"]) for record in history.started.prior)
        _CACHE[history] = tuple(one for one in found if one is not None)
    return _CACHE[history]


def _earlier(space: SearchSpace, kept: list[Any]) -> Earlier | None:
    from hptune.surrogate.warp import warp  # scipy is loaded when it is first needed

    loss = np.array([one[1] for one in kept], dtype=np.float64)
    if len(loss) < FEWEST or not np.ptp(loss / 4.0) > 0:  # quarters: huge losses must not overflow
        return None
    return Earlier(np.array([space.encode(one[0]) for one in kept]), warp(loss))


def weights(m: Array, w: Array) -> Array:
    """Return β of (1), shape (S,), for expectations m (n, S) at the points of own warped losses w (n,)."""
    count = m.shape[1]
    centred = m - m.mean(axis=0)
    left = np.eye(count) / SPREAD**2 + centred.T @ centred / NOISE
    right = np.full(count, BELIEF / count / SPREAD**2) + centred.T @ (w - w.mean()) / NOISE
    return np.asarray(np.clip(np.linalg.solve(left, right), 0.0, 1.5))


def taken(history: History, space: SearchSpace, most: int) -> dict[str, Any]:
    """Return an earlier study's completed trials in the present space as plain data, at most `most` of them.

    `kept` lists [values, loss], smaller is better, the best first. A parameter that the earlier study does not have
    takes its default, one that is gone is left out; a configuration with a value outside its parameter, or not
    allowed, is dropped and counted under `outside`. Equal configurations count once, with their mean loss.
    """
    losses: dict[str, list[float]] = {}
    values: dict[str, dict[str, Any]] = {}
    outside = completed = 0
    for trial in history.trials:
        if not trial.completed or trial.fidelity is not None or trial.score is None:
            continue
        completed += 1
        mapped = _mapped(space, trial.values)
        if mapped is None:
            outside += 1
            continue
        key = space.key(mapped)
        values[key] = mapped
        losses.setdefault(key, []).append(history.objective.loss(trial.score))
    mean = {key: float(np.mean(np.array(found) / len(found)) * len(found)) for key, found in losses.items()}
    ranked = sorted(values, key=lambda key: mean[key])
    if len(ranked) > most:
        best = most // 2
        spread = np.linspace(best, len(ranked) - 1, most - best).astype(np.intp)
        ranked = [*ranked[:best], *(ranked[int(i)] for i in spread)]
    return {
        "name": history.name,
        "metric": history.objective.metric,
        "direction": history.objective.direction,
        "trials": completed,
        "outside": outside,
        "kept": [[values[key], mean[key]] for key in ranked],
    }


def _mapped(space: SearchSpace, values: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return an earlier configuration as one of this space, None if it lies outside."""
    known = {name: value for name, value in values.items() if name in space.by_name}
    active = space.complete_or_defaults(known)
    try:
        mapped = space.complete({name: known[name] for name in active if name in known})
    except ValueError:  # a value outside its parameter
        return None
    return mapped if space.broken(mapped) is None else None


def kept_out_by(history: History, space: SearchSpace) -> tuple[str, int, Any] | None:
    """Return the parameter whose values keep most of an earlier study's completed trials out of this space.

    With how many these are, and one such value; None where no single value does (a constraint may).
    """
    out: dict[str, list[Any]] = {}
    for trial in history.trials:
        if not trial.completed or trial.fidelity is not None:
            continue
        known = {name: value for name, value in trial.values.items() if name in space.by_name}
        for name in space.complete_or_defaults(known).keys() & known.keys():
            try:
                space[name].coerce(known[name])
            except ValueError:
                out.setdefault(name, []).append(known[name])
    if not out:
        return None
    name = min(out, key=lambda one: (-len(out[one]), one))
    return name, len(out[name]), out[name][0]


def first_of(
    space: SearchSpace, prior: list[dict[str, Any]] | None, starts: list[dict[str, Any]]
) -> list[dict[str, Any]]:
    """Return the best configuration of each earlier study, at most `FIRST` in all, that are not among the starts."""
    out = {space.key(values): values for values in starts}
    for record in prior or []:
        if record["kept"] and len(out) < len(starts) + FIRST:
            best = record["kept"][0][0]
            out.setdefault(space.key(best), best)
    return list(out.values())[len(starts) :]
