"""Hyperband: successive halving that hedges between many short and few long trainings.

L. Li et al., "Hyperband: A Novel Bandit-Based Approach to Hyperparameter Optimization" (JMLR 18, 2018), run without
barriers, as asynchronous brackets that share their rungs (MLSys 2020, section 3.2 of the ASHA paper). Where a model
decides who climbs there are no brackets: it learns itself how far short trainings can be trusted.
"""

from __future__ import annotations

from typing import ClassVar, Literal

from hptune.oracles.halving import Halving


class Hyperband(Halving):
    """Hyperband: most configurations begin on the smallest share of the resource, by rank some on larger ones."""

    summary: ClassVar[str] = "halving with several first rungs, a hedge against misleading short trainings"
    type: Literal["hyperband"] = "hyperband"

    def begin_at(self, configurations: int) -> int:
        # Bracket s begins η^s configurations of a cycle on rung (top - s): each bracket spends about as much.
        top = len(self.shares) - 1
        sizes = [self.eta ** (top - rung) for rung in range(top + 1)]
        place = configurations % sum(sizes)
        rung = 0
        while place >= sizes[rung]:
            place -= sizes[rung]
            rung += 1
        return rung
