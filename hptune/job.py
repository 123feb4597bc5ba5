"""What travels between the coordinator and a worker: plain data, JSON both ways.

A `Setup` describes the problem once per worker; a `Job` asks for one piece of work; an `Outcome` answers it. A failed
trial is a value here, never an exception that crosses processes.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from hptune.trial import Failure, Measurement

JobKind = Literal["inspect", "probe", "evaluate", "refit"]


@dataclass(frozen=True, kw_only=True)
class Setup:
    """The problem as a worker needs it: specs as the plain dicts their pydantic models dump to.

    `folder` is the config's folder: relative data paths start there and it is put on the import path. `space` is the
    declared search space (`SearchSpace.to_json()`), `lines` never travels: positions stay with the coordinator.
    `later` are the constraints on what a hypermodel has yet to record (their `to_json()`), by their key path.
    `outer` ({"folds": n, "fold": i}) makes the i-th of n outer folds the holdout, for nested cross-validation.
    `resource` (`Resource.to_json()`) is what a job's fidelity is a share of.
    `own_code` says whether modules in it may be imported without leave, `base` what the config's `base:` says (""
    without one: it is the folder that the config lies in).
    `threads` limits BLAS and OpenMP inside the worker. `allow_import` lists the module prefixes the *user* named.
    """

    model: Mapping[str, Any]
    data: Mapping[str, Any] | None
    evaluate: Mapping[str, Any]
    space: Mapping[str, Any]
    seed: int
    folder: str
    threads: int = 1
    allow_import: tuple[str, ...] = ()
    own_code: bool = True
    base: str = ""
    outer: Mapping[str, int] | None = None
    resource: Mapping[str, Any] | None = None
    later: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        return {**dataclasses.asdict(self), "allow_import": list(self.allow_import)}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Setup:
        return cls(**{**data, "allow_import": tuple(data.get("allow_import", ()))})


@dataclass(frozen=True, kw_only=True)
class Job:
    """One piece of work.

    An `evaluate` job measures `values` on `folds` (fold numbers, in this order) at `fidelity` (a share of the resource,
    None the whole). `inspect`, `probe` and `refit` put what they need into `options`. `deadline` is how many seconds the
    job may take (None: no limit), `memory` how many bytes the worker's session may hold. `log` is the file that gets the
    worker's stdout and stderr while it works on this job; `spool` the file to which the outcome is written *before* it is
    reported; `work` the trial's
    own folder, for models that leave files (it need not exist). `data` is the content hash that the data must have
    ("": any): a child that is replaced in the middle of a study reads it anew.
    """

    kind: JobKind = "evaluate"
    trial: int = -1
    values: Mapping[str, Any] = field(default_factory=dict)
    folds: tuple[int, ...] = ()
    fidelity: float | None = None
    attempt: int = 1
    options: Mapping[str, Any] = field(default_factory=dict)
    deadline: float | None = None
    memory: int | None = None
    log: str | None = None
    spool: str | None = None
    work: str | None = None
    data: str = ""

    def to_json(self) -> dict[str, Any]:
        return {**dataclasses.asdict(self), "folds": list(self.folds)}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Job:
        return cls(**{**data, "folds": tuple(data["folds"])})


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What became of a job: measurements (in the order the folds were done), a failure, or an answer.

    A job of several folds that fails at the third has two measurements *and* a failure. `answer` is what an inspect
    or refit job found. `reports` are (fold, step, value) of a function model's `report`. `first_met` are hyperparameters
    that the trial has no value for, with the defaults they ran at. `peak_memory` is the highest resident size seen, in
    bytes, where it was watched.
    """

    measurements: tuple[Measurement, ...] = ()
    failure: Failure | None = None
    answer: Mapping[str, Any] | None = None
    reports: tuple[tuple[int, float, float], ...] = ()
    first_met: Mapping[str, Any] = field(default_factory=dict)
    seconds: float = 0.0
    worker: str = ""
    peak_memory: int | None = None

    def to_json(self) -> dict[str, Any]:
        return dataclasses.asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Outcome:
        failure = data.get("failure")
        return cls(
            measurements=tuple(Measurement(**one) for one in data.get("measurements", ())),
            failure=Failure(**failure) if failure else None,
            answer=data.get("answer"),
            reports=tuple((int(f), s, v) for f, s, v in data.get("reports", ())),
            first_met=dict(data.get("first_met", {})),
            seconds=float(data.get("seconds", 0.0)),
            worker=str(data.get("worker", "")),
            peak_memory=data.get("peak_memory"),
        )


@dataclass(frozen=True, kw_only=True)
class Finding:
    """Something the inspection found, by config key path; `config/` turns it into FILE:LINE."""

    key: str
    message: str
    severity: Literal["error", "warning"] = "error"


@dataclass(frozen=True, kw_only=True)
class Inspection:
    """What only a worker can know of a problem, as plain data.

    `space` is the space to search (a recorded hypermodel's, else the declared one with the estimators' defaults
    filled in). `direction` is the metric's. `folds` is how many measurements make a trial, `final_folds` how many one
    repeat of the finals' fresh splits has (0: the splitting has no randomness, so there are no fresh ones), and
    `test_share` the rows that judge over the rows that fit in a fold. `overlapping`: a row may be tested in several folds
    of a repeat. `unsearched` are hyperparameters that a finding tells to run at their defaults. `data_hash` covers
    the values of X, y, groups and weights; "" without data.
    """

    space: Mapping[str, Any]
    task: Literal["classification", "regression", "none"] = "none"
    metric: str = ""
    direction: Literal["maximize", "minimize"] = "maximize"
    folds: int = 1
    rows: int = 0
    features: int = 0
    holdout_rows: int = 0
    final_folds: int = 0
    test_share: float = 0.25
    overlapping: bool = False
    unsearched: tuple[str, ...] = ()
    data_hash: str = ""
    versions: Mapping[str, str] = field(default_factory=dict)
    findings: tuple[Finding, ...] = ()

    def to_json(self) -> dict[str, Any]:
        return dataclasses.asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Inspection:
        return cls(**{**data, "findings": tuple(Finding(**one) for one in data.get("findings", ()))})
