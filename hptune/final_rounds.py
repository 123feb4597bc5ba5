"""The finals as they are measured: which fold of which finalist is next, and what the study is told of it.

Neither futures nor an executor here, as in `under_way`. Who meets whom on which folds: `finals`.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from hptune import spool
from hptune.job import Job, Outcome
from hptune.limits import NONE, Limits
from hptune.study import Study


class FinalRound:
    """The (trial number, fold) `pairs` that are still to be measured; `len` counts those that wait.

    `half`: the models are fitted on half of the training rows. A pair is tried as often as a fold of the search; after
    that it is not recorded, and no further one of that trial is begun. `spooled` (None: there is none) is the folder of
    the outcomes that workers write down.
    """

    def __init__(
        self,
        study: Study,
        pairs: Sequence[tuple[int, int]],
        *,
        half: bool = False,
        limits: Limits = NONE,
        spooled: Path | None = None,
    ) -> None:
        self.study = study
        self.half = half
        self.limits = limits
        self._spool = spooled
        self._done_with: deque[Path] = deque()
        self._waiting = list(pairs)
        self._failures: dict[tuple[int, int], int] = {}

    def __len__(self) -> int:
        return len(self._waiting)

    def next(self) -> Job | None:
        """Return the next pair's job, None if none waits."""
        if not self._waiting:
            return None
        pair = number, fold = self._waiting.pop(0)
        job = Job(
            trial=number,
            values=self.study.history.trials[number].values,
            folds=(fold,),
            attempt=self._failures.get(pair, 0) + 1,
            options={"finals": "half" if self.half else "whole"},
            deadline=self.limits.seconds,
            memory=self.limits.memory,
            data=self.study.history.started.hashes.get("data", ""),
        )
        return job if self._spool is None else replace(job, spool=str(spool.path_for(self._spool, job)))

    def take_in(self, job: Job, outcome: Outcome) -> None:
        """Tell the study what became of a job."""
        for measurement in outcome.measurements:
            self.study.final(job.trial, measurement, outcome.worker, half=self.half)
        if job.spool is not None:
            self._done_with.append(Path(job.spool))
        if outcome.failure is None:
            return
        pair = (job.trial, job.folds[0])
        failed = self._failures[pair] = self._failures.get(pair, 0) + 1
        if failed <= self.limits.retries + (outcome.failure.kind == "lost"):
            self._waiting.insert(0, pair)
        else:
            self._waiting = [one for one in self._waiting if one[0] != job.trial]

    def safe_to_discard(self) -> list[Path]:
        """Return, once each, the spool files that a sync of the journal makes superfluous, as `UnderWay` does."""
        return [self._done_with.popleft() for _ in range(len(self._done_with))]


def adopt(study: Study, spooled: Path) -> None:
    """Record what workers measured for the finals while no coordinator heard of it, and delete its files.

    The folds are the same whoever the finalists are by now. A failure is not taken over but run again.
    """
    history = study.history
    found = list(spool.left_over_of_finals(spooled))
    for number, half, outcome, _ in found:
        known = {m.fold for m in (history.halves if half else history.finals).get(number, ())}
        if number < len(history.trials) and history.trials[number].completed:
            for measurement in outcome.measurements:
                if measurement.fold not in known:
                    study.final(number, measurement, outcome.worker, half=half)
    study.sync()
    for *_, path in found:
        spool.discard(path)
