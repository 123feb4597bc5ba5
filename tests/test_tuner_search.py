"""`Tuner.search`: mistakes cost no trial, what was interrupted goes on, failures are told whole."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from sklearn.datasets import load_diabetes
from sklearn.linear_model import Ridge
from sklearn.model_selection import GroupKFold, cross_val_score

from hptune.commands.show import show
from hptune.errors import NoSuccess, UsageError
from hptune.hyperparameters import HyperParameters
from hptune.objective import Objective
from hptune.study import Study
from hptune.tuner import Tuner, TunerTrial

X, y = load_diabetes(return_X_y=True)
LOSS = Objective("loss", "minimize")


def build(hp: HyperParameters) -> Ridge:
    return Ridge(alpha=hp.Float("alpha", 1e-3, 1e3, sampling="log"))


# -- mistakes in the call -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("args", "kwargs", "options", "said"),
    [
        ((X, y[:-1]), {}, {}, r"as many entries in y as X has rows, found 441 for 442 rows"),
        ((X, None), {}, {}, r"expected y, found None"),
        ((X,), {"y": y}, {}, r"expected X and y by position .* found 1 arguments by position and y by name"),
        ((X, y), {"verbose": 0}, {}, r"^search\(verbose=...\): Ridge.fit takes no such argument; leave it out$"),
        ((X, y), {"sample_weights": y}, {}, r"takes no such argument; did you mean 'sample_weight'\?; leave it out"),
        ((X, y), {"sample_weight": y[:9]}, {}, r"entries in sample_weight as X has rows, found 9 for 442"),
        (
            (X, y),
            {"validation_data": (X, y, y)},
            {},
            r"validation_data: expected \(X_valid, y_valid\), found 3 parts",
        ),
        ((X, y), {"validation_data": X}, {}, r"validation_data: expected \(X_valid, y_valid\), found array"),
        ((X, y), {"validation_data": (X, y[:3])}, {}, r"validation_data: expected as many .* found 3 for 442 rows"),
        ((X, y[:3]), {"validation_data": (X, y)}, {}, r"search: expected as many .* found 3 for 442 rows"),
        ((X, y), {}, {"cv": 1}, r"cv: the rows cannot be divided by 1 \(int\): .*n_splits=1"),
        ((X, y), {}, {"cv": GroupKFold(3)}, r"cv: .* should not be None; groups are given as search\(X, y, groups="),
        ((X, y), {"groups": y[:3]}, {"cv": GroupKFold(3)}, r"cv: the rows cannot be divided by GroupKFold"),
    ],
)
def test_a_mistake_in_the_call_costs_no_trial(
    args: Any, kwargs: Any, options: dict[str, Any], said: str, tmp_path: Path
) -> None:
    for directory in (None, tmp_path):
        tuner = Tuner(build, "r2", max_trials=2, directory=directory, **{"cv": 3, **options})
        with pytest.raises(UsageError, match=said):
            tuner.search(*args, **kwargs)
        tuner.cv = 3
        tuner.search(X, y)
        assert [one.status for one in tuner.history.trials] == ["completed", "completed"]


def test_a_search_that_runs_nothing_says_so(tmp_path: Path) -> None:
    for directory in (None, tmp_path):
        tuner = Tuner(lambda hp: Ridge(alpha=-hp.Float("a", 1, 2)), "r2", max_trials=2, directory=directory)
        with pytest.raises(NoSuccess, match="none of 2 trials succeeded"):
            tuner.search(X, y)
        with pytest.raises(NoSuccess, match=r"no trial was run: .* raise max_trials, or .*overwrite=True"):
            tuner.search(X, y)


@pytest.mark.parametrize(
    ("option", "said"),
    [
        ({"seed": -1}, "seed: expected a whole number from 0 up, or None, found -1"),
        ({"seed": "a"}, "seed: expected a whole number"),
        ({"max_trials": 2.5}, "max_trials: expected a whole number above 0, found 2.5"),
        ({"executions_per_trial": True}, "executions_per_trial: expected a whole number above 0"),
        ({"max_consecutive_failed_trials": 0}, "max_consecutive_failed_trials: expected a whole number above 0"),
    ],
)
def test_numbers_are_checked(option: dict[str, Any], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        Tuner(build, "r2", **option)


def test_numbers_may_be_numpys() -> None:
    tuner = Tuner(build, "r2", max_trials=np.int64(2), seed=np.int32(1), cv=3)  # type: ignore[arg-type]
    tuner.search(X, y)
    assert (len(tuner.history.trials), tuner.history.seed) == (2, 1)


def test_fits_arguments_may_be_sparse() -> None:
    class Taking(Ridge):
        def fit(self, X: Any, y: Any, rows: Any = None, prior: Any = None) -> Any:  # type: ignore[override]
            assert rows.shape[0] == len(y)
            assert prior.shape == (3, 3)
            return super().fit(X, y)

    tuner = Tuner(lambda hp: Taking(hp.Float("a", 0.1, 1)), "r2", max_trials=2, cv=3)
    tuner.search(X, y, rows=sparse.coo_array(X), prior=sparse.csr_array(np.eye(3)))
    assert tuner.history.count("failed") == 0


# -- interruptions --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("raised", [KeyboardInterrupt, SystemExit, UsageError])
@pytest.mark.parametrize("own_space", [True, False])
def test_an_interrupted_search_goes_on(raised: type[BaseException], own_space: bool, tmp_path: Path) -> None:
    class Interrupted(Tuner):
        runs = 0

        def run_trial(self, trial: TunerTrial) -> float:  # type: ignore[override]
            found = float(trial.hyperparameters.Float("a", 0, 1))
            self.runs += 1
            if self.runs in (1, 3):
                raise raised("now")
            return found

    for directory in (None, tmp_path):
        model = None if own_space else lambda hp: hp.Float("a", 0, 1)
        tuner = Interrupted(model, LOSS, max_trials=4, directory=directory, oracle="random")
        for _ in range(2):
            with pytest.raises(raised):
                tuner.search()
        tuner.search()
        assert [one.status for one in tuner.history.trials] == ["completed"] * 4
        assert tuner.runs == 6


# -- scores and failures --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", [np.asarray, pd.Series, tuple, lambda scores: {"r2": scores}])
def test_run_trial_may_return_an_array_of_scores(form: Any) -> None:
    class Own(Tuner):
        def run_trial(self, trial: TunerTrial, *args: Any) -> Any:  # type: ignore[override]
            return form(cross_val_score(build(trial.hyperparameters), *args, cv=3))

    tuner = Own(build, "r2", max_trials=2)
    tuner.search(X, y)
    assert [len(one.scores) for one in tuner.history.trials] == [3, 3]


def helper(estimator: Any) -> float:
    return {}["missing"]  # type: ignore[no-any-return, misc]


def test_a_failure_keeps_its_traceback(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tuner = Tuner(build, lambda estimator, X, y: helper(estimator), max_trials=2, cv=3, directory=tmp_path)
    with pytest.raises(NoSuccess, match=r"the last: KeyError: 'missing'\nTraceback [\s\S]*in helper[\s\S]*KeyError"):
        tuner.search(X, y)
    failure = tuner.history.trials[0].failure
    assert failure is not None
    assert "in helper" in str(failure.traceback)
    show(tmp_path, 0)
    assert "in helper" in capsys.readouterr().out


def test_a_study_that_is_told_an_exception_keeps_its_traceback() -> None:
    study = Study(HyperParameters(), "loss")
    try:
        helper(None)
    except KeyError as error:
        failure = study.tell(study.ask(), failed=error).failure
    assert failure is not None
    assert failure.message == "KeyError: 'missing'"
    assert "in helper" in str(failure.traceback)
