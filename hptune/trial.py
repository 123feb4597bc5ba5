"""A suggestion, a trial, and what was measured of it: values, without identity of their own or any action.

A `Suggestion` is what an oracle proposes; it becomes a `Trial` when the study gives it a number. A trial's status is
computed from the facts it holds and is never stored beside them.
"""

from __future__ import annotations

import math
import sys
import traceback as tb
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from operator import attrgetter
from typing import Any, Literal

from hptune.owned import fresh, owned

Values = Mapping[str, Any]
FailureKind = Literal["error", "invalid", "timeout", "memory", "crashed", "lost"]
FAILURE_KINDS: tuple[str, ...] = ("error", "invalid", "timeout", "memory", "crashed", "lost")
Status = Literal["running", "completed", "stopped", "failed"]

MESSAGE_LIMIT = 500
TRACEBACK_LIMIT = 8000
"""Characters that are kept of what an exception says and of its traceback."""

REFINEMENT = "refinement"
"""The origin of a suggestion that asks for any improvement on the best, however small: it is raced without a margin."""


@dataclass(frozen=True)
class Suggestion:
    """A configuration an oracle proposes.

    `values` holds the active parameters only, as plain Python values. `fidelity` is the share of the resource to
    spend, between 0 and 1 (None: all of it), `parent` the trial it promotes, `origin` the rule that proposed it (racing
    knows `REFINEMENT`), `note` up to 2 kB of JSON that travels through the journal to later calls of the same oracle.
    `predicted` is the surrogate's (mean, standard deviation) of the *loss*, where there is one.
    """

    values: Values
    fidelity: float | None = None
    parent: int | None = None
    origin: str = ""
    note: Mapping[str, Any] | None = None
    predicted: tuple[float, float] | None = None


@dataclass(frozen=True)
class Measurement:
    """One fold's score, with the sign the metric gave it; seconds are wall time in the worker.

    `continued` is the share of the resource that an earlier fit had spent already, where this one went on from it.
    """

    fold: int
    score: float
    train_score: float | None = None
    metrics: Mapping[str, float] = field(default_factory=dict)
    fit_seconds: float = 0.0
    score_seconds: float = 0.0
    continued: float | None = None


@dataclass(frozen=True)
class Failure:
    """Why a trial has no score: its kind, one line for people, and where there is one the traceback's text."""

    kind: FailureKind
    message: str
    traceback: str | None = None

    def __post_init__(self) -> None:
        if self.kind not in FAILURE_KINDS:
            raise ValueError(f"failure kind: expected one of {', '.join(FAILURE_KINDS)}, found {self.kind!r}")

    @classmethod
    def of(cls, error: BaseException, prefix: str = "", kind: FailureKind = "error") -> Failure:
        """Return `error` as a failure; never raises, even if the exception's own methods do or memory is short."""
        name = type(error).__name__
        try:
            lines = str(error).strip().splitlines()
            said = lines[0] if lines else ""
        except BaseException:  # an exception's __str__ is user code
            said = "(its message cannot be shown)"
        try:
            text = "".join(tb.format_exception(error, limit=-50)).strip()[-TRACEBACK_LIMIT:]
        except BaseException:
            text = ""
        message = f"{prefix}{name}: {said}" if said else f"{prefix}{name}"
        return cls(kind, message[:MESSAGE_LIMIT], text or None)


_FOLD = attrgetter("fold")


@dataclass(frozen=True)
class Trial:
    """A numbered configuration and all that is known of it.

    `folds` is how many measurements make it complete. `ended` says how it ended, if it has: "completed", or
    "stopped" with a `reason` (lost a race); a failed trial carries its `failure` instead. `failed_seconds` is what its
    failures took, attempts that were followed by another included.
    """

    number: int
    values: Values
    folds: int = 1
    fidelity: float | None = None
    parent: int | None = None
    origin: str = ""
    note: Mapping[str, Any] | None = None
    predicted: tuple[float, float] | None = None
    attempt: int = 1
    measurements: tuple[Measurement, ...] = ()
    failure: Failure | None = None
    ended: Literal["completed", "stopped"] | None = None
    reason: str = ""
    failed_seconds: float = 0.0

    def __repr__(self) -> str:
        share = "" if self.fidelity is None else f", fidelity {self.fidelity:.3g}"
        scored = "" if self.score is None else f", score {self.score:.6g}"
        failed = "" if self.failure is None else f" ({self.failure.kind})"
        return f"<{type(self).__name__} {self.number}: {self.status}{failed}{share}{scored}, {dict(self.values)}>"

    def changed(self, **fields: Any) -> Trial:
        """Return a copy with these fields changed, in a fifth of `dataclasses.replace`'s time: two for each trial read."""
        new = object.__new__(Trial)
        kept = new.__dict__
        kept.update(self.__dict__)
        if "measurements" in fields or "failure" in fields:
            kept.pop("score", None)
        kept.update(fields)
        return new

    def handed_out(self) -> Trial:
        """Return a copy whose values and note are its own: user code may change them."""
        return self.changed(values=owned(self.values), note=None if self.note is None else fresh(dict(self.note)))

    @property
    def status(self) -> Status:
        if self.failure is not None:
            return "failed"
        return self.ended or "running"

    @property
    def completed(self) -> bool:
        """Whether every fold is measured (a failed or raced-out trial is not completed)."""
        return self.status == "completed"

    @property
    def scores(self) -> tuple[float, ...]:
        """The fold scores in fold order, shape (measured folds,)."""
        if len(self.measurements) == 1:
            return (self.measurements[0].score,)
        return tuple(m.score for m in sorted(self.measurements, key=_FOLD))

    @cached_property  # asked for with every event that follows
    def score(self) -> float | None:
        """The mean of the fold scores measured so far, None before the first (and for a failed trial)."""
        if not self.measurements or self.failure is not None:
            return None
        return _mean(self.scores)

    @property
    def std(self) -> float | None:
        """The sample standard deviation of the fold scores, None under two folds."""
        if len(self.measurements) < 2 or self.failure is not None:
            return None
        mean = _mean(self.scores)
        scale = max(abs(score / 2 - mean / 2) for score in self.scores)  # halves: huge scores must not overflow
        if scale == 0:
            return 0.0
        squares = math.fsum(((score / 2 - mean / 2) / scale) ** 2 for score in self.scores)
        return min(2 * (scale * math.sqrt(squares / (len(self.measurements) - 1))), sys.float_info.max)

    @property
    def train_score(self) -> float | None:
        """The mean of the train scores, None where they were not asked for."""
        scores = [m.train_score for m in self.measurements if m.train_score is not None]
        return _mean(scores) if scores else None

    @property
    def seconds(self) -> float:
        """Wall seconds that fitting and scoring its folds took, and what failed of it, summed."""
        return self.measured_seconds + self.failed_seconds

    @property
    def measured_seconds(self) -> float:
        """Wall seconds that its measured folds took, summed."""
        return math.fsum(m.fit_seconds + m.score_seconds for m in self.measurements)

    @property
    def metrics(self) -> dict[str, float]:
        """The means of the further metrics (`evaluate.also`) over the folds that have them."""
        names = dict.fromkeys(name for m in self.measurements for name in m.metrics)
        return {name: _mean([m.metrics[name] for m in self.measurements if name in m.metrics]) for name in names}


class Lent(Trial):
    """A trial as an oracle of the user's reads it: its values are copied when they are asked for.

    Such an oracle may look at the scores of 10,000 trials with each suggestion, and at the values of a few.
    """

    @classmethod
    def of(cls, trial: Trial) -> Lent:
        """Return the trial with values and note that may be changed."""
        lent = object.__new__(cls)
        kept = lent.__dict__
        kept.update(trial.__dict__)
        kept["_study_values"] = kept.pop("values")
        if trial.note is not None:
            kept["note"] = fresh(dict(trial.note))
        return lent

    @cached_property
    def values(self) -> Values:
        """The configuration, a copy."""
        return owned(self.__dict__["_study_values"])

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Trial) and self.handed_out() == (
            other.handed_out() if isinstance(other, Lent) else other
        )

    __hash__ = Trial.__hash__

    def changed(self, **fields: Any) -> Trial:
        """Return a trial of its own with these fields changed."""
        new = super().changed(**{"values": self.values, **fields})
        new.__dict__.pop("_study_values")
        return new


def _mean(scores: Sequence[float]) -> float:
    """Return the mean; of scores near the largest float too, where a plain sum overflows."""
    try:
        return math.fsum(scores) / len(scores)
    except OverflowError:
        return math.fsum(score / len(scores) for score in scores)
