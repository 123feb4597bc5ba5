"""What `asha` and `hyperband` share: who climbs from one rung of the resource to the next.

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
from typing import Any, ClassVar, Literal, Self

import numpy as np
from pydantic import Field, SerializeAsAny, field_validator, model_validator

from hptune.history import View
from hptune.oracle import EXHAUSTED, WAIT, Answer, OracleSpec, OwnOracle, is_dotted, with_type
from hptune.oracles.bayesian import Bayesian
from hptune.oracles.spending import Spending
from hptune.space import SearchSpace
from hptune.trial import Suggestion, Trial


class Halving(Spending):
    """Options and rungs; subclasses say where a new configuration begins.

    A suggestion's `fidelity` is the share of the resource to spend; None on the top rung.
    """

    prior_unless: ClassVar[str] = "with `sampler: tpe` yes"

    sampler: SerializeAsAny[OracleSpec] = Field(default_factory=lambda: Bayesian(), title="Sampler")
    """The oracle that proposes new configurations, by name or with its options; with tpe this is BOHB."""
    promote: Literal["auto", "rank", "model"] = Field(default="auto", title="Who climbs")
    """The best of a rung (rank), or what the sampler's model expects most of for its cost (model, for bayesian); auto:
    model where the sampler has one."""

    @field_validator("sampler", mode="before")
    @classmethod
    def _built(cls, value: Any) -> Any:
        """Build the sampler from its name or its options; a user's own stays what the config says of it."""
        from hptune.oracles import ORACLES

        options = {"type": value} if isinstance(value, str) else value
        if isinstance(options, Halving):
            raise ValueError(f"expected an oracle that proposes new configurations, found {options.type}")
        if not isinstance(options, Mapping):
            return options
        options = with_type(options)
        kind = options.get("type")
        if is_dotted(kind):
            return OwnOracle(**options)
        if not isinstance(kind, str) or kind not in ORACLES or issubclass(ORACLES[kind], Halving):
            known = ", ".join(name for name, one in ORACLES.items() if not issubclass(one, Halving))
            raise ValueError(f"type: expected one of {known}, found {kind!r}")
        return ORACLES[kind](**options)

    @field_validator("sampler")
    @classmethod
    def _spends_nothing(cls, sampler: OracleSpec) -> OracleSpec:
        if sampler.to_spend() is not None:
            raise ValueError(f"resource: of a sampler no trial gets less; write it beside sampler: {sampler.type}")
        return sampler

    @model_validator(mode="after")
    def _has_model(self) -> Self:
        # Of a user's own class nothing is known until it is imported, and this is validated again with it.
        if self.promote == "model" and not isinstance(self.sampler, (Bayesian, OwnOracle)):
            raise ValueError(f"promote: model needs sampler: bayesian, found {self.sampler.type}; take rank")
        return self

    def with_sampler(self, sampler: OracleSpec) -> Self:
        """Return this with another sampler; raises `ValidationError` for one that it cannot have."""
        return type(self).model_validate(
            {**{name: getattr(self, name) for name in self.model_fields_set}, "sampler": sampler}
        )

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
        if not isinstance(new, Suggestion):  # a sampler of the user's may answer anything, which `consult` refuses
            return self.finish(history, trial, rng) if new is EXHAUSTED else new
        begin = 0 if self.by_model else self.begin_at(history.configurations)
        return Suggestion(
            new.values, fidelity=self.shares[begin], origin=new.origin, note=new.note, predicted=new.predicted
        )

    def finish(self, history: View, trial: int, rng: np.random.Generator) -> Suggestion | Answer:
        """Return what is worth continuing when nothing new begins: by rank the best of every rung, at least one.

        By the model, the configuration expected to be the best, until that is one measured in full; and at least one
        besides the defaults, which nothing that was given less can be told from where no other has been.
        """
        del trial, rng
        rungs = self._rungs(history)
        if self.by_model:
            assert isinstance(self.sampler, Bayesian)
            unfinished = self._unfinished(history, rungs)
            number = self.sampler.expected_best(history) if unfinished else None
            if number not in unfinished and not self._compared(history):
                number = self.sampler.expected_best(history, unfinished)
            if number is not None and number in unfinished:
                return self._promoted(history, number)
        else:
            promoted = self._by_rank(history, rungs, least=1)
            if promoted is not None:
                return promoted
        return WAIT if any(one.fidelity is not None for one in history.pending()) else EXHAUSTED

    def prepare(self) -> None:
        self.sampler.prepare()

    def ignores_prior(self, space: SearchSpace, budget: Mapping[str, Any], *, lower: bool = False) -> str:
        del lower
        passed = self.sampler.ignores_prior(space, budget, lower=True)
        return passed and f"{self.type} of {passed}"

    def _compared(self, history: View) -> bool:
        """Return whether another configuration than the defaults was measured in full, or is on its way there."""
        return any(one.parent is not None for one in history.pending()) or any(
            one.number > 0 and one.fidelity is None and one.failure is None for one in history
        )

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
            for loss, number in here[: max(len(here) // self.eta, least)]:
                if math.isfinite(loss) and not self._climbed(history, number):
                    return self._promoted(history, number)
        return None

    def _unfinished(self, history: View, rungs: Mapping[float | None, list[tuple[float, int]]]) -> dict[int, float]:
        """Return the trials that may be continued, with the share of the resource that the whole still takes.

        Iterations go on from those of before; a function, or a fit to more rows, begins anew.
        """
        return {
            number: 1.0 if self.anew else 1.0 - share
            for share in self.shares[:-1]
            for loss, number in rungs[share]
            if share is not None and math.isfinite(loss) and not self._climbed(history, number)
        }

    def _overdue(self, history: View) -> bool:
        """Return whether η² configurations have begun in a row: a model that is wrong must not begin for ever."""
        latest = history[-(self.eta**2) :]
        return len(latest) == self.eta**2 and all(one.fidelity is not None and one.parent is None for one in latest)

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
