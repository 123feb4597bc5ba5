"""A function may return a sparse X: it is searched, scored, refit, predicted and exported like an array."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from hptune import Objective, Tuner, cli
from hptune.data import data_from
from hptune.dataset import Dataset, Rows
from hptune.worker import sparse_rows

Capture = pytest.CaptureFixture[str]
ROWS, FEATURES = 90, 40
FORMATS = ("csr", "csc", "coo", "lil", "dok", "bsr")
MODULE = """\
import numpy as np
from scipy import sparse

def load(kind, groups=False):
    rng = np.random.default_rng(0)
    X = sparse.random(90, 40, density=0.2, random_state=0, format="coo")
    y = (X @ rng.normal(size=40) > 0).astype(int)
    X = X if kind == "matrix" else sparse.coo_array(X) if kind == "array" else X.toarray()
    return {"X": X, "y": y, **({"groups": np.arange(90) // 3} if groups else {})}
"""
CONFIG = """\
name: words
data: {function: "words:load", arguments: {kind: KIND, groups: true}, holdout: {fraction: 0.2}}
model:
  pipeline:
    - shrink: {choose: [{class: sklearn.decomposition.TruncatedSVD, params: {n_components: 5}}, passthrough]}
    - classifier: sklearn.linear_model.LogisticRegression
space: {classifier.C: {type: float, min: 1e-3, max: 100, scale: log}}
evaluate: {cv: 3, also: [roc_auc]}
oracle: {type: random}
budget: {trials: 4}
executor: {type: serial}
output: {dir: run, refit: all}
"""


def matrix() -> Any:
    return sparse.random(ROWS, FEATURES, density=0.2, random_state=0, format="csr")


def y() -> Any:
    return np.arange(ROWS) % 3 // 2


def loaded(X: Any, **data: Any) -> Dataset:
    spec = data_from({"function": "pkg.mod:load", **data})
    return spec.load("", seed=0, task=lambda y: "classification", importer=lambda name, **_: lambda: (X, y()))


@pytest.mark.parametrize("kind", FORMATS)
def test_sparse_data_of_any_format_are_csr_with_one_hash(kind: str) -> None:
    X = matrix()
    for made in (X.asformat(kind), sparse.csr_array(X).asformat(kind)):
        found = loaded(made)
        assert found.train.X.format == "csr"
        assert found.train.feature_names[-1] == "x39"
        assert np.array_equal(found.train.X.toarray(), X.toarray())
        assert found.hash == loaded(X).hash


def test_the_hash_knows_values_places_and_the_width() -> None:
    X = matrix()
    wider = sparse.hstack([X, sparse.csr_matrix((ROWS, 1))])
    assert len({loaded(one).hash for one in (X, 2 * X, X[:, ::-1], wider)}) == 4


def test_entries_that_stand_twice_are_added_up_and_the_callers_matrix_is_left_alone() -> None:
    X = sparse.csr_matrix((np.ones(ROWS * 2), np.zeros(ROWS * 2, int), np.arange(0, ROWS * 2 + 1, 2)), (ROWS, 1))
    assert loaded(X).train.X.nnz == ROWS
    assert X.nnz == 2 * ROWS


def test_rows_are_taken_and_joined() -> None:
    rows = Rows(X=sparse.csr_array(matrix()), y=y())
    again = rows.take([0, 2]).joined(rows.take(np.array([5])))
    assert again.X.format == "csr"
    assert np.array_equal(again.X.toarray(), matrix().toarray()[[0, 2, 5]])


def test_a_study_of_sparse_rows_is_that_of_the_dense_ones(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    monkeypatch.setattr(sys, "path", list(sys.path))
    scores, predicted = {}, {}
    pd.DataFrame(matrix().toarray(), columns=[f"x{i}" for i in range(FEATURES)]).to_csv(
        tmp_path / "new.csv", index=False
    )
    for kind in ("matrix", "array", "dense"):
        folder = tmp_path / kind
        folder.mkdir()
        monkeypatch.chdir(folder)
        monkeypatch.delitem(sys.modules, "words", raising=False)
        Path("words.py").write_text(MODULE)
        Path("study.yaml").write_text(CONFIG.replace("KIND", kind))
        assert cli.invoke(["run", "study.yaml", "-q"]) == 0
        found = json.loads(Path("run/result.json").read_text())
        assert found["trials"]["failed"] == 0
        scores[kind] = [found["best"]["score"], found["best"]["holdout"]]
        capsys.readouterr()
        assert cli.invoke(["predict", "run", "../new.csv"]) == 0
        predicted[kind] = capsys.readouterr().out
        assert cli.invoke(["export", "run"]) == 0
        assert "18 rows" not in (script := capsys.readouterr().out)
        assert "call fit(X, y) with it" in script
    assert scores["matrix"] == scores["array"] == pytest.approx(scores["dense"])
    assert predicted["matrix"] == predicted["array"] == predicted["dense"]


def test_equal_rows_and_infinite_values_are_found() -> None:
    X = matrix().tolil()
    X[60] = X[0]
    X = X.tocsr()
    found = sparse_rows.hashes(X)
    assert found[60] == found[0]
    assert len(np.unique(found)) == ROWS - 1
    stored = X.copy()
    stored.data[0] = 0  # a zero that is stored
    dropped = stored.copy()
    dropped.eliminate_zeros()
    assert np.array_equal(sparse_rows.hashes(stored), sparse_rows.hashes(dropped))
    assert sparse_rows.remarks(X) == []
    X.data[1] = np.inf
    (remark,) = sparse_rows.remarks(X)
    assert remark.severity == "error"
    assert f"infinite values in x{X.indices[1]};" in remark.text


def test_the_shares_of_values_are_those_of_the_dense_columns() -> None:
    X = matrix()
    X.data = X.data.round(1)
    X = sparse.hstack([np.ones((ROWS, 1)), X], format="csr")
    for share, column in zip(sparse_rows.shares(X), X.toarray().T, strict=True):
        wanted = np.unique(column, return_counts=True)[1] / ROWS
        assert sorted(share) == sorted(wanted)


def build(hp: Any) -> Any:
    from sklearn.linear_model import LogisticRegression

    return LogisticRegression(C=hp.Float("C", 1e-2, 1, sampling="log"))


def test_a_tuner_searches_rows_of_a_coo_matrix() -> None:
    tuner = Tuner(build, objective=Objective("accuracy", "maximize"), oracle="random", max_trials=2, seed=0)
    tuner.search(matrix().tocoo(), y())
    assert tuner.history.count("failed") == 0
