"""Grid search: every combination once."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, ClassVar, Literal

import numpy as np
from pydantic import Field

from hptune.errors import OracleFailed
from hptune.history import View
from hptune.oracle import EXHAUSTED, LISTABLE, Answer, OracleSpec
from hptune.space import SearchSpace
from hptune.trial import Suggestion


class Grid(OracleSpec):
    """Every combination of values once; continuous ranges contribute `points` values, evenly spaced in their scale.

    Raises OracleFailed when the grid has more than 100,000 points.
    """

    summary: ClassVar[str] = "every combination once; a continuous range as `points` values"
    type: Literal["grid"] = "grid"
    points: int = Field(default=10, ge=1, le=LISTABLE, title="Points of a continuous range")
    """How many values a continuous range contributes, both ends included."""
    shuffle: bool = Field(default=True, title="Shuffled order")
    """Whether to visit the grid in a seeded random order, so that a budget smaller than the grid covers it evenly."""

    def suggest(self, history: View, trial: int, rng: np.random.Generator) -> Suggestion | Answer:
        del trial, rng
        grid = _grid(history.space, self.points, history.seed if self.shuffle else None)
        # So many configurations took at most as many points, so the first untaken one is not further than that on.
        for values in grid[max(history.configurations - history.starts - 1, 0) :]:
            if not history.seen(values):
                return Suggestion(values, origin="grid")
        left = next((values for values in grid if not history.seen(values)), None)
        return EXHAUSTED if left is None else Suggestion(left, origin="grid")


@lru_cache(maxsize=4)
def _listed(key: str, points: int, seed: int | None) -> tuple[dict[str, Any], ...]:
    space = _SPACES[key]
    size = space.size(points, limit=LISTABLE + 1)
    if size is not None and size > LISTABLE:
        raise OracleFailed(
            f"the grid has more than {LISTABLE:,} points; lower oracle.points (it is {points}), give parameters a "
            f"step or fewer values, or use oracle: {{type: quasi_random}}"
        )
    grid = list(space.listed(points))
    if seed is not None:
        order = np.random.default_rng([seed, 0x621D]).permutation(len(grid))
        grid = [grid[i] for i in order]
    return tuple(grid)


_SPACES: dict[str, SearchSpace] = {}


def _grid(space: SearchSpace, points: int, seed: int | None) -> tuple[dict[str, Any], ...]:
    """Return the grid's configurations in visiting order, remembered by the space's hash."""
    _SPACES[space.hash] = space
    return _listed(space.hash, points, seed)
