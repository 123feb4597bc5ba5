"""Which hyperparameters mattered, and how sure that is: Sobol' indices of functions that fit the trials.

What is asked, and what was measured of each choice: docs/decisions/0009-importance.md.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from hptune import sensitivity
from hptune.analysis.pairs import Pairs, pairs_of
from hptune.encoding import Encoding, encoding_of
from hptune.history import History
from hptune.loss_model import inputs_of, prior_of, thinned, warped_variance
from hptune.observations import Observations, observe
from hptune.sobol import sobol

if TYPE_CHECKING:  # scipy is loaded when the model is first needed
    from hptune.surrogate.gp import GaussianProcess, Prior

Array = NDArray[np.float64]

LEAST_TRIALS: Final = 12
"""Under so many measured configurations nothing is said: the intervals no longer hold what they promise."""

LEAST_FULL: Final = 5
"""Under so many configurations measured in full lower fidelities say too little of the whole."""

LEAST_R2: Final = 0.1
"""Under this, or `R2_OF_NOISE` / trials if that is more, the surrogate is no better than the mean."""

R2_OF_NOISE: Final = 5.0
"""Of pure noise one study in twenty comes to an R2 of this / trials."""

POINTS: Final = 512
"""Points of a design, half as many in spaces of more than 20 parameters or with constraints."""

PHIS, FUNCTIONS = 16, 8
"""Draws of the hyperparameters, and of functions for each."""

NOISE: Final = 0.03
WIDE: Final = {"noise_sd": 2.0, "noise_limit": 20.0, "length_sd": 2.0}
"""Wider priors than the oracle's: what is to be told is also that scores are mostly noise, or a parameter nothing."""

CONFIDENCE: Final = 0.9
"""What the intervals hold."""

GOOD: Final = 0.25
"""The share of the space, from the best, that counts as good."""

SURE: Final = 0.95
"""The share of the draws that must agree on a direction, a choice or a strongest interaction before it is named."""

STRAIGHT: Final = 0.6
"""The share of what a parameter explains alone that a line must take for a direction: else its best may lie inside."""

CANDIDATES: Final = 4
"""The interactions among so many parameters are looked at."""

LEAST_INTERACTION: Final = 0.05
"""The low end of an interaction's interval from which on it is named."""


@dataclass(frozen=True)
class Share:
    """A share of the variance, with the ends of its 90 % interval."""

    share: float
    low: float
    high: float

    @classmethod
    def of(cls, draws: Array) -> Share:
        """Return the median and the interval of draws, shape (D,)."""
        tail = (1 - CONFIDENCE) / 2
        low, middle, high = np.quantile(np.clip(draws, 0.0, 1.0), [tail, 0.5, 1 - tail])
        return cls(round(float(middle), 4), round(float(low), 4), round(float(high), 4))


@dataclass(frozen=True)
class Better:
    """What is better on average: a `direction` of numbers or, of a choice, a `value`."""

    direction: Literal["smaller", "larger"] | None = None
    value: Any = None


@dataclass(frozen=True)
class ParameterImportance:
    """One parameter: the share of the variance that needs it (`importance`, its total effect), that goes once it alone is
    known (`alone`, its first order), and that needs it where only good losses are told apart (`good`).

    `better` is None where nothing is sure.
    """

    name: str
    importance: Share
    alone: Share
    good: Share
    better: Better | None = None


@dataclass(frozen=True)
class Interaction:
    """Two parameters that interact for sure, with the share of the variance that needs both at once."""

    names: tuple[str, str]
    share: Share


@dataclass(frozen=True)
class Importance:
    """The importance of all parameters that vary, the most important first; none, and `reason`, where it cannot be told.

    `r2`: the share of the variance of complete trials' losses (as the surrogate sees them) that it predicts of
    configurations left out, None without a surrogate. `trials` it is fitted to, `lower` of them at less than the whole of
    a resource; `failed` ones are left out.
    """

    parameters: tuple[ParameterImportance, ...]
    interaction: Interaction | None
    r2: float | None
    trials: int
    lower: int
    failed: int
    reason: str | None = None


class HasHistory(Protocol):
    """A `Study` or a `Tuner`."""

    @property
    def history(self) -> History: ...


def importance(study: HasHistory | str | Path) -> Importance:
    """Return which hyperparameters mattered in a study, or in the run directory of one.

    The same study gives the same numbers. Raises `UsageError` where there is no study, and what reading a journal raises.
    """
    return importance_of(_read(Path(study)) if isinstance(study, (str, Path)) else study.history)


def _read(folder: Path) -> History:
    from hptune import journal
    from hptune.errors import UsageError
    from hptune.replay import replay

    try:
        scan = journal.read(folder)
    except (FileNotFoundError, NotADirectoryError):
        raise UsageError(f"{folder}: expected a run directory, found no {journal.NAME} in it") from None
    if not scan.events:
        raise UsageError(f"{folder}: the study in it has not begun: its journal holds no record yet")
    return replay(scan.events, folder / journal.NAME)


def importance_of(history: History) -> Importance:
    """Return which hyperparameters mattered by what a history shows."""
    encoding = encoding_of(history.space)
    seen = observe(history.view(everything=True), lift=False)
    whole = np.array([history.trials[int(number)].fidelity is None for number in seen.measured], dtype=bool)
    fitted: _Fitted | None = None
    reason = _too_little(history, encoding, seen, whole)
    if reason is None:
        fitted = _Fitted(encoding, seen)
        least = max(LEAST_R2, R2_OF_NOISE / len(seen.measured))
        if fitted.r2 < least:
            reason = (
                f"the surrogate predicts trials left out no better than noise could be (R2 {fitted.r2:.2f}, at least "
                f"{least:.2f} is needed): more trials may help, or less noise (more folds)"
            )
    found, interaction = ((), None) if reason is not None or fitted is None else _shares(fitted)
    return Importance(
        found,
        interaction,
        None if fitted is None else round(fitted.r2, 4),
        len(seen.measured),
        int((~whole).sum()),
        len(seen.failed),
        reason,
    )


def _too_little(history: History, encoding: Encoding, seen: Observations, whole: NDArray[np.bool_]) -> str | None:
    """Return why nothing can be said, None if something can."""
    if not encoding.varying:
        return "no parameter of the space varies"
    keys = [history.space.key(history.trials[int(number)].values) for number in seen.measured]
    known, full = len(set(keys)), len({key for key, there in zip(keys, whole, strict=True) if there})
    if known < LEAST_TRIALS:
        return f"expected at least {LEAST_TRIALS} configurations with a score, found {known}: run more trials"
    if full < LEAST_FULL:
        return f"expected at least {LEAST_FULL} configurations measured in full, found {full}: run more trials"
    if not np.ptp(seen.loss) > 0:
        return "all trials have the same score"
    return None


class _Fitted:
    """The surrogate of a study, and how well it predicts."""

    def __init__(self, encoding: Encoding, seen: Observations) -> None:
        from hptune.surrogate.gp import GaussianProcess, fit
        from hptune.surrogate.validation import folds_of, r2
        from hptune.surrogate.warp import warp

        self.encoding = encoding
        self.fidelities = seen.position is not None
        kept = thinned(seen.loss)
        w = warp(seen.loss)
        extra = warped_variance(seen.loss, w, seen.variance)[kept]
        U, Z = inputs_of(encoding, seen, seen.measured[kept])
        self.prior: Prior = replace(prior_of(encoding, noise=NOISE), **WIDE)
        self.model: GaussianProcess = GaussianProcess(
            U, Z, encoding.levels, w[kept], extra, fit(U, Z, w[kept], extra, self.prior)
        )
        told = extra == 0
        folds = folds_of(_configurations(seen.rows[seen.measured[kept]]), _folds(len(kept)), np.random.default_rng(0))
        self.r2 = r2(U, Z, encoding.levels, w[kept], extra, self.prior, folds, told)

    def inputs(self, X: Array) -> tuple[Array, NDArray[np.int64]]:
        """Return the model's inputs of rows measured in full."""
        U, Z = self.encoding.split(X)
        return (np.column_stack([U, np.ones(len(U))]) if self.fidelities else U), Z


def _configurations(rows: Array) -> list[bytes]:
    """Return what tells configurations apart: one that was measured at several fidelities is left out as a whole."""
    return [row.tobytes() for row in np.nan_to_num(rows, nan=-1.0)]


def _folds(n: int) -> int:
    return 10 if n <= 100 else 5


def _shares(fitted: _Fitted) -> tuple[tuple[ParameterImportance, ...], Interaction | None]:
    """Return the parameters' shares, the most important first, and the interaction that is sure."""
    from hptune.surrogate.draws import drawn, hyperparameters

    encoding = fitted.encoding
    names = list(encoding.varying)
    rng = np.random.default_rng(0)
    N = POINTS if len(names) <= 20 and not encoding.space.constraints else POINTS // 2
    base = np.array([sobol(i, 2 * encoding.width, 0) for i in range(N)])
    both = _candidates(fitted, base)
    parts: list[_Draws] = []
    pairs: Pairs | None = None
    for phi in hyperparameters(fitted.model, fitted.prior, PHIS, rng):
        if pairs is None or not encoding.space.constraints:  # constraints are looked at one row at a time: one design
            pairs = pairs_of(encoding, both, (base + rng.random(base.shape[1])) % 1.0)
        f = drawn(replace(fitted.model, phi=phi), *fitted.inputs(pairs.X), FUNCTIONS, rng)
        parts.append(_Draws.of(encoding, pairs, f))
    draws = _Draws.joined(parts)
    found = []
    for i, name in enumerate(names):
        if len(names) == 1:
            draws.total[:] = draws.alone[:] = draws.good[:] = 1.0  # all there is, whatever the points say
        found.append(
            ParameterImportance(
                name,
                Share.of(draws.total[i]),
                Share.of(np.minimum(draws.alone[i], draws.total[i])),
                Share.of(draws.good[i]),
                draws.better(encoding, i, name),
            )
        )
    order = sorted(range(len(names)), key=lambda i: (-found[i].importance.share, i))
    return tuple(found[i] for i in order), draws.interaction(names, both)


def _candidates(fitted: _Fitted, base: Array) -> list[tuple[int, int]]:
    """Return the pairs of parameters whose interaction is looked at: those that do most together with others."""
    encoding = fitted.encoding
    if len(encoding.varying) < 2:
        return []
    pairs = pairs_of(encoding, [], base)
    draws = _Draws.of(encoding, pairs, fitted.model.mean(*fitted.inputs(pairs.X))[:, None])
    more = (draws.total - draws.alone)[:, 0]
    top = sorted(np.argsort(-more, kind="stable")[:CANDIDATES].tolist())
    return list(itertools.combinations(top, 2))


@dataclass(frozen=True, eq=False)
class _Draws:
    """What D drawn functions say: `total`, `alone`, `good` (k, D); `together` (pairs, D).

    Of each column: `slope`, the covariance of the function with it where it is active (NaN for a category), and `line`,
    the share of the variance that a straight line along it takes, both (C, D); `levels`, the mean at each level, None
    for numbers.
    """

    total: Array
    alone: Array
    good: Array
    together: Array
    slope: Array
    line: Array
    levels: tuple[Array | None, ...]

    @classmethod
    def of(cls, encoding: Encoding, pairs: Pairs, f: Array) -> _Draws:
        """Return what functions with values f (M, D) at the pairs' rows say."""
        V = _variance(f[pairs.base])
        best = np.minimum(f, np.quantile(f[pairs.base], GOOD, axis=0))
        V_best = _variance(best[pairs.base])
        total = [sensitivity.total_effect(f[a], f[b], V) for a, b in pairs.apart]
        good = [sensitivity.total_effect(best[a], best[b], V_best) for a, b in pairs.apart]
        alone = [sensitivity.first_order(f[a], f[b], V, None if c is None else f[c]) for a, b, c in pairs.alike]
        together = [sensitivity.interaction(f[a], f[b], f[c], f[d], V) for a, b, c, d in pairs.squares]
        slope, line = np.full((2, encoding.width, f.shape[1]), np.nan)
        levels: list[Array | None] = []
        for j, column in enumerate(encoding.columns):
            x = pairs.X[pairs.base, j]
            active = ~np.isnan(x)
            g = f[pairs.base][active]
            if column.kind == "category":
                levels.append(_level_means(x[active], g, column.levels))
                continue
            levels.append(None)
            if len(g) > 2 and np.ptp(x[active]) > 0:
                x, g = x[active] - x[active].mean(), g - g.mean(axis=0)
                with_x = x @ g / len(x)
                slope[j] = with_x
                line[j] = active.mean() * with_x**2 / np.mean(x**2) / V
        return cls(np.array(total), np.array(alone), np.array(good), np.array(together).reshape(-1, f.shape[1]),
                   slope, line, tuple(levels))  # fmt: skip

    @classmethod
    def joined(cls, parts: Sequence[_Draws]) -> _Draws:
        """Return the draws of several parts in one."""

        def all_of(name: str) -> Array:
            return np.concatenate([getattr(part, name) for part in parts], axis=1)

        levels = tuple(
            None
            if one is None
            else np.concatenate([found for part in parts if (found := part.levels[j]) is not None], axis=1)
            for j, one in enumerate(parts[0].levels)
        )
        return cls(
            all_of("total"),
            all_of("alone"),
            all_of("good"),
            all_of("together"),
            all_of("slope"),
            all_of("line"),
            levels,
        )

    def better(self, encoding: Encoding, i: int, name: str) -> Better | None:
        """Return what is better of the parameter, where the draws agree and it makes a good part of its importance."""
        columns = encoding.varying[name]
        total, alone = float(np.median(self.total[i])), float(np.median(self.alone[i]))
        if len(columns) > 1 or float(np.quantile(self.total[i], 0.05)) < 0.01:
            return None  # a number or one of `extra` has no direction
        j = int(columns[0])
        means = self.levels[j]
        if means is not None:
            counts = np.bincount(means.argmin(axis=0), minlength=len(means))
            level = int(counts.argmax())
            if counts[level] < SURE * means.shape[1] or alone < total / 4:
                return None
            return Better(value=encoding.space[name].decode((float(level),)))
        rises = float(np.mean(self.slope[j] > 0))
        if max(rises, 1 - rises) < SURE or not float(np.median(self.line[j])) >= max(total / 4, STRAIGHT * alone):
            return None
        return Better(direction="smaller" if rises > 0.5 else "larger")

    def interaction(self, names: Sequence[str], both: Sequence[tuple[int, int]]) -> Interaction | None:
        """Return the strongest interaction if it is sure."""
        if not both:
            return None
        first = int(np.median(self.together, axis=1).argmax())
        share = Share.of(self.together[first])
        leads = float(np.mean(self.together.argmax(axis=0) == first))
        if share.low < LEAST_INTERACTION or leads < SURE:
            return None
        i, j = both[first]
        return Interaction((names[i], names[j]), share)


def _variance(f: Array) -> Array:
    return np.asarray(np.maximum(f.var(axis=0), 1e-30))


def _level_means(x: Array, f: Array, levels: int) -> Array:
    """Return the mean of f (n, D) at each level of x (n,), shape (levels, D); infinite where a level did not occur."""
    hot = np.asarray(x[None, :] == np.arange(levels)[:, None], dtype=np.float64)
    count = hot.sum(axis=1)
    return np.asarray(np.where(count[:, None] > 0, hot @ f / np.maximum(count, 1)[:, None], np.inf))
