"""Processes that libraries keep between trials on purpose, and that must not be killed under them.

`n_jobs=2` inside an estimator makes joblib keep a pool of idle loky workers and a "resource tracker". Killing those
after a trial makes the *next* trial that uses joblib fail (TerminatedWorkerError, measured: every second one), and
starting them anew costs it two seconds. They end with the child, like everything in its session.

Nothing is imported here for its own sake: what a trial has not imported it does not use.
"""

from __future__ import annotations

import contextlib
import sys
from typing import Any

_LOKY = ("joblib.externals.loky.", "loky.")
_TRACKERS = (
    "multiprocessing.resource_tracker",
    "joblib.externals.loky.backend.resource_tracker",
    "loky.backend.resource_tracker",
)


def kept() -> set[int]:
    """Return the pids of idle pool workers and of resource trackers; a pool that is still busy is ended first.

    Looks into private parts of joblib and multiprocessing: where they have changed, nothing is kept, and the worst
    that follows is what the module's docstring says.
    """
    pids: set[int] = set()
    for prefix in _LOKY:
        with contextlib.suppress(Exception):
            pids |= _pool(getattr(sys.modules.get(prefix + "reusable_executor"), "_executor", None))
    for name in _TRACKERS:
        tracker = getattr(sys.modules.get(name), "_resource_tracker", None)
        pid = getattr(tracker, "_pid", None)
        if isinstance(pid, int):
            pids.add(pid)
    return pids


def end() -> None:
    """End the pools in order: multiprocessing's exit handler would wait for their workers for ever."""
    for prefix in _LOKY:
        with contextlib.suppress(Exception):
            pool = getattr(sys.modules.get(prefix + "reusable_executor"), "_executor", None)
            if pool is not None:
                pool.shutdown(wait=True, kill_workers=True)


def _pool(pool: Any) -> set[int]:
    if pool is None or pool._flags.shutdown or pool._flags.broken:
        return set()
    if pool._pending_work_items:
        # The trial gave up on it (or a thread of the trial did not end). In order, so that joblib makes a new one.
        pool.shutdown(wait=True, kill_workers=True)
        return set()
    return set(pool._processes)
