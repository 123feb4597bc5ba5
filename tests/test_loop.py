"""The loop: the same trials whatever the timing, each fold once, failures as values, interruptions resumed."""

from __future__ import annotations

import random
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hptune import events as ev
from hptune import journal as jn
from hptune import racing
from hptune.history import History, View
from hptune.job import Job, Outcome
from hptune.limits import Limits
from hptune.loop import Loop
from hptune.oracle import Answer, OracleSpec
from hptune.oracles import ORACLES
from hptune.stopping import FailuresInARow, Patience, Stop, Target, TimeLimit, TrialLimit
from hptune.study import Study
from hptune.trial import Failure, Measurement, Suggestion
from tests.conftest import SPACES
from tests.timing import in_time

SPACE = SPACES["extras and fixed"]


def fold_score(job: Job, fold: int) -> float:
    return zlib.crc32(f"{SPACE.key(job.values)}/{fold}".encode()) / 2**32


def scored(job: Job) -> Outcome:
    return Outcome(
        measurements=tuple(Measurement(fold=f, score=fold_score(job, f), fit_seconds=0.001) for f in job.folds),
        seconds=0.001 * len(job.folds),
        worker="w",
    )


class Threads:
    """An executor of threads that answers each job after a random while."""

    name = "threads"
    supports_limits = False
    queues = True

    def __init__(self, workers: int, answer: Callable[[Job], Outcome] = scored, delay: float = 0.0) -> None:
        self.workers = workers
        self.answer = answer
        self.delay = delay
        self.jobs: list[Job] = []
        self.closed = threading.Event()
        self._pool = ThreadPoolExecutor(workers)

    def submit(self, job: Job) -> Future[Outcome]:
        self.jobs.append(job)

        def work() -> Outcome:
            time.sleep(random.random() * self.delay)
            return self.answer(job)

        return self._pool.submit(work)

    def slots(self) -> int:
        return self.workers

    def cancel(self, future: Future[Outcome]) -> None:
        future.cancel()

    def close(self, kill: bool = False) -> None:
        self.closed.set()
        self._pool.shutdown(wait=not kill, cancel_futures=True)


def study(
    folder: Path | None = None, *, oracle: str = "random", lookahead: int | None = 4, folds: int = 3, seed: int = 0
) -> Study:
    policy = ORACLES[oracle](type=oracle)
    started = ev.StudyStarted(
        time=0.0,
        name="s",
        metric="loss",
        direction="minimize",
        space=SPACE.to_json(),
        seed=seed,
        lookahead=lookahead,
        folds=folds,
        starts=[SPACE.defaults()],
    )
    return Study.of(started, policy, None if folder is None else jn.Journal(folder))


def run(executor: Threads, one: Study, *stops: Stop, **options: Any) -> str:
    loop = Loop(one, executor, stops or (TrialLimit(10),), folds=one.history.started.folds, **options)
    reason = loop.run()
    executor.close()
    return reason


def picture(history: History) -> list[Any]:
    return [(t.number, SPACE.key(t.values), t.fidelity, t.scores, t.status) for t in history.trials]


@pytest.mark.parametrize("oracle", sorted(ORACLES))
def test_timing_and_the_number_of_workers_change_nothing_at_one_lookahead(oracle: str) -> None:
    pictures = []
    for workers, delay in ((1, 0.0), (2, 0.01), (4, 0.02)):
        one = study(oracle=oracle)
        assert run(Threads(workers, delay=delay), one, TrialLimit(12)) == "trials"
        pictures.append(picture(one.history))
    assert pictures[0] == pictures[1] == pictures[2]
    assert one.history.view().configurations == 12
    assert len(pictures[0]) == 12 or one.history.view().lower  # promotions count as trials, not as configurations


def test_every_fold_is_measured_once_and_short_ones_share_a_job() -> None:
    executor = Threads(2)
    one = study(folds=5)
    run(executor, one, TrialLimit(6))
    folds = [(job.trial, fold) for job in executor.jobs for fold in job.folds]
    assert sorted(folds) == [(t, f) for t in range(6) for f in range(5)]
    assert max(len(job.folds) for job in executor.jobs) == 5


def test_long_folds_are_spread_over_the_slots() -> None:
    def slow(job: Job) -> Outcome:
        return Outcome(measurements=tuple(Measurement(fold=f, score=1.0, fit_seconds=9.0) for f in job.folds))

    executor = Threads(2, slow)
    run(executor, study(folds=3), TrialLimit(3))
    assert all(len(job.folds) == 1 for job in executor.jobs)


def test_the_folds_of_a_trial_share_its_time_and_none_waits_behind_another() -> None:
    """Each takes .45 of the second that three of them may take: the third has .1 left, and the failure names the second."""

    def timed(job: Job) -> Outcome:
        assert job.deadline is not None
        if job.deadline < 0.45:
            return Outcome(
                failure=Failure("timeout", f"took longer than {job.deadline:g} s; killed"), seconds=job.deadline
            )
        (fold,) = job.folds
        return Outcome(measurements=(Measurement(fold=fold, score=1.0, fit_seconds=0.45),), seconds=0.45)

    for workers in (1, 2):
        executor = Threads(workers, timed, 0.01)
        one = study(folds=4)
        run(executor, one, TrialLimit(3), limits=Limits(seconds=1.0))
        late = [t.failure.message for t in one.history.trials if t.failure is not None]
        if workers == 1:
            assert late == ["took longer than 1 s, its folds together; killed"] * 3
            left = [job.deadline for job in executor.jobs if job.trial == 1]
            assert left == [pytest.approx(1.0), pytest.approx(0.55), pytest.approx(0.1)]
        assert all("took longer than 1 s" in message for message in late)


def test_another_attempt_has_the_whole_time_whatever_still_runs_of_the_one_before() -> None:
    """Fold 0 fails at once; fold 1 of that attempt ends after the next has begun, and fold 2 fails after that."""
    again, first_over = threading.Event(), threading.Event()

    def answer(job: Job) -> Outcome:
        (fold,) = job.folds
        if job.attempt > 1:
            again.set()
            return Outcome(measurements=(Measurement(fold=fold, score=1.0, fit_seconds=0.9),), seconds=0.0)
        if fold == 0:
            return Outcome(failure=Failure("crashed", "signal 11"), seconds=0.1)
        again.wait(10)
        if fold == 1:
            first_over.set()
            return Outcome(measurements=(Measurement(fold=fold, score=1.0, fit_seconds=0.9),), seconds=0.9)
        first_over.wait(10)
        time.sleep(0.5)
        return Outcome(failure=Failure("crashed", "signal 11"), seconds=0.1)

    executor = Threads(3, answer)
    run(executor, study(folds=3), TrialLimit(1), limits=Limits(seconds=1.0, retries=1))
    assert [job.deadline for job in executor.jobs if job.attempt == 2] == [pytest.approx(1.0)] * 2


def test_a_failed_trial_is_a_value_and_its_other_folds_are_not_begun() -> None:
    def bad(job: Job) -> Outcome:
        return Outcome(failure=Failure("error", "boom")) if job.trial == 1 else scored(job)

    executor = Threads(1, bad)
    one = study(lookahead=1)
    run(executor, one, TrialLimit(4))
    assert [t.status for t in one.history.trials] == ["completed", "failed", "completed", "completed"]
    assert sum(job.trial == 1 for job in executor.jobs) == 1


def test_a_lost_worker_gets_one_attempt_more_and_an_error_none() -> None:
    attempts: list[tuple[int, int]] = []

    def flaky(job: Job) -> Outcome:
        attempts.append((job.trial, job.attempt))
        if job.trial == 1 and job.attempt == 1:
            return Outcome(failure=Failure("lost", "worker gone"))
        if job.trial == 2:
            return Outcome(failure=Failure("error", "boom"))
        return scored(job)

    one = study(folds=1, lookahead=1)
    run(Threads(1, flaky), one, TrialLimit(4))
    assert attempts == [(0, 1), (1, 1), (1, 2), (2, 1), (3, 1)]
    assert [t.status for t in one.history.trials] == ["completed", "completed", "failed", "completed"]


def test_retries_are_as_many_as_asked_for_although_several_folds_fail_at_once() -> None:
    def bad(job: Job) -> Outcome:
        return Outcome(failure=Failure("crashed", "signal 11"))

    one = study(folds=3, lookahead=1)
    executor = Threads(3, bad)
    run(executor, one, TrialLimit(1), limits=Limits(retries=2))
    assert {job.attempt for job in executor.jobs} == {1, 2, 3}
    assert one.history.trials[0].failure == Failure("crashed", "signal 11")


def failing(times: int) -> Callable[[Job], Outcome]:
    """Return what answers a job with its scores, but with a failure the first so many times of trial 1."""
    left = iter(range(times))

    def answer(job: Job) -> Outcome:
        if job.trial == 1 and next(left, None) is not None:
            return Outcome(failure=Failure("error", "a flake"))
        return scored(job)

    return answer


@pytest.mark.parametrize("interruptions", [0, 1, 3])
@pytest.mark.parametrize(("before", "after"), [(0, 1), (0, 2), (1, 0), (1, 1)])
def test_an_interruption_uses_up_no_retry_and_gives_none(
    tmp_path: Path, interruptions: int, before: int, after: int
) -> None:
    """Trial 1 fails so often before it is interrupted and after; one retry is allowed."""
    one = study(tmp_path, folds=1, lookahead=1)
    run(Threads(1), one, TrialLimit(1))
    number = one.next().number  # type: ignore[union-attr]
    for _ in range(before):
        one.fail(number, Failure("error", "a flake"), final=False)
        one.retry(number)
    one.close()
    for _ in range(interruptions):
        again = study(tmp_path)
        again.resume({})
        again.retry(number)  # and the session ends in the middle of it
        again.close()
    last = study(tmp_path)
    assert last.history.failures == ({number: before} if before else {})
    run(Threads(1, failing(after)), last, TrialLimit(3), limits=Limits(retries=1))
    last.close()
    expected = "completed" if before + after <= 1 else "failed"
    assert [t.status for t in last.history.trials] == ["completed", expected, "completed"]


def test_a_trial_that_is_begun_again_on_demand_has_its_retries_anew() -> None:
    one = study(folds=1, lookahead=1)
    run(Threads(1, failing(2)), one, TrialLimit(2), limits=Limits(retries=1))
    assert one.history.trials[1].status == "failed"
    run(Threads(1, failing(1)), one, TrialLimit(2), limits=Limits(retries=1), again=(1,))
    assert one.history.trials[1].status == "completed"


def test_each_stop_is_named() -> None:
    assert run(Threads(2), study(folds=1), Target(0.9), TrialLimit(50)) == "target"
    assert run(Threads(2), study(folds=1), Patience(5), TrialLimit(500)) == "patience"
    assert run(Threads(2, delay=0.02), study(folds=1), TimeLimit(0.0), TrialLimit(50)) == "time"

    def bad(job: Job) -> Outcome:
        return Outcome(failure=Failure("error", "boom"))

    one = study(folds=1)
    assert run(Threads(2, bad), one, FailuresInARow(3), TrialLimit(50)) == "failures"


def test_a_finite_space_ends_by_itself() -> None:
    three = SPACES["three points"]
    started = ev.StudyStarted(
        time=0, name="s", metric="loss", direction="minimize", space=three.to_json(), seed=0, lookahead=2, folds=1
    )
    one = Study.of(started, ORACLES["random"](type="random"), None)
    executor = Threads(2, lambda job: Outcome(measurements=tuple(Measurement(fold=f, score=1.0) for f in job.folds)))
    assert run(executor, one, TrialLimit(100)) == "exhausted"
    assert len(one.history.trials) == 3


def test_an_interrupted_study_goes_on_to_be_the_uninterrupted_one(tmp_path: Path) -> None:
    whole = study()
    run(Threads(2), whole, TrialLimit(9))
    for stop_after in (1, 4, 13):
        folder = tmp_path / str(stop_after)
        executor = Threads(2, delay=0.005)
        one = study(folder)
        loop = Loop(one, executor, (TrialLimit(9),), folds=3, folder=folder)
        calls = iter(range(10**6))
        reason = loop.run(interrupt=lambda c=calls, n=stop_after: "signal" if next(c) >= n else None)
        one.close()
        executor.close()
        assert reason in ("signal", "trials")
        resumed = study(folder)
        resumed.resume({})
        run(Threads(2), resumed, TrialLimit(9), folder=folder)
        resumed.close()
        assert picture(resumed.history) == picture(whole.history)


def test_a_spooled_outcome_is_adopted_and_not_measured_again(tmp_path: Path) -> None:
    import json

    from hptune import spool, spool_file

    one = study(tmp_path, folds=2, lookahead=1)
    trial = one.next()
    one.close()
    job = Job(trial=0, values=trial.values, folds=(0, 1))  # type: ignore[union-attr]
    (tmp_path / "spool").mkdir()
    spool.path_for(tmp_path / "spool", job).write_bytes(
        spool_file.to_bytes(job, json.dumps(scored(job).to_json()).encode())
    )
    (tmp_path / "spool" / "t0-a1-f9.json").write_text("{half")
    again = study(tmp_path, folds=2, lookahead=1)
    executor = Threads(1)
    run(executor, again, TrialLimit(2), folder=tmp_path)
    again.close()
    assert {job.trial for job in executor.jobs} == {1}
    assert again.history.trials[0].completed


def test_a_grace_that_runs_out_kills_the_executor(tmp_path: Path) -> None:
    release = threading.Event()

    def hang(job: Job) -> Outcome:
        release.wait(20)
        return scored(job)

    executor = Threads(1, hang)
    one = study(folds=1)
    loop = Loop(one, executor, (TrialLimit(3),), folds=1)
    began = time.monotonic()
    calls = iter(range(10**6))
    assert loop.run(interrupt=lambda: "signal" if next(calls) >= 2 else None, grace=0.3) == "signal"
    in_time(began, 5)
    assert executor.closed.is_set()
    assert one.history.trials[0].status == "running"
    release.set()


class Repeating(OracleSpec):
    """An oracle which proposes each configuration twice."""

    __module__ = "hptune.oracles.repeating"  # a user's own is refused when it repeats itself
    type: str = "repeating"

    def suggest(self, history: View, trial: int, rng: np.random.Generator) -> Suggestion | Answer:
        del rng
        return Suggestion(history.space.sample(np.random.default_rng(trial // 2)))


def test_a_configuration_is_never_fitted_twice_not_even_by_a_resumed_study(tmp_path: Path) -> None:
    started = study().history.started
    pictures = []
    for workers, delay in ((1, 0.0), (3, 0.01)):
        executor = Threads(workers, delay=delay)
        one = Study.of(started, Repeating(), None)
        run(executor, one, TrialLimit(9))
        pictures.append(picture(one.history))
        assert len({SPACE.key(job.values) for job in executor.jobs}) == 6  # the defaults, 1, 2 and 3, ..., 8
        assert len({job.trial for job in executor.jobs}) == 6
    assert pictures[0] == pictures[1]
    assert pictures[0][3][3] == pictures[0][2][3] != pictures[0][4][3]
    for stop_after in (1, 3, 6):
        folder = tmp_path / str(stop_after)
        executor = Threads(2, delay=0.005)
        one = Study.of(started, Repeating(), jn.Journal(folder))
        loop = Loop(one, executor, (TrialLimit(9),), folds=3, folder=folder)
        calls = iter(range(10**6))
        loop.run(interrupt=lambda c=calls, n=stop_after: "signal" if next(c) >= n else None)
        one.close()
        executor.close()
        later = Threads(2)
        resumed = Study.of(started, Repeating(), jn.Journal(folder))
        resumed.resume({})
        run(later, resumed, TrialLimit(9), folder=folder)
        resumed.close()
        assert picture(resumed.history) == pictures[0]
        fitted = [(job.trial, fold) for e in (executor, later) for job in e.jobs for fold in job.folds]
        assert len({trial for trial, _ in fitted}) == 6


def test_twins_that_were_both_given_up_are_each_completed() -> None:
    started = study(folds=3).history.started
    one = Study.of(started, Repeating(), None)
    for number in range(4):  # the defaults, 1, and the twins 2 and 3
        one.next()
        one.score(number, Measurement(fold=0, score=0.5))
        one.stop(number, "raced out")
    executor = Threads(2)
    assert Loop(one, executor, (TrialLimit(4),), folds=3, race=True).complete([2, 3]) is None
    executor.close()
    assert [one.history.trials[number].status for number in (2, 3)] == ["completed", "completed"]


def test_at_the_limit_nothing_is_continued_where_that_was_not_asked_for() -> None:
    pictures = []
    for finish in (True, False):
        one = study(oracle="hyperband", folds=1)
        assert run(Threads(1), one, TrialLimit(6), finish=finish) == "trials"
        pictures.append(one.history.view())
    assert pictures[0].configurations == pictures[1].configurations == 6
    assert pictures[0].begun > pictures[1].begun


@pytest.mark.parametrize(("kind", "retries", "times"), [("error", 2, 2), ("lost", 0, 1)])
def test_a_fold_of_the_finals_is_tried_as_often_as_one_of_the_search(kind: Any, retries: int, times: int) -> None:
    for failing, left in ((times, 3), (times + 1, 2)):
        one = study(folds=1)
        run(Threads(1), one, TrialLimit(2))
        failures = iter([Failure(kind, "flaky")] * failing)

        def answer(job: Job, failures: Iterator[Failure] = failures) -> Outcome:
            failure = next(failures, None) if job.folds == (2,) else None
            return scored(job) if failure is None else Outcome(failure=failure)

        executor = Threads(1, answer)
        loop = Loop(one, executor, (TrialLimit(2),), folds=1, limits=Limits(retries=retries))
        assert loop.finals([(0, fold) for fold in range(3)]) is None
        executor.close()
        assert len(one.history.finals[0]) == left


def test_no_race_is_judged_on_folds_that_are_out_of_order() -> None:
    # A repaired journal may lack a fold before others that the trial was let go on to.
    for left_out in (1, None):
        one = study(folds=5, lookahead=1)
        for number in range(9):
            one.next()
            order = racing.fold_order(one.history.seed, number, 5)
            for fold in order if number < 8 else [f for i, f in enumerate(order[:4]) if i != left_out]:
                one.score(
                    number,
                    Measurement(
                        fold=fold, score=0.1 * fold + 0.01 * (7 * number * fold % 5) + 1000.0 * (number == 8)
                    ),
                )
            if number < 8:
                one.complete(number)
        executor = Threads(
            1, lambda job: Outcome(measurements=tuple(Measurement(f, 1000.0 + 0.1 * f) for f in job.folds))
        )
        run(executor, one, TrialLimit(9), race=True)
        fitted = [fold for job in executor.jobs for fold in job.folds]
        assert fitted[:1] == ([] if left_out is None else [order[left_out]])
        assert one.history.trials[8].status == "stopped"
