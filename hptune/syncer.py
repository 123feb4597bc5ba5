"""Forces the journal to the disk now and then, in a thread: a busy disk must not keep workers waiting."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

SYNC_SECONDS = 0.1


class Syncer:
    """Calls `sync` at most every `SYNC_SECONDS`, one call at a time. To be used in a `with`.

    What `sync` raises is raised by the next call, or at the end of the `with`; when that is reached nothing runs.
    """

    def __init__(self, sync: Callable[[], None]) -> None:
        self._sync = sync
        self._pool: ThreadPoolExecutor | None = None
        self._running: Future[None] | None = None
        self._last = 0.0

    def __enter__(self) -> Syncer:
        self._pool = ThreadPoolExecutor(1, "hptune-journal")
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        assert self._pool is not None
        running, self._running = self._running, None
        self._pool.shutdown()
        if running is not None and kind is None:
            running.result()

    def now_and_then(self) -> None:
        """Begin a call if it is time for one."""
        assert self._pool is not None
        now = time.monotonic()
        if now - self._last < SYNC_SECONDS or (self._running is not None and not self._running.done()):
            return
        if self._running is not None:
            self._running.result()
        self._running = self._pool.submit(self._sync)
        self._last = now
