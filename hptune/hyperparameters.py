"""`HyperParameters`: the container that registers a hyperparameter on first sight and hands out its value afterwards.

The arguments and their meaning are KerasTuner's, so that a `build_model(hp)` written for it runs unchanged.

A hyperparameter is told apart by its *place*: its name (with the name scopes in front) and the conditional scopes it
stands under. At one place the first definition holds. The same name may have different definitions under different
conditional scopes; at any time one name has one value, that of the first active place.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from typing import Any, Self

from hptune import definitions
from hptune.conditions import Condition, same
from hptune.definitions import same_definition
from hptune.errors import did_you_mean
from hptune.names import unfit
from hptune.owned import fresh
from hptune.parameters import UNSET, Float, Int, Listed, Parameter, canonical
from hptune.places import as_held, plain_name, space_of
from hptune.space import SearchSpace

Place = tuple[str, str]
_NumberKind = type[Int] | type[Float]


def place_of(parameter: Parameter) -> Place:
    """Return what tells a hyperparameter apart: its name and its conditions, whatever the order of their values."""
    conditions = [
        [c.parameter, c.op, sorted(canonical(v) for v in c.value) if c.op == "in" else canonical(c.value)]
        for c in parameter.when
    ]
    return parameter.name, canonical(conditions)


class NotSearched(UserWarning):
    """A trial meets a hyperparameter that it has no value for, `name`; it runs at the default `value`."""

    def __init__(self, name: str, value: Any) -> None:
        super().__init__(name, value)
        self.name, self.value = name, value

    def __str__(self) -> str:
        return (
            f"{self.name}: this trial has no value for it; it runs at {self.value!r} (declare it beforehand to have it "
            "searched)"
        )


class HyperParameters:
    """Hyperparameters and their current values.

    `values` maps the names of the active ones to their current values and may be changed; `active_scopes` and
    `inactive_scopes` list the conditional scopes entered so far, each as a tuple of conditions.

        >>> hp = HyperParameters()
        >>> hp.Int("units", min_value=32, max_value=512, step=32)
        32
        >>> hp.values["units"] = 64
        >>> hp.Int("units", min_value=32, max_value=512, step=32)
        64
    """

    def __init__(self) -> None:
        self.values: dict[str, Any] = {}
        self.active_scopes: list[tuple[Condition, ...]] = []
        self.inactive_scopes: list[tuple[Condition, ...]] = []
        self.first_met: list[str] = []
        """Names that a trial's `build` used though the trial has no value for them (they ran at their defaults)."""
        self._name_scopes: list[str] = []
        self._conditions: list[Condition] = []
        self._places: dict[Place, Parameter] = {}
        self._by_name: dict[str, list[Parameter]] = {}
        # Places that were handed in rather than written by the model: there another range in the model is meant to
        # give way (KerasTuner's way to tailor a model's ranges), so it is no reason for a warning.
        self._preset: set[Place] = set()
        self._in_trial = False
        self._expects_new = False
        self.warned: set[str] = set()
        """What was warned of already; several containers that share it warn of each thing once."""

    # -- the hyperparameters -----------------------------------------------------------------------------------------

    def Int(  # noqa: N802 - KerasTuner's name
        self,
        name: str,
        min_value: int,
        max_value: int,
        step: int | None = None,
        sampling: str | None = "linear",
        default: int | None = None,
        parent_name: str | None = None,
        parent_values: Any = None,
    ) -> Any:
        """Return the value of a whole number in [min_value, max_value]; None if it is inactive.

        `step` is a distance on the linear scale and a factor on "log" and "reverse_log"; `max_value` always belongs
        to the values. The default is `min_value`. Raises ValueError for inconsistent arguments, and for a
        `parent_name` that is not defined.
        """
        return self._number(Int, name, min_value, max_value, step, sampling, default, parent_name, parent_values)

    def Float(  # noqa: N802 - KerasTuner's name
        self,
        name: str,
        min_value: float,
        max_value: float,
        step: float | None = None,
        sampling: str | None = "linear",
        default: float | None = None,
        parent_name: str | None = None,
        parent_values: Any = None,
    ) -> Any:
        """Return the value of a real number in [min_value, max_value]; None if it is inactive. Otherwise as `Int`."""
        return self._number(Float, name, min_value, max_value, step, sampling, default, parent_name, parent_values)

    def Choice(  # noqa: N802 - KerasTuner's name
        self,
        name: str,
        values: Listed,
        ordered: bool | None = None,
        default: Any = UNSET,
        parent_name: str | None = None,
        parent_values: Any = None,
    ) -> Any:
        """Return one of `values`; None if it is inactive.

        Values may be of any types, None included. `ordered` is by default true exactly for numbers. The default is
        the first value (`default=None` means None where None is a value). Raises ValueError as `Int` does.
        """
        with self._scope(parent_name, parent_values):
            return self._retrieve(definitions.choice(self._full(name), values, ordered, default, self._when()))

    def Boolean(  # noqa: N802 - KerasTuner's name
        self, name: str, default: bool = False, parent_name: str | None = None, parent_values: Any = None
    ) -> Any:
        """Return True or False; None if it is inactive. Raises ValueError as `Int` does."""
        with self._scope(parent_name, parent_values):
            return self._retrieve(definitions.boolean(self._full(name), default, self._when()))

    def Fixed(  # noqa: N802 - KerasTuner's name
        self, name: str, value: Any, parent_name: str | None = None, parent_values: Any = None
    ) -> Any:
        """Return `value` (anything JSON can hold), which is not searched; None if it is inactive.

        Raises ValueError as `Int` does.
        """
        with self._scope(parent_name, parent_values):
            return self._retrieve(definitions.fixed(self._full(name), value, self._when()))

    def _number(
        self, kind: _NumberKind, name: str, low: Any, high: Any, step: Any, sampling: Any, default: Any, *scope: Any
    ) -> Any:
        with self._scope(*scope):
            full, when = self._full(name), self._when()
            say = lambda text: self._warn(text, full, 6)  # noqa: E731 - shorter than a def of its own
            return self._retrieve(definitions.number(kind, full, low, high, step, sampling, default, when, say), 5)

    # -- scopes ------------------------------------------------------------------------------------------------------

    @contextmanager
    def name_scope(self, name: str) -> Iterator[None]:
        """Put `name/` before the names used inside."""
        self._name_scopes.append(str(name))
        try:
            yield
        finally:
            self._name_scopes.pop()

    @contextmanager
    def conditional_scope(self, parent_name: str, parent_values: Any) -> Iterator[None]:
        """Make the hyperparameters inside active only where the parent has one of these values (or this value).

        The code inside runs in either case; while the condition is false, its hyperparameters are registered and None
        is returned for them. Raises ValueError for a parent that is not defined.
        """
        parent = self._full(parent_name)
        known = self._by_name.get(parent)
        if not known:
            hint = did_you_mean(parent, self._by_name)
            raise ValueError(f"the hyperparameter {parent!r} is not defined (as the parent of a scope){hint}")
        alternatives = parent_values if isinstance(parent_values, (list, tuple, set, frozenset)) else [parent_values]
        listed = sorted(alternatives, key=repr) if isinstance(alternatives, (set, frozenset)) else list(alternatives)
        condition = Condition(parent, "in", self._held(known, definitions.bare(listed)))
        self._conditions.append(condition)
        (self.active_scopes if self._holds(self._when()) else self.inactive_scopes).append(self._when())
        try:
            yield
        finally:
            self._conditions.pop()

    def _held(self, parents: Sequence[Parameter], values: list[Any]) -> tuple[Any, ...]:
        """Return the values as the parent holds them (1 as True for a Boolean); an impossible one stays as it is."""
        out = []
        for value in values:
            held = [one for parent in parents for one in as_held(parent, value)]
            name = parents[0].name
            if not held and all(place_of(parent) not in self._preset for parent in parents):
                self._warn(
                    f"{name} never has the value {value!r} that a conditional scope asks for", f"{name}={value}", 5
                )
            out.append(held[0] if held else value)
        return tuple(out)

    def _scope(self, parent_name: str | None, parent_values: Any) -> Any:
        return nullcontext() if not parent_name else self.conditional_scope(parent_name, parent_values)

    def _full(self, name: str) -> str:
        return "/".join([*self._name_scopes, str(name)])

    def _when(self) -> tuple[Condition, ...]:
        return tuple(one for i, one in enumerate(self._conditions) if one not in self._conditions[:i])

    # -- registering and retrieving ----------------------------------------------------------------------------------

    def _retrieve(self, made: Parameter, depth: int = 4) -> Any:
        place = place_of(made)
        known = self._places.get(place)
        if known is None:
            self._register(made)
            rivals = [p for p in self._by_name[made.name] if p is not made and place_of(p) not in self._preset]
            clash = next((p for p in rivals if not same_definition(p, made) and self.is_active(p)), None)
            if clash is not None and self._holds(made.when):
                self._warn_twice(made.name, depth)
        elif place not in self._preset and not same_definition(known, made):
            self._warn_twice(made.name, depth)
        parameter = made if known is None else known
        return fresh(self._value(parameter, depth)) if self._holds(parameter.when) else None

    def _register(self, parameter: Parameter) -> None:
        if wrong := unfit(parameter.name):
            raise ValueError(f"hyperparameter: {wrong}")
        for condition in parameter.when:
            if condition.parameter == parameter.name:
                raise ValueError(f"{parameter.name}: a conditional hyperparameter cannot have the name of its parent")
        self._places[place_of(parameter)] = parameter
        self._by_name.setdefault(parameter.name, []).append(parameter)

    def _value(self, parameter: Parameter, depth: int = 4) -> Any:
        name = parameter.name
        if name not in self.values or self._left_over(parameter):
            self.values[name] = fresh(self._first_value(parameter))
            if self._in_trial:
                self.first_met.append(name)  # once: from now on it has a value
                if not self._expects_new:
                    self._warn(NotSearched(name, self.values[name]), name, depth + 1)
        return self.values[name]

    def _first_value(self, parameter: Parameter) -> Any:
        """Return the value of a hyperparameter that has none yet."""
        return parameter.default_value

    def _left_over(self, parameter: Parameter) -> bool:
        """Return whether the current value belongs to another, now inactive, definition of the name."""
        others = [p for p in self._by_name[parameter.name] if p is not parameter]
        if not others or _holds_value(parameter, self.values[parameter.name]):
            return False
        return any(not self.is_active(p) and _holds_value(p, self.values[p.name]) for p in others)

    def _warn_twice(self, name: str, depth: int) -> None:
        self._warn(f"{name}: defined again with other values; the first definition holds", name, depth + 1)

    def _warn(self, said: str | UserWarning, key: str, depth: int) -> None:
        if key not in self.warned:
            self.warned.add(key)
            warnings.warn(said, UserWarning, stacklevel=depth)

    # -- asking ------------------------------------------------------------------------------------------------------

    @property
    def space(self) -> list[Parameter]:
        """The hyperparameters in the order of their registration, conditions in `when`."""
        return list(self._places.values())

    def get(self, name: str) -> Any:
        """Return the current value.

        Raises KeyError for a name that does not exist and ValueError for one that is currently inactive.
        """
        full = self._full(name)
        for parameter in self._by_name.get(full, ()):
            if self._holds(parameter.when):
                return fresh(self._value(parameter))
        if full in self._by_name:
            raise ValueError(f"{full} is currently inactive.")
        if full in self.values:
            return self.values[full]
        raise KeyError(f"{full} does not exist." + did_you_mean(full, self._by_name).replace(";", "", 1))

    def __getitem__(self, name: str) -> Any:
        return self.get(name)

    def __contains__(self, name: object) -> bool:
        try:
            self.get(str(name))
        except (KeyError, ValueError):
            return False
        return True

    def __repr__(self) -> str:
        return f"HyperParameters({self.values!r})"

    def is_active(self, hyperparameter: str | Parameter) -> bool:
        """Return whether a hyperparameter (of a name: any of its places) is active with the current values."""
        return self._is_active(hyperparameter, frozenset())

    def _is_active(self, which: str | Parameter, asked: frozenset[str]) -> bool:
        places = [which] if isinstance(which, Parameter) else self._by_name.get(str(which), [])
        return any(self._holds(parameter.when, asked) for parameter in places)

    def _holds(self, conditions: Sequence[Condition], asked: frozenset[str] = frozenset()) -> bool:
        for condition in conditions:
            parent = condition.parameter
            if not condition.holds(self.values) or parent in asked:
                return False
            # A value left over from before the grandparent changed does not make the parent active.
            if parent in self._by_name and not self._is_active(parent, asked | {parent}):
                return False
        return True

    def ensure_active_values(self) -> None:
        """Give every active hyperparameter a value and take away those of inactive ones."""
        for parameter in self.space:
            if self._holds(parameter.when):
                self._value(parameter)
        for name in [name for name in self._by_name if not self.is_active(name)]:
            self.values.pop(name, None)

    # -- putting together and apart ----------------------------------------------------------------------------------

    def merge(self, hps: HyperParameters | Sequence[Parameter], overwrite: bool = True) -> None:
        """Take over the hyperparameters of another container (or a list of them).

        With `overwrite`, one at the same place replaces the old one and its value becomes its default; without, the
        old one stays. Raises ValueError for a hyperparameter with the name of its parent.
        """
        for parameter in hps.space if isinstance(hps, HyperParameters) else hps:
            place = place_of(parameter)
            old = self._places.get(place)
            if old is not None:
                if not overwrite:
                    continue
                self._by_name[parameter.name].remove(old)
            self._register(parameter)
            self._preset.add(place)
            if self._holds(parameter.when) and (overwrite or parameter.name not in self.values):
                self.values[parameter.name] = fresh(parameter.default_value)

    def copy(self) -> HyperParameters:
        """Return an independent copy, outside all scopes."""
        out = HyperParameters()
        for parameter in self.space:
            out._register(parameter)
        out._preset = set(self._places)
        out._in_trial, out._expects_new = self._in_trial, self._expects_new
        out.values = {name: fresh(value) for name, value in self.values.items()}
        return out

    def apart(self) -> HyperParameters:
        """Return a copy for what is not to be tuned: where it meets new names they run at their defaults, unsaid."""
        out = self.copy()
        out._expects_new = True
        return out

    def get_config(self) -> dict[str, Any]:
        """Return a plain description in KerasTuner's form: `{"space": [...], "values": {...}}`."""
        return {
            "space": [definitions.to_config(parameter) for parameter in self.space],
            "values": {name: fresh(value) for name, value in self.values.items()},
        }

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Self:
        """Return the container that `get_config` described; raises ValueError for anything else."""
        out = cls()
        for data in config["space"]:
            out._register(definitions.from_config(data))
        out._preset = set(out._places)
        out.values = {name: fresh(value) for name, value in config["values"].items()}
        return out

    # -- to and from a search space ----------------------------------------------------------------------------------

    def to_space(self) -> SearchSpace:
        """Return the search space of all hyperparameters registered so far.

        Names are those of `values`. Where a name has different definitions under different conditional scopes, each
        gets the conditions behind its name: `layers@model=v1`, `layers@model=v2` (see `hptune.places`).
        """
        return space_of(self.space)

    @classmethod
    def from_values(cls, space: SearchSpace, values: Mapping[str, Any], *, expects_new: bool = False) -> Self:
        """Return a container that hands out a trial's values: `values` is a configuration of `space`.

        A hyperparameter that `build` asks for and the trial has no value for runs at its default, with one warning a
        name (none if it `expects_new` ones), and its name is added to `first_met`.
        """
        out = cls()
        for parameter in space:
            when = tuple(replace(one, parameter=plain_name(one.parameter)) for one in parameter.when)
            out._register(replace(parameter, name=plain_name(parameter.name), when=when))
        out._preset = set(out._places)
        for name, value in values.items():
            out.values.setdefault(plain_name(name), fresh(value))
        out._in_trial, out._expects_new = True, expects_new
        return out


def _holds_value(parameter: Parameter, value: Any) -> bool:
    try:
        return same(parameter.coerce(value), value)
    except ValueError:
        return False
