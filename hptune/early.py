"""The first worker, started while the coordinator still imports and reads the config: both then import side by side.

What it will be needed for is guessed from the config's text. A wrong guess costs that process and nothing else: who
asks for a worker with other threads gets none from here, and starts one.
"""

from __future__ import annotations

import contextlib
import re
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path

from hptune.errors import ExecutorUnreachable
from hptune.spawn import Child, worker_name
from hptune.threads import usable_cores

MODULE = re.compile(r"\bsklearn(?:\.[a-z_]\w*)*")
"""Modules of scikit-learn that a text names. No others are imported on a guess."""
MOST = 50
LONGEST = 100_000
"""A longer config, in bytes, is left to the loader, which has its limits."""


class Spare:
    """A child that nobody has asked for yet, or none. May be used from any thread."""

    def __init__(self, child: Child | None = None) -> None:
        self._child = child
        self._lock = threading.Lock()

    def claim(self, name: str, threads: int) -> Child | None:
        """Return the child if it was started as worker `name` with so many threads; it is the caller's from then on.

        As the worker of another number of threads it is of no use, and ended.
        """
        with self._lock:
            if self._child is None or self._child.name != name:
                return None
            child, self._child = self._child, None
        if child.threads == threads:
            return child
        child.end()
        return None

    def end(self) -> None:
        """Kill the child if nobody has claimed it."""
        with self._lock:
            child, self._child = self._child, None
        if child is not None:
            child.end()


@contextlib.contextmanager
def first_worker(config: Path, overrides: Sequence[str] = (), workers: int | None = None) -> Iterator[Spare]:
    """Yield a child that imports what the file `config` seems to need; at the end it is killed unless claimed."""
    spare = _started(config, overrides, workers)
    try:
        yield spare
    finally:
        spare.end()


def _started(config: Path, overrides: Sequence[str], workers: int | None) -> Spare:
    try:
        with config.open("rb") as file:
            text = file.read(LONGEST + 1)
    except OSError:
        return Spare()  # the loader says what is wrong
    if len(text) > LONGEST:
        return Spare()
    asked = "\n".join([text.decode(errors="replace"), *overrides])
    if re.search(r"\btype\s*[:=]\s*serial\b", asked):
        return Spare()
    threads = guessed_threads(asked, workers)
    modules = sorted(set(MODULE.findall(asked)))[:MOST]
    try:
        child = Child(threads, name=worker_name(0))
    except ExecutorUnreachable:
        return Spare()  # who needs one says it
    child.send({"import": ["hptune.worker.service", *modules]})
    return Spare(child)


def guessed_threads(text: str, workers: int | None) -> int:
    """Return the threads of each worker that a config's text asks for (its overrides, a line each, after it)."""

    def last(name: str) -> int | None:
        found = re.findall(rf"\b{name}\s*[:=]\s*(\d{{1,4}})\b", text)
        return int(found[-1]) if found else None

    cores = usable_cores()
    return last("threads_per_worker") or max(1, cores // max(1, workers or last("workers") or cores))
