"""The winner's file and its score on the holdout."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.linear_model import Ridge
from skops import io

from hptune.job import Job, Outcome, Setup
from hptune.worker.problem import Problem
from hptune.worker.refit import refit as refit_job
from hptune.worker.service import Service
from tests.worker.problems import RIDGE, SYNTHETIC, setup

HELD = {**SYNTHETIC, "holdout": {"fraction": 0.25}}


def refit(service: Service, values: dict[str, Any] | None = None, **options: Any) -> Outcome:
    return service.run(Job(kind="refit", options={"values": values or {}, **options}))


def answer_of(outcome: Outcome) -> dict[str, Any]:
    assert outcome.failure is None
    assert outcome.answer is not None
    return dict(outcome.answer)


def test_the_winner_is_fitted_on_the_search_rows_alone_and_kept_with_skops(tmp_path: Path) -> None:
    from sklearn.linear_model import Ridge
    from skops import io

    service = Service(setup(RIDGE, HELD))
    answer = answer_of(refit(service, {"alpha": 3.0}, path=str(tmp_path)))
    assert answer == {"model": "model.skops", "format": "skops", "trusted": [], "reason": "", "holdout": None}
    loaded = io.load(tmp_path / "model.skops", trusted=[])
    train = service.problem.dataset.train
    assert len(train) == 45
    assert np.allclose(loaded.coef_, Ridge(alpha=3.0).fit(train.X, train.y).coef_, rtol=1e-12)
    assert sorted(one.name for one in tmp_path.iterdir()) == ["model.json", "model.skops"]


def test_the_holdout_is_scored_for_the_winner_and_the_baseline() -> None:
    service = Service(setup(RIDGE, HELD, {"metric": "neg_mean_squared_error", "also": ["r2"]}))
    held = answer_of(refit(service, {"alpha": 0.1}, holdout=True, baseline={"alpha": 1000.0}))["holdout"]
    data = service.problem.dataset
    assert data.holdout is not None
    for found, alpha in ((held, 0.1), (held["baseline"], 1000.0)):
        model = Ridge(alpha=alpha).fit(data.train.X, data.train.y)
        error = ((model.predict(data.holdout.X) - data.holdout.y) ** 2).mean()
        assert found["score"] == pytest.approx(-error)
        assert found["metrics"]["r2"] == pytest.approx(model.score(data.holdout.X, data.holdout.y))
    assert held["rows"] == 15


def test_a_gap_of_the_folds_is_one_before_the_holdout_too() -> None:
    cv = {"type": "time_series", "folds": 3, "gap": 4}
    service = Service(setup(RIDGE, HELD, {"metric": "neg_mean_squared_error", "cv": cv}))
    held = answer_of(refit(service, {"alpha": 0.1}, holdout=True, baseline={"alpha": 1000.0}))["holdout"]
    data = service.problem.dataset
    assert data.holdout is not None
    for found, alpha in ((held, 0.1), (held["baseline"], 1000.0)):
        model = Ridge(alpha=alpha).fit(data.train.X[:-4], data.train.y[:-4])
        assert found["score"] == pytest.approx(-((model.predict(data.holdout.X) - data.holdout.y) ** 2).mean())
    outer = Problem(setup(RIDGE, SYNTHETIC, {"cv": cv}, outer={"folds": 3, "fold": 0})).dataset
    assert (len(outer.train), len(outer.holdout or ())) == (15 - 4, 15)


def test_without_a_holdout_there_is_none_to_score() -> None:
    assert answer_of(refit(Service(setup(RIDGE, SYNTHETIC)), holdout=True))["holdout"] is None


def test_private_classes_of_scikit_learn_are_listed_for_the_reader(tmp_path: Path) -> None:
    from skops import io

    forest = {"class": "sklearn.ensemble.RandomForestRegressor", "params": {"n_estimators": 2}}
    answer = answer_of(refit(Service(setup(forest, SYNTHETIC)), path=str(tmp_path)))
    assert answer["format"] == "skops"
    assert answer["trusted"] in ([], ["sklearn.tree._tree.Tree"])  # scikit-learn 1.7 keeps it otherwise
    assert len(io.load(tmp_path / "model.skops", trusted=answer["trusted"]).estimators_) == 2


@pytest.mark.parametrize("model", ["sklearn.linear_model.Ridge", "sample_models.Mean"])
def test_a_model_is_not_written_through_links_under_the_names_of_unfinished_files(tmp_path: Path, model: str) -> None:
    victim, run = tmp_path / "victim", tmp_path / "run"
    victim.write_text("precious")
    run.mkdir()
    for name in ("model.skops", "model.joblib", "model.json"):
        (run / f"{name}.{os.getpid()}.tmp").symlink_to(victim)
    answer = answer_of(refit(Service(setup({"class": model}, SYNTHETIC)), path=str(run)))
    assert victim.read_text() == "precious"
    assert (run / answer["model"]).is_file()
    assert not (run / answer["model"]).is_symlink()


def test_a_model_with_a_folder_of_pickles_goes_into_a_pickle(tmp_path: Path) -> None:
    from sklearn.pipeline import make_pipeline

    from hptune.worker.refit import save

    rows = Problem(setup(RIDGE, SYNTHETIC)).dataset.train
    fitted = make_pipeline(Ridge(), memory=str(tmp_path / "cache")).fit(rows.X, rows.y)
    (tmp_path / "run").mkdir()
    saved = save(fitted, tmp_path / "run", rows)
    assert (saved["format"], saved["reason"]) == ("joblib", "not skops: Pipeline.memory is set")


def test_a_users_own_class_goes_into_a_pickle_and_the_answer_says_why(tmp_path: Path) -> None:
    import joblib

    (tmp_path / "model.skops").write_text("an earlier winner")
    answer = answer_of(refit(Service(setup({"class": "sample_models.Mean"}, SYNTHETIC)), path=str(tmp_path)))
    assert (answer["model"], answer["format"]) == ("model.joblib", "joblib")
    assert answer["reason"] == "not skops: it would need trust in sample_models.Mean"
    assert sorted(one.name for one in tmp_path.iterdir()) == ["model.joblib", "model.json"]
    assert type(joblib.load(tmp_path / "model.joblib")).__name__ == "Mean"


def test_a_model_that_nothing_can_keep_is_told_and_still_scored(tmp_path: Path) -> None:
    service = Service(setup({"class": "sample_models.Unpicklable"}, HELD))
    answer = answer_of(refit(service, path=str(tmp_path), holdout=True))
    assert (answer["model"], answer["format"]) == (None, None)
    assert "not skops: " in answer["reason"]
    assert "not joblib: " in answer["reason"]
    assert answer["holdout"]["rows"] == 15
    assert list(tmp_path.iterdir()) == []


def test_a_function_model_has_nothing_to_keep() -> None:
    service = Service(setup({"function": "sample_objectives:sphere"}, evaluate={"direction": "minimize"}))
    answer = answer_of(refit(service, {"x": 1.0}))
    assert answer["model"] is None
    assert answer["reason"] == "a function model has no fitted estimator to keep"


def test_a_folder_that_cannot_be_written_and_a_fit_that_raises_are_failures(tmp_path: Path) -> None:
    missing = refit(Service(setup(RIDGE, SYNTHETIC)), path=str(tmp_path / "none"))
    assert missing.failure is not None
    assert "FileNotFoundError" in missing.failure.message
    unlucky = refit(Service(setup({"class": "sample_models.Unlucky"}, SYNTHETIC)))
    assert unlucky.failure is not None
    assert unlucky.failure.message == "ValueError: this model never fits"


def test_an_unknown_kind_of_job_is_a_failure() -> None:
    outcome = Service(setup(RIDGE, SYNTHETIC)).run(Job(kind="dance"))  # type: ignore[arg-type]
    assert outcome.failure is not None
    assert "expected inspect, probe, evaluate or refit, found 'dance'" in outcome.failure.message


def test_refit_all_fits_the_kept_model_on_the_holdout_too_after_scoring_it(tmp_path: Path) -> None:
    problem_setup = Setup(
        model={"class": "sklearn.linear_model.Ridge"},
        data={"train": "sklearn:load_diabetes", "holdout": {"fraction": 0.3}},
        evaluate={},
        space={"parameters": []},
        seed=0,
        folder=".",
    )
    scores, kept = [], []
    for everything in (False, True):
        problem = Problem(problem_setup)
        folder = tmp_path / str(everything)
        folder.mkdir()
        options = {"values": {}, "path": str(folder), "holdout": True, "everything": everything}
        answer = refit_job(problem, Job(kind="refit", options=options)).answer
        assert answer is not None
        scores.append(answer["holdout"]["score"])
        kept.append(io.load(folder / answer["model"], trusted=answer["trusted"]).coef_)
    assert scores[0] == scores[1]
    data = Problem(problem_setup).dataset
    assert data.holdout is not None
    whole = data.train.joined(data.holdout)
    assert not (kept[0] == kept[1]).all()
    assert kept[1] == pytest.approx(Ridge().fit(whole.X, whole.y).coef_)
