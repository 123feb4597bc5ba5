"""`python -m benchmarks.wallclock`: run the tuners on the tasks, interleaved, and print what hptune needed beside them.

Each run is a process of its own. Runs are kept in results.jsonl and not repeated; a tool that is not installed is
skipped with a note. `--extra` measures, besides, hptune's grid without racing against GridSearchCV on the same grid, and
the start-up of a study of ten trials against a plain script.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np

HERE = Path(__file__).parent
STORE = HERE / "results.jsonl"
TASKS = ("svm", "forest", "boosting", "logistic", "features", "text")
RIVALS = (
    "GridSearchCV",
    "RandomizedSearchCV",
    "HalvingRandomSearchCV",
    "Optuna TPE",
    "Optuna GP",
    "keras-tuner SklearnTuner",
)
_ONE = (
    "import json, sys\nfrom benchmarks.wallclock.tools import run_one\n"
    "print('RESULT', json.dumps(run_one(sys.argv[1], sys.argv[2], int(sys.argv[3]))))"
)
Run = dict[str, Any]


def stored() -> dict[tuple[str, str, int], Run]:
    """Return the stored runs by tool, task and seed."""
    if not STORE.exists():
        return {}
    runs = [json.loads(line) for line in STORE.read_text().splitlines()]
    return {(run["tool"], run["task"], run["seed"]): run for run in runs}


def measure(tools: list[str], tasks: list[str], seeds: int) -> None:
    """Run what is not stored yet: seed by seed, task by task, the tools one after the other."""
    have, missing = stored(), set()
    one_thread = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    for seed in range(seeds):
        for task in tasks:
            for tool in tools:
                if (tool, task, seed) in have or tool in missing:
                    continue
                done = subprocess.run(
                    [sys.executable, "-c", _ONE, tool, task, str(seed)],
                    env={**os.environ, **one_thread}, capture_output=True, text=True, check=False,
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
                print(
                    f"{task} {seed} {tool}: {run['cpu']:.1f} s CPU, {run['fits']} fits, {run['level']:.4f}",
                    flush=True,
                )


def reached(ours: Run, level: float) -> tuple[int, float, bool]:
    """Return hptune's fits and CPU seconds when it was first as good as `level`, and whether it ever was."""
    for score, fits, cpu in ours["curve"]:
        if score >= level - 1e-12:
            return fits, cpu, True
    return ours["fits"], ours["cpu"], False


def interval(ratios: list[float]) -> tuple[float, float]:
    """Return the 90 % bootstrap interval of the median."""
    rng = np.random.default_rng(0)
    medians = np.median(rng.choice(ratios, (2000, len(ratios))), axis=1)
    return float(np.quantile(medians, 0.05)), float(np.quantile(medians, 0.95))


def table(runs: dict[tuple[str, str, int], Run]) -> str:
    """Return the figures as Markdown.

    A run of hptune that never reached the rival's level counts with its whole cost, which is too small a number: such
    runs are counted beside the ratio.
    """
    lines = [
        "| rival | task | runs | not reached | fits, rival / hptune | CPU, rival / hptune | level hptune - rival "
        "| test hptune - rival | wall, whole runs |",
        "|---" * 9 + "|",
    ]
    for rival in RIVALS:
        every: list[float] = []
        for task in TASKS:
            seeds = [s for (tool, t, s) in runs if tool == rival and t == task and ("hptune", task, s) in runs]
            if not seeds:
                continue
            pairs = [(runs["hptune", task, s], runs[rival, task, s]) for s in seeds]
            found = [reached(ours, other["level"]) for ours, other in pairs]
            cpu = [other["cpu"] / used for (_, other), (_, used, _) in zip(pairs, found, strict=True)]
            fits = [other["fits"] / used for (_, other), (used, _, _) in zip(pairs, found, strict=True)]
            every += cpu
            mean = {key: np.mean([a[key] - b[key] for a, b in pairs]) for key in ("level", "test")}
            wall = np.median([b["wall"] / a["wall"] for a, b in pairs])
            lines.append(
                f"| {rival} | {task} | {len(pairs)} | {sum(not ok for _, _, ok in found)} | {np.median(fits):.1f}x "
                f"| {np.median(cpu):.1f}x | {mean['level']:+.4f} | {mean['test']:+.4f} | {wall:.1f}x |"
            )
        if every:
            low, high = interval(every)
            lines.append(
                f"| **{rival}** | all | {len(every)} | | | **{np.median(every):.1f}x** ({low:.1f} to {high:.1f}) | | | |"
            )
    return "\n".join(lines)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.wallclock", description=__doc__)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--tasks", default=",".join(TASKS))
    parser.add_argument("--tools", default=",".join(["hptune", *RIVALS]))
    parser.add_argument("--extra", action="store_true", help="grid against grid, and start-up")
    arguments = parser.parse_args()
    measure(arguments.tools.split(","), arguments.tasks.split(","), arguments.seeds)
    text = table(stored())
    if arguments.extra:
        from benchmarks.wallclock.extra import grid_ratio, startup_ratio

        text += f"\n\ngrid against GridSearchCV: {grid_ratio():.2f} x its CPU seconds (goal <= 1.1)"
        text += f"\nstart-up, ten trials: {startup_ratio():.2f} x the CPU seconds of a plain script (goal <= 1.3)"
    print(text)


if __name__ == "__main__":
    main()
