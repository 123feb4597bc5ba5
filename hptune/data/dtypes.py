"""The types of a table's columns as scikit-learn takes them: what pandas knows more of is put into those."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    import pandas as pd

Change = Literal["nan"]
"""nan: text and objects whose missing cells are pd.NA, which the encoders and imputers refuse there, get NaN."""


def changes(table: pd.DataFrame) -> dict[int, Change]:
    """Return what is made of the columns that cannot stay as they are, by their positions."""
    found = {number: _change(table.iloc[:, number]) for number in range(table.shape[1])}
    return {number: change for number, change in found.items() if change is not None}


def ordinary(table: pd.DataFrame) -> pd.DataFrame:
    """Return the table with these changes made; the one handed in stays as it is."""
    import pandas as pd

    out = table.copy(deep=False)
    for number in changes(table):
        column = table.iloc[:, number]
        # Of a new Series, whose type is that which this pandas gives to such cells: `str` or object.
        out.isetitem(number, pd.Series(column.to_numpy(object, na_value=float("nan"))).array)
    return out


def several(column: pd.Series[Any]) -> str:
    """Return in words what the first cell with more than one value holds ("arrays of 8"), "" without one.

    An embedding, a list or struct in Parquet: nothing that could be hashed or encoded.
    """
    import numpy as np

    kinds = {np.ndarray: "arrays", list: "lists", dict: "dicts", set: "sets"}
    for one in column if column.dtype == object else ():
        if type(one) in kinds:
            return f"{kinds[type(one)]} of {np.size(one) if isinstance(one, np.ndarray) else len(one)}"
    return ""


def _change(column: pd.Series[Any]) -> Change | None:
    import pandas as pd

    if isinstance(column.dtype, pd.StringDtype):
        return "nan" if column.dtype.na_value is pd.NA else None
    if column.dtype == object and any(one is pd.NA for one in column[column.isna()]):
        return "nan"
    return None
