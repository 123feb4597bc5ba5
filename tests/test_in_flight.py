"""What an executor works on: in the search, in the folds completed after it and in the finals it ends in the same way."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future

import pytest

from hptune.in_flight import InFlight
from hptune.job import Job, Outcome
from hptune.loop import Loop
from hptune.stopping import TrialLimit
from hptune.study import Study
from hptune.trial import Measurement
from tests.test_loop import Threads, run, scored, study
from tests.timing import in_time

Phase = Callable[[Loop, Callable[[], str | None], float], str | None]


def given_up() -> Study:
    """Return a study of two trials of three folds, the second of which was given up after its first."""
    one = study(folds=3, lookahead=1)
    run(Threads(1), one, TrialLimit(1))
    one.next()
    one.score(1, Measurement(fold=0, score=0.5))
    one.stop(1, "raced out")
    return one


def folds_of(one: Study, phase: str) -> int:
    if phase == "finals":
        return len(one.history.finals.get(0, ()))
    return sum(len(trial.measurements) for trial in one.history.trials)


PHASES: dict[str, Phase] = {
    "search": lambda loop, interrupt, grace: loop.run(interrupt=interrupt, grace=grace),
    "complete": lambda loop, interrupt, grace: loop.complete([1], interrupt=interrupt, grace=grace),
    "finals": lambda loop, interrupt, grace: loop.finals(
        [(0, fold) for fold in range(5)], interrupt=interrupt, grace=grace
    ),
}


@pytest.mark.parametrize("grace", [20.0, 0.2])
@pytest.mark.parametrize("phase", PHASES)
def test_folds_that_run_at_an_interruption_get_the_grace_in_every_phase(phase: str, grace: float) -> None:
    one = given_up()
    began, release = threading.Event(), threading.Event()

    def answer(job: Job) -> Outcome:
        began.set()
        release.wait(20 if grace < 1 else 0.3)
        return scored(job)

    executor = Threads(1, answer)
    loop = Loop(one, executor, (TrialLimit(3),), folds=3, race=phase == "complete")
    before = folds_of(one, phase)
    start = time.monotonic()
    assert PHASES[phase](loop, lambda: "signal" if began.is_set() else None, grace) == "signal"
    in_time(start, 5)
    release.set()
    assert len(executor.jobs) == 1, "nothing further is begun"
    assert folds_of(one, phase) - before == (len(executor.jobs[0].folds) if grace > 1 else 0)
    assert executor.closed.is_set() == (grace < 1)
    executor.close()


def test_a_job_that_the_executor_gives_up_in_the_finals_is_lost_and_has_one_try_more() -> None:
    one = study(folds=1)
    run(Threads(1), one, TrialLimit(1))

    class Quitting(Threads):
        def submit(self, job: Job) -> Future[Outcome]:
            future = super().submit(job)
            if len(self.jobs) > 1:
                return future
            given_up: Future[Outcome] = Future()
            given_up.cancel()
            given_up.set_running_or_notify_cancel()
            return given_up

    executor = Quitting(1)
    assert Loop(one, executor, (TrialLimit(1),)).finals([(0, 0)]) is None
    executor.close()
    assert [(job.folds, job.attempt) for job in executor.jobs] == [((0,), 1), ((0,), 2)]
    assert len(one.history.finals[0]) == 1


def test_results_come_by_trial_and_fold_and_those_before_a_broken_one_are_not_lost() -> None:
    class Instant(Threads):
        def submit(self, job: Job) -> Future[Outcome]:
            future: Future[Outcome] = Future()
            if job.trial == 2:
                future.set_exception(RuntimeError("no worker"))
            else:
                future.set_result(scored(job))
            return future

    flight = InFlight(Instant(4))
    for trial, fold in ((2, 0), (1, 1), (1, 0), (0, 3)):
        flight.submit(Job(trial=trial, folds=(fold,), values={}))
    assert (len(flight), flight.free) == (4, 0)
    results = flight.results()
    seen = [next(results)[0] for _ in range(3)]
    assert [(job.trial, job.folds) for job in seen] == [(0, (3,)), (1, (0,)), (1, (1,))]
    with pytest.raises(RuntimeError, match="no worker"):
        next(results)


def test_what_is_submitted_after_a_stop_has_its_time() -> None:
    executor = Threads(1)
    flight = InFlight(executor)
    flight.stop(0.0)
    flight.submit(Job(trial=0, folds=(0,), values=study().history.space.defaults()))
    assert [outcome.failure for _, outcome in flight.results()] == [None]
    assert not executor.closed.is_set()
    executor.close()
