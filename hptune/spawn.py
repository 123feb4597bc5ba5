"""One child process as the coordinator holds it: its guard, three pipes, and the file that gets its first words.

Only mechanics: start it, send a message, wait for one, see how it ended, make an end of it. What a deadline or a
death *means* is decided in `slot.py`.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import subprocess
import sys
import tempfile
import weakref
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hptune import guard, plugins
from hptune.errors import ExecutorUnreachable, FilesExhausted
from hptune.frames import FrameBuffer, pack
from hptune.threads import VARIABLES, WORKER

DEFAULT_SERVICE = "hptune.worker.service:Service"

_ROOT = Path(__file__).resolve().parent.parent
# `-c` and not `-m`: a trial that uses multiprocessing "spawn" would import the main module again, and classes of
# child.py would exist twice. The root goes to the end of the path: it is needed only where hptune is not installed.
_BOOT = "import sys; sys.path.append(sys.argv.pop(1)); from hptune.worker.child import main; main(sys.argv)"
# How long the guard gets for killing everything before it is killed itself (a trial may have stopped it).
_GUARD_SECONDS = 0.25


def environment(threads: int, name: str = "") -> dict[str, str]:
    """Return the child's environment: ours, with limits of so many threads, a fixed hash seed, and the worker's
    name (trials that want a GPU each can tell by it which is theirs)."""
    limits = dict.fromkeys(VARIABLES, str(threads))
    return {"PYTHONHASHSEED": "0", **plugins.environment(), **limits, WORKER: name}


def worker_name(number: int) -> str:
    """Return the name of this machine's worker number `number`, from 0 on."""
    return f"process-{number}"


_living: weakref.WeakSet[Child] = weakref.WeakSet()


def _let_go() -> None:
    """In a forked copy of the coordinator: its lifelines would keep the children of a dead coordinator alive."""
    for child in tuple(_living):
        child.forget()


os.register_at_fork(after_in_child=_let_go)


def _refused(error: OSError) -> ExecutorUnreachable:
    """Return what the system's refusal to start a process means."""
    if FilesExhausted.tells(error):
        return FilesExhausted(error)
    return ExecutorUnreachable(f"cannot start a worker process: {error}")


class Child:
    """A child that has been started; it may not have said hello yet.

    Raises `ExecutorUnreachable` if the system refuses to start a process at all.
    """

    def __init__(self, threads: int, *, service: str = DEFAULT_SERVICE, name: str = "") -> None:
        self.name = name
        self.threads = threads
        self.hello: Mapping[str, Any] | None = None
        self.ready = False
        self.leaves = False
        """Whether it said that it takes no further job."""
        self._inbox = FrameBuffer()
        self._open: set[int] = set()
        _living.add(self)
        try:
            self._words = tempfile.TemporaryFile()  # noqa: SIM115 - lives as long as the child; closed in `end`
        except OSError as error:
            raise _refused(error) from error
        try:
            self._start(service)
        except OSError as error:
            self._close_pipes()
            self._words.close()
            raise _refused(error) from error

    def _pipe(self) -> tuple[int, int]:
        ends = os.pipe()  # close-on-exec, so that no other child inherits them
        self._open.update(ends)
        return ends

    def _start(self, service: str) -> None:
        request, self._request = self._pipe()
        self._reply, reply = self._pipe()
        lifeline, self._lifeline = self._pipe()
        python = sys.executable
        pipes = [str(request), str(reply)]
        worker = [python, "-P", "-c", _BOOT, str(_ROOT), *pipes, service]
        self._process = subprocess.Popen(  # noqa: S603 - our own interpreter and files
            [python, "-I", "-S", guard.__file__, str(lifeline), *pipes, *worker],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=self._words,
            env=environment(self.threads, self.name),
            pass_fds=(request, reply, lifeline),
            start_new_session=True,
        )
        for fd in (request, reply, lifeline):
            self._close(fd)
        os.set_blocking(self._request, False)
        os.set_blocking(self._reply, False)

    @property
    def pid(self) -> int:
        """The guard's process id, which is also the session's and the group's."""
        return self._process.pid

    @property
    def gone(self) -> bool:
        """Whether the guard has ended (the child may still run if somebody killed just the guard)."""
        return self._process.poll() is not None

    def send(self, message: Mapping[str, Any], *, wake: int | None = None) -> bool:
        """Send one message; return False when the child does not read any more or `wake` becomes readable first."""
        data = memoryview(pack(json.dumps(message, allow_nan=False).encode()))
        poll = select.poll()
        poll.register(self._request, select.POLLOUT)
        if wake is not None:
            poll.register(wake, select.POLLIN)
        while data:
            try:
                data = data[os.write(self._request, data) :]
            except BlockingIOError:
                if wake in {fd for fd, _ in poll.poll(1000)} or self.gone:
                    return False
            except OSError:
                return False  # a broken pipe is the child's death; who waits for its answer finds out how
        return True

    def receive(self) -> dict[str, Any] | None:
        """Return the next message that has come whole, None if there is none.

        Raises ValueError when what came is no message.
        """
        payload = self._inbox.pop()
        if payload is None:
            return None
        message = json.loads(payload)
        if not isinstance(message, dict):
            raise ValueError(f"expected an object, found {type(message).__name__}")
        return message

    def wait(self, seconds: float, *, wake: int) -> bool:
        """Wait until something has come, `wake` is readable or `seconds` are over; False at the stream's end."""
        poll = select.poll()
        poll.register(self._reply, select.POLLIN)
        poll.register(wake, select.POLLIN)
        if self._reply not in {fd for fd, _ in poll.poll(max(0.0, seconds) * 1000)}:
            return True
        try:
            data = os.read(self._reply, 2**20)
        except BlockingIOError:
            return True
        self._inbox.feed(data)
        return bool(data)

    def idle(self, *, wake: int) -> bool:
        """Whether the child lives and has said nothing unasked."""
        return not self.gone and self.wait(0, wake=wake) and len(self._inbox) == 0

    def resident(self) -> int:
        """Return the resident bytes of all processes of the session together (shared pages count for each)."""
        return sum(guard.family(self.pid).values())

    def last_words(self, limit: int = 8000) -> str:
        """Return the end of what the child wrote to stderr before its first job."""
        with contextlib.suppress(OSError, ValueError):
            size = os.fstat(self._words.fileno()).st_size
            data = os.pread(self._words.fileno(), limit, max(0, size - limit))
            return data.decode(errors="replace").strip()
        return ""

    def dismiss(self) -> None:
        """Tell the child that there is no more to do, without waiting for its end."""
        self._close(self._request)

    def end(self, *, grace: float = 0.0) -> int | None:
        """Make an end of the whole session after at most `grace` seconds; return the exit status (-signal).

        None means that it could not be killed (a process in uninterruptible sleep). May be called again.
        """
        code = self._reaped(grace) if grace > 0 else self._process.poll()
        self._close(self._lifeline)  # the guard kills everything, itself last
        if code is None:
            code = self._reaped(_GUARD_SECONDS)
        if code is None:
            with contextlib.suppress(OSError):
                os.killpg(self.pid, signal.SIGKILL)
            guard.end_family(self.pid)
            code = self._reaped(1.0)
        elif code == -signal.SIGKILL:
            guard.end_family(self.pid)  # it may have been the guard that was killed
        self._close_pipes()
        self._words.close()
        return code

    def forget(self) -> None:
        """Close the pipes and do nothing else; for a forked copy of the coordinator."""
        self._close_pipes()

    def _reaped(self, seconds: float) -> int | None:
        try:
            return self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            return None

    def _close(self, fd: int) -> None:
        if fd in self._open:
            self._open.discard(fd)
            os.close(fd)

    def _close_pipes(self) -> None:
        for fd in tuple(self._open):
            self._close(fd)
