"""How well a Gaussian process predicts what it was not fitted to: R2 by cross-validation, hyperparameters fitted anew.

With the hyperparameters of all data the errors look far too small: of 15 losses of noise in six columns R2 came to .36
instead of below 0 (docs/decisions/0009-importance.md).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from hptune.surrogate.gp import GaussianProcess, Prior, fit
from hptune.surrogate.kernels import Array, Levels


def folds_of(groups: Sequence[object], count: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Return the fold of each point, shape (n,): `count` folds, or as many as groups, each group in one."""
    number = {group: i for i, group in enumerate(dict.fromkeys(groups))}
    fold = rng.permutation(len(number)) % count
    return np.array([fold[number[group]] for group in groups], dtype=np.int64)


def r2(
    U: Array,
    Z: Levels,
    levels: Levels,
    y: Array,
    extra: Array,
    prior: Prior,
    folds: NDArray[np.int64],
    told: NDArray[np.bool_],
) -> float:
    """Return 1 - squared errors of the process / those of the mean, both of the other folds, over the points `told`.

    U (n, d), Z (n, c), y, extra, folds and told (n,). 0 where the mean makes no error.
    """
    off, spread = 0.0, 0.0
    for fold in np.unique(folds[told]):
        rest, here = folds != fold, (folds == fold) & told
        phi = fit(U[rest], Z[rest], y[rest], extra[rest], prior)
        model = GaussianProcess(U[rest], Z[rest], levels, y[rest], extra[rest], phi)
        off += float(np.sum((y[here] - model.mean(U[here], Z[here])) ** 2))
        others = y[rest & told]
        spread += float(np.sum((y[here] - (others.mean() if len(others) else 0.0)) ** 2))
    return 1.0 - off / spread if spread > 0 else 0.0
