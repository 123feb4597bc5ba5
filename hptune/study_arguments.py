"""What `Study` is given by its users, checked and made plain: oracle, starts, numbers, scores; and what a folder holds."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from typing import Any, SupportsFloat

import numpy as np
from pydantic import ValidationError

from hptune import events as ev
from hptune.errors import UsageError, did_you_mean
from hptune.names import unfit
from hptune.objective import Objective
from hptune.oracle import OracleSpec, OwnOracle
from hptune.oracles import ORACLES
from hptune.oracles.halving import Halving
from hptune.space import SearchSpace
from hptune.trial import Failure, FailureKind, Values


def changes(old: ev.StudyStarted, new: ev.StudyStarted, policy: OracleSpec) -> list[str]:
    """Return in words in what a directory's study (`old`) differs from the one asked for, of all that makes its trials.

    Without it the scores would be ranked, and the trials chosen, by what nobody asked for.
    """
    changes = ["space"] if old.hashes.get("space") != new.hashes["space"] else []
    for name in ("metric", "direction", "seed"):
        wanted, found = getattr(new, name), getattr(old, name)
        if wanted != found:
            changes.append(f"{name}: expected {wanted}, found {found}")
    kind = old.oracle.get("type")
    if kind != policy.type:
        return [*changes, f"oracle: expected {policy.type}, found {kind}"]
    held = _filled(old.oracle, policy)
    for key, option in new.oracle.items():
        if held.get(key) != option:
            changes.append(f"oracle option {key}: expected {option!r}, found {held.get(key)!r}")
    return changes


def _filled(options: Mapping[str, Any], policy: OracleSpec) -> Mapping[str, Any]:
    """Return an oracle's options with defaults for those that the version which wrote them did not have."""
    try:
        return type(policy).model_validate(options).model_dump(mode="json")
    except Exception:  # options that are no more; a class of the user's may raise anything
        return options


def oracle_named(oracle: str | OracleSpec | Mapping[str, Any]) -> OracleSpec:
    """Return the oracle of this name, or with these options; raises `UsageError` for what is none."""
    found = oracle if isinstance(oracle, OracleSpec) else _built(oracle)
    if only_named(found):
        raise UsageError(
            f"oracle.sampler: expected a name or an oracle, found {found.sampler.type!r}; "  # type: ignore[attr-defined]
            "only a config names a class by its path, here give an object of it"
        )
    return found


def only_named(oracle: OracleSpec) -> bool:
    """Return whether an oracle's sampler is the path of a user's class, which is imported for a config only."""
    return isinstance(oracle, Halving) and isinstance(oracle.sampler, OwnOracle)


def _built(oracle: str | Mapping[str, Any]) -> OracleSpec:
    options = dict(oracle) if isinstance(oracle, Mapping) else {"type": oracle}
    kind = options.get("type")
    if not isinstance(kind, str) or kind not in ORACLES:
        near = did_you_mean(kind, ORACLES) if isinstance(kind, str) else ""
        raise UsageError(f"oracle: expected one of {', '.join(ORACLES)}, found {kind!r}{near}")
    try:
        return ORACLES[kind].model_validate(options)
    except ValidationError as error:
        first = error.errors()[0]
        raise UsageError(f"oracle.{'.'.join(map(str, first['loc']))}: {first['msg']}") from None


def must_be_fit(space: SearchSpace, objective: Objective) -> None:
    """Raise `UsageError` for a parameter or a metric whose name could not be printed as it is."""
    for what, name in (*(("space", name) for name in space.by_name), ("objective", objective.metric)):
        if wrong := unfit(name):
            raise UsageError(f"{what}: {wrong}")


def starts_of(starts: Any) -> list[Mapping[str, Any]]:
    """Return the configurations to begin with as a list; raises `UsageError` for anything but mappings."""
    listed = isinstance(starts, Iterable) and not isinstance(starts, (str, Mapping))
    several = list(starts) if listed else []
    if listed and all(isinstance(one, Mapping) for one in several):
        return several
    raise UsageError(
        f"starts: expected a list of configurations such as [{{'lr': 0.05}}], found {shown(several or starts)}"
    )


def about_of(about: Any) -> dict[str, Any]:
    """Return plain data to keep with a study, as a journal gives it back; raises `UsageError` for any other."""
    try:
        kept: dict[str, Any] = json.loads(json.dumps({**about}, allow_nan=False))
    except (TypeError, ValueError, RecursionError) as error:
        raise UsageError(
            f"about: expected a mapping of text, numbers, true, false, None, lists and mappings of those: {error}"[
                :300
            ]
        ) from None
    return kept


def distinct_starts(space: SearchSpace, starts: Iterable[Values]) -> list[dict[str, Any]]:
    """Return the configurations to begin with: the defaults, then these, filled up with defaults, each once.

    Raises ValueError for a start that is outside the space or not allowed. The defaults are trial 0 even where a
    constraint forbids them: they are the baseline.
    """
    out = {space.key(values): values for values in [space.defaults()]}
    for start in starts:
        values = space.complete(start)
        broken = space.broken(values)
        if broken is not None:
            raise ValueError(f"not allowed: {broken}")
        out.setdefault(space.key(values), values)
    return list(out.values())


def whole(name: str, number: object, least: int | None = None) -> int:
    """Return a whole number as Python's; raises `UsageError` for anything else, or one below `least`."""
    whole = isinstance(number, (int, np.integer)) and not isinstance(number, bool)
    if whole and (least is None or least <= number < 2**63):  # type: ignore[operator]
        return int(number)  # type: ignore[call-overload, no-any-return]
    wanted = "a trial or its number" if least is None else f"a whole number from {least} up, or None"
    raise UsageError(f"{name}: expected {wanted}, found {number!r}"[:200])


def shown(found: object) -> str:
    """Return a wrong argument as a message shows it."""
    return f"{found!r} ({type(found).__name__})"[:200]


def scores_of(told: Any) -> list[Any]:
    """Return what was told as one score for each fold; a NumPy scalar or an array without dimensions is a number."""
    listed = (
        isinstance(told, Iterable) and not isinstance(told, (str, bytes, Mapping)) and getattr(told, "ndim", 1) == 1
    )
    several = list(told) if listed else [told]
    return [one.item() if getattr(one, "shape", None) == () and hasattr(one, "item") else one for one in several]


def numbers_of(told: Any, metric: str) -> list[Any]:
    """Return what was told as numbers, finite or not, one for each fold; of a mapping, what it holds for the metric.

    Raises `UsageError` for anything else: it is a slip of the caller's, and says nothing about the trial.
    """
    if isinstance(told, Mapping):
        if metric not in told:
            raise UsageError(
                f"score: expected {metric!r} among the metrics told, found {', '.join(map(str, told)) or 'none'}"[
                    :200
                ]
            )
        told = told[metric]
    scores = scores_of(told)
    if scores and all(map(_is_number, scores)):
        return scores
    found = shown(next(one for one in scores if not _is_number(one))) if scores else "no scores"
    raise UsageError(
        f"score: expected a number, or one for each fold, found {found}; the trial stays open (failed='why' ends it)"
    )


def _is_number(score: object) -> bool:
    if isinstance(score, (bool, np.bool_)) or not isinstance(score, SupportsFloat) or getattr(score, "ndim", 0) > 0:
        return False
    try:
        float(score)
    except OverflowError:  # an int beyond the largest float
        return True
    except (TypeError, ValueError):  # a tensor of several
        return False
    return True


def failure_told(failed: str | BaseException | Failure, kind: FailureKind) -> Failure:
    """Return as a failure what was told of one: why, the exception (its traceback is kept), or the failure itself."""
    if isinstance(failed, Failure):
        return failed
    if not isinstance(failed, BaseException):
        return Failure(kind, str(failed))
    return Failure.of(failed, kind=kind)


def finite(score: object) -> bool:
    """Return whether a score is a finite number."""
    try:
        return _is_number(score) and math.isfinite(float(score))  # type: ignore[arg-type]
    except OverflowError:
        return False
