"""Builds the estimators that a tree of nodes describes, and compares a space with their parameters. Worker only."""

from __future__ import annotations

import contextlib
import copy
import importlib
import inspect
import math
import re
from collections.abc import Collection, Mapping
from typing import Any

from hptune.dataset import bad
from hptune.errors import ConfigError, did_you_mean
from hptune.job import Finding
from hptune.model import Loader
from hptune.models.constraints import check_parameter, check_value, means_other, pickles
from hptune.models.epochs import EPOCHS, can_train_in_epochs, check_epochs, without_partial_fit
from hptune.models.nodes import (
    DROP,
    REMAINDER,
    ChooseNode,
    ClassNode,
    ColumnsNode,
    FunctionNode,
    NamedEstimators,
    PipelineNode,
)
from hptune.models.own_defaults import moved, unsaid_default
from hptune.models.paths import Place, locate, walk
from hptune.models.signatures import fitting, signature
from hptune.models.texts import given_a_table
from hptune.models.unsaid import is_unsaid, meant
from hptune.parameters import Float, Int, Parameter
from hptune.randomness import seed_for
from hptune.space import SearchSpace

Given = Mapping[str, Mapping[str, Any]]
"""Node path -> {parameter of that node, with sklearn's __ inside nested estimators: value}."""


def build(root: Place, values: Mapping[str, Any], *, seed: int, load: Loader) -> Any:
    """Return a fresh, unfitted estimator; a choose without a value takes its first alternative.

    Values of alternatives that are not taken are ignored. Raises `ConfigError` for a class that cannot be imported,
    ValueError or TypeError for parameters that it refuses.
    """
    given: dict[str, dict[str, Any]] = {}
    choices: dict[str, str] = {}
    for path, value in values.items():
        place, rest = locate(root, path)
        if rest:
            given.setdefault(place.path, {})["__".join(rest)] = value
        else:
            choices[path] = value
    made = _Builder(given, choices, seed, load).make(root)
    return given_a_table(made) if hasattr(made, "steps") else made


class _Builder:
    def __init__(self, given: Given, choices: Mapping[str, str], seed: int | None, load: Loader) -> None:
        self.given = given
        self.choices = choices
        self.seed = seed
        self.load = load

    def make(self, place: Place) -> Any:
        """Return the estimator of a place ("passthrough" and "drop" as they are), or the value a parameter gets."""
        match place.node:
            case ChooseNode():
                children = place.children()
                return self.make(children[self.choices.get(place.path, next(iter(children)))])
            case PipelineNode():
                return _pipeline([(name, self.make(child)) for name, child in place.children().items()])
            case ColumnsNode() as node:
                return _columns(node, {name: self.make(child) for name, child in place.children().items()})
            case NamedEstimators():
                return [(name, self.make(child)) for name, child in place.children().items()]
            case FunctionNode() as node:
                return self.load(node.function, key=f"{place.key}.function", wanted="function")
            case ClassNode() as node:
                return self.estimator(place, node)
        return place.node

    def estimator(self, place: Place, node: ClassNode) -> Any:
        """Return the estimator of a class; where it is given `epochs`, as one that is trained in so many."""
        epochs = {**node.params, **self.given.get(place.path, {})}.get(EPOCHS)
        if epochs is None or not can_train_in_epochs(self.load(node.class_, key=f"{place.key}.class")):
            return self.bare(place, node)
        from hptune.models.trained_in_epochs import TrainedInEpochs

        seed = seed_for(0 if self.seed is None else self.seed, place.path, EPOCHS)
        return TrainedInEpochs(self.bare(place, node), epochs, random_state=seed)

    def bare(self, place: Place, node: ClassNode) -> Any:
        cls = self.load(node.class_, key=f"{place.key}.class")
        children = place.children()
        nested = {name: self.make(child) for name, child in children.items()}
        given = {**node.params, **self.given.get(place.path, {}), **nested}
        if can_train_in_epochs(cls):
            given.pop(EPOCHS, None)
        for name in (name for name in given if "__" not in name):
            _check_safe(place, cls, name, given[name])
        # Copies: an estimator that changes its list or dict must not reach the next trial's.
        own = {
            name: value if name in nested else fitting(cls, name, copy.deepcopy(value))
            for name, value in given.items()
            if "__" not in name
        }
        estimator = cls(**own)
        deeper = {name: value for name, value in given.items() if "__" in name}
        if deeper:
            parameters = estimator.get_params(deep=True)
            for name, value in deeper.items():
                owner, _, last = name.rpartition("__")
                _check_safe(place, type(parameters.get(owner)), last, value, name)
                deeper[name] = fitting(type(parameters.get(owner)), last, copy.deepcopy(value))
            estimator.set_params(**deeper)
        if self.seed is None:  # its own parameters are wanted, not what hptune makes of them
            return estimator
        in_lists = [
            name for one in children.values() if isinstance(one.node, NamedEstimators) for name in one.children()
        ]
        return seeded(estimator, self.seed, place.path, fixed=given, nested=[*nested, *in_lists])


def _check_safe(place: Place, cls: type, name: str, value: Any, spelled: str = "") -> None:
    """Raise `ConfigError` for a value that would have a fit run what lies in a folder, wherever it was given."""
    if message := pickles(cls, name, value):
        raise bad(f"{place.key}.params.{spelled or name}", message)


def seeded(
    estimator: Any, seed: int, path: str = "", *, fixed: Collection[str] = (), nested: Collection[str] = ()
) -> Any:
    """Return the estimator with a seed in every `random_state` that nobody fixed, nested defaults included.

    `fixed` are parameters that were given (None may be meant), `nested` those whose estimators are seeded already.
    """
    seeds = {}
    cls: Any = type(estimator)
    for name, value in {**dict.fromkeys(signature(cls)), **estimator.get_params(deep=True)}.items():
        free = value is None and name not in fixed and name.split("__")[0] not in nested
        if free and name.rpartition("__")[2] == "random_state":
            seeds[name] = seed_for(seed, path, name)
    return estimator.set_params(**seeds) if seeds else estimator


def _pipeline(steps: list[tuple[str, Any]]) -> Any:
    if any(hasattr(step, "fit_resample") for _, step in steps):  # imbalanced-learn's samplers need its own pipeline
        return importlib.import_module("imblearn.pipeline").Pipeline(steps)
    from sklearn.pipeline import Pipeline

    return Pipeline(steps)


def _columns(node: ColumnsNode, made: Mapping[str, Any]) -> Any:
    """Return the ColumnTransformer of the estimators made for its parts."""
    from sklearn.compose import ColumnTransformer

    from hptune.models.select import selector

    parts = [(name, given_a_table(made[name]), selector(part.select)) for name, part in node.parts.items()]
    return ColumnTransformer(parts, remainder=made.get(REMAINDER, DROP))


# -- examining a space ----------------------------------------------------------------------------------------------


def examine(root: Place, space: SearchSpace, load: Loader) -> tuple[SearchSpace, list[Finding]]:
    """Return the space with the estimators' own defaults, and what is wrong with its names or with `params`."""
    known, findings = _known_parameters(root, load)
    defaults: dict[str, dict[str, Any]] = {}  # of each parameter, by the path it sets
    told: dict[str, tuple[str, Parameter]] = {}
    apart: set[str] = set()  # paths whose own default is only by number among the values
    unlike: set[str] = set()  # paths whose own default would be, in a wider range
    for parameter in space:
        key = f"space.{parameter.name}"
        for number, target in enumerate(parameter.sets or (parameter.name,)):
            at = f"{key}.sets.{number}" if parameter.sets else key
            try:
                place, rest = locate(root, target)
            except ValueError as error:
                findings.append(Finding(key=at, message=str(error)))
                continue
            told[target] = (at, parameter)
            if not rest or place.path not in known:
                continue
            parameters, open_ended = known[place.path]
            name = "__".join(rest)
            if name in parameters:
                own = parameters[name]
                if is_unsaid(own):
                    own = meant(_owner(place, name, parameters, load)[0], name, parameters)
                    if is_unsaid(own):
                        findings += unsaid_default(parameter, target, own)
                defaults.setdefault(parameter.name, {})[target] = own
                if _means_other(place, name, parameter.nearest(own), parameters, load):
                    apart.add(target)
                if isinstance(parameter, (Float, Int)) and isinstance(own, (int, float)) and math.isfinite(own):
                    kind = float if isinstance(parameter, Float) else int
                    if _means_other(place, name, kind(own), parameters, load):
                        unlike.add(target)
                findings += _against_constraints(place, name, parameter, parameters, load)
            else:
                findings.append(_unknown(at, place, name, parameters, open_ended))
    findings += check_epochs(root, told, _in_epochs(root, load))
    first = {name: next(iter(own.items())) for name, own in defaults.items()}
    plain = {name: (target, own) for name, (target, own) in first.items() if _is_plain(own)}
    examined = space.with_defaults({name: own for name, (target, own) in plain.items() if target not in apart})
    findings += [
        one
        for name in plain
        for target, own in defaults[name].items()
        if _is_plain(own)
        and (one := moved(space[name], examined[name], target, own, target in apart, target not in unlike))
        is not None
    ]
    return examined, findings


def _means_other(place: Place, name: str, value: Any, parameters: Mapping[str, Any], load: Loader) -> bool:
    """Return whether the estimator's own default equals a value, and means another thing to it.

    A random forest's `max_features` 1.0 is all of the features, 1 a single one.
    """
    own = parameters[name]
    return _is_plain(own) and means_other(*_owner(place, name, parameters, load), own, value)


def _owner(place: Place, name: str, parameters: Mapping[str, Any], load: Loader) -> tuple[type, str]:
    """Return the class that has a parameter of the node, and its name there."""
    assert isinstance(place.node, ClassNode)
    owner, _, last = name.rpartition("__")
    return type(parameters[owner]) if owner else load(place.node.class_), last


def _against_constraints(
    place: Place, name: str, parameter: Parameter, parameters: Mapping[str, Any], load: Loader
) -> list[Finding]:
    """Return where a parameter of the space goes beyond what its estimator says it takes."""
    cls, last = _owner(place, name, parameters, load)
    key = f"space.{parameter.name}"
    return [
        Finding(key=f"{key}.{one.part}" if one.part else key, message=one.message, severity=one.severity)
        for one in check_parameter(cls, last, parameter)
    ]


def _params_against_constraints(place: Place, node: ClassNode, cls: Any) -> list[Finding]:
    """Return what is wrong with the values under `params:`."""
    nested = place.children()
    return [
        Finding(key=f"{place.key}.params.{name}", message=one.message + _as_node(value), severity=one.severity)
        for name, value in node.params.items()
        if name not in nested and "__" not in name
        for one in check_value(cls, name, value)
    ]


def _as_node(value: Any) -> str:
    """Return the mend for a text that was meant as an estimator, "" for any other value."""
    if isinstance(value, str) and re.fullmatch(r"[a-z_]\w*(\.\w+)*[.:][A-Z]\w*", value):
        return f"; if you mean the class, write {{class: {value}}}"
    return ""


def _known_parameters(root: Place, load: Loader) -> tuple[dict[str, tuple[dict[str, Any], bool]], list[Finding]]:
    """Return by node path the parameters of every class with their values, and whether it takes further ones.

    Each class is built by itself with its `params`; what fails is a finding and is missing from the result.
    """
    known: dict[str, tuple[dict[str, Any], bool]] = {}
    findings: list[Finding] = []
    for place in walk(root):
        node = place.node
        if not isinstance(node, ClassNode):
            continue
        try:
            cls = load(node.class_, key=f"{place.key}.class")
        except ConfigError as error:
            findings += [Finding(key=one.key, message=one.message) for one in error.problems]
            continue
        known_to = signature(cls)
        open_ended = any(one.kind is inspect.Parameter.VAR_KEYWORD for one in known_to.values())
        names = {name: one.default for name, one in known_to.items() if one.kind is not inspect.Parameter.VAR_KEYWORD}
        if can_train_in_epochs(cls):
            names[EPOCHS] = inspect.Parameter.empty
        wrong = [name for name in node.params if name.split("__")[0] not in names and not open_ended]
        findings += [_unknown(f"{place.key}.params.{name}", place, name, names, open_ended) for name in wrong]
        findings += _params_against_constraints(place, node, cls)
        if wrong:
            known[place.path] = names, open_ended  # the space is compared with it all the same
            continue
        try:
            estimator = _Builder({}, {}, None, load).bare(place, node)
            values = {**names, **estimator.get_params(deep=True)}
        except (
            ConfigError
        ) as error:  # of a class further down: its own place tells; of a name with __ nobody else does
            own = (one for one in error.problems if one.key.startswith(f"{place.key}.params.") and "__" in one.key)
            findings += [Finding(key=one.key, message=one.message) for one in own]
            continue
        except Exception as error:
            message = f"{node.name} cannot be built with these params: {type(error).__name__}: {error}"
            findings.append(Finding(key=f"{place.key}.params", message=message))
            continue
        known[place.path] = values, open_ended
    return known, findings


def _in_epochs(root: Place, load: Loader) -> dict[str, tuple[str, Place]]:
    """Return by node path the name and place of the classes that can be trained in epochs."""
    out = {}
    for place in walk(root):
        if isinstance(place.node, ClassNode):
            with contextlib.suppress(ConfigError):  # `_known_parameters` tells
                if can_train_in_epochs(load(place.node.class_, key=f"{place.key}.class")):
                    out[place.path] = (place.node.name, place)
    return out


def _unknown(key: str, place: Place, name: str, known: Mapping[str, Any], open_ended: bool) -> Finding:
    assert isinstance(place.node, ClassNode)
    if name == EPOCHS and not open_ended:
        return Finding(key=key, message=without_partial_fit(place.node.name))
    shown = name.replace("__", ".")
    owner, _, last = name.rpartition("__")
    prefix = f"{owner}__" if owner else ""
    names = [one.removeprefix(prefix) for one in known if one.startswith(prefix)]
    names = sorted(one for one in names if "__" not in one)
    message = f"{place.node.name} has no parameter {shown!r}{did_you_mean(last, names)}"
    if names:
        message += f" (it has {', '.join(names)})" if not prefix else f" ({owner} has {', '.join(names)})"
    # A class that takes **kwargs may know it all the same.
    return Finding(key=key, message=message, severity="warning" if open_ended else "error")


def _is_plain(value: Any) -> bool:
    if isinstance(value, (list, tuple)):
        return all(_is_plain(one) for one in value)
    if isinstance(value, dict):
        return all(isinstance(key, str) and _is_plain(one) for key, one in value.items())
    return value is None or (isinstance(value, (bool, int, float, str)) and not is_unsaid(value))
