"""Bayesian optimisation: a Gaussian process over mixed, conditional spaces, and log expected improvement.

The recipe and what was measured of each of its parts: docs/decisions/0005-bayesian-oracle.md.
"""

from __future__ import annotations

import hashlib
import weakref
from collections import OrderedDict
from collections.abc import Callable, Container, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from hptune import refinement
from hptune.design import design
from hptune.encoding import Encoding, encoding_of
from hptune.history import View
from hptune.loss_model import (
    EXACT,
    KEPT,
    PRIOR_LENGTH,
    PRIOR_NOISE,
    PRIOR_THETA,
    inputs_of,
    prior_of,
    thinned,
    warped_variance,
)
from hptune.observations import Observations, observe
from hptune.oracle import Answer, OracleSpec, unseen
from hptune.prior import Earlier, earlier, weights
from hptune.space import SearchSpace
from hptune.trial import REFINEMENT, Suggestion

if TYPE_CHECKING:  # scipy is loaded when the model is first needed
    from hptune.surrogate.gp import GaussianProcess, Prior
    from hptune.surrogate.prior_mean import Shifted

Array = NDArray[np.float64]
Index = NDArray[np.intp]


@dataclass(frozen=True)
class Recipe:
    """The settings that no user has to know; docs/decisions/0005-bayesian-oracle.md has what was measured of them.

    `margin`: how far below the best posterior mean improvement begins to count. `length`: the prior centre of a length
    scale is this times the root of the numeric columns active on average. `theta`: prior centre of the category
    weights. `branch_least`, `branch_share`: a top-level branch gets so many trials before the branches compete, and at
    least this share of an even share afterwards. `every`: up to so many losses the hyperparameters are fitted for
    every suggestion, above at sizes that grow by 5 %. `exact`, `active`: above the first the model sees the second
    many.
    """

    margin: float = 0.1
    length: float = PRIOR_LENGTH
    theta: float = PRIOR_THETA
    branch_least: int = 3
    branch_share: float = 0.5
    noise: float = PRIOR_NOISE
    every: int = 60
    exact: int = EXACT
    active: int = KEPT
    failure_step: float = 0.25
    failure_noise: float = 0.5
    failures: int = 100


RECIPE = Recipe()

FITS_KEPT = 64
"""How many fitted hyperparameters are remembered."""


class Bayesian(OracleSpec):
    """Gaussian-process optimisation: few, well chosen trials; the choice under some 300 trials.

    Starts with the defaults, Sobol points and one point per top-level branch, then every trial maximises the log
    expected improvement of a model fitted to all results so far.
    """

    summary: ClassVar[str] = "a Gaussian process picks each trial; needs the fewest trials, 10-50 ms a suggestion"
    uses_prior: ClassVar[bool] = True
    type: Literal["bayesian"] = "bayesian"
    startup: int = Field(default=3, ge=1, le=1000, title="Points before the model")
    """How many configurations, the defaults and your own included, come before the model is asked."""

    def suggest(self, history: View, trial: int, rng: np.random.Generator) -> Suggestion | Answer:
        answer = self.choose(history, trial, rng, {})
        assert not isinstance(answer, int), "nothing can be continued"
        return answer

    def prepare(self) -> None:
        from hptune.surrogate import acquisition, gp, maximize, prior_mean, warp  # noqa: F401

    def ignores_prior(self, space: SearchSpace, budget: Mapping[str, Any], *, lower: bool = False) -> str:
        del space, budget
        return self.type if lower else ""  # see `Promise`

    def choose(
        self,
        history: View,
        trial: int,
        rng: np.random.Generator,
        unfinished: Mapping[int, float],
        *,
        overdue: bool = False,
    ) -> Suggestion | Answer | int:
        """Return a new configuration, or the number of the trial to continue: what promises more for what it costs.

        `unfinished` are trials measured at a lower fidelity, with the share of the resource that the whole still
        takes. A trial is continued where its log expected improvement less the logarithm of that share is at least
        that of the best new configuration, for which the whole has yet to be spent; where continuing is `overdue`,
        the best of them is in any case.
        """
        encoding = encoding_of(history.space)
        seen = observe(history, lift=False)
        suggestion: Suggestion | None = design(history, seen, trial, self.startup)
        if suggestion is None and len(seen.loss) > 1 and len(encoding.numeric) + len(encoding.category):
            # Only where racing has left folds out: a search on whole trials comes to the bottom by itself.
            refines = seen.position is None and bool(seen.variance.any()) and refinement.due(history)
            # By turns the better half, to come to the bottom where the search stands, and all losses, to leave a plateau
            # (docs/decisions/0006-fidelity.md).
            spaced = 1.0 if seen.position is not None and len(seen.rows) % 2 == 0 else 0.5
            promise = Promise(encoding, seen, earlier(history.history), refines=refines, spaced=spaced)
            found = _model_based(history, promise, rng)
            numbers = np.array(sorted(unfinished), dtype=np.intp)
            if len(numbers):
                share = np.array([unfinished[int(number)] for number in numbers])
                value = np.round(promise.score(seen.rows[numbers]) - np.log(share), 9)
                if overdue or found is None or float(value.max()) >= found[1]:
                    return int(numbers[int(value.argmax())])
            suggestion = None if found is None else found[0]
        if suggestion is not None:
            return suggestion
        values = unseen(history, rng)
        return values if isinstance(values, Answer) else Suggestion(values, origin="random")

    def expected_best(self, history: View, among: Container[int] | None = None) -> int | None:
        """Return the number of the trial whose configuration the model expects to be best when measured in full.

        Of a configuration measured at several fidelities, its highest; one that has failed is none. `among` are the trials
        to choose from, all by default. None without a model.
        """
        encoding = encoding_of(history.space)
        seen = observe(history, lift=False)
        if len(seen.loss) < 2 or not len(encoding.numeric) + len(encoding.category):
            return None
        mean = np.round(Promise(encoding, seen).mean(seen.rows[seen.measured]), 9)
        position = np.ones(len(mean)) if seen.position is None else seen.position[seen.measured]
        numbers = (int(seen.measured[i]) for i in np.lexsort((-position, mean)))
        ranked = (number for number in numbers if among is None or number in among)
        gone = {history.space.key(history[int(number)].values) for number in seen.failed}
        return next((number for number in ranked if history.space.key(history[number].values) not in gone), None)


class Promise:
    """The log expected improvement over what a view shows, of configurations measured in full, by their rows.

    `spaced` is the share of the losses, the best, of which the model sees the differences (`hptune.surrogate.warp`).
    """

    def __init__(
        self,
        encoding: Encoding,
        seen: Observations,
        known: Sequence[Earlier] = (),
        *,
        refines: bool = False,
        spaced: float = 0.5,
    ) -> None:
        self.encoding = encoding
        self.seen = seen
        self.known = known
        # Earlier studies say nothing of fidelities: where those vary, they lend only their best configurations.
        believed = [_believed(encoding, one) for one in known] if seen.position is None else []
        self.fitted, self.numbers, self.w = _fitted(encoding, seen, believed, spaced)
        self.feasible = _feasible(self.fitted.residual, seen, len(self.numbers))
        # The best mean and not the best loss: with noise (a few folds) the lowest loss is partly luck, and improvement
        # on it seems possible only where nothing is known.
        self.means = self.mean(seen.rows[self.numbers])
        whole = None if seen.position is None else seen.position[self.numbers] == 1.0
        some = self.means if whole is None or not whole.any() else self.means[whole]
        self.threshold = float(some.min()) - (0.0 if refines else RECIPE.margin)
        self.refines = refines
        # Every second suggestion takes what was measured for certain (`GaussianProcess.doubt`): with the noise of rough
        # losses and missing folds in the deviation, each looks as if measuring the best place once more were best.
        self.model = self.fitted.with_doubt(1.0 if seen.position is not None else float(len(seen.rows) % 2))
        if len(seen.pending):
            self.model = self.model.with_pending(*inputs_of(encoding, seen, seen.pending))

    def inputs(self, X: Array) -> tuple[Array, NDArray[np.int64]]:
        """Return the model's inputs for rows (m, C) measured in full."""
        U, Z = self.encoding.split(X)
        return (U if self.seen.position is None else np.column_stack([U, np.ones(len(U))])), Z

    def mean(self, X: Array) -> Array:
        """Return the expected warped losses of rows, shape (m,)."""
        return self.fitted.mean(*self.inputs(X))

    def score(self, X: Array) -> Array:
        """Return the log expected improvement of rows, shape (m,)."""
        from hptune.surrogate.acquisition import log_ei

        inputs = self.inputs(X)
        value = log_ei(*self.model.predict(*inputs), self.threshold)
        return value if self.feasible is None else value + np.log(np.clip(self.feasible.mean(*inputs), 0.02, 1.0))

    def slopes(self, X: Array) -> tuple[Array, Array]:
        """Return the log expected improvement without the failures' share, and its gradient (m, continuous columns)."""
        from hptune.surrogate.acquisition import log_ei_slopes

        value, gradient = log_ei_slopes(*self.model.slopes(*self.inputs(X)), self.threshold)
        return value, gradient[:, : len(self.encoding.real)][:, self.encoding.real]


def _model_based(history: View, promise: Promise, rng: np.random.Generator) -> tuple[Suggestion, float] | None:
    """Return the configuration of largest log expected improvement, with that; None if the search finds no new one."""
    from hptune.surrogate.maximize import Effort, ranked

    encoding, seen = promise.encoding, promise.seen
    leaders = promise.numbers[np.argsort(promise.means, kind="stable")]
    if seen.position is not None:  # a configuration measured at several fidelities leads once
        _, first = np.unique(seen.rows[leaders], axis=0, return_index=True, equal_nan=True)
        leaders = leaders[np.sort(first)]
    best, length = seen.rows[leaders[:8]], promise.model.length[: len(encoding.numeric)]
    for one in promise.known:
        best = np.concatenate([best[:6], one.rows[one.order[:2]]])
    for restrict in (*_neglected(encoding, seen), None):
        X, value = ranked(encoding, promise.score, promise.slopes, best, length, seen.keys, rng, Effort(), restrict)
        for row, found in zip(X, value, strict=True):
            values = history.space.decode(row)
            if not history.seen(values):
                predicted = _predicted(promise, row)
                origin = REFINEMENT if promise.refines and restrict is None else "model"
                return Suggestion(values, origin=origin, predicted=predicted), float(np.round(found, 9))
    return None


def _neglected(encoding: Encoding, seen: Observations) -> list[Callable[[Array], NDArray[np.bool_]]]:
    """Return the tests for the top-level branches that have had too few trials, the most neglected first.

    One bad early point can make a model write off a branch that it has hardly seen. More than one are returned
    because a branch may be used up: one without parameters has a single configuration.
    """
    found = []
    for column in encoding.branches:
        levels = encoding.columns[column].levels
        counts = np.bincount(np.nan_to_num(seen.rows[:, column]).astype(np.int64), minlength=levels)
        least = max(RECIPE.branch_least, int(RECIPE.branch_share * len(seen.rows) / levels))
        found += [(int(counts[level]), column, level) for level in range(levels) if counts[level] < least]
    return [partial(_in_branch, column, level) for _, column, level in sorted(found)]


def _in_branch(column: int, level: int, X: Array) -> NDArray[np.bool_]:
    return np.asarray(X[:, column] == level)


# -- the model ------------------------------------------------------------------------------------------------------


_BELIEVED: weakref.WeakKeyDictionary[Earlier, GaussianProcess] = weakref.WeakKeyDictionary()


def _believed(encoding: Encoding, known: Earlier) -> GaussianProcess:
    """Return the process fitted to an earlier study, remembered."""
    from hptune.surrogate.gp import GaussianProcess, fit

    if known not in _BELIEVED:
        U, Z = encoding.split(known.rows)
        extra = np.zeros(len(known.w))
        phi = fit(U, Z, known.w, extra, _prior(encoding))
        _BELIEVED[known] = GaussianProcess(U, Z, encoding.levels, known.w, extra, phi)
    return _BELIEVED[known]


def _weighted(
    encoding: Encoding, rows: Array, w: Array, believed: list[GaussianProcess]
) -> tuple[tuple[tuple[float, GaussianProcess], ...], float]:
    """Return the earlier processes with their weights for own losses w at rows, and the constant to take off."""
    if not believed:
        return (), 0.0
    m = np.stack([process.mean(*encoding.split(rows)) for process in believed], axis=1)
    beta = weights(m, w)
    return tuple((float(b), one) for b, one in zip(beta, believed, strict=True) if b > 0), float(
        m.mean(axis=0) @ beta
    )


def _fitted(
    encoding: Encoding, seen: Observations, believed: list[GaussianProcess], spaced: float
) -> tuple[Shifted, Index, Array]:
    """Return the model, the numbers of the measured trials that are in it, and all warped losses.

    The process is fitted to what the earlier studies leave unexplained.
    """
    from hptune.surrogate.gp import GaussianProcess
    from hptune.surrogate.prior_mean import Shifted
    from hptune.surrogate.warp import warp

    n = _fit_size(len(seen.loss))
    part = _active(seen.loss[:n])
    w = warp(seen.loss[:n], spaced)
    extra = warped_variance(seen.loss[:n], w, seen.variance[:n])
    inputs = inputs_of(encoding, seen, seen.measured[:n][part])
    y = w[part]
    if believed:
        trusted, constant = _weighted(encoding, seen.rows[seen.measured[:n][part]], y, believed)
        y = y - sum((beta * one.mean(*inputs) for beta, one in trusted), np.full(len(y), -constant))
    phi = _hyperparameters(*inputs, y, extra[part], _prior(encoding))
    w = warp(seen.loss, spaced)
    keep = _active(seen.loss)
    failed = seen.failed[-RECIPE.failures :]
    y = np.concatenate([w[keep], np.full(len(failed), w.max() + RECIPE.failure_step)])
    extra = np.concatenate(
        [warped_variance(seen.loss, w, seen.variance)[keep], np.full(len(failed), RECIPE.failure_noise)]
    )
    numbers = seen.measured[keep]
    U, Z = inputs_of(encoding, seen, np.concatenate([numbers, failed]))
    trusted, constant = _weighted(encoding, seen.rows[numbers], w[keep], believed)
    model = Shifted(GaussianProcess(U, Z, encoding.levels, y, extra, phi), trusted, constant)
    if trusted:
        model = replace(model, residual=replace(model.residual, y=y - model.shift(U, Z)))
    return model, numbers, w


def _feasible(model: GaussianProcess, seen: Observations, measured: int) -> _Share | None:
    """Return a model of the probability that a configuration does not fail, None under three failures.

    A regression on 1 (measured) and 0 (failed) with the length scales of the losses.
    """
    if len(seen.failed) < 3:
        return None
    label = np.zeros(len(model.y))
    label[:measured] = 1.0
    share = float(label.mean())
    phi = model.phi.copy()
    phi[-1] = np.log(0.1)
    return _Share(replace(model, y=label - share, extra=np.zeros(len(label)), phi=phi), share)


@dataclass(frozen=True)
class _Share:
    """A probability as a process around a mean."""

    process: GaussianProcess
    share: float

    def mean(self, U: Array, Z: NDArray[np.int64]) -> Array:
        return self.share + self.process.mean(U, Z)


def _prior(encoding: Encoding) -> Prior:
    """Return the recipe's priors for this space."""
    return prior_of(encoding, length=RECIPE.length, theta=RECIPE.theta, noise=RECIPE.noise)


def _active(loss: Array) -> Index:
    """Return which of the losses the model sees when there are too many: the best, the latest, and a spread."""
    return thinned(loss, RECIPE.exact, RECIPE.active)


_FITS: OrderedDict[bytes, Array] = OrderedDict()


def _hyperparameters(U: Array, Z: NDArray[np.int64], y: Array, extra: Array, prior: Prior) -> Array:
    """Return the fitted hyperparameters, remembered by all they depend on."""
    from hptune.surrogate.gp import fit

    digest = hashlib.blake2b(repr(prior).encode(), digest_size=16)
    for part in (U, Z, y, extra):
        digest.update(np.ascontiguousarray(part).tobytes())
    key = digest.digest()
    if key not in _FITS:
        _FITS[key] = fit(U, Z, y, extra, prior)
        while len(_FITS) > FITS_KEPT:
            _FITS.popitem(last=False)
    return _FITS[key]


def _fit_size(n: int) -> int:
    """Return how many of n losses the hyperparameters are fitted to: all of few, then sizes that grow by 5 %."""
    if n <= RECIPE.every:
        return n
    size = RECIPE.every
    while size + max(size // 20, 1) <= n:
        size += max(size // 20, 1)
    return size


def _predicted(promise: Promise, row: Array) -> tuple[float, float]:
    """Return mean and standard deviation of the loss at a row, in natural units, through the inverse of the warp."""
    seen, w = promise.seen, promise.w
    mean, deviation = (float(one[0]) for one in promise.fitted.predict(*promise.inputs(row[None])))
    image, first = np.unique(w, return_index=True)
    known = seen.loss[first]
    low, middle, high = np.interp([mean - deviation, mean, mean + deviation], image, known)
    return float(np.ldexp(middle, seen.exponent)), float(np.ldexp(high / 2 - low / 2, seen.exponent))
