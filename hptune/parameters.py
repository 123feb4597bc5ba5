"""The kinds of parameter a search space is made of: `Float`, `Int`, `Choice`, `Boolean`, `Fixed`.

A parameter knows its values, its default, when it is active, and how it stands in the encoding: as one or two columns
(see `Column`). Values are plain Python: float, int, str, bool, None, or a list of those.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, ClassVar, Literal, Self

import numpy as np
from numpy.typing import NDArray

from hptune.conditions import Condition
from hptune.errors import did_you_mean
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

ScaleName = Literal["linear", "log", "reverse_log"]
SCALES: tuple[str, ...] = ("linear", "log", "reverse_log")
Entries = Sequence[float] | NDArray[np.float64]
MAX_INT = 2**53  # beyond this a 64-bit float, and so JSON elsewhere, no longer holds every int


class Unset:
    """Stands for "no default declared", because null may well be a default."""

    def __repr__(self) -> str:
        return "UNSET"


UNSET = Unset()


@dataclass(frozen=True)
class Column:
    """One column of the encoding.

    A `numeric` column holds a position in [0, 1]; a `category` column a level index 0 ... levels - 1. Both hold NaN
    where the parameter (or that part of it) is inactive. `weights` are the sampling probabilities of the levels.
    """

    parameter: str
    kind: Literal["numeric", "category"]
    levels: int = 0
    weights: tuple[float, ...] = ()

    def level(self, u: float) -> int:
        """Return the level that a uniform u in [0, 1) draws."""
        total = 0.0
        for index, weight in enumerate(self.weights):
            total += weight
            if u < total:
                return index
        return self.levels - 1


def canonical(value: Any) -> str:
    """Return the text that tells values apart by type and value: true, 1, 1.0 and "1" are four values."""
    return json.dumps(value, allow_nan=False, sort_keys=True)


def _plain(value: Any, name: str) -> Any:
    """Return the value as plain JSON-able Python (tuples as lists), or raise ValueError naming the parameter."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return str.__str__(value)  # numpy's strings and text enums become plain ones
    if isinstance(value, int):
        if abs(value) > MAX_INT:
            raise ValueError(f"{name}: the number {value} is beyond ±2^53")
        return int(value)
    if isinstance(value, float):
        if not math.isfinite(value):
            raise ValueError(f"{name}: expected finite numbers, found {value!r}")
        return float(value) + 0.0  # -0.0 becomes 0.0
    if isinstance(value, (list, tuple)):
        return [_plain(one, name) for one in value]
    raise ValueError(f"{name}: expected text, a number, true, false, null or a list of those, found {value!r}")


def _plain_or_mapping(value: Any, name: str) -> Any:
    """Return the value as `_plain` does, a mapping with its values made plain (KerasTuner's `Fixed` takes one)."""
    if isinstance(value, dict) and all(isinstance(key, str) for key in value):
        return {str.__str__(key): _plain_or_mapping(one, name) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain_or_mapping(one, name) for one in value]
    return _plain(value, name)


def _even(levels: int) -> tuple[float, ...]:
    return (1.0 / levels,) * levels


@dataclass(frozen=True, kw_only=True)
class Parameter:
    """What all parameters share: a name, the conditions under which they are active, a default.

    `sets` are the paths in the model that take its value; none: its name is the path.
    """

    type: ClassVar[str]
    name: str
    when: tuple[Condition, ...] = ()
    sets: tuple[str, ...] = ()

    @property
    def columns(self) -> tuple[Column, ...]:
        """The columns of this parameter in the encoding (none for `Fixed`)."""
        raise NotImplementedError

    @property
    def count(self) -> int | None:
        """How many values it has, None for a continuum."""
        raise NotImplementedError

    @property
    def default_value(self) -> Any:
        """The value of the default configuration."""
        raise NotImplementedError

    def coerce(self, value: Any) -> Any:
        """Return the value as this parameter holds it (3.0 as 3 for an Int); raises ValueError if it is outside."""
        raise NotImplementedError

    def encode(self, value: Any) -> tuple[float, ...]:
        """Return the entries of this parameter's columns for a value of it."""
        raise NotImplementedError

    def decode(self, entries: Entries) -> Any:
        """Return the value for the entries of this parameter's columns (the inverse of `encode`)."""
        raise NotImplementedError

    def draw(self, u: Entries) -> Any:
        """Return the value drawn by one uniform number in [0, 1) per column."""
        raise NotImplementedError

    def listed(self, points: int | None) -> Iterator[Any]:
        """Yield the values in order; a continuum as `points` evenly spaced ones (ValueError if points is None)."""
        raise NotImplementedError

    def with_default(self, value: Any) -> Self:
        """Return a copy with this default."""
        raise NotImplementedError

    def nearest(self, value: Any) -> Any:
        """Return `value` if it is one of this parameter's, else the nearest that is, else its default."""
        try:
            return self.coerce(value)
        except ValueError:
            return self.default_value

    def to_json(self) -> dict[str, Any]:
        """Return a plain description, the inverse of `parameter_from_json`."""
        out: dict[str, Any] = {"name": self.name, "type": self.type, **self._options()}
        if self.sets:
            out["sets"] = list(self.sets)
        if self.when:
            out["when"] = [condition.to_json() for condition in self.when]
        return out

    def _options(self) -> dict[str, Any]:
        raise NotImplementedError


@dataclass(frozen=True, kw_only=True)
class _Numeric(Parameter):
    low: Any
    high: Any
    scale: ScaleName = "linear"
    step: Any = None
    factor: float | None = None
    default: Any = UNSET
    extra: tuple[Any, ...] = ()

    def _number(self, value: Any, what: str) -> Any:
        raise NotImplementedError

    def __post_init__(self) -> None:
        low, high = self._number(self.low, "min"), self._number(self.high, "max")
        if low > high:
            raise ValueError(f"{self.name}: expected min <= max, found min {low!r} and max {high!r}")
        if self.scale not in SCALES:
            raise ValueError(
                f"{self.name}: scale: expected linear, log or reverse_log, found {self.scale!r}"
                + did_you_mean(str(self.scale), SCALES)
            )
        if self.scale != "linear" and low <= 0:
            mend = " (add `extra: [0]` to try zero as well)" if low == 0 else ""
            raise ValueError(f"{self.name}: a {self.scale} scale needs min > 0, found min {low!r}{mend}")
        set_ = object.__setattr__
        set_(self, "low", low)
        set_(self, "high", high)
        if self.step is not None:
            set_(self, "step", self._step())
        if self.factor is not None:
            self._check_factor()
        extra = tuple(_plain(one, f"{self.name}: extra") for one in self.extra)
        for one in extra:
            if self._inside(one):
                raise ValueError(f"{self.name}: extra: {one!r} is inside the range already")
        if len({canonical(one) for one in extra}) < len(extra):
            raise ValueError(f"{self.name}: extra: the same value twice")
        set_(self, "extra", extra)
        count = self.map.count  # builds the scale, so that a bad one is refused here
        if count is not None and count > MAX_COUNT:
            raise ValueError(f"{self.name}: more than 2^50 steps; take a larger step or type: float")
        if not isinstance(self.default, Unset):
            set_(self, "default", self.coerce(self.default))

    def _step(self) -> Any:
        if self.scale != "linear":
            raise ValueError(f"{self.name}: a {self.scale} scale takes `factor:`, not `step:`")
        if self.factor is not None:
            raise ValueError(f"{self.name}: expected step or factor, found both")
        step = self._number(self.step, "step")
        if step <= 0:
            raise ValueError(f"{self.name}: step: expected a positive number, found {step!r}")
        return step

    def _check_factor(self) -> None:
        factor = self.factor
        if isinstance(factor, bool) or not isinstance(factor, (int, float)) or not 1 < factor < math.inf:
            raise ValueError(f"{self.name}: factor: expected a number above 1, found {factor!r}")
        if self.scale == "linear":
            raise ValueError(f"{self.name}: `factor:` goes with scale: log; a linear scale takes `step:`")

    @cached_property
    def map(self) -> Scale:
        """The scale its numbers lie on."""
        inner = self._log_map() if self.scale != "linear" else self._linear_map()
        return Mirrored(inner, self.low, self.high) if self.scale == "reverse_log" else inner

    def _linear_map(self) -> Scale:
        raise NotImplementedError

    def _log_map(self) -> Scale:
        if self.factor is not None:
            try:
                values = factor_values(self.low, self.high, self.factor, integers=self.type == "int")
            except ValueError as error:
                raise ValueError(f"{self.name}: {error}") from None
            return ListedGrid(values)
        return self._log_continuum()

    def _log_continuum(self) -> Scale:
        raise NotImplementedError

    def _inside(self, value: Any) -> bool:
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            return False
        if not self.low <= value <= self.high:
            return False
        return self.map.count is None or self.map.nearest(value) == value

    @property
    def count(self) -> int | None:
        if self.low == self.high:
            return 1 + len(self.extra)
        return None if self.map.count is None else self.map.count + len(self.extra)

    @cached_property
    def columns(self) -> tuple[Column, ...]:
        numeric = Column(self.name, "numeric")
        if not self.extra:
            return (numeric,)
        # The range keeps two thirds beside one extra value, half beside two: it is the larger set.
        share = 2 + len(self.extra)
        weights = (2 / share, *(1 / share for _ in self.extra))
        return (Column(self.name, "category", len(weights), weights), numeric)

    @property
    def default_value(self) -> Any:
        return self.map.decode(0.5) if isinstance(self.default, Unset) else self.default

    def coerce(self, value: Any) -> Any:
        for one in self.extra:
            if canonical(one) == canonical(value):
                return one
        number = self._number(value, "value")
        if not self.low <= number <= self.high:
            extras = f" or one of {list(self.extra)!r}" if self.extra else ""
            raise ValueError(f"{self.name}: expected {self.low!r} to {self.high!r}{extras}, found {value!r}")
        if self.map.count is not None and self.map.nearest(number) != number:
            near = self.map.nearest(number)
            raise ValueError(f"{self.name}: {value!r} is between two steps; the nearest value is {near!r}")
        return number

    def nearest(self, value: Any) -> Any:
        try:
            return self.coerce(value)
        except ValueError:
            if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
                return self.default_value
            return self.map.nearest(value)

    def encode(self, value: Any) -> tuple[float, ...]:
        if not self.extra:
            return (self.map.encode(value),)
        for level, one in enumerate(self.extra, start=1):
            if canonical(one) == canonical(value):
                return (float(level), math.nan)
        return (0.0, self.map.encode(value))

    def decode(self, entries: Entries) -> Any:
        if self.extra:
            level = int(entries[0])
            if level > 0:
                return self.extra[level - 1]
        return self.map.decode(entries[-1])

    def draw(self, u: Entries) -> Any:
        if self.extra:
            return self.decode((self.columns[0].level(u[0]), u[1]))
        return self.map.decode(u[0])

    def listed(self, points: int | None) -> Iterator[Any]:
        yield from self.extra
        count = 1 if self.low == self.high else self.map.count
        if count is not None:
            for index in range(count):
                yield self.low if count == 1 else self.map.value_at(index)
        elif points is None:
            raise ValueError(f"{self.name}: a continuous range has no list of values")
        else:
            for index in range(points):
                yield self.map.decode(index / (points - 1) if points > 1 else 0.5)

    def with_default(self, value: Any) -> Self:
        return replace(self, default=value)

    def _options(self) -> dict[str, Any]:
        out: dict[str, Any] = {"min": self.low, "max": self.high, "scale": self.scale}
        if self.step is not None:
            out["step"] = self.step
        if self.factor is not None:
            out["factor"] = self.factor
        if not isinstance(self.default, Unset):
            out["default"] = self.default
        if self.extra:
            out["extra"] = list(self.extra)
        return out


@dataclass(frozen=True, kw_only=True)
class Float(_Numeric):
    """A real number in [low, high], both included, in natural units.

    `scale` is linear, log, or reverse_log (fine near the upper end); `step` makes a grid on a linear scale, `factor`
    on a logarithmic one; a grid always reaches `high`. `extra` are further values outside the range ("0 or a log
    range"). Raises ValueError, naming the parameter, for anything inconsistent.
    """

    type: ClassVar[str] = "float"

    def _number(self, value: Any, what: str) -> float:
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise ValueError(f"{self.name}: {what}: expected a number, found {value!r}")
        try:
            number = float(value)
        except OverflowError:
            number = math.inf
        if not math.isfinite(number):
            raise ValueError(f"{self.name}: {what}: expected a finite number, found {value!r}")
        return number + 0.0

    def _linear_map(self) -> Scale:
        if self.step is not None:
            return SteppedGrid(self.low, self.high, self.step)
        return LinearInterval(self.low, self.high)

    def _log_continuum(self) -> Scale:
        return LogInterval(self.low, self.high)


@dataclass(frozen=True, kw_only=True)
class Int(_Numeric):
    """A whole number in [low, high], both included; options as for `Float`. Bounds lie within ±2^53."""

    type: ClassVar[str] = "int"

    def _number(self, value: Any, what: str) -> int:
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        if isinstance(value, bool) or not isinstance(value, int):
            raise ValueError(f"{self.name}: {what}: expected a whole number, found {value!r}")
        if abs(value) > MAX_INT:
            raise ValueError(f"{self.name}: {what}: expected a whole number within ±2^53, found {value!r}")
        return int(value)

    def _linear_map(self) -> Scale:
        return SteppedGrid(self.low, self.high, 1 if self.step is None else self.step)

    def _log_continuum(self) -> Scale:
        if self.high > MAX_LOG_INT:
            raise ValueError(f"{self.name}: an int on a {self.scale} scale goes up to 2^43; take type: float")
        return LogIntegers(self.low, self.high)


@dataclass(frozen=True, kw_only=True)
class Choice(Parameter):
    """One of a list of values of any type, None and lists included.

    `ordered` values (numbers, increasing) are encoded as positions on a line, others as levels without order.
    `weights` are relative sampling frequencies. Values are told apart by type and value: True is not 1.
    """

    type: ClassVar[str] = "choice"
    values: tuple[Any, ...]
    default: Any = UNSET
    ordered: bool = False
    weights: tuple[float, ...] | None = None
    _index: Mapping[str, int] = field(default_factory=dict, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if not isinstance(self.values, (list, tuple)) or not self.values:
            raise ValueError(f"{self.name}: expected a list with at least one value, found {self.values!r}")
        values = tuple(_plain(one, self.name) for one in self.values)
        index: dict[str, int] = {}
        for position, value in enumerate(values):
            if index.setdefault(canonical(value), position) != position:
                raise ValueError(f"{self.name}: the value {value!r} is listed twice")
        object.__setattr__(self, "values", values)
        object.__setattr__(self, "_index", index)
        if self.ordered:
            self._check_ordered()
        if self.weights is not None:
            self._check_weights()
        if not isinstance(self.default, Unset):
            object.__setattr__(self, "default", self.coerce(self.default))

    def _check_ordered(self) -> None:
        numbers = [v for v in self.values if isinstance(v, (int, float)) and not isinstance(v, bool)]
        if numbers and len(numbers) == len(self.values) and numbers != sorted(numbers):
            raise ValueError(f"{self.name}: ordered: expected increasing numbers, found {list(self.values)!r}")

    def _check_weights(self) -> None:
        weights = tuple(float(w) for w in self.weights or ())
        if len(weights) != len(self.values) or not all(math.isfinite(w) and w > 0 for w in weights):
            raise ValueError(
                f"{self.name}: weights: expected {len(self.values)} positive numbers, one a value, "
                f"found {self.weights!r}"
            )
        object.__setattr__(self, "weights", weights)

    @property
    def count(self) -> int:
        return len(self.values)

    @cached_property
    def columns(self) -> tuple[Column, ...]:
        if self.ordered:
            return (Column(self.name, "numeric"),)
        weights = self.weights or _even(self.count)
        total = math.fsum(weights)
        return (Column(self.name, "category", self.count, tuple(w / total for w in weights)),)

    @property
    def default_value(self) -> Any:
        return self.values[0] if isinstance(self.default, Unset) else self.default

    def coerce(self, value: Any) -> Any:
        try:
            position = self._index.get(canonical(_plain(value, self.name)))
        except ValueError:
            position = None
        if position is None and isinstance(value, (int, float)) and not isinstance(value, bool):
            equal = [i for i, v in enumerate(self.values) if not isinstance(v, bool) and v == value]
            position = equal[0] if len(equal) == 1 else None
        if position is None:
            known = ", ".join(canonical(v) for v in self.values[:20]) + (", ..." if self.count > 20 else "")
            hint = (
                did_you_mean(value, [v for v in self.values if isinstance(v, str)]) if isinstance(value, str) else ""
            )
            raise ValueError(f"{self.name}: expected one of {known}, found {value!r}{hint}")
        return self.values[position]

    def encode(self, value: Any) -> tuple[float, ...]:
        position = self._index[canonical(value)]
        return ((position + 0.5) / self.count if self.ordered else float(position),)

    def decode(self, entries: Entries) -> Any:
        entry = entries[0]
        position = int(entry * self.count) if self.ordered else int(entry)
        return self.values[min(max(position, 0), self.count - 1)]

    def draw(self, u: Entries) -> Any:
        if self.ordered:
            return self.decode(u)
        return self.values[self.columns[0].level(u[0])]

    def listed(self, points: int | None) -> Iterator[Any]:
        del points
        yield from self.values

    def with_default(self, value: Any) -> Self:
        return replace(self, default=value)

    def _options(self) -> dict[str, Any]:
        out: dict[str, Any] = {"values": list(self.values)}
        if self.ordered:
            out["ordered"] = True
        if self.weights is not None:
            out["weights"] = list(self.weights)
        if not isinstance(self.default, Unset):
            out["default"] = self.default
        return out


@dataclass(frozen=True, kw_only=True)
class Boolean(Parameter):
    """True or False; the default is False unless declared."""

    type: ClassVar[str] = "boolean"
    default: Any = UNSET

    def __post_init__(self) -> None:
        if not isinstance(self.default, Unset):
            self.coerce(self.default)

    count = 2

    @cached_property
    def columns(self) -> tuple[Column, ...]:
        return (Column(self.name, "category", 2, _even(2)),)

    @property
    def default_value(self) -> bool:
        return False if isinstance(self.default, Unset) else bool(self.default)

    def coerce(self, value: Any) -> bool:
        if not isinstance(value, bool):
            raise ValueError(f"{self.name}: expected true or false, found {value!r}")
        return value

    def encode(self, value: Any) -> tuple[float, ...]:
        return (float(value),)

    def decode(self, entries: Entries) -> bool:
        return bool(entries[0] >= 1)

    def draw(self, u: Entries) -> bool:
        return bool(u[0] >= 0.5)

    def listed(self, points: int | None) -> Iterator[bool]:
        del points
        yield False
        yield True

    def with_default(self, value: Any) -> Self:
        return replace(self, default=value)

    def _options(self) -> dict[str, Any]:
        return {} if isinstance(self.default, Unset) else {"default": self.default}


@dataclass(frozen=True, kw_only=True)
class Fixed(Parameter):
    """A parameter with one value: handed to the model, never searched, without a column in the encoding."""

    type: ClassVar[str] = "fixed"
    value: Any

    def __post_init__(self) -> None:
        object.__setattr__(self, "value", _plain_or_mapping(self.value, self.name))

    count = 1
    columns = ()

    @property
    def default_value(self) -> Any:
        return self.value

    def coerce(self, value: Any) -> Any:
        if canonical(_plain_or_mapping(value, self.name)) != canonical(self.value) and not (
            isinstance(value, (int, float)) and not isinstance(value, bool) and value == self.value
        ):
            raise ValueError(f"{self.name}: is fixed at {self.value!r}, found {value!r}")
        return self.value

    def encode(self, value: Any) -> tuple[float, ...]:
        del value
        return ()

    def decode(self, entries: Entries) -> Any:
        del entries
        return self.value

    def draw(self, u: Entries) -> Any:
        del u
        return self.value

    def listed(self, points: int | None) -> Iterator[Any]:
        del points
        yield self.value

    def with_default(self, value: Any) -> Self:
        self.coerce(value)
        return self

    def _options(self) -> dict[str, Any]:
        return {"value": self.value}


def parameter_from_json(data: Mapping[str, Any]) -> Parameter:
    """Return the parameter that `Parameter.to_json` described; raises ValueError for anything else."""
    options = dict(data)
    kind = options.pop("type", None)
    name = options.pop("name", None)
    if not isinstance(name, str):
        raise ValueError(f"a parameter needs a name, found {name!r}")
    when = tuple(Condition.from_json(one) for one in options.pop("when", ()))
    for short, long in (("min", "low"), ("max", "high")):
        if short in options:
            options[long] = options.pop(short)
    for key in ("extra", "values", "weights", "sets"):
        if isinstance(options.get(key), list):
            options[key] = tuple(options[key])
    kinds: dict[Any, type[Parameter]] = {one.type: one for one in (Float, Int, Choice, Boolean, Fixed)}
    if kind not in kinds:
        raise ValueError(f"{name}: type: expected {', '.join(kinds)}, found {kind!r}")
    try:
        return kinds[kind](name=name, when=when, **options)
    except TypeError as error:
        raise ValueError(f"{name}: {error}") from None
