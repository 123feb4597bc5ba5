"""What cells look like, however a table keeps them."""

from __future__ import annotations

import datetime
from typing import Any

import pandas as pd
import pytest

from hptune.worker.cells import dates

DAYS = ["2024-01-31", "2024-02-01", None]


@pytest.mark.parametrize(
    ("column", "found"),
    [
        (pd.Series(DAYS), True),
        (pd.Series(DAYS, dtype="category"), True),
        (pd.Series([datetime.date(2024, 1, 31), datetime.date(2024, 2, 1), None]), True),
        (pd.Series(pd.to_datetime(["2024-01-31", "2024-02-01"])), True),
        (pd.Series(["a", "b"], dtype="category"), False),
        (pd.Series([1, 2], dtype="category"), False),
        (pd.Series(["08 Jul 2020", "31 December 2021 10:30", None]), True),
        (pd.Series(["July 08, 2020", "Sept. 1st, 2021"]), True),
        (pd.Series(["08-Jul-20", "9-aug-21"]), True),
        (pd.Series(["2020-07", "2021-12", None]), True),
        (pd.Series(["2020-13", "2021-12"]), False),
        (pd.Series(["9:30", "21:05:10", "09:30 PM"]), True),
        (pd.Series(["2-1", "10-7"]), False),
        (pd.Series(["May 5 people", "12 marbles 2020"]), False),
        (pd.Series([1.0, 2.0]), False),
        (pd.Series([None, None]), False),
    ],
)
def test_dates_are_known_however_they_are_kept(column: Any, found: bool) -> None:
    assert dates(column) is found
