"""What an inspection says of odd columns and equal rows, and what it does not say of good ones."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from hptune.job import Finding, Job, Setup
from hptune.worker import cells
from hptune.worker.columns import Columns, Remark
from hptune.worker.inspect import inspect
from hptune.worker.problem import Problem
from hptune.worker.service import Service
from tests.worker.problems import RIDGE, setup

N = 200
TREE = {"class": "sklearn.ensemble.HistGradientBoostingClassifier", "params": {"max_iter": 5}}


def features(seed: int = 0) -> pd.DataFrame:
    """Return columns with nothing odd about them."""
    rng = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "size": rng.standard_normal(N),
            "count": rng.integers(0, 1000, N),
            "colour": rng.choice(["red", "green", "blue"], N),
            "flag": rng.random(N) < 0.3,
            "gaps": np.where(rng.random(N) < 0.2, np.nan, rng.integers(0, 5, N)),
        }
    )


def remarks(y: Any = None, classes: bool = True, in_order: bool = False, made: Any = (), **more: Any) -> list[Remark]:
    target = np.random.default_rng(1).integers(0, 2, N) if y is None else np.asarray(y)
    X = features().assign(**more)
    return Columns(
        X=X, y=target, once=np.arange(N), classes=classes, in_order=in_order, made=frozenset(made)
    ).remarks()


def only(**options: Any) -> Remark:
    (remark,) = remarks(**options)
    return remark


def test_nothing_is_said_of_good_columns() -> None:
    assert remarks() == []
    assert remarks(y=np.random.default_rng(2).standard_normal(N), classes=False) == []


def test_constant_and_empty_columns_are_to_be_dropped() -> None:
    same, empty = remarks(a=[3] * N, b=["x"] * N, c=[np.nan] * N)[::-1]
    assert same == Remark("columns with the same value in every row: a, b", ("a", "b"))
    assert empty == Remark("columns without any value: c", ("c",))


def test_infinite_values_are_an_error() -> None:
    remark = only(a=[np.inf, *range(N - 1)])
    assert remark.severity == "error"
    assert remark.text.startswith("infinite values in a; put a number or nothing")


SHUFFLED = np.random.default_rng(3).permutation(N)


@pytest.mark.parametrize(
    ("name", "values", "why"),
    [
        ("row_id", SHUFFLED * 7, "all different, called like an id"),
        ("customerId", SHUFFLED * 7, "all different, called like an id"),
        ("Unnamed: 0", SHUFFLED * 7, "all different, called like an id"),
        ("thing", SHUFFLED, "every whole number of a range once"),
        ("thing", np.arange(N) ** 2, "all different, sorted"),
        ("thing", [f"n{i}" for i in SHUFFLED], "all different"),
    ],
)
def test_columns_that_name_the_rows_are_to_be_dropped(name: str, values: Any, why: str) -> None:
    assert only(**{name: values}) == Remark(f"{name!r} looks like a name of the rows ({why})", (name,))


def test_measurements_that_are_all_different_are_no_ids() -> None:
    assert remarks(income=SHUFFLED * 7) == []
    assert remarks(valid=SHUFFLED * 7, paid=SHUFFLED * 7) == []  # end in "id" without being called so
    assert remarks(time=np.arange(N) ** 2, in_order=True) == []


def test_an_id_that_comes_again_may_be_a_group() -> None:
    remark = only(patient_id=np.random.default_rng(5).integers(0, 60, N))
    assert "if rows with the same one belong together write `groups: patient_id`" in remark.text


def test_a_column_that_gives_the_target_away_is_a_warning() -> None:
    y = np.random.default_rng(1).integers(0, 2, N)
    assert "'approved' says the same as the target" in only(approved=np.where(y, "yes", "no")).text
    code = y + 2 * np.random.default_rng(6).integers(0, 9, N)
    assert only(code=code).drop == ("code",)
    assert "'code' alone determines the target: is it known when predictions are made?" in only(code=code).text
    wrong = code.copy()
    wrong[0] += 1
    assert remarks(code=wrong) == []


def test_a_column_that_follows_a_number_exactly_is_a_warning() -> None:
    y = np.random.default_rng(2).standard_normal(N)
    for leak in (y, -3 * y + 1, np.exp(y)):
        assert "'leak' rises or falls exactly with the target" in only(y=y, classes=False, leak=leak).text
    assert remarks(y=y, classes=False, noisy=y + np.random.default_rng(3).standard_normal(N) * 0.1) == []


def test_columns_of_noise_seem_to_determine_the_target_about_never() -> None:
    # The bound is 1e-6 for all columns of a table together: of 200 tables of 20 columns none should be accused.
    rng = np.random.default_rng(7)
    for _ in range(200):
        n = int(rng.integers(10, 40))
        X = pd.DataFrame({f"c{i}": rng.integers(0, max(2, n - i), n) for i in range(20)}) + 0.5
        y = (rng.random(n) < 0.2).astype(int)
        found = Columns(X=X, y=y, once=np.arange(n), classes=True).leaks(set())
        assert found == []


def test_numbers_with_a_word_among_them_and_mixed_types_are_warnings() -> None:
    age = [str(i % 90) for i in range(N)]
    age[3], age[9] = "unknown", "?"
    assert only(age=age).text == (
        "'age' holds numbers (99% of its cells) and text ('unknown', '?'), so it counts as text; "
        "if these mean a missing value: `missing: ['unknown', '?']`"
    )
    assert "mixes types (bool, str)" in only(odd=pd.Series([True, "a"] * (N // 2), dtype=object)).text
    assert "numbers stored as text" in only(zip=[str(i % 9) for i in range(N)]).text


def test_prose_and_texts_that_are_nearly_all_different_are_warnings() -> None:
    prose = ["word " * (60 + i % 7) for i in range(N)]
    assert "long texts (up to 330 characters)" in only(prose=prose).text
    names = [f"n{i * i % 151}x{i % 3}" for i in range(N)]
    assert "different texts in 200 rows" in only(names=names).text


DAYS = pd.date_range("2023-01-01", periods=N)


@pytest.mark.parametrize(
    "values",
    [
        DAYS,
        DAYS.strftime("%Y-%m-%d"),
        DAYS.strftime("%Y-%m-%d %H:%M:%S"),
        DAYS.strftime("%d/%m/%Y"),
        DAYS.strftime("%m/%d/%y"),
        DAYS.strftime("%d.%m.%Y"),
        DAYS.repeat(2)[:N].strftime("%Y-%m-%d"),
    ],
)
def test_dates_are_dates_however_they_are_written_and_whether_they_come_once_or_twice(values: Any) -> None:
    said = "when: dates, which models cannot use; make numbers of them (year, month, weekday) or leave them out"
    assert only(when=values) == Remark(said, ("when",))
    assert remarks(made={"when"}, when=values) == []


@pytest.mark.parametrize("form", ["{0}.{1}.{2}", "{0}-{1}", "99/{1}/2024", "{0}/{1}/20241"])
def test_versions_and_other_numbers_with_marks_are_no_dates(form: str) -> None:
    column = pd.Series([form.format(i % 28 + 1, i % 12 + 1, i % 90 + 10) for i in range(N)])
    assert not cells.dates(column)


def test_what_a_part_of_the_model_makes_of_words_is_its_own_affair() -> None:
    words = {"notes": [f"n{i} " * 3 for i in SHUFFLED], "names": [f"n{i * i % 151}x{i % 3}" for i in range(N)]}
    assert len(remarks(**words)) == 2
    assert remarks(made=words, **words) == []


@pytest.mark.parametrize(
    ("texts", "said"),
    [
        (["302.28 €", "1 000.50 €"], "a sign (€): write them as plain numbers, 302.28 for '302.28 €'"),
        (["$3,022.80", "$12.00"], "a sign ($): write them as plain numbers, 3022.80 for '$3,022.80'"),
        (["EUR 1.234,5", "EUR 12"], "a sign (EUR): write them as plain numbers, 1234.5 for 'EUR 1.234,5'"),
        (["57%", "8%"], "a sign (%): write them as plain numbers, 57 for '57%'"),
        (["3,022.80", "12"], "separators: write them as plain numbers, 3022.80 for '3,022.80', or name what stands"),
        (["12", "13.5"], ""),
        (["house", "12 €"], ""),
    ],
)
def test_numbers_with_signs_or_separators_are_told(texts: list[str], said: str) -> None:
    assert said in cells.with_signs(texts)
    assert bool(said) == bool(cells.with_signs(texts))


# -- in an inspection -----------------------------------------------------------------------------------------------


def problem(folder: Path, X: pd.DataFrame, y: Any = None, model: Any = TREE, **data: Any) -> Setup:
    target = np.random.default_rng(1).integers(0, 2, len(X)) if y is None else y
    X.assign(y=target).to_csv(folder / "t.csv", index=False)
    return setup(model, {"train": "t.csv", "target": "y", **data}, {"cv": 5}, folder=str(folder))


def findings(given: Setup) -> tuple[Finding, ...]:
    return inspect(Problem(given), probe_fits=False).findings


def numbers() -> pd.DataFrame:
    return features().drop(columns="colour")


def test_a_line_to_paste_holds_what_is_dropped_already(tmp_path: Path) -> None:
    (one,) = findings(problem(tmp_path, numbers().assign(a=1, **{"b c": 2, "d": 3}), drop=["d"]))
    assert (one.key, one.severity) == ("data.drop", "warning")
    assert one.message == 'columns with the same value in every row: a, b c: `drop: [d, a, "b c"]`'


def test_rows_tested_by_their_own_copies_are_counted(tmp_path: Path) -> None:
    X = numbers()
    y = np.random.default_rng(1).integers(0, 2, N)
    assert findings(problem(tmp_path, X, y)) == ()
    order = np.r_[np.arange(N), np.arange(30)]
    (one,) = findings(problem(tmp_path, X.iloc[order], y[order]))
    assert (one.key, one.severity) == ("data", "warning")
    assert "of 230 rows are tested by a model that was fitted to an equal row" in one.message
    # 30 pairs; the two of a pair are in different folds with probability 4/5: 48 rows of 60, deviation 4.4.
    assert 30 <= int(one.message.split()[0]) <= 60
    assert findings(problem(tmp_path, X.iloc[order].assign(g=order), y[order], groups="g")) == ()
    assert findings(problem(tmp_path, X.iloc[order], np.r_[y, 1 - y[:30]])) == ()


def test_copies_in_the_holdout_are_counted(tmp_path: Path) -> None:
    order = np.r_[np.arange(N), np.arange(60)]
    y = np.random.default_rng(1).integers(0, 2, N)
    both = findings(problem(tmp_path, numbers().iloc[order], y[order], holdout={"fraction": 0.2}))
    assert [one.key for one in both] == ["data", "data.holdout"]
    assert "of the holdout's 52 rows have an equal row among the others" in both[1].message


def test_equal_rows_that_must_come_up_by_chance_are_no_copies(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    questions = pd.DataFrame({f"q{i}": rng.integers(0, 2, N) for i in range(4)})
    assert findings(problem(tmp_path, questions)) == ()


def test_a_target_that_never_changes_is_an_error(tmp_path: Path) -> None:
    (one,) = findings(problem(tmp_path, numbers().drop(columns="gaps"), np.full(N, 2.5), model=RIDGE))
    assert (one.key, one.severity) == ("data.target", "error")
    assert one.message == "every row has the same target, 2.5: nothing can be learnt"


def test_notes_of_the_reading_are_findings(tmp_path: Path) -> None:
    given = problem(tmp_path, features().replace("red", "rouge é").drop(columns="gaps"))
    text = (tmp_path / "t.csv").read_text()
    (tmp_path / "t.csv").write_bytes(text.encode("cp1252"))
    assert ("data.encoding", "warning") in [(one.key, one.severity) for one in findings(given)]


def test_data_from_a_function_are_called_twice_and_must_be_the_same(tmp_path: Path) -> None:
    (tmp_path / "made_here.py").write_text(
        "import numpy as np\ncalls = []\n"
        "def load(steady=True):\n"
        "    calls.append(1)\n"
        "    rng = np.random.default_rng(0 if steady else len(calls))\n"
        "    return rng.standard_normal((40, 3)), rng.standard_normal(40)\n"
    )
    data: dict[str, Any] = {"function": "made_here:load"}
    assert findings(setup(RIDGE, data, folder=str(tmp_path))) == ()
    (one,) = findings(setup(RIDGE, {**data, "arguments": {"steady": False}}, folder=str(tmp_path)))
    assert (one.key, one.severity) == ("data.function", "error")
    assert "returned other values when it was called again" in one.message
    (one,) = findings(setup(RIDGE, {"function": "os:getcwd"}, folder=str(tmp_path)))
    assert (one.key, "--allow-import os" in one.message) == ("data.function", True)


# -- classes --------------------------------------------------------------------------------------------------------


def test_classes_are_numbered_for_estimators_that_need_it_and_predictions_stay_readable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "fussy.py").write_text(
        "import numpy as np\nfrom sklearn.tree import DecisionTreeClassifier\n"
        "class Fussy(DecisionTreeClassifier):\n"
        "    def fit(self, X, y):\n"
        "        if sorted(set(y)) != list(range(len(set(y)))):\n"
        "            raise ValueError(f'Expected: [0 1], got {set(y)}')\n"
        "        return super().fit(X, y)\n"
    )
    X = features()[["size", "count"]]
    given = problem(tmp_path, X, np.where(X["size"] > 0, "big", "small"), {"class": "fussy.Fussy"})
    job = Job(values={}, folds=(0, 1))
    failure = Service(given).run(job).failure
    assert failure is not None
    assert "got" in failure.message
    monkeypatch.setattr("hptune.worker.labels.NUMBERED", ("fussy",))
    monkeypatch.setattr("hptune.worker.problem.NUMBERED", ("fussy",))
    outcome = Service(given).run(job)
    assert outcome.failure is None
    assert [one.score for one in outcome.measurements] == [1.0, 1.0]
    whole = Problem(given)
    fitted = whole.fit({}, whole.dataset.train, seed=0)
    assert set(fitted.predict(whole.dataset.train.X)) == {"big", "small"} == set(fitted.classes_)
    assert fitted.predict_proba(whole.dataset.train.X).shape == (N, 2)


def parted(select: Any, with_: Any) -> dict[str, Any]:
    part = {"part": {"select": select, "with": with_}}
    return {"pipeline": [{"prepare": {"columns": [part], "remainder": "passthrough"}}, {"tree": TREE}]}


def test_a_column_of_dates_that_a_part_turns_into_numbers_is_no_warning(tmp_path: Path) -> None:
    X = numbers().assign(when=DAYS.strftime("%Y-%m-%d"))
    encoder = {"class": "sklearn.preprocessing.OneHotEncoder"}
    own = {"choose": {"own": "sample_models.Mean", "none": "drop"}}
    complained = [
        any("dates, which models cannot use" in one.message for one in findings(problem(tmp_path, X, model=model)))
        for model in (TREE, parted("text", encoder), parted(["when"], own))
    ]
    assert complained == [True, True, False]


def test_a_regressor_is_told_that_its_target_carries_a_sign(tmp_path: Path) -> None:
    y = [f"{number}.50 €" for number in range(100, 100 + N)]
    model = {"class": "sklearn.linear_model.Ridge"}
    (one,) = findings(problem(tmp_path, numbers().drop(columns="gaps"), y=y, model=model))
    assert one.key == "data.target"
    assert one.message.endswith(
        "these are numbers with a sign (€): write them as plain numbers, 100.50 for '100.50 €'"
    )


@pytest.mark.parametrize("place", ["data.holdout", "evaluate.cv"])
def test_a_class_of_one_row_that_cannot_be_divided_is_named_with_the_option(tmp_path: Path, place: str) -> None:
    y = ["c"] + ["a", "b"] * (N // 2 - 1) + ["a"]
    held = {"holdout": {"fraction": 0.2}} if place == "data.holdout" else {}
    given = problem(tmp_path, numbers(), y=y, **held)
    if place == "evaluate.cv":
        given = replace(given, evaluate={"cv": {"type": "shuffle"}})
    (one,) = [one for one in findings(given) if one.severity == "error"]
    assert one.key == place
    assert "there is but one row of 'c'" in one.message
    assert "`stratify: false`" in one.message
