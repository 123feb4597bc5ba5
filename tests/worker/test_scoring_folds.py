"""Metrics that the test rows of a fold do not do for are refused before the first fit, and no others."""

from __future__ import annotations

import contextlib
from typing import Any

import numpy as np
import pytest
from sklearn.metrics import make_scorer, mean_squared_error

from hptune.dataset import Task
from hptune.errors import ConfigError
from hptune.evaluate import EvaluateSpec
from hptune.worker.scoring import Scoring, scorer_names

RARE = np.array([0] * 20 + [1] * 2)


def one_argument(y: np.ndarray) -> float:  # type: ignore[type-arg]
    return float(y[0])


def raises(y: np.ndarray, predicted: np.ndarray) -> float:  # type: ignore[type-arg]
    raise RuntimeError("no score today")


def nothing(y: np.ndarray, predicted: np.ndarray) -> None:  # type: ignore[type-arg]
    del y, predicted


def never(y: np.ndarray, predicted: np.ndarray) -> float:  # type: ignore[type-arg]
    return float("nan")


def one_each(y: np.ndarray, predicted: np.ndarray) -> np.ndarray:  # type: ignore[type-arg]
    return np.abs(y - predicted)


def correlation(y: np.ndarray, predicted: np.ndarray) -> float:  # type: ignore[type-arg]
    if (predicted == predicted[0]).all():
        raise ValueError("no correlation with a constant")
    return float(np.corrcoef(y, predicted)[0, 1])


def doubt(y: np.ndarray, predicted: np.ndarray) -> float:  # type: ignore[type-arg]
    return float("nan") if (y == predicted).all() else 1.0


def greedy(y: np.ndarray, predicted: np.ndarray) -> float:  # type: ignore[type-arg]
    y[:] = predicted[:] = 0
    return 0.0


@pytest.mark.parametrize(
    ("function", "said"),
    [
        (one_argument, "TypeError: one_argument() takes 1 positional argument but 2 were given"),
        (raises, "RuntimeError: no score today"),
        (nothing, "what it returned: expected a finite number, found NoneType"),
        (never, "what it returned: expected a finite number, found nan"),
        (one_each, "what it returned: expected a finite number, found ndarray"),
    ],
)
def test_a_function_that_scores_no_predictions_of_the_target_is_refused(function: Any, said: str) -> None:
    (text,) = own(function)
    assert text.startswith("met:function cannot score this target: ")
    assert said in text
    assert text.endswith("; a metric is a function of (y_true, y_pred) to a number")


@pytest.mark.parametrize("function", [correlation, doubt, greedy])
def test_a_function_that_scores_some_predictions_is_let_be_and_changes_nothing(function: Any) -> None:
    before = NUMBERS.copy()
    assert own(function) == []
    assert (before == NUMBERS).all()


def own(function: Any) -> list[str]:
    spec = EvaluateSpec.model_validate({"metric": "met:function", "direction": "maximize"})
    folds = splits([[0, 1, 2, 3]], len(NUMBERS))
    return [text for _, text in Scoring(spec, "regression", lambda *_, **__: function).unfit(NUMBERS, folds)]


def splits(tests: list[list[int]], count: int) -> list[tuple[np.ndarray, np.ndarray]]:  # type: ignore[type-arg]
    """Return each test part with all other rows as its training rows."""
    return [(np.setdiff1d(np.arange(count), rows), np.array(rows)) for rows in tests]


ONE_CLASS = splits([[0, 20], [1, 2, 3], [4, 21]], 22)
NUMBERS = np.linspace(0.0, 1.0, 9)


def unfit(metric: str, task: Task, y: np.ndarray, folds: list[tuple[np.ndarray, np.ndarray]]) -> list[str]:  # type: ignore[type-arg]
    spec = EvaluateSpec.model_validate({"metric": metric})
    return [text for _, text in Scoring(spec, task, lambda *_, **__: None).unfit(y, folds)]


@pytest.mark.parametrize("metric", ["roc_auc", "neg_log_loss"])
def test_a_fold_of_one_class_is_named(metric: str) -> None:
    (text,) = unfit(metric, "classification", RARE, ONE_CLASS)
    assert text.startswith(f"{metric} cannot score fold 1 (3 test rows, all of class 0): ")
    assert "fewer folds" in text


@pytest.mark.parametrize("metric", ["accuracy", "f1", "balanced_accuracy", "f1_macro"])
def test_what_can_be_scored_is_let_be(metric: str) -> None:
    assert unfit(metric, "classification", RARE, ONE_CLASS) == []


def test_folds_with_every_class_are_let_be() -> None:
    assert unfit("roc_auc", "classification", RARE, ONE_CLASS[::2]) == []


def test_a_class_that_neither_part_of_a_fold_has_does_no_harm_and_one_new_in_its_test_rows_does() -> None:
    y = np.array([0, 1] * 6 + [0, 1, 2, 2, 0, 1, 2, 2])
    known = (np.arange(8), np.arange(8, 12))  # class 2 comes later
    fresh = (np.arange(12), np.arange(12, 16))
    assert unfit("neg_log_loss", "classification", y, [known]) == []
    (text,) = unfit("neg_log_loss", "classification", y, [known, fresh])
    assert text.startswith("neg_log_loss cannot score fold 1 (4 test rows; its training rows have other classes): ")


def test_a_thousand_folds_of_one_row_are_asked_about_a_few_times(monkeypatch: pytest.MonkeyPatch) -> None:
    from hptune.worker import scoring

    asked = []
    real = scoring._scores
    monkeypatch.setattr(scoring, "_scores", lambda *found: asked.append(1) or real(*found))
    y = np.arange(1000) % 4
    assert unfit("accuracy", "classification", y, splits([[row] for row in range(1000)], 1000)) == []
    assert len(asked) == 4  # one for each class


def test_r2_of_one_row_is_refused_and_an_error_of_one_row_is_not() -> None:
    tests = splits([[0, 1], [2]], 9)
    (text,) = unfit("r2", "regression", NUMBERS, tests)
    assert text.startswith("r2 cannot score fold 1 (1 test row): ")
    assert unfit("neg_mean_absolute_error", "regression", NUMBERS, tests) == []
    assert unfit("r2", "regression", NUMBERS, tests[:1]) == []


@pytest.mark.parametrize("better", [True, False])
def test_a_scorer_that_turns_its_sign_is_maximized(better: bool) -> None:
    scorer = make_scorer(mean_squared_error, greater_is_better=better)
    load: Any = lambda *_, **__: scorer  # noqa: E731
    minimized = EvaluateSpec.model_validate({"metric": "m:s", "direction": "minimize"})
    if better:
        assert Scoring(minimized, "regression", load).direction == "minimize"
        return
    with pytest.raises(ConfigError, match="m:s turns its sign"):
        Scoring(minimized, "regression", load)
    maximized = EvaluateSpec.model_validate({"metric": "m:s", "direction": "maximize"})
    assert Scoring(maximized, "regression", load).direction == "maximize"


REGRESSION = ("r2", "explained_variance", "max_error", "d2_absolute_error_score")
CLUSTERS = ("rand_score", "mutual_info_score", "completeness_score", "homogeneity_score", "v_measure_score",
            "fowlkes_mallows_score")  # fmt: skip


def test_every_scorer_of_scikit_learns_is_refused_for_the_task_that_it_is_not_for() -> None:
    """Which task it is for is told by the name of a private module: were that to change, nothing would be refused."""
    tasks: tuple[Task, ...] = ("classification", "regression")
    for name in scorer_names():
        taken = []
        for task in tasks:
            with contextlib.suppress(ConfigError):
                Scoring(EvaluateSpec(metric=name), task, lambda *_, **__: None)
                taken.append(task)
        regression = name in REGRESSION or name.endswith(("_error", "_deviance"))
        clusters = name.endswith(CLUSTERS) or name == "adjusted_rand_score"
        assert taken == (list(tasks) if clusters else ["regression"] if regression else ["classification"]), name
