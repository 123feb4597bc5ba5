"""`model: {function: pkg.mod:objective}`: a Python function of the trial's values that returns the metric."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Annotated, Any, ClassVar

from pydantic import AfterValidator

from hptune.model import Call, Loader, MeasuringModel
from hptune.models.nodes import dotted


class FunctionModel(MeasuringModel):
    """A function called with the trial's values as one dict.

    It is further given `seed=` (an int), `report=` (called with a value and a step) and, when `data:` is declared,
    `X=`, `y=` and `groups=`, each only if its signature names it. It returns the metric as a number, or a dict that
    holds the metric and those of `evaluate.also` by name.
    """

    key: ClassVar[str] = "function"

    function: Annotated[str, AfterValidator(dotted)]
    """The function, as package.module:name."""

    def imports(self) -> list[tuple[str, str]]:
        return [("model.function", self.function)]

    def measure(self, values: Mapping[str, Any], call: Call, *, load: Loader) -> Any:
        function = load(self.function, key="model.function", wanted="function")
        offered = {"seed": call.seed, "report": call.report, **call.data}
        named = _parameters(function)
        return function(dict(values), **{name: offered[name] for name in offered if name in named})


_known: list[tuple[Any, frozenset[str]]] = []
"""The last function asked about and its parameters; it may be a callable object that cannot be hashed."""


def _parameters(function: Callable[..., Any]) -> frozenset[str]:
    """Return the names of a function's parameters; some callables written in C tell none."""
    if not _known or _known[0][0] is not function:
        try:
            names = frozenset(inspect.signature(function).parameters)
        except (TypeError, ValueError):
            names = frozenset()
        _known[:] = [(function, names)]
    return _known[0][1]
