"""Unions of specs fed from the registries: adding a member there is all it takes to have it in the YAML.

A union's tags turn up in pydantic's `loc`; they stand in angle brackets, so that `problems` can tell them from keys.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Annotated, Any, Union

from pydantic import BaseModel, BeforeValidator, Discriminator, Tag

from hptune.config.yaml_scalars import shortened
from hptune.errors import did_you_mean
from hptune.oracle import is_dotted, with_type
from hptune.spec import Spec


def by_shape(
    kinds: Mapping[str, type[Spec]], kind_of: Callable[[Mapping[str, Any]], type[Spec]], example: str
) -> Any:
    """Return the union of `kinds` in which `kind_of` tells from a mapping's keys which member it is."""
    tags = {kind: f"<{name}>" for name, kind in kinds.items()}

    def checked(value: Any) -> Any:
        if isinstance(value, Mapping):
            kind_of(value)
        elif not isinstance(value, BaseModel):
            raise ValueError(f"expected a mapping such as {example}, found {_shown(value)}")
        return value

    def tag(value: Any) -> str | None:
        try:
            return tags[kind_of(value)] if isinstance(value, Mapping) else tags.get(type(value))
        except ValueError:
            return None

    return _union(kinds, tag, checked)


def by_type(kinds: Mapping[str, type[Spec]], default: str | None = None, own: type[Spec] | None = None) -> Any:
    """Return the union of `kinds` told apart by their `type:`, which may be left out where there is a `default`.

    A `type:` that is a dotted path is of the kind `own`, if there is one; `class:` is another name for it.
    """
    tags = {kind: f"<{name}>" for name, kind in kinds.items()}
    if own is not None:
        tags[own] = _OWN
    first = next(iter(kinds))

    def checked(value: Any) -> Any:
        if isinstance(value, BaseModel):
            return value
        if not isinstance(value, Mapping):
            named = str(value).lower() if isinstance(value, str) and value.lower() in kinds else first
            raise ValueError(f"expected a mapping such as {{type: {named}}}, found {_shown(value)}")
        if own is not None:
            value = with_type(value)
        found = value.get("type", default)
        if own is not None and is_dotted(found):
            return value
        if found is None:
            raise ValueError(f"expected a type: one of {', '.join(kinds)}")
        if not isinstance(found, str) or found not in kinds:
            hint = did_you_mean(str(found), kinds)
            raise ValueError(f"type: expected one of {', '.join(kinds)}, found {_shown(found)}{hint}")
        return value

    def tag(value: Any) -> str | None:
        if not isinstance(value, Mapping):
            return tags.get(type(value))
        found = value.get("type", default)
        return _OWN if own is not None and is_dotted(found) else f"<{found}>"

    return _union(kinds if own is None else {**kinds, _OWN[1:-1]: own}, tag, checked)


_OWN = "<a.b>"


def _union(kinds: Mapping[str, type[Spec]], tag: Callable[[Any], str | None], checked: Callable[[Any], Any]) -> Any:
    members = tuple(Annotated[kind, Tag(f"<{name}>")] for name, kind in kinds.items())
    return Annotated[Union[members], Discriminator(tag), BeforeValidator(checked)]  # noqa: UP007 - known when run


def _shown(value: Any) -> str:
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (dict, list)):
        return "a mapping" if isinstance(value, dict) else "a list"
    return repr(shortened(value)) if isinstance(value, str) else str(value)
