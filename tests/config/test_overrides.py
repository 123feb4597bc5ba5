"""`-o key.path=value`."""

from __future__ import annotations

import pytest

from hptune.parameters import Choice, Fixed, Float
from tests.config.helpers import PIPELINE, RIDGE, loaded, refused


def test_an_override_sets_a_key_that_is_there_or_not() -> None:
    text = RIDGE + "budget: {trials: 5, patience: 3}\n"
    found = loaded(text, ["budget.trials=20", "budget.time=1h", "seed=7", "gate.min_gain=1e-3", "output.dir=a b"])
    assert (found.config.budget.trials, found.config.budget.patience, found.config.budget.time) == (20, 3, 3600.0)
    assert found.config.seed == 7
    assert found.config.gate is not None
    assert found.config.gate.min_gain == 0.001
    assert found.config.output.dir == "a b"


def test_the_last_override_of_a_key_wins() -> None:
    assert loaded(RIDGE, ["seed=1", "seed=2"]).config.seed == 2


def test_a_value_is_yaml_1_2() -> None:
    found = loaded(RIDGE, ["space.alpha=[1e-3, no, true, null]", "evaluate.also=[r2]", "name=no", "gate=null"])
    assert found.space["alpha"] == Choice(name="alpha", values=(0.001, "no", True, None))
    assert found.config.evaluate.also == ["r2"]
    assert found.config.name == "no"
    assert found.config.gate is None


@pytest.mark.parametrize("written", ["", " "])
def test_no_value_is_no_null(written: str) -> None:
    """An unset shell variable would take away a limit without a word."""
    for key in ("budget.trials", "gate", "output.dir", "space.alpha", "seed"):
        said = refused(RIDGE, [f"{key}={written}"])
        assert any(f"{key}: expected a value behind `=`, found nothing" in line for line in said), said
    assert loaded(RIDGE, ["budget.trials=null"]).config.budget.trials is None


def test_a_value_may_hold_equals_signs() -> None:
    found = loaded(RIDGE, ["output.dir=a=b"])
    assert found.config.output.dir == "a=b"


def test_the_keys_of_space_are_paths_with_dots() -> None:
    text = PIPELINE + "space: {regressor.ridge.alpha: {type: float, min: 1, max: 2}}\n"
    found = loaded(
        text, ["space.regressor.ridge.alpha.max=3", "space.impute.strategy=median", "space.regressor=ridge"]
    )
    assert isinstance(found.space["regressor.ridge.alpha"], Float)
    assert found.space["regressor.ridge.alpha"].high == 3.0
    assert found.space["impute.strategy"] == Fixed(name="impute.strategy", value="median")
    assert loaded(PIPELINE, ["space.impute.strategy=median"]).space["impute.strategy"].default_value == "median"
    assert loaded(text, ["space.regressor__ridge__alpha=1"]).space["regressor.ridge.alpha"].default_value == 1


def test_a_step_is_known_by_its_name_or_number() -> None:
    for key in (
        "model.pipeline.regressor.choose.ridge.params.alpha",
        "model.pipeline[2].regressor.choose.ridge.params.alpha",
    ):
        found = loaded(PIPELINE, [f"{key}=3"])
        step = found.resolved["model"]["pipeline"][2]["regressor"]
        assert step["choose"]["ridge"]["params"] == {"alpha": 3}
    assert (
        loaded(RIDGE + "evaluate: {also: [r2, max_error]}", ["evaluate.also.1=r2x"]).config.evaluate.also[1] == "r2x"
    )


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("budgt.trials=3", "budgt: unknown key; did you mean 'budget'?"),
        ("budget.trails=3", "budget.trails: unknown key; did you mean 'trials'?"),
        ("budget.trials=many", "budget.trials: expected a whole number, found 'many'"),
        ("budget.trials=null", ""),
        ("budget=3", "budget: expected a mapping, found 3; write {trials: 3}"),
        ("budget.trials", "expected key.path=value, such as budget.trials=20"),
        ("=3", "expected key.path=value, such as budget.trials=20"),
        ("seed=[1",
         "seed: expected ',' or ']', found the end of the file: the list opened with '[' here is never closed"),
        ("seed=.nan", "seed: expected a finite number, found .nan; quote it if it is meant as text"),
        ("seed=1\n---\n2", "seed: expected one document, found a second ('---'): one file holds one study"),
        ("model.class.x=3", "model.class.x: model.class is the text 'sklearn.linear_model.Ridge' and has no key 'x': "
         "set model.class as a whole"),
        ("seed.x=3", "seed.x: seed is the value 1 and has no key 'x': set seed as a whole"),
        ("evaluate.also.5=r2", "evaluate.also.5: expected the number of an item or a step's name, found '5': "
         "evaluate.also is a list of 1 item"),
        ("space.alhpa.max=3", "space.alhpa.max: ..."),
        ("space.alpha.max=x", "space.alpha.max: expected a number, found 'x'"),
        ("space.alpha.mxa=2", "space.alpha.mxa: unknown key; did you mean 'max'?"),
        ("constraints=3", "constraints: expected a list of forbid: and require: entries, found 3"),
        ("start_with=[{alpah: 1}]", "start_with[0].alpah: no parameter 'alpah'; did you mean 'alpha'?"),
    ],
)  # fmt: skip
def test_a_wrong_override_is_told_by_its_own_text_instead_of_a_line(override: str, message: str) -> None:
    text = RIDGE + "seed: 1\nevaluate: {also: [r2]}\nspace: {alpha: {type: float, min: 0, max: 1}}\n"
    if not message or message.endswith("..."):  # fine: null is no limit, and Ridge's parameters are not known here
        loaded(text, [override])
        return
    assert refused(text, [override]) == [f"-o {override}: {message}"]


def test_all_wrong_overrides_are_told_together_and_after_the_files_own_problems() -> None:
    assert refused(RIDGE + "seed: x", ["budget.trials=x", "budget.time=x"])[0] == (
        "c.yaml:3: seed: expected a whole number, found 'x'"
    )
    assert refused(RIDGE, ["a", "seed=[", "=1"]) == [
        "-o a: expected key.path=value, such as budget.trials=20",
        "-o seed=[: seed: expected a value or a closing bracket, found the end of the file",
        "-o =1: expected key.path=value, such as budget.trials=20",
    ]


def test_an_override_mends_what_is_wrong_in_the_file() -> None:
    assert loaded(RIDGE + "seed: x", ["seed=3"]).config.seed == 3
