"""`data: {function: pkg.mod:load}`: whatever a Python function returns."""

from __future__ import annotations

import traceback
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, ClassVar

from pydantic import AfterValidator, Field

from hptune.data.arrays import rows_of_arrays
from hptune.data.columns import TableData
from hptune.dataset import Rows, bad
from hptune.errors import ConfigError, did_you_mean
from hptune.model import Loader
from hptune.models.nodes import dotted

KEY = "data.function"
_HELD = ("X", "y", "groups", "weights")


class FunctionData(TableData):
    """A function that returns (X, y), a dict with X, y and if need be groups and weights, or a DataFrame.

    It is called in every worker process and must return the same each time. The rules of what may be imported are
    those for models: the config's own folder, or `--allow-import`.
    """

    key: ClassVar[str] = "function"

    function: Annotated[str, AfterValidator(dotted)]
    """The function, as package.module:name."""
    arguments: dict[str, Any] = Field(default_factory=dict)
    """What it is called with, by name."""

    @classmethod
    def claims(cls, data: Mapping[str, Any]) -> bool:
        return "function" in data

    def imports(self) -> list[tuple[str, str]]:
        return [(KEY, self.function)]

    def read(self, folder: str, aside: Sequence[str], load: Loader | None = None) -> Rows:
        del folder
        if load is None:
            raise TypeError("function data needs a loader")
        function = load(self.function, key=KEY, wanted="function")
        try:
            returned = function(**self.arguments)
        except ConfigError:
            raise
        except Exception as error:  # the user's code may raise anything
            frame = traceback.extract_tb(error.__traceback__)[-1]
            where = f"{frame.filename}, line {frame.lineno}"
            raise bad(KEY, f"{self.function} raised {type(error).__name__}: {error} ({where})") from error
        return self._rows(returned, aside)

    def _rows(self, returned: Any, aside: Sequence[str]) -> Rows:
        import pandas as pd

        if isinstance(returned, pd.DataFrame):
            if self.target is None:
                listed = ", ".join(map(str, returned.columns[:12]))
                raise bad("data.target", f"expected the target, a column of the DataFrame: one of {listed}")
            table = returned.set_axis([str(name) for name in returned.columns], axis=1).reset_index(drop=True)
            return self.rows(table, self.function, aside)
        for name in ("target", "groups", "weights", "drop"):
            if getattr(self, name):
                message = (
                    f"goes with a function that returns a DataFrame, {self.function} returns arrays; leave it out"
                )
                raise bad(f"data.{name}", message)
        if isinstance(returned, tuple) and len(returned) == 2:
            returned = dict(zip(_HELD, returned, strict=False))
        if not isinstance(returned, Mapping):
            found = f"{type(returned).__name__} of {len(returned)}" if isinstance(returned, tuple) else None
            raise bad(
                KEY,
                "expected (X, y), a dict with X and y, or a DataFrame, "
                f"found {found or type(returned).__name__} from {self.function}",
            )
        for name in returned:
            if name not in (*_HELD, *aside):
                hint = did_you_mean(str(name), _HELD) or f"; expected {', '.join(_HELD)}"
                raise bad(KEY, f"{self.function} returned an unknown key {name!r}{hint}")
        for name in ("X", "y"):
            if returned.get(name) is None:
                raise bad(KEY, f"{self.function} returned no {name!r}")
        for name in aside:
            if name not in returned:
                raise bad("evaluate.cv.column", f"{self.function} returned no {name!r}")
        held = {name: returned.get(name) for name in _HELD}
        return rows_of_arrays(self.function, KEY, **held, aside={name: returned[name] for name in aside})
