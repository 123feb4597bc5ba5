"""Numbers: `Float` and `Int`, on a linear, log or reversed log scale, with a step or factor or without."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self

from hptune.errors import did_you_mean
from hptune.parameters.base import MAX_INT, UNSET, Column, Entries, Parameter, Unset, When, canonical, plain
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

SCALES: tuple[str, ...] = ("linear", "log", "reverse_log")
ScaleName = Literal["linear", "log", "reverse_log"]


@dataclass(frozen=True, kw_only=True)
class _Numeric(Parameter):
    low: Any
    high: Any
    scale: ScaleName = "linear"
    step: Any = None
    factor: float | None = None
    default: Any = UNSET
    extra: tuple[Any, ...] = ()

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            name: str,
            low: Any,
            high: Any,
            scale: ScaleName = "linear",
            step: Any = None,
            factor: float | None = None,
            default: Any = UNSET,
            extra: Sequence[Any] = (),
            when: When = (),
            sets: Sequence[str] = (),
        ) -> None: ...

    def _number(self, value: Any, what: str) -> Any:
        raise NotImplementedError

    def __post_init__(self) -> None:
        super().__post_init__()
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
        extra = tuple(plain(one, f"{self.name}: extra") for one in self.extra)
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

    def _extra_level(self, value: Any) -> int | None:
        """Return which of `extra` the value is, None if it is none of them.

        As in a `Choice`, the same type and value first; then a number that equals one of them (`extra: [0]` is 0.0).
        """
        if not self.extra:
            return None
        text = canonical(value)
        exact = [level for level, one in enumerate(self.extra) if canonical(one) == text]
        if exact or isinstance(value, bool) or not isinstance(value, (int, float)):
            return exact[0] if exact else None
        equal = [level for level, one in enumerate(self.extra) if not isinstance(one, bool) and one == value]
        return equal[0] if len(equal) == 1 else None

    def coerce(self, value: Any) -> Any:
        level = self._extra_level(value)
        if level is not None:
            return self.extra[level]
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
        level = self._extra_level(value)
        if level is not None:
            return (float(level + 1), math.nan)
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


@dataclass(frozen=True, kw_only=True, init=False)
class Float(_Numeric):
    """A real number in [low, high], both included, in natural units.

    `scale` is linear, log, or reverse_log (fine near the upper end); `step` makes a grid on a linear scale, `factor`
    on a logarithmic one; a grid always reaches `high`. `extra` are further values outside the range ("0 or a log
    range"). Raises ValueError, naming the parameter, for anything inconsistent.
    """

    type: ClassVar[str] = "float"

    def _number(self, value: Any, what: str) -> float:
        if isinstance(value, bool) or not isinstance(value, Real):
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


@dataclass(frozen=True, kw_only=True, init=False)
class Int(_Numeric):
    """A whole number in [low, high], both included; options as for `Float`. Bounds lie within ±2^53."""

    type: ClassVar[str] = "int"

    def _number(self, value: Any, what: str) -> int:
        if (isinstance(value, float) and value.is_integer()) or isinstance(value, Integral):
            value = value if isinstance(value, bool) else int(value)  # NumPy's own as well
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
