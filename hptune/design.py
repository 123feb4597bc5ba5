"""The points before a model: scrambled Sobol points, one early for every top-level branch of the space."""

from __future__ import annotations

import numpy as np

from hptune.encoding import Encoding, encoding_of
from hptune.history import View
from hptune.observations import Observations
from hptune.oracle import Answer, unseen
from hptune.prior import Earlier, earlier
from hptune.sobol import sobol
from hptune.trial import Suggestion

TRIES = 64
"""How many Sobol points are looked at for one that is allowed and new."""


def design(history: View, seen: Observations, trial: int, startup: int) -> Suggestion | None:
    """Return a point of the initial design, None when a model has enough to go by.

    A model has enough once `startup` trials have begun (the defaults and the user's own included), every level of the
    top-level branching columns has been tried, and two losses differ. Failing branches cannot hold it up: after one
    point a level the design is over.
    """
    encoding = encoding_of(history.space)
    missing = _missing_levels(encoding, seen, earlier(history.history))
    enough = len(seen.loss) >= 2 and float(np.ptp(seen.loss)) > 0
    if len(history) >= startup + int(sum(encoding.columns[column].levels for column in encoding.branches)):
        missing = {}
    if len(history) >= startup and enough and not missing:
        return None
    first = max(trial - history.starts, 0)
    for index in range(first, first + TRIES):
        u = sobol(index, encoding.width, history.seed)[None]
        X = encoding.sample(u)
        if missing:
            X = encoding.filled(X, u)
            for column, level in missing.items():
                X[0, column] = level
            X = encoding.legal(X)
        values = history.space.decode(X[0])
        if history.space.broken(values) is None and not history.seen(values):
            return Suggestion(values, origin="sobol")
    if len(history) >= startup and enough:
        return None
    drawn = unseen(history, np.random.default_rng([history.seed, trial, 1]))
    return None if isinstance(drawn, Answer) else Suggestion(drawn, origin="random")


def _missing_levels(encoding: Encoding, seen: Observations, known: tuple[Earlier, ...]) -> dict[int, int]:
    """Return, for each top-level branching column with levels not tried yet, here or earlier, the first of them."""
    out = {}
    for column in encoding.branches:
        levels = encoding.columns[column].levels
        recent = seen.rows[: 64 + 4 * levels, column]  # the early trials tell; no need to scan ten thousand
        recent = np.concatenate([recent, *(one.rows[:, column] for one in known)])
        left = np.setdiff1d(np.arange(levels), recent[~np.isnan(recent)].astype(np.int64))
        if len(left):
            out[column] = int(left[0])
    return out
