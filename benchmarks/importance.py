"""How right `hptune importance` is: functions whose Sobol' indices can be computed, beside Optuna's evaluators.

    python -m benchmarks.importance --seeds 10                       # all scales, all problems; about five minutes
    python -m benchmarks.importance --seeds 10 --scales warp --refuse    # pure noise: how often numbers are given
    python -m benchmarks.importance --seeds 5 --rivals               # needs optuna and scikit-learn; skipped without

Errors and coverage are against the true function on the scale that is asked about: `raw`, `spaced` (the logarithmic warp
alone) or `warp` (what hptune takes: the better half spaced, the worse half by ranks). Rank correlations are with the true
total effects on that scale.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from unittest import mock

import numpy as np

from hptune import sensitivity
from hptune.analysis import importance as analysis
from hptune.analysis.pairs import pairs_of
from hptune.encoding import encoding_of
from hptune.history import History
from hptune.objective import Objective
from hptune.sobol import sobol
from hptune.space import Choice, Float, Int, SearchSpace
from hptune.study import Study
from hptune.surrogate.warp import warp

Array = np.ndarray[Any, np.dtype[np.float64]]
Scale = Callable[[Array], Array]

SCALES: dict[str, Scale] = {
    "warp": warp,
    "spaced": lambda y: warp(y, 1.0),
    "raw": lambda y: (y - y.mean()) / y.std(),
}


@dataclass(frozen=True)
class Problem:
    """A function of a configuration's values, with normal noise of this standard deviation."""

    name: str
    space: SearchSpace
    function: Callable[[dict[str, Any]], float]
    noise: float = 0.0


def cube(k: int) -> SearchSpace:
    return SearchSpace(tuple(Float(name=f"x{i}", low=0, high=1) for i in range(k)))


def _x(values: dict[str, Any]) -> list[float]:
    return [values[f"x{i}"] for i in range(len(values))]


def additive(values: dict[str, Any]) -> float:
    x = _x(values)
    return 4 * x[0] + 2 * x[1] + x[2]


def ishigami(values: dict[str, Any]) -> float:
    a, b, c = (math.pi * (2 * x - 1) for x in _x(values)[:3])
    return math.sin(a) + 7 * math.sin(b) ** 2 + 0.1 * c**4 * math.sin(a)


def g_function(values: dict[str, Any]) -> float:
    """Saltelli's G, with coefficients 0, 1, 4.5, 9, 99, 99."""
    pairs = zip(_x(values), (0, 1, 4.5, 9, 99, 99), strict=True)
    return math.prod((abs(4 * x - 2) + a) / (1 + a) for x, a in pairs)


def product(values: dict[str, Any]) -> float:
    x = _x(values)
    return 12 * (x[0] - 0.5) * (x[1] - 0.5) + x[2]


def cliff(values: dict[str, Any]) -> float:
    """A loss of a useful range, and a learning rate (x0) beyond which it diverges by orders of magnitude."""
    x = _x(values)
    return (x[0] - 0.3) ** 2 + (x[1] - 0.6) ** 2 + 0.5 * (x[2] - 0.5) ** 2 + math.exp(60 * max(x[0] - 0.85, 0.0)) - 1


PIPELINE = SearchSpace(
    (
        Choice(name="model", values=("ridge", "svr", "tree")),
        Float(name="alpha", low=1e-3, high=1e3, scale="log", when={"model": "ridge"}),
        Float(name="C", low=1e-2, high=1e3, scale="log", when={"model": "svr"}),
        Float(name="gamma", low=1e-4, high=1, scale="log", when={"model": "svr"}),
        Int(name="depth", low=1, high=12, when={"model": "tree"}),
        Choice(name="scale", values=("standard", "none")),
    )
)


def pipeline(values: dict[str, Any]) -> float:
    lost = 0.3 if values["scale"] == "none" else 0.0
    if values["model"] == "ridge":
        return 1.0 + 0.1 * math.log10(values["alpha"]) ** 2 / 3 + lost
    if values["model"] == "svr":
        return 0.6 + 0.12 * (math.log10(values["C"]) - 1) ** 2 + 0.1 * (math.log10(values["gamma"]) + 2) ** 2 + lost
    return 0.9 + 0.02 * (values["depth"] - 5) ** 2


PROBLEMS = [
    Problem("additive", cube(6), additive),
    Problem("additive, noisy", cube(6), additive, 0.6),
    Problem("ishigami", cube(5), ishigami),
    Problem("g-function", cube(6), g_function),
    Problem("product", cube(5), product),
    Problem("cliff", cube(5), cliff),
    Problem("pipeline", PIPELINE, pipeline, 0.03),
]


def studied(problem: Problem, oracle: str, trials: int, seed: int) -> History:
    """Return a study of the problem."""
    study = Study(problem.space, Objective("loss", "minimize"), oracle=oracle, seed=seed)
    rng = np.random.default_rng([seed, 99])
    for _ in range(trials):
        trial = study.ask()
        study.tell(trial, problem.function(dict(trial.values)) + problem.noise * float(rng.standard_normal()))
    return study.history


class Truth:
    """The true function at many pairs, and its indices on the scale of a study."""

    def __init__(self, problem: Problem, points: int = 8192) -> None:
        encoding = encoding_of(problem.space)
        U = np.array([sobol(i, 2 * encoding.width, 1) for i in range(points)])
        self.pairs = pairs_of(encoding, [], U)
        self.f = np.array([problem.function(problem.space.decode(row)) for row in self.pairs.X])
        self.names = list(encoding.varying)

    def of(self, history: History, scale: Scale) -> tuple[Array, Array]:
        """Return total effects and first orders, shape (k,) each."""
        y = np.array([history.objective.loss(t.score) for t in history.trials if t.score is not None])
        known, first = np.unique(y, return_index=True)
        f = np.interp(self.f, known, scale(y)[first])
        if scale is SCALES["raw"]:
            f = self.f
        V = np.array([f[self.pairs.base].var()])
        f = f[:, None]
        total = [sensitivity.total_effect(f[a], f[b], V)[0] for a, b in self.pairs.apart]
        alone = [
            sensitivity.first_order(f[a], f[b], V, None if c is None else f[c])[0] for a, b, c in self.pairs.alike
        ]
        return np.array(total), np.array(alone)

    def good(self) -> Array:
        """Return total effects where losses beyond the best quarter of the space count as equal, shape (k,)."""
        f = np.minimum(self.f, np.quantile(self.f[self.pairs.base], analysis.GOOD))[:, None]
        V = np.array([f[self.pairs.base].var()])
        return np.array([sensitivity.total_effect(f[a], f[b], V)[0] for a, b in self.pairs.apart])


def ranks(a: Array, b: Array) -> float:
    """Return Spearman's rank correlation; effects under a hundredth count as equal."""
    from scipy.stats import spearmanr

    return float(spearmanr(np.where(a < 0.01, 0, a), np.where(b < 0.01, 0, b)).statistic)


def inside(shares: list[analysis.Share], truth: Array) -> float:
    """Return how many intervals hold the truth, a hundredth aside: the least that is shown."""
    held = [one.low - 0.01 <= true <= one.high + 0.01 for one, true in zip(shares, truth, strict=True)]
    return float(np.mean(held))


def own(scale: str, seeds: int, trials: tuple[int, ...], oracles: tuple[str, ...]) -> Iterator[str]:
    """Yield table rows of hptune's own importance on a scale."""
    for problem in PROBLEMS:
        truth = Truth(problem)
        for oracle in oracles:
            for n in trials:
                rows = []
                for seed in range(seeds):
                    history = studied(problem, oracle, n, seed)
                    with mock.patch("hptune.surrogate.warp.warp", SCALES[scale]):
                        found = analysis.importance_of(history)
                    if found.reason is not None:
                        rows.append([np.nan] * 7)
                        continue
                    total, alone = truth.of(history, SCALES[scale])
                    by = {one.name: one for one in found.parameters}
                    told = [by[name] for name in truth.names]
                    T = np.array([one.importance.share for one in told])
                    rows.append(
                        [
                            np.abs(T - total).mean(),
                            np.abs([one.alone.share for one in told] - alone).mean(),
                            inside([one.importance for one in told], total),
                            inside([one.alone for one in told], alone),
                            np.mean([one.importance.high - one.importance.low for one in told]),
                            ranks(T, total),
                            found.r2,
                        ]
                    )  # fmt: skip
                told_of = sum(not np.isnan(row[0]) for row in rows)
                mean = np.nanmean(np.array(rows), axis=0) if told_of else [np.nan] * 7
                yield (
                    f"| {scale} | {problem.name} | {oracle} {n} | {told_of}/{seeds} | {mean[0]:.3f} | {mean[1]:.3f} | "
                    f"{mean[2]:.0%} | {mean[3]:.0%} | {mean[4]:.2f} | {mean[5]:.2f} | {mean[6]:.2f} |"
                )


def refused(seeds: int, trials: tuple[int, ...]) -> Iterator[str]:
    """Yield how often pure noise gets numbers, and what leave-one-out R2 it has."""
    for k in (1, 3, 6, 12):
        for n in trials:
            found = [analysis.importance_of(studied(Problem("noise", cube(k), lambda _: 0.0, 1.0), "random", n, seed))
                     for seed in range(seeds)]  # fmt: skip
            r2 = [one.r2 for one in found if one.r2 is not None]
            told = sum(one.reason is None for one in found)
            named = sum(one.interaction is not None for one in found)
            yield f"| {k} | {n} | {told}/{seeds} | {named} | " + (
                f"{np.median(r2):.2f} | {np.quantile(r2, 0.95):.2f} |" if r2 else "- | - |"
            )


def rivals(seeds: int, trials: tuple[int, ...]) -> Iterator[str]:
    """Yield Optuna's fANOVA and PED-ANOVA beside hptune's on random trials; nothing but a note without Optuna."""
    try:
        import optuna
        from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution
    except ImportError:
        yield "(optuna is not installed: its evaluators are skipped)"
        return
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    evaluators = {
        "fANOVA": optuna.importance.FanovaImportanceEvaluator(seed=0),
        "PED-ANOVA": optuna.importance.PedAnovaImportanceEvaluator(),
    }

    def distribution(parameter: Any) -> Any:
        if isinstance(parameter, Float):
            return FloatDistribution(parameter.low, parameter.high, log=parameter.scale == "log")
        if isinstance(parameter, Int):
            return IntDistribution(parameter.low, parameter.high)
        return CategoricalDistribution(parameter.values)

    for problem in PROBLEMS:
        if problem.space is PIPELINE:  # Optuna's evaluators leave conditional parameters out
            continue
        truth = Truth(problem)
        for n in trials:
            rows: dict[str, list[list[float]]] = {name: [] for name in ("hptune", "hptune, good", *evaluators)}
            for seed in range(seeds):
                history = studied(problem, "random", n, seed)
                raw, _ = truth.of(history, SCALES["raw"])
                warped, _ = truth.of(history, SCALES["warp"])
                best = truth.good()
                study = optuna.create_study()
                for trial in history.trials:
                    study.add_trial(
                        optuna.trial.create_trial(
                            params=dict(trial.values),
                            distributions={p.name: distribution(p) for p in problem.space},
                            value=trial.score,
                        )
                    )
                told = analysis.importance_of(history)
                by = {one.name: one for one in told.parameters}
                found = {"hptune": [by[x].importance.share if by else 0.0 for x in truth.names],
                         "hptune, good": [by[x].good.share if by else 0.0 for x in truth.names]}  # fmt: skip
                for name, evaluator in evaluators.items():
                    got = optuna.importance.get_param_importances(study, evaluator=evaluator)
                    found[name] = [got[x] for x in truth.names]
                for name, values in found.items():
                    v = np.array(values)
                    share = v / max(v.sum(), 1e-12)
                    rows[name].append(
                        [x for t in (raw, warped, best) for x in (ranks(v, t), np.abs(share - t / t.sum()).mean())]
                    )
            for name, one in rows.items():
                m = np.nanmean(np.array(one), axis=0)
                yield (
                    f"| {problem.name} | {n} | {name} | "
                    + " | ".join(f"{m[i]:.2f}, {m[i + 1]:.3f}" for i in (0, 2, 4))
                    + " |"
                )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--trials", type=lambda text: tuple(map(int, text.split(","))), default=(15, 30, 60, 120))
    parser.add_argument("--oracles", type=lambda text: tuple(text.split(",")), default=("random", "bayesian"))
    parser.add_argument("--scales", type=lambda text: text.split(","), default=list(SCALES))
    parser.add_argument("--refuse", action="store_true")
    parser.add_argument("--rivals", action="store_true")
    given = parser.parse_args()
    if given.rivals:
        print("| function | trials | evaluator | raw: rank correlation, error | warped | good quarter |")
        print("|---|---|---|---|---|---|")
        rows = rivals(given.seeds, given.trials)
    elif given.refuse:
        print(
            "| parameters | trials | with numbers | interactions | median R2 | 95 % of R2 |\n|---|---|---|---|---|---|"
        )
        rows = refused(given.seeds, given.trials)
    else:
        print("| scale | function | trials | told | error | alone | coverage | alone | width | ranks | R2 |")
        print("|---|---|---|---|---|---|---|---|---|---|---|")
        rows = (row for scale in given.scales for row in own(scale, given.seeds, given.trials, given.oracles))
    for row in rows:
        print(row, flush=True)


if __name__ == "__main__":
    main()
