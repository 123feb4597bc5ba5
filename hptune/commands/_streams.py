"""Standard streams where the caller has closed them (`>&-`, some daemons): nothing is what they read and write.

Standard library only: `hptune --help` imports this.
"""

from __future__ import annotations

import os
import sys


def open_missing() -> None:
    """Point each standard stream that is closed at nothing; else a file opened later would get its number."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            stream = open(os.open(os.devnull, os.O_RDWR), mode, encoding="utf-8", errors="backslashreplace")  # noqa: PTH123, SIM115 - for good
            setattr(sys, name, stream)
            setattr(sys, f"__{name}__", stream)
