"""Mappings by class, such as `class_weight: {0: 1, 1: 5}`: their keys are text in JSON, classes when a model is fitted."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

NAMES = frozenset({"class_weight", "class_weights", "sampling_strategy"})
"""The parameters whose mappings are by class: scikit-learn's and LightGBM's, CatBoost's, imbalanced-learn's."""

_WHOLE = re.compile(r"-?\d{1,18}")


def by_class(name: str) -> bool:
    """Return whether a parameter of this name or path (`clf.class_weight`, `clf__class_weight`) maps classes."""
    return name.rpartition(".")[2].rpartition("__")[2] in NAMES


def text_of(key: bool | int) -> str:
    """Return a key as JSON has it."""
    return str(key).lower() if isinstance(key, bool) else str(key)


def to_classes(mapping: Mapping[Any, Any], classes: Iterable[Any]) -> dict[Any, Any]:
    """Return the mapping with the classes as keys whose text its keys are.

    What is the text of none is the whole number that it spells (an estimator around may number the classes, and a
    fold may lack one), else stays.
    """
    by_text = {_class_text(one): one for one in classes}
    return {_key(key, by_text) if isinstance(key, str) else key: value for key, value in mapping.items()}


def _class_text(one: Any) -> str:
    """Return a class as a config spells it: 1.0 is 1, True is true."""
    if isinstance(one, float) and one.is_integer():
        return str(int(one))
    return text_of(one) if isinstance(one, (bool, int)) else str(one)


def _key(text: str, by_text: Mapping[str, Any]) -> Any:
    for spelled in (text, text.lower() if text in ("True", "False") else text.removesuffix(".0")):
        if spelled in by_text:
            return by_text[spelled]
    return int(text) if _WHOLE.fullmatch(text) else text
