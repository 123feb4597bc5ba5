"""Which problem a config poses, as plain data: what a run directory is bound to, and what may change in it.

The problem is the data's hash, model, space, constraints, start_with, prior, evaluate (less `also`), oracle, seed and
lookahead. Budget, workers, limits, retries, output, gate and name may change when a study is resumed.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from hptune.config import asked
from hptune.config.load import Loaded
from hptune.config.paths import Path, dotted
from hptune.config.wording import found
from hptune.config.yaml_dump import dump
from hptune.oracle import OracleSpec, OwnOracle
from hptune.oracles.halving import Halving
from hptune.space import SearchSpace

Problem = dict[str, Any]
_ABSENT: Any = object()
_USERS = ("params", "fit_params")


@dataclass(frozen=True)
class Change:
    """One key that differs between two problems; values in words, "nothing" where the key is not there."""

    key: str
    old: str
    new: str

    def __str__(self) -> str:
        return f"{self.key}: was {self.old}, now {self.new}"


def problem_of(loaded: Loaded, data_hash: str = "") -> Problem:
    """Return the problem as plain data that JSON holds; the same for every spelling of a config.

    Parameters are taken as declared, by their meaning: `a__b` and `a.b`, `low` and `min` are the same.
    """
    config = loaded.config
    plain = config.model_dump(mode="json", by_alias=True)
    evaluate = {key: value for key, value in plain["evaluate"].items() if key != "also"}
    if config.asked:  # nothing else of it has an effect, and a direction that the metric tells may be left out
        objective = asked.objective_of(config)
        evaluate = {"metric": objective.metric, "direction": objective.direction}
    space = SearchSpace(loaded.space.parameters).to_json()["parameters"]
    return {
        "data": data_hash,
        "model": _told(plain["model"]),
        "space": {one["name"]: {key: value for key, value in one.items() if key != "name"} for one in space},
        "constraints": [one.to_json() for one in (*loaded.space.constraints, *loaded.later.values())],
        "start_with": loaded.declared.plain_starts,
        **({} if config.prior is None else {"prior": plain["prior"]}),
        "evaluate": _told(evaluate),
        "oracle": _told_of(config.oracle, plain["oracle"]),
        "seed": config.seed,
        "lookahead": config.lookahead,
    }


def _told_of(oracle: OracleSpec, plain: Mapping[str, Any]) -> Any:
    """Return an oracle's options. An own class is not known here, nor what its options are where they are not given."""
    if isinstance(oracle, OwnOracle):
        return plain
    told = _told(plain)
    if isinstance(oracle, Halving) and isinstance(oracle.sampler, OwnOracle):
        told["sampler"] = plain["sampler"]
    return told


def _told(plain: Any) -> Any:
    """Return options without those that are null or empty, so that a later version's new option changes no problem.

    What stands under `params` and `fit_params` is the user's: there null is a value.
    """
    if not isinstance(plain, dict):
        return [_told(one) for one in plain] if isinstance(plain, list) else plain
    out = {key: value if key in _USERS else _told(value) for key, value in plain.items()}
    return {k: value for k, value in out.items() if k in _USERS or (value is not None and value not in ({}, []))}


def limits_of(config: Mapping[str, Any], trials: int | None = None) -> Problem:
    """Return what of a resolved config is no part of its problem: budget, executor, output, gate, further metrics.

    `trials` is how many a later session asked for, None if none did. Where results lie makes no difference.
    """
    told = {key: config[key] for key in ("probe", "budget", "executor", "output", "gate") if key in config}
    told["evaluate"] = {"also": (config.get("evaluate") or {}).get("also")}
    if told.get("output"):
        told["output"] = {key: value for key, value in told["output"].items() if key != "dir"}
    if trials is not None:
        told["budget"] = {**(told.get("budget") or {}), "trials": trials}
    plain: Problem = _told(told)
    return plain


def problem_hash(problem: Problem) -> str:
    """Return the hash of a problem, 16 hex digits."""
    return _hash(problem)


def config_hash(loaded: Loaded) -> str:
    """Return the hash of the whole resolved config, 16 hex digits: any key that changes, changes it."""
    return _hash(loaded.resolved)


def _hash(plain: Any) -> str:
    text = json.dumps(plain, sort_keys=True, allow_nan=False, ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def difference(old: Problem, new: Problem) -> list[Change]:
    """Return what differs between two problems (as `problem_of` gives them, or a journal kept them), in words."""
    changes = []
    for path, before, after in _differences((), old, new):
        if path == ("data",):
            changes.append(Change("data", _data(before), f"{_data(after)} (other values)"))
        else:
            changes.append(Change(dotted(path), _words(before), _words(after)))
    return changes


def _data(value: Any) -> str:
    return f"data {value[:8]}" if isinstance(value, str) and value else "no data"


def _differences(path: Path, old: Any, new: Any) -> list[tuple[Path, Any, Any]]:
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        keys = dict.fromkeys([*old, *new])
        pairs = [(key, old.get(key, _ABSENT), new.get(key, _ABSENT)) for key in keys]
        return [one for key, before, after in pairs for one in _differences((*path, key), before, after)]
    if isinstance(old, list) and isinstance(new, list) and len(old) == len(new) and path[:1] == ("model",):
        return [one for i, pair in enumerate(zip(old, new, strict=True)) for one in _differences((*path, i), *pair)]
    same = old is new or (_ABSENT not in (old, new) and _canonical(old) == _canonical(new))
    return [] if same else [(path, old, new)]


def _canonical(value: Any) -> str:
    return json.dumps(value, sort_keys=True)


def _words(value: Any) -> str:
    """Return a value as a config would have it, short."""
    if value is _ABSENT:
        return "nothing"
    if isinstance(value, (Mapping, list)):
        text = json.dumps(value) if value else found(value)
    else:
        text = dump(value).strip()
    return text if len(text) <= 80 else f"{text[:77]}..."
