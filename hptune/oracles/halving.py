"""What `asha` and `hyperband` share: a resource, its rungs, and who climbs from one to the next.

Legend: R the whole of the resource (`max`); η the reduction factor; rung k of K has R η^-(K-k), from `min` on.

Two rules decide who climbs. By *rank*: one of η on a rung, the best first, as soon as there are so many (algorithm 2
of L. Li et al., "A System for Massively Parallel Hyperparameter Tuning", MLSys 2020). By a *model* of loss over
configuration and fidelity: the trial whose expected improvement, once measured in full, is the largest for what that
still costs, if it is larger than that of a new configuration for all of its cost. The idea of continuing what is
predicted to end well: Swersky, Snoek and Adams, "Freeze-Thaw Bayesian Optimization" (2014). What was measured of both:
docs/decisions/0006-fidelity.md.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Literal, Self

import numpy as np
from pydantic import Field, SerializeAsAny, field_validator, model_validator

from hptune.history import View
from hptune.oracle import EXHAUSTED, WAIT, Answer, OracleSpec
from hptune.oracles.bayesian import Bayesian
from hptune.resource import ROWS, STEPS, Resource
from hptune.trial import Suggestion, Trial

SMALLEST = 9.0
"""The lowest rung has a ninth of the resource where `min` does not say otherwise."""


class Halving(OracleSpec):
    """Options and rungs; subclasses say where a new configuration begins.

    A suggestion's `fidelity` is the share of the resource to spend; None on the top rung.
    """

    resource: str | None = Field(default=None, min_length=1, title="Resource")
    """What there can be less of: a parameter that counts iterations (its path), epochs (passes of partial_fit), rows,
    or steps (those that a function reports)."""
    min: float | None = Field(default=None, gt=0, title="Smallest amount")
    """The lowest rung: iterations or steps, of rows a share; a ninth of the whole by default."""
    max: float | None = Field(default=None, gt=0, title="Whole amount")
    """The top rung, which alone can win: iterations or steps; rows are all there are."""
    reduction: int = Field(default=3, ge=2, le=10, title="Reduction factor η")
    """Each rung has so many times the resource of the one below; by rank one of so many climbs."""
    sampler: SerializeAsAny[OracleSpec] = Field(default_factory=lambda: Bayesian(), title="Sampler")
    """The oracle that proposes new configurations, by name or with its options; with tpe this is BOHB."""
    promote: Literal["auto", "rank", "model"] = Field(default="auto", title="Who climbs")
    """The best of a rung (rank), or what the sampler's model expects most of for its cost (model, for bayesian); auto:
    model where the sampler has one."""

    @field_validator("sampler", mode="before")
    @classmethod
    def _built(cls, value: Any) -> Any:
        """Build the sampler from its name or its options."""
        from hptune.oracles import ORACLES

        options = {"type": value} if isinstance(value, str) else value
        if not isinstance(options, Mapping):
            return options
        kind = options.get("type")
        if kind not in ORACLES or issubclass(ORACLES[kind], Halving):
            known = ", ".join(name for name, one in ORACLES.items() if not issubclass(one, Halving))
            raise ValueError(f"type: expected one of {known}, found {kind!r}")
        return ORACLES[kind](**options)

    @model_validator(mode="after")
    def _sensible(self) -> Self:
        if self.resource == ROWS:
            if self.max is not None:
                raise ValueError("max: leave it out, the whole is all rows of a fold (min is a share of them)")
            if self.min is not None and self.min >= 1:
                raise ValueError(
                    f"min: expected a share of the rows between 0 and 1, such as 0.1, found {self.min:g}"
                )
        elif self.resource is not None:
            if self.max is None:
                raise ValueError(f"max: expected how many {self.resource} a full training takes, found nothing")
            for name in ("min", "max"):
                amount = getattr(self, name)
                if amount is not None and (amount < 1 or amount % 1):
                    raise ValueError(f"{name}: expected a whole number from 1 on, found {amount:g}")
        if len(self.shares) < 2:
            low, top = self._ends
            least = f"at least {self.reduction} (reduction) times min ({low:g})"
            where = "min" if self.max is None else "max"
            raise ValueError(f"{where}: expected a whole of {least}, found {top:g}: there is no rung below it")
        if self.promote == "model" and not isinstance(self.sampler, Bayesian):
            raise ValueError(f"promote: model needs sampler: bayesian, found {self.sampler.type}; take rank")
        return self

    # -- rungs ------------------------------------------------------------------------------------------------------

    @property
    def _ends(self) -> tuple[float, float]:
        top = 1.0 if self.max is None else self.max
        low = top / SMALLEST if self.min is None else self.min
        return (max(round(low), 1) if self.min is None and self.counted else low), top

    @property
    def counted(self) -> bool:
        """Whether the resource comes in whole numbers."""
        return self.resource not in (None, ROWS) or (self.max or 0) > 1

    @property
    def shares(self) -> tuple[float | None, ...]:
        """The fidelity of each rung from the lowest; None, the whole resource, last."""
        low, top = self._ends
        below: list[float] = []
        amount = top / self.reduction
        while amount >= low * (1 - 1e-9) or (self.counted and round(amount) >= low):
            below.insert(0, (round(amount) if self.counted else amount) / top)
            amount /= self.reduction
        return (*dict.fromkeys(below), None)

    def to_spend(self) -> Resource | None:
        if self.resource is None:
            return None
        low = next(share for share in self.shares if share is not None)
        return Resource(name=self.resource, max=1.0 if self.max is None else self.max, lowest=low)

    @property
    def by_model(self) -> bool:
        """Whether the sampler's model decides who climbs."""
        return self.promote == "model" or (self.promote == "auto" and isinstance(self.sampler, Bayesian))

    def begin_at(self, configurations: int) -> int:
        """Return the rung on which the next new configuration begins, where rank decides who climbs."""
        raise NotImplementedError

    # -- what is next -----------------------------------------------------------------------------------------------

    def suggest(self, history: View, trial: int, rng: np.random.Generator) -> Suggestion | Answer:
        rungs = self._rungs(history)
        if not self.by_model:
            promoted = self._by_rank(history, rungs)
            if promoted is not None:
                return promoted
            new = self.sampler.suggest(history, trial, rng)
        else:
            assert isinstance(self.sampler, Bayesian)
            unfinished = self._unfinished(history, rungs)
            answer = self.sampler.choose(history, trial, rng, unfinished, overdue=self._overdue(history))
            if isinstance(answer, int):
                return self._promoted(history, answer)
            new = answer
        if isinstance(new, Answer):
            return self.finish(history, trial, rng) if new is EXHAUSTED else new
        begin = 0 if self.by_model else self.begin_at(history.configurations)
        return Suggestion(
            new.values, fidelity=self.shares[begin], origin=new.origin, note=new.note, predicted=new.predicted
        )

    def finish(self, history: View, trial: int, rng: np.random.Generator) -> Suggestion | Answer:
        """Return what is worth continuing when nothing new begins: by rank the best of every rung, at least one.

        By the model, the configuration expected to be the best, until that is one measured in full.
        """
        del trial, rng
        rungs = self._rungs(history)
        if self.by_model:
            assert isinstance(self.sampler, Bayesian)
            number = self.sampler.expected_best(history) if self._unfinished(history, rungs) else None
            if number in self._unfinished(history, rungs):
                assert number is not None
                return self._promoted(history, number)
        else:
            promoted = self._by_rank(history, rungs, least=1)
            if promoted is not None:
                return promoted
        return WAIT if any(one.fidelity is not None for one in history.pending()) else EXHAUSTED

    def _rungs(self, history: View) -> dict[float | None, list[tuple[float, int]]]:
        """Return the (loss, number) of the ended trials of each rung, failures at infinity."""
        rungs: dict[float | None, list[tuple[float, int]]] = {share: [] for share in self.shares}
        for trial in history:
            loss = _loss(history, trial)
            if loss is not None and trial.fidelity in rungs:
                rungs[trial.fidelity].append((loss, trial.number))
        return rungs

    def _by_rank(
        self, history: View, rungs: Mapping[float | None, list[tuple[float, int]]], least: int = 0
    ) -> Suggestion | None:
        """Return the best configuration that is due for the next rung, the highest rungs first."""
        for share in reversed(self.shares[:-1]):
            here = sorted(rungs[share])
            for loss, number in here[: max(len(here) // self.reduction, least)]:
                if math.isfinite(loss) and not self._climbed(history, number):
                    return self._promoted(history, number)
        return None

    def _unfinished(self, history: View, rungs: Mapping[float | None, list[tuple[float, int]]]) -> dict[int, float]:
        """Return the trials that may be continued, with the share of the resource that the whole still takes.

        Iterations go on from those of before; a function, or a fit to more rows, begins anew.
        """
        anew = self.resource in (ROWS, STEPS)
        return {
            number: 1.0 if anew else 1.0 - share
            for share in self.shares[:-1]
            for loss, number in rungs[share]
            if share is not None and math.isfinite(loss) and not self._climbed(history, number)
        }

    def _overdue(self, history: View) -> bool:
        """Return whether η² configurations have begun in a row: a model that is wrong must not begin for ever."""
        latest = history[-(self.reduction**2) :]
        return len(latest) == self.reduction**2 and all(
            one.fidelity is not None and one.parent is None for one in latest
        )

    def _above(self, trial: Trial) -> float | None:
        return self.shares[self.shares.index(trial.fidelity) + 1]

    def _climbed(self, history: View, number: int) -> bool:
        return history.seen_at(history[number].values, self._above(history[number]))

    def _promoted(self, history: View, number: int) -> Suggestion:
        trial = history[number]
        return Suggestion(trial.values, fidelity=self._above(trial), parent=number, origin="promotion")


def _loss(history: View, trial: Trial) -> float | None:
    """Return an ended trial's loss, infinite if it failed; None while it is running."""
    if trial.failure is not None:
        return float("inf")
    score = trial.score
    return None if trial.ended is None or score is None else history.objective.loss(score)
