"""What may honestly be said of a winner: its gain over the defaults with an interval, and what to expect of it.

After finals the numbers are theirs; without, they come from the search's own folds, less the winner's optimism.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from hptune.finals import computable, search_gain, search_optimism
from hptune.history import History
from hptune.statistics import Gain


@dataclass(frozen=True)
class Assessment:
    """A winner's gain (metric units, positive is better; None where it cannot be told), and its expected score.

    `optimism` is what the choice of the winner flatters its score by, in metric units, 0 or more means "promises too
    much". `expected` is the score on fresh rows, with the metric's own sign; after finals that of the model fitted on
    all rows, else of one fitted on a fold's. `source` says which folds it is from.
    """

    gain: Gain | None
    optimism: float
    expected: float | None
    source: Literal["finals", "search"]


def assess(history: History) -> Assessment | None:
    """Return the assessment of the best trial, None without one; its gain is None without completed defaults."""
    winner, best = history.winner, history.best
    if best is None:
        return None
    objective = history.objective
    if winner is not None:
        scores = [m.score for m in history.finals.get(best.number, ()) if m.fold < winner.folds]
        mean = sum(objective.loss(score) for score in scores) / len(scores) if scores else None
        expected = None if mean is None else objective.score(mean + winner.optimism - (winner.refit_gain or 0.0))
        return Assessment(Gain.told(winner.gain), winner.optimism, expected, "finals")
    if best.score is None or not computable(best.scores):
        return None
    optimism = search_optimism(history)
    return Assessment(
        search_gain(history, test_share=history.test_share, optimism=optimism),
        optimism,
        objective.score(objective.loss(best.score) + optimism),
        "search",
    )
