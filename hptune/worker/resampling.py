"""How a holdout's rows are drawn with replacement: by themselves, in whole groups, or in blocks of consecutive ones.

What is drawn must be independent of what else is (its number is that of independent observations); rows of a group,
and neighbours in time, are not.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hptune.dataset import Rows

Positions = NDArray[np.intp]


@dataclass(frozen=True)
class Resampling:
    """`units`: how many of what is drawn the rows hold. `draw` returns the positions of one resample's rows."""

    units: int
    draw: Callable[[np.random.Generator], Positions]


def resampling(rows: Rows, *, consecutive: bool) -> Resampling:
    """Return how to draw these rows: groups go before blocks, and rows that know neither are drawn by themselves.

    `consecutive`: they stand one after the other in the data, whose order may mean something.
    """
    if rows.groups is not None:
        return _groups(rows.groups)
    return _blocks(len(rows)) if consecutive else _single(len(rows))


def _single(rows: int) -> Resampling:
    return Resampling(rows, lambda rng: rng.integers(rows, size=rows))


def _groups(groups: Any) -> Resampling:
    """Return the cluster bootstrap (Davison & Hinkley 1997, section 3.8): as many groups as there are, all their rows."""
    held: dict[Any, list[int]] = defaultdict(list)  # no `np.unique`, which cannot order numbers among texts
    for position, group in enumerate(np.asarray(groups).tolist()):
        held[group].append(position)
    members = [np.array(one, dtype=np.intp) for one in held.values()]
    count = len(members)
    return Resampling(count, lambda rng: np.concatenate([members[i] for i in rng.integers(count, size=count)]))


def _blocks(rows: int) -> Resampling:
    """Return the moving-block bootstrap (Künsch 1989): blocks of rows^(1/3) rows from anywhere, cut to the rows.

    That order of length suits a variance best (Hall, Horowitz & Jing 1995). docs/honest.md has what it was measured to do.
    """
    length = max(round(rows ** (1 / 3)), 1)

    def draw(rng: np.random.Generator) -> Positions:
        starts = rng.integers(rows - length + 1, size=-(-rows // length))
        drawn: Positions = (starts[:, None] + np.arange(length)).ravel()[:rows]
        return drawn

    return Resampling(rows // length, draw)
