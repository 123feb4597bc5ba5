"""`data: {train: data/train.csv, target: progression}`: a table in a CSV file, plain or compressed."""

from __future__ import annotations

import codecs
import re
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import AfterValidator, Field

from hptune.data.columns import TableData
from hptune.data.dialect import (
    LATIN,
    SEPARATORS,
    UNREADABLE,
    Dialect,
    NotCsv,
    column_names,
    dialect_of,
    first_nul,
    first_uneven,
    header_of,
)
from hptune.dataset import Rows, bad, check_file, resolved
from hptune.job import Finding
from hptune.model import Loader

if TYPE_CHECKING:
    import pandas as pd

SUFFIXES = (".csv", ".csv.gz", ".csv.bz2", ".csv.xz", ".csv.zip", ".tsv", ".tsv.gz", ".tsv.bz2", ".tsv.xz")
_COMMA_NUMBER = re.compile(r"[+-]?\d+,\d+")
_GROUPED = re.compile(r"[+-]?\d{1,3}(?:,\d{3})+(?:\.\d+)?")


def _encoding(name: str) -> str:
    try:
        "a".encode(name)  # refuses the codecs that are not for text (base64, zlib) too
    except LookupError:
        raise ValueError(f"expected the name of a text encoding such as utf-8 or cp1252, found {name!r}") from None
    return codecs.lookup(name).name


class CsvData(TableData):
    """A CSV file with a header line. Columns keep their types; empty cells are missing values."""

    key: ClassVar[str] = "csv"

    train: str = Field(min_length=1, pattern=r"\.[cCtT][sS][vV](\.[a-zA-Z0-9]+)?$")
    """The file, relative to the config: .csv or .tsv, compressed if it ends in .gz, .bz2, .xz or .zip."""
    target: str = Field(min_length=1)
    """The column to predict."""
    separator: str | None = Field(default=None, min_length=1, max_length=1)
    """What stands between two cells; by default the one of , ; | and tab that divides the lines evenly."""
    encoding: Annotated[str, AfterValidator(_encoding)] | None = None
    """How letters are written: by default UTF-8, or UTF-16 where the file says so, else cp1252 with a warning."""
    decimal: Literal[".", ","] | None = None
    """The decimal point. By default a point; columns of numbers such as 3,14 are then an error."""
    thousands: str | None = Field(default=None, min_length=1, max_length=1)
    """What stands between thousands, if anything."""
    missing: list[str] = Field(default_factory=list)
    """Cells that mean a missing value, beside empty ones, NA, N/A, NaN, None and null."""

    @classmethod
    def claims(cls, data: Mapping[str, Any]) -> bool:
        train = data.get("train")
        return isinstance(train, str) and train.lower().endswith(SUFFIXES)

    def read(self, folder: str, aside: Sequence[str], load: Loader | None = None) -> Rows:
        del load
        path = resolved(folder, self.train)
        check_file(path)
        table, notes = self._table(path)
        self._check_separator(table)
        if self.decimal is None:
            self._check_decimals(table, path)
        rows = self.rows(table, self.train, aside, first_line=2)
        return replace(rows, notes=(*notes, *rows.notes))

    # -- reading ----------------------------------------------------------------------------------------------------

    def _table(self, path: Path) -> tuple[pd.DataFrame, list[Finding]]:
        import pandas as pd

        notes = []
        try:
            dialect = dialect_of(path, encoding=self.encoding, separator=self.separator)
            _check_nul(path, dialect)
            try:
                table = self._parsed(path, dialect)
            except UnicodeDecodeError as error:
                if dialect.certain:
                    raise bad("data.encoding", f"{path} is not {dialect.encoding}: {error}") from None
                dialect, table = self._in_latin(path, dialect)
                notes.append(_assumed(path, dialect.encoding, table))
            # A line that is too short lacks its last cell.
            if table.shape[1] == 1 or bool(table.iloc[:, -1].isna().any()):
                _check_even(path, dialect, table.shape[1])
        except NotCsv as error:
            raise bad("data.train", f"{path} is {error}") from None
        except pd.errors.EmptyDataError:
            raise bad("data.train", f"{path} is empty: expected a header line and rows") from None
        except (*UNREADABLE, ValueError, pd.errors.ParserWarning) as error:  # ValueErrors: pandas' ParserError
            raise bad("data.train", _unparsed(path, str(error))) from None
        return table, notes

    def _parsed(self, path: Path, dialect: Dialect) -> pd.DataFrame:
        import pandas as pd

        table: pd.DataFrame
        options: dict[str, Any] = {
            "sep": dialect.separator,
            "encoding": dialect.encoding,
            "skipinitialspace": True,
            "low_memory": False,  # else a column's type may change from chunk to chunk
        }
        cells = header_of(path, dialect)
        if not cells:
            raise bad("data.train", f"{path} is empty: expected a header line and rows")
        names = _names(path, cells)
        with warnings.catch_warnings():
            # "Length of header or names does not match length of data": cells would be cut off.
            warnings.simplefilter("error", pd.errors.ParserWarning)
            try:
                table = pd.read_csv(
                    path,
                    index_col=False,
                    decimal=self.decimal or ".",
                    thousands=self.thousands,
                    na_values=self.missing or None,
                    **options,
                )
            except pd.errors.ParserWarning:
                _check_even(path, dialect, len(names))
                raise
        if len(table) == 0:
            raise bad("data.train", f"{path} has a header line and no rows")
        table.columns = pd.Index(names)
        return table

    def _in_latin(self, path: Path, dialect: Dialect) -> tuple[Dialect, pd.DataFrame]:
        """Return the table read as Western European text."""
        for encoding in LATIN:
            other = replace(dialect, encoding=encoding)
            try:
                return other, self._parsed(path, other)
            except UnicodeDecodeError:
                continue
        raise AssertionError("latin-1 decodes every byte")

    # -- checks -----------------------------------------------------------------------------------------------------

    def _check_separator(self, table: pd.DataFrame) -> None:
        name = str(table.columns[0])
        other = next((one for one in SEPARATORS if one in name and one != self.separator), None)
        if self.separator is not None and table.shape[1] == 1 and other is not None:
            found = f"found the one column {name[:60]!r}; leave it out, or write `separator: {other!r}`"
            raise bad(
                "data.separator", f"expected what stands between cells, {self.separator!r} divides none: {found}"
            )

    def _by_commas(self, path: Path) -> bool:
        return dialect_of(path, encoding=self.encoding, separator=self.separator).separator == ","

    def _check_decimals(self, table: pd.DataFrame, path: Path) -> None:
        """Refuse columns of numbers that are written with a comma: as text no model would make sense of them."""
        for name, column in _texts(table):
            if name in self.drop:
                continue
            head = column.dropna().head(200)
            texts = [one.strip() for one in head if isinstance(one, str)]
            if not any(_COMMA_NUMBER.fullmatch(one) or _GROUPED.fullmatch(one) for one in texts):
                continue
            written = column.dropna().astype(str).str.strip()
            plain = written.str.fullmatch(r"[+-]?\d+")
            commas = written.str.fullmatch(_COMMA_NUMBER.pattern)
            grouped = written.str.fullmatch(_GROUPED.pattern)
            if self.thousands is None and bool((grouped | plain | written.str.fullmatch(r"[+-]?\d+\.\d*")).all()):
                sure = not bool((commas | plain).all())  # 1,234,567 or 1,234.5
                # Who writes 3,142 for a decimal does not part cells by commas, or write points elsewhere.
                if sure or _has_points(table) or self._by_commas(path):
                    raise bad("data.train", _with_comma(name, written[grouped].iloc[0], "thousands", "decimal"))
            if bool((commas | plain).all()):
                raise bad("data.train", _with_comma(name, written[commas].iloc[0], "decimal", "thousands"))


def _with_comma(name: str, example: str, key: str, other: str) -> str:
    """Return what to say of a column of numbers with a comma that is likely what `key` says."""
    where = {"thousands": "stands between thousands", "decimal": "is the decimal point"}
    return (
        f"column {name!r} holds numbers with a comma, such as {example}: write `{key}: ','` (or `{other}: ','` if it "
        f"{where[other]}, or `decimal: '.'` if this is text)"
    )


def _has_points(table: pd.DataFrame) -> bool:
    """Return whether a column was read as numbers with decimals: then a comma is hardly the decimal point."""
    return any(one.kind == "f" and bool((table[name].dropna() % 1 != 0).any()) for name, one in table.dtypes.items())


def _texts(table: pd.DataFrame) -> list[tuple[str, Any]]:
    """Return the (name, column) pairs that are neither numbers nor booleans."""
    import pandas as pd

    plain = [pd.api.types.is_numeric_dtype(one) or pd.api.types.is_bool_dtype(one) for one in table.dtypes]
    return [
        (str(table.columns[number]), table.iloc[:, number]) for number, is_plain in enumerate(plain) if not is_plain
    ]


def _names(path: Path, cells: list[str]) -> list[str]:
    """Return the columns' names; raises `ConfigError` for a header that is none."""
    try:
        names = column_names(cells)
    except ValueError as error:
        raise bad("data.train", f"{path} has {error}") from None
    if len(cells) > 1 and all(_is_number(cell) for cell in cells):
        listed = ", ".join(cells[:3])
        raise bad(
            "data.train", f"the first line of {path} holds numbers ({listed}, ...), expected the columns' names"
        )
    return names


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _check_even(path: Path, dialect: Dialect, width: int) -> None:
    """Refuse lines with too few or too many cells, which pandas fills up or cuts off without a word."""
    uneven = first_uneven(path, dialect, width)
    if uneven is not None:
        raise bad("data.train", _uneven(path, *uneven, width))


def _uneven(path: Path, line: int, cells: int, width: int) -> str:
    return (
        f"line {line} of {path} has {cells} cells, the header {width}: every line needs as many; a cell that holds "
        "the separator must stand in double quotes"
    )


def _unparsed(path: Path, said: str) -> str:
    """Return in people's words why a file could not be read."""
    found = re.search(r"Expected (\d+) fields in line (\d+), saw (\d+)", said)
    if found:
        return _uneven(path, int(found[2]), int(found[3]), int(found[1]))
    found = re.search(r"EOF inside string starting at row (\d+)", said)
    if found:
        return f"{path}: a double quote in line {int(found[1]) + 1} is never closed"
    return f"{path} cannot be read as CSV: {said.strip()}"


def _check_nul(path: Path, dialect: Dialect) -> None:
    line = first_nul(path, dialect)
    if line is not None:
        raise bad("data.train", f"{path} holds NUL bytes (line {line}): the file is damaged; write it anew")


def _assumed(path: Path, encoding: str, table: pd.DataFrame) -> Finding:
    """Return the warning that says which encoding was assumed, with a word to judge it by."""
    example = next((str(name) for name in table.columns if not str(name).isascii()), None)
    for _, column in _texts(table):
        if example is None:
            example = next((one for one in column.dropna() if isinstance(one, str) and not one.isascii()), None)
    such = f" (it then holds {example[:40]!r})" if example else ""
    message = f"{path} is not UTF-8; {encoding} was assumed{such}: write `encoding: {encoding}` if that is right"
    return Finding(key="data.encoding", message=message, severity="warning")
