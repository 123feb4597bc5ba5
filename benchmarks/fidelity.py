"""Hyperband over LCBench epochs against the full training: `python -m benchmarks.fidelity [--seeds 5]`.

How far `hyperband` with a model as sampler gets with a third of the epochs that 50 full trainings take. A promotion
is charged as a new training from the first epoch; `--resume` charges the further epochs only, as with a warm start.
"""

from __future__ import annotations

import argparse
import json
import os
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import problems
from hptune.objective import Objective
from hptune.oracle import OracleSpec
from hptune.oracles.bayesian import Bayesian
from hptune.oracles.hyperband import Hyperband
from hptune.study import Study

EPOCHS = 52
TRIALS = 50


def run(
    problem: problems.Problem, oracle: OracleSpec, seed: int, budget: float, *, resume: bool
) -> tuple[float, int]:
    """Return the best loss of a full training within `budget` epochs, and how many trials that took."""
    module: Any = problems.public()
    study = Study(problem.space, Objective("loss", "minimize"), oracle=oracle, seed=seed)
    spent, best, done = 0.0, np.inf, 0
    while True:
        trial = study.ask()
        epochs = max(round(EPOCHS * (trial.fidelity or 1.0)), 1)
        before = 0
        if resume and trial.parent is not None:
            before = max(round(EPOCHS * (study.history.trials[trial.parent].fidelity or 1.0)), 1)
        if spent + epochs - before > budget:
            return best, done
        spent += epochs - before
        done += 1
        module.YFIX["lcbench"]["epoch"] = epochs
        loss = problem.evaluate(trial.values)[0]
        module.YFIX["lcbench"]["epoch"] = EPOCHS
        study.tell(trial.number, loss)
        if trial.fidelity is None:
            best = min(best, loss)


def main() -> None:
    """Print regret by problem and optimiser."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--resume", action="store_true")
    args = parser.parse_args()
    module = problems.public()
    if module is None:
        return
    known = json.loads((Path(os.environ[problems.DATA]) / "reference.json").read_text())
    full = EPOCHS * TRIALS
    entrants: list[tuple[str, OracleSpec, float]] = [
        ("bayesian, all epochs", Bayesian(), full),
        ("bayesian, a third", Bayesian(), full / 3),
        ("hyperband + bayesian, a third", Hyperband(sampler=Bayesian()), full / 3),
        ("hyperband + random, a third", Hyperband(), full / 3),
    ]
    means: dict[str, list[float]] = {name: [] for name, _, _ in entrants}
    for name in (n for n in module.DEV if n.startswith("lcbench/")):
        best, median = known[name]
        for label, oracle, budget in entrants:
            losses = [
                run(problems.get(name), oracle, seed, budget, resume=args.resume)[0] for seed in range(args.seeds)
            ]
            regret = np.clip((np.array(losses) - best) / (median - best), 0, 1)
            means[label].append(float(regret.mean()))
        print(name, {label: round(v[-1], 3) for label, v in means.items()}, flush=True)
    print("mean", {label: round(float(np.mean(v)), 4) for label, v in means.items()})


if __name__ == "__main__":
    main()
