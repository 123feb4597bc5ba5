"""Runs one program to its end, passing its output on and reading it line by line with bounded memory. Worker only.

Everything the program prints goes to descriptor 2, which is the trial's log in a child process. What it leaves behind
when it ends is not waited for: the child's sweep of strays makes an end of that.
"""

from __future__ import annotations

import contextlib
import os
import selectors
import signal
import subprocess
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import IO

from hptune.trial import Failure

TAIL_LINES = 20
"""How many of the last lines of output a failure shows."""

LINE_LIMIT = 2**20
"""Bytes of one line that are looked at; what a line has beyond is only passed on."""

MESSAGE_LIMIT = 300

_TAIL_WIDTH = 300
_CHUNK = 2**16
# A background process may hold the pipe open after the program has ended: this is how late that is seen, and how long
# such a process may go on printing.
_LOOK_SECONDS = 0.2

TakeLine = Callable[[str], None]


@dataclass(frozen=True)
class Ended:
    """How a program ended: its exit code (a signal's number with a minus), and the last lines that it printed."""

    code: int
    tail: tuple[str, ...]


class Lines:
    """Cuts a stream of bytes into lines of text; of a line beyond `LINE_LIMIT` only the beginning is kept."""

    def __init__(self, take: TakeLine) -> None:
        self._take = take
        self._line = bytearray()

    def feed(self, data: bytes) -> None:
        """Take in the next bytes of the stream."""
        *whole, rest = data.split(b"\n")
        for piece in whole:
            self._add(piece)
            self.end()
        self._add(rest)

    def end(self) -> None:
        """Hand on the line that has come so far, if there is any of it."""
        if self._line:
            self._take(self._line.decode(errors="replace").rstrip("\r"))
            self._line.clear()

    def _add(self, piece: bytes) -> None:
        self._line += piece[: LINE_LIMIT - len(self._line)]


class Tail:
    """The last lines of a program's output, as short as people want them."""

    def __init__(self) -> None:
        self.lines: deque[str] = deque(maxlen=TAIL_LINES)

    def __call__(self, line: str) -> None:
        shown = line.rpartition("\r")[2]  # a progress bar paints over itself
        self.lines.append(shown if len(shown) <= _TAIL_WIDTH else f"{shown[: _TAIL_WIDTH - 3]}...")


def run(
    arguments: Sequence[str],
    *,
    folder: str,
    environment: Mapping[str, str],
    take: TakeLine,
    stderr_too: bool,
) -> Ended:
    """Run a program in `folder` and return how it ended; `take` is given every line of its stdout.

    With `stderr_too` stderr goes the same way, in the order in which it was printed. Raises OSError or ValueError if
    the program cannot be started.
    """
    tail = Tail()

    def both(line: str) -> None:
        tail(line)
        take(line)

    process = subprocess.Popen(  # noqa: S603 - running the user's command is what this is for
        list(arguments),
        cwd=folder,
        env=dict(environment),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT if stderr_too else subprocess.PIPE,
        bufsize=0,
    )
    assert process.stdout is not None
    streams: list[tuple[IO[bytes], Lines]] = [(process.stdout, Lines(both))]
    if process.stderr is not None:
        streams.append((process.stderr, Lines(tail)))
    try:
        _pass_on(process, streams)
        code = process.wait()
    finally:  # also on Ctrl-C in the serial executor
        if process.poll() is None:
            process.kill()
            process.wait()
        for stream, _ in streams:
            stream.close()
    for _, lines in streams:
        lines.end()
    return Ended(code, tuple(tail.lines))


def _pass_on(process: subprocess.Popen[bytes], streams: Sequence[tuple[IO[bytes], Lines]]) -> None:
    """Read until all streams have ended, or the program has and nothing more of its own can come."""
    limit: float | None = None
    with selectors.DefaultSelector() as selector:
        for stream, lines in streams:
            selector.register(stream, selectors.EVENT_READ, lines)
        while selector.get_map():
            ready = selector.select(_LOOK_SECONDS)
            for key, _ in ready:
                data = os.read(key.fd, _CHUNK)
                if data:
                    _to_log(data)
                    key.data.feed(data)
                else:
                    selector.unregister(key.fileobj)
            if process.poll() is not None:
                now = time.monotonic()
                limit = limit or now + _LOOK_SECONDS
                if not ready or now >= limit:
                    return


def _to_log(data: bytes) -> None:
    """Write to descriptor 2; a log that cannot be written costs no trial."""
    view = memoryview(data)
    with contextlib.suppress(OSError):
        while view:
            view = view[os.write(2, view) :]


def say(line: str) -> None:
    """Write a line of our own into the log."""
    _to_log(f"{line}\n".encode(errors="replace"))


def failure_of(ended: Ended, *, shell: bool) -> Failure:
    """Return a bad end as a failure: its exit code or signal, the last line printed, and the last lines beside it.

    A shell reports the signal that ended its command as 128 + its number.
    """
    tail = "\n".join(ended.tail) or None
    by_signal = -ended.code if ended.code < 0 else ended.code - 128 if shell and ended.code > 128 else 0
    if by_signal:
        likely = ", likely for lack of memory" if by_signal == signal.SIGKILL else ""
        return Failure("crashed", f"the command was killed by {signal_name(by_signal)}{likely}", tail)
    last = next((line.strip() for line in reversed(ended.tail) if line.strip()), "")
    said = f": {last}" if last else ""
    return Failure("error", f"the command exited with code {ended.code}{said}"[:MESSAGE_LIMIT], tail)


def signal_name(number: int) -> str:
    """Return "signal 9 (SIGKILL)"."""
    try:
        return f"signal {number} ({signal.Signals(number).name})"
    except ValueError:
        return f"signal {number}"
