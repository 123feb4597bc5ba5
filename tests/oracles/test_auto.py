"""`auto` says which oracle it took, and why."""

import pytest

from hptune import events as ev
from hptune.objective import Objective
from hptune.oracles import auto
from hptune.oracles.auto import Auto
from hptune.report import phrases
from hptune.space import Choice, Float, SearchSpace
from hptune.study import Study


def origins(space, trials):
    study = Study(space, Objective("loss"), oracle=Auto(), seed=0)
    for i in range(trials):
        study.tell(study.ask().number, float(i % 3))
    return [t.note["oracle"] for t in study.history.trials[1:]]


@pytest.mark.parametrize(
    ("space", "expected"),
    [
        (SearchSpace((Choice(name="c", values=("a", "b", "c", "d")),)), ["grid", "grid"]),
        (SearchSpace((Float(name="x", low=0, high=1),)), ["bayesian", "bayesian"]),
    ],
)
def test_a_handful_is_listed_and_the_rest_is_modelled(space, expected):
    assert origins(space, 3) == expected


def test_a_long_study_turns_to_tpe(monkeypatch):
    monkeypatch.setattr(auto, "LONG", 6)
    assert origins(SearchSpace((Float(name="x", low=0, high=1),)), 9)[4:] == ["bayesian", "tpe", "tpe", "tpe"]


def with_budget(**budget):
    space = SearchSpace((Choice(name="c", values=tuple(range(30))),))
    started = ev.StudyStarted(
        time=0.0,
        name="s",
        metric="loss",
        direction="minimize",
        space=space.to_json(),
        seed=0,
        starts=[space.defaults()],
        config={"budget": budget},
    )
    study = Study.of(started, Auto(), None)
    for i in range(3):
        study.tell(study.ask().number, float(i))
    return study.history


def test_a_space_that_the_budget_covers_is_listed():
    history = with_budget(trials=30)
    assert [t.note["oracle"] for t in history.trials[1:]] == ["grid", "grid"]
    assert phrases.picked(history) == "trials 1-2 grid (the budget of 30 trials covers all 30 configurations)"


@pytest.mark.parametrize("budget", [{"trials": 29}, {"trials": 30, "patience": 5}, {"trials": 30, "time": 60.0}, {}])
def test_where_a_study_may_end_before_it_has_tried_all_the_order_matters(budget):
    history = with_budget(**budget)
    assert [t.note["oracle"] for t in history.trials[1:]] == ["bayesian", "bayesian"]
    assert "bayesian was picked: fewer than 300" in phrases.why(history.trials[1])
