"""The two ends of a numeric range, each fitted with all else at the defaults: what no estimator's own check can know.

`n_components` up to 10 is fine until the data has two columns. From an end that cannot be fitted the range is halved
towards a value that can, so that the finding holds the bound to write.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from hptune.job import Finding
from hptune.parameters import Boolean, Choice, Float, Int, Parameter, canonical
from hptune.space import SearchSpace
from hptune.worker.probe_fits import ProbeFits

Part = Literal["min", "max"]
Values = dict[str, Any]

ITERATIONS: Final = frozenset(
    {"epochs", "iterations", "max_epochs", "max_iter", "n_epochs", "n_estimators", "n_init", "n_iter"}
    | {"n_restarts_optimizer", "num_boost_round", "num_iterations"}
)
"""Parameters whose upper end only takes longer: it is not fitted."""
ENDS: Final[tuple[Part, ...]] = ("max", "min")
HALVINGS: Final = 10
MOST_BRANCHES: Final = 20
"""So many other choices are tried with an end that fails, and in want of a configuration to try ends from."""
MOST_OF_IT: Final = 0.5
"""An end is an error if more than this of the range, on its scale, cannot be fitted; else a warning. Chosen, not measured:
a corner that fails costs a few trials, and who wants a wide range may have it."""


def check_range(fits: ProbeFits, space: SearchSpace, name: str) -> list[Finding]:
    """Return where a numeric parameter's range cannot be fitted, at the defaults or the nearest other choices."""
    parameter = space[name]
    if not isinstance(parameter, (Float, Int)) or not searched(fits, parameter):
        return []
    found: list[_Limit] = []
    for part in _parts(parameter):
        end = _end(parameter, part)
        for base in bases(space, name):
            values = with_value(space, base, name, end)
            if values is None or fits(base) is not None:
                continue
            message = fits(values)
            if message is not None and fits.sure(values) and base[name] != end:
                found.append(_Limit(parameter, part, base, message, _others(fits, space, base, name, end)))
            break
    both = len(found) == 2
    return [limit.finding(fits, space, error=both) for limit in found]


def culprit(
    fits: ProbeFits, space: SearchSpace, failing: Mapping[str, Any], choices: Mapping[str, Any]
) -> Finding | None:
    """Return what to say of a configuration that cannot be fitted if it can at one range's other end, else None.

    `choices` are those that all such failures share; the ones under which the range exists need no mention.
    """
    if fits(failing) is None or not fits.sure(failing):
        return None
    for parameter in space:
        if parameter.name not in failing or not isinstance(parameter, (Float, Int)) or not searched(fits, parameter):
            continue
        for part in ENDS:
            opposite = _opposite(part)
            if fits.late or opposite not in _parts(parameter):
                continue
            values = with_value(space, failing, parameter.name, _end(parameter, opposite))
            if values is not None and fits(values) is None:
                implied = {condition.parameter for condition in parameter.when}
                others = {c: [value] for c, value in choices.items() if c != parameter.name and c not in implied}
                message, default = fits(failing) or "", failing[parameter.name]
                return _Limit(parameter, part, values, message, others, default).finding(fits, space, error=True)
    return None


def searched(fits: ProbeFits, parameter: Float | Int) -> bool:
    """Return whether a range has two ends that a study tries: a resource's amount is the study's own affair."""
    resource = fits.problem.resource
    return parameter.low < parameter.high and (resource is None or resource.name != parameter.name)


def bases(space: SearchSpace, name: str) -> Iterator[Values]:
    """Yield configurations in which a parameter is active: the nearest to the defaults first, then one choice apart."""
    wanted: Values = {}
    todo, known = [name], {name}
    while todo:
        by_parent: dict[str, list[Any]] = {}
        for condition in space[todo.pop()].when:
            by_parent.setdefault(condition.parameter, []).append(condition)
        for parent, conditions in by_parent.items():
            values = (v for v in _candidates(space[parent]) if all(one.holds({parent: v}) for one in conditions))
            wanted[parent] = next(values, space[parent].default_value)
            if parent not in known:
                known.add(parent)
                todo.append(parent)
    first = space.complete_or_defaults(wanted)
    if name in first:
        if space.broken(first) is None:
            yield first
        yield from (other for _, _, other in _neighbours(space, first, name))


def _neighbours(space: SearchSpace, base: Values, name: str) -> Iterator[tuple[str, Any, Values]]:
    """Yield (choice, its value, configuration) for other values of each choice, as long as `name` stays active."""
    count = 0
    for parameter in space:
        if parameter.name == name or parameter.name not in base:
            continue
        if isinstance(parameter, (Choice, Boolean)):
            others = list(parameter.listed(None))
        else:
            others = list(getattr(parameter, "extra", ()))
        for value in others:
            if canonical(value) == canonical(base[parameter.name]):
                continue
            values = space.complete_or_defaults({**base, parameter.name: value})
            if name in values and space.broken(values) is None:
                count += 1
                if count > MOST_BRANCHES:
                    return
                yield parameter.name, value, values


def with_value(space: SearchSpace, base: Mapping[str, Any], name: str, value: Any) -> Values | None:
    """Return a configuration with another value of one parameter, None if that is not allowed."""
    values = space.complete_or_defaults({**base, name: value})
    return None if name not in values or space.broken(values) is not None else values


def _others(fits: ProbeFits, space: SearchSpace, base: Values, name: str, end: Any) -> dict[str, list[Any]]:
    """Return the choices on which it depends that an end cannot be fitted, with their values for which it cannot."""
    fails: dict[str, list[Any]] = {}
    works: set[str] = set()
    for choice, value, values in _neighbours(space, base, name):
        changed = with_value(space, values, name, end)
        if fits.late or changed is None:
            continue
        if fits(changed) is None:
            works.add(choice)
        elif fits.sure(changed):
            fails.setdefault(choice, []).append(value)
    if len(works) > 1:  # any of them mends it: only these values together are known to fail
        return {choice: [base[choice]] for choice in sorted(works)}
    return {choice: [base[choice], *fails.get(choice, [])] for choice in works}


@dataclass(frozen=True)
class _Limit:
    """A range that cannot be fitted up to its end `part`: from `base`, which can be, with `message`, given `choices`.

    `default` is a value that fails as well, where the range's own default does (None: it does not).
    """

    parameter: Float | Int
    part: Part
    base: Values
    message: str
    choices: Mapping[str, list[Any]]
    default: Any = None

    def finding(self, fits: ProbeFits, space: SearchSpace, *, error: bool) -> Finding:
        """Return it in words; an error if asked for, or if most of the range cannot be fitted."""
        name, end = self.parameter.name, _end(self.parameter, self.part)
        last, exact = self._halved(fits, space)
        encode = self.parameter.map.encode
        share = 1.0 if last is None else abs(encode(end) - encode(last))
        pairs = {**{choice: values[0] for choice, values in self.choices.items()}, name: end}
        said = f"a fit with {_written(pairs)} on the {fits.rows:,} training rows of a fold fails"
        if self.default is not None and self.default != end:
            said += f", and so does one with its default here, {canonical(self.default)}"
        said += f": {self.message.rstrip('.')}"
        severity: Literal["error", "warning"] = "error" if error or share > MOST_OF_IT else "warning"
        mend = self._mend(last, exact)
        return Finding(key=f"space.{name}.{self.part}", message=f"{said}; {mend}", severity=severity)

    def _halved(self, fits: ProbeFits, space: SearchSpace) -> tuple[Any, bool]:
        """Return the last value found that can be fitted (None: none is known) and whether the next one cannot be."""
        parameter, name = self.parameter, self.parameter.name
        bad = _end(parameter, self.part) if self.default is None else self.default
        good = self.base[name]
        if good in parameter.extra:  # it says nothing of the range
            good = _end(parameter, _opposite(self.part))
            values = with_value(space, self.base, name, good)
            if values is None or fits(values) is not None:
                return None, False
        for _ in range(HALVINGS):
            middle = parameter.map.decode((parameter.map.encode(good) + parameter.map.encode(bad)) / 2)
            values = with_value(space, self.base, name, middle)
            if middle in (good, bad):
                return good, True
            if fits.late or values is None:
                break
            if fits(values) is None:
                good = middle
            else:
                bad = middle
        return (float(f"{good:.3g}") if isinstance(good, float) else good), False

    def _mend(self, last: Any, exact: bool) -> str:
        name, upper = self.parameter.name, self.part == "max"
        if self.choices:
            told: dict[str, Any] = {
                c: values[0] if len(values) == 1 else values for c, values in self.choices.items()
            }
            if last is not None:
                told[name] = {"gt" if upper else "lt": last}
            return f"add under constraints: `- forbid: {{{_written(told)}}}`"
        if last is None or last == _end(self.parameter, _opposite(self.part)):
            some = "nothing" if last is None else f"only {canonical(last)}"
            return f"of this range {some} could be fitted: leave {name} out, or change what refuses the rest"
        about = "" if exact else "about "
        where = f"up to {about}{canonical(last)}" if upper else f"from {about}{canonical(last)} on"
        return f"{where} it can be fitted: {f'write `{self.part}: {canonical(last)}`' if exact else f'narrow {self.part}'}"


def _parts(parameter: Float | Int) -> tuple[Part, ...]:
    paths = parameter.sets or (parameter.name,)
    longer = any(path.replace("__", ".").rpartition(".")[2] in ITERATIONS for path in paths)
    return ("min",) if longer else ("min", "max")


def _end(parameter: Float | Int, part: str) -> Any:
    return parameter.low if part == "min" else parameter.high


def _opposite(part: Part) -> Part:
    return "min" if part == "max" else "max"


def _candidates(parameter: Parameter) -> Iterator[Any]:
    yield parameter.default_value
    if isinstance(parameter, (Choice, Boolean)):
        yield from parameter.listed(None)
    elif isinstance(parameter, (Float, Int)):
        yield from (parameter.low, parameter.high, *parameter.extra)


def _written(pairs: Mapping[str, Any]) -> str:
    return ", ".join(f"{name}: {_text(value)}" for name, value in pairs.items())


def _text(value: Any) -> str:
    if isinstance(value, dict):
        return f"{{{_written(value)}}}"
    if isinstance(value, list):
        return f"[{', '.join(_text(one) for one in value)}]"
    return value if isinstance(value, str) else canonical(value)
