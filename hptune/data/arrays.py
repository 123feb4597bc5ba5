"""From arrays to rows: shapes, types and weights are checked alike wherever arrays come from (npz, a function)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hptune.data.dtypes import decimals, ordinary, several
from hptune.dataset import Rows, bad


def rows_of_arrays(
    source: str,
    key: str,
    *,
    X: Any,
    y: Any,
    groups: Any = None,
    weights: Any = None,
    aside: Mapping[str, Any] | None = None,
) -> Rows:
    """Return rows of X (rows, features) and y, groups, weights and aside (rows,).

    X is a DataFrame, an array, or sparse in any format, which becomes csr. `source` is what messages call the origin,
    `key` the config key they go to. Raises `ConfigError` for shapes that do not go together, missing or infinite
    targets, and weights that cannot be.
    """
    if not hasattr(X, "columns"):
        X = _features(source, key, X)
    elif found := cells_of_several(X):
        mend = "make a column of each of their values, or leave them out"
        raise bad(key, f"{source}: {' and '.join(found.values())}, expected one value a cell; {mend}")
    columns = {"y": y, "groups": groups, "weights": weights, **(aside or {})}
    plain = {
        name: None if one is None else _column(source, key, name, one, X.shape[0]) for name, one in columns.items()
    }
    if plain["weights"] is not None:
        plain["weights"] = checked_weights(plain["weights"], key, "weights")
    return Rows(
        X=ordinary(X.reset_index(drop=True)) if hasattr(X, "columns") else X,
        y=plain["y"],
        groups=plain["groups"],
        weights=plain["weights"],
        aside={name: plain[name] for name in aside or {}},
    )


def cells_of_several(X: Any) -> dict[str, str]:
    """Return what to say of the columns of a DataFrame whose cells are no single values, by their names."""
    held = {str(name): several(column) for name, column in X.items()}
    return {name: f"{name!r} holds {what}" for name, what in held.items() if what}


def _features(source: str, key: str, X: Any) -> Any:
    import numpy as np

    X = X if hasattr(X, "tocsr") else np.asarray(X)
    if len(X.shape) != 2 or X.shape[1] == 0:
        mend = "; use X.reshape(len(X), -1)" if len(X.shape) != 2 else ""
        raise bad(key, f"{source}: expected X of shape (rows, features), found {X.shape}{mend}")
    if X.dtype.kind not in "biuf":
        raise bad(key, f"{source}: expected numbers in X, found {X.dtype}; return a DataFrame for mixed columns")
    return _canonical(X) if hasattr(X, "tocsr") else X


def _canonical(X: Any) -> Any:
    """Return a sparse X as csr, whose rows can be taken, with each entry once and in order: equal data hash alike."""
    rows = X.tocsr()
    if not rows.has_canonical_format:
        rows = rows.copy()  # it may be the caller's own
        rows.sum_duplicates()
    return rows


def _column(source: str, key: str, name: str, values: Any, rows: int) -> Any:
    """Return one value a row as a plain array, none missing; text as objects."""
    import numpy as np
    import pandas as pd

    column = np.asarray(values)
    if column.ndim != 1:
        mend = f"; use {name}.ravel()" if column.size == rows else ""
        raise bad(key, f"{source}: expected {name} of shape (rows,), found {column.shape}{mend}")
    if len(column) != rows:
        raise bad(key, f"{source}: X has {rows} rows, {name} {len(column)}; they must go together")
    if column.dtype.kind in "Mm" or column.dtype.kind == "c":
        raise bad(key, f"{source}: expected numbers or classes in {name}, found {column.dtype}")
    missing = np.flatnonzero(pd.isna(column))
    if len(missing):
        listed = ", ".join(map(str, missing[:5].tolist())) + (", ..." if len(missing) > 5 else "")
        raise bad(key, f"{source}: {name} is missing in {len(missing)} of {rows} rows ({listed}); remove these")
    if column.dtype == object and decimals(column):
        column = column.astype(float)
    if column.dtype.kind == "f" and name != "groups" and not np.isfinite(column).all():
        raise bad(key, f"{source}: {name} holds infinite values")
    return column.astype(object) if column.dtype.kind in "US" else column


def checked_weights(weights: Any, key: str, name: str) -> Any:
    """Return sample weights (rows,) as floats; raises `ConfigError` unless finite, none negative, some positive."""
    import numpy as np

    if weights.dtype.kind not in "biuf":
        found = next((one for one in weights.tolist() if not isinstance(one, (int, float))), weights[0])
        raise bad(key, f"{name}: expected numbers as weights, found {found!r}")
    out = weights.astype(float)
    if not np.isfinite(out).all():
        raise bad(key, f"{name}: expected finite weights, found {out[~np.isfinite(out)][0]}")
    if (out < 0).any():
        raise bad(key, f"{name}: expected weights from 0 up, found {out.min():g}; a row that must not count gets 0")
    if not out.any():
        raise bad(key, f"{name}: every weight is 0, expected some positive ones")
    return out
