"""Rows that are taken for a series in time although the table's dates do not rise."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from hptune.job import Finding
from hptune.worker.cells import dates, days
from hptune.worker.order import LOOKED_AT, check_order, rises
from hptune.worker.problem import Problem
from tests.worker.problems import RIDGE, setup

DAYS = pd.date_range("2023-11-25", periods=40)
SERIES = {"cv": {"type": "time_series", "folds": 3}}
LAST = {"fraction": 0.2, "shuffle": False}


def found(folder: Path, evaluate: dict[str, Any], columns: dict[str, Any], **data: Any) -> list[Finding]:
    table = pd.DataFrame({"x": np.arange(80) % 7, **columns, "y": np.arange(80) % 11})
    table.to_csv(folder / "t.csv", index=False)
    problem = Problem(setup(RIDGE, {"train": "t.csv", "target": "y", **data}, evaluate, folder=str(folder)))
    return check_order(problem)


BY_SHOP = {"date": np.tile(DAYS.strftime("%Y-%m-%d"), 2)}
BY_DAY = {"date": np.repeat(DAYS.strftime("%Y-%m-%d"), 2)}


@pytest.mark.parametrize("data", [{}, {"drop": ["date"]}, {"groups": "date"}])
def test_a_time_series_by_shop_is_a_warning_and_one_by_day_is_none(data: dict[str, Any], tmp_path: Path) -> None:
    (one,) = found(tmp_path, SERIES, BY_SHOP, **data)
    assert (one.key, one.severity) == ("evaluate.cv", "warning")
    assert one.message == (
        "time_series takes the rows for the order of time, but no column of dates (date) rises with them; sort the "
        "table by the time of its rows"
    )
    assert found(tmp_path, SERIES, BY_DAY, **data) == []


def test_a_holdout_of_the_last_rows_is_told_of_and_rows_without_an_order_are_not(tmp_path: Path) -> None:
    (one,) = found(tmp_path, {"cv": 3}, BY_SHOP, holdout=LAST)
    assert one.key == "data.holdout"
    assert one.message.endswith("or write `holdout: {shuffle: true}`")
    assert found(tmp_path, {"cv": 3}, BY_SHOP, holdout={"fraction": 0.2}) == []
    assert found(tmp_path, {"cv": 3}, BY_SHOP) == []


def test_one_column_of_dates_that_rises_is_enough_and_times_of_day_are_none(tmp_path: Path) -> None:
    assert found(tmp_path, SERIES, {"born": BY_SHOP["date"], **BY_DAY}) == []
    clock = np.tile([f"{hour}:30" for hour in range(20)], 4)
    assert found(tmp_path, SERIES, {"clock": clock}) == []
    assert dates(pd.Series(clock))
    assert not days(pd.Series(clock))


@pytest.mark.parametrize("form", ["%Y-%m-%d", "%d/%m/%Y", "%m/%d/%Y", "%d.%m.%Y", "%d %b %Y", "%Y-%m-%d %H:%M"])
def test_dates_rise_however_they_are_written(form: str) -> None:
    column = pd.Series(DAYS.strftime(form))
    assert days(column)
    assert rises(column)
    assert not rises(column[::-1])
    assert not rises(pd.concat([column, column]))
    assert rises(pd.Series(DAYS))
    assert not rises(pd.Series(DAYS[::-1]))


def test_of_a_long_table_some_rows_tell() -> None:
    long = pd.Series(pd.date_range("1950-01-01", periods=3 * LOOKED_AT, freq="h").strftime("%d/%m/%Y %H:%M"))
    assert rises(long)
    assert not rises(pd.concat([long, long]))
