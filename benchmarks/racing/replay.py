"""Rules that give a trial up between two folds, replayed on stored losses (trials, folds).

As with two workers, trial k knows the results of trials up to k - 4. The folds of each trial come in an order of its
own. The product's rule is `hptune.racing`, its completing of finalists included; the others are written from their
formulas:

* Bergman et al. (2024): stop when the running mean is worse than the incumbent's mean ("aggressive") or than its worst
  fold ("forgiving").
* Optuna's WilcoxonPruner at its defaults: from the second fold on, stop when the signed-rank test of the folds shared
  with the best trial has p < 0.1, unless the running mean is the better one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.stats import wilcoxon

from hptune import events as ev
from hptune.oracles import ORACLES
from hptune.racing import ALPHA, MARGIN, fold_order, race_of, to_complete
from hptune.space import Float, SearchSpace
from hptune.study import Study
from hptune.trial import Measurement

LOOKAHEAD = 4
FINALISTS = 3
Array = NDArray[np.float64]
Judge = Callable[[list[tuple[int, float]]], bool]
"""Whether a trial with these (fold, loss) pairs goes on."""
Rule = Callable[[Array, NDArray[np.intp]], Judge | None]
"""A judge from the complete trials' losses (n, k) and numbers (n,), None while all goes on."""


def predictive(alpha: float = ALPHA, margin: float = MARGIN) -> Rule:
    """The product's rule."""

    def rule(losses: Array, numbers: NDArray[np.intp]) -> Judge | None:
        race = race_of(losses, numbers, alpha=alpha, margin=margin) if len(losses) else None
        return None if race is None else race.goes_on

    return rule


def constant(alpha: float = ALPHA, margin: float = MARGIN) -> Rule:
    """The product's rule with the whole margin after every fold."""

    def rule(losses: Array, numbers: NDArray[np.intp]) -> Judge | None:
        race = race_of(losses, numbers, alpha=alpha, margin=margin) if len(losses) else None
        if race is None:
            return None
        k = race.folds
        bars = (bar - race.margin * (j - 1) / (k - 1) for j, bar in enumerate(race.bars, start=1))
        return replace(race, bars=tuple(bars)).goes_on

    return rule


def _against_best(judge: Callable[[Array, list[tuple[int, float]]], bool]) -> Rule:
    def rule(losses: Array, numbers: NDArray[np.intp]) -> Judge | None:
        del numbers
        if not len(losses):
            return None
        best = losses[int(np.argmin(losses.mean(axis=1)))]
        return lambda done: judge(best, done)

    return rule


def _mean(done: list[tuple[int, float]]) -> float:
    return float(np.mean([loss for _, loss in done]))


def _wilcoxon(best: Array, done: list[tuple[int, float]]) -> bool:
    if len(done) < 2:
        return True
    differences = np.array([loss - best[fold] for fold, loss in done])
    p = float(wilcoxon(differences, alternative="greater", zero_method="zsplit").pvalue)
    return p >= 0.1 or bool(best.mean() >= _mean(done))


RULES: dict[str, tuple[Rule, bool]] = {
    "predictive, 0.20, margin 0.10 (hptune)": (predictive(), True),
    "the same, finalists not completed": (predictive(), False),
    "the same, margin whole after every fold": (constant(), True),
    "predictive, 0.20, margin 0.15": (predictive(0.20, 0.15), True),
    "predictive, 0.20, margin 0.05": (predictive(0.20, 0.05), True),
    "predictive, 0.10, margin 0.05": (predictive(0.10, 0.05), True),
    "predictive, 0.05, no margin": (predictive(0.05, 0.0), True),
    "Bergman, aggressive": (_against_best(lambda best, done: _mean(done) <= float(best.mean())), False),
    "Bergman, forgiving": (_against_best(lambda best, done: _mean(done) <= float(best.max())), False),
    "Optuna's WilcoxonPruner": (_against_best(_wilcoxon), False),
}


@dataclass(frozen=True)
class Result:
    """What a rule did to one study: folds fitted, whether another configuration won, and the CV loss of that in SE.

    `top` is the share of the three best trials that it left complete.
    """

    fits: int
    other: bool
    loss: float
    top: float


def replay(losses: Array, rule: Rule, *, finish: bool, seed: int) -> Result:
    """Return what a rule does to a study; with `finish` the best raced-out trials are completed at the end."""
    trials, k = losses.shape
    known: list[list[int]] = []
    complete = np.zeros(trials, dtype=bool)
    for number in range(trials):
        seen = np.flatnonzero(complete[: max(number - LOOKAHEAD + 1, 0)])
        judge = rule(losses[seen], seen)
        done: list[tuple[int, float]] = []
        for fold in fold_order(seed, number, k):
            done.append((fold, float(losses[number, fold])))
            if len(done) < k and judge is not None and not judge(done):
                break
        known.append([fold for fold, _ in done])
        complete[number] = len(done) == k
    fits = sum(map(len, known))
    if finish:
        for number in _to_complete(losses, known):
            fits += k - len(known[number])
            complete[number] = True
    means = losses.mean(axis=1)
    left = np.flatnonzero(complete)
    winner, best = int(left[np.argmin(means[left])]), int(np.argmin(means))
    error = float(losses[best].std(ddof=1)) / np.sqrt(k)
    lost = float(means[winner] - means[best])
    top = np.argsort(means, kind="stable")[:FINALISTS]
    return Result(fits, lost > 0, lost / error if lost > 0 else 0.0, float(complete[top].mean()))


def _to_complete(losses: Array, known: list[list[int]]) -> list[int]:
    """Return the trials that the product would complete after such a search."""
    started = ev.StudyStarted(
        time=0.0, name="replay", metric="loss", direction="minimize", seed=0, lookahead=LOOKAHEAD,
        space=SearchSpace((Float(name="x", low=0.0, high=1.0),)).to_json(), folds=losses.shape[1],
    )  # fmt: skip
    study = Study.of(started, ORACLES["random"](type="random"), None)
    for number, folds in enumerate(known):
        study.next()
        for fold in folds:
            study.score(number, Measurement(fold, float(losses[number, fold])))
        if len(folds) == losses.shape[1]:
            study.complete(number)
        else:
            study.stop(number, "raced out")
    return to_complete(study.history, FINALISTS)
