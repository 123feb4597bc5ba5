"""Which problem a config poses: what changes the hash, what does not, and the difference in words."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from hptune.config.identity import config_hash, difference, problem_hash, problem_of
from hptune.config.load import load
from hptune.config.yaml_dump import dump
from tests.config.helpers import PIPELINE, RIDGE, loaded

FULL = Path(__file__).parent / "full.yaml"
FREE = [
    "budget.trials=7", "budget.time=3h", "budget.trial_time=1s", "budget.trial_memory=1GiB", "budget.patience=1",
    "budget.target=-3.5", "budget.failures.in_a_row=3", "executor.threads_per_worker=2", "executor.retries=4",
    "output.dir=elsewhere", "output.refit=false", "gate.min_gain=1", "gate=null", "name=other", "data.train=other.csv",
    "evaluate.also=[max_error]",
]  # fmt: skip
BOUND = [
    "seed=7", "space.regressor.ridge.alpha.max=10", "space.regressor.ridge.alpha.default=2",
    "space.regressor=[svr, ridge]",
    "constraints=[]", "start_with=[]", "evaluate.metric=r2", "evaluate.cv.folds=3", "oracle={type: random}",
    "executor.lookahead=9", "executor.order=async", "model.pipeline.regressor.choose.lasso.params.max_iter=3",
    "model.pipeline.impute.impute={class: sklearn.impute.SimpleImputer, params: {strategy: mean}}",
]  # fmt: skip


def of(*override: str, data: str = "d" * 64) -> str:
    """The problem hash of the contract's example with these overrides."""
    fixed = ["executor.workers=2"]  # auto depends on the machine
    return problem_hash(problem_of(load(FULL, [*fixed, *override]), data))


@pytest.mark.parametrize("override", FREE)
def test_what_may_change_on_resume_leaves_the_problem_hash(override: str) -> None:
    assert of(override) == of()


@pytest.mark.parametrize("override", BOUND)
def test_what_makes_another_problem_changes_the_problem_hash(override: str) -> None:
    override = override.replace("impute.impute=", "impute=")
    assert of(override) != of()


def test_workers_change_the_problem_only_by_their_lookahead() -> None:
    assert of("executor.workers=3") != of()
    assert of("executor.workers=3", "executor.lookahead=4") == of()
    assert of("executor.workers=3", "executor.order=async") == of("executor.order=async")


def test_other_data_is_another_problem() -> None:
    assert of(data="e" * 64) != of()


def test_the_problem_hash_does_not_depend_on_the_spelling() -> None:
    plain = (
        PIPELINE
        + "space: {regressor.ridge.alpha: {type: float, min: 1e-2, max: 10, scale: log}, impute.strategy: mean}"
    )
    other = PIPELINE + (
        "space:\n  regressor__ridge__alpha: {log: true, type: float, low: 0.01, max_value: 1e1}\n"
        "  impute__strategy: {type: fixed, value: mean}\nstart_with: [defaults]\nseed: 0x0\nevaluate: {cv: 05}\n"
    )
    assert problem_hash(problem_of(loaded(plain))) == problem_hash(problem_of(loaded(other)))


def test_a_problem_survives_json_and_the_resolved_config() -> None:
    first = load(FULL)
    problem = problem_of(first, "d")
    assert json.loads(json.dumps(problem, allow_nan=False)) == problem
    again = loaded(dump(first.resolved))
    assert problem_of(again, "d") == problem
    assert config_hash(again) == config_hash(first)


def test_true_is_not_1_for_the_hash() -> None:
    one, true = (loaded(RIDGE + f"space: {{alpha: [{value}, 2]}}") for value in ("1", "true"))
    assert problem_hash(problem_of(one)) != problem_hash(problem_of(true))
    assert [str(change) for change in difference(problem_of(one), problem_of(true))] == [
        "space.alpha.values: was [1, 2], now [true, 2]"
    ]


@pytest.mark.parametrize("value", ["null", "[]", "{}"])
@pytest.mark.parametrize(
    ("config", "key"),
    [
        ("oracle: {type: mine.Oracle}\n", "oracle.least"),
        ("", "model.params.solver"),
        ("model: {class: sklearn.linear_model.Ridge, fit_params: {a: 1}}\n", "model.fit_params.sample_weight"),
    ],
)
def test_null_and_empty_are_values_of_what_only_the_user_knows(config: str, key: str, value: str) -> None:
    text = (config + RIDGE.split("\n", 1)[1] if "model:" in config else config + RIDGE) + "space: {alpha: [1, 2]}\n"
    left_out, given = problem_of(loaded(text)), problem_of(loaded(text, [f"{key}={value}"]))
    assert problem_hash(given) != problem_hash(left_out)
    words = {"null": "null", "[]": "an empty list", "{}": "an empty mapping"}[value]
    assert [str(change) for change in difference(left_out, given)] == [f"{key}: was nothing, now {words}"]


def test_an_own_oracle_that_says_nothing_of_null_has_the_hash_it_always_had() -> None:
    problem = problem_of(
        loaded(RIDGE + "oracle: {type: mine.Oracle, least: 0.5, deep: {a: [1]}}\nspace: {alpha: [1, 2]}\n")
    )
    assert problem["oracle"] == {"type": "mine.Oracle", "least": 0.5, "deep": {"a": [1]}}


@pytest.mark.parametrize("override", ["budget.trials=7", "name=other", "evaluate.also=[max_error]"])
def test_every_key_counts_for_the_config_hash(override: str) -> None:
    assert config_hash(load(FULL, [override])) != config_hash(load(FULL))


def test_the_difference_names_each_key_with_old_and_new_in_words() -> None:
    old = loaded(PIPELINE + "seed: 1\nspace: {impute.strategy: [mean, median], regressor.ridge.alpha: 1.0}\n")
    new = loaded(
        PIPELINE.replace("Lasso}", "Lasso, params: {max_iter: 5}}")
        + "space: {impute.strategy: [mean], regressor.lasso.alpha: {type: float, min: 1, max: 2}}\n"
        "constraints: [{require: regressor.lasso.alpha < 1.5}]\noracle: {type: random}\n"
        "evaluate: {cv: {type: kfold}, metric: r2}\nexecutor: {type: serial}\n"
    )
    problem = problem_of(old, "a" * 64)
    problem["oracle"], problem["lookahead"] = {"type": "grid"}, 4
    changes = [str(change) for change in difference(problem, problem_of(new, "b" * 64))]
    assert changes == [
        "data: was data aaaaaaaa, now data bbbbbbbb (other values)",
        "model.pipeline[2].regressor.choose.lasso.params.max_iter: was nothing, now 5",
        'space.impute.strategy.values: was ["mean", "median"], now ["mean"]',
        'space.regressor.ridge.alpha: was {"type": "fixed", "value": 1.0, "when": [["regressor", "eq", "ridge"]]}, '
        "now nothing",
        'space.regressor.lasso.alpha: was nothing, now {"type": "float", "min": 1.0, "max": 2.0, "scale": "linear", '
        '"when": [["regre...',
        'constraints: was an empty list, now [{"require": "regressor.lasso.alpha < 1.5"}]',
        'evaluate.cv: was 5, now {"type": "kfold", "folds": 5, "shuffle": true}',
        "evaluate.metric: was nothing, now r2",
        "oracle.type: was grid, now random",
        "seed: was 1, now 0",
        "lookahead: was 4, now 1",
    ]


def test_there_is_no_difference_between_equal_problems() -> None:
    assert difference(problem_of(load(FULL), "x"), problem_of(load(FULL, ["budget.trials=3"]), "x")) == []
    assert [str(one) for one in difference(problem_of(load(FULL)), problem_of(load(FULL), "x" * 64))] == [
        "data: was no data, now data xxxxxxxx (other values)"
    ]
