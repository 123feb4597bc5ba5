"""The `Oracle` protocol: what to try next, as a pure function of what is known.

An oracle *is* its options (a frozen spec, validated from the YAML) and a `suggest`. It keeps no path-dependent state:
a fresh instance given the same history and the same generator says the same. It never touches disk, clock or screen.
To add one: a file in `oracles/` and a line in its registry, or a class of your own named in the config
(docs/oracles.md).
"""

from __future__ import annotations

import enum
import re
from collections.abc import Mapping
from typing import Any, ClassVar, Final, Literal

import numpy as np
from pydantic import ConfigDict, Field, model_validator

from hptune.history import View
from hptune.resource import Resource
from hptune.space import SearchSpace
from hptune.spec import Spec
from hptune.trial import Suggestion, Values


class Answer(enum.Enum):
    """What an oracle says when it has no suggestion."""

    WAIT = "wait"
    """Ask again when more results are in."""
    EXHAUSTED = "exhausted"
    """There is nothing left to try."""


WAIT: Final = Answer.WAIT
EXHAUSTED: Final = Answer.EXHAUSTED

LISTABLE: Final = 100_000
"""A grid has at most so many points."""

WALKABLE: Final = 300_000
"""Finite spaces up to this size are walked through to find what is left; above it random draws find it soon enough."""


class OracleSpec(Spec):
    """Base of all oracles. Subclasses add a `type` literal, their options as fields, and `suggest`."""

    summary: ClassVar[str] = ""
    """One line for `hptune oracles` and the documentation."""

    uses_prior: ClassVar[bool] = False
    """Whether it learns from earlier studies (`prior:`)."""

    prior_unless: ClassVar[str] = ""
    """When it does not all the same, or does all the same, for `hptune oracles` and the documentation."""

    type: str = ""
    """The oracle's name (`hptune oracles` lists them), or the dotted path of a class of your own."""

    @model_validator(mode="before")
    @classmethod
    def _typed(cls, given: Any) -> Any:
        """A class outside the registry is of the type that its dotted path names."""
        if isinstance(given, dict) and not given.get("type") and cls.model_fields["type"].default == "":
            return {**given, "type": f"{cls.__module__}.{cls.__qualname__}"}
        return given

    def suggest(self, history: View, trial: int, rng: np.random.Generator) -> Suggestion | Answer:
        """Return what to try as trial number `trial`.

        `rng` is `default_rng([seed, trial])`. The suggestion's values are an allowed configuration of
        `history.space` that has not begun at its fidelity, and unless it has a `parent` at none.
        """
        raise NotImplementedError

    def finish(self, history: View, trial: int, rng: np.random.Generator) -> Suggestion | Answer:
        """Return what of the begun is worth continuing once no new configuration may begin; EXHAUSTED if nothing is.

        Only an oracle that measures at lower fidelities has anything to continue.
        """
        del history, trial, rng
        return EXHAUSTED

    def prepare(self) -> None:
        """Import what `suggest` will need; called while a run waits for its first worker, which has time for it."""

    def ignores_prior(self, space: SearchSpace, budget: Mapping[str, Any], *, lower: bool = False) -> str:
        """Return in words which oracle passes over earlier studies (`prior:`), "" if they are learned from.

        `lower` says that trials are measured at lower fidelities too.
        """
        del space, budget, lower
        return "" if self.uses_prior else self.type

    def to_spend(self) -> Resource | None:
        """Return the resource of which this oracle's trials may be given a share, None if they always get all."""
        return None


DOTTED: Final = re.compile(r"[A-Za-z_]\w*([.:][A-Za-z_]\w*)+")


def is_dotted(found: Any) -> bool:
    """Return whether a `type:` is the path of a class rather than the name of a kind."""
    return isinstance(found, str) and ("." in found or ":" in found)


def with_type(options: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return an oracle's options with `class:` as what it is another name for: `type:`."""
    if "class" not in options or "type" in options:
        return options
    return {"type" if key == "class" else key: value for key, value in options.items()}


class OwnOracle(OracleSpec):
    """A class of your own, by its dotted path (it lies beside the config, or comes with --allow-import); its fields
    are the options. See docs/oracles.md.

    This is what the config says of it. Only `run` and `validate` import the class, which then takes this one's place.
    """

    model_config = ConfigDict(extra="allow")
    type: str = Field(pattern=f"^{DOTTED.pattern}$", title="Dotted path")

    @property
    def options(self) -> dict[str, Any]:
        """What the config gives beside `type`."""
        return dict(self.model_extra or {})


def unseen(history: View, rng: np.random.Generator) -> Values | Literal[Answer.EXHAUSTED]:
    """Return a random allowed configuration that has not begun; `EXHAUSTED` when none is left."""
    for _ in range(200):
        values = history.space.sample(rng)
        if not history.seen(values):
            return values
    return one_left(history, rng)


def one_left(history: View, rng: np.random.Generator) -> Values | Literal[Answer.EXHAUSTED]:
    """Return a configuration that has not begun, found by listing a finite space and by drawing in a huge one."""
    size = history.space.size(limit=WALKABLE + 1)
    if size is None or size > WALKABLE:
        for _ in range(20_000):
            values = history.space.sample(rng)
            if not history.seen(values):
                return values
        return EXHAUSTED
    left = [values for values in history.space.listed() if not history.seen(values)]
    return left[int(rng.integers(len(left)))] if left else EXHAUSTED
