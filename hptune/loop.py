"""The loop: hands out folds of trials to an executor and records what comes back. The floor that meets futures.

Which trial is next is the study's to say, and depends on results alone; when it is started depends on free slots. A
trial's folds are independent jobs, several of them in one job where folds are short. A raced trial's folds come one
after the other, since each may be its last; other trials fill the slots meanwhile.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from hptune import spool
from hptune.begun import Begun
from hptune.errors import DirectoryUnusable, OracleFailed
from hptune.executor import Executor
from hptune.final_rounds import FinalRound, adopt
from hptune.in_flight import InFlight
from hptune.job import Job, Outcome
from hptune.limits import NONE, Limits
from hptune.oracle import EXHAUSTED, Answer
from hptune.stopping import Stop, first_reached
from hptune.study import Study
from hptune.syncer import Syncer
from hptune.under_way import UnderWay, log_path

JOB_SECONDS = 0.2
"""Short folds are put together until a job takes about this long."""

QUEUE_SECONDS = 1.0
"""Folds shorter than this are lined up before a slot is free; with longer ones the pause between two is nothing."""

GRACE_SECONDS = 5.0
"""How long running folds may go on after an interruption."""

Tick = Callable[["RunState"], None]
Interrupt = Callable[[], str | None]
FirstMet = Callable[[Mapping[str, Any]], None]


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
    """Runs a study on an executor until one of `stops` is reached; the study's end is the caller's to record.

    `folds` is how many folds a trial has; with `race`, trials that can no longer win are given up between two folds.
    `folder` (None: nothing is written) gets `logs/` and `spool/`; `keep_logs` keeps the logs of trials that succeeded.
    `again` are failed trials to run again first, under their numbers. With `finish`, what has begun at a lower fidelity
    may still be continued once the limit of trials is reached. `first_met` is called with hyperparameters that a job's
    trial had no value for.

    `run`, `complete` and `finals` call `tick` about ten times a second. When `interrupt` returns a reason, nothing new
    is begun, running folds get `grace` seconds, and that reason is returned; what was interrupted runs again when the
    study is resumed. They raise what the study's journal and the executor raise.
    """

    def __init__(
        self,
        study: Study,
        executor: Executor,
        stops: Sequence[Stop],
        *,
        folds: int = 1,
        race: bool = False,
        limits: Limits = NONE,
        folder: Path | None = None,
        keep_logs: bool = False,
        again: Collection[int] = (),
        finish: bool = True,
        first_met: FirstMet = lambda _: None,
    ) -> None:
        self.study = study
        self.executor = executor
        self.stops = tuple(stops)
        self.limits = limits
        self.again = frozenset(again)
        self.reason: str | None = None
        self._finish = finish
        self._first_met = first_met
        self._failed: OracleFailed | None = None
        self._logs = None if folder is None else folder / "logs"
        self._work = None if folder is None else folder / "work"
        self._spool = None if folder is None else folder / spool.FOLDER
        self._data = study.history.started.hashes.get("data", "")
        self._under_way = UnderWay(
            study,
            folds=folds,
            race=race,
            limits=limits,
            logs=self._logs,
            spooled=self._spool,
            keep_logs=keep_logs,
        )
        self._final: FinalRound | None = None
        self._in_flight = InFlight(executor)
        self._syncer = Syncer(self._save)
        self._finishing = True

    # -- the public part ------------------------------------------------------------------------------------------

    def run(
        self, *, tick: Tick = lambda _: None, interrupt: Interrupt = lambda: None, grace: float = GRACE_SECONDS
    ) -> str:
        """Work until a stop is reached, everything begun is finished, and return the reason.

        Raises `OracleFailed` once all begun is finished.
        """
        for folder in (self._logs, self._spool):
            if folder is not None:
                _made(folder)
        self._under_way.pick_up(self.again)
        if self._spool is not None:
            adopt(self.study, self._spool)
        interrupted = self._pump(self._hand_out, self._under_way.take_in, self._finished, tick, interrupt, grace)
        if self._failed is not None and interrupted is None:
            raise self._failed
        return interrupted or self.reason or "trials"

    def complete(
        self,
        numbers: Sequence[int],
        *,
        tick: Tick = lambda _: None,
        interrupt: Interrupt = lambda: None,
        grace: float = GRACE_SECONDS,
    ) -> str | None:
        """Measure the missing folds of raced-out trials; return the reason if interrupted, else None."""
        under_way = self._under_way
        under_way.recall(numbers)

        def hand_out() -> None:
            while self._in_flight.free > 0 and (begun := under_way.next()) is not None:
                self._submit(begun)
            assert self._in_flight or not under_way, "a trial waits for nothing"

        return self._pump(hand_out, under_way.take_in, lambda: not under_way, tick, interrupt, grace)

    def finals(
        self,
        pairs: Sequence[tuple[int, int]],
        *,
        half: bool = False,
        tick: Tick = lambda _: None,
        interrupt: Interrupt = lambda: None,
        grace: float = GRACE_SECONDS,
    ) -> str | None:
        """Measure (trial number, fold) pairs on the finals' splits; return the reason if interrupted, else None.

        `half`: the models are fitted on half of the training rows.
        """
        final = self._final = FinalRound(self.study, pairs, half=half, limits=self.limits, spooled=self._spool)

        def hand_out() -> None:
            while self._in_flight.free > 0 and (job := final.next()) is not None:
                self._in_flight.submit(job)

        return self._pump(hand_out, final.take_in, lambda: not final, tick, interrupt, grace)

    def _pump(
        self,
        hand_out: Callable[[], None],
        take_in: Callable[[Job, Outcome], None],
        finished: Callable[[], bool],
        tick: Tick,
        interrupt: Interrupt,
        grace: float,
    ) -> str | None:
        """Hand out and take in until nothing is in flight and all is `finished`; return the reason if interrupted."""
        reason = None
        with self._syncer:
            while True:
                if reason is None and (reason := interrupt()) is not None:
                    self._in_flight.stop(grace)
                if reason is None:
                    hand_out()
                if not self._in_flight and (reason is not None or finished()):
                    break
                for job, outcome in self._in_flight.results():
                    if outcome.first_met:
                        self._first_met(outcome.first_met)
                    take_in(job, outcome)
                self._syncer.now_and_then()
                tick(self._state())
        self._save()
        return reason

    # -- handing out ----------------------------------------------------------------------------------------------

    def _hand_out(self) -> None:
        """Fill the free slots: folds of trials already begun, in trial order, then a new trial, then folds ahead."""
        self.reason = self.reason or self._out_of_time()
        self._under_way.take_over()
        while self._in_flight.free + self._queued() > 0:
            if self.reason == "time":
                return
            free = self._in_flight.free > 0
            begun = self._under_way.next(busy=not free)
            if begun is None and self._begin():
                continue
            if begun is None and free:
                begun = self._under_way.ahead()
            if begun is None:
                return
            self._submit(begun)

    def _queued(self) -> int:
        """Return how many jobs may wait in line: one for each slot where folds are short, so that none idles."""
        mean = self._under_way.pace.mean
        return self.executor.slots() if mean is not None and mean < QUEUE_SECONDS and self.executor.queues else 0

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
        self._under_way.begin(trial)
        return True

    def _submit(self, begun: Begun) -> None:
        trial = begun.trial
        mean, count = self._under_way.pace.mean, 1
        if mean is not None:
            count = max(1, min(len(begun.waiting), int(JOB_SECONDS / max(mean, 1e-6))))
        folds, begun.waiting = tuple(begun.waiting[:count]), begun.waiting[count:]
        seconds = self.limits.seconds
        options = {}
        if begun.race is not None and not begun.in_flight and len(folds) > 1:
            sign = self.study.history.objective.loss(1.0)
            options["race"] = {**begun.race.to_json(), "done": self._under_way.done(trial.number), "sign": sign}
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
        self._in_flight.submit(job)

    # -- small things ---------------------------------------------------------------------------------------------

    def _finished(self) -> bool:
        if self.reason == "time":
            return True
        return self.reason is not None and not self._under_way and not (self.reason == "trials" and self._finishing)

    def _save(self) -> None:
        """Force the journal to the disk, then delete the spool files of what it holds for good. In the syncer's thread.

        Which those are is asked first: what is recorded meanwhile may not be on the disk yet.
        """
        superfluous = self._under_way.safe_to_discard()
        if self._final is not None:
            superfluous += self._final.safe_to_discard()
        self.study.sync()
        for path in superfluous:
            spool.discard(path)

    def _state(self) -> RunState:
        now, pace = time.monotonic(), self._under_way.pace
        return RunState(
            seconds=self.study.history.elapsed(time.time()),
            running=tuple((one.trial.number, now - one.since) for one in self._under_way if one.in_flight),
            folds_done=pace.folds,
            fold_seconds=pace.mean,
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
