"""A resource of which trials may be given less, and its rungs: what `hyperband`, `asha` and `auto` share.

Legend: R the whole of the resource (`max`); η the reduction factor; rung k of K has R η^-(K-k), from `min` on.
"""

from __future__ import annotations

from typing import Self

from pydantic import Field, model_validator

from hptune.oracle import OracleSpec
from hptune.resource import ROWS, STEPS, Resource

SMALLEST = 9.0
"""The lowest rung has a ninth of the resource where `min` does not say otherwise."""


class Spending(OracleSpec):
    """The options of a resource, and its rungs."""

    resource: str | None = Field(default=None, min_length=1, title="Resource")
    """What there can be less of: a parameter that counts iterations (its path), epochs (passes of partial_fit), rows,
    or steps (those that a function reports)."""
    min: float | None = Field(default=None, gt=0, title="Smallest amount")
    """The lowest rung: iterations or steps, of rows a share; a ninth of the whole by default."""
    max: float | None = Field(default=None, gt=0, title="Whole amount")
    """The top rung, which alone can win: iterations or steps; rows are all there are."""
    reduction: int | None = Field(default=None, ge=2, le=10, title="Reduction factor η")
    """Each rung has so many times the resource of the one below, and by rank one of so many climbs: 2, or 3 for rows and
    steps, of which every rung begins anew."""

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
            least = f"at least {self.eta} (reduction) times min ({low:g})"
            where = "min" if self.max is None else "max"
            raise ValueError(f"{where}: expected a whole of {least}, found {top:g}: there is no rung below it")
        return self

    # -- rungs ------------------------------------------------------------------------------------------------------

    @property
    def _ends(self) -> tuple[float, float]:
        top = 1.0 if self.max is None else self.max
        low = top / SMALLEST if self.min is None else self.min
        return (max(round(low), 1) if self.min is None and self.counted else low), top

    @property
    def anew(self) -> bool:
        """Whether a trial on a higher rung begins anew. Of iterations and epochs those of before are gone on from."""
        return self.resource in (ROWS, STEPS)

    @property
    def eta(self) -> int:
        """The reduction factor. Rungs close together cost nothing where fits go on (docs/decisions/0006-fidelity.md)."""
        return self.reduction or (3 if self.anew else 2)

    @property
    def counted(self) -> bool:
        """Whether the resource comes in whole numbers."""
        return self.resource not in (None, ROWS) or (self.max or 0) > 1

    @property
    def shares(self) -> tuple[float | None, ...]:
        """The fidelity of each rung from the lowest; None, the whole resource, last."""
        low, top = self._ends
        below: list[float] = []
        amount = top / self.eta
        while amount >= low * (1 - 1e-9) or (self.counted and round(amount) >= low):
            below.insert(0, (round(amount) if self.counted else amount) / top)
            amount /= self.eta
        return (*dict.fromkeys(below), None)

    def to_spend(self) -> Resource | None:
        if self.resource is None:
            return None
        low = next(share for share in self.shares if share is not None)
        return Resource(name=self.resource, max=1.0 if self.max is None else self.max, lowest=low)
