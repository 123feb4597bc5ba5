"""Quasi-random search: scrambled Sobol points, which cover the space more evenly than independent draws."""

from __future__ import annotations

from typing import ClassVar, Literal

import numpy as np

from hptune.history import View
from hptune.oracle import Answer, OracleSpec, unseen
from hptune.sobol import sobol
from hptune.trial import Suggestion


class QuasiRandom(OracleSpec):
    """Scrambled Sobol points, one uniform coordinate per column of the space's encoding."""

    summary: ClassVar[str] = "scrambled Sobol points; covers a space more evenly than random"
    type: Literal["quasi_random"] = "quasi_random"

    def suggest(self, history: View, trial: int, rng: np.random.Generator) -> Suggestion | Answer:
        columns = len(history.space.columns)
        first = max(trial - history.starts, 0)
        # A point that is taken or not allowed is passed over; where trial k + 1 meets the point that trial k moved
        # on to, it moves on in turn. A nearly exhausted or tightly constrained space falls back to random draws.
        for index in range(first, first + 256):
            values = history.space.draw(sobol(index, columns, history.seed))
            if history.space.broken(values) is None and not history.seen(values):
                return Suggestion(values, origin="sobol")
        left = unseen(history, rng)
        return left if isinstance(left, Answer) else Suggestion(left, origin="random")
