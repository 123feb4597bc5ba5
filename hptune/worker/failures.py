"""What user code did, as a `Failure`: exceptions, and results that are no finite number."""

from __future__ import annotations

import math
import numbers
from pathlib import Path
from types import TracebackType
from typing import Any

from hptune.errors import ConfigError
from hptune.model import TrialFailed
from hptune.trial import Failure, FailureKind

_PACKAGE = str(Path(__file__).resolve().parent.parent)


class Invalid(ValueError):
    """A result that does not count: not a finite real number."""


def finite(value: Any, what: str) -> float:
    """Return a finite real number as a float; raises `Invalid`, saying what was found instead.

    bool, text (a number in quotes too), complex, None, lists and arrays are no numbers here: each of them has stopped
    or silently falsified a study elsewhere.
    """
    if isinstance(value, bool) or type(value).__name__ == "bool_" or not isinstance(value, numbers.Real):
        shown = "" if value is None else f" {_short(value)}"
        raise Invalid(f"{what}: expected a finite number, found {type(value).__name__}{shown}")
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise Invalid(f"{what}: expected a finite number, found {_short(value)}")
    return number


def _short(value: Any) -> str:
    try:
        text = repr(value)
    except Exception:  # a user's object; 10**5000 has too many digits for repr
        return f"a {type(value).__name__} that cannot be shown"
    return text if len(text) <= 60 else f"{text[:57]}..."


def failure_of(error: BaseException, where: str = "") -> Failure:
    """Return an exception of user code as a failure, its traceback beginning where hptune called that code."""
    if isinstance(error, TrialFailed):
        return error.failure
    prefix = f"{where}: " if where else ""
    if isinstance(error, Invalid):
        return Failure("invalid", f"{prefix}{error}")
    if isinstance(error, ConfigError):
        return Failure("error", f"{prefix}{'; '.join(str(problem) for problem in error.problems)}")
    kind: FailureKind = "memory" if isinstance(error, MemoryError) else "error"
    return Failure.of(error.with_traceback(_theirs(error.__traceback__)), prefix, kind)


def _theirs(traceback: TracebackType | None) -> TracebackType | None:
    """Return the traceback from the first frame that is not ours (the whole, if all are)."""
    step = traceback
    while step is not None and step.tb_frame.f_code.co_filename.startswith(_PACKAGE):
        step = step.tb_next
    return step or traceback
