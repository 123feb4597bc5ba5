"""`auto` says which oracle it took, and why."""

import pytest

from hptune.objective import Objective
from hptune.oracles import auto
from hptune.oracles.auto import Auto
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
