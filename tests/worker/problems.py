"""Setups for the tests of the worker."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hptune.job import Setup
from hptune.space import Parameter, SearchSpace

SAMPLES = Path(__file__).parent / "samples"
RIDGE = {"class": "sklearn.linear_model.Ridge"}
DIABETES = {"train": "sklearn:load_diabetes"}
IRIS = {"train": "sklearn:load_iris"}
SYNTHETIC = {"synthetic": {"kind": "sparse_linear", "n": 60, "d": 5, "informative": 2}}


def setup(
    model: dict[str, Any] | None = None,
    data: dict[str, Any] | None = None,
    evaluate: dict[str, Any] | None = None,
    space: tuple[Parameter, ...] = (),
    **options: Any,
) -> Setup:
    """Return a setup whose folder holds the sample modules."""
    return Setup(
        model=RIDGE if model is None else model,
        data=data,
        evaluate=evaluate or {},
        space=SearchSpace(space).to_json(),
        **{"seed": 7, "folder": str(SAMPLES), **options},
    )
