"""SIGINT, SIGTERM and SIGHUP: the first asks to stop (or ends what has nothing to save), the second always ends at once.

Standard library only: `hptune --help` imports this.
"""

from __future__ import annotations

import contextlib
import os
import signal
import threading
from collections.abc import Iterator
from types import FrameType

from hptune.errors import Interrupted

HANGUP = getattr(signal, "SIGHUP", None)  # Windows, which is told that it cannot be, has none
HANDLED = tuple(number for number in (signal.SIGINT, signal.SIGTERM, HANGUP) if number is not None)
"""Ctrl-C, `kill`, and the end of the terminal."""

_PATIENCE = 4  # a fourth signal does not even wait for the workers to be ended


class Signals:
    """What signals came, and what they do: raise `Interrupted`, or under `gently` only be noted the first time."""

    def __init__(self) -> None:
        self.number: int | None = None
        self._count = 0
        self._gentle = False

    @property
    def exit_code(self) -> int:
        """128 + the first signal's number, 0 when none came."""
        return 0 if self.number is None else 128 + self.number

    def requested(self) -> str | None:
        """Return "signal" once one came: the loop's `interrupt`."""
        return None if self.number is None else "signal"

    @contextlib.contextmanager
    def installed(self) -> Iterator[None]:
        """Handle the signals while this lasts; a signal that the parent chose to ignore stays ignored."""
        self.number, self._count, self._gentle = None, 0, False
        if threading.current_thread() is not threading.main_thread():
            yield  # Python handles signals in its main thread only
            return
        old = {number: signal.getsignal(number) for number in HANDLED}
        try:
            for number in HANDLED:
                if old[number] is not signal.SIG_IGN:
                    signal.signal(number, self._handle)
            yield
        finally:
            for number in HANDLED:
                signal.signal(number, old[number])

    @contextlib.contextmanager
    def interrupting(self) -> Iterator[None]:
        """Turn a `KeyboardInterrupt` of the user's code into `Interrupted`, and take it for a signal that came."""
        try:
            yield
        except KeyboardInterrupt:
            if self.number is None:
                self.number = signal.SIGINT
            raise Interrupted(self.number) from None

    @contextlib.contextmanager
    def gently(self) -> Iterator[None]:
        """While this lasts the first signal is only noted; one that came before counts as the first."""
        self._gentle = True
        try:
            yield
        finally:
            self._gentle = False

    def _handle(self, number: int, frame: FrameType | None) -> None:
        del frame
        if number == HANGUP and self._count:
            return  # a shell sends one and the system another when a terminal is closed: nobody insists
        self._count += 1
        if self.number is None:
            self.number = number
        if self._count >= _PATIENCE:
            os._exit(128 + number)
        if self._count == 1 and self._gentle:
            return
        if self._count > 2:
            return  # the second one's Interrupted is on its way: do not break what it cleans up
        raise Interrupted(self.number)


signals = Signals()
"""The process's own: signals are the process's too."""
