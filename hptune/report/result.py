"""result.json: what a study found, as one document for programs (its JSON Schema is `result_schema`).

Scores carry the metric's own sign; only finite JSON numbers or null stand in it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final, Literal

from hptune.history import History
from hptune.report.fidelity import spent
from hptune.report.honest import Assessment, assess
from hptune.report.tables import finite
from hptune.trial import Trial

SCHEMA_VERSION: Final = 1
LARGEST: Final = 64 * 2**20
"""A larger result.json, in bytes, is none of ours: it is not read."""

Status = Literal["complete", "interrupted", "no_success", "open"]


def status_of(history: History, stop_reason: str | None) -> Status:
    """Return the study's status: open, interrupted by a signal, without any completed trial, or complete."""
    if stop_reason is None:
        return "open"
    if stop_reason == "signal":
        return "interrupted"
    return "no_success" if history.best is None else "complete"


def result(
    history: History,
    *,
    stop_reason: str | None,
    reproducible: bool,
    hashes: Mapping[str, str] | None = None,
    gate: Mapping[str, Any] | None = None,
    nested: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Return the result document of a study.

    `stop_reason` None is of a study that is asked and told, and may be asked again. `reproducible` is whether the same
    config, seed and lookahead give the same trials whatever the timing. `hashes` (of config, problem, space, data) default
    to those the study began with. `nested` is what nested cross-validation found.
    """
    started = history.started
    found = {**started.hashes, **(hashes or {})}
    best, baseline = history.best, history.baseline
    return {
        "schema_version": SCHEMA_VERSION,
        "name": history.name,
        "status": status_of(history, stop_reason),
        "stop_reason": stop_reason,
        "reproducible": reproducible,
        "objective": {"metric": started.metric, "direction": started.direction},
        "best": None if best is None else outcome(history, best),
        "baseline": None if baseline is None else outcome(history, baseline),
        "gain": gain(history),
        "trials": {
            "total": len(history.trials),
            "completed": history.count("completed"),
            "stopped": history.count("stopped"),
            "failed": history.count("failed"),
        },
        "stopped": [
            {"trial": trial.number, "folds": len(trial.measurements)}
            for trial in history.trials
            if trial.status == "stopped"
        ],
        "resource": spent(history),
        "holdout_uses": history.holdout_uses,
        "seconds": history.seconds,
        "seed": started.seed,
        "lookahead": started.lookahead,
        "workers": started.about.get("workers"),
        "threads": started.about.get("threads"),
        "config_hash": found.get("config") or None,
        "problem_hash": found.get("problem") or None,
        "space_hash": found.get("space") or history.space.hash,
        "data_hash": found.get("data") or None,
        "versions": dict(started.versions),
        "gate": None if gate is None else dict(gate),
        "nested": None if nested is None else dict(nested),
    }


def outcome(history: History, trial: Trial) -> dict[str, Any]:
    """Return a trial as `best` and `baseline` show it; scores are null while it is not completed."""
    done = trial.completed
    return {
        "trial": trial.number,
        "params": dict(trial.values),
        "score": finite(trial.score) if done else None,
        "std": finite(trial.std) if done else None,
        "folds": [finite(score) for score in trial.scores] if done else [],
        "metrics": {name: finite(value) for name, value in trial.metrics.items()} if done else {},
        "holdout": holdout_score(history, trial),
        **_luck(assess(history) if trial is history.best else None),
    }


def _luck(assessment: Assessment | None) -> dict[str, float | None]:
    if assessment is None:
        return {"optimism": None, "expected": None}
    return {"optimism": finite(assessment.optimism), "expected": finite(assessment.expected)}


def holdout_score(history: History, trial: Trial) -> float | None:
    """Return the trial's latest score on the holdout in the objective's metric, None if it has none."""
    scored = history.holdout.get(trial.number)
    return finite(scored[-1].get(history.objective.metric)) if scored else None


def gain(history: History) -> dict[str, float | None]:
    """Return what tuning brought in metric units, positive is better, with its interval at 90 % and p-value.

    From the finals where there were some, else from the search's folds less the winner's optimism.
    """
    found = assess(history)
    if found is None or found.gain is None:
        return {"mean": mean_gain(history), "low": None, "high": None, "p_value": None}
    told = found.gain
    return {
        "mean": finite(told.mean),
        "low": finite(told.low),
        "high": finite(told.high),
        "p_value": finite(told.p_value),
    }


def mean_gain(history: History) -> float | None:
    """Return loss(baseline) - loss(best) of the search's means as they are: what the live display shows."""
    best, baseline = history.best, history.baseline
    if best is None or best.score is None or baseline is None or not baseline.completed:
        return None
    assert baseline.score is not None
    loss = history.objective.loss
    return finite(loss(baseline.score) - loss(best.score) + 0.0)


def document(data: Mapping[str, Any]) -> str:
    """Return JSON text for a file or stdout; raises ValueError for NaN and infinities."""
    return json.dumps(data, allow_nan=False, ensure_ascii=False, indent=2) + "\n"
