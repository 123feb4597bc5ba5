"""One run of one tuner on one task, with two workers: what it found, what it cost.

All tuners see the same rows and the same five folds. CPU seconds are those of the whole process tree, start and
imports included, making the task's rows and the fit on all of them at the end not. hptune's are noted whenever it
finds a better configuration, so that it can be said what it had spent when it reached a rival's level; of the rivals
the whole run counts.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.wallclock.cpu import tree_cpu
from benchmarks.wallclock.tasks import TASKS, Parameter, Task

TRIALS = 60
OUR_TRIALS = 170
"""Racing leaves so many about as many fits as a rival's 60 trials have: what it saves is spent on further ones."""

TIMES = 3
"""How many times as long a run goes on that did not come to a rival's level."""

WORKERS = 2
FOLDS = 5
Found = dict[str, Any]


def splits(task: Task, y: Any, seed: int) -> list[tuple[Any, Any]]:
    """Return the folds, for all tuners those that hptune draws for these rows and this seed."""
    from hptune.cv import Rowset, plain_folds

    classes = task.metric != "r2"
    rows = Rowset(y=y, groups=None, classes=classes, aside={}, seed=seed)
    return list(plain_folds(FOLDS, classes=classes, groups=False).splits(rows))


def _rows(task: Task) -> tuple[tuple[Any, Any, Any, Any], float]:
    """Return X, X_test, y, y_test, and the CPU seconds that making them took, which are nobody's."""
    began = time.process_time()
    return task.rows(), time.process_time() - began


def _test(task: Task, fitted: Any, X: Any, y: Any) -> float:
    from sklearn.metrics import get_scorer

    return float(get_scorer(task.metric)(fitted, X, y))


# -- hptune ---------------------------------------------------------------------------------------------------------

_DATA = """
from pathlib import Path
import numpy as np

def load():
    folder = Path(__file__).parent
    return np.load(folder / "X.npy", allow_pickle=True), np.load(folder / "y.npy")
"""


def hptune(task: Task, seed: int, folder: Path, **changes: Any) -> Found:
    """hptune at its defaults: model-based search, racing; in a process of its own, as `hptune run` is one."""
    X, X_test, y, y_test = task.rows()
    np.save(folder / "X.npy", X, allow_pickle=True)
    np.save(folder / "y.npy", y)
    (folder / "rows_of_task.py").write_text(_DATA)
    config = {
        "name": task.name,
        "seed": seed,
        "data": {"function": "rows_of_task:load"},
        "model": dict(task.model),
        "space": {name: parameter.yaml() for name, parameter in task.space.items()},
        "evaluate": {"metric": task.metric, "cv": FOLDS, "finals": {"enabled": False}},
        "budget": {"trials": OUR_TRIALS},
        "executor": {"workers": WORKERS, "threads_per_worker": 1},
        "output": {"refit": False},
        **changes,
    }
    (folder / "study.yaml").write_text(json.dumps(config))
    command = [sys.executable, "-m", "benchmarks.wallclock.study", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(done.stderr)
    found: Found = json.loads(done.stdout)
    values = found.pop("values")
    estimator = task.estimator().set_params(**{name.replace(".", "__"): v for name, v in values.items()})
    return {**found, "test": _test(task, estimator.fit(X, y), X_test, y_test)}


def longer(task: Task, seed: int, folder: Path) -> Found:
    """The same study, which goes on after the trials of `hptune`."""
    return hptune(task, seed, folder, budget={"trials": TIMES * OUR_TRIALS})


# -- rivals ---------------------------------------------------------------------------------------------------------


def _distributions(task: Task) -> dict[str, Any]:
    from scipy.stats import loguniform, randint, uniform

    def one(p: Parameter) -> Any:
        if p.values:
            return list(p.values)
        if p.whole:
            return randint(int(p.low), int(p.high) + 1)
        return loguniform(p.low, p.high) if p.log else uniform(p.low, p.high - p.low)

    return {name.replace(".", "__"): one(p) for name, p in task.space.items()}


def _search(make: Callable[[Task, dict[str, Any], Any, int], Any]) -> Callable[[Task, int, Path], Found]:
    def run(task: Task, seed: int, folder: Path) -> Found:
        del folder
        (X, X_test, y, y_test), making = _rows(task)
        names = {name.replace(".", "__"): p.grid(task.points) for name, p in task.space.items()}
        search = make(task, names, splits(task, y, seed), seed).fit(X, y)
        cpu = tree_cpu() - making - search.refit_time_
        fits = FOLDS * len(search.cv_results_["params"])
        return {
            "level": float(search.best_score_), "fits": fits, "cpu": cpu, "test": _test(task, search, X_test, y_test)
        }  # fmt: skip

    return run


def _grid(task: Task, names: dict[str, Any], cv: Any, seed: int) -> Any:
    from sklearn.model_selection import GridSearchCV

    del seed
    return GridSearchCV(task.estimator(), names, scoring=task.metric, cv=cv, n_jobs=WORKERS)


def _random(task: Task, names: dict[str, Any], cv: Any, seed: int) -> Any:
    from sklearn.model_selection import RandomizedSearchCV

    del names
    return RandomizedSearchCV(
        task.estimator(), _distributions(task), n_iter=TRIALS, scoring=task.metric, cv=cv, n_jobs=WORKERS,
        random_state=seed,
    )  # fmt: skip


def _halving(task: Task, names: dict[str, Any], cv: Any, seed: int) -> Any:
    from sklearn.experimental import enable_halving_search_cv  # noqa: F401
    from sklearn.model_selection import HalvingRandomSearchCV

    del names, cv  # it subsamples rows, so it cannot be given the rows of folds
    return HalvingRandomSearchCV(
        task.estimator(), _distributions(task), n_candidates=TRIALS, scoring=task.metric, cv=FOLDS, n_jobs=WORKERS,
        random_state=seed,
    )  # fmt: skip


def _optuna(sampler: str) -> Callable[[Task, int, Path], Found]:
    def run(task: Task, seed: int, folder: Path) -> Found:
        import optuna
        from sklearn.model_selection import cross_val_score

        del folder
        optuna.logging.set_verbosity(optuna.logging.ERROR)
        (X, X_test, y, y_test), making = _rows(task)
        cv = splits(task, y, seed)

        def ask(trial: Any, name: str, p: Parameter) -> Any:
            if p.values:
                return trial.suggest_categorical(name, list(p.values))
            if p.whole:
                return trial.suggest_int(name, int(p.low), int(p.high), log=p.log)
            return trial.suggest_float(name, p.low, p.high, log=p.log)

        def objective(trial: Any) -> float:
            values = {name.replace(".", "__"): ask(trial, name, p) for name, p in task.space.items()}
            model = task.estimator().set_params(**values)
            return float(np.mean(cross_val_score(model, X, y, scoring=task.metric, cv=cv, n_jobs=WORKERS)))

        study = optuna.create_study(direction="maximize", sampler=getattr(optuna.samplers, sampler)(seed=seed))
        study.optimize(objective, n_trials=TRIALS)
        cpu = tree_cpu() - making
        values = {name.replace(".", "__"): value for name, value in study.best_params.items()}
        fitted = task.estimator().set_params(**values).fit(X, y)
        return {
            "level": study.best_value, "fits": FOLDS * TRIALS, "cpu": cpu, "test": _test(task, fitted, X_test, y_test)
        }  # fmt: skip

    return run


def _keras_tuner(task: Task, seed: int, folder: Path) -> Found:
    os.environ.setdefault("KERAS_BACKEND", "torch")
    import keras_tuner

    (X, X_test, y, y_test), making = _rows(task)
    cv = splits(task, y, seed)

    class Given:
        """The folds that all tuners share, in the form that SklearnTuner asks for."""

        def split(self, *_: Any) -> Any:
            return iter(cv)

    def build(hp: Any) -> Any:
        values = {}
        for name, p in task.space.items():
            if p.values:
                index = hp.Int(name, 0, len(p.values) - 1)
                values[name] = p.values[index]
            else:
                kind = hp.Int if p.whole else hp.Float
                values[name] = kind(name, p.low, p.high, sampling="log" if p.log else "linear")
        return task.estimator().set_params(**{name.replace(".", "__"): value for name, value in values.items()})

    from sklearn.metrics import get_scorer

    oracle = keras_tuner.oracles.BayesianOptimizationOracle(
        keras_tuner.Objective("score", "max"), max_trials=TRIALS, seed=seed
    )
    tuner = keras_tuner.SklearnTuner(
        oracle, build, scoring=get_scorer(task.metric), cv=Given(), directory=str(folder), project_name="kt"
    )
    tuner.search(X, y)
    best = oracle.get_best_trials(1)[0]
    cpu = tree_cpu() - making
    fitted = build(best.hyperparameters).fit(X, y)
    return {"level": best.score, "fits": FOLDS * TRIALS, "cpu": cpu, "test": _test(task, fitted, X_test, y_test)}


TOOLS: dict[str, Callable[[Task, int, Path], Found]] = {
    "hptune": hptune,
    "hptune, longer": longer,
    "GridSearchCV": _search(_grid),
    "RandomizedSearchCV": _search(_random),
    "HalvingRandomSearchCV": _search(_halving),
    "Optuna TPE": _optuna("TPESampler"),
    "Optuna GP": _optuna("GPSampler"),
    "keras-tuner SklearnTuner": _keras_tuner,
}


def run_one(tool: str, task: str, seed: int) -> Found:
    """Return what one tool did on one task; raises ImportError for a tool that is not installed."""
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = TOOLS[tool](TASKS[task], seed, Path(folder))
    return {**found, "tool": tool, "task": task, "seed": seed, "wall": time.monotonic() - began}
