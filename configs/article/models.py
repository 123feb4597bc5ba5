"""Least squares on the first features only: a model whose structure is a hyperparameter.

A YAML model names a class and its parameters. Here the parameter is *which columns the model sees*, so the model is
written in Python instead: `build(hp)` asks `hp` for what is to be tuned and returns an unfitted estimator.
"""

from __future__ import annotations

from sklearn.compose import ColumnTransformer
from sklearn.linear_model import LinearRegression
from sklearn.pipeline import Pipeline, make_pipeline

import hptune

FEATURES = 50
INFORMATIVE = 10  # the data declares them in the same order: the first ten features matter


def on_first(size: int) -> Pipeline:
    """Return least squares that sees the first `size` columns; all others are dropped."""
    return make_pipeline(ColumnTransformer([("first", "passthrough", list(range(size)))]), LinearRegression())


class FirstFeatures(hptune.HyperModel):
    """Least squares on the first `size` features, the size being searched."""

    def build(self, hp: hptune.HyperParameters) -> Pipeline:
        return on_first(hp.Int("size", min_value=1, max_value=FEATURES))


class Informative(hptune.HyperModel):
    """Least squares on the informative features: what someone could fit who knew them."""

    def build(self, hp: hptune.HyperParameters) -> Pipeline:
        return on_first(hp.Fixed("size", INFORMATIVE))
