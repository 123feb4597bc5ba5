"""`hptune.Tuner`: KerasTuner's loop on scikit-learn models, in this process."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.datasets import load_diabetes, load_iris
from sklearn.linear_model import Lasso, LogisticRegression, Ridge
from sklearn.metrics import get_scorer_names
from sklearn.model_selection import GroupKFold, cross_val_score, train_test_split

from hptune.errors import NoSuccess, UsageError
from hptune.hypermodel import HyperModel
from hptune.hyperparameters import HyperParameters
from hptune.objective import Objective
from hptune.oracles.hyperband import Hyperband
from hptune.tuner import Tuner, TunerTrial, objective_from

X, y = load_diabetes(return_X_y=True)


def build_ridge(hp: HyperParameters) -> Ridge:
    return Ridge(alpha=hp.Float("alpha", 1e-3, 1e3, sampling="log"))


def test_a_build_function_is_cross_validated_as_scikit_learn_does() -> None:
    tuner = Tuner(build_ridge, objective="r2", max_trials=5)
    tuner.search(X, y)
    best = tuner.get_best_hyperparameters()[0]
    alpha = best.get("alpha")
    assert tuner.history.best is not None
    theirs = cross_val_score(Ridge(alpha=alpha), X, y, cv=5, scoring="r2")
    assert tuner.history.best.scores == pytest.approx(tuple(theirs))
    assert tuner.history.trials[0].values == {"alpha": 1e-3}  # KerasTuner's default is the minimum
    model = tuner.get_best_models()[0]
    assert np.allclose(model.coef_, Ridge(alpha=alpha).fit(X, y).coef_)


def test_classifiers_get_stratified_folds_and_their_own_score() -> None:
    data, labels = load_iris(return_X_y=True)
    tuner = Tuner(
        lambda hp: LogisticRegression(C=hp.Float("C", 1e-3, 10, sampling="log"), max_iter=2000), max_trials=2
    )
    tuner.search(data, labels)
    theirs = cross_val_score(LogisticRegression(C=1e-3, max_iter=2000), data, labels, cv=5)
    assert tuner.history.trials[0].scores == pytest.approx(tuple(theirs))


class RidgeTuner(Tuner):
    """The article's pattern: everything in run_trial, no hypermodel."""

    def run_trial(self, trial: TunerTrial, X: Any, y: Any, X_valid: Any, y_valid: Any) -> Any:  # type: ignore[override]
        hp = trial.hyperparameters
        kind = hp.Choice("kind", ["ridge", "lasso"])
        with hp.conditional_scope("kind", "lasso"):
            lasso = hp.Float("alpha_lasso", 1e-3, 10, sampling="log")
        if kind == "lasso":
            model = Lasso(alpha=lasso)
        else:
            model = Ridge(
                alpha=hp.Float("alpha", 1e-3, 1e3, sampling="log", parent_name="kind", parent_values="ridge")
            )
        return {"r2": model.fit(X, y).score(X_valid, y_valid)}


def test_a_subclass_with_its_own_run_trial_needs_no_hypermodel(tmp_path: Path) -> None:
    parts = train_test_split(X, y, random_state=0)
    data = (parts[0], parts[2], parts[1], parts[3])
    tuner = RidgeTuner(objective="r2", max_trials=12, directory=tmp_path, seed=0)
    tuner.search(*data)
    kinds = {trial.values["kind"] for trial in tuner.history.trials}
    assert kinds == {"ridge", "lasso"}
    for trial in tuner.history.trials:
        assert ("alpha_lasso" in trial.values) == (trial.values["kind"] == "lasso")
    again = RidgeTuner(objective="r2", max_trials=14, directory=tmp_path, seed=0)
    again.search(*data)
    assert [t.values for t in again.history.trials[:12]] == [t.values for t in tuner.history.trials]
    assert len(again.history.trials) == 14
    fresh = RidgeTuner(objective="r2", max_trials=2, directory=tmp_path, seed=0, overwrite=True)
    fresh.search(*data)
    assert len(fresh.history.trials) == 2


def test_a_hypermodels_own_fit_is_used() -> None:
    seen: list[Any] = []

    class Mine(HyperModel):
        def build(self, hp: HyperParameters) -> Ridge:
            return build_ridge(hp)

        def fit(self, hp: HyperParameters, model: Any, *args: Any, **kwargs: Any) -> Any:
            seen.append(hp.get("alpha"))
            return model.fit(*args, **kwargs)

    tuner = Tuner(Mine(), objective="r2", max_trials=2)
    tuner.search(X[:300], y[:300], validation_data=(X[300:], y[300:]))
    assert len(seen) == 2


def test_executions_per_trial_are_averaged() -> None:
    scores = iter([1.0, 3.0, 5.0, 5.0])

    class Counted(Tuner):
        def run_trial(self, trial: TunerTrial, *args: Any, **kwargs: Any) -> Any:
            trial.hyperparameters.Int("a", 0, 10)
            return next(scores)

    tuner = Counted(objective=Objective("loss", "minimize"), max_trials=2, executions_per_trial=2)
    tuner.search()
    assert [t.score for t in tuner.history.trials] == [2.0, 5.0]
    assert tuner.history.best_number == 0


def test_a_failing_trial_is_recorded_and_all_failing_raises() -> None:
    class Bad(Tuner):
        def run_trial(self, trial: TunerTrial, *args: Any, **kwargs: Any) -> Any:
            a = trial.hyperparameters.Int("a", 0, 10)
            if trial.number and args[0](a):
                raise RuntimeError("boom")
            return float("nan") if args[0](a) else float(a)

    tuner = Bad(objective=Objective("loss", "minimize"), max_trials=6)
    tuner.search(lambda a: a % 2)
    assert {t.status for t in tuner.history.trials} == {"completed", "failed"}
    with pytest.raises(NoSuccess, match="finite number"):
        Bad(objective=Objective("loss", "minimize")).search(lambda a: True)

    def broken(hp: HyperParameters) -> Any:
        hp.Int("a", 0, 100)
        return Ridge(alpha=-1)

    with pytest.raises(NoSuccess, match="3 trials failed one after another"):
        Tuner(broken, objective="r2", max_trials=9, max_consecutive_failed_trials=3).search(X, y)


def test_given_hyperparameters_tailor_the_models_ranges() -> None:
    given = HyperParameters()
    given.Float("alpha", 10, 20)

    def build(hp: HyperParameters) -> Ridge:
        return Ridge(alpha=hp.Float("alpha", 1e-3, 1e3), fit_intercept=hp.Boolean("intercept", default=True))

    wide = Tuner(build, "r2", hyperparameters=given)
    assert [p.name for p in wide.space] == ["alpha", "intercept"]
    assert wide.space["alpha"].to_json()["max"] == 20
    narrow = Tuner(build, "r2", hyperparameters=given, tune_new_entries=False)
    assert [p.name for p in narrow.space] == ["alpha"]
    with pytest.raises(UsageError, match="asks for intercept"):
        _ = Tuner(build, "r2", hyperparameters=given, allow_new_entries=False).space


def test_summaries_say_what_was_searched_and_found(capsys: pytest.CaptureFixture[str]) -> None:
    tuner = Tuner(build_ridge, objective="r2", max_trials=3)
    tuner.search(X, y)
    tuner.search_space_summary(extended=True)
    tuner.results_summary(2)
    out = capsys.readouterr().out
    assert "alpha (float) min=0.001, max=1000.0, scale=log, default=0.001" in out
    assert "  1. trial " in out
    assert "  3. trial" not in out


@pytest.mark.parametrize(
    ("name", "direction"), [("val_loss", "minimize"), ("val_accuracy", "maximize"), ("neg_log_loss", "maximize")]
)
def test_a_metrics_name_tells_its_direction(name: str, direction: str) -> None:
    assert objective_from(name).direction == direction


def test_an_objective_without_direction_is_refused_with_the_mend() -> None:
    with pytest.raises(UsageError, match=r"hptune\.Objective\('speed', 'maximize' or 'minimize'\)"):
        Tuner(build_ridge, objective="speed")


def test_neither_hypermodel_nor_run_trial_is_refused() -> None:
    with pytest.raises(UsageError, match="hypermodel"):
        Tuner()


def test_overwriting_deletes_nothing_of_the_users(tmp_path: Path) -> None:
    Tuner(build_ridge, "r2", 2, directory=tmp_path).search(X, y)
    (tmp_path / "data").mkdir()
    for name in ("thesis.tex", "data/x.csv"):
        (tmp_path / name).write_text("mine")
    again = Tuner(build_ridge, "r2", 3, directory=tmp_path, seed=1, overwrite=True)
    assert (tmp_path / "thesis.tex").read_text() == (tmp_path / "data" / "x.csv").read_text() == "mine"
    again.search(X, y)
    assert len(again.history.trials) == 3


@pytest.mark.parametrize("oracle", ["hyperband", {"type": "asha", "max": 9}, Hyperband()])
def test_an_oracle_that_gives_shares_of_a_resource_is_refused(oracle: Any) -> None:
    with pytest.raises(UsageError, match="gives trials shares of a resource"):
        Tuner(lambda hp: None, "r2", oracle=oracle)


def test_a_second_search_goes_on_with_the_first(tmp_path: Path) -> None:
    for folder in (None, tmp_path):
        tuner = Tuner(build_ridge, "r2", 3, directory=folder)
        tuner.search(X, y)
        before = [trial.score for trial in tuner.history.trials]
        tuner.max_trials = 5
        tuner.search(X, y)
        assert [trial.score for trial in tuner.history.trials][:3] == before
        assert len(tuner.history.trials) == 5


@pytest.mark.parametrize("name", get_scorer_names())
def test_every_scorer_of_scikit_learn_is_known_to_be_maximized(name: str) -> None:
    assert Objective.named(name).direction == "maximize"


def test_an_objective_that_nothing_computes_is_refused_before_the_first_trial() -> None:
    with pytest.raises(UsageError, match="found 'mae'; did you mean 'neg_mean_absolute_error'"):
        Tuner(build_ridge, "mae")
    with pytest.raises(UsageError, match=r"scorers are maximized \(r2: more is better\), found minimize"):
        Tuner(build_ridge, Objective("r2", "minimize"))
    assert RidgeTuner(objective="mae").objective == Objective("mae", "minimize")


def test_a_tuner_may_draw_its_seed() -> None:
    tuner = Tuner(build_ridge, "r2", max_trials=1, seed=None)
    tuner.search(X, y)
    assert tuner.history.seed >= 0


def test_what_has_an_entry_for_each_row_is_cut_to_the_folds() -> None:
    weights = np.linspace(0.1, 1.0, len(y))
    tuner = Tuner(build_ridge, "r2", max_trials=2, cv=3)
    tuner.search(X, y, sample_weight=weights)
    trial = tuner.history.trials[0]
    expected = cross_val_score(
        Ridge(alpha=trial.values["alpha"]), X, y, scoring="r2", cv=3, params={"sample_weight": weights}
    )
    assert trial.scores == pytest.approx(expected)


def test_groups_reach_the_splitter_and_no_fit() -> None:
    groups = np.arange(len(y)) // 40
    tuner = Tuner(build_ridge, "r2", max_trials=2, cv=GroupKFold(3))
    tuner.search(X, y, groups=groups)
    trial = tuner.history.trials[0]
    expected = cross_val_score(
        Ridge(alpha=trial.values["alpha"]), X, y, scoring="r2", cv=GroupKFold(3), groups=groups
    )
    assert trial.scores == pytest.approx(expected)
    assert isinstance(tuner.get_best_models(1)[0], Ridge)


def test_a_build_that_fails_for_some_values_costs_those_trials_only() -> None:
    def build(hp: HyperParameters) -> Any:
        if hp.Choice("kind", ["ridge", "broken"]) == "broken":
            raise ValueError("no such kind")
        return build_ridge(hp)

    tuner = Tuner(build, "r2", max_trials=6, oracle="random")
    with pytest.warns(UserWarning, match="no such kind"):
        tuner.search(X, y)
    kinds = {trial.status: trial.values["kind"] for trial in tuner.history.trials}
    assert kinds == {"completed": "ridge", "failed": "broken"}
