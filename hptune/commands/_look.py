"""What `hptune init` sees in a data set: the task, the kinds of its columns, and which of them are no features."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hptune.dataset import DataSpec
from hptune.errors import ConfigError, UsageError
from hptune.report.wording import one_line
from hptune.spaces import Task
from hptune.worker.cells import dates, marked, with_signs
from hptune.worker.columns import Columns, Remark

FEW_CLASSES = 20
"""Whole numbers with no more values than this are classes, as `hptune run` takes them."""
MOSTLY = 0.5
"""A column is one of numbers if at least this share of its cells are, and the others mark missing values."""
WORDS = 3
"""A text of fewer words on average is a name, or a code."""
_LOOKED_AT = 1000
_SHOWN = 10
"""Names in one line of notes; there may be thousands."""
KINDS = ("number", "text", "category", "boolean")


@dataclass(frozen=True)
class Look:
    """A data set at a glance. `data` is its `data:` section, `drop` the columns that are no features and why.

    `columns` are the features' names by kind (`select:` in a pipeline's `columns:`), `missing` the share of
    the rows in which those with gaps have none.
    `texts` are the columns of long texts, where there are no others: their words are the features.
    `smallest` is how many rows the rarest class has, `classes` how many classes there are (0 for regression).
    """

    data: Mapping[str, Any]
    task: Task
    rows: int
    columns: Mapping[str, list[str]]
    missing: Mapping[str, float] = field(default_factory=dict)
    classes: int = 0
    smallest: int = 0
    drop: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    texts: tuple[str, ...] = ()

    @property
    def features(self) -> int:
        return sum(map(len, self.columns.values()))

    def gaps(self, kind: str) -> bool:
        """Return whether a column of this kind has missing values."""
        return any(name in self.missing for name in self.columns[kind])


def look(train: str, folder: Path, target: str | None, task: Task | None = None) -> Look:
    """Return what there is to see in `train`, a file seen from `folder` or sklearn:load_NAME.

    `task` is what the model is for, if that is settled. Raises `UsageError` for data that no config could use.
    """
    import numpy as np
    import pandas as pd

    data: dict[str, Any] = {"train": train} if target is None else {"train": train, "target": target}
    data, rows = _read(data, folder)
    marks = _marks(data, rows)
    if marks:
        data, rows = _read({**data, "missing": marks}, folder)
    X, y = rows.X, rows.y
    if not hasattr(X, "columns"):
        X = pd.DataFrame(X, columns=list(rows.feature_names))
    found: Task = task or ("classification" if _is_classes(y) else "regression")
    _check_target(y, found, target or "the target")
    drop = _unusable(X)
    unusable = set(drop)
    notes = _no_features(Columns(X, y, np.arange(len(y)), found == "classification"), drop)
    if drop and not _takes("drop", data):  # scikit-learn's own data has all its columns
        notes += dict.fromkeys(drop.values())
        drop = {}
    kept = X[[name for name in X.columns if str(name) not in drop]]
    texts = [] if kept.shape[1] else _texts(X[[name for name in X.columns if str(name) not in unusable]])
    if texts:
        drop = {name: why for name, why in drop.items() if name not in texts}
        kept = X[texts]
        notes.append(f"{', '.join(texts[:_SHOWN])}: nothing but text, so its words are counted (TfidfVectorizer)")
    if kept.shape[1] == 0:
        raise UsageError(
            f"{train}: no column is left as a feature: {one_line('; '.join(f'{n}: {w}' for n, w in drop.items()))}"
        )
    kinds = {kind: texts if kind == "text" else [] for kind in KINDS} if texts else _kinds(kept)
    missing = {str(name): float(share) for name, share in kept.isna().mean().items() if share}
    counts = np.unique(y, return_counts=True)[1] if found == "classification" else np.array([], int)
    return Look(
        data={**data, **({"drop": list(drop)} if drop else {})},
        task=found,
        rows=len(y),
        columns=kinds,
        missing=missing,
        classes=len(counts),
        smallest=int(counts.min()) if len(counts) else 0,
        drop=drop,
        notes=(
            *(one.message for one in rows.notes),
            *notes,
            *([_told(marks)] if marks else []),
            *([] if texts else _gaps(kinds, missing)),
        ),
        texts=tuple(texts),
    )


def _read(data: dict[str, Any], folder: Path) -> tuple[dict[str, Any], Any]:
    """Return the `data:` section and the rows; a comma in numbers is found out. Raises `UsageError`."""
    from hptune.data import data_from

    train = str(data["train"])
    try:
        spec: DataSpec = data_from(data)
    except ValueError as error:
        if "target" not in data and "target" in str(error):
            raise UsageError(
                f"--target: expected the column to predict, found none{_columns(train, folder)}"
            ) from None
        raise UsageError(f"{train}: {_first(error)}") from None
    try:
        return data, spec.read(str(folder), ())
    except ConfigError as error:
        problem = error.problems[0]
        for comma in ("decimal", "thousands"):  # "write `decimal: ','`": what it is likely to be
            if f": write `{comma}: ','`" in problem.message and comma not in data:
                return _read({**data, comma: ","}, folder)
        key = "--target: " if problem.key == "data.target" else ""
        raise UsageError(one_line(f"{key}{problem.message}")) from None


def _takes(key: str, data: Mapping[str, Any]) -> bool:
    """Return whether the `data:` section of such data takes a key."""
    from hptune.data import data_from

    return key in type(data_from(data)).model_fields


def _marks(data: Mapping[str, Any], rows: Any) -> list[str]:
    """Return the texts that mean a missing value in columns of numbers, and nothing in the target or columns of text."""
    import pandas as pd

    if not _takes("missing", data) or not hasattr(rows.X, "columns"):
        return []
    out: dict[str, None] = {}
    known = {str(one) for one in rows.y.tolist()} if rows.y.dtype.kind in "OUS" else set()
    for name in rows.X.columns:
        present = rows.X[name].dropna()
        if not len(present) or not pd.api.types.is_string_dtype(present.dtype):
            continue
        words = present[pd.to_numeric(present, errors="coerce").isna()]
        if 0 < len(words) <= (1 - MOSTLY) * len(present) and marked(words.unique()):
            out |= dict.fromkeys(str(one) for one in words.unique())
        else:
            known |= {str(one) for one in words.unique()}
    return [one for one in out if one not in known]


def _told(marks: list[str]) -> str:
    return f"{', '.join(map(repr, marks))} in columns of numbers: taken for missing values (data.missing)"


def _gaps(kinds: Mapping[str, list[str]], missing: Mapping[str, float]) -> list[str]:
    """Return a line about the gaps in text, if there are any: NA that says "no garage" is read as one."""
    names = [name for kind in ("text", "category") for name in kinds[kind] if name in missing]
    if not names:
        return []
    shown = [f"{name}: {_percent(missing[name])}" for name in names[:_SHOWN]]
    more = [f"and {len(names) - _SHOWN} more columns"] if len(names) > _SHOWN else []
    return [f"{', '.join([*shown, *more])} empty, None or NA, read as missing: a category of its own"]


def _percent(share: float) -> str:
    return f"{share:.0%}" if share >= 0.005 else "under 1%"


def _columns(train: str, folder: Path) -> str:
    """Return in words which columns there are; raises `UsageError` for a file that cannot be read."""
    try:
        _read({"train": train, "target": "\N{REPLACEMENT CHARACTER}"}, folder)
    except UsageError as error:
        _, said, columns = str(error).partition("; its columns are ")
        if not said:
            raise
        return f"; {train} has {columns}"
    return ""


def _first(error: ValueError) -> str:
    errors = getattr(error, "errors", None)
    return str(errors()[0]["msg"]).removeprefix("Value error, ") if errors is not None else str(error)


def _is_classes(y: Any) -> bool:
    """Return whether a target (rows,) looks like classes: text, true and false, or few different whole numbers.

    Numbers that hardly occur twice are a quantity, however few rows there are. Written with a decimal point, as a table is
    that had gaps once, they are classes where they count on from 0 or 1.
    """
    import numpy as np

    if y.dtype.kind in "OUSb":
        return True
    different = np.unique(y)
    whole = y.dtype.kind in "iu" or bool(np.all(different == np.floor(different)))
    counted = y.dtype.kind in "iu" or (
        different[0] in (0, 1) and len(different) == different[-1] - different[0] + 1 and len(different) <= 10
    )
    return whole and len(different) <= (min(FEW_CLASSES, len(y) // 2) if counted else 2)


def _check_target(y: Any, task: Task, name: str) -> None:
    """Raise `UsageError` for a target that is not for the task, or that says nothing."""
    import numpy as np

    text = y.dtype.kind in "OUS"
    if task == "regression" and text:
        raise UsageError(
            f"--target: expected numbers for a regressor, found text in {name}; "
            f"{with_signs(y) or '--model takes a classifier'}"
        )
    different = len(set(y.tolist()))
    if different < 2:
        raise UsageError(f"--target: expected different values, found the same one in every row of {name}")
    if task == "classification" and y.dtype.kind == "f" and not bool(np.all(y == np.floor(y))):
        raise UsageError(f"--target: expected classes, found real numbers in {name}; --model takes a regressor")
    if task == "classification" and text and different > max(FEW_CLASSES, len(y) / 3):
        found = f"{different} different texts in the {len(y)} rows of {name}"
        raise UsageError(f"--target: expected classes, found {found}: {with_signs(y) or 'is it an id?'}")


def _no_features(columns: Columns, drop: dict[str, str]) -> list[str]:
    """Add to `drop` the columns that are better left out, with the reasons; return what else is to be said."""
    notes: list[str] = []
    found: list[Remark] = [*columns.constant(), *columns.ids(), *columns.mixed(), *columns.prose(set())]
    for remark in found:
        for name in remark.drop:
            drop.setdefault(name, _why(remark, name))
        if not remark.drop:
            notes.append(remark.text)
    # Only the user knows whether a column that gives the target away will be there when it counts: said, not dropped.
    return notes + [remark.text for remark in columns.leaks(set(drop))]


def _why(remark: Remark, name: str) -> str:
    """Return a remark's words without the name, or without the list of names, that it is said of."""
    if remark.text.startswith("columns "):  # "columns with the same value in every row: a, b"
        return remark.text.rpartition(": ")[0].removeprefix("columns ").removeprefix("with ")
    return remark.text.removeprefix(f"{name!r} ")


def _texts(X: Any) -> list[str]:
    """Return the columns whose cells differ and are texts of several words."""
    out = []
    for name in X.columns:
        present = X[name].dropna().head(_LOOKED_AT)
        if present.nunique() > 1 and all(isinstance(one, str) for one in present):
            words = present.str.split().str.len()
            if float(words.mean()) >= WORDS:
                out.append(str(name))
    return out


def _unusable(X: Any) -> dict[str, str]:
    """Return the columns that scikit-learn's models refuse, with the reasons: dates, infinite values."""
    import numpy as np
    from pandas.api import types

    out = {}
    for name in X.columns:
        column = X[name]
        if types.is_timedelta64_dtype(column.dtype) or dates(column):
            out[str(name)] = "dates; make numbers of them (year, month, weekday) to use them"
        elif types.is_float_dtype(column.dtype) and np.isinf(column.to_numpy(float, na_value=np.nan)).any():
            out[str(name)] = "infinite values, which no model takes"
    return out


def _kinds(X: Any) -> dict[str, list[str]]:
    """Return the columns' names by kind, as `select:` knows the kinds."""
    from hptune.models.select import selected

    return {kind: selected(kind, X) for kind in KINDS}
