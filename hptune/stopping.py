"""When a study stops: each rule a value, judged on what the next trial may see.

Patience, target and failures are judged in trial order, so that the same seed stops at the same trial whatever the
timing. Only `TimeLimit` looks at seconds.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from hptune.history import View


class Stop(Protocol):
    """A stopping rule."""

    def reached(self, history: View, seconds: float) -> str | None:
        """Return the stop reason if the study is to begin no further trial, else None.

        `seconds` is how long it has run, sessions added up.
        """
        ...


@dataclass(frozen=True)
class TrialLimit:
    """Stops when `trials` configurations have begun (failed ones count, promotions do not)."""

    trials: int

    def reached(self, history: View, seconds: float) -> str | None:
        del seconds
        return "trials" if history.configurations >= self.trials else None


@dataclass(frozen=True)
class TimeLimit:
    """Stops after `seconds` of running; folds being fitted are finished."""

    seconds: float

    def reached(self, history: View, seconds: float) -> str | None:
        del history
        return "time" if seconds >= self.seconds else None


@dataclass(frozen=True)
class Target:
    """Stops when the best score is as good as `score` (with the metric's own sign)."""

    score: float

    def reached(self, history: View, seconds: float) -> str | None:
        del seconds
        best = history.settled_best
        if best is None:
            return None
        found = history[best].score
        objective = history.objective
        return "target" if objective.loss(found) <= objective.loss(self.score) else None


@dataclass(frozen=True)
class Patience:
    """Stops when the last `trials` trials brought nothing better; those at a lower fidelity do not count."""

    trials: int

    def reached(self, history: View, seconds: float) -> str | None:
        del seconds
        best = history.settled_best
        if best is None or history.settled - 1 - best < self.trials:
            return None
        tried = history.settled - 1 - best
        if history.lower:  # only what is measured in full can be better
            tried = sum(history[number].fidelity is None for number in range(best + 1, history.settled))
        return "patience" if tried >= self.trials else None


@dataclass(frozen=True)
class FailuresInARow:
    """Stops when `trials` trials one after another failed."""

    trials: int

    def reached(self, history: View, seconds: float) -> str | None:
        del seconds
        return "failures" if history.failures_in_a_row >= self.trials else None


def first_reached(stops: Sequence[Stop], history: View, seconds: float) -> str | None:
    """Return the reason of the first rule that is reached, None if none is."""
    return next((reason for stop in stops if (reason := stop.reached(history, seconds))), None)


def stops_of(budget: Mapping[str, Any]) -> list[Stop]:
    """Return the rules of a config's `budget:` as plain data, the trial limit last so that a more telling reason wins."""
    stops: list[Stop] = []
    in_a_row = (budget.get("failures") or {}).get("in_a_row")
    if in_a_row is not None:
        stops.append(FailuresInARow(in_a_row))
    if budget.get("target") is not None:
        stops.append(Target(budget["target"]))
    if budget.get("patience") is not None:
        stops.append(Patience(budget["patience"]))
    if budget.get("time") is not None:
        stops.append(TimeLimit(budget["time"]))
    if budget.get("trials") is not None:
        stops.append(TrialLimit(budget["trials"]))
    return stops
