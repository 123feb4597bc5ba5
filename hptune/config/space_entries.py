"""One entry of `space:`: a value that fixes a parameter, a list to choose from, or a mapping with a type.

KerasTuner's and Optuna's names for the options are read too. Whatever a parameter finds wrong with its options is
reported at the option's own line.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from hptune.config.paths import Path
from hptune.config.problems import unknown_key
from hptune.config.sources import Sources
from hptune.config.wording import found
from hptune.errors import Problem, did_you_mean
from hptune.parameters import UNSET, Boolean, Choice, Fixed, Float, Int, Parameter

ALIASES = {
    "min_value": "min",
    "low": "min",
    "max_value": "max",
    "high": "max",
    "sampling": "scale",
    "log": "scale",
    "choices": "values",
}
_NUMERIC = ("min", "max", "scale", "step", "factor", "default", "extra")
OPTIONS: dict[str, tuple[str, ...]] = {
    "float": _NUMERIC,
    "int": _NUMERIC,
    "choice": ("values", "default", "ordered", "weights"),
    "boolean": ("default",),
    "fixed": ("value",),
}
_SHARED = ("when", "sets")
_OF_LOG = ("loguniform", "log_uniform", "reciprocal", "qloguniform", "lograndint", "log_int")
_OTHER_WORDS = {
    **dict.fromkeys(("bool", "flag"), "boolean"),
    **dict.fromkeys(
        ("integer", "range", "randint", "int_uniform", "uniform_int", "qrandint", "lograndint", "log_int"), "int"
    ),
    **dict.fromkeys(
        ("number", "real", "double", "uniform", "quniform", "loguniform", "log_uniform", "reciprocal", "qloguniform"),
        "float",
    ),
    **dict.fromkeys(("categorical", "category", "list", "enum", "string", "options", "grid_search"), "choice"),
    **dict.fromkeys(("constant", "const", "value"), "fixed"),
}


@dataclass(frozen=True)
class Entry:
    """What an entry of `space:` says: the parameter without conditions, and what `when:` adds.

    `path` is where it stands in the config, `plain` the entry as this module writes it out; the paths that the
    parameter `sets` are spelled as in the config.
    """

    parameter: Parameter
    path: Path
    plain: Any
    when: Mapping[str, Any] = field(default_factory=dict)


class EntryReader:
    """Reads entries and collects what is wrong with them in `problems` (warnings included)."""

    def __init__(self, sources: Sources) -> None:
        self.sources = sources
        self.problems: list[Problem] = []

    def complain(self, path: Path, message: str, *, on_key: bool = False, warning: bool = False) -> None:
        """Note a problem at `path`."""
        severity = "warning" if warning else "error"
        self.problems.append(self.sources.problem(path, message, on_key=on_key, severity=severity))  # type: ignore[arg-type]

    def read(self, name: str, raw: Any, path: Path) -> Entry | None:
        """Return the entry called `name`, None if something is wrong with it."""
        if isinstance(raw, Mapping):
            return self._typed(name, raw, path)
        options: dict[str, Any] = {"values": raw} if isinstance(raw, list) else {"value": raw}
        parameter = self._made("choice" if isinstance(raw, list) else "fixed", name, options, {}, path)
        return None if parameter is None else Entry(parameter, path, raw)

    def _typed(self, name: str, raw: Mapping[str, Any], path: Path) -> Entry | None:
        kind = self._kind(raw, path)
        if kind is None:
            return None
        before = len(self.problems)
        options, spelled = self._options(kind, raw, path)
        when = self._when(raw.get("when"), path) if "when" in raw else {}
        sets = self._sets(raw.get("sets"), path) if "sets" in raw else ()
        if len(self.problems) > before:
            return None
        default = options.pop("default", UNSET)
        parameter = self._made(kind, name, options, spelled, path)
        if parameter is None:
            return None
        if default is not UNSET:
            parameter = self._with_default(parameter, default, (*path, "default"))
            if parameter is None:
                return None
        plain = {"type": kind, **{key: value for key, value in parameter.to_json().items() if key in OPTIONS[kind]}}
        if sets:
            parameter, plain = replace(parameter, sets=sets), {**plain, "sets": list(sets)}
        return Entry(parameter, path, {**plain, "when": when} if when else plain, when)

    def _kind(self, raw: Mapping[str, Any], path: Path) -> str | None:
        listed = ", ".join(OPTIONS)
        if "type" not in raw:
            mend = ""
            if {"min", "max"} & raw.keys():
                mend = " (a range of numbers is `type: float` or `type: int`)"
            elif raw and not any(key in known or key in ALIASES for key in raw for known in OPTIONS.values()):
                mend = " (a mapping that is itself the value: {type: fixed, value: {...}})"
            self.complain(path, f"expected a type: one of {listed}, found none{mend}", on_key=True)
            return None
        kind = raw["type"]
        if isinstance(kind, str) and kind in OPTIONS:
            return kind
        meant = _OTHER_WORDS.get(kind.lower()) if isinstance(kind, str) else None
        log = isinstance(kind, str) and kind.lower() in _OF_LOG and "scale" not in raw
        if log:
            close = f"; write type: {meant}, scale: log"
        else:
            close = f"; did you mean {meant!r}?" if meant else did_you_mean(str(kind), OPTIONS)
        self.complain((*path, "type"), f"expected one of {listed}, found {found(kind)}{close}")
        return None

    def _options(self, kind: str, raw: Mapping[str, Any], path: Path) -> tuple[dict[str, Any], dict[str, str]]:
        """Return the options by their own names, and how the config spelled each."""
        options: dict[str, Any] = {}
        spelled: dict[str, str] = {}
        for key, value in raw.items():
            name = ALIASES.get(key, key)
            if key in ("type", *_SHARED):
                continue
            if name not in OPTIONS[kind]:
                known = [*OPTIONS[kind], *_SHARED, *(alias for alias, one in ALIASES.items() if one in OPTIONS[kind])]
                hint = did_you_mean(key, known)
                message = f"unknown key{hint}" if hint else unknown_key(key, [*OPTIONS[kind], *_SHARED])
                if key == "extra" and kind == "choice":
                    message = "unknown key: extra values are for ranges; a choice lists all of its own in `values:`"
                self.complain((*path, key), message, on_key=True)
            elif name in spelled:
                self.complain((*path, key), f"{spelled[name]} and {key} say the same: keep one", on_key=True)
            else:
                spelled[name] = key
                options[name] = self._scale(value, (*path, key)) if key == "log" else value
        self._check_kinds(options, spelled, path)
        missing = [
            name for name in ("min", "max", "values", "value") if name in OPTIONS[kind] and name not in spelled
        ]
        if missing:
            self.complain(path, f"expected {' and '.join(missing)}, found none", on_key=True)
        return options, spelled

    def _check_kinds(self, options: Mapping[str, Any], spelled: Mapping[str, str], path: Path) -> None:
        """Report options that are no list where a list belongs: no constructor would say so in a config's words."""
        for name, wanted in (("extra", list), ("values", list), ("weights", list), ("ordered", bool)):
            value = options.get(name)
            if name in options and not isinstance(value, wanted):
                what = "true or false" if wanted is bool else "a list"
                mend = f"; write [{value}]" if isinstance(value, (str, int, float)) and wanted is list else ""
                self.complain((*path, spelled[name]), f"expected {what}, found {found(value)}{mend}")
        values, weights = options.get("values"), options.get("weights")
        if isinstance(values, list) and isinstance(weights, list) and len(weights) != len(values):
            message = f"expected {len(values)} weights, one for each value, found {len(weights)}"
            self.complain((*path, "weights"), message)
        for number in weights if isinstance(weights, list) else ():
            if isinstance(number, bool) or not isinstance(number, (int, float)) or number <= 0:
                self.complain((*path, "weights"), f"expected positive numbers, found {found(number)}")

    def _scale(self, value: Any, path: Path) -> Any:
        if not isinstance(value, bool):
            self.complain(path, f"expected true or false, found {found(value)}")
        return "log" if value else "linear"

    def _when(self, raw: Any, path: Path) -> dict[str, Any]:
        if isinstance(raw, Mapping) and raw:
            return dict(raw)
        self.complain((*path, "when"), f"expected a mapping such as {{kernel: rbf}}, found {found(raw)}")
        return {}

    def _sets(self, raw: Any, path: Path) -> tuple[str, ...]:
        """Return the paths that a tied parameter sets."""
        if not isinstance(raw, list) or not raw or not all(isinstance(one, str) for one in raw):
            self.complain((*path, "sets"), f"expected a list of paths such as [a.alpha, b.alpha], found {found(raw)}")
            return ()
        return tuple(raw)

    def _made(
        self, kind: str, name: str, options: Mapping[str, Any], spelled: Mapping[str, str], path: Path
    ) -> Parameter | None:
        """Return the parameter; what its constructor refuses is reported at the option the message begins with."""
        values = dict(options)
        if values.get("values") == []:
            at = (*path, spelled["values"]) if spelled else path
            self.complain(at, "expected at least one value, found an empty list")
            return None
        for key in ("extra", "values", "weights"):
            if key in values:
                values[key] = tuple(values[key])
        for short, long in (("min", "low"), ("max", "high")):
            if short in values:
                values[long] = values.pop(short)
        kinds: dict[str, type[Parameter]] = {one.type: one for one in (Float, Int, Choice, Boolean, Fixed)}
        try:
            return kinds[kind](name=name, **values)
        except (ValueError, TypeError) as error:
            message = str(error).removeprefix(f"{name}: ")
            option, colon, rest = message.partition(": ")
            if colon and option in spelled:
                self.complain((*path, spelled[option]), rest)
            else:
                self.complain(path, message)
            return None

    def _with_default(self, parameter: Parameter, default: Any, path: Path) -> Parameter | None:
        """Return the parameter with this default; a number outside the range is brought inside, and said."""
        try:
            return parameter.with_default(parameter.coerce(default))
        except ValueError as error:
            numeric = isinstance(parameter, (Float, Int)) and isinstance(default, (int, float))
            if isinstance(default, bool) or not numeric:
                self.complain(path, str(error).removeprefix(f"{parameter.name}: ").removeprefix("value: "))
                return None
            nearest = parameter.nearest(default)
            message = f"{default!r} is not one of the values; the nearest, {nearest!r}, is taken"
            self.complain(path, message, warning=True)
            return parameter.with_default(nearest)
