"""Recording a define-by-run model: everything is found, conditions are inferred only where they are true."""

from __future__ import annotations

import itertools
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hptune.hypermodel import HyperModel
from hptune.hyperparameters import HyperParameters
from hptune.recording import RecordingError, record
from hptune.space import SearchSpace


def described(space: SearchSpace) -> dict[str, str]:
    return {p.name: " and ".join(map(str, p.when)) for p in space}


def layered(hp: HyperParameters) -> None:
    for i in range(hp.Int("layers", 1, 3)):
        hp.Int(f"units_{i}", 32, 512)


def test_the_units_of_every_layer_are_found_with_their_conditions() -> None:
    assert described(record(layered)) == {
        "layers": "", "units_0": "", "units_1": "layers >= 2", "units_2": "layers >= 3",
    }  # fmt: skip


def test_a_hypermodel_is_recorded_like_its_build() -> None:
    class Layered(HyperModel):
        def build(self, hp: HyperParameters) -> None:
            layered(hp)

    assert record(Layered()) == record(layered)


@pytest.mark.parametrize("most", [2, 20, 1000])
def test_thresholds_are_exact_whatever_the_length_of_the_range(most: int) -> None:
    def build(hp: HyperParameters) -> None:
        n = hp.Int("n", 0, most)
        if n >= most // 2 + 1:
            hp.Float("above", 0, 1)
        if n < most // 2:
            hp.Float("below", 0, 1)

    assert described(record(build)) == {"n": "", "below": f"n <= {most // 2 - 1}", "above": f"n >= {most // 2 + 1}"}


def test_thresholds_lie_on_the_grid_of_the_parent() -> None:
    def build(hp: HyperParameters) -> None:
        if hp.Int("n", 1, 101, step=10) > 47:
            hp.Boolean("late")
        if hp.Int("m", 1, 1024, step=2, sampling="log") > 100:
            hp.Boolean("large")

    assert described(record(build)) == {"n": "", "m": "", "late": "n >= 51", "large": "m >= 128"}


def branching(hp: HyperParameters) -> None:
    kind = hp.Choice("kind", ["mlp", "tree", "linear"])
    if kind == "mlp":
        for i in range(hp.Int("layers", 1, 4)):
            if hp.Boolean(f"norm_{i}"):
                hp.Float(f"momentum_{i}", 0, 1)
    elif kind == "tree":
        hp.Int("depth", 1, 10)
    if kind != "tree":
        hp.Float("lr", 1e-4, 1, sampling="log")
    if hp.Int("size", 1, 5) in (2, 4):
        hp.Float("even", 0, 1)


def test_choices_switches_and_nested_loops_are_found_with_their_conditions() -> None:
    assert described(record(branching)) == {
        "kind": "", "layers": "kind in mlp", "norm_0": "kind in mlp", "lr": "kind in mlp, linear", "size": "",
        "depth": "kind in tree", "norm_1": "layers >= 2", "norm_2": "layers >= 3", "norm_3": "layers >= 4",
        "momentum_0": "norm_0 in True", "momentum_1": "norm_1 in True", "momentum_2": "norm_2 in True",
        "momentum_3": "norm_3 in True", "even": "size in 2, 4",
    }  # fmt: skip


def test_conditional_scopes_are_conditions_and_share_names() -> None:
    def build(hp: HyperParameters) -> None:
        model = hp.Choice("model", ["a", "b"])
        with hp.conditional_scope("model", "a"):
            if model == "a":
                for i in range(hp.Int("layers", 1, 2)):
                    hp.Int(f"units_{i}", 1, 5)
        with hp.conditional_scope("model", "b"):
            layers = hp.Int("layers", 3, 4)
            if model == "b":
                for i in range(layers):
                    hp.Int(f"units_{i}", 1, 5)

    space = described(record(build))
    assert space["layers@model=a"] == "model in a"
    assert space["units_0"] == "model in a, b"
    assert space["units_3"] == "model in b and layers@model=b >= 4"


def test_values_named_by_a_scope_are_tried() -> None:
    def build(hp: HyperParameters) -> None:
        n = hp.Int("n", 1, 10**6)
        with hp.conditional_scope("n", [777]):
            if n == 777:
                hp.Boolean("rare")

    assert described(record(build)) == {"n": "", "rare": "n in 777"}


def test_what_two_hyperparameters_decide_together_is_always_active() -> None:
    def build(hp: HyperParameters) -> None:
        a, b = hp.Boolean("a"), hp.Boolean("b")
        if a and b:
            hp.Float("both", 0, 1)
        if hp.Float("x", 0, 1) > 0.5:
            hp.Float("right", 0, 1)

    space = record(build)
    assert set(described(space)) == {"a", "b", "x", "both", "right"}
    assert described(space)["both"] == described(space)["right"] == ""


def test_presence_that_nothing_recorded_explains_is_always_active() -> None:
    flips = itertools.cycle([True, False, False])

    def build(hp: HyperParameters) -> None:
        hp.Choice("c", list(range(40)))
        if next(flips):
            hp.Float("moody", 0, 1)

    assert described(record(build))["moody"] == ""


def test_recording_is_repeatable_and_a_second_seed_finds_the_same() -> None:
    assert record(branching) == record(branching) == record(branching, seed=1)


def test_ranges_declared_beforehand_take_precedence_and_may_be_more_than_the_model_uses() -> None:
    start = HyperParameters()
    start.Int("layers", 2, 2)
    start.Float("elsewhere", 0, 1)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        space = record(layered, start=start)
    assert described(space) == {"layers": "", "elsewhere": "", "units_0": "", "units_1": ""}
    assert (space["layers"].count, start.values) == (1, {"layers": 2, "elsewhere": 0.0})


def test_a_range_that_depends_on_another_value_is_said_once() -> None:
    with pytest.warns(UserWarning, match="b: its values differ from build to build") as caught:
        space = record(lambda hp: hp.Int("b", 1, hp.Int("a", 3, 9)))
    assert len(caught) == 1
    assert space["b"].to_json()["max"] == 3


def test_a_model_without_hyperparameters_is_an_empty_space() -> None:
    assert len(record(lambda hp: None)) == 0


def test_default_builds_that_raise_are_reported_at_once() -> None:
    calls = []

    def build(hp: HyperParameters) -> None:
        calls.append(1)
        raise KeyError("oops") if hp.Int("n", 1, 3) == 1 else AssertionError

    with pytest.raises(
        RecordingError, match=r"raised for the defaults.*\n.*KeyError: 'oops'\n *with {'n': 1}"
    ) as caught:
        record(build)
    assert isinstance(caught.value.__cause__, KeyError)
    assert len(calls) == 1


def test_later_builds_that_raise_are_reported_with_their_values_after_the_rest_was_recorded() -> None:
    seen = set()

    def build(hp: HyperParameters) -> None:
        kind = hp.Choice("kind", ["a", "b", "c"])
        seen.add(kind)
        if kind == "b":
            raise ValueError("no b today")

    with pytest.raises(RecordingError, match=r"builds:\n  ValueError: no b today\n *with {'kind': 'b'}"):
        record(build)
    assert seen == {"a", "b", "c"}
    with pytest.warns(UserWarning, match="no b today"):
        assert described(record(build, failures="warn")) == {"kind": ""}


def test_names_without_end_are_refused_with_the_last_ones() -> None:
    fresh = itertools.count()
    with pytest.raises(RecordingError, match=r"keeps growing: after \d+ builds.*'x_\d+'.*anew in each build"):
        record(lambda hp: hp.Int(f"x_{next(fresh)}", 1, 9), max_builds=200)

    def endless(hp: HyperParameters) -> None:
        for i in itertools.count():
            hp.Boolean(f"x_{i}")

    with pytest.raises(RecordingError, match="one build met more than"):
        record(endless)


def test_the_number_of_builds_is_bounded() -> None:
    calls = []

    def build(hp: HyperParameters) -> None:
        calls.append(1)
        for i in range(3):
            hp.Choice(f"c_{i}", list(range(200)))

    assert len(record(build, max_builds=100)) == 3
    assert len(calls) <= 100 + 32


def test_warnings_of_a_model_come_once_for_all_builds() -> None:
    with pytest.warns(UserWarning, match="n: the default 99") as caught:
        record(lambda hp: [hp.Int("n", 1, 9, default=99), hp.Boolean("b")])
    assert len(caught) == 1


# -- random programs: sound for every configuration of the recorded space --------------------------------------------

Program = list[Any]


def runner(program: Program) -> Callable[[HyperParameters], None]:
    def run(hp: HyperParameters, statements: Program, prefix: str) -> None:
        for i, (kind, body, other) in enumerate(statements):
            name = f"{prefix}{i}{kind}"  # branches share names, but only of one kind
            if kind == "if":
                run(hp, body if hp.Boolean(name) else other, f"{name}.")
            elif kind == "loop":
                for turn in range(hp.Int(name, 0, 3)):
                    run(hp, body, f"{name}.{turn}.")
            elif kind == "choice":
                run(hp, body if hp.Choice(name, ["a", "b", None]) == "b" else other, f"{name}:")
            elif kind == "scope":
                value = hp.Choice(name, [1, 2])
                with hp.conditional_scope(name, 2):
                    if value == 2:
                        run(hp, body, f"{name}/")
                    hp.Int(f"{name}same", 1, 3)
                with hp.conditional_scope(name, 1):
                    hp.Int(f"{name}same", 4, 6)
            else:
                hp.Float(name, 0, 1)

    return lambda hp: run(hp, program, "p")


programs = st.recursive(
    st.lists(st.tuples(st.just("float"), st.just([]), st.just([])), max_size=2),
    lambda inner: st.lists(
        st.tuples(st.sampled_from(["if", "loop", "choice", "scope", "float"]), inner, inner), min_size=1, max_size=2
    ),
    max_leaves=4,
)


@settings(deadline=None, max_examples=25)
@given(programs, st.integers(0, 2**32))
def test_every_configuration_of_a_recorded_space_builds_without_meeting_anything_new(
    program: Program, seed: int
) -> None:
    build = runner(program)
    space = record(build)
    rng = np.random.default_rng(seed)
    for _ in range(10):
        trial = HyperParameters.from_values(space, space.sample(rng))
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # a hyperparameter first met warns
            build(trial)
        assert trial.first_met == []
