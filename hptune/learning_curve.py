"""What the rows that a fold holds back are worth: from the loss at half the rows to the loss at all of them.

Cross-validation measures models fitted on a share of the rows; the one taken home is fitted on all of them, and is a
little better. With a loss that falls like a + b / rows (parametric models near their limit: Viering & Loog 2023,
"The Shape of Learning Curves: a Review", table 1), the step from the share s to all rows follows from the step from
s/2 to s:

    L(s n) - L(n)  =  (1 - s) [ L(s n / 2) - L(s n) ]

The factor is forgiving: for losses that fall like rows^-1/2 or rows^-3/2 it is 0.26 or 0.16 instead of 0.20 at s = 0.8.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray


def refit_gain(whole: ArrayLike, halved: ArrayLike, *, test_share: float) -> float:
    """Return by how much fitting on all rows is expected to lower the loss of models fitted on a fold's rows.

    `whole` and `halved` are losses on the same folds, shape (J,), of models fitted on a fold's rows and on half of
    them. `test_share` is n2/n1, rows that judge / rows that fit. Negative where more rows did harm: the estimate is
    kept without a bias, not cut at zero. Raises `ValueError` if the shapes differ or are empty.
    """
    L, H = np.asarray(whole, dtype=float), np.asarray(halved, dtype=float)
    if L.shape != H.shape or L.ndim != 1 or not len(L):
        raise ValueError(f"whole, halved: expected two equal shapes (J,), found {L.shape} and {H.shape}")
    return float((1.0 - 1.0 / (1.0 + test_share)) * np.mean(H - L))


def half(
    rows: NDArray[np.intp],
    rng: np.random.Generator,
    *,
    classes: NDArray[np.generic] | None = None,
    groups: NDArray[np.generic] | None = None,
) -> NDArray[np.intp]:
    """Return about half of these row numbers, drawn: of every class (`classes`: a label per row), whole `groups`."""
    if groups is not None:
        found = np.unique(groups)
        kept = rng.permutation(found)[: max(len(found) // 2, 1)]
        return rows[np.isin(groups, kept)]
    order = rng.permutation(len(rows))
    if classes is None:
        return rows[order[: max(len(rows) // 2, 1)]]
    parts = [order[classes[order] == label] for label in np.unique(classes)]
    kept = np.concatenate([part[: max(round(len(part) / 2), 1)] for part in parts])
    chosen: NDArray[np.intp] = rows[kept]
    return chosen
