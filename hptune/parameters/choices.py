"""Listed values: `Choice`, `Boolean`, and `Fixed`, of which there is one."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np

from hptune.errors import did_you_mean
from hptune.owned import fresh
from hptune.parameters.base import (
    UNSET,
    Column,
    Entries,
    Listed,
    Parameter,
    Unset,
    When,
    canonical,
    plain_or_mapping,
)


def _even(levels: int) -> tuple[float, ...]:
    return (1.0 / levels,) * levels


@dataclass(frozen=True, kw_only=True)
class Choice(Parameter):
    """One of a list of values of any type, None, lists and mappings included.

    `ordered` values (numbers, increasing) are encoded as equally spaced positions on a line, others as levels without
    order. `weights` are relative sampling frequencies of either. Values are told apart by type and value: True is not 1.
    A list or mapping among them is handed out as a copy.
    """

    type: ClassVar[str] = "choice"
    values: tuple[Any, ...]
    default: Any = UNSET
    ordered: bool = False
    weights: tuple[float, ...] | None = None
    _index: Mapping[str, int] = field(default_factory=dict, init=False, repr=False, compare=False)

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            name: str,
            values: Listed,
            default: Any = UNSET,
            ordered: bool = False,
            weights: Sequence[float] | None = None,
            when: When = (),
            sets: Sequence[str] = (),
        ) -> None: ...

    def __post_init__(self) -> None:
        super().__post_init__()
        listed: Any = self.values
        if isinstance(listed, np.ndarray):
            listed = listed.tolist()
        if not isinstance(listed, (list, tuple, range)) or not listed:
            raise ValueError(f"{self.name}: expected a list with at least one value, found {self.values!r}")
        values = tuple(plain_or_mapping(one, self.name) for one in listed)
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
        weights = self.weights or (() if self.ordered else _even(self.count))
        total = math.fsum(weights)
        shares = tuple(w / total for w in weights)
        if self.ordered:
            return (Column(self.name, "numeric", weights=shares),)
        return (Column(self.name, "category", self.count, shares),)

    @property
    def default_value(self) -> Any:
        return fresh(self.values[0] if isinstance(self.default, Unset) else self.default)

    def coerce(self, value: Any) -> Any:
        try:
            position = self._index.get(canonical(plain_or_mapping(value, self.name)))
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
        return fresh(self.values[position])

    def encode(self, value: Any) -> tuple[float, ...]:
        position = self._index[canonical(value)]
        return ((position + 0.5) / self.count if self.ordered else float(position),)

    def decode(self, entries: Entries) -> Any:
        entry = entries[0]
        position = int(entry * self.count) if self.ordered else int(entry)
        return fresh(self.values[min(max(position, 0), self.count - 1)])

    def draw(self, u: Entries) -> Any:
        column = self.columns[0]
        return fresh(self.values[column.level(u[0])]) if column.weights else self.decode(u)

    def listed(self, points: int | None) -> Iterator[Any]:
        del points
        yield from map(fresh, self.values)

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

    if TYPE_CHECKING:

        def __init__(self, *, name: str, default: Any = UNSET, when: When = (), sets: Sequence[str] = ()) -> None: ...

    def __post_init__(self) -> None:
        super().__post_init__()
        if not isinstance(self.default, Unset):
            object.__setattr__(self, "default", self.coerce(self.default))

    count = 2

    @cached_property
    def columns(self) -> tuple[Column, ...]:
        return (Column(self.name, "category", 2, _even(2)),)

    @property
    def default_value(self) -> bool:
        return False if isinstance(self.default, Unset) else bool(self.default)

    def coerce(self, value: Any) -> bool:
        if not isinstance(value, (bool, np.bool_)):
            raise ValueError(f"{self.name}: expected true or false, found {value!r}")
        return bool(value)

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

    if TYPE_CHECKING:

        def __init__(self, *, name: str, value: Any, when: When = (), sets: Sequence[str] = ()) -> None: ...

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "value", plain_or_mapping(self.value, self.name))

    count = 1
    columns = ()

    @property
    def default_value(self) -> Any:
        return fresh(self.value)

    def coerce(self, value: Any) -> Any:
        same = canonical(plain_or_mapping(value, self.name)) == canonical(self.value)
        numbers = not any(isinstance(one, bool) or not isinstance(one, (int, float)) for one in (value, self.value))
        if not same and not (numbers and value == self.value):
            raise ValueError(f"{self.name}: is fixed at {self.value!r}, found {value!r}")
        return fresh(self.value)

    def encode(self, value: Any) -> tuple[float, ...]:
        del value
        return ()

    def decode(self, entries: Entries) -> Any:
        del entries
        return fresh(self.value)

    def draw(self, u: Entries) -> Any:
        del u
        return fresh(self.value)

    def listed(self, points: int | None) -> Iterator[Any]:
        del points
        yield fresh(self.value)

    def with_default(self, value: Any) -> Self:
        self.coerce(value)
        return self

    def _options(self) -> dict[str, Any]:
        return {"value": self.value}
