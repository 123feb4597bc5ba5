"""A `Tuner`'s directory goes on with the data, folds and executions that it began with, and only a study is overwritten."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from sklearn.datasets import load_diabetes
from sklearn.linear_model import Ridge
from sklearn.model_selection import KFold

from hptune import run_directory
from hptune.errors import UsageError
from hptune.hyperparameters import HyperParameters
from hptune.journal import NAME
from hptune.study import Study
from hptune.tuner import Tuner

X, y = load_diabetes(return_X_y=True)


def build(hp: HyperParameters) -> Ridge:
    return Ridge(alpha=hp.Float("alpha", 1e-3, 1e3, sampling="log"))


def search(directory: Path, *args: Any, trials: int = 2, fit: Any = None, **options: Any) -> Tuner:
    tuner = Tuner(build, "r2", max_trials=trials, directory=directory, **{"cv": 3, **options})
    tuner.search(*args, **(fit or {}))
    return tuner


@pytest.mark.parametrize(
    ("args", "options", "said"),
    [
        ((X[:200], y[:200]), {}, "other data; another division of the rows"),
        ((X, y + 1), {}, "other data:"),
        ((X, y), {"cv": 4}, r"another division of the rows \(cv\):"),
        ((X, y), {"executions_per_trial": 2}, "executions_per_trial: expected 2, found 1"),
        ((X, y), {"fit": {"sample_weight": y}}, "other data:"),
        ((X, y), {"fit": {"validation_data": (X, y)}}, "other data:"),
    ],
)
def test_what_measures_something_else_is_refused(
    args: Any, options: dict[str, Any], said: str, tmp_path: Path
) -> None:
    search(tmp_path, X, y)
    with pytest.raises(UsageError, match=rf"holds a study of {said}.* Take another directory, overwrite=True"):
        search(tmp_path, *args, trials=3, **options)
    assert len(search(tmp_path, X, y, trials=3).history.trials) == 3


@pytest.mark.parametrize(
    "form",
    [pd.DataFrame, sparse.csr_array, lambda X: X.tolist(), np.asfortranarray],
)
def test_the_same_data_in_the_same_form_go_on(form: Any, tmp_path: Path) -> None:
    search(tmp_path, form(X), list(y), cv=KFold(3, shuffle=True))
    tuner = search(tmp_path, form(X.copy()), list(y), trials=3, cv=KFold(3, shuffle=True))
    assert len(tuner.history.trials) == 3


def test_a_study_without_notes_goes_on(tmp_path: Path) -> None:
    hp = HyperParameters()
    build(hp)
    Study(hp, "r2", directory=tmp_path, lookahead=1).close()
    assert len(search(tmp_path, X, y).history.trials) == 2


# -- overwrite ------------------------------------------------------------------------------------------------------


def test_a_journal_of_others_is_not_overwritten(tmp_path: Path) -> None:
    for text in ("mine\n", "mine\nline\n", "mine"):
        (tmp_path / NAME).write_text(text)
        with pytest.raises(UsageError, match=r"journal.jsonl was not written by hptune; nothing was deleted"):
            Tuner(build, "r2", directory=tmp_path, overwrite=True)
        assert (tmp_path / NAME).read_text() == text


def test_a_damaged_journal_of_hptunes_is_overwritten(tmp_path: Path) -> None:
    search(tmp_path, X, y)
    lines = (tmp_path / NAME).read_text().splitlines()
    (tmp_path / NAME).write_text("\n".join([lines[0], "damage", *lines[2:]]))
    assert len(search(tmp_path, X, y, overwrite=True).history.trials) == 2


def test_overwriting_a_run_directory_leaves_nothing_of_the_old_run(tmp_path: Path) -> None:
    search(tmp_path, X, y)
    run_directory.mark(tmp_path)
    for name in ("result.json", "thesis.tex"):
        (tmp_path / name).write_text("{}")
    Tuner(build, "r2", directory=tmp_path, overwrite=True)
    assert not (tmp_path / "result.json").exists()
    assert (tmp_path / "thesis.tex").exists()


def test_the_project_is_the_studys_name(tmp_path: Path) -> None:
    def build(hp: HyperParameters) -> Ridge:
        return Ridge(alpha=hp.Float("alpha", 0.1, 1.0))

    tuner = Tuner(build, "r2", 2, directory=tmp_path, project_name="bc", cv=2)
    assert repr(tuner) == "<Tuner 'bc': no search yet>"
    tuner.search(*load_diabetes(return_X_y=True))
    assert tuner.history.name == "bc"
    assert repr(tuner).startswith("<Tuner 'bc': 2 trials, best r2 0.")
    with Study(tuner.space, "r2", directory=tmp_path / "bc") as study:
        assert study.history.name == "bc"
