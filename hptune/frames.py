"""Frames: how bytes travel between a slot and its child. Four bytes of length (big-endian), then that many bytes.

Standard library only, and little of it: the child imports this before it says hello.
"""

from __future__ import annotations

import os

MAX_FRAME = 64 * 2**20
"""The largest frame accepted, in bytes. A job is about 1 kB; this only keeps a broken peer from filling memory."""

_HEADER = 4


class FrameError(ValueError):
    """What came through the pipe is not a frame (or is larger than `MAX_FRAME`)."""


def pack(payload: bytes) -> bytes:
    """Return `payload` as one frame; raise `FrameError` if it is larger than `MAX_FRAME` bytes."""
    if len(payload) > MAX_FRAME:
        raise FrameError(f"a message may have {MAX_FRAME} bytes, this one has {len(payload)}")
    return len(payload).to_bytes(_HEADER, "big") + payload


class FrameBuffer:
    """Bytes in as they come, whole frames out."""

    def __init__(self) -> None:
        self._bytes = bytearray()

    def __len__(self) -> int:
        return len(self._bytes)

    def feed(self, data: bytes) -> None:
        """Add what was read."""
        self._bytes += data

    def pop(self) -> bytes | None:
        """Return the next whole frame's payload, None while it is incomplete; raise `FrameError` if too large."""
        if len(self._bytes) < _HEADER:
            return None
        size = int.from_bytes(self._bytes[:_HEADER], "big")
        if size > MAX_FRAME:
            raise FrameError(f"a frame announces {size} bytes; at most {MAX_FRAME} are accepted")
        if len(self._bytes) < _HEADER + size:
            return None
        payload = bytes(self._bytes[_HEADER : _HEADER + size])
        del self._bytes[: _HEADER + size]
        return payload


def read_frame(fd: int) -> bytes | None:
    """Block until a whole frame has come and return its payload; None at the end of the stream.

    Raises `FrameError` if a larger one than `MAX_FRAME` is announced.
    """
    header = _read_exactly(fd, _HEADER)
    if header is None:
        return None
    size = int.from_bytes(header, "big")
    if size > MAX_FRAME:
        raise FrameError(f"a frame announces {size} bytes; at most {MAX_FRAME} are accepted")
    return _read_exactly(fd, size)


def _read_exactly(fd: int, count: int) -> bytes | None:
    data = bytearray()
    while len(data) < count:
        more = os.read(fd, min(count - len(data), 2**20))
        if not more:
            return None
        data += more
    return bytes(data)


def write_all(fd: int, data: bytes) -> None:
    """Write all of `data` to a blocking descriptor; raises OSError (EPIPE when nobody reads any more)."""
    view = memoryview(data)
    while view:
        view = view[os.write(fd, view) :]
