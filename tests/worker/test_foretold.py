"""Scores of looked-up predictions are those of predicting again, for every kind of answer that scorers ask for."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn.datasets import load_breast_cancer, load_diabetes, load_wine
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import get_scorer
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from hptune.worker.foretold import Foretold


@pytest.mark.parametrize(
    ("metric", "load", "model"),
    [
        ("roc_auc", load_breast_cancer, make_pipeline(StandardScaler(), LogisticRegression())),
        ("roc_auc", load_breast_cancer, make_pipeline(StandardScaler(), SVC())),  # decision_function alone
        ("neg_log_loss", load_breast_cancer, make_pipeline(StandardScaler(), LogisticRegression())),
        ("average_precision", load_breast_cancer, make_pipeline(StandardScaler(), SVC())),
        ("f1", load_breast_cancer, GridSearchCV(SVC(), {"C": [1.0, 2.0]}, cv=2)),
        ("roc_auc_ovr", load_wine, make_pipeline(StandardScaler(), LogisticRegression())),
        ("accuracy", load_wine, make_pipeline(StandardScaler(), SVC())),
        ("r2", load_diabetes, Ridge()),
        ("neg_root_mean_squared_error", load_diabetes, Ridge()),
    ],
)
@pytest.mark.parametrize("named", [False, True])
def test_drawn_rows_score_as_predicted_anew(metric: str, load: Any, model: Any, named: bool) -> None:
    X, y = load(return_X_y=True)
    if named and metric not in ("r2", "neg_root_mean_squared_error", "f1", "average_precision"):
        y = np.array(["a", "b", "c"])[y]
    scorer = get_scorer(metric)
    wanted = scorer._response_method
    fitted = model.fit(X[::2], y[::2])
    X, y = X[1::2], y[1::2]
    known = Foretold(fitted, X, (wanted,) if isinstance(wanted, str) else wanted)
    rng = np.random.default_rng(0)
    for _ in range(5):
        drawn = rng.integers(len(y), size=len(y))
        assert scorer(known, drawn, y[drawn]) == pytest.approx(scorer(fitted, X[drawn], y[drawn]), rel=1e-9)


def test_only_the_method_that_a_scorer_takes_is_called() -> None:
    class NoProbabilities(LogisticRegression):  # type: ignore[misc]
        def predict_proba(self, X: Any) -> Any:
            raise NotImplementedError

    X, y = load_breast_cancer(return_X_y=True)
    fitted = NoProbabilities(max_iter=5000).fit(X[:300, :3], y[:300])
    scorer = get_scorer("roc_auc")
    known = Foretold(fitted, X[300:, :3], scorer._response_method)
    assert scorer(known, np.arange(269), y[300:]) == pytest.approx(scorer(fitted, X[300:, :3], y[300:]))
