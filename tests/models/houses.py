"""A small table of mixed types, and what a worker makes of a model for it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.model_selection import cross_val_score

from hptune.job import Finding, Job, Setup
from hptune.parameters import Parameter
from hptune.space import SearchSpace
from hptune.worker.inspect import inspect
from hptune.worker.problem import Problem
from hptune.worker.service import Service

ROWS = 60


def write(folder: Path) -> None:
    """Write houses.csv: age (with gaps), size, colour, city, smoker, w, price, dear."""
    rng = np.random.default_rng(0)
    table = pd.DataFrame(
        {
            "age": rng.normal(50, 10, ROWS).round(2),
            "size": rng.normal(1, 0.2, ROWS).round(3),
            "colour": rng.choice(["red", "green", "blue"], ROWS),
            "city": rng.choice(["a", "b"], ROWS),
            "smoker": rng.choice([True, False], ROWS),
            "w": rng.uniform(0.1, 3, ROWS).round(3),
        }
    )
    table["price"] = np.exp(table["size"] + (table.colour == "red") + rng.normal(0, 0.3, ROWS))
    table["dear"] = np.where(table.price > table.price.median(), "yes", "no")
    table.loc[::9, "age"] = np.nan
    table.to_csv(folder / "houses.csv", index=False)


def setup(folder: Path, model: dict[str, Any], *space: Parameter, target: str = "price", **data: Any) -> Setup:
    """Return the setup of a model for the houses; `data` are further options of `data:`."""
    write(folder)
    others = {"price": "dear", "dear": "price"}[target]
    aside = [others] if "weights" in data else [others, "w"]
    return Setup(
        model=model,
        data={"train": "houses.csv", "target": target, "drop": aside, **data},
        evaluate={"cv": 3},
        space=SearchSpace(space).to_json(),
        seed=3,
        folder=str(folder),
    )


def scores(asked: Setup, values: dict[str, Any]) -> list[float]:
    """Return the scores of a configuration, fold by fold."""
    outcome = Service(asked).run(Job(values=values, folds=(0, 1, 2)))
    assert outcome.failure is None, outcome.failure
    return [one.score for one in outcome.measurements]


def by_hand(asked: Setup, estimator: Any) -> list[float]:
    """Return what scikit-learn's own cross_val_score gives for an estimator on the same folds."""
    problem = Problem(asked)
    rows = problem.dataset.train
    found = cross_val_score(estimator, rows.X, rows.y, cv=problem.splits, scoring=problem.scoring.metric)
    return [float(one) for one in found]


def findings(asked: Setup, *, probe: bool = False) -> list[Finding]:
    """Return what an inspection finds."""
    return list(inspect(Problem(asked), probe_fits=probe).findings)
