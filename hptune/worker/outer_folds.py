"""Whether the search fits into the outer folds of nested cross-validation: asked before it is run without them."""

from __future__ import annotations

from collections.abc import Iterable

from hptune.errors import ConfigError
from hptune.job import Finding
from hptune.worker.checks import check_target
from hptune.worker.fidelity import check_resource
from hptune.worker.problem import Problem


def check_outer_folds(problem: Problem, folds: int) -> list[Finding]:
    """Return what the search of the first outer fold that is at fault would be refused for.

    Asked of a problem that is sound without them: whatever is found comes of the rows that an outer fold takes away.
    """
    key = "evaluate.nested"
    for fold in range(folds):
        try:
            inner = problem.outer_fold(folds, fold)
        except ConfigError as error:  # there are not so many outer folds
            return [Finding(key=one.key, message=one.message) for one in error.problems]
        faults = list(_faults(inner, problem))
        if faults:
            rows = f"outer fold {fold + 1} of {folds} ({len(inner.dataset.train):,} rows to search with)"
            return [Finding(key=key, message=f"{rows}: {one}") for one in faults]
    return []


def _faults(inner: Problem, whole: Problem) -> Iterable[str]:
    """Return the errors of an outer fold's own search, each with its key."""
    try:
        splits = inner.splits
    except ConfigError as error:
        return [f"{one.key}: {one.message}" for one in error.problems]
    found = [one for check in (check_target, check_resource) for one in check(inner)]
    out = [f"{one.key}: {one.message}" for one in found if one.severity == "error"]
    return out + [f"{key}: {text}" for key, text in whole.scoring.unfit(inner.dataset.train.y, splits)]
