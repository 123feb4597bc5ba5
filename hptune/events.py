"""Everything that happened in a study, as events: the journal is a list of them, and all that is known is their fold.

Times are seconds since 1970 (UTC). An event's fields are plain data, so that any language can read a journal.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Literal

from pydantic import ConfigDict, Field

from hptune.spec import Deferred
from hptune.trial import FailureKind

FORMAT = 1
"""The journal format this version writes; it reads this one and all earlier ones. From the first release on a new kind of
event, or a new field of one, is a new format: an older hptune must say that it cannot read it."""

UPGRADES: dict[int, Callable[[dict[str, Any]], dict[str, Any]]] = {}
"""From a format to the next: what makes a record of the one a record of the other."""


RECALLED: Mapping[str, Any] = {"recalled": True}
"""The note of a `TrialStarted` that goes on with a raced-out trial."""


class Event(Deferred):
    """One thing that happened, at `time`."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    type: str
    time: float

    def to_json(self) -> dict[str, Any]:
        """Return its fields as plain data, those that are None left out."""
        return {name: value for name, value in self.__dict__.items() if value is not None}


class StudyStarted(Event):
    """The first event: all that defines the study.

    `starts` are the configurations tried before the oracle is asked, the defaults first. `prior` is what was read of
    earlier studies, a mapping each (`hptune.prior.taken`); their best configurations are the last `prior_starts` of
    `starts`. `lookahead` is None under `order: async`. `folds` is how many measurements make a trial (0: as many as
    are told). `config` is the resolved config, `problem` the part of it that must stay the same, `hashes` those of
    problem, space, config and data.
    """

    type: Literal["study_started"] = "study_started"
    format: int = FORMAT
    name: str
    metric: str
    direction: Literal["maximize", "minimize"]
    space: dict[str, Any]
    seed: int
    lookahead: int | None = None
    folds: int = 0
    starts: list[dict[str, Any]] = Field(default_factory=list)
    prior: list[dict[str, Any]] | None = None
    prior_starts: int | None = None
    oracle: dict[str, Any] = Field(default_factory=dict)
    config: dict[str, Any] = Field(default_factory=dict)
    problem: dict[str, Any] = Field(default_factory=dict)
    hashes: dict[str, str] = Field(default_factory=dict)
    versions: dict[str, str] = Field(default_factory=dict)
    about: dict[str, Any] = Field(default_factory=dict)


class StudyResumed(Event):
    """A later session began: what of the config was allowed to change (name, trials, workers)."""

    type: Literal["study_resumed"] = "study_resumed"
    options: dict[str, Any] = Field(default_factory=dict)


class TrialStarted(Event):
    """Written *before* the work is handed out; again with the next `attempt` for a retry or after an interruption."""

    type: Literal["trial_started"] = "trial_started"
    trial: int
    values: dict[str, Any]
    attempt: int = 1
    fidelity: float | None = None
    parent: int | None = None
    origin: str = ""
    note: dict[str, Any] | None = None
    predicted: tuple[float, float] | None = None


class FoldScored(Event):
    """One fold was measured; `score` carries the sign that the metric gave it, `continued` as in `Measurement`."""

    type: Literal["fold_scored"] = "fold_scored"
    trial: int
    fold: int
    score: float
    train_score: float | None = None
    metrics: dict[str, float] | None = None
    fit_seconds: float = 0.0
    score_seconds: float = 0.0
    continued: float | None = None
    worker: str = ""


class Reported(Event):
    """A model reported a value on the way (`report(value, step)`)."""

    type: Literal["reported"] = "reported"
    trial: int
    fold: int = 0
    step: float
    value: float


class Reports(Event):
    """Reports of one trial that follow each other, as (fold, step, value); `time` is the latest. Never in a journal.

    Reading one keeps them so: as events of their own they took a kilobyte each.
    """

    type: Literal["reports"] = "reports"
    trial: int
    rows: list[tuple[int, float, float]]


class TrialCompleted(Event):
    """All folds of the trial are measured."""

    type: Literal["trial_completed"] = "trial_completed"
    trial: int


class TrialFailed(Event):
    """The trial has no score. With `final` false it will be tried again.

    `seconds` is the wall time that went into what failed, beside the folds that were measured; None is not known.
    """

    type: Literal["trial_failed"] = "trial_failed"
    trial: int
    kind: FailureKind
    message: str
    traceback: str | None = None
    final: bool = True
    seconds: float | None = None


class TrialStopped(Event):
    """The trial was given up before all folds were measured, because it could no longer win."""

    type: Literal["trial_stopped"] = "trial_stopped"
    trial: int
    reason: str


class FinalScored(Event):
    """A finalist was measured on one fold of the finals' fresh splits; `half`: fitted on half of its training rows."""

    type: Literal["final_scored"] = "final_scored"
    trial: int
    fold: int
    half: bool | None = None
    score: float
    metrics: dict[str, float] | None = None
    fit_seconds: float = 0.0
    score_seconds: float = 0.0
    worker: str = ""


class WinnerChosen(Event):
    """The finals are over: who won, what it gains over trial 0, and how much of its mean is luck.

    `gain` holds mean, low, high, p_value (each may be null), confidence and pairs, in metric units, positive is
    better; `optimism` is in loss units; `rule` says how the winner was chosen. `refit_gain` is by how much fitting on
    all rows is expected to lower the winner's loss (`hptune.learning_curve`), None if it was not measured.
    """

    type: Literal["winner_chosen"] = "winner_chosen"
    trial: int
    finalists: list[int]
    folds: int
    rule: str
    gain: dict[str, float | None]
    optimism: float
    refit_gain: float | None = None


class HoldoutScored(Event):
    """A trial's configuration, fitted without the holdout, was scored on it.

    `gain` over the defaults on the same rows, with a bootstrap interval, is with the winner's.
    """

    type: Literal["holdout_scored"] = "holdout_scored"
    trial: int
    scores: dict[str, float]
    gain: dict[str, float | None] | None = None


class StudyEnded(Event):
    """A session ended: the stop reason, or "signal"."""

    type: Literal["study_ended"] = "study_ended"
    reason: str


EVENTS: dict[str, type[Event]] = {
    kind.model_fields["type"].default: kind
    for kind in (
        StudyStarted,
        StudyResumed,
        TrialStarted,
        FoldScored,
        Reported,
        TrialCompleted,
        TrialFailed,
        TrialStopped,
        FinalScored,
        WinnerChosen,
        HoldoutScored,
        StudyEnded,
    )
}


def event_from_json(data: Any, format: int = FORMAT) -> Event:
    """Return the event that `to_json` of this or an earlier format described; raises ValueError for anything else."""
    for step in range(format, FORMAT):
        data = UPGRADES[step](data)
    kind = EVENTS.get(str(data.get("type", ""))) if isinstance(data, dict) else None
    if kind is None:
        raise ValueError(f"expected an event, found {str(data)[:80]}")
    return kind.__pydantic_validator__.validate_python(data)  # type: ignore[no-any-return] # as `model_validate`, sooner
