"""What an inspection says of the data themselves: the columns, and rows that are tested by their own twins."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from hptune.dataset import Rows, bad
from hptune.job import Finding
from hptune.worker import sparse_rows
from hptune.worker.columns import ROWS, Columns, Remark
from hptune.worker.model_checks import made_of

if TYPE_CHECKING:
    import pandas as pd

    from hptune.worker.problem import Problem

PATIENCE = 5.0
"""Seconds: a data function that takes longer is not called a second time to see whether it returns the same."""
_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*")


def check_data(problem: Problem) -> list[Finding]:
    """Return what is odd about the data: the notes of the reading, columns, equal rows; worker only."""
    dataset, spec = problem.dataset, problem.data
    out = list(dataset.notes)
    if spec is None or spec.well_known:
        return out
    columns = getattr(spec, "target", None) is not None and "drop" in type(spec).model_fields
    out += [_finding(problem, remark, columns) for remark in _remarks(problem)]
    out += check_twins(problem)
    return out


def _remarks(problem: Problem) -> list[Remark]:
    rows = problem.dataset.train
    if sparse_rows.is_sparse(rows.X):
        return sparse_rows.remarks(rows.X)
    table = frame(rows)
    return Columns(
        X=table,
        y=rows.y,
        once=_once(rows),
        classes=problem.dataset.task == "classification",
        in_order=problem.cv.in_order,
        made=made_of(problem),
    ).remarks()


def frame(rows: Rows) -> pd.DataFrame:
    """Return X as a DataFrame; an array's columns are x0, x1, ..."""
    import pandas as pd

    if hasattr(rows.X, "columns"):
        return rows.X  # type: ignore[no-any-return]
    return pd.DataFrame(rows.X, columns=list(rows.feature_names))


def _finding(problem: Problem, remark: Remark, columns: bool) -> Finding:
    """Return a remark at its key, with the line to paste where there is one."""
    data = problem.setup.data or {}
    place = "data.function" if "function" in data else "data.train"
    text = remark.text
    if remark.drop and columns:
        drops = _all_drops(data, remark)
        listed = ", ".join(name if _PLAIN.fullmatch(name) else json.dumps(name) for name in drops[:100])
        listed += f", ... {len(drops) - 100} more" if len(drops) > 100 else ""
        return Finding(key="data.drop", message=f"{text}: `drop: [{listed}]`", severity=remark.severity)
    return Finding(key=place, message=text, severity=remark.severity)


def _all_drops(data: Any, remark: Remark) -> list[str]:
    """Return what is dropped already and what should be, so that the line replaces the one there is."""
    return [*dict.fromkeys([*data.get("drop", ()), *remark.drop])]


# -- rows -----------------------------------------------------------------------------------------------------------


def hashes(rows: Rows) -> Any:
    """Return a hash (rows,) of each row's features and target, uint64; equal rows have equal ones."""
    import numpy as np
    import pandas as pd

    y = pd.Series(rows.y)
    ours = pd.util.hash_array(y.astype(str).to_numpy(object) if y.dtype == object else y.to_numpy())
    return _hashes_of_features(rows) * np.uint64(1_000_003) + ours


def _hashes_of_features(rows: Rows) -> Any:
    import pandas as pd

    if sparse_rows.is_sparse(rows.X):
        return sparse_rows.hashes(rows.X)
    table = frame(rows)
    try:
        return pd.util.hash_pandas_object(table, index=False).to_numpy()
    except TypeError:  # objects of types that cannot be compared
        return pd.util.hash_pandas_object(table.astype(str), index=False).to_numpy()


def _once(rows: Rows) -> Any:
    """Return the positions of rows that can be taken for independent: each row and each group once, at most `ROWS`.

    Equal rows, or a patient's twenty visits, would make any column seem to determine the target.
    """
    import numpy as np

    keys = hashes(rows) if rows.groups is None else rows.groups
    first = np.sort(np.unique(keys, return_index=True)[1])
    if len(first) <= ROWS:
        return first
    return np.sort(np.random.default_rng(0).choice(first, ROWS, replace=False))


def check_twins(problem: Problem) -> list[Finding]:
    """Return a warning where rows are scored by a model that was fitted to an equal row.

    Rows that are equal in every feature and the target; where so few different ones are possible (three yes-or-no
    questions) that equal rows must come up by chance, nothing is said.
    """
    import numpy as np

    dataset = problem.dataset
    keys = hashes(dataset.train)
    twice = _repeated(keys)
    affected = np.zeros(len(keys), dtype=bool)
    if twice.any() and not _expected(dataset.train, int(twice.sum())):
        for kept, tested in problem.splits:
            twins = np.intersect1d(keys[kept][twice[kept]], keys[tested][twice[tested]])
            affected[tested] |= np.isin(keys[tested], twins)
    out = []
    key = "data.groups" if "groups" in (problem.setup.data or {}) else "data"
    mend = "remove the copies, or keep equal rows together with `groups:` and a column that says which they are"
    if affected.any():
        share = f"{int(affected.sum())} of {len(keys)} rows"
        message = f"{share} are tested by a model that was fitted to an equal row (features and target alike): {mend}"
        out.append(Finding(key=key, message=message, severity="warning"))
    if dataset.holdout is not None and not _expected(dataset.train, int(twice.sum())):
        held = hashes(dataset.holdout)
        count = int(np.isin(held, keys).sum())
        if count:
            message = f"{count} of the holdout's {len(held)} rows have an equal row among the others: {mend}"
            out.append(Finding(key="data.holdout", message=message, severity="warning"))
    return out


def _repeated(keys: Any) -> Any:
    import numpy as np

    _, inverse, counts = np.unique(keys, return_inverse=True, return_counts=True)
    return counts[inverse] > 1


def _expected(rows: Rows, found: int) -> bool:
    """Return whether independent columns of these values would have half as many equal rows or more by chance.

    Two rows are equal with probability prod_j sum_v p_jv^2; of n rows each has n - 1 others.
    """
    import numpy as np

    n = len(rows)
    equal = 1.0
    for share in _shares(rows):
        if share is None:
            return False
        equal *= float((share**2).sum())
        if n * n * equal < found / 100:
            return False
    return bool(n * -np.expm1(-(n - 1) * equal) >= found / 2)


def _shares(rows: Rows) -> Iterator[Any]:
    """Yield the shares of the different values of each feature and the target, None for what cannot be compared."""
    import pandas as pd

    sparse = sparse_rows.is_sparse(rows.X)
    yield from sparse_rows.shares(rows.X) if sparse else ()
    columns = () if sparse else (column for _, column in frame(rows).items())
    for values in (*columns, pd.Series(rows.y)):
        try:
            yield values.value_counts(normalize=True, dropna=False).to_numpy()
        except TypeError:
            yield None


# -- functions ------------------------------------------------------------------------------------------------------


def check_repeatable(problem: Problem) -> None:
    """Raise `ConfigError` where a data function returns other values when it is called again.

    Each worker process calls it for itself: their scores would be of different data.
    """
    spec = problem.data
    if spec is None or "function" not in type(spec).model_fields:
        return
    first = problem.dataset.hash
    if problem.data_seconds <= PATIENCE and problem.load_data(spec).hash != first:
        raise bad(
            "data.function",
            "returned other values when it was called again, and every worker process calls it; fix its seed",
        )
