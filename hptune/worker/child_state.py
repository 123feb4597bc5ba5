"""What a trial may change of its process as a whole, and the next one would suffer from: put back between two jobs.

Timers are stopped; signals are handled and blocked as before, NumPy's errors too; limits that were lowered are raised
again; environment variables that were removed or changed get their values back. What a module sets while the worker
imports it is meant to last and stays, and so does what harms nobody: a limit that was raised, a variable that was added,
as libraries do when they are first used.

Where something cannot be put back (a hard limit; a thread that goes on, and may do anything at any time) `restored` says
so, and the child makes room for a new one. Costs about 40 µs a job.
"""

from __future__ import annotations

import contextlib
import os
import resource
import signal
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

_TIMERS = (signal.ITIMER_REAL, signal.ITIMER_VIRTUAL, signal.ITIMER_PROF)
# Those that make others fail; RLIMIT_CORE and the like do not.
_LIMITS = tuple(
    getattr(resource, f"RLIMIT_{name}")
    for name in ("AS", "CPU", "DATA", "FSIZE", "NOFILE", "NPROC", "STACK")
    if hasattr(resource, f"RLIMIT_{name}")
)
_SIGNALS = tuple(
    sorted(number for number in signal.Signals if number < 32 and number.name not in ("SIGKILL", "SIGSTOP"))
)
_NUMPY = {"divide": "warn", "over": "warn", "under": "ignore", "invalid": "warn"}
"""NumPy's own error handling, for where it is imported later."""
_POOLS = ("concurrent.futures.", "multiprocessing.", "joblib.", "loky.")
"""Whose threads may stay: they manage a pool of processes, or wait in a pool of threads for work."""
_ENDING_SECONDS = 0.005
"""So long a thread that is just ending is waited for; one that will end the process shall not do so before the answer."""

# As bytes, without decoding each: 0.2 µs and not 20.
_environment: Mapping[bytes, bytes] = getattr(os.environ, "_data", os.environb)


@dataclass(frozen=True)
class _State:
    limits: tuple[tuple[int, int], ...]
    handlers: tuple[Any, ...]
    mask: frozenset[int]
    recursion: int
    numpy: dict[str, str]
    environment: dict[bytes, bytes]
    umask: int
    threads: frozenset[threading.Thread]

    @classmethod
    def now(cls, umask: int | None = None) -> _State:
        """Return the state as it is; a `umask` that is not known must be set to be read."""
        if umask is None:
            umask = os.umask(0o077)
            os.umask(umask)
        return cls(
            limits=tuple(map(resource.getrlimit, _LIMITS)),
            handlers=tuple(map(signal.getsignal, _SIGNALS)),
            mask=frozenset(signal.pthread_sigmask(signal.SIG_BLOCK, ())),
            recursion=sys.getrecursionlimit(),
            numpy=sys.modules["numpy"].geterr() if hasattr(sys.modules.get("numpy"), "geterr") else _NUMPY,
            environment=dict(_environment),
            umask=umask,
            threads=frozenset(threading.enumerate()),
        )


_kept: _State | None = None
"""What is put back; None in a process that is no child (the serial executor's belongs to the user)."""


def keep() -> None:
    """From now on this process is to be as it is now."""
    global _kept
    _kept = _State.now()


@contextlib.contextmanager
def lasting() -> Iterator[None]:
    """What the code inside changes is meant to last, unless a trial has changed something before."""
    global _kept
    untouched = _kept is not None and _State.now() == _kept
    yield
    if untouched:
        _kept = _State.now()


def restored() -> bool:
    """Put back what a trial has changed; return whether the process is as good as new."""
    global _kept
    kept = _kept
    if kept is None:
        return True
    for timer in _TIMERS:
        signal.setitimer(timer, 0)
    os.umask(kept.umask)
    fine = _limits_put_back(kept)  # first: there may be no memory left for anything else
    now = _State.now(umask=kept.umask)
    if now == kept:
        return fine
    for number, before, after in zip(_SIGNALS, kept.handlers, now.handlers, strict=True):
        if before is not None and before != after:  # None: a library's own, which Python cannot set
            signal.signal(number, before)
    signal.pthread_sigmask(signal.SIG_SETMASK, kept.mask)
    sys.setrecursionlimit(max(kept.recursion, now.recursion))
    if now.numpy != kept.numpy:
        sys.modules["numpy"].seterr(**kept.numpy)
    for name, value in kept.environment.items():
        if now.environment.get(name) != value:
            os.environb[name] = value
    fine = not _goes_on(now.threads - kept.threads) and fine
    _kept = _State.now(umask=kept.umask)
    return fine


def _limits_put_back(kept: _State) -> bool:
    fine = True
    for which, before in zip(_LIMITS, kept.limits, strict=True):
        after = resource.getrlimit(which)
        soft, hard = (max(pair, key=_as_number) for pair in zip(before, after, strict=True))
        if (soft, hard) == after:
            continue
        try:
            resource.setrlimit(which, (soft, hard))
        except (ValueError, OSError):  # only root may raise a hard limit
            fine = False
            with contextlib.suppress(ValueError, OSError):
                resource.setrlimit(which, (min(soft, after[1], key=_as_number), after[1]))
    return fine


def _as_number(limit: int) -> float:
    return float("inf") if limit == resource.RLIM_INFINITY else limit


def _goes_on(threads: frozenset[threading.Thread]) -> bool:
    """Return whether one of the threads goes on with a trial's work. Daemons are meant to, and harm is not expected."""
    until = time.monotonic() + _ENDING_SECONDS
    for thread in threads:
        if not (thread.daemon or _is_pools(thread)):
            thread.join(max(0.0, until - time.monotonic()))
            if thread.is_alive():
                return True
    return False


def _is_pools(thread: threading.Thread) -> bool:
    frame = sys._current_frames().get(thread.ident or 0)
    where = "" if frame is None else str(frame.f_globals.get("__name__"))
    return f"{type(thread).__module__}.".startswith(_POOLS) or f"{where}.".startswith(_POOLS)
