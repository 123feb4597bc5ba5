"""Run the studies once and keep their fold matrices, so that every protocol can be replayed in seconds.

letter  meaning                                                           stored as
R       studies of a task, each on its own rows                           first axis
T       configurations of a study (the same ones in every study)          30, slow families 16
k       folds of the search                                               5
F       finalists kept: the default, then the best by mean of the search   6
r       repeats of the finals, each a fresh split into k folds             4
H       finalists fitted once more on half of the first repeat's rows     4
"""

from __future__ import annotations

import time
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import sklearn
from numpy.typing import NDArray
from sklearn.model_selection import KFold, StratifiedKFold

from benchmarks.honesty.families import FAMILIES, Values
from benchmarks.honesty.tasks import TASKS, Rows, Task
from hptune.learning_curve import half

RESULTS = Path(__file__).parent / "results"
FOLDS, FINALISTS, REPEATS, HALVED = 5, 6, 4, 4
Record = dict[str, NDArray[np.float32]]


def score(metric: str, model: Any, X: NDArray[np.float64], y: NDArray[np.float64]) -> float:
    """Return the model's score on rows; greater is better."""
    if metric in ("neg_log_loss", "roc_auc"):
        p = np.clip(model.predict_proba(X), 1e-15, 1.0)
        if metric == "roc_auc":
            from sklearn.metrics import roc_auc_score

            return float(roc_auc_score(y, p[:, 1]))
        return float(np.mean(np.log(p[np.arange(len(y)), y.astype(int)])))
    error = y - model.predict(X)
    if metric == "accuracy":
        return float(np.mean(error == 0))
    if metric == "neg_mae":
        return -float(np.mean(np.abs(error)))
    if metric == "neg_rmse":
        return -float(np.sqrt(np.mean(error**2)))
    return 1.0 - float(np.mean(error**2) / np.var(y))


def _fit(task: Task, values: Values, rows: Rows, seed: int) -> tuple[Any, NDArray[np.float64], NDArray[np.float64]]:
    X, y = rows
    mean, scale = X.mean(axis=0), X.std(axis=0)
    scale = np.where(scale > 0, scale, 1.0)
    model = FAMILIES[task.family].build(values, task.classify, seed)
    model.fit((X - mean) / scale, y)
    return model, mean, scale


def _scores(task: Task, values: Values, train: Rows, tests: list[Rows], seed: int) -> list[float]:
    """Return the scores on several sets of rows of one model, scaled and fitted on the training rows."""
    model, mean, scale = _fit(task, values, train, seed)
    return [score(task.metric, model, (X - mean) / scale, y) for X, y in tests]


def _splits(task: Task, rows: Rows, seed: int) -> list[tuple[NDArray[Any], NDArray[Any]]]:
    kind = StratifiedKFold if task.classify else KFold
    return list(kind(FOLDS, shuffle=True, random_state=seed).split(*rows))


def study(task: Task, pool: list[Values], number: int) -> Record:
    """Run one study: the search's folds, the finals' folds, and every configuration on fresh rows."""
    rng = np.random.default_rng([number, *task.name.encode()])
    rows, fresh = task.draw(rng)
    X, y = rows
    search = np.empty((len(pool), FOLDS))
    fresh_fold, fresh_refit = np.empty(len(pool)), np.empty(len(pool))
    splits = _splits(task, rows, 1000 * number)
    for t, values in enumerate(pool):
        for f, (train, test) in enumerate(splits):
            tests = [(X[test], y[test])] + ([fresh] if f == 0 else [])
            found = _scores(task, values, (X[train], y[train]), tests, f)
            search[t, f] = found[0]
            if f == 0:
                fresh_fold[t] = found[1]
        fresh_refit[t] = _scores(task, values, rows, [fresh], 99)[0]
    order = [0] + [int(t) for t in np.argsort(-search.mean(axis=1), kind="stable") if t != 0]
    chosen = np.array(order[:FINALISTS])
    finals = np.empty((FINALISTS, REPEATS, FOLDS))
    for r in range(REPEATS):
        for f, (train, test) in enumerate(_splits(task, rows, 1000 * number + 1 + r)):
            for i, t in enumerate(chosen):
                tests = [(X[test], y[test])]
                finals[i, r, f] = _scores(task, pool[t], (X[train], y[train]), tests, 100 + FOLDS * r + f)[0]
    record = {
        "search": search,
        "fresh_fold": fresh_fold,
        "fresh_refit": fresh_refit,
        "chosen": chosen,
        "finals": finals,
        "halves": _halves(task, [pool[t] for t in chosen], rows, number),
    }
    return {name: array.astype(np.float32) for name, array in record.items()}


def _halves(task: Task, chosen: list[Values], rows: Rows, number: int) -> NDArray[np.float64]:
    """Return the first finalists' scores on the first repeat's folds, fitted on half of the rows, shape (H, k).

    NaN where half of the rows cannot be fitted (fewer of them than neighbours asked for).
    """
    X, y = rows
    halves = np.full((HALVED, FOLDS), np.nan)
    for f, (train, test) in enumerate(_splits(task, rows, 1000 * number + 1)):
        kept = half(train, np.random.default_rng([number, f]), classes=y[train] if task.classify else None)
        for i, values in enumerate(chosen[:HALVED]):
            try:
                found = _scores(task, values, (X[kept], y[kept]), [(X[test], y[test])], 100 + f)
            except ValueError:
                continue
            halves[i, f] = found[0]
    return halves


def add_halves(task: Task) -> None:
    """Bring studies that were stored before the halves were measured up to date."""
    have = load(task)
    if not have or "halves" in have:
        return
    pool = _pool(task)
    found = []
    with warnings.catch_warnings(), sklearn.config_context(assume_finite=True, skip_parameter_validation=True):
        warnings.simplefilter("ignore")
        for number, chosen in enumerate(have["chosen"].astype(int)):
            rows, _ = task.draw(np.random.default_rng([number, *task.name.encode()]))
            found.append(_halves(task, [pool[t] for t in chosen], rows, number))
    _store(task, {**have, "halves": np.stack(found).astype(np.float32)})


def _pool(task: Task) -> list[Values]:
    family = FAMILIES[task.family]
    return family.pool(task.trials or (16 if family.slow else 30), seed=7)


def _store(task: Task, record: Record) -> None:
    temporary = RESULTS / f"{task.name}.tmp.npz"
    np.savez_compressed(temporary, **record)
    temporary.replace(RESULTS / f"{task.name}.npz")


def load(task: Task) -> Record:
    """Return a task's stored studies, empty arrays where there are none."""
    path = RESULTS / f"{task.name}.npz"
    if not path.exists():
        return {}
    with np.load(path) as stored:
        return {name: stored[name] for name in stored.files}


def extend(task: Task, studies: int, seconds: float = float("inf")) -> None:
    """Run further studies of a task until it has so many, or the seconds are over, and store them."""
    began = time.monotonic()
    add_halves(task)
    pool = _pool(task)
    have = load(task)
    done = len(have["search"]) if have else 0
    new: list[Record] = []
    with warnings.catch_warnings(), sklearn.config_context(assume_finite=True, skip_parameter_validation=True):
        warnings.simplefilter("ignore")
        while done + len(new) < studies and (not new or time.monotonic() - began < seconds):
            new.append(study(task, pool, done + len(new)))
    if new:
        stacked = {name: np.stack([record[name] for record in new]) for name in new[0]}
        merged = {name: np.concatenate([have[name], array]) if have else array for name, array in stacked.items()}
        _store(task, merged)
        took = (time.monotonic() - began) / len(new)
        print(f"{task.name}: {done + len(new)} studies, {took:.2f} s each", flush=True)


def wanted(task: Task, studies: int, slow_studies: int) -> int:
    """Return how many studies a task gets: more where false alarms are counted, fewer of 150 trials."""
    if FAMILIES[task.family].slow:
        return slow_studies
    if task.trials:
        return studies // 4
    return studies + studies // 4 if task.null else studies


def record(studies: int, slow_studies: int) -> None:
    """Bring every task to so many studies (see `wanted`), a part of each at a time."""
    for share in (0.2, 0.4, 0.6, 0.8, 1.0):
        for task in TASKS:
            extend(task, round(share * wanted(task, studies, slow_studies)))
