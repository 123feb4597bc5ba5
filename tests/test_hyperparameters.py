"""`HyperParameters` and `HyperModel`: KerasTuner's meaning, without its faults; to a search space and back."""

from __future__ import annotations

import json
import pickle
import warnings
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import hptune
from hptune.hypermodel import HyperModel
from hptune.hyperparameters import HyperParameters
from hptune.parameters import Int, canonical
from hptune.places import plain_name
from hptune.space import SearchSpace

LAWS = settings(deadline=None, max_examples=60)  # no deadline: a busy machine is no failure

# -- registering and retrieving --------------------------------------------------------------------------------------


def test_a_hyperparameter_has_its_default_at_first_sight_and_its_current_value_afterwards() -> None:
    hp = HyperParameters()
    assert hp.Int("units", min_value=32, max_value=512, step=32) == 32
    hp.values["units"] = 64
    assert hp.Int("units", min_value=32, max_value=512, step=32) == 64
    assert hp.get("units") == hp["units"] == 64


def test_the_defaults_are_the_minimum_the_first_choice_and_false() -> None:
    hp = HyperParameters()
    assert hp.Int("i", 3, 9) == 3
    assert hp.Float("f", 0.5, 1) == 0.5
    assert hp.Float("log", 1e-3, 1, sampling="log") == 1e-3
    assert hp.Float("reverse", 0.1, 1, sampling="reverse_log") == 0.1
    assert hp.Choice("c", ["b", "a"]) == "b"
    assert hp.Choice("descending", [1e-2, 1e-3, 1e-4]) == 1e-2
    assert hp.Boolean("b") is False
    assert hp.Fixed("x", 7) == 7
    assert hp.to_space().defaults() == hp.values


def test_declared_defaults_hold() -> None:
    hp = HyperParameters()
    assert hp.Int("i", 0, 10, default=4) == 4
    assert hp.Float("f", 0, 1, default=1) == 1.0
    assert hp.Choice("c", ["a", "b"], default="b") == "b"
    assert hp.Boolean("b", default=True) is True
    assert hp.Boolean("b1", default=1) is True  # type: ignore[arg-type]
    assert hp.Choice("n", ["a", None], default=None) is None
    assert hp.Choice("n2", ["a", "b"], default=None) == "a"
    assert hp.values == {"i": 4, "f": 1.0, "c": "b", "b": True, "b1": True, "n": None, "n2": "a"}


@pytest.mark.parametrize("default", [100, 3, 1000])
def test_a_default_that_is_not_a_value_is_moved_to_the_nearest_and_said(default: int) -> None:
    hp = HyperParameters()
    with pytest.warns(UserWarning, match=f"units: the default {default} is not one of its values") as caught:
        value = hp.Int("units", 32, 512, step=32, default=default)
    assert value in range(32, 513, 32)
    assert abs(value - default) == min(abs(v - default) for v in range(32, 513, 32))
    assert caught[0].filename == __file__


def test_a_value_filled_in_beforehand_is_handed_out_at_first_sight() -> None:
    hp = HyperParameters()
    hp.values["name"] = "b"
    assert hp.Choice("name", ["a", "b"]) == "b"


def test_a_step_is_a_factor_on_a_log_scale() -> None:
    hp = HyperParameters()
    hp.Int("batch", 2, 33, step=2, sampling="log")
    hp.Float("lr", 1e-3, 10, step=10, sampling="log")
    listed = [list(p.listed(None)) for p in hp.space]
    assert listed == [[2, 4, 8, 16, 32, 33], [0.001, 0.01, 0.1, 1.0, 10.0]]


def test_a_stepped_float_reaches_its_maximum_in_clean_steps() -> None:
    hp = HyperParameters()
    hp.Float("dropout", 0.0, 0.5, step=0.1)
    assert list(hp.space[0].listed(None)) == [0.0, 0.1, 0.2, 0.3, 0.4, 0.5]


def test_choices_keep_their_types() -> None:
    hp = HyperParameters()
    values = [True, False, None, 1, 1.5, "1", [64, 32]]
    hp.Choice("mixed", values)
    assert [canonical(one) for one in hp.space[0].listed(None)] == [canonical(one) for one in values]
    assert hp.Choice("flag", [True, False]) is True


def test_ordered_numbers_are_sorted_and_listed_twice_counts_once() -> None:
    hp = HyperParameters()
    assert hp.Choice("lr", [1e-2, 1e-3, 1e-4, 1e-3]) == 1e-2
    hp.Choice("unordered", [3, 1, 2, 1], ordered=False)
    assert list(hp.space[0].listed(None)) == [1e-4, 1e-3, 1e-2]
    assert list(hp.space[1].listed(None)) == [3, 1, 2]
    assert [p.columns[0].kind for p in hp.space] == ["numeric", "category"]


def test_numpy_arguments_become_plain_values() -> None:
    hp = HyperParameters()
    got = [
        hp.Int("i", np.int64(1), np.int64(9), default=np.int32(3)),
        hp.Float("f", np.float32(0.5), np.float64(1)),
        hp.Choice("c", np.arange(3)),
        hp.Choice("s", list(np.array(["a", "b"]))),
        hp.Boolean("b", default=np.bool_(True)),
        hp.Fixed("x", np.float64(2)),
    ]
    assert got == [3, 0.5, 0, "a", True, 2.0]
    assert [type(one) for one in got] == [int, float, int, str, bool, float]


def test_a_fixed_value_may_be_anything_json_holds_and_cannot_be_changed_through_what_was_handed_out() -> None:
    hp = HyperParameters()
    got = hp.Fixed("f", {"a": [1, None]})
    got["a"].append(2)
    listed = hp.Choice("layers", [[64], [64, 32]])
    listed.append(5)
    assert hp.Fixed("f", {"a": [1, None]}) == {"a": [1, None]}
    assert hp["layers"] == [64]
    assert hp.to_space().defaults() == {"f": {"a": [1, None]}, "layers": [64]}


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda hp: hp.Int("p", 5, 1), "p: expected min <= max"),
        (lambda hp: hp.Int("p", 1.5, 3), "p: min: expected a whole number"),
        (lambda hp: hp.Float("p", 0, 1, sampling="log"), "p: a log scale needs min_value > 0"),
        (lambda hp: hp.Float("p", 1, 2, sampling="logg"), "p: sampling: .* did you mean 'log'"),
        (lambda hp: hp.Float("p", 1, 2, default="x"), "p: default: expected a number"),
        (lambda hp: hp.Float("p", float("nan"), 2), "p: min: expected a finite number"),
        (lambda hp: hp.Int("p", 1, 8, step=1, sampling="log"), "p: factor: expected a number above 1"),
        (lambda hp: hp.Choice("p", []), "p: expected a list with at least one value"),
        (lambda hp: hp.Choice("p", "abc"), "p: expected a list"),
        (lambda hp: hp.Choice("p", ["a"], default="b"), "p: expected one of"),
        (lambda hp: hp.Choice("p", [object()]), "p: expected text, a number"),
        (lambda hp: hp.Boolean("p", default="yes"), "p: expected true or false"),
        (
            lambda hp: hp.Int("p\n::x", 1, 2),
            r"a name on one line without control characters, found the character U\+000A",
        ),
        (lambda hp: hp.Int("p", 1, 2, parent_name="q", parent_values=[1]), "'q' is not defined"),
    ],
)
def test_arguments_that_make_no_sense_are_refused_by_name(call: Any, message: str) -> None:
    hp = HyperParameters()
    with pytest.raises(ValueError, match=message):
        call(hp)
    assert hp.space == []
    assert hp.values == {}


@LAWS
@given(st.text(st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp"]), max_size=10))
def test_any_text_is_a_name_and_comes_back_from_the_space(name: str) -> None:
    hp = HyperParameters()
    hp.Int(name, 1, 5, default=2)
    space = hp.to_space()
    assert [plain_name(p.name) for p in space] == [name]
    again = HyperParameters.from_values(space, space.defaults())
    assert again.Int(name, 1, 5) == 2


def test_another_definition_at_the_same_place_gives_way_and_warns_once() -> None:
    hp = HyperParameters()
    hp.Int("n", 0, 10)
    with pytest.warns(UserWarning, match="n: defined again with other values") as caught:
        assert [hp.Int("n", 5, 20), hp.Int("n", 6, 20)] == [0, 0]
    assert len(caught) == 1
    assert caught[0].filename == __file__
    assert hp.to_space()["n"].to_json()["max"] == 10


def test_ranges_declared_beforehand_take_precedence_without_a_warning() -> None:
    tailored = HyperParameters()
    tailored.Float("lr", 0.1, 0.2)
    hp = tailored.copy()
    assert hp.Float("lr", 1e-5, 1, sampling="log") == 0.1
    assert [p.to_json()["max"] for p in hp.to_space()] == [0.2]


# -- scopes ----------------------------------------------------------------------------------------------------------


def test_name_scopes_stand_before_the_names() -> None:
    hp = HyperParameters()
    hp.Choice("choice", [1, 2, 3], default=2)
    with hp.name_scope("one"):
        hp.Choice("choice", [4, 5, 6], default=5)
        with hp.name_scope("two"):
            hp.Choice("choice", [7, 8, 9], default=8)
            assert hp.get("choice") == 8
        hp.Int("range", 0, 10, parent_name="choice", parent_values=5)
    assert hp.values == {"choice": 2, "one/choice": 5, "one/two/choice": 8, "one/range": 0}
    assert [p.name for p in hp.to_space()] == list(hp.values)
    assert str(hp.to_space()["one/range"].when[0]) == "one/choice in 5"


def test_parent_name_gives_none_where_the_parent_has_another_value() -> None:
    hp = HyperParameters()
    hp.Choice("a", [1, 2, 3], default=2)
    assert hp.Int("b", 0, 10, parent_name="a", parent_values=1, default=5) is None
    assert hp.Int("b", 0, 100, parent_name="a", parent_values=[2], default=4) == 4
    assert hp.values == {"a": 2, "b": 4}


def every_kind(hp: HyperParameters) -> list[Any]:
    return [
        hp.Int("i", 1, 2),
        hp.Float("f", 1, 2),
        hp.Choice("c", ["a"]),
        hp.Boolean("b"),
        hp.Fixed("x", 1),
    ]


def test_everything_under_a_false_scope_is_none_and_registered() -> None:
    hp = HyperParameters()
    hp.Choice("model", ["v1", "v2"])
    with hp.conditional_scope("model", ["v2"]):
        assert every_kind(hp) == [None] * 5
        with pytest.raises(ValueError, match="i is currently inactive"):
            hp.get("i")
    assert hp.values == {"model": "v1"}
    assert len(hp.space) == 6
    assert not hp.is_active("i")
    assert "i" not in hp
    hp.values["model"] = "v2"
    with hp.conditional_scope("model", ["v2"]):
        assert every_kind(hp) == [1, 1.0, "a", False, 1]
    assert "i" in hp


def test_nested_scopes_all_have_to_hold() -> None:
    hp = HyperParameters()
    hp.Choice("a", [1, 2, 3], default=3)
    with hp.conditional_scope("a", [1, 3]):
        assert hp.Choice("b", [4, 5, 6], default=6) == 6
        with hp.conditional_scope("b", 6), hp.name_scope("d"):
            assert hp.Choice("e", [10, 11]) == 10
    with hp.conditional_scope("a", 2), hp.name_scope("g"):
        assert hp.Int("h", 0, 10) is None
    assert hp.values == {"a": 3, "b": 6, "d/e": 10}
    hp.values["a"] = 2  # b keeps a value, but is inactive now, and so is its child
    assert not hp.is_active("b")
    assert not hp.is_active("d/e")


def test_the_scopes_entered_are_listed_as_active_and_inactive() -> None:
    hp = HyperParameters()
    hp.Choice("a", ["x", "y"])
    for value in ("x", "y"):
        with hp.conditional_scope("a", value):
            pass
    assert [str(scope[0]) for scope in hp.active_scopes] == ["a in x"]
    assert [str(scope[0]) for scope in hp.inactive_scopes] == ["a in y"]


def test_a_scope_is_left_when_the_code_inside_raises() -> None:
    hp = HyperParameters()
    hp.Boolean("a")
    with pytest.raises(ZeroDivisionError), hp.conditional_scope("a", True), hp.name_scope("n"):
        raise ZeroDivisionError
    assert hp.Int("outside", 1, 2) == 1


def test_an_unknown_parent_is_not_defined_and_a_close_name_is_offered() -> None:
    hp = HyperParameters()
    hp.Choice("model", ["a"])
    with (
        pytest.raises(ValueError, match=r"'modle' is not defined.*did you mean 'model'"),
        hp.conditional_scope("modle", "a"),
    ):
        pass


def test_a_hyperparameter_cannot_have_the_name_of_its_parent() -> None:
    hp = HyperParameters()
    hp.Choice("a", [1, 2])
    with pytest.raises(ValueError, match="name of its parent"):
        hp.Choice("a", [1, 2], parent_name="a", parent_values=1)


def test_a_scope_on_a_value_the_parent_never_has_warns_and_stays_out_of_the_space() -> None:
    hp = HyperParameters()
    hp.Choice("a", ["x", "y"])
    with pytest.warns(UserWarning, match="a never has the value 'z'"), hp.conditional_scope("a", "z"):
        assert hp.Int("n", 1, 2) is None
    assert [p.name for p in hp.to_space()] == ["a"]


def test_a_boolean_parent_takes_one_for_true_as_in_kerastuner() -> None:
    hp = HyperParameters()
    hp.Boolean("on", default=True)
    hp.Choice("flag", [True, False])
    assert hp.Int("n", 1, 2, parent_name="on", parent_values=[1]) == 1
    assert hp.Int("m", 1, 2, parent_name="flag", parent_values=[1]) == 1
    assert hp.to_space().defaults() == hp.values


def test_true_and_one_are_different_parents_where_a_choice_holds_both() -> None:
    hp = HyperParameters()
    hp.Choice("c", [1, True])
    assert hp.Int("n", 1, 2, parent_name="c", parent_values=[True]) is None
    assert hp.Int("m", 1, 2, parent_name="c", parent_values=[1]) == 1


# -- asking ----------------------------------------------------------------------------------------------------------


def test_an_unknown_name_does_not_exist() -> None:
    hp = HyperParameters()
    hp.Int("units", 1, 2)
    for ask in (hp.get, hp.__getitem__):
        with pytest.raises(KeyError, match=r"unit does not exist\. did you mean 'units'"):
            ask("unit")
    assert "unit" not in hp
    assert "units" in hp
    assert not hp.is_active("unit")


def test_is_active_takes_a_name_or_one_definition() -> None:
    hp = HyperParameters()
    hp.Choice("a", [1, 2])
    hp.Int("n", 0, 1, parent_name="a", parent_values=1)
    hp.Int("n", 0, 2, parent_name="a", parent_values=2)
    assert hp.is_active("n")
    assert [hp.is_active(p) for p in hp.space] == [True, True, False]


def test_a_value_left_over_from_another_definition_is_not_handed_out() -> None:
    hp = HyperParameters()

    def build() -> tuple[Any, Any]:
        hp.Choice("model", ["v1", "v2"])
        return (
            hp.Int("layers", 1, 3, parent_name="model", parent_values="v1"),
            hp.Int("layers", 5, 9, parent_name="model", parent_values="v2"),
        )

    assert build() == (1, None)
    hp.values["model"] = "v2"
    assert build() == (None, 5)
    hp.values.update(model="v1", layers=2)
    assert build() == (2, None)


def test_ensure_active_values_adds_the_missing_and_takes_away_the_inactive() -> None:
    hp = HyperParameters()
    hp.Choice("a", [1, 2])
    hp.Int("one", 1, 9, parent_name="a", parent_values=1)
    hp.Int("two", 2, 9, parent_name="a", parent_values=2)
    hp.values["a"] = 2
    hp.ensure_active_values()
    assert hp.values == {"a": 2, "two": 2}


# -- merging, copying, configs ---------------------------------------------------------------------------------------


def test_merging_overwrites_or_not() -> None:
    hp, other, third = HyperParameters(), HyperParameters(), HyperParameters()
    hp.Int("a", 0, 100)
    hp.Fixed("b", 2)
    other.Fixed("a", 3)
    third.Fixed("a", 5)
    third.Choice("d", [1, 2, 3])
    hp.merge(other)
    assert hp.values == {"a": 3, "b": 2}
    hp.merge(third, overwrite=False)
    assert hp.values == {"a": 3, "b": 2, "d": 1}
    hp.merge([Int(name="e", low=4, high=5, default=5)])
    assert hp["e"] == 5


def test_merging_takes_no_values_for_the_inactive() -> None:
    hp, other = HyperParameters(), HyperParameters()
    hp.Choice("a", [1, 2, 3], default=3)
    hp.Fixed("b", 4, parent_name="a", parent_values=2)
    other.merge(hp)
    assert other.values == {"a": 3}


def busy() -> HyperParameters:
    hp = HyperParameters()
    hp.Int("i", 1, 64, step=2, sampling="log", default=4)
    hp.Float("f", 0.5, 2, sampling="reverse_log")
    hp.Float("s", 0, 1, step=0.25, default=0.5)
    hp.Choice("c", ["a", None, 1, True], default=None)
    hp.Choice("o", [3, 2, 1])
    hp.Fixed("x", [1, {"a": None}])
    with hp.name_scope("n"):
        hp.Boolean("b", default=True)
        hp.Int("under", 1, 3, parent_name="b", parent_values=[True])
        hp.Int("under", 4, 6, parent_name="b", parent_values=[False])
    hp.values["i"] = 16
    return hp


def test_configs_survive_json_in_kerastuners_form() -> None:
    config = json.loads(json.dumps(busy().get_config()))
    again = HyperParameters.from_config(config)
    assert again.get_config() == busy().get_config() == config
    assert again.to_space() == busy().to_space()
    assert config["space"][0] == {
        "class_name": "Int",
        "config": {
            "name": "i", "default": 4, "conditions": [],
            "min_value": 1, "max_value": 64, "step": 2, "sampling": "log",
        },
    }  # fmt: skip
    assert config["space"][-1]["config"]["conditions"] == [
        {"class_name": "Parent", "config": {"name": "n/b", "values": [False]}}
    ]
    assert config["values"]["i"] == 16


def test_a_config_that_leaves_out_what_has_a_default_is_read() -> None:
    config = {"name": "p", "min_value": 1, "max_value": 3, "default": None, "conditions": []}
    hp = HyperParameters.from_config({"space": [{"class_name": "Int", "config": config}], "values": {}})
    assert hp.Int("p", 0, 99) == 1


@pytest.mark.parametrize("data", [{"class_name": "Int"}, {"class_name": "Odd", "config": {"name": "p"}}, 5])
def test_something_else_than_a_config_is_refused(data: Any) -> None:
    with pytest.raises(ValueError):
        HyperParameters.from_config({"space": [data], "values": {}})


def test_a_copy_is_independent_and_pickles_are_equal() -> None:
    hp = busy()
    for again in (hp.copy(), pickle.loads(pickle.dumps(hp))):
        assert again.get_config() == hp.get_config()
        again.values["i"] = 2
        again.Int("new", 1, 2)
        assert "new" not in hp
        assert hp["i"] == 16


# -- to a space and back ---------------------------------------------------------------------------------------------


def two_models(hp: HyperParameters) -> dict[str, Any]:
    """The example of the docstring of `hptune.places`, with a child and a shared definition."""
    out = {"model": hp.Choice("model", ["cnn", "mlp", "linear"])}
    with hp.conditional_scope("model", "cnn"):
        out["cnn layers"] = hp.Int("layers", 1, 3)
        out["cnn drop"] = hp.Float("dropout", 0, 0.5)
        out["deep"] = hp.Boolean("deep", parent_name="layers", parent_values=[2, 3])
    with hp.conditional_scope("model", "mlp"):
        out["mlp layers"] = hp.Int("layers", 2, 9)
        out["mlp drop"] = hp.Float("dropout", 0, 0.5)
    out["two"] = hp.Int("two", 0, 5, parent_name="layers", parent_values=2)
    return out


def test_one_name_under_two_scopes_has_two_names_in_the_space_and_equal_definitions_are_one() -> None:
    hp = HyperParameters()
    two_models(hp)
    described = {p.name: " and ".join(map(str, p.when)) for p in hp.to_space()}
    assert described == {
        "model": "",
        "layers@model=cnn": "model in cnn",
        "dropout": "model in cnn, mlp",
        "deep": "model in cnn and layers@model=cnn in 2, 3",
        "layers@model=mlp": "model in mlp",
        "two@layers=2,model=cnn": "layers@model=cnn in 2",
        "two@layers=2,model=mlp": "layers@model=mlp in 2",
    }


@LAWS
@given(st.integers(0, 2**32))
def test_a_trials_values_are_handed_out_under_the_names_of_the_model(seed: int) -> None:
    hp = HyperParameters()
    two_models(hp)
    space = hp.to_space()
    values = space.sample(np.random.default_rng(seed))
    trial = HyperParameters.from_values(space, values)
    expected = {plain_name(name): value for name, value in values.items()}
    assert trial.values == expected
    got = two_models(trial)
    assert trial.values == expected
    assert trial.first_met == []
    model = got["model"]
    assert got["cnn layers"] == (expected["layers"] if model == "cnn" else None)
    assert got["mlp layers"] == (expected["layers"] if model == "mlp" else None)
    assert got["two"] == expected.get("two")
    assert (got["two"] is not None) == (expected.get("layers") == 2)
    if model == "mlp":
        assert 2 <= expected["layers"] <= 9


def test_names_that_look_like_those_of_the_space_stay_apart() -> None:
    hp = HyperParameters()
    hp.Choice("a", [1, 2])
    hp.Int("n", 0, 1, parent_name="a", parent_values=1)
    hp.Int("n", 0, 2, parent_name="a", parent_values=2)
    hp.Int("n@a=1", 7, 8)
    hp.Int("mail@example", 7, 8)
    space = hp.to_space()
    assert [p.name for p in space] == ["a", "n@a=1", "n@a=2", "n@a=1@", "mail@example"]
    trial = HyperParameters.from_values(space, space.defaults())
    assert trial.values == {"a": 1, "n": 0, "n@a=1": 7, "mail@example": 7}


def test_a_definition_shadowed_by_an_earlier_one_stays_out_of_the_space() -> None:
    hp = HyperParameters()
    hp.Boolean("a", default=True)
    hp.Int("n", 0, 1)
    with pytest.warns(UserWarning, match="n: defined again"):
        assert hp.Int("n", 5, 9, parent_name="a", parent_values=True) == 0
    assert [p.name for p in hp.to_space()] == ["a", "n"]


def test_a_definition_without_conditions_beside_an_earlier_one_with_some_ends_in_an_at() -> None:
    hp = HyperParameters()
    hp.Boolean("a")
    hp.Int("n", 5, 9, parent_name="a", parent_values=True)
    assert hp.Int("n", 0, 1) == 0
    assert [p.name for p in hp.to_space()] == ["a", "n@a=true", "n@"]


def test_scopes_that_exclude_each_other_leave_nothing_in_the_space() -> None:
    hp = HyperParameters()
    hp.Boolean("a")
    with hp.conditional_scope("a", True), hp.conditional_scope("a", False):
        assert hp.Int("never", 1, 2) is None
    assert [p.name for p in hp.to_space()] == ["a"]


def test_a_name_first_met_in_a_trial_runs_at_its_default_with_one_warning() -> None:
    hp = HyperParameters.from_values(SearchSpace((Int(name="known", low=1, high=9),)), {"known": 3})
    with pytest.warns(UserWarning, match="new: this trial has no value for it; it runs at 5") as caught:
        assert [hp.Int("known", 1, 9), hp.Int("new", 5, 9), hp.Int("new", 5, 9)] == [3, 5, 5]
    assert len(caught) == 1
    assert caught[0].filename == __file__
    assert hp.first_met == ["new"]
    assert hp.values == {"known": 3, "new": 5}


def test_values_of_a_trial_can_be_asked_for_before_the_model_is_built() -> None:
    hp = HyperParameters.from_values(SearchSpace((Int(name="n", low=1, high=9),)), {"n": 3})
    assert hp.get("n") == 3
    assert hp.values == {"n": 3}


def test_code_written_for_kerastuner_runs_unchanged() -> None:
    def build_model(hp: Any) -> dict[str, Any]:
        model: dict[str, Any] = {"units": hp.Int("units", min_value=32, max_value=512, step=32)}
        model["activation"] = hp.Choice("activation", values=["relu", "tanh"])
        if hp.Boolean("dropout"):
            model["rate"] = hp.Float("rate", min_value=0.1, max_value=0.5, step=0.1)
        model["lr"] = hp.Float("lr", min_value=1e-4, max_value=1e-2, sampling="log")
        model["optimizer"] = hp.Choice("optimizer", ["adam", "sgd"])
        with hp.conditional_scope("optimizer", ["sgd"]):
            if model["optimizer"] == "sgd":
                model["momentum"] = hp.Float("momentum", 0.0, 0.9, default=0.9)
        return model

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        hp = HyperParameters()
        assert build_model(hp) == {"units": 32, "activation": "relu", "lr": 1e-4, "optimizer": "adam"}
        hp.values.update(dropout=True, optimizer="sgd")
        assert build_model(hp)["momentum"] == 0.9
        assert len(hp.space) == 7


# -- HyperModel ------------------------------------------------------------------------------------------------------


class Model:
    def fit(self, *args: Any, **kwargs: Any) -> tuple[Any, Any]:
        return args, kwargs


class Built(HyperModel):
    def build(self, hp: HyperParameters) -> Any:
        return hp.Int("n", 1, 9)


class WithoutSuper(HyperModel):
    def __init__(self, classes: int) -> None:
        self.classes = classes

    def build(self, hp: HyperParameters) -> Any:
        return self.classes + hp.Int("n", 1, 9)


def test_a_hypermodel_without_build_says_what_is_missing() -> None:
    with pytest.raises(NotImplementedError, match=r"HyperModel.build\(hp\) is missing"):
        HyperModel().build(HyperParameters())


def test_a_hypermodel_builds_with_the_container_and_fits_the_model() -> None:
    hp = HyperParameters()
    model = Built(name="m")
    assert (model.name, model.tunable, model.build(hp)) == ("m", True, 1)
    assert hp.values == {"n": 1}
    assert model.fit(hp, Model(), 1, 2, epochs=3) == ((1, 2), {"epochs": 3})


def test_a_hypermodel_that_is_not_tunable_adds_nothing_and_takes_what_is_declared() -> None:
    hp = HyperParameters()
    assert Built(tunable=False).build(hp) == 1
    assert hp.space == []
    hp.Int("n", 5, 6)
    assert Built(tunable=False).build(hp) == 5


def test_a_hypermodel_that_forgets_its_base_and_a_pickled_one_work() -> None:
    assert WithoutSuper(10).build(HyperParameters()) == 11
    assert pickle.loads(pickle.dumps(WithoutSuper(10))).build(hp=HyperParameters()) == 11


@pytest.mark.parametrize("kind", ["Int", "Float"])
def test_zero_on_a_log_scale_gets_a_mend_that_this_container_takes(kind: str) -> None:
    with pytest.raises(ValueError, match=rf"x: a log scale needs min_value > 0, .* whose {kind} takes extra=\[0\]"):
        getattr(HyperParameters(), kind)("x", 0, 10, sampling="log")
    scale = {"low": 1, "high": 10, "scale": "log", "extra": [0]}
    assert SearchSpace([getattr(hptune, kind)(name="x", **scale)]).check({"x": 0}) is None
