"""A config without `model:`: a script of the user's own asks for its trials and tells their scores.

What such a config must say, what in it has no effect, and what an inspection of it knows without a worker.
"""

from __future__ import annotations

import platform
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from hptune import __version__
from hptune.config.paths import Path
from hptune.config.sources import Sources
from hptune.config.specs import StudyConfig
from hptune.errors import ConfigError, Problem, UsageError
from hptune.evaluate import MEASURED
from hptune.job import Inspection
from hptune.objective import Objective
from hptune.oracles.halving import Halving

if TYPE_CHECKING:
    from hptune.config.load import Loaded

MISSING = "expected this key, found none; such as `model: {class: sklearn.linear_model.Ridge}`"
DRIVEN = "`hptune ask` gives out its trials and `hptune tell` takes their scores"

_USED = {"evaluate": ("metric", "direction"), "output": ("dir",)}
"""Of these sections only these keys have an effect."""
_UNUSED: Mapping[str, tuple[str, ...]] = {"budget": ("trial_time", "trial_memory")}
_SECTIONS = ("executor", "probe", "gate")


def objective_of(config: StudyConfig) -> Objective:
    """Return what the told scores are; raises `UsageError` where the metric's name does not tell its direction."""
    metric, direction = config.evaluate.metric or MEASURED, config.evaluate.direction
    return Objective.named(metric) if direction is None else Objective(metric, direction)


def checks(config: StudyConfig, sources: Sources) -> list[Problem]:
    """Return what is wrong with a config without model, and what in it has no effect; nothing for one with a model."""
    if not config.asked:
        return []
    if config.data is not None or not config.space:
        why = (
            "without model: leave data: out too, a script of yours reads it (`hptune ask`)"
            if config.data is not None
            else "or leave it out and write space:, for a script of yours to ask (`hptune ask`)"
        )
        at: Path = ("model",) if "model" in sources.value else ()
        return [sources.problem(("model",), f"{MISSING}; {why}", at=at, on_key=True)]
    return [*_direction(config, sources), *_oracle(config, sources), *_no_effect(config, sources)]


def _direction(config: StudyConfig, sources: Sources) -> list[Problem]:
    try:
        objective_of(config)
    except UsageError:
        metric = config.evaluate.metric or MEASURED
        message = (
            f"expected maximize or minimize, found none: the name {metric!r} does not tell it; write evaluate: "
            f"{{metric: {metric}, direction: minimize}}"
        )
        at: Path = ("evaluate",) if "evaluate" in sources.value else ()
        return [sources.problem(("evaluate", "direction"), message, at=at, on_key=True)]
    return []


def _oracle(config: StudyConfig, sources: Sources) -> list[Problem]:
    oracle = config.oracle
    if not isinstance(oracle, Halving) and oracle.to_spend() is None:
        return []
    message = (
        f"{oracle.type} with less of a resource at first needs a model: that hptune trains; expected auto, bayesian, tpe, "
        "random, grid or quasi_random without resource: (from Python hptune.Study gives trials a fidelity)"
    )
    return [sources.problem(("oracle",), message)]


def _no_effect(config: StudyConfig, sources: Sources) -> list[Problem]:
    found: list[Path] = [(name,) for name in _SECTIONS if name in config.model_fields_set]
    for section, used in _USED.items():
        found += [(section, key) for key in getattr(config, section).model_fields_set if key not in used]
    for section, unused in _UNUSED.items():
        found += [(section, key) for key in unused if getattr(getattr(config, section), key) is not None]
    message = "has no effect without model:, where hptune runs and fits nothing"
    return [sources.problem(path, message, on_key=True, severity="warning") for path in found]


def effective(plain: Mapping[str, Any]) -> dict[str, Any]:
    """Return a config without model as plain data, less all that has no effect."""
    out = {key: value for key, value in plain.items() if key not in ("model", "data", *_SECTIONS)}
    for section, used in _USED.items():
        out[section] = {key: value for key, value in plain[section].items() if key in used and value is not None}
    for section, unused in _UNUSED.items():
        out[section] = {key: value for key, value in plain[section].items() if key not in unused}
    return out


def must_have_a_model(loaded: Loaded) -> None:
    """Raise `ConfigError` for a config of which there is nothing to run."""
    if loaded.config.asked:
        message = (
            f"there is nothing to run: expected a model, found none; write model:, or measure yourself: {DRIVEN}"
        )
        raise ConfigError([loaded.problem("model", message)])


def must_have_no_model(loaded: Loaded) -> None:
    """Raise `ConfigError` for a config whose trials hptune measures itself."""
    if not loaded.config.asked:
        message = (
            "hptune measures the trials of a config with a model (`hptune run`), and told scores must not mix with these; "
            "to ask and tell, leave model: and data: out"
        )
        raise ConfigError([loaded.problem("model", message)])


def told_inspection(loaded: Loaded) -> Inspection:
    """Return what a worker would find out, of which a config without model needs none."""
    objective = objective_of(loaded.config)
    return Inspection(
        space=loaded.space.to_json(),
        metric=objective.metric,
        direction=objective.direction,
        folds=0,
        versions={
            "python": platform.python_version(),
            "platform": platform.platform(terse=True),
            "hptune": __version__,
            "numpy": np.__version__,
        },
    )
