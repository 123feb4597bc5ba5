"""Between a service and the world: whatever user code does *inside Python* becomes an `Outcome`.

The child and the serial executor both run jobs through `Guarded`. What happens outside Python (a segmentation fault,
a hang) is the slot's business.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Protocol

from hptune.collecting import no_collecting
from hptune.errors import Interrupted
from hptune.job import Job, Outcome, Setup
from hptune.trial import MESSAGE_LIMIT, TRACEBACK_LIMIT, Failure

DURABLE_SECONDS = 1.0
"""A job's outcome is forced to the disk only if the job took this long: two such writes take some milliseconds."""


class Worker(Protocol):
    """What does the work: `hptune.worker.service.Service`, or a test's stand-in."""

    def run(self, job: Job) -> Outcome:
        """Return what became of `job`; ordinary exceptions of user code are failures already."""
        ...


def load(service: str, setup: Setup) -> Worker:
    """Return the worker that `service` ("module:Class") names, for `setup`; raises whatever its import raises."""
    module, _, name = service.partition(":")
    if not module.startswith("hptune.") and setup.folder not in sys.path:
        sys.path.insert(0, setup.folder)  # a test's own; the real service sees to its path itself
    with no_collecting():
        made = getattr(importlib.import_module(module), name)
    worker: Worker = made(setup)
    return worker


class Guarded:
    """Runs jobs and always returns an outcome.

    `make` builds the worker; a failure there is the answer to every job. With `interrupts`, KeyboardInterrupt passes
    (in the coordinator's own process it is the user's Ctrl-C, not the trial's doing).
    """

    def __init__(self, make: Callable[[], Worker], *, interrupts: bool = False) -> None:
        self._interrupts = interrupts
        self._worker: Worker | None = None
        self._failure: Failure | None = None
        try:
            self._worker = make()
        except BaseException as error:
            if interrupts and isinstance(error, (KeyboardInterrupt, Interrupted)):
                raise
            self._failure = Failure.of(error, "loading the problem failed: ")

    def run(self, job: Job) -> Outcome:
        """Return what became of `job`, its wall seconds filled in."""
        began = time.monotonic()
        if self._worker is None:
            return Outcome(failure=self._failure)
        try:
            outcome = self._worker.run(job)
            if not isinstance(outcome, Outcome):
                raise TypeError(f"expected an Outcome, the worker returned {type(outcome).__name__}")
            outcome = replace(outcome, failure=_short(outcome.failure))
        except BaseException as error:
            if self._interrupts and isinstance(error, (KeyboardInterrupt, Interrupted)):
                raise
            outcome = Outcome(failure=Failure.of(error))
        return replace(outcome, seconds=time.monotonic() - began)


def _short(failure: Failure | None) -> Failure | None:
    if failure is None or len(failure.traceback or "") <= TRACEBACK_LIMIT:
        return failure
    return replace(failure, traceback=(failure.traceback or "")[-TRACEBACK_LIMIT:])


def encode(outcome: Outcome) -> bytes:
    """Return the outcome as JSON; one that holds what JSON cannot becomes the failure `invalid`."""
    try:
        return json.dumps(outcome.to_json(), allow_nan=False).encode()
    except (ValueError, TypeError, RecursionError, UnicodeError) as error:
        failure = Failure("invalid", f"the result cannot be written down: {error}"[:MESSAGE_LIMIT])
        return json.dumps(Outcome(failure=failure, seconds=outcome.seconds).to_json(), allow_nan=False).encode()


def _created(path: str) -> int:
    """Return the descriptor of a file to write to, which must not exist yet; makes its folder if there is none."""
    how = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
    try:
        return os.open(path, how, 0o666)
    except FileNotFoundError:
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        return os.open(path, how, 0o666)


def write_spool(path: str, payload: bytes, *, durable: bool = True) -> None:
    """Put `payload` into the file `path` so that it is there whole or not at all, even after a power cut.

    Without `durable` (a result that is made again sooner than a disk answers) only this process and the coordinator
    may die; after a power cut the file may be missing or empty. Raises OSError (a full disk). Makes the folder.
    """
    short = f"{path}.{os.getpid()}.tmp"
    try:
        file = _created(short)
        try:
            while payload:
                payload = payload[os.write(file, payload) :]
            if durable:
                os.fsync(file)
        finally:
            os.close(file)
        os.replace(short, path)  # noqa: PTH105 - pathlib takes longer than all else here, while a core idles
    except BaseException:
        Path(short).unlink(missing_ok=True)
        raise
    if not durable:
        return
    folder = os.open(Path(path).parent, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
