"""Nested cross-validation whose search does not fit into an outer fold is refused before anything is run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from hptune.job import Finding
from hptune.resource import Resource
from hptune.worker import outer_folds
from hptune.worker.inspect import inspect
from hptune.worker.problem import Problem
from tests.worker.problems import RIDGE, setup


def found(folder: Path, evaluate: dict[str, Any], *, rows: int = 60, **options: Any) -> list[Finding]:
    (folder / "t.csv").write_text("x,y,shop\n" + "".join(f"{n},{n * 7 % 11},s{n % 6}\n" for n in range(rows)))
    data = {"train": "t.csv", "target": "y", **options.pop("data", {"drop": ["shop"]})}
    problem = Problem(setup(RIDGE, data, evaluate, folder=str(folder), **options))
    return [one for one in inspect(problem, probe_fits=False).findings if one.severity == "error"]


@pytest.mark.parametrize(
    ("evaluate", "data", "said"),
    [
        (
            {"cv": 5, "nested": 3},
            {"groups": "shop"},
            "outer fold 1 of 3 (40 rows to search with): evaluate.cv: group: expected at least 5 groups for 5 folds, "
            "found 4 (6 groups, 2 held out); write cv: 4",
        ),
        (
            {"cv": {"type": "time_series", "folds": 2, "gap": 8}, "nested": 4},
            {"drop": ["shop"]},
            "outer fold 1 of 4 (4 rows to search with): evaluate.cv: time_series: 2 folds of 1 test rows and a gap of 8",
        ),
        (
            {"cv": 2, "nested": 7},
            {"groups": "shop"},
            "expected at least 7 groups for 7 folds, found 6; write nested: 6",
        ),
    ],
    ids=["groups", "time", "outer"],
)
def test_folds_that_an_outer_fold_has_no_rows_for(
    evaluate: dict[str, Any], data: dict[str, Any], said: str, tmp_path: Path
) -> None:
    (one,) = found(tmp_path, evaluate, data=data)
    assert one.key == "evaluate.nested"
    assert one.message.startswith(said)
    assert found(tmp_path, {key: value for key, value in evaluate.items() if key != "nested"}, data=data) == []


def test_shares_of_rows_that_an_outer_fold_has_too_few_of(tmp_path: Path) -> None:
    resource = Resource(name="rows", max=1.0, lowest=0.5).to_json()
    (one,) = found(tmp_path, {"cv": 3, "nested": 2}, rows=4500, resource=resource)
    assert one.key == "evaluate.nested"
    assert "outer fold 1 of 2 (2,250 rows to search with): oracle.resource: expected at least 2,000" in one.message
    assert found(tmp_path, {"cv": 3, "nested": 5}, rows=4500, resource=resource) == []


def test_outer_folds_that_fit_are_no_fault_and_read_nothing_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []
    bare = Problem.outer_fold

    def counted(problem: Problem, folds: int, fold: int) -> Problem:
        asked.append(fold)
        inner = bare(problem, folds, fold)
        monkeypatch.setattr(Problem, "load_data", None)
        return inner

    monkeypatch.setattr(outer_folds.Problem, "outer_fold", counted)
    assert found(tmp_path, {"cv": 4, "nested": 3}, data={"groups": "shop"}) == []
    assert asked == [0, 1, 2]
