"""What an inspection says of text vectorizers: each takes one column, and text must stand in it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from hptune.job import Finding
from hptune.models.estimators import build
from hptune.models.nodes import ChooseNode, ClassNode, NamedEstimators, PipelineNode
from hptune.models.paths import Place
from hptune.models.texts import takes_texts
from hptune.worker.problem import Problem


def vectorizers(problem: Problem, place: Place) -> Iterator[str]:
    """Yield the names of the vectorizers that get the columns which a place is given."""
    for one in _first(place):
        assert isinstance(one.node, ClassNode)
        try:
            found = takes_texts(build(one, {}, seed=0, load=problem.load))
        except Exception:  # noqa: S112 - `check_estimators` tells
            continue
        if found:
            yield one.node.name


def _first(place: Place) -> Iterator[Place]:
    """Yield the places of the classes that are given the columns, as `models.texts` goes through what is built."""
    node, children = place.node, list(place.children().values())
    if isinstance(node, PipelineNode):
        children = [child for child in children if not _imputes(child)][:1] or children[:1]
    elif isinstance(node, ClassNode) and node.name != "FeatureUnion":
        yield place
        return
    if isinstance(node, (PipelineNode, ChooseNode, NamedEstimators, ClassNode)):
        for child in children:
            yield from _first(child)


def _imputes(place: Place) -> bool:
    node = place.node
    return node == "passthrough" or (isinstance(node, ClassNode) and node.class_.startswith("sklearn.impute."))


def first_pipelines(place: Place) -> Iterator[Place]:
    """Yield the pipelines that are the whole model, or an alternative of it."""
    if isinstance(place.node, PipelineNode):
        yield place
    elif isinstance(place.node, ChooseNode):
        for child in place.children().values():
            yield from first_pipelines(child)


def check_part(problem: Problem, place: Place, key: str, columns: list[str]) -> list[Finding]:
    """Return what is wrong with the columns that a part selects for a vectorizer; `key` is that of its `select`."""
    names = dict.fromkeys(vectorizers(problem, place))
    mend = "write a part of `columns:` for each"
    return [Finding(key=key, message=one) for name in names if (one := _unfit(problem, name, columns, mend))]


def check_pipeline(problem: Problem, place: Place) -> list[Finding]:
    """Return what is wrong with the data for a vectorizer that is the first step of the whole model."""
    X = problem.dataset.train.X
    columns = [str(name) for name in X.columns] if hasattr(X, "columns") else []
    out = []
    for name in dict.fromkeys(vectorizers(problem, place)):
        message = _unfit(problem, name, columns, "put it into a part of `columns:`, or `drop:` the others")
        if not columns:
            message = f"{name} takes a column of text, the data is an array of numbers"
        if message:
            out.append(Finding(key=f"{place.key}.pipeline.0", message=message))
    return out


def _unfit(problem: Problem, name: str, columns: list[str], mend: str) -> str:
    """Return why a vectorizer cannot have these columns, "" if it can."""
    from pandas.api import types

    if len(columns) > 1:
        listed = ", ".join(columns[:4]) + (", ..." if len(columns) > 4 else "")
        return f"{name} takes one column of text, found {len(columns)} ({listed}); {mend}"
    X: Any = problem.dataset.train.X
    for column in columns:
        dtype = X[column].dtype if column in X else X.dtypes.iloc[0]
        if types.is_numeric_dtype(dtype) or types.is_bool_dtype(dtype) or types.is_datetime64_any_dtype(dtype):
            return f"{name} takes a column of text, {column!r} holds {dtype}"
    return ""
