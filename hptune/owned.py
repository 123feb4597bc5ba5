"""Copies of plain values: what is handed to user code is its own to change, and changes nothing of the study's."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any


def fresh(value: Any) -> Any:
    """Return the value, lists and dicts as a copy, so that a model that changes its own cannot change the space."""
    return copy.deepcopy(value) if isinstance(value, (list, dict)) else value


def owned(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return a configuration as a dict of its own, with lists and dicts of its own."""
    return {name: fresh(value) for name, value in values.items()}
