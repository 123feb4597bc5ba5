"""What the tests of slots and executors share; not a conftest, so that it can be imported."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from hptune import guard
from hptune.job import Job, Setup

HOSTILE = "hostile:Hostile"


def setup_for(**model: object) -> Setup:
    return Setup(model=model, data=None, evaluate={}, space={}, seed=0, folder=str(Path(__file__).parent), threads=3)


def job(do: str = "good", **fields: object) -> Job:
    values = fields.pop("values", {})
    return Job(values={"do": do, **values}, **fields)


def alive(pid: int) -> bool:
    return any(pid == row[0] for row in guard.processes())


def until(condition: Callable[[], object], seconds: float = 2.0) -> bool:
    limit = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > limit:
            return False
        time.sleep(0.01)
    return True
