"""From a table with named columns to rows: which column is the target, which are groups, weights and features.

What every kind of data that is a table shares (CSV, Parquet, a function that returns a DataFrame).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pydantic import Field

from hptune.data.arrays import cells_of_several, checked_weights
from hptune.data.dtypes import ordinary, several
from hptune.dataset import DataSpec, Rows, bad
from hptune.errors import ConfigError, Problem, did_you_mean

if TYPE_CHECKING:
    import pandas as pd


class TableData(DataSpec):
    """The options of all tables; a kind adds where the table comes from (and whether `target` may be left out)."""

    target: str | None = Field(default=None, min_length=1)
    """The column to predict."""
    groups: str | None = None
    """The column that says which rows belong together (a patient's, a day's); it is no feature."""
    weights: str | None = None
    """The column of sample weights, from 0 up; it is no feature."""
    drop: list[str] = Field(default_factory=list)
    """Columns that are no features."""

    def rows(self, table: pd.DataFrame, source: str, aside: Sequence[str], *, first_line: int | None = None) -> Rows:
        """Return the rows of a table; raises `ConfigError` at the key that goes with what cannot be used.

        `source` is what messages call the table; `first_line` is the line in which its first row stands.
        """
        return _Reading(self, table, source, first_line).rows(aside)


@dataclass(frozen=True)
class _Reading:
    """One reading of a table."""

    spec: TableData
    table: pd.DataFrame
    source: str
    first_line: int | None

    @property
    def key(self) -> str:
        return "data.function" if "function" in type(self.spec).model_fields else "data.train"

    def rows(self, aside: Sequence[str]) -> Rows:
        spec = self.spec
        self._check_names()
        assert spec.target is not None
        named = [("data.target", spec.target)]
        named += [(f"data.{k}", n) for k, n in (("groups", spec.groups), ("weights", spec.weights)) if n is not None]
        named += [(f"data.drop.{number}", name) for number, name in enumerate(spec.drop)]
        named += [("evaluate.cv.column", name) for name in aside]
        wrong = []
        for key, name in named:
            if name not in self.table.columns:
                wrong.append(Problem(key=key, message=self._no_column(name)))
            elif key != "data.target" and name == spec.target:
                wrong.append(Problem(key=key, message=f"{name!r} is the target already; name another column"))
        if wrong:
            raise ConfigError(wrong)
        X = self.table.drop(columns=list(dict.fromkeys(name for _, name in named)))
        if X.shape[1] == 0:
            listed = ", ".join(dict.fromkeys(name for _, name in named))
            raise bad(self.key, f"{self.source} has no features: no column beside {listed}")
        self._check_cells(X)
        from hptune.worker.cells import days  # a config is loaded without the worker

        weights = None if spec.weights is None else self._complete("data.weights", spec.weights)
        return Rows(
            X=ordinary(X),
            y=self._target(spec.target),
            groups=None if spec.groups is None else self._complete("data.groups", spec.groups),
            weights=None if weights is None else checked_weights(weights, "data.weights", repr(spec.weights)),
            aside={name: self._complete("evaluate.cv.column", name) for name in aside},
            dates={str(name): one for name, one in self.table.items() if name != spec.target and days(one)},
        )

    def _check_names(self) -> None:
        names = [str(name) for name in self.table.columns]
        if len(set(names)) < len(names):
            twice = next(name for number, name in enumerate(names) if name in names[:number])
            raise bad(self.key, f"{self.source} has two columns called {twice!r}; rename one")
        if len(self.table) == 0:
            raise bad(self.key, f"{self.source} has columns and no rows")

    def _check_cells(self, X: pd.DataFrame) -> None:
        """Raise `ConfigError` for columns whose cells are no single values."""
        if found := cells_of_several(X):
            drops = ", ".join(dict.fromkeys([*self.spec.drop, *found]))
            mend = f"`drop: [{drops}]`, or a column for each of their values"
            raise bad(self.key, f"{self.source}: {' and '.join(found.values())}, expected one value a cell; {mend}")

    def _no_column(self, name: str) -> str:
        columns = [str(column) for column in self.table.columns]
        listed = ", ".join(columns[:12]) + (f", ... ({len(columns)} in all)" if len(columns) > 12 else "")
        hint = did_you_mean(name, columns) or f"; its columns are {listed}"
        return f"{self.source} has no column {name!r}{hint}"

    def _target(self, name: str) -> Any:
        """Return y as a plain array: numbers, booleans, or text as objects."""
        import pandas as pd

        column = self.table[name]
        if bool(column.isna().all()):
            raise bad("data.target", f"every value of {name!r} is missing")
        if pd.api.types.is_datetime64_any_dtype(column.dtype):
            raise bad("data.target", f"{name!r} holds dates, expected numbers or classes; make numbers of them")
        return self._complete("data.target", name)

    def _complete(self, key: str, name: str) -> Any:
        """Return a column as a plain array; raises `ConfigError` where a value is missing or infinite."""
        import numpy as np
        import pandas as pd

        column = ordinary(self.table[[name]])[name]
        if found := several(column):
            raise bad(key, f"{name!r} holds {found}, expected one value a row")
        missing = column.isna().to_numpy().nonzero()[0]
        if len(missing):
            listed = ", ".join(str(number + (self.first_line or 0)) for number in missing[:5])
            listed += ", ..." if len(missing) > 5 else ""
            plural = "s" if len(missing) > 1 else ""
            where = f"row{plural}, counted from 0:" if self.first_line is None else f"line{plural}"
            raise bad(
                key, f"{name!r} is missing in {len(missing)} of {len(column)} rows ({where} {listed}); remove these"
            )
        numeric = pd.api.types.is_numeric_dtype(column.dtype) or pd.api.types.is_bool_dtype(column.dtype)
        # pandas' own nullable types name the plain one that holds them once nothing is missing.
        plain = getattr(column.dtype, "numpy_dtype", None) if numeric else object
        values: Any = column.to_numpy(dtype=plain)
        if values.dtype.kind == "f" and key != "data.groups" and not np.isfinite(values).all():
            raise bad(key, f"{name!r} holds infinite values")
        return values
