"""Estimators as code: what is written builds the same again, or is refused by name."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import pytest
from sklearn.base import BaseEstimator, clone
from sklearn.compose import ColumnTransformer, TransformedTargetRegressor
from sklearn.ensemble import RandomForestClassifier, StackingRegressor
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import RBF, WhiteKernel
from sklearn.linear_model import LassoCV, Ridge
from sklearn.model_selection import KFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from sklearn.svm import SVR

from hptune.worker.source import WIDTH, NotPlain, Source


def rebuilt(value: Any) -> Any:
    """Return what the code says, run with its imports alone."""
    source = Source()
    text = source.expression(value)
    names: dict[str, Any] = {}
    exec("\n".join([*source.imports(), f"found = {text}"]), names)
    return names["found"]


ESTIMATORS = [
    Ridge(alpha=0.1 + 0.2, fit_intercept=False),
    make_pipeline(StandardScaler(), "passthrough", SVR(C=1e-3, gamma="auto")),
    ColumnTransformer([("a", StandardScaler(), ["x", "y"]), ("b", "drop", slice(2, 5))], remainder="passthrough"),
    StackingRegressor([("r", Ridge()), ("s", SVR())], final_estimator=Ridge(alpha=2)),
    TransformedTargetRegressor(Ridge(), func=np.log1p, inverse_func=np.expm1),
    GaussianProcessRegressor(1.5 * RBF(0.3) + WhiteKernel(1e-3)),
    LassoCV(cv=KFold(3, shuffle=True, random_state=5), alphas=np.array([0.1, 1.0])),
    RandomForestClassifier(class_weight={0: 1.0, 1: 3.5}, max_depth=None, random_state=1, max_features=1.0),
    FunctionTransformer(partial(np.clip, a_min=0, a_max=1), kw_args={}),
]


@pytest.mark.parametrize("estimator", ESTIMATORS, ids=lambda one: type(one).__name__)
def test_the_code_of_an_estimator_builds_the_same_one_again(estimator: Any) -> None:
    again = rebuilt(estimator)
    assert type(again) is type(estimator)
    assert repr(again.get_params()) == repr(clone(estimator).get_params())


@pytest.mark.parametrize(
    "value", [float("inf"), float("-inf"), -0.0, 5e-324, 0.1, True, None, (1,), (), set(), "a'\"\\\n"]
)
def test_a_value_comes_back_with_its_type(value: Any) -> None:
    found = rebuilt({"key": value})["key"]
    assert repr(found) == repr(value)


def test_numbers_of_numpy_become_plain_ones() -> None:
    assert rebuilt([np.float64(0.1), np.int64(3), np.bool_(True)]) == [0.1, 3, True]


def test_lines_stay_short_and_one_line_is_enough_for_little() -> None:
    source = Source()
    text = source.expression(make_pipeline(*(SVR(C=number + 0.123456789) for number in range(9))))
    assert max(map(len, text.splitlines())) <= WIDTH
    assert Source().expression(Ridge(alpha=2)) == "Ridge(alpha=2)"


class Local(BaseEstimator):
    def __init__(self, what: Any = None) -> None:
        self.what = what


@pytest.mark.parametrize("what", [lambda x: x, object(), Local], ids=["lambda", "object", "class"])
def test_what_cannot_be_written_is_named(what: Any) -> None:
    if what is Local:
        hidden = type("Hidden", (BaseEstimator,), {})
        with pytest.raises(NotPlain, match="Hidden"):
            Source().expression(hidden())
        return
    with pytest.raises(NotPlain, match=r"model\.what"):
        Source().expression(Local(what))
