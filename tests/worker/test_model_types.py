"""Which types a model file may hold: those that scikit-learn's fitted estimators are made of, and no others."""

from __future__ import annotations

import contextlib
import importlib
import inspect
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hptune.dataset import Rows
from hptune.worker.kept import load_model, read_card, write_card
from hptune.worker.model_types import TYPES, is_harmless
from hptune.worker.refit import save

READ_OR_WRITE = ("datasets", "externals", "tests", "_testing", "conftest")


def lives(name: str) -> type | None:
    """Return the class of this name if it is defined where the name says, None where this version has none."""
    module, _, last = name.rpartition(".")
    found = getattr(importlib.import_module(module), last, None)
    # Cython's classes tell the last part of their module only.
    ours = isinstance(found, type) and module.endswith(found.__module__) and found.__name__ == last
    return found if ours else None


def test_every_type_is_a_class_that_lives_where_its_name_says() -> None:
    from sklearn.experimental import enable_halving_search_cv, enable_iterative_imputer  # noqa: F401

    here = {name: lives(name) for name in TYPES}
    gone = {"sklearn.compose._column_transformer._RemainderColsList"}  # of scikit-learn 1.7
    assert {name for name, found in here.items() if found is None} <= gone
    assert not [name for name in TYPES if any(part in READ_OR_WRITE for part in name.split("."))]


def test_what_only_passes_through_scikit_learn_is_no_part_of_it() -> None:
    for name in (
        "sklearn.datasets._base.Path",
        "sklearn.utils.Memory",
        "sklearn.svm.SVC.fit",
        "os.system",
        "Tree",
        "",
    ):
        assert not is_harmless(name)


def models() -> Iterator[Any]:
    """Yield unfitted models with `predict`: all that scikit-learn has, and others of what they may be made of."""
    from sklearn.experimental import enable_halving_search_cv, enable_iterative_imputer  # noqa: F401
    from sklearn.gaussian_process import GaussianProcessRegressor, kernels
    from sklearn.linear_model import LinearRegression, LogisticRegression, TweedieRegressor
    from sklearn.neighbors import KNeighborsRegressor
    from sklearn.pipeline import make_pipeline
    from sklearn.utils import all_estimators

    for _, cls in all_estimators(type_filter=["classifier", "regressor", "transformer"]):
        parameters = inspect.signature(cls).parameters.values()
        needed = [one.name for one in parameters if one.default is inspect.Parameter.empty]
        inner = LogisticRegression() if getattr(cls, "_estimator_type", "") == "classifier" else LinearRegression()
        model = cls(**{name: [("one", inner)] if name == "estimators" else inner for name in needed})
        yield model if hasattr(model, "predict") else make_pipeline(model, LinearRegression())
    for kernel in (
        *(kernels.RBF() + kernels.WhiteKernel(), kernels.Matern() * kernels.DotProduct(), kernels.ExpSineSquared()),
        *(kernels.RationalQuadratic() ** 2, kernels.PairwiseKernel(metric="rbf"), 2.0 * kernels.RBF()),
    ):
        yield GaussianProcessRegressor(kernel=kernel, optimizer=None, alpha=1e-3)
    for algorithm in ("ball_tree", "kd_tree"):
        for metric in ("manhattan", "chebyshev", "minkowski"):
            yield KNeighborsRegressor(algorithm=algorithm, metric=metric)
    for power in (0, 1, 1.5, 2):
        yield TweedieRegressor(power=power)


def fitted() -> Iterator[tuple[Any, Any]]:
    """Yield those of them that take a table of numbers and two classes, fitted, and the table."""
    rng = np.random.default_rng(0)
    X = np.abs(rng.normal(size=(60, 4)))
    y = (X[:, 0] > np.median(X[:, 0])).astype(int)
    for model in models():
        with contextlib.suppress(Exception):  # it takes other data (texts, a kernel's matrix, several targets)
            model.fit(X, y)
            model.predict(X)
            yield model, X


@pytest.mark.slow
def test_no_class_of_scikit_learn_keeps_a_model_from_a_file_that_can_be_read_again(tmp_path: Path) -> None:
    """Where skops is not possible, it is for a function, for a class from elsewhere, or as skops itself says."""
    kept, pickled = 0, []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for number, (model, X) in enumerate(fitted()):
            place, rows = tmp_path / str(number), Rows(X=X, y=np.zeros(len(X)))
            place.mkdir()
            saved = save(model, place, rows)
            if saved["format"] != "skops":
                pickled.append((str(model), saved["reason"]))
                continue
            write_card(place, saved, model, rows, trial=0, task="none", folder="", data={}, versions={})
            card = read_card(place)
            assert card is not None
            assert np.allclose(load_model(place, card).predict(X), model.predict(X), rtol=1e-9), model
            kept += 1
    wanted = [one for _, reason in pickled for one in reason.partition("need trust in ")[2].split(", ") if one]
    ours = [one for one in wanted if one.startswith("sklearn.") and lives(one) is not None]
    assert ours == [], pickled
    assert kept > 100, (kept, pickled)
