"""Configs written in a test."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from pathlib import Path

import pytest

from hptune.config.load import Loaded, load_document
from hptune.config.yaml_loader import load_text
from hptune.errors import ConfigError

RIDGE = "model: {class: sklearn.linear_model.Ridge}\ndata: {train: 'sklearn:load_diabetes'}\n"
PIPELINE = """\
model:
  pipeline:
    - impute: sklearn.impute.SimpleImputer
    - scale: {choose: [sklearn.preprocessing.StandardScaler, sklearn.preprocessing.RobustScaler, passthrough]}
    - regressor:
        choose:
          ridge: {class: sklearn.linear_model.Ridge}
          lasso: {class: sklearn.linear_model.Lasso}
          svr:
            choose: {linear: sklearn.svm.LinearSVR, kernel: sklearn.svm.SVR}
data: {train: 'sklearn:load_diabetes'}
"""


def loaded(text: str, override: Sequence[str] = ()) -> Loaded:
    """The config in `text`, as the file c.yaml."""
    return load_document(load_text(textwrap.dedent(text), "c.yaml"), Path("/nowhere"), override)


def refused(text: str, override: Sequence[str] = ()) -> list[str]:
    """The problems of `text`, one line each."""
    with pytest.raises(ConfigError) as caught:
        loaded(text, override)
    assert all(one.line or (one.file or "").startswith("-o ") for one in caught.value.problems)
    return [str(problem) for problem in caught.value.problems if problem.severity == "error"]
