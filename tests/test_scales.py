"""The laws of the one-dimensional maps in `hptune.scales`."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hptune.scales import (
    MAX_COUNT,
    MAX_LOG_INT,
    LinearInterval,
    ListedGrid,
    LogIntegers,
    LogInterval,
    Mirrored,
    Scale,
    SteppedGrid,
    factor_values,
)

LAWS = settings(deadline=None, max_examples=60)  # no deadline: a busy machine is no failure

BOUND = 2**53
unit = st.floats(0, 1)
finite = st.floats(-1e300, 1e300)
positive = st.floats(1e-300, 1e300)


def ordered(numbers: st.SearchStrategy[float]) -> st.SearchStrategy[tuple[float, float]]:
    return st.tuples(numbers, numbers).map(lambda pair: (min(pair), max(pair)))


def some_indices(count: int) -> Iterator[int]:
    """All indices of a small grid; the ends, the middle and powers of two of a large one."""
    if count <= 200:
        return iter(range(count))
    spread = {0, 1, count // 3, count // 2, count - 2, count - 1}
    spread |= {2**k for k in range(50) if 2**k < count} | {count - 2**k for k in range(50) if 2**k < count}
    return iter(sorted(spread))


def assert_grid_is_exact(scale: Scale) -> None:
    count = scale.count
    assert count is not None
    for index in some_indices(count):
        value = scale.value_at(index)
        assert scale.nearest(value) == value
        assert scale.decode(scale.encode(value)) == value
        assert type(scale.decode(scale.encode(value))) is type(value)


@LAWS
@given(st.integers(-BOUND, BOUND), st.integers(0, BOUND), st.integers(1, BOUND))
def test_every_value_of_an_int_grid_survives_the_encoding(low: int, width: int, step: int) -> None:
    high = min(low + width, BOUND)
    scale = SteppedGrid(low, high, step)
    if scale.count <= MAX_COUNT:
        assert_grid_is_exact(scale)
        assert scale.value_at(0) == low
        assert scale.value_at(scale.count - 1) == high


@LAWS
@given(
    st.decimals(-1000, 1000, places=3),
    st.decimals(0, 50, places=3),
    st.decimals(Decimal("0.001"), 10, places=3),
)
def test_a_stepped_grid_reaches_its_maximum_and_rounds_to_the_decimals_of_its_step(
    low: Decimal, width: Decimal, step: Decimal
) -> None:
    scale = SteppedGrid(float(low), float(low + width), float(step))
    assert_grid_is_exact(scale)
    assert scale.value_at(scale.count - 1) == float(low + width)
    for index in some_indices(scale.count - 1):
        assert scale.value_at(index) == float(low + index * step)


def test_the_grid_from_0_to_1_by_0_1_has_eleven_clean_values() -> None:
    scale = SteppedGrid(0.0, 1.0, 0.1)
    assert [scale.value_at(i) for i in range(scale.count)] == [0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0]


@LAWS
@given(ordered(finite), st.floats(1e-300, 1e300))
def test_stepped_floats_over_the_whole_float_range_survive_the_encoding(
    bounds: tuple[float, float], step: float
) -> None:
    scale = SteppedGrid(*bounds, step)
    if scale.count <= MAX_COUNT:
        values = [scale.value_at(index) for index in some_indices(scale.count)]
        for value in values:
            assert scale.decode(scale.encode(value)) == value
        assert values == sorted(values)


@LAWS
@given(st.integers(1, MAX_LOG_INT), st.integers(0, MAX_LOG_INT))
def test_every_int_of_a_log_scale_survives_the_encoding(low: int, width: int) -> None:
    high = min(low + width, MAX_LOG_INT)
    assert_grid_is_exact(LogIntegers(low, high))
    assert_grid_is_exact(Mirrored(LogIntegers(low, high), low, high))


@LAWS
@given(st.integers(MAX_LOG_INT - 2000, MAX_LOG_INT - 1000))
def test_neighbours_at_the_upper_end_of_the_log_ints_stay_apart(low: int) -> None:
    for scale in (LogIntegers(1, MAX_LOG_INT), LogIntegers(low, MAX_LOG_INT)):
        for value in range(low, low + 1000, 7):
            assert scale.decode(scale.encode(value)) == value


@LAWS
@given(ordered(positive), st.floats(1.001, 1000))
def test_a_factor_grid_is_exact_increasing_and_reaches_its_maximum(
    bounds: tuple[float, float], factor: float
) -> None:
    low, high = bounds
    if (math.log(high) - math.log(low)) / math.log(factor) > 3000:
        return
    values = factor_values(low, high, factor, integers=False)
    assert values[0] == low
    assert values[-1] == high
    assert all(a < b for a, b in itertools.pairwise(values))
    assert_grid_is_exact(ListedGrid(values))


@LAWS
@given(st.integers(1, 10**6), st.integers(0, 10**9), st.floats(1.01, 100))
def test_a_factor_grid_of_ints_lists_each_int_once(low: int, width: int, factor: float) -> None:
    values = factor_values(low, low + width, factor, integers=True)
    assert all(type(value) is int for value in values)
    assert all(a < b for a, b in itertools.pairwise(values))
    assert (values[0], values[-1]) == (low, low + width)


def test_powers_of_ten_are_clean_numbers() -> None:
    assert factor_values(1e-4, 10.0, 10, integers=False) == (1e-4, 1e-3, 1e-2, 0.1, 1.0, 10.0)
    assert factor_values(2, 33, 2, integers=True) == (2, 4, 8, 16, 32, 33)


@pytest.mark.parametrize(
    ("low", "high", "factor", "count"),
    [
        (1.0, 2.0**80, 2.0, 81),
        (1.0, 2.0**80.5, 2.0, 82),
        (1e-40, 1e40, 10.0, 81),
        (0.3, 0.3 * 1.1**100, 1.1, 101),
        (1.0, 1.00000001**1000, 1.00000001, 1001),
    ],
)
def test_a_long_grid_lists_its_upper_end_once(low: float, high: float, factor: float, count: int) -> None:
    values = factor_values(low, high, factor, integers=False)
    assert (len(values), values[0], values[-1]) == (count, low, high)


def test_a_factor_grid_of_too_many_values_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match="larger factor"):
        factor_values(1.0, 1e300, 1.0000001, integers=False)


def continua(bounds: tuple[float, float]) -> list[Scale]:
    out: list[Scale] = [LinearInterval(*bounds)]
    if bounds[0] > 0:
        out += [LogInterval(*bounds), Mirrored(LogInterval(*bounds), *bounds)]
    return out


@LAWS
@given(ordered(finite) | ordered(positive) | positive.map(lambda x: (x, x)), unit, unit)
def test_a_continuum_stays_inside_its_bounds_and_is_monotone(bounds: tuple[float, float], a: float, b: float) -> None:
    low, high = bounds
    for scale in continua(bounds):
        first, second = scale.decode(min(a, b)), scale.decode(max(a, b))
        assert low <= first <= high
        # Rounding may swap neighbours that lie within a few units in the last place.
        assert first <= second or math.isclose(first, second, rel_tol=1e-12, abs_tol=1e-12 * (abs(low) + abs(high)))
        assert type(first) is float
        assert (scale.decode(0.0), scale.decode(1.0)) == (low, high)
        assert 0 <= scale.encode(first) <= 1


@LAWS
@given(ordered(positive), unit)
def test_decoding_and_encoding_a_continuum_returns_to_the_value(bounds: tuple[float, float], u: float) -> None:
    for scale in continua(bounds):
        value = scale.decode(u)
        again = scale.decode(scale.encode(value))
        # The logarithm of the range is at most 1382, and a position has 53 bits: 1e-12 is 9 times that.
        assert math.isclose(again, value, rel_tol=1e-12, abs_tol=1e-12 * bounds[1])


@pytest.mark.parametrize("u", [-1.0, 2.0, math.nan, math.inf, -math.inf])
def test_positions_outside_the_unit_interval_are_clipped(u: float) -> None:
    for scale in (SteppedGrid(1, 5, 2), LinearInterval(1, 5), LogInterval(1, 5), LogIntegers(1, 5)):
        assert 1 <= scale.decode(u) <= 5
        assert 1 <= Mirrored(scale, 1, 5).decode(u) <= 5


def test_reverse_log_is_fine_near_its_upper_end() -> None:
    scale = Mirrored(LogInterval(0.9, 0.999), 0.9, 0.999)
    assert 0.999 - scale.decode(0.9) < scale.decode(0.1) - 0.9


def test_the_value_at_an_index_outside_the_grid_is_an_error() -> None:
    for scale in (SteppedGrid(1, 5, 2), ListedGrid((1, 2)), LogIntegers(1, 5)):
        for index in (-1, 99):
            with pytest.raises(IndexError):
                scale.value_at(index)
    for continuum in continua((1.0, 2.0)):
        with pytest.raises(TypeError):
            continuum.value_at(0)


@LAWS
@given(st.integers(-50, 50), st.integers(0, 60), st.integers(1, 9), st.floats(-200, 200))
def test_nearest_finds_a_value_at_the_least_distance(low: int, width: int, step: int, value: float) -> None:
    high = low + width
    scale = SteppedGrid(low, high, step)
    least = min(abs(scale.value_at(i) - value) for i in range(scale.count))
    assert abs(scale.nearest(value) - value) == least
