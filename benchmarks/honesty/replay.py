"""Every protocol on every stored study: what it prints, against what fresh rows say.

A protocol turns one study's fold losses into a `Claim`. The figures of the product's own protocols come from
`hptune.statistics` and `hptune.optimism`, so that what is measured here is what a user is told.

Three truths, from the largest claim to the smallest:

    refit   the winner refitted on this study's n rows, on fresh rows (what the user takes home)
    rows n  the same, averaged over all studies of the task (any n rows)
    4n/5    the winner fitted on one fold's training rows, averaged over all studies (what 5-fold CV itself measures)
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from benchmarks.honesty.record import FOLDS, Record, load
from benchmarks.honesty.tasks import Task
from hptune.learning_curve import refit_gain
from hptune.optimism import bootstrap_optimism, expected_gain, left_out_optimism, tibshirani_optimism
from hptune.statistics import Gain, finals_verdict, paired_gain

TRUTHS = ("refit", "rows n", "4n/5")
SHARE = 1.0 / (FOLDS - 1)
CONFIDENCE = 0.9


@dataclass(frozen=True)
class Study:
    """One study's losses: the search's (T, k), the finals' (F, r, k), those on half of the rows (H, k), and who the
    finalists are (F,)."""

    number: int
    search: NDArray[np.float64]
    finals: NDArray[np.float64]
    halves: NDArray[np.float64]
    chosen: NDArray[np.intp]


@dataclass(frozen=True)
class Claim:
    """What a protocol says: the winner (its trial), the loss it promises, and the gain over trial 0."""

    winner: int
    loss: float
    gain: Gain


Protocol = Callable[[Study], Claim]


def best_cv(optimism: Callable[[Study], float], *, share: float = SHARE) -> Protocol:
    """The best mean of the search, with an estimate of its optimism added."""

    def claim(study: Study) -> Claim:
        winner = int(np.argmin(study.search.mean(axis=1)))
        luck = optimism(study)
        losses = study.search[0], study.search[winner]
        gain = paired_gain(*losses, test_share=share, confidence=CONFIDENCE, shift=luck if winner else 0.0)
        return Claim(winner, float(study.search[winner].mean()) + luck, gain)

    return claim


def finals(
    finalists: int,
    repeats: int,
    *,
    share: float = SHARE,
    optimism: Callable[[Study], float] | None = None,
    degrees: int | None = FOLDS - 1,
) -> Protocol:
    """Finals in which trial 0 and so many others all run every repeat.

    `optimism` replaces the leave-one-out within the finals, `degrees` the degrees of freedom (None: J - 1).
    """

    def claim(study: Study) -> Claim:
        losses = study.finals[: finalists + 1, :repeats].reshape(finalists + 1, -1)
        row = int(np.argmin(losses.mean(axis=1)))
        winner = int(study.chosen[row])
        luck = left_out_optimism(losses, folds=FOLDS) if optimism is None else optimism(study)
        gain = paired_gain(
            losses[0],
            losses[row],
            test_share=share,
            confidence=CONFIDENCE,
            shift=luck if winner else 0.0,
            degrees=degrees,
        )
        return Claim(winner, float(losses[row].mean()) + luck, gain)

    return claim


def halving(finalists: int, repeats: int, *, refit: bool = True) -> Protocol:
    """The product's finals: one repeat for all, further ones for its leader and trial 0, half the rows for the winner."""

    def claim(study: Study) -> Claim:
        losses = study.finals[: finalists + 1, :repeats].reshape(finalists + 1, -1)
        found = finals_verdict(losses, folds=FOLDS, test_share=SHARE, confidence=CONFIDENCE)
        assert found.gain is not None  # the defaults are measured on every fold
        more = 0.0
        if refit and np.isfinite(study.halves[found.winner]).all():
            more = refit_gain(losses[found.winner, :FOLDS], study.halves[found.winner], test_share=SHARE)
        return Claim(int(study.chosen[found.winner]), found.expected_loss - more, found.gain)

    return claim


def _none(_: Study) -> float:
    return 0.0


def _tibshirani(study: Study) -> float:
    return tibshirani_optimism(study.search)


def _left_out(study: Study) -> float:
    return left_out_optimism(study.search)


def _bootstrap(study: Study) -> float:
    return bootstrap_optimism(study.search, np.random.default_rng(study.number), samples=200)


NAIVE = "best CV score, ordinary t"
PROTOCOLS: dict[str, Protocol] = {
    NAIVE: best_cv(_none, share=1e-15),
    "best CV score, corrected t": best_cv(_none),
    "best CV + Tibshirani": best_cv(_tibshirani),
    "best CV + left-out": best_cv(_left_out),
    "best CV + bootstrap (BBC)": best_cv(_bootstrap),
    "finals 3, r=2, as they are, J - 1": finals(3, 2, optimism=_none, degrees=None),
    "finals 5, r=2, as they are, J - 1": finals(5, 2, optimism=_none, degrees=None),
    "finals 5, r=4, as they are, J - 1": finals(5, 4, optimism=_none, degrees=None),
    "finals 3, r=2, left-out, J - 1": finals(3, 2, degrees=None),
    "finals 5, r=2, left-out, J - 1": finals(5, 2, degrees=None),
    "finals 5, r=4, left-out, J - 1": finals(5, 4, degrees=None),
    "finals 3, r=1, left-out": finals(3, 1),
    "finals 3, r=2, left-out": finals(3, 2),
    "finals 3, r=3, left-out": finals(3, 3),
    "finals 3, r=4, left-out": finals(3, 4),
    "finals 5, r=1, left-out": finals(5, 1),
    "finals 5, r=2, left-out": finals(5, 2),
    "finals 5, r=4, left-out": finals(5, 4),
    "finals 3, r=2, left-out, n2/n1 = 1/2": finals(3, 2, share=0.5),
    "finals 3, r=1+1, left-out": halving(3, 2, refit=False),
    "finals 3, r=1+1, left-out, all rows": halving(3, 2),
    "finals 3, r=1+2, left-out, all rows": halving(3, 3),
    "finals 3, r=1+3, left-out, all rows": halving(3, 4),
    "finals 3, r=2, Tibshirani of the search": finals(3, 2, optimism=_tibshirani),
    "finals 3, r=2, left-out of the search": finals(3, 2, optimism=_left_out),
}


def studies(record: Record) -> list[Study]:
    """Return the stored studies as losses."""
    search, finals_, halves, chosen = (record[name] for name in ("search", "finals", "halves", "chosen"))
    return [
        Study(i, -search[i].astype(float), -finals_[i].astype(float), -halves[i].astype(float), chosen[i].astype(int))
        for i in range(len(search))
    ]


@dataclass(frozen=True)
class Found:
    """A protocol's claims on all studies of a task: arrays (studies,) and (studies, truths)."""

    task: Task
    spread: float  # SD over studies of a good configuration's CV mean: the unit that tasks are pooled in
    same: NDArray[np.bool_]  # the winner is the baseline: the gain is exactly zero
    bias: NDArray[np.float64]  # promised loss - true loss: negative is too good
    below: NDArray[np.bool_]  # the true gain lies below the interval: too much was promised
    above: NDArray[np.bool_]
    alarm: NDArray[np.bool_]  # "gain > 0" at the one-sided confidence
    width: NDArray[np.float64]
    gain: NDArray[np.float64]  # the true gain


def judge(task: Task, protocol: Protocol, record: Record | None = None) -> Found:
    """Return what a protocol claims on a task's stored studies, against the three truths."""
    record = load(task) if record is None else record
    refit, fold = -record["fresh_refit"].astype(float), -record["fresh_fold"].astype(float)
    claims = [protocol(study) for study in studies(record)]
    rows = np.arange(len(claims))
    winner = np.array([claim.winner for claim in claims])
    truths = (refit, np.broadcast_to(refit.mean(axis=0), refit.shape), np.broadcast_to(fold.mean(axis=0), fold.shape))
    loss = np.stack([truth[rows, winner] for truth in truths], axis=1)
    gain = np.stack([truth[rows, 0] for truth in truths], axis=1) - loss
    low = np.array([-math.inf if c.gain.low is None else c.gain.low for c in claims])
    high = np.array([math.inf if c.gain.high is None else c.gain.high for c in claims])
    bounds = [claim.gain.bound(CONFIDENCE) for claim in claims]
    best = np.argsort(refit.mean(axis=0))[:5]
    return Found(
        task=task,
        spread=float(record["search"].mean(axis=2)[:, best].std(axis=0).mean()),
        same=winner == 0,
        bias=np.array([claim.loss for claim in claims])[:, None] - loss,
        below=gain < low[:, None] - 1e-6,
        above=gain > high[:, None] + 1e-6,
        alarm=np.array([bound is not None and bound > 1e-9 for bound in bounds]),
        width=high - low,
        gain=gain,
    )


@dataclass(frozen=True)
class Row:
    """A protocol's figures over all tasks; arrays are by truth."""

    protocol: str
    coverage: NDArray[np.float64]  # of all studies
    changed: NDArray[np.float64]  # of those whose winner is not the baseline
    below: NDArray[np.float64]
    alarms: float  # on the tasks where every configuration is worth the same
    passes: float  # on the tasks with a real target
    bias: NDArray[np.float64]  # mean over tasks of the mean bias, in the task's spread
    error: NDArray[np.float64]  # its Monte Carlo standard error
    cells: NDArray[np.float64]  # root mean square of the tasks' biases, Monte Carlo noise taken off
    width: float  # median width in spreads
    gain: float  # mean true gain on real targets, in spreads


def summary(name: str, found: Sequence[Found]) -> Row:
    """Pool a protocol's findings over tasks."""
    missed = np.concatenate([f.below | f.above for f in found])
    changed = ~np.concatenate([f.same for f in found])
    means = np.stack([f.bias.mean(axis=0) / f.spread for f in found])
    noise = np.stack([f.bias.var(axis=0, ddof=1) / len(f.bias) / f.spread**2 for f in found])
    return Row(
        protocol=name,
        coverage=1 - missed.mean(axis=0),
        changed=1 - missed[changed].mean(axis=0),
        below=np.concatenate([f.below for f in found])[changed].mean(axis=0),
        alarms=float(np.concatenate([f.alarm for f in found if f.task.null]).mean()),
        passes=float(np.concatenate([f.alarm for f in found if not f.task.shuffled]).mean()),
        bias=means.mean(axis=0),
        error=np.sqrt(noise.sum(axis=0)) / len(found),
        cells=np.sqrt(np.maximum((means**2 - noise).mean(axis=0), 0)),
        width=float(np.median(np.concatenate([f.width[~f.same] / f.spread for f in found]))),
        gain=float(np.mean([f.gain[:, 1].mean() / f.spread for f in found if not f.task.shuffled])),
    )


def more_trials(records: Sequence[Record], *, seen: int = 20, more: int = 10) -> NDArray[np.float64]:
    """Return, for every stored search of 30 random trials, what `expected_gain` says of `more` after `seen`.

    Shape (searches, 2): predicted and found, in spreads; the trials are put into a random order first.
    """
    pairs = []
    for record in records:
        if record["search"].shape[1] != seen + more:
            continue
        best = np.argsort(-record["fresh_refit"].astype(float).mean(axis=0))[:5]
        spread = float(record["search"].mean(axis=2)[:, best].std(axis=0).mean())
        for study in studies(record):
            means = study.search.mean(axis=1) / spread
            means = means[np.random.default_rng(study.number).permutation(len(means))]
            predicted = expected_gain(means[:seen], more)
            pairs.append((predicted, means[:seen].min() - means.min()))
    return np.array(pairs, dtype=float)
