"""How a CSV file is written: compression, encoding and separator, seen from its first bytes.

Standard library only. `first_nul` and `first_uneven` alone read more than `SAMPLE` bytes of the (decompressed) file.
"""

from __future__ import annotations

import bz2
import codecs
import csv
import gzip
import io
import lzma
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

SAMPLE = 2**16
"""Bytes: some hundred lines of a common table."""
SEPARATORS = (",", ";", "\t", "|")
UNREADABLE = (OSError, EOFError, lzma.LZMAError, zipfile.BadZipFile, zlib.error)
"""What reading a damaged compressed file may raise."""
LATIN = ("cp1252", "latin-1")
"""What text that is not UTF-8 is read as: Western European, the second knows every byte."""

_MARKS = (  # the longer ones first: UTF-32's begins with UTF-16's
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_FOREIGN = (
    (b"\x1f\x8b", "compressed with gzip; call it NAME.csv.gz"),
    (b"BZh", "compressed with bzip2; call it NAME.csv.bz2"),
    (b"\xfd7zXZ\x00", "compressed with xz; call it NAME.csv.xz"),
    (b"PK\x03\x04", "an Excel or zip file; save the sheet as CSV, or call a zipped CSV NAME.csv.zip"),
    (b"\xd0\xcf\x11\xe0", "an old Excel file; save the sheet as CSV"),
    (b"PAR1", "a Parquet file; call it NAME.parquet"),
    (b"\x93NUMPY", "a numpy array; save it with its target as NAME.npz"),
    (b"SQLite format 3", "an SQLite database; export the table as CSV"),
)


class NotCsv(ValueError):
    """A file that is something else; the message begins with what it is."""


@dataclass(frozen=True, kw_only=True)
class Dialect:
    """What pandas is told. `certain` says whether the encoding was declared or shown by the file's first bytes."""

    encoding: str
    separator: str
    certain: bool


def dialect_of(path: Path, *, encoding: str | None, separator: str | None) -> Dialect:
    """Return how a file is written, as declared or else as its beginning shows.

    Raises `NotCsv` for a file that is no text, and one of `UNREADABLE` for a damaged one.
    """
    with opened(path) as file:
        beginning = file.read(SAMPLE)
    for magic, what in _FOREIGN:
        if beginning.startswith(magic):
            raise NotCsv(what)
    found = encoding or _marked(beginning)
    text = beginning.decode(found or "utf-8", errors="replace")
    if "\0" in text:
        line = text[: text.index("\0")].count("\n") + 1
        raise NotCsv(f"not plain text: there is a NUL byte in line {line}; save the table as CSV anew")
    cut = text.rfind("\n") if len(beginning) == SAMPLE else -1  # the sample may end in the middle of a line
    return Dialect(
        encoding=found or "utf-8",
        separator=separator or _separator(text[: cut + 1] or text, path),
        certain=found is not None,
    )


@contextmanager
def opened(path: Path) -> Iterator[IO[bytes]]:
    """Open a file, decompressing what its name says is compressed."""
    suffix = path.suffix.lower()
    if suffix == ".zip":
        with zipfile.ZipFile(path) as archive:
            names = [one for one in archive.namelist() if not one.endswith("/")]
            if len(names) != 1:
                raise NotCsv(f"a zip file with {len(names)} files in it, expected one; unpack it")
            with archive.open(names[0]) as inside:
                yield inside
        return
    kinds: dict[str, Any] = {".gz": gzip.open, ".bz2": bz2.open, ".xz": lzma.open}
    with kinds[suffix](path, "rb") if suffix in kinds else path.open("rb") as file:
        yield file


def _marked(beginning: bytes) -> str | None:
    """Return the encoding that a byte order mark names, or that zeros at every other byte give away."""
    for mark, name in _MARKS:
        if beginning.startswith(mark):
            return name
    even, odd = beginning[0:400:2], beginning[1:400:2]
    if odd and odd.count(0) > 0.8 * len(odd) and even.count(0) == 0:
        return "utf-16-le"
    if odd and even.count(0) > 0.8 * len(even) and odd.count(0) == 0:
        return "utf-16-be"
    return None


def _separator(text: str, path: Path) -> str:
    """Return the separator that divides all sampled lines into as many cells as the header, the most of them.

    Where none does, the one that the header holds most often: what is wrong with the lines is then told by it.
    """
    usual = "\t" if ".tsv" in path.name.lower() else ","
    ordered = sorted(SEPARATORS, key=lambda one: one != usual)
    widths = {one: _widths(text, one) for one in ordered}
    even = [one for one in ordered if widths[one] and widths[one][0] > 1 and len(set(widths[one])) == 1]
    return max(even or ordered, key=lambda one: widths[one][0] if widths[one] else 0)


def _widths(text: str, separator: str) -> list[int]:
    try:
        reader = csv.reader(io.StringIO(text), delimiter=separator, skipinitialspace=True)
        return [len(row) for row, _ in zip(reader, range(100), strict=False) if row]
    except csv.Error:  # a cell of more than 128 kB, a stray carriage return
        header = next(iter(text.splitlines()), "")
        return [header.count(separator) + 1]


def header_of(path: Path, dialect: Dialect) -> list[str]:
    """Return the cells of the first line that is not blank, [] if there is none."""
    with _lines(path, dialect, "strict") as reader:
        for row in reader:
            if any(cell.strip() for cell in row):
                return [cell.strip() for cell in row]
    return []


def column_names(cells: Sequence[str]) -> list[str]:
    """Return the columns' names by a header's cells: one without a name is called `Unnamed: N`, as pandas calls it.

    Raises `ValueError` where two columns would have the same name, or have none.
    """
    names = [cell or f"Unnamed: {number}" for number, cell in enumerate(cells)]
    for listed in (cells, names):
        met: set[str] = set()
        twice = next((name for name in listed if name in met or met.add(name)), None)  # type: ignore[func-returns-value]
        if twice is not None:
            raise ValueError(f"two columns {f'called {twice!r}' if twice else 'without a name'}; rename one")
    return names


@contextmanager
def _lines(path: Path, dialect: Dialect, errors: str) -> Iterator[Any]:
    csv.field_size_limit(2**31 - 1)  # cells may be as large as they like: what is looked at is how many there are
    with opened(path) as file:
        text = io.TextIOWrapper(file, encoding=dialect.encoding, errors=errors, newline="")
        yield csv.reader(text, delimiter=dialect.separator, skipinitialspace=True)


def first_nul(path: Path, dialect: Dialect) -> int | None:
    """Return the line of the first NUL character, None if there is none.

    It is looked for in the file: what pandas makes of one depends on its version, 2.2 takes it for a missing value.
    """
    wide = dialect.encoding.replace("_", "-").startswith(("utf-16", "utf-32"))  # there every letter has zero bytes
    decoder = codecs.getincrementaldecoder(dialect.encoding if wide else "latin-1")("replace")
    line = 1
    with opened(path) as file:
        while chunk := file.read(2**20):
            if not wide and b"\0" not in chunk:
                line += chunk.count(b"\n")
                continue
            text = decoder.decode(chunk)
            before, nul, _ = text.partition("\0")
            line += before.count("\n")
            if nul:
                return line
    return None


def first_uneven(path: Path, dialect: Dialect, width: int) -> tuple[int, int] | None:
    """Return (line, cells) of the first line that has not `width` cells, None if there is none.

    Blank lines do not count. One pass of Python over the file: about a second for a million short lines.
    """
    with _lines(path, dialect, "replace") as reader:
        try:
            began = 1
            for row in reader:
                if row and len(row) != width:
                    return began, len(row)
                began = reader.line_num + 1
        except csv.Error:
            return None
    return None
