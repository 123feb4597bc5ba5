"""What only two sections of a config together can show to be wrong, found without importing anything."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hptune.config.paths import Path as KeyPath
from hptune.config.sources import Sources
from hptune.config.specs import StudyConfig
from hptune.config.spelling import Spelling
from hptune.config.wording import found
from hptune.errors import Problem
from hptune.model import MeasuringModel
from hptune.models.hypermodel import HyperModelSpec
from hptune.space import SearchSpace

_ALONE, _WITH_SKLEARN = 64 * 2**20, 200 * 2**20
"""A worker takes 45 MiB before it has imported any model, 195 MiB with one of scikit-learn's."""
_KINDS: tuple[KeyPath, ...] = (("evaluate", "cv", "type"), ("data", "synthetic", "kind"))


def kinds_that_are_no_text(value: Mapping[str, Any], sources: Sources) -> list[Problem]:
    """Return the problems with names of kinds that are lists or mappings, which no union can look up."""
    problems = []
    for path in _KINDS:
        node: Any = value
        for part in path:
            node = node.get(part) if isinstance(node, Mapping) else None
        if isinstance(node, (list, Mapping)):
            problems.append(sources.problem(path, f"expected text, found {found(node)}"))
    return problems


def cross_checks(config: StudyConfig, sources: Sources) -> list[Problem]:
    """Return the problems between sections."""
    checks = (_limits, _memory, _data, _gate, _order, _measures_itself)
    return [problem for check in checks for problem in check(config, sources)]


def without_effect(config: StudyConfig) -> list[str]:
    """Return the keys of `evaluate:` that its model, as one that measures itself, has no use for."""
    if not isinstance(config.model, MeasuringModel):
        return []
    return ["cv", "train_score"] if config.model.folds(config.evaluate) == 1 else ["train_score"]


def _measures_itself(config: StudyConfig, sources: Sources) -> list[Problem]:
    """Say what has no effect, a `cv` even where it is written with its default."""
    told = [
        key
        for key in without_effect(config)
        if key in config.evaluate.model_fields_set and (key == "cv" or getattr(config.evaluate, key))
    ]
    return [
        sources.problem(
            ("evaluate", key),
            f"a {type(config.model).key} model measures itself; {key} has no effect",
            on_key=True,
            severity="warning",
        )
        for key in told
    ]


def model_checks(
    config: StudyConfig, space: SearchSpace, folder: Path, sources: Sources, spelling: Spelling
) -> list[Problem]:
    """Return what the model itself says of space, metric and the config's folder."""
    findings = config.model.check(space, config.evaluate, folder)
    return [sources.problem_at(one.key, one.message, one.severity, spelled=spelling.key(one.key)) for one in findings]


def _limits(config: StudyConfig, sources: Sources) -> list[Problem]:
    executor = config.executor
    if executor.supports_limits:
        return []
    name = getattr(executor, "type", "chosen")
    message = f"the {name} executor cannot keep this limit: it runs trials in hptune's own process"
    mend = "; leave it out, or write executor: {type: process}"
    return [
        sources.problem(("budget", key), message + mend, on_key=True)
        for key in ("trial_time", "trial_memory")
        if getattr(config.budget, key) is not None
    ]


def _memory(config: StudyConfig, sources: Sources) -> list[Problem]:
    limit, path = config.budget.trial_memory, ("budget", "trial_memory")
    if limit is None:
        return []
    shown = f"{limit / 2**20:.3g}MiB"
    if limit < _ALONE:
        message = f"expected at least {_ALONE // 2**20}MiB, as no worker can live in less, found {shown}"
        return [sources.problem(path, message)]
    if limit < _WITH_SKLEARN and config.model.makes_estimator:
        message = (
            f"a worker with scikit-learn takes about {_WITH_SKLEARN // 2**20}MiB, found {shown}: no trial may fit"
        )
        return [sources.problem(path, message, severity="warning")]
    return []


def _data(config: StudyConfig, sources: Sources) -> list[Problem]:
    model = config.model
    if config.asked or config.data is not None or isinstance(model, (MeasuringModel, HyperModelSpec)):
        return []
    message = (
        f"expected data: for a model with {type(model).key}:, found none; write data: {{train: FILE, target: COLUMN}}"
    )
    return [sources.problem(("data",), message, at=("model",), on_key=True)]


def _gate(config: StudyConfig, sources: Sources) -> list[Problem]:
    gate = config.gate
    if gate is None or gate.on != "holdout":
        return []
    if config.data is not None and config.data.holdout is not None:
        return []
    message = "expected cv, found holdout; the config has none: write data: {holdout: {fraction: 0.2}, ...}"
    return [sources.problem(("gate", "on"), message)]


def _order(config: StudyConfig, sources: Sources) -> list[Problem]:
    executor = config.executor
    if executor.order == "strict" or executor.lookahead is None:
        return []
    return [sources.problem(("executor", "lookahead"), "goes with order: strict only; leave it out", on_key=True)]
