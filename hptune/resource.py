"""What a trial can be given less of: iterations, rows of data, or steps that a function reports.

A fidelity is the share of it, above 0 and below 1; None is the whole.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

ROWS: Final = "rows"
STEPS: Final = "steps"


@dataclass(frozen=True)
class Resource:
    """A resource: `name` is a parameter's path, "rows" or "steps"; `max` the whole amount, 1 for rows.

    `lowest` is the smallest share that is spent.
    """

    name: str
    max: float
    lowest: float

    @property
    def is_parameter(self) -> bool:
        return self.name not in (ROWS, STEPS)

    def amount(self, fidelity: float | None) -> int:
        """Return how much of the resource a fidelity is, in whole units; not for rows, whose number is the data's."""
        return round(self.max if fidelity is None else self.max * fidelity)

    def applied(self, values: Mapping[str, Any], fidelity: float | None) -> dict[str, Any]:
        """Return a configuration with the resource's parameter at the amount of a fidelity."""
        out = dict(values)
        if self.is_parameter and fidelity is not None:
            out[self.name] = self.amount(fidelity)
        return out

    def to_json(self) -> dict[str, Any]:
        return dataclasses.asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any] | None) -> Resource | None:
        return None if data is None else cls(**data)
