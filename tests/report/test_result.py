"""result.json and its schema, trials.csv, best.yaml, files written whole."""

from __future__ import annotations

import csv
import io
import json
import math
import os
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from hptune.errors import DirectoryUnusable
from hptune.objective import Objective
from hptune.report.best_yaml import best_config
from hptune.report.files import write_whole
from hptune.report.result import document, result
from hptune.report.result_schema import result_schema
from hptune.report.trials_csv import trials_csv
from hptune.study import Study
from tests import told


def valid(data: dict[str, Any]) -> None:
    jsonschema.Draft202012Validator(result_schema()).validate(json.loads(document(data)))


def test_the_schema_is_a_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(result_schema())


STUDIES = {
    "ridge": told.ridge,
    "pipeline": told.pipeline,
    "empty": told.study,
}


@pytest.mark.parametrize("make", STUDIES.values(), ids=STUDIES)
@pytest.mark.parametrize("reason", ["trials", "signal", "failures"])
def test_every_study_has_a_valid_result(make: Any, reason: str) -> None:
    valid(result(make().history, stop_reason=reason, reproducible=True))


def test_a_result_has_the_documented_keys_in_order() -> None:
    found = result(told.ridge().history, stop_reason="trials", reproducible=True)
    assert list(found) == [
        "schema_version",
        "name",
        "status",
        "stop_reason",
        "reproducible",
        "objective",
        "best",
        "baseline",
        "gain",
        "trials",
        "stopped",
        "resource",
        "holdout_uses",
        "seconds",
        "seed",
        "lookahead",
        "workers",
        "threads",
        "config_hash",
        "problem_hash",
        "space_hash",
        "data_hash",
        "versions",
        "gate",
        "nested",
    ]
    assert list(found["best"]) == [
        "trial",
        "params",
        "score",
        "std",
        "folds",
        "metrics",
        "holdout",
        "optimism",
        "expected",
    ]


def test_the_gain_is_positive_when_the_best_is_better_whatever_the_sign() -> None:
    for objective, sign in ((Objective("loss", "minimize"), 1), (Objective("neg_loss", "maximize"), -1)):
        study = told.study(objective=objective)
        told.tell(study, sign * 10.0)
        told.tell(study, sign * 8.0)
        found = result(study.history, stop_reason="trials", reproducible=True)
        assert found["gain"]["mean"] == pytest.approx(2.0)
        assert found["best"]["score"] == pytest.approx(sign * 8.0)


def test_a_study_in_which_all_failed_has_no_success_and_no_best() -> None:
    study = told.study()
    told.fail(study)
    found = result(study.history, stop_reason="trials", reproducible=True)
    assert (found["status"], found["best"], found["baseline"]["score"]) == ("no_success", None, None)
    valid(found)


def test_the_holdout_score_is_the_objectives() -> None:
    study = told.ridge()
    study.holdout(4, {"neg_root_mean_squared_error": -56.5, "r2": 0.4})
    assert result(study.history, stop_reason="trials", reproducible=True)["best"]["holdout"] == -56.5


def test_huge_scores_do_not_put_infinity_or_nan_into_json() -> None:
    study = told.study(objective=Objective("loss", "minimize"))
    study.tell(study.ask().number, [1.7e308])
    study.tell(study.ask().number, [-1.7e308])
    found = result(study.history, stop_reason="trials", reproducible=True)
    valid(found)
    assert "Infinity" not in document(found)
    assert all(math.isfinite(score) for score in found["best"]["folds"])


def test_parameters_keep_their_types() -> None:
    found = result(told.pipeline().history, stop_reason="trials", reproducible=True)
    params = json.loads(document(found))["best"]["params"]
    assert params["regressor.lasso.max_iter"] == 20000
    assert isinstance(params["regressor.lasso.alpha"], float)


def test_trials_csv_has_a_line_a_trial_and_full_precision() -> None:
    study = told.pipeline()
    rows = list(csv.DictReader(io.StringIO(trials_csv(study.history))))
    assert [int(row["trial"]) for row in rows] == list(range(12))
    assert float(rows[2]["score"]) == study.history.trials[2].score
    assert float(rows[2]["param.regressor.lasso.alpha"]) == study.history.trials[2].values["regressor.lasso.alpha"]
    assert rows[2]["param.regressor.svr.C"] == ""
    assert (rows[7]["status"], rows[7]["failure"], rows[7]["message"]) == (
        "failed",
        "timeout",
        "took longer than 2 s",
    )


def test_trials_csv_does_not_depend_on_the_clock() -> None:
    def told_with(step: float) -> Study:
        study = told.study()
        study._clock = lambda: step
        told.tell(study, -1.0)
        return study

    assert trials_csv(told_with(1.0).history) == trials_csv(told_with(2.0e9).history)


def test_best_config_fixes_the_winner_and_keeps_the_problem() -> None:
    study = told.ridge()
    best = study.history.best
    assert best is not None
    config = best_config(told.PROBLEM, best, name="told-best", folder="../told-best")
    assert config["space"] == {"alpha": best.values["alpha"]}
    assert config["budget"] == {"trials": 1, "trial_time": 60.0}
    assert config["output"] == {"dir": "../told-best", "refit": True}
    assert config["model"] == told.PROBLEM["model"]
    assert config["evaluate"] == told.PROBLEM["evaluate"]


def test_a_list_as_value_is_fixed_not_a_choice() -> None:
    study = told.ridge()
    best = study.history.best
    assert best is not None
    object.__setattr__(best, "values", {"layers": [64, 32]})
    config = best_config(told.PROBLEM, best, name="x", folder="y")
    assert config["space"] == {"layers": {"type": "fixed", "value": [64, 32]}}


def test_write_whole_replaces_and_leaves_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "result.json"
    write_whole(path, "old")
    write_whole(path, "new")
    assert path.read_text() == "new"
    assert list(tmp_path.iterdir()) == [path]


def test_a_failed_write_keeps_the_old_file_and_leaves_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "result.json"
    write_whole(path, "old")

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(DirectoryUnusable, match="No space left on device"):
        write_whole(path, "new")
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_folder_that_is_gone_is_named(tmp_path: Path) -> None:
    with pytest.raises(DirectoryUnusable, match="gone"):
        write_whole(tmp_path / "gone" / "x", "y")
