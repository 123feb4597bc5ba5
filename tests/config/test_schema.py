"""The JSON Schema of configs: what loads is valid, what editors should underline is not."""

from __future__ import annotations

import copy
import re
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from hptune.config.load import load
from hptune.config.schema import config_schema
from hptune.config.specs import StudyConfig
from hptune.config.yaml_loader import load_text
from hptune.errors import ConfigError
from hptune.parameters import Float
from tests.config.helpers import PIPELINE, RIDGE, loaded
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
        RIDGE + "oracle: {class: mine.Oracle, option: 1}",
        *(f"{RIDGE}executor: {{{options}}}" for options in
          ("", "lookahead: 4", "threads_per_worker: 1", "order: strict", "retries: 1", "workers: auto, order: async",
           "workers: 1", "type: serial", "type: serial, workers: 1", "type: process, workers: 3")),
        *(f"{RIDGE}oracle: {{type: {kind}, resource: max_iter, max: 90, sampler: {sampler}}}"
          for kind in ("hyperband", "asha")
          for sampler in ("tpe", "random", "{type: tpe, startup: 4}", "{type: bayesian}")),
    ],
)  # fmt: skip
def test_a_config_that_loads_is_valid(text: str) -> None:
    loaded(text)
    assert faults(text) == []


ROOT = Path(__file__).resolve().parent.parent.parent
BLOCKS = {
    f"{page.name} {number}": textwrap.dedent(block)
    for page in (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")))
    for number, block in enumerate(re.findall(r"^ *```yaml\n(.*?)^ *```", page.read_text(), re.MULTILINE | re.DOTALL))
}
"""The YAML of README.md and docs/: whole configs, parts of configs, and other files."""


def whole(text: str) -> str:
    """The text with what a config cannot do without, if it lacks that."""
    model = "" if re.search("^model:", text, re.MULTILINE) else "model: {class: sklearn.linear_model.Ridge}\n"
    data = "" if re.search("^data:", text, re.MULTILINE) else "data: {train: 'sklearn:load_diabetes'}\n"
    return text + model + data


def test_what_the_docs_show_is_valid_where_it_loads() -> None:
    read = 0
    for name, text in BLOCKS.items():
        try:
            loaded(whole(text))
        except ConfigError:  # a workflow, or a part of a part; the pages' own tests read those
            continue
        read += 1
        assert faults(whole(text)) == [], name
    assert read >= 25


def values_of(node: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[tuple[str | int, ...], Any]]:
    """Each scalar below a plain document, with its path."""
    for key, one in node.items() if isinstance(node, dict) else enumerate(node):
        if isinstance(one, (dict, list)):
            yield from values_of(one, (*path, key))
        else:
            yield (*path, key), one


@pytest.mark.parametrize("text", [
    FULL.read_text(encoding="utf-8"),
    RIDGE + "oracle: {type: hyperband, resource: max_iter, min: 10, reduction: 3, sampler: {type: tpe, startup: 4}}\n"
    "evaluate: {cv: 5, early_stop_folds: false, nested: 3}\nprobe: false\nexecutor: {workers: 2, retries: 1}\n"
    "space: {max_iter: {type: int, min: 10, max: 90}, tol: {type: float, low: 1e-4, high: 1e-1, log: true}}",
    RIDGE.replace("'}", "', holdout: {fraction: 0.2}}")
    + "evaluate: {cv: {type: kfold, folds: 4, shuffle: true}}\noutput: {refit: all}\n"
    "budget: {trials: 9, time: 60, failures: {in_a_row: 3}}\ngate: {min_gain: 0.1, confidence: 0.8, on: holdout}",
], ids=["full", "hyperband", "gate"])  # fmt: skip
def test_any_value_may_come_from_the_environment(text: str) -> None:
    plain = load_text(text, "c.yaml").value
    for path, value in values_of(plain):
        changed = copy.deepcopy(plain)
        holder: Any = changed
        for key in path[:-1]:
            holder = holder[key]
        said = "null" if value is None else str(value).lower() if isinstance(value, bool) else value
        holder[path[-1]] = f"${{NAME_THAT_IS_UNSET:-{said}}}"
        assert [error.message for error in VALIDATOR.iter_errors(changed)] == [], path


def test_a_value_from_the_environment_keeps_its_description() -> None:
    nested = config_schema()["$defs"]["EvaluateSpec"]["properties"]["early_stop_folds"]
    assert nested["title"]
    assert nested["description"].startswith("Racing")
    assert {"type": "boolean"} in nested["anyOf"]


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
