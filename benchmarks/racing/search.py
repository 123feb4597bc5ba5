"""`python -m benchmarks.racing.search`: whole searches with racing and without, the oracle knowing what racing leaves it.

A replay (`python -m benchmarks.racing`) has the trials of a search without racing; here racing decides what the oracle
sees, and so which trials there are. On our own real tasks, whose evaluated configurations are kept (`benchmarks.real`).
Printed: log10 regret on the mean over all folds, racing less without, at the same number of fits and of trials,
with the standard error over tasks. Runs are appended to `--store` and not repeated.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import problems
from benchmarks.oracles import group
from hptune import racing
from hptune.events import StudyStarted
from hptune.oracles import ORACLES
from hptune.study import Study
from hptune.trial import Measurement

FITS = (50, 100, 150, 200)
TRIALS = (20, 30, 50)
FLOOR = 1e-3

Curve = list[tuple[int, int, float]]
"""(fits, trials, mean loss over all folds of the best complete trial) whenever a trial has ended."""


def search(problem: problems.Problem, seed: int, trials: int, kind: str, *, lookahead: int, oracle: str) -> Curve:
    """Return what a search of so many trials found, fit by fit; `kind` as on the command line."""
    folds = len(problem.evaluate(problem.space.defaults()))
    spec = ORACLES[oracle](type=oracle)
    started = StudyStarted(
        time=0.0, name=problem.name, metric="loss", direction="minimize", space=problem.space.to_json(), seed=seed,
        lookahead=lookahead, folds=folds, oracle=spec.model_dump(mode="json"), hashes={"space": problem.space.hash},
    )  # fmt: skip
    study, fits, out = Study.of(started, spec, None, clock=lambda: 0.0), 0, Curve()
    for _ in range(trials):
        trial = study.ask()
        losses = problem.evaluate(trial.values)
        view = study.history.view(trial.number)
        held = (
            None
            if kind == "whole"
            else racing.race(view, trial.values if kind == "race" else None, origin=trial.origin)
        )
        done: list[tuple[int, float]] = []
        for fold in racing.fold_order(seed, trial.number, folds):
            study.score(trial.number, Measurement(fold, losses[fold]))
            done.append((fold, losses[fold]))
            fits += 1
            if held is not None and not held.goes_on(done):
                study.stop(trial.number, "raced out")
                break
        else:
            study.complete(trial.number)
        best = study.history.best
        out.append((fits, trial.number + 1, np.inf if best is None or best.score is None else best.score))
    return out


def at(curve: Curve, amount: int, *, fits: bool) -> float:
    """Return the best loss within so many fits, or trials."""
    within = [loss for spent, trials, loss in curve if (spent if fits else trials) <= amount]
    return within[-1] if within else float("inf")


def run(args: argparse.Namespace) -> None:
    """Make the runs that are missing."""
    done = {(r["kind"], r["problem"], r["seed"]) for r in load(args.store)}
    for seed in range(args.first, args.first + args.seeds):
        for name in group(args.problems):
            problem = problems.get(name)
            for kind in args.on.split(","):
                if (kind, name, seed) in done:
                    continue
                trials = args.trials if kind == "whole" else 3 * args.trials
                curve = search(problem, seed, trials, kind, lookahead=args.lookahead, oracle=args.oracle)
                record = {"kind": kind, "problem": name, "seed": seed, "curve": curve}
                with args.store.open("a") as out:
                    out.write(json.dumps(record) + "\n")


def load(path: Path) -> list[dict[str, Any]]:
    """Return the stored runs."""
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def table(runs: Sequence[dict[str, Any]], base: str) -> str:
    """Return every kind against `base` as Markdown."""
    kinds = list(dict.fromkeys(r["kind"] for r in runs))
    by = {(r["kind"], r["problem"], r["seed"]): r["curve"] for r in runs}
    lines = [
        "| | tasks | runs | " + " | ".join([*(f"{n} fits" for n in FITS), *(f"{n} trials" for n in TRIALS)]) + " |",
        "|---" * (3 + len(FITS) + len(TRIALS)) + "|",
    ]
    for kind in kinds:
        if kind == base:
            continue
        shared = [(p, s) for (k, p, s) in by if k == kind and (base, p, s) in by]
        rows: dict[str, list[Any]] = {}
        for name, seed in shared:
            every = [
                loss for (_, p, _), curve in by.items() if p == name for _, _, loss in curve if np.isfinite(loss)
            ]
            least, middle = min(every), float(np.median([c[0][2] for (_, p, _), c in by.items() if p == name]))

            def regret(curve: Curve, amount: int, fits: bool, least: float = least, middle: float = middle) -> float:
                loss = min(at(curve, amount, fits=fits), middle)
                return float(np.log10(max(loss - least, 0.0) / max(middle - least, 1e-300) + FLOOR))

            rows.setdefault(name, []).append(
                [
                    regret(by[kind, name, seed], n, fits) - regret(by[base, name, seed], n, fits)
                    for amounts, fits in ((FITS, True), (TRIALS, False))
                    for n in amounts
                ]
            )
        means = np.array([np.mean(found, axis=0) for found in rows.values()])
        error = means.std(axis=0, ddof=1) / np.sqrt(len(means))
        cells = " | ".join(f"{m:+.2f} ({e:.2f})" for m, e in zip(means.mean(axis=0), error, strict=True))
        lines.append(f"| {kind} | {len(means)} | {len(shared)} | {cells} |")
    return "\n".join(lines)


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--on",
        default="whole,race",
        help="whole, race, or pairs: racing against the incumbent's folds, without neighbours",
    )
    parser.add_argument("--problems", default="CHEAP")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--trials", type=int, default=50, help="without racing; with it three times as many")
    parser.add_argument("--lookahead", type=int, default=4)
    parser.add_argument("--oracle", default="bayesian")
    parser.add_argument("--store", type=Path, default=Path(__file__).parent / "results" / "searches.jsonl")
    args = parser.parse_args()
    run(args)
    print(table(load(args.store), args.on.split(",")[0]))


if __name__ == "__main__":
    main()
