"""Trials being worked on, without any executor: jobs are made by hand and their outcomes given back by hand."""

from __future__ import annotations

from pathlib import Path

import pytest

from hptune import spool
from hptune.begun import Begun
from hptune.job import Job, Outcome
from hptune.limits import Limits
from hptune.loop import Loop
from hptune.oracle import Answer
from hptune.stopping import TrialLimit
from hptune.study import Study
from hptune.trial import Failure, Measurement
from hptune.under_way import UnderWay
from tests.test_loop import Threads, scored, study


def begin(under_way: UnderWay) -> None:
    trial = under_way.study.next()
    assert not isinstance(trial, Answer)
    under_way.begin(trial)


def job_of(begun: Begun | None, folder: Path | None = None) -> Job:
    """Return the job of the next fold, as the loop makes it."""
    assert begun is not None
    fold, begun.waiting = begun.waiting[0], begun.waiting[1:]
    begun.in_flight += 1
    job = Job(trial=begun.trial.number, values=begun.trial.values, folds=(fold,), attempt=begun.trial.attempt)
    if folder is None:
        return job
    path = spool.path_for(folder, job)
    path.write_text("{}")
    return Job(**{**vars(job), "spool": str(path)})


def two(folder: Path | None = None) -> tuple[Study, UnderWay]:
    one = study(folds=2, lookahead=2)
    under_way = UnderWay(one, folds=2, spooled=folder)
    begin(under_way)
    begin(under_way)
    return one, under_way


def test_folds_are_handed_out_by_trial_and_a_trial_ends_with_its_last() -> None:
    one, under_way = two()
    jobs = [job_of(under_way.next()) for _ in range(4)]
    assert [(job.trial, job.folds) for job in jobs] == [(0, (0,)), (0, (1,)), (1, (0,)), (1, (1,))]
    assert under_way.next() is None
    for job in reversed(jobs):
        under_way.take_in(job, scored(job))
    assert len(under_way) == 0
    assert [trial.status for trial in one.history.trials] == ["completed", "completed"]
    assert under_way.pace.folds == 4


def test_a_failed_trial_is_left_once_what_still_runs_of_it_is_back() -> None:
    one, under_way = two()
    first, second = job_of(under_way.next()), job_of(under_way.next())
    under_way.take_in(first, Outcome(failure=Failure("error", "boom")))
    assert [begun.trial.number for begun in under_way] == [0, 1]
    under_way.take_in(second, scored(second))
    assert [begun.trial.number for begun in under_way] == [1]
    assert one.history.trials[0].failure == Failure("error", "boom")


def test_spool_files_may_go_once_and_only_when_the_study_holds_what_is_in_them(tmp_path: Path) -> None:
    _, under_way = two(tmp_path)
    job = job_of(under_way.next(), tmp_path)
    assert under_way.safe_to_discard() == []
    under_way.take_in(job, scored(job))
    assert under_way.safe_to_discard() == [Path(str(job.spool))]
    assert under_way.safe_to_discard() == []


def test_a_spool_file_of_what_is_recorded_while_the_journal_is_synced_stays_until_the_next_time(
    tmp_path: Path,
) -> None:
    one = study(tmp_path, folds=2)
    loop = Loop(one, Threads(1), (TrialLimit(1),), folds=2, folder=tmp_path)
    (tmp_path / spool.FOLDER).mkdir()
    under_way = loop._under_way
    begin(under_way)
    jobs = [job_of(under_way.next(), tmp_path / spool.FOLDER) for _ in range(2)]
    under_way.take_in(jobs[0], scored(jobs[0]))
    sync = one.sync

    def slow() -> None:
        sync()
        under_way.take_in(jobs[1], scored(jobs[1]))  # the loop's thread goes on meanwhile

    one.sync = slow  # type: ignore[method-assign]
    loop._save()
    assert [path.name for path in (tmp_path / spool.FOLDER).iterdir()] == ["t0-a1-f1.json"]
    one.sync = sync  # type: ignore[method-assign]
    loop._save()
    assert list((tmp_path / spool.FOLDER).iterdir()) == []
    one.close()


def test_what_a_failure_took_counts_beside_the_folds_that_were_measured_and_in_every_attempt() -> None:
    one = study(folds=2)
    under_way = UnderWay(one, folds=2, limits=Limits(retries=1))
    begin(under_way)
    begun = under_way.next()
    assert begun is not None
    job = job_of(begun)
    measured = Measurement(fold=job.folds[0], score=0.5, fit_seconds=1.0, score_seconds=0.5)
    failed = Outcome(measurements=(measured,), failure=Failure("crashed", "gone"), seconds=4.0)
    under_way.take_in(job, failed)
    assert one.history.trials[0].seconds == pytest.approx(4.0)
    under_way.take_in(job_of(under_way.next()), Outcome(failure=Failure("crashed", "gone"), seconds=2.0))
    (trial,) = one.history.trials
    assert (trial.status, trial.attempt) == ("failed", 2)
    assert (trial.seconds, trial.failed_seconds) == (pytest.approx(6.0), pytest.approx(4.5))


@pytest.mark.parametrize(
    ("folds", "said"),
    [(1, "took longer than 3 s; killed"), (2, "took longer than 3 s, its folds together; killed")],
)
def test_folds_are_spoken_of_only_where_there_are_several(folds: int, said: str) -> None:
    one = study(folds=folds)
    under_way = UnderWay(one, folds=folds, limits=Limits(seconds=3.0))
    begin(under_way)
    late = Failure("timeout", "took longer than 2.9 s; killed")
    under_way.take_in(job_of(under_way.next()), Outcome(failure=late, seconds=3.0))
    failure = one.history.trials[0].failure
    assert failure is not None
    assert failure.message == said
