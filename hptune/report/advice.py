"""What to do next, read off a finished search: a wider range, a simpler choice, more trials or not. Pure.

Advice is a hint and says so by its words: nothing here changes a number that is reported elsewhere.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray

from hptune.history import History
from hptune.optimism import expected_gain, fold_winners, record_chance
from hptune.report import wording
from hptune.report.always_failing import AlwaysFails, always_failing, without
from hptune.space import Float, Int, SearchSpace
from hptune.statistics import tied_set
from hptune.trial import Trial

NEAR: Final = 0.02
"""A value within this share of the range (on its own scale) of an end counts as at that end."""

LEAST_TRIALS: Final = 8
"""Under so many completed trials there is nothing to say of what more would bring (`optimism.expected_gain`)."""

Side = Literal["lower", "upper"]


@dataclass(frozen=True)
class AtBound:
    """A parameter whose best value lies at an end of its range; `wider` is the bound to try instead."""

    name: str
    value: float
    bound: float
    side: Side
    wider: float

    def text(self) -> str:
        """Return the advice in words: `widen C: its best value 1000 is at the upper bound`."""
        where = "at" if self.value == self.bound else "near"
        which = "" if self.value == self.bound else f" {wording.number(self.bound)}"
        return (
            f"widen {self.name}: its best value {wording.number(self.value)} is {where} the {self.side} bound{which}"
        )


@dataclass(frozen=True)
class Stability:
    """How a parameter of the winner fares on single folds: on how many of them the best has the winner's value.

    `values` are those of the folds' own winners, fold by fold, None where the parameter is inactive there.
    """

    name: str
    value: Any
    values: tuple[Any, ...]
    numeric: bool

    @property
    def same(self) -> int:
        """On how many folds the best configuration has the winner's very value."""
        return sum(type(one) is type(self.value) and one == self.value for one in self.values)

    def text(self) -> str:
        """Return it in words."""
        shown = wording.value(self.value)
        found = [one for one in self.values if isinstance(one, (int, float)) and not isinstance(one, bool)]
        if self.numeric and found and self.same < len(self.values):
            low, high = wording.value(min(found)), wording.value(max(found))
            return f"{self.name}={shown}: the best of the single folds have {low} to {high}"
        folds = len(self.values)
        which = f"all {folds}" if self.same == folds else f"{self.same} of the {folds}"
        return f"{self.name}={shown}: so has the best on {which} single folds"


@dataclass(frozen=True)
class Advice:
    """All that is advised about a study. `tied` are the other trials that the folds cannot tell from the winner."""

    bounds: tuple[AtBound, ...] = ()
    tied: tuple[int, ...] = ()
    stability: tuple[Stability, ...] = ()
    outlook: str = ""
    failing: tuple[AlwaysFails, ...] = ()

    def short(self) -> list[str]:
        """Return at most three lines."""
        lines = []
        if self.failing:
            worst, *rest = self.failing
            lines.append(worst.text() + (f" ({len(rest)} more: see `hptune suggest`)" if rest else ""))
        if self.bounds:
            first, *more = self.bounds
            also = f" ({len(more)} more: see `hptune suggest`)" if more else ""
            lines.append(first.text() + also)
        return [*lines, *self._told(), *([self.outlook] if self.outlook else [])][:3]

    def full(self) -> list[str]:
        """Return everything, a line each."""
        lines = [*(one.text() for one in self.failing), *(one.text() for one in self.bounds)]
        return [*lines, *self._told(), *(one.text() for one in self.stability), *filter(None, [self.outlook])]

    def _told(self) -> list[str]:
        if not self.tied:
            return []
        defaults = ", the defaults among them" if 0 in self.tied else ""
        return [f"{wording.count(len(self.tied), 'configuration')} cannot be told from the winner{defaults}"]


def advise(history: History) -> Advice:
    """Return the advice on a study, empty while nothing has completed."""
    best = history.best
    if best is None or best.score is None:
        return Advice()
    done = [trial for trial in history.trials if trial.completed and trial.fidelity is None]
    compared = [trial for trial in done if len(trial.scores) == len(best.scores)]
    losses = _losses(history, compared)
    with np.errstate(all="ignore"):  # losses near the largest float: a comparison that overflows ties nothing
        return _advice(history, done, compared, losses, best)


def _advice(
    history: History, done: Sequence[Trial], compared: Sequence[Trial], losses: NDArray[np.float64], best: Trial
) -> Advice:
    return Advice(
        bounds=tuple(at_bounds(history.space, best)) if best.number != 0 else (),
        tied=tuple(_tied(history, compared, losses, best)),
        stability=tuple(_stability(history.space, compared, losses, best)),
        outlook=outlook(history, done),
        failing=tuple(always_failing(history)),
    )


# -- the winner at a bound ------------------------------------------------------------------------------------------


def at_bounds(space: SearchSpace, trial: Trial) -> list[AtBound]:
    """Return the parameters whose value in `trial` lies at an end of a range that may go on beyond it."""
    found = []
    for parameter in space:
        value = trial.values.get(parameter.name)
        if not isinstance(parameter, (Float, Int)) or isinstance(value, bool) or not isinstance(value, (int, float)):
            continue
        if parameter.low == parameter.high or not parameter.low <= value <= parameter.high:
            continue  # one value only, or one of `extra`
        start, end = parameter.map.encode(parameter.low), parameter.map.encode(parameter.high)
        position = (parameter.map.encode(value) - start) / (end - start)
        side: Side = "upper" if position > 0.5 else "lower"
        if min(position, 1 - position) > NEAR:
            continue
        wider = widened(parameter, side)
        if wider is not None:
            bound = parameter.high if side == "upper" else parameter.low
            found.append(AtBound(parameter.name, value, bound, side, wider))
    return found


def widened(parameter: Float | Int, side: Side) -> float | int | None:
    """Return a further bound for a range, None where the one it has looks like the end of what makes sense.

    A logarithmic range goes on for another decade, a linear one for half its width; a positive range stays positive,
    a share stays within 0 and 1, a count at 1 or more. The model may still refuse it: `hptune validate` tells.
    """
    wider = _further(parameter, side)
    if wider is None:
        return None
    bound: float | int = round(wider) if isinstance(parameter, Int) else float(f"{wider:.12g}")
    try:
        new = replace(parameter, high=bound) if side == "upper" else replace(parameter, low=bound)
    except ValueError:  # too many steps, beyond the largest int, ...
        return None
    return bound if (new.low, new.high) != (parameter.low, parameter.high) else None


def _further(parameter: Float | Int, side: Side) -> float | None:
    low, high = parameter.low, parameter.high
    if parameter.scale == "reverse_log":
        return 1 - (1 - high) / 10 if side == "upper" and high < 1 else None
    if parameter.scale == "log":
        factor = parameter.factor or 10.0
        while factor < 10.0:  # whole steps of a grid, at least a decade of them
            factor *= parameter.factor or 10.0
        if side == "upper":
            return float(high * factor)
        return None if isinstance(parameter, Int) and low / factor < 1 else float(low / factor)
    step = parameter.step or (1 if isinstance(parameter, Int) else None)
    half = (high - low) / 2 if step is None else max(round((high - low) / 2 / step), 1) * step
    if side == "upper":
        return None if high == 1 and low >= 0 else float(high + half)
    least = 1 if isinstance(parameter, Int) else 0
    if low < 0 or low - half >= least:
        return float(low - half)
    return None if low <= least or parameter.step is not None else float(max(low / 2, least))


def patch(history: History, bounds: Sequence[AtBound], failing: Sequence[AlwaysFails] = ()) -> dict[str, Any]:
    """Return a `space:` section that holds the wider bounds, and choices without what fails, to be merged into the config.

    Only of parameters that the config declares as a range: those of a hypermodel stand in its code.
    """
    declared = history.started.config.get("space") or {}
    out: dict[str, dict[str, Any]] = {}
    for one in bounds:
        key = "max" if one.side == "upper" else "min"
        if isinstance(declared.get(one.name), Mapping) and key in declared[one.name]:
            out.setdefault(one.name, {})[key] = one.wider
    return {"space": {**out, **without(history, failing)}}


# -- ties, folds, more trials ---------------------------------------------------------------------------------------


def _losses(history: History, trials: Sequence[Trial]) -> NDArray[np.float64]:
    """Return the fold losses of trials with the same number of folds, shape (trials, folds)."""
    return np.array([[history.objective.loss(score) for score in trial.scores] for trial in trials], dtype=float)


def _tied(history: History, trials: Sequence[Trial], losses: NDArray[np.float64], best: Trial) -> list[int]:
    if losses.shape[1] < 2:
        return []
    winner = next(row for row, trial in enumerate(trials) if trial.number == best.number)
    share = history.test_share
    return [trials[row].number for row in tied_set(losses, winner, test_share=share) if row != winner]


def _stability(
    space: SearchSpace, trials: Sequence[Trial], losses: NDArray[np.float64], best: Trial
) -> list[Stability]:
    """Return how the winner's searched parameters fare on single folds, nothing under three folds or trials."""
    if min(losses.shape) < 3:
        return []
    winners = [trials[row].values for row in fold_winners(losses)]
    return [
        Stability(
            parameter.name,
            best.values[parameter.name],
            tuple(values.get(parameter.name) for values in winners),
            isinstance(parameter, (Float, Int)),
        )
        for parameter in space
        if parameter.name in best.values and parameter.columns
    ]


def outlook(history: History, done: Sequence[Trial]) -> str:
    """Return what more trials can be expected to bring, "" where that cannot be told.

    For random search the chance of a new best is exact; for other oracles there is only the average over random
    searches, which says little of a single one (docs/decisions/0004-honest-gain.md), and the words say so.
    """
    n, size = len(done), history.space.size()
    if size is not None and n >= size:
        return "every configuration has been tried: only another space can bring more"
    if n < LEAST_TRIALS or history.ended == "exhausted":
        return ""
    more = max(n // 4, 5)
    folds = any(len(trial.scores) > 1 for trial in done)  # a function's trial is one score, of no fold
    if history.started.oracle.get("type") == "random":
        chance = record_chance(n, more)
        where = " on these folds" if folds else ""
        return f"{more} more random trials have a chance of {chance:.0%} of a better score{where}"
    gain = expected_gain([history.objective.loss(trial.score) for trial in done if trial.score is not None], more)
    if gain is None:
        return ""
    luck = " (the luck of the folds included)" if folds else ""
    often = f"a random search gains {wording.number(gain, 2)} on average{luck}"
    return f"{more} more trials: {often}, a single search may gain nothing or much more"
