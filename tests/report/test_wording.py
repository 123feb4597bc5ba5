"""Numbers and phrases for people."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hptune.objective import Objective
from hptune.report import wording


@pytest.mark.parametrize(
    ("x", "text"),
    [
        (0.0123, "0.0123"),
        (53.91234, "53.91"),
        (100000.0, "100000"),
        (1e-5, "1e-05"),
        (1.23456e-5, "1.235e-05"),
        (0.0, "0"),
        (-2.5, "-2.5"),
        (1e300, "1e+300"),
        (7, "7"),
        (float("inf"), "inf"),
    ],
)
def test_a_number_has_four_significant_digits_and_no_trailing_zeros(x: float, text: str) -> None:
    assert wording.number(x) == text


@given(st.floats(-1e300, 1e300))
def test_a_number_as_shown_is_close_to_the_number(x: float) -> None:
    assert math.isclose(float(wording.number(x)), x, rel_tol=6e-4)


@given(st.lists(st.floats(-1e6, 1e6), min_size=1), st.floats(-1e6, 1e6))
def test_a_column_of_scores_never_grows_without_end(scores: list[float], x: float) -> None:
    assert len(wording.fixed(x, wording.decimals(scores))) <= 19


def test_decimals_tell_close_scores_apart() -> None:
    assert wording.decimals([0.97341, 0.97342]) == 5
    assert wording.decimals([53.912, 54.2]) == 2
    assert wording.decimals([]) == 2


@pytest.mark.parametrize(
    ("value", "text"),
    [(None, "null"), (True, "true"), ("rbf", "rbf"), ([1, "a"], '[1, "a"]'), (3, "3"), (0.5, "0.5")],
)
def test_values_are_spelled_as_in_a_config(value: object, text: str) -> None:
    assert wording.value(value) == text


@pytest.mark.parametrize(
    ("x", "text"),
    [
        (0.0, "0 s"),
        (0.31, "0.31 s"),
        (3.14, "3.1 s"),
        (3, "3 s"),
        (12.4, "12 s"),
        (200, "3 min 20 s"),
        (7500, "2 h 5 min"),
    ],
)
def test_times_are_for_people(x: float, text: str) -> None:
    assert wording.seconds(x) == text


@given(st.text(), st.integers(1, 40))
def test_shortened_text_fits(text: str, width: int) -> None:
    assert len(wording.shorten(text, width)) <= width
    assert len(wording.cut(text, width)) <= width


def test_a_neg_metric_loses_its_minus_and_others_do_not() -> None:
    neg = Objective("neg_log_loss", "maximize")
    assert (wording.metric(neg), wording.better(neg), wording.shown(neg, -0.5)) == (
        "log_loss",
        "lower is better",
        0.5,
    )
    r2 = Objective("r2", "maximize")
    assert (wording.metric(r2), wording.better(r2), wording.shown(r2, -0.5)) == ("r2", "higher is better", -0.5)


def test_control_characters_do_not_reach_a_terminal() -> None:
    assert "\x1b" not in wording.one_line("a\x1b[31mb\nc")
    assert "\x1b" not in "".join(wording.printable("a\x1b[31m\nb"))
    assert "\x1b" not in wording.value("\x1b[31m")


@pytest.mark.parametrize(
    ("ticks", "labels"),
    [
        ([0.9999, 0.99991, 0.99992], ["0.99990", "0.99991", "0.99992"]),
        ([55.2, 55.225, 55.25], ["55.200", "55.225", "55.250"]),
        ([-0.5, -1e-17, 0.5], ["-0.5", "0.0", "0.5"]),
        ([0, 50, 100], ["0", "50", "100"]),
        ([0, 2.5e-5, 5e-5], ["0", "2.5e-05", "5e-05"]),
        ([0.1234567], ["0.1235"]),
        ([], []),
    ],
)
def test_a_tick_has_the_decimals_of_the_step(ticks: list[float], labels: list[str]) -> None:
    assert [wording.tick(one, ticks) for one in ticks] == labels


def test_a_stream_that_cannot_take_a_sign_gets_one_that_it_can() -> None:
    assert (
        wording.spelled("0.5 ± 0.1, abc…", "utf-8") == wording.spelled("0.5 ± 0.1, abc…", None) == "0.5 ± 0.1, abc…"
    )
    assert wording.spelled("0.5 ± 0.1, abc…", "latin-1") == "0.5 +- 0.1, abc..."
    assert wording.spelled("é ± …", "ascii") == "\\xe9 +- ..."
