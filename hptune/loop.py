"""The loop: hands out folds of trials to an executor and records what comes back. The one file that meets futures.

Which trial is next is the study's to say, and depends on results alone; when it is started depends on free slots. A
trial's folds are independent jobs, several of them in one job where folds are short. A raced trial's folds come one
after the other, since each may be its last; other trials fill the slots meanwhile.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Sequence
from concurrent.futures import FIRST_COMPLETED, CancelledError, Future, wait
from dataclasses import dataclass, replace
from pathlib import Path

from hptune import racing, spool
from hptune.begun import Begun
from hptune.errors import DirectoryUnusable, OracleFailed
from hptune.executor import Executor
from hptune.job import Job, Outcome
from hptune.oracle import EXHAUSTED, Answer
from hptune.race import Race
from hptune.stopping import Stop, first_reached
from hptune.study import Study
from hptune.syncer import Syncer
from hptune.trial import Failure, Trial

POLL_SECONDS = 0.1
JOB_SECONDS = 0.2
"""Short folds are put together until a job takes about this long."""

QUEUE_SECONDS = 1.0
"""Folds shorter than this are lined up before a slot is free; with longer ones the pause between two is nothing."""

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


class Loop:
    """Runs a study on an executor until one of `stops` is reached.

    `folds` is how many folds a trial has; with `race`, trials that can no longer win are given up between two folds.
    `folder` (None: nothing is written) gets `logs/` and `spool/`; `keep_logs` keeps the logs of trials that succeeded.
    `again` are failed trials to run again first, under their numbers. With `finish`, what has begun at a lower fidelity
    may still be continued once the limit of trials is reached.
    """

    def __init__(
        self,
        study: Study,
        executor: Executor,
        stops: Sequence[Stop],
        *,
        folds: int = 1,
        race: bool = False,
        limits: Limits = Limits(),
        folder: Path | None = None,
        keep_logs: bool = False,
        again: Collection[int] = (),
        finish: bool = True,
    ) -> None:
        self.study = study
        self.executor = executor
        self.stops = tuple(stops)
        self.folds = folds
        self.race = race and folds > 1
        self.limits = limits
        self.keep_logs = keep_logs
        self.again = frozenset(again)
        self._finish = finish
        self.reason: str | None = None
        self._failed: OracleFailed | None = None
        self._logs = None if folder is None else folder / "logs"
        self._work = None if folder is None else folder / "work"
        self._spool = None if folder is None else folder / spool.FOLDER
        self._data = study.history.started.hashes.get("data", "")
        self._begun: dict[int, Begun] = {}
        self._jobs: dict[Future[Outcome], Job] = {}
        self._syncer = Syncer(self._save)
        self._finishing = True
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
        resumed. Raises what the study's journal or the executor raise, and `OracleFailed` once all begun is finished.
        """
        for folder in (self._logs, self._spool):
            if folder is not None:
                _made(folder)
        self._pick_up()
        interrupted, deadline = None, 0.0
        with self._syncer:
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
                self._await(tick)
        if self._failed is not None and interrupted is None:
            self.study.sync()
            raise self._failed
        reason = interrupted or self.reason or "trials"
        self.study.end(reason)
        self._save()
        return reason

    def complete(
        self,
        numbers: Sequence[int],
        *,
        tick: Callable[[RunState], None] = lambda _: None,
        interrupt: Callable[[], str | None] = lambda: None,
    ) -> str | None:
        """Measure the missing folds of raced-out trials; return the reason if interrupted, else None."""
        self._begun.clear()  # what a time limit left unfinished: a later session's
        for number in numbers:
            self._take_up(self.study.history.trials[number])
        for number, waiting in self._begun.items():
            if waiting.twin is not None:  # that one was given up too: this is measured by itself
                waiting.twin = None
                measured = {fold for fold, _ in self._done(number)}
                waiting.wait_for(fold for fold in waiting.order if fold not in measured)
        with self._syncer:
            while self._begun:
                reason = interrupt()
                if reason is not None:
                    self.executor.close(kill=True)
                    return reason
                while len(self._jobs) < self.executor.slots() and (begun := self._next_begun()) is not None:
                    self._submit(begun)
                self._await(tick)
        return None

    def finals(
        self,
        pairs: Sequence[tuple[int, int]],
        *,
        half: bool = False,
        tick: Callable[[RunState], None] = lambda _: None,
        interrupt: Callable[[], str | None] = lambda: None,
    ) -> str | None:
        """Measure (trial number, fold) pairs on the finals' splits; return the reason if interrupted, else None.

        `half`: the models are fitted on half of the training rows.
        A fold that fails `Limits.retries` times more is not recorded, and no further one of that trial is begun.
        """
        waiting = list(pairs)
        failures: dict[tuple[int, int], int] = {}
        trials = self.study.history.trials
        with self._syncer:
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
                        options={"finals": "half" if half else "whole"},
                        deadline=self.limits.seconds,
                        memory=self.limits.memory,
                        data=self._data,
                    )
                    self._jobs[self.executor.submit(job)] = job
                done, _ = wait(self._jobs, timeout=POLL_SECONDS, return_when=FIRST_COMPLETED)
                for future in sorted(done, key=lambda one: (self._jobs[one].trial, self._jobs[one].folds)):
                    job = self._jobs.pop(future)
                    outcome = future.result()
                    for measurement in outcome.measurements:
                        self.study.final(job.trial, measurement, outcome.worker, half=half)
                    if outcome.failure is not None:
                        pair = (job.trial, job.folds[0])
                        failures[pair] = failures.get(pair, 0) + 1
                        if failures[pair] <= self.limits.retries + (outcome.failure.kind == "lost"):
                            waiting.insert(0, pair)
                        else:
                            waiting = [one for one in waiting if one[0] != job.trial]
                self._syncer.now_and_then()
                tick(self._state())
        return None

    # -- handing out ----------------------------------------------------------------------------------------------

    def _pick_up(self) -> None:
        """Adopt what workers finished unreported, and queue what an earlier session left unfinished."""
        study = self.study
        found = spool.left_over(self._spool) if self._spool else ()
        spooled: dict[int, list[tuple[int, Outcome, Path]]] = {}
        for number, first, outcome, path in found:
            spooled.setdefault(number, []).append((first, outcome, path))
        for trial in study.history.trials:
            again = trial.status == "failed" and trial.number in self.again
            if again or trial.status == "running":
                self._take_up(trial, spooled.get(trial.number, ()))
        study.sync()
        for path in (path for files in spooled.values() for _, _, path in files):
            if not any(path in begun.spools for begun in self._begun.values()):
                spool.discard(path)

    def _take_up(self, trial: Trial, spooled: Collection[tuple[int, Outcome, Path]] = ()) -> None:
        """Go on with a trial that was begun before, with (first fold, outcome, file) of what was not recorded yet."""
        number = trial.number
        begun = self._line_up(trial)
        if trial.status == "running":
            begun.seconds = trial.seconds
            for first, outcome, path in spooled:
                at = begun.order.index(first) if first in begun.order else 0
                missing = {fold for fold in begun.order if fold not in {m.fold for m in trial.measurements}}
                new = tuple(m for m in outcome.measurements if m.fold in missing)
                # A failure is not taken over but run again: what ended the session may have caused it (a full disk).
                known = replace(outcome, measurements=new, failure=None)
                folds = tuple(fold for fold in begun.order[at:] if fold in missing)
                job = Job(trial=number, values=trial.values, folds=folds, attempt=trial.attempt)
                begun.spools.append(path)
                self._record(job, begun, known)
                trial = self.study.history.trials[number]
                if trial.status != "running":
                    return
            self._judge(begun)
            trial = self.study.history.trials[number]
            if trial.status != "running":
                return
        begun.trial = self.study.retry(number)
        done = {m.fold for m in begun.trial.measurements}
        begun.waiting = []
        if begun.twin is None:
            begun.wait_for(fold for fold in begun.order if fold not in done)
        self._begun[number] = begun

    def _line_up(self, trial: Trial) -> Begun:
        """Return a trial as to be worked on, its folds in their order and none of them waiting yet."""
        order = racing.fold_order(self.study.history.seed, trial.number, self.folds) if self.race else None
        begun = Begun(trial, order or tuple(range(self.folds)), [], race=self._race_for(trial))
        first = self.study.history.seen_at(trial.values, trial.fidelity)
        begun.twin = first if first is not None and first < trial.number else None
        return begun

    def _take_over(self) -> None:
        """End the trials whose configuration was measured before as that one ended; one that failed is tried anew."""
        study = self.study
        for number, begun in sorted(self._begun.items()):
            if begun.twin is None:
                continue
            twin = study.history.as_searched(begun.twin)
            if twin.status == "failed":
                begun.twin = None
                begun.wait_for(begun.order)
            elif twin.status != "running":
                known = {fold for fold, _ in self._done(number)}
                for one in twin.measurements:
                    if one.fold not in known:
                        again = replace(one, fit_seconds=0.0, score_seconds=0.0)
                        study.score(number, again, f"as trial {twin.number}")
                study.complete(number) if twin.completed else study.stop(number, twin.reason)
                del self._begun[number]

    def _race_for(self, trial: Trial) -> Race | None:
        """Return what a trial has to keep up with: by what it may see, or under `order: async` by all that is known."""
        history = self.study.history
        recalled = trial.ended == "stopped" or trial.number in history.recalled
        if not self.race or trial.fidelity is not None or recalled:
            return None
        view = history.view(None if history.lookahead is None else trial.number)
        return racing.race(view, trial.values, origin=trial.origin)

    def _hand_out(self) -> None:
        """Fill the free slots: folds of trials already begun, in trial order, then a new trial, then folds ahead."""
        self.reason = self.reason or self._out_of_time()
        self._take_over()
        slots = self.executor.slots()
        while len(self._jobs) < slots + self._queued(slots):
            if self.reason == "time":
                return
            begun = self._next_begun()
            if begun is None and self._begin():
                continue
            if begun is None and len(self._jobs) < slots:
                begun = self._ahead()
            if begun is None:
                return
            self._submit(begun)

    def _queued(self, slots: int) -> int:
        """Return how many jobs may wait in line: one for each slot where folds are short, so that none idles."""
        short = self._folds_done > 0 and self._fold_seconds < QUEUE_SECONDS * self._folds_done
        return slots if short and self.executor.queues else 0

    def _next_begun(self) -> Begun | None:
        """Return the first trial with a fold to hand out now: of a raced one, one at a time.

        Where trials have a time limit none waits behind its own: what is left for it would be unknown.
        """
        busy = len(self._jobs) >= self.executor.slots()
        alone = self.limits.seconds is not None and busy
        trials = (self._begun[number] for number in sorted(self._begun))
        return next(
            (one for one in trials if one.waiting and not (one.in_flight and (alone or one.race is not None))), None
        )

    def _ahead(self) -> Begun | None:
        """Return the first raced trial that leads: it will probably go on, so its next fold need not wait for that."""
        for number in sorted(self._begun):
            begun = self._begun[number]
            done = self._done(number)
            if begun.waiting and begun.race is not None and done and begun.race.lead(done) <= 0:
                return begun
        return None

    def _done(self, number: int) -> list[tuple[int, float]]:
        """Return (fold, loss) of a trial's measured folds, in the order they were recorded."""
        history = self.study.history
        return [(m.fold, history.objective.loss(m.score)) for m in history.trials[number].measurements]

    def _out_of_time(self) -> str | None:
        """Return "time" as soon as it is up; the other stops are judged when a trial is about to begin."""
        history = self.study.history
        reason = first_reached(self.stops, history.view(0), history.elapsed(time.time()))
        return reason if reason == "time" else None

    def _begin(self) -> bool:
        """Begin the next trial if there is to be one now; return whether it did."""
        study = self.study
        if self.reason not in (None, "trials") or self._finishing is False or not study.ready:
            return False
        self.reason = first_reached(self.stops, study.history.view(), study.history.elapsed(time.time()))
        if self.reason not in (None, "trials"):
            return False
        if self.reason is not None and not self._finish:
            self._finishing = False
            return False
        try:
            # At the limit of configurations, those begun at a lower fidelity may still be continued.
            trial = study.next(finish=self.reason is not None)
        except OracleFailed as error:  # what is running is finished first
            self.reason, self._failed = "oracle", error
            return False
        if isinstance(trial, Answer):
            if trial is EXHAUSTED and self.reason is None:
                self.reason = "exhausted"
            self._finishing = trial is not EXHAUSTED
            return False
        begun = self._begun[trial.number] = self._line_up(trial)
        if begun.twin is None:
            begun.wait_for(begun.order)
        self._take_over()
        return True

    def _submit(self, begun: Begun) -> None:
        trial = begun.trial
        count = 1
        if self._folds_done:
            mean = self._fold_seconds / self._folds_done
            count = max(1, min(len(begun.waiting), int(JOB_SECONDS / max(mean, 1e-6))))
        folds, begun.waiting = tuple(begun.waiting[:count]), begun.waiting[count:]
        seconds = self.limits.seconds
        options = {}
        if begun.race is not None and not begun.in_flight and len(folds) > 1:
            sign = self.study.history.objective.loss(1.0)
            options["race"] = {**begun.race.to_json(), "done": self._done(trial.number), "sign": sign}
        job = Job(
            trial=trial.number,
            values=trial.values,
            folds=folds,
            options=options,
            fidelity=trial.fidelity,
            attempt=trial.attempt,
            deadline=None if seconds is None else max(seconds - begun.seconds, 0.001),
            memory=self.limits.memory,
            log=None if self._logs is None else str(log_path(self._logs, trial.number)),
            work=None if self._work is None else str(self._work / f"trial-{trial.number:05d}"),
            data=self._data,
        )
        if self._spool is not None:
            job = replace(job, spool=str(spool.path_for(self._spool, job)))
        begun.in_flight += 1
        self._jobs[self.executor.submit(job)] = job

    # -- taking in ------------------------------------------------------------------------------------------------

    def _take_in(self, future: Future[Outcome]) -> None:
        job = self._jobs.pop(future)
        try:
            outcome = future.result()
        except CancelledError:
            outcome = Outcome(failure=Failure("lost", "the executor gave the job up"))
        outcome = self._named_limit(outcome)
        begun = self._begun[job.trial]
        begun.in_flight -= 1
        if job.attempt == begun.trial.attempt:  # another attempt has the whole time anew
            begun.seconds += outcome.seconds
        running = self.study.history.trials[job.trial].status == "running"
        if running:
            if job.spool is not None:
                begun.spools.append(Path(job.spool))
            self._record(job, begun, outcome)
        elif job.spool is not None:
            self._spooled.append(Path(job.spool))
        if not begun.held and not begun.broken:
            self._spooled += begun.spools
            begun.spools.clear()
        if begun.in_flight == 0 and self.study.history.trials[job.trial].status != "running":
            del self._begun[job.trial]

    def _named_limit(self, outcome: Outcome) -> Outcome:
        """Return the outcome with the trial's own limit in a timeout's message, not what was left of it for a fold."""
        failure, seconds = outcome.failure, self.limits.seconds
        if failure is None or failure.kind != "timeout" or seconds is None or not failure.message.startswith("took "):
            return outcome
        message = f"took longer than {seconds:g} s, its folds together; killed"
        return replace(outcome, failure=replace(failure, message=message))

    def _record(self, job: Job, begun: Begun, outcome: Outcome) -> None:
        study, number = self.study, job.trial
        for fold, step, value in outcome.reports:
            study.report(number, fold, step, value)
        for measurement in outcome.measurements:
            self._folds_done += 1
            self._fold_seconds += measurement.fit_seconds + measurement.score_seconds
        if begun.race is not None and study.history.lookahead is not None:
            begun.hold(job, outcome)
        else:
            for measurement in outcome.measurements:
                study.score(number, measurement, outcome.worker)
            if outcome.failure is not None:
                self._fail(job, outcome, begun)
                return
        if outcome.failure is None and len(outcome.measurements) < len(job.folds):  # the worker gave the trial up
            begun.wait_for(job.folds[len(outcome.measurements) :])
        self._judge(begun)

    def _judge(self, begun: Begun) -> None:
        """Record what is held as far as it is its turn, and whether the trial is complete or to be given up."""
        study, number = self.study, begun.trial.number
        if study.history.lookahead is None:
            begun.race = self._race_for(begun.trial)
        while True:
            done = self._done(number)
            # A repaired journal may lack a fold before others, which the trial was allowed to go on to: no race meanwhile.
            in_order = {fold for fold, _ in done} == set(begun.order[: len(done)])
            if begun.race is not None and in_order and not begun.race.goes_on(done):
                study.stop(number, racing.reason(begun.race, done))
                break
            if len(done) == self.folds:
                study.complete(number)
                break
            measured = {one for one, _ in done}  # need not be the first of the order: a repaired journal may lack any
            fold = next(one for one in begun.order if one not in measured)
            if fold in begun.held:
                study.score(number, *begun.held.pop(fold))
            elif fold in begun.broken:
                self._fail(*begun.broken.pop(fold), begun)
                return
            else:
                return
        begun.drop()
        if self._logs is not None and not self.keep_logs:
            log_path(self._logs, number).unlink(missing_ok=True)

    def _fail(self, job: Job, outcome: Outcome, begun: Begun) -> None:
        study, failure = self.study, outcome.failure
        assert failure is not None
        if self._spool is not None:
            spool.check_room(self._spool)  # a full disk is no trial's fault
        done = {m.fold for m in study.history.trials[job.trial].measurements}
        left = [fold for fold in job.folds if fold not in done]
        if job.attempt < begun.trial.attempt:  # another fold of the same attempt failed first
            begun.wait_for(left)
            return
        allowed = self.limits.retries + (failure.kind == "lost")
        # Failures, not attempts: an attempt begins after every interruption too.
        if study.history.failures.get(job.trial, 0) < allowed:
            study.fail(job.trial, failure, final=False)
            begun.trial = study.retry(job.trial)
            begun.wait_for(left)
            begun.seconds = 0.0
            return
        begun.drop()
        study.fail(job.trial, failure)

    # -- small things ---------------------------------------------------------------------------------------------

    def _await(self, tick: Callable[[RunState], None]) -> None:
        """Wait for the next result, a tenth of a second at most, and take in what is there."""
        done, _ = wait(self._jobs, timeout=POLL_SECONDS, return_when=FIRST_COMPLETED)
        for future in sorted(done, key=lambda one: (self._jobs[one].trial, self._jobs[one].folds)):
            self._take_in(future)
        self._syncer.now_and_then()
        tick(self._state())

    def _finished(self) -> bool:
        if self.reason == "time":
            return True
        return self.reason is not None and not self._begun and not (self.reason == "trials" and self._finishing)

    def _save(self) -> None:
        """Force the journal to the disk, then delete the spool files of what it holds for good. In the syncer's thread.

        A file that is listed meanwhile is of a record written before, or stays for the next time.
        """
        spooled, self._spooled = self._spooled, []
        self.study.sync()
        for path in spooled:
            spool.discard(path)

    def _state(self) -> RunState:
        now = time.monotonic()
        return RunState(
            seconds=self.study.history.elapsed(time.time()),
            running=tuple((n, now - b.since) for n, b in sorted(self._begun.items()) if b.in_flight),
            folds_done=self._folds_done,
            fold_seconds=self._fold_seconds / self._folds_done if self._folds_done else None,
            stopping=self.reason,
        )


def _made(folder: Path) -> None:
    """Make a folder of the run directory unless it is there; raises `DirectoryUnusable`."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DirectoryUnusable(
            f"cannot make the folder {folder}: {error.strerror or error}; move what is there away, or make room"
        ) from error


def log_path(logs: Path, trial: int) -> Path:
    """Return the file that holds a trial's output."""
    return logs / f"trial-{trial:05d}.log"
