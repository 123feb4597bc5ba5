"""What is said where rows cannot be divided into so many folds: true of scikit-learn's splitters, and its mend mends."""

from __future__ import annotations

import re
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hptune.cv import CvSpec, Group, KFold, Rowset, Shuffle, TimeSeries
from hptune.errors import ConfigError
from hptune.job import Setup
from hptune.worker.division import undivided
from hptune.worker.problem import Problem
from tests.worker.problems import RIDGE


def rows(n: int, groups: int | None = None) -> Rowset:
    return Rowset(y=np.arange(n) / 7, groups=None if groups is None else np.arange(n) % groups, aside={}, seed=0)


def divides(cv: CvSpec, where: Rowset) -> bool:
    try:
        cv.splits(where)
    except ValueError:
        return False
    return True


def test_it_says_something_exactly_where_scikit_learn_refuses_and_each_mend_is_taken() -> None:
    mended = 0
    for n, folds, gap, size in product((3, 7, 20, 41), (2, 3, 5, 8), (0, 1, 6, 15), (None, 1, 4)):
        cv = TimeSeries(folds=folds, gap=gap, test_size=size)
        said = undivided(cv, rows(n))
        assert bool(said) != divides(cv, rows(n)), (n, cv, said)
        for key, value in re.findall(r"(gap|folds): (\d+)", said):
            mended += 1
            better = cv.model_copy(update={key: int(value)})
            assert divides(better, rows(n)), (n, better)
            assert not divides(cv.model_copy(update={key: int(value) + 1}), rows(n)) or key == "folds"
    assert mended > 20
    for n, folds, groups in product((2, 9), (2, 4, 10), (1, 3)):
        for cv, where in ((KFold(folds=folds), rows(n)), (Group(folds=folds), rows(n, groups))):
            said = undivided(cv, where)
            assert bool(said) != divides(cv, where)
            for found in re.findall(r"folds: (\d+)", said):
                assert divides(cv.model_copy(update={"folds": int(found)}), where)


@pytest.mark.parametrize(
    ("cv", "where", "said"),
    [
        (KFold(folds=5), rows(4), "expected at least 5 rows for 5 folds, found 4; write folds: 4 or fewer"),
        (
            Group(),
            rows(9, 1),
            "expected at least 5 groups for 5 folds, found 1; there is nothing to divide: give more",
        ),
        (
            TimeSeries(folds=4, gap=500),
            rows(1786),
            "4 folds of 357 test rows and a gap of 500 take 1,929 rows, found 1,786; write gap: 357 (the largest) or "
            "folds: 2",
        ),
        (TimeSeries(folds=2, gap=9), rows(2), "give more rows, or a smaller gap and test_size"),
        (Shuffle(), rows(2), ""),
    ],
)
def test_the_words(cv: CvSpec, where: Rowset, said: str) -> None:
    assert said in undivided(cv, where)


@pytest.mark.parametrize(("cv", "mend"), [(5, "write cv: 4"), ({"type": "group", "folds": 5}, "write folds: 4")])
def test_groups_that_the_holdout_took_are_counted(cv: Any, mend: str, tmp_path: Path) -> None:
    table = "x,y,shop\n" + "".join(f"{n},{n % 7},s{n % 6}\n" for n in range(60))
    (tmp_path / "t.csv").write_text(table)
    data = {"train": "t.csv", "target": "y", "groups": "shop", "holdout": {"fraction": 0.3}}
    setup = Setup(model=RIDGE, data=data, evaluate={"cv": cv}, space={"parameters": []}, seed=0, folder=str(tmp_path))
    with pytest.raises(ConfigError) as refused:
        _ = Problem(setup).splits
    (one,) = refused.value.problems
    assert one.key == "evaluate.cv"
    expected = "group: expected at least 5 groups for 5 folds, found 4 (6 groups, 2 held out); "
    assert one.message == expected + mend
