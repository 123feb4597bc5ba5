"""hptune's grid against GridSearchCV on the same grid, and what ten trials cost beside a plain script. CPU seconds."""

from __future__ import annotations

import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.wallclock.tasks import TASKS
from benchmarks.wallclock.tools import _DATA, FOLDS, WORKERS
from hptune.threads import VARIABLES

import numpy as np  # isort: skip

PAIRS = 3
_ENV = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
_GRID = """
import json, sys
from benchmarks.wallclock.tools import _grid, splits
from benchmarks.wallclock.tasks import TASKS
task = TASKS["forest"]
X, _, y, _ = task.rows()
search = _grid(task, json.loads(sys.argv[1]), splits(task, y, 0), 0)
search.refit = False
search.fit(X, y)
print(json.dumps([search.best_score_, 5 * sum(search.cv_results_["mean_fit_time"])]))
"""
_PLAIN = """
import numpy as np
from sklearn.linear_model import Ridge
from sklearn.datasets import load_diabetes
from sklearn.model_selection import KFold, cross_val_score
X, y = load_diabetes(return_X_y=True)
for alpha in np.geomspace(1e-3, 1e3, 10):
    cross_val_score(Ridge(alpha=alpha), X, y, cv=KFold(5, shuffle=True, random_state=0), scoring="r2")
"""


def _run(command: list[str], *, limited: bool = True) -> tuple[float, str]:
    """Return the CPU seconds of a command and all it waited for, and what it printed; `limited`: one BLAS thread."""
    env = {name: value for name, value in os.environ.items() if name not in VARIABLES}
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(command, env=env | (_ENV if limited else {}), check=True, capture_output=True, text=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, done.stdout


def _hptune(folder: Path, config: dict[str, Any]) -> list[str]:
    (folder / "study.yaml").write_text(json.dumps(config))
    run = tempfile.mkdtemp(dir=folder)
    return [sys.executable, "-m", "hptune", "run", str(folder / "study.yaml"), "--dir", run, "-q"]


def grid_ratio(pairs: int = PAIRS) -> float:
    """Return the median over interleaved pairs of hptune's CPU seconds over GridSearchCV's; 1610 forests, no racing.

    Raises AssertionError if the two do not find the same best score.
    """
    task = TASKS["forest"]
    X, _, y, _ = task.rows()
    grid = {"max_depth": list(range(3, 17)), "min_samples_leaf": list(range(1, 24))}
    points = len(grid["max_depth"]) * len(grid["min_samples_leaf"])
    ratios = []
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        np.save(folder / "X.npy", X)
        np.save(folder / "y.npy", y)
        (folder / "rows_of_task.py").write_text(_DATA)
        config = {
            "data": {"function": "rows_of_task:load"},
            "model": dict(task.model),
            "space": grid,
            "evaluate": {"metric": task.metric, "cv": FOLDS, "early_stop_folds": False, "finals": {"enabled": False}},
            "oracle": {"type": "grid"},
            "budget": {"trials": points},
            "executor": {"workers": WORKERS, "threads_per_worker": 1},
            "output": {"refit": False},
        }
        for _ in range(pairs):
            other, said = _run([sys.executable, "-c", _GRID, json.dumps(grid)])
            best, fits = json.loads(said)
            command = _hptune(folder, config)
            ours, _ = _run(command)
            result = json.loads((Path(command[-2]) / "result.json").read_text())
            assert result["trials"]["completed"] == points, result["trials"]
            assert abs(result["best"]["score"] - best) < 1e-9, (result["best"]["score"], best)
            print(f"  GridSearchCV {other:.1f} s CPU (fits {fits:.1f} s), hptune {ours:.1f} s", flush=True)
            ratios.append(ours / other)
    return statistics.median(ratios)


def startup_ratio(*, one_core: bool = False, limited: bool) -> float:
    """Return the median over interleaved pairs: ten Ridge trials, probe and refit off, one worker.

    Both have as many BLAS threads: one where `limited`, else as they come, one for each core. With `one_core` both are held
    to one core, where the machine has no say in how three processes share two.
    """
    config = {
        "data": {"train": "sklearn:load_diabetes"},
        "model": {"class": "sklearn.linear_model.Ridge"},
        "space": {"alpha": {"type": "float", "min": 1e-3, "max": 1e3, "scale": "log"}},
        "evaluate": {"metric": "r2", "cv": 5},
        "oracle": {"type": "random"},
        "budget": {"trials": 10},
        "executor": {"workers": 1},
        "output": {"refit": False},
        "probe": False,
    }
    ratios = []
    cores = os.sched_getaffinity(0)
    try:
        if one_core:
            os.sched_setaffinity(0, {max(cores)})  # of this process, and of those that it starts
        with tempfile.TemporaryDirectory() as place:
            for _ in range(4 * PAIRS + 3):
                plain, _ = _run([sys.executable, "-c", _PLAIN], limited=limited)
                ours, _ = _run(_hptune(Path(place), config), limited=limited)
                ratios.append(ours / plain)
    finally:
        os.sched_setaffinity(0, cores)
    return statistics.median(ratios)
