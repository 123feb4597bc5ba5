"""Trials as tables: the right ones, in the right order, only the columns that say something."""

from __future__ import annotations

from pathlib import Path

import pytest

from hptune import events as ev
from hptune.errors import UsageError
from hptune.history import History
from hptune.report.tables import best_first, counted, find_name, ordered, short_names, split_columns, trial_table
from hptune.report.trials_csv import trials_csv
from hptune.resource import Resource
from hptune.space import Fixed, Float, SearchSpace
from hptune.trial import Failure
from tests import told


def test_short_names_are_the_shortest_ends_that_only_one_name_has() -> None:
    assert short_names(["ridge.alpha", "lasso.alpha", "svr.C", "C"]) == {
        "ridge.alpha": "ridge.alpha",
        "lasso.alpha": "lasso.alpha",
        "svr.C": "svr.C",
        "C": "C",
    }
    assert short_names(["a.b.c"]) == {"a.b.c": "c"}


def test_a_parameter_is_found_by_its_name_with_underscores_or_by_its_end() -> None:
    names = ["regressor.svr.C", "regressor.ridge.alpha", "regressor.lasso.alpha"]
    assert find_name("regressor__svr__C", names) == "regressor.svr.C"
    assert find_name("C", names) == "regressor.svr.C"
    with pytest.raises(UsageError, match=r"may be regressor\.ridge\.alpha or regressor\.lasso\.alpha"):
        find_name("alpha", names)
    with pytest.raises(UsageError, match="did you mean"):
        find_name("regressor.svr.D", names)


def test_best_first_puts_failures_last_and_follows_the_direction() -> None:
    history = told.ridge().history
    assert [t.number for t in best_first(history, history.trials)] == [4, 6, 5, 1, 0, 2, 7, 3]


@pytest.mark.parametrize("key", ["trial", "score", "std", "seconds", "status", "alpha"])
def test_every_sort_key_orders_all_trials(key: str) -> None:
    history = told.ridge().history
    assert sorted(t.number for t in ordered(history, history.trials, key)) == list(range(8))


def test_an_unknown_sort_key_names_the_known_ones() -> None:
    history = told.ridge().history
    with pytest.raises(UsageError, match="expected trial, score, std, seconds, status or a parameter"):
        ordered(history, history.trials, "scroe")


def test_only_changed_parameters_have_a_column() -> None:
    history = told.pipeline().history
    changed, constant = split_columns(history.space, [history.trials[2], history.trials[5]])
    assert "regressor" not in changed
    assert constant["regressor"] == "lasso"
    assert "regressor.lasso.max_iter" not in changed
    assert "regressor.svr.C" not in constant


def test_trials_without_any_give_a_table_without_rows() -> None:
    history = told.study().history
    assert trial_table(history, []).table.rows == []


@pytest.mark.parametrize("everything", [False, True])
def test_a_wide_space_fits_eighty_columns(everything: bool) -> None:
    history = told.pipeline().history
    lines = trial_table(history, history.trials, everything=everything).table.lines(80)
    assert max(map(len, lines)) <= 80
    assert len(lines) == 13


def test_what_an_ended_study_left_open_is_unfinished() -> None:
    history = told.pipeline().history
    number = len(history.trials)
    history.apply(ev.StudyResumed(time=1e9))
    history.apply(ev.TrialStarted(time=1e9, trial=number, values=dict(history.trials[0].values)))
    assert "1 running" in counted(history)
    assert "running" in trial_table(history, history.trials[number:], everything=True).table.lines(None)[1]
    history.apply(ev.StudyEnded(time=1e9, reason="time"))
    assert "1 unfinished" in counted(history)
    assert "running" not in counted(history)
    assert "unfinished" in trial_table(history, history.trials[number:], everything=True).table.lines(None)[1]


def test_what_was_measured_of_a_failed_trial_before_it_failed_is_not_in_the_csv(tmp_path: Path) -> None:
    # It depends on which of its folds, fitted side by side, came first.
    rows = []
    for folds in (0, 2):
        with told.ridge(tmp_path / str(folds)) as study:
            number = next(trial.number for trial in study.history.trials if trial.failure is None)
            trial = study.history.trials[number]
            failed = trial.changed(
                measurements=trial.measurements[:folds], failure=Failure("error", "no"), ended=None
            )
            rows.append(trials_csv(study.history, [failed]).splitlines()[-1])
    assert rows[0] == rows[1]


def halved() -> History:
    """A study of four trials that had 5, 40, 10 and 5 of 40 iterations."""
    space = SearchSpace((Float(name="model.C", low=1, high=2), Fixed(name="model.max_iter", value=40)))
    resource = Resource("model.max_iter", 40, 0.125)
    about = {"resource": resource.to_json()}
    started = told.study(space).history.started.model_copy(update={"about": about})
    history = History(started)
    for number, fidelity in enumerate((0.125, None, 0.25, 0.125)):
        values = {"model.C": 1.0 + number / 10, "model.max_iter": 40}
        history.apply(ev.TrialStarted(time=1.0, trial=number, values=values, fidelity=fidelity))
        history.apply(ev.FoldScored(time=2.0, trial=number, fold=0, score=0.5 + number / 10))
        history.apply(ev.TrialCompleted(time=2.0, trial=number))
    return history


@pytest.mark.parametrize("everything", [False, True])
def test_the_resource_has_one_column_with_what_each_trial_had_of_it(everything: bool) -> None:
    history = halved()
    table = trial_table(history, history.trials, everything=everything).table
    assert table.headers.count("max_iter") == 1
    column = table.headers.index("max_iter")
    assert [row[column] for row in table.rows] == ["5", "40", "10", "5"]
    full = trial_table(
        history, history.trials[1:2], everything=True
    ).table  # no column of amounts: the parameter's own
    assert full.rows[0][full.headers.index("max_iter")] == "40"


def test_the_resource_is_sorted_by_what_each_trial_had_of_it() -> None:
    history = halved()
    assert [trial.number for trial in ordered(history, history.trials, "max_iter")] == [0, 3, 2, 1]


def test_the_csv_keeps_the_configuration_beside_the_share() -> None:
    first = trials_csv(halved()).splitlines()[:2]
    row = dict(zip(*(line.split(",") for line in first), strict=True))
    assert (row["fidelity"], row["param.model.max_iter"]) == ("0.125", "40")


def test_of_names_with_the_same_end_the_active_one_is_meant() -> None:
    names = ["ridge.alpha", "lasso.alpha"]
    assert find_name("alpha", names, {"lasso.alpha": 1.0}) == "lasso.alpha"
    for active in ({}, dict.fromkeys(names, 1.0)):
        with pytest.raises(UsageError, match=r"'alpha' may be ridge.alpha or lasso.alpha"):
            find_name("alpha", names, active)
    assert find_name("ridge.alpha", names, {"lasso.alpha": 1.0}) == "ridge.alpha"
