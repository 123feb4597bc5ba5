"""What `Tuner.search` is given: the default `run_trial`'s data, checked, rows of it, and what tells it from other data."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hptune.errors import UsageError
from hptune.study_arguments import shown


@dataclass(frozen=True)
class Given:
    """The default `run_trial`'s data: what `fit` gets (X and y first) by position and by name, and the rest.

    Without `validation`, a pair (X, y), the model is cross-validated, and the arguments are X and y.
    """

    args: Sequence[Any]
    fit: Mapping[str, Any]
    validation: tuple[Any, Any] | None = None
    groups: Any = None

    @property
    def rows(self) -> int:
        """How many rows X has."""
        return length(self.args[0]) or 0


def given(args: Sequence[Any], kwargs: Mapping[str, Any]) -> Given:
    """Return what was given to `search`; raises `UsageError` for what no trial could be run with."""
    fit = dict(kwargs)
    validation, groups = fit.pop("validation_data", None), fit.pop("groups", None)
    if validation is not None:
        if not isinstance(validation, (tuple, list)) or len(validation) != 2:
            several = isinstance(validation, (tuple, list))
            found = f"{len(validation)} parts" if several else shown(validation)
            raise UsageError(f"validation_data: expected (X_valid, y_valid), found {found}")
        _as_long("validation_data", *validation)
        if len(args) == 2:
            _as_long("search", *args)
        return Given(args, fit, (validation[0], validation[1]))
    if len(args) != 2:
        named = f" by position and {', '.join(fit)} by name" if fit else ""
        raise UsageError(
            f"search: expected X and y by position (or validation_data=(X_valid, y_valid), or a run_trial of your own), "
            f"found {len(args)} arguments{named}"
        )
    if args[1] is None:
        raise UsageError(
            "search: expected y, found None; a model that needs no target is scored by a run_trial of your own"
        )
    _as_long("search", *args)
    for name, value in fit.items():
        if name.endswith("sample_weight") and value is not None:
            _as_long("search", args[0], value, name)
    from sklearn.utils import indexable

    return Given(indexable(*args), fit, None, groups)  # sparse ones as csr: of coo no rows can be taken


def _as_long(where: str, X: Any, y: Any, name: str = "y") -> None:
    """Raise `UsageError` unless both have as many rows; what has no length is not known to differ."""
    rows, others = length(X), length(y)
    if rows is not None and others is not None and rows != others:
        raise UsageError(f"{where}: expected as many entries in {name} as X has rows, found {others} for {rows} rows")


def length(data: Any) -> int | None:
    """Return how many rows data has, sparse data too, None if it does not tell."""
    shape = getattr(data, "shape", None)
    if isinstance(shape, tuple):
        return int(shape[0]) if shape and shape[0] is not None else None
    return len(data) if hasattr(data, "__len__") and not isinstance(data, (str, bytes, Mapping)) else None


def rows(data: Any, index: Any) -> Any:
    """Return the rows with these positions."""
    from sklearn.utils import _safe_indexing

    return _safe_indexing(data.tocsr() if hasattr(data, "tocsr") else data, index)


def cut(arguments: Mapping[str, Any], index: Any, count: int) -> dict[str, Any]:
    """Return `fit`'s further arguments for some of `count` rows: what has an entry for each (`sample_weight`) is cut."""
    return {name: rows(one, index) if length(one) == count else one for name, one in arguments.items()}


# -- what tells it from other data ------------------------------------------------------------------------------------


def data_hash(args: Sequence[Any], kwargs: Mapping[str, Any]) -> str:
    """Return 16 hex digits of a hash over all arrays, frames and sparse matrices among the arguments, None where none is.

    Options beside them, numbers and text, may change.
    """
    digest = hashlib.sha256()
    _add(digest, "args", tuple(args))
    _add(digest, "kwargs", kwargs)
    return digest.hexdigest()[:16]


def folds_hash(folds: Iterable[tuple[Any, Any]]) -> str:
    """Return 16 hex digits of a hash over folds, pairs of training and test rows."""
    digest = hashlib.sha256()
    _add(digest, "folds", tuple(tuple(fold) for fold in folds))
    return digest.hexdigest()[:16]


def _add(digest: Any, name: str, value: Any) -> None:
    """Add the values of an argument to a digest, of what holds none nothing."""
    from hptune.dataset import add_column

    if isinstance(value, Mapping):
        for key, one in value.items():
            _add(digest, f"{name}.{key}", one)
    elif isinstance(value, tuple):
        for number, one in enumerate(value):
            _add(digest, f"{name}.{number}", one)
    elif hasattr(value, "iloc") and hasattr(value, "columns"):
        for number, column in enumerate(value.columns):
            add_column(digest, f"{name}.{column}", value.iloc[:, number])
    elif hasattr(value, "tocsr"):
        csr = value.tocsr()
        for part in ("data", "indices", "indptr"):
            held = getattr(csr, part)
            add_column(digest, f"{name}.{part}", held if part == "data" else held.astype("int64"))
    elif hasattr(value, "iloc"):
        add_column(digest, name, value)
    else:
        add_column(digest, name, _array(value))


def _array(value: Any) -> Any:
    """Return an array, or a list of numbers or texts as one; None for anything else."""
    import numpy as np

    if not isinstance(value, list) and not hasattr(value, "__array__"):
        return None
    try:
        array = np.asarray(value)
    except Exception:  # a ragged list, a tensor on another device
        return None
    plain = array.dtype.kind in "biufcUSmM" or isinstance(value, np.ndarray)
    return array if plain and array.ndim > 0 else None
