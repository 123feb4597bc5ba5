"""`auto`: the oracle that fits the space and the length of the study, and says which and why."""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar, Literal

import numpy as np

from hptune.history import View
from hptune.oracle import Answer, OracleSpec
from hptune.oracles.bayesian import Bayesian
from hptune.oracles.grid import Grid
from hptune.oracles.tpe import Tpe
from hptune.trial import Suggestion

LISTED = 20
"""A space with at most so many configurations is tried whole: a model has nothing to save there."""

EARLIER = ("time", "patience", "target")
"""Limits by which a study may end before its budget of trials: then the order of the trials matters."""

LONG = 300
"""From so many configurations on, a suggestion should cost next to nothing."""


class Auto(OracleSpec):
    """Picks the oracle for every suggestion; the trial's note says which and why.

    `grid` for at most 20 configurations, or where the budget of trials covers the whole space and nothing else can
    end the study; otherwise `bayesian` for the first 300, `tpe` after that. Judged by the budget with which the study
    began, so that a resumed study goes on as it would have.
    """

    summary: ClassVar[str] = "bayesian for the first 300 trials, tpe after; grid for a handful of configurations"
    uses_prior: ClassVar[bool] = True
    type: Literal["auto"] = "auto"

    def suggest(self, history: View, trial: int, rng: np.random.Generator) -> Suggestion | Answer:
        planned = self._planned(history)
        size = history.space.size(limit=max(LISTED, planned) + 1)
        chosen: OracleSpec
        if size is not None and size <= LISTED:
            chosen, why = Grid(), f"the space has {size} configurations"
        elif size is not None and size <= planned:
            chosen, why = Grid(), f"the budget of {planned} trials covers all {size} configurations"
        elif history.configurations < LONG:
            chosen, why = Bayesian(), f"fewer than {LONG} configurations so far"
        else:
            chosen, why = Tpe(), f"{LONG} configurations or more"
        answer = chosen.suggest(history, trial, rng)
        if isinstance(answer, Answer):
            return answer
        return replace(answer, note={**(answer.note or {}), "oracle": chosen.type, "why": why})

    def _planned(self, history: View) -> int:
        """Return how many configurations are sure to be tried unless the user stops the study."""
        trials = history.budget.get("trials")
        if not isinstance(trials, int) or any(history.budget.get(name) is not None for name in EARLIER):
            return 0
        return min(trials, LONG)
