"""How `space:` spells the parameters' paths: by names, with `__`, or leaving out what the model makes plain."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from hptune.model import ModelSpec
from hptune.models.node_model import NodeModel

_SPACE = "space."


def canonical(model: ModelSpec | None, name: str) -> str:
    """Return the path as hptune writes it: scikit-learn's `__` as dots, where names are paths at all."""
    if isinstance(model, NodeModel):
        return model.canonical(name)
    return name.replace("__", ".") if model is None else name


@dataclass(frozen=True)
class Spelling:
    """The keys of `space:` as the config has them, by the path as hptune writes it."""

    keys: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, model: ModelSpec | None, space: Any) -> Spelling:
        """Return the spelling of a section `space:`; of two keys for one path the first counts."""
        keys: dict[str, str] = {}
        for key in space if isinstance(space, Mapping) else ():
            keys.setdefault(canonical(model, key), key)
        return cls(keys)

    def key(self, key: str) -> str:
        """Return a dotted key path with the parameter's path below `space` as the config spells it.

        A worker knows parameters by their paths as hptune writes them, and the lines of a config go by its keys.
        """
        rest = key.removeprefix(_SPACE)
        if rest == key:
            return key
        names = [name for name in self.keys if rest == name or rest.startswith(f"{name}.")]
        if not names:
            return key
        name = max(names, key=len)
        return f"{_SPACE}{self.keys[name]}{rest[len(name) :]}"
