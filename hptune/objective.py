"""What is being optimised, and the only place where a score's sign is turned.

Outside, a *score* carries the sign its metric gave it (`neg_log_loss` is negative). Inside, policies see a *loss*:
smaller is better, always.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Direction = Literal["maximize", "minimize"]


@dataclass(frozen=True)
class Objective:
    """A metric's name and the direction in which its scores improve."""

    metric: str
    direction: Direction = "minimize"

    def __post_init__(self) -> None:
        if self.direction not in ("maximize", "minimize"):
            raise ValueError(f"direction: expected 'maximize' or 'minimize', found {self.direction!r}")

    def loss(self, score: float) -> float:
        """Return the score as a loss: smaller is better."""
        return -score if self.direction == "maximize" else score

    def score(self, loss: float) -> float:
        """Return the score that has this loss (the inverse of `loss`)."""
        return -loss if self.direction == "maximize" else loss

    @property
    def shown_negated(self) -> bool:
        """Whether tables drop the minus of a `neg_` metric and say "lower is better"."""
        return self.direction == "maximize" and self.metric.startswith("neg_")
