"""How many wrong spaces are caught before the first fit: `python -m benchmarks.checks [--seed N] [--out FILE]`.

For every scikit-learn classifier and regressor: misspelt names, choices with a typo, bounds outside what the
estimator takes, the wrong type, and pairs of options that cannot be fitted together. What is wrong is scikit-learn's
word, not ours: a value counts as wrong only if `_validate_params` (for pairs: a fit) refuses it.
"""

from __future__ import annotations

import argparse
import itertools
import json
import random
import sys
import time
import warnings
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sklearn
from sklearn.base import clone
from sklearn.datasets import load_diabetes, load_iris
from sklearn.utils import all_estimators
from sklearn.utils._param_validation import Interval, StrOptions, make_constraint

from hptune.job import Setup
from hptune.worker.inspect import inspect
from hptune.worker.problem import Problem

META = ("estimator", "estimators", "base_estimator")  # need another estimator to be built at all
MOST_PAIRS = 4  # of one estimator, drawn at random, so that no family dominates


@dataclass(frozen=True)
class Case:
    kind: str
    estimator: str
    task: str
    space: tuple[dict[str, Any], ...]
    told: str


def estimators() -> Iterator[tuple[str, type, str]]:
    for task in ("classifier", "regressor"):
        for name, cls in all_estimators(type_filter=task):
            try:
                cls()
            except TypeError:
                continue  # a meta-estimator
            if (
                name.endswith("CV")
                or name.startswith("MultiTask")
                or name in ("CCA", "PLSCanonical", "PLSRegression")
            ):
                continue  # tune themselves, or need several targets
            yield f"{cls.__module__}.{name}", cls, task


def refused(cls: type, **params: Any) -> bool:
    try:
        cls(**params)._validate_params()
    except Exception:
        return True
    return False


def single_cases(path: str, cls: type, task: str, rng: random.Random) -> Iterator[Case]:
    """Yield names, choices, bounds and types that the class itself refuses."""
    declared = {
        k: v for k, v in cls._parameter_constraints.items() if isinstance(v, list) and k in cls().get_params()
    }
    for name in rng.sample(sorted(declared), min(2, len(declared))):
        wrong = name[:-1] if len(name) > 3 else name + "x"
        if wrong not in cls().get_params():
            spec = {"name": wrong, "type": "choice", "values": [1, 2]}
            yield Case("name", path, task, (spec,), f"{wrong} for {name}")
    for name, listed in declared.items():
        constraints = [make_constraint(one) for one in listed]
        for one in constraints:
            if isinstance(one, StrOptions) and not getattr(one, "hidden", False):
                good = min(one.options)
                wrong = good[:-1] + ("x" if good[-1] != "x" else "y")
                if refused(cls, **{name: wrong}):
                    spec = {"name": name, "type": "choice", "values": [good, wrong]}
                    yield Case("choice", path, task, (spec,), f"{name}: {wrong}")
            if isinstance(one, Interval):
                yield from _interval(path, cls, task, name, one)
        whole = all(isinstance(one, Interval) and one.type.__name__ == "Integral" for one in constraints)
        if whole and refused(cls, **{name: 2.5}):
            spec = {"name": name, "type": "float", "min": 2.5, "max": 7.5}
            yield Case("type", path, task, (spec,), f"{name}: floats")


def _interval(path: str, cls: type, task: str, name: str, one: Interval) -> Iterator[Case]:
    whole = one.type.__name__ == "Integral"
    kind = "int" if whole else "float"
    left, right = one.left, one.right
    inside = (left if left is not None else (right or 1) - 2) + (2 if whole else 0.5)
    for side, bound in (("min", left), ("max", right)):
        if bound is None or abs(bound) > 1e6:
            continue
        outside = bound - 3 if side == "min" else bound + 3
        low, high = sorted((outside, inside))
        low, high = (int(low), int(high)) if whole else (float(low), float(high))
        if refused(cls, **{name: low if side == "min" else high}):
            yield Case(
                "bound", path, task, ({"name": name, "type": kind, "min": low, "max": high},), f"{name}: {side}"
            )


def pair_cases(path: str, cls: type, task: str, rng: random.Random) -> Iterator[Case]:
    """Yield pairs of options each of which can be fitted alone and not together."""
    X, y = (load_iris if task == "classifier" else load_diabetes)(return_X_y=True)
    X, y = X[::3], y[::3]
    options: dict[str, list[Any]] = {}
    for name, listed in cls._parameter_constraints.items():
        if not isinstance(listed, list) or name in ("verbose", "random_state"):
            continue
        values: list[Any] = []
        for one in [make_constraint(each) for each in listed]:
            if isinstance(one, StrOptions) and not getattr(one, "hidden", False):
                values += sorted(one.options - one.deprecated)
        if "boolean" in listed:
            values += [False, True]
        if len(values) > 1:
            options[name] = [v for v in values if v not in ("precomputed", "precomputed_nearest_neighbors")]

    def fits(**params: Any) -> bool:
        try:
            clone(cls(**params)).fit(X, y).predict(X)
        except Exception:
            return False
        return True

    found = []
    for first, second in itertools.combinations(options, 2):
        for a, b in itertools.product(options[first], options[second]):
            if not fits(**{first: a, second: b}) and fits(**{first: a}) and fits(**{second: b}):
                found.append((first, a, second, b))
    for first, a, second, b in rng.sample(found, min(MOST_PAIRS, len(found))):
        space = tuple(
            {"name": name, "type": "choice", "values": [value, *[v for v in options[name] if v != value]][:2]}
            for name, value in ((first, a), (second, b))
        )
        yield Case("pair", path, task, space, f"{first}={a} with {second}={b}")


def caught(case: Case) -> bool:
    """Return whether hptune's inspection has an error for the case."""
    data = "sklearn:load_iris" if case.task == "classifier" else "sklearn:load_diabetes"
    setup = Setup(
        model={"class": case.estimator},
        data={"train": data},
        evaluate={"cv": 3},
        space={"parameters": list(case.space), "constraints": []},
        seed=0,
        folder=".",
    )
    found = inspect(Problem(setup), probe_fits=case.kind == "pair")
    return any(one.severity == "error" for one in found.findings)


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--limit", type=int, default=None, help="only so many estimators (for a quick look)")
    parser.add_argument("--out", type=Path, default=Path("benchmarks/results/checks.json"))
    options = parser.parse_args(argv)
    rng = random.Random(options.seed)
    warnings.simplefilter("ignore")
    began = time.perf_counter()
    total: Counter[str] = Counter()
    hits: Counter[str] = Counter()
    missed: list[str] = []
    for path, cls, task in itertools.islice(estimators(), options.limit):
        for case in [*single_cases(path, cls, task, rng), *pair_cases(path, cls, task, rng)]:
            total[case.kind] += 1
            if caught(case):
                hits[case.kind] += 1
            else:
                missed.append(f"{case.kind}: {case.estimator}: {case.told}")
    result = {
        "command": "python -m benchmarks.checks",
        "sklearn": sklearn.__version__,
        "seconds": round(time.perf_counter() - began, 1),
        "caught": {kind: [hits[kind], total[kind]] for kind in sorted(total)},
        "all": [sum(hits.values()), sum(total.values())],
        "missed": missed,
    }
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(json.dumps(result, indent=1) + "\n")
    print(json.dumps({**result, "missed": missed[:20]}, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
