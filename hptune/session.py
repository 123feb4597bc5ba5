"""`Session`: an open run directory with its study, executor and loop: search, finals, refit, gate, in that order."""

from __future__ import annotations

import math
import signal
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import wait
from dataclasses import asdict
from pathlib import Path
from typing import Any, Literal

from hptune.config.load import Loaded
from hptune.config.specs import StudyConfig
from hptune.errors import Interrupted, Problem, WorkFailed
from hptune.executor import Executor
from hptune.finals import Plan, first_round, half_round, measured_refit_gain, plan, second_round, verdict
from hptune.gate import Judged, judge
from hptune.in_flight import POLL_SECONDS
from hptune.job import Inspection, Job, Outcome
from hptune.limits import Limits
from hptune.loop import Interrupt, Loop, Tick
from hptune.racing import to_complete
from hptune.slot import killed_from_outside
from hptune.statistics import resampled_gain
from hptune.stopping import Stop, TrialLimit, first_reached, stops_of
from hptune.study import Study


class Session:
    """An open run directory with a study, its executor and its loop. Close it, or use it in a `with`.

    `resumed` says whether the directory held the study already; `complete` is the stop reason if nothing is left
    to do; `notes` are things to tell the user, `warnings` what is doubtful in the config.
    """

    def __init__(
        self,
        loaded: Loaded,
        folder: Path,
        study: Study,
        executor: Executor,
        inspection: Inspection,
        warnings: list[Problem],
        notes: list[str],
        trials: int | None,
        added: int | None = None,
    ) -> None:
        self.loaded = loaded
        self.config: StudyConfig = loaded.config
        self.folder = folder
        self.study = study
        self.executor = executor
        self.inspection = inspection
        self.warnings = warnings
        self.notes = notes
        self.after: list[str] = []
        """Things to tell the user at the end."""
        self.resumed = study.resumed
        self.trials = trials
        """How many configurations the study is to try, None without such a limit."""
        self.added = added
        """How many more than before that was asked for as, None if it was not."""
        self.stops = stops_of({**self.config.budget.model_dump(), "trials": trials})
        self.complete = self._complete()
        self._told = set(inspection.unsearched)  # hyperparameters first met in a trial are told of once
        self._say: Callable[[str], None] = lambda _: None
        self._reason: str | None = None
        self._over: float | None = None  # when search and finals were
        self._open = not self.resumed  # whether the journal has this session's beginning and not its end
        self._closed = False

    @property
    def slots(self) -> int:
        return self.executor.slots()

    def _complete(self) -> str | None:
        study = self.study
        if not self.resumed or not study.ready or study.unfinished:
            return None
        seconds = study.history.elapsed(study.history.last_time)
        reason = first_reached(self.stops, study.history.view(), seconds)
        if reason == "trials" and study.continues:
            return None
        if reason is None and study.history.ended == "exhausted":
            reason = "exhausted"  # the same problem has no more configurations than it had
        return None if self._to_complete() or self._planned_finals() is not None else reason

    def run(
        self,
        *,
        again: Collection[int] = (),
        tick: Tick = lambda _: None,
        interrupt: Interrupt = lambda: None,
        say: Callable[[str], None] = lambda _: None,
    ) -> str:
        """Run the study to its end and return the stop reason ("signal" or what `interrupt` returned, if it did).

        `again` are failed trials to run again first, whatever the limits say. A complete study is left as it is
        otherwise. Hyperparameters first met in a trial are told to `say`, each once. The reason is recorded by `end`, or
        as the session is closed: a refit may follow, and be interrupted. Raises what journal and executor raise.
        """
        self._say = say
        self._reason = self._run(again, tick, interrupt)
        self._over = time.time()
        return self._reason

    def _run(self, again: Collection[int], tick: Tick, interrupt: Interrupt) -> str:
        if again:
            # Nothing new is begun before the failed ones are done: what they bring may end the study.
            begun = TrialLimit(self.study.history.view().configurations)
            reason = self._loop([begun], again).run(tick=tick, interrupt=interrupt)
            if reason != "trials":
                return reason
        elif self.complete is not None:
            return self.complete
        loop = self._loop(self.stops)
        reason = loop.run(tick=tick, interrupt=interrupt)
        if (interrupted := interrupt()) is not None:
            return interrupted
        return loop.complete(self._to_complete(), tick=tick, interrupt=interrupt) or (
            self._finals(loop, tick, interrupt) or reason
        )

    def _to_complete(self) -> list[int]:
        """Return the raced-out trials that are among the best all the same and still lack folds."""
        history, evaluate = self.study.history, self.config.evaluate
        if not evaluate.early_stop_folds:
            return []
        trials = history.trials
        return [
            n for n in to_complete(history, evaluate.finals.finalists) if trials[n].status in ("stopped", "running")
        ]

    def _planned_finals(self) -> Plan | None:
        """Return the finals that are still to be held."""
        history = self.study.history
        if history.winner is not None:
            return None
        return plan(history, self.config.evaluate.finals, self.inspection.final_folds)

    def _finals(self, loop: Loop, tick: Tick, interrupt: Interrupt) -> str | None:
        """Hold the finals if there are to be any; return a reason only if interrupted."""
        history, held = self.study.history, self._planned_finals()
        if held is None:
            return None
        select, share = self.config.evaluate.select, self.inspection.test_share
        interrupted = loop.finals(first_round(history, held), tick=tick, interrupt=interrupt)
        interrupted = interrupted or loop.finals(second_round(history, held, select), tick=tick, interrupt=interrupt)
        if interrupted is not None:
            return interrupted
        found = verdict(history, held, test_share=share, select=select)
        if found is not None:
            halves = half_round(history, held, found.winner)
            interrupted = loop.finals(halves, half=True, tick=tick, interrupt=interrupt)
            if interrupted is not None:
                return interrupted
            self.study.choose(
                found.winner,
                finalists=held.finalists,
                folds=held.folds,
                rule=found.rule,
                gain=asdict(found.gain),
                optimism=found.optimism,
                refit_gain=measured_refit_gain(history, held, found.winner, test_share=share),
            )
        else:
            self.after.append(
                "the finals told nothing: folds of the defaults or of the finalists failed; run again to hold them again"
            )
        self.study.sync()
        return None

    def _loop(self, stops: Sequence[Stop], again: Collection[int] = ()) -> Loop:
        budget, executor = self.config.budget, self.config.executor
        self._resume()
        return Loop(
            self.study,
            self.executor,
            stops,
            folds=self.study.history.started.folds,
            race=self.config.evaluate.early_stop_folds,
            limits=Limits(seconds=budget.trial_time, memory=budget.trial_memory, retries=executor.retries),
            folder=self.folder,
            keep_logs=self.config.model.keeps_logs,
            again=again,
            finish=not again,
            first_met=self._first_met,
        )

    def _first_met(self, met: Mapping[str, Any]) -> None:
        """Tell of hyperparameters that a trial had no value for, of each once."""
        for name, value in met.items():
            if name not in self._told:
                self._told.add(name)
                message = (
                    f"{name} is first met in a trial: it is not searched, trials run it at {value!r}; ask for it in "
                    "build(hp) whatever the other values are"
                )
                self._say(f"warning: {self.loaded.problem('model.hypermodel', message, 'warning')}")

    def _resume(self) -> None:
        """Record that this session begins, unless that is recorded."""
        if self._open:
            return
        self._open = True
        told = {"name": self.config.name, "trials": self.trials, "added": self.added, "workers": self.slots}
        self.study.resume(told)

    def rename(self) -> None:
        """Record a complete study's new name, if it has one; a study that goes on records its own when it does."""
        history = self.study.history
        if self.complete is not None and self.config.name != history.name:
            self._resume()

    def end(self, reason: str) -> None:
        """Record once why this session is over; nothing where it did nothing and the end of the study is known.

        Comes last: whoever is interrupted before, or killed, has a study that did not come to its end.
        """
        self._reason = None
        if self._closed:
            return
        if not self._open and self.study.history.ended in (None, "signal") and reason != self.study.history.ended:
            self._resume()
        if self._open:
            self._open = False
            self.study.end(reason, at=self._over)

    def refit(
        self,
        interrupt: Callable[[], str | None] = lambda: None,
        *,
        holdout_again: bool = False,
        say: Callable[[str], None] = lambda _: None,
    ) -> Mapping[str, Any]:
        """Fit the best configuration on all training data, save it, and score the holdout where there is one.

        Returns the worker's answer: `model` (file name or None), `format`, `reason`, `holdout`. A study without a
        completed trial, `output: {refit: false}` without holdout, or a model without estimator gives {}. The holdout
        is scored once a study: a later session's winner only with `holdout_again`, and `holdout_uses` counts. What takes
        its time is told to `say`.
        """
        history = self.study.history
        best, baseline = history.best, history.baseline
        holdout = self.inspection.holdout_rows > 0 and best is not None and best.number not in history.holdout
        if holdout and history.holdout_uses and not holdout_again:
            holdout = False
            self.after.append(
                "the holdout was scored for an earlier winner and is not scored again: it would no longer be fresh "
                "(--holdout-again does it all the same, and the result says so)"
            )
        if best is None or baseline is None or not self.config.model.makes_estimator:
            return {}
        if not (self.config.output.refit or holdout):
            return {}
        options = {
            "values": dict(best.values),
            "baseline": dict(baseline.values) if baseline.completed else None,
            "path": str(self.folder.resolve()) if self.config.output.refit else None,
            "everything": self.config.output.refit == "all",
            "holdout": holdout,
        }
        say(self._fitting(best.number, holdout))
        job = Job(kind="refit", trial=best.number, options=options, data=history.started.hashes.get("data", ""))
        answer = answer_of(self.executor, job, interrupt)
        found = answer.get("holdout") or {}
        # The winner's last: a session that ends between the two is to score both again.
        for number, scores in ((baseline.number, found.get("baseline")), (best.number, found)):
            if scores and number not in history.holdout:
                gain = found.get("gain") if number == best.number != baseline.number else None
                told = {history.objective.metric: scores["score"], **scores["metrics"]}
                self._resume()
                self.study.holdout(number, told, self._holdout_gain(gain))
        self.study.sync()
        return answer

    def _fitting(self, number: int, holdout: bool) -> str:
        """Return what a refit is about to do; `holdout` says whether it scores one."""
        refit = self.config.output.refit
        if not refit:
            return f"scoring trial {number} on the holdout ..."
        rows = "all training rows" if self.inspection.holdout_rows and refit != "all" else "all rows"
        return f"fitting trial {number} on {rows}{', and scoring it on the holdout' if holdout else ''} ..."

    def _holdout_gain(self, told: Mapping[str, Any] | None) -> dict[str, float | None] | None:
        """Return the gain on the holdout in metric units, from score differences that the worker resampled."""
        if told is None or not math.isfinite(told["mean"]):
            return None
        sign = 1.0 if self.study.history.objective.direction == "maximize" else -1.0
        return asdict(
            resampled_gain(sign * told["mean"], [sign * one for one in told["resamples"]], units=told["units"])
        )

    def judge(self) -> Judged | None:
        """Return the gate's verdict, None without a gate; raises `UsageError` for a baseline that cannot be read."""
        gate = self.config.gate
        if gate is None:
            return None
        baseline = gate.baseline
        where: Literal["defaults"] | float | Path
        if isinstance(baseline, str):
            where = "defaults" if baseline == "defaults" else self.loaded.folder / baseline
        else:
            where = baseline
        return judge(
            self.study.history,
            baseline=where,
            on=gate.on,
            min_gain=gate.min_gain,
            confidence=gate.confidence,
            shown=baseline if isinstance(baseline, str) else "",
        )

    def close(self, kill: bool = False) -> None:
        """Let go of the workers and of the directory, without `kill` with the end recorded; harmless when called twice."""
        try:
            if self._reason is not None and not kill:
                self.end(self._reason)
        finally:
            self._closed = True
            try:
                self.executor.close(kill=kill)
            finally:
                self.study.close()

    def __enter__(self) -> Session:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self.close(kill=kind is not None)


def answer_of(
    executor: Executor,
    job: Job,
    interrupt: Callable[[], str | None],
    meanwhile: Callable[[], None] = lambda: None,
) -> Mapping[str, Any]:
    """Return a job's answer, watching for an interruption; `meanwhile` is called once the job is on its way.

    An inspection whose worker is killed from outside is made once more: no `retries` are for it. Raises `HptuneError` if
    the job failed.
    """
    outcome = outcome_of(executor, job, interrupt, meanwhile)
    if job.kind == "inspect" and killed_from_outside(outcome.failure):
        outcome = outcome_of(executor, job, interrupt)
    if outcome.failure is not None:
        detail = f"\n{outcome.failure.traceback}" if outcome.failure.traceback else ""
        raise WorkFailed(f"the {job.kind} step failed ({outcome.failure.kind}): {outcome.failure.message}{detail}")
    return outcome.answer or {}


def outcome_of(
    executor: Executor,
    job: Job,
    interrupt: Callable[[], str | None],
    meanwhile: Callable[[], None] = lambda: None,
) -> Outcome:
    """Return what became of a job; `meanwhile` is called once it is on its way.

    Raises `Interrupted` when `interrupt` returns a reason, with the workers ended.
    """
    future = executor.submit(job)
    meanwhile()
    while not wait([future], timeout=POLL_SECONDS).done:
        if interrupt() is not None:
            executor.close(kill=True)
            raise Interrupted(signal.SIGINT)  # which signal it was, if it was one, only who listens to them knows
    return future.result()
