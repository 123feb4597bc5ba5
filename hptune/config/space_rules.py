"""`constraints:` and `start_with:`, read against the parameters that `config.space` has put together."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from hptune.conditions import Condition, Constraint, Forbid, Require, clause
from hptune.config.paths import Path, dotted
from hptune.config.space_entries import EntryReader
from hptune.config.wording import found
from hptune.errors import Problem, did_you_mean
from hptune.expressions import NUMBER, ExpressionError, kind_of
from hptune.parameters import Boolean, Choice, Float, Int, Parameter
from hptune.space import SearchSpace


class Never(Exception):
    """The condition can hold in no configuration."""


@dataclass
class Declared:
    """What a config declares of its space.

    `space` is None where `problems` has errors. `later` are constraints on parameters that only a hypermodel's
    recording will know, by the dotted key path at which they stand. The plain forms are the sections written out, `__`
    as dots and aliases resolved.
    """

    problems: list[Problem] = field(default_factory=list)
    space: SearchSpace | None = None
    later: dict[str, Constraint] = field(default_factory=dict)
    starts: tuple[dict[str, Any], ...] = ()
    plain_space: dict[str, Any] = field(default_factory=dict)
    plain_constraints: list[Any] = field(default_factory=list)
    plain_starts: list[Any] = field(default_factory=lambda: ["defaults"])


class Scope(Protocol):
    """The parameters of a config, as far as they are put together (see `space.Assembly`)."""

    reader: EntryReader
    parameters: dict[str, Parameter]
    absent: dict[str, str]
    names: dict[str, tuple[str, ...]]
    open: bool
    out: Declared

    def canonical(self, name: str) -> str: ...
    def known(self) -> list[str]: ...
    def meant(self, name: str, known: Iterable[str] | None = None) -> str: ...
    def kept(self, path: str) -> tuple[Any, ...]: ...
    def clause(self, parent: str, test: Any, path: Path, key: str) -> tuple[Condition, ...] | None: ...
    def possible(self, conditions: Iterable[Condition]) -> tuple[Condition, ...]: ...
    def spelled(self, path: Path, key: str) -> Path: ...


class Rules:
    """Reads both sections; what is wrong goes to the scope's reader."""

    def __init__(self, scope: Scope) -> None:
        self.scope = scope
        self.out = scope.out
        self.problems = scope.reader.problems
        self.complain = scope.reader.complain
        self.known = frozenset(scope.known())

    # -- constraints ------------------------------------------------------------------------------------------------

    def constraints(self, section: Any) -> list[Constraint]:
        if section is None:
            return []
        if not isinstance(section, list):
            self.complain(
                ("constraints",), f"expected a list of forbid: and require: entries, found {found(section)}"
            )
            return []
        read = [self.constraint(raw, ("constraints", number)) for number, raw in enumerate(section)]
        return [one for one in read if one is not None]

    def constraint(self, raw: Any, path: Path) -> Constraint | None:
        match raw:
            case {"forbid": dict(tests), **others} if tests and not others:
                return self.forbid(tests, path)
            case {"require": str(text), **others} if not others:
                return self.require(text, path)
        first = next(iter(raw)) if isinstance(raw, Mapping) and raw else None
        near = "" if first in (None, "forbid", "require") else did_you_mean(first, ("forbid", "require"))
        message = f'expected {{forbid: {{path: value, ...}}}} or {{require: "expression"}}, found {found(raw)}{near}'
        self.complain(path, message)
        return None

    def forbid(self, tests: Mapping[str, Any], path: Path) -> Constraint | None:
        path = (*path, "forbid")
        named = {self.scope.canonical(key): test for key, test in tests.items()}
        self.out.plain_constraints.append({"forbid": named})
        if self.scope.open and not all(name in self.known for name in named):
            self.forbid_later(named, path)
            return None
        before = len(self.problems)
        conditions = [self.scope.clause(name, test, path, name) for name, test in named.items()]
        if len(self.problems) > before:
            return None
        try:
            return Forbid(self.scope.possible(one for group in conditions for one in group or ()))
        except Never:
            return None

    def forbid_later(self, named: Mapping[str, Any], path: Path) -> None:
        try:
            conditions = tuple(one for name, test in named.items() for one in clause(name, test))
        except ValueError as error:
            self.complain(path, str(error))
        else:
            self.out.later[dotted(path)] = Forbid(conditions)

    def require(self, text: str, path: Path) -> Constraint | None:
        path = (*path, "require")
        try:
            names = Require(text).names
        except ExpressionError as error:
            self.complain(path, str(error))
            return None
        for name in names:
            if name not in self.known and self.scope.canonical(name) in self.known:
                text = re.sub(rf"(?<![\w.]){re.escape(name)}(?![\w.])", self.scope.canonical(name), text)
        constraint = Require(text)
        self.out.plain_constraints.append(constraint.to_json())
        unknown = [name for name in constraint.names if name not in self.known]
        if unknown and self.scope.open:
            try:
                constraint.expression.check()
            except ExpressionError as error:
                self.complain(path, str(error))
                return None
            self.out.later[dotted(path)] = constraint
            return None
        for name in unknown:
            hint = self.scope.meant(name) or "; its parameters are named as in space:"
            self.complain(path, f"no parameter {name!r}{hint}")
        if not all(name in self.scope.parameters for name in constraint.names):
            return None
        try:
            constraint.expression.check(self.kinds(constraint.names))
        except ExpressionError as error:
            self.complain(path, str(error))
            return None
        return constraint

    def kinds(self, names: Iterable[str]) -> dict[str, str]:
        """Return the kind of the values of those parameters whose values are all of one kind."""
        out = {}
        for name in names:
            parameter = self.scope.parameters[name]
            if isinstance(parameter, (Boolean, Choice)):
                kinds = {kind_of(value) for value in parameter.listed(None)}
                if len(kinds) == 1:
                    out[name] = kinds.pop()
            elif isinstance(parameter, (Float, Int)) and not parameter.extra:
                out[name] = NUMBER
        return out

    # -- configurations to begin with -------------------------------------------------------------------------------

    def starts(self, section: Any) -> None:
        if not isinstance(section, list):
            self.complain(("start_with",), f"expected a list of configurations, found {found(section)}")
            return
        for number, raw in enumerate(section):
            path: Path = ("start_with", number)
            if raw == "defaults":
                continue
            if not isinstance(raw, Mapping):
                message = f"expected defaults or a mapping such as {{path: value}}, found {found(raw)}"
                self.complain(path, message)
                continue
            start = {self.scope.canonical(key): value for key, value in raw.items()}
            self.out.plain_starts.append(start)
            if self.out.space is not None and self.check_start(start, path, self.out.space):
                self.out.starts += (start,)

    def check_start(self, start: dict[str, Any], path: Path, space: SearchSpace) -> bool:
        """Return whether the configuration can be tried; what is wrong with it is reported."""
        before = len(self.problems)
        known = {}
        for name, value in start.items():
            at = self.scope.spelled(path, name)
            if self.narrowed_away(name, value):
                self.complain(at, "left out: it lies outside the narrowed space", on_key=True, warning=True)
                return False
            if name in space:
                try:
                    known[name] = space[name].coerce(value)
                except ValueError as error:
                    self.complain(at, str(error).removeprefix(f"{name}: "))
            elif not self.scope.open:
                self.complain(at, f"no parameter {name!r}{self.scope.meant(name)}", on_key=True)
        if len(self.problems) > before:
            return False
        self.check_activity(known, path, space)
        return len(self.problems) == before

    def narrowed_away(self, name: str, value: Any) -> bool:
        """Return whether the model has this, and an entry on a choose's path took it away."""
        if name in self.scope.absent:
            return True
        return value in self.scope.names.get(name, ()) and value not in self.scope.kept(name)

    def check_activity(self, known: dict[str, Any], path: Path, space: SearchSpace) -> None:
        try:
            space.complete(known)
        except ValueError as error:
            name, _, rest = str(error).partition(": ")
            self.complain(self.scope.spelled(path, name), rest, on_key=True)
            return
        broken = next((c for c in space.constraints if set(c.names) <= set(known) and not c.allows(known)), None)
        if broken is not None:
            self.complain(path, f"not allowed: {broken}", on_key=True)
