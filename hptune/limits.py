"""What a trial may use, in the search and in the finals alike."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """What a trial may use: wall seconds over all its folds, bytes of memory, further attempts after a failure."""

    seconds: float | None = None
    memory: int | None = None
    retries: int = 0


NONE = Limits()
