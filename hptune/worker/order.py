"""Whether rows that are taken for a series in time are in its order, as far as a column of dates tells."""

from __future__ import annotations

import warnings
from typing import Any, Final

import numpy as np

from hptune.job import Finding
from hptune.worker.columns import few
from hptune.worker.problem import Problem

LOOKED_AT: Final = 20_000
"""So many rows, from all of the table alike, are looked at: what rises, does so in them."""
READ: Final = 0.9
"""A column of which a smaller share can be read as dates tells nothing."""


def check_order(problem: Problem) -> list[Finding]:
    """Return a warning where the order of the rows counts, the table has dates, and none of them rises with the rows.

    Dropped columns count too. One that rises is enough: the others may be dates of birth.
    """
    dates = problem.dataset.dates
    if not dates or problem.setup.outer is not None or any(rises(column) for column in dates.values()):
        return []
    in_order = problem.cv.in_order
    what = problem.cv.type if in_order else "a holdout of the last rows"
    mend = "sort the table by the time of its rows" + ("" if in_order else ", or write `holdout: {shuffle: true}`")
    found = f"no column of dates ({few(list(dates))}) rises with them"
    message = f"{what} takes the rows for the order of time, but {found}; {mend}"
    return [Finding(key="evaluate.cv" if in_order else "data.holdout", message=message, severity="warning")]


def rises(column: Any) -> bool:
    """Return whether a column (a Series) of dates never falls, in one way to read them; true where nobody knows."""
    import pandas as pd

    rows = len(column)
    some = column if rows <= LOOKED_AT else column.iloc[np.linspace(0, rows - 1, LOOKED_AT).astype(np.intp)]
    if pd.api.types.is_datetime64_any_dtype(some.dtype):
        return bool(some.dropna().is_monotonic_increasing)
    texts = some.dropna().astype(str).str.strip()
    if bool(texts.is_monotonic_increasing):
        return True  # ISO, which need not be read
    known = False
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # pandas' advice on formats
        for dayfirst in (False, True):
            read = pd.to_datetime(texts, format="mixed", dayfirst=dayfirst, errors="coerce", utc=True).dropna()
            known = known or len(read) >= READ * len(some)
            if bool(read.is_monotonic_increasing):
                return True
    return not known
