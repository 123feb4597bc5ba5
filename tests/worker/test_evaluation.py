"""Scores of the folds: against scikit-learn's own, the same in every process, and failures as values."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from hptune.job import Job, Outcome, Setup
from hptune.randomness import seed_for
from hptune.space import Choice, Float
from hptune.worker.problem import Problem
from hptune.worker.service import Service
from tests.worker.problems import DIABETES, IRIS, RIDGE, SYNTHETIC, setup

ALPHA = Float(name="alpha", low=0.001, high=10, scale="log")


def run(problem: Setup, values: dict[str, Any] | None = None, folds: tuple[int, ...] = (0,)) -> Outcome:
    return Service(problem).run(Job(trial=3, values=values or {}, folds=folds))


@pytest.mark.parametrize(
    ("model", "data", "evaluate"),
    [
        (RIDGE, DIABETES, {"metric": "neg_root_mean_squared_error", "cv": {"type": "repeated_kfold", "folds": 3}}),
        (RIDGE, SYNTHETIC, {"cv": {"type": "time_series", "folds": 3}}),
        ({"class": "sklearn.tree.DecisionTreeClassifier"}, IRIS, {"metric": "neg_log_loss", "cv": 3}),
        ({"class": "sklearn.linear_model.LogisticRegression", "params": {"C": 0.1}}, IRIS, {"cv": 4}),
    ],
)
def test_scores_are_those_of_cross_val_score_on_the_same_folds(
    model: dict[str, Any], data: dict[str, Any], evaluate: dict[str, Any]
) -> None:
    from sklearn.model_selection import cross_val_score

    service = Service(setup(model, data, evaluate))
    problem = service.problem
    estimator = problem.build({})
    if "random_state" in estimator.get_params():
        estimator.set_params(random_state=0)
        model = {**model, "params": {**model.get("params", {}), "random_state": 0}}
        service = Service(setup(model, data, evaluate))
    scorer = evaluate.get("metric") or ("accuracy" if data is IRIS else "r2")
    rows = problem.dataset.train
    expected = cross_val_score(estimator, rows.X, rows.y, cv=problem.splits, scoring=scorer)
    outcome = service.run(Job(folds=tuple(range(len(problem.splits)))))
    assert outcome.failure is None
    # Equal up to the order of floating-point sums in BLAS.
    assert np.allclose([one.score for one in outcome.measurements], expected, rtol=1e-12)
    assert [one.fold for one in outcome.measurements] == list(range(len(expected)))


def test_further_metrics_and_the_train_score_come_along() -> None:
    evaluate = {"metric": "r2", "also": ["neg_mean_absolute_error", "r2", "neg_max_error"], "train_score": True}
    (one,) = run(setup(RIDGE, SYNTHETIC, evaluate)).measurements
    assert list(one.metrics) == ["neg_mean_absolute_error", "r2", "neg_max_error"]
    assert one.metrics["r2"] == one.score
    assert one.train_score is not None
    assert one.train_score > one.score
    assert one.fit_seconds > 0 < one.score_seconds


def test_a_function_is_a_metric_with_its_own_sign() -> None:
    evaluate = {
        "metric": "sample_objectives:absolute",
        "direction": "minimize",
        "also": ["neg_mean_absolute_error", "sklearn.metrics:mean_absolute_error"],
    }
    (one,) = run(setup(RIDGE, SYNTHETIC, evaluate)).measurements
    assert one.score == pytest.approx(-one.metrics["neg_mean_absolute_error"])
    assert one.score == pytest.approx(one.metrics["sklearn.metrics:mean_absolute_error"])


def test_the_order_of_folds_and_the_trial_change_nothing() -> None:
    forest = {"class": "sklearn.ensemble.RandomForestRegressor", "params": {"n_estimators": 3}}
    service = Service(setup(forest, SYNTHETIC, {"cv": 3}))
    forward = service.run(Job(trial=1, folds=(0, 1, 2))).measurements
    backward = service.run(Job(trial=9, folds=(2, 1, 0))).measurements
    assert [one.score for one in forward] == [one.score for one in reversed(backward)]


def test_another_process_finds_the_same_scores() -> None:
    tree = {"class": "sklearn.tree.ExtraTreeRegressor"}
    problem = setup(tree, {**SYNTHETIC, "holdout": {"fraction": 0.2}}, {"cv": 3})
    code = (
        "import json, sys; from hptune.job import Job, Setup; from hptune.worker.service import Service\n"
        "outcome = Service(Setup.from_json(json.load(sys.stdin))).run(Job(folds=(0, 1, 2)))\n"
        "print(json.dumps(outcome.to_json()))"
    )
    text = json.dumps(problem.to_json())
    out = subprocess.run([sys.executable, "-c", code], input=text, capture_output=True, text=True, check=True)
    theirs = Outcome.from_json(json.loads(out.stdout))
    ours = run(problem, folds=(0, 1, 2))
    assert [one.score for one in theirs.measurements] == [one.score for one in ours.measurements]


def test_the_seed_moves_folds_and_models() -> None:
    tree = {"class": "sklearn.tree.ExtraTreeRegressor"}
    scores = {run(setup(tree, SYNTHETIC, {"cv": {"type": "kfold", "shuffle": s}}, seed=n)).measurements[0].score
              for s in (True, False) for n in (0, 1)}  # fmt: skip
    assert len(scores) == 4


def test_code_that_draws_from_the_global_generators_is_reproducible_and_leaves_no_trace() -> None:
    problem = setup({"function": "sample_objectives:draws"}, evaluate={"direction": "minimize"})
    random.seed(1)
    state = random.getstate()
    first, again = run(problem).measurements[0].score, run(problem).measurements[0].score
    assert first == again
    assert random.getstate() == state


# -- failures -------------------------------------------------------------------------------------------------------


def test_a_fit_that_raises_is_a_failure_that_shows_the_users_frames() -> None:
    outcome = run(setup({"class": "sample_models.Unlucky"}, SYNTHETIC), folds=(1, 0))
    assert outcome.measurements == ()
    assert outcome.failure is not None
    assert (outcome.failure.kind, outcome.failure.message) == ("error", "fold 1: ValueError: this model never fits")
    assert outcome.failure.traceback is not None
    first_frame = outcome.failure.traceback.splitlines()[1]
    assert "sample_models.py" in first_frame
    assert "hptune/worker" not in outcome.failure.traceback


def test_measurements_before_a_failure_are_kept() -> None:
    outcome = run(setup(RIDGE, SYNTHETIC), folds=(0, 7))
    assert [one.fold for one in outcome.measurements] == [0]
    assert outcome.failure is not None
    assert outcome.failure.message == "fold 7: ValueError: expected a fold from 0 to 4, found 7"


def test_values_that_the_estimator_refuses_are_a_failure() -> None:
    failure = run(setup(RIDGE, SYNTHETIC, space=(ALPHA,)), {"alpha": -1.0}).failure
    assert failure is not None
    assert failure.kind == "error"
    assert "The 'alpha' parameter of Ridge must be" in failure.message


@pytest.mark.parametrize(
    ("metric", "said"),
    [
        ("sample_objectives:none_metric", "sample_objectives:none_metric: expected a finite number, found NoneType"),
        ("sklearn.metrics:mean_squared_log_error", "cannot be used when"),
    ],
)
def test_a_metric_that_gives_no_number_is_named(metric: str, said: str) -> None:
    failure = run(setup(RIDGE, SYNTHETIC, {"metric": metric, "direction": "minimize"})).failure
    assert failure is not None
    assert failure.kind == ("invalid" if "none" in metric else "error")
    assert said in failure.message


def test_scores_that_are_not_finite_are_invalid_by_the_metrics_name() -> None:
    constant = {"class": "sample_models.Mean", "params": {"shift": 1e200}}
    failure = run(setup(constant, SYNTHETIC, {"metric": "neg_mean_squared_error"})).failure
    assert failure is not None
    assert failure.message.startswith("fold 0: neg_mean_squared_error: expected a finite number, found -inf") or (
        failure.kind == "error"
    )


def test_a_config_at_fault_is_a_failure_too() -> None:
    for problem in (setup(RIDGE, None), setup({"class": "sklearn.svm.SVRR"}, SYNTHETIC), setup({"clas": 1})):
        outcome = run(problem)
        assert outcome.failure is not None
        assert outcome.failure.kind == "error"


def test_warnings_are_counted_and_go_to_the_log(capsys: pytest.CaptureFixture[str]) -> None:
    outcome = run(setup({"function": "sample_objectives:warns"}, evaluate={"direction": "minimize"}))
    assert outcome.failure is None
    assert capsys.readouterr().err == "trial 3, fold 0: UserWarning: careful (3 times)\n"


# -- function models ------------------------------------------------------------------------------------------------


def call(name: str, values: dict[str, Any] | None = None, **options: Any) -> Outcome:
    evaluate = {"metric": "loss", "direction": "minimize", **options.pop("evaluate", {})}
    return run(setup({"function": f"sample_objectives:{name}"}, evaluate=evaluate, **options), values)


def test_a_function_gets_the_values_as_one_dict_and_gives_the_metric() -> None:
    assert call("sphere", {"x": 2.0, "y": 1.0}).measurements[0].score == 5.0


def test_a_function_gets_what_its_signature_names() -> None:
    outcome = call("with_all", {"x": 1.0}, data=SYNTHETIC, evaluate={"also": ["rows", "grouped", "seed"]})
    (one,) = outcome.measurements
    assert one.score == 61.0
    assert one.metrics == {"rows": 60.0, "grouped": 0.0, "seed": float(seed_for(7, "model", 0))}
    assert outcome.reports == ((0, 1.0, 0.5), (0, 2.0, 0.25))
    assert call("only_seed").measurements[0].score == seed_for(7, "model", 0)
    assert call("greedy").measurements[0].score == 0.0


@pytest.mark.parametrize("data", [SYNTHETIC, DIABETES, {"function": "sample_objectives:sparse_data"}])
def test_what_a_function_changes_in_its_data_the_next_trial_does_not_meet(data: dict[str, Any]) -> None:
    evaluate = {"metric": "loss", "direction": "minimize"}
    worker = Service(setup({"function": "sample_objectives:changes_in_place"}, data, evaluate))
    first, again = (worker.run(Job(trial=number, values={}, folds=(0,))) for number in (0, 1))
    assert first.failure is None
    assert first.measurements[0].score == again.measurements[0].score


@pytest.mark.parametrize(
    ("what", "said"),
    [
        ("nan", "loss: expected a finite number, found nan"),
        ("inf", "loss: expected a finite number, found -inf"),
        ("none", "loss: expected a finite number, found NoneType"),
        ("true", "loss: expected a finite number, found bool True"),
        ("text", "loss: expected a finite number, found str '-123.5'"),
        ("complex", "loss: expected a finite number, found complex (1+2j)"),
        ("list", "loss: expected a finite number, found list [0.25]"),
        ("huge", "loss: expected a finite number, found 1000"),
        ("numpy bool", "loss: expected a finite number, found bool"),
        ("array", "loss: expected a finite number, found ndarray array(1.)"),
        ("dict", "expected loss in the returned dict, found other"),
    ],
)
def test_only_a_finite_real_number_counts(what: str, said: str) -> None:
    failure = call("returns", {"what": what}).failure
    assert failure is not None
    assert failure.kind == "invalid"
    assert said in failure.message


def test_whole_and_numpy_numbers_count() -> None:
    assert [call("returns", {"what": what}).measurements[0].score for what in ("int", "numpy")] == [3.0, 0.5]


def test_further_metrics_want_a_dict() -> None:
    failure = call("sphere", {"x": 1.0}, evaluate={"also": ["other"]}).failure
    assert failure is not None
    assert failure.message == "expected a dict with loss, other, found float"


@pytest.mark.parametrize(
    ("name", "kind", "message"),
    [
        ("raises", "error", "RuntimeError: no luck with 1.0"),
        ("exits", "error", "SystemExit: 3"),
        ("memory", "memory", "MemoryError"),
        ("reports_nan", "invalid", "report at step 1: expected a finite number, found nan"),
        ("missing", "error", "model.function: sample_objectives has no 'missing'"),
    ],
)
def test_what_a_function_does_wrong_is_a_failure(name: str, kind: str, message: str) -> None:
    outcome = call(name, {"x": 1.0})
    assert outcome.measurements == ()
    assert outcome.failure is not None
    assert (outcome.failure.kind, outcome.failure.message) == (kind, message)


def test_the_traceback_of_a_function_begins_with_it() -> None:
    failure = call("raises", {"x": 1.0}).failure
    assert failure is not None
    assert failure.traceback is not None
    assert [line.split(", in ")[1] for line in failure.traceback.splitlines() if line.startswith("  File")] == [
        "raises",
        "inner",
    ]


def test_the_users_ctrl_c_passes(monkeypatch: pytest.MonkeyPatch) -> None:
    service = Service(setup({"function": "sample_objectives:sphere"}, evaluate={"direction": "minimize"}))

    def interrupted(*_: Any, **__: Any) -> Any:
        raise KeyboardInterrupt

    monkeypatch.setattr(type(service.problem.model), "measure", interrupted)
    with pytest.raises(KeyboardInterrupt):
        service.run(Job())


def test_threads_are_limited_while_a_job_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    from threadpoolctl import threadpool_info

    seen: list[set[int]] = []

    def look(*_: Any, **__: Any) -> float:
        seen.append({one["num_threads"] for one in threadpool_info()})
        return 1.0

    service = Service(setup({"function": "sample_objectives:sphere"}, evaluate={"direction": "minimize"}, threads=1))
    monkeypatch.setattr(type(service.problem.model), "measure", look)
    assert service.run(Job()).failure is None
    assert seen[0] <= {1}


def test_choices_of_a_pipeline_are_followed() -> None:
    model = {"choose": {"ridge": RIDGE, "mean": "sample_models.Mean"}}
    space = (Choice(name="model", values=("ridge", "mean")),)
    problem = setup(model, SYNTHETIC, space=space)
    ridge, mean = (run(problem, {"model": name}).measurements[0].score for name in ("ridge", "mean"))
    assert ridge > 0.5 > mean


@pytest.mark.parametrize(
    ("groups", "cv", "fresh"),
    [
        (5, {"type": "group", "folds": 5}, False),  # each group is a fold, whatever the seed
        (12, {"type": "group", "folds": 5}, True),
        (None, {"type": "kfold", "folds": 30}, False),  # one row is left out at a time
        (None, {"type": "kfold", "folds": 5}, True),
        (None, {"type": "time_series", "folds": 5}, False),
    ],
)
def test_the_same_folds_in_another_order_are_not_fresh(
    groups: int | None, cv: dict[str, Any], fresh: bool, tmp_path: Path
) -> None:
    rng = np.random.default_rng(0)
    table = pd.DataFrame({"x": rng.normal(size=30), "y": rng.normal(size=30), "g": np.arange(30) % (groups or 1)})
    table.to_csv(tmp_path / "t.csv", index=False)
    data = {"train": "t.csv", "target": "y", **({"drop": ["g"]} if groups is None else {"groups": "g"})}
    assert Problem(setup(data=data, evaluate={"cv": cv}, folder=str(tmp_path))).refreshable is fresh
