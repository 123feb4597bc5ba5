"""A `Tuner`'s results, its space and its failures as lines of text."""

from __future__ import annotations

from collections.abc import Sequence

from hptune.history import History
from hptune.space import SearchSpace
from hptune.trial import Failure, Trial


def results(history: History, ranked: Sequence[Trial]) -> list[str]:
    """Return the best trials, best first, and how many failed."""
    lines = [f"Results: {history.objective.metric}, {history.objective.direction}d"]
    for rank, trial in enumerate(ranked, start=1):
        spread = "" if trial.std is None else f" (std {trial.std:.4g})"
        lines.append(f"{rank:3d}. trial {trial.number}: {trial.score:.6g}{spread}")
        lines += [f"       {name}: {value!r}" for name, value in trial.values.items()]
    failed = history.count("failed")
    return [*lines, *([f"{failed} of {len(history.trials)} trials failed"] if failed else [])]


def described(space: SearchSpace, *, extended: bool) -> list[str]:
    """Return what a space holds; `extended` adds conditions."""
    lines = [f"Search space: {len(space)} hyperparameters"]
    for parameter in space:
        options = {k: v for k, v in parameter.to_json().items() if k not in ("name", "type", "when")}
        shown = ", ".join(f"{key}={value}" for key, value in options.items())
        lines.append(f"  {parameter.name} ({parameter.type}) {shown}")
        if extended and parameter.when:
            lines.append("    when " + " and ".join(str(condition) for condition in parameter.when))
    return lines


def no_success(history: History, ran: int, max_trials: int) -> str:
    """Return why a search ended without a best trial; `ran` trials were run in it."""
    count, last = len(history.trials), last_failure(history)
    if ran:
        return f"none of {count} trials succeeded; the last: {last}"
    return (
        f"no trial was run: the study has {count} already, none of which succeeded (max_trials={max_trials}); raise "
        f"max_trials, or start over (a directory with overwrite=True); the last: {last}"
    )


def last_failure(history: History) -> str:
    """Return the last failure's message and traceback."""
    failed = [trial.failure for trial in history.trials if trial.failure is not None]
    return told(failed[-1]) if failed else "no failure recorded"


def told(failure: Failure) -> str:
    """Return a failure's message and, where there is one, its traceback."""
    return f"{failure.message}\n{failure.traceback}" if failure.traceback else failure.message
