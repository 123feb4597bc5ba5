"""`model: {function: pkg.mod:objective}`: a Python function of the trial's values that returns the metric."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Mapping
from typing import Annotated, Any, ClassVar

from pydantic import AfterValidator

from hptune.job import Finding
from hptune.model import Call, Loader, MeasuringModel
from hptune.models.nodes import dotted


def _function(name: str) -> str:
    """Return `name` if it can be a function's dotted path, else raise ValueError with what to write."""
    if re.fullmatch(r"[A-Za-z_]\w*", name):
        raise ValueError(f"expected module:function, such as {name}:objective for a {name}.py beside the config")
    if ".py:" in name or name.endswith(".py"):
        raise ValueError(f"expected module:function without .py, found {name!r}")
    return dotted(name)


class FunctionModel(MeasuringModel):
    """A function called with the trial's values as one dict.

    It is further given `seed=` (an int), `report=` (called with a value and a step) and, when `data:` is declared,
    `X=`, `y=` and `groups=`, each only if its signature names it; it may change these in place. It returns the metric
    as a number, or a dict that holds the metric and those of `evaluate.also` by name.
    """

    key: ClassVar[str] = "function"

    function: Annotated[str, AfterValidator(_function)]
    """The function, as package.module:name."""

    def imports(self) -> list[tuple[str, str]]:
        return [("model.function", self.function)]

    def callable_with(self, load: Loader, *, data: bool) -> list[Finding]:
        function = load(self.function, key="model.function", wanted="function")
        try:
            # Not what a wrapper wraps: it may supply the rest itself.
            wanted = inspect.signature(function, follow_wrapped=False).parameters.values()
        except (TypeError, ValueError):  # compiled; its first call tells
            return []
        offered = ("seed", "report", *(("X", "y", "groups") if data else ()))
        free = [one for one in wanted if one.kind in (one.POSITIONAL_ONLY, one.POSITIONAL_OR_KEYWORD)]
        if not free and not any(one.kind is one.VAR_POSITIONAL for one in wanted):
            message = (
                f"{self.function} takes no argument; it is called with the trial's values, one dict: def f(values)"
            )
            return [Finding(key="model.function", message=message)]
        rest = [
            one for one in wanted if one not in free[:1] and one.kind not in (one.VAR_POSITIONAL, one.VAR_KEYWORD)
        ]
        missing = [one.name for one in rest if one.default is one.empty and one.name not in offered]
        if not missing:
            return []
        hint = "; X, y and groups come with `data:`" if not data and {"X", "y", "groups"} & {*missing} else ""
        message = (
            f"{self.function} takes {', '.join(missing)}, which nothing gives it: it gets the trial's values as one dict "
            f"and by name {', '.join(offered)}{hint}. Give it a default, or read it from the values"
        )
        return [Finding(key="model.function", message=message)]

    def measure(self, values: Mapping[str, Any], call: Call, *, load: Loader) -> Any:
        function = load(self.function, key="model.function", wanted="function")
        named = _parameters(function)
        data = {name: _own(found) for name, found in call.data.items() if name in named}
        offered = {"seed": call.seed, "report": call.report}
        return function(dict(values), **{name: offered[name] for name in offered if name in named}, **data)


def _own(data: Any) -> Any:
    """Return a copy (None of None) that a function may change in place: the next trial must not meet its changes."""
    if data is None:
        return None
    if hasattr(data, "iloc"):
        import pandas as pd

        return data.copy(deep=int(pd.__version__.split(".")[0]) < 3)  # pandas 3 copies what is changed, when it is
    return data.copy()


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
