"""Bayesian optimisation: a Gaussian process over mixed, conditional spaces, and log expected improvement.

The recipe and what was measured of each of its parts: docs/decisions/0005-bayesian-oracle.md.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from hptune.design import design
from hptune.encoding import Encoding, encoding_of
from hptune.history import View
from hptune.observations import Observations, observe
from hptune.oracle import Answer, OracleSpec, unseen
from hptune.trial import Suggestion

if TYPE_CHECKING:  # scipy is loaded when the model is first needed
    from hptune.surrogate.gp import GaussianProcess, Prior

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Recipe:
    """The settings that no user has to know; each was chosen by benchmark."""

    startup: int = 3
    margin: float = 0.1
    exact: int = 400
    active: int = 300
    every: int = 60
    enumerate_up_to: int = 1000
    failure_step: float = 0.25
    failure_noise: float = 0.5
    mean_threshold: bool = False
    stall: int = 0
    period: int = 2
    rescue: str = "pe"
    branch_share: float = 0.0
    noise: float = 0.008
    noise_sd: float = 1.0
    fold_noise: float = 0.0
    length: float = 0.22
    short_start: bool = True
    mix: int = 0
    average: bool = True
    branch_theta: float = 0.7
    mode: bool = False


RECIPE = Recipe()


class Bayesian(OracleSpec):
    """Gaussian-process optimisation: few, well chosen trials; the choice under some 300 trials.

    Starts with the defaults, a few Sobol points and one point per top-level branch, then every trial maximises the
    log expected improvement of a model fitted to all results so far.
    """

    summary: ClassVar[str] = "a Gaussian process picks each trial; needs the fewest trials, 10-50 ms a suggestion"
    type: Literal["bayesian"] = "bayesian"
    startup: int = Field(default=3, ge=1, le=1000, title="Points before the model")
    """How many configurations, the defaults and your own included, come before the model is asked."""

    def suggest(self, history: View, trial: int, rng: np.random.Generator) -> Suggestion | Answer:
        encoding = encoding_of(history.space)
        seen = observe(history)
        suggestion = design(history, seen, trial, self.startup)
        if suggestion is None and len(encoding.numeric) + len(encoding.category):
            suggestion = _model_based(history, encoding, seen, trial, rng)
        if suggestion is not None:
            return suggestion
        values = unseen(history, rng)
        return values if isinstance(values, Answer) else Suggestion(values, origin="random")


# -- the model ------------------------------------------------------------------------------------------------------


def _model_based(
    history: View, encoding: Encoding, seen: Observations, trial: int, rng: np.random.Generator
) -> Suggestion | None:
    from hptune.surrogate.acquisition import log_ei, log_ei_slopes
    from hptune.surrogate.maximize import Effort, ranked

    model, chosen, w = _fitted(encoding, seen)
    best_first = chosen[np.argsort(model.mean(*encoding.split(seen.rows[chosen])), kind="stable")]
    if len(seen.pending):
        model = model.with_pending(*encoding.split(seen.rows[seen.pending]))
    means = model.mean(*encoding.split(seen.rows[best_first[:1]]))
    threshold = float(means[0] if RECIPE.mean_threshold else w.min()) - RECIPE.margin

    def score(X: Array) -> Array:
        return log_ei(*model.predict(*encoding.split(X)), threshold)

    def slopes(X: Array) -> tuple[Array, Array]:
        value, gradient = log_ei_slopes(*model.slopes(*encoding.split(X)), threshold)
        return value, gradient[:, encoding.real]

    leaders = seen.rows[best_first[:8]]
    restrict = _neglected(encoding, seen)
    rescue = restrict is None and _stalled(seen)
    if RECIPE.mix and trial % RECIPE.mix == 0:
        rescue = True
    if rescue and RECIPE.rescue == "random":
        return None
    if rescue and RECIPE.rescue == "tpe":
        from hptune.oracles.tpe import Tpe

        return Tpe()._model_based(history, encoding, seen, rng)
    if rescue and RECIPE.rescue == "pe":
        best_mean = float(means[0])

        def score(X: Array) -> Array:
            mean, deviation = model.predict(*encoding.split(X))
            return np.where(mean - 1.8 * deviation <= best_mean, np.log(deviation), -1e3 - mean)

        slopes = None
    if rescue and RECIPE.rescue == "wide":
        from dataclasses import replace as rep

        phi = model.phi.copy()
        d = len(encoding.numeric)
        phi[:d] = np.minimum(phi[:d], np.log(_prior(encoding).length)) - 0.7
        phi[d:-1] = np.maximum(phi[d:-1], np.log(0.7))
        phi[-1] = np.log(0.01)
        model = rep(model, phi=phi)
    X, _ = ranked(encoding, score, slopes, leaders, model.length, seen.keys, rng, Effort(), restrict)
    for row in X:
        values = history.space.decode(row)
        if not history.seen(values):
            predicted = _predicted(model, encoding, row, seen, w)
            return Suggestion(values, origin="model", predicted=predicted)
    return None


def _stalled(seen: Observations) -> bool:
    if not RECIPE.stall:
        return False
    since = len(seen.loss) - 1 - int(np.argmin(seen.loss))
    return since >= RECIPE.stall and (since - RECIPE.stall) % RECIPE.period == 0


def _neglected(encoding: Encoding, seen: Observations):
    if not RECIPE.branch_share:
        return None
    for j in encoding.branches:
        levels = encoding.columns[j].levels
        counts = np.bincount(seen.rows[:, j].astype(int), minlength=levels)
        if counts.min() < int(RECIPE.branch_share * len(seen.rows) / levels):
            level = int(counts.argmin())
            return lambda X: X[:, j] == level
    return None


def _fitted(encoding: Encoding, seen: Observations) -> tuple[GaussianProcess, NDArray[np.intp], Array]:
    """Return the model, the indices of the trials with a loss that are in it, and all warped losses."""
    from hptune.surrogate.gp import GaussianProcess
    from hptune.surrogate.warp import warp

    w = warp(seen.loss)
    extra = _extra(seen.loss, w, seen.variance)
    keep = _active(seen.loss)
    n = _fit_size(len(w))
    fit_keep = _active(seen.loss[:n])
    fit_w = warp(seen.loss[:n])
    phi = _hyperparameters(
        *encoding.split(seen.rows[seen.measured[:n][fit_keep]]),
        fit_w[fit_keep],
        _extra(seen.loss[:n], fit_w, seen.variance[:n])[fit_keep],
        _prior(encoding),
    )
    failed = seen.failed[-100:]
    y = np.concatenate([w[keep], np.full(len(failed), w.max() + RECIPE.failure_step)])
    extra = np.concatenate([extra[keep], np.full(len(failed), RECIPE.failure_noise)])
    U, Z = encoding.split(seen.rows[np.concatenate([seen.measured[keep], failed])])
    return GaussianProcess(U, Z, encoding.levels, y, extra, phi, RECIPE.mode), seen.measured[keep], w


def _extra(loss: Array, w: Array, variance: Array) -> Array:
    """Return the extra variances of losses as those of their warped values."""
    from hptune.surrogate.warp import slopes

    return slopes(loss, w, np.sqrt(variance)) ** 2 if variance.any() else np.zeros(len(w))


def _prior(encoding: Encoding) -> Prior:
    from hptune.surrogate.gp import Prior

    old = float(sum(0.5 if encoding.space[encoding.columns[j].parameter].when else 1.0 for j in encoding.numeric))
    eff = encoding.effective if RECIPE.average else max(old, 1.0)
    theta = tuple(RECIPE.branch_theta if int(j) in encoding.branches else 0.7 for j in encoding.category)
    return Prior(length=RECIPE.length * eff ** 0.5, theta=theta or 0.7, noise=RECIPE.noise, noise_sd=RECIPE.noise_sd)


def _active(loss: Array) -> NDArray[np.intp]:
    """Return which of the measured trials the model sees when there are too many: the best, the latest, a spread."""
    n, third = len(loss), RECIPE.active // 3
    if n <= RECIPE.exact:
        return np.arange(n)
    order = np.argsort(loss, kind="stable")
    keep = set(order[:third].tolist()) | set(range(n - third, n))
    spread = [int(i) for i in order[np.linspace(0, n - 1, 4 * third).astype(np.intp)] if int(i) not in keep]
    step = max(len(spread) // max(RECIPE.active - len(keep), 1), 1)
    return np.array(sorted(keep | set(spread[::step][: RECIPE.active - len(keep)])), dtype=np.intp)


_FITS: OrderedDict[bytes, Array] = OrderedDict()


def _hyperparameters(U: Array, Z: Any, y: Array, extra: Array, prior: Prior) -> Array:
    """Return the fitted hyperparameters, remembered by all they depend on."""
    from hptune.surrogate.gp import fit

    parts = (U, Z, y, extra)
    digest = hashlib.blake2b(repr(prior).encode(), digest_size=16)
    for part in parts:
        digest.update(np.ascontiguousarray(part).tobytes())
    key = digest.digest()
    if key not in _FITS:
        _FITS[key] = fit(*parts, prior)
        while len(_FITS) > 64:
            _FITS.popitem(last=False)
    return _FITS[key]


def _fit_size(n: int) -> int:
    """Return how many of n points the hyperparameters are fitted to: all of few, then sizes that grow by 5 %."""
    if n <= RECIPE.every:
        return n
    size = RECIPE.every
    while size + max(size // 20, 1) <= n:
        size += max(size // 20, 1)
    return size


def _predicted(
    model: GaussianProcess, encoding: Encoding, row: Array, seen: Observations, w: Array
) -> tuple[float, float]:
    """Return mean and standard deviation of the loss at a row, in natural units, through the inverse of the warp."""
    mean, deviation = (float(one[0]) for one in model.predict(*encoding.split(row[None])))
    image, first = np.unique(w, return_index=True)
    known = seen.loss[first]
    low, middle, high = np.interp([mean - deviation, mean, mean + deviation], image, known)
    return float(np.ldexp(middle, seen.exponent)), float(np.ldexp(high / 2 - low / 2, seen.exponent))
