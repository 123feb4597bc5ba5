"""From `space:`, `constraints:` and `start_with:` to a `SearchSpace` and the configurations to begin with.

A `choose` in the model is a choice parameter that nobody has to declare; parameters below an alternative exist where
it is chosen. An entry on a choose's own path narrows it to some alternatives, or fixes one: what then can never be
active is left out, and said.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from hptune.conditions import Condition, Constraint, clause
from hptune.config.paths import Path
from hptune.config.render import RENDERED
from hptune.config.sources import Sources
from hptune.config.space_entries import Entry, EntryReader
from hptune.config.space_rules import Declared, Never, Rules
from hptune.config.space_ties import Ties, any_of
from hptune.config.spelling import canonical
from hptune.config.wording import found
from hptune.errors import did_you_mean
from hptune.model import ChoicePoint, ModelSpec
from hptune.models.hypermodel import HyperModelSpec
from hptune.names import unfit
from hptune.parameters import Choice, Fixed, Parameter
from hptune.reachable import TOO_LITTLE, share_too_small
from hptune.space import SearchSpace


def declare(model: ModelSpec | None, sections: Mapping[str, Any], sources: Sources) -> Declared:
    """Return what `sections` (a plain config) declares for `model`, None if the model itself is wrong."""
    return Assembly(model, sources).run(sections)


class Assembly:
    """Puts the parameters together: the model's choices, the entries of `space:`, and when each is active."""

    def __init__(self, model: ModelSpec | None, sources: Sources) -> None:
        self.model = model
        self.sources = sources
        self.reader = EntryReader(sources)
        self.entries: dict[str, Entry] = {}
        self.parameters: dict[str, Parameter] = {}
        self.unfinished: set[str] = set()  # names whose entry is wrong: no further complaints about them
        self.names: dict[str, tuple[str, ...]] = {}  # of each choose, all its alternatives
        self.absent: dict[str, str] = {}  # parameters that can never be active, and why
        self.open = model is None or isinstance(model, HyperModelSpec)
        self.out = Declared(problems=self.reader.problems)

    def run(self, sections: Mapping[str, Any]) -> Declared:
        self.read_entries(sections.get("space"))
        for point in self.model.choices() if self.model is not None else ():
            self.add_choice(point)
        for name, entry in self.entries.items():
            if name not in self.parameters and name not in self.absent and name not in self.unfinished:
                self.add_parameter(name, entry)
        self.settle_conditions()
        rules = Rules(self)
        constraints = rules.constraints(sections.get("constraints"))
        if not self.errors and self.model is not None:
            self.build(constraints)
        rules.starts(sections.get("start_with", ["defaults"]))
        return self.out

    @property
    def errors(self) -> bool:
        return any(problem.severity == "error" for problem in self.reader.problems)

    def canonical(self, name: str) -> str:
        return canonical(self.model, name)

    # -- parameters -------------------------------------------------------------------------------------------------

    def read_entries(self, section: Any) -> None:
        for key, raw in section.items() if isinstance(section, Mapping) else ():
            name, path = self.canonical(key), ("space", key)
            if why := unfit(name):
                self.reader.complain(path, why, on_key=True)
                self.unfinished.add(name)
                continue
            if name in self.entries or name in self.unfinished:
                self.reader.complain(path, f"{name} is declared twice: keep one", on_key=True)
                continue
            entry = self.reader.read(name, raw, path)
            if entry is None:
                self.unfinished.add(name)
                continue
            when = {self.canonical(parent): test for parent, test in entry.when.items()}
            plain = {**entry.plain, "when": when} if when else entry.plain
            parameter = entry.parameter
            if parameter.sets:
                parameter = replace(parameter, sets=tuple(self.canonical(target) for target in parameter.sets))
                plain = {**plain, "sets": list(parameter.sets)}
            self.entries[name] = replace(entry, parameter=parameter, when=when, plain=plain)
            self.out.plain_space[name] = plain

    def add_choice(self, point: ChoicePoint) -> None:
        if why := unfit(point.path):
            self.reader.complain(("model",), why, on_key=True)
            return
        self.names[point.path] = point.names
        implied = self.implied(point.conditions)
        if implied is None:
            self.absent[point.path] = "it lies below an alternative that is left out"
            return
        entry = self.entries.get(point.path)
        declared: Parameter = Choice(name=point.path, values=point.names)
        if entry is not None:
            if entry.parameter.sets:
                self.reader.complain(
                    (*entry.path, "sets"), f"{point.path} names a choose, which can set nothing else"
                )
                return
            if not isinstance(entry.parameter, (Choice, Fixed)):
                message = f"names a choose of the model: expected some of {', '.join(point.names)}"
                self.reader.complain(entry.path, message)
                return
            kept = entry.parameter.values if isinstance(entry.parameter, Choice) else (entry.parameter.value,)
            wrong = [name for name in kept if name not in point.names]
            for name in wrong:
                hint = self.meant(str(name), point.names)
                message = f"expected some of {', '.join(point.names)}, found {found(name)}{hint}"
                self.reader.complain(entry.path, message)
            if wrong:
                return
            declared = entry.parameter
        self.parameters[point.path] = replace(declared, when=implied)

    def kept(self, path: str) -> tuple[Any, ...]:
        """Return the alternatives that a choose has been left with."""
        parameter = self.parameters.get(path)
        if isinstance(parameter, Choice):
            return parameter.values
        return (parameter.value,) if isinstance(parameter, Fixed) else self.names[path]

    def implied(self, parents: Iterable[tuple[str, str]]) -> tuple[Condition, ...] | None:
        """Return the conditions that the model's structure implies, None if they can never hold."""
        conditions = []
        for parent, name in parents:
            if parent in self.absent or name not in self.kept(parent):
                return None
            conditions.append(Condition(parent, "eq", name))
        return tuple(conditions)

    def add_parameter(self, name: str, entry: Entry) -> None:
        if entry.parameter.sets:
            alternatives = Ties(self).conditions(name, entry)
        else:
            parents = self.parents(name, entry.path, name)
            alternatives = None if parents is None else [parents]
        if alternatives is None:
            self.unfinished.add(name)
            return
        possible = [one for parents in alternatives if (one := self.implied(parents)) is not None]
        if possible:
            self.parameters[name] = replace(entry.parameter, when=any_of(possible))
            return
        parent = next(
            parent for parent, one in alternatives[0] if parent in self.absent or one not in self.kept(parent)
        )
        self.absent[name] = f"{parent} is narrowed to {', '.join(map(str, self.kept(parent)))}"

    def parents(self, path: str, at: Path, name: str) -> list[tuple[str, str]] | None:
        """Return the choices under which the model has a parameter at `path`; None (reported) if it has none."""
        if self.model is None:
            return []
        try:
            return self.model.conditions_for(path)
        except ValueError as error:
            self.reader.complain(at, str(error).removeprefix(f"{path}: "), on_key=path == name)
            return None

    def settle_conditions(self) -> None:
        """Add what `when:` says, and take out what can never be active (again and again: it may be a parent)."""
        for name, parameter in list(self.parameters.items()):
            entry = self.entries.get(name)
            for parent, test in entry.when.items() if entry is not None else ():
                added = self.clause(parent, test, (*entry.path, "when"), parent) if entry is not None else None
                if added is not None:
                    when = (*self.parameters[name].when, *added)
                    self.parameters[name] = replace(parameter, when=tuple(dict.fromkeys(when)))
        while True:
            gone = {}
            for name, parameter in self.parameters.items():
                try:
                    self.parameters[name] = replace(parameter, when=self.possible(parameter.when))
                except Never as why:
                    gone[name] = str(why)
            self.absent.update(gone)
            for name in gone:
                del self.parameters[name]
            if not gone:
                break
        self.tell_absent()

    def tell_absent(self) -> None:
        reasons: dict[str, list[str]] = {}
        for name, why in self.absent.items():
            if name in self.entries:
                reasons.setdefault(why, []).append(name)
        for why, names in reasons.items():
            message = f"never active, because {why}: left out" + (f", as {', '.join(names[1:])}" if names[1:] else "")
            self.reader.complain(self.entries[names[0]].path, message, on_key=True, warning=True)

    # -- conditions -------------------------------------------------------------------------------------------------

    def known(self) -> list[str]:
        return [*self.parameters, *self.absent, *self.unfinished]

    def meant(self, name: str, known: Iterable[str] | None = None) -> str:
        """Return which of `known` (default: the parameters) an unknown name is likely to mean, as the end of a message.

        Beyond the problems that are rendered nobody reads it, and for thousands it would take minutes.
        """
        if len(self.reader.problems) >= RENDERED:
            return ""
        return did_you_mean(name, self.known() if known is None else known)

    def clause(self, parent: str, test: Any, path: Path, key: str) -> tuple[Condition, ...] | None:
        """Return the conditions of one entry of `when:` or `forbid:` with values as the parent holds them.

        None where something is wrong, which is reported.
        """
        at = self.spelled(path, key)
        if parent in self.unfinished:
            return None
        if parent not in self.parameters and parent not in self.absent:
            hint = self.meant(parent) or "; a condition needs one that has an entry under space:"
            self.reader.complain(at, f"no parameter {parent!r}{hint}", on_key=True)
            return None
        try:
            return tuple(self.coerced(condition) for condition in clause(parent, test))
        except ValueError as error:
            self.reader.complain(at, str(error).removeprefix(f"{parent}: "))
            return None

    def spelled(self, path: Path, key: str) -> Path:
        """Return the path of a key that the config may spell with `__`."""
        for spelled in (key, key.replace(".", "__")):
            if (*path, spelled) in self.sources.document.keys:
                return (*path, spelled)
        return (*path, key)

    def coerced(self, condition: Condition) -> Condition:
        parent = self.parameters.get(condition.parameter)
        if parent is None or isinstance(parent, Fixed) or condition.op not in ("eq", "ne", "in"):
            return condition
        names = self.names.get(condition.parameter)
        whole = parent if names is None else Choice(name=parent.name, values=names)
        if condition.op == "in":
            return replace(condition, value=tuple(whole.coerce(one) for one in condition.value))
        return replace(condition, value=whole.coerce(condition.value))

    def possible(self, conditions: Iterable[Condition]) -> tuple[Condition, ...]:
        """Return the conditions that narrowing and fixing leave open; raises Never if one cannot hold."""
        out = []
        for condition in conditions:
            name = condition.parameter
            if name in self.absent:
                raise Never(f"{name} is never active")
            parent = self.parameters.get(name)
            if isinstance(parent, Fixed):
                if not condition.holds({name: parent.value}):
                    raise Never(f"{name} is fixed at {found(parent.value)}")
                # It may be inactive itself, so the condition stays, as one that the fixed value meets.
                condition = Condition(name, "eq", parent.value)
            elif name in self.names and parent is not None:
                kept = self.kept(name)
                if not any(condition.holds({name: one}) for one in kept):
                    raise Never(f"{name} is narrowed to {', '.join(map(str, kept))}")
                if condition.op == "in":
                    condition = replace(condition, value=tuple(one for one in condition.value if one in kept))
                elif condition.op == "ne" and condition.value not in kept:
                    if not parent.when:
                        continue  # it is always active, and never has this value
                    # Any value will do, but it has to have one: the condition is false where it is inactive.
                    condition = Condition(name, "in", kept)
            out.append(condition)
        return tuple(out)

    def build(self, constraints: list[Constraint]) -> None:
        try:
            space = SearchSpace(tuple(self.parameters.values()), tuple(constraints))
        except ValueError as error:
            self.reader.complain(("space",), str(error), on_key=True)
            return
        if share_too_small(space):
            self.reader.complain(("constraints",), TOO_LITTLE, on_key=True)
            return
        self.out.space = space
