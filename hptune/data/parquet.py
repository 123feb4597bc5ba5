"""`data: {train: data/train.parquet, target: progression}`: a table in a Parquet file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import Field

from hptune.data.columns import TableData
from hptune.dataset import Rows, bad, check_file, resolved
from hptune.model import Loader

if TYPE_CHECKING:
    import pandas as pd

SUFFIXES = (".parquet", ".pq")


class ParquetData(TableData):
    """A Parquet file. Columns keep their types, categories among them. Needs `pip install hptune[parquet]`."""

    key: ClassVar[str] = "parquet"

    train: str = Field(pattern=r"\.([pP][aA][rR][qQ][uU][eE][tT]|[pP][qQ])$")
    """The file, relative to the config: .parquet or .pq."""
    target: str = Field(min_length=1)
    """The column to predict."""

    @classmethod
    def claims(cls, data: Mapping[str, Any]) -> bool:
        train = data.get("train")
        return isinstance(train, str) and train.lower().endswith(SUFFIXES)

    def read(self, folder: str, aside: Sequence[str], load: Loader | None = None) -> Rows:
        del load
        return self.rows(self.table(folder), self.train, aside)

    def table(self, folder: str) -> pd.DataFrame:
        """Return the table as pandas reads it; raises `ConfigError` as `read` does."""
        import pandas as pd

        path = resolved(folder, self.train)
        check_file(path, "Parquet")
        try:
            import pyarrow  # noqa: F401 - pandas would name fastparquet too
            from pyarrow import ArrowException
        except ImportError:
            raise bad(
                "data.train", f"reading {self.train} needs pyarrow: python -m pip install 'hptune[parquet]'"
            ) from None
        try:
            table = pd.read_parquet(path, engine="pyarrow")
        except (OSError, ValueError, ArrowException) as error:
            said = (str(error).strip().splitlines() or [type(error).__name__])[0]
            raise bad("data.train", f"{path} cannot be read as Parquet: {said}") from None
        named = [name for name in table.index.names if name is not None]
        return table.reset_index() if named else table
