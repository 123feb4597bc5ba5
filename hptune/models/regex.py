"""Regular expressions that a config gives."""

from __future__ import annotations

import re


def groups_in(pattern: str) -> int:
    """Return how many groups a regular expression has; raises ValueError, saying why it is none."""
    try:
        return re.compile(pattern).groups
    except re.error as error:
        raise ValueError(str(error)) from None
    except (OverflowError, RecursionError):  # `x{4294967295}`; thousands of brackets in each other
        raise ValueError("it repeats or nests too much") from None
