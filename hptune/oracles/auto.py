"""`auto`: the oracle that fits the space and the length of the study, and says which and why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, ClassVar, Literal, Self

import numpy as np
from pydantic import model_validator

from hptune.history import View
from hptune.oracle import EXHAUSTED, Answer, OracleSpec
from hptune.oracles.bayesian import Bayesian
from hptune.oracles.grid import Grid
from hptune.oracles.hyperband import Hyperband
from hptune.oracles.spending import Spending
from hptune.oracles.tpe import Tpe
from hptune.space import SearchSpace
from hptune.trial import Suggestion

LISTED = 20
"""A space with at most so many configurations is tried whole: a model has nothing to save there."""

EARLIER = ("time", "patience", "target")
"""Limits by which a study may end before its budget of trials: then the order of the trials matters."""

LONG = 300
"""From so many configurations on, a suggestion should cost next to nothing."""


class Auto(Spending):
    """Picks the oracle for every suggestion; the trial's note says which and why.

    `hyperband` where a `resource` is named, with these options; else `grid` for at most 20 configurations, or where
    the budget of trials covers the whole space and nothing else can end the study. Otherwise, and as hyperband's
    sampler, `bayesian` for the first 300 configurations and `tpe` after that. Judged by the budget with which the
    study began, so that a resumed study goes on as it would have.
    """

    summary: ClassVar[str] = (
        "bayesian for the first 300 trials, tpe after; grid for a handful of configurations; hyperband with a resource"
    )
    uses_prior: ClassVar[bool] = True
    prior_unless: ClassVar[str] = "not with a resource"
    type: Literal["auto"] = "auto"

    @model_validator(mode="after")
    def _has_resource(self) -> Self:
        given = [name for name in ("min", "max") if getattr(self, name) is not None]
        if self.resource is None and given:
            raise ValueError(
                f"{given[0]}: expected the resource that it is an amount of: add resource:, or take it out"
            )
        return self

    def suggest(self, history: View, trial: int, rng: np.random.Generator) -> Suggestion | Answer:
        chosen, why = self._chosen(history)
        return _noted(chosen.suggest(history, trial, rng), chosen, why)

    def finish(self, history: View, trial: int, rng: np.random.Generator) -> Suggestion | Answer:
        if self.resource is None:
            return EXHAUSTED
        chosen, why = self._chosen(history)
        return _noted(chosen.finish(history, trial, rng), chosen, why)

    def prepare(self) -> None:
        Bayesian().prepare()

    def ignores_prior(self, space: SearchSpace, budget: Mapping[str, Any], *, lower: bool = False) -> str:
        if self.resource is not None:
            return "auto, which picks hyperband of bayesian,"
        if why := _listed(space, budget):
            return f"auto, which picks grid ({why}),"
        return "auto, which picks bayesian," if lower else ""

    def _chosen(self, history: View) -> tuple[OracleSpec, str]:
        few = history.configurations < LONG
        model: OracleSpec = Bayesian() if few else Tpe()
        length = f"fewer than {LONG} configurations so far" if few else f"{LONG} configurations or more"
        if self.resource is not None:
            options = self.model_dump(include={"resource", "min", "max", "reduction"})
            return Hyperband(sampler=model, **options), f"trials may be given less {self.resource}; {length}"
        listed = _listed(history.space, history.budget)
        return (Grid(), listed) if listed else (model, length)


def _listed(space: SearchSpace, budget: Mapping[str, Any]) -> str:
    """Return why the whole space is tried, "" if it is not."""
    planned = _planned(budget)
    size = space.size(limit=max(LISTED, planned) + 1)
    if size is not None and size <= LISTED:
        return f"the space has {size} configurations"
    if size is not None and size <= planned:
        return f"the budget of {planned} trials covers all {size} configurations"
    return ""


def _planned(budget: Mapping[str, Any]) -> int:
    """Return how many configurations are sure to be tried unless the user stops the study."""
    trials = budget.get("trials")
    if not isinstance(trials, int) or any(budget.get(name) is not None for name in EARLIER):
        return 0
    return min(trials, LONG)


def _noted(answer: Suggestion | Answer, chosen: OracleSpec, why: str) -> Suggestion | Answer:
    """Return a suggestion with which oracle it is of, and why that was picked."""
    if isinstance(answer, Answer):
        return answer
    return replace(answer, note={**(answer.note or {}), "oracle": chosen.type, "why": why})
