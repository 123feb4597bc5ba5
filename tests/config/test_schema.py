"""The JSON Schema of configs: what loads is valid, what editors should underline is not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from hptune.config.load import load
from hptune.config.schema import config_schema
from hptune.config.specs import StudyConfig
from hptune.config.yaml_loader import load_text
from hptune.parameters import Float
from tests.config.helpers import PIPELINE, RIDGE
from tests.config.test_load import WRONG
from tests.config.test_space import WRONG as WRONG_ENTRIES

FULL = Path(__file__).parent / "full.yaml"
VALIDATOR = Draft202012Validator(config_schema())


def faults(text: str) -> list[str]:
    return [error.message for error in VALIDATOR.iter_errors(load_text(text, "c.yaml").value)]


def test_the_schema_is_one() -> None:
    Draft202012Validator.check_schema(config_schema())


@pytest.mark.parametrize(
    "text",
    [
        FULL.read_text(encoding="utf-8"),
        RIDGE,
        PIPELINE + "space: {scale: [passthrough], regressor: ridge, impute.strategy: null}",
        RIDGE + "space: {alpha: {type: float, low: 1, high: 2, log: true}, b: {type: choice, choices: [1, null]}}",
        RIDGE + "space: {alpha: {type: int, min_value: 1, max: 2, when: {b: {gt: 1}}}, b: {type: boolean}}",
        RIDGE + "evaluate: {cv: 3}\nbudget: {time: 90, trial_memory: 500000000}\noutput: {refit: all}",
        "model: {function: 'm:f'}",
    ],
)  # fmt: skip
def test_a_config_that_loads_is_valid(text: str) -> None:
    assert faults(text) == []


def test_the_resolved_config_is_valid() -> None:
    assert list(VALIDATOR.iter_errors(load(FULL).resolved)) == []


# What a schema cannot see: relations between two keys, and text that has a grammar of its own.
UNSEEN = {
    "bad duration", "no data", "two alternatives", "limits without a process", "lookahead without order",
    "gate on a holdout that is not there", "name climbs out", "name is empty", "duplicate key", "bad size",
    "unknown data set", "no class path", "a step without estimator",
    "two steps in one", "no target",
}  # fmt: skip


@pytest.mark.parametrize("name", [name for name in WRONG if name not in UNSEEN])
def test_an_editor_sees_the_mistake_too(name: str) -> None:
    assert faults(WRONG[name][0])


def test_an_editor_sees_most_wrong_entries_of_the_space() -> None:
    seen = [bool(faults(f"{RIDGE}space:\n  alpha: {entry}\n")) for entry, _ in WRONG_ENTRIES]
    assert sum(seen) >= len(seen) * 0.6


def properties(schema: Any) -> list[tuple[str, dict[str, Any]]]:
    if isinstance(schema, list):
        return [one for item in schema for one in properties(item)]
    if not isinstance(schema, dict):
        return []
    mine = list(schema.get("properties", {}).items()) if isinstance(schema.get("properties"), dict) else []
    return mine + [one for value in schema.values() for one in properties(value)]


def test_every_key_has_a_title_and_a_description() -> None:
    schema = config_schema()
    assert all("title" in one or "$ref" in one or "const" in one for _, one in properties(schema))
    assert schema["properties"].keys() == StudyConfig.model_fields.keys()
    del schema["anyOf"]  # which keys go together; what they mean stands once
    assert [name for name, one in properties(schema) if not one.get("description")] == []


def test_what_is_said_of_a_scale_is_so() -> None:
    far = Float(name="a", low=0.001, high=0.999, scale="reverse_log")
    assert far.encode(0.99)[0] - far.encode(0.9)[0] == pytest.approx(1 - far.encode(0.99)[0], abs=1e-3)
    near = Float(name="b", low=0.01, high=1, scale="log")
    assert near.encode(0.1)[0] == pytest.approx(0.5)
    for extra, share in (([None], 1 / 3), ([None, 0], 1 / 2)):
        beside = Float(name="c", low=0.01, high=1, extra=extra).columns[0]
        assert sum(beside.weights[1:]) == pytest.approx(share)
