"""SMAC3, HEBO, scikit-optimize, hyperopt and KerasTuner's Bayesian optimisation, each through its own front door.

Every rival gets the space as it can be told to it: SMAC, hyperopt and KerasTuner learn of conditions, HEBO and
scikit-optimize see inactive parameters as ones that happen not to matter. Each is imported when it is asked for;
the extra `bench` installs all but HEBO (see README.md). Everything else is left at its defaults.
"""

from __future__ import annotations

import contextlib
import io
import os
import tempfile
import time
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from benchmarks.problems import Problem
from hptune.conditions import Condition
from hptune.parameters import Boolean, Choice, Fixed, Float, Int
from hptune.space import SearchSpace


@dataclass(frozen=True)
class Dimension:
    """One number or category that a rival chooses; a category is an index below `count`."""

    name: str
    kind: str  # float, int, category
    low: float = 0
    high: float = 0
    log: bool = False
    count: int = 0
    when: tuple[Condition, ...] = ()


def dimensions(space: SearchSpace) -> list[Dimension]:
    """Return the space as numbers and categories, parents first; grids count as integers, extras as a category."""
    out: list[Dimension] = []
    for p in space.parents_first:
        if isinstance(p, (Choice, Boolean)):
            out.append(Dimension(p.name, "category", count=p.count, when=p.when))
        elif isinstance(p, (Float, Int)) and p.low < p.high:
            if p.extra:
                out.append(Dimension(f"{p.name}.extra", "category", count=len(p.extra) + 1, when=p.when))
            if p.map.count is not None and (p.factor is not None or p.step is not None):
                out.append(Dimension(p.name, "int", 0, p.map.count - 1, when=p.when))
            else:
                kind = "int" if isinstance(p, Int) else "float"
                out.append(Dimension(p.name, kind, p.low, p.high, p.scale == "log", when=p.when))
    return out


def values_of(space: SearchSpace, point: Mapping[str, Any]) -> dict[str, Any]:
    """Return the configuration at a point (dimension name to number or index); what is inactive is left out."""
    values: dict[str, Any] = {}
    for p in space.parents_first:
        if not all(condition.holds(values) for condition in p.when):
            continue
        if isinstance(p, Choice):
            values[p.name] = p.values[int(point[p.name])]
        elif isinstance(p, Boolean):
            values[p.name] = bool(point[p.name])
        elif isinstance(p, (Float, Int)):
            values[p.name] = _number(p, point)
        elif isinstance(p, Fixed):
            values[p.name] = p.value
    return values


def _number(p: Float | Int, point: Mapping[str, Any]) -> Any:
    level = int(point.get(f"{p.name}.extra", 0))
    if level:
        return p.extra[level - 1]
    if p.low == p.high:
        return p.low
    if p.map.count is not None and (p.factor is not None or p.step is not None):
        return p.map.value_at(int(point[p.name]))
    number = round(float(point[p.name])) if isinstance(p, Int) else float(point[p.name])
    return min(max(number, p.low), p.high)


class Recorder:
    """The objective as a rival sees it: a point to a loss; keeps losses and the CPU seconds between two calls."""

    def __init__(self, problem: Problem, trials: int) -> None:
        self.problem = problem
        self.space = problem.space
        self.trials = trials
        self.losses: list[float] = []
        self.seconds: list[float] = []
        self._since = time.process_time()

    def __call__(self, point: Mapping[str, Any]) -> float:
        self.seconds.append(time.process_time() - self._since)
        loss = float(np.mean(self.problem.evaluate(values_of(self.space, point))))
        self.losses.append(loss)
        self._since = time.process_time()
        return loss


def smac(objective: Recorder, seed: int) -> None:
    """SMAC3's facade for hyperparameters: a random forest, log EI."""
    import logging

    from ConfigSpace import (
        AndConjunction,
        Categorical,
        ConfigurationSpace,
        InCondition,
    )
    from ConfigSpace import Float as CsFloat
    from ConfigSpace import Integer as CsInteger
    from smac import HyperparameterOptimizationFacade, Scenario
    from smac.runhistory.dataclasses import TrialValue

    space = ConfigurationSpace(seed=seed)
    found = {}
    for d in dimensions(objective.space):
        if d.kind == "category":
            found[d.name] = Categorical(d.name, list(range(d.count)))
        else:
            number = CsInteger if d.kind == "int" else CsFloat
            found[d.name] = number(d.name, (d.low, d.high), log=d.log)
    space.add(list(found.values()))
    for d in dimensions(objective.space):
        tests = [InCondition(found[d.name], found[c.parameter], _indices(objective.space, c)) for c in d.when]
        if tests:
            space.add(tests[0] if len(tests) == 1 else AndConjunction(*tests))
    with tempfile.TemporaryDirectory() as folder:
        scenario = Scenario(
            space, output_directory=folder, deterministic=True, n_trials=objective.trials, seed=seed, n_workers=1
        )
        optimiser = HyperparameterOptimizationFacade(
            scenario,
            lambda config, seed=0: 0.0,  # noqa: ARG005 - SMAC looks at the names; ask and tell never call it
            logging_level=logging.ERROR,
            overwrite=True,
        )
        for _ in range(objective.trials):
            info = optimiser.ask()
            optimiser.tell(info, TrialValue(cost=objective(dict(info.config))))


def _indices(space: SearchSpace, condition: Condition) -> list[int]:
    """Return the indices of a parent's values under which a condition holds."""
    parent = space[condition.parameter]
    values = parent.values if isinstance(parent, Choice) else (False, True)
    return [i for i, value in enumerate(values) if condition.holds({parent.name: value})]


def hebo(objective: Recorder, seed: int) -> None:
    """HEBO with its defaults."""
    import pandas as pd
    import torch
    from hebo.design_space.design_space import DesignSpace
    from hebo.optimizers.hebo import HEBO

    np.random.seed(seed)  # noqa: NPY002 - HEBO draws from the global generator
    torch.manual_seed(seed)
    specs = []
    for d in dimensions(objective.space):
        if d.kind == "category":
            specs.append({"name": d.name, "type": "cat", "categories": list(range(d.count))})
        else:
            kind = {("float", False): "num", ("float", True): "pow", ("int", False): "int", ("int", True): "pow_int"}
            specs.append({"name": d.name, "type": kind[d.kind, d.log], "lb": d.low, "ub": d.high, "base": 10})
    optimiser = HEBO(DesignSpace().parse(specs), scramble_seed=seed)
    for _ in range(objective.trials):
        asked: pd.DataFrame = optimiser.suggest(n_suggestions=1)
        loss = objective(asked.iloc[0].to_dict())
        optimiser.observe(asked, np.array([[loss]]))


def skopt(objective: Recorder, seed: int) -> None:
    """scikit-optimize's Optimizer: a Gaussian process, gp_hedge."""
    from skopt import Optimizer
    from skopt.space import Categorical, Integer, Real

    listed = dimensions(objective.space)
    space: list[Any] = []
    for d in listed:
        prior = "log-uniform" if d.log else "uniform"
        if d.kind == "category":
            space.append(Categorical(list(range(d.count)), name=d.name))
        else:
            space.append((Integer if d.kind == "int" else Real)(d.low, d.high, prior=prior, name=d.name))
    optimiser = Optimizer(space, base_estimator="GP", random_state=seed)
    for _ in range(objective.trials):
        asked = optimiser.ask()
        optimiser.tell(asked, objective({d.name: v for d, v in zip(listed, asked, strict=True)}))


def hyperopt(objective: Recorder, seed: int) -> None:
    """hyperopt's tpe.suggest; conditions as nested choices."""
    import hyperopt as ho

    space = objective.space
    listed = dimensions(space)
    nodes: dict[str, Any] = {}

    def node(d: Dimension) -> Any:
        """Return a dimension as a (possibly shared) node; a category carries its children along."""
        if d.name in nodes:
            return nodes[d.name]
        hp = ho.hp
        if d.kind == "float":
            made = (
                hp.loguniform(d.name, np.log(d.low), np.log(d.high)) if d.log else hp.uniform(d.name, d.low, d.high)
            )
        elif d.kind == "int":
            made = (
                hp.qloguniform(d.name, np.log(max(d.low - 0.5, 0.5)), np.log(d.high + 0.5), 1)
                if d.log
                else hp.quniform(d.name, d.low - 0.5, d.high + 0.5, 1)
            )
        else:
            children = [c for c in listed if c.when and c.when[0].parameter == d.name]
            options = []
            for i in range(d.count):
                here = [c for c in children if i in _indices(space, c.when[0])]
                options.append({d.name: i, **{c.name: node(c) for c in here}})
            made = hp.choice(d.name, options) if children else hp.choice(d.name, list(range(d.count)))
        nodes[d.name] = made
        return made

    def flat(found: Mapping[str, Any]) -> dict[str, Any]:
        out: dict[str, Any] = {}
        for name, value in found.items():
            out.update(flat(value) if isinstance(value, Mapping) else {name: value})
        return out

    root = {d.name: node(d) for d in listed if not d.when}
    ho.fmin(
        lambda found: objective(flat(found)),
        root,
        algo=ho.tpe.suggest,
        max_evals=objective.trials,
        rstate=np.random.default_rng(seed),
        show_progressbar=False,
        verbose=False,
    )


def keras_tuner(objective: Recorder, seed: int) -> None:
    """KerasTuner's BayesianOptimization oracle."""
    os.environ.setdefault("KERAS_BACKEND", "torch")
    import keras_tuner as kt
    from keras_tuner.engine.trial import TrialStatus

    hp = kt.HyperParameters()
    for d in dimensions(objective.space):
        with contextlib.ExitStack() as scopes:
            for c in d.when:
                scopes.enter_context(hp.conditional_scope(c.parameter, _indices(objective.space, c)))
            sampling = "log" if d.log else "linear"
            if d.kind == "category":
                hp.Choice(d.name, list(range(d.count)), ordered=False)
            elif d.kind == "int":
                hp.Int(d.name, int(d.low), int(d.high), sampling=sampling)
            else:
                hp.Float(d.name, d.low, d.high, sampling=sampling)
    oracle = kt.oracles.BayesianOptimizationOracle(
        objective=kt.Objective("loss", "min"), max_trials=objective.trials, hyperparameters=hp, seed=seed
    )
    with tempfile.TemporaryDirectory() as folder:
        oracle._set_project_dir(folder, "study")
        for _ in range(objective.trials):
            trial = oracle.create_trial("one")
            if trial.status == TrialStatus.STOPPED:
                break
            oracle.update_trial(trial.trial_id, {"loss": objective(trial.hyperparameters.values)})
            trial.status = TrialStatus.COMPLETED
            oracle.end_trial(trial)


RIVALS: dict[str, Callable[[Recorder, int], None]] = {
    "smac": smac,
    "hebo": hebo,
    "skopt": skopt,
    "hyperopt": hyperopt,
    "keras-tuner": keras_tuner,
}


def run(name: str, problem: Problem, trials: int, seed: int) -> tuple[list[float], list[float]]:
    """Return losses and CPU seconds per suggestion; raises LookupError where the rival is not installed.

    A rival that stops early (KerasTuner when it meets only collisions) keeps its last loss for the trials left.
    """
    recorder = Recorder(problem, trials)
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        try:
            RIVALS[name](recorder, seed)
        except ImportError as missing:
            raise LookupError(f"{name}: {missing}") from None
    short = trials - len(recorder.losses)
    if short and recorder.losses:
        recorder.losses += [max(recorder.losses)] * short
    return recorder.losses, recorder.seconds
