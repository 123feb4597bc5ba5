"""A failed trial begun again: everything that is known is still the fold of what happened."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hptune import events as ev
from hptune import journal
from hptune.history import History, IllegalEvent
from hptune.objective import Objective
from hptune.observations import observe
from hptune.replay import replay
from hptune.study import Study
from hptune.trial import Failure
from tests.conftest import SPACES

SPACE = SPACES["one dimension"]
LOSS = Objective("loss", "minimize")


def known(history: History) -> object:
    """Return all that a history tells, to compare two of them."""
    view = history.view()
    return (
        history.trials,
        history.best_number,
        history.retried,
        history.finished_until(),
        [(v.settled, v.settled_best, v.failures_in_a_row) for v in map(history.view, range(len(history.trials) + 1))],
        history.count("failed"),
        view.configurations,
    )


def told(study: Study, number: int, score: float | None) -> None:
    if score is None:
        study.fail(number, Failure("error", "no"))
    else:
        study.tell(number, score)


def test_a_retried_trial_is_running_without_failure_and_without_its_old_folds() -> None:
    study = Study(SPACE, LOSS)
    number = study.ask().number
    study.score(number, ev_measurement(0, 1.0))
    study.fail(number, Failure("error", "no"))
    again = study.retry(number)
    assert (again.status, again.attempt, again.failure, again.measurements) == ("running", 2, None, ())
    assert study.tell(number, 0.5).score == 0.5


def ev_measurement(fold: int, score: float):  # type: ignore[no-untyped-def]
    from hptune.trial import Measurement

    return Measurement(fold=fold, score=score)


scores = st.lists(st.one_of(st.none(), st.floats(-5, 5)), min_size=1, max_size=8)


@settings(max_examples=60, deadline=None)
@given(first=scores, second=scores)
def test_after_any_retries_the_live_history_is_the_replayed_one_and_that_of_a_study_that_never_failed(
    first: list[float | None], second: list[float | None]
) -> None:
    study, seen = Study(SPACE, LOSS), []
    study.observers.append(lambda event, _: seen.append(event))
    for number, score in enumerate(first):
        assert study.ask().number == number
        told(study, number, score)
    failed = [number for number, score in enumerate(first) if score is None]
    for number, score in zip(failed, second, strict=False):
        study.retry(number)
        mid = replay([study.history.started, *seen])
        assert known(mid) == known(study.history)
        told(study, number, score)
    assert known(replay([study.history.started, *seen])) == known(study.history)
    final = dict(enumerate(first)) | dict(zip(failed, second, strict=False))
    done = {number: score for number, score in final.items() if score is not None}
    best = min(done, key=lambda number: (done[number], number)) if done else None
    assert study.history.best_number == best
    assert study.history.finished_until() == len(first)
    assert study.history.view().settled_best == best
    assert study.history.retried == {*failed[: len(second)]}


def test_what_an_oracle_is_shown_follows_a_retry() -> None:
    study = Study(SPACE, LOSS)
    for score in (3.0, None, 2.0):
        told(study, study.ask().number, score)
    assert observe(study.history.view()).failed.tolist() == [1]
    study.retry(1)
    assert observe(study.history.view()).pending.tolist() == [1]
    study.tell(1, 1.0)
    seen = observe(study.history.view())
    assert (seen.failed.tolist(), seen.measured.tolist()) == ([], [0, 1, 2])


def test_under_a_lookahead_the_next_trial_waits_for_the_one_begun_again() -> None:
    study = Study(SPACE, LOSS, lookahead=1)
    told(study, study.ask().number, None)
    told(study, study.ask().number, 1.0)
    assert study.ready
    study.retry(0)
    assert not study.ready
    study.tell(0, 2.0)
    assert study.ready


@pytest.mark.parametrize("attempt", [1, 3])
def test_only_the_next_attempt_of_a_failed_trial_can_begin(attempt: int) -> None:
    study = Study(SPACE, LOSS)
    trial = study.ask()
    study.fail(0, Failure("error", "no"))
    with pytest.raises(IllegalEvent):
        study.history.check(ev.TrialStarted(time=9, trial=0, values=dict(trial.values), attempt=attempt))


def test_a_journal_with_retries_is_read_back_to_the_same_history(tmp_path: Path) -> None:
    with Study(SPACE, LOSS, directory=tmp_path) as study:
        told(study, study.ask().number, None)
        told(study, study.ask().number, 1.0)
        study.retry(0)
        study.tell(0, 0.5)
        study.sync()
        live = known(study.history)
    assert known(replay(journal.read(tmp_path).events)) == live
    lines = (tmp_path / journal.NAME).read_text().splitlines()
    starts = [json.loads(line) for line in lines if '"trial_started"' in line]
    assert [(one["trial"], one["attempt"]) for one in starts] == [(0, 1), (1, 1), (0, 2)]
