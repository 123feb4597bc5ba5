"""The golden sequence: what every registered oracle suggests, recorded. `python -m tests.oracles.golden` writes it anew.

Each suggestion is asked for after the *recorded* ones before it, so that one that another processor's arithmetic turns
the other way does not turn all that follow. What it is told is deterministic: folds of a smooth loss, a few failures, a
few trials that were raced out, and results that a lookahead still hides.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import numpy as np

from hptune import events as ev
from hptune.conditions import Forbid, Require, clause
from hptune.consult import consult
from hptune.oracle import Answer, OracleSpec
from hptune.oracles import ORACLES
from hptune.space import Boolean, Choice, Float, Int, SearchSpace
from hptune.study import Study
from hptune.threads import one_thread
from hptune.trial import Failure, Measurement, Suggestion, Trial

PATH: Final = Path(__file__).with_name("golden.json")
TRIALS, FOLDS = 26, 3

Line = list[Any]
"""A suggestion: the values in the space's order (null: inactive), fidelity, parent, origin, predicted (or null)."""

SPACES: Final = {
    "branches": SearchSpace(
        (
            Choice(name="kernel", values=("rbf", "poly", "linear")),
            Float(name="C", low=1e-2, high=1e3, scale="log"),
            Float(
                name="gamma", low=1e-5, high=1, scale="log", extra=("scale",), when=clause("kernel", {"ne": "linear"})
            ),
            Int(name="degree", low=2, high=5, when=clause("kernel", "poly")),
            Boolean(name="shrink", when=clause("degree", {"ge": 4})),
            Float(name="epsilon", low=0.01, high=1, extra=(0,)),
        ),
        (Forbid((*clause("kernel", "rbf"), *clause("gamma", "scale"))),),
    ),
    "numbers": SearchSpace(
        (
            Int(name="leaves", low=2, high=40, scale="log"),
            Float(name="momentum", low=0.5, high=0.999, scale="reverse_log"),
            Float(name="share", low=0.1, high=1, step=0.1),
            Choice(name="depth", values=(2, 4, 8, 16), ordered=True),
            Float(name="a", low=0, high=1),
            Float(name="b", low=0, high=1),
        ),
        (Require("a + b < 1.2"),),
    ),
}

NESTED: Final[dict[str, dict[str, Any]]] = {
    "hyperband of tpe": {"type": "hyperband", "sampler": "tpe", "resource": "rows"},
    "asha of quasi_random": {"type": "asha", "sampler": "quasi_random", "max": 81, "min": 3, "reduction": 3},
    "auto with a resource": {"type": "auto", "resource": "epochs", "min": 2, "max": 16},
}
"""Oracles of oracles, beside every registered one with its own defaults."""

CASES: Final = [(name, space) for name in (*ORACLES, *NESTED) for space in SPACES]


OPTIONS: Final[dict[str, dict[str, Any]]] = {"grid": {"points": 3}, "asha": {"promote": "rank"}}
"""Where an oracle's own defaults are refused in these spaces, or say the same as another's."""


def oracle_of(name: str) -> OracleSpec:
    """Return a case's oracle."""
    options = NESTED.get(name, {"type": name, **OPTIONS.get(name, {})})
    return ORACLES[options["type"]].model_validate(options)


def begun(name: str, space: SearchSpace) -> Study:
    """Return the study of a case, nothing tried yet."""
    started = ev.StudyStarted(
        time=0.0,
        name="golden",
        metric="loss",
        direction="minimize",
        space=space.to_json(),
        seed=11,
        lookahead=2,
        folds=FOLDS,
        starts=[space.defaults()],
    )
    return Study.of(started, oracle_of(name), None, clock=lambda: 0.0)


def loss(space: SearchSpace, values: dict[str, Any], fidelity: float | None, fold: int) -> float:
    """A smooth loss, every fold hard elsewhere, that falls with the resource; rounded, so that it is the same anywhere."""
    row = np.nan_to_num(space.encode(values), nan=0.4)
    place = sum((1 + i % 3) * (float(x) - 0.3) ** 2 for i, x in enumerate(row))
    return round(place + 0.1 * math.sin(fold + 2.0 * float(row[-1])) + 0.3 * (1.0 - (fidelity or 1.0)), 6)


def tell(study: Study, trial: Trial) -> None:
    """Tell a trial's folds: of every seventh that it failed, of every fifth one fold, after which it was raced out."""
    number = trial.number
    if number % 7 == 4:
        study.fail(number, Failure("error", "no luck"))
        return
    raced = number % 5 == 3 and trial.fidelity is None
    for fold in range(1 if raced else FOLDS):
        study.score(number, Measurement(fold, loss(study.history.space, dict(trial.values), trial.fidelity, fold)))
    if raced:
        study.stop(number, "raced out")
    else:
        study.complete(number)


def line_of(space: SearchSpace, found: Suggestion) -> Line:
    values = [found.values.get(parameter.name) for parameter in space]
    predicted = None if found.predicted is None else [float(f"{one:.8g}") for one in found.predicted]
    return [*values, found.fidelity, found.parent, found.origin, predicted]


def suggested(name: str, space: SearchSpace, recorded: list[Line] | None = None) -> Iterator[Line]:
    """Yield a case's suggestions, each after the `recorded` ones before it (None: after those yielded)."""
    study = begun(name, space)
    first = Suggestion(space.defaults(), origin="default")
    for number in range(TRIALS):
        with one_thread():
            found: Suggestion | Answer = first if number == 0 else consult(study.oracle, study.history, number)
        if isinstance(found, Answer):
            return
        line = line_of(space, found)
        yield line
        *values, fidelity, parent, origin, _ = line if recorded is None else recorded[number]
        active = {p.name: one for p, one in zip(space, values, strict=True) if one is not None}
        study.history.apply(
            ev.TrialStarted(time=0.0, trial=number, values=active, fidelity=fidelity, parent=parent, origin=origin)
        )
        tell(study, study.history.trials[number])


def record() -> str:
    """Return what the file holds: a line for every suggestion, so that the diff shows which ones changed."""
    cases = []
    for name, space in CASES:
        lines = ",\n".join(json.dumps(line) for line in suggested(name, SPACES[space]))
        cases.append(f"{json.dumps(f'{name}, {space}')}: [\n{lines}\n]")
    return "{\n" + ",\n".join(cases) + "\n}\n"


if __name__ == "__main__":
    PATH.write_text(record())
