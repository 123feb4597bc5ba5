"""What has to be over in time. A busy machine is late now and then: what was `TooSlow` is tried again (pyproject.toml)."""

from __future__ import annotations

import time


class TooSlow(AssertionError):
    """Later than was allowed."""


def in_time(began: float, bound: float) -> float:
    """Return the seconds since `began` (of `time.monotonic`); raises `TooSlow` for `bound` and more."""
    seconds = time.monotonic() - began
    if seconds >= bound:
        raise TooSlow(f"took {seconds:.2f} s, and {bound:g} s are allowed")
    return seconds
