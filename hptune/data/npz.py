"""`data: {train: data/train.npz}`: numpy arrays X and y in one file, and groups and weights where it holds them."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

from pydantic import Field

from hptune.data.arrays import rows_of_arrays
from hptune.dataset import DataSpec, Rows, bad, check_file, resolved
from hptune.errors import did_you_mean
from hptune.model import Loader


class NpzData(DataSpec):
    """A file of `numpy.savez(path, X=X, y=y)`. Arrays of Python objects (pickles) are refused."""

    key: ClassVar[str] = "npz"

    train: str = Field(pattern=r"\.[nN][pP][zZ]$")
    """The file, relative to the config."""
    target: str = "y"
    """The key of the target, shape (rows,)."""
    groups: str | None = None
    """The key of the groups, shape (rows,); `groups` if there is one."""
    weights: str | None = None
    """The key of the sample weights, shape (rows,); `weights` if there is one."""

    @classmethod
    def claims(cls, data: Mapping[str, Any]) -> bool:
        train = data.get("train")
        return isinstance(train, str) and train.lower().endswith(".npz")

    def read(self, folder: str, aside: Sequence[str], load: Loader | None = None) -> Rows:
        del load
        path = resolved(folder, self.train)
        check_file(path, "npz")
        arrays = self._arrays(path)
        wanted = [("data.train", "X"), ("data.target", self.target)]
        wanted += [(f"data.{k}", n) for k, n in (("groups", self.groups), ("weights", self.weights)) if n is not None]
        wanted += [("evaluate.cv.column", name) for name in aside]
        for key, name in wanted:
            if name not in arrays:
                held = ", ".join(arrays) or "nothing"
                hint = did_you_mean(name, arrays) or "; write it with numpy.savez(path, X=X, y=y)"
                raise bad(key, f"{self.train} has no array {name!r}, it holds {held}{hint}")
        return rows_of_arrays(
            self.train,
            "data.train",
            X=arrays["X"],
            y=arrays[self.target],
            groups=arrays.get(self.groups or "groups"),
            weights=arrays.get(self.weights or "weights"),
            aside={name: arrays[name] for name in aside},
        )

    @staticmethod
    def _arrays(path: Path) -> dict[str, Any]:
        import numpy as np

        try:
            with path.open("rb") as raw:  # numpy leaves a file open that turns out to be damaged
                file = np.load(raw, allow_pickle=False)
                if not isinstance(file, np.lib.npyio.NpzFile):
                    raise bad("data.train", f"{path} holds a single array; write numpy.savez(path, X=X, y=y)")
                return {name: file[name] for name in file.files}
        except (OSError, EOFError, ValueError, zipfile.BadZipFile, zlib.error) as error:
            said = str(error).strip().splitlines()
            pickled = "pickle" in str(error) or "Object arrays" in str(error)
            why = (
                "it holds Python objects (pickles), which are not loaded; save plain arrays" if pickled else said[:1]
            )
            text = why if isinstance(why, str) else "".join(why)
            raise bad("data.train", f"{path} cannot be read as npz: {text}") from None
