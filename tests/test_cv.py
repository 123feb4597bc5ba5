"""How rows are divided: laws over the registry, and the numbers against scikit-learn's own splitters."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from hptune.cv import CV, CvSpec, Rowset, last_rows
from hptune.evaluate import EvaluateSpec
from hptune.randomness import seed_for

EXAMPLES: dict[str, dict[str, Any]] = {
    "kfold": {"folds": 4},
    "stratified": {"folds": 3},
    "group": {"folds": 3},
    "stratified_group": {"folds": 3},
    "repeated_kfold": {"folds": 3, "repeats": 3},
    "repeated_stratified": {"folds": 3, "repeats": 2},
    "time_series": {"folds": 4, "gap": 1, "test_size": 5},
    "shuffle": {"splits": 4, "fraction": 0.3},
    "single_split": {"fraction": 0.3},
    "predefined": {"column": "fold"},
}
NUMBERS = {"time_series": 4, "shuffle": 4, "single_split": 1, "predefined": 3, "repeated_kfold": 9, "kfold": 4}


def spec_of(kind: str, **options: Any) -> CvSpec:
    cv = EvaluateSpec.model_validate({"cv": {"type": kind, **(options or EXAMPLES[kind])}}).cv
    assert isinstance(cv, CvSpec)
    return cv


def rows(n: int = 48, *, seed: int = 0, grouped: bool | None = None, classes: bool = True) -> Rowset:
    y = np.arange(n) % 3 if classes else np.arange(n) / 7
    groups = np.arange(n) // 4 if grouped else None
    return Rowset(y=y, groups=groups, classes=classes, aside={"fold": np.arange(n) % 4 - 1}, seed=seed)


def rows_for(kind: str, **options: Any) -> Rowset:
    return rows(grouped="group" in kind, **options)


def test_every_kind_has_an_example_here() -> None:
    assert set(EXAMPLES) == set(CV)


@pytest.mark.parametrize("kind", CV)
def test_training_and_test_rows_never_meet(kind: str) -> None:
    cv, where = spec_of(kind), rows_for(kind)
    folds = cv.splits(where)
    assert len(folds) == NUMBERS.get(kind, len(folds))
    for train, test in folds:
        assert len(train) > 0 < len(test)
        assert not set(train.tolist()) & set(test.tolist())
        assert set(train.tolist()) | set(test.tolist()) <= set(range(48))


@pytest.mark.parametrize("kind", CV)
def test_folds_depend_on_the_seed_alone(kind: str) -> None:
    cv = spec_of(kind)
    once, again = cv.splits(rows_for(kind, seed=3)), cv.splits(rows_for(kind, seed=3))
    assert all(np.array_equal(a[1], b[1]) for a, b in zip(once, again, strict=True))
    other = cv.splits(rows_for(kind, seed=4))
    moved = any(not np.array_equal(a[1], b[1]) for a, b in zip(once, other, strict=True))
    assert moved == (kind not in ("time_series", "predefined"))


@pytest.mark.parametrize("kind", CV)
def test_a_spec_and_its_dump_are_the_same(kind: str) -> None:
    cv = spec_of(kind)
    assert EvaluateSpec.model_validate({"cv": cv.model_dump(mode="json")}).cv == cv


@pytest.mark.parametrize("kind", [kind for kind, spec in CV.items() if spec.uses_groups])
def test_rows_of_one_group_stay_together(kind: str) -> None:
    where = rows(grouped=True)
    for train, test in spec_of(kind).splits(where):
        assert not set(where.groups[train]) & set(where.groups[test])


@pytest.mark.parametrize("kind", ["kfold", "stratified", "group", "stratified_group", "repeated_kfold"])
def test_every_row_is_tested_once_a_repeat(kind: str) -> None:
    tested = np.concatenate([test for _, test in spec_of(kind).splits(rows_for(kind))])
    assert np.array_equal(np.bincount(tested), np.full(48, 3 if kind == "repeated_kfold" else 1))


@pytest.mark.parametrize("kind", ["stratified", "stratified_group", "repeated_stratified", "shuffle", "single_split"])
def test_stratified_parts_have_the_shares_of_the_classes(kind: str) -> None:
    where = rows_for(kind)
    assert spec_of(kind).stratifies(where)
    for _, test in spec_of(kind).splits(where):
        counts = np.bincount(where.y[test], minlength=3)
        assert counts.max() - counts.min() <= (3 if kind == "stratified_group" else 1)  # scikit-learn 1.7: 7, 5, 4


def test_the_splits_are_scikit_learns_with_the_seed_of_their_stream() -> None:
    from sklearn import model_selection as ms

    where = rows(classes=False, seed=9)
    states = [seed_for(9, "cv", repeat) for repeat in range(3)]
    expected = [f for s in states for f in ms.KFold(3, shuffle=True, random_state=s).split(where.y)]
    found = spec_of("repeated_kfold").splits(where)
    assert all(np.array_equal(a[1], b[1]) for a, b in zip(found, expected, strict=True))
    first = spec_of("kfold", folds=3).splits(where)
    assert all(np.array_equal(a[1], b[1]) for a, b in zip(first, expected[:3], strict=True))


def test_a_plain_number_takes_the_kind_that_fits_the_data() -> None:
    spec = EvaluateSpec.model_validate({"cv": 4})
    kinds = {(c, g): spec.cv_for(classes=c, groups=g) for c in (True, False) for g in (True, False)}
    assert {key: (cv.type, cv.model_dump()["folds"]) for key, cv in kinds.items()} == {
        (False, False): ("kfold", 4),
        (True, False): ("stratified", 4),
        (False, True): ("group", 4),
        (True, True): ("stratified_group", 4),
    }
    assert EvaluateSpec().cv == 5


def test_time_goes_forward() -> None:
    for train, test in spec_of("time_series").splits(rows(classes=False)):
        assert train.max() + 1 < test.min()  # a gap of one row
        assert len(test) == 5


def test_a_split_without_shuffling_tests_the_last_rows() -> None:
    ((train, test),) = spec_of("single_split", fraction=0.25, shuffle=False).splits(rows())
    assert train.tolist() == list(range(36))
    assert test.tolist() == list(range(36, 48))
    assert [len(part) for part in last_rows(3, 0.01)] == [2, 1]
    assert [len(part) for part in last_rows(3, 0.99)] == [1, 2]


def test_predefined_folds_follow_the_column_and_minus_one_is_never_tested() -> None:
    where = rows()
    folds = spec_of("predefined").splits(where)
    for number, (train, test) in enumerate(folds):
        assert set(where.aside["fold"][test]) == {number}
        assert -1 in where.aside["fold"][train]


@pytest.mark.parametrize(
    ("kind", "options", "where", "said"),
    [
        ("group", {"folds": 3}, rows(), "needs data.groups"),
        ("stratified", {"folds": 5}, rows(n=9), "n_splits=5 cannot be greater than the number of members"),
        ("kfold", {"folds": 60}, rows(), "Cannot have number of splits"),
        (
            "predefined",
            {"column": "fold"},
            Rowset(y=np.zeros(2), aside={"fold": np.array([0.5, 1])}, seed=0),
            "whole",
        ),
        (
            "predefined",
            {"column": "fold"},
            Rowset(y=np.zeros(2), aside={"fold": np.array([0, 0])}, seed=0),
            "two parts",
        ),
    ],
)
def test_what_cannot_be_divided_is_refused(kind: str, options: dict[str, Any], where: Rowset, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        spec_of(kind, **options).splits(where)


@pytest.mark.parametrize(
    ("cv", "said"),
    [
        (1, "greater than or equal to 2"),
        (True, "valid integer"),
        ("5", "valid integer"),
        ({"folds": 3}, "expected a type: one of kfold"),
        ({"type": "kfol"}, "found 'kfol'; did you mean 'kfold'?"),
        ({"type": "kfold", "fold": 3}, "Extra inputs"),
        ({"type": "single_split", "fraction": 1.0}, "less than 1"),
        ({"type": "predefined"}, "Field required"),
    ],
)
def test_a_bad_cv_is_refused(cv: Any, said: str) -> None:
    with pytest.raises(ValidationError, match="cv") as caught:
        EvaluateSpec.model_validate({"cv": cv})
    assert said in caught.value.errors()[0]["msg"]
    assert len(caught.value.errors()) == 1


def test_a_metric_is_named_once() -> None:
    with pytest.raises(ValidationError, match="each once, found 'r2'"):
        EvaluateSpec.model_validate({"also": ["r2", "r2"]})
    spec = EvaluateSpec.model_validate({"metric": "m:loss", "direction": "minimize", "also": ["r2", "m:other"]})
    assert spec.imports() == [("evaluate.metric", "m:loss"), ("evaluate.also.1", "m:other")]
