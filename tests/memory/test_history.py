"""Views hide what a trial may not know, and illegal events are refused before anything changes."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hptune import events as ev
from hptune.history import History, IllegalEvent
from hptune.stopping import FailuresInARow, Patience, Target, TimeLimit, TrialLimit, first_reached
from tests.conftest import SPACES

SPACE = SPACES["one dimension"]


def history(lookahead: int | None = 1, folds: int = 1) -> History:
    return History(
        ev.StudyStarted(
            time=0,
            name="s",
            metric="r2",
            direction="maximize",
            space=SPACE.to_json(),
            seed=0,
            lookahead=lookahead,
            folds=folds,
        )
    )


def begin(h: History, number: int) -> None:
    h.apply(ev.TrialStarted(time=1, trial=number, values={"x": float(number)}))


def finish(h: History, number: int, score: float | None) -> None:
    if score is None:
        h.apply(ev.TrialFailed(time=2, trial=number, kind="error", message="no"))
        return
    h.apply(ev.FoldScored(time=2, trial=number, fold=0, score=score))
    h.apply(ev.TrialCompleted(time=2, trial=number))


def test_a_view_shows_results_up_to_k_minus_lookahead_and_the_rest_as_pending() -> None:
    h = history(lookahead=3)
    for i in range(6):
        begin(h, i)
    for i in (5, 3, 0, 1, 2, 4):
        finish(h, i, float(i))
    view = h.view(6)
    assert [t.status for t in view] == ["completed"] * 4 + ["running"] * 2
    assert [t.number for t in view.pending()] == [4, 5]
    assert view[4].measurements == ()
    assert view.settled_best == 3
    assert h.best is not None
    assert h.best.number == 5


def test_without_lookahead_a_view_shows_all_that_is_known() -> None:
    h = history(lookahead=None)
    for i in range(3):
        begin(h, i)
    finish(h, 2, 1.0)
    assert [t.status for t in h.view()] == ["running", "running", "completed"]
    assert h.view().settled == 0


def test_of_equal_scores_the_first_trial_is_best_whatever_ended_first() -> None:
    h = history()
    for i in range(3):
        begin(h, i)
    for i in (2, 1, 0):
        finish(h, i, 0.5)
    assert h.best is not None
    assert h.best.number == 0


@pytest.mark.parametrize(
    "event",
    [
        ev.FoldScored(time=3, trial=7, fold=0, score=1),
        ev.FoldScored(time=3, trial=0, fold=0, score=1),
        ev.FoldScored(time=3, trial=1, fold=5, score=1),
        ev.TrialCompleted(time=3, trial=1),
        ev.TrialCompleted(time=3, trial=0),
        ev.TrialStarted(time=3, trial=5, values={"x": 1.0}),
        ev.TrialStarted(time=3, trial=1, values={"x": 9.0}, attempt=2),
        ev.TrialStarted(time=3, trial=0, values={"x": 0.0}, attempt=2),
        ev.HoldoutScored(time=3, trial=1, scores={"r2": 1.0}),
    ],
    ids=lambda e: f"{e.type}-{e.trial}",
)
def test_an_event_that_cannot_follow_is_refused_and_changes_nothing(event: ev.Event) -> None:
    h = history(folds=2)
    begin(h, 0)
    for fold in (0, 1):
        h.apply(ev.FoldScored(time=2, trial=0, fold=fold, score=0.1))
    h.apply(ev.TrialCompleted(time=2, trial=0))
    begin(h, 1)
    before = list(h.trials)
    with pytest.raises(IllegalEvent):
        h.apply(event)
    assert h.trials == before


def test_seconds_add_up_over_sessions_and_leave_out_the_pause_between() -> None:
    h = history()
    h.apply(ev.TrialStarted(time=10, trial=0, values={"x": 0.0}))
    h.apply(ev.StudyResumed(time=1000))
    h.apply(ev.TrialStarted(time=1005, trial=0, values={"x": 0.0}, attempt=2))
    assert h.seconds == 15
    assert h.elapsed(1007) == 17


def test_stops_are_judged_in_trial_order_and_name_themselves() -> None:
    h = history(lookahead=2)
    scores = [0.1, 0.5, 0.2, 0.3, None, None, None]
    for i, score in enumerate(scores):
        begin(h, i)
        finish(h, i, score)
    view = h.view()
    assert first_reached([TrialLimit(8), Target(0.6), Patience(9)], view, 1.0) is None
    assert first_reached([TrialLimit(7)], view, 1.0) == "trials"
    assert first_reached([Target(0.5)], view, 1.0) == "target"
    assert first_reached([Patience(4)], view, 1.0) == "patience"
    assert first_reached([Patience(5)], view, 1.0) is None  # trial 6 is not to be seen yet
    assert first_reached([FailuresInARow(2)], view, 1.0) == "failures"
    assert first_reached([FailuresInARow(3)], view, 1.0) is None
    assert first_reached([TimeLimit(5)], view, 5.0) == "time"


_KINDS = ("start", "again", "fold", "complete", "stop", "fail", "fail for now", "resume")


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(_KINDS), st.integers(0, 4), st.booleans()), max_size=60))
def test_after_any_events_the_counts_kept_are_those_of_a_walk(steps: list[tuple[str, int, bool]]) -> None:
    h = history(lookahead=None, folds=2)
    for kind, number, promoted in steps:
        known = h.trials[number] if number < len(h.trials) else None
        parent = 0 if promoted and h.trials else None
        with contextlib.suppress(IllegalEvent):
            match kind:
                case "start":
                    new = len(h.trials)
                    h.apply(ev.TrialStarted(time=1, trial=new, values={"x": 0.0}, fidelity=0.5, parent=parent))
                case "again" if known is not None:
                    h.apply(ev.TrialStarted(time=1, trial=number, values={"x": 0.0}, attempt=known.attempt + 1))
                case "fold" if known is not None:
                    h.apply(ev.FoldScored(time=1, trial=number, fold=len(known.measurements), score=1.0))
                case "complete":
                    h.apply(ev.TrialCompleted(time=1, trial=number))
                case "stop":
                    h.apply(ev.TrialStopped(time=1, trial=number, reason="raced out"))
                case "fail" | "fail for now":
                    final = kind == "fail"
                    h.apply(ev.TrialFailed(time=1, trial=number, kind="error", message="no", final=final))
                case "resume":
                    h.apply(ev.StudyResumed(time=1))
        for status in ("running", "completed", "stopped", "failed"):
            assert h.count(status) == sum(t.status == status for t in h.trials)
        assert h.ended_promotions == sum(t.parent is not None and t.status != "running" for t in h.trials)


def test_a_failure_in_a_journal_of_before_its_seconds_were_recorded_took_none() -> None:
    h = history()
    begin(h, 0)
    old = {"type": "trial_failed", "time": 2, "trial": 0, "kind": "error", "message": "no", "final": True}
    h.apply(ev.event_from_json(old))
    assert h.trials[0].seconds == 0.0
    assert ev.event_from_json({**old, "seconds": 2.5}).to_json()["seconds"] == 2.5
    assert "seconds" not in ev.event_from_json(old).to_json()
