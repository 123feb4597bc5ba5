"""What a view of a history tells a model: encoded rows, losses, how sure they are, failures, what is pending.

Legend: N trials begun; n of them with a loss; C columns; k folds of a complete trial, j of them measured.
y_if loss of trial i on fold f, modelled as m_i + b_if + e_if with var(e) = s²; b and s² depend on where the
configuration lies (`hptune.surrogate.folds`).

    partial trial:       m_i = mean over its folds of (y_if - b_if),   extra variance s² (k - j) / (j k)       (1)

    lower fidelity g:    m_i = a_g + b_g y_i,   extra variance that of the residuals                            (2)
    the same, each measurement by itself:       m_i = a_g + b_g y_i, which takes the next fidelity's step, and so on  (3)

The extra variance of (1) is zero when all folds are in: the finite-population form. In (2) a and b come from the
configurations that were also measured higher up; in (3) from those measured at both, step by step up to the whole: b_g
is their median slope (Theil 1950, Sen 1968), drawn to 1 while they are few, a_g the median of what it leaves. (2) is for
models that know one loss a configuration, (3) for those with an input for fidelity.
"""

from __future__ import annotations

import math
import weakref
from collections.abc import Mapping
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
    """Trials as growing arrays: status, mean loss, and which folds were measured, fold f in column `column[f]`."""

    def __init__(self, reopenings: int = 0, column: dict[int, int] | None = None) -> None:
        self.reopenings = reopenings
        self.column = {} if column is None else column
        self.size = 0
        self.state = np.zeros(64, dtype=np.int8)
        self.loss = np.zeros(64)
        self.folds = np.zeros((64, 1), dtype=bool)
        self.keys: set[bytes] = set()
        self.keyed = 0

    def grow(self, history: History, size: int) -> None:
        """Take in the trials up to `size`, all of which have ended."""
        if size > len(self.state):
            self._widen(2 * size, self.folds.shape[1])
        for number in range(self.size, size):
            self.put(number, history, history.as_searched(number))
        self.size = max(self.size, size)

    def put(self, place: int, history: History, trial: Trial) -> None:
        """Write down what is known of a trial."""
        self.state[place], self.loss[place] = _facts(history, trial)
        if self.state[place] >= MEASURED:
            found = [self.column.setdefault(one.fold, len(self.column)) for one in trial.measurements]
            if max(found) >= self.folds.shape[1]:
                self._widen(len(self.state), 2 * len(self.column))
            self.folds[place, found] = True

    def _widen(self, trials: int, folds: int) -> None:
        for name, shape in (("state", (trials,)), ("loss", (trials,)), ("folds", (trials, folds))):
            old = getattr(self, name)
            new = np.zeros(shape, dtype=old.dtype)
            new[tuple(slice(size) for size in old.shape)] = old
            setattr(self, name, new)

    def with_tail(self, view: View) -> tuple[NDArray[np.int8], Array, NDArray[np.bool_]]:
        """Return status, loss and folds of all trials that a view shows, those that have not ended included."""
        ended = view.settled
        if ended == view.begun:
            return self.state[:ended], self.loss[:ended], self.folds[:ended]
        tail = _Columns(column=self.column)
        for place, number in enumerate(range(ended, view.begun)):
            if place == len(tail.state):
                tail._widen(2 * place, tail.folds.shape[1])
            tail.put(place, view.history, view[number])
        count, width = view.begun - ended, max(self.folds.shape[1], tail.folds.shape[1])
        folds = np.zeros((view.begun, width), dtype=bool)
        folds[:ended, : self.folds.shape[1]] = self.folds[:ended]
        folds[ended:, : tail.folds.shape[1]] = tail.folds[:count]
        state = np.concatenate([self.state[:ended], tail.state[:count]])
        return state, np.concatenate([self.loss[:ended], tail.loss[:count]]), folds


_CACHE: weakref.WeakKeyDictionary[History, _Columns] = weakref.WeakKeyDictionary()
"""Arrays that only depend on ended trials, which change only when one is begun again: a memo, not a state."""


def _facts(history: History, trial: Trial) -> tuple[int, float]:
    if trial.failure is not None:
        return FAILED, 0.0
    score = trial.score
    if trial.ended is None or score is None or not math.isfinite(score):
        return (RUNNING if trial.ended is None else FAILED), 0.0
    return MEASURED if trial.fidelity is None else LOWER, history.objective.loss(score)


def observe(view: View, *, lift: bool = True) -> Observations:
    """Return what the view shows, as arrays.

    With `lift` a configuration has one loss, that of its highest fidelity carried up by (2); without, every trial
    counts by itself, moved by (3).
    """
    history = view.history
    columns = _CACHE.get(history)
    if columns is None or columns.reopenings != history.reopenings:
        columns = _CACHE[history] = _Columns(history.reopenings)
    columns.grow(history, view.settled)
    state, loss, folds = columns.with_tail(view)
    rows = view.rows()
    measured = np.flatnonzero(state == MEASURED)
    y = loss[measured]
    every = loss[state >= MEASURED]
    top = float(np.max(np.abs(every))) if len(every) else 0.0
    exponent = math.frexp(top)[1] if top > 0 else 0
    y = np.ldexp(y, -exponent)
    y, variance = _partial(view, measured, folds[measured], columns.column, y, exponent)
    lower = np.flatnonzero(state == LOWER)
    position = None
    if view.lower:
        position = np.array([_position(view[number].fidelity) for number in range(view.begun)])
    if len(lower) and not lift:
        measured, y, variance = _shifted(view, measured, y, variance, lower, loss, folds, columns.column, exponent)
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


def _partial(
    view: View,
    measured: Index,
    folds: NDArray[np.bool_],
    column: Mapping[int, int],
    y: Array,
    exponent: int,
) -> tuple[Array, Array]:
    """Return losses with partial means corrected for their folds' difficulty, and their extra variances (1)."""
    variance = np.zeros(len(y))
    counts = folds.sum(axis=1)
    k = int(counts.max()) if len(counts) else 0
    if k < 2:
        return y, variance
    short = np.flatnonzero(counts < k)
    if not len(short):
        return y, variance
    complete = np.flatnonzero(counts == k)
    best = complete[np.argsort(y[complete], kind="stable")[:FOLD_TRIALS]]
    numbers, table, used = _fold_table(view, measured[best], k, exponent)
    if len(table) < 2:
        return y, variance
    from hptune.surrogate.folds import FoldEffects

    split, rows = encoding_of(view.space).split, view.rows()
    effect, s2 = FoldEffects.of(*split(rows[numbers]), table).at(*split(rows[measured[short]]))
    there = folds[short][:, [column[fold] for fold in used]]  # not all: trials of other splits may have other folds
    y = y.copy()
    y[short] -= np.where(there, effect, 0.0).sum(axis=1) / np.maximum(there.sum(axis=1), 1)
    j = counts[short]
    variance[short] = s2 * (k - j) / (j * k)
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
    folds: NDArray[np.bool_],
    column: Mapping[int, int],
    exponent: int,
) -> tuple[Index, Array, Array]:
    """Return trials, losses and variances of every fidelity, those of each lower one moved by (3)."""
    space = view.space
    fidelity = np.array([view[int(i)].fidelity for i in lower], dtype=np.float64)
    numbers, losses, variances = [measured], [y], [variance]
    above = {space.key(view[int(i)].values): float(v) for i, v in zip(measured, y, strict=True)}
    for level in np.unique(fidelity)[::-1]:
        here = lower[fidelity == level]
        own, extra = _partial(view, here, folds[here], column, np.ldexp(loss[here], -exponent), exponent)
        keys = [space.key(view[int(i)].values) for i in here]
        both = [(v, above[key]) for key, v in zip(keys, own, strict=True) if key in above]
        a, b = _step(np.array(both).reshape(-1, 2))
        numbers.append(here)
        losses.append(a + b * own)
        variances.append(b * b * extra)
        above = dict(zip(keys, losses[-1].tolist(), strict=True))
    order = np.argsort(np.concatenate(numbers), kind="stable")
    return np.concatenate(numbers)[order], np.concatenate(losses)[order], np.concatenate(variances)[order]


SLOPES = (0.3, 2.0)
"""The bounds of a step's slope."""

SLOPE_PAIRS = 200
"""Of more configurations measured on two rungs, so many, evenly by their losses, tell the slope: it takes their square."""


def _step(pairs: Array) -> tuple[float, float]:
    """Return intercept and slope from pairs of losses (lower, moved higher one), shape (n, 2)."""
    n = len(pairs)
    if not n:
        return 0.0, 1.0
    x, z = pairs.T
    b = 1.0
    if n >= 4:
        kept = np.argsort(x, kind="stable")[np.linspace(0, n - 1, min(n, SLOPE_PAIRS)).astype(np.intp)]
        i, j = np.triu_indices(len(kept), 1)
        run, rise = x[kept][j] - x[kept][i], z[kept][j] - z[kept][i]
        # Beside their own spread: all losses are scaled by the largest, which may be that of a trial that diverged.
        apart = run > 1e-9 * float(np.subtract(*np.percentile(x, [75, 25])))
        slope = float(np.clip(np.median(rise[apart] / run[apart]), *SLOPES)) if apart.any() else 1.0
        b = (n * slope + 4.0) / (n + 4.0)
    return float(np.median(z - b * x)), b


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


def _fold_table(view: View, numbers: Index, k: int, exponent: int) -> tuple[Index, Array, list[int]]:
    """Return complete trials on the same folds (trials,), their losses by fold (trials, k), and the folds (k,)."""
    used: list[int] = []
    table, kept = [], []
    for number in numbers:
        measurements = sorted(view[int(number)].measurements, key=lambda m: m.fold)
        used = used or [m.fold for m in measurements]
        if [m.fold for m in measurements] == used:
            kept.append(number)
            table.append([view.objective.loss(m.score) for m in measurements])
    return np.array(kept, dtype=np.intp), np.ldexp(np.array(table).reshape(-1, k), -exponent), used
