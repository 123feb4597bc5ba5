"""Text tables and what a stream shows."""

from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hptune.report.layout import Table, animated, coloured, folded, pairs, width_of

cells = st.text(st.characters(codec="ascii", exclude_categories=("C",)), max_size=30)


@given(
    st.integers(1, 12).flatmap(lambda n: st.lists(st.lists(cells, min_size=n, max_size=n), min_size=1, max_size=5))
)
def test_no_line_of_a_table_is_wider_than_asked(rows: list[list[str]]) -> None:
    headers = [f"a rather long header {i}" for i in range(len(rows[0]))]
    table = Table(headers, rows, ["left"] * len(headers))
    assert all(len(line) <= 80 for line in table.lines(80))
    assert len(table.lines(80)) == 1 + len(rows)


def test_numbers_are_not_shortened_and_columns_left_out_are_counted() -> None:
    table = Table(["name", "number" * 3], [["x" * 30, "1.2345e-10"]], ["left", "right"])
    assert "1.2345e-10" in table.lines(20)[1]
    wide = Table([f"c{i}" for i in range(30)], [["123456"] * 30], ["right"] * 30)
    head, row = wide.lines(40)
    assert head.endswith("+26 more") or "more" in head
    assert len(head) <= 40
    assert "…" not in row


def test_without_a_width_nothing_is_shortened() -> None:
    table = Table(["a"], [["x" * 300]], ["left"])
    assert table.lines()[1] == "x" * 300


def test_markdown_escapes_what_would_break_it() -> None:
    assert Table(["a|b"], [["<b>|"]], ["left"]).markdown() == ["| a\\|b |", "| :--- |", "| &lt;b>\\| |"]


@given(st.lists(st.tuples(st.text("ab", max_size=8), st.text("xyz ", max_size=200)), max_size=4))
def test_pairs_fit_the_width(rows: list[tuple[str, str]]) -> None:
    assert all(len(line) <= 60 for line in pairs(rows, 60))


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("environ", "terminal", "colour", "live"),
    [
        ({}, False, False, False),
        ({}, True, True, True),
        ({"CI": "true"}, True, True, False),
        ({"NO_COLOR": "1"}, True, False, True),
        ({"NO_COLOR": "1", "FORCE_COLOR": "1"}, True, False, True),
        ({"FORCE_COLOR": "1"}, False, True, False),
        ({"FORCE_COLOR": "0"}, False, False, False),
        ({"TERM": "dumb"}, True, False, False),
    ],
)
def test_colour_and_animation_follow_the_stream_and_the_environment(
    environ: dict[str, str], terminal: bool, colour: bool, live: bool
) -> None:
    stream = Terminal() if terminal else io.StringIO()
    assert (coloured(stream, environ), animated(stream, environ)) == (colour, live)


def test_the_width_is_that_of_columns_or_none_without_a_terminal() -> None:
    assert width_of(io.StringIO(), {"COLUMNS": "66"}) == 66
    assert width_of(io.StringIO(), {}) is None
    assert width_of(io.StringIO(), {"COLUMNS": "wide"}) is None


def test_what_a_table_loses_at_a_width_is_counted() -> None:
    table = Table(["long header", "b"], [["x" * 8, "y"], ["x" * 9, "y"]], ["left", "left"])
    assert table.lost(None) == table.lost(80) == (0, 0)
    narrow = Table(["a header beyond", "another beyond it"], [["x" * 7, "y" * 7]], ["left", "left"])
    assert narrow.lost(24) == (0, 0)  # only headers are shortened
    assert table.lines(20)[0].startswith("long header")
    wide = Table([f"c{i}" for i in range(30)], [["123456"] * 30], ["right"] * 30)
    columns, cells = wide.lost(40)
    assert wide.lines(40)[0].endswith(f"+{columns} more")
    assert (columns > 0, cells) == (True, 0)
    text = Table(["a", "b"], [["x" * 20, "y" * 20], ["x", "y" * 20]], ["left", "left"])
    assert text.lost(30) == (0, 3)


@given(st.lists(st.text("ab{}", min_size=1, max_size=10), min_size=1), st.integers(20, 40))
def test_folded_lines_fit_and_lose_nothing(words: list[str], width: int) -> None:
    lines = folded(" ".join(words), width, begin="# ", more="#   ")
    assert max(map(len, lines)) <= width
    assert lines[0].startswith("# ")
    assert " ".join(lines).replace("#", "").split() == words
    assert folded(" ".join(words), None, begin="# ") == ["# " + " ".join(words)]
