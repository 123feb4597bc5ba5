"""GitHub annotations: the escapes its runner undoes, at most ten, files named from the checkout."""

from __future__ import annotations

import re
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from hptune.errors import Problem
from hptune.report.annotations import error_lines, wanted


def test_an_error_stands_at_its_file_line_and_column() -> None:
    (line,) = error_lines([Problem("space.C.max", "expected a number, found 'x'", "study.yaml", 12, 3)])
    assert line == "::error file=study.yaml,line=12,col=3::space.C.max: expected a number, found 'x'"


def test_an_error_without_a_place_has_no_properties() -> None:
    assert error_lines([Problem("", "no config")]) == ["::error::no config"]


@given(st.text(min_size=1), st.text(min_size=1))
def test_whatever_the_text_it_is_one_line_and_reads_back(file: str, message: str) -> None:
    (line,) = error_lines([Problem("", message, file, 1, 1)])
    assert "\n" not in line
    assert "\r" not in line
    found = re.fullmatch(r"::error file=([^:,]*),line=1,col=1::(.*)", line, re.DOTALL)
    assert found is not None

    def back(text: str) -> str:  # as the runner does it: the percent sign last
        for code, character in (("%0D", "\r"), ("%0A", "\n"), ("%3A", ":"), ("%2C", ","), ("%25", "%")):
            text = text.replace(code, character)
        return text

    assert back(found[1]) == file
    assert back(found[2].replace("%3A", "%253A").replace("%2C", "%252C")) == message or "%" in message


def test_an_override_stands_in_no_file() -> None:
    (line,) = error_lines([Problem("budget.trails", "unknown key", "-o budget.trails=3")], "/checkout")
    assert line == "::error::-o budget.trails=3: budget.trails: unknown key"


def test_at_most_ten_and_no_warnings() -> None:
    problems = [Problem("a", "x", severity="warning"), *(Problem(str(i), "x") for i in range(20))]
    assert error_lines(problems) == [f"::error::{i}: x" for i in range(10)]


def test_files_are_named_from_the_checkout(tmp_path: Path) -> None:
    inside = Problem("", "x", str(tmp_path / "a" / "study.yaml"), 1)
    assert error_lines([inside], str(tmp_path)) == ["::error file=a/study.yaml,line=1::x"]
    assert error_lines([Problem("", "x", "/elsewhere/s.yaml", 1)], str(tmp_path)) == [
        "::error file=/elsewhere/s.yaml,line=1::x"
    ]


def test_they_are_wanted_in_a_workflow_only() -> None:
    assert wanted({"GITHUB_ACTIONS": "true"})
    assert not wanted({"GITHUB_ACTIONS": "false"})
    assert not wanted({})
