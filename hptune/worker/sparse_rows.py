"""What an inspection looks at in a sparse X, (rows, features) in scipy's csr format, without making it dense.

Of its columns only infinite values are looked for: thousands of counts of words are no table whose columns one reads.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

from hptune.worker.columns import Remark


def is_sparse(X: Any) -> bool:
    """Return whether X is a sparse matrix or array of scipy's."""
    return hasattr(X, "tocsr")


def remarks(X: Any) -> list[Remark]:
    """Return the error for infinite values, if there are some."""
    import numpy as np

    columns = np.unique(X.indices[np.isinf(X.data)])
    if not len(columns):
        return []
    listed = ", ".join(f"x{one}" for one in columns[:6]) + (", ..." if len(columns) > 6 else "")
    return [Remark(f"infinite values in {listed}; put numbers in their place", severity="error")]


def hashes(X: Any) -> Any:
    """Return a hash (rows,) of each row, uint64; equal rows have equal ones, zeros that are stored or not."""
    import numpy as np

    X = X.copy()
    X.eliminate_zeros()
    X.sort_indices()
    rows = pairwise(X.indptr.tolist())
    made = (hashlib.blake2b(X.indices[a:b].tobytes() + X.data[a:b].tobytes(), digest_size=8) for a, b in rows)
    return np.frombuffer(b"".join(one.digest() for one in made), dtype=np.uint64)


def shares(X: Any) -> Iterator[Any]:
    """Yield for each column what share of the rows each of its values has."""
    import numpy as np

    X, rows = X.tocsc(), X.shape[0]
    X.eliminate_zeros()
    for start, end in pairwise(X.indptr.tolist()):
        counts = np.unique(X.data[start:end], return_counts=True)[1]
        zeros = rows - (end - start)
        yield np.append(counts, [zeros] if zeros else []) / rows
