"""The trials being worked on: which fold is next, and what the study is told of those that come back.

Neither futures nor an executor here: the loop hands out what `next` and `ahead` say and gives the outcomes to `take_in`.
What the study records depends on the outcomes and the order of the folds, never on the timing.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from hptune import racing, spool
from hptune.begun import Begun
from hptune.job import Job, Outcome
from hptune.limits import NONE, Limits
from hptune.race import Race
from hptune.study import Study
from hptune.trial import Measurement, Trial


@dataclass
class Pace:
    """How many folds were measured in this session, and their seconds added up."""

    folds: int = 0
    seconds: float = 0.0

    def add(self, measurement: Measurement) -> None:
        self.folds += 1
        self.seconds += measurement.fit_seconds + measurement.score_seconds

    @property
    def mean(self) -> float | None:
        """The mean seconds of a fold, None before the first."""
        return self.seconds / self.folds if self.folds else None


class UnderWay:
    """The trials of `study` that have begun and not ended, as they are worked on; iterates over them by number.

    `folds` is how many each has, in a drawn order with `race`. `logs` (None: there are none) is the folder of their
    logs, of which `keep_logs` keeps those of trials that succeeded; `spooled` that of the outcomes workers write down.
    """

    def __init__(
        self,
        study: Study,
        *,
        folds: int = 1,
        race: bool = False,
        limits: Limits = NONE,
        logs: Path | None = None,
        spooled: Path | None = None,
        keep_logs: bool = False,
    ) -> None:
        self.study = study
        self.folds = folds
        self.race = race and folds > 1
        self.limits = limits
        self.pace = Pace()
        self._logs = logs
        self._spool = spooled
        self._keep_logs = keep_logs
        self._begun: dict[int, Begun] = {}
        self._done_with: deque[Path] = deque()

    def __len__(self) -> int:
        return len(self._begun)

    def __iter__(self) -> Iterator[Begun]:
        return (self._begun[number] for number in sorted(self._begun))

    # -- beginning ------------------------------------------------------------------------------------------------

    def pick_up(self, again: Collection[int] = ()) -> None:
        """Adopt what workers finished unreported, and line up what an earlier session left unfinished.

        Failed trials in `again` begin anew.
        """
        study = self.study
        found = spool.left_over(self._spool) if self._spool else ()
        spooled: dict[int, list[tuple[int, Outcome, Path]]] = {}
        for number, first, outcome, path in found:
            spooled.setdefault(number, []).append((first, outcome, path))
        for trial in study.history.trials:
            if trial.status == "running" or (trial.status == "failed" and trial.number in again):
                self._take_up(trial, spooled.get(trial.number, ()))
        study.sync()
        for path in (path for files in spooled.values() for _, _, path in files):
            if not any(path in begun.spools for begun in self._begun.values()):
                spool.discard(path)

    def recall(self, numbers: Collection[int]) -> None:
        """Line up the missing folds of raced-out trials, and nothing else."""
        self._begun.clear()  # what a time limit left unfinished: a later session's
        for number in numbers:
            self._take_up(self.study.history.trials[number], alone=True)

    def begin(self, trial: Trial) -> None:
        """Line up a trial that has just begun."""
        begun = self._begun[trial.number] = self._line_up(trial)
        if begun.twin is None:
            begun.wait_for(begun.order)
        self.take_over()

    def _take_up(
        self, trial: Trial, spooled: Collection[tuple[int, Outcome, Path]] = (), *, alone: bool = False
    ) -> None:
        """Go on with a trial that was begun before, with (first fold, outcome, file) of what was not recorded yet.

        `alone`: it is measured itself although an earlier one has its configuration, for that was given up too.
        """
        number = trial.number
        begun = self._line_up(trial)
        if alone:
            begun.twin = None
        if trial.status == "running":
            begun.seconds = trial.measured_seconds
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

    def take_over(self) -> None:
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
                known = {fold for fold, _ in self.done(number)}
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

    # -- which is next --------------------------------------------------------------------------------------------

    def next(self, *, busy: bool = False) -> Begun | None:
        """Return the first trial with a fold to hand out now: of a raced one, one at a time.

        `busy`: every slot is taken. Where trials have a time limit none then waits behind its own: what is left for it
        would be unknown.
        """
        alone = self.limits.seconds is not None and busy
        return next(
            (one for one in self if one.waiting and not (one.in_flight and (alone or one.race is not None))), None
        )

    def ahead(self) -> Begun | None:
        """Return the first raced trial that leads: it will probably go on, so its next fold need not wait for that."""
        for begun in self:
            done = self.done(begun.trial.number)
            if begun.waiting and begun.race is not None and done and begun.race.lead(done) <= 0:
                return begun
        return None

    def done(self, number: int) -> list[tuple[int, float]]:
        """Return (fold, loss) of a trial's measured folds, in the order they were recorded."""
        history = self.study.history
        return [(m.fold, history.objective.loss(m.score)) for m in history.trials[number].measurements]

    # -- taking in ------------------------------------------------------------------------------------------------

    def take_in(self, job: Job, outcome: Outcome) -> None:
        """Tell the study what became of a job, as far as it is its turn."""
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
            self._done_with.append(Path(job.spool))
        if not begun.held and not begun.broken:
            self._done_with.extend(begun.spools)
            begun.spools.clear()
        if begun.in_flight == 0 and self.study.history.trials[job.trial].status != "running":
            del self._begun[job.trial]

    def safe_to_discard(self) -> list[Path]:
        """Return, once each, the spool files that a sync of the journal makes superfluous.

        Any thread may call it: what `take_in` adds meanwhile is returned, its record being written, or the next time.
        """
        return [self._done_with.popleft() for _ in range(len(self._done_with))]

    def _named_limit(self, outcome: Outcome) -> Outcome:
        """Return the outcome with the trial's own limit in a timeout's message, not what was left of it for a fold."""
        failure, seconds = outcome.failure, self.limits.seconds
        if failure is None or failure.kind != "timeout" or seconds is None or not failure.message.startswith("took "):
            return outcome
        together = ", its folds together" if self.folds > 1 else ""
        message = f"took longer than {seconds:g} s{together}; killed"
        return replace(outcome, failure=replace(failure, message=message))

    def _record(self, job: Job, begun: Begun, outcome: Outcome) -> None:
        study, number = self.study, job.trial
        for fold, step, value in outcome.reports:
            study.report(number, fold, step, value)
        for measurement in outcome.measurements:
            self.pace.add(measurement)
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
            done = self.done(number)
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
        if self._logs is not None and not self._keep_logs:
            log_path(self._logs, number).unlink(missing_ok=True)

    def _fail(self, job: Job, outcome: Outcome, begun: Begun) -> None:
        study, failure = self.study, outcome.failure
        assert failure is not None
        took = max(outcome.seconds - sum(m.fit_seconds + m.score_seconds for m in outcome.measurements), 0.0)
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
            study.fail(job.trial, failure, final=False, seconds=took)
            begun.trial = study.retry(job.trial)
            begun.wait_for(left)
            begun.seconds = 0.0
            return
        begun.drop()
        study.fail(job.trial, failure, seconds=took)


def log_path(logs: Path, trial: int) -> Path:
    """Return the file that holds a trial's output."""
    return logs / f"trial-{trial:05d}.log"
