"""CSV files as they come: every encoding and separator is understood, or refused in words at its key."""

from __future__ import annotations

import bz2
import gzip
import lzma
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from hptune.data import data_from
from hptune.data.dialect import column_names
from hptune.dataset import Rows
from hptune.errors import ConfigError

TABLE = "a,b,y\n1,ü,2\n3,ö,4\n"


def read(folder: Path, content: bytes, name: str = "t.csv", **options: Any) -> Rows:
    (folder / name).write_bytes(content)
    return data_from({"train": name, "target": "y", **options}).read(str(folder), ())


def refused(folder: Path, content: bytes, name: str = "t.csv", **options: Any) -> str:
    with pytest.raises(ConfigError) as caught:
        read(folder, content, name, **options)
    return str(caught.value)


def cells(rows: Rows) -> list[list[Any]]:
    return [*rows.X.to_numpy(object).tolist(), rows.y.tolist()]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_unicode_is_known_by_its_first_bytes(tmp_path: Path, encoding: str) -> None:
    rows = read(tmp_path, TABLE.encode(encoding))
    assert (cells(rows), rows.notes) == ([[1, "ü"], [3, "ö"], [2, 4]], ())


def test_western_letters_are_assumed_with_a_warning_that_shows_one(tmp_path: Path) -> None:
    rows = read(tmp_path, TABLE.encode("cp1252"))
    assert cells(rows) == [[1, "ü"], [3, "ö"], [2, 4]]
    (note,) = rows.notes
    assert (note.key, note.severity) == ("data.encoding", "warning")
    assert "cp1252 was assumed (it then holds 'ü'): write `encoding: cp1252`" in note.message
    assert read(tmp_path, TABLE.encode("cp1252"), encoding="cp1252").notes == ()
    assert "latin-1 was assumed" in read(tmp_path, TABLE.replace("ü", "\x81").encode("latin-1")).notes[0].message


def test_a_declared_encoding_is_not_guessed_at(tmp_path: Path) -> None:
    assert "data.encoding: " in refused(tmp_path, TABLE.encode("cp1252"), encoding="utf-8")
    with pytest.raises(ValidationError, match="expected the name of a text encoding"):
        data_from({"train": "t.csv", "target": "y", "encoding": "utf-88"})


@pytest.mark.parametrize("separator", [";", "\t", "|"])
def test_the_separator_is_the_one_that_divides_every_line_alike(tmp_path: Path, separator: str) -> None:
    text = TABLE.replace(",", separator).replace("ü", "one, two").replace("ö", "three")
    assert cells(read(tmp_path, text.encode())) == [[1, "one, two"], [3, "three"], [2, 4]]


def test_a_declared_separator_that_divides_nothing_is_refused(tmp_path: Path) -> None:
    said = refused(tmp_path, b"a,y\n1,2\n", separator=";")
    assert said.startswith("data.separator: expected what stands between cells, ';' divides none")
    assert "write `separator: ','`" in said


def test_decimal_commas_are_an_error_until_declared(tmp_path: Path) -> None:
    text = b"a;b;y\n1,5;x;2,5\n-2;y;3\n"
    said = refused(tmp_path, text)
    assert "data.train: column 'a' holds numbers with a comma, such as 1,5: write `decimal: ','`" in said
    assert cells(read(tmp_path, text, decimal=",")) == [[1.5, "x"], [-2.0, "y"], [2.5, 3.0]]
    assert cells(read(tmp_path, text, decimal=".", target="b"))[0] == ["1,5", "2,5"]
    assert cells(read(tmp_path, b'a,y\n"1,234",2\n5,3\n', thousands=","))[0] == [1234]


@pytest.mark.parametrize(("pack", "suffix"), [(gzip.compress, "gz"), (bz2.compress, "bz2"), (lzma.compress, "xz")])
def test_compressed_files_are_read_by_their_suffix_and_refused_when_damaged(
    tmp_path: Path, pack: Callable[[bytes], bytes], suffix: str
) -> None:
    name = f"t.csv.{suffix}"
    assert cells(read(tmp_path, pack(TABLE.encode()), name)) == [[1, "ü"], [3, "ö"], [2, 4]]
    assert f"call it NAME.csv.{suffix}" in refused(tmp_path, pack(TABLE.encode()))
    for damaged in (pack(TABLE.encode() * 50)[:40], b"a,y\n1,2\n"):
        assert "cannot be read as CSV" in refused(tmp_path, damaged, name)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is empty: expected a header line and rows"),
        (b"\n\n \n", "is empty"),
        (b"a,y", "has a header line and no rows"),
        (b"1,2\n3,4\n", "the first line of"),
        (b"a,a,y\n1,2,3\n", "two columns called 'a'"),
        (b",,y\n1,2,3\n", "two columns without a name"),
        (b"a,b,y\n1,2,3\n1,2\n3,4,5\n", "has 2 cells, the header 3"),
        (b'a,b,y\n"1\n2",2,3\n1,2\n', "line 4 of"),
        (b"a,y\n1,2,3\n3,4,5\n", "line 2 of"),
        (b"a,y\n1,2\n3,4,5\n", "line 3 of"),
        (b'a,y\n"1,2\n3,4\n', "a double quote in line 2 is never closed"),
        (b"a,y\n1\x00,2\n", "there is a NUL byte in line 2"),
        (b"a,y\n" + b"1,2\n" * 30_000 + b"1\x00,2\n", "holds NUL bytes (line 30002)"),
        (b"a,y\n" + b"1,2\n" * 30_000 + b"\x00,2\n", "holds NUL bytes (line 30002)"),  # pandas 2.2: a missing value
        (b"a,y\n" + b"1,2\n" * 30_000 + b"1,\x002\n", "holds NUL bytes (line 30002)"),
        (bytes(range(256)) * 10, "not plain text"),
        (b"PK\x03\x04xxxx", "an Excel or zip file"),
        (b"PAR1xxxx", "a Parquet file; call it NAME.parquet"),
        (b'{"a": 1}\n', "has a header line and no rows"),
        (b"x" * 2**20, "has a header line and no rows"),
    ],
)
def test_a_file_that_is_no_table_is_refused_in_words(tmp_path: Path, content: bytes, said: str) -> None:
    message = refused(tmp_path, content)
    assert message.startswith("data.train: ")
    assert said in message


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-32", "utf-8-sig"])
def test_zero_bytes_of_wide_letters_are_no_nul_and_a_nul_among_them_is(tmp_path: Path, encoding: str) -> None:
    text = "a,y\n" + "ü,2\n" * 40_000
    assert len(read(tmp_path, text.encode(encoding)).y) == 40_000
    assert "holds NUL bytes (line 40002)" in refused(tmp_path, (text + "1\0,2\n").encode(encoding))


def test_a_cell_of_a_megabyte_and_ten_thousand_columns_are_read(tmp_path: Path) -> None:
    rows = read(tmp_path, b"a,y,b\n1,2," + b"x" * 2**20 + b"\n3,4,\n")
    assert len(rows.X["b"].iloc[0]) == 2**20
    header = ",".join(f"c{i}" for i in range(10_000)).encode()
    wide = read(tmp_path, header + b",y\n" + (b"1," * 10_000 + b"2\n") * 3)
    assert wide.X.shape == (3, 10_000)
    short = refused(tmp_path, header + b",y\n" + (b"1," * 9_999 + b"2\n") * 3)
    assert "has 10000 cells, the header 10001" in short
    assert len(refused(tmp_path, header + b"\n" + (b"1," * 9_999 + b"2\n") * 3)) < 400


def test_names_are_given_to_tens_of_thousands_of_columns_in_linear_time() -> None:
    names = [f"c{number}" for number in range(50_000)]
    began = time.process_time()
    assert column_names(names) == names
    with pytest.raises(ValueError, match="two columns called 'c7'"):
        column_names([*names, "c7"])
    assert time.process_time() - began < 2  # it is 20 ms; comparing each with all before it took half a minute


def test_cells_that_mean_nothing_are_declared(tmp_path: Path) -> None:
    rows = read(tmp_path, b"a,b,y\n?,1,2\n3,2,4\n", missing=["?"])
    assert rows.X["a"].isna().tolist() == [True, False]


@pytest.mark.parametrize(
    ("column", "said"),
    [
        ("1,-1", "expected weights from 0 up, found -1"),
        ("0,0", "every weight is 0"),
        ("q,1", "expected numbers as weights, found 'q'"),
        (",1", "'w' is missing in 1 of 2 rows (line 2)"),
        ("inf,1", "holds infinite values"),
    ],
)
def test_weights_that_cannot_be_are_refused(tmp_path: Path, column: str, said: str) -> None:
    first, second = column.split(",")
    content = f"a,w,y\n1,{first},2\n2,{second},3\n".encode()
    message = refused(tmp_path, content, weights="w")
    assert message.startswith("data.weights: ")
    assert said in message


def test_weights_are_numbers_beside_the_rows_and_no_feature(tmp_path: Path) -> None:
    rows = read(tmp_path, b"a,w,y\n1,0,2\n2,3,3\n", weights="w")
    assert rows.weights.tolist() == [0.0, 3.0]
    assert list(rows.X.columns) == ["a"]
    assert rows.take([1]).weights.tolist() == [3.0]
    assert "'y' is the target already" in refused(tmp_path, b"a,w,y\n1,0,2\n", weights="y")
