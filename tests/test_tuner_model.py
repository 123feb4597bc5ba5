"""What a `Tuner` builds and when it asks for hyperparameters: hypermodels of any form, a `fit` or `run_trial` that asks."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import pytest
from sklearn.datasets import load_diabetes
from sklearn.linear_model import Ridge

from hptune.errors import UsageError
from hptune.hypermodel import HyperModel
from hptune.hyperparameters import HyperParameters
from hptune.objective import Objective
from hptune.tuner import Tuner, TunerTrial

X, y = load_diabetes(return_X_y=True)


def build(hp: HyperParameters) -> Ridge:
    return Ridge(alpha=hp.Float("alpha", 0.1, 10))


class Method(HyperModel):
    def build(self, hp: HyperParameters) -> Ridge:
        return build(hp)


class Static(HyperModel):
    @staticmethod
    def build(hp: HyperParameters) -> Ridge:  # type: ignore[override]
        return build(hp)


class OfTheClass(HyperModel):
    @classmethod
    def build(cls, hp: HyperParameters) -> Ridge:
        return build(hp)


class Duck:
    """No `HyperModel`, and `fit` is its own."""

    fitted = 0

    def build(self, hp: HyperParameters) -> Ridge:
        return build(hp)

    def fit(self, hp: HyperParameters, model: Ridge, *args: Any, **kwargs: Any) -> Any:
        self.fitted += 1
        return model.fit(*args, **kwargs)


class UsesIt(Tuner):
    def run_trial(self, trial: TunerTrial, *args: Any, **kwargs: Any) -> Any:
        assert self.hypermodel is not None
        model = self.hypermodel.build(trial.hyperparameters)
        self.hypermodel.fit(trial.hyperparameters, model, *args, **kwargs)
        return model.score(*args)


@pytest.mark.parametrize("given", [build, Method(), Static(), OfTheClass(), Duck()])
def test_whatever_builds_is_a_hypermodel(given: Any) -> None:
    for kind in (Tuner, UsesIt):
        tuner = kind(given, "r2", max_trials=2, cv=3)
        tuner.search(X, y)
        (best,) = tuner.get_best_hyperparameters()
        assert tuner.hypermodel is not None
        assert tuner.hypermodel.build(best).alpha == best["alpha"]


def test_an_objects_own_fit_is_used() -> None:
    duck = Duck()
    Tuner(duck, "r2", max_trials=2, cv=3).search(X, y)
    assert duck.fitted == 6


def test_what_builds_nothing_is_refused() -> None:
    with pytest.raises(UsageError, match=r"expected an instance, found the class Method; write Method\(\)"):
        Tuner(Method, "r2")
    with pytest.raises(UsageError, match=r"expected a function build\(hp\) that returns a model, .* found Ridge\(\)"):
        Tuner(Ridge(), "r2")


# -- what run_trial and fit ask for ---------------------------------------------------------------------------------


class AsksBeside(Tuner):
    """KerasTuner's idiom for a hyperparameter of the training."""

    def run_trial(self, trial: TunerTrial, *args: Any, **kwargs: Any) -> Any:
        trial.hyperparameters.Int("batch", 32, 256, step=32)
        return super().run_trial(trial, *args, **kwargs)


class AsksInFit(HyperModel):
    def build(self, hp: HyperParameters) -> Ridge:
        return build(hp)

    def fit(self, hp: HyperParameters, model: Any, X: Any, y: Any) -> Any:  # type: ignore[override]
        return model.fit(X * 2 if hp.Boolean("double") else X, y)


@pytest.mark.parametrize(("kind", "model", "name"), [(AsksBeside, build, "batch"), (Tuner, AsksInFit(), "double")])
@pytest.mark.filterwarnings("error")
def test_what_the_first_run_meets_is_searched(kind: type[Tuner], model: Any, name: str, tmp_path: Path) -> None:
    def searched(trials: int, directory: Path | None) -> list[dict[str, Any]]:
        tuner = kind(model, "r2", max_trials=trials, cv=3, oracle="random", directory=directory)
        tuner.search(X, y)
        assert [one.name for one in tuner.space] == ["alpha", name]
        assert all(one.completed for one in tuner.history.trials)
        return [dict(one.values) for one in tuner.history.trials]

    values = searched(6, None)
    assert len({one[name] for one in values}) > 1
    searched(3, tmp_path)
    assert searched(6, tmp_path) == values
    with pytest.raises(UsageError, match="another space"):
        kind(lambda hp: Ridge(hp.Float("other", 1, 2)), "r2", directory=tmp_path, cv=3).search(X, y)


def test_what_the_first_run_meets_may_be_refused_or_left_alone() -> None:
    given = HyperParameters()
    given.Float("alpha", 0.1, 10)
    with pytest.raises(UsageError, match="asks for batch, and allow_new_entries is False"):
        AsksBeside(build, "r2", hyperparameters=given, allow_new_entries=False).search(X, y)
    tuner = AsksBeside(build, "r2", max_trials=2, hyperparameters=given, tune_new_entries=False)
    tuner.search(X, y)
    assert [one.name for one in tuner.space] == ["alpha"]


def test_what_only_a_later_trial_meets_runs_at_its_default_and_is_told_once() -> None:
    class Late(Tuner):
        def run_trial(self, trial: TunerTrial) -> float:  # type: ignore[override]
            hp = trial.hyperparameters
            hp.Float("x", 0, 1)
            return float(hp.Float("b", 0, 1, default=0.5)) if hp.Choice("kind", ["a", "b"]) == "b" else 0.1

    tuner = Late(objective=Objective("loss", "minimize"), max_trials=6, oracle="random")
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        tuner.search()
    assert sum(one.values["kind"] == "b" for one in tuner.history.trials) > 1
    assert [str(one.message) for one in caught] == [
        "b: this trial has no value for it; it runs at 0.5 (declare it beforehand to have it searched)"
    ]


# -- what is not to be tuned ----------------------------------------------------------------------------------------


class Outer(HyperModel):
    """Part of the model is not tunable."""

    def build(self, hp: HyperParameters) -> Ridge:
        return Method(tunable=False).build(hp).set_params(tol=hp.Float("tol", 1e-4, 1e-2))


@pytest.mark.filterwarnings("error")
def test_entries_that_are_not_to_be_tuned_run_at_their_defaults_without_a_word() -> None:
    tuner = Tuner(Outer(), "r2", max_trials=3, cv=3)
    tuner.search(X, y)
    assert {one.status for one in tuner.history.trials} == {"completed"}
    assert [one.name for one in tuner.space] == ["tol"]
    given = HyperParameters()
    given.Float("tol", 1e-4, 1e-2)
    tuner = Tuner(
        lambda hp: build(hp).set_params(tol=hp.Float("tol", 0, 1)),
        "r2",
        max_trials=3,
        cv=3,
        hyperparameters=given,
        tune_new_entries=False,
    )
    tuner.search(X, y)
    assert {one.status for one in tuner.history.trials} == {"completed"}
    tuner.get_best_models()
