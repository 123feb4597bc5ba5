"""Parquet, npz and functions: what they hold becomes rows, and what cannot be used is refused at its key."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from hptune.data import data_from
from hptune.dataset import Rows
from hptune.errors import ConfigError


def read(data: dict[str, Any], folder: Path, aside: tuple[str, ...] = (), function: Any = None) -> Rows:
    return data_from(data).read(str(folder), aside, lambda name, **_: function)


def refused(data: dict[str, Any], folder: Path, aside: tuple[str, ...] = (), function: Any = None) -> tuple[str, str]:
    with pytest.raises(ConfigError) as caught:
        read(data, folder, aside, function)
    (problem,) = caught.value.problems
    return problem.key, problem.message


# -- parquet --------------------------------------------------------------------------------------------------------

PARQUET = {"train": "t.parquet", "target": "y"}


def table() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "number": [1.5, None, 3.0],
            "flag": [True, False, True],
            "size": pd.Categorical(["s", "m", "s"], categories=["s", "m", "l"], ordered=True),
            "when": pd.to_datetime(["2020-01-01", "2020-01-02", "2020-01-03"]),
            "count": pd.array([1, None, 3], dtype="Int64"),
            "y": pd.Categorical(["no", "yes", "no"]),
        }
    )


def test_parquet_keeps_types(tmp_path: Path) -> None:
    table().to_parquet(tmp_path / "t.parquet")
    rows = read(PARQUET, tmp_path)
    assert [str(dtype) for dtype in rows.X.dtypes[:3]] == ["float64", "bool", "category"]
    assert rows.X["size"].cat.categories.tolist() == ["s", "m", "l"]
    assert (rows.y.dtype, rows.y.tolist()) == (object, ["no", "yes", "no"])
    assert rows.notes == ()


@pytest.mark.parametrize(
    ("options", "key", "said"),
    [
        ({"target": "when"}, "data.target", "'when' holds dates, expected numbers or classes"),
        ({"target": "number"}, "data.target", "missing in 1 of 3 rows (row, counted from 0: 1)"),
        ({"target": "z"}, "data.target", "t.parquet has no column 'z'"),
        ({"train": "u.parquet"}, "data.train", "did you mean 't.parquet'?"),
    ],
)
def test_a_parquet_file_is_refused_at_its_key(tmp_path: Path, options: dict[str, str], key: str, said: str) -> None:
    table().to_parquet(tmp_path / "t.parquet")
    found, message = refused({**PARQUET, **options}, tmp_path)
    assert found == key
    assert said in message


def test_what_is_no_parquet_and_a_missing_pyarrow_are_told_in_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "t.parquet").write_text("a,y\n1,2\n")
    assert "cannot be read as Parquet" in refused(PARQUET, tmp_path)[1]
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    assert refused(PARQUET, tmp_path) == (
        "data.train",
        "reading t.parquet needs pyarrow: python -m pip install 'hptune[parquet]'",
    )


# -- npz ------------------------------------------------------------------------------------------------------------

X, Y = np.arange(6.0).reshape(3, 2), np.array([0, 1, 0])


def npz(folder: Path, **arrays: Any) -> dict[str, Any]:
    np.savez(folder / "t.npz", **arrays)
    return {"train": "t.npz"}


def test_npz_holds_x_y_and_takes_groups_and_weights_where_there_are_some(tmp_path: Path) -> None:
    rows = read(npz(tmp_path, X=X, y=np.array(["p", "q", "p"])), tmp_path)
    assert (rows.X.tolist(), rows.y.tolist(), rows.y.dtype) == (X.tolist(), ["p", "q", "p"], object)
    assert rows.groups is rows.weights is None
    full = npz(tmp_path, X=X, y=Y, t=-Y, groups=[1, 1, 2], weights=[1, 2, 3], w=[3, 2, 1], fold=[0, 1, 0])
    rows = read(full, tmp_path, aside=("fold",))
    assert (rows.groups.tolist(), rows.weights.tolist(), rows.aside["fold"].tolist()) == (
        [1, 1, 2],
        [1, 2, 3],
        [0, 1, 0],
    )
    rows = read({**full, "weights": "w", "target": "t"}, tmp_path)
    assert (rows.weights.tolist(), rows.y.tolist()) == ([3, 2, 1], [0, -1, 0])


@pytest.mark.parametrize(
    ("arrays", "options", "key", "said"),
    [
        ({"X": X, "yy": Y}, {}, "data.target", "no array 'y', it holds X, yy; did you mean 'yy'?"),
        ({"data": X, "y": Y}, {}, "data.train", "write it with numpy.savez(path, X=X, y=y)"),
        ({"X": X, "y": Y}, {"weights": "w"}, "data.weights", "no array 'w'"),
        ({"X": X[0], "y": Y}, {}, "data.train", "expected X of shape (rows, features), found (2,)"),
        ({"X": X, "y": Y[:2]}, {}, "data.train", "X has 3 rows, y 2"),
        ({"X": X, "y": Y[:, None]}, {}, "data.train", "found (3, 1); use y.ravel()"),
        ({"X": X, "y": [0, np.nan, 1]}, {}, "data.train", "y is missing in 1 of 3 rows (1)"),
        ({"X": X, "y": [0, np.inf, 1]}, {}, "data.train", "y holds infinite values"),
        ({"X": X.astype(str), "y": Y}, {}, "data.train", "expected numbers in X"),
        ({"X": X, "y": Y, "weights": [1, -1, 1]}, {}, "data.train", "weights: expected weights from 0 up, found -1"),
        (
            {"X": X.astype(object), "y": Y},
            {},
            "data.train",
            "it holds Python objects (pickles), which are not loaded",
        ),
    ],
)
def test_an_npz_file_is_refused_at_its_key(
    tmp_path: Path, arrays: dict[str, Any], options: dict[str, str], key: str, said: str
) -> None:
    found, message = refused({**npz(tmp_path, **arrays), **options}, tmp_path)
    assert found == key
    assert said in message


def test_what_is_no_npz_is_refused(tmp_path: Path) -> None:
    (tmp_path / "t.npz").write_bytes(b"PK\x03\x04 cut off")
    assert "cannot be read as npz" in refused({"train": "t.npz"}, tmp_path)[1]
    np.save(tmp_path / "t.npy", X)
    (tmp_path / "t.npy").replace(tmp_path / "t.npz")
    assert "holds a single array" in refused({"train": "t.npz"}, tmp_path)[1]


# -- functions ------------------------------------------------------------------------------------------------------

FUNCTION = {"function": "pkg.mod:load"}
FRAME = pd.DataFrame({"a": [1, 2, 3], "g": ["u", "u", "v"], "y": ["p", "q", "p"]})


@pytest.mark.parametrize(
    ("returned", "options"),
    [
        ((FRAME[["a"]], FRAME["y"]), {}),
        ({"X": FRAME[["a"]], "y": ["p", "q", "p"], "groups": list("uuv"), "weights": [1, 2, 3]}, {}),
        (FRAME, {"target": "y", "drop": ["g"]}),
        (FRAME.set_index([[7, 8, 9]]), {"target": "y", "groups": "g"}),
    ],
)
def test_a_function_returns_a_pair_a_dict_or_a_dataframe(tmp_path: Path, returned: Any, options: Any) -> None:
    rows = read({**FUNCTION, **options}, tmp_path, function=lambda: returned)
    assert (rows.X["a"].tolist(), rows.y.tolist(), rows.y.dtype) == ([1, 2, 3], ["p", "q", "p"], object)
    assert rows.take([2]).X["a"].tolist() == [3]
    assert list(rows.X.columns) == ["a"]


def test_a_function_is_called_with_its_arguments_and_asked_for_leave(tmp_path: Path) -> None:
    data = data_from({**FUNCTION, "arguments": {"n": 4}})
    assert data.imports() == [("data.function", "pkg.mod:load")]
    rows = data.read(str(tmp_path), (), lambda name, **_: lambda n: (np.ones((n, 2)), np.arange(n)))
    assert len(rows) == 4


def raising() -> None:
    raise OSError("no such table")


@pytest.mark.parametrize(
    ("function", "options", "key", "said"),
    [
        (raising, {}, "data.function", "pkg.mod:load raised OSError: no such table ("),
        (lambda: 3, {}, "data.function", "expected (X, y), a dict with X and y, or a DataFrame, found int"),
        (lambda: (X, Y, Y), {}, "data.function", "found tuple of 3"),
        (lambda: FRAME, {}, "data.target", "a column of the DataFrame: one of a, g, y"),
        (lambda: {"X": X}, {}, "data.function", "returned no 'y'"),
        (lambda: {"X": X, "y": Y, "weight": Y}, {}, "data.function", "unknown key 'weight'; did you mean 'weights'?"),
        (lambda: (X, Y), {"target": "y"}, "data.target", "returns arrays; leave it out"),
        (lambda: (X, Y), {"arguments": {"n": 1}}, "data.function", "raised TypeError"),
    ],
)
def test_what_a_function_returns_is_refused_at_its_key(
    tmp_path: Path, function: Callable[[], Any], options: dict[str, Any], key: str, said: str
) -> None:
    found, message = refused({**FUNCTION, **options}, tmp_path, function=function)
    assert found == key
    assert said in message
