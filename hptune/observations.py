"""What a view of a history tells a model: encoded rows, losses, how sure they are, failures, what is pending.

Legend: N trials begun; n of them with a loss; C columns; k folds of a complete trial, j of them measured.
y_if loss of trial i on fold f, modelled as m_i + b_if + e_if with var(e) = s²; b and s² depend on where the
configuration lies (`hptune.surrogate.folds`).

    partial trial:       m_i = mean over its folds of (y_if - b_if),   extra variance s² (k - j) / (j k)       (1)

    lower fidelity g:    m_i = a_g + b_g y_i,   extra variance that of the residuals                            (2)
    the same, each measurement by itself:       m_i = y_i + median of (y_j at the next fidelity - y_j at g) + ...  (3)

The extra variance of (1) is zero when all folds are in: the finite-population form. In (2) a and b come from the
configurations that were also measured higher up; in (3) the medians are taken over those measured at both, step by
step up to the whole. (2) is for models that know one loss a configuration, (3) for those with an input for fidelity.
"""

from __future__ import annotations

import math
import weakref
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hptune.encoding import encoding_of
from hptune.history import History, View
from hptune.trial import Trial

Array = NDArray[np.float64]
Index = NDArray[np.intp]

RUNNING, FAILED, MEASURED, LOWER = 0, 1, 2, 3

FOLD_TRIALS = 60
"""How many of the best completed trials the fold effects are estimated from."""


@dataclass(frozen=True, eq=False)
class Observations:
    """A view as arrays.

    `rows` (N, C) of all trials begun; `measured`, `failed`, `pending`, `lower` their indices by what is known
    (`lower`: measured at a lower fidelity); `position` (N,) their fidelities on a logarithmic scale on which the
    whole is 1 and a ninth 0, None where no trial has a lower one; `loss` (n,) of the measured ones, multiplied by
    2^-`exponent` so that squares neither overflow nor vanish; `variance` (n,) the extra variance of those with folds
    missing; `keys` tells all rows.
    """

    rows: Array
    measured: Index
    failed: Index
    pending: Index
    lower: Index
    position: Array | None
    loss: Array
    exponent: int
    variance: Array
    keys: frozenset[bytes] | set[bytes]


class _Columns:
    """A history's ended prefix as growing arrays: status, mean loss and number of folds of every trial."""

    def __init__(self, reopenings: int = 0) -> None:
        self.reopenings = reopenings
        self.size = 0
        self.state = np.zeros(64, dtype=np.int8)
        self.loss = np.zeros(64)
        self.folds = np.zeros(64, dtype=np.int64)
        self.keys: set[bytes] = set()
        self.keyed = 0

    def grow(self, history: History, size: int) -> None:
        """Take in the trials up to `size`, all of which have ended."""
        if size > len(self.state):
            room = 2 * size
            for name in ("state", "loss", "folds"):
                old = getattr(self, name)
                new = np.zeros(room, dtype=old.dtype)
                new[: len(old)] = old
                setattr(self, name, new)
        for number in range(self.size, size):
            self.state[number], self.loss[number], self.folds[number] = _facts(history, history.as_searched(number))
        self.size = max(self.size, size)


_CACHE: weakref.WeakKeyDictionary[History, _Columns] = weakref.WeakKeyDictionary()
"""Arrays that only depend on ended trials, which change only when one is begun again: a memo, not a state."""


def _facts(history: History, trial: Trial) -> tuple[int, float, int]:
    if trial.failure is not None:
        return FAILED, 0.0, 0
    score = trial.score
    if trial.ended is None or score is None or not math.isfinite(score):
        return (RUNNING if trial.ended is None else FAILED), 0.0, 0
    state = MEASURED if trial.fidelity is None else LOWER
    return state, history.objective.loss(score), len(trial.measurements)


def observe(view: View, *, lift: bool = True) -> Observations:
    """Return what the view shows, as arrays.

    With `lift` a configuration has one loss, that of its highest fidelity carried up by (2); without, every trial
    counts by itself, moved by (3).
    """
    history = view.history
    columns = _CACHE.get(history)
    if columns is None or columns.reopenings != history.reopenings:
        columns = _CACHE[history] = _Columns(history.reopenings)
    settled = view.settled
    columns.grow(history, settled)
    state = np.zeros(view.begun, dtype=np.int8)
    loss, folds = np.zeros(view.begun), np.zeros(view.begun, dtype=np.int64)
    state[:settled], loss[:settled], folds[:settled] = (
        columns.state[:settled],
        columns.loss[:settled],
        columns.folds[:settled],
    )
    for number in range(settled, view.begun):
        state[number], loss[number], folds[number] = _facts(history, view[number])
    rows = view.rows()
    measured = np.flatnonzero(state == MEASURED)
    y = loss[measured]
    every = loss[state >= MEASURED]
    top = float(np.max(np.abs(every))) if len(every) else 0.0
    exponent = math.frexp(top)[1] if top > 0 else 0
    y = np.ldexp(y, -exponent)
    y, variance = _partial(view, measured, folds[measured], y, exponent)
    lower = np.flatnonzero(state == LOWER)
    position = None
    if view.lower:
        position = np.array([_position(view[number].fidelity) for number in range(view.begun)])
    if len(lower) and not lift:
        measured, y, variance = _shifted(view, measured, y, variance, lower, loss, folds, exponent)
    elif len(lower):
        measured, y, variance = _lifted(view, measured, y, variance, lower, np.ldexp(loss[lower], -exponent))
    return Observations(
        rows=rows,
        measured=measured,
        failed=np.flatnonzero(state == FAILED),
        pending=np.flatnonzero(state == RUNNING),
        lower=lower,
        position=position,
        loss=y,
        exponent=exponent,
        variance=variance,
        keys=_keys(view, columns, rows),
    )


def _keys(view: View, columns: _Columns, rows: Array) -> set[bytes]:
    encoding = encoding_of(view.space)
    if columns.keyed > len(rows):  # an earlier view of a longer history
        return set(encoding.keys(rows))
    columns.keys.update(encoding.keys(rows[columns.keyed :]))
    columns.keyed = len(rows)
    return columns.keys


def _partial(view: View, measured: Index, folds: NDArray[np.int64], y: Array, exponent: int) -> tuple[Array, Array]:
    """Return losses with partial means corrected for their folds' difficulty, and their extra variances (1)."""
    variance = np.zeros(len(y))
    k = int(folds.max()) if len(folds) else 0
    if k < 2:
        return y, variance
    short = np.flatnonzero(folds < k)
    if not len(short):
        return y, variance
    complete = np.flatnonzero(folds == k)
    best = complete[np.argsort(y[complete], kind="stable")[:FOLD_TRIALS]]
    numbers, table, used = _fold_table(view, measured[best], k, exponent)
    if len(table) < 2:
        return y, variance
    from hptune.surrogate.folds import FoldEffects

    split, rows = encoding_of(view.space).split, view.rows()
    effect, s2 = FoldEffects.of(*split(rows[numbers]), table).at(*split(rows[measured[short]]))
    y = y.copy()
    for place, i in enumerate(short):
        found = [m.fold for m in view[int(measured[i])].measurements]
        places = [used[fold] for fold in found if fold in used]
        if places:
            y[i] -= float(effect[place, places].mean())
        j = len(found)
        variance[i] = s2[place] * (k - j) / (j * k)
    return y, variance


def _position(fidelity: float | None) -> float:
    return 1.0 if fidelity is None else 1.0 + math.log(fidelity) / math.log(9.0)


def _shifted(
    view: View,
    measured: Index,
    y: Array,
    variance: Array,
    lower: Index,
    loss: Array,
    folds: NDArray[np.int64],
    exponent: int,
) -> tuple[Index, Array, Array]:
    """Return trials, losses and variances of every fidelity, those of each lower one moved by (3)."""
    space = view.space
    fidelity = np.array([view[int(i)].fidelity for i in lower], dtype=np.float64)
    numbers, losses, variances = [measured], [y], [variance]
    above = {space.key(view[int(i)].values): float(v) for i, v in zip(measured, y, strict=True)}
    offset = 0.0
    for level in np.unique(fidelity)[::-1]:
        here = lower[fidelity == level]
        own, extra = _partial(view, here, folds[here], np.ldexp(loss[here], -exponent), exponent)
        found = {space.key(view[int(i)].values): float(v) for i, v in zip(here, own, strict=True)}
        steps = [above[key] - value for key, value in found.items() if key in above]
        offset += float(np.median(steps)) if steps else 0.0
        numbers.append(here)
        losses.append(own + offset)
        variances.append(extra)
        above = found
    order = np.argsort(np.concatenate(numbers), kind="stable")
    return np.concatenate(numbers)[order], np.concatenate(losses)[order], np.concatenate(variances)[order]


def _lifted(
    view: View, measured: Index, y: Array, variance: Array, lower: Index, low: Array
) -> tuple[Index, Array, Array]:
    """Return trials, losses and variances with each configuration's highest lower-fidelity loss carried up by (2)."""
    space = view.space
    known = {space.key(view[int(i)].values): float(v) for i, v in zip(measured, y, strict=True)}
    fidelity = np.array([view[int(i)].fidelity for i in lower], dtype=np.float64)
    keys = [space.key(view[int(i)].values) for i in lower]
    numbers, losses, variances = list(measured), list(y), list(variance)
    for level in np.unique(fidelity)[::-1]:
        here = np.flatnonzero(fidelity == level)
        pairs = np.array([(low[i], known[keys[i]]) for i in here if keys[i] in known]).reshape(-1, 2)
        a, b, residual = _line(pairs, float(np.var(low[here])))
        for i in here:
            if keys[i] not in known:
                known[keys[i]] = a + b * float(low[i])
                numbers.append(lower[i])
                losses.append(known[keys[i]])
                variances.append(residual)
    order = np.argsort(numbers, kind="stable")
    return np.array(numbers)[order], np.array(losses)[order], np.array(variances)[order]


def _line(pairs: Array, spread: float) -> tuple[float, float, float]:
    """Return intercept, slope and residual variance of pairs (low, high), shape (n, 2); cautious under four."""
    if len(pairs) < 4:
        shift = float(np.median(pairs[:, 1] - pairs[:, 0])) if len(pairs) else 0.0
        return shift, 1.0, spread / 4.0
    x, z = pairs.T
    centred = x - x.mean()
    total = float(centred @ centred)
    b = float(np.clip(centred @ (z - z.mean()) / total, 0.1, 2.0)) if total > 0 else 1.0
    a = float(z.mean() - b * x.mean())
    return a, b, float(np.sum((z - a - b * x) ** 2) / (len(pairs) - 2))


def _fold_table(view: View, numbers: Index, k: int, exponent: int) -> tuple[Index, Array, dict[int, int]]:
    """Return complete trials on the same folds (trials,), their losses by fold (trials, k), and each fold's column."""
    used: dict[int, int] = {}
    table, kept = [], []
    for number in numbers:
        measurements = sorted(view[int(number)].measurements, key=lambda m: m.fold)
        if not used:
            used = {m.fold: place for place, m in enumerate(measurements)}
        if [m.fold for m in measurements] == list(used):
            kept.append(number)
            table.append([view.objective.loss(m.score) for m in measurements])
    return np.array(kept, dtype=np.intp), np.ldexp(np.array(table).reshape(-1, k), -exponent), used
