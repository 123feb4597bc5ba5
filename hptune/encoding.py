"""The space's encoding for many configurations at once: `SearchSpace.encode` and `decode`, vectorised.

The model-based oracles look at a thousand candidates a suggestion, far too many to decode one by one in Python.

Legend: C columns of the space; X rows, shape (n, C), numeric entries in [0, 1], category entries a level index, NaN
where inactive. A row is *legal* when its entries lie on their grids and exactly the inactive ones are NaN.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
from numpy.typing import NDArray

from hptune.conditions import Condition
from hptune.parameters import Choice, Column, Parameter
from hptune.scales import ListedGrid, LogIntegers, Mirrored, Scale, SteppedGrid
from hptune.space import SearchSpace

Rows = NDArray[np.float64]
Mask = NDArray[np.bool_]

LISTED = 4096
"""Most values of a parameter whose conditions are tabulated; above it they are tested value by value."""

FINE = 2**20
"""A grid with more values than this is searched as a continuum and rounded when it is decoded."""


@dataclass(frozen=True)
class _Snap:
    """How one numeric column rounds: `cells` equal cells, the integers of a log scale, or (neither) a continuum."""

    cells: int = 0
    integers: LogIntegers | None = None
    mirrored: bool = False

    def __call__(self, u: Rows) -> Rows:
        """Return positions moved onto the grid, any shape; NaN stays."""
        if self.integers is not None:
            bottom, top = self.integers.log_bounds
            u = 1 - u if self.mirrored else u
            value = np.floor(np.exp(bottom + np.clip(u, 0, 1) * (top - bottom)) + 0.5)
            u = (np.log(np.clip(value, self.integers.low, self.integers.high)) - bottom) / (top - bottom)
            return np.clip(1 - u if self.mirrored else u, 0.0, 1.0)
        if self.cells:
            return (np.clip(np.floor(u * self.cells), 0, self.cells - 1) + 0.5) / self.cells
        return np.clip(u, 0.0, 1.0)

    def index(self, u: Rows) -> NDArray[np.int64]:
        """Return the index of the grid value at each position (NaN counts as 0)."""
        u = np.nan_to_num(u)
        if self.integers is not None:
            bottom, top = self.integers.log_bounds
            value = np.floor(np.exp(bottom + (1 - u if self.mirrored else u) * (top - bottom)) + 0.5)
            index = np.clip(value, self.integers.low, self.integers.high) - self.integers.low
            return np.asarray(self.integers.count - 1 - index if self.mirrored else index, dtype=np.int64)
        return np.asarray(np.clip(np.floor(u * self.cells), 0, self.cells - 1), dtype=np.int64)

    @property
    def count(self) -> int | None:
        return self.integers.count if self.integers is not None else self.cells or None

    def near(self, u: Rows, side: Rows) -> Rows:
        """Return the neighbouring grid value of each position, up where side > 0, else down; stays at the ends."""
        if self.integers is None:
            return self(u + np.where(side > 0, 1.0, -1.0) / self.cells)
        bottom, top = self.integers.log_bounds
        value = np.round(np.exp(bottom + (1 - u if self.mirrored else u) * (top - bottom)))
        value = value + np.where((side > 0) != self.mirrored, 1.0, -1.0)
        u = (np.log(np.clip(value, self.integers.low, self.integers.high)) - bottom) / (top - bottom)
        return np.clip(1 - u if self.mirrored else u, 0.0, 1.0)


def _snap_of(scale: Scale) -> _Snap:
    mirrored = isinstance(scale, Mirrored)
    inner = scale.inner if isinstance(scale, Mirrored) else scale
    if isinstance(inner, LogIntegers):
        return _Snap(integers=inner, mirrored=mirrored)
    if isinstance(inner, (SteppedGrid, ListedGrid)) and inner.count <= FINE:
        return _Snap(cells=inner.count)
    return _Snap()


class Encoding:
    """A space's columns as arrays, for sampling, rounding and comparing many rows at once."""

    def __init__(self, space: SearchSpace) -> None:
        self.space = space
        self.columns: tuple[Column, ...] = space.columns
        self.width = len(self.columns)
        self.snaps: dict[int, _Snap] = {}
        fixed = np.zeros(self.width, dtype=bool)
        for j, column in enumerate(self.columns):
            parameter = space[column.parameter]
            if column.kind == "category":
                fixed[j] = column.levels < 2
            elif isinstance(parameter, Choice):
                self.snaps[j] = _Snap(cells=parameter.count)
                fixed[j] = parameter.count < 2
            else:
                self.snaps[j] = _snap_of(parameter.map)  # type: ignore[attr-defined]
                fixed[j] = parameter.low == parameter.high  # type: ignore[attr-defined]
        kinds = np.array([column.kind == "category" for column in self.columns], dtype=bool)
        self.category = np.flatnonzero(kinds & ~fixed)
        """Indices of the category columns that vary, shape (c,)."""
        self.numeric = np.flatnonzero(~kinds & ~fixed)
        """Indices of the numeric columns that vary, shape (d,)."""
        self.levels = np.array([self.columns[j].levels for j in self.category], dtype=np.int64)
        self.real = np.array([self.snaps[int(j)].count is None for j in self.numeric], dtype=np.bool_)
        """Which of the varying numeric columns are continuous, shape (d,)."""
        self._fixed = np.flatnonzero(fixed)
        self._fixed_at = np.where(kinds[self._fixed], 0.0, 0.5)
        plain = {j: snap for j, snap in self.snaps.items() if snap.integers is None}
        self._continuum = np.array([j for j, snap in plain.items() if not snap.cells], dtype=np.intp)
        self._celled = np.array([j for j, snap in plain.items() if snap.cells], dtype=np.intp)
        self._cells = np.array([plain[int(j)].cells for j in self._celled], dtype=np.float64)
        self._integers = {j: snap for j, snap in self.snaps.items() if snap.integers is not None}
        self._rules = _rules(space)

    @cached_property
    def branches(self) -> tuple[int, ...]:
        """The category columns on which other parameters depend and which depend on none themselves."""
        parents = {condition.parameter for p in self.space for condition in p.when}
        return tuple(
            int(j)
            for j in self.category
            if self.columns[j].parameter in parents and not self.space[self.columns[j].parameter].when
        )

    @cached_property
    def varying(self) -> dict[str, NDArray[np.intp]]:
        """The columns of each parameter that has more than one value, by its name, in declared order."""
        free = {*self.numeric.tolist(), *self.category.tolist()}
        found: dict[str, list[int]] = {}
        for j, column in enumerate(self.columns):
            found.setdefault(column.parameter, []).append(j)
        return {name: np.array(js, dtype=np.intp) for name, js in found.items() if free & set(js)}

    @cached_property
    def effective(self) -> float:
        """How many of the varying numeric columns are active in an average configuration, at least 1."""
        rows = self.sample(np.random.default_rng(0).random((256, self.width)))
        return max(float((~np.isnan(rows[:, self.numeric])).sum(axis=1).mean()), 1.0)

    def sample(self, U: Rows) -> Rows:
        """Return legal rows drawn by uniform numbers U, shape (n, C); constraints are not looked at."""
        return self.legal(self.spread(U))

    def spread(self, U: Rows) -> Rows:
        """Return complete rows drawn by uniform numbers U, shape (n, C): an entry for what is inactive too."""
        X = np.array(U, dtype=np.float64)
        for j, column in enumerate(self.columns):
            if column.weights:
                count = len(column.weights)
                level = np.minimum(np.searchsorted(np.cumsum(column.weights), U[:, j], side="right"), count - 1)
                X[:, j] = level if column.kind == "category" else (level + 0.5) / count
        return X

    def filled(self, X: Rows, U: Rows) -> Rows:
        """Return X with every inactive entry replaced by one drawn with U, so that moves may change branches."""
        return np.where(np.isnan(X), self.spread(U), X)

    def legal(self, X: Rows) -> Rows:
        """Return complete rows X (no NaN) rounded to their grids, with the inactive entries made NaN."""
        X = np.array(X)
        if len(self._fixed):
            X[:, self._fixed] = self._fixed_at
        if len(self._continuum):  # whole groups of columns at once: a suggestion rounds some hundred rows
            X[:, self._continuum] = np.clip(X[:, self._continuum], 0.0, 1.0)
        if len(self._celled):
            cell = np.clip(np.floor(X[:, self._celled] * self._cells), 0, self._cells - 1)
            X[:, self._celled] = (cell + 0.5) / self._cells
        for j, snap in self._integers.items():
            X[:, j] = snap(X[:, j])
        for rule in self._rules:
            rule(X)
        return X

    def allowed(self, X: Rows) -> Mask:
        """Return which rows the space's constraints allow, shape (n,)."""
        if not self.space.constraints:
            return np.ones(len(X), dtype=bool)
        return np.array([self.space.broken(self.space.decode(row)) is None for row in X], dtype=bool)

    def split(self, X: Rows) -> tuple[Rows, NDArray[np.int64]]:
        """Return the model's inputs: numeric positions (n, d), inactive 1/2; levels (n, c), inactive one extra."""
        numeric = X[:, self.numeric]
        category = X[:, self.category]
        levels = np.where(np.isnan(category), self.levels, category)
        return np.where(np.isnan(numeric), 0.5, numeric), levels.astype(np.int64)

    def neighbour(self, column: int, u: Rows, side: Rows) -> Rows:
        """Return the grid value next to each position of a numeric column, up where side > 0, else down."""
        return self.snaps[column].near(u, side)

    def keys(self, X: Rows) -> list[bytes]:
        """Return what tells rows apart (up to 1e-9), one per row."""
        rounded = np.ascontiguousarray(np.round(np.where(np.isnan(X), -1.0, X), 9) + 0.0)
        return [row.tobytes() for row in rounded]


def _rules(space: SearchSpace) -> list[Callable[[Rows], None]]:
    """Return, parents first, what makes the entries of inactive parameters NaN, in place."""
    rules: list[Callable[[Rows], None]] = []
    for parameter in space.parents_first:
        slot = space.slots[parameter.name]
        width = slot.stop - slot.start
        if not width:  # a `Fixed`: its own children look at it through their conditions
            continue
        if parameter.when:
            tests = [_test(space, condition) for condition in parameter.when]
            rules.append(_blank(slot, tests))
        if width == 2:  # an `extra` level has no numeric part
            rules.append(_blank_numeric(slot))
    return rules


def _blank(slot: slice, tests: list[Callable[[Rows], Mask]]) -> Callable[[Rows], None]:
    def rule(X: Rows) -> None:
        holds = tests[0](X)
        for test in tests[1:]:
            holds &= test(X)
        X[~holds, slot] = np.nan

    return rule


def _blank_numeric(slot: slice) -> Callable[[Rows], None]:
    def rule(X: Rows) -> None:
        first = X[:, slot.start]
        X[(first > 0) | np.isnan(first), slot.start + 1] = np.nan

    return rule


def _test(space: SearchSpace, condition: Condition) -> Callable[[Rows], Mask]:
    """Return the vectorised form of a condition."""
    parent: Parameter = space[condition.parameter]
    name = parent.name
    slot = space.slots[name]
    if slot.start == slot.stop:  # a `Fixed` parent: active or not, but of one value
        inner = [_test(space, one) for one in parent.when]
        verdict = condition.holds({name: parent.default_value})
        return lambda X: np.logical_and.reduce([np.full(len(X), verdict), *(test(X) for test in inner)])
    columns = parent.columns
    if columns[0].kind == "category" and len(columns) == 1:
        table = np.array([condition.holds({name: parent.decode((float(i),))}) for i in range(columns[0].levels)])
        return lambda X: _lookup(table, X[:, slot.start])
    snap = _Snap(cells=parent.count) if isinstance(parent, Choice) else _snap_of(parent.map)  # type: ignore[attr-defined]
    if len(columns) == 1 and snap.count is not None and snap.count <= LISTED:
        table = np.array([condition.holds({name: value}) for value in parent.listed(None)])
        return lambda X: table[snap.index(X[:, slot.start])] & ~np.isnan(X[:, slot.start])

    def one_by_one(X: Rows) -> Mask:
        return np.array(
            [not np.isnan(row[0]) and condition.holds({name: parent.decode(row)}) for row in X[:, slot]], dtype=bool
        )

    return one_by_one


def _lookup(table: NDArray[np.bool_], level: Rows) -> Mask:
    known = ~np.isnan(level)
    return np.asarray(table[np.where(known, level, 0).astype(np.int64)] & known)


@lru_cache(maxsize=8)
def _encoding(key: str) -> list[Encoding]:
    del key
    return []


def encoding_of(space: SearchSpace) -> Encoding:
    """Return the space's encoding, remembered by the space's hash."""
    held = _encoding(space.hash)
    if not held:
        held.append(Encoding(space))
    return held[0]
