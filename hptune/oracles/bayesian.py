"""Bayesian optimisation: a Gaussian process over mixed, conditional spaces, and log expected improvement.

The recipe and what was measured of each of its parts: docs/decisions/0005-bayesian-oracle.md.
"""

from __future__ import annotations

import hashlib
import weakref
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from hptune.design import design
from hptune.encoding import Encoding, encoding_of
from hptune.history import View
from hptune.observations import Observations, observe
from hptune.oracle import Answer, OracleSpec, unseen
from hptune.prior import Earlier, earlier, weights
from hptune.trial import Suggestion

if TYPE_CHECKING:  # scipy is loaded when the model is first needed
    from hptune.surrogate.gp import GaussianProcess, Prior
    from hptune.surrogate.prior_mean import Shifted

Array = NDArray[np.float64]
Index = NDArray[np.intp]


@dataclass(frozen=True)
class Recipe:
    """The settings that no user has to know; docs/decisions/0005-bayesian-oracle.md has what was measured of them.

    `margin`: how far below the best warped loss improvement begins to count. `length`: the prior centre of a length
    scale is this times the root of the numeric columns active on average. `theta`: prior centre of the
    category weights. `branch_share`: a top-level branch
    gets at least this share of an even share of the trials. `fold_noise`: how much of the folds' disagreement counts
    as noise in the noise prior's centre. `every`: up to so many losses the hyperparameters are fitted for every
    suggestion, above at sizes that grow by 5 %. `exact`, `active`: above the first the model sees the second many.
    """

    margin: float = 0.1
    length: float = 0.22
    theta: float = 0.7
    branch_share: float = 0.5
    noise: float = 0.008
    fold_noise: float = 0.0
    every: int = 60
    exact: int = 400
    active: int = 300
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

    summary: ClassVar[str] = "a Gaussian process picks each trial; needs the fewest trials, 10-60 ms a suggestion"
    uses_prior: ClassVar[bool] = True
    type: Literal["bayesian"] = "bayesian"
    startup: int = Field(default=3, ge=1, le=1000, title="Points before the model")
    """How many configurations, the defaults and your own included, come before the model is asked."""

    def suggest(self, history: View, trial: int, rng: np.random.Generator) -> Suggestion | Answer:
        encoding = encoding_of(history.space)
        seen = observe(history)
        suggestion = design(history, seen, trial, self.startup)
        if suggestion is None and len(seen.loss) > 1 and len(encoding.numeric) + len(encoding.category):
            suggestion = _model_based(history, encoding, seen, rng)
        if suggestion is not None:
            return suggestion
        values = unseen(history, rng)
        return values if isinstance(values, Answer) else Suggestion(values, origin="random")


def _model_based(
    history: View, encoding: Encoding, seen: Observations, rng: np.random.Generator
) -> Suggestion | None:
    """Return the configuration of largest log expected improvement, None if the search finds no new one."""
    from hptune.surrogate.acquisition import log_ei, log_ei_slopes
    from hptune.surrogate.maximize import Effort, ranked

    known = earlier(history.history)
    believed = [_believed(encoding, one) for one in known]
    model, numbers, w = _fitted(encoding, seen, believed)
    leaders = seen.rows[numbers[np.argsort(model.mean(*encoding.split(seen.rows[numbers])), kind="stable")][:8]]
    for one in known:
        leaders = np.concatenate([leaders[:6], one.rows[one.order[:2]]])
    feasible = _feasible(model.residual, seen, len(numbers))
    if len(seen.pending):
        model = model.with_pending(*encoding.split(seen.rows[seen.pending]))
    threshold = float(w.min()) - RECIPE.margin

    def score(X: Array) -> Array:
        inputs = encoding.split(X)
        value = log_ei(*model.predict(*inputs), threshold)
        return value if feasible is None else value + np.log(np.clip(feasible.mean(*inputs), 0.02, 1.0))

    def slopes(X: Array) -> tuple[Array, Array]:
        value, gradient = log_ei_slopes(*model.slopes(*encoding.split(X)), threshold)
        return value, gradient[:, encoding.real]

    X, _ = ranked(
        encoding,
        score,
        slopes,
        leaders,
        model.length,
        seen.keys,
        rng,
        Effort(),
        _neglected(encoding, seen),
    )
    for row in X:
        values = history.space.decode(row)
        if not history.seen(values):
            predicted = _predicted(model, encoding, row, seen, w)
            return Suggestion(values, origin="model", predicted=predicted)
    return None


def _neglected(encoding: Encoding, seen: Observations) -> Callable[[Array], NDArray[np.bool_]] | None:
    """Return the test for a top-level branch that has had too few trials, None if there is none.

    One bad early point can make a model write off a branch that it has hardly seen.
    """
    for column in encoding.branches:
        levels = encoding.columns[column].levels
        counts = np.bincount(np.nan_to_num(seen.rows[:, column]).astype(np.int64), minlength=levels)
        if counts.min() < int(RECIPE.branch_share * len(seen.rows) / levels):
            return partial(_in_branch, column, int(counts.argmin()))
    return None


def _in_branch(column: int, level: int, X: Array) -> NDArray[np.bool_]:
    return np.asarray(X[:, column] == level)


# -- the model ------------------------------------------------------------------------------------------------------


_BELIEVED: weakref.WeakKeyDictionary[Earlier, GaussianProcess] = weakref.WeakKeyDictionary()


def _believed(encoding: Encoding, known: Earlier) -> GaussianProcess:
    """Return the process fitted to an earlier study, remembered."""
    from hptune.surrogate.gp import GaussianProcess, Prior, fit

    if known not in _BELIEVED:
        U, Z = encoding.split(known.rows)
        extra = np.zeros(len(known.w))
        prior = Prior(length=RECIPE.length * encoding.effective**0.5, theta=RECIPE.theta, noise=RECIPE.noise)
        phi = fit(U, Z, known.w, extra, prior)
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


def _fitted(encoding: Encoding, seen: Observations, believed: list[GaussianProcess]) -> tuple[Shifted, Index, Array]:
    """Return the model, the numbers of the measured trials that are in it, and all warped losses.

    The process is fitted to what the earlier studies leave unexplained.
    """
    from hptune.surrogate.gp import GaussianProcess
    from hptune.surrogate.prior_mean import Shifted
    from hptune.surrogate.warp import warp

    n = _fit_size(len(seen.loss))
    part = _active(seen.loss[:n])
    w = warp(seen.loss[:n])
    extra = _extra(seen.loss[:n], w, seen.variance[:n])
    inputs = encoding.split(seen.rows[seen.measured[:n][part]])
    y = w[part]
    if believed:
        trusted, constant = _weighted(encoding, seen.rows[seen.measured[:n][part]], y, believed)
        y = y - sum((beta * one.mean(*inputs) for beta, one in trusted), np.full(len(y), -constant))
    phi = _hyperparameters(*inputs, y, extra[part], _prior(encoding, seen, w))
    w = warp(seen.loss)
    keep = _active(seen.loss)
    failed = seen.failed[-RECIPE.failures :]
    y = np.concatenate([w[keep], np.full(len(failed), w.max() + RECIPE.failure_step)])
    extra = np.concatenate([_extra(seen.loss, w, seen.variance)[keep], np.full(len(failed), RECIPE.failure_noise)])
    numbers = seen.measured[keep]
    U, Z = encoding.split(seen.rows[np.concatenate([numbers, failed])])
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


def _extra(loss: Array, w: Array, variance: Array) -> Array:
    """Return the extra variances of losses as those of their warped values, shape (n,)."""
    from hptune.surrogate.warp import slopes

    return slopes(loss, w, np.sqrt(variance)) ** 2 if variance.any() else np.zeros(len(w))


def _prior(encoding: Encoding, seen: Observations, w: Array) -> Prior:
    """Return the priors for this space, the noise prior moved by what the folds show."""
    from hptune.surrogate.gp import Prior
    from hptune.surrogate.warp import slopes

    noise = RECIPE.noise
    if RECIPE.fold_noise and seen.noise is not None and len(w) > 5:
        # The better half decides: the warp flattens the other, and precision matters where the optimum may lie.
        good = np.argsort(seen.loss[: len(w)], kind="stable")[: len(w) // 2 + 1]
        steps = slopes(seen.loss[: len(w)], w, np.full(len(w), np.sqrt(seen.noise)))[good]
        noise = float(np.clip(RECIPE.fold_noise * np.median(steps) ** 2, RECIPE.noise, 0.1))
    return Prior(length=RECIPE.length * encoding.effective**0.5, theta=RECIPE.theta, noise=noise)


def _active(loss: Array) -> Index:
    """Return which of the losses the model sees when there are too many: the best, the latest, and a spread."""
    n, third = len(loss), RECIPE.active // 3
    if n <= RECIPE.exact:
        return np.arange(n)
    order = np.argsort(loss, kind="stable")
    keep = set(order[:third].tolist()) | set(range(n - third, n))
    spread = [int(i) for i in order[np.linspace(0, n - 1, 4 * third).astype(np.intp)] if int(i) not in keep]
    step = max(len(spread) // max(RECIPE.active - len(keep), 1), 1)
    return np.array(sorted(keep | set(spread[::step][: RECIPE.active - len(keep)])), dtype=np.intp)


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


def _predicted(model: Shifted, encoding: Encoding, row: Array, seen: Observations, w: Array) -> tuple[float, float]:
    """Return mean and standard deviation of the loss at a row, in natural units, through the inverse of the warp."""
    mean, deviation = (float(one[0]) for one in model.predict(*encoding.split(row[None])))
    image, first = np.unique(w, return_index=True)
    known = seen.loss[first]
    low, middle, high = np.interp([mean - deviation, mean, mean + deviation], image, known)
    return float(np.ldexp(middle, seen.exponent)), float(np.ldexp(high / 2 - low / 2, seen.exponent))
