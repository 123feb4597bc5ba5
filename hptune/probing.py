"""Has a worker try the ends of the space's ranges, one after the other, and survives what they do to it.

An end may take hours or all memory (a polynomial kernel's C, the degree of a polynomial): each range is a job of its own,
with limits, so that one that goes wrong costs a worker's child and is named.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

from hptune.config.load import Loaded
from hptune.executor import Executor
from hptune.job import Finding, Inspection, Job
from hptune.parameters import Float, Int
from hptune.session import outcome_of
from hptune.space import SearchSpace

MOST_SECONDS: Final = 5.0
"""Once so long has passed no further range is begun."""
DEADLINE: Final = 10
"""What one range may take, beside the seconds that a worker needs to read the data."""
SHARE_OF_MEMORY: Final = 0.5
"""What a worker may hold of the memory that is free, where `budget.trial_memory` does not say."""


def probe_ranges(
    loaded: Loaded, inspection: Inspection, executor: Executor, interrupt: Callable[[], str | None], seconds: float
) -> list[Finding]:
    """Return where ranges of the inspected space cannot be fitted at an end; `seconds` is what the inspection took."""
    space = SearchSpace.from_json(inspection.space)
    names = [p.name for p in space if isinstance(p, (Float, Int)) and p.low < p.high]
    memory = _memory(loaded) if names and executor.supports_limits else None
    began = time.monotonic()
    out: list[Finding] = []
    for number, name in enumerate(names):
        if time.monotonic() - began > MOST_SECONDS:
            message = (
                f"the ends of {number} of {len(names)} ranges were fitted; the others were not tried, for no more are "
                f"begun after {MOST_SECONDS:g} s (a slow or busy machine, or slow fits)"
            )
            return [*out, Finding(key="space", message=message, severity="warning")]
        deadline = DEADLINE + round(2 * seconds) if executor.supports_limits else None
        options = {"space": inspection.space, "range": name}
        job = Job(kind="probe", options=options, deadline=deadline, memory=memory)
        outcome = outcome_of(executor, job, interrupt)
        if outcome.failure is not None:
            message = (
                f"fits at the ends of this range were given up ({outcome.failure.message}), further ranges were not tried; "
                "trials there may do the same: narrow the range, or set budget.trial_time and trial_memory"
            )
            return [*out, Finding(key=f"space.{name}", message=message, severity="warning")]
        out += [Finding(**one) for one in (outcome.answer or {}).get("findings", ())]
    return out


def _memory(loaded: Loaded) -> int:
    """Return how many bytes the worker may hold."""
    import psutil

    return loaded.config.budget.trial_memory or int(psutil.virtual_memory().available * SHARE_OF_MEMORY)
