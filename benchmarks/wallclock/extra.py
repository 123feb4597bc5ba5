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

import numpy as np  # isort: skip

PAIRS = 3
_ENV = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
_GRID = """
import sys
from benchmarks.wallclock.tools import _grid, splits
from benchmarks.wallclock.tasks import TASKS
task = TASKS["forest"]
X, _, y, _ = task.rows()
search = _grid(task, {"max_depth": list(range(3, 3 + int(sys.argv[1])))}, splits(task, y, 0), 0)
search.refit = False
search.fit(X, y)
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


def _cpu(command: list[str]) -> float:
    """Return the CPU seconds of a command and all it waited for."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, env={**os.environ, **_ENV}, check=True, capture_output=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def _hptune(folder: Path, config: dict[str, Any]) -> list[str]:
    (folder / "study.yaml").write_text(json.dumps(config))
    run = tempfile.mkdtemp(dir=folder)
    return [sys.executable, "-m", "hptune", "run", str(folder / "study.yaml"), "--dir", run, "-q"]


def grid_ratio(points: int = 30) -> float:
    """Return the median over interleaved pairs of hptune's CPU seconds over GridSearchCV's; forests, no racing."""
    task = TASKS["forest"]
    X, _, y, _ = task.rows()
    ratios = []
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        np.save(folder / "X.npy", X)
        np.save(folder / "y.npy", y)
        (folder / "rows_of_task.py").write_text(_DATA)
        config = {
            "data": {"function": "rows_of_task:load"},
            "model": dict(task.model),
            "space": {"max_depth": {"type": "int", "min": 3, "max": 2 + points, "default": 3}},
            "evaluate": {"metric": task.metric, "cv": FOLDS, "early_stop_folds": False, "finals": {"enabled": False}},
            "oracle": {"type": "grid"},
            "budget": {"trials": points},
            "executor": {"workers": WORKERS, "threads_per_worker": 1},
            "output": {"refit": False},
        }
        for _ in range(PAIRS):
            other = _cpu([sys.executable, "-c", _GRID, str(points)])
            ratios.append(_cpu(_hptune(folder, config)) / other)
    return statistics.median(ratios)


def startup_ratio() -> float:
    """Return the median over interleaved pairs: ten Ridge trials, probe and refit off, one worker."""
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
    with tempfile.TemporaryDirectory() as place:
        for _ in range(2 * PAIRS + 1):
            plain = _cpu([sys.executable, "-c", _PLAIN])
            ratios.append(_cpu(_hptune(Path(place), config)) / plain)
    return statistics.median(ratios)
