"""The types of a table's columns as scikit-learn takes them: what pandas knows more of is put into those."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    import pandas as pd

Change = Literal["nan", "float"]
"""What is made of a column.

nan: text and objects whose missing cells are pd.NA, which the encoders and imputers refuse there, get NaN; text of
Arrow's type, which pandas does not count as text, becomes such text.
float: decimals, which else count as words, as Parquet files have them from databases.
"""


def changes(table: pd.DataFrame) -> dict[int, Change]:
    """Return what is made of the columns that cannot stay as they are, by their positions."""
    found = {number: _change(table.iloc[:, number]) for number in range(table.shape[1])}
    return {number: change for number, change in found.items() if change is not None}


def ordinary(table: pd.DataFrame) -> pd.DataFrame:
    """Return the table with these changes made; the one handed in stays as it is."""
    import pandas as pd

    out = table.copy(deep=False)
    for number, change in changes(table).items():
        cells = table.iloc[:, number].to_numpy(object, na_value=float("nan"))
        # Of a new Series, whose type is that which this pandas gives to text: `str` or object.
        out.isetitem(number, cells.astype(float) if change == "float" else pd.Series(cells).array)
    return out


def decimals(cells: Iterable[Any]) -> bool:
    """Return whether these are decimals, other numbers perhaps among them."""
    kinds = {type(one) for one in cells}
    return Decimal in kinds and kinds <= {Decimal, int, float}


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
    if isinstance(column.dtype, pd.ArrowDtype) and column.dtype.type is str:
        return "nan"
    if getattr(column.dtype, "type", None) is Decimal or (column.dtype == object and decimals(column.dropna())):
        return "float"
    if column.dtype == object and any(one is pd.NA for one in column[column.isna()]):
        return "nan"
    return None
