"""The search for the best candidate of an acquisition function over mixed, conditional spaces.

Legend: X legal rows of an encoding, shape (m, C); a score per row, larger is better; U uniform numbers; SD the
standard deviation of a step in units of the unit interval, cut to the length scales l.

Random rows over the space, steps of several sizes around good rows, then a beam: the best few are moved by ever
smaller steps. Rows are complete before they are moved and made legal afterwards, so that a move may change branches.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Score = Callable[[Array], Array]
Slopes = Callable[[Array], tuple[Array, Array]]


class Domain(Protocol):
    """What the search must know of a space (see `hptune.encoding.Encoding`)."""

    width: int
    numeric: NDArray[np.intp]
    category: NDArray[np.intp]
    levels: NDArray[np.int64]
    real: NDArray[np.bool_]

    def sample(self, U: Array) -> Array: ...
    def filled(self, X: Array, U: Array) -> Array: ...
    def legal(self, X: Array) -> Array: ...
    def allowed(self, X: Array) -> NDArray[np.bool_]: ...
    def keys(self, X: Array) -> list[bytes]: ...
    def neighbour(self, column: int, u: Array, side: Array) -> Array: ...


@dataclass(frozen=True)
class Effort:
    """How many candidates are looked at: uniform ones, steps around the best `leaders` and `others`, beam rounds."""

    uniform: int = 600
    leaders: int = 3
    around_leader: int = 100
    others: int = 5
    around_other: int = 20
    beam: int = 6
    beam_moves: int = 20
    beam_steps: tuple[float, ...] = (0.15, 0.06, 0.025, 0.01)
    polished: int = 4
    polish_steps: int = 12


STEPS = (0.2, 0.05, 0.01)
"""Standard deviations of the steps around good rows."""


def moved(domain: Domain, X: Array, sd: Array, length: Array, rng: np.random.Generator) -> Array:
    """Return one random move of every row of X, legal; sd is the step per row, shape (m,), length the scales (d,).

    Half the rows change each entry with probability 2 / (entries), at least one; half change every numeric entry.
    Values beyond a bound are set onto it; a grid value moves by at least one cell.
    """
    m = len(X)
    active = ~np.isnan(X)
    full = domain.filled(X, rng.random(X.shape))
    new = full.copy()
    width = np.maximum(active.sum(axis=1, keepdims=True), 1)
    few = rng.random((m, 1)) < 0.5
    pick = rng.random(X.shape)
    chosen = pick < 2.0 / width
    # At least one active entry changes in every row.
    lowest = np.where(active, pick, np.inf).argmin(axis=1)
    chosen[np.arange(m), lowest] |= few[:, 0] | ~chosen.any(axis=1)
    columns = domain.numeric
    old, noise = full[:, columns], rng.standard_normal((len(columns), m)).T
    step = np.clip(old + noise * sd[:, None] * np.minimum(length, 1.0), 0.0, 1.0)
    for place in np.flatnonzero(~domain.real).tolist():
        step[:, place] = _at_least_one(domain, int(columns[place]), old[:, place], step[:, place], noise[:, place])
    new[:, columns] = np.where((chosen[:, columns] | ~few) & active[:, columns], step, old)
    for place, j in enumerate(domain.category):
        touched = chosen[:, j] & active[:, j]
        other = (full[:, j] + 1 + np.floor(rng.random(m) * (domain.levels[place] - 1))) % domain.levels[place]
        new[:, j] = np.where(touched, other, full[:, j])
    return domain.legal(new)


def _at_least_one(domain: Domain, j: int, old: Array, step: Array, noise: Array) -> Array:
    """Return grid positions near `step`, the neighbour where the step is too small to leave the cell."""
    near = domain.neighbour(j, old, noise)
    return np.where(np.abs(step - old) > np.abs(near - old), step, near)


def polished(slopes: Slopes, X: Array, active: NDArray[np.intp], length: Array, steps: int) -> Array:
    """Return X with its continuous entries moved uphill by projected gradient steps in units of the length scales.

    `slopes` gives (score, gradient) of rows; the gradient has one column per entry of `active`, the indices of the
    continuous columns. Each row's step doubles after a gain and shrinks to a quarter after a loss.
    """
    if not len(active):
        return X
    best = X.copy()
    value, gradient = slopes(best)
    size = np.full(len(X), 0.05)
    scale = np.minimum(length, 1.0)
    for _ in range(steps):
        here = best[:, active]
        inside = ~np.isnan(here)
        direction = np.where(inside, gradient * scale, 0.0)
        # Entries at a bound that would leave the cube do not count for the direction.
        blocked = ((here <= 0.0) & (direction < 0)) | ((here >= 1.0) & (direction > 0))
        direction = np.where(blocked, 0.0, direction)
        norm = np.sqrt((direction**2).sum(axis=1, keepdims=True))
        direction = np.divide(direction, norm, out=np.zeros_like(direction), where=norm > 0)
        trial = best.copy()
        trial[:, active] = np.clip(here + size[:, None] * direction * scale, 0.0, 1.0)
        new_value, new_gradient = slopes(trial)
        better = new_value > value
        best[better], value[better], gradient[better] = trial[better], new_value[better], new_gradient[better]
        size = np.where(better, size * 2.0, size * 0.25)
    return best


def ranked(
    domain: Domain,
    score: Score,
    slopes: Slopes | None,
    leaders: Array,
    length: Array,
    taken: Collection[bytes],
    rng: np.random.Generator,
    effort: Effort,
    restrict: Callable[[Array], NDArray[np.bool_]] | None = None,
) -> tuple[Array, Array]:
    """Return distinct candidate rows that are not `taken`, best first, and their scores.

    `leaders` are the best known rows, best first; `length` the length scales of the numeric columns; `restrict` may
    narrow the search to rows for which it is true. May return nothing in a small or tightly constrained space.
    """
    seen = set(taken)
    rows: list[Array] = []
    scores: list[Array] = []

    def look(X: Array) -> None:
        if restrict is not None:
            X = X[restrict(X)]
        fresh = []
        for i, key in enumerate(domain.keys(X)):
            if key not in seen:
                seen.add(key)
                fresh.append(i)
        X = X[fresh]
        X = X[domain.allowed(X)] if len(X) else X
        if len(X):
            rows.append(X)
            scores.append(score(X))

    look(domain.sample(rng.random((effort.uniform, domain.width))))
    groups = [(leaders[: effort.leaders], effort.around_leader)]
    groups.append((leaders[effort.leaders : effort.leaders + effort.others], effort.around_other))
    base = np.concatenate([np.repeat(X, count, axis=0) for X, count in groups])
    if len(base):
        look(moved(domain, base, np.resize(np.array(STEPS), len(base)), length, rng))
    for sd in effort.beam_steps:
        if not rows:
            break
        top, _ = _best(rows, scores, effort.beam)
        base = np.repeat(top, effort.beam_moves, axis=0)
        look(moved(domain, base, np.full(len(base), sd), length, rng))
    if rows and slopes is not None and effort.polished and domain.real.any():
        top, _ = _best(rows, scores, effort.polished)
        look(polished(slopes, top, domain.numeric[domain.real], length[domain.real], effort.polish_steps))
    if not rows:
        return np.empty((0, domain.width)), np.empty(0)
    return _best(rows, scores, 64)


def _best(rows: list[Array], scores: list[Array], count: int) -> tuple[Array, Array]:
    """Return the `count` best rows and scores; of equals, the first looked at."""
    X, value = np.concatenate(rows), np.concatenate(scores)
    order = np.argsort(-np.round(value, 9), kind="stable")[:count]
    return X[order], value[order]
