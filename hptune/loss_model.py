"""How a study's losses become a Gaussian process's data: what the Bayesian oracle and `hptune importance` share.

The values and what was measured of them: docs/decisions/0005-bayesian-oracle.md.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from hptune.encoding import Encoding
from hptune.observations import Observations

if TYPE_CHECKING:  # scipy is loaded when a model is first needed
    from hptune.surrogate.gp import Prior

Array = NDArray[np.float64]
Index = NDArray[np.intp]

PRIOR_LENGTH: Final = 0.22
"""The prior centre of a length scale is this times the root of the numeric columns active on average."""

PRIOR_THETA: Final = 0.7
"""The prior centre of the category weights."""

PRIOR_NOISE: Final = 0.008
"""The prior centre of the noise variance, as a share of the signal's."""

EXACT, KEPT = 400, 300
"""Up to so many losses the model sees all of them, of more the second number."""


def prior_of(
    encoding: Encoding, *, length: float = PRIOR_LENGTH, theta: float = PRIOR_THETA, noise: float = PRIOR_NOISE
) -> Prior:
    """Return the priors for a space."""
    from hptune.surrogate.gp import Prior

    return Prior(length=length * encoding.effective**0.5, theta=theta, noise=noise)


def inputs_of(encoding: Encoding, seen: Observations, numbers: Index) -> tuple[Array, NDArray[np.int64]]:
    """Return the model's inputs for trials as they were measured: with a last number for the fidelity, if it varies."""
    U, Z = encoding.split(seen.rows[numbers])
    return (U if seen.position is None else np.column_stack([U, seen.position[numbers]])), Z


def warped_variance(loss: Array, w: Array, variance: Array) -> Array:
    """Return the extra variances of losses as those of their warped values w, shape (n,)."""
    from hptune.surrogate.warp import slopes

    return slopes(loss, w, np.sqrt(variance)) ** 2 if variance.any() else np.zeros(len(w))


def thinned(loss: Array, exact: int = EXACT, kept: int = KEPT) -> Index:
    """Return which of more than `exact` losses the model sees: the best, the latest, and a spread over the ranks."""
    n, third = len(loss), kept // 3
    if n <= exact:
        return np.arange(n)
    order = np.argsort(loss, kind="stable")
    keep = set(order[:third].tolist()) | set(range(n - third, n))
    spread = [int(i) for i in order[np.linspace(0, n - 1, 4 * third).astype(np.intp)] if int(i) not in keep]
    step = max(len(spread) // max(kept - len(keep), 1), 1)
    return np.array(sorted(keep | set(spread[::step][: kept - len(keep)])), dtype=np.intp)
