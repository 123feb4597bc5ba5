"""The output warp: what a loss is to the model. Half-rank, then logarithm, then standardised.

Legend: y losses in natural units (smaller is better), shape (n,); w warped losses, mean 0 and variance 1; med their
median; SD_good the root mean square distance of the distinct good losses from it; s = 1.5.

Half-rank and log warps: Song et al. 2024 (arXiv 2408.11527), appendix. Losses better than the median keep their
spacing, worse ones keep only their rank, so that one disastrous value cannot flatten the good half; the logarithm
then spreads the good end. Invariant to any affine change of y, to the last bit for a power of two. In place of the
median another quantile may be asked for.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

Array = NDArray[np.float64]

LOG_BASE = 1.5


def half_rank(y: Array, spaced: float = 0.5) -> Array:
    """Return losses in units of the good range, those worse than the median replaced by normal scores of their ranks.

    The median, or the quantile `spaced`, is 0 and the best loss -1, unless they are the same. Equal losses stay equal.
    """
    if np.max(np.abs(y)) > 1e300:
        y = y / 4.0  # so that no difference below overflows
    ordered = np.sort(y)
    median = ordered[int((len(y) - 1) * spaced)]  # a loss that occurred, so that the warp is the same for every scale
    spread = median - ordered[0]
    good = y <= median
    out = np.zeros(len(y))
    if spread > 0:
        out[good] = (y[good] - median) / spread
    distinct = np.unique(out[good])
    deviation = float(np.sqrt(np.mean(distinct**2))) if spread > 0 else 1.0
    bad = y[~good]
    if len(bad):
        _, index, counts = np.unique(bad, return_inverse=True, return_counts=True)
        middle = (np.cumsum(counts) - counts + (counts - 1) / 2.0)[index]  # mean rank among the bad, 0 = least bad
        q = 0.5 * (len(bad) - 1 - middle + 0.5) / len(bad)
        out[~good] = -deviation * ndtri(q)
    return out


def warp(y: Array, spaced: float = 0.5) -> Array:
    """Return losses as the model sees them: half-rank, log, standardised, shape (n,); zeros where all are equal.

    `spaced` is the quantile of `half_rank`; with 1 all losses keep their spacing.
    """
    ranked = half_rank(y, spaced)
    low, high = float(ranked.min()), float(ranked.max())
    if not high > low:
        return np.zeros(len(y))
    spread = np.log1p((ranked - low) / (high - low) * (LOG_BASE - 1.0)) / np.log(LOG_BASE)
    centred = spread - spread.mean()
    return np.asarray(centred / np.sqrt(np.mean(centred**2)))


def slopes(y: Array, w: Array, step: Array) -> Array:
    """Return how far the warp carries a change of ±step around each loss, shape (n,): its local standard deviation.

    Outside the observed losses the warp is flat, and a step reaches half of their range at most.
    """
    known, first = np.unique(y, return_index=True)
    image = w[first]
    if len(known) < 2:
        return np.zeros(len(y))
    span = known[-1] - known[0]
    if not np.isfinite(span) or span <= 0:
        return np.zeros(len(y))
    position = (y - known[0]) / span
    grid = (known - known[0]) / span
    reach = np.minimum(step / span, 0.5)
    rise = np.interp(position + reach, grid, image) - np.interp(position - reach, grid, image)
    return np.asarray(np.abs(rise) / 2.0)
