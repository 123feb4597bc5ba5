"""Random search: independent draws, none of them twice."""

from __future__ import annotations

from typing import ClassVar, Literal

import numpy as np

from hptune.history import View
from hptune.oracle import Answer, OracleSpec, unseen
from hptune.trial import Suggestion


class Random(OracleSpec):
    """Independent uniform draws from the space, in each parameter's scale."""

    summary: ClassVar[str] = "independent draws; the yardstick for every other oracle"
    type: Literal["random"] = "random"

    def suggest(self, history: View, trial: int, rng: np.random.Generator) -> Suggestion | Answer:
        del trial
        values = unseen(history, rng)
        return values if isinstance(values, Answer) else Suggestion(values, origin="random")
