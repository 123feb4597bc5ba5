"""Steps that no trial changes are fitted once per fold, and every score is the one it would be without that."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from hptune.conditions import clause
from hptune.job import Job, Setup
from hptune.space import Choice, Fixed, Float, Int
from hptune.worker.prefix import PrefixCache, trusted
from hptune.worker.service import Service
from tests.worker.problems import DIABETES, IRIS, setup

SK = "sklearn."
C = Float(name="last.C", low=0.01, high=100, scale="log")
LOGISTIC: dict[str, Any] = {"class": SK + "linear_model.LogisticRegression", "params": {"max_iter": 50}}


def node(path: str, **params: Any) -> dict[str, Any]:
    return {"class": SK + path, "params": params}


def pipe(*steps: Any) -> dict[str, Any]:
    return {"pipeline": [{f"s{i}": step} for i, step in enumerate(steps[:-1])] + [{"last": steps[-1]}]}


FOREST = node("ensemble.ExtraTreesClassifier", n_estimators=5, random_state=None)
LEAF = Int(name="last.min_samples_leaf", low=1, high=9)
PIPELINES: dict[str, tuple[dict[str, Any], Any, tuple[Any, ...]]] = {
    "scaler": (pipe(node("preprocessing.StandardScaler"), LOGISTIC), IRIS, (C,)),
    "scaler, pca": (pipe(node("preprocessing.StandardScaler"), node("decomposition.PCA"), LOGISTIC), IRIS, (C,)),
    "passthrough": (pipe("passthrough", node("preprocessing.MinMaxScaler"), LOGISTIC), IRIS, (C,)),
    "supervised": (pipe(node("feature_selection.SelectKBest", k=2), LOGISTIC), IRIS, (C,)),
    "seeded": (pipe(node("kernel_approximation.Nystroem", n_components=9), LOGISTIC), IRIS, (C,)),
    "sparse": (pipe(node("ensemble.RandomTreesEmbedding", n_estimators=4), LOGISTIC), IRIS, (C,)),
    "drawing from the global generator": (
        pipe(node("random_projection.GaussianRandomProjection", n_components=3, random_state=None), FOREST),
        IRIS,
        (LEAF,),
    ),
    "changed in place later": (
        pipe(
            node("preprocessing.PolynomialFeatures", degree=2),
            {"choose": [node("preprocessing.StandardScaler", copy=False), "passthrough"]},
            node("linear_model.Ridge", copy_X=False),
        ),
        DIABETES,
        (Choice(name="s1", values=("StandardScaler", "passthrough")), Float(name="last.alpha", low=0.1, high=9.0)),
    ),
    "columns": (
        pipe(
            {"columns": [{"few": {"select": [0, 1], "with": node("preprocessing.KBinsDiscretizer", n_bins=3)}}],
             "remainder": node("preprocessing.QuantileTransformer", n_quantiles=20)},
            node("linear_model.Ridge"),
        ),
        DIABETES,
        (Float(name="last.alpha", low=0.1, high=9.0),),
    ),
}  # fmt: skip


def outcomes(problem: Setup, cache: PrefixCache | None) -> list[Any]:
    service = Service(problem)
    if cache is not None:
        service.problem.__dict__["prefixes"] = cache
    rng = np.random.default_rng(0)
    space = service.problem.declared
    out = []
    for trial, folds in enumerate([(0, 1, 2), (2, 0, 1), (1,), (1, 2)]):
        job = Job(trial=trial, values=space.sample(rng), folds=folds)
        outcome = service.run(job)
        assert outcome.failure is None, outcome.failure
        out.append([(m.fold, m.score, dict(m.metrics)) for m in outcome.measurements])
    return out


@pytest.mark.parametrize("name", PIPELINES)
def test_scores_are_the_same_bit_for_bit_as_without_the_cache(name: str) -> None:
    model, data, space = PIPELINES[name]
    problem = setup(model, data, {"cv": 3}, space)
    cache = PrefixCache()
    assert outcomes(problem, cache) == outcomes(problem, PrefixCache(limit=0))
    assert cache.hits == 6  # nine folds were fitted, three of them first


def test_what_is_tuned_is_fitted_anew_and_the_refit_model_is_a_whole_pipeline() -> None:
    scale, pca = node("preprocessing.StandardScaler"), node("decomposition.PCA")
    tuned = Int(name="s1.n_components", low=1, high=3)
    service = Service(setup(pipe(scale, pca, LOGISTIC), IRIS, {"cv": 3}, (tuned, C)))
    model, space = service.problem.estimators, service.problem.declared
    assert model.untuned(space.sample(np.random.default_rng(0)), space) == ("", 1)
    first = Choice(name="s0.with_mean", values=(True, False))
    service = Service(setup(pipe(scale, pca, LOGISTIC), IRIS, {"cv": 3}, (first, C)))
    assert service.problem.estimators.untuned({}, service.problem.declared) == ("", 0)
    sometimes = Fixed(name="s0.with_std", value=False, when=clause("last.fit_intercept", False))
    sometimes_space = (sometimes, Choice(name="last.fit_intercept", values=(True, False)), C)
    service = Service(setup(pipe(scale, pca, LOGISTIC), IRIS, {"cv": 3}, sometimes_space))
    assert service.problem.estimators.untuned({}, service.problem.declared) == ("", 0)
    always = Fixed(name="s0.with_std", value=False)
    service = Service(setup(pipe(scale, pca, LOGISTIC), IRIS, {"cv": 3}, (always, C)))
    assert service.problem.estimators.untuned({}, service.problem.declared) == ("", 2)
    fitted = service.problem.fit({"last.C": 1.0}, service.problem.dataset.train, seed=0)
    assert [name for name, _ in fitted.steps] == ["s0", "s1", "last"]


def test_steps_of_ones_own_and_fit_parameters_of_the_prefix_are_left_alone() -> None:
    def own(X: Any) -> Any:
        return X

    assert trusted(StandardScaler())
    assert trusted(FunctionTransformer(np.log1p))
    assert not trusted(FunctionTransformer(own))

    class Mine(StandardScaler):  # type: ignore[misc]
        pass

    assert not trusted(Mine())


def test_memory_is_bounded_and_the_least_used_fold_goes_first() -> None:
    from sklearn.pipeline import Pipeline

    rows = np.random.default_rng(0).normal(size=(100, 5))
    size = rows.nbytes + rows[:20].nbytes
    cache = PrefixCache(limit=2 * size)
    for fold in (0, 1, 0, 2, 0, 1):
        made = cache.through(fold, Pipeline([("s", StandardScaler())]), rows, None, rows[:20])
        assert made is not None
        assert made[0].shape == rows.shape
        assert cache.held <= 2 * size
    assert cache.hits == 2
    small = PrefixCache(limit=10)
    assert small.through(0, Pipeline([("s", StandardScaler())]), rows, None, rows[:20]) is None
    assert small.held == 0
