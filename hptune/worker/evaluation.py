"""The `evaluate` job: fits and scores one configuration, fold by fold."""

from __future__ import annotations

import contextlib
import sys
import time
import warnings
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from hptune.errors import Interrupted
from hptune.evaluate import MEASURED
from hptune.hyperparameters import NotSearched
from hptune.job import Job, Outcome
from hptune.model import Call, MeasuringModel
from hptune.owned import fresh
from hptune.race import Race
from hptune.randomness import seed_for, seeded_globals
from hptune.resource import STEPS
from hptune.trial import Failure, Measurement
from hptune.worker.failures import Invalid, failure_of, finite
from hptune.worker.fidelity import Enough, fewer, fit_at
from hptune.worker.problem import Problem


def evaluate(problem: Problem, job: Job) -> Outcome:
    """Return the measurements of the job's folds, in its order, up to the first that fails.

    The seeds depend on the study's seed and the fold only: every trial meets the same ones.
    """
    measurements: list[Measurement] = []
    reports: list[tuple[int, float, float]] = []
    first_met: dict[str, Any] = {}
    failure: Failure | None = None
    race = _Raced.of(job)
    for fold in job.folds or (0,):
        if race is not None and not race.goes_on(measurements):
            break
        try:
            with (
                watched(f"trial {job.trial}, fold {fold}", first_met),
                seeded_globals(seed_for(problem.setup.seed, "model", fold)),
            ):
                if isinstance(problem.model, MeasuringModel):
                    measurements.append(_measured(problem, problem.model, job, fold, reports))
                else:
                    measurements.append(_scored(problem, job, fold, finals=job.options.get("finals")))
        except (KeyboardInterrupt, Interrupted):
            raise  # in the serial executor it is the user's Ctrl-C
        except BaseException as error:  # sys.exit() in user code is a failed trial, not the end of the worker
            failure = failure_of(error, f"fold {fold}" if not isinstance(problem.model, MeasuringModel) else "")
            break
    return Outcome(measurements=tuple(measurements), failure=failure, reports=tuple(reports), first_met=first_met)


@dataclass(frozen=True)
class _Raced:
    """The race that a job's folds are run in: known here too, so that several short folds can share a job."""

    race: Race
    done: tuple[tuple[int, float], ...]
    sign: float

    @classmethod
    def of(cls, job: Job) -> _Raced | None:
        told = dict(job.options.get("race") or {})
        if not told:
            return None
        done, sign = tuple((fold, loss) for fold, loss in told.pop("done")), told.pop("sign")
        return cls(Race.from_json(told), done, sign)

    def goes_on(self, measured: list[Measurement]) -> bool:
        return self.race.goes_on([*self.done, *((m.fold, self.sign * m.score) for m in measured)])


def _scored(problem: Problem, job: Job, fold: int, *, finals: str | None = None) -> Measurement:
    """Return the measurement of an estimator on one fold, of the search's splits or of the finals' fresh ones.

    `finals` is "whole" or "half": how many of the fold's training rows are fitted.
    """
    if not finals and not 0 <= fold < len(problem.splits):
        raise ValueError(f"expected a fold from 0 to {len(problem.splits) - 1}, found {fold}")
    kept, tested = problem.final_split(fold, half=finals == "half") if finals else problem.splits[fold]
    kept = fewer(problem, kept, fold, job.fidelity)
    train, test = problem.dataset.train.take(kept), problem.dataset.train.take(tested)
    scoring = problem.scoring
    began = time.perf_counter()
    seed, continued = seed_for(problem.setup.seed, "model", fold), None
    if finals or problem.resource is None:
        fitted, X = problem.fit_for(job.values, fold, train, test, finals=finals, seed=seed)
    else:
        fitted, X, continued = fit_at(
            problem, job.values, train, test, seed=seed, fold=fold, fidelity=job.fidelity, memory=job.memory
        )
    halfway = time.perf_counter()
    scores = scoring(fitted, X, test.y)
    train_score = scoring.main(fitted, train.X, train.y) if problem.evaluate.train_score else None
    ended = time.perf_counter()
    return Measurement(
        fold=fold,
        score=scores[scoring.metric],
        train_score=train_score,
        metrics={name: scores[name] for name in scoring.also},
        fit_seconds=halfway - began,
        score_seconds=ended - halfway,
        continued=continued,
    )


# -- models that measure themselves ---------------------------------------------------------------------------------


@dataclass
class _Report:
    """What a function model calls as `report(value, step)`; with `enough` it ends there."""

    fold: int
    enough: int | None = None
    into: list[tuple[int, float, float]] = field(default_factory=list)

    def __call__(self, value: float, step: float) -> None:
        step = finite(step, "report: step")
        value = finite(value, f"report at step {step:g}")
        self.into.append((self.fold, step, value))
        if self.enough is not None and step >= self.enough:
            raise Enough(value)


def _measured(
    problem: Problem,
    model: MeasuringModel,
    job: Job,
    fold: int,
    reports: list[tuple[int, float, float]],
) -> Measurement:
    """Return the measurement that a model made of itself."""
    data: dict[str, Any] = {}
    if problem.data is not None:
        rows = problem.dataset.train
        data = {"X": rows.X, "y": rows.y, "groups": rows.groups}
    names = (problem.evaluate.metric or MEASURED, *problem.evaluate.also)
    resource, fidelity = problem.resource, job.fidelity
    values, amount, enough = job.values, fidelity, None
    if resource is not None:
        values = resource.applied(values, fidelity)
        amount = None if fidelity is None else resource.amount(fidelity)
        enough = amount if resource.name == STEPS else None
    call = Call(
        seed=seed_for(problem.setup.seed, "model", fold),
        report=_Report(fold, enough, reports),
        data=data,
        metrics=names,
        trial=job.trial,
        fold=fold,
        fidelity=amount,
        folder=problem.setup.folder,
        work=job.work,
    )
    began = time.perf_counter()
    try:
        returned = model.measure(values, call, load=problem.load)
    except Enough as reached:
        seconds = time.perf_counter() - began
        return Measurement(fold=fold, score=reached.value, fit_seconds=seconds)
    seconds = time.perf_counter() - began
    if enough is not None and not any(one == fold for one, _, _ in reports):
        # It may end early, when it has converged say; without a word it took the whole and was charged a part.
        raise Invalid(f"expected report(value, step) up to step {enough:g}, the function returned without any")
    score, metrics = results_of(returned, names[0], problem.evaluate.also)
    return Measurement(fold=fold, score=score, metrics=metrics, fit_seconds=seconds)


def results_of(returned: Any, metric: str, also: list[str]) -> tuple[float, dict[str, float]]:
    """Return the metric and the further ones from what a model returned; raises `Invalid` if they are not there."""
    if not isinstance(returned, Mapping):
        if also:
            raise Invalid(f"expected a dict with {', '.join([metric, *also])}, found {type(returned).__name__}")
        return finite(returned, metric), {}
    missing = [name for name in (metric, *also) if name not in returned]
    if missing:
        found = ", ".join(map(str, returned)) or "nothing"
        raise Invalid(f"expected {', '.join(missing)} in the returned dict, found {found}")
    return finite(returned[metric], metric), {name: finite(returned[name], name) for name in also}


# -- surroundings ---------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def watched(where: str, first_met: dict[str, Any] | None = None) -> Iterator[Counter[str]]:
    """Count the warnings of what runs inside, and write each once, with its count, to stderr (the trial's log).

    Hyperparameters that have no value come into `first_met` instead, with their defaults: the study tells of each once.
    """
    counts: Counter[str] = Counter()

    def count(message: Warning | str, category: type[Warning], *rest: Any) -> None:
        del rest
        if isinstance(message, NotSearched):
            if first_met is not None:
                first_met.setdefault(message.name, fresh(message.value))
            return
        counts[f"{category.__name__}: {message}"] += 1

    with warnings.catch_warnings():
        warnings.simplefilter("always")
        warnings.showwarning = count  # type: ignore[assignment] # restored by catch_warnings
        try:
            yield counts
        finally:
            for text, times in counts.items():
                sys.stderr.write(f"{where}: {text}{f' ({times} times)' if times > 1 else ''}\n")
