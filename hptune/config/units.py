"""Durations (`15m`, `1h30m`, plain seconds) and sizes (`2GiB`, `500MB`, plain bytes)."""

from __future__ import annotations

import math
import re
from typing import Annotated, Any

from pydantic import BeforeValidator, WithJsonSchema

from hptune.config.yaml_scalars import shortened

_SECONDS = {"d": 86400.0, "h": 3600.0, "m": 60.0, "min": 60.0, "s": 1.0, "ms": 0.001}
_DURATION = re.compile(r"(?:\d+(?:\.\d+)?\s*(?:d|h|min|ms|m|s)\s*)+")
_PART = re.compile(r"(\d+(?:\.\d+)?)\s*(d|h|min|ms|m|s)")
_BYTES = {"b": 1} | {
    f"{letter}{suffix}": base**power
    for power, letter in enumerate("kmgt", start=1)
    for suffix, base in (("b", 1000), ("ib", 1024))
}
_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([A-Za-z]+)")
_SMALLEST = 2**20


def seconds(value: Any) -> Any:
    """Return a duration in seconds; None stays None. Raises ValueError for anything else that is no duration."""
    if value is None:
        return None
    wanted = "expected a duration such as 90s, 15m or 1h30m, or a number of seconds"
    if isinstance(value, str):
        text = value.strip().lower()
        if not _DURATION.fullmatch(text):
            raise ValueError(f"{wanted}, found {shortened(value)!r}")
        value = math.fsum(float(number) * _SECONDS[unit] for number, unit in _PART.findall(text))
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise ValueError(f"{wanted}, found {_kind(value)}")
    if not 0 < value < math.inf:
        raise ValueError(f"{wanted}, above zero, found {value:g}")
    return float(value)


def size(value: Any) -> Any:
    """Return a size in bytes; None stays None. Raises ValueError for anything else that is no size."""
    if value is None:
        return None
    wanted = "expected a size such as 2GiB or 500MB, or a number of bytes"
    if isinstance(value, str):
        match = _SIZE.fullmatch(value.strip())
        factor = _BYTES.get(match[2].lower()) if match else None
        if match is None or factor is None:
            raise ValueError(f"{wanted}, found {shortened(value)!r}")
        value = float(match[1]) * factor
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise ValueError(f"{wanted}, found {_kind(value)}")
    if not value >= _SMALLEST:
        raise ValueError(f"{wanted}, of at least 1MiB, found {value:g} bytes; is the unit missing?")
    if value > 2**62:
        raise ValueError(f"{wanted}, found {value:g} bytes")
    return int(value)


def _kind(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else f"a {'mapping' if isinstance(value, dict) else 'list'}"


Seconds = Annotated[
    float,
    BeforeValidator(seconds),
    WithJsonSchema({"type": ["number", "string"], "examples": ["15m", "90s", "1h30m", 900]}),
]
Bytes = Annotated[
    int, BeforeValidator(size), WithJsonSchema({"type": ["integer", "string"], "examples": ["2GiB", "500MB"]})
]
