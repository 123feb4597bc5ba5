"""What every parameter shares, its columns in the encoding, and what counts as a plain value."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self

import numpy as np
from numpy.typing import NDArray

from hptune.conditions import Condition, clause

Entries = Sequence[float] | NDArray[np.float64]
MAX_INT = 2**53  # beyond this a 64-bit float, and so JSON elsewhere, no longer holds every int


When = Mapping[str, Any] | Sequence[Condition] | Condition
"""What a parameter's `when` may be given as."""
Listed = Sequence[Any] | NDArray[Any]


class Unset:
    """Stands for "no default declared", because null may well be a default."""

    def __repr__(self) -> str:
        return "UNSET"


UNSET = Unset()


@dataclass(frozen=True)
class Column:
    """One column of the encoding.

    A `numeric` column holds a position in [0, 1]; a `category` column a level index 0 ... levels - 1. Both hold NaN
    where the parameter (or that part of it) is inactive. `weights` are the sampling probabilities of the levels; a
    numeric column of as many equal cells has them where they are not sampled alike.
    """

    parameter: str
    kind: Literal["numeric", "category"]
    levels: int = 0
    weights: tuple[float, ...] = ()

    def level(self, u: float) -> int:
        """Return the level (or the cell) that a uniform u in [0, 1) draws."""
        total = 0.0
        for index, weight in enumerate(self.weights):
            total += weight
            if u < total:
                return index
        return len(self.weights) - 1


_written = json.JSONEncoder(allow_nan=False, sort_keys=True).encode  # made once: it is half the time of json.dumps


def canonical(value: Any) -> str:
    """Return the text that tells values apart by type and value: true, 1, 1.0 and "1" are four values."""
    return _written(value)


def plain(value: Any, name: str) -> Any:
    """Return the value as plain JSON-able Python (tuples as lists), or raise ValueError naming the parameter."""
    if isinstance(value, np.generic):
        value = value.item()
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
        return [plain(one, name) for one in value]
    raise ValueError(
        f"{name}: expected text, a number, true, false, null, or a list or mapping of those, found {value!r}"
    )


def plain_or_mapping(value: Any, name: str) -> Any:
    """Return the value as `plain` does, a mapping with text keys with its values made plain; {0: 1} has no such keys."""
    if isinstance(value, dict):
        wrong = [key for key in value if not isinstance(key, str)]
        if wrong:
            raise ValueError(f"{name}: expected text as the keys of a mapping, found {wrong[0]!r}")
        return {str.__str__(key): plain_or_mapping(one, name) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain_or_mapping(one, name) for one in value]
    return plain(value, name)


@dataclass(frozen=True, kw_only=True)
class Parameter:
    """What all parameters share: a name, the conditions under which they are active, a default.

    `sets` are the paths in the model that take its value; none: its name is the path. `when` may also be written as in a
    config: {parameter: value}, {parameter: [one of these]}, {parameter: {"ge": 3}}.
    """

    type: ClassVar[str]
    name: str
    when: tuple[Condition, ...] = ()
    sets: tuple[str, ...] = ()

    if TYPE_CHECKING:  # what may be given is more than what is kept; the same below, in each kind of parameter

        def __init__(self, *, name: str, when: When = (), sets: Sequence[str] = ()) -> None: ...

    def __post_init__(self) -> None:
        if isinstance(self.when, Mapping):
            object.__setattr__(self, "when", self._clauses(self.when))
        elif isinstance(self.when, Condition):
            object.__setattr__(self, "when", (self.when,))
        elif not isinstance(self.when, (list, tuple)) or not all(isinstance(one, Condition) for one in self.when):
            raise ValueError(f"{self.name}: when: expected a mapping such as {{'kind': 'deep'}}, found {self.when!r}")
        else:
            object.__setattr__(self, "when", tuple(self.when))

    def _clauses(self, when: Mapping[str, Any]) -> tuple[Condition, ...]:
        try:
            return tuple(one for name, test in when.items() for one in clause(name, test))
        except ValueError as error:
            raise ValueError(f"{self.name}: when: {error}") from None

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
