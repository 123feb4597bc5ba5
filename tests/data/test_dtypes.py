"""Columns of the types that pandas has beside NumPy's become what scikit-learn takes."""

from __future__ import annotations

import subprocess
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from hptune import cli
from hptune.data import data_from
from hptune.data.dtypes import changes, ordinary
from hptune.dataset import Dataset, Rows
from hptune.errors import ConfigError
from hptune.models.select import selected
from hptune.worker.columns import Columns

ROWS = 60
COLOURS = ["red", "blue"] * (ROWS // 2)

CONFIG = """\
name: shades
data: {function: "shades:load", target: y, holdout: {fraction: 0.2}}
model:
  pipeline:
    - prep:
        columns:
          - num: {select: {dtype: [number, boolean]}, with: sklearn.impute.SimpleImputer}
          - txt:
              select: {dtype: [text, category]}
              with:
                pipeline:
                  - impute: {class: sklearn.impute.SimpleImputer, params: {strategy: most_frequent}}
                  - encode: {class: sklearn.preprocessing.OneHotEncoder, params: {handle_unknown: ignore}}
    - classifier: sklearn.linear_model.LogisticRegression
space: {classifier.C: {type: float, min: 1e-3, max: 100, scale: log}}
evaluate: {cv: 2}
oracle: {type: random}
budget: {trials: 2}
executor: {type: serial}
output: {dir: run}
"""


def numbers() -> pd.DataFrame:
    rng = np.random.default_rng(0)
    table = pd.DataFrame({"size": rng.normal(size=ROWS)})
    return table.assign(y=(table["size"] + rng.normal(0, 0.3, ROWS) > 0).astype(int))


def lacking(dtype: str) -> pd.DataFrame:
    """Return a table whose column `c` is of this type and lacks a cell."""
    values: Any = [colour == "red" for colour in COLOURS] if dtype == "boolean" else COLOURS
    column = pd.Series(values, dtype=dtype)
    column[3] = pd.NA
    return numbers().assign(c=column)


def loaded(table: Any, **data: Any) -> Dataset:
    spec = data_from({"function": "pkg.mod:load", **data})
    return spec.load("", seed=0, task=lambda y: "classification", importer=lambda name, **_: lambda: table)


def read(table: Any, **data: Any) -> Rows:
    return data_from({"function": "pkg.mod:load", **data}).read("", (), lambda name, **_: lambda: table)


# -- missing cells --------------------------------------------------------------------------------------------------

LACKING = ("string", "object", "boolean", "category")


@pytest.mark.parametrize("dtype", LACKING)
def test_data_with_pd_na_have_a_hash_that_tells_the_cell_that_is_missing(dtype: str) -> None:
    table = lacking(dtype)
    other = table.assign(c=table["c"].iloc[::-1].to_numpy())
    assert loaded(table, target="y").hash == loaded(table.copy(), target="y").hash != loaded(other, target="y").hash


@pytest.mark.parametrize("dtype", ["string", "object"])
def test_text_and_objects_lack_nan_whatever_the_function_returns(dtype: str) -> None:
    table = lacking(dtype)
    for rows in (read(table, target="y"), read((table[["size", "c"]], table["y"]))):
        missing = rows.X["c"].iloc[3]
        assert isinstance(missing, float)
        assert np.isnan(missing)
        assert rows.X["c"].drop(3).tolist() == table["c"].drop(3).tolist()
    assert table["c"].iloc[3] is pd.NA  # the caller's own table


def test_what_is_ordinary_stays_what_it_is() -> None:
    table = lacking("category").assign(t=COLOURS, o=pd.Series([None, 1] * (ROWS // 2), dtype=object))
    assert changes(table) == {}
    assert ordinary(table).dtypes.tolist() == table.dtypes.tolist()


@pytest.mark.parametrize("dtype", LACKING)
def test_a_study_runs_and_predicts_with_cells_of_pd_na(
    dtype: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.delitem(sys.modules, "shades", raising=False)
    lacking(dtype).to_pickle("shades.pkl")
    Path("shades.py").write_text(
        f"import pandas as pd\ndef load(): return pd.read_pickle({str(tmp_path)!r} + '/shades.pkl')\n"
    )
    Path("study.yaml").write_text(CONFIG)
    assert cli.invoke(["run", "study.yaml", "-q"]) == 0
    lacking(dtype).to_csv("new.csv", index=False)
    assert cli.invoke(["predict", "run", "new.csv"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == ROWS + 1


def test_the_script_that_is_exported_reads_parquet_as_hptune_did(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("pyarrow")
    monkeypatch.chdir(tmp_path)
    lacking("string").to_parquet("shades.parquet")
    Path("study.yaml").write_text(CONFIG.replace('function: "shades:load"', "train: shades.parquet"))
    assert cli.invoke(["run", "study.yaml", "-q"]) == 0
    exported_script_runs()


def exported_script_runs() -> None:
    assert cli.invoke(["export", "run", "--out", "winner.py"]) == 0
    done = subprocess.run([sys.executable, "winner.py"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout.splitlines()[-1]) == (0, "fitted to 48 rows"), done.stderr


# -- Arrow's text ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["string", "large_string"])
def test_text_of_arrows_type_is_text(kind: str) -> None:
    arrow = pytest.importorskip("pyarrow")
    column = pd.Series(COLOURS, dtype=pd.ArrowDtype(getattr(arrow, kind)()))
    whole, lacking = column.copy(), column.copy()
    lacking[3] = pd.NA
    rows = read(numbers().assign(c=whole, d=lacking), target="y")
    assert selected("text", rows.X) == ["c", "d"]
    assert rows.X["d"].isna().tolist() == [number == 3 for number in range(ROWS)]
    assert rows.X["c"].tolist() == COLOURS


def test_nothing_is_said_of_text_and_numbers_that_arrow_holds() -> None:
    arrow = pytest.importorskip("pyarrow")
    words = np.random.default_rng(1).choice(COLOURS[:2], ROWS)
    table = numbers().assign(c=pd.Series(words, dtype=pd.ArrowDtype(arrow.string())))
    for rows in (read(table, target="y"), read(table.convert_dtypes(dtype_backend="pyarrow"), target="y")):
        assert Columns(rows.X, rows.y, np.arange(ROWS), classes=True).remarks() == []


# -- decimals -------------------------------------------------------------------------------------------------------


def priced() -> pd.DataFrame:
    """Return a table with a feature, `c`, and a target, `price`, of decimals, as databases have them."""
    table = numbers()
    table["c"] = [None, *(Decimal(str(round(size, 2))) for size in table["size"][1:])]
    return table.assign(price=[Decimal(number) / 4 for number in range(ROWS)])


def test_decimals_are_numbers_as_a_feature_a_target_and_weights() -> None:
    table = priced()
    rows = read(table.assign(w=table["price"]), target="price", weights="w")
    assert str(rows.X["c"].dtype) == str(rows.y.dtype) == str(rows.weights.dtype) == "float64"
    assert rows.y[:3].tolist() == [0, 0.25, 0.5]
    assert rows.X["c"].isna().sum() == 1
    again = read((table[["c"]], table["price"]))
    assert again.X["c"].equals(rows.X["c"])
    assert again.y.tolist() == rows.y.tolist()


def test_decimals_among_words_stay_what_they_are() -> None:
    rows = read(numbers().assign(c=[Decimal(1), "none"] * (ROWS // 2)), target="y")
    assert rows.X["c"].tolist()[:2] == [Decimal(1), "none"]


def test_a_script_that_is_exported_reads_decimals_as_numbers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("pyarrow")
    monkeypatch.chdir(tmp_path)
    priced().to_parquet("prices.parquet")
    data = "{train: prices.parquet, target: price, holdout: {fraction: 0.2}}"
    text = CONFIG.replace('{function: "shades:load", target: y, holdout: {fraction: 0.2}}', data)
    text = text.replace("classifier", "regressor").replace("LogisticRegression", "Ridge").replace(".C:", ".alpha:")
    Path("study.yaml").write_text(text)
    assert cli.invoke(["run", "study.yaml", "-q"]) == 0
    exported_script_runs()


# -- cells that hold several values ---------------------------------------------------------------------------------


def refused(table: Any, **data: Any) -> tuple[str, str]:
    with pytest.raises(ConfigError) as caught:
        read(table, **data)
    (problem,) = caught.value.problems
    return problem.key, problem.message


def test_a_column_of_arrays_is_named_with_the_mend() -> None:
    table = numbers().assign(name=COLOURS, emb=[None, *(np.ones(8) for _ in range(ROWS - 1))])
    key, message = refused(table, target="y", drop=["name"])
    assert key == "data.function"
    assert "'emb' holds arrays of 8, expected one value a cell; `drop: [name, emb]`, or a column" in message
    assert (
        "'emb' holds arrays of 8, expected one value a cell; make a column of each"
        in refused((table[["size", "emb"]], table["y"]))[1]
    )
    assert refused(table, target="emb") == ("data.target", "'emb' holds arrays of 8, expected one value a row")
    assert "'l' holds lists of 2" in refused(table[["size", "y"]].assign(l=[[1, 2]] * ROWS), target="y")[1]
    assert read(table, target="y", drop=["name", "emb"]).feature_names == ("size",)


def test_lists_in_parquet_are_arrays_too(tmp_path: Path) -> None:
    pytest.importorskip("pyarrow")
    numbers().assign(emb=[[0.5, 1.0]] * ROWS).to_parquet(tmp_path / "t.parquet")
    with pytest.raises(ConfigError, match=r"'emb' holds arrays of 2, .*; `drop: \[emb\]`"):
        data_from({"train": "t.parquet", "target": "y"}).read(str(tmp_path), ())
