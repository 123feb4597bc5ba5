"""Values with which every trial failed while others succeeded, and a `space:` section without them. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from hptune.history import History
from hptune.report import wording
from hptune.space import Boolean, Choice, Int, Parameter
from hptune.trial import Trial

LEAST: Final = 2
"""Fewer failures say nothing of a value."""

FEW: Final = 10
"""A range of more whole numbers than this has none that is tried often enough."""

CHANCE: Final = 0.1
"""Where so many of the other trials failed too that this is likelier than this by chance, nothing is said."""

_HAPPENED: Final = {"timeout": "timed out", "crashed": "crashed", "memory": "ran out of memory"}


@dataclass(frozen=True)
class AlwaysFails:
    """A value of the parameter `name` with which all of `trials` trials failed; `kind` "" where in several ways."""

    name: str
    value: Any
    trials: int
    kind: str

    def text(self) -> str:
        """Return it in words: `depth=7: 8 of 8 trials timed out`."""
        happened = _HAPPENED.get(self.kind, "failed")
        return f"{self.name}={wording.value(self.value)}: {self.trials} of {self.trials} trials {happened}"


def always_failing(history: History) -> list[AlwaysFails]:
    """Return such values, those with the most failures first; what one of them explains speaks against no other."""
    # A worker that was lost says nothing of the values, nor does a trial that still runs.
    trials = [
        one
        for one in history.trials
        if one.status != "running" and (one.failure is None or one.failure.kind != "lost")
    ]
    found: list[AlwaysFails] = []
    while any(trial.failure is not None for trial in trials):
        groups = [
            group for parameter in history.space if _few(parameter) for group in _groups(history, trials, parameter)
        ]
        failing = [group for group in groups if _always(group[1], trials)]
        if not failing:
            break
        # Of equals the first: a parent before its child.
        name, members = max(failing, key=lambda group: len(group[1]))
        kinds = {trial.failure.kind for trial in members if trial.failure is not None}
        value = members[0].values[name]
        found.append(AlwaysFails(name, value, len(members), kinds.pop() if len(kinds) == 1 else ""))
        gone = {trial.number for trial in members}
        trials = [trial for trial in trials if trial.number not in gone]
    return found


def _few(parameter: Parameter) -> bool:
    if isinstance(parameter, Int):
        return parameter.count is not None and parameter.count <= FEW
    return isinstance(parameter, (Choice, Boolean))


def _groups(history: History, trials: Sequence[Trial], parameter: Parameter) -> Iterable[tuple[str, list[Trial]]]:
    """Return a parameter's name with the trials of each of its values."""
    name = parameter.name
    out: dict[str, list[Trial]] = {}
    for trial in trials:
        if name in trial.values:
            out.setdefault(history.space.key({name: trial.values[name]}), []).append(trial)
    return [(name, members) for members in out.values()]


def _always(members: Sequence[Trial], trials: Sequence[Trial]) -> bool:
    """Return whether all of these failed, and not because most others do."""
    others = len(trials) - len(members)
    if len(members) < LEAST or not others or any(trial.failure is None for trial in members):
        return False
    failed = sum(trial.failure is not None for trial in trials) - len(members)
    return failed < others and (failed / others) ** len(members) <= CHANCE


def without(history: History, failing: Sequence[AlwaysFails]) -> dict[str, Any]:
    """Return the entries of choices without these values, to be merged into the config's `space:`.

    Only where the config lists the values, some are left, and nothing else of it speaks of the parameter: a condition on a
    value that is gone, or a configuration to begin with, would be refused.
    """
    config = history.started.config
    declared = config.get("space") or {}
    out: dict[str, Any] = {}
    for name in dict.fromkeys(one.name for one in failing):
        entry = declared.get(name)
        values = entry.get("values") if isinstance(entry, Mapping) else entry
        if not isinstance(values, list) or _spoken_of(name, config):
            continue
        gone = [history.space.key({name: one.value}) for one in failing if one.name == name]
        left = [value for value in values if history.space.key({name: value}) not in gone]
        if not left or len(left) == len(values):
            continue
        if not isinstance(entry, Mapping):
            out[name] = left
            continue
        out[name] = {"values": left}
        if "default" in entry and entry["default"] not in left:
            out[name]["default"] = left[0]
    return out


def _spoken_of(name: str, config: Mapping[str, Any]) -> bool:
    others = [entry.get("when") for entry in (config.get("space") or {}).values() if isinstance(entry, Mapping)]
    starts = [one for one in config.get("start_with") or [] if isinstance(one, Mapping)]
    named = [*(when for when in others if isinstance(when, Mapping)), *starts]
    return any(name in one for one in named) or name in str(config.get("constraints") or "")
