"""Pairs of configurations that differ in one parameter alone, or share one alone: what Sobol' indices are made of.

Legend: N points; C columns of the space; M rows in all; A and B independent points; AB_i is A with the entries of
parameter i from B.

Every parameter has an entry in a *latent* row, active or not, drawn as `random` draws it; what is inactive is blanked
afterwards. So a parent may change branches beside children that stay, and a child counts where it is active.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hptune.encoding import Encoding, Rows

Index = NDArray[np.intp]

TRIES = 30
"""How often what a constraint forbids is drawn again; after that there is hardly anything else that it allows."""


@dataclass(frozen=True, eq=False)
class Pairs:
    """Legal rows X (M, C) and which of them to set beside each other, as indices.

    `base` are independent points. Of each varying parameter `apart` has two rows alike in all else, `alike` two rows
    with nothing else in common and, where there is one, a third that differs from the second in the parameter alone.
    `squares` are x, x_i, x_j and x_ij of each pair of parameters asked for (`hptune.sensitivity`).
    """

    X: Rows
    base: Index
    apart: tuple[tuple[Index, Index], ...]
    alike: tuple[tuple[Index, Index, Index | None], ...]
    squares: tuple[tuple[Index, Index, Index, Index], ...]


def pairs_of(encoding: Encoding, both: Sequence[tuple[int, int]], U: Rows) -> Pairs:
    """Return the pairs drawn by uniform numbers U (N, 2 C); `both` are pairs of varying parameters, by position.

    With constraints only allowed rows count: what is drawn anew is drawn until it is allowed, given the rest.
    """
    N, C = len(U), encoding.width
    columns = tuple(encoding.varying.values())
    A, B = encoding.spread(U[:, :C]), encoding.spread(U[:, C:])
    if encoding.space.constraints:
        return _constrained(encoding, columns, both, A)
    rows = [A, B, *(_with(A, B, i) for i in columns)]
    rows += [_with(_with(A, B, columns[i]), B, columns[j]) for i, j in both]
    block = [np.arange(N) + N * place for place in range(len(rows))]
    first, second, single, double = block[0], block[1], block[2 : 2 + len(columns)], block[2 + len(columns) :]
    return Pairs(
        encoding.legal(np.concatenate(rows)),
        np.concatenate([first, second]),
        tuple((first, one) for one in single),
        tuple((second, one, first) for one in single),
        tuple((first, single[i], single[j], one) for (i, j), one in zip(both, double, strict=True)),
    )


def _with(A: Rows, B: Rows, columns: Index) -> Rows:
    out = A.copy()
    out[:, columns] = B[:, columns]
    return out


def _constrained(encoding: Encoding, columns: Sequence[Index], both: Sequence[tuple[int, int]], A: Rows) -> Pairs:
    rng = np.random.default_rng(np.frombuffer(A[:4].tobytes(), dtype=np.uint32))
    every = np.arange(encoding.width)
    A, found = _redrawn(encoding, A, every, rng)
    A = A[found] if found.any() else A
    N = len(A)
    apart = [_anew(encoding, A, own, rng) for own in columns]
    alike = [_anew(encoding, A, np.setdiff1d(every, own), rng) for own in columns]
    double = [_with(apart[i], apart[j], columns[j]) for i, j in both]
    block = [np.arange(N) + N * place for place in range(1 + 2 * len(columns) + len(double))]
    X = encoding.legal(np.concatenate([A, *apart, *alike, *double]))
    k = len(columns)
    squares = []
    for (i, j), one in zip(both, block[1 + 2 * k :], strict=True):
        keep = np.flatnonzero(encoding.allowed(X[one]))  # the other three are allowed
        squares.append((block[0][keep], block[1 + i][keep], block[1 + j][keep], one[keep]))
    return Pairs(
        X,
        block[0],
        tuple((block[0], one) for one in block[1 : 1 + k]),
        tuple((block[0], one, None) for one in block[1 + k : 1 + 2 * k]),
        tuple(squares),
    )


def _anew(encoding: Encoding, A: Rows, columns: Index, rng: np.random.Generator) -> Rows:
    """Return latent rows with these columns drawn given the others; as they were where nothing else is found."""
    X, found = _redrawn(encoding, _with(A, encoding.spread(rng.random(A.shape)), columns), columns, rng)
    X[~found] = A[~found]
    return X


def _redrawn(encoding: Encoding, X: Rows, columns: Index, rng: np.random.Generator) -> tuple[Rows, NDArray[np.bool_]]:
    """Return latent rows with these columns drawn again while they are not allowed, and which are in the end."""
    X = X.copy()
    left = np.flatnonzero(~encoding.allowed(encoding.legal(X)))
    for _ in range(TRIES):
        if not len(left):
            break
        X[np.ix_(left, columns)] = encoding.spread(rng.random((len(left), encoding.width)))[:, columns]
        left = left[~encoding.allowed(encoding.legal(X[left]))]
    found = np.ones(len(X), dtype=bool)
    found[left] = False
    return X, found
