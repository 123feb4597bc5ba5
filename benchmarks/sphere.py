"""How far an oracle comes down a 10-D sphere, away from its defaults: `python -m benchmarks.sphere --on tpe,optuna-tpe`.

f(x) = |x - optimum|² on [-5, 5]^10, defaults at 4.0 in every dimension, 100 evaluations. Printed: the median over seeds
of the least f, with the optimum at 0 and at 1 (a search that pulls to the middle of its ranges gains by the first only).
"""

from __future__ import annotations

import argparse

import numpy as np

from benchmarks.oracles import one
from benchmarks.problems import Problem
from hptune.space import Float, SearchSpace

DIMENSIONS = 10
TRIALS = 100
OPTIMA = (0.0, 1.0)


def sphere(optimum: float) -> Problem:
    """Return the sphere around a point with this value in every dimension."""
    axes = tuple(Float(name=f"x{i}", low=-5.0, high=5.0, default=4.0) for i in range(DIMENSIONS))
    return Problem(
        f"sphere-{optimum:g}", SearchSpace(axes), lambda values: [sum((x - optimum) ** 2 for x in values.values())]
    )


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.sphere", description=__doc__)
    parser.add_argument("--on", default="tpe")
    parser.add_argument("--seeds", type=int, default=20)
    args = parser.parse_args()
    for optimiser in args.on.split(","):
        for optimum in OPTIMA:
            problem = sphere(optimum)
            least = [min(one(optimiser, problem, TRIALS, seed)[0]) for seed in range(args.seeds)]
            print(
                f"{optimiser}, optimum at {optimum:g}: median {np.median(least):.3f} of {args.seeds} seeds",
                flush=True,
            )


if __name__ == "__main__":
    main()
