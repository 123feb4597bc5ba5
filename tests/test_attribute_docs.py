"""What stands below a class's attributes is found wherever the class is defined, and each file is parsed once."""

from __future__ import annotations

import ast
import json
from typing import Any

import pytest

from hptune import attribute_docs as module
from hptune.attribute_docs import attribute_docs
from hptune.config.schema import config_schema


class Outer:
    class Inner:
        deep: int = 0
        """Inside another class."""

    broad: int = 0
    """Told, in
    two lines."""
    silent: int = 1
    narrow: int = 2
    """The base's."""


class Derived(Outer):
    narrow: int = 3
    """Its own."""


def test_docstrings_are_those_of_the_class_and_its_bases_wherever_it_stands() -> None:
    class Local:
        near: int = 0
        """In a function."""

    assert attribute_docs(Derived) == {"broad": "Told, in\ntwo lines.", "narrow": "Its own."}
    assert attribute_docs(Outer.Inner) == {"deep": "Inside another class."}
    assert attribute_docs(Local) == {"near": "In a function."}
    assert attribute_docs(type("Made", (Outer,), {})) == attribute_docs(Outer)
    assert attribute_docs(int) == {}


def test_the_schema_parses_each_file_once(monkeypatch: pytest.MonkeyPatch) -> None:
    parsed: list[Any] = []
    parse = ast.parse
    monkeypatch.setattr(
        ast, "parse", lambda source, *rest, **more: parsed.append(source) or parse(source, *rest, **more)
    )
    module._own.cache_clear()
    module._classes.cache_clear()
    assert '"description"' in json.dumps(config_schema())
    sources = [one for one in parsed if not one.startswith("def foo")]  # inspect parses the signatures of built-ins
    assert 0 < len(sources) == len(set(sources))
