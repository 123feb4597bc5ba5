"""`python -m benchmarks.honesty.product`: whole studies of the product as it comes, and what fresh rows say of them.

The replays of `benchmarks.honesty` have random searches on all folds. Here hptune itself runs: `auto`, that is `bayesian`,
fold racing, refinements and finals at their defaults, on the tasks of the fast families, each study on rows of its own.
Runs are appended to `--store` and not repeated.
"""

from __future__ import annotations

import argparse
import json
import math
import tempfile
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.linear_model import ElasticNet, LogisticRegression, Ridge
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC, SVR

from benchmarks.honesty.record import RESULTS, score
from benchmarks.honesty.tasks import TASKS, Rows, Task
from hptune.report.honest import assess

CONFIDENCE = 0.9
SCORERS = {"neg_rmse": "neg_root_mean_squared_error", "neg_mae": "neg_mean_absolute_error"}


def _float(low: float, high: float, **more: Any) -> dict[str, Any]:
    return {"type": "float", "min": low, "max": high, "scale": "log", **more}


SPACES: dict[str, dict[str, Any]] = {
    "linear": {
        "model.ridge.alpha": _float(1e-3, 1e3),
        "model.elastic.alpha": _float(1e-3, 1e1),
        "model.elastic.l1_ratio": {"type": "float", "min": 0.05, "max": 1.0},
    },
    "logistic": {"model.C": _float(1e-4, 1e3), "model.class_weight": [None, "balanced"]},
    "svm": {
        "model.kernel": ["rbf", "linear", "poly"],
        "model.C": _float(1e-2, 1e3),
        "model.gamma": _float(1e-4, 1.0, extra=["scale"], when={"model.kernel": ["rbf", "poly"]}),
    },
    "neighbors": {
        "model.n_neighbors": {"type": "int", "min": 1, "max": 35, "scale": "log"},
        "model.weights": ["uniform", "distance"],
        "model.p": [1, 2],
    },
}
"""The search spaces of `families.py` as a config has them."""


def _classes(task: Task) -> dict[str, type[BaseEstimator]]:
    """Return the estimators of a task's family by the name of their alternative, the first one the default."""
    return {
        "linear": {"ridge": Ridge, "elastic": ElasticNet},
        "logistic": {"": LogisticRegression},
        "svm": {"": SVC if task.classify else SVR},
        "neighbors": {"": KNeighborsClassifier if task.classify else KNeighborsRegressor},
    }[task.family]


def _fixed(kind: type[BaseEstimator]) -> dict[str, Any]:
    if issubclass(kind, SVC | SVR):
        return {"max_iter": 20_000}
    return {"max_iter": 300} if issubclass(kind, LogisticRegression | ElasticNet) else {}


def config(task: Task, number: int, folder: Path, trials: int) -> dict[str, Any]:
    """Return a study's config: nothing is set that the task does not need, but for one process and no model kept."""
    members = {
        name: {"class": f"{kind.__module__.rsplit('.', 1)[0]}.{kind.__name__}", "params": _fixed(kind)}
        for name, kind in _classes(task).items()
    }
    model: dict[str, Any] = members.get("", {"choose": members})
    return {
        "seed": number,
        "data": {"train": str(folder / "rows.npz")},
        "model": {
            "pipeline": [{"scale": StandardScaler.__module__.rsplit(".", 1)[0] + ".StandardScaler"}, {"model": model}]
        },
        "space": SPACES[task.family],
        "evaluate": {"metric": SCORERS.get(task.metric, task.metric)},
        "budget": {"trials": trials},
        "executor": {"type": "serial"},
        "output": {"refit": False},
    }


def truth(task: Task, values: dict[str, Any], rows: Rows, fresh: Rows) -> float:
    """Return the score on fresh rows of a configuration fitted on all of a study's rows; greater is better."""
    classes = _classes(task)
    chosen = values.get("model", next(iter(classes)))
    path = f"model.{chosen}." if chosen else "model."
    given = {name.removeprefix(path): found for name, found in values.items() if name.startswith(path)}
    model = make_pipeline(StandardScaler(), classes[chosen](**{**_fixed(classes[chosen]), **given}))
    return score(task.metric, model.fit(*rows), *fresh)


def study(task: Task, number: int, trials: int) -> dict[str, Any]:
    """Run one study and return what it said and what is true; scores and gains are such that greater is better."""
    from hptune.compose import start
    from hptune.config.load import load

    rows, fresh = task.draw(np.random.default_rng([number, *task.name.encode()]))
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        np.savez(folder / "rows.npz", X=rows[0], y=rows[1].astype(int) if task.classify else rows[1])
        (folder / "study.yaml").write_text(json.dumps(config(task, number, folder, trials)))
        with start(load(folder / "study.yaml"), folder / "run") as session:
            session.run()
            history = session.study.history
    best, told = history.best, assess(history)
    assert best is not None
    assert best.score is not None
    assert told is not None
    defaults = truth(task, dict(history.trials[0].values), rows, fresh)
    found = defaults if best.number == 0 else truth(task, dict(best.values), rows, fresh)
    return {
        "task": task.name,
        "study": number,
        "trials": trials,
        "winner": best.number,
        "source": told.source,
        "low": told.gain.low,
        "mean": told.gain.mean,
        "high": told.gain.high,
        "bound": told.gain.bound(CONFIDENCE),
        "selected": best.score,
        "expected": told.expected,
        "true": found,
        "true_gain": found - defaults,
        "fits": sum(len(trial.measurements) for trial in history.trials),
    }


def load_runs(path: Path) -> list[dict[str, Any]]:
    """Return the stored studies."""
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def table(runs: Sequence[dict[str, Any]]) -> str:
    """Return coverage, false alarms, gains recognised and biases by task and over all, as Markdown."""
    by_name = {task.name: task for task in TASKS}
    lines = [
        "| task | studies | changed | coverage | below, above | gain > 0 | selected - true | expected - true | gain |",
        "|---" * 9 + "|",
    ]
    pooled: dict[str, list[float]] = {"selected": [], "expected": []}
    for name in [*dict.fromkeys(r["task"] for r in runs), ""]:
        mine = [r for r in runs if name in ("", r["task"])]
        covered = [_covered(r) for r in mine]
        null = [r for r in mine if by_name[r["task"]].null]
        real = [r for r in mine if not by_name[r["task"]].shuffled]
        cells = [name or "**all**", str(len(mine)), f"{np.mean([r['winner'] != 0 for r in mine]):.0%}"]
        cells.append(f"{np.mean([c == 0 for c in covered]):.1%}")
        cells.append(f"{sum(c < 0 for c in covered)} / {sum(c > 0 for c in covered)}")
        alarms = [
            f"{np.mean([_alarm(r) for r in some]):.1%} of {kind}"
            for kind, some in (("noise", null), ("real", real))
            if some
        ]
        cells.append(", ".join(alarms))
        if name:
            spread = float(np.std([r["selected"] for r in mine], ddof=1)) if len(mine) > 1 else float("nan")
            for which in pooled:
                error = np.mean([r[which] - r["true"] for r in mine])
                pooled[which].append(float(error / spread))
                cells.append(f"{error:+.4f} ({pooled[which][-1]:+.2f})")
            cells.append(f"{np.mean([r['true_gain'] for r in mine]):+.4f}")
        else:
            cells += [f"({np.mean(v):+.2f} ± {np.std(v, ddof=1) / len(v) ** 0.5:.2f})" for v in pooled.values()]
            cells.append("")
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(
        [*lines, "", "Biases above zero: promised too much; in brackets in SDs over studies of the selected score."]
    )


def _covered(run: dict[str, Any]) -> int:
    """Return 0 where the interval holds the true gain, -1 where that lies below it, 1 above."""
    low = -math.inf if run["low"] is None else run["low"]
    high = math.inf if run["high"] is None else run["high"]
    return -1 if run["true_gain"] < low - 1e-6 else int(run["true_gain"] > high + 1e-6)


def _alarm(run: dict[str, Any]) -> bool:
    return run["bound"] is not None and run["bound"] > 1e-9


def main() -> None:
    """Run what is missing and print the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.honesty.product", description=__doc__)
    parser.add_argument("--studies", type=int, default=12)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--trials", type=int, default=60)
    parser.add_argument("--tasks", default="", help="only those whose names hold one of these, separated by commas")
    parser.add_argument("--store", type=Path, default=RESULTS / "product.jsonl")
    args = parser.parse_args()
    tasks = [
        t
        for t in TASKS
        if t.family in SPACES and t.trials is None and any(p in t.name for p in args.tasks.split(","))
    ]
    done = {(r["task"], r["study"], r["trials"]) for r in load_runs(args.store)}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for number in range(args.first, args.first + args.studies):
            for task in tasks:
                if (task.name, number, args.trials) not in done:
                    with args.store.open("a") as out:
                        out.write(json.dumps(study(task, number, args.trials)) + "\n")
    print(table([r for r in load_runs(args.store) if r["trials"] == args.trials]))


if __name__ == "__main__":
    main()
