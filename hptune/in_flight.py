"""Jobs that an executor works on: submitted, waited for, and ended where a grace runs out."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, CancelledError, Future, wait

from hptune.executor import Executor
from hptune.job import Job, Outcome
from hptune.trial import Failure

POLL_SECONDS = 0.1


class InFlight:
    """The jobs of one executor that have not been answered yet; `len` counts them."""

    def __init__(self, executor: Executor) -> None:
        self.executor = executor
        self._jobs: dict[Future[Outcome], Job] = {}
        self._end = float("inf")

    def __len__(self) -> int:
        return len(self._jobs)

    @property
    def free(self) -> int:
        """How many more jobs can run at once; below zero where some wait in line."""
        return self.executor.slots() - len(self._jobs)

    def submit(self, job: Job) -> None:
        """Hand a job to the executor; an earlier `stop` does not concern it."""
        self._end = float("inf")
        self._jobs[self.executor.submit(job)] = job

    def results(self) -> Iterator[tuple[Job, Outcome]]:
        """Wait for the next answer, a tenth of a second at most, and yield those that are there, by trial and folds.

        A job that the executor gave up is `lost`. Raises what the executor raises, those before it having been yielded.
        """
        if time.monotonic() >= self._end:
            self.executor.close(kill=True)
            self._jobs.clear()
        done, _ = wait(self._jobs, timeout=POLL_SECONDS, return_when=FIRST_COMPLETED)
        for future in sorted(done, key=lambda one: (self._jobs[one].trial, self._jobs[one].folds)):
            job = self._jobs.pop(future)
            try:
                outcome = future.result()
            except CancelledError:
                outcome = Outcome(failure=Failure("lost", "the executor gave the job up"))
            yield job, outcome

    def stop(self, grace: float) -> None:
        """Give what runs so many seconds more; then the executor is killed, and no answer is waited for."""
        self._end = time.monotonic() + grace
