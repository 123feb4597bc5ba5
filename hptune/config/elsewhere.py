"""Names that other tools, or other sections, have for a key of the config, and shorthands that stand for a mapping."""

from __future__ import annotations

import re
from typing import Any

from hptune.config.paths import Path
from hptune.config.units import seconds
from hptune.config.wording import found
from hptune.config.yaml_scalars import shortened
from hptune.cv import CV
from hptune.spaces import SPACES

_MEANT = {
    **dict.fromkeys(("n_trials", "max_trials", "n_iter", "n_calls", "num_samples", "trials"), "budget.trials"),
    **dict.fromkeys(("timeout", "time_limit", "max_time", "time", "time_budget_s"), "budget.time"),
    **dict.fromkeys(("patience", "trial_time", "trial_memory"), ""),
    **dict.fromkeys(("n_jobs", "num_workers", "n_workers", "workers"), "executor.workers"),
    **dict.fromkeys(("metric", "scoring", "objective"), "evaluate.metric"),
    **dict.fromkeys(("sampler", "tuner", "search_alg"), "oracle.type"),
    **dict.fromkeys(("study_name", "project_name", "experiment_name"), "name"),
    **dict.fromkeys(("directory", "local_dir", "storage_path"), "output.dir"),
    **dict.fromkeys(("param_grid", "param_distributions", "param_space", "search_space", "search_spaces"), "space"),
    "direction": "evaluate.direction",
    "cv": "evaluate.cv",
    "estimator": "model",
    "random_state": "seed",
    "refit": "output.refit",
    "return_train_score": "evaluate.train_score",
}
"""By a name of Optuna's, scikit-learn's, KerasTuner's, scikit-optimize's or Ray's, the key here."""
_MEANT |= {name: f"budget.{name}" for name, key in _MEANT.items() if not key}
_SECTIONS = ("budget", "executor", "evaluate", "oracle", "output")
_FRESH = "leave it out: `hptune run --fresh` starts over"
_EARLY = "write oracle: {type: hyperband}, or evaluate: {early_stop_folds: true}"
_SAID = {
    **dict.fromkeys(("overwrite", "load_if_exists", "resume"), _FRESH),
    **dict.fromkeys(("pruner", "scheduler"), _EARLY),
    **dict.fromkeys(("test_size", "validation_split"), "write data: {holdout: {fraction: VALUE}}"),
    **dict.fromkeys(("verbose", "verbosity"), "leave it out: `hptune run -v` and `-q` say more and less"),
}
"""Likewise what stands elsewhere than under a key of that value."""
_WITHIN: dict[tuple[str, ...], str] = {
    ("data", "test_size"): "write holdout: {fraction: VALUE}",
    **{("data", name): "write target: VALUE" for name in ("y", "label", "label_column")},
    **{("data", name): "write train: VALUE" for name in ("path", "file", "csv")},
    ("evaluate", "cv", "n_splits"): "write folds: VALUE",
    ("evaluate", "cv", "random_state"): "leave it out: the folds follow `seed:`",
}
"""By the place of a key, what it is called there."""
_FOLDS = {
    "kfold": "kfold",
    "stratifiedkfold": "stratified",
    "groupkfold": "group",
    "stratifiedgroupkfold": "stratified_group",
    "repeatedkfold": "repeated_kfold",
    "repeatedstratifiedkfold": "repeated_stratified",
    "timeseriessplit": "time_series",
    "shufflesplit": "shuffle",
    "stratifiedshufflesplit": "shuffle",
    "predefinedsplit": "predefined",
}
"""By the names of scikit-learn's classes in small letters, the kinds of `evaluate.cv`."""


def key_meant(path: Path, value: Any) -> str:
    """Return the mend for an unknown key at `path` that has its place or name elsewhere, "" for any other."""
    outside, last = path[:-1], str(path[-1])
    within = _WITHIN.get(tuple(map(str, path)))
    if within is not None:
        return f"; {within.replace('VALUE', _plain(value))}"
    if not (outside == () or (len(outside) == 1 and outside[0] in _SECTIONS)):
        return ""
    if last in _SAID:
        return f"; {_SAID[last].replace('VALUE', _plain(value))}"
    key = _MEANT.get(last, "")
    section, dot, name = key.partition(".")
    if not key:
        return ""
    if outside == (section,):
        return f"; did you mean {name!r}?"
    shown = "..." if name == "type" else _plain(value)
    shown = "auto" if name == "workers" and shown.startswith("-") else shown
    if key == "model" and isinstance(value, str) and "." in value:
        shown = f"{{class: {shown}}}"
    return f"; write {section}: {{{name}: {shown}}}" if dot else f"; write {section}: {shown}"


def _plain(value: Any) -> str:
    """Return a value as a config has it, as far as it is short."""
    if value is None or isinstance(value, (dict, list)):
        return "..."
    return shortened(value) if isinstance(value, str) else found(value)


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
        case ("evaluate", "cv"), str() if value in CV or value.lower() in _FOLDS:
            return f"; write {{type: {_FOLDS.get(value.lower(), value)}}}"
        case ("evaluate", "cv"), {"n_splits": int(folds)} | {"folds": int(folds)} if "type" not in value:
            return f"; write cv: {folds}, or {{type: kfold, folds: {folds}}}"
        case ("evaluate", "cv"), {"type": str(kind)} if kind.lower() in _FOLDS:
            return f"; write {{type: {_FOLDS[kind.lower()]}}}"
        case ("evaluate", "metric"), [str(first), *others]:
            listed = ", ".join(map(str, others)) or "..."
            return f"; write metric: {first} and also: [{listed}], whose scores are told too"
        case (*_, "fraction"), str() if (share := _share(value)) is not None:
            return f"; write {share:g}"
        case ("data", "holdout"), str() if (share := _share(value)) is not None:
            return f"; write {{fraction: {share:g}}}"
        case ("model",), str() if value in SPACES or "." in value:
            return f"; write {{class: {SPACES[value].class_path if value in SPACES else value}}}"
        case (*_, "pipeline"), dict() if value:
            return f"; write each step as an item: `- {next(iter(value))}: ...`"
        case (*_, "pipeline", int()), str() if step := _UNSPACED.fullmatch(value):
            return f"; is a space missing after the colon? Write `- {step[1]}: {step[2]}`"
        case (*_, "pipeline", int()), str():
            last = re.split(r"[.:]", value)[-1]
            return f"; a step needs a name: `- {re.sub('(?<=[a-z0-9])(?=[A-Z])', '_', last).lower()}: {value}`"
    return ""


_UNSPACED = re.compile(r"([A-Za-z_]\w*):([A-Za-z_]\w*(?:\.\w+)+)")
"""A step without the blank after its name; `module:Class` has no point."""


def _share(text: str) -> float | None:
    """Return the share that a percentage means, None for any other text."""
    percent = re.fullmatch(r"(\d+(?:\.\d+)?)\s*%", text)
    return float(percent[1]) / 100 if percent and 0 < float(percent[1]) < 100 else None


def _is_time(text: str) -> bool:
    try:
        return seconds(text) is not None
    except ValueError:
        return False
