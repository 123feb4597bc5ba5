"""Tied parameters: an entry of `space:` with a name of its own that sets several places (`sets: [a.C, b.C]`)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from hptune.conditions import Condition
from hptune.config.paths import Path
from hptune.config.space_entries import Entry, EntryReader
from hptune.model import ModelSpec
from hptune.models.node_model import NodeModel


class Scope(Protocol):
    """The entries of a config, as far as they are read (see `space.Assembly`)."""

    model: ModelSpec | None
    reader: EntryReader
    entries: dict[str, Entry]
    names: dict[str, tuple[str, ...]]

    def parents(self, path: str, at: Path, name: str) -> list[tuple[str, str]] | None: ...


class Ties:
    """Checks the paths that a tied parameter sets; what is wrong goes to the scope's reader."""

    def __init__(self, scope: Scope) -> None:
        self.scope = scope
        self.complain = scope.reader.complain

    def conditions(self, name: str, entry: Entry) -> list[list[tuple[str, str]]] | None:
        """Return for each path that is set the choices under which it exists, None where something is wrong."""
        model = self.scope.model
        at = (*entry.path, "sets")
        if model is not None and not isinstance(model, NodeModel):
            self.complain(at, f"a {model.key} model has no paths to set: leave it out", on_key=True)
            return None
        if isinstance(model, NodeModel) and "." in name and name not in entry.parameter.sets and self.is_path(name):
            message = f"{name} is a path of the model itself: list it under sets, or take a name of your own"
            self.complain(entry.path, message, on_key=True)
            return None
        out: list[list[tuple[str, str]]] = []
        for number, target in enumerate(entry.parameter.sets):
            message = self.refusal(name, target, entry.parameter.sets[:number])
            parents = None
            if message:
                self.complain((*at, number), message)
            else:
                parents = self.scope.parents(target, (*at, number), name)
            if parents is None:
                return None
            out.append(parents)
        return out

    def is_path(self, name: str) -> bool:
        assert self.scope.model is not None
        try:
            self.scope.model.conditions_for(name)
        except ValueError:
            return False
        return True

    def refusal(self, name: str, target: str, before: Sequence[str]) -> str:
        """Return why a path cannot be set by this parameter, "" if it can."""
        if target in before:
            return f"{target} stands here twice: keep one"
        if target in self.scope.names:
            return f"{target} names a choose; sets: takes parameters of estimators"
        if target != name and target in self.scope.entries:
            return f"{target} is declared under space: itself: keep one"
        others = [one for one, entry in self.scope.entries.items() if target in entry.parameter.sets and one != name]
        return f"{target} is set by {others[0]} already: keep one" if others else ""


def any_of(alternatives: Sequence[tuple[Condition, ...]]) -> tuple[Condition, ...]:
    """Return conditions that hold wherever one of the alternatives does.

    Each alternative holds equalities on choices. A choice that all of them name must have one of the values named;
    one that only some name cannot be told, so that the parameter may be active where nothing uses it.
    """
    if len(alternatives) == 1:
        return alternatives[0]
    out = []
    for parent in dict.fromkeys(one.parameter for one in alternatives[0]):
        values = [{one.value for one in conditions if one.parameter == parent} for conditions in alternatives]
        if all(values):
            named = dict.fromkeys(one.value for group in alternatives for one in group if one.parameter == parent)
            listed = tuple(named)
            out.append(Condition(parent, "eq", listed[0]) if len(listed) == 1 else Condition(parent, "in", listed))
    return tuple(out)
