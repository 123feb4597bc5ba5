"""The problems the oracles are measured on: public tables and surrogates by path, real scikit-learn fits of our own.

The public ones are read from the folder that HPTUNE_BENCH_DATA names (`problems.py` and its data lie there); without
it they are skipped with a note. A problem has a name, a `space` of hptune and `evaluate(values)`, which returns fold
losses (one entry where there are no folds).
"""

from __future__ import annotations

import importlib.util
import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

from hptune.conditions import Condition
from hptune.space import Choice, Float, Int, Parameter, SearchSpace

DATA = "HPTUNE_BENCH_DATA"


@dataclass(frozen=True, eq=False)
class Problem:
    """A function to minimise over a space; `evaluate` returns the losses of its folds."""

    name: str
    space: SearchSpace
    evaluate: Callable[[Mapping[str, Any]], list[float]]


@lru_cache(maxsize=1)
def public() -> Any | None:
    """Return the module of public problems, None (with a note on stderr) where there is no data."""
    folder = os.environ.get(DATA)
    if not folder or not (Path(folder) / "problems.py").exists():
        print(f"public problems skipped: set {DATA} to the folder that holds problems.py", file=sys.stderr)
        return None
    spec = importlib.util.spec_from_file_location("hptune_bench_public", Path(folder) / "problems.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def space_of(specs: Mapping[str, Mapping[str, Any]]) -> SearchSpace:
    """Return the hptune space of a public problem's parameter specs."""
    return SearchSpace(tuple(_parameter(name, spec) for name, spec in specs.items()))


def _parameter(name: str, spec: Mapping[str, Any]) -> Parameter:
    when = ()
    if spec.get("parent"):
        parent, values = spec["parent"]
        when = (Condition(parent, "in", tuple(values)),)
    if spec["type"] == "cat":
        return Choice(name=name, values=tuple(spec["choices"]), when=when)
    kind = Int if spec["type"] == "int" else Float
    scale = "log" if spec.get("log") else "linear"
    return kind(name=name, low=spec["low"], high=spec["high"], scale=scale, when=when)


@cache
def get(name: str) -> Problem:
    """Return a problem by name: `own-...` are ours, the others public. Raises LookupError without the data."""
    if name.startswith(("own-", "grid-")):
        from benchmarks import real

        return real.get(name)
    module = public()
    if module is None:
        raise LookupError(name)
    found = module.get(name)
    return Problem(name, space_of(found.space), lambda values: [found.evaluate(dict(values))])
