"""Every way hptune says no, and the exit code that goes with it.

The codes are part of the outside contract (`docs/reference.md`): 2 bad config or usage, 3 gate not met, 4 no trial
succeeded, 5 run directory damaged or locked, 6 run directory not writable or disk full, 7 no worker or open file.
Anything that is not an `HptuneError` is our own bug and exits with 1.
"""

from __future__ import annotations

import difflib
import errno
import itertools
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeGuard


class HptuneError(Exception):
    """Base of all errors that hptune raises on purpose; `exit_code` is what the command line returns for it."""

    exit_code = 1


class UsageError(HptuneError):
    """A command or call that cannot be carried out as given."""

    exit_code = 2


class Interrupted(BaseException):
    """A signal ended the work; `exit_code` is 128 + its number."""

    def __init__(self, number: int) -> None:
        self.exit_code = 128 + number
        super().__init__(number)


@dataclass(frozen=True)
class Problem:
    """One thing wrong with a config: where it stands and what to do about it.

    `key` is the dotted key path ("" for the file as a whole); `line` and `column` count from 1; `file` and `line` are
    None where the config did not come from a file.
    """

    key: str
    message: str
    file: str | None = None
    line: int | None = None
    column: int | None = None
    severity: str = "error"  # or "warning"

    def __str__(self) -> str:
        place = ":".join(str(part) for part in (self.file, self.line) if part is not None)
        return ": ".join(part for part in (place, self.key, self.message) if part)


class ConfigError(HptuneError):
    """A config that cannot be run. Carries *all* problems found, not the first."""

    exit_code = 2

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))


class GateNotMet(HptuneError):
    """The study finished, and its gain does not pass the config's gate."""

    exit_code = 3


class NoSuccess(HptuneError):
    """No trial succeeded, or too many failed in a row."""

    exit_code = 4


class WorkFailed(HptuneError):
    """An inspection or a refit failed in its worker for a reason that the inspection's findings do not cover."""

    exit_code = 4


class JournalDamaged(HptuneError):
    """A record before the journal's last is unreadable: file, line and byte are in the message."""

    exit_code = 5


class StudyLocked(HptuneError):
    """Another process is running this study."""

    exit_code = 5


class ProblemChanged(UsageError):
    """The run directory belongs to a different problem than the config describes."""


class DirectoryUnusable(HptuneError):
    """The run directory cannot be written: permissions, a full disk, or it has gone."""

    exit_code = 6


class ExecutorUnreachable(HptuneError):
    """The executor could not start its workers or lost them for good."""

    exit_code = 7


class FilesExhausted(ExecutorUnreachable):
    """The system opens no more files for this process, whatever they are for: workers' pipes, the journal, a module."""

    def __init__(self, reason: OSError) -> None:
        super().__init__(
            f"{reason}; the limit of open files (`ulimit -n`) is too low for this run: raise it, or take fewer workers"
        )

    @staticmethod
    def tells(error: BaseException) -> TypeGuard[OSError]:
        """Whether an exception says so."""
        return isinstance(error, OSError) and error.errno in (errno.EMFILE, errno.ENFILE)


class OracleFailed(HptuneError):
    """An oracle raised, or proposed what cannot be a trial; the trials so far are kept."""

    exit_code = 2


class StudyExhausted(HptuneError):
    """`ask()` on a study whose oracle has nothing left to propose."""


_COMPARED = 200_000
"""Pairs of letters that one hint may compare: some hundreds of usual names, 2 ms (60 ms for names that are all alike)."""


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return `"; did you mean 'x'?"` for the closest of `known`, or "" when none is close.

    Of too many or too long names only those are compared that begin alike, as far as time allows.
    """
    word, names = str(word), [str(one) for one in known]
    close = [name for name in names if name.casefold() == word.casefold()]
    return f"; did you mean {found[0]!r}?" if (found := close or _closest(word, names)) else ""


def _closest(word: str, names: list[str]) -> list[str]:
    if len(word) * sum(map(len, names)) > _COMPARED:
        alike = [name for name in names if name[:2] == word[:2]]
        room = itertools.accumulate(len(word) * len(name) for name in alike)
        names = [name for name, used in zip(alike, room, strict=True) if used <= _COMPARED]
    return difflib.get_close_matches(word, names, n=1, cutoff=0.6)
