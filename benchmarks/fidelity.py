"""Less of a resource at first, against full trainings: `python -m benchmarks.fidelity [--seeds 5] [--on SET,...]`.

Regret (0 = best known, 1 = median of random configurations) of the best full training within a third of what 50 full
trainings take, and of full trainings with all of it. Sets: `lcbench` (epochs of a network; a promotion is charged the
further epochs only, for that is what going on from a warm start costs; `--restart` charges it in full) and `xgboost`
(shares of the training rows of a conditional space; always charged in full). `--first` moves the seeds.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import problems
from hptune.objective import Objective
from hptune.oracle import EXHAUSTED, Answer, OracleSpec
from hptune.oracles.bayesian import Bayesian
from hptune.oracles.hyperband import Hyperband
from hptune.oracles.random import Random
from hptune.oracles.tpe import Tpe
from hptune.study import Study

TRIALS = 50


@dataclass(frozen=True)
class Family:
    """Surrogates with a resource: the name YAHPO gives it, its whole, the lowest rung, and whether fits go on."""

    scenario: str
    names: str
    resource: str
    whole: float
    low: float
    goes_on: bool


FAMILIES = {
    "lcbench": Family("lcbench", "DEV", "epoch", 52, 6, True),
    "xgboost": Family("rbv2_xgboost", "DEVCOND", "trainsize", 1.0, 0.11, False),
}


def run(
    problem: problems.Problem, family: Family, oracle: OracleSpec, seed: int, budget: float, *, restart: bool
) -> tuple[float, int]:
    """Return the best loss of a full training within `budget` (full trainings), and how many trials that took.

    A study ends with what the model expects to be best climbing until that is measured in full (`OracleSpec.finish`). Here
    that must fit into the budget: it begins when one full training is left, and what it leaves is searched on with.
    """
    fixed: dict[str, Any] = problems.public().YFIX[family.scenario]  # type: ignore[union-attr]
    whole = fixed[family.resource]
    study = Study(problem.space, Objective("loss", "minimize"), oracle=oracle, seed=seed)
    spent, best, done = 0.0, np.inf, 0
    while True:
        ending = study.next(finish=True) if budget - spent < 1.0 else EXHAUSTED
        trial = study.ask() if isinstance(ending, Answer) else ending
        share = trial.fidelity or 1.0
        before = 0.0
        if not restart and family.goes_on and trial.parent is not None:
            before = study.history.trials[trial.parent].fidelity or 0.0
        spent += share - before
        if spent > budget * (1 + 1e-9):
            return best, done
        done += 1
        amount = family.whole * share
        fixed[family.resource] = round(amount) if family.whole > 1 else amount
        try:
            loss = problem.evaluate(trial.values)[0]
        finally:
            fixed[family.resource] = whole
        study.tell(trial.number, loss)
        if trial.fidelity is None:
            best = min(best, loss)


def entrants(family: Family) -> dict[str, tuple[Callable[[], OracleSpec], float]]:
    """Return what is compared: a way to make the oracle, and the share of 50 full trainings it may spend."""
    whole: Mapping[str, float] = {"max": family.whole} if family.whole > 1 else {}

    def halving(**options: Any) -> Callable[[], OracleSpec]:
        anew: Mapping[str, int] = {} if family.goes_on else {"reduction": 3}
        return lambda: Hyperband(**{**whole, **anew, "min": family.low, **options})

    third = 1 / 3
    return {
        "bayesian, all": (Bayesian, 1.0),
        "bayesian, a third": (Bayesian, third),
        "hyperband": (halving(), third),
        "hyperband, two fifths": (halving(), 0.4),
        "hyperband, half": (halving(), 0.5),
        "hyperband η=2": (halving(reduction=2), third),
        "hyperband η=3": (halving(reduction=3), third),
        "hyperband η=4": (halving(reduction=4), third),
        "hyperband, lower": (halving(min=family.low / 2), third),
        "hyperband η=3, lower": (halving(reduction=3, min=family.low / 3.1), third),
        "hyperband, higher": (halving(min=family.low * 2), third),
        "by rank": (halving(promote="rank"), third),
        "by rank, tpe": (halving(sampler=Tpe()), third),
        "by rank, random": (halving(sampler=Random()), third),
    }


def main() -> None:
    """Print regret by problem and entrant, and the means with standard errors over problems."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--on", default="lcbench")
    parser.add_argument("--entrants", default="", help="names, separated by ';'")
    parser.add_argument(
        "--problems", default="", help="only those whose names hold one of these, separated by commas"
    )
    parser.add_argument("--restart", action="store_true")
    parser.add_argument("--out", type=Path)
    args = parser.parse_args()
    module = problems.public()
    if module is None:
        return
    known = json.loads((Path(os.environ[problems.DATA]) / "reference.json").read_text())
    seeds = range(args.first, args.first + args.seeds)
    found: dict[str, dict[str, list[float]]] = {}
    for name in args.on.split(","):
        family = FAMILIES[name]
        listed = [n for n in getattr(module, family.names) if n.startswith(family.scenario)]
        listed = [n for n in listed if any(part in n for part in args.problems.split(","))]
        wanted = args.entrants.split(";") if args.entrants else list(entrants(family))
        for problem in listed:
            best, median = known[problem]
            for label in wanted:
                make, share = entrants(family)[label]
                losses = [
                    run(problems.get(problem), family, make(), seed, TRIALS * share, restart=args.restart)[0]
                    for seed in seeds
                ]
                regret = np.clip((np.array(losses) - best) / (median - best), 0, 1)
                found.setdefault(label, {})[problem] = [round(float(one), 5) for one in regret]
                print(f"{problem:22} {label:22} {regret.mean():.3f}", file=sys.stderr, flush=True)
    print("| | " + " | ".join(listed) + " | mean | log10 against bayesian, all |")
    print("|---|" + "---|" * (len(listed) + 2))
    for label, by_problem in found.items():
        means = [float(np.mean(by_problem[problem])) for problem in listed]
        cells = " | ".join(f"{one:.3f}" for one in means)
        print(f"| {label} | {cells} | {np.mean(means):.3f} | {_against(found, label, listed)} |")
    if args.out is not None:
        args.out.write_text(json.dumps({"seeds": list(seeds), "regret": found}, indent=1) + "\n")


def _against(found: Mapping[str, Mapping[str, list[float]]], label: str, listed: list[str]) -> str:
    """Return the paired difference of log10 mean regret to full trainings, with its standard error over problems."""
    base = found.get("bayesian, all")
    if base is None:
        return ""
    floor = 1e-3
    steps = [np.log10(np.mean(found[label][p]) + floor) - np.log10(np.mean(base[p]) + floor) for p in listed]
    error = np.std(steps, ddof=1) / np.sqrt(len(steps)) if len(steps) > 1 else float("nan")
    return f"{np.mean(steps):+.2f} ({error:.2f})"


if __name__ == "__main__":
    main()
