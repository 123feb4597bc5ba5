"""What the models are fitted to (`Dataset`), and the options that every kind of `data:` shares (`DataSpec`).

The kinds stand in `hptune/data/`, one a file. Specs import no pandas or scikit-learn; their methods, which only a
worker calls, do.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, ClassVar, Literal

from hptune.cv import Fraction, Rowset, Stratify, last_rows, random_divisions
from hptune.errors import ConfigError, Problem, did_you_mean
from hptune.job import Finding
from hptune.model import Loader
from hptune.randomness import seed_for
from hptune.spec import Spec

Task = Literal["classification", "regression", "none"]

WIDE = 100
"""From so many columns on a table is kept in blocks."""
LONG = 20_000
"""Up to so many rows: a copy of more may not fit into memory, and gains little."""

RELATIVE = "paths are relative to the config file"
"""Said of a file that is not there; whoever knows the config says what it is with `base:`."""


def bad(key: str, message: str) -> ConfigError:
    """Return the error for one config key."""
    return ConfigError([Problem(key=key, message=message)])


@dataclass(frozen=True, kw_only=True)
class Rows:
    """Some rows of the data: X (rows, features), y (rows,), groups and weights (rows,) or None.

    `X` is a DataFrame, an array or sparse (csr). `aside` holds columns that belong to the splitting and are no
    features. `notes` are warnings of the reading (an encoding that was assumed), `dates` the columns of dates, features
    or not, by their names: both are of all rows that were read, and a part of these has none.
    """

    X: Any
    y: Any
    groups: Any = None
    weights: Any = None
    aside: Mapping[str, Any] = field(default_factory=dict)
    notes: tuple[Finding, ...] = ()
    dates: Mapping[str, Any] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.y)

    def take(self, rows: Any) -> Rows:
        """Return the rows with these positions, an integer array."""
        return Rows(
            X=take(self.X, rows),
            y=take(self.y, rows),
            groups=take(self.groups, rows),
            weights=take(self.weights, rows),
            aside={name: take(column, rows) for name, column in self.aside.items()},
        )

    def joined(self, other: Rows) -> Rows:
        """Return these rows followed by others of the same columns."""
        return Rows(
            X=_joined(self.X, other.X),
            y=_joined(self.y, other.y),
            groups=_joined(self.groups, other.groups),
            weights=_joined(self.weights, other.weights),
            aside={name: _joined(column, other.aside[name]) for name, column in self.aside.items()},
        )

    @property
    def feature_names(self) -> tuple[str, ...]:
        """The columns of X; x0, x1, ... for an array."""
        if hasattr(self.X, "columns"):
            return tuple(str(name) for name in self.X.columns)
        return tuple(f"x{number}" for number in range(self.X.shape[1]))


def _joined(one: Any, other: Any) -> Any:
    """Return two parts one below the other: DataFrames, Series, arrays, sparse ones, None twice."""
    if one is None or other is None:
        return None
    if hasattr(one, "iloc"):
        import pandas as pd

        return pd.concat([one, other])
    if hasattr(one, "tocsr"):
        import scipy.sparse

        return scipy.sparse.vstack([one, other], format="csr")
    import numpy as np

    return np.concatenate([one, other])


@dataclass(frozen=True, kw_only=True)
class Dataset:
    """The rows to search with, and those that the search never sees. `hash` covers the values of both.

    `consecutive`: the holdout's rows are the last ones, or others in a row, so that neighbours may be alike. `dates` are
    those of the rows in the order of reading, where that is to be the order of time.
    """

    train: Rows
    holdout: Rows | None
    task: Task
    hash: str
    consecutive: bool = False
    notes: tuple[Finding, ...] = ()
    dates: Mapping[str, Any] = field(default_factory=dict)

    @property
    def groups(self) -> bool:
        """Whether the data says which rows belong together."""
        return self.train.groups is not None


class Holdout(Spec):
    """Rows set aside before the search, scored only once at its end."""

    fraction: Fraction = 0.2
    """The share of the rows (of the groups, where `data.groups` names some)."""
    shuffle: bool | Literal["auto"] = "auto"
    """false: the last rows. auto: shuffled, unless evaluate.cv is a time series."""
    stratify: Stratify = "auto"
    """auto: for classifiers."""

    def takes_the_last(self, in_order: bool) -> bool:
        """Return whether it is the last rows; `in_order` says that the order of the rows means something."""
        return self.shuffle is False or (self.shuffle == "auto" and in_order)


class DataSpec(Spec):
    """The options all kinds of data share. `key` names the kind in the registry."""

    key: ClassVar[str]
    well_known: ClassVar[bool] = False
    """Whether the data need no looking through for what is odd about their columns."""

    holdout: Holdout | None = None
    """Rows set aside for a last, honest score."""

    @classmethod
    def claims(cls, data: Mapping[str, Any]) -> bool:
        """Return whether a `data:` mapping is of this kind."""
        raise NotImplementedError

    def imports(self) -> list[tuple[str, str]]:
        """Return the (config key, dotted name) of everything that reading these data imports."""
        return []

    def read(self, folder: str, aside: Sequence[str], load: Loader | None = None) -> Rows:
        """Return all rows; worker only.

        `folder` is where relative paths start. Columns named in `aside` are kept out of X and put into `Rows.aside`.
        `load` imports the function that some data come from.
        Raises `ConfigError`, naming the config key, for data that cannot be used.
        """
        raise NotImplementedError

    def load(
        self,
        folder: str,
        *,
        seed: int,
        task: Callable[[Any], Task],
        in_order: bool = False,
        aside: Sequence[str] = (),
        importer: Loader | None = None,
    ) -> Dataset:
        """Return the data, its holdout split off; worker only.

        `task` tells from y what is to be done; `in_order` says that the order of the rows means something. Raises
        `ConfigError` as `read` does.
        """
        rows = self.read(folder, aside, importer)
        rows = replace(rows, X=in_blocks(rows.X))
        if len(rows) < 2:
            raise bad("data", f"expected at least two rows, found {len(rows)}")
        found = task(rows.y)
        train, holdout = rows, None
        if self.holdout is not None:
            train, holdout = self._parted(rows, self.holdout, found == "classification", seed, in_order)
        last = self.holdout is not None and self.holdout.takes_the_last(in_order)
        return Dataset(
            train=replace(train, dates={}),
            holdout=holdout,
            task=found,
            hash=_hash(train, holdout),
            consecutive=last,
            notes=rows.notes,
            dates=rows.dates if in_order or last else {},
        )

    @staticmethod
    def _parted(rows: Rows, holdout: Holdout, classes: bool, seed: int, in_order: bool) -> tuple[Rows, Rows]:
        if holdout.takes_the_last(in_order):
            first, last = last_rows(len(rows), holdout.fraction)
            return rows.take(first), rows.take(last)
        stratify = classes if holdout.stratify == "auto" else holdout.stratify
        rowset = Rowset(y=rows.y, groups=rows.groups, classes=classes, aside={}, seed=seed)
        try:
            ((kept, held),) = random_divisions(rowset, 1, holdout.fraction, stratify, seed_for(seed, "holdout"))
        except ValueError as error:
            mend = without_classes(rows.y) if stratify and rows.groups is None else ""
            raise bad("data.holdout", f"the rows cannot be divided so: {mend or error}") from None
        # In the file's order: the shuffling that matters is the folds', and ordered rows make the split checkable.
        return rows.take(sorted(kept)), rows.take(sorted(held))


def without_classes(y: Any) -> str:
    """Return what to say of classes too rare to have rows in both parts, "" if there are none."""
    import numpy as np

    names, counts = np.unique(y, return_counts=True)
    rare = [repr(one) for one in names[counts < 2].tolist()]
    if not rare:
        return ""
    listed = ", ".join(rare[:6]) + (", ..." if len(rare) > 6 else "")
    return (
        f"the same share of every class is wanted in both parts, and there is but one row of {listed}; remove it or "
        "join it with another class, or write `stratify: false`"
    )


def in_blocks(X: Any) -> Any:
    """Return a wide table with the columns of one type in one block of memory, anything else as it is.

    A reader gives each column a block of its own, so that taking rows costs 15 us a column: more than copying their
    values, unless there are very many rows.
    """
    if not hasattr(X, "iloc") or X.shape[1] < WIDE or len(X) > LONG:
        return X
    return X.copy()  # which joins the blocks


def take(column: Any, rows: Any) -> Any:
    """Return the rows with these positions of an array, a Series or a DataFrame (None stays None)."""
    if column is None:
        return None
    return column.iloc[rows] if hasattr(column, "iloc") else column[rows]


def resolved(folder: str, path: str) -> Path:
    """Return where a path of the config points to; `~` is the home directory."""
    place = Path(path).expanduser()
    return place if place.is_absolute() else Path(folder) / place


_ENDINGS = {"CSV": (".csv", ".tsv"), "Parquet": (".parquet", ".pq"), "npz": (".npz",)}
"""What is in the names of a kind's files, compressed ones included."""


def check_file(path: Path, kind: str = "CSV") -> None:
    """Raise `ConfigError` at `data.train`, with the nearest name of its kind there is, unless the path is a file."""
    if path.is_file():
        return
    if path.is_dir():
        raise bad("data.train", f"{path} is a folder, expected a {kind} file")
    if not path.parent.is_dir():
        raise bad("data.train", f"there is no folder {path.parent} ({RELATIVE})")
    names = [one.name for one in path.parent.iterdir() if any(end in one.name.lower() for end in _ENDINGS[kind])]
    near = did_you_mean(path.name, [name for name in names if (path.parent / name).is_file()])
    raise bad("data.train", f"there is no file {path}{near or f' ({RELATIVE})'}")


# -- the hash -------------------------------------------------------------------------------------------------------


def _hash(train: Rows, holdout: Rows | None) -> str:
    """Return the sha256 over values, types and column names of both parts, 64 hex digits, alike in every process."""
    digest = hashlib.sha256()
    for part in (train, holdout):
        digest.update(b"none" if part is None else b"rows")
        if part is not None:
            for name, column in _columns(part):
                add_column(digest, name, column)
    return digest.hexdigest()


def _columns(rows: Rows) -> list[tuple[str, Any]]:
    if hasattr(rows.X, "columns"):
        columns = [(f"X:{name}", rows.X.iloc[:, number]) for number, name in enumerate(rows.X.columns)]
    elif hasattr(rows.X, "tocsr"):
        import numpy as np

        columns = [("X:shape", np.array(rows.X.shape)), ("X:data", rows.X.data)]
        # The indices have 32 or 64 bits, as their number needs.
        columns += [(f"X:{name}", getattr(rows.X, name).astype("int64")) for name in ("indices", "indptr")]
    else:
        columns = [("X", rows.X)]
    columns += [("y", rows.y), ("groups", rows.groups), ("weights", rows.weights)]
    return columns + [(f"aside:{name}", column) for name, column in rows.aside.items()]


def add_column(digest: Any, name: str, column: Any) -> None:
    """Add a column's name, type and values to a digest of hashlib; an array or Series of any shape, None adds nothing."""
    import numpy as np

    if column is None:
        return
    values = np.asarray(column)
    plain = values.dtype.kind in "biufc" and isinstance(getattr(column, "dtype", None), np.dtype)
    # Text is `object` in one version of pandas and `str` in another.
    digest.update(f"{name}|{column.dtype if plain else 'object'}|{values.shape}|".encode())
    if plain:
        little = values.astype(values.dtype.newbyteorder("<"), copy=False)
        digest.update(np.ascontiguousarray(little).tobytes())
        return
    for value in values.ravel().tolist():
        # pd.NA first: whether it differs from itself is NA again, which is neither true nor false.
        missing = value is None or type(value).__name__ in ("NAType", "NaTType") or value != value
        text = b"" if missing else f"{type(value).__name__}:{value}".encode("utf-8", "surrogatepass")
        digest.update(f"{'-' if missing else len(text)}|".encode() + text)
