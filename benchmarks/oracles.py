"""Run oracles and rivals on the problems, and set them side by side: `python -m benchmarks.oracles run|table|stalls`.

    python -m benchmarks.oracles run --on bayesian,optuna-tpe --problems REAL,OWN --seeds 10 --trials 50
    python -m benchmarks.oracles table --on bayesian,optuna-tpe --problems REAL,OWN

Runs are appended to a JSON-lines file (`--store`), one run a line, and a run that is there is not repeated. An optimiser
is an oracle's or a rival's name, an oracle with other settings `bayesian{margin=0.0}` or with a lookahead `bayesian@4`.
"""

from __future__ import annotations

import argparse
import ast
import dataclasses
import json
import os
import sys
import time
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import more_rivals, oracle_plots, oracle_report, problems, real, rivals
from benchmarks.stalls import TO, stalls
from hptune.conditions import clause
from hptune.objective import Objective
from hptune.oracles import ORACLES
from hptune.space import Choice, Float, Int, SearchSpace
from hptune.study import Study

RESULTS = Path(__file__).parent / "results"
STORED = RESULTS / "runs-fresh.jsonl"
"""The runs behind RESULTS.md."""

CHECKPOINTS = (10, 20, 30, 50, 100)


def group(names: str) -> list[str]:
    """Return the problem names that a comma-separated list of groups and names stands for."""
    out: list[str] = []
    for name in names.split(","):
        if name == "OWN":
            out += list(real.TASKS)
        elif name == "GRID":
            out += [task.replace("own-", "grid-") for task in real.TASKS]
        elif name == "SLOW":
            out += list(real.SLOW)
        elif name == "CHEAP":
            out += [task.replace("own-", "grid-") for task in real.TASKS if task not in real.SLOW]
        elif name in ("DEV", "DEVCOND", "REAL"):
            module = problems.public()
            out += list(getattr(module, name)) if module is not None else []
        else:
            out.append(name)
    return out


def one(optimiser: str, problem: problems.Problem, trials: int, seed: int) -> rivals.Run:
    """Return losses and CPU seconds per suggestion of one run."""
    if optimiser in rivals.NAMES:
        return rivals.run(optimiser, problem, trials, seed)
    if optimiser in more_rivals.RIVALS:
        return more_rivals.run(optimiser, problem, trials, seed)
    plain, _, lookahead = optimiser.partition("@")
    name, _, options = plain.partition("{")
    settings = {k: ast.literal_eval(v) for k, _, v in (o.partition("=") for o in options[:-1].split(";") if o)}
    if name in ("bayesian", "b"):
        from hptune.oracles import bayesian

        bayesian.RECIPE = dataclasses.replace(bayesian.Recipe(), **settings)
        name = "bayesian"
        settings = {}
    oracle = ORACLES[name](type=name, **settings)
    study = Study(
        problem.space, Objective("loss", "minimize"), oracle=oracle, seed=seed, lookahead=int(lookahead or 1)
    )
    losses, seconds = [], []
    for _ in range(trials):
        start = time.process_time()
        trial = study.ask()
        seconds.append(time.process_time() - start)
        folds = problem.evaluate(trial.values)
        study.tell(trial.number, folds if len(folds) > 1 else folds[0])
        losses.append(float(np.mean(folds)))
    return losses, seconds


def load(path: Path) -> dict[tuple[str, str, int], dict[str, Any]]:
    """Return the stored runs by (optimiser, problem, seed)."""
    if not path.exists():
        return {}
    runs = [json.loads(line) for line in path.read_text().splitlines()]
    return {(r["opt"], r["problem"], r["seed"]): r for r in runs}


def chosen(args: argparse.Namespace) -> dict[tuple[str, str, int], dict[str, Any]]:
    """Return the runs of the stores asked for. Exits where there are none: no table is made of nothing."""
    every = {key: r for store in args.store.split(",") for key, r in load(Path(store)).items()}
    if not every:
        raise SystemExit(
            f"--store: expected stored runs, found none in {args.store}: make some by "
            f"`python -m benchmarks.oracles run`, or read those of RESULTS.md with --store {STORED}"
        )
    return every


def seeds_of(args: argparse.Namespace) -> range:
    """Return the seeds asked for."""
    return range(args.first, args.first + args.seeds)


def run(args: argparse.Namespace) -> None:
    """Make the runs that are missing."""
    path = Path(args.store)  # a table may read several stores, separated by commas
    path.parent.mkdir(parents=True, exist_ok=True)
    done = load(path)
    for seed in seeds_of(args):
        for name in group(args.problems):
            for optimiser in args.on.split(","):
                key = (optimiser, name, seed)
                if key in done and len(done[key]["y"]) >= args.trials:
                    continue
                try:
                    losses, seconds = one(optimiser, problems.get(name), args.trials, seed)
                except LookupError as missing:
                    print(f"skipped {missing}", file=sys.stderr)
                    continue
                rounded = [float(f"{y:.7g}") for y in losses]
                ms = [round(1e3 * s, 2) for s in seconds]
                record = {"opt": optimiser, "problem": name, "seed": seed, "y": rounded, "ms": ms}
                with path.open("a") as out:
                    out.write(json.dumps(record) + "\n")
                if args.verbose:
                    print(optimiser, name, seed, min(losses), flush=True)


def references(runs: Iterable[dict[str, Any]]) -> dict[str, tuple[float, float]]:
    """Return per problem the best loss known and random search's median loss."""
    best: dict[str, float] = {}
    drawn: dict[str, list[float]] = defaultdict(list)
    for r in runs:
        best[r["problem"]] = min([best.get(r["problem"], np.inf), *r["y"]])
        if r["opt"] in ("random", "optuna-random"):
            drawn[r["problem"]] += r["y"][1 if r["opt"] == "random" else 0 :]
    known = {}
    folder = os.environ.get(problems.DATA)
    if folder and (Path(folder) / "reference.json").exists():
        known = json.loads((Path(folder) / "reference.json").read_text())
    out = {}
    for name, least in best.items():
        if name in known:
            out[name] = (min(known[name][0], least), known[name][1])
        elif drawn[name]:
            out[name] = (least, float(np.median(drawn[name])))
    return out


def regret(y: list[float], reference: tuple[float, float]) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Return normalised regret after each trial, in [0, 1]."""
    best, median = reference
    return np.clip((np.minimum.accumulate(y) - best) / max(median - best, 1e-300), 0.0, 1.0)


def curves(
    every: Mapping[tuple[str, str, int], dict[str, Any]],
    on: list[str],
    names: list[str],
    seeds: int,
    trials: Sequence[int],
    *,
    first: int = 0,
    apart: bool = False,
) -> dict[str, dict[str, Any]]:
    """Return, per optimiser and problem, regret at these trials, shape (seeds, trials), of runs that are long enough.

    The seeds are the first so many, from `first` on, that all optimisers have such runs of; an optimiser without any
    run of a problem does not count. `apart`: each optimiser's own first so many.
    """
    reference = references(every.values())
    runs = {key: r for key, r in every.items() if len(r["y"]) >= trials[-1]}
    at = np.array(trials) - 1
    out: dict[str, dict[str, Any]] = {optimiser: {} for optimiser in on}
    for name in names:
        have = {o: {s for who, problem, s in runs if (who, problem) == (o, name) and s >= first} for o in on}
        shared = set.intersection(*(found for found in have.values() if found)) if any(have.values()) else set()
        if any(have.values()) and not shared and not apart:
            print(f"{name}: left out, no seed is common to all of {on}", file=sys.stderr)
        for optimiser in on:
            taken = sorted(have[optimiser] if apart else shared & have[optimiser])[:seeds]
            if taken and name in reference:
                losses = [runs[optimiser, name, s]["y"] for s in taken]
                out[optimiser][name] = np.array([regret(y, reference[name])[at] for y in losses])
    return out


GROUPS = {
    "Tables and LCBench surrogates": "DEV",
    "Conditional rbv2_xgboost surrogates": "DEVCOND",
    "Real fits, public": "REAL",
    "Real fits, our own": "OWN",
    "Real fits on grids, our own": "CHEAP",
    "Real fits, our own, slower": "SLOW",
}


def table(args: argparse.Namespace) -> None:
    """Print the figures of the groups asked for, and write them as JSON and Markdown."""
    on = args.on.split(",")
    wanted = args.problems.split(",")
    every = chosen(args)
    at = [trial for trial in CHECKPOINTS if trial <= args.trials]
    found = {}
    for title, name in [*GROUPS.items(), ("All of these", args.problems)]:
        if name in wanted or name == args.problems:
            data = curves(every, on, group(name), args.seeds, at, first=args.first, apart=args.apart)
            found[title] = oracle_report.summary(data, on[0])
    if not any(part["problems"] for part in found.values()):
        raise SystemExit(
            f"expected runs of all of {on} on some problem of {args.problems}, found none in {args.store}: name others "
            f"with --on and --problems; public problems need {problems.DATA}, runs without a seed in common --apart"
        )
    cpu = {o: oracle_report.milliseconds(every.values(), o) for o in on}
    print(oracle_report.markdown(found, on[0], at))
    print("median CPU ms per suggestion:", cpu)
    if args.out:
        oracle_report.write(Path(args.out), found, cpu, on[0], at)
        each = range(1, at[-1] + 1)
        drawn = {
            t: curves(every, on, part["problems"], args.seeds, each, first=args.first, apart=args.apart)
            for t, part in found.items()
            if part["problems"]
        }
        oracle_plots.draw(Path(args.out) / "regret.svg", drawn)


def stalled(args: argparse.Namespace) -> None:
    """Print how many studies of each optimiser stopped where random search would have gone on, and which."""
    names, seeds = group(args.problems), seeds_of(args)
    runs = {key: r for key, r in chosen(args).items() if key[2] in seeds}
    for optimiser in args.on.split(","):
        studies = sum(o == optimiser and p in names and len(r["y"]) >= TO for (o, p, _), r in runs.items())
        if not studies:
            raise SystemExit(
                f"expected studies of {optimiser} with seeds {seeds[0]} to {seeds[-1]} on {args.problems}, found none in "
                f"{args.store}: name others with --first, --seeds and --problems; public problems need {problems.DATA}"
            )
        found = stalls(runs, optimiser, names)
        print(f"{optimiser}: {len(found)} of {studies} studies stalled", *found, sep="\n  ")


SIZES = (10, 50, 200, 1000, 10_000)


def speed(args: argparse.Namespace) -> None:
    """Print the median CPU milliseconds of a suggestion at several sizes: 14 mixed columns, 5 conditional."""
    space = _mixed()
    for name in args.on.split(","):
        medians = []
        for size in SIZES:
            if name in rivals.NAMES:
                medians.append(1e3 * rivals.speed(name, space, size, _bowl, 3 if size >= 1000 else args.repeats))
                continue
            study = Study(space, Objective("loss", "minimize"), oracle="random", seed=0)
            rng = np.random.default_rng(size)
            for _ in range(size):
                trial = study.ask()
                study.tell(trial.number, _bowl(space, trial.values) + 0.01 * float(rng.standard_normal()))
            study.oracle = ORACLES[name](type=name)
            spent = []
            for _ in range(args.repeats):
                start = time.process_time()
                trial = study.ask()
                spent.append(time.process_time() - start)
                study.tell(trial.number, _bowl(space, trial.values))
            medians.append(1e3 * float(np.median(spent)))
        print(f"{name:12s} " + "  ".join(f"{n}: {m:.1f} ms" for n, m in zip(SIZES, medians, strict=True)), flush=True)


def _bowl(space: SearchSpace, values: Mapping[str, Any]) -> float:
    return float(((np.nan_to_num(space.encode(values), nan=0.5) - 0.3) ** 2).sum())


def _mixed() -> SearchSpace:
    """Return a space like gradient boosting's: 9 free columns and 5 that depend on a category."""
    free = [Float(name=f"f{i}", low=1e-4, high=1, scale="log") for i in range(5)]
    whole = [Int(name=f"i{i}", low=1, high=200, scale="log") for i in range(2)]
    booster = Choice(name="booster", values=("tree", "linear", "dart"))
    tied = [Float(name=f"t{i}", low=0, high=1, when=clause("booster", ["tree", "dart"])) for i in range(5)]
    return SearchSpace((*free, *whole, booster, Choice(name="c", values=tuple("abc")), *tied))


def main() -> None:
    """Parse the command line and do it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("verb", choices=["run", "table", "stalls", "speed"])
    parser.add_argument("--on", default="bayesian,tpe,random")
    parser.add_argument("--problems", default="DEV,DEVCOND,REAL,OWN")
    parser.add_argument(
        "--seeds", type=int, default=10, help="so many; a table takes the first that all have runs of"
    )
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument("--apart", action="store_true", help="table: each optimiser's own seeds, not those in common")
    parser.add_argument("--trials", type=int, default=50, help="of a run; a table shows what comes up to them")
    parser.add_argument(
        "--store", default=str(RESULTS / "runs.jsonl"), help="a table and stalls read several, separated by commas"
    )
    parser.add_argument("--out", help="folder for oracles.json and oracles.md (table)")
    parser.add_argument("--repeats", type=int, default=15)
    parser.add_argument("-v", "--verbose", action="store_true")
    args = parser.parse_args()
    {"run": run, "table": table, "stalls": stalled, "speed": speed}[args.verb](args)


if __name__ == "__main__":
    main()
