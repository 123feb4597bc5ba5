"""Puts a study together from a config: executor, inspection, space, journal, study, loop. It knows all the concretes.

session = start(load("study.yaml"), Path("runs/x"))
reason = session.run(tick=..., interrupt=...)
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, Literal

from hptune import events as ev
from hptune import journal as jn
from hptune.config.findings import problems_from
from hptune.config.identity import config_hash, difference, problem_hash, problem_of
from hptune.config.load import Loaded
from hptune.config.specs import StudyConfig
from hptune.errors import ConfigError, DirectoryUnusable, Problem, ProblemChanged, UsageError, WorkFailed
from hptune.executor import Executor
from hptune.finals import Plan, missing, plan, verdict
from hptune.gate import Judged, judge
from hptune.job import Inspection, Job, Outcome, Setup
from hptune.loop import Limits, Loop, RunState
from hptune.space import SearchSpace
from hptune.statistics import resampled_gain
from hptune.stopping import FailuresInARow, Patience, Stop, Target, TimeLimit, TrialLimit, first_reached
from hptune.study import Study, distinct_starts

MARKER = ".hptune"
OURS = (
    *(jn.NAME, jn.TORN, "result.json", "trials.csv", "best.yaml", "config.yaml"),
    *("model.skops", "model.joblib", "model.json"),
)
OUTER = "outer-"
OUR_FOLDERS = ("logs", "spool", "work")


class Session:
    """An open run directory with a study, its executor and its loop. Close it, or use it in a `with`.

    `resumed` says whether the directory held the study already; `complete` is the stop reason if nothing is left
    to do; `notes` are things to tell the user, `warnings` what the inspection found that is no error.
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
        self.stops = stops_of(self.config, trials)
        self.complete = self._complete()

    @property
    def slots(self) -> int:
        return self.executor.slots()

    def _complete(self) -> str | None:
        study = self.study
        if not self.resumed or not study.ready or study.unfinished:
            return None
        seconds = study.history.elapsed(study.history.last_time)
        reason = first_reached(self.stops, study.history.view(), seconds)
        return None if self._planned_finals() is not None else reason

    def run(
        self,
        *,
        again: Collection[int] = (),
        tick: Callable[[RunState], None] = lambda _: None,
        interrupt: Callable[[], str | None] = lambda: None,
    ) -> str:
        """Run the study to its end and return the stop reason ("signal" or what `interrupt` returned, if it did).

        `again` are failed trials to run again first, whatever the limits say. A complete study is left as it is
        otherwise. Raises what journal and executor raise.
        """
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
        return reason if interrupt() is not None else self._finals(loop, tick, interrupt) or reason

    def _planned_finals(self) -> Plan | None:
        """Return the finals that are still to be held."""
        history = self.study.history
        if history.winner is not None:
            return None
        return plan(history, self.config.evaluate.finals, self.inspection.final_folds)

    def _finals(
        self, loop: Loop, tick: Callable[[RunState], None], interrupt: Callable[[], str | None]
    ) -> str | None:
        """Hold the finals if there are to be any; return a reason only if interrupted."""
        history, held = self.study.history, self._planned_finals()
        if held is None:
            return None
        interrupted = loop.finals(missing(history, held), tick=tick, interrupt=interrupt)
        if interrupted is not None:
            return interrupted
        select = self.config.evaluate.select
        found = verdict(history, held, test_share=self.inspection.test_share, select=select)
        if found is not None:
            self.study.choose(
                found.winner,
                finalists=held.finalists,
                folds=held.folds,
                rule=found.rule,
                gain=asdict(found.gain),
                optimism=found.optimism,
            )
        self.study.sync()
        return None

    def _loop(self, stops: Sequence[Stop], again: Collection[int] = ()) -> Loop:
        budget, executor = self.config.budget, self.config.executor
        if self.resumed:
            self.study.resume({"trials": self.trials, "workers": self.slots})
        return Loop(
            self.study,
            self.executor,
            stops,
            folds=self.study.history.started.folds,
            limits=Limits(seconds=budget.trial_time, memory=budget.trial_memory, retries=executor.retries),
            folder=self.folder,
            keep_logs=self.config.model.keeps_logs,
            again=again,
        )

    def refit(
        self, interrupt: Callable[[], str | None] = lambda: None, *, holdout_again: bool = False
    ) -> Mapping[str, Any]:
        """Fit the best configuration on all training data, save it, and score the holdout where there is one.

        Returns the worker's answer: `model` (file name or None), `format`, `reason`, `holdout`. A study without a
        completed trial, `output: {refit: false}` without holdout, or a model without estimator gives {}. The holdout
        is scored once a study: a later session's winner only with `holdout_again`, and `holdout_uses` counts.
        """
        history = self.study.history
        best, baseline = history.best, history.baseline
        holdout = self.inspection.holdout_rows > 0 and best is not None and best.number not in history.holdout
        if holdout and history.holdout and not holdout_again:
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
        answer = _answer(self.executor, Job(kind="refit", trial=best.number, options=options), interrupt)
        found = answer.get("holdout") or {}
        for number, scores in ((best.number, found), (baseline.number, found.get("baseline"))):
            if scores and number not in history.holdout:
                gain = found.get("gain") if number == best.number != baseline.number else None
                told = {history.objective.metric: scores["score"], **scores["metrics"]}
                self.study.holdout(number, told, self._holdout_gain(gain))
        self.study.sync()
        return answer

    def _holdout_gain(self, told: Mapping[str, Any] | None) -> dict[str, float | None] | None:
        """Return the gain on the holdout in metric units, from score differences that the worker resampled."""
        if told is None:
            return None
        sign = 1.0 if self.study.history.objective.direction == "maximize" else -1.0
        return asdict(
            resampled_gain(sign * told["mean"], [sign * one for one in told["resamples"]], rows=told["rows"])
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
        )

    def close(self, kill: bool = False) -> None:
        """Let go of the workers and of the directory; harmless when called twice."""
        try:
            self.executor.close(kill=kill)
        finally:
            self.study.close()

    def __enter__(self) -> Session:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self.close(kill=kind is not None)


def start(
    loaded: Loaded,
    folder: Path,
    *,
    fresh: bool = False,
    add_trials: int | None = None,
    workers: int | None = None,
    allow_import: Sequence[str] = (),
    outer: tuple[int, int] | None = None,
    interrupt: Callable[[], str | None] = lambda: None,
) -> Session:
    """Open a run directory for a config: a new study, or the one that is there if it is the same problem.

    With `fresh`, an earlier study in the folder is deleted first. `add_trials` asks for so many configurations more
    than have been tried. `outer` (folds, fold) makes that outer fold the holdout (see `nested`). Raises
    `ConfigError` with lines, `ProblemChanged` naming the difference, and the errors of
    journal and executor; nothing is left running then.
    """
    loaded = with_workers(loaded, workers)
    config = loaded.config
    check_limits(loaded)
    executor = config.executor.open(setup_of(loaded, allow_import, outer))
    journal: jn.Journal | None = None
    try:
        if (folder / jn.NAME).exists():  # a locked or damaged directory is said before any work is done
            journal = jn.Journal(folder)
        inspection, warnings = inspect_on(loaded, executor, interrupt)
        notes: list[str] = []
        if fresh and journal is not None:
            journal.close()
            clear(folder)
            journal = None
            notes.append("the earlier study in this folder was deleted (--fresh)")
        if journal is None:
            journal = jn.Journal(folder)
            _mark(folder)
        if journal.repaired:
            notes.append(journal.repaired)
        study = study_of(loaded, inspection, folder, journal.events, journal)
        trials = config.budget.trials
        if add_trials is not None:
            trials = study.history.view().configurations + add_trials
        return Session(loaded, folder, study, executor, inspection, warnings, notes, trials)
    except BaseException:
        executor.close(kill=True)
        if journal is not None:
            journal.close()
        raise


def inspect(
    loaded: Loaded,
    *,
    allow_import: Sequence[str] = (),
    interrupt: Callable[[], str | None] = lambda: None,
) -> tuple[Inspection, list[Problem]]:
    """Return what a worker finds out about a config, and warnings; raises `ConfigError` with lines for errors."""
    check_limits(loaded)
    spec = loaded.config.executor.model_copy(update={"workers": 1})
    executor = spec.open(setup_of(loaded, allow_import))
    try:
        return inspect_on(loaded, executor, interrupt)
    finally:
        executor.close(kill=True)


def setup_of(loaded: Loaded, allow_import: Sequence[str] = (), outer: tuple[int, int] | None = None) -> Setup:
    """Return the problem as a worker needs it."""
    config = loaded.config

    def plain(spec: Any) -> Any:
        return None if spec is None else spec.model_dump(mode="json", by_alias=True)

    return Setup(
        model=plain(config.model),
        data=plain(config.data),
        evaluate=plain(config.evaluate),
        space=loaded.space.to_json(),
        seed=config.seed,
        folder=str(loaded.folder.resolve()),
        own_code=loaded.own_code,
        outer=None if outer is None else {"folds": outer[0], "fold": outer[1]},
        threads=config.executor.threads(),
        allow_import=tuple(allow_import),
    )


def stops_of(config: StudyConfig, trials: int | None) -> list[Stop]:
    """Return the stopping rules of a config's budget, the trial limit last so that a more telling reason wins."""
    budget = config.budget
    stops: list[Stop] = []
    if budget.failures.in_a_row is not None:
        stops.append(FailuresInARow(budget.failures.in_a_row))
    if budget.target is not None:
        stops.append(Target(budget.target))
    if budget.patience is not None:
        stops.append(Patience(budget.patience))
    if budget.time is not None:
        stops.append(TimeLimit(budget.time))
    if trials is not None:
        stops.append(TrialLimit(trials))
    return stops


def clear(folder: Path) -> None:
    """Delete an earlier study's files from a run directory; raises `UsageError` for a folder that is not ours."""
    if not (folder / MARKER).is_file():
        raise UsageError(f"{folder} was not made by hptune (no {MARKER} in it); nothing was deleted")
    for name in OURS:
        (folder / name).unlink(missing_ok=True)
    for name in OUR_FOLDERS:
        if (folder / name).is_dir() and not (folder / name).is_symlink():
            shutil.rmtree(folder / name)
    for inner in folder.glob(f"{OUTER}*"):
        if (inner / MARKER).is_file() and not inner.is_symlink():
            shutil.rmtree(inner)


def _mark(folder: Path) -> None:
    try:
        (folder / MARKER).write_text("A run directory of hptune; `hptune show` reads it.\n")
    except OSError as error:
        raise DirectoryUnusable(f"cannot write to {folder}: {error.strerror}") from error


def with_workers(loaded: Loaded, workers: int | None) -> Loaded:
    """Return the config with so many workers; None: as many as it says."""
    if workers is None:
        return loaded
    executor = loaded.config.executor.model_copy(update={"workers": workers})
    return replace(loaded, config=loaded.config.model_copy(update={"executor": executor}))


def check_limits(loaded: Loaded) -> None:
    """Raise `ConfigError` for limits of a trial that the config's executor cannot keep."""
    config = loaded.config
    if config.executor.supports_limits:
        return
    limits = [name for name in ("trial_time", "trial_memory") if getattr(config.budget, name) is not None]
    if limits:
        message = f"{type(config.executor).__name__} cannot enforce it; take executor: {{type: process}}"
        raise ConfigError([loaded.problem(f"budget.{name}", message) for name in limits])


def inspect_on(
    loaded: Loaded, executor: Executor, interrupt: Callable[[], str | None]
) -> tuple[Inspection, list[Problem]]:
    """Return what a worker of this executor finds out, and warnings; raises `ConfigError` with lines for errors."""
    job = Job(kind="inspect", options={"probe": loaded.config.probe})
    inspection = Inspection.from_json(_answer(executor, job, interrupt))
    problems = problems_from(inspection.findings, loaded)
    if any(problem.severity == "error" for problem in problems):
        raise ConfigError(problems)
    return inspection, problems


def _answer(executor: Executor, job: Job, interrupt: Callable[[], str | None]) -> Mapping[str, Any]:
    """Return a job's answer, watching for an interruption; raises `HptuneError` if the job failed."""
    future = executor.submit(job)
    while not future.done():
        if interrupt() is not None:
            executor.close(kill=True)
            raise KeyboardInterrupt
        time.sleep(0.01)
    outcome: Outcome = future.result()
    if outcome.failure is not None:
        detail = f"\n{outcome.failure.traceback}" if outcome.failure.traceback else ""
        raise WorkFailed(f"the {job.kind} step failed ({outcome.failure.kind}): {outcome.failure.message}{detail}")
    return outcome.answer or {}


def study_of(
    loaded: Loaded, inspection: Inspection, folder: Path, events: Sequence[ev.Event], journal: jn.Journal | None
) -> Study:
    """Return the study of a run directory, new or continued; raises `ProblemChanged` for another problem's.

    `events` are those found in the directory. Without a journal the study is a new one in memory.
    """
    config = loaded.config
    old = events[0] if events else None
    if isinstance(old, ev.StudyStarted):
        lookahead = old.lookahead
    else:
        lookahead = None if config.executor.order == "async" else config.executor.resolved_lookahead()
    space = SearchSpace.from_json(inspection.space)
    try:
        starts = distinct_starts(space, loaded.starts)
    except ValueError as error:
        raise ConfigError([loaded.problem("start_with", str(error))]) from None
    problem = problem_of(loaded, inspection.data_hash)
    if (
        isinstance(old, ev.StudyStarted)
        and config.executor.lookahead is None
        and None not in (old.lookahead, lookahead)
    ):
        problem["lookahead"] = (
            old.lookahead
        )  # resolved when the study started; any number of workers may go on with it
    hashes = {
        "problem": problem_hash(problem),
        "space": space.hash,
        "config": config_hash(loaded),
        "data": inspection.data_hash,
    }
    started = ev.StudyStarted(
        time=time.time(),
        name=config.name,
        metric=inspection.metric,
        direction=inspection.direction,
        space=space.to_json(),
        seed=config.seed,
        lookahead=lookahead,
        folds=inspection.folds,
        starts=starts,
        oracle=config.oracle.model_dump(mode="json"),
        config=loaded.resolved,
        problem=problem,
        hashes=hashes,
        versions=dict(inspection.versions),
        about={
            "task": inspection.task,
            "rows": inspection.rows,
            "features": inspection.features,
            "holdout_rows": inspection.holdout_rows,
            "test_share": inspection.test_share,
            "final_folds": inspection.final_folds,
        },
    )
    if isinstance(old, ev.StudyStarted) and old.hashes.get("problem") != hashes["problem"]:
        changes = difference(old.problem, problem)
        listed = "".join(f"\n  {change}" for change in changes) or "\n  (an earlier version hashed it differently)"
        raise ProblemChanged(
            f"{folder} holds a study of another problem:{listed}\n"
            f"Start over with --fresh, or keep both by giving this one another --dir."
        )
    return Study.of(started, config.oracle, journal)
