"""The first worker, started while the coordinator still imports and reads the config: both then import side by side.

`hptune run` starts it even before its command line has been understood (`hptune.commands._ahead`).

What it will be needed for is guessed from the config's text: who asks for a worker with other threads gets none from here,
and starts one. What it imports early is what any worker imports before code of the user's, so that nothing that a trial
computes can depend on which worker it is; where the text leaves that open, less is imported, or no worker started.
"""

from __future__ import annotations

import contextlib
import re
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path

from hptune.errors import ExecutorUnreachable
from hptune.spawn import Child, worker_name
from hptune.threads import threads_each, usable_cores

MODULE = re.compile(r"\bsklearn(?:\.[a-z_]\w*)*")
"""Modules of scikit-learn that a text names. No others are imported on a guess."""

NAME = re.compile(r"(?<![\w./-])[A-Za-z_]\w*(?:[.:][A-Za-z_]\w*)+(?![\w/.:]|[\"']\s*:|\s*=)")
"""A dotted path or module:name that is no key: the user's code, perhaps, unless it is scikit-learn's or a file."""
FILES = (".csv", ".tsv", ".txt", ".npz", ".npy", ".parquet", ".yaml", ".yml", ".json", ".gz")
NO_SPARE = re.compile(
    r"\btype[\"']?\s*[:=]\s*[\"']?serial\b|\bextends[\"']?\s*:|\b(type|oracle)[\"']?\s*[:=]\s*[\"']?[A-Za-z_]\w*[.:]\w"
)
"""No worker is needed; another file says what is; or an oracle of the user's is imported after the worker's start."""

MOST = 50
LONGEST = 100_000
"""A longer config, in bytes, is left to the loader, which has its limits."""


class Spare:
    """A child that nobody has asked for yet, or none; it was told to import `modules`. May be used from any thread."""

    def __init__(self, child: Child | None = None, modules: tuple[str, ...] = ()) -> None:
        self._child = child
        self._modules = modules
        self._lock = threading.Lock()

    def is_of(self, plan: tuple[int, tuple[str, ...]] | None) -> bool:
        """Return whether the child is one of so many threads that imports these modules."""
        with self._lock:
            return self._child is not None and (self._child.threads, self._modules) == plan

    def claim(self, name: str, threads: int) -> Child | None:
        """Return the child if it was started as worker `name` with so many threads; it is the caller's from then on.

        As the worker of another number of threads, or dead by now, it is of no use, and ended.
        """
        with self._lock:
            if self._child is None or self._child.name != name:
                return None
            child, self._child = self._child, None
        if child.threads == threads and not child.gone:
            return child
        child.end()
        return None

    def end(self) -> None:
        """Kill the child if nobody has claimed it."""
        with self._lock:
            child, self._child = self._child, None
        if child is not None:
            child.end()


_ahead = Spare()
"""What was started before the command line was read."""


@contextlib.contextmanager
def ahead(spare: Spare) -> Iterator[None]:
    """Offer a spare child to the `first_worker` of this process; at the end it is killed unless claimed."""
    global _ahead
    _ahead = spare
    try:
        yield
    finally:
        spare.end()


@contextlib.contextmanager
def first_worker(config: Path, overrides: Sequence[str] = (), workers: int | None = None) -> Iterator[Spare]:
    """Yield a child that imports what the file `config` seems to need; at the end it is killed unless claimed."""
    spare = started(config, overrides, workers)
    try:
        yield spare
    finally:
        spare.end()


def started(config: Path, overrides: Sequence[str], workers: int | None) -> Spare:
    """Return a child as `first_worker` does, for the caller to end: the one that was started ahead, if it is such a one."""
    global _ahead
    before, _ahead = _ahead, Spare()
    plan = _plan(config, overrides, workers)
    if before.is_of(plan):
        return before
    before.end()
    if plan is None:
        return Spare()
    threads, modules = plan
    try:
        child = Child(threads, name=worker_name(0))
    except ExecutorUnreachable:
        return Spare()  # who needs one says it
    child.send({"import": ["hptune.worker.service", *modules]})
    return Spare(child, modules)


def _plan(config: Path, overrides: Sequence[str], workers: int | None) -> tuple[int, tuple[str, ...]] | None:
    """Return the threads and imports of the first worker, by the config's text; None where there should be none."""
    try:
        if not config.is_file():  # a pipe can be read once only, and that is for the loader
            return None
        with config.open("rb") as file:
            text = file.read(LONGEST + 1)
    except OSError:
        return None  # the loader says what is wrong
    if len(text) > LONGEST:
        return None
    lines = [*text.decode(errors="replace").splitlines(), *overrides]
    asked = "\n".join(re.sub(r"(^|\s)#.*", "", line) for line in lines)
    if NO_SPARE.search(asked):
        return None
    modules = [] if names_own_code(asked) else sorted(set(MODULE.findall(asked)))[:MOST]
    return guessed_threads(asked, workers), tuple(modules)


def guessed_threads(text: str, workers: int | None) -> int:
    """Return the threads of each worker that a config's text asks for (its overrides, a line each, after it)."""

    def last(name: str) -> int | None:
        found = re.findall(rf"\b{name}[\"']?\s*[:=]\s*(\d{{1,4}})\b", text)
        return int(found[-1]) if found else None

    return last("threads_per_worker") or threads_each(max(1, workers or last("workers") or usable_cores()))


def names_own_code(text: str) -> bool:
    """Return whether a config's text may name code outside of scikit-learn."""
    return any(
        not name.startswith(("sklearn.", "sklearn:")) and not name.endswith(FILES) for name in NAME.findall(text)
    )
