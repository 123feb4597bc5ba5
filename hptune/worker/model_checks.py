"""What an inspection says of the model and the data together: columns that parts select, weights, fit parameters."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from hptune.errors import did_you_mean
from hptune.job import Finding
from hptune.models.epochs import itself
from hptune.models.fit_params import WEIGHTS
from hptune.models.fitting import may_take, step_of, weighted
from hptune.models.node_model import NodeModel
from hptune.models.nodes import DROP, ClassNode, ColumnsNode, PipelineNode
from hptune.models.paths import Place
from hptune.models.select import KINDS, selected
from hptune.worker.problem import Problem
from hptune.worker.text_checks import check_part, check_pipeline, first_pipelines, vectorizers


def check_model(problem: Problem) -> list[Finding]:
    """Return what is wrong with the parts of `columns:` for these data, and with weights and `fit_params:`."""
    model = problem.model
    if not isinstance(model, NodeModel):
        return []
    places = (place for place in _given_the_data(model.root) if isinstance(place.node, ColumnsNode))
    return [
        *(one for place in places for one in _check_columns(problem, place)),
        *(one for place in first_pipelines(model.root) for one in check_pipeline(problem, place)),
        *_check_fit(problem, model),
    ]


# -- columns --------------------------------------------------------------------------------------------------------


def _given_the_data(place: Place) -> Iterator[Place]:
    """Yield the places whose estimators are fitted to the data's own columns, not to what another made of them."""
    yield place
    children = place.children()
    if isinstance(place.node, ColumnsNode):
        return
    if isinstance(place.node, PipelineNode):
        first = next(iter(children))
        children = {first: children[first]}
    elif isinstance(place.node, ClassNode):
        children = {name: child for name, child in children.items() if name != "final_estimator"}
    for child in children.values():
        yield from _given_the_data(child)


def _check_columns(problem: Problem, place: Place) -> list[Finding]:
    """Return unknown and empty selections, columns selected twice, and columns that silently vanish."""
    node, X = place.node, problem.dataset.train.X
    assert isinstance(node, ColumnsNode)
    keys = {name: f"{place.key}.columns.{number}.{name}.select" for number, name in enumerate(node.parts)}
    names = [str(name) for name in X.columns] if hasattr(X, "columns") else None
    out: list[Finding] = []
    for name, part in node.parts.items():
        listed = part.select if isinstance(part.select, list) else []
        out += _unknown(problem, keys[name], listed, names)
        if names is None and not all(isinstance(one, int) for one in listed or [""]):
            message = f"the data is an array without column names: name them by position, from 0 to {X.shape[1] - 1}"
            out.append(Finding(key=keys[name], message=message))
    if names is None or out:
        return out
    chosen = {name: selected(part.select, X) for name, part in node.parts.items()}
    for name, columns in chosen.items():
        if not columns:
            message = f"selects no column of the data: nothing goes through {name}"
            out.append(Finding(key=keys[name], message=message, severity="warning"))
        out += check_part(problem, place.children()[name], keys[name], columns)
    rest = [name for name in names if not any(name in columns for columns in chosen.values())]
    kept = any(chosen[name] for name, part in node.parts.items() if part.with_ != DROP)
    if not kept and (not rest or node.remainder in (None, DROP)):
        return [*out, Finding(key=f"{place.key}.columns", message="no column is left: every part selects none")]
    for name in names:
        several = [part for part, columns in chosen.items() if name in columns]
        if len(several) > 1:
            message = f"column {name!r} goes through {' and '.join(several)}: it counts {len(several)} times"
            out.append(Finding(key=keys[several[1]], message=message, severity="warning"))
    if rest and node.remainder is None:
        message = f"no part selects {_few(rest)}: dropped; write `remainder: drop` if that is meant, or passthrough"
        out.append(Finding(key=f"{place.key}.columns", message=message, severity="warning"))
    return out


_ENCODERS = ("OneHotEncoder", "OrdinalEncoder", "TargetEncoder", "SimpleImputer")
"""Classes that make of a text no more than which one it is."""


def made_of(problem: Problem) -> frozenset[str]:
    """Return the columns of which more is made than which of the texts it is: by a part of `columns:`, a vectorizer."""
    model, X = problem.model, problem.dataset.train.X
    if not isinstance(model, NodeModel) or not hasattr(X, "columns"):
        return frozenset()
    out: set[str] = set()
    for place in _given_the_data(model.root):
        for name, part in place.node.parts.items() if isinstance(place.node, ColumnsNode) else ():
            if any(one not in _ENCODERS for one in _classes(place.children()[name])):
                out.update(selected(part.select, X))
    if any(name for place in first_pipelines(model.root) for name in vectorizers(problem, place)):
        out.update(map(str, X.columns))
    return frozenset(out)


def _classes(place: Place) -> Iterator[str]:
    """Yield the names of the classes below a place."""
    if isinstance(place.node, ClassNode):
        yield place.node.name
    for child in place.children().values():
        yield from _classes(child)


def _unknown(problem: Problem, key: str, listed: list[Any], names: list[str] | None) -> Iterator[Finding]:
    """Yield an error for each name or position that the data does not have."""
    width = problem.dataset.train.X.shape[1]
    data = problem.setup.data or {}
    for number, one in enumerate(listed):
        message = ""
        if isinstance(one, int) and one >= width:
            message = f"no column {one}: the data has {width}, counted from 0"
        elif isinstance(one, str) and names is not None and one not in names:
            message = f"the data has no column {one!r}"
            if one in (data.get("target"), data.get("groups"), data.get("weights")) or one in data.get("drop", ()):
                message += ", for the model: data.target, groups, weights and drop are taken out"
            else:
                message += did_you_mean(one, [*names, *KINDS]) or f" (it has {_few(names)})"
        if message:
            yield Finding(key=f"{key}.{number}", message=message)


def _few(names: list[str]) -> str:
    return ", ".join(names[:8]) + (f" and {len(names) - 8} more" if len(names) > 8 else "")


# -- fit parameters -------------------------------------------------------------------------------------------------


def _check_fit(problem: Problem, model: NodeModel) -> list[Finding]:
    """Return fit parameters that no alternative takes, and alternatives that are fitted without the weights."""
    weights = problem.dataset.train.weights
    out = []
    for name, value in model.fit_params.items():
        if value == WEIGHTS and weights is None:
            message = "stands for the column that data.weights names; it names none"
            out.append(Finding(key=f"model.fit_params.{name}", message=message))
    if out or (weights is None and not model.fit_params):
        return out
    taken: dict[str, list[tuple[str, bool]]] = {name: [] for name in model.fit_params}
    without: list[str] = []
    for variant in model.variants():
        try:
            estimator, choices = problem.build(variant), model.taken(variant)
        except Exception:  # noqa: S112 - `check_estimators` tells
            continue
        for name, route in zip(model.fit_params, model.routes, strict=True):
            step = step_of(estimator, route.steps)
            if step is not None and all(choices.get(parent) == one for parent, one in route.conditions):
                taken[name].append((type(itself(step)).__name__, may_take(step, route.argument)))
        if weights is not None and WEIGHTS not in model.fit_params.values() and weighted(estimator) is None:
            without.append(type(itself(getattr(estimator, "_final_estimator", estimator))).__name__)
    for name, found in taken.items():
        key, refusing = f"model.fit_params.{name}", list(dict.fromkeys(one for one, takes in found if not takes))
        argument = name.replace("__", ".").rpartition(".")[2]
        if refusing:
            message = f"{' and '.join(refusing)}.fit takes no argument {argument!r}"
            some = any(takes for _, takes in found)
            where = " and is fitted without it" if some else ""
            out.append(Finding(key=key, message=message + where, severity="warning" if some else "error"))
    if without:
        message = (
            f"{', '.join(dict.fromkeys(without))}: fit takes no sample_weight, so it is fitted without the weights "
            "(where it hands arguments on, name it: model: {fit_params: {sample_weight: weights}})"
        )
        out.append(Finding(key="data.weights", message=message, severity="warning"))
    return out
