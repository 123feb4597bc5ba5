"""The standard streams: where the caller has closed them (`>&-`, some daemons), and stdout for hptune's results alone.

Standard library only: `hptune --help` imports this.
"""

from __future__ import annotations

import contextlib
import os
import sys
from typing import TextIO


def open_missing() -> None:
    """Point each standard stream that is closed at nothing; else a file opened later would get its number."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            stream = open(os.open(os.devnull, os.O_RDWR), mode, encoding="utf-8", errors="backslashreplace")  # noqa: PTH123, SIM115 - for good
            setattr(sys, name, stream)
            setattr(sys, f"__{name}__", stream)


class Stdout:
    """Stdout as hptune's own writers have it; under `keep` all others (the user's code, what it starts) have stderr."""

    def __init__(self) -> None:
        self._kept: TextIO | None = None
        self._copied = False

    @property
    def stream(self) -> TextIO:
        """Where results go."""
        return sys.stdout if self._kept is None else self._kept

    def keep(self) -> None:
        """From now on only `stream` is stdout: a document printed with `--json` stays one, whatever user code prints."""
        if self._kept is not None:
            return
        before = sys.stdout
        try:
            if before.fileno() == 1:
                before.flush()
                copy = os.dup(1)
                self._kept = open(copy, "w", encoding=before.encoding, errors=before.errors)  # noqa: PTH123, SIM115 - for good
                self._copied = True
                os.dup2(2, 1)
                return
        except (OSError, ValueError):  # a stand-in without descriptor
            pass
        if self._kept is None:
            self._kept, sys.stdout = before, sys.stderr

    def give_back(self) -> None:
        """Undo `keep`: for who calls the command line from Python."""
        kept, self._kept = self._kept, None
        if kept is None:
            return
        if not self._copied:
            sys.stdout = kept
            return
        self._copied = False
        with contextlib.suppress(OSError, ValueError):
            sys.stdout.flush()  # what others wrote there belongs on stderr
        os.dup2(kept.fileno(), 1)
        kept.close()


stdout = Stdout()
"""The process's own."""
