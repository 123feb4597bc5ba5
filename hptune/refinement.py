"""Refinements: trials that ask for any improvement on the best, in a search that racing helps along.

A raced search loses sight of small improvements. Its model asks for a tenth of a standard deviation, the race for a
tenth of a standard error, and where folds differ in difficulty that can be a hundred times the spread of two neighbours
on the same folds: what would win by less is stopped on its first fold, and the search stays where it is (decision 8).

So from `FROM` on some suggestions ask for any improvement, and are raced without a margin: every second one while that
pays, half as many after each that has not. Pure: from a view to whether the next trial is one.
"""

from __future__ import annotations

import math

import numpy as np

from hptune.history import View
from hptune.racing import complete_losses
from hptune.statistics import HUGE
from hptune.trial import REFINEMENT

FROM = 20
"""The first trials learn where to refine."""

GAP, WIDEST = 2, 32
"""Trials from one refinement to the next: after one that has paid, and at most. Always even: refinements are among the
suggestions that take what was measured for certain (`hptune.oracles.bayesian`), and leave the others as they are."""

PAYS = 0.001
"""By how many standard errors of its score the best has to improve for a refinement to have paid."""


def due(view: View) -> bool:
    """Return whether the next trial is to be a refinement."""
    begun = view.begun
    if begun < FROM or begun % 2 or view.history.started.folds < 2:
        return False
    numbers, losses = complete_losses(view)
    if not len(numbers) or np.abs(losses).max() > HUGE:
        return False
    means = losses.mean(axis=1)
    latest, gap = None, GAP
    for number in range(begun - 1, max(begun - 4 * WIDEST, -1), -1):  # as far back as a widest gap takes to grow
        trial = view[number]
        if trial.origin != REFINEMENT:
            continue
        latest = number if latest is None else latest
        if trial.status == "running":
            continue
        place = int(np.searchsorted(numbers, number))
        if 0 < place < len(numbers) and numbers[place] == number:
            own = losses[place]
            least = PAYS * float(np.std(own, ddof=1)) / math.sqrt(len(own))
            if float(means[place]) < float(means[:place].min()) - least:
                break
        gap = min(2 * gap, WIDEST)
    return latest is None or begun - latest >= gap
