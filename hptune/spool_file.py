"""What a spool file holds: an outcome, the job it is of, and a checksum. Written by workers, read by the coordinator.

{"crc":"5f0c0e9b","trial":3,"attempt":1,"folds":[0],"outcome":{...}}

One of the finals also says `"finals":"whole"` or `"half"`, as the job's options do.
"""

from __future__ import annotations

import json
from dataclasses import dataclass

from hptune.checksum import with_checksum, without_checksum
from hptune.job import Job, Outcome

MAX_BYTES = 64 << 20
"""A larger file is none that a worker wrote."""


@dataclass(frozen=True)
class Spooled:
    """An outcome as a worker wrote it down, and the job it is of."""

    trial: int
    attempt: int
    folds: tuple[int, ...]
    outcome: Outcome
    finals: str = ""
    """`whole` or `half` (of the training rows), "" for a job of the search."""

    def is_of(self, job: Job) -> bool:
        """Return whether this is what became of `job`."""
        found = (self.trial, self.attempt, self.folds, self.finals)
        return found == (job.trial, job.attempt, job.folds, finals_of(job))


def finals_of(job: Job) -> str:
    """Return on what a job of the finals fits its models, "" for one of the search."""
    return str(job.options.get("finals") or "")


def to_bytes(job: Job, outcome: bytes) -> bytes:
    """Return the file of a job's outcome, which is given as JSON."""
    told = {"trial": job.trial, "attempt": job.attempt, "folds": list(job.folds)}
    if finals_of(job):
        told["finals"] = finals_of(job)
    head = json.dumps(told, separators=(",", ":"))
    return with_checksum(b'%s,"outcome":%s}' % (head[:-1].encode(), outcome))


def from_bytes(data: bytes) -> Spooled:
    """Return what a file's bytes hold; raises ValueError (`Unchecked` for bytes that are not as they were written)."""
    body = without_checksum(data)
    try:
        found = json.loads(body)
        folds, outcome = tuple(found["folds"]), Outcome.from_json(found["outcome"])
        return Spooled(found["trial"], found["attempt"], folds, outcome, found.get("finals", ""))
    except (
        TypeError,
        KeyError,
        AttributeError,
        RecursionError,
    ) as error:  # whoever forges a checksum can write anything
        raise ValueError(f"expected an outcome ({type(error).__name__}: {error})") from None
