"""Metrics that the test rows of a fold do not do for are refused before the first fit, and no others."""

from __future__ import annotations

import numpy as np
import pytest

from hptune.dataset import Task
from hptune.evaluate import EvaluateSpec
from hptune.worker.scoring import Scoring

RARE = np.array([0] * 20 + [1] * 2)
LAST = [np.arange(0, 11), np.array([20, *range(11, 20)]), np.array([21, 1])]
SAME = [np.array([0, 20]), np.array([1, 2, 3]), np.array([4, 21])]
NUMBERS = np.linspace(0.0, 1.0, 9)


def unfit(metric: str, task: Task, y: np.ndarray, tests: list[np.ndarray]) -> list[str]:  # type: ignore[type-arg]
    spec = EvaluateSpec.model_validate({"metric": metric})
    return [text for _, text in Scoring(spec, task, lambda *_, **__: None).unfit(y, tests)]


@pytest.mark.parametrize("metric", ["roc_auc", "neg_log_loss"])
def test_a_fold_of_one_class_is_named(metric: str) -> None:
    (text,) = unfit(metric, "classification", RARE, SAME)
    assert text.startswith(f"{metric} cannot score fold 1 (3 test rows, all of class 0): ")
    assert "fewer folds" in text


@pytest.mark.parametrize("metric", ["accuracy", "f1", "balanced_accuracy", "f1_macro"])
def test_what_can_be_scored_is_let_be(metric: str) -> None:
    assert unfit(metric, "classification", RARE, SAME) == []


def test_folds_with_every_class_are_let_be() -> None:
    assert unfit("roc_auc", "classification", RARE, LAST[1:]) == []


def test_r2_of_one_row_is_refused_and_an_error_of_one_row_is_not() -> None:
    tests = [np.array([0, 1]), np.array([2])]
    (text,) = unfit("r2", "regression", NUMBERS, tests)
    assert text.startswith("r2 cannot score fold 1 (1 test row): ")
    assert unfit("neg_mean_absolute_error", "regression", NUMBERS, tests) == []
    assert unfit("r2", "regression", NUMBERS, tests[:1]) == []
