"""The kinds of `model:`, by the YAML key that names the kind."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hptune.errors import did_you_mean
from hptune.model import EstimatorModel, ModelSpec
from hptune.models.choose import ChooseModel
from hptune.models.class_ import ClassModel
from hptune.models.command import CommandModel
from hptune.models.function import FunctionModel
from hptune.models.hypermodel import HyperModelSpec
from hptune.models.pipeline import PipelineModel

MODELS: dict[str, type[ModelSpec]] = {
    kind.key: kind for kind in (ClassModel, PipelineModel, ChooseModel, FunctionModel, HyperModelSpec, CommandModel)
}


def kind_of(data: Mapping[str, Any]) -> type[ModelSpec]:
    """Return the kind of model that a `model:` mapping describes; raises ValueError for none or two of them."""
    kinds = [key for key in MODELS if key in data]
    if len(kinds) > 1:
        raise ValueError(f"expected one of {', '.join(MODELS)}, found {' and '.join(kinds)}")
    if kinds:
        return MODELS[kinds[0]]
    if "class_" in data:  # a dump by field names
        return ClassModel
    hints = [hint for key in data if (hint := did_you_mean(key, MODELS))]
    found = ", ".join(map(str, data)) or "nothing"
    raise ValueError(f"expected one of {', '.join(MODELS)}, found {found}{hints[0] if hints else ''}")


def makes_estimators(data: Mapping[str, Any]) -> bool:
    """Return whether a `model:` mapping describes a model of scikit-learn's kind; False also for a bad one."""
    try:
        return issubclass(kind_of(data), EstimatorModel)
    except ValueError:
        return False


def model_from(data: Mapping[str, Any]) -> ModelSpec:
    """Return the model that a `model:` mapping describes; raises ValueError (pydantic's too) for a bad one."""
    return kind_of(data).model_validate(data)
