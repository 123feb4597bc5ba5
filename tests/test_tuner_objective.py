"""What a `Tuner` takes as its objective besides names: scorers, and what it says of anything else."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any

import pytest
from sklearn.datasets import load_diabetes
from sklearn.linear_model import Ridge
from sklearn.metrics import check_scoring, get_scorer, make_scorer, mean_squared_error, median_absolute_error
from sklearn.model_selection import cross_val_score

from hptune.errors import NoSuccess, UsageError
from hptune.hyperparameters import HyperParameters
from hptune.objective import Objective
from hptune.tuner import Tuner, TunerTrial

X, y = load_diabetes(return_X_y=True)


def build(hp: HyperParameters) -> Ridge:
    return Ridge(alpha=hp.Float("alpha", 1e-3, 1e3, sampling="log"))


def searched(objective: Any, **options: Any) -> Tuner:
    tuner = Tuner(build, objective, max_trials=2, cv=3, **options)
    tuner.search(X, y)
    return tuner


def worst(estimator: Any, X: Any, y: Any = None) -> float:
    return -float(abs(estimator.predict(X) - y).max())


def mine(y_true: Any, y_pred: Any, weights: Any = None) -> float:
    return 0.0


class Called:
    def __call__(self, estimator: Any, X: Any, y: Any) -> float:
        return worst(estimator, X, y)


@pytest.mark.parametrize(
    ("scorer", "name"),
    [
        (worst, "worst"),
        (lambda estimator, X, y: worst(estimator, X, y), "score"),
        (functools.partial(worst), "score"),
        (Called(), "score"),
        (make_scorer(median_absolute_error, greater_is_better=False), "neg_median_absolute_error"),
        (get_scorer("r2"), "r2_score"),
    ],
)
def test_a_scorer_is_the_objective_as_it_is_scikit_learns_scoring(scorer: Any, name: str) -> None:
    tuner = searched(scorer)
    assert tuner.objective == Objective(name, "maximize")
    trial = tuner.history.trials[0]
    theirs = cross_val_score(Ridge(alpha=trial.values["alpha"]), X, y, cv=3, scoring=scorer)
    assert trial.scores == pytest.approx(tuple(theirs))
    best = tuner.history.best
    assert best is not None
    assert best.score == max(one.score or -1e9 for one in tuner.history.trials)


@pytest.mark.parametrize("function", [mean_squared_error, mine, lambda a, b: 0.0])
def test_a_function_of_predictions_is_told_to_be_made_a_scorer(function: Any) -> None:
    name = "function" if "lambda" in function.__name__ else function.__name__
    with pytest.raises(UsageError, match=rf"of a function of \(y_true, y_pred\) make one: .*make_scorer\({name}\)"):
        Tuner(build, function)
    assert searched(make_scorer(function)).history.best is not None  # the mend


@pytest.mark.parametrize("several", [["r2", "neg_max_error"], ("r2",), {"r2": worst}])
def test_several_objectives_are_refused_with_the_first_to_take(several: Any) -> None:
    with pytest.raises(UsageError, match=r"objective: expected .* a study has one objective: take 'r2'"):
        Tuner(build, several)
    assert searched("r2").history.best is not None  # the mend


@pytest.mark.parametrize("nothing", [3, [], Ridge(), Ridge])
def test_what_is_no_objective_is_refused(nothing: Any) -> None:
    with pytest.raises(UsageError, match=r"objective: expected the name of a scikit-learn scorer, a scorer"):
        Tuner(build, nothing)


def test_a_scorer_that_returns_no_number_fails_its_trials() -> None:
    with pytest.raises(NoSuccess, match=r"expected a finite number as score"):
        searched(check_scoring(Ridge(), ["r2", "neg_max_error"]))


def test_a_kept_folder_knows_a_scorer_by_its_name(tmp_path: Path) -> None:
    searched(worst, directory=tmp_path)
    tuner = Tuner(build, worst, max_trials=3, cv=3, directory=tmp_path)
    tuner.search(X, y)
    assert len(tuner.history.trials) == 3
    with pytest.raises(UsageError, match=r"metric: expected r2_score, found worst"):
        searched(get_scorer("r2"), directory=tmp_path)


def test_an_own_run_trial_may_hand_on_to_the_default_with_a_scorer() -> None:
    class Cut(Tuner):
        def run_trial(self, trial: TunerTrial, X: Any, y: Any) -> Any:  # type: ignore[override]
            return {"worst": super().run_trial(trial, X[:200], y[:200])[0]}

    tuner = Cut(build, worst, max_trials=2, cv=3)
    tuner.search(X, y)
    assert tuner.history.best is not None


def test_keras_tuners_directions_are_taken() -> None:
    assert Objective("mse", "min") == Objective("mse", "minimize")
    assert Objective("acc", "max") == Objective("acc", direction="maximize")
    assert repr(Objective("mse", "min")) == "Objective(metric='mse', direction='minimize')"
    for wrong in ("up", None, ["min"]):
        with pytest.raises(ValueError, match=r"expected 'maximize' or 'minimize', found"):
            Objective("mse", wrong)  # type: ignore[arg-type]
