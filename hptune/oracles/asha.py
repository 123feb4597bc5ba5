"""Asynchronous successive halving: many configurations on a small share of the resource, the best promoted.

L. Li et al., "A System for Massively Parallel Hyperparameter Tuning" (MLSys 2020), algorithm 2. Nothing ever waits:
when a rung has a configuration among its best 1/η that was not promoted, it is promoted, else a new one begins.
"""

from __future__ import annotations

import math
from typing import Any, ClassVar, Literal

import numpy as np
from pydantic import Field, SerializeAsAny, field_validator

from hptune.history import View
from hptune.oracle import Answer, OracleSpec
from hptune.oracles.random import Random
from hptune.trial import Suggestion, Trial, Values

TRIES = 200
"""How many random configurations are drawn where the sampler's own has begun at this fidelity already."""


class Halving(OracleSpec):
    """What `asha` and `hyperband` share: rungs, promotions and a sampler of new configurations.

    A suggestion's `fidelity` is the share of the resource to spend; None on the top rung.
    """

    reduction: int = Field(default=3, ge=2, le=10, title="Reduction factor η")
    """One of so many configurations is promoted, to so many times the resource."""
    rungs: int = Field(default=3, ge=2, le=8, title="Rungs")
    """How many shares of the resource there are, the whole included: with η = 3 and 3 rungs 1/9, 1/3 and 1."""
    sampler: SerializeAsAny[OracleSpec] = Field(default_factory=lambda: Random(), title="Sampler")
    """The oracle that proposes new configurations; with `tpe` this is BOHB."""

    @field_validator("sampler", mode="before")
    @classmethod
    def _built(cls, value: Any) -> Any:
        """Build the sampler from its name or its options."""
        from hptune.oracles import ORACLES

        options = {"type": value} if isinstance(value, str) else value
        if not isinstance(options, dict):
            return options
        kind = options.get("type")
        if kind not in ORACLES or issubclass(ORACLES[kind], Halving):
            known = ", ".join(name for name, one in ORACLES.items() if not issubclass(one, Halving))
            raise ValueError(f"type: expected one of {known}, found {kind!r}")
        return ORACLES[kind](**options)

    @property
    def shares(self) -> tuple[float | None, ...]:
        """The fidelity of each rung from the lowest; None, the whole resource, last."""
        top = self.rungs - 1
        return (*(float(self.reduction) ** (rung - top) for rung in range(top)), None)

    def begin_at(self, configurations: int) -> int:
        """Return the rung on which the next new configuration begins."""
        raise NotImplementedError

    def suggest(self, history: View, trial: int, rng: np.random.Generator) -> Suggestion | Answer:
        promoted = self._promotion(history)
        if promoted is not None:
            return promoted
        fidelity = self.shares[self.begin_at(history.configurations)]
        new = self.sampler.suggest(history, trial, rng)
        if isinstance(new, Answer):
            return new
        if _begun(history, new.values, self.shares):
            for _ in range(TRIES):
                values = history.space.sample(rng)
                if not _begun(history, values, self.shares):
                    return Suggestion(values, fidelity=fidelity, origin="random")
        return Suggestion(new.values, fidelity=fidelity, origin=new.origin, note=new.note, predicted=new.predicted)

    def _promotion(self, history: View) -> Suggestion | None:
        """Return the best configuration that is due for the next rung, the highest rungs first."""
        rungs: dict[float | None, list[tuple[float, int]]] = {share: [] for share in self.shares}
        for trial in history:
            loss = _loss(history, trial)
            if loss is not None and trial.fidelity in rungs:
                rungs[trial.fidelity].append((loss, trial.number))
        for lower, upper in reversed(list(zip(self.shares[:-1], self.shares[1:], strict=True))):
            for loss, number in sorted(rungs[lower])[: len(rungs[lower]) // self.reduction]:
                values = history[number].values
                if math.isfinite(loss) and not history.seen(values, upper):
                    return Suggestion(values, fidelity=upper, parent=number, origin="promotion")
        return None


def _loss(history: View, trial: Trial) -> float | None:
    """Return an ended trial's loss, infinite if it failed; None while it is running."""
    if trial.failure is not None:
        return float("inf")
    score = trial.score
    return None if trial.ended is None or score is None else history.objective.loss(score)


def _begun(history: View, values: Values, shares: tuple[float | None, ...]) -> bool:
    return any(history.seen(values, share) for share in shares)


class Asha(Halving):
    """Asynchronous successive halving: every configuration begins on the smallest share of the resource."""

    summary: ClassVar[str] = "asynchronous successive halving over training effort; any oracle as sampler"
    type: Literal["asha"] = "asha"

    def begin_at(self, configurations: int) -> int:
        del configurations
        return 0
