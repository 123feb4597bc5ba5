"""How many BLAS and OpenMP threads: one while an oracle thinks (its matrices are small, and threads that fight over cores
slow it tenfold), the cores divided by the workers in each worker."""

from __future__ import annotations

import contextlib
import os
import sys
import threading
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

VARIABLES = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "NUMEXPR_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
)


WORKER = "HPTUNE_WORKER"
"""The environment variable that names a worker to its trials; only processes started for one have it."""

_limited = False
_asked = os.environ.get("OMP_NUM_THREADS", "")  # of the user: `limit_this_process` sets it later


def usable_cores() -> int:
    """Return the number of cores this process may use (where the system tells, its affinity)."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def threads_each(workers: int) -> int:
    """Return the threads of each of so many workers: cores / workers, at least one, at most what OMP_NUM_THREADS was at
    the start (who is given a share of a machine is told so by it; joblib heeds it too)."""
    share = max(1, usable_cores() // workers)
    most = _asked.partition(",")[0].strip()  # a list has one number for each level of nesting
    return min(share, int(most)) if most.isdecimal() and int(most) > 0 else share


def limit_this_process() -> None:
    """Ask for one thread before numpy is loaded; what the user has set stays, and workers are told their own number."""
    global _limited
    for name in VARIABLES:
        os.environ.setdefault(name, "1")
    _limited = "numpy" not in sys.modules and all(os.environ[name] == "1" for name in VARIABLES)


def told_by_environment(count: int) -> bool:
    """Return whether this is a worker's process that was started with so many threads: its libraries know already."""
    return WORKER in os.environ and all(os.environ.get(name) == str(count) for name in VARIABLES)


@lru_cache(maxsize=2)
def _controller(scipy_loaded: bool) -> Any:
    del scipy_loaded  # part of the key only: scipy brings a BLAS of its own, which is found anew once it is there
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController()


_limiting = threading.RLock()


@contextlib.contextmanager
def one_thread() -> Iterator[None]:
    """Limit the linear algebra libraries loaded so far to one thread, and put them back afterwards.

    Their number is the process's: another thread waits here, as it would else find and put back the limited one.
    """
    if _limited:  # they have one thread from the start; looking for them takes 30 ms
        yield
        return
    with _limiting, _controller("scipy.linalg" in sys.modules).limit(limits=1):
        yield
