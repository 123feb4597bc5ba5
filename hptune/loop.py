"""The loop: hands out folds of trials to an executor and records what comes back. The one file that meets futures.

Which trial is next is the study's to say, and depends on results alone; when it is started depends on free slots. A
trial's folds are independent jobs, several of them in one job where folds are short.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Sequence
from concurrent.futures import FIRST_COMPLETED, CancelledError, Future, wait
from dataclasses import dataclass, field
from pathlib import Path

from hptune import spool
from hptune.executor import Executor
from hptune.job import Job, Outcome
from hptune.oracle import EXHAUSTED, Answer
from hptune.stopping import Stop, first_reached
from hptune.study import Study
from hptune.trial import Failure, Trial

POLL_SECONDS = 0.1
SYNC_SECONDS = 0.1
JOB_SECONDS = 0.2
"""Short folds are put together until a job takes about this long."""

GRACE_SECONDS = 5.0
"""How long running folds may go on after an interruption."""


@dataclass(frozen=True)
class Limits:
    """What a trial may use: wall seconds over all its folds, bytes of memory, further attempts after a failure."""

    seconds: float | None = None
    memory: int | None = None
    retries: int = 0


@dataclass(frozen=True)
class RunState:
    """A picture of the running study for a console."""

    seconds: float
    """How long the study has run, sessions added up."""
    running: tuple[tuple[int, float], ...]
    """(trial number, seconds since it began in this session) of trials being worked on."""
    folds_done: int
    """Folds measured in this session."""
    fold_seconds: float | None
    """Mean wall seconds of those folds, None before the first."""
    stopping: str | None
    """The stop reason once no further trial begins, else None."""


@dataclass
class _Begun:
    """A trial being worked on."""

    trial: Trial
    waiting: list[int]
    in_flight: int = 0
    seconds: float = 0.0
    since: float = field(default_factory=time.monotonic)


class Loop:
    """Runs a study on an executor until one of `stops` is reached.

    `folds` is how many folds a trial has. `folder` (None: nothing is written) gets `logs/` and `spool/`; `keep_logs`
    keeps the logs of trials that succeeded. `again` are failed trials to run again first, under their numbers.
    """

    def __init__(
        self,
        study: Study,
        executor: Executor,
        stops: Sequence[Stop],
        *,
        folds: int = 1,
        limits: Limits = Limits(),
        folder: Path | None = None,
        keep_logs: bool = False,
        again: Collection[int] = (),
    ) -> None:
        self.study = study
        self.executor = executor
        self.stops = tuple(stops)
        self.folds = folds
        self.limits = limits
        self.keep_logs = keep_logs
        self.again = frozenset(again)
        self.reason: str | None = None
        self._logs = None if folder is None else folder / "logs"
        self._work = None if folder is None else folder / "work"
        self._spool = None if folder is None else folder / "spool"
        self._begun: dict[int, _Begun] = {}
        self._jobs: dict[Future[Outcome], Job] = {}
        self._synced = 0.0
        self._spooled: list[Path] = []
        self._folds_done = 0
        self._fold_seconds = 0.0

    # -- the public part ------------------------------------------------------------------------------------------

    def run(
        self,
        *,
        tick: Callable[[RunState], None] = lambda _: None,
        interrupt: Callable[[], str | None] = lambda: None,
        grace: float = GRACE_SECONDS,
    ) -> str:
        """Work until a stop is reached, everything begun is finished, and return the reason.

        `tick` is called about ten times a second. When `interrupt` returns a reason, nothing new is begun, running
        folds get `grace` seconds, and that reason is returned; what was interrupted runs again when the study is
        resumed. Raises what the study's journal or the executor raise.
        """
        for folder in (self._logs, self._spool):
            if folder is not None:
                folder.mkdir(parents=True, exist_ok=True)
        self._pick_up()
        interrupted, deadline = None, 0.0
        while True:
            if interrupted is None:
                interrupted = interrupt()
                deadline = time.monotonic() + grace
            if interrupted is None:
                self._hand_out()
            if not self._jobs and (interrupted is not None or self._finished()):
                break
            if interrupted is not None and time.monotonic() >= deadline:
                self.executor.close(kill=True)
                break
            done, _ = wait(self._jobs, timeout=POLL_SECONDS, return_when=FIRST_COMPLETED)
            for future in sorted(done, key=lambda one: (self._jobs[one].trial, self._jobs[one].folds)):
                self._take_in(future)
            self._sync()
            tick(self._state())
        reason = interrupted or self.reason or "trials"
        self.study.end(reason)
        self._discard()
        return reason

    def finals(
        self,
        pairs: Sequence[tuple[int, int]],
        *,
        tick: Callable[[RunState], None] = lambda _: None,
        interrupt: Callable[[], str | None] = lambda: None,
    ) -> str | None:
        """Measure (trial number, fold) pairs on the finals' splits; return the reason if interrupted, else None.

        A fold that fails is not recorded, and no further one of that trial is begun.
        """
        waiting = list(pairs)
        trials = self.study.history.trials
        while waiting or self._jobs:
            reason = interrupt()
            if reason is not None:
                self.executor.close(kill=True)
                return reason
            while waiting and len(self._jobs) < self.executor.slots():
                number, fold = waiting.pop(0)
                job = Job(
                    trial=number,
                    values=trials[number].values,
                    folds=(fold,),
                    options={"finals": True},
                    deadline=self.limits.seconds,
                    memory=self.limits.memory,
                )
                self._jobs[self.executor.submit(job)] = job
            done, _ = wait(self._jobs, timeout=POLL_SECONDS, return_when=FIRST_COMPLETED)
            for future in sorted(done, key=lambda one: (self._jobs[one].trial, self._jobs[one].folds)):
                job = self._jobs.pop(future)
                outcome = future.result()
                for measurement in outcome.measurements:
                    self.study.final(job.trial, measurement, outcome.worker)
                if outcome.failure is not None:
                    waiting = [pair for pair in waiting if pair[0] != job.trial]
            self._sync()
            tick(self._state())
        return None

    # -- handing out ----------------------------------------------------------------------------------------------

    def _pick_up(self) -> None:
        """Adopt what workers finished unreported, and queue what an earlier session left unfinished."""
        study = self.study
        for number, outcome, path in spool.left_over(self._spool) if self._spool else ():
            if number < len(study.history.trials) and study.history.trials[number].status == "running":
                measured = {m.fold for m in study.history.trials[number].measurements}
                for measurement in outcome.measurements:
                    if measurement.fold not in measured:
                        study.score(number, measurement, outcome.worker)
                # A failure is not taken over but run again: what ended the session may have caused it (a full disk).
            study.sync()
            spool.discard(path)
        for trial in study.history.trials:
            if trial.status == "failed" and trial.number in self.again:
                again = study.retry(trial.number)
                self._begun[trial.number] = _Begun(again, list(range(self.folds)))
                continue
            if trial.status != "running":
                continue
            measured = {m.fold for m in trial.measurements}
            left = [fold for fold in range(self.folds) if fold not in measured]
            if not left:
                study.complete(trial.number)
                continue
            again = study.retry(trial.number)
            self._begun[trial.number] = _Begun(again, left, seconds=trial.seconds)

    def _hand_out(self) -> None:
        """Fill the free slots: folds of trials already begun first, in trial order, then a new trial."""
        self.reason = self.reason or self._out_of_time()
        while len(self._jobs) < self.executor.slots():
            if self.reason == "time":
                return
            begun = next((self._begun[n] for n in sorted(self._begun) if self._begun[n].waiting), None)
            if begun is None and not self._begin():
                return
            if begun is not None:
                self._submit(begun)

    def _out_of_time(self) -> str | None:
        """Return "time" as soon as it is up; the other stops are judged when a trial is about to begin."""
        history = self.study.history
        reason = first_reached(self.stops, history.view(0), history.elapsed(time.time()))
        return reason if reason == "time" else None

    def _begin(self) -> bool:
        """Begin the next trial if there is to be one now; return whether it did."""
        study = self.study
        if self.reason is not None or not study.ready:
            return False
        self.reason = first_reached(self.stops, study.history.view(), study.history.elapsed(time.time()))
        if self.reason is not None:
            return False
        trial = study.next()
        if isinstance(trial, Answer):
            if trial is EXHAUSTED:
                self.reason = "exhausted"
            return False
        self._begun[trial.number] = _Begun(trial, list(range(self.folds)))
        return True

    def _submit(self, begun: _Begun) -> None:
        trial = begun.trial
        count = 1
        if self._folds_done:
            mean = self._fold_seconds / self._folds_done
            count = max(1, min(len(begun.waiting), int(JOB_SECONDS / max(mean, 1e-6))))
        folds, begun.waiting = tuple(begun.waiting[:count]), begun.waiting[count:]
        seconds = self.limits.seconds
        job = Job(
            trial=trial.number,
            values=trial.values,
            folds=folds,
            fidelity=trial.fidelity,
            attempt=trial.attempt,
            deadline=None if seconds is None else max(seconds - begun.seconds, 0.001),
            memory=self.limits.memory,
            log=None if self._logs is None else str(log_path(self._logs, trial.number)),
            work=None if self._work is None else str(self._work / f"trial-{trial.number:05d}"),
        )
        if self._spool is not None:
            job = Job(**{**job.__dict__, "spool": str(spool.path_for(self._spool, job))})
        begun.in_flight += 1
        self._jobs[self.executor.submit(job)] = job

    # -- taking in ------------------------------------------------------------------------------------------------

    def _take_in(self, future: Future[Outcome]) -> None:
        job = self._jobs.pop(future)
        try:
            outcome = future.result()
        except CancelledError:
            outcome = Outcome(failure=Failure("lost", "the executor gave the job up"))
        begun = self._begun[job.trial]
        begun.in_flight -= 1
        begun.seconds += outcome.seconds
        running = self.study.history.trials[job.trial].status == "running"
        if running:
            self._record(job, begun, outcome)
        if job.spool is not None:
            self._spooled.append(Path(job.spool))
        if begun.in_flight == 0 and self.study.history.trials[job.trial].status != "running":
            del self._begun[job.trial]

    def _record(self, job: Job, begun: _Begun, outcome: Outcome) -> None:
        study, number = self.study, job.trial
        for fold, step, value in outcome.reports:
            study.report(number, fold, step, value)
        for measurement in outcome.measurements:
            study.score(number, measurement, outcome.worker)
            self._folds_done += 1
            self._fold_seconds += measurement.fit_seconds + measurement.score_seconds
        if outcome.failure is not None:
            if self._spool is not None:
                spool.check_room(self._spool)  # a full disk is no trial's fault
            self._fail(job, begun, outcome)
        elif len(study.history.trials[number].measurements) == self.folds:
            study.complete(number)
            if self._logs is not None and not self.keep_logs:
                log_path(self._logs, number).unlink(missing_ok=True)

    def _fail(self, job: Job, begun: _Begun, outcome: Outcome) -> None:
        study, failure = self.study, outcome.failure
        assert failure is not None
        done = {m.fold for m in study.history.trials[job.trial].measurements}
        left = [fold for fold in job.folds if fold not in done]
        if job.attempt < begun.trial.attempt:  # another fold of the same attempt failed first
            begun.waiting = left + begun.waiting
            return
        allowed = self.limits.retries + (failure.kind == "lost")
        if begun.trial.attempt <= allowed:
            study.fail(job.trial, failure, final=False)
            begun.trial = study.retry(job.trial)
            begun.waiting = left + begun.waiting
            begun.seconds = 0.0
            return
        begun.waiting = []
        study.fail(job.trial, failure)

    # -- small things ---------------------------------------------------------------------------------------------

    def _finished(self) -> bool:
        if self.reason == "time":
            return True
        return self.reason is not None and not self._begun

    def _sync(self) -> None:
        now = time.monotonic()
        if now - self._synced >= SYNC_SECONDS:
            self.study.sync()
            self._synced = now
            self._discard()

    def _discard(self) -> None:
        """Delete the spool files whose outcomes are in the journal for good, even after a power cut."""
        for path in self._spooled:
            spool.discard(path)
        self._spooled.clear()

    def _state(self) -> RunState:
        now = time.monotonic()
        return RunState(
            seconds=self.study.history.elapsed(time.time()),
            running=tuple((n, now - b.since) for n, b in sorted(self._begun.items()) if b.in_flight),
            folds_done=self._folds_done,
            fold_seconds=self._fold_seconds / self._folds_done if self._folds_done else None,
            stopping=self.reason,
        )


def log_path(logs: Path, trial: int) -> Path:
    """Return the file that holds a trial's output."""
    return logs / f"trial-{trial:05d}.log"
