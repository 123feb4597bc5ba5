"""One-dimensional maps between a parameter's natural units and the unit interval.

Legend: u is a position in [0, 1]; v a value in natural units. Every scale is monotone increasing, `decode` clips u to
[0, 1] and returns plain Python numbers, and on a scale with finitely many values `decode(encode(v)) == v` exactly.
The i-th of n grid values sits in the middle of the i-th of n equal cells, u = (i + 1/2) / n, so that a uniform u
draws every value equally often.
"""

from __future__ import annotations

import bisect
import math
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from functools import cached_property
from typing import Protocol

MAX_LISTED = 100_000
"""Most values of a factor grid; such grids are written out."""

MAX_COUNT = 2**50
"""Most values of a stepped grid: beyond this (i + 1/2) / n no longer names each i in a 64-bit float."""

MAX_LOG_INT = 2**43
"""Largest bound of an int on a logarithmic scale: beyond this neighbouring ints share a float position."""

Number = int | float


class Scale(Protocol):
    """A monotone map between values and [0, 1]."""

    @property
    def count(self) -> int | None:
        """How many values there are, None for a continuum."""
        ...

    def encode(self, value: Number) -> float:
        """Return the position of a value that lies on the scale."""
        ...

    def decode(self, u: float) -> Number:
        """Return the value at (or, on a grid, nearest to) position u."""
        ...

    def nearest(self, value: Number) -> Number:
        """Return the value on the scale nearest to any number in natural units."""
        ...

    def value_at(self, index: int) -> Number:
        """Return the index-th value of a grid; raises IndexError outside it and TypeError on a continuum."""
        ...


def _clip(u: float) -> float:
    return 0.0 if not u > 0.0 else min(u, 1.0)  # NaN goes to 0


class _Continuum:
    count = None

    def value_at(self, index: int) -> Number:
        raise TypeError(f"a continuum has no value number {index}")


@dataclass(frozen=True)
class LinearInterval(_Continuum):
    """All floats in [low, high]."""

    low: float
    high: float

    def encode(self, value: Number) -> float:
        if self.low == self.high:
            return 0.5
        span = self.high - self.low
        if math.isfinite(span):
            return _clip((value - self.low) / span)
        return _clip((value / 2 - self.low / 2) / (self.high / 2 - self.low / 2))  # bounds near the largest float

    def decode(self, u: float) -> float:
        u = _clip(u)
        return float(min(max(self.low * (1 - u) + self.high * u, self.low), self.high))

    def nearest(self, value: Number) -> float:
        return float(min(max(value, self.low), self.high))


@dataclass(frozen=True)
class LogInterval(_Continuum):
    """All floats in [low, high], low > 0, uniform in the logarithm."""

    low: float
    high: float

    def encode(self, value: Number) -> float:
        bottom, top = math.log(self.low), math.log(self.high)
        if bottom == top:  # one value, or neighbours too close for their logarithms to differ
            return 0.5
        return _clip((math.log(value) - bottom) / (top - bottom))

    def decode(self, u: float) -> float:
        u = _clip(u)
        if u == 0.0 or self.low == self.high:
            return float(self.low)
        if u == 1.0:
            return float(self.high)
        value = math.exp(math.log(self.low) * (1 - u) + math.log(self.high) * u)
        return float(min(max(value, self.low), self.high))

    def nearest(self, value: Number) -> float:
        return float(min(max(value, self.low), self.high))


@dataclass(frozen=True)
class LogIntegers:
    """All ints in [low, high], low >= 1, uniform in the logarithm, each int owning the cell [v - 1/2, v + 1/2]."""

    low: int
    high: int

    @property
    def count(self) -> int:
        return self.high - self.low + 1

    @cached_property
    def log_bounds(self) -> tuple[float, float]:
        """The logarithms at which the first cell begins and the last one ends."""
        return math.log(self.low - 0.5), math.log(self.high + 0.5)

    def encode(self, value: Number) -> float:
        bottom, top = self.log_bounds
        return _clip((math.log(value) - bottom) / (top - bottom))

    def decode(self, u: float) -> int:
        bottom, top = self.log_bounds
        return int(self.nearest(math.exp(bottom + _clip(u) * (top - bottom))))

    def nearest(self, value: Number) -> int:
        return min(max(math.floor(value + 0.5), self.low), self.high)

    def value_at(self, index: int) -> int:
        if not 0 <= index < self.count:
            raise IndexError(index)
        return self.low + index


@dataclass(frozen=True)
class SteppedGrid:
    """low, low + step, low + 2 step, ..., and always high, rounded to the decimals of low and step."""

    low: Number
    high: Number
    step: Number

    @cached_property
    def _exact(self) -> tuple[Decimal, Decimal, Decimal]:
        return Decimal(repr(self.low)), Decimal(repr(self.high)), Decimal(repr(self.step))

    @cached_property
    def count(self) -> int:
        low, high, step = (Fraction(one) for one in self._exact)
        whole = (high - low) // step
        return int(whole) + 1 + (low + whole * step < high)  # one more where high is off the grid

    def value_at(self, index: int) -> Number:
        if not 0 <= index < self.count:
            raise IndexError(index)
        if index == self.count - 1:
            return self.high
        if isinstance(self.low, int) and isinstance(self.step, int):
            return self.low + index * self.step
        low, _, step = self._exact
        return float(low + index * step)

    def _index(self, value: Number) -> int:
        if isinstance(self.low, int) and isinstance(value, int) and isinstance(self.step, int):
            guess = (value - self.low) // self.step
        else:
            guess = math.floor((value / 2 - self.low / 2) / (self.step / 2))
        near = {min(max(guess + offset, 0), self.count - 1) for offset in (-1, 0, 1, 2)} | {self.count - 1}
        return min(sorted(near), key=lambda i: abs(self.value_at(i) - value))

    def encode(self, value: Number) -> float:
        return (self._index(value) + 0.5) / self.count

    def decode(self, u: float) -> Number:
        return self.value_at(min(int(_clip(u) * self.count), self.count - 1))

    def nearest(self, value: Number) -> Number:
        return self.value_at(self._index(min(max(value, self.low), self.high)))


@dataclass(frozen=True)
class ListedGrid:
    """Finitely many increasing values, written out: factor grids and ordered choices of numbers."""

    values: tuple[Number, ...]

    @property
    def count(self) -> int:
        return len(self.values)

    def value_at(self, index: int) -> Number:
        if not 0 <= index < self.count:
            raise IndexError(index)
        return self.values[index]

    def _index(self, value: Number) -> int:
        right = bisect.bisect_left(self.values, value)
        near = [i for i in (right - 1, right) if 0 <= i < self.count]
        return min(near, key=lambda i: abs(self.values[i] - value))

    def encode(self, value: Number) -> float:
        return (self._index(value) + 0.5) / self.count

    def decode(self, u: float) -> Number:
        return self.values[min(int(_clip(u) * self.count), self.count - 1)]

    def nearest(self, value: Number) -> Number:
        return self.values[self._index(value)]


@dataclass(frozen=True)
class Mirrored:
    """A scale read backwards, v -> low + high - v: `reverse_log` is the mirror of a logarithmic scale."""

    inner: Scale
    low: Number
    high: Number

    @property
    def count(self) -> int | None:
        return self.inner.count

    def _mirror(self, value: Number) -> Number:
        if value == self.low:
            return self.high
        if value == self.high:
            return self.low
        return self.low + self.high - value

    def encode(self, value: Number) -> float:
        return 1.0 - self.inner.encode(self._mirror(value))

    def decode(self, u: float) -> Number:
        return self._mirror(self.inner.decode(1.0 - _clip(u)))

    def nearest(self, value: Number) -> Number:
        return self._mirror(self.inner.nearest(self._mirror(min(max(value, self.low), self.high))))

    def value_at(self, index: int) -> Number:
        count = self.inner.count
        if count is None:
            raise TypeError("a continuum has no index-th value")
        return self._mirror(self.inner.value_at(count - 1 - index))


def factor_values(low: Number, high: Number, factor: float, *, integers: bool) -> tuple[Number, ...]:
    """Return low, low * factor, low * factor^2, ..., and always high; ints are rounded and listed once.

    Raises ValueError where that is more than `MAX_LISTED` values.
    """
    steps = (math.log(high) - math.log(low)) / math.log(factor)
    if steps > MAX_LISTED:
        raise ValueError(
            f"factor: a grid of about {steps:.0f} values is too fine; take a larger factor than {factor!r}"
        )
    exact_low, exact_factor = Fraction(repr(low)), Fraction(repr(factor))
    exact = steps <= 64  # small powers stay exact (0.001, 0.01, 0.1, 1.0), long grids go by logarithms
    # By logarithms a last step that ends on high misses it by rounding: the millionth part of a step is none.
    count = int(steps + 1e-9) + 1 if exact else math.ceil(steps - 1e-6)
    values: list[Number] = []
    for i in range(count):
        value = float(exact_low * exact_factor**i) if exact else math.exp(math.log(low) + i * math.log(factor))
        number: Number = low if i == 0 else round(value) if integers else value  # exp(log(low)) is only nearly low
        if number < high and (not values or number > values[-1]):
            values.append(number)
    return (*values, high)
