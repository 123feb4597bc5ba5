"""What figures of studies have in common: which trials and parameters they show, the window of scores, the star."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

from hptune.history import History
from hptune.objective import Objective
from hptune.report import figure_style as style
from hptune.report import wording
from hptune.space import Choice, Float, Int, Parameter
from hptune.trial import Trial

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MOST_PANELS = 24  # parameters of one study; more would be too small to read
HUGE = 1e300  # matplotlib's axes overflow shortly above


def completed(history: History) -> list[Trial]:
    """Return the trials with a score at full fidelity."""
    return [trial for trial in history.trials if trial.completed and trial.fidelity is None]


def best(history: History) -> Trial:
    """Return the winner of a study that has one."""
    assert history.best is not None
    return history.best


def crown(history: History) -> str:
    """Return what the winner is: the best of the search, or another trial that won the finals on fresh splits."""
    return "best" if best(history).number == history.best_number else "winner of the finals"


def score(history: History, trial: Trial) -> float:
    """Return a completed trial's score as it is shown."""
    assert trial.score is not None
    return wording.shown(history.objective, trial.score)


def train_score(history: History, trial: Trial) -> float | None:
    """Return a trial's train score as it is shown, None where it was not asked for."""
    return None if trial.train_score is None else wording.shown(history.objective, trial.train_score)


def known(scores: Iterable[float | None]) -> list[float]:
    """Return the scores that there are."""
    return [one for one in scores if one is not None]


def places(history: History) -> int:
    """Return how many decimals tell the study's scores apart."""
    return wording.decimals(score(history, trial) for trial in completed(history))


def default_score(history: History) -> float | None:
    """Return the score of the defaults (trial 0) as it is shown, None where it has none."""
    baseline = history.baseline
    return score(history, baseline) if baseline is not None and baseline.completed else None


def score_label(history: History) -> str:
    """Return what the score axis shows."""
    folds = max((len(trial.scores) for trial in history.trials), default=1)
    mean = f"mean of {folds} folds, " if folds > 1 else ""
    return f"{wording.shorten(wording.metric(history.objective), 36)}\n{mean}{wording.better(history.objective)}"


def lower_is_better(objective: Objective) -> bool:
    """Return whether lower is better as shown."""
    return objective.direction == "minimize" or objective.shown_negated


# -- parameters -----------------------------------------------------------------------------------------------------


def numeric(history: History) -> list[Parameter]:
    """Return the parameters with numbers to tell apart, at most `MOST_PANELS` of them."""
    return [parameter for parameter in history.space if _has_numbers(parameter)][:MOST_PANELS]


def _has_numbers(parameter: Parameter) -> bool:
    if isinstance(parameter, (Int, Float)):
        return bool(parameter.low < parameter.high)
    return isinstance(parameter, Choice) and len(parameter.values) > 1 and all(map(_is_number, parameter.values))


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def is_alone(history: History) -> bool:
    """Return whether the study varies one parameter only, so that its scores make a line."""
    return sum(parameter.count != 1 for parameter in history.space) == 1


def is_log(parameter: Parameter) -> bool:
    """Return whether the parameter's axis is logarithmic."""
    return isinstance(parameter, (Int, Float)) and parameter.scale == "log"


def place(trial: Trial, parameter: Parameter) -> float | None:
    """Return where a trial stands on the parameter's axis, None if nowhere (inactive, or an `extra` value)."""
    found: Any = trial.values.get(parameter.name)
    if not _is_number(found):
        return None
    if isinstance(parameter, (Int, Float)) and not parameter.low <= found <= parameter.high:
        return None
    return float(found)


# -- the score axis -------------------------------------------------------------------------------------------------


class Window:
    """The part of the score axis that is worth its ink.

    One wild score (a diverged fit) would press all others into a line. So the axis ends at four times the distance
    from the best score to the worst quarter's begin, but not before the scores that must be `kept`, such as the
    defaults'. Marks beyond stand at its edge, and the legend counts them. `others` (train scores) only widen the
    better side.
    """

    def __init__(
        self,
        scores: Iterable[float],
        objective: Objective,
        *,
        kept: Iterable[float] = (),
        others: Iterable[float | None] = (),
    ) -> None:
        sign = 1.0 if lower_is_better(objective) else -1.0
        losses = sorted(_bounded(sign * one) for one in scores)
        first, last = losses[0], losses[-1]
        quarter = losses[math.ceil(0.75 * (len(losses) - 1))]
        worst = min(last, first + 4 * (quarter - first)) if quarter > first else last
        worst = max([worst, *(_bounded(sign * one) for one in kept)])
        top = min([first, *(_bounded(sign * one) for one in others if one is not None)])
        margin = 0.06 * (worst - top) or 0.06 * abs(top) or 0.5
        self.low, self.high = sorted((sign * (top - margin), sign * (worst + margin)))

    def clip(self, scores: Sequence[float]) -> list[float]:
        """Return the scores with those beyond an edge moved onto it."""
        return [max(self.low, min(one, self.high)) for one in scores]

    def note(self, words: str, scores: Sequence[float]) -> str:
        """Return a legend entry that says how many of the scores are beyond the axis."""
        beyond = sum(one not in self for one in scores)
        return f"{words} ({beyond} beyond the axis)" if beyond else words

    def __contains__(self, score: float) -> bool:
        return self.low <= score <= self.high

    def show(self, axes: Axes) -> None:
        """Make this the y axis."""
        axes.set_ylim(self.low, self.high)
        style.number_axis(axes.yaxis)


def _bounded(loss: float) -> float:
    return max(-HUGE, min(loss, HUGE))


def star(
    axes: Axes,
    history: History,
    window: Window,
    words: str,
    *,
    where: Callable[[Trial], float | None],
    colour: str = style.VERMILION,
    decimals: int | None = None,
) -> None:
    """Mark the winner with a star and a line down to the axis; the legend tells `words` and its score.

    `where` gives its place on the x axis, None for nowhere: then nothing is drawn. `decimals` of its score are those that
    tell the study's own scores apart, unless others stand beside them.
    """
    winner = best(history)
    x, y = where(winner), score(history, winner)
    if x is None:
        return
    axes.plot(
        [x], window.clip([y]), "*", color=colour, markersize=13, markeredgecolor="white", zorder=5, clip_on=False,
        label=f"{words}, score {wording.fixed(y, places(history) if decimals is None else decimals)}",
    )  # fmt: skip
    axes.axvline(x, color=colour, linewidth=0.8, linestyle=":", zorder=1)
