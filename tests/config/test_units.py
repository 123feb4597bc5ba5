"""Durations and sizes."""

from __future__ import annotations

import pytest

from hptune.config.units import seconds, size


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("90s", 90), ("15m", 900), ("15min", 900), ("2h", 7200), ("1h30m", 5400), ("1 h 30 m", 5400), ("1d", 86400),
        ("250ms", 0.25), ("1.5h", 5400), ("1h30m15s", 5415), ("15M", 900), (60, 60), (0.5, 0.5),
    ],
)  # fmt: skip
def test_a_duration_is_read_in_seconds(text: object, value: float) -> None:
    assert seconds(text) == value
    assert isinstance(seconds(text), float)


@pytest.mark.parametrize(
    "text", ["15", "", "m", "15 minutes", "-5m", "1h-30m", "1e3s", "∞", "0s", 0, -1, True, [], {}]
)
def test_what_is_no_duration_is_refused_with_examples(text: object) -> None:
    with pytest.raises(ValueError, match="expected a duration such as 90s, 15m or 1h30m"):
        seconds(text)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("2GiB", 2 * 2**30), ("500MB", 500_000_000), ("1.5 GB", 1_500_000_000), ("2048KiB", 2**21), ("1TiB", 2**40),
        ("2gib", 2 * 2**30), ("2000000B", 2_000_000), (2**20, 2**20),
    ],
)  # fmt: skip
def test_a_size_is_read_in_bytes(text: object, value: int) -> None:
    assert size(text) == value
    assert isinstance(size(text), int)


@pytest.mark.parametrize("text", ["2G", "2", "", "GiB", "2 gigs", "-2GiB", True, [], "9999999TiB"])
def test_what_is_no_size_is_refused_with_examples(text: object) -> None:
    with pytest.raises(ValueError, match="expected a size such as 2GiB or 500MB"):
        size(text)


def test_a_size_below_a_mebibyte_is_taken_for_a_forgotten_unit() -> None:
    with pytest.raises(ValueError, match="found 2 bytes; is the unit missing"):
        size(2)


def test_null_is_no_limit() -> None:
    assert seconds(None) is None
    assert size(None) is None
