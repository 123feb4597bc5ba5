"""When a parameter is active (`Condition`), and which configurations are allowed (`Forbid`, `Require`).

Equality is by type and value: True is not 1. A condition on an inactive parameter is false; a constraint that names
an inactive parameter holds.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

from hptune.expressions import Expression, ExpressionError, NotNumbers

Operator = Literal["eq", "ne", "in", "gt", "ge", "lt", "le"]
_SIGNS = {"eq": "=", "ne": "!=", "in": "in", "gt": ">", "ge": ">=", "lt": "<", "le": "<="}
COMPARISONS: tuple[str, ...] = ("gt", "ge", "lt", "le", "ne")


def same(a: Any, b: Any) -> bool:
    """Equality by type and value, where 1 and 1.0 are one number but True is neither."""
    if isinstance(a, bool) != isinstance(b, bool):
        return False
    return bool(a == b)


@dataclass(frozen=True)
class Condition:
    """`parameter OP value`; for `in`, the value is a tuple of alternatives."""

    parameter: str
    op: Operator
    value: Any

    def __post_init__(self) -> None:
        if self.op not in _SIGNS:
            raise ValueError(f"when: expected one of {', '.join(_SIGNS)}, found {self.op!r}")
        if self.op == "in":
            if not isinstance(self.value, (list, tuple)) or not self.value:
                raise ValueError(f"when: {self.parameter}: expected a list of values, found {self.value!r}")
            object.__setattr__(self, "value", tuple(self.value))

    def holds(self, values: Mapping[str, Any]) -> bool:
        """Return whether it is true of these active values; False if the parameter is not among them."""
        if self.parameter not in values:
            return False
        found = values[self.parameter]
        if self.op == "in":
            return any(same(found, one) for one in self.value)
        if self.op in ("eq", "ne"):
            return same(found, self.value) == (self.op == "eq")
        if isinstance(found, bool) or not isinstance(found, (int, float)):
            return False  # an `extra` such as "scale" is neither above nor below a number
        match self.op:
            case "gt":
                return bool(found > self.value)
            case "ge":
                return bool(found >= self.value)
            case "lt":
                return bool(found < self.value)
            case _:
                return bool(found <= self.value)

    def to_json(self) -> list[Any]:
        return [self.parameter, self.op, list(self.value) if self.op == "in" else self.value]

    @classmethod
    def from_json(cls, data: Any) -> Condition:
        if not isinstance(data, (list, tuple)) or len(data) != 3 or not isinstance(data[0], str):
            raise ValueError(f"when: expected [parameter, operator, value], found {data!r}")
        return cls(*data)

    def __str__(self) -> str:
        value = ", ".join(str(one) for one in self.value) if self.op == "in" else self.value
        return f"{self.parameter} {_SIGNS[self.op]} {value}"


def clause(parameter: str, test: Any) -> tuple[Condition, ...]:
    """Return the conditions that one entry of a `when:` or `forbid:` mapping stands for.

    A scalar means equality, a list means one of, a mapping {gt|ge|lt|le|ne: x} comparisons that must all hold.
    Raises ValueError for an unknown comparison.
    """
    if isinstance(test, Mapping):
        unknown = [key for key in test if key not in COMPARISONS]
        if unknown == ["in"] and isinstance(test["in"], (list, tuple)):
            shown = ", ".join(one if isinstance(one, str) else json.dumps(one) for one in test["in"])
            raise ValueError(f"{parameter}: a list alone means one of it: write `{parameter}: [{shown}]`")
        if unknown or not test:
            raise ValueError(
                f"{parameter}: expected {', '.join(COMPARISONS)}, found {', '.join(unknown) or 'nothing'}"
            )
        for op, bound in test.items():
            if op != "ne" and (isinstance(bound, bool) or not isinstance(bound, (int, float))):
                raise ValueError(f"{parameter}: {op}: expected a number, found {bound!r}")
        return tuple(Condition(parameter, op, bound) for op, bound in test.items())
    if isinstance(test, (list, tuple)):
        return (Condition(parameter, "in", tuple(test)),)
    return (Condition(parameter, "eq", test),)


@dataclass(frozen=True)
class Forbid:
    """A configuration for which all these conditions hold is not allowed."""

    conditions: tuple[Condition, ...]

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(condition.parameter for condition in self.conditions))

    def allows(self, values: Mapping[str, Any]) -> bool:
        return not all(condition.holds(values) for condition in self.conditions)

    def to_json(self) -> dict[str, Any]:
        return {"forbid": [condition.to_json() for condition in self.conditions]}

    def __str__(self) -> str:
        return "forbid " + " and ".join(str(condition) for condition in self.conditions)


@dataclass(frozen=True)
class Require:
    """A configuration for which this expression is false is not allowed."""

    text: str

    @cached_property
    def expression(self) -> Expression:
        return Expression(self.text)

    @property
    def names(self) -> tuple[str, ...]:
        return self.expression.names

    def allows(self, values: Mapping[str, Any]) -> bool:
        """Return whether the expression is true; it is where a parameter is inactive or has a value without numbers.

        (`extra: [scale]` puts text where a number usually stands: the constraint does not speak of it.) An expression
        that cannot be computed otherwise, such as a division by zero, is not true.
        """
        if any(name not in values for name in self.names):
            return True
        try:
            return self.expression.holds(values)
        except NotNumbers:
            return True
        except ExpressionError:
            return False

    def to_json(self) -> dict[str, Any]:
        return {"require": self.text}

    def __str__(self) -> str:
        return f"require {self.text}"


Constraint = Forbid | Require


def constraints_of(given: Any) -> tuple[Constraint, ...]:
    """Return constraints as they are or written as in a config; raises ValueError for anything else."""
    if isinstance(given, (str, Mapping, Forbid, Require)) or not isinstance(given, Iterable):
        raise ValueError(f"constraints: expected a list such as ['a < b'], found {given!r}"[:300])
    return tuple(_constraint_of(one) for one in given)


def _constraint_of(given: Any) -> Constraint:
    match given:
        case Forbid() | Require():
            return given
        case str(text) | {"require": str(text)} if isinstance(given, str) or len(given) == 1:
            constraint = Require(text)
            constraint.expression.check()
            return constraint
        case {"forbid": Mapping() as tests, **rest} if tests and not rest:
            return Forbid(tuple(one for name, test in tests.items() for one in clause(name, test)))
    raise ValueError(
        "constraints: expected text such as 'a < b', {'require': 'a < b'} or {'forbid': {'a': 1}}, "
        f"found {given!r}"[:300]
    )


def constraint_from_json(data: Mapping[str, Any]) -> Constraint:
    """Return the constraint that `to_json` described; raises ValueError for anything else."""
    match dict(data):
        case {"forbid": list(conditions), **rest} if not rest:
            return Forbid(tuple(Condition.from_json(one) for one in conditions))
        case {"require": str(text), **rest} if not rest:
            constraint = Require(text)
            _ = constraint.expression  # refuses a bad one now
            return constraint
    raise ValueError(f"expected forbid or require, found {sorted(data)!r}")
