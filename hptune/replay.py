"""A journal's events as the history that they made."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from pathlib import Path

from hptune import events as ev
from hptune.collecting import no_collecting
from hptune.errors import JournalDamaged
from hptune.history import History


def replay(events: Sequence[ev.Event], path: Path | str = "the journal") -> History:
    """Return the history that these events make; the first must be the study's start.

    Raises `JournalDamaged`, naming `path`, for events that cannot follow each other: hptune did not write them.
    """
    number = 0  # of the record
    try:
        first = events[0]
        if not isinstance(first, ev.StudyStarted):
            raise ValueError(f"expected the study's start, found {first.type}")
        history = History(first)
        with no_collecting():
            for event in itertools.islice(events, 1, None):
                number += 1
                history.apply(event)
                if isinstance(event, ev.Reports):
                    number += len(event.rows) - 1
    except (ValueError, TypeError, LookupError, AttributeError, ArithmeticError, RecursionError) as error:
        reason = (str(error) or type(error).__name__).splitlines()[0][:200]
        raise JournalDamaged(
            f"{path}:{number + 1}: its checksum is right, and yet it cannot follow: {reason}. Nothing was changed."
        ) from error
    return history
