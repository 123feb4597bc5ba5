"""`data: {train: sklearn:load_diabetes}`: one of the small data sets that scikit-learn brings along."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from pydantic import Field, field_validator

from hptune.dataset import DataSpec, Rows, bad
from hptune.errors import did_you_mean
from hptune.model import Loader

PREFIX = "sklearn:"
SETS: tuple[str, ...] = ("load_iris", "load_wine", "load_breast_cancer", "load_digits", "load_diabetes")


class BundledData(DataSpec):
    """A data set bundled with scikit-learn; nothing is downloaded."""

    key: ClassVar[str] = "sklearn"
    well_known: ClassVar[bool] = True

    train: str = Field(pattern="^sklearn:")
    """sklearn: and the loader's name, one of load_iris, load_wine, load_breast_cancer, load_digits, load_diabetes."""

    @field_validator("train")
    @classmethod
    def _known(cls, train: str) -> str:
        name = train.removeprefix(PREFIX)
        if name == "load_linnerud":
            raise ValueError("load_linnerud has three targets; hptune tunes models with one")
        if name.startswith("fetch_"):
            raise ValueError(f"{name} downloads its data; save it as CSV and name the file")
        if not train.startswith(PREFIX) or name not in SETS:
            listed = ", ".join(PREFIX + one for one in SETS)
            raise ValueError(
                f"expected one of {listed}, found {train!r}{did_you_mean(train, [PREFIX + s for s in SETS])}"
            )
        return train

    @classmethod
    def claims(cls, data: Mapping[str, Any]) -> bool:
        train = data.get("train")
        return isinstance(train, str) and train.startswith(PREFIX)

    def read(self, folder: str, aside: Sequence[str], load: Loader | None = None) -> Rows:
        from sklearn import datasets

        del folder, load
        for name in aside:
            raise bad("evaluate.cv.column", f"{self.train} has no column of fold numbers {name!r}")
        X, y = getattr(datasets, self.train.removeprefix(PREFIX))(return_X_y=True, as_frame=True)
        return Rows(X=X, y=y.to_numpy())
