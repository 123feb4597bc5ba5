"""Studies told by hand, with a clock that ticks a second at each event: nothing here depends on timing."""

from __future__ import annotations

import itertools
from pathlib import Path

from hptune.conditions import clause
from hptune.objective import Objective
from hptune.space import Boolean, Choice, Fixed, Float, Int, SearchSpace
from hptune.study import Study
from hptune.trial import Failure, Measurement

RMSE = Objective("neg_root_mean_squared_error", "maximize")
R2 = Objective("r2", "maximize")

RIDGE = SearchSpace((Float(name="alpha", low=1e-4, high=1e3, scale="log", default=1.0),))

PIPELINE = SearchSpace(
    (
        Choice(name="impute.strategy", values=("mean", "median")),
        Choice(name="scale", values=("StandardScaler", "RobustScaler", "passthrough")),
        Choice(name="regressor", values=("ridge", "lasso", "svr")),
        Float(name="regressor.ridge.alpha", low=1e-4, high=1e3, scale="log", when=clause("regressor", "ridge")),
        Float(name="regressor.lasso.alpha", low=1e-4, high=10, scale="log", when=clause("regressor", "lasso")),
        Float(name="regressor.svr.C", low=1e-2, high=1e3, scale="log", when=clause("regressor", "svr")),
        Choice(name="regressor.svr.kernel", values=("rbf", "poly", "linear"), when=clause("regressor", "svr")),
        Int(name="regressor.svr.degree", low=2, high=5, when=clause("regressor.svr.kernel", "poly")),
        Boolean(name="regressor.svr.shrinking", when=clause("regressor", "svr")),
        Fixed(name="regressor.lasso.max_iter", value=20000, when=clause("regressor", "lasso")),
    )
)

PROBLEM = {
    "version": 1,
    "name": "told",
    "seed": 0,
    "data": {"train": "sklearn:load_diabetes"},
    "model": {"class": "sklearn.linear_model.Ridge"},
    "space": {"alpha": {"type": "float", "min": 1e-4, "max": 1e3, "scale": "log", "default": 1.0}},
    "evaluate": {"metric": "neg_root_mean_squared_error", "cv": 5},
    "oracle": {"type": "random"},
    "budget": {"trials": 8, "trial_time": 60.0},
    "output": {"dir": "runs/told", "refit": True},
}


def clock() -> itertools.count[float]:
    return itertools.count(1_700_000_000.0, 1.0)


def study(
    space: SearchSpace = RIDGE,
    objective: Objective = RMSE,
    directory: Path | None = None,
    name: str = "told",
) -> Study:
    """Return an empty study of a random oracle."""
    ticks = clock()
    return Study(space, objective, "random", 0, directory=directory, name=name, clock=lambda: next(ticks))


def tell(study: Study, score: float, folds: int = 5, **metrics: float) -> int:
    """Complete the next trial, its folds around `score`; return its number."""
    number = study.ask().number
    for fold in range(folds):
        spread = 0.01 * (fold - (folds - 1) / 2) * (1 + number % 3)
        study.score(number, Measurement(fold, score * (1 + spread), metrics=metrics, fit_seconds=0.25))
    study.complete(number)
    return number


def fail(study: Study, kind: str = "error", message: str = "ValueError: alpha is too odd") -> int:
    """Fail the next trial; return its number."""
    number = study.ask().number
    trace = (
        'Traceback (most recent call last):\n  File "model.py", line 7, in fit\n    raise ValueError(why)\n' + message
    )
    study.fail(number, Failure(kind, message, trace if kind == "error" else None))  # type: ignore[arg-type]
    return number


def ridge(directory: Path | None = None) -> Study:
    """Return an ended study: seven completed trials (number 4 the best) and one failed."""
    made = study(directory=directory)
    for score in (-55.12, -54.3, -61.7):
        tell(made, score)
    fail(made)
    for score in (-53.91, -54.0, -53.95, -70.0):
        tell(made, score)
    made.end("trials")
    return made


def pipeline(directory: Path | None = None, objective: Objective = R2) -> Study:
    """Return an ended study of a space with a choice of models, of twelve trials."""
    made = study(PIPELINE, objective, directory=directory, name="pipeline")
    for number in range(12):
        if number == 7:
            fail(made, "timeout", "took longer than 2 s")
        else:
            tell(made, 0.4 + 0.01 * ((number * 5) % 12), mean_absolute_error=44.0 - number)
    made.end("exhausted")
    return made
