"""Laws that every oracle of the registry keeps, on every awkward space. A new oracle is tested by being registered."""

from __future__ import annotations

import contextlib
import json
import math
import subprocess
import sys
from typing import Any

import numpy as np
import pytest

from hptune.conditions import Require
from hptune.errors import OracleFailed, StudyExhausted, UsageError
from hptune.objective import Objective
from hptune.oracle import EXHAUSTED, OracleSpec, one_left
from hptune.oracles import ORACLES
from hptune.space import Int, SearchSpace
from hptune.study import Study
from tests.conftest import SPACES

PLAIN = (float, int, str, bool, type(None), list)


def make(name: str) -> OracleSpec:
    options: dict[str, Any] = {"grid": {"points": 3}}.get(name, {})
    return ORACLES[name](type=name, **options)


def score(space: SearchSpace, values: dict[str, Any]) -> float:
    """A smooth-ish deterministic score of any configuration, exact under scaling by powers of two."""
    row = np.nan_to_num(space.encode(values), nan=0.5)
    return float(np.round(sum((x - 0.3) ** 2 * (1 + i % 3) for i, x in enumerate(row)), 6))


def fits(name: str, space: SearchSpace) -> bool:
    """A grid of 3^60 points is refused, which has its own test."""
    return not (name == "grid" and len(space.columns) > 10)


Tried = tuple[dict[str, Any], float | None]
"""A trial's configuration and fidelity."""


def run(
    space: SearchSpace, name: str, trials: int, *, direction: str = "minimize", scale: float = 1.0, seed: int = 0
) -> list[Tried]:
    """Return what a study told `scale * score` tried, stopped early when the space is exhausted."""
    study = Study(space, Objective("loss", direction), oracle=make(name), seed=seed, lookahead=1)  # type: ignore[arg-type]
    out = []
    for _ in range(trials):
        try:
            trial = study.ask()
        except StudyExhausted:
            break
        out.append((dict(trial.values), trial.fidelity))
        study.tell(trial.number, scale * score(space, dict(trial.values)))
    return out


def configurations(space: SearchSpace, tried: list[Tried]) -> set[str]:
    return {space.key(values) for values, _ in tried}


@pytest.fixture(params=sorted(ORACLES))
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(params=sorted(SPACES), ids=lambda one: one.replace(" ", "-"))
def space(request: pytest.FixtureRequest, name: str) -> SearchSpace:
    space = SPACES[request.param]
    return space if fits(name, space) else SPACES["three points"]


def test_suggestions_are_allowed_active_plain_and_survive_json(name: str, space: SearchSpace) -> None:
    for values, fidelity in run(space, name, 12)[1:]:
        assert fidelity is None or 0 < fidelity < 1
        assert space.check(values) is None
        assert all(type(value) in PLAIN for value in values.values())
        assert json.loads(json.dumps(values)) == values
        assert space.decode(space.encode(values)).keys() == values.keys()


def test_no_configuration_is_suggested_twice_at_one_fidelity(name: str, space: SearchSpace) -> None:
    tried = [(space.key(values), fidelity) for values, fidelity in run(space, name, 14)]
    assert len(set(tried)) == len(tried)


def test_a_configuration_comes_back_only_as_a_promotion(name: str, space: SearchSpace) -> None:
    """Once begun, a configuration is tried again at a higher fidelity only, and the trial it goes on from is named."""
    study = Study(space, Objective("loss", "minimize"), oracle=make(name), seed=2)
    latest: dict[str, int] = {}
    for _ in range(14):
        try:
            trial = study.ask()
        except StudyExhausted:
            break
        key = space.key(trial.values)
        assert trial.parent == latest.get(key)
        if trial.parent is not None:
            before = study.history.trials[trial.parent].fidelity
            assert before is not None
            assert (trial.fidelity or 1.0) > before
        latest[key] = trial.number
        study.tell(trial.number, score(space, dict(trial.values)))
    assert study.history.view().configurations == len(latest)


def test_the_same_history_and_seed_give_the_same_suggestion_from_a_fresh_instance(
    name: str, space: SearchSpace
) -> None:
    study = Study(space, Objective("loss", "minimize"), oracle=make(name), seed=3)
    for _ in range(7):
        try:
            trial = study.ask()
        except StudyExhausted:
            return
        study.tell(trial.number, score(space, dict(trial.values)))
    k = len(study.history.trials)
    before = list(study.history.trials)
    first = study.oracle.suggest(study.history.view(k), k, np.random.default_rng([3, k]))
    second = make(name).suggest(study.history.view(k), k, np.random.default_rng([3, k]))
    assert first == second
    assert study.history.trials == before


def test_another_seed_gives_other_suggestions(name: str) -> None:
    space = SPACES["log ints and steps"]
    assert run(space, name, 6, seed=0)[1:] != run(space, name, 6, seed=1)[1:]


def test_maximising_f_is_minimising_minus_f(name: str, space: SearchSpace) -> None:
    assert run(space, name, 10) == run(space, name, 10, direction="maximize", scale=-1.0)


def test_scores_scaled_by_a_power_of_two_change_nothing(name: str, space: SearchSpace) -> None:
    assert run(space, name, 10) == run(space, name, 10, scale=2.0**-7)


def test_a_finite_space_ends_by_saying_so(name: str) -> None:
    for label in ("three points", "one point"):
        space = SPACES[label]
        tried = run(space, name, 50)
        assert len(configurations(space, tried)) == space.size()
        assert len(tried) < 50


ODD = ("failed", "equal", "ties", "huge", "mostly failed", "pending")


@pytest.mark.parametrize("told", ODD)
def test_odd_results_are_survived(name: str, told: str) -> None:
    survives(SPACES["extras and fixed"], name, told)


@pytest.mark.slow
@pytest.mark.parametrize("told", ODD)
def test_odd_results_are_survived_in_every_awkward_space(name: str, told: str, space: SearchSpace) -> None:
    """A warning would fail it too: pytest turns them into errors."""
    survives(space, name, told)


def survives(space: SearchSpace, name: str, told: str) -> None:
    """Tell a study odd results: every configuration is new and allowed, and it ends only by exhaustion.

    With results outstanding, an oracle may also wait: halving does once nothing is left but to promote.
    """
    study = Study(space, Objective("loss", "minimize"), oracle=make(name), seed=1)
    seen = set()
    for i in range(21):
        try:
            trial = study.ask()
        except StudyExhausted:
            break
        except UsageError:
            if told != "pending":
                raise
            break
        seen.add((space.key(trial.values), trial.fidelity))
        if told == "failed" or (told == "mostly failed" and i % 10):
            study.tell(trial.number, failed="no luck")
        elif told == "huge":
            study.tell(trial.number, (-1) ** i * 1e300 * (i + 1) / 16)
        elif told != "pending" or i < 3:
            study.tell(trial.number, {"equal": 1.0, "ties": float(i % 3)}.get(told, float(i)))
        assert i == 0 or space.check(trial.values) is None
    assert len(seen) == len(study.history.trials)


def test_lookahead_hides_late_results(name: str) -> None:
    """With lookahead 4, what the last three trials scored cannot matter."""
    space = SPACES["log ints and steps"]
    ends: list[Tried] = []
    for late in (0.0, 100.0):
        study = Study(space, Objective("loss", "minimize"), oracle=make(name), seed=0, lookahead=4)
        for i in range(9):
            trial = study.ask()
            study.tell(trial.number, score(space, dict(trial.values)) + (late if i >= 6 else 0.0))
        last = study.ask()
        ends.append((dict(last.values), last.fidelity))
    assert ends[0] == ends[1]


@pytest.mark.slow
def test_every_oracle_is_no_worse_than_random_on_the_sphere(name: str) -> None:
    """Medians over 15 seeds at 40 trials; a 1.35-fold median of equals by chance has p < 0.01 (simulated)."""
    space = SearchSpace(tuple(SPACES["sixty dimensions"].parameters[:3]))

    def best(oracle: str, seed: int) -> float:
        study = Study(space, Objective("loss", "minimize"), oracle=make(oracle), seed=seed)
        with contextlib.suppress(StudyExhausted):  # a small grid
            while study.history.view().configurations < 40:
                trial = study.ask()
                study.tell(trial.number, score(space, dict(trial.values)))
        return min(score(space, dict(trial.values)) for trial in study.history.trials)

    ours = float(np.median([best(name, seed) for seed in range(15)]))
    random = float(np.median([best("random", seed) for seed in range(15)]))
    # A grid of 3 values a dimension cannot come nearer than its spacing: it breaks this law by construction.
    assert ours <= 1.35 * random or name == "grid"
    assert math.isfinite(ours)


def test_a_grid_too_large_to_list_is_refused_with_the_way_out() -> None:
    study = Study(SPACES["sixty dimensions"], Objective("loss", "minimize"), oracle=make("grid"), seed=0)
    study.tell(study.ask().number, 1.0)
    with pytest.raises(OracleFailed, match=r"more than 100,000 points; lower oracle\.points"):
        study.ask()


def test_a_grid_visits_every_combination_once() -> None:
    space = SPACES["log ints and steps"]
    small = SearchSpace(space.parameters[1:3])
    assert configurations(small, run(small, "grid", 1000)) == {
        small.key(values) for values in [*small.listed(3), small.defaults()]
    }


PREPARED = """
import sys
from hptune.objective import Objective
from hptune.study import Study
from tests.conftest import SPACES
from tests.oracles.test_laws import make, score

oracle = make(sys.argv[1])
oracle.prepare()
before = set(sys.modules)
space = SPACES["log ints and steps"]
study = Study(space, Objective("loss", "minimize"), oracle=oracle, seed=0, lookahead=1)
for _ in range(12):
    trial = study.ask()
    study.tell(trial.number, score(space, dict(trial.values)))
print(*sorted(name for name in set(sys.modules) - before if name.startswith(("scipy.", "hptune.surrogate."))))
"""


def test_prepare_imports_what_suggesting_needs(name: str) -> None:
    done = subprocess.run([sys.executable, "-c", PREPARED, name], capture_output=True, text=True, check=False)
    assert (done.stdout.split(), done.stderr) == ([], "")


class _Begun:
    """A history as `one_left` sees it: a space, and which configurations have begun."""

    def __init__(self, space: SearchSpace, left: list[dict[str, Any]]) -> None:
        self.space = space
        self.left = left

    def seen(self, values: dict[str, Any]) -> bool:
        return values not in self.left


def test_what_is_left_of_a_large_finite_space_is_found_where_few_of_it_are_allowed() -> None:
    # 110,592 configurations, 1 in 500 allowed: random draws would have to find one among many millions.
    few = (Require("a * b * c <= 20"),)
    space = SearchSpace(tuple(Int(name=name, low=1, high=48) for name in "abc"), few)
    rng = np.random.default_rng(0)
    last = {"a": 20, "b": 1, "c": 1}
    assert one_left(_Begun(space, [last]), rng) == last  # type: ignore[arg-type]
    assert one_left(_Begun(space, []), rng) is EXHAUSTED  # type: ignore[arg-type]
