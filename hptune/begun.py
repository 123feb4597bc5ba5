"""A trial being worked on: which folds are still to be handed out, and results that came before their turn.

A raced trial's folds are judged in the order drawn for it. Where a slot would idle, a fold is measured ahead of the
decision about the folds before it; its result is held back until these are in, and dropped if the trial is given up
meanwhile. So what the study records depends on the order and never on the timing.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from hptune.job import Job, Outcome
from hptune.race import Race
from hptune.trial import Measurement, Trial


@dataclass
class Begun:
    """A trial being worked on; `order` is that of its folds, `race` (None: not raced) judges it after each."""

    trial: Trial
    order: tuple[int, ...]
    waiting: list[int]
    race: Race | None = None
    twin: int | None = None
    """An earlier trial of the same configuration and fidelity, whose measurements are taken over when it ends."""
    in_flight: int = 0
    seconds: float = 0.0
    since: float = field(default_factory=time.monotonic)
    held: dict[int, tuple[Measurement, str]] = field(default_factory=dict)
    """Measurements that wait for their turn, with their worker, by fold."""
    broken: dict[int, tuple[Job, Outcome]] = field(default_factory=dict)
    """Failures that wait for their turn, by the fold that failed."""
    spools: list[Path] = field(default_factory=list)
    """Files that hold what waits, so that a killed coordinator finds it again."""

    def hold(self, job: Job, outcome: Outcome) -> None:
        """Keep what a job brought until its folds' turn."""
        for measurement in outcome.measurements:
            self.held[measurement.fold] = (measurement, outcome.worker)
        if outcome.failure is not None:
            self.broken[job.folds[len(outcome.measurements)]] = (job, outcome)

    def wait_for(self, folds: Iterable[int]) -> None:
        """Put folds (back) into line, those already held left out."""
        wanted = {*self.waiting, *folds} - self.held.keys()
        self.waiting = [fold for fold in self.order if fold in wanted]

    def drop(self) -> None:
        """Forget what waits: the trial is over."""
        self.waiting = []
        self.held.clear()
        self.broken.clear()
