"""The finals as they are measured, without any executor, and what of them a killed coordinator did not hear."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from hptune import spool, spool_file
from hptune.final_rounds import FinalRound, adopt
from hptune.job import Job, Outcome
from hptune.limits import Limits
from hptune.loop import Loop
from hptune.stopping import TrialLimit
from hptune.study import Study
from hptune.trial import Failure, Measurement
from tests.test_loop import Threads, run, scored, study


def searched(folder: Path | None = None, trials: int = 2) -> Study:
    one = study(folder, folds=1)
    run(Threads(1), one, TrialLimit(trials), folder=folder)
    return one


def drained(final: FinalRound) -> list[Job]:
    jobs = []
    while (job := final.next()) is not None:
        jobs.append(job)
    return jobs


def test_pairs_come_in_order_and_a_trial_that_fails_for_good_has_no_further_one() -> None:
    one = searched()
    final = FinalRound(one, [(0, 0), (1, 0), (0, 1), (1, 1)], limits=Limits(retries=1))
    first, second = final.next(), final.next()
    assert first is not None
    assert second is not None
    final.take_in(first, Outcome(failure=Failure("error", "a flake")))
    again = final.next()
    assert again is not None
    assert (again.trial, again.folds, again.attempt) == (0, (0,), 2)
    final.take_in(again, Outcome(failure=Failure("error", "a flake")))
    final.take_in(second, scored(second))
    assert [(job.trial, job.folds) for job in drained(final)] == [(1, (1,))]
    assert list(one.history.finals) == [1]


@pytest.mark.parametrize("half", [False, True])
def test_a_job_of_the_finals_has_a_spool_file_that_clashes_with_none_of_the_search(
    half: bool, tmp_path: Path
) -> None:
    one = searched()
    final = FinalRound(one, [(1, 0)], half=half, spooled=tmp_path)
    (job,) = drained(final)
    assert job.spool is not None
    search = spool.path_for(tmp_path, Job(trial=1, folds=(0,)))
    other = Job(trial=1, folds=(0,), options={"finals": "whole" if half else "half"})
    assert len({Path(job.spool), search, spool.path_for(tmp_path, other)}) == 3
    data = spool_file.to_bytes(job, json.dumps(scored(job).to_json()).encode())
    Path(job.spool).write_bytes(data)
    assert spool.sweep(tmp_path) == []
    assert list(spool.left_over(tmp_path)) == []
    assert list(spool.left_over_of_finals(tmp_path)) == [(1, half, scored(job), Path(job.spool))]
    assert spool_file.from_bytes(data).is_of(job)
    assert not spool_file.from_bytes(data).is_of(other)
    search.write_bytes(data)  # under another's name it is nobody's
    assert [(trial, path) for trial, path, _ in spool.sweep(tmp_path)] == [(1, search)]
    final.take_in(job, scored(job))
    assert final.safe_to_discard() == [Path(job.spool)]
    assert final.safe_to_discard() == []


def put(folder: Path, trial: int, outcome: Outcome, *, fold: int = 0, half: bool = False) -> None:
    job = Job(trial=trial, folds=(fold,), options={"finals": "half" if half else "whole"})
    folder.mkdir(exist_ok=True)
    spool.path_for(folder, job).write_bytes(spool_file.to_bytes(job, json.dumps(outcome.to_json()).encode()))


def test_folds_that_were_measured_unheard_are_adopted_and_not_measured_again(tmp_path: Path) -> None:
    one = searched(tmp_path)
    one.final(0, Measurement(fold=0, score=0.25))
    one.close()
    folder = tmp_path / spool.FOLDER
    put(folder, 0, Outcome(measurements=(Measurement(0, 9.0),)))  # the journal has it
    put(folder, 1, Outcome(measurements=(Measurement(0, 0.5),)))
    put(folder, 1, Outcome(measurements=(Measurement(0, 0.75),)), half=True)
    put(folder, 1, Outcome(failure=Failure("error", "a full disk")), fold=1)
    put(folder, 7, Outcome(measurements=(Measurement(0, 9.0),)))  # the journal lost it
    again = study(tmp_path, folds=1)
    again.resume({})
    executor = Threads(1)
    loop = Loop(again, executor, (TrialLimit(2),), folds=1, folder=tmp_path)
    assert loop.run() == "trials"
    assert {number: [m.score for m in found] for number, found in again.history.finals.items()} == {
        0: [0.25],
        1: [0.5],
    }
    assert [m.score for m in again.history.halves[1]] == [0.75]
    assert list(folder.iterdir()) == []
    assert executor.jobs == []
    executor.close()
    again.close()


def test_spool_files_of_the_finals_are_gone_at_their_end(tmp_path: Path) -> None:
    one = searched(tmp_path)

    def spooling(job: Job) -> Outcome:
        assert job.spool is not None
        Path(job.spool).write_bytes(spool_file.to_bytes(job, json.dumps(scored(job).to_json()).encode()))
        return scored(job)

    executor = Threads(2, spooling)
    loop = Loop(one, executor, (TrialLimit(2),), folds=1, folder=tmp_path)
    loop.run()
    assert loop.finals([(0, 0), (1, 0), (0, 1)]) is None
    assert loop.finals([(1, 0)], half=True) is None
    assert len(executor.jobs) == 4
    assert list((tmp_path / spool.FOLDER).iterdir()) == []
    executor.close()
    one.close()


def test_a_trial_that_a_cut_journal_does_not_know_as_completed_adopts_nothing(tmp_path: Path) -> None:
    one = study(folds=1)
    one.next()
    put(tmp_path / "spool", 0, Outcome(measurements=(Measurement(0, 9.0),)))
    adopt(one, tmp_path / "spool")
    assert one.history.finals == {}
