"""Sobol' indices: which inputs the variance of a function comes from.

Legend: N pairs of points; f values of D functions, shape (N, D) each; V their variances, shape (D,).

    T_i  = E (f(x) - f(x'))² / 2V,   x and x' alike in all but input i            total effect       (1)
    S_i  = E (f(x) - Ef)(f(x') - Ef) / V,   x and x' alike in input i alone       first order        (2)
    Y_ij = E (f(x) - f(x_i) - f(x_j) + f(x_ij))² / 4V,   x_i: input i drawn anew  interaction        (3)

(1): M. Jansen, "Analysis of variance designs for model output" (1999). (2): Saltelli et al., "Variance based sensitivity
analysis of model output" (2010), table 2, which takes f(x) - f(x'') with the same other inputs as x' for the second
factor where there is such a point: the less of the variance an input has, the more exact that is. (3): the total
interaction index of Liu and Owen (2006) and of Fruth, Roustant and Kuhnt (2014): all that two inputs do only together,
with others or without. Where inputs depend on each other x' is drawn given what it shares with x (Kucherenko, Tarantola
and Annoni 2012).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def total_effect(f: Array, other: Array, V: Array) -> Array:
    """Return (1), shape (D,)."""
    return np.asarray(np.mean((f - other) ** 2, axis=0) / (2.0 * V))


def first_order(f: Array, alike: Array, V: Array, control: Array | None = None) -> Array:
    """Return (2), shape (D,); `control` are values where the inputs that are not shared are as in `alike`."""
    centred = f - f.mean(axis=0)
    factor = alike - alike.mean(axis=0) if control is None else alike - control
    return np.asarray(np.mean(centred * factor, axis=0) / V)


def interaction(f: Array, first: Array, second: Array, both: Array, V: Array) -> Array:
    """Return (3), shape (D,)."""
    return np.asarray(np.mean((f - first - second + both) ** 2, axis=0) / (4.0 * V))
