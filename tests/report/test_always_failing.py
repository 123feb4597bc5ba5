"""Values with which every trial failed: found where they tell something, and taken out of the space."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from hptune import cli
from hptune.config.load import load
from hptune.events import StudyStarted
from hptune.history import History
from hptune.report.advice import advise, patch
from hptune.report.always_failing import AlwaysFails, always_failing
from hptune.space import Boolean, Choice, Float, Int, SearchSpace
from hptune.study import Study
from hptune.trial import Failure, FailureKind

SPACE = SearchSpace(
    (
        Choice(name="depth", values=(4, 5, 7)),
        Boolean(name="warm"),
        Int(name="layers", low=1, high=3),
        Int(name="units", low=1, high=100),
        Float(name="lr", low=0.0, high=1.0),
    )
)
Told = tuple[dict[str, Any], FailureKind | None]


def of(told: Sequence[Told], config: dict[str, Any] | None = None) -> History:
    """A history of trials with these values (the others alike), each completed or failed in this way."""
    usual = {"depth": 4, "warm": False, "layers": 1, "units": 50, "lr": 0.5}
    starts = [{**usual, "lr": (number + 1) / 100, **values} for number, (values, _) in enumerate(told)]
    started = StudyStarted(
        time=0, name="s", metric="loss", direction="minimize", space=SPACE.to_json(), seed=0, folds=1,
        starts=starts, oracle={"type": "random"}, config=config or {},
    )  # fmt: skip
    from hptune.oracles.random import Random

    study = Study.of(started, Random(type="random"), None)
    for _, kind in told:
        trial = study.ask()
        study.tell(trial, None if kind else 0.5, failed=Failure(kind, "no") if kind else None)
    return study.history


def texts(told: Sequence[Told]) -> list[str]:
    return [one.text() for one in always_failing(of(told))]


FINE: list[Told] = [({}, None)] * 4


@pytest.mark.parametrize(
    ("told", "said"),
    [
        ([({"depth": 7}, "timeout")] * 3, ["depth=7: 3 of 3 trials timed out"]),
        ([({"depth": 7}, "timeout"), ({"depth": 7}, "crashed")], ["depth=7: 2 of 2 trials failed"]),
        ([({"warm": True}, "crashed")] * 2, ["warm=true: 2 of 2 trials crashed"]),
        ([({"layers": 3}, "memory")] * 2, ["layers=3: 2 of 2 trials ran out of memory"]),
        ([({"depth": 7}, "timeout")] * 2 + [({"depth": 5}, "error")] * 3,
         ["depth=5: 3 of 3 trials failed", "depth=7: 2 of 2 trials timed out"]),
        ([({"depth": 7, "warm": True}, "error")] * 3, ["depth=7: 3 of 3 trials failed"]),  # one value explains them
        ([({"depth": 7}, "timeout")], []),  # one failure says nothing
        ([({"depth": 7}, "timeout"), ({"depth": 7}, None)], []),
        ([({"depth": 7}, "lost")] * 3, []),  # the worker's
        ([({"units": 7}, "error")] * 3, []),  # one of a hundred
        ([({}, "error")] * 4 + [({"depth": 7}, "error")] * 2, []),  # as many of the others failed
    ],
)  # fmt: skip
def test_a_value_with_which_every_trial_failed_is_named(told: list[Told], said: list[str]) -> None:
    assert texts([*FINE, *told]) == said
    assert texts(told[:3]) == [] or any(kind is None for _, kind in told)  # nothing succeeded


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({"space": {"depth": [4, 5, 7]}}, {"depth": [4, 5]}),
        ({"space": {"depth": {"type": "choice", "values": [4, 5, 7], "default": 5}}}, {"depth": {"values": [4, 5]}}),
        (
            {"space": {"depth": {"type": "choice", "values": [4, 5, 7], "default": 7}}},
            {"depth": {"values": [4, 5], "default": 4}},
        ),
        ({"space": {}}, {}),  # it stands in the code
        ({"space": {"depth": [7]}}, {}),
        ({"space": {"depth": [4, 7], "lr": {"type": "float", "when": {"depth": 7}}}}, {}),
        ({"space": {"depth": [4, 7]}, "start_with": ["defaults", {"depth": 7}]}, {}),
        ({"space": {"depth": [4, 7]}, "constraints": ["depth < 7"]}, {}),
    ],
)
def test_a_choice_loses_the_value_where_the_config_lists_it_and_speaks_of_it_nowhere_else(
    more: dict[str, Any], expected: dict[str, Any]
) -> None:
    history = of([*FINE, *[({"depth": 7}, "timeout")] * 2], more)  # type: ignore[list-item]
    found = advise(history)
    assert found.failing == (AlwaysFails("depth", 7, 2, "timeout"),)
    assert found.short()[0] == "depth=7: 2 of 2 trials timed out"
    assert patch(history, found.bounds, found.failing) == {"space": expected}


FUNCTION = """
def f(values):
    if values["kind"] == "bad":
        raise ValueError("no")
    return values["x"]
"""
CONFIG = """
name: fun
model: {function: "always_failing_objective:f"}
space: {kind: [good, fine, bad], x: {type: float, min: 0, max: 1, default: 0.5}}
evaluate: {metric: loss, direction: minimize}
oracle: {type: random}
budget: {trials: 12}
executor: {type: serial}
"""


def test_what_suggest_prints_is_a_space_without_the_value(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    Path("always_failing_objective.py").write_text(FUNCTION)
    Path("c.yaml").write_text(CONFIG)
    assert cli.invoke(["run", "c.yaml"]) == 0
    capsys.readouterr()
    assert cli.invoke(["suggest", "runs/fun"]) == 0
    text = capsys.readouterr().out
    assert text.startswith("# kind=bad: ")
    Path("next.yaml").write_text("extends: runs/fun/config.yaml\n" + text)
    assert load("next.yaml").space["kind"].values == ("good", "fine")  # type: ignore[attr-defined]
