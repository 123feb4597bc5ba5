"""What is odd about the columns of the data: constants, ids, leaks of the target, infinite values, mixed types.

Each check takes the table X and says what it found as plain text; which config key it goes to is the caller's affair.
Everything is a warning but infinite values, which no estimator of scikit-learn takes.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

from hptune.worker import cells

ROWS = 20_000
"""More rows than these are sampled where a check would take long: what holds for so many is no accident."""
CELLS = 5_000_000
"""So many numbers are looked at in one go: 40 MB."""
CHANCE = 1e-6
"""The probability, over all columns together, of a false alarm that a column determines the target."""
PROSE = 200
"""Characters: text of this mean length is prose rather than the name of a category."""
_ID = re.compile(
    r"(?i:(^|[_\s.-])(id|ids|uuid|guid|index|idx|key|rowid|row|no|nr|number))$|[a-z](ID|Id)$|^Unnamed: \d+$"
)


@dataclass(frozen=True)
class Remark:
    """Something about some columns. `drop` holds the columns that are best dropped, `about` others that it is of."""

    text: str
    drop: tuple[str, ...] = ()
    severity: Literal["error", "warning"] = "warning"
    about: tuple[str, ...] = ()


@dataclass(frozen=True)
class Columns:
    """The features (a DataFrame) with the target (rows,). `once` are positions of rows that count as independent.

    `in_order` says that the rows are in the order of time, `made` which columns of text or dates the model makes
    something of itself: what words and dates are worth is its affair.
    """

    X: Any
    y: Any
    once: Any
    classes: bool
    in_order: bool = False
    made: frozenset[str] = frozenset()

    def remarks(self) -> list[Remark]:
        """Return everything there is to say."""
        empty = self.constant()
        dates, ids, mixed = self.dates(), self.ids(), self.mixed()
        known = {name for remark in (*empty, *dates, *ids) for name in remark.drop}
        numbers = {name for remark in mixed for name in remark.about}
        prose = self.prose(known | numbers)
        return [*self.infinite(), *empty, *dates, *ids, *self.leaks(known), *mixed, *prose]

    # -- kinds of columns -------------------------------------------------------------------------------------------

    @cached_property
    def _names(self) -> list[str]:
        return [str(name) for name in self.X.columns]

    @cached_property
    def _kinds(self) -> list[str]:
        """One letter a column: b, i, f for numbers, t for text and other objects, o for all else (categories)."""
        from pandas.api import types

        out = []
        for dtype in self.X.dtypes:
            if types.is_bool_dtype(dtype):
                out.append("b")
            elif types.is_integer_dtype(dtype):
                out.append("i")
            elif types.is_numeric_dtype(dtype):
                out.append("f")
            else:
                out.append("t" if types.is_string_dtype(dtype) or types.is_object_dtype(dtype) else "o")
        return out

    def _of(self, kinds: str) -> list[tuple[str, Any]]:
        pairs = zip(self._names, self._kinds, strict=True)
        return [(name, self.X.iloc[:, number]) for number, (name, kind) in enumerate(pairs) if kind in kinds]

    def _ruled_out(self, rows: Any, told: Callable[[Any], Any]) -> set[int]:
        """Return the positions of the columns of plain numbers of which `told` says so, asked for many at a time.

        `told` gets the values (rows, columns) as floats, at most `CELLS` of them, and answers (columns,). Looking at
        thousands of columns one by one takes seconds.
        """
        import numpy as np

        plain = [i for i, dtype in enumerate(self.X.dtypes) if isinstance(dtype, np.dtype) and dtype.kind in "biuf"]
        table = self.X.iloc[rows]
        at_once = max(CELLS // max(len(table), 1), 1)
        out: set[int] = set()
        for start in range(0, len(plain) if len(table) else 0, at_once):
            some = plain[start : start + at_once]
            out.update(np.array(some)[told(table.iloc[:, some].to_numpy(float))].tolist())
        return out

    # -- checks -----------------------------------------------------------------------------------------------------

    def infinite(self) -> list[Remark]:
        """Return the columns with infinite values."""
        import numpy as np

        finite = self._ruled_out(slice(None), lambda values: ~np.isinf(values).any(axis=0))
        found = [
            name
            for number, name in enumerate(self._names)
            if self._kinds[number] == "f" and number not in finite and _infinite(self.X.iloc[:, number])
        ]
        if not found:
            return []
        text = f"infinite values in {few(found)}; put a number or nothing (an empty cell) in their place"
        return [Remark(text, severity="error")]

    def constant(self) -> list[Remark]:
        """Return the columns that say nothing: one value throughout, or none."""
        empty: list[str] = []
        same: list[str] = []
        varied = self._ruled_out(slice(50), _varied)
        for number, name in enumerate(self._names):
            if number in varied:
                continue
            column = self.X.iloc[:, number]
            if len(column) > 1 and _alike(column.iloc[:50]) and _distinct(column) == 1:
                (empty if bool(column.isna().iloc[0]) else same).append(name)
        out = []
        if empty:
            out.append(Remark(f"columns without any value: {few(empty)}", tuple(empty)))
        if same:
            out.append(Remark(f"columns with the same value in every row: {few(same)}", tuple(same)))
        return out

    def dates(self) -> list[Remark]:
        """Return the columns of dates, as such or as text: models refuse the one and take the other for words."""
        found = tuple(name for name, column in self._of("to") if name not in self.made and cells.dates(column))
        if not found:
            return []
        mend = "make numbers of them (year, month, weekday) or leave them out"
        text = f"{few(found)}: dates, which models cannot use; {mend}"
        return [Remark(text, found)]

    def ids(self) -> list[Remark]:
        """Return the columns that number or name the rows: a model learns them by heart and knows nothing new."""
        rows = len(self.X)
        out: list[Remark] = []
        if rows < 10:
            return out
        for name, column in self._of("it"):
            head = column.head(ROWS)
            named = bool(_ID.search(name))
            if column.isna().any() or name in self.made or cells.dates(column):
                continue
            different = head.nunique() == len(head) and column.nunique() == rows
            if different and (why := self._id_like(column, named)):
                out.append(Remark(f"{name!r} looks like a name of the rows ({why})", (name,)))
            elif named and not different and head.nunique() > max(20, len(head) / 20):
                text = (
                    f"{name!r} is called like an id and has {column.nunique()} different values in {rows} rows: if "
                    f"rows with the same one belong together write `groups: {name}`, else drop it"
                )
                out.append(Remark(text, (name,)))
        return out

    def _id_like(self, column: Any, named: bool) -> str:
        if not hasattr(column.iloc[0], "__index__"):
            words = column.astype(str).str.len().mean()
            return "all different" if words < PROSE else ""
        if named:
            return "all different, called like an id"
        if int(column.max()) - int(column.min()) == len(column) - 1:
            return "every whole number of a range once"
        if not self.in_order and (column.is_monotonic_increasing or column.is_monotonic_decreasing):
            return "all different, sorted"
        return ""

    def leaks(self, known: set[str]) -> list[Remark]:
        """Return the columns that give the target away: each of their values goes with one value of the target.

        With k different values in n rows, n - k rows repeat a value; that all of them have the target of the first
        is an accident of probability about q^(n - k), q being that of two rows having the same target by chance.
        """
        import numpy as np
        import pandas as pd

        codes, classes = pd.factorize(self.y[self.once])
        n = len(codes)
        if len(classes) < 2 or n < 10:
            return []
        q = float(((np.bincount(codes) / n) ** 2).sum())
        out = []
        target = None if self.classes else self.y[self.once]

        def apart(values: Any) -> Any:
            return ~repeats(_different(values)) & ~_may_follow(values, target)

        def repeats(k: Any) -> Any:
            return (n - k) * np.log(q) < np.log(CHANCE / len(self._names))

        harmless = self._ruled_out(self.once, apart)
        for number, name in enumerate(self._names):
            if name in known or number in harmless:
                continue
            column = self.X.iloc[:, number].iloc[self.once]
            try:
                plain = column.to_numpy() if self._kinds[number] in "bif" else column
                values = pd.factorize(plain, use_na_sentinel=False)[0].astype(np.int64)
            except TypeError:  # objects that cannot be compared
                continue
            k = int(values.max()) + 1
            if repeats(k) and len(np.unique(values * len(classes) + codes)) == k:
                same = "says the same as" if k == len(classes) else "alone determines"
                out.append(Remark(_leak(name, same), (name,)))
            elif not self.classes and _follows(column, self.y[self.once]):
                out.append(Remark(_leak(name, "rises or falls exactly with"), (name,)))
        return out

    def mixed(self) -> list[Remark]:
        """Return the columns of text that hold mostly numbers, and those of objects of several types."""
        import pandas as pd

        out = []
        for name, column in self._of("t"):
            present = column.head(ROWS).dropna()
            types = {type(one).__name__ for one in present}
            if len(types) > 1 and types != {"int", "float"}:
                out.append(Remark(f"{name!r} mixes types ({', '.join(sorted(types))}); make one of them", (name,)))
                continue
            if types != {"str"}:
                continue
            texts = pd.Series(present.unique())
            odd = texts[pd.to_numeric(texts, errors="coerce").isna()].tolist()
            share = 1 - present.isin(odd).mean()
            if 0.5 < share < 1:
                listed = ", ".join(_short(one) for one in odd[:3]) + (", ..." if len(odd) > 3 else "")
                out.append(
                    Remark(
                        f"{name!r} holds numbers ({share:.0%} of its cells) and text ({listed}), so it counts as "
                        f"text; if these mean a missing value: `missing: [{listed}]`",
                        about=(name,),
                    )
                )
            elif share == 1:
                out.append(Remark(f"{name!r} holds numbers stored as text; store them as numbers", about=(name,)))
        return out

    def prose(self, known: set[str]) -> list[Remark]:
        """Return the columns of long texts, or of almost as many texts as rows: no categories."""
        out = []
        for name, column in self._of("t"):
            if name in known or name in self.made:
                continue
            present = column.head(ROWS).dropna()
            if not len(present):
                continue
            lengths = present.astype(str).str.len()
            many = present.nunique() if all(isinstance(one, str) for one in present.head(50)) else 0
            if lengths.mean() >= PROSE or lengths.max() >= 10_000:
                what = f"long texts (up to {lengths.max():,} characters)"
            elif many > 100 and many > len(present) / 2:
                what = f"{many} different texts in {len(present)} rows"
            else:
                continue
            out.append(
                Remark(
                    f"{name!r} holds {what}, and a one-hot encoder makes a feature of each; make something else of it "
                    f"(a part of `columns:` with `select: [{name}]` and a text vectorizer) or leave it out",
                    (name,),
                )
            )
        return out


def _leak(name: str, how: str) -> str:
    return f"{name!r} {how} the target: is it known when predictions are made? If not, the scores are too good"


def _alike(column: Any) -> bool:
    """Return whether there is but one value (a missing one counts as such); quick for plain numbers."""
    values = column.to_numpy()
    if values.dtype.kind not in "biuf":
        return _distinct(column) == 1
    return bool((values == values[0]).all() or (values != values).all())


def _varied(values: Any) -> Any:
    """Return which columns of floats have several values."""
    return (values != values[0]).any(axis=0) & (values == values).any(axis=0)


def _different(values: Any) -> Any:
    """Return how many different values the columns of floats have, or fewer; missing ones are one."""
    import numpy as np

    ordered = np.sort(values, axis=0)
    missing = np.isnan(values).sum(axis=0)
    return 1 + (ordered[1:] != ordered[:-1]).sum(axis=0) - np.maximum(missing - 1, 0)


def _may_follow(values: Any, y: Any) -> Any:
    """Return which columns of floats never fall (or never rise) where the target rises: others do not follow it."""
    import numpy as np

    if y is None:
        return np.zeros(values.shape[1], dtype=bool)
    target = np.asarray(y, dtype=float)
    if not np.isfinite(target).all():
        return np.ones(values.shape[1], dtype=bool)
    ordered = values[np.argsort(target, kind="stable")]
    before, after = ordered[:-1], ordered[1:]
    return (after >= before).all(axis=0) | (after <= before).all(axis=0)


def _infinite(column: Any) -> bool:
    import numpy as np

    return bool(np.isinf(column.to_numpy(float, na_value=np.nan)).any())


def _distinct(column: Any) -> int:
    try:
        return int(column.nunique(dropna=False))
    except TypeError:  # lists and the like cannot be hashed
        return -1


def _follows(column: Any, y: Any) -> bool:
    """Return whether a number rises (or falls) strictly whenever the target does, and stays where it stays."""
    import numpy as np
    from pandas.api import types

    if not types.is_numeric_dtype(column.dtype) or types.is_bool_dtype(column.dtype) or column.isna().any():
        return False
    values = column.to_numpy(float)
    order = np.argsort(values, kind="stable")
    rise, steps = np.diff(values[order]) > 0, np.diff(np.asarray(y, dtype=float)[order])
    if rise.sum() < 10:
        return False
    return bool(np.all((steps > 0) == rise) and np.all(steps >= 0)) or bool(
        np.all((steps < 0) == rise) and np.all(steps <= 0)
    )


def few(names: Sequence[str], what: str = "columns") -> str:
    """Return the first names in words, and how many more there are."""
    return ", ".join(names[:6]) + (f" and {len(names) - 6} more {what}" if len(names) > 6 else "")


def _short(text: str) -> str:
    return repr(text if len(text) <= 20 else text[:17] + "...")
