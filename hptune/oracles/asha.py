"""Asynchronous successive halving: many configurations on a small share of the resource, the best promoted.

L. Li et al., "A System for Massively Parallel Hyperparameter Tuning" (MLSys 2020), algorithm 2. Nothing ever waits:
when there is a configuration to promote it is promoted, else a new one begins.
"""

from __future__ import annotations

from typing import ClassVar, Literal

from hptune.oracles.halving import Halving


class Asha(Halving):
    """Asynchronous successive halving: every configuration begins on the smallest share of the resource."""

    summary: ClassVar[str] = "successive halving over training effort without barriers; any oracle as sampler"
    type: Literal["asha"] = "asha"

    def begin_at(self, configurations: int) -> int:
        del configurations
        return 0
