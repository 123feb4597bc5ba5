"""Whatever stands in a config, loading it ends in a `Loaded` or a `ConfigError` with lines: never in a traceback."""

from __future__ import annotations

import copy
import json
import random
import re
from pathlib import Path
from typing import Any

import pytest

from hptune.config.findings import problems_from
from hptune.config.identity import problem_of
from hptune.config.load import load_document
from hptune.config.yaml_loader import dump, load_text
from hptune.errors import ConfigError
from hptune.job import Finding
from tests.config.test_yaml_loader import mutants

FULL = (Path(__file__).parent / "full.yaml").read_text(encoding="utf-8")
ODD: list[Any] = [
    None, True, 0, -1, 1.5, 2**63 - 1, 1e308, -0.0, "", "x", "é", "a.b", "a__b", ".", "__", "defaults", "log", "poly",
    [], {}, [None], [[]], [{}], {"type": None}, {"type": "float"}, {"type": []}, {"choose": []}, {"choose": {}},
    {"class": "a.B"}, {"x": {"y": []}}, {"": ""}, {"type": "choice", "values": [[], {}]}, {"pipeline": [{}]},
    {"gt": 1}, [1] * 20, {"forbid": {}}, {"require": "a +"}, {"min": 1, "max": 2},
    {"type": "int", "min": 1, "max": 2**62, "step": 1},
]  # fmt: skip


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    below = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(place for key, one in below for place in places(one, (*path, key)))]


def changed(value: Any, rng: random.Random) -> Any:
    """The config with one value replaced, a key renamed, or a key put where it does not belong."""
    value = copy.deepcopy(value)
    path = rng.choice([place for place in places(value) if place])
    parent = value
    for key in path[:-1]:
        parent = parent[key]
    move = rng.random()
    if move < 0.6 or not isinstance(parent, dict):
        parent[path[-1]] = copy.deepcopy(rng.choice(ODD))
    elif move < 0.8:
        parent[rng.choice(["", "x", "class", "type", "choose", "when", "a.b", "min", "<odd>"])] = parent.pop(path[-1])
    else:
        parent[rng.choice(["x", "class", "type", "choose", "when", "extra"])] = copy.deepcopy(rng.choice(ODD))
    return value


def check(error: ConfigError, text: str) -> None:
    """Every problem has a line, and no word of pydantic's."""
    assert any(problem.severity == "error" for problem in error.problems), text
    for problem in error.problems:
        assert problem.line, (text, str(problem))
        assert not re.search(r"Input should|validation error|<class|<kind|pydantic", str(problem)), str(problem)


def survive(text: str) -> bool:
    """Load `text`; whether it is a config. Everything that is then done with one is done, too."""
    try:
        found = load_document(load_text(text, "c.yaml"), Path("/nowhere"))
    except ConfigError as error:
        check(error, text)
        return False
    json.dumps(problem_of(found), allow_nan=False)
    again = load_document(load_text(dump(found.resolved), "c.yaml"), Path("/nowhere"))
    assert again.resolved == found.resolved, text
    assert problem_of(again) == problem_of(found), text
    return True


def structured(number: int, seed: int) -> int:
    rng = random.Random(seed)
    plain = load_text(FULL, "c.yaml").value
    good = 0
    for _ in range(number):
        value = plain
        for _ in range(rng.choice((1, 1, 2, 3))):
            value = changed(value, rng)
        good += survive(dump(value))
    return good


def test_300_configs_with_odd_values_load_or_are_refused_with_lines() -> None:
    assert structured(300, seed=0) > 5


def test_200_mutants_of_a_config_load_or_are_refused_with_lines() -> None:
    assert sum(map(survive, mutants(200, seed=7))) > 10


@pytest.mark.slow
def test_5000_configs_load_or_are_refused_with_lines() -> None:
    structured(4000, seed=1)
    for text in mutants(1000, seed=8):
        survive(text)


@pytest.mark.parametrize(
    "key", ["", ".", "..", "[0]", "a..b", "model.pipeline.99", "model.pipeline[0]", "é", "a" * 999]
)
def test_any_key_of_a_finding_gets_a_line(key: str) -> None:
    found = load_document(load_text(FULL, "c.yaml"), Path("/nowhere"))
    (problem,) = problems_from([Finding(key=key, message="m")], found)
    assert problem.line
