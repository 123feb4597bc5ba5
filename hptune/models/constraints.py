"""Compares values with what the estimator's class says it takes, before anything is fitted. Worker only.

scikit-learn's estimators carry `_parameter_constraints` (`sklearn.utils._param_validation`): a list per constructor
parameter of intervals, options and types, any one of which must hold. They are private there but have been stable
since 1.2; a class without them, or with something unknown in them, is simply not checked.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

from hptune.errors import did_you_mean
from hptune.models.signatures import fitting, signature
from hptune.parameters import Boolean, Choice, Fixed, Float, Int, Parameter
from hptune.worker.imports import TRUSTED


@dataclass(frozen=True)
class Violation:
    """What is wrong with a parameter: `part` is the key below the parameter's (min, max, extra, default or "")."""

    message: str
    part: str = ""
    severity: Literal["error", "warning"] = "error"


def check_parameter(cls: type, name: str, parameter: Parameter) -> list[Violation]:
    """Return where a parameter of the space goes beyond what parameter `name` of `cls` takes."""
    given = list(getattr(parameter, "extra", ()))
    match parameter:
        case Fixed(value=value):
            given.append(value)
        case Choice(values=values):
            given += values
    unsafe = {message: None for value in given if (message := pickles(cls, name, value))}
    if unsafe:
        return [Violation(message) for message in unsafe]
    out = list(_about_name(cls, name))
    accepts = _Accepts.of(cls, name)
    if accepts is None:
        return out
    match parameter:
        case Fixed(value=value):
            return [*out, *_values(accepts, [(value, "")])]
        case Choice(values=values):
            return [*out, *_values(accepts, [(value, "") for value in values])]
        case Boolean():
            return [*out, *_values(accepts, [(False, ""), (True, "")])]
        case Float() | Int():
            extra = _values(accepts, [(value, "extra") for value in parameter.extra])
            return [*out, *_range(accepts, parameter), *extra]
    return out


def check_value(cls: type, name: str, value: Any) -> list[Violation]:
    """Return what is wrong with a fixed value of parameter `name` of `cls`."""
    if message := pickles(cls, name, value):
        return [Violation(message)]
    accepts = _Accepts.of(cls, name)
    return [*_about_name(cls, name, value), *([] if accepts is None else _values(accepts, [(value, "")]))]


def pickles(cls: type, name: str, value: Any) -> str:
    """Return why an estimator of the packages that need no leave must not get this value, "" if it may.

    `memory` names a folder in which joblib keeps what a step made: whoever can write there has each fit run his pickle.
    """
    if name != "memory" or not isinstance(value, str) or cls.__module__.split(".")[0] not in TRUSTED:
        return ""
    return (
        f"{cls.__name__}.memory takes null, found {value!r}: a folder of pickles, which fitting would load and run; leave "
        "it out: hptune keeps what the leading steps make by itself"
    )


def means_other(cls: type, name: str, own: Any, value: Any) -> bool:
    """Return whether two equal numbers, a float and a whole one, are two values to parameter `name` of `cls`.

    False for a class that does not say what it takes, and where it takes both alike (1 as a number: an SVM's C).
    """
    pair = (own, value)
    if any(isinstance(one, bool) or not isinstance(one, (int, float)) for one in pair):
        return False
    accepts = _Accepts.of(cls, name)
    return accepts is not None and own == value and type(own) is not type(value) and accepts.tells_apart(own, value)


def _about_name(cls: type, name: str, value: Any = 0) -> Iterator[Violation]:
    if name == "n_jobs" and value not in (None, 1):
        yield Violation(
            f"{cls.__name__}.n_jobs starts processes or threads of its own beside hptune's workers; leave it out and "
            "set executor.workers instead",
            severity="warning",
        )
    default = getattr(signature(cls).get(name), "default", None)
    if isinstance(default, str) and default == "deprecated":
        yield Violation(f"{cls.__name__}.{name} is deprecated in scikit-learn and will go", severity="warning")


def _values(accepts: _Accepts, values: list[tuple[Any, str]]) -> Iterator[Violation]:
    for value, part in values:
        if not accepts(value):
            yield Violation(f"{accepts.sentence}, found {_shown(value)}{accepts.nearest(value)}", part)
        elif accepts.is_deprecated(value):
            yield Violation(
                f"{accepts.cls.__name__}.{accepts.name}: {_shown(value)} is deprecated in scikit-learn",
                part,
                "warning",
            )


def _range(accepts: _Accepts, parameter: Float | Int) -> Iterator[Violation]:
    ends = {"min": parameter.low, "max": parameter.high}
    middle = parameter.map.decode(0.5)
    wrong = [part for part, value in ends.items() if not accepts(value)]
    if not wrong and accepts(middle):
        return
    if len(wrong) == 2 and not accepts(middle):
        mend = ""
        if isinstance(parameter, Float) and accepts(max(round(middle), 1)):
            mend = "; take `type: int`"
        elif isinstance(parameter, Int) and accepts(float(parameter.low) + 0.5):
            mend = "; take `type: float`"
        yield Violation(f"{accepts.sentence}, found {_kind(parameter)} {ends['min']!r} to {ends['max']!r}{mend}")
        return
    for part in wrong:
        yield Violation(f"{accepts.sentence}, found {part} {ends[part]!r}", part)
    if not wrong:
        yield Violation(f"{accepts.sentence}, found {middle!r} inside {ends['min']!r} to {ends['max']!r}")


def _kind(parameter: Float | Int) -> str:
    return "floats from" if isinstance(parameter, Float) else "whole numbers from"


class _Accepts:
    """What one constructor parameter takes; call it with a value."""

    def __init__(self, cls: type, name: str, constraints: list[Any]) -> None:
        self.cls = cls
        self.name = name
        self.constraints = constraints

    @classmethod
    def of(cls, estimator: type, name: str) -> _Accepts | None:
        """Return it, None where the class does not say, or says what this version of hptune does not know."""
        return _accepts(estimator, name)

    def __call__(self, value: Any) -> bool:
        value = fitting(self.cls, self.name, value)
        return any(one.is_satisfied_by(value) for one in self.constraints)

    def tells_apart(self, a: float, b: float) -> bool:
        """Return whether the two are not taken for the same reasons, such as a count here and a share there."""
        return any(one.is_satisfied_by(a) != one.is_satisfied_by(b) for one in self.constraints)

    def is_deprecated(self, value: Any) -> bool:
        return any(value in getattr(one, "deprecated", ()) for one in self.constraints if isinstance(value, str))

    @property
    def sentence(self) -> str:
        shown = [text for one in self.constraints if (text := _described(one))]
        return f"{self.cls.__name__}.{self.name} takes {' or '.join(dict.fromkeys(shown))}"

    def nearest(self, value: Any) -> str:
        options = [option for one in self.constraints for option in getattr(one, "options", ()) or ()]
        if isinstance(value, str):
            return did_you_mean(value, [option for option in options if isinstance(option, str)])
        return ""


@functools.cache
def _accepts(cls: type, name: str) -> _Accepts | None:
    declared = getattr(cls, "_parameter_constraints", None)
    listed = declared.get(name) if isinstance(declared, dict) else None
    if not isinstance(listed, list):  # not declared, or "no_validation"
        return None
    try:
        from sklearn.utils._param_validation import make_constraint

        constraints = [make_constraint(one) for one in listed]
    except (ImportError, ValueError):
        return None
    # What a config cannot spell (arrays, callables, estimators) may be built by nodes: such a parameter is only
    # checked for the plain values that nodes are not.
    return _Accepts(cls, name, constraints)


def _described(constraint: Any) -> str:
    """Return a constraint in words, "" for one that is hidden or that no config can meet."""
    if getattr(constraint, "hidden", False):
        return ""
    options = getattr(constraint, "options", None)
    if options is not None:
        deprecated: set[Any] = getattr(constraint, "deprecated", set())
        return ", ".join(sorted((repr(one) for one in options if one not in deprecated), key=str.lower))
    if hasattr(constraint, "closed") and hasattr(constraint, "left"):
        kind = {"Integral": "a whole number", "Real": "a number", "RealNotInt": "a float"}.get(
            constraint.type.__name__, f"a {constraint.type.__name__}"
        )
        left = "" if constraint.left is None else f"{_sign(constraint, 'left')} {constraint.left:g}"
        right = "" if constraint.right is None else f"{_sign(constraint, 'right')} {constraint.right:g}"
        bounds = " and ".join(one for one in (left, right) if one)
        return f"{kind} {bounds}".strip()
    text = str(constraint)
    words = {"None": "null", "an instance of 'bool'": "true or false", "a callable": "", "an array-like": "a list"}
    if text.startswith("an object implementing") or "random" in text or "sparse" in text:
        return ""
    if text.startswith(("a bool", "an instance of 'bool'")):
        return "true or false"
    return words.get(text, text)


def _sign(constraint: Any, side: str) -> str:
    closed = constraint.closed in (side, "both")
    return (">=" if closed else ">") if side == "left" else ("<=" if closed else "<")


def _shown(value: Any) -> str:
    if value is None:
        return "null"
    return str(value).lower() if isinstance(value, bool) else repr(value)
