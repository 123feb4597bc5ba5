"""`auto` says which oracle it took, and why."""

import pytest
from pydantic import ValidationError

from hptune import events as ev
from hptune.objective import Objective
from hptune.oracle import Answer
from hptune.oracles import auto
from hptune.oracles.auto import Auto
from hptune.oracles.hyperband import Hyperband
from hptune.report import phrases
from hptune.space import Choice, Float, SearchSpace
from hptune.study import Study


def origins(space, trials):
    study = Study(space, Objective("loss", "minimize"), oracle=Auto(), seed=0)
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


def test_with_a_resource_it_is_hyperband_with_the_sampler_of_the_length(monkeypatch):
    space = SearchSpace((Float(name="x", low=0, high=1), Float(name="y", low=0, high=1)))

    def tried(oracle, trials):
        study = Study(space, Objective("loss", "minimize"), oracle=oracle, seed=4)
        for _ in range(trials):
            trial = study.ask()
            study.tell(trial.number, (trial.values["x"] - 0.3) ** 2 + trial.values["y"] + 1 - (trial.fidelity or 1.0))
        return study, [(t.values, t.fidelity, t.parent) for t in study.history.trials]

    options = {"resource": "epochs", "min": 3, "max": 27}
    study, ours = tried(Auto(**options), 20)
    assert ours == tried(Hyperband(**options), 20)[1]
    assert {t.note["oracle"] for t in study.history.trials[1:]} == {"hyperband"}
    assert "trials may be given less epochs; fewer than 300" in study.history.trials[1].note["why"]
    promoted = study.next(finish=True)
    assert isinstance(promoted, Answer) or (promoted.parent is not None and promoted.note["oracle"] == "hyperband")
    monkeypatch.setattr(auto, "LONG", 6)
    _, late = tried(Auto(**options), 20)
    by_rank = tried(Hyperband(**options, sampler="tpe"), 20)[1]
    assert late[:6] == ours[:6]
    assert late != ours
    assert late != by_rank


def test_at_the_end_it_finishes_what_hyperband_would():
    space = SearchSpace((Float(name="x", low=0, high=1), Float(name="y", low=0, high=1)))
    ends = []
    for oracle in (Auto(resource="rows", min=0.1), Hyperband(resource="rows", min=0.1)):
        study = Study(space, Objective("loss", "minimize"), oracle=oracle, seed=4)
        while not isinstance(trial := study.next(finish=study.history.view().configurations > 5), Answer):
            study.tell(trial.number, (trial.values["x"] - 0.3) ** 2 + trial.values["y"])
        ends.append([(t.values, t.fidelity, t.parent) for t in study.history.trials])
    assert ends[0] == ends[1]
    assert any(parent is not None for _, _, parent in ends[0])


def test_amounts_need_a_resource_and_a_sampler_has_none():
    with pytest.raises(ValidationError, match="max: expected the resource that it is an amount of"):
        Auto(max=81)
    with pytest.raises(ValidationError, match="of a sampler no trial gets less"):
        Hyperband(sampler={"type": "auto", "resource": "rows"})


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
