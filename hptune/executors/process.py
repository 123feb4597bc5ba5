"""One supervised child process for each slot on this machine; a crash costs its own job and nothing else."""

from __future__ import annotations

import contextlib
import dataclasses
import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future
from functools import partial
from typing import TYPE_CHECKING, Literal

from hptune.errors import ExecutorUnreachable
from hptune.executor import Executor, ExecutorSpec
from hptune.job import Job, Outcome, Setup
from hptune.slot import Slot
from hptune.spawn import DEFAULT_SERVICE, worker_name
from hptune.threads import usable_cores

if TYPE_CHECKING:
    from hptune.early import Spare

HEAD_START = 3.0
"""How long the surplus of workers waits: about the time that importing takes. Loading much data may take far longer."""

_Item = tuple[Job, "Future[Outcome]"]


class ProcessSpec(ExecutorSpec):
    """The default: trials run in child processes of this machine, with limits of time and memory."""

    type: Literal["process"] = "process"
    """process, the default: one supervised child process for each worker."""

    def open(self, setup: Setup, spare: Spare | None = None) -> Executor:
        """Start the children (they load the problem in the background) and return at once."""
        return ProcessExecutor(dataclasses.replace(setup, threads=self.threads()), self.slots(), spare=spare)


class ProcessExecutor:
    """`workers` threads of this process, each with a `Slot`; jobs are taken in the order they were submitted.

    One core is left to the study while the workers load: of as many workers as cores, or more, the surplus starts with
    the first outcome, or once there is a job for it, `HEAD_START` seconds later at most. Children that load all at once
    would keep the first answer, for which a run waits, from coming. Of the surplus only as many as there are cores load at
    a time, each until it has its first job: a short study is over before sixteen workers on two cores have all begun.

    The threads are daemons and the children end with this process, however it ends: closing is good manners only.
    """

    name = "process"
    supports_limits = True
    queues = True

    def __init__(
        self, setup: Setup, workers: int, *, service: str = DEFAULT_SERVICE, spare: Spare | None = None
    ) -> None:
        if workers < 1:
            raise ValueError(f"workers: expected at least 1, found {workers}")
        self._queue: queue.SimpleQueue[_Item | None] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._running: dict[Future[Outcome], Slot] = {}
        self._closed = False
        self._kill = False
        self._at_once = max(1, usable_cores() - 1)
        self._submitted = 0
        self._surplus = threading.Event()
        self._loading = threading.Semaphore(max(usable_cores(), 2))
        self._slots = [
            Slot(setup, name=worker_name(number), service=service, spare=spare) for number in range(workers)
        ]
        self._threads = [
            threading.Thread(
                target=self._serve, args=(slot, number >= self._at_once), name=f"hptune-{slot.name}", daemon=True
            )
            for number, slot in enumerate(self._slots)
        ]
        for thread in self._threads:
            thread.start()

    def slots(self) -> int:
        """Return the number of workers."""
        return len(self._slots)

    def submit(self, job: Job) -> Future[Outcome]:
        """Queue `job`; the next free slot takes it. Raises RuntimeError once the executor is closed."""
        future: Future[Outcome] = Future()
        with self._lock:
            if self._closed:
                raise RuntimeError("the process executor is closed")
            self._queue.put((job, future))
            self._submitted += 1
            if self._submitted > self._at_once:
                self._surplus.set()
        return future

    def cancel(self, future: Future[Outcome]) -> None:
        """Cancel a queued job's future, or kill the child of a running one, whose outcome then is `lost`."""
        if future.cancel():
            return
        with self._lock:
            slot = self._running.get(future)
            if slot is not None:
                slot.cancel()

    def close(self, kill: bool = False) -> None:
        """Cancel what is queued; wait for what is running, or kill it. The children are gone when this returns."""
        with self._lock:
            first, self._closed = not self._closed, True
            self._surplus.set()
            self._kill = self._kill or kill
            if kill:
                for slot in self._slots:
                    slot.cancel()
        if first:
            with contextlib.suppress(queue.Empty):
                while item := self._queue.get_nowait():
                    item[1].cancel()
            for _ in self._threads:
                self._queue.put(None)
            self._loading.release(len(self._threads))
        for thread in self._threads:
            if thread is not threading.current_thread():  # closed by a callback of one of our own futures
                thread.join(5.0 if self._kill else None)

    def _serve(self, slot: Slot, surplus: bool) -> None:
        """What one thread does: keep a child warm, take jobs, answer them.

        While jobs wait in line, a child gets its next one before the last one's outcome is told: telling it wakes the
        study, which then keeps the interpreter for a millisecond or more.
        """
        place, untold = _Place(self._loading), _Untold()
        if surplus:
            self._surplus.wait(HEAD_START)
            place.take()
        self._warm(slot)

        def sent() -> None:
            place.give_back()
            untold.tell()

        while (item := self._next(untold)) is not None:
            job, future = item
            if not self._began(future, slot):
                continue
            answer = _answer(slot, job, future, sent)
            sent()
            self._surplus.set()
            self._ended(future, slot)
            untold.answers.append(answer)
            if not slot.warm:
                untold.tell()  # nobody shall wait for a new child to learn of the old one's end
            self._warm(slot)
        untold.tell()
        slot.close(kill=self._kill)

    def _next(self, untold: _Untold) -> _Item | None:
        """Return the next job, None at the end; if none waits in line, tell of the last one first."""
        try:
            return self._queue.get_nowait()
        except queue.Empty:
            untold.tell()
            return self._queue.get()

    def _began(self, future: Future[Outcome], slot: Slot) -> bool:
        """Note what a slot runs; False if that was cancelled while it waited in line."""
        with self._lock:
            if not future.set_running_or_notify_cancel():
                return False
            self._running[future] = slot
            return True

    def _ended(self, future: Future[Outcome], slot: Slot) -> None:
        with self._lock:
            del self._running[future]
            if not self._kill:
                slot.uncancel()  # a cancel that came too late must not hit the next job

    def _warm(self, slot: Slot) -> None:
        """Start a child before there is a job for it, so that loading overlaps with whatever else goes on."""
        if not self._closed:
            with contextlib.suppress(ExecutorUnreachable):  # the next job will tell
                slot.start()


class _Place:
    """A place among the surplus children that load at a time; given back once, where it was taken."""

    def __init__(self, places: threading.Semaphore) -> None:
        self._places = places
        self._taken = False

    def take(self) -> None:
        self._places.acquire()
        self._taken = True

    def give_back(self) -> None:
        if self._taken:
            self._places.release()
        self._taken = False


class _Untold:
    """What still has to be told to those who wait for a future."""

    def __init__(self) -> None:
        self.answers: list[Callable[[], None]] = []

    def tell(self) -> None:
        while self.answers:
            self.answers.pop()()


def _answer(slot: Slot, job: Job, future: Future[Outcome], sent: Callable[[], None]) -> Callable[[], None]:
    """Run a job on a slot; return what tells its future what became of it."""
    try:
        outcome = slot.run(job, sent=sent)
    except BaseException as error:  # the future carries it to whoever waits
        return partial(future.set_exception, error)
    return partial(future.set_result, outcome)
