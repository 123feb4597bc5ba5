"""Scrambled Sobol points: a low-discrepancy sequence in the unit cube, any point of it at once.

Direction numbers: S. Joe and F. Y. Kuo, "Constructing Sobol sequences with better two-dimensional projections", SIAM
J. Sci. Comput. 30 (2008), the first 64 dimensions. Scrambling: random lower-triangular matrix plus digital shift (J.
Matoušek, "On the L2-discrepancy for anchored boxes", J. Complexity 14 (1998)). Points are Gray-code ordered, as in
Antonov and Saleev (1979). Tests check it against SciPy's independent implementation, which takes a second to import.

Legend: d dimensions; i the point's index from 0; BITS the binary digits of a coordinate.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

BITS = 30

# Dimension 2 onwards, "polynomial:m1,m2,..." (the polynomial's coefficients read as binary digits).
_JOE_KUO = """
    3:1 7:1,3 11:1,3,1 13:1,1,1 19:1,1,3,3 25:1,3,5,13 37:1,1,5,5,17 41:1,1,5,5,5 47:1,1,7,11,19 55:1,1,5,1,1
    59:1,1,1,3,11 61:1,3,5,5,31 67:1,3,3,9,7,49 91:1,1,1,15,21,21 97:1,3,1,13,27,49 103:1,1,1,15,7,5
    109:1,3,1,15,13,25 115:1,1,5,5,19,61 131:1,3,7,11,23,15,103 137:1,3,7,13,13,15,69 143:1,1,3,13,7,35,63
    145:1,3,5,9,1,25,53 157:1,3,1,13,9,35,107 167:1,3,1,5,27,61,31 171:1,1,5,11,19,41,61 185:1,3,5,3,3,13,69
    191:1,1,7,13,1,19,1 193:1,3,7,5,13,19,59 203:1,1,3,9,25,29,41 211:1,3,5,13,23,1,55 213:1,3,7,3,13,59,17
    229:1,3,1,3,5,53,69 239:1,1,5,5,23,33,13 241:1,1,7,7,1,61,123 247:1,1,7,9,13,61,49 253:1,3,3,5,3,55,33
    285:1,3,1,15,31,13,49,245 299:1,3,5,15,31,59,63,97 301:1,3,1,11,11,11,77,249 333:1,3,1,11,27,43,71,9
    351:1,1,7,15,21,11,81,45 355:1,3,7,3,25,31,65,79 357:1,3,1,1,19,11,3,205 361:1,1,5,9,19,21,29,157
    369:1,3,7,11,1,33,89,185 391:1,3,3,3,15,9,79,71 397:1,3,7,11,15,39,119,27 425:1,1,3,1,11,31,97,225
    451:1,1,1,3,23,43,57,177 463:1,3,7,7,17,17,37,71 487:1,3,1,5,27,63,123,213 501:1,1,3,5,11,43,53,133
    529:1,3,5,5,29,17,47,173,479 539:1,3,3,11,3,1,109,9,69 545:1,1,1,5,17,39,23,5,343 557:1,3,1,5,25,15,31,103,499
    563:1,1,1,11,11,17,63,105,183 601:1,1,5,11,9,29,97,231,363 607:1,1,5,15,19,45,41,7,383
    617:1,3,7,7,31,19,83,137,221 623:1,1,1,3,23,15,111,223,83 631:1,1,5,13,31,15,55,25,161
    637:1,1,3,13,25,47,39,87,257
"""

MAX_DIMENSION = 64


@lru_cache(maxsize=8)
def directions(d: int) -> NDArray[np.uint64]:
    """Return the direction numbers V, shape (d, BITS), as integers below 2^BITS; raises ValueError for d > 64."""
    if not 1 <= d <= MAX_DIMENSION:
        raise ValueError(f"expected 1 to {MAX_DIMENSION} dimensions, found {d}")
    out = np.zeros((d, BITS), dtype=np.uint64)
    out[0] = [1 << (BITS - 1 - k) for k in range(BITS)]
    for row, entry in enumerate(_JOE_KUO.split()[: d - 1], start=1):
        text, numbers = entry.split(":")
        polynomial, m = int(text), [int(one) for one in numbers.split(",")]
        degree = len(m)
        for k in range(degree, BITS):  # Joe and Kuo (2008), equation (2)
            new = m[k - degree] ^ (m[k - degree] << degree)
            for j in range(1, degree):
                if polynomial >> (degree - j) & 1:
                    new ^= m[k - j] << j
            m.append(new)
        out[row] = [m[k] << (BITS - 1 - k) for k in range(BITS)]
    return out


@lru_cache(maxsize=8)
def _scrambled(d: int, seed: int) -> tuple[NDArray[np.uint64], NDArray[np.uint64]]:
    """Return scrambled direction numbers, shape (d, BITS), and the digital shift, shape (d,)."""
    rng = np.random.default_rng([seed, 0x50B01])
    plain = directions(d)
    matrix = np.tril(rng.integers(0, 2, size=(d, BITS, BITS)), -1) + np.eye(BITS, dtype=np.int64)
    bits = (plain[:, :, None] >> np.arange(BITS - 1, -1, -1, dtype=np.uint64)) & np.uint64(1)  # (d, number, digit)
    mixed = np.einsum("dij,dkj->dki", matrix, bits.astype(np.int64)) % 2
    weights = np.uint64(1) << np.arange(BITS - 1, -1, -1, dtype=np.uint64)
    return (mixed.astype(np.uint64) * weights).sum(axis=2, dtype=np.uint64), rng.integers(
        0, 1 << BITS, size=d, dtype=np.uint64
    )


def sobol(i: int, d: int, seed: int | None = None) -> NDArray[np.float64]:
    """Return the i-th Sobol point, shape (d,), in [0, 1); scrambled unless `seed` is None.

    Dimensions beyond the table's 64 get independent uniform numbers. Raises ValueError for i >= 2^BITS.
    """
    if not 0 <= i < 1 << BITS:
        raise ValueError(f"expected an index from 0 to 2^{BITS} - 1, found {i}")
    known = min(d, MAX_DIMENSION)
    if known == 0:
        return np.empty(0)
    numbers, shift = (directions(known), np.zeros(known, np.uint64)) if seed is None else _scrambled(known, seed)
    point = shift.copy()
    gray = i ^ (i >> 1)
    for k in range(gray.bit_length()):
        if gray >> k & 1:
            point ^= numbers[:, k]
    u = point / float(1 << BITS)
    if d > known:
        rest = np.random.default_rng([seed or 0, 0x50B02, i]).random(d - known)
        u = np.concatenate([u, rest])
    return np.asarray(u, dtype=np.float64)
