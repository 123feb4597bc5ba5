"""The guard: a tiny process between a slot and its child that leaves nothing behind, whatever the trial does.

    coordinator --(lifeline pipe)--> guard (session leader) --> child (runs the trials) --> whatever trials start

The guard starts the child and then waits for one of two things: the lifeline ends (the slot closed it, or the
coordinator is dead), or the child ends. Either way it kills every process of its session and every descendant, and
ends as the child ended, so that its exit status is the child's. It is a process and not a thread of the child because
a trial stuck in C code may hold the interpreter lock, close all descriptors or crash; the promise holds even then.

It runs as a script under `python -I -S` (about 10 ms), so it uses the standard library only; the functions that look
at processes are shared with `slot.py` and `worker/child.py`. On Linux the guard is a "child subreaper": processes
whose parent died become *its* children, so that even those which moved to a session of their own are found.
"""

from __future__ import annotations

import os
import select
import signal
import sys
import time

TYPE_CHECKING = False  # `typing` would be half of the guard's start time
if TYPE_CHECKING:
    from collections.abc import Collection

_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36
_PAGE = os.sysconf("SC_PAGE_SIZE")
# A kill is repeated until nothing is left, because a process may fork while it is being killed; a process in
# uninterruptible sleep (a dead network drive) cannot be killed at all and must not hold us for ever.
_PATIENCE_SECONDS = 1.0

Row = tuple[int, int, int, int]  # pid, parent, session, resident bytes


def processes() -> list[Row]:
    """(pid, parent's pid, session, resident bytes) of every living process we may see; zombies are left out."""
    return _processes_linux() if sys.platform == "linux" else _processes_ps()


def _processes_linux() -> list[Row]:
    rows = []
    for name in os.listdir("/proc"):  # noqa: PTH208 - pathlib would double the guard's start time
        if not name.isdigit():
            continue
        try:
            with open(f"/proc/{name}/stat", "rb") as file:  # noqa: PTH123 - as above
                data = file.read()
        except OSError:
            continue  # it ended while we looked
        fields = data[data.rindex(b")") + 2 :].split()  # the name before may hold blanks and parentheses
        if fields[0] not in (b"Z", b"X"):
            rows.append((int(name), int(fields[1]), int(fields[3]), int(fields[21]) * _PAGE))
    return rows


def _processes_ps() -> list[Row]:
    import subprocess

    listing = subprocess.run(
        ["/bin/ps", "-axo", "pid=,ppid=,rss=,state="], capture_output=True, text=True, check=False
    )
    rows = []
    for line in listing.stdout.splitlines():
        pid, parent, kibibytes, state = line.split(None, 3)
        try:
            session = os.getsid(int(pid))
        except OSError:
            session = -1
        if not state.startswith("Z"):
            rows.append((int(pid), int(parent), session, int(kibibytes) * 1024))
    return rows


def family(leader: int) -> dict[int, int]:
    """Return pid -> resident bytes of the session that `leader` leads and of all its descendants, itself left out."""
    rows = processes()
    children: dict[int, list[int]] = {}
    for pid, parent, _, _ in rows:
        children.setdefault(parent, []).append(pid)
    found = {pid for pid, _, session, _ in rows if session == leader}
    open_ends = [leader, *found]
    while open_ends:
        for pid in children.get(open_ends.pop(), ()):
            if pid not in found:
                found.add(pid)
                open_ends.append(pid)
    return {pid: resident for pid, _, _, resident in rows if pid in found and pid != leader}


def end_family(leader: int, *, spare: Collection[int] = ()) -> set[int]:
    """Kill the family of `leader` but for `leader` and `spare`; return the pids that were killed.

    Repeats until nothing is found or a second has gone; whoever is the parent still has to reap.
    Raises ValueError for a leader that cannot be one: the family of process 1 is everybody.
    """
    if leader <= 1:
        raise ValueError(f"leader: expected a process id above 1, found {leader}")
    killed: set[int] = set()
    limit = time.monotonic() + _PATIENCE_SECONDS
    while True:
        victims = [pid for pid in family(leader) if pid not in spare]
        if not victims or time.monotonic() > limit:
            return killed
        killed.update(victims)
        for pid in victims:
            try:
                os.kill(pid, signal.SIGKILL)
            except OSError:
                continue  # gone already, or not ours (a set-uid program)
        time.sleep(0.001)


def reap() -> dict[int, int]:
    """Collect the ended children of this process without waiting; return pid -> wait status."""
    ended: dict[int, int] = {}
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return ended
        if pid == 0:
            return ended
        ended[pid] = status


def _prctl(option: int, value: int) -> None:
    """Ask Linux for one more thoroughness; where it is refused, or elsewhere, we go without."""
    if sys.platform != "linux":
        return
    try:
        import ctypes

        ctypes.CDLL(None).prctl(option, value, 0, 0, 0)
    except (ImportError, OSError, AttributeError):
        return  # an interpreter without ctypes, a C library without prctl


def die_with_parent(parent: int) -> None:
    """Have this process killed when its parent, a process of a single thread, ends; exit if `parent` is gone already.

    Linux sends the signal when the *thread* that forked ends: hence only for the guard's child.
    """
    _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)


def _watch(lifeline: int, bell: int, child: int) -> int | None:
    """Wait for the lifeline's end (None) or the child's (its wait status)."""
    poll = select.poll()
    poll.register(lifeline, select.POLLIN | select.POLLHUP)
    poll.register(bell, select.POLLIN)
    while True:
        ready = {fd for fd, _ in poll.poll()}
        if bell in ready:
            os.read(bell, 512)
        ended = reap()
        if child in ended:
            return ended[child]
        if lifeline in ready:
            return None


def _end_like(status: int) -> None:
    """End this process as the one with wait status `status` ended."""
    code = os.waitstatus_to_exitcode(status)
    if code < 0:
        import resource

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # the child's own core file is the interesting one
        if -code not in (signal.SIGKILL, signal.SIGSTOP):
            signal.signal(-code, signal.SIG_DFL)
        os.kill(os.getpid(), -code)
        code = 128 - code  # not reached, unless that signal does not end a process
    os._exit(code)


def main(argv: list[str]) -> None:
    """`guard.py LIFELINE REQUEST REPLY COMMAND...`: run COMMAND with the two pipes until it or the lifeline ends."""
    lifeline, request, reply = (int(number) for number in argv[1:4])
    command = argv[4:]
    # Only the lifeline decides. The child gets the default dispositions back.
    quiet = [signal.SIGINT, signal.SIGTERM, signal.SIGHUP]
    for number in quiet:
        signal.signal(number, signal.SIG_IGN)
    bell, rope = os.pipe()
    os.set_blocking(rope, False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(rope, warn_on_full_buffer=False)
    os.set_inheritable(lifeline, False)
    _prctl(_PR_SET_CHILD_SUBREAPER, 1)
    # A guard that was stopped would not see the lifeline end: let the coordinator's death wake it. It is no more than
    # that because the guard must live to kill the others, and because a thread of the coordinator that ends (a slot's)
    # counts as its death, too: being woken in vain does no harm.
    _prctl(_PR_SET_PDEATHSIG, signal.SIGCONT)
    child = os.posix_spawn(
        command[0], command, os.environ, setsigmask=[], setsigdef=[*quiet, signal.SIGPIPE, signal.SIGXFSZ]
    )
    os.close(request)
    os.close(reply)  # else the slot would wait in vain for the end of the stream
    status = _watch(lifeline, bell, child)
    end_family(os.getpid())
    if status is None:
        status = reap().get(child, 0)
    _end_like(status)


if __name__ == "__main__":
    main(sys.argv)
