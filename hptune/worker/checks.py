"""What an inspection says of data, folds and estimators together. Nothing is fitted here but a dummy by the metrics.

The space is compared with the estimators' own `_parameter_constraints` in `models.constraints`, and fits are tried in
`worker.probe` and `worker.ranges`.
"""

from __future__ import annotations

from typing import Any

from hptune.dataset import take
from hptune.job import Finding
from hptune.models.epochs import itself
from hptune.worker.cells import with_signs
from hptune.worker.columns import few
from hptune.worker.problem import Problem, is_clusterer, kind_of


def check_target(problem: Problem) -> list[Finding]:
    """Return where the target does not go with the task."""
    from sklearn.utils.multiclass import type_of_target

    y = problem.dataset.train.y
    key = "data.target" if "target" in (problem.setup.data or {}) else "data"
    if problem.dataset.task == "regression" and y.dtype.kind not in "biuf":
        mend = with_signs(y)
        message = f"the model is a regressor, the target holds text (such as {y[0]!r}){mend and '; ' + mend}"
        return [Finding(key=key, message=message)]
    if problem.dataset.task == "classification":
        classes = len(set(y.tolist()))
        if str(type_of_target(y)).startswith("continuous"):
            message = f"the model is a classifier, the target holds {classes} different real numbers"
            return [Finding(key=key, message=message)]
        if classes < 2:
            return [Finding(key=key, message=f"expected at least two classes, found only {y.tolist()[0]!r}")]
        if y.dtype.kind in "iuf" and classes > max(30, len(y) / 5):
            message = f"the model is a classifier, the target holds {classes} different numbers: is it a regression?"
            return [Finding(key=key, message=message, severity="warning")]
    elif (y == y[0]).all():
        return [Finding(key=key, message=f"every row has the same target, {y.tolist()[0]!r}: nothing can be learnt")]
    return []


def check_folds(problem: Problem) -> list[Finding]:
    """Return where the folds do not go with the data: rare classes, groups or an order that the splitting ignores."""
    import numpy as np

    out = []
    cv, dataset = problem.cv, problem.dataset
    if dataset.task == "classification" and cv.stratifies(problem.rowset):
        classes, counts = np.unique(dataset.train.y, return_counts=True)
        rare = [(name, count) for name, count in zip(classes.tolist(), counts.tolist(), strict=True)]
        folds = getattr(cv, "folds", 2)
        listed = few([f"{name!r} ({count})" for name, count in rare if count < folds], "classes")
        if listed:
            message = f"classes with fewer rows than the {folds} folds are missing from some of them: {listed}"
            out.append(Finding(key="evaluate.cv", message=message, severity="warning"))
    return out + _check_groups(problem)


def _check_groups(problem: Problem) -> list[Finding]:
    """Return where rows of one group are trained on and tested, by the folds or the holdout, as they are divided."""
    rows, holdout = problem.dataset.train, problem.dataset.holdout
    if rows.groups is None:
        return []
    out, cv = [], problem.cv
    shared, tested = 0, 0
    for kept, held in problem.splits:
        shared += _shared(take(rows.groups, kept), take(rows.groups, held))
        tested += len(held)
    if shared:
        mend = "take group" if not cv.in_order else "take group, or leave groups out if only the order of time counts"
        what = f"data.groups is declared, but {cv.type} puts rows of one group into training and test"
        message = f"{what} ({shared} of {tested} test rows); {mend}"
        out.append(Finding(key="evaluate.cv", message=message, severity="warning"))
    if holdout is not None and problem.setup.outer is None and (count := _shared(rows.groups, holdout.groups)):
        message = (
            f"data.groups is declared, but {count} of the holdout's {len(holdout)} rows (the last ones) are of groups "
            "that the search sees too; `shuffle: true` holds out whole groups"
        )
        out.append(Finding(key="data.holdout", message=message, severity="warning"))
    return out


def _shared(kept: Any, held: Any) -> int:
    """Return how many of the held rows are of a group that is among the kept ones."""
    import pandas as pd

    return int(pd.Series(held).isin(pd.unique(pd.Series(kept))).sum())


def check_estimators(problem: Problem) -> list[Finding]:
    """Return what is wrong with each alternative of the model: its task, no predict_proba, input that it refuses."""
    out: list[Finding] = []
    for variant in problem.estimators.variants():
        try:
            values = problem.declared.complete(variant)
        except ValueError:
            values = dict(variant)  # the space declares no such choice: the model's own defaults do
        try:
            estimator = problem.build(values)
        except Exception as error:
            message = f"the default configuration cannot be built{_of(variant)}: {type(error).__name__}: {error}"
            out.append(Finding(key="model", message=message))
            continue
        out += _check_task(problem, estimator, variant) or [
            *_check_methods(problem, estimator, variant),
            *_check_input(problem, estimator, variant),
        ]
    return out


def _of(variant: dict[str, str]) -> str:
    return f" (with {', '.join(f'{path}: {name}' for path, name in variant.items())})" if variant else ""


def _last(estimator: Any) -> Any:
    """Return the final estimator of a pipeline, or the estimator itself."""
    return itself(getattr(estimator, "_final_estimator", estimator))


def _check_task(problem: Problem, estimator: Any, variant: dict[str, str]) -> list[Finding]:
    kind, task = kind_of(estimator), problem.dataset.task
    name = type(_last(estimator)).__name__
    if kind not in ("none", task):
        return [Finding(key="model", message=f"{name} is for {kind}, the other models for {task}{_of(variant)}")]
    if not hasattr(_last(estimator), "predict"):
        return [Finding(key="model", message=f"the last estimator must predict, {name} does not{_of(variant)}")]
    if kind == "none" and is_clusterer(estimator):
        message = (
            f"the last estimator must predict the target, {name} numbers clusters and never learns it{_of(variant)}; "
            "take a classifier or a regressor, or tune clusters in a function of your own (model: {function: ...})"
        )
        return [Finding(key="model", message=message)]
    return []


def _check_methods(problem: Problem, estimator: Any, variant: dict[str, str]) -> list[Finding]:
    out = []
    for metric, key in problem.scoring.keys.items():
        methods = problem.scoring.methods(metric)
        if not any(hasattr(estimator, method) for method in methods):
            name = type(_last(estimator)).__name__
            message = f"{metric} needs {' or '.join(methods)}, which {name} does not have{_of(variant)}"
            out.append(Finding(key=key, message=message))
    return out


def _check_input(problem: Problem, estimator: Any, variant: dict[str, str]) -> list[Finding]:
    """Look at a lone scikit-learn predictor; what a pipeline's steps make of text or NaN only a fit can tell."""
    X = problem.dataset.train.X
    named = getattr(estimator, "steps", [("", estimator)])
    steps = [itself(step) for _, step in named if step not in (None, "passthrough")]
    if len(steps) != 1 or not type(steps[0]).__module__.startswith("sklearn.") or not hasattr(X, "columns"):
        return []
    if any("__" in name for name in steps[0].get_params(deep=True)):
        return []  # what it makes of its input is for the estimators inside it to say (stacking, transformed targets)
    from pandas.api.types import is_bool_dtype, is_numeric_dtype
    from sklearn.utils import get_tags

    tags, name = get_tags(steps[0]).input_tags, type(steps[0]).__name__
    text = [str(n) for n, column in X.items() if not (is_numeric_dtype(column.dtype) or is_bool_dtype(column.dtype))]
    missing = [str(n) for n, column in X.items() if column.isna().any()]
    out = []
    if text and not (tags.categorical or tags.string):
        message = f"{name} takes numbers only, text in {few(text)}; encode them in a pipeline step or `drop:` them"
        out.append(Finding(key="data.train", message=message + _of(variant)))
    elif missing and not tags.allow_nan:
        message = f"{name} takes no missing values, there are some in {few(missing)}; impute them in a pipeline step"
        out.append(Finding(key="data.train", message=message + _of(variant)))
    return out
