"""The child's main program: say hello, load the problem once, then one job after the other until the pipe ends.

Nothing heavy is imported before the hello; scikit-learn and pandas come with the service. A trial may print, close
descriptors, fork, leave threads or processes behind, change the folder: the next job must not notice.
"""

from __future__ import annotations

import contextlib
import faulthandler
import gc
import json
import os
import signal
import sys
from functools import cache, partial
from typing import TYPE_CHECKING, Any

from hptune import guard
from hptune.frames import MAX_FRAME, pack, read_frame, write_all

if TYPE_CHECKING:
    from collections.abc import Callable

    from hptune.worker.guarded import Guarded

# Pipes are kept above this, out of the way of trials that close or overwrite low descriptors.
_HIGH = 512
_HELD_BACK = 3


def _out_of_the_way(fd: int) -> int:
    """Move `fd` to a high number, close-on-exec, and return that."""
    import fcntl
    import resource

    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    lowest = _HIGH if soft == resource.RLIM_INFINITY else min(_HIGH, max(3, soft - 16))
    try:
        return fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, lowest)
    finally:
        os.close(fd)


def _opened(log: str) -> int:
    """Return the descriptor of a log to append to, never through a link; makes its folder if there is none."""
    how = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW
    try:
        return os.open(log, how, 0o644)
    except FileNotFoundError:
        os.makedirs(os.path.dirname(log) or ".", exist_ok=True)  # noqa: PTH103, PTH120 - no pathlib yet
        return os.open(log, how, 0o644)


class _Output:
    """Where descriptors 0, 1 and 2 point: to a job's log while it runs, to /dev/null between jobs."""

    def __init__(self) -> None:
        self.null = _out_of_the_way(os.open(os.devnull, os.O_RDWR))

    def to(self, log: str | None) -> None:
        """Send stdout and stderr to the end of the file `log`; nowhere if that is None or cannot be opened."""
        _flush()
        target = self.null
        if log is not None:
            with contextlib.suppress(OSError):
                target = _out_of_the_way(_opened(log))
        os.dup2(self.null, 0)
        os.dup2(target, 1)
        os.dup2(target, 2)
        if target != self.null:
            os.close(target)
        self._streams()

    def _streams(self) -> None:
        """Give Python's own streams back, if a trial has replaced or closed them."""
        for fd, name in ((1, "stdout"), (2, "stderr")):
            stream = getattr(sys, f"__{name}__", None)
            if stream is None or stream.closed:
                stream = open(fd, "w", buffering=1, errors="backslashreplace", closefd=False)  # noqa: SIM115
                setattr(sys, f"__{name}__", stream)
            setattr(sys, name, stream)


def _flush() -> None:
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(Exception):
            stream.flush()
    if "ctypes" in sys.modules:  # compiled code prints through C's own buffers; NumPy has ctypes loaded
        with contextlib.suppress(Exception):
            _c_library().fflush(None)


@cache
def _c_library() -> Any:
    import ctypes

    return ctypes.CDLL(None)


def _strays(leader: int) -> bool:
    """Whether a trial may have left processes behind: cheap and exact where Linux tells, else yes."""
    mine = os.getpid()
    try:
        with open(f"/proc/{leader}/task/{leader}/children") as file:  # noqa: PTH123 - no pathlib yet
            if file.read().split() != [str(mine)]:
                return True
        for thread in os.listdir("/proc/self/task"):  # noqa: PTH208
            with open(f"/proc/self/task/{thread}/children") as file:  # noqa: PTH123
                if file.read():
                    return True
    except OSError:
        return True
    return False


def _end_strays(leader: int) -> None:
    spare: set[int] = set()
    if "multiprocessing" in sys.modules:
        from hptune.worker.pools import kept

        spare = kept()
    if not spare:
        guard.reap()
    if _strays(leader):
        for pid in guard.end_family(leader, spare=spare | {os.getpid()}):
            with contextlib.suppress(ChildProcessError):  # not a child of ours but a child's child
                os.waitpid(pid, os.WNOHANG)


def _tidy(leader: int, home: str) -> None:
    """Undo what a trial may have left outside of the process's own state: processes, another working directory."""
    # If a trial killed the guard, our parent is now a stranger; the slot will see it and end us.
    if os.getppid() == leader:
        _end_strays(leader)
    with contextlib.suppress(OSError):
        os.chdir(home)


class _Room:
    """Descriptors held back for what has to be opened when trials have used up all others."""

    def __init__(self, known: int) -> None:
        """`known` is a descriptor that trials have no business with."""
        self._known = known
        self._held: list[int] = []
        with contextlib.suppress(OSError):  # a very low limit: then there is none to hold back
            self._held += (_out_of_the_way(os.open(os.devnull, os.O_RDONLY)) for _ in range(_HELD_BACK))
        self._first = self._lowest()

    def enough(self) -> bool:
        """Return whether less than half of the descriptors that trials may have are open; if not, give way."""
        import resource

        soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
        with contextlib.suppress(OSError):
            if soft == resource.RLIM_INFINITY or self._lowest() - self._first <= (soft - self._first) // 2:
                return True
        while self._held:
            with contextlib.suppress(OSError):
                os.close(self._held.pop())
        return False

    def _lowest(self) -> int:
        """Return the lowest free descriptor, which tells how many are open without counting them."""
        lowest = os.dup(self._known)
        os.close(lowest)
        return lowest


class _Channel:
    """The two pipes, and the one process that may use them."""

    def __init__(self, request: int, reply: int) -> None:
        self._request = _out_of_the_way(request)
        self._reply = _out_of_the_way(reply)
        self._owner = os.getpid()

    def read(self) -> object:
        """Return the next message, None when there will be no more."""
        payload = read_frame(self._request)
        return None if payload is None else json.loads(payload)

    def write(self, payload: bytes) -> None:
        """Send a JSON text."""
        if os.getpid() != self._owner:
            os._exit(0)  # a trial forked and its copy came back up here: there is one child, and this is not it
        write_all(self._reply, pack(payload))


def _work(channel: _Channel, guarded: Guarded, output: _Output, leader: int, home: str) -> None:
    """Do one job after the other, until there are no more or a trial left this process unfit for another.

    The outcome is sent whatever tidying up after it does, and says if it is the last.
    """
    from hptune import spool_file
    from hptune.job import Job, Outcome
    from hptune.trial import Failure
    from hptune.worker import child_state
    from hptune.worker.guarded import DURABLE_SECONDS, encode, write_spool

    owner = os.getpid()
    room = _Room(output.null)
    fit = True
    while fit and isinstance(message := channel.read(), dict):
        job = Job.from_json(message)
        output.to(job.log)
        outcome = guarded.run(job)
        if os.getpid() != owner:
            os._exit(0)
        # Before anything is written: a trial may have left limits, timers and open files that keep us from it.
        fit = _done(child_state.restored)
        fit = _done(room.enough) and fit
        payload = encode(outcome)
        if len(payload) > MAX_FRAME - 64:
            large = Failure("invalid", f"the result has {len(payload)} bytes, at most {MAX_FRAME} are allowed")
            payload = encode(Outcome(failure=large, seconds=outcome.seconds))
        if job.spool is not None:
            try:
                write_spool(job.spool, spool_file.to_bytes(job, payload), durable=outcome.seconds >= DURABLE_SECONDS)
            except OSError as error:
                # The reply still counts. A disk that is full will stop the coordinator's journal, with a message;
                # that the log cannot be written either must not end this process.
                with contextlib.suppress(OSError, ValueError):
                    print(f"hptune: cannot write {job.spool}: {error}", file=sys.stderr)  # noqa: T201
        fit = _done(partial(output.to, None)) and fit
        fit = _done(partial(_tidy, leader, home)) and fit
        channel.write(b'{"outcome": ' + payload + (b"}" if fit else b', "leaves": true}'))


def _done(step: Callable[[], bool | None]) -> bool:
    """Take a step of tidying up; return whether it succeeded (and did not say that it was in vain)."""
    try:
        return step() is not False
    except BaseException:  # whatever it was: the outcome comes first
        return False


def _leave() -> None:
    """End the process; threads that trials left do not matter, exit handlers (temporary files) do."""
    import atexit

    with contextlib.suppress(BaseException):
        if "multiprocessing" in sys.modules:
            from hptune.worker import pools

            pools.end()
        atexit._run_exitfuncs()
    os._exit(0)


def _import(names: list[str]) -> None:
    """Import modules that the problem seems to need; if one cannot be, the problem's loading says why."""
    from importlib import import_module

    from hptune.collecting import no_collecting

    with no_collecting():
        for name in names:
            with contextlib.suppress(Exception):
                import_module(name)


def main(argv: list[str]) -> None:
    """Run as `NAME REQUEST REPLY SERVICE`: descriptors of the two pipes and "module:Class" of the service."""
    request, reply, service = int(argv[1]), int(argv[2]), argv[3]
    leader = os.getppid()
    if os.getsid(0) != leader:
        sys.exit("hptune's worker is started by hptune.spawn, never by hand")
    sys.argv = ["hptune-worker"]
    try:
        os.getcwd()  # noqa: PTH109 - no pathlib yet
    except FileNotFoundError:  # the folder the command was given in has been removed; nothing of ours is in it
        os.chdir("/")
    # A handler and not SIG_IGN: programs that trials start get the default disposition back at exec.
    signal.signal(signal.SIGINT, lambda *_: None)
    guard.die_with_parent(leader)
    channel = _Channel(request, reply)
    hello = {"hello": {"pid": os.getpid(), "python": sys.version.split()[0]}}
    channel.write(json.dumps(hello).encode())
    faulthandler.enable(2)
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:
            stream.reconfigure(line_buffering=True, errors="backslashreplace")  # type: ignore[union-attr]
    output = _Output()
    setup_message = channel.read()
    if isinstance(setup_message, dict) and isinstance(names := setup_message.get("import"), list):
        _import(names)
        setup_message = channel.read()
    if not isinstance(setup_message, dict):
        _leave()

    from hptune.collecting import no_collecting

    with no_collecting():
        from hptune.job import Setup
        from hptune.worker import child_state
        from hptune.worker.guarded import Guarded, load

    setup = Setup.from_json(setup_message)  # type: ignore[arg-type]
    home = os.getcwd()  # noqa: PTH109 - pathlib would come before the hello
    guarded = Guarded(lambda: load(service, setup))
    child_state.keep()
    gc.freeze()  # modules stay for good: looking for garbage among them, now and at every tenth fit, is in vain
    channel.write(b'{"ready": {}}')
    try:
        _work(channel, guarded, output, leader, home)
    finally:
        _leave()
