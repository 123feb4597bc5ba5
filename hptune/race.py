"""`Race`: what a trial has to keep up with while its folds are measured; plain data that travels with a job.

    d_f = loss of the trial on fold f - what it would lose there if it were as good as the incumbent

After j of k folds the trial goes on while the mean of its d_f is at most `bars[j - 1]` (`hptune.racing` sets them).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Race:
    """The incumbent (a trial number), the `losses` to keep up with (k,), and the `bars` (k - 1,) for the mean difference.

    The losses are the incumbent's own, or what neighbours make of them at the trial's place (`hptune.racing`). `spread` is
    the standard deviation of a difference's noise, `degrees` how many degrees of freedom it was estimated
    with, and `margin` by how much a trial has to win to be worth it: what the bars came from.
    """

    incumbent: int
    losses: tuple[float, ...]
    bars: tuple[float, ...]
    spread: float
    degrees: int
    margin: float = 0.0

    @property
    def folds(self) -> int:
        """How many folds a complete trial has."""
        return len(self.losses)

    def lead(self, done: Sequence[tuple[int, float]]) -> float:
        """Return the mean difference of a trial with these (fold, loss) pairs; below zero it is ahead."""
        return sum(loss - self.losses[fold] for fold, loss in done) / len(done)

    def goes_on(self, done: Sequence[tuple[int, float]]) -> bool:
        """Return whether a trial with these (fold, loss) pairs, in the order they were measured, may still win.

        Only the last bar is looked at: ask after every fold. A trial with no fold or with all of them goes on.
        """
        if not 0 < len(done) < self.folds:
            return True
        return not self.lead(done) > self.bars[len(done) - 1]

    def to_json(self) -> dict[str, Any]:
        return {
            "incumbent": self.incumbent,
            "losses": list(self.losses),
            "bars": list(self.bars),
            "spread": self.spread,
            "degrees": self.degrees,
            "margin": self.margin,
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Race:
        return cls(**{**data, "losses": tuple(data["losses"]), "bars": tuple(data["bars"])})


def standard_error(spread: float, done: int, folds: int) -> float:
    """Return by how much the mean difference over all folds may still differ from that over `done` of them.

    The finite-population form: no error is left when all folds are done. Shape: scalars; units of `spread`.
    """
    return spread * math.sqrt((folds - done) / (done * folds))
