"""One supervised child: jobs go in, outcomes come out, and whatever a trial does becomes a value.

A slot belongs to one thread, which calls `start`, `run` and `close`; `cancel` may be called from any thread. The same
slot serves the `process` executor and, inside a task of a cluster's worker, the distributed ones.
"""

from __future__ import annotations

import contextlib
import os
import signal
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from hptune import logfile, spool_file
from hptune.early import Spare
from hptune.errors import ExecutorUnreachable
from hptune.job import Job, Outcome, Setup
from hptune.regular_file import contents
from hptune.spawn import DEFAULT_SERVICE, Child
from hptune.trial import Failure, FailureKind

# A look at the session's memory costs about 4 ms with 200 processes, so this is 2 % of one core, and only with a
# cap. The overshoot is the allocation rate times this.
WATCH_SECONDS = 0.2
# Without anything to watch, this is how soon we see that somebody killed the guard (and only the guard).
IDLE_SECONDS = 1.0
HELLO_SECONDS = 60.0
STARTS = 3
"""How many children in a row may die before their hello (killed for want of memory, say) until no job will do better."""
LOAD_SECONDS = 600.0
_LEAVE_SECONDS = 2.0
KILLED = "killed (likely out of memory)"
SUSPENDED_SECONDS = 1.0
"""A look that comes so much too late: this process was stopped (`docker pause`, Ctrl-Z), and the trial probably too."""


class _Ended(Exception):
    def __init__(self, kind: FailureKind, message: str, traceback: str | None = None) -> None:
        super().__init__(message)
        self.failure = Failure(kind, message, traceback or None)


class _Watch:
    """The limits of one job and what was seen of it; `until` is in seconds of the monotonic clock.

    What this process was `suspended` for since the limit was set is not counted against it.
    """

    def __init__(self, job: Job, cancelled: Callable[[], bool] | None) -> None:
        self.cancelled = cancelled
        self.memory = job.memory
        self.log = job.log
        self.peak: int | None = None
        self.until: float | None = None
        self.late = Failure("timeout", "")
        self.began = time.monotonic()
        self.suspended = 0.0
        self._due = self.began
        self._next_look = self.began + WATCH_SECONDS * 0.9  # a short job is not looked at

    def limit(self, seconds: float | None, message: str) -> None:
        """From now on the child has `seconds` for its next answer."""
        self.began = self._due = time.monotonic()
        self.suspended = 0.0
        self.until = None if seconds is None else self.began + seconds
        self.late = Failure("timeout", message)

    def pause(self) -> float:
        """Return for how many seconds one may wait before looking again."""
        idle = IDLE_SECONDS
        if self.memory is not None or self.log is not None or self.cancelled is not None:
            idle = WATCH_SECONDS
        now = time.monotonic()
        seconds = idle if self.until is None else max(0.0, min(idle, self.until - now))
        self._due = now + seconds
        return seconds

    def woke(self) -> None:
        """Move the limits on if this comes far later than `pause` said: the clock ran on, the trial did not."""
        now = time.monotonic()
        excess, self._due = now - self._due, now
        if excess > SUSPENDED_SECONDS:
            self.suspended += excess
            self.until = None if self.until is None else self.until + excess
            self._next_look += excess

    def look(self, child: Child) -> None:
        """Raise `_Ended` if a limit is passed."""
        self.woke()
        now = time.monotonic()
        if self.until is not None and now >= self.until:
            raise _Ended(self.late.kind, self.late.message)
        if now < self._next_look:
            return
        self._next_look = now + WATCH_SECONDS * 0.9
        if self.log is not None:
            logfile.hold(self.log)
        if self.memory is not None:
            self.peak = max(self.peak or 0, seen := child.resident())
            if seen > self.memory:
                raise _Ended("memory", f"held {_size(seen)} of memory, the limit is {_size(self.memory)}; killed")


class Slot:
    """A place where one job runs at a time, in a child process that outlives the jobs and is replaced when it dies.

    `service` names the class that does the work in the child ("module:Class"; tests put hostile ones there). `name`
    becomes the outcomes' `worker`. `load_seconds` is how long the child may take to load the problem; it does not
    count against a job's deadline. `spare` may hold a child for it that has been started already.
    """

    def __init__(
        self,
        setup: Setup,
        *,
        name: str = "slot",
        service: str = DEFAULT_SERVICE,
        load_seconds: float = LOAD_SECONDS,
        spare: Spare | None = None,
    ) -> None:
        self.name = name
        self._setup = setup
        self._service = service
        self._load_seconds = load_seconds
        self._spare = spare
        self._early = False
        self._child: Child | None = None
        self._cancelled = False
        self._wake, self._ring = os.pipe()
        os.set_blocking(self._wake, False)
        os.set_blocking(self._ring, False)
        self._lock = threading.Lock()
        self._closed = False

    @property
    def pid(self) -> int | None:
        """The session id of the child's processes, None while there is no child."""
        return None if self._child is None else self._child.pid

    @property
    def warm(self) -> bool:
        """Whether there is a child that has loaded the problem, and stays."""
        return self._child is not None and self._child.ready and not self._child.leaves

    def start(self) -> None:
        """Start the child if there is none, and let it load the problem; returns at once, unless one is leaving.

        Raises `ExecutorUnreachable` if no process can be started.
        """
        if self._closed:
            raise ValueError("this slot is closed")
        if self._child is not None and self._child.leaves:
            self._discard(grace=_LEAVE_SECONDS)
        if self._child is None:
            early = None if self._spare is None else self._spare.claim(self.name, self._setup.threads)
            self._early = early is not None
            self._child = early or Child(self._setup.threads, service=self._service, name=self.name)
            self._child.send(self._setup.to_json(), wake=self._wake)

    def run(
        self,
        job: Job,
        cancelled: Callable[[], bool] | None = None,
        *,
        sent: Callable[[], None] = lambda: None,
    ) -> Outcome:
        """Run `job` in the child and return what became of it; a death of the child is a failure as a value.

        `cancelled` is asked about five times a second, from this thread; True ends the job as `cancel` does. `sent` is
        called once the child has the job, if it comes to that: what else there is to do can be done meanwhile.
        Raises `ExecutorUnreachable` if the child cannot even say hello: then no job will do better.
        """
        began = time.monotonic()
        watch = _Watch(job, cancelled)
        try:
            child = self._loaded(watch)
            watch.limit(job.deadline, f"took longer than {_seconds(job.deadline or 0)}; killed")
            child.send(job.to_json(), wake=self._wake)
            sent()
            outcome = self._outcome(self._answer(child, watch, "outcome"))
            if watch.suspended:
                ran = time.monotonic() - watch.began - watch.suspended
                outcome = replace(outcome, seconds=max(0.0, min(outcome.seconds, ran)))
        except _Ended as ended:
            self._discard()
            seconds = time.monotonic() - began - watch.suspended
            outcome = _written_down(job, ended.failure) or Outcome(failure=ended.failure, seconds=seconds)
        except BaseException:
            self._discard()
            raise
        finally:
            if job.log is not None:
                logfile.trim(job.log)
        return replace(outcome, worker=self.name, peak_memory=watch.peak or outcome.peak_memory)

    def cancel(self) -> None:
        """End the job that is running, or the next one if none is, as `lost`; may be called from any thread."""
        self._cancelled = True
        with self._lock, contextlib.suppress(BlockingIOError):  # a full pipe has been rung already
            if not self._closed:
                os.write(self._ring, b"!")

    def uncancel(self) -> None:
        """Forget a cancel that came too late for the job it was meant for."""
        self._cancelled = False
        with contextlib.suppress(BlockingIOError):
            while os.read(self._wake, 512):
                pass

    def close(self, *, kill: bool = False) -> None:
        """Let the child leave (two seconds at most), or kill it at once. May be called again."""
        with self._lock:  # `cancel` must not write to a descriptor that has become somebody else's
            if self._closed:
                return
            self._closed = True
            os.close(self._ring)
            os.close(self._wake)
        if self._child is not None:
            child, self._child = self._child, None
            child.dismiss()
            # Who has not loaded the problem yet has nothing to tidy up, and would first finish loading.
            child.end(grace=0.0 if kill or not child.ready else _LEAVE_SECONDS)

    def _loaded(self, watch: _Watch) -> Child:
        """Return a child that has loaded the problem."""
        if self.warm and self._child is not None and not self._child.idle(wake=self._wake):
            self._discard()  # an earlier trial's thread ended or confused it: this job is innocent
        child = self._greeted(watch)
        if child.ready:
            return child
        watch.limit(self._load_seconds, f"loading the problem took longer than {_seconds(self._load_seconds)}")
        try:
            self._answer(child, watch, "ready")
        except _Ended as ended:
            if not self._early or ended.failure.kind != "crashed":
                raise
            self._discard()  # it may have died of what it imported on a guess: the problem gets a child of its own
            return self._loaded(watch)
        child.ready = True
        return child

    def _greeted(self, watch: _Watch) -> Child:
        """Return a child that has said hello; one that dies before it has done nothing wrong and is replaced."""
        for left in reversed(range(STARTS)):
            self.start()
            child = self._child
            assert child is not None
            if child.hello is not None:
                return child
            watch.limit(HELLO_SECONDS, "")
            try:
                child.hello = self._answer(child, watch, "hello")
                return child
            except _Ended as ended:
                if ended.failure.kind not in ("crashed", "timeout"):
                    raise
                if not left or ended.failure.kind == "timeout":
                    raise ExecutorUnreachable(_stillborn(child, ended.failure)) from None
                self._discard()
        raise AssertionError("the last start either greets or raises")

    def _answer(self, child: Child, watch: _Watch, key: str) -> dict[str, Any]:
        """Wait for the child's next message and return what it has under `key`; raises `_Ended`."""
        while True:
            try:
                message = child.receive()
            except ValueError:
                raise _Ended("crashed", "sent something unreadable instead of an outcome; killed") from None
            if message is not None:
                answer = _read(child, message, key)
                if not isinstance(answer, dict):
                    raise _Ended("crashed", f"the worker answered out of turn (expected {key!r}); killed")
                return answer
            if self._cancelled or (watch.cancelled is not None and watch.cancelled()):
                raise _Ended("lost", "cancelled while it ran")
            try:
                watch.look(child)
            except _Ended as ended:
                # Where the run was suspended as a whole, the answer may have come while nobody could look for it.
                if (
                    ended.failure.kind == "timeout"
                    and child.wait(0, wake=self._wake)
                    and (last := self._last(child, key))
                ):
                    return last
                raise
            there = child.wait(watch.pause(), wake=self._wake)
            watch.woke()
            if not there or child.gone:
                child.wait(0, wake=self._wake)
                if (late := self._last(child, key)) is not None:
                    return late  # it came whole before the end
                raise self._death(child, watch)

    def _last(self, child: Child, key: str) -> dict[str, Any] | None:
        with contextlib.suppress(ValueError):
            answer = _read(child, child.receive() or {}, key)
            return answer if isinstance(answer, dict) else None
        return None

    def _death(self, child: Child, watch: _Watch) -> _Ended:
        words = child.last_words()
        code = child.end(grace=1.0)  # the guard needs a moment to see it and to kill what was left
        message = _manner_of_death(code, watch.peak)
        if child.hello is not None and not child.ready:
            return _Ended("crashed", f"while loading the problem: {message}", words)
        return _Ended("crashed", message, logfile.tail(watch.log) if watch.log and child.ready else words)

    def _outcome(self, answer: dict[str, Any]) -> Outcome:
        try:
            return Outcome.from_json(answer)
        except (TypeError, ValueError, KeyError, AttributeError) as error:
            raise _Ended("crashed", f"sent an outcome that makes no sense ({error}); killed") from None

    def _discard(self, grace: float = 0.0) -> None:
        child, self._child = self._child, None
        if child is not None:
            child.end(grace=grace)


def _read(child: Child, message: dict[str, Any], key: str) -> object:
    """Return what a message has under `key`, and note whether the child says that it leaves."""
    child.leaves = message.get("leaves") is True
    return message.get(key)


def _written_down(job: Job, failure: Failure) -> Outcome | None:
    """Return the outcome that a child spooled before it died: it had finished, whatever kept it from saying so."""
    if job.spool is None or failure.kind != "crashed":
        return None
    with contextlib.suppress(OSError, ValueError):
        found = spool_file.from_bytes(contents(Path(job.spool), spool_file.MAX_BYTES, follow=False))
        return found.outcome if found.is_of(job) else None
    return None


def killed_from_outside(failure: Failure | None) -> bool:
    """Return whether a child was killed, or cancelled, by no doing of hptune's that a limit asked for."""
    return failure is not None and (
        failure.kind == "lost" or (failure.kind == "crashed" and KILLED in failure.message)
    )


def _manner_of_death(code: int | None, peak: int | None) -> str:
    if code is None:
        return "does not answer and cannot be killed"
    if code == -signal.SIGKILL:
        return KILLED + ("" if peak is None else f", peak RSS {_size(peak)}")
    if code < 0:
        try:
            name = f" ({signal.Signals(-code).name})"
        except ValueError:
            name = ""
        return f"killed by signal {-code}{name}"
    return f"exited with code {code}"


def _stillborn(child: Child, failure: Failure) -> str:
    words = failure.traceback or child.last_words()
    lines = "\n".join(words.splitlines()[-5:])
    what = failure.message or f"said nothing for {_seconds(HELLO_SECONDS)}"
    return f"a worker process did not start: {what}" + (f"\n{lines}" if lines else "")


def _seconds(seconds: float) -> str:
    return f"{seconds:g} s"


def _size(count: int) -> str:
    return f"{count / 2**30:.2f} GiB" if count >= 2**30 else f"{count / 2**20:.0f} MiB"
