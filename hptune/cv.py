"""How `evaluate.cv` divides the rows into training and test parts, fold by fold.

Every kind is a spec with its options and two methods for the worker. Rows are shuffled with the stream ("cv", repeat)
of the study's seed, so that every trial, process and session meets the same folds.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import BeforeValidator, ConfigDict, Discriminator, Field, Tag

from hptune.errors import did_you_mean
from hptune.randomness import seed_for
from hptune.spec import Spec

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Rows = NDArray[np.intp]
    Fold = tuple[Rows, Rows]

Count = Annotated[int, Field(strict=True, ge=1, le=1000)]
Folds = Annotated[int, Field(strict=True, ge=2, le=1000)]
Fraction = Annotated[float, Field(strict=True, gt=0, lt=1)]
Stratify = Literal["auto"] | bool


@dataclass(frozen=True, kw_only=True)
class Rowset:
    """What a splitter looks at.

    `y` and `groups` (or None) have shape (rows,), `classes` says whether y holds classes, `aside` are columns of the
    data that belong to the splitting, `seed` is the study's.
    """

    y: Any
    groups: Any = None
    classes: bool = False
    aside: Mapping[str, Any]
    seed: int

    @property
    def rows(self) -> int:
        return len(self.y)


class CvSpec(Spec):
    """The base of the kinds of cross-validation; each adds a literal `type`."""

    model_config = ConfigDict(serialize_by_alias=True)
    type: str
    """The kind: how the rows are divided."""

    uses_groups: ClassVar[bool] = False
    """Whether it keeps the rows of a group together."""
    in_order: ClassVar[bool] = False
    """Whether the order of the rows means something (so that a holdout is their end)."""
    overlapping: ClassVar[bool] = False
    """Whether a row may be tested in several folds of one repeat."""

    @property
    def apart(self) -> int:
        """How many rows are left out between training and test, also before a holdout of the last rows."""
        return 0

    @property
    def aside(self) -> tuple[str, ...]:
        """The columns of the data that belong to the splitting and not to X."""
        return ()

    def stratifies(self, rows: Rowset) -> bool:
        """Whether each part gets the same share of every class."""
        del rows
        return False

    def splits(self, rows: Rowset) -> list[Fold]:
        """Return (training rows, test rows) of every fold; raises ValueError if the data cannot be divided so."""
        raise NotImplementedError


class _Divided(CvSpec):
    """The base of those that divide the rows into parts of one size."""

    folds: Folds = 5
    """How many parts the rows are divided into; each is tested once, by a model fitted to the others."""


class _Shuffled(_Divided):
    """The base of those that shuffle the rows, unless they are told not to."""

    shuffle: bool = True
    """Whether the rows are divided at random (for every trial alike); false: in the order of the data."""


class _Repeated(_Divided):
    """The base of those that divide the rows several times."""

    repeats: Count = 2
    """How often the rows are divided, each time shuffled anew."""


def _listed(splitter: Any, rows: Rowset, *, groups: bool = False) -> list[Fold]:
    import numpy as np

    if groups and rows.groups is None:
        raise ValueError("needs data.groups: the column that says which rows belong together")
    return list(splitter.split(np.zeros((rows.rows, 1)), rows.y, rows.groups if groups else None))


class KFold(_Shuffled):
    """Every row is tested once."""

    type: Literal["kfold"] = "kfold"

    def splits(self, rows: Rowset) -> list[Fold]:
        from sklearn import model_selection as ms

        return _listed(ms.KFold(self.folds, shuffle=self.shuffle, random_state=_state(self.shuffle, rows, 0)), rows)


class Stratified(_Shuffled):
    """As kfold, with the same share of every class in each fold."""

    type: Literal["stratified"] = "stratified"

    def stratifies(self, rows: Rowset) -> bool:
        del rows
        return True

    def splits(self, rows: Rowset) -> list[Fold]:
        from sklearn import model_selection as ms

        state = _state(self.shuffle, rows, 0)
        return _listed(ms.StratifiedKFold(self.folds, shuffle=self.shuffle, random_state=state), rows)


class Group(_Shuffled):
    """As kfold, with all rows of a group (`data.groups`) in one fold."""

    type: Literal["group"] = "group"

    uses_groups: ClassVar[bool] = True

    def splits(self, rows: Rowset) -> list[Fold]:
        from sklearn import model_selection as ms

        splitter = ms.GroupKFold(self.folds, shuffle=self.shuffle, random_state=_state(self.shuffle, rows, 0))
        return _listed(splitter, rows, groups=True)


class StratifiedGroup(_Shuffled):
    """As group, with shares of the classes as even as the groups allow."""

    type: Literal["stratified_group"] = "stratified_group"

    uses_groups: ClassVar[bool] = True

    def stratifies(self, rows: Rowset) -> bool:
        del rows
        return True

    def splits(self, rows: Rowset) -> list[Fold]:
        from sklearn import model_selection as ms

        splitter = ms.StratifiedGroupKFold(
            self.folds, shuffle=self.shuffle, random_state=_state(self.shuffle, rows, 0)
        )
        return _listed(splitter, rows, groups=True)


class RepeatedKFold(_Repeated):
    """kfold several times, shuffled anew; fold number = repeat * folds + fold."""

    type: Literal["repeated_kfold"] = "repeated_kfold"

    def splits(self, rows: Rowset) -> list[Fold]:
        from sklearn import model_selection as ms

        return [
            fold
            for repeat in range(self.repeats)
            for fold in _listed(ms.KFold(self.folds, shuffle=True, random_state=_state(True, rows, repeat)), rows)
        ]


class RepeatedStratified(_Repeated):
    """stratified several times, shuffled anew; fold number = repeat * folds + fold."""

    type: Literal["repeated_stratified"] = "repeated_stratified"

    def stratifies(self, rows: Rowset) -> bool:
        del rows
        return True

    def splits(self, rows: Rowset) -> list[Fold]:
        from sklearn import model_selection as ms

        return [
            fold
            for repeat in range(self.repeats)
            for fold in _listed(
                ms.StratifiedKFold(self.folds, shuffle=True, random_state=_state(True, rows, repeat)), rows
            )
        ]


class TimeSeries(CvSpec):
    """Training rows always come before the test rows; the rows must be in the order of time."""

    type: Literal["time_series"] = "time_series"
    folds: Folds = 5
    """How many test parts, one after another in time."""
    gap: Annotated[int, Field(strict=True, ge=0)] = 0
    """Rows left out between training and test; of several rows a day, that many times the days."""
    test_size: Annotated[int, Field(strict=True, ge=1)] | None = None
    """Rows in each test part; by default rows / (folds + 1)."""

    in_order: ClassVar[bool] = True

    @property
    def apart(self) -> int:
        return self.gap

    def splits(self, rows: Rowset) -> list[Fold]:
        from sklearn import model_selection as ms

        return _listed(ms.TimeSeriesSplit(self.folds, gap=self.gap, test_size=self.test_size), rows)


class Shuffle(CvSpec):
    """Independent random divisions; a row may be tested several times or never."""

    overlapping: ClassVar[bool] = True

    type: Literal["shuffle"] = "shuffle"
    splits_: Annotated[Count, Field(alias="splits")] = 10
    """How many divisions."""
    fraction: Fraction = 0.2
    """The share of the rows that is tested."""
    stratify: Stratify = "auto"
    """auto: for classifiers."""

    uses_groups: ClassVar[bool] = True

    def stratifies(self, rows: Rowset) -> bool:
        return _stratifies(self.stratify, rows)

    def splits(self, rows: Rowset) -> list[Fold]:
        return random_divisions(
            rows, self.splits_, self.fraction, self.stratifies(rows), seed_for(rows.seed, "cv", 0)
        )


class SingleSplit(CvSpec):
    """One division: fit on the first part, score on the other (for models that take long)."""

    type: Literal["single_split"] = "single_split"
    fraction: Fraction = 0.25
    """The share of the rows that is tested."""
    shuffle: bool = True
    """false: the last rows are tested."""
    stratify: Stratify = "auto"
    """auto: for classifiers."""

    uses_groups: ClassVar[bool] = True

    def stratifies(self, rows: Rowset) -> bool:
        return self.shuffle and _stratifies(self.stratify, rows)

    def splits(self, rows: Rowset) -> list[Fold]:
        if not self.shuffle:
            return [last_rows(rows.rows, self.fraction)]
        return random_divisions(rows, 1, self.fraction, self.stratifies(rows), seed_for(rows.seed, "cv", 0))


class Predefined(CvSpec):
    """A column of the data says in which fold a row is tested; -1: always trained on. The column is no feature."""

    type: Literal["predefined"] = "predefined"
    column: str
    """The column of fold numbers."""

    @property
    def aside(self) -> tuple[str, ...]:
        return (self.column,)

    def splits(self, rows: Rowset) -> list[Fold]:
        import numpy as np

        numbers = np.asarray(rows.aside[self.column])
        if numbers.dtype.kind not in "iu" and not (
            numbers.dtype.kind == "f" and np.all(numbers == np.floor(numbers))
        ):
            raise ValueError(f"column {self.column!r}: expected whole fold numbers, found {numbers.dtype} values")
        out = [
            (np.flatnonzero(numbers != number), np.flatnonzero(numbers == number))
            for number in np.unique(numbers)
            if number >= 0
        ]
        if not out or any(len(train) == 0 for train, _ in out):
            raise ValueError(f"column {self.column!r}: expected at least two parts (fold numbers 0, 1, ... or -1)")
        return out


def _state(shuffle: bool, rows: Rowset, repeat: int) -> int | None:
    return seed_for(rows.seed, "cv", repeat) if shuffle else None


def _stratifies(wish: Stratify, rows: Rowset) -> bool:
    return rows.classes and rows.groups is None if wish == "auto" else wish


def last_rows(rows: int, fraction: float) -> Fold:
    """Return (the first rows, the last `fraction` of them, at least one)."""
    import numpy as np

    tested = min(max(1, round(rows * fraction)), rows - 1)
    return np.arange(rows - tested), np.arange(rows - tested, rows)


def random_divisions(rows: Rowset, number: int, fraction: float, stratify: bool, state: int) -> list[Fold]:
    """Return `number` random divisions that test `fraction` of the rows, or of the groups where there are some."""
    from sklearn import model_selection as ms

    if rows.groups is not None:
        return _listed(ms.GroupShuffleSplit(number, test_size=fraction, random_state=state), rows, groups=True)
    kind = ms.StratifiedShuffleSplit if stratify else ms.ShuffleSplit
    return _listed(kind(number, test_size=fraction, random_state=state), rows)


_KINDS: tuple[type[CvSpec], ...] = (
    KFold, Stratified, Group, StratifiedGroup, RepeatedKFold, RepeatedStratified, TimeSeries, Shuffle, SingleSplit,
    Predefined,
)  # fmt: skip
CV: dict[str, type[CvSpec]] = {kind.model_fields["type"].default: kind for kind in _KINDS}


def _kind(value: Any) -> str:
    """Return the tag of a kind, in angle brackets because it turns up in pydantic's `loc`."""
    return f"<{value.get('type') if isinstance(value, Mapping) else value.type}>"


def _known(value: Any) -> Any:
    """Refuse what is no kind of cross-validation here, where the message can name the nearest."""
    if isinstance(value, Mapping) and value.get("type") not in CV:
        found = value.get("type")
        listed = ", ".join(CV)
        if found is None:
            raise ValueError(f"expected a type: one of {listed}")
        raise ValueError(f"type: expected one of {listed}, found {found!r}{did_you_mean(str(found), CV)}")
    return value


AnyCv = Annotated[
    Annotated[KFold, Tag("<kfold>")]
    | Annotated[Stratified, Tag("<stratified>")]
    | Annotated[Group, Tag("<group>")]
    | Annotated[StratifiedGroup, Tag("<stratified_group>")]
    | Annotated[RepeatedKFold, Tag("<repeated_kfold>")]
    | Annotated[RepeatedStratified, Tag("<repeated_stratified>")]
    | Annotated[TimeSeries, Tag("<time_series>")]
    | Annotated[Shuffle, Tag("<shuffle>")]
    | Annotated[SingleSplit, Tag("<single_split>")]
    | Annotated[Predefined, Tag("<predefined>")],
    Discriminator(_kind),
    BeforeValidator(_known),
]


def plain_folds(folds: int, *, classes: bool, groups: bool) -> CvSpec:
    """Return what `cv: 5` means: stratified for classes, by groups where they are declared, else kfold."""
    if groups:
        return StratifiedGroup(folds=folds) if classes else Group(folds=folds)
    return Stratified(folds=folds) if classes else KFold(folds=folds)
