"""Records a define-by-run model, a function `build(hp)`, into a `SearchSpace`.

The function is run again and again until nothing new turns up: with the defaults; with every value of each choice and
the ends of each range, from where it was first met; and with random values. What it then knows about *when* a
hyperparameter is there comes from its conditional scopes, or is inferred where that is sound (`hptune.inference`).
"""

from __future__ import annotations

import itertools
import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any, Literal

import numpy as np

from hptune.definitions import same_definition
from hptune.errors import UsageError
from hptune.hyperparameters import HyperParameters, Place, place_of
from hptune.inference import Build, infer
from hptune.parameters import Boolean, Choice, Int, Parameter, canonical
from hptune.places import as_held, plain_name, space_of
from hptune.space import SearchSpace

RANDOM_BUILDS = 32
"""Random builds a round; a branch that one build in five takes is then missed once in 1300 rounds (0.8^32)."""

MAX_BUILDS = 2000
MAX_NAMES = 5000
SMALL = 5
"""Ranges of whole numbers with at most this many values are tried value by value, longer ones at their ends."""


class RecordingError(UsageError):
    """`build(hp)` cannot be recorded: it raised, or its hyperparameters have no end."""


def record(
    build: Callable[[HyperParameters], Any],
    *,
    start: HyperParameters | None = None,
    seed: int = 0,
    max_builds: int = MAX_BUILDS,
    failures: Literal["raise", "warn"] = "raise",
) -> SearchSpace:
    """Return the search space of `build`: a function of `HyperParameters`, or anything with such a `build` method.

    `start` holds hyperparameters declared beforehand, whose definitions take precedence over the model's. A
    hyperparameter met only in some builds gets the conditions of its conditional scopes; beyond these, a condition on
    *one* hyperparameter met earlier (`layers >= 3`, `kind in a, b`) if that explains its presence exactly in all
    builds, those made to test it included; else it is always active.

    A build that raises does not end the recording unless it is the first, of the defaults: afterwards
    `RecordingError` shows the first exceptions with the values that caused them (`failures="warn"`: a warning does,
    and the space is returned). Raises `RecordingError` also when new names turn up without end.

        >>> space = record(lambda hp: [hp.Int(f"units_{i}", 32, 512) for i in range(hp.Int("layers", 1, 3))])
        >>> [str(parameter.when[0]) for parameter in space if parameter.when]
        ['layers >= 2', 'layers >= 3']
    """
    recording = _Recording(getattr(build, "build", build), start, np.random.default_rng([seed, 32]), max_builds)
    recording.run({})
    if recording.builds[0].error is not None:
        raise RecordingError(_failed(recording.builds[:1], "the defaults")) from recording.builds[0].error
    recording.explore()
    space = recording.space()
    broken = [one for one in recording.builds if one.error is not None]
    if broken and failures == "raise":
        raise RecordingError(_failed(broken, f"{len(broken)} of {len(recording.builds)} builds")) from broken[0].error
    if broken:
        warnings.warn(_failed(broken, f"{len(broken)} of {len(recording.builds)} builds"), UserWarning, stacklevel=2)
    return space


def _failed(builds: list[Build], which: str) -> str:
    texts = {f"{type(one.error).__name__}: {one.error}": f"with {one.values}" for one in reversed(builds)}
    lines = [f"\n  {error}\n    {values}" for error, values in list(texts.items())[::-1][:3]]
    more = f"\n  and {len(texts) - 3} other errors" if len(texts) > 3 else ""
    return f"build(hp) raised for {which}:{''.join(lines)}{more}"


class _Recorder(HyperParameters):
    """The container of one build: hands out given values, else random ones or defaults, and notes what is met."""

    def __init__(self) -> None:
        super().__init__()
        self.given: Mapping[Place, Any] = {}
        self.by_name: Mapping[str, Any] = {}
        self.rng: np.random.Generator | None = None
        self.met: dict[Place, Parameter] = {}
        self.active: dict[Place, Any] = {}

    def _first_value(self, parameter: Parameter) -> Any:
        place = place_of(parameter)
        if place in self.given:
            return self.given[place]
        if parameter.name in self.by_name:
            return self.by_name[parameter.name]
        if self.rng is not None:
            return parameter.draw(self.rng.random(len(parameter.columns)))
        return parameter.default_value

    def _retrieve(self, made: Parameter, depth: int = 4) -> Any:
        value = super()._retrieve(made, depth + 1)
        place = place_of(made)
        self.met.setdefault(place, self._places[place])
        if self._holds(made.when):
            self.active.setdefault(place, self.values[made.name])
        if len(self.met) > MAX_NAMES:
            raise RecordingError(f"one build met more than {MAX_NAMES} hyperparameters, lastly {made.name!r}")
        return value


class _Recording:
    def __init__(
        self,
        build: Callable[[HyperParameters], Any],
        start: HyperParameters | None,
        rng: np.random.Generator,
        max_builds: int,
    ) -> None:
        self.build = build
        self.start = start
        self.rng = rng
        self.max_builds = max_builds
        self.builds: list[Build] = []
        self.known: dict[Place, Parameter] = {} if start is None else {place_of(p): p for p in start.space}
        self.context: dict[Place, dict[Place, Any]] = {}  # the values under which a place was first active
        self.named: dict[str, dict[str, Any]] = {}  # the values of parents that conditional scopes name
        self.last_news = 0
        self.tried: set[tuple[Place, str]] = set()
        self.warned: set[str] = set()

    # -- building ---------------------------------------------------------------------------------------------------

    def run(
        self, given: Mapping[Place, Any], by_name: Mapping[str, Any] | None = None, *, random: bool = False
    ) -> Build:
        """Build once and learn from it."""
        hp = _Recorder()
        if self.start is not None:
            hp.merge(self.start.space)
            hp.values.clear()
        hp.given, hp.by_name = given, by_name or {}
        hp.rng = self.rng if random else None
        hp.warned = self.warned  # one warning a name for the recording, not for each build
        error = None
        try:
            self.build(hp)
        except RecordingError:
            raise
        except Exception as raised:
            error = raised
        build = Build(dict(hp.values), hp.active, hp.met, error)
        self.builds.append(build)
        for place, parameter in hp.met.items():
            if place not in self.known:
                self.last_news = len(self.builds)
            elif not same_definition(self.known[place], parameter) and parameter.name not in self.warned:
                self.warned.add(parameter.name)
                text = f"{parameter.name}: its values differ from build to build; those of the first build hold"
                warnings.warn(text, UserWarning, stacklevel=4)
            self.known.setdefault(place, parameter)
        for condition in itertools.chain.from_iterable((*hp.active_scopes, *hp.inactive_scopes)):
            named = self.named.setdefault(condition.parameter, {})
            named.update((canonical(value), value) for value in condition.value)
        for place in hp.active:
            self.context.setdefault(place, hp.active)
        return build

    def explore(self) -> None:
        """Build until a whole round shows nothing new."""
        while self.may_go_on():
            size = len(self.known)
            for place, value in self.untried():
                self.run({**self.context[place], place: value})
                if not self.may_go_on():
                    return
            for _ in range(RANDOM_BUILDS):
                self.run({}, random=True)
            if len(self.known) == size and not any(True for _ in self.untried(mark=False)):
                return

    def may_go_on(self) -> bool:
        """Return whether there are builds left; raises `RecordingError` if they end while new names still turn up."""
        used = len(self.builds)
        if used < self.max_builds:
            return True
        if self.last_news > used * 3 // 4:
            last = ", ".join(repr(name) for name, _ in list(self.known)[-3:])
            raise RecordingError(
                f"the search space keeps growing: after {used} builds there are {len(self.known)} hyperparameters "
                f"and new ones still turn up, lastly {last}; are their names made up anew in each build?"
            )
        return False

    def untried(self, *, mark: bool = True) -> Iterator[tuple[Place, Any]]:
        """Yield each value to try, those of places found meanwhile included."""
        position = 0
        while position < len(self.known):
            place = list(self.known)[position]
            position += 1
            if place not in self.context:
                continue
            for value in self.values_to_try(place):
                key = place, canonical(value)
                if key not in self.tried and canonical(self.context[place][place]) != key[1]:
                    if mark:
                        self.tried.add(key)
                    yield place, value

    def values_to_try(self, place: Place) -> list[Any]:
        """Return every choice, the ends of a range of whole numbers, and the values that conditional scopes name."""
        parameter = self.known[place]
        if isinstance(parameter, (Choice, Boolean)):
            return list(parameter.listed(None))
        named = [value for one in self.named.get(parameter.name, {}).values() for value in as_held(parameter, one)]
        if not isinstance(parameter, Int):
            return named
        few = parameter.count is not None and parameter.count <= SMALL
        return [*(parameter.listed(None) if few else (parameter.low, parameter.high)), *named]

    # -- the space --------------------------------------------------------------------------------------------------

    def space(self) -> SearchSpace:
        """Return the space, its inferred conditions tested on random configurations drawn from it."""
        conditions = infer(self.known, self.builds, self.probe)
        space = self.with_conditions(conditions)
        for _ in range(5):
            if not conditions:
                return space
            size = len(self.known)
            for _ in range(RANDOM_BUILDS):
                values = space.sample(self.rng)
                self.run({}, {plain_name(name): value for name, value in values.items()})
            if len(self.known) > size:
                self.explore()
            before, conditions = conditions, infer(self.known, self.builds, self.probe)
            space = self.with_conditions(conditions)
            if conditions == before and len(self.known) == size:
                return space
        return self.with_conditions({place: one for place, one in conditions.items() if before.get(place) == one})

    def probe(self, build: Build, place: Place, value: Any) -> None:
        """Build as in `build` but for one value, if there are builds left."""
        if len(self.builds) < 2 * self.max_builds:
            self.run({**build.active, place: value})

    def with_conditions(self, conditions: Mapping[Place, Any]) -> SearchSpace:
        return space_of(
            [
                replace(parameter, when=(*parameter.when, conditions[place])) if place in conditions else parameter
                for place, parameter in self.known.items()
            ]
        )
