"""Does prior knowledge help on a related task, and what does a misleading one cost? `python -m benchmarks.prior`.

    python -m benchmarks.prior run --seeds 3      # appends to results/prior.jsonl, skips what is there
    python -m benchmarks.prior table              # the table of docs/decisions/0007-prior.md

Tasks: the LCBench and rbv2_xgboost surrogates (HPTUNE_BENCH_DATA). The earlier study is 40 random trials on the next
instance of the same family (`related`), the same with its losses negated (`misleading`) or shuffled (`unrelated`).
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import oracles, problems
from hptune import events as ev
from hptune.objective import Objective
from hptune.oracles import ORACLES
from hptune.prior import first_of, taken
from hptune.study import Study

STORE = Path(__file__).parent / "results" / "prior.jsonl"
FAMILIES = ("lcbench/", "rbv2_xgboost/")
ARMS = ("none", "related", "unrelated", "misleading")
CHECKPOINTS = (5, 10, 20, 30)
EARLIER = 40


def tasks() -> list[tuple[str, str]]:
    """Return (task, the related task whose trials are known before)."""
    module = problems.public()
    names = [] if module is None else [*module.DEV, *module.DEVCOND]
    out = []
    for family in FAMILIES:
        group = [name for name in names if name.startswith(family)]
        out += list(zip(group, [*group[1:], *group[:1]], strict=True))
    return out


def knowledge(task: str, other: str, arm: str, seed: int) -> list[dict[str, Any]] | None:
    """Return what the study knows before, as a run directory would give it."""
    if arm == "none":
        return None
    problem = problems.get(other)
    study = Study(problem.space, Objective("loss", "minimize"), oracle="random", seed=1000 + seed)
    trials = [study.ask() for _ in range(EARLIER)]
    losses = np.array([np.mean(problem.evaluate(trial.values)) for trial in trials])
    if arm == "misleading":
        losses = -losses
    elif arm == "unrelated":
        losses = np.random.default_rng(seed).permutation(losses)
    for trial, loss in zip(trials, losses, strict=True):
        study.tell(trial.number, float(loss))
    return [{"run": other, "hash": "", **taken(study.history, problems.get(task).space, 200)}]


def one(oracle: str, task: str, other: str, arm: str, seed: int, trials: int) -> list[float]:
    """Return the losses of one study, in order."""
    problem = problems.get(task)
    prior = knowledge(task, other, arm, seed)
    starts = [problem.space.defaults()]
    first = first_of(problem.space, prior, starts)
    started = ev.StudyStarted(
        time=0.0,
        name="prior",
        metric="loss",
        direction="minimize",
        space=problem.space.to_json(),
        seed=seed,
        lookahead=1,
        starts=[*starts, *first],
        prior=prior,
        prior_starts=len(first) if prior else None,
    )
    study = Study.of(started, ORACLES[oracle](type=oracle), None)
    losses = []
    for _ in range(trials):
        trial = study.ask()
        losses.append(float(np.mean(problem.evaluate(trial.values))))
        study.tell(trial.number, losses[-1])
    return losses


def load() -> dict[tuple[str, str, str, int], list[float]]:
    """Return the stored losses by (oracle, task, arm, seed)."""
    rows = [json.loads(line) for line in STORE.read_text().splitlines()] if STORE.exists() else []
    return {(r["oracle"], r["task"], r["arm"], r["seed"]): r["y"] for r in rows}


def run(args: argparse.Namespace) -> None:
    """Make the runs that are missing."""
    done = load()
    for seed in range(args.seeds):
        for task, other in tasks():
            for oracle in args.on.split(","):
                for arm in ARMS:
                    if (oracle, task, arm, seed) in done:
                        continue
                    y = [float(f"{v:.7g}") for v in one(oracle, task, other, arm, seed, CHECKPOINTS[-1])]
                    with STORE.open("a") as out:
                        out.write(
                            json.dumps({"oracle": oracle, "task": task, "arm": arm, "seed": seed, "y": y}) + "\n"
                        )


def table(args: argparse.Namespace) -> None:
    """Print mean regret, and the paired difference of log10 regret to the study without prior knowledge."""
    done = load()
    references = oracles.references({"problem": k[1], "opt": k[0], "y": y} for k, y in done.items())
    if not references:
        raise SystemExit(
            f"expected the tasks' best known losses and random search's median, found none: set {problems.DATA} to the "
            "folder that holds reference.json"
            if done
            else f"expected stored runs, found none in {STORE}: make some by `python -m benchmarks.prior run`"
        )
    at = np.array(CHECKPOINTS) - 1
    print("| oracle, earlier study | runs | regret at 5/10/20/30 | log10 regret against none (SE over tasks) |")
    print("|---|---|---|---|")
    for oracle in args.on.split(","):
        for arm in ARMS:
            regrets: dict[str, list[Any]] = {}
            differences: dict[str, list[Any]] = {}
            for (o, task, a, seed), y in done.items():
                if (o, a) == (oracle, arm) and (oracle, task, "none", seed) in done and task in references:
                    mine, base = (
                        oracles.regret(v, references[task])[at] for v in (y, done[oracle, task, "none", seed])
                    )
                    regrets.setdefault(task, []).append(mine)
                    differences.setdefault(task, []).append(np.log10(mine + 1e-3) - np.log10(base + 1e-3))
            if not regrets:
                continue
            mean = np.mean([np.mean(v, axis=0) for v in regrets.values()], axis=0)
            each = np.array([np.mean(v, axis=0) for v in differences.values()])
            error = each.std(axis=0, ddof=1) / np.sqrt(len(each))
            pairs = " / ".join(f"{d:+.2f} ({e:.2f})" for d, e in zip(each.mean(axis=0), error, strict=True))
            count = sum(map(len, regrets.values()))
            shown = " / ".join(f"{v:.3f}" for v in mean)
            print(f"| `{oracle}`, {arm} | {count} | {shown} | {'' if arm == 'none' else pairs} |")


def main() -> None:
    """Run or print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("run", "table"))
    parser.add_argument("--on", default="bayesian,tpe")
    parser.add_argument("--seeds", type=int, default=3)
    args = parser.parse_args()
    (run if args.what == "run" else table)(args)


if __name__ == "__main__":
    main()
