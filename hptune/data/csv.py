"""`data: {train: data/train.csv, target: progression}`: a table in a CSV file, plain or compressed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import Field

from hptune.dataset import DataSpec, Rows, bad, resolved
from hptune.errors import did_you_mean

if TYPE_CHECKING:
    import pandas as pd

SUFFIXES = (".csv", ".csv.gz", ".csv.bz2", ".csv.xz", ".csv.zip", ".tsv", ".tsv.gz")


class CsvData(DataSpec):
    """A CSV file with a header line. Columns keep their types; empty cells are missing values."""

    key: ClassVar[str] = "csv"

    train: str = Field(min_length=1)
    """The file, relative to the config: .csv or .tsv, compressed if it ends in .gz, .bz2, .xz or .zip."""
    target: str = Field(min_length=1)
    """The column to predict."""
    groups: str | None = None
    """The column that says which rows belong together (a patient's, a day's); it is no feature."""
    drop: list[str] = Field(default_factory=list)
    """Columns that are no features."""
    separator: str | None = Field(default=None, min_length=1, max_length=1)
    """What stands between two cells: by default a comma, in .tsv files a tab."""

    @classmethod
    def claims(cls, data: Mapping[str, Any]) -> bool:
        train = data.get("train")
        return isinstance(train, str) and train.lower().endswith(SUFFIXES)

    def read(self, folder: str, aside: Sequence[str]) -> Rows:
        table = self._table(resolved(folder, self.train))
        named = [("data.target", self.target)]
        named += [("data.groups", self.groups)] if self.groups is not None else []
        named += [(f"data.drop.{number}", name) for number, name in enumerate(self.drop)]
        named += [("evaluate.cv.column", name) for name in aside]
        for key, name in named:
            if name not in table.columns:
                raise bad(key, self._no_column(name, [str(column) for column in table.columns]))
        X = table.drop(columns=list(dict.fromkeys(name for _, name in named)))
        if X.shape[1] == 0:
            raise bad(
                "data.train", f"{self.train} has no features: no column beside {', '.join(n for _, n in named)}"
            )
        return Rows(
            X=X,
            y=self._target(table),
            groups=None if self.groups is None else self._complete(table, "data.groups", self.groups),
            aside={name: self._complete(table, "evaluate.cv.column", name) for name in aside},
        )

    def _table(self, path: Path) -> pd.DataFrame:
        import pandas as pd

        if not path.is_file():
            raise bad("data.train", _missing(path))
        separator = self.separator or ("\t" if ".tsv" in path.name.lower() else ",")
        try:
            header = pd.read_csv(path, sep=separator, header=None, nrows=1, dtype=str, skipinitialspace=True)
            names = [str(name).strip() for name in header.iloc[0]]
            table = pd.read_csv(path, sep=separator, low_memory=False, skipinitialspace=True, index_col=False)
        except pd.errors.EmptyDataError:
            raise bad("data.train", f"{path} is empty: expected a header line and rows") from None
        except (OSError, ValueError, EOFError, pd.errors.ParserError, pd.errors.ParserWarning) as error:
            raise bad("data.train", f"{path} cannot be read as CSV: {str(error).strip()}") from None
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise bad("data.train", f"{path} has two columns called {twice[0]!r}; rename one")
        if len(table) == 0:
            raise bad("data.train", f"{path} has a header line and no rows")
        table.columns = pd.Index([str(name).strip() for name in table.columns])
        return table

    def _no_column(self, name: str, columns: list[str]) -> str:
        listed = ", ".join(columns[:12]) + (f", ... ({len(columns)} in all)" if len(columns) > 12 else "")
        hint = did_you_mean(name, columns) or f"; its columns are {listed}"
        if len(columns) == 1:
            other = next((one for one in (";", "\t", "|") if one in columns[0]), None)
            hint += f"; write `separator: {other!r}`?" if other else ""
        return f"{self.train} has no column {name!r}{hint}"

    def _target(self, table: pd.DataFrame) -> Any:
        """Return y as a plain array: numbers, booleans, or text as objects."""
        if bool(table[self.target].isna().all()):
            raise bad("data.target", f"every value of {self.target!r} is missing")
        return self._complete(table, "data.target", self.target)

    def _complete(self, table: pd.DataFrame, key: str, name: str) -> Any:
        import pandas as pd

        column = table[name]
        missing = [number + 2 for number in column.isna().to_numpy().nonzero()[0]]
        if missing:
            rows = ", ".join(map(str, missing[:5])) + (", ..." if len(missing) > 5 else "")
            raise bad(
                key, f"{name!r} is missing in {len(missing)} of {len(column)} rows (lines {rows}); remove these"
            )
        numeric = pd.api.types.is_numeric_dtype(column.dtype) or pd.api.types.is_bool_dtype(column.dtype)
        values = column.to_numpy(dtype=None if numeric else object)
        if values.dtype.kind == "f" and key != "data.groups":
            import numpy as np

            if not np.isfinite(values).all():
                raise bad(key, f"{name!r} holds infinite values")
        return values


def _missing(path: Path) -> str:
    if path.is_dir():
        return f"{path} is a folder, expected a CSV file"
    if not path.parent.is_dir():
        return f"there is no folder {path.parent} (paths are relative to the config file)"
    near = did_you_mean(path.name, [one.name for one in path.parent.iterdir() if one.is_file()])
    return f"there is no file {path}{near or ' (paths are relative to the config file)'}"
