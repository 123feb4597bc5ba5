"""The kinds of `data:`, by name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hptune.data.bundled import BundledData
from hptune.data.csv import SUFFIXES, CsvData
from hptune.data.function import FunctionData
from hptune.data.npz import NpzData
from hptune.data.parquet import ParquetData
from hptune.data.synthetic import SyntheticData
from hptune.dataset import DataSpec
from hptune.errors import did_you_mean

_KINDS: tuple[type[DataSpec], ...] = (CsvData, ParquetData, NpzData, BundledData, SyntheticData, FunctionData)
DATA_SOURCES: dict[str, type[DataSpec]] = {kind.key: kind for kind in _KINDS}


def source_of(data: Mapping[str, Any]) -> type[DataSpec]:
    """Return the kind of data that a `data:` mapping describes; raises ValueError where none claims it."""
    for kind in DATA_SOURCES.values():
        if kind.claims(data):
            return kind
    train = data.get("train")
    if "train" in data:
        listed = ", ".join((*SUFFIXES, ".parquet", ".npz"))
        raise ValueError(f"train: expected a file ({listed}) or sklearn:load_NAME, found {train!r}")
    hints = [hint for key in data if (hint := did_you_mean(key, ("train", "synthetic", "function")))]
    found = ", ".join(map(str, data)) or "nothing"
    raise ValueError(f"expected train, synthetic or function, found {found}{hints[0] if hints else ''}")


def data_from(data: Mapping[str, Any]) -> DataSpec:
    """Return the data that a `data:` mapping describes; raises ValueError (pydantic's too) for a bad one."""
    return source_of(data).model_validate(data)
