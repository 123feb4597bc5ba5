"""`python -m benchmarks.wallclock`: run the tuners on the tasks, interleaved, and print what hptune needed beside them.

Each run is a process of its own. Runs are kept in results.jsonl and not repeated; a tool that is not installed is
skipped with a note. The tables are of the tasks and seeds asked for. `--longer` lets hptune's runs that did not come to
a rival's level go on for three times the trials. `--extra` measures, besides, hptune's grid without racing against
GridSearchCV on the same grid, and the start-up of a study of ten trials against a plain script.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

HERE = Path(__file__).parent
STORE = HERE / "results.jsonl"
TASKS = ("svm", "forest", "boosting", "logistic", "features", "text", "svm_accuracy", "svr")
RIVALS = (
    "GridSearchCV",
    "RandomizedSearchCV",
    "HalvingRandomSearchCV",
    "Optuna TPE",
    "Optuna GP",
    "keras-tuner SklearnTuner",
)
LONGER = "hptune, longer"
_ONE = (
    "import json, sys\nfrom benchmarks.wallclock.tools import run_one\n"
    "print('RESULT', json.dumps(run_one(sys.argv[1], sys.argv[2], int(sys.argv[3]))))"
)
FEWEST = 5
"""An interval is shown from so many pairs on: the bootstrap of fewer says nothing."""

SAME = 1e-6
"""Levels that agree to six digits are the same: the estimators' own solvers stop earlier."""

SLACK = (0.001, 0.05)
"""The level is asked for again less so many of its standard errors: what counts as progress to a refinement, and half of
what racing asks of others."""

Run = dict[str, Any]


def stored() -> dict[tuple[str, str, int], Run]:
    """Return the stored runs by tool, task and seed."""
    if not STORE.exists():
        return {}
    runs = [json.loads(line) for line in STORE.read_text().splitlines()]
    return {(run["tool"], run["task"], run["seed"]): run for run in runs}


def measure(jobs: Iterable[tuple[str, str, int]]) -> None:
    """Run what is not stored yet, by tool, task and seed, one after the other."""
    have, missing = stored(), set()
    one_thread = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    # Where byte code may not be written, each run would compile scikit-learn anew, in each of its processes.
    compiled = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    for tool, task, seed in jobs:
        if (tool, task, seed) in have or tool in missing:
            continue
        done = subprocess.run(
            [sys.executable, "-c", _ONE, tool, task, str(seed)],
            env={**compiled, **one_thread}, capture_output=True, text=True, check=False,
        )  # fmt: skip
        if "ModuleNotFoundError" in done.stderr:
            missing.add(tool)
            print(f"{tool}: not installed, skipped ({done.stderr.strip().splitlines()[-1]})")
            continue
        if done.returncode:
            raise SystemExit(f"{tool} on {task}: {done.stderr}")
        run = json.loads(done.stdout.rsplit("RESULT ", 1)[1])
        with STORE.open("a") as file:
            file.write(json.dumps(run) + "\n")
        print(f"{task} {seed} {tool}: {run['cpu']:.1f} s CPU, {run['fits']} fits, {run['level']:.4f}", flush=True)


def unreached(runs: Mapping[tuple[str, str, int], Run]) -> list[tuple[str, str, int]]:
    """Return the runs to make of a longer hptune: where some rival's level was not reached."""
    found = {
        (LONGER, task, seed)
        for (tool, task, seed), other in runs.items()
        if tool in RIVALS and ("hptune", task, seed) in runs
        if not reached(runs["hptune", task, seed], other["level"])[2]
    }
    return sorted(found)


def continued(runs: Mapping[tuple[str, str, int], Run]) -> dict[tuple[str, str, int], Run]:
    """Return the runs with hptune's as far as they were let go on.

    The longer run has the same trials and goes on; of two at work at once either may end first, and what racing stopped
    and the end of a study completes, it completes at its own end. Its CPU seconds are those of another hour: they are
    scaled so that what both have cost the same.
    """
    found = dict(runs)
    for (tool, task, seed), more in runs.items():
        if tool != LONGER:
            continue
        ours = runs["hptune", task, seed]
        own = {score: cpu for score, _, cpu in ours["curve"]}
        both = max(place for place, (score, _, _) in enumerate(more["curve"]) if score in own)
        speed = own[more["curve"][both][0]] / more["curve"][both][2]
        further = [(score, fits, cpu * speed) for score, fits, cpu in more["curve"][both + 1 :]]
        found["hptune", task, seed] = {**ours, "further": further, "end": (more["fits"], more["cpu"] * speed)}
    return found


def reached(ours: Run, level: float) -> tuple[int, float, bool]:
    """Return hptune's fits and CPU seconds when it was first as good as `level`, and whether it ever was."""
    for score, fits, cpu in (*ours["curve"], *ours.get("further", ())):
        if score >= level - SAME * abs(level):
            return fits, cpu, True
    return *ours.get("end", (ours["fits"], ours["cpu"])), False


@dataclass(frozen=True)
class Ratio:
    """A rival's cost over hptune's until the rival's level. Not `reached`: the whole run's, and the truth is below."""

    value: float
    reached: bool


def median(ratios: Sequence[Ratio]) -> str:
    """Return the median with runs that did not reach the level as 0 and as what they are below, one where they agree."""
    low = float(np.median([one.value if one.reached else 0.0 for one in ratios]))
    high = float(np.median([one.value for one in ratios]))
    shown = f"{high:.1f}x"
    return shown if f"{low:.1f}x" == shown else f"{low:.1f} to {shown}" if low else f"<= {shown}"


def interval(ratios: Sequence[Ratio]) -> tuple[float, float]:
    """Return the 90 % bootstrap interval of the median; runs that did not reach the level count as 0."""
    rng = np.random.default_rng(0)
    values = np.array([one.value if one.reached else 0.0 for one in ratios])
    medians = np.median(rng.choice(values, (4000, len(values))), axis=1)
    return float(np.quantile(medians, 0.05)), float(np.quantile(medians, 0.95))


def compared(ours: Run, other: Run, what: str, slack: float = 0.0) -> Ratio:
    """Return the ratio of "cpu" or "fits"; `slack` takes so many of the level's standard errors off it."""
    fits, cpu, ok = reached(ours, other["level"] - slack * ours["error"])
    return Ratio(other[what] / (cpu if what == "cpu" else fits), ok)


def table(runs: dict[tuple[str, str, int], Run]) -> str:
    """Return the figures as Markdown: a line for each rival and task, and one for each rival over all its pairs."""
    lines = [
        "| rival | task | runs | not reached | fits, rival / hptune | CPU, rival / hptune "
        + "".join(f"| CPU, to within {slack:g} s.e. " for slack in SLACK)
        + "| level hptune - rival | test hptune - rival | CPU, whole runs | wall, whole runs |",
        "|---" * 12 + "|",
    ]
    for rival in RIVALS:
        every: list[tuple[Run, Run]] = []
        for task in TASKS:
            seeds = [s for (tool, t, s) in runs if tool == rival and t == task and ("hptune", task, s) in runs]
            pairs = [(runs["hptune", task, s], runs[rival, task, s]) for s in seeds]
            if pairs:
                lines.append(_line(rival, task, pairs))
            every += pairs
        if every:
            lines.append(_line(f"**{rival}**", "all", every))
        if len(every) >= FEWEST:
            spans = [interval([compared(a, b, what) for a, b in every]) for what in ("fits", "cpu")]
            spans += [interval([compared(a, b, "cpu", slack) for a, b in every]) for slack in SLACK]
            lines.append(
                "| | 90 % interval | | | " + " | ".join(f"{a:.1f} to {b:.1f}" for a, b in spans) + " | | | | |"
            )
    return "\n".join(lines)


def _line(rival: str, task: str, pairs: list[tuple[Run, Run]]) -> str:
    fits = [compared(ours, other, "fits") for ours, other in pairs]
    cpu = [compared(ours, other, "cpu") for ours, other in pairs]
    near = [median([compared(ours, other, "cpu", slack) for ours, other in pairs]) for slack in SLACK]
    level, test = (np.mean([ours[key] - other[key] for ours, other in pairs]) for key in ("level", "test"))
    cpu_whole, wall = (np.median([other[key] / ours[key] for ours, other in pairs]) for key in ("cpu", "wall"))
    return (
        f"| {rival} | {task} | {len(pairs)} | {sum(not one.reached for one in cpu)} | {median(fits)} | {median(cpu)} "
        f"| {' | '.join(near)} | {level:+.4f} | {test:+.4f} "
        f"| {cpu_whole:.2f}x | {wall:.1f}x |"
    )


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.wallclock", description=__doc__)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument("--tasks", default=",".join(TASKS))
    parser.add_argument("--tools", default=",".join(["hptune", *RIVALS]))
    parser.add_argument("--longer", action="store_true", help="let runs go on that did not reach a rival's level")
    parser.add_argument("--extra", action="store_true", help="grid against grid, and start-up")
    arguments = parser.parse_args()
    seeds = range(arguments.first, arguments.first + arguments.seeds)
    tasks, tools = arguments.tasks.split(","), arguments.tools.split(",")
    measure((tool, task, seed) for seed in seeds for task in tasks for tool in tools)
    if arguments.longer:
        measure(job for job in unreached(stored()) if job[1] in tasks and job[2] in seeds)
    runs = {job: run for job, run in stored().items() if job[1] in tasks and job[2] in seeds}
    text = table(runs)
    if any(tool == LONGER for tool, _, _ in runs):
        text += "\n\nThe same with hptune's runs let go on where they did not reach:\n\n" + table(continued(runs))
    if arguments.extra:
        from benchmarks.wallclock.extra import grid_ratio, startup_ratio

        text += f"\n\ngrid against GridSearchCV: {grid_ratio():.2f} x its CPU seconds (goal <= 1.1)"
        for where, ratio in (
            ("threads as they come", startup_ratio(limited=False)),
            ("one thread each", startup_ratio(limited=True)),
            ("one thread each, held to one core", startup_ratio(limited=True, one_core=True)),
        ):
            text += f"\nstart-up, ten trials, {where}: {ratio:.2f} x the CPU seconds of a plain script (goal <= 1.3)"
    print(text)


if __name__ == "__main__":
    main()
