"""`columns:` is scikit-learn's ColumnTransformer, its parts told apart by names and types."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from pydantic import TypeAdapter, ValidationError
from sklearn.compose import ColumnTransformer, make_column_selector
from sklearn.impute import SimpleImputer
from sklearn.linear_model import Ridge
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from hptune.models import model_from
from hptune.models.select import KINDS, Select, selected
from hptune.parameters import Choice, Fixed, Float, Int
from hptune.worker.problem import Problem
from tests.config.helpers import loaded, refused
from tests.models.houses import by_hand, findings, scores, setup

IMPUTE = "sklearn.impute.SimpleImputer"
SCALE = "sklearn.preprocessing.StandardScaler"
ENCODE = {"class": "sklearn.preprocessing.OneHotEncoder", "params": {"handle_unknown": "ignore"}}
NUM = {"select": "number", "with": {"pipeline": [{"impute": IMPUTE}, {"scale": {"choose": [SCALE, "passthrough"]}}]}}
CAT = {"select": ["colour", "city"], "with": ENCODE}


def model(*parts: dict[str, Any], **options: Any) -> dict[str, Any]:
    return {"pipeline": [{"prep": {"columns": list(parts), **options}}, {"ridge": "sklearn.linear_model.Ridge"}]}


def select(value: Any) -> Any:
    return TypeAdapter(Select).validate_python(value)


# -- which columns --------------------------------------------------------------------------------------------------

TABLE = pd.DataFrame(
    {
        "n": [1, 2],
        "f": [0.5, None],
        "I": pd.array([1, None], dtype="Int64"),
        "t": ["x", "y"],
        "o": pd.Series(["x", None], dtype=object),
        "s": pd.array(["a", None], dtype="string"),
        "c": pd.Categorical(["x", "y"]),
        "b": [True, False],
        "B": pd.array([True, None], dtype="boolean"),
        "d": pd.to_datetime(["2020-01-01", "2020-01-02"]),
        "z": pd.to_datetime(["2020-01-01", "2020-01-02"]).tz_localize("UTC"),
    }
)
OF_KIND = {"number": "nfI", "text": "tos", "category": "c", "boolean": "bB", "datetime": "dz"}


@pytest.mark.parametrize("kind", KINDS)
def test_a_kind_selects_every_pandas_type_of_it_and_no_other(kind: str) -> None:
    assert "".join(selected(select(kind), TABLE)) == OF_KIND[kind]


def test_every_column_is_of_exactly_one_kind() -> None:
    assert sorted("".join(OF_KIND.values())) == sorted(TABLE.columns)


@pytest.mark.parametrize(("one", "other"), list(itertools.combinations(KINDS, 2)))
def test_two_kinds_select_the_columns_of_both_in_the_tables_order(one: str, other: str) -> None:
    both = set(OF_KIND[one] + OF_KIND[other])
    assert selected(select({"dtype": [one, other]}), TABLE) == [name for name in TABLE.columns if name in both]


@pytest.mark.parametrize(
    ("value", "names"),
    [
        ("s", ["s"]),
        (["t", "n"], ["t", "n"]),
        ([0, 3], ["n", "t"]),
        ({"regex": "^[fd]$"}, ["f", "d"]),
        (["t", "gone"], ["t"]),
    ],
)
def test_names_positions_and_expressions_select(value: Any, names: list[str]) -> None:
    assert selected(select(value), TABLE) == names


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (3, "expected number, text, category, boolean, datetime, a column's name, a list of names"),
        ([], "at least 1"),
        ({"regex": "("}, "expected a regular expression, found '('"),
        ({"regex": "a(b|c)"}, "write (?:...) for"),
        ({"regex": "x{4294967295}"}, "it repeats or nests too much"),
        ({"regex": "(?:" * 5000 + ")" * 5000}, "it repeats or nests too much"),
        ({"dtype": ["float64"]}, "Input should be 'number'"),
        ([-1], "greater than or equal to 0"),
    ],
)
def test_a_bad_selection_is_refused(value: Any, said: str) -> None:
    with pytest.raises(ValidationError) as caught:
        select(value)
    assert said in str(caught.value)


# -- building -------------------------------------------------------------------------------------------------------


def hand_made(scale: Any, strategy: str, frequency: int | None, alpha: float) -> Any:
    number = Pipeline([("impute", SimpleImputer(strategy=strategy)), ("scale", scale)])
    encoder = OneHotEncoder(handle_unknown="ignore", min_frequency=frequency)
    parts = [("num", number, make_column_selector(dtype_include="number")), ("cat", encoder, ["colour", "city"])]
    return make_pipeline(ColumnTransformer(parts, remainder="passthrough"), Ridge(alpha=alpha))


@pytest.mark.parametrize(("name", "scale"), [("StandardScaler", StandardScaler()), ("passthrough", "passthrough")])
def test_a_study_scores_columns_as_the_same_estimator_built_by_hand(tmp_path: Path, name: str, scale: Any) -> None:
    asked = setup(tmp_path, model({"num": NUM}, {"cat": CAT}, remainder="passthrough"))
    values = {
        "prep.num.scale": name,
        "prep.num.impute.strategy": "median",
        "prep.cat.min_frequency": 20,
        "ridge.alpha": 2.0,
    }
    assert scores(asked, values) == pytest.approx(by_hand(asked, hand_made(scale, "median", 20, 2.0)), rel=1e-12)


def test_parts_may_be_dropped_kept_or_chosen_and_the_remainder_may_be_an_estimator(tmp_path: Path) -> None:
    parts = [
        {"num": {"select": "number", "with": {"choose": [SCALE, "drop"]}}},
        {"flag": {"select": "boolean", "with": "passthrough"}},
    ]
    problem = Problem(setup(tmp_path, model(*parts, remainder=ENCODE)))
    assert [one.path for one in problem.model.choices()] == ["prep.num"]
    X = problem.dataset.train.X
    widths = [
        problem.build(values).named_steps["prep"].fit_transform(X).shape[1]
        for values in ({}, {"prep.num": "drop"}, {"prep.num": "drop", "prep.remainder.drop": "first"})
    ]
    assert widths == [2 + 1 + 5, 1 + 5, 1 + 3]


def test_the_names_of_parts_are_part_of_the_paths() -> None:
    made = model_from(model({"num": NUM}, {"cat": CAT}))
    assert made.conditions_for("prep.num.scale.StandardScaler.with_mean") == [("prep.num.scale", "StandardScaler")]
    for path, said in (
        ("prep.nmu.impute.strategy", "no part 'nmu' in prep; did you mean 'num'?"),
        ("prep", "names columns; name a parameter of a part (num, cat)"),
        ("prep.remainder.x", "no part 'remainder'"),
    ):
        with pytest.raises(ValueError) as caught:
            made.conditions_for(path)
        assert said in str(caught.value)
    assert ("model.pipeline.0.prep.columns.1.cat.with.class", ENCODE["class"]) in made.imports()


def test_the_space_is_checked_against_the_estimators_inside(tmp_path: Path) -> None:
    space = (
        Choice(name="prep.num.impute.strategy", values=("mean", "modian")),
        Int(name="prep.cat.min_frequncy", low=1, high=9),
        Float(name="ridge.alpha", low=0.1, high=10),
    )
    found = findings(setup(tmp_path, model({"num": NUM}, {"cat": CAT}, remainder="drop"), *space))
    errors = {one.key: one.message for one in found if one.severity == "error"}
    assert set(errors) == {"space.prep.num.impute.strategy", "space.prep.cat.min_frequncy"}
    assert "did you mean 'min_frequency'?" in errors["space.prep.cat.min_frequncy"]


# -- the data -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("choice", "key", "said"),
    [
        (["colour", "ctiy"], "select.1", "the data has no column 'ctiy'; did you mean 'city'?"),
        ("numbers", "select.0", "the data has no column 'numbers'; did you mean 'number'?"),
        (["price"], "select.0", "no column 'price', for the model: data.target"),
        ([9], "select.0", "no column 9: the data has 5, counted from 0"),
    ],
)
def test_an_unknown_column_is_an_error_at_its_key(tmp_path: Path, choice: Any, key: str, said: str) -> None:
    parts = model({"num": NUM}, {"cat": {"select": choice, "with": ENCODE}}, remainder="drop")
    (found,) = [one for one in findings(setup(tmp_path, parts)) if one.severity == "error"]
    assert found.key == f"model.pipeline.0.prep.columns.1.cat.{key}"
    assert said in found.message


def test_columns_selected_twice_or_not_at_all_and_empty_parts_are_warnings(tmp_path: Path) -> None:
    again = {"select": {"regex": "^c"}, "with": ENCODE}
    when = {"select": "datetime", "with": "passthrough"}
    found = findings(setup(tmp_path, model({"num": NUM}, {"cat": CAT}, {"again": again}, {"when": when})))
    assert all(one.severity == "warning" for one in found)
    messages = [one.message for one in found]
    assert "column 'colour' goes through cat and again: it counts 2 times" in messages
    assert "selects no column of the data: nothing goes through when" in messages
    assert any(one.startswith("no part selects smoker: dropped; write `remainder: drop`") for one in messages)


def test_a_remainder_that_is_written_is_meant(tmp_path: Path) -> None:
    for remainder in ("drop", "passthrough"):
        assert findings(setup(tmp_path, model({"num": NUM}, {"cat": CAT}, remainder=remainder)), probe=True) == []


def test_no_column_left_is_an_error(tmp_path: Path) -> None:
    (found,) = [
        one
        for one in findings(setup(tmp_path, model({"when": {"select": "datetime", "with": "passthrough"}})))
        if one.severity == "error"
    ]
    assert found.message == "no column is left: every part selects none"


def test_an_array_has_positions_only(tmp_path: Path) -> None:
    np.savez(tmp_path / "d.npz", X=np.random.default_rng(0).normal(size=(30, 3)), y=np.arange(30.0))
    for choice, errors in (("number", 1), ([0, 2], 0), (["x0"], 1)):
        asked = setup(tmp_path, model({"num": {"select": choice, "with": SCALE}}, remainder="drop"))
        data = {"synthetic": {"kind": "sparse_linear", "n": 30, "d": 3, "informative": 2}}
        found = findings(type(asked)(**{**asked.__dict__, "data": data}))
        assert len([one for one in found if one.severity == "error"]) == errors, (choice, found)


# -- the grammar ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("parts", "said"),
    [
        ([{"a": NUM, "b": CAT}], "part 1: expected one `name: estimator`, found a, b"),
        ([{"a": NUM}, {"a": CAT}], "two parts are called 'a'"),
        ([{"remainder": NUM}], "its parameters would be those of `remainder:`"),
        ([{"a": {"select": "number"}}], "Field required"),
    ],
)
def test_bad_parts_are_refused(parts: list[Any], said: str) -> None:
    with pytest.raises(ValidationError) as caught:
        model_from(model(*parts))
    assert said in str(caught.value)


def test_a_step_cannot_be_dropped() -> None:
    with pytest.raises(ValidationError, match="for a step write passthrough"):
        model_from({"pipeline": [{"a": {"choose": ["drop", IMPUTE]}}, {"b": "sklearn.linear_model.Ridge"}]})


def test_a_dump_of_columns_gives_the_same_model_again() -> None:
    made = model_from(model({"num": NUM}, {"cat": CAT}, {"re": {"select": {"regex": "x"}, "with": "drop"}}))
    assert model_from(made.model_dump(mode="json")) == made


def test_nested_seeds_differ_by_part_and_follow_the_studys(tmp_path: Path) -> None:
    pca = {"class": "sklearn.decomposition.TruncatedSVD"}
    parts = model({"a": {"select": ["size"], "with": pca}}, {"b": {"select": ["age"], "with": pca}}, remainder="drop")
    prep = Problem(setup(tmp_path, parts, Fixed(name="prep.a.n_components", value=1))).build({}).named_steps["prep"]
    seeds = [one.random_state for _, one, _ in prep.transformers]
    assert all(isinstance(one, int) for one in seeds)
    assert seeds[0] != seeds[1]


@pytest.mark.parametrize("part", ["select: number, with: S", "with: S", "select: {dtype: [number]}, with: S"])
def test_a_part_without_a_name_is_told_once_with_the_mend(part: str) -> None:
    part = part.replace("S", "sklearn.preprocessing.StandardScaler")
    columns = f"model: {{pipeline: [{{prep: {{columns: [{{{part}}}]}}}}, {{ridge: sklearn.linear_model.Ridge}}]}}\n"
    (said,) = refused(f"{columns}data: {{train: a.csv, target: y}}\n")
    assert said.startswith(
        "c.yaml:1: model.pipeline[0].prep.columns[0]: a part without a name; give it one: `- numbers: {"
    )
    assert loaded(
        columns.replace(f"{{{part}}}", "{with: {select: x, with: passthrough}}") + "data: {train: a.csv, target: y}"
    )
