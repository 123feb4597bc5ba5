"""The folds and the seeds of a `Tuner`: what differs between two trials is their values."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.datasets import load_breast_cancer
from sklearn.ensemble import RandomForestClassifier
from sklearn.model_selection import (
    GridSearchCV,
    GroupKFold,
    KFold,
    RepeatedStratifiedKFold,
    ShuffleSplit,
    StratifiedKFold,
)
from sklearn.naive_bayes import GaussianNB

from hptune.errors import UsageError
from hptune.hyperparameters import HyperParameters
from hptune.tuner import Tuner, TunerTrial
from hptune.tuner_folds import Folds

X, y = load_breast_cancer(return_X_y=True)
X, y = X[::3], y[::3]


def same_whatever(hp: HyperParameters) -> GaussianNB:
    hp.Boolean("dummy")
    return GaussianNB()


def scores(cv: Any, build: Any = same_whatever, trials: int = 2, **options: Any) -> list[tuple[float, ...]]:
    tuner = Tuner(build, "roc_auc", max_trials=trials, cv=cv, **options)
    tuner.search(X, y)
    return [trial.scores for trial in tuner.history.trials]


class FromTheGlobals:
    """A splitter of the user's that draws from NumPy's global generator."""

    def split(self, X: Any, y: Any = None, groups: Any = None) -> Any:
        order = np.random.permutation(len(X))  # noqa: NPY002
        yield order[50:], order[:50]

    def get_n_splits(self, X: Any = None, y: Any = None, groups: Any = None) -> int:
        return 1


@pytest.mark.parametrize(
    "make",
    [
        lambda: KFold(3, shuffle=True),
        lambda: ShuffleSplit(3),
        lambda: RepeatedStratifiedKFold(n_splits=2, n_repeats=2),
        lambda: StratifiedKFold(3, shuffle=True, random_state=np.random.RandomState(3)),
        lambda: KFold(3, shuffle=True).split(X),
        FromTheGlobals,
    ],
)
def test_trials_and_searches_have_the_same_folds_whatever_the_splitter_draws(make: Any) -> None:
    first = scores(make())
    assert first[0] == first[1]
    assert scores(make()) == first


def test_another_seed_divides_otherwise_and_a_splitters_own_state_is_kept_to() -> None:
    assert scores(KFold(3, shuffle=True), seed=1) != scores(KFold(3, shuffle=True), seed=0)
    own = KFold(3, shuffle=True, random_state=7)
    theirs = GridSearchCV(GaussianNB(), {}, cv=own, scoring="roc_auc").fit(X, y).cv_results_
    assert scores(own)[0] == pytest.approx([theirs[f"split{fold}_test_score"][0] for fold in range(3)])


def test_a_splitter_that_several_searches_share_is_not_changed() -> None:
    shared, drawn = KFold(3, shuffle=True), StratifiedKFold(3, shuffle=True, random_state=np.random.RandomState(3))
    before = drawn.random_state.get_state()[1].copy()
    assert scores(shared) == scores(shared)
    assert scores(drawn) == scores(drawn)
    assert shared.random_state is None
    assert np.array_equal(drawn.random_state.get_state()[1], before)


def test_folds_given_as_an_iterator_serve_every_trial_and_search() -> None:
    tuner = Tuner(same_whatever, "roc_auc", max_trials=1, cv=KFold(3).split(X))
    tuner.search(X, y)
    tuner.max_trials = 2
    tuner.search(X, y)
    assert [trial.status for trial in tuner.history.trials] == ["completed", "completed"]
    assert [trial.scores for trial in tuner.history.trials] == scores(KFold(3))


def test_a_continued_directory_has_the_same_folds(tmp_path: Path) -> None:
    for trials in (1, 2):
        kept = scores(KFold(3, shuffle=True), trials=trials, directory=tmp_path, seed=None)
    assert kept[0] == kept[1]


def test_a_model_without_random_state_scores_the_same_for_the_same_seed() -> None:
    def build(hp: HyperParameters) -> RandomForestClassifier:
        hp.Boolean("dummy")
        return RandomForestClassifier(n_estimators=5)

    first = scores(3, build)
    assert first[0] == first[1]
    assert scores(3, build) == first
    assert scores(3, build, seed=1) != first
    twice = scores(3, build, executions_per_trial=2)
    assert twice[0][:3] == first[0]
    assert twice[0][3:] != first[0]  # further executions draw anew


def test_the_best_model_is_fitted_the_same_and_the_users_generators_are_left_alone() -> None:
    def build(hp: HyperParameters) -> RandomForestClassifier:
        return RandomForestClassifier(hp.Int("n_estimators", 3, 5))

    def fitted() -> Any:
        tuner = Tuner(build, "roc_auc", max_trials=2, cv=KFold(3, shuffle=True))
        tuner.search(X, y)
        return tuner.get_best_models()[0].predict_proba(X)

    before = random.getstate(), np.random.get_state()[1].copy()  # noqa: NPY002
    assert np.array_equal(fitted(), fitted())
    assert random.getstate() == before[0]
    assert np.array_equal(np.random.get_state()[1], before[1])  # noqa: NPY002


def test_a_run_trial_that_hands_on_other_data_gets_folds_of_it() -> None:
    class Fewer(Tuner):
        def run_trial(self, trial: TunerTrial, *args: Any, **kwargs: Any) -> Any:
            rows = 100 if trial.hyperparameters.Boolean("fewer") else 150
            return super().run_trial(trial, X[:rows], y[:rows], groups=np.arange(rows) // 10)

    def build(hp: HyperParameters) -> GaussianNB:
        hp.Boolean("fewer")
        return GaussianNB()

    tuner = Fewer(build, "roc_auc", max_trials=2, cv=GroupKFold(3))
    tuner.search(X, y)
    assert [len(trial.scores) for trial in tuner.history.trials] == [3, 3]
    assert tuner.history.trials[0].scores != tuner.history.trials[1].scores


def test_a_choice_of_models_is_stratified_for_all_of_them_or_none() -> None:
    class Unmarked(GaussianNB):  # as older classifiers that do not say what they are
        def __sklearn_tags__(self) -> Any:
            raise AttributeError("no tags")

    def build(hp: HyperParameters) -> Any:
        return Unmarked() if hp.Choice("kind", ["marked", "unmarked"]) == "unmarked" else GaussianNB()

    asked: list[bool] = []

    class Watched(Folds):
        def of(self, *args: Any, classes: bool, seed: int) -> Any:
            asked.append(classes)
            return super().of(*args, classes=classes, seed=seed)

    tuner = Tuner(build, "accuracy", max_trials=2, cv=3, oracle="grid")
    tuner._folds = Watched()
    tuner.search(X, y)
    assert {trial.values["kind"] for trial in tuner.history.trials} == {"marked", "unmarked"}
    assert asked == [True, True, True]  # before the first trial, and in each


@pytest.mark.parametrize("cv", [lambda: 3, "kfold", 2.5])
def test_what_is_no_cv_is_refused_with_what_would_be_one(cv: Any) -> None:
    with pytest.raises(UsageError, match=r"cv: expected a number of folds, a scikit-learn splitter"):
        scores(cv)


def test_an_iterator_that_is_used_up_is_told_so() -> None:
    folds = KFold(3).split(X)
    scores(folds)
    with pytest.raises(UsageError, match=r"found none in .*an iterator serves one Tuner only"):
        scores(folds)


def test_a_number_of_folds_is_scikit_learns() -> None:
    found = Folds().of(3, X, y, None, classes=True, seed=0)
    assert [list(test) for _, test in found] == [list(test) for _, test in StratifiedKFold(3).split(X, y)]
