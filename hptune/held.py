"""The descriptors that hold a run directory for this process alone: not for its forked children, and not for ever.

A lock of `flock` belongs to the open file, which a forked child (a pool's worker) shares: while such a child lives the
folder would stay locked, even after the parent was killed. So children let go of theirs at birth, and `close` unlocks.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import weakref


class Held:
    """The descriptors of one run directory's journal and lock file, -1 where there is none (yet).

    `forked` says that this process is a fork of the one that holds the folder.
    """

    def __init__(self) -> None:
        self.file = -1
        self.lock = -1
        self.forked = False
        _living.add(self)

    def close(self) -> None:
        """Unlock and close them; harmless when called twice."""
        for descriptor in self._taken():
            with contextlib.suppress(OSError):
                fcntl.flock(descriptor, fcntl.LOCK_UN)
            os.close(descriptor)

    def _leave(self) -> None:
        """Close this process's copies, in a fork: unlocking them would unlock the parent's."""
        for descriptor in self._taken():
            os.close(descriptor)
            self.forked = True

    def _taken(self) -> list[int]:
        taken = [descriptor for descriptor in (self.file, self.lock) if descriptor >= 0]
        self.file = self.lock = -1
        return taken


_living: weakref.WeakSet[Held] = weakref.WeakSet()


def _leave_all() -> None:
    for held in tuple(_living):
        held._leave()


os.register_at_fork(after_in_child=_leave_all)


def held_here(lock: int) -> bool:
    """Return whether it is this process that holds the lock file open as `lock`."""
    wanted = os.fstat(lock)
    return any(held.lock >= 0 and os.path.samestat(os.fstat(held.lock), wanted) for held in tuple(_living))
