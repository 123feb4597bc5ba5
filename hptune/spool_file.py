"""What a spool file holds: an outcome, the job it is of, and a checksum. Written by workers, read by the coordinator.

{"crc":"5f0c0e9b","trial":3,"attempt":1,"folds":[0],"outcome":{...}}
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

    def is_of(self, job: Job) -> bool:
        """Return whether this is what became of `job`."""
        return (self.trial, self.attempt, self.folds) == (job.trial, job.attempt, job.folds)


def to_bytes(job: Job, outcome: bytes) -> bytes:
    """Return the file of a job's outcome, which is given as JSON."""
    head = json.dumps({"trial": job.trial, "attempt": job.attempt, "folds": list(job.folds)}, separators=(",", ":"))
    return with_checksum(b'%s,"outcome":%s}' % (head[:-1].encode(), outcome))


def from_bytes(data: bytes) -> Spooled:
    """Return what a file's bytes hold; raises ValueError (`Unchecked` for bytes that are not as they were written)."""
    body = without_checksum(data)
    try:
        found = json.loads(body)
        return Spooled(found["trial"], found["attempt"], tuple(found["folds"]), Outcome.from_json(found["outcome"]))
    except (
        TypeError,
        KeyError,
        AttributeError,
        RecursionError,
    ) as error:  # whoever forges a checksum can write anything
        raise ValueError(f"expected an outcome ({type(error).__name__}: {error})") from None
