"""Optuna's samplers and plain random search behind one small interface: `run(problem, trials, seed) -> losses`.

Optuna is imported when it is asked for; the extra `bench` of pyproject.toml installs it.
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.problems import Problem
from hptune.parameters import Boolean, Choice, Fixed, Float, Int
from hptune.space import SearchSpace

Run = tuple[list[float], list[float]]
"""Losses in order, and CPU seconds per suggestion."""


def _sampler(name: str, seed: int) -> Any:
    import optuna

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    warnings.simplefilter("ignore")
    makers = {
        "optuna-gp": lambda: optuna.samplers.GPSampler(seed=seed),
        "optuna-tpe": lambda: optuna.samplers.TPESampler(seed=seed),
        "optuna-random": lambda: optuna.samplers.RandomSampler(seed=seed),
    }
    return makers[name]()


NAMES = ("optuna-gp", "optuna-tpe", "optuna-random")


def suggest(trial: Any, space: SearchSpace) -> dict[str, Any]:
    """Return an Optuna trial's configuration of an hptune space, conditional parameters asked for when active."""
    values: dict[str, Any] = {}
    for p in space.parents_first:
        if not all(condition.holds(values) for condition in p.when):
            continue
        if isinstance(p, (Float, Int)):
            values[p.name] = _number(trial, p)
        elif isinstance(p, Choice):
            index = trial.suggest_categorical(p.name, list(range(p.count)))
            values[p.name] = p.values[index]
        elif isinstance(p, Boolean):
            values[p.name] = trial.suggest_categorical(p.name, [False, True])
        elif isinstance(p, Fixed):
            values[p.name] = p.value
    return values


def _number(trial: Any, p: Float | Int) -> Any:
    if p.extra:
        level = trial.suggest_categorical(f"{p.name}.extra", list(range(len(p.extra) + 1)))
        if level:
            return p.extra[level - 1]
    if p.map.count is not None and (p.factor is not None or p.step is not None):
        if p.low == p.high:
            return p.low
        return p.map.value_at(trial.suggest_int(f"{p.name}.index", 0, p.map.count - 1))
    log = p.scale == "log"
    if isinstance(p, Int):
        return trial.suggest_int(p.name, p.low, p.high, log=log)
    return trial.suggest_float(p.name, p.low, p.high, log=log)


def run(name: str, problem: Problem, trials: int, seed: int) -> Run:
    """Return the losses that a rival reaches, and its CPU seconds per suggestion."""
    import optuna

    study = optuna.create_study(sampler=_sampler(name, seed))
    losses, seconds = [], []
    for _ in range(trials):
        start = time.process_time()
        trial = study.ask()
        values = suggest(trial, problem.space)
        spent = time.process_time() - start
        loss = float(np.mean(problem.evaluate(values)))
        start = time.process_time()
        study.tell(trial, loss)
        seconds.append(spent + time.process_time() - start)
        losses.append(loss)
    return losses, seconds


def speed(name: str, space: SearchSpace, size: int, loss: Callable[..., float], repeats: int) -> float:
    """Return the median CPU seconds of a suggestion after `size` random trials; NaN above 1,000 for the GPSampler.

    Its cost grows with the cube of the trials: at 10,000 a single suggestion takes longer than all else here.
    """
    import optuna

    if name == "optuna-gp" and size > 1000:
        return float("nan")
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0))
    rng = np.random.default_rng(size)
    spent: list[float] = []
    for step in range(size + repeats):
        if step == size:
            study.sampler = _sampler(name, 0)
        start = time.process_time()
        trial = study.ask()
        values = suggest(trial, space)
        if step >= size:
            spent.append(time.process_time() - start)
        study.tell(trial, loss(space, values) + 0.01 * float(rng.standard_normal()))
    return float(np.median(spent))
