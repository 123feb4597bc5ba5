"""`SearchSpace`: the declared, ordered, frozen set of parameters, and the only encoding of configurations.

A configuration (`values`) is a dict of the *active* parameters' plain Python values, in the space's order. Encoded it
is a row of the space's columns: numeric columns in [0, 1], category columns as level index, NaN where inactive.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hptune import enumeration
from hptune.conditions import Condition, Constraint, constraint_from_json, constraints_of
from hptune.enumeration import Count
from hptune.errors import did_you_mean
from hptune.parameters import Boolean, Choice, Column, Fixed, Float, Int, Parameter, canonical, parameter_from_json

__all__ = ["Boolean", "Choice", "Column", "Fixed", "Float", "Infeasible", "Int", "Parameter", "SearchSpace"]

Row = NDArray[np.float64]

_WALKED = 1_000_000  # where counting gives up, whether there are so many is found by listing them


class Infeasible(ValueError):
    """The constraints leave (almost) nothing of the space."""


def _parameters_of(given: Any) -> tuple[Parameter, ...]:
    wanted = "expected a list of parameters such as [hptune.Float(name='lr', low=0, high=1)]"
    if isinstance(given, Mapping):
        raise ValueError(f"{wanted}, found a mapping; each carries its name itself: list(parameters.values())")
    if not isinstance(given, Iterable) or isinstance(given, (str, Parameter)):
        raise ValueError(f"{wanted}, found {given!r}"[:300])
    listed = tuple(given)
    for one in listed:
        if not isinstance(one, Parameter):
            raise ValueError(f"{wanted}, found {one!r} in it"[:300])
    return listed


@dataclass(frozen=True)
class SearchSpace:
    """An ordered set of parameters with conditions and constraints.

    `constraints` may also be written as in a config: "a < b" (or {"require": "a < b"}), {"forbid": {"a": 1, "b": [2, 3]}}.
    Raises ValueError for what is no list of parameters or of constraints, a name used twice, a condition or constraint
    on an unknown parameter or impossible value, and conditions that go in a circle.

        >>> space = SearchSpace((Float(name="alpha", low=1e-3, high=10, scale="log"),))
        >>> space.decode(space.encode({"alpha": 10.0}))
        {'alpha': 10.0}
    """

    parameters: tuple[Parameter, ...]
    constraints: tuple[Constraint, ...] = ()

    def __init__(
        self, parameters: Iterable[Parameter], constraints: Iterable[Constraint | str | Mapping[str, Any]] = ()
    ) -> None:
        object.__setattr__(self, "parameters", _parameters_of(parameters))
        object.__setattr__(self, "constraints", constraints_of(constraints))
        self._check()

    def _check(self) -> None:
        for parameter in self.parameters:
            if self.by_name[parameter.name] is not parameter:
                raise ValueError(f"{parameter.name}: declared twice")
        checked = tuple(
            replace(parameter, when=tuple(self._checked(one, parameter.name) for one in parameter.when))
            if parameter.when
            else parameter
            for parameter in self.parameters
        )
        object.__setattr__(self, "parameters", checked)
        self.__dict__.pop("by_name", None)
        _ = self.parents_first  # raises when conditions go in a circle
        for constraint in self.constraints:
            for name in constraint.names:
                if name not in self.by_name:
                    raise ValueError(f"{constraint}: no parameter {name!r}" + did_you_mean(name, self.by_name))
            for condition in getattr(constraint, "conditions", ()):
                self._checked(condition, str(constraint))

    def _checked(self, condition: Condition, owner: str) -> Condition:
        """Return the condition with its values as the parent parameter holds them."""
        parent = self.by_name.get(condition.parameter)
        if parent is None:
            hint = did_you_mean(condition.parameter, self.by_name)
            raise ValueError(f"{owner}: when: no parameter {condition.parameter!r}{hint}")
        if condition.op not in ("eq", "ne", "in"):
            return condition
        try:
            if condition.op == "in":
                return replace(condition, value=tuple(parent.coerce(one) for one in condition.value))
            return replace(condition, value=parent.coerce(condition.value))
        except ValueError as error:
            raise ValueError(f"{owner}: when: {error}") from None

    # -- what it is ---------------------------------------------------------------------------------------------

    @cached_property
    def by_name(self) -> dict[str, Parameter]:
        """The parameters by name, in declared order (of two with one name, the first)."""
        out: dict[str, Parameter] = {}
        for parameter in self.parameters:
            out.setdefault(parameter.name, parameter)
        return out

    def __getitem__(self, name: str) -> Parameter:
        return self.by_name[name]

    def __contains__(self, name: object) -> bool:
        return name in self.by_name

    def __iter__(self) -> Iterator[Parameter]:
        return iter(self.parameters)

    def __len__(self) -> int:
        return len(self.parameters)

    @cached_property
    def parents_first(self) -> tuple[Parameter, ...]:
        """The parameters with parents before children, otherwise as declared."""
        done: dict[str, Parameter] = {}
        waiting = list(self.parameters)
        while waiting:
            ready = [p for p in waiting if all(c.parameter in done for c in p.when)]
            if not ready:
                circle = ", ".join(p.name for p in waiting)
                raise ValueError(f"the conditions of {circle} go in a circle")
            done.update((p.name, p) for p in ready)
            waiting = [p for p in waiting if p.name not in done]
        return tuple(done.values())

    @cached_property
    def columns(self) -> tuple[Column, ...]:
        """The columns of the encoding, parameter by parameter in declared order."""
        return tuple(itertools.chain.from_iterable(p.columns for p in self.parameters))

    @cached_property
    def slots(self) -> dict[str, slice]:
        """Where the columns of each parameter stand among all, by its name, in declared order."""
        slots, start = {}, 0
        for parameter in self.parameters:
            slots[parameter.name] = slice(start, start + len(parameter.columns))
            start += len(parameter.columns)
        return slots

    # -- configurations -------------------------------------------------------------------------------------------

    def _build(self, pick: Callable[[Parameter], Any]) -> dict[str, Any]:
        """Return the configuration that `pick` makes, asked for each active parameter, parents first."""
        values: dict[str, Any] = {}
        for parameter in self.parents_first:
            if all(condition.holds(values) for condition in parameter.when):
                values[parameter.name] = pick(parameter)
        if self.parents_first == self.parameters:
            return values
        return {p.name: values[p.name] for p in self.parameters if p.name in values}

    def defaults(self) -> dict[str, Any]:
        """Return the configuration of all defaults."""
        return self._build(lambda parameter: parameter.default_value)

    def complete(self, partial: Mapping[str, Any]) -> dict[str, Any]:
        """Return the configuration with these values and defaults for the rest.

        Raises ValueError for an unknown name, a value outside its parameter, or a value for a parameter that the
        other values make inactive.
        """
        for name in partial:
            if name not in self.by_name:
                raise ValueError(f"no parameter {name!r}" + did_you_mean(name, self.by_name))
        values = self._build(lambda p: p.coerce(partial[p.name]) if p.name in partial else p.default_value)
        for name in partial:
            if name not in values:
                needs = " and ".join(str(condition) for condition in self[name].when)
                raise ValueError(f"{name}: is inactive here (it needs {needs})")
        return values

    def complete_or_defaults(self, partial: Mapping[str, Any]) -> dict[str, Any]:
        """Return the configuration that takes from `partial` what is active and defaults for the rest, unchecked."""
        return self._build(lambda p: partial.get(p.name, p.default_value))

    def check(self, values: Mapping[str, Any]) -> str | None:
        """Return what is wrong, None if nothing: exactly the active parameters, each inside its range, allowed."""
        try:
            completed = self.complete(values)
        except ValueError as error:
            return str(error)
        missing = [name for name in completed if name not in values]
        if missing:
            return f"no value for {', '.join(missing)}"
        broken = self.broken(values)
        return f"not allowed: {broken}" if broken is not None else None

    def broken(self, values: Mapping[str, Any]) -> Constraint | None:
        """Return the first constraint that a configuration breaks, None if it is allowed."""
        return next((constraint for constraint in self.constraints if not constraint.allows(values)), None)

    def key(self, values: Mapping[str, Any]) -> str:
        """Return the text that identifies a configuration: equal exactly for equal types and values."""
        return canonical({name: values[name] for name in self.slots if name in values})

    # -- the encoding -----------------------------------------------------------------------------------------------

    def encode(self, values: Mapping[str, Any]) -> Row:
        """Return the row of a configuration, shape (columns,)."""
        row = np.full(len(self.columns), np.nan)
        for name, slot in self.slots.items():
            if name in values:
                row[slot] = self.by_name[name].encode(values[name])
        return row

    def decode(self, row: Row | Sequence[float]) -> dict[str, Any]:
        """Return the configuration of a row: the inverse of `encode`, exact on every grid.

        A NaN where a parameter turns out active stands for its default.
        """

        def pick(parameter: Parameter) -> Any:
            entries = row[self.slots[parameter.name]]
            # NaN in the numeric part beside an `extra` level is the normal case, NaN in the first entry is not.
            if len(entries) and math.isnan(entries[0]):
                return parameter.default_value
            return parameter.decode(entries)

        return self._build(pick)

    def draw(self, u: Row | Sequence[float]) -> dict[str, Any]:
        """Return the configuration drawn by uniform numbers in [0, 1), shape (columns,), constraints ignored."""
        return self._build(lambda parameter: parameter.draw(u[self.slots[parameter.name]]))

    # -- sampling and listing -----------------------------------------------------------------------------------

    def sample(self, rng: np.random.Generator, tries: int = 20_000) -> dict[str, Any]:
        """Return a random allowed configuration; raises `Infeasible` if none of `tries` draws is allowed."""
        for _ in range(tries):
            values = self.draw(rng.random(len(self.columns)))
            if self.broken(values) is None:
                return values
        raise Infeasible(f"none of {tries} random configurations satisfies the constraints")

    def feasible_share(self, rng: np.random.Generator, draws: int = 2000) -> float:
        """Return the share of random configurations that the constraints allow."""
        if not self.constraints:
            return 1.0
        hits = sum(self.broken(self.draw(rng.random(len(self.columns)))) is None for _ in range(draws))
        return hits / draws

    def count(self, points: int | None = None) -> Count | None:
        """Return how many configurations there are, constraints ignored; None for a continuum.

        With `points`, a continuous range counts as that many values. The children of a parent's value count only under
        that value.
        """
        if points not in self._counts:
            self._counts[points] = enumeration.count(self.parents_first, points)
        return self._counts[points]

    @cached_property
    def _counts(self) -> dict[int | None, Count | None]:
        return {}

    def size(self, points: int | None = None, limit: int = enumeration.LIMIT) -> int | None:
        """Return `count` as a number: `limit` if there are as many or more, or if they are too many to be counted."""
        found = self.count(points)
        if found is None or found.exact or found.least >= limit:
            return None if found is None else min(found.least, limit)
        if limit > _WALKED:
            return limit
        return sum(1 for _ in itertools.islice(enumeration.listed(self.parents_first, points), limit))

    def listed(self, points: int | None = None) -> Iterator[dict[str, Any]]:
        """Yield every allowed configuration once, the last parameter changing fastest.

        Continuous ranges contribute `points` evenly spaced values; raises ValueError if there is one and no `points`.
        """
        declared = {parameter.name: place for place, parameter in enumerate(self.parameters)}
        reordered = self.parents_first != self.parameters
        for values in enumeration.listed(self.parents_first, points):
            if reordered:
                values = {name: values[name] for name in sorted(values, key=declared.__getitem__)}
            if self.broken(values) is None:
                yield values

    # -- other forms of it ------------------------------------------------------------------------------------------

    def with_defaults(self, defaults: Mapping[str, Any]) -> SearchSpace:
        """Return the space in which these are the defaults of parameters that declare none.

        A value outside its parameter is brought to the nearest inside; names the space does not have are ignored.
        """
        return replace(
            self,
            parameters=tuple(
                p.with_default(p.nearest(defaults[p.name]))
                if p.name in defaults and not isinstance(p, Fixed) and "default" not in p.to_json()
                else p
                for p in self.parameters
            ),
        )

    def to_json(self) -> dict[str, Any]:
        """Return a plain description, the inverse of `from_json`."""
        return {
            "parameters": [parameter.to_json() for parameter in self.parameters],
            "constraints": [constraint.to_json() for constraint in self.constraints],
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> SearchSpace:
        """Return the space that `to_json` described; raises ValueError for anything else."""
        parameters: Iterable[Mapping[str, Any]] = data.get("parameters", ())
        return cls(
            tuple(parameter_from_json(one) for one in parameters),
            tuple(constraint_from_json(one) for one in data.get("constraints", ())),
        )

    @cached_property
    def hash(self) -> str:
        """A hash of all that defines the space, 16 hex digits."""
        text = json.dumps(self.to_json(), sort_keys=True, allow_nan=False)
        return hashlib.sha256(text.encode()).hexdigest()[:16]
