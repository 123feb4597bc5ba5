"""Names that other tools, or other sections, have for a key of the config, and shorthands that stand for a mapping."""

from __future__ import annotations

import re
from typing import Any

from hptune.config.paths import Path
from hptune.config.units import seconds
from hptune.config.wording import found
from hptune.config.yaml_scalars import shortened
from hptune.cv import CV

_MEANT = {
    **dict.fromkeys(("n_trials", "max_trials", "n_iter", "n_calls", "num_samples", "trials"), "budget.trials"),
    **dict.fromkeys(("timeout", "time_limit", "max_time", "time"), "budget.time"),
    **dict.fromkeys(("patience", "trial_time", "trial_memory"), ""),
    **dict.fromkeys(("n_jobs", "num_workers", "n_workers", "workers"), "executor.workers"),
    **dict.fromkeys(("metric", "scoring", "objective"), "evaluate.metric"),
    **dict.fromkeys(("sampler", "tuner", "search_alg"), "oracle.type"),
    "direction": "evaluate.direction",
    "cv": "evaluate.cv",
    "random_state": "seed",
}
"""By a name of Optuna's, scikit-learn's, KerasTuner's, scikit-optimize's or Ray's, the key here."""
_MEANT |= {name: f"budget.{name}" for name, key in _MEANT.items() if not key}
_SECTIONS = ("budget", "executor", "evaluate", "oracle")


def key_meant(path: Path, value: Any) -> str:
    """Return the mend for an unknown key at `path` that has its place or name elsewhere, "" for any other."""
    outside = path[:-1]
    key = _MEANT.get(str(path[-1]), "")
    section, dot, name = key.partition(".")
    if not key or not (outside == () or (len(outside) == 1 and outside[0] in _SECTIONS)):
        return ""
    if outside == (section,):
        return f"; did you mean {name!r}?"
    plain = value is not None and not isinstance(value, (dict, list)) and name != "type"
    shown = shortened(str(value)) if isinstance(value, str) else found(value)
    shown = "auto" if name == "workers" and shown.startswith("-") else shown if plain else "..."
    return f"; write {section}: {{{name}: {shown}}}" if dot else f"; write {section}: {shown}"


def mapping_meant(path: Path, value: Any) -> str:
    """Return the mend for a value at `path` that stands for one option, or for a list of named steps, "" for others."""
    match path, value:
        case ("budget",), bool():
            return ""
        case ("budget",), int():
            return f"; write {{trials: {value}}}"
        case ("budget",), str() if _is_time(value):
            return f"; write {{time: {value}}}"
        case ("gate",), bool():
            return "; write {min_gain: 0}" if value else "; leave it out"
        case ("output",), str():
            return f"; write {{dir: {shortened(value)}}}"
        case ("evaluate", "cv"), str() if value in CV:
            return f"; write {{type: {value}}}"
        case (*_, "pipeline"), dict() if value:
            return f"; write each step as an item: `- {next(iter(value))}: ...`"
        case (*_, "pipeline", int()), str():
            last = re.split(r"[.:]", value)[-1]
            return f"; a step needs a name: `- {re.sub('(?<=[a-z0-9])(?=[A-Z])', '_', last).lower()}: {value}`"
    return ""


def _is_time(text: str) -> bool:
    try:
        return seconds(text) is not None
    except ValueError:
        return False
