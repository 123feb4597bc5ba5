"""Where data comes from: each kind, and each way it can be unusable."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import pytest
from pydantic import ValidationError

from hptune.data import DATA_SOURCES, data_from, source_of
from hptune.dataset import Rows, check_file
from hptune.errors import ConfigError

EXAMPLES: dict[str, dict[str, Any]] = {
    "csv": {"train": "t.csv", "target": "y", "groups": "g", "drop": ["id"]},
    "parquet": {"train": "t.parquet", "target": "y", "weights": "w"},
    "npz": {"train": "t.npz", "weights": "w"},
    "function": {"function": "pkg.mod:load", "arguments": {"n": 3}},
    "sklearn": {"train": "sklearn:load_iris", "holdout": {"fraction": 0.2}},
    "synthetic": {"synthetic": {"kind": "sparse_linear", "n": 10, "d": 3, "informative": 1}},
}
TABLE = "id,g,a,b,flag,fold,y\n" + "".join(
    f"{i},g{i % 4},{i / 2},{'xyz'[i % 3] if i % 5 else ''},{'true' if i % 2 else 'false'},{i % 3},{i % 2}\n"
    for i in range(20)
)


def read(folder: Path, aside: tuple[str, ...] = (), **options: Any) -> Rows:
    return data_from({"train": "t.csv", "target": "y", **options}).read(str(folder), aside)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "t.csv").write_text(TABLE)
    return tmp_path


def test_every_kind_has_an_example_here() -> None:
    assert set(EXAMPLES) == set(DATA_SOURCES)


@pytest.mark.parametrize("kind", DATA_SOURCES)
def test_a_kind_claims_its_example_alone_and_a_dump_says_it_again(kind: str) -> None:
    assert [name for name, source in DATA_SOURCES.items() if source.claims(EXAMPLES[kind])] == [kind]
    data = data_from(EXAMPLES[kind])
    assert data_from(data.model_dump(mode="json")) == data
    jsonschema.validate(EXAMPLES[kind], DATA_SOURCES[kind].model_json_schema())


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ({"trian": "t.csv"}, "expected train, synthetic or function, found trian; did you mean 'train'?"),
        ({}, "found nothing"),
        ({"train": "t.xlsx"}, "expected a file (.csv, .csv.gz"),
        ({"train": 3}, "found 3"),
    ],
)
def test_data_of_no_kind_is_refused(data: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError) as caught:
        source_of(data)
    assert said in str(caught.value)


# -- csv ------------------------------------------------------------------------------------------------------------


def test_a_csv_keeps_the_types_of_its_columns_and_its_missing_values(folder: Path) -> None:
    rows = read(folder, groups="g", drop=["id"])
    assert list(rows.X.columns) == ["a", "b", "flag", "fold"] == list(rows.feature_names)
    assert (rows.X["a"].dtype.kind, rows.X["flag"].dtype.kind) == ("f", "b")
    assert rows.X["b"].isna().sum() == 4
    assert rows.y.tolist() == [0, 1] * 10
    assert set(rows.groups) == {"g0", "g1", "g2", "g3"}


def test_a_compressed_or_tab_separated_file_holds_the_same(folder: Path) -> None:
    with gzip.open(folder / "t.csv.gz", "wt") as file:
        file.write(TABLE)
    (folder / "t.tsv").write_text(TABLE.replace(",", "\t"))
    (folder / "semicolons.csv").write_text(TABLE.replace(",", ";"))
    plain = read(folder)
    for options in ({"train": "t.csv.gz"}, {"train": "t.tsv"}, {"train": "semicolons.csv", "separator": ";"}):
        assert read(folder, **options).X.equals(plain.X)
    assert read(Path("/"), train=str(folder / "t.csv")).X.equals(plain.X)


def test_a_column_of_fold_numbers_is_kept_aside(folder: Path) -> None:
    rows = read(folder, aside=("fold",), drop=["id"])
    assert "fold" not in rows.X.columns
    assert rows.aside["fold"].tolist() == [i % 3 for i in range(20)]
    assert rows.take([1, 2]).aside["fold"].tolist() == [1, 2]


def test_text_targets_become_objects_of_plain_text(folder: Path) -> None:
    rows = read(folder, target="g")
    assert rows.y.dtype == object
    assert type(rows.y[0]) is str


@pytest.mark.parametrize(
    ("content", "options", "key", "said"),
    [
        (None, {"train": "tt.csv"}, "data.train", "tt.csv; did you mean 't.csv'?"),
        (None, {"train": "no/t.csv"}, "data.train", "there is no folder"),
        (None, {"target": "yy"}, "data.target", "t.csv has no column 'yy'; did you mean 'y'?"),
        (None, {"target": "progression"}, "data.target", "its columns are id, g, a, b, flag, fold, y"),
        (None, {"groups": "grp"}, "data.groups", "has no column 'grp'"),
        (None, {"drop": ["id", "idd"]}, "data.drop.1", "has no column 'idd'; did you mean 'id'?"),
        (None, {"target": "b"}, "data.target", "'b' is missing in 4 of 20 rows (lines 2, 7, 12, 17); remove these"),
        (None, {"groups": "b"}, "data.groups", "'b' is missing in 4 of 20 rows"),
        ("", {}, "data.train", "is empty: expected a header line and rows"),
        ("a,y\n", {}, "data.train", "a header line and no rows"),
        ("a,a,y\n1,2,3\n", {}, "data.train", "two columns called 'a'"),
        ("a,y\n1,\n2,\n", {}, "data.target", "every value of 'y' is missing"),
        ("a,y\n1,inf\n2,3\n", {}, "data.target", "'y' holds infinite values"),
        ("y\n1\n2\n", {}, "data.train", "has no features: no column beside y"),
        ("a,y\n1,2\n3,4,5,6\n", {}, "data.train", "line 3 of"),
    ],
)
def test_a_csv_that_cannot_be_used_is_refused_at_its_key(
    folder: Path, content: str | bytes | None, options: dict[str, Any], key: str, said: str
) -> None:
    if content is not None:
        (folder / "t.csv").write_bytes(content.encode() if isinstance(content, str) else content)
    with pytest.raises(ConfigError) as caught:
        read(folder, **options)
    (problem,) = caught.value.problems
    assert problem.key == key
    assert said in problem.message


# -- bundled and synthetic -----------------------------------------------------------------------------------------


def test_bundled_sets_have_named_features_and_plain_targets() -> None:
    rows = data_from({"train": "sklearn:load_iris"}).read("/", ())
    assert rows.feature_names[0] == "sepal length (cm)"
    assert (len(rows), rows.y.dtype.kind) == (150, "i")


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("load_irs", "did you mean 'sklearn:load_iris'?"),
        ("load_linnerud", "three targets"),
        ("fetch_openml", "downloads its data"),
        ("os", "expected one of sklearn:load_iris"),
    ],
)
def test_other_loaders_are_refused(name: str, said: str) -> None:
    with pytest.raises(ValidationError) as caught:
        data_from({"train": f"sklearn:{name}"})
    assert said in str(caught.value)


def test_the_true_model_of_sparse_linear_data_has_the_declared_r2() -> None:
    options = {"kind": "sparse_linear", "n": 40_000, "d": 12, "informative": 10, "bayes_r2": 0.6, "seed": 1}
    rows = data_from({"synthetic": options}).read("/", ())
    truth = rows.X[:, :10].sum(axis=1)
    r2 = 1 - ((rows.y - truth) ** 2).mean() / rows.y.var()
    # The standard error of R2 is about 2 (1 - R2) sqrt(R2 / n) = 0.003: a false alarm is at 5 of them, 1 in 10^6.
    assert abs(r2 - 0.6) < 0.016
    assert abs(rows.X.std() - 1) < 0.01


def test_sparse_linear_data_without_noise_is_exactly_linear() -> None:
    rows = data_from({"synthetic": {**EXAMPLES["synthetic"]["synthetic"], "bayes_r2": 1.0}}).read("/", ())
    assert np.array_equal(rows.y, rows.X[:, 0])


def test_synthetic_data_depend_on_their_own_seed() -> None:
    for kind in ({"kind": "sparse_linear"}, {"kind": "classification", "classes": 3, "n": 60}):
        first, again, other = (data_from({"synthetic": {**kind, "seed": s}}).read("/", ()) for s in (0, 0, 1))
        assert np.array_equal(first.X, again.X)
        assert not np.array_equal(first.X, other.X)
        if kind["kind"] == "classification":
            assert set(first.y.tolist()) == {0, 1, 2}


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"kind": "sparse"}, "found 'sparse'; did you mean 'sparse_linear'?"),
        ({"n": 3}, "kind: expected one of sparse_linear, classification, found nothing"),
        ({"kind": "sparse_linear", "d": 2}, "informative: expected at most d = 2, found 5"),
        ({"kind": "classification", "classes": 9, "informative": 3}, "9 classes need more features than 3"),
        ("sparse_linear", "expected {kind: ...}"),
    ],
)
def test_bad_synthetic_options_are_refused(options: Any, said: str) -> None:
    with pytest.raises(ValidationError) as caught:
        data_from({"synthetic": options})
    assert said in str(caught.value)


@pytest.mark.parametrize("kind", ["sklearn", "synthetic"])
def test_data_without_columns_of_their_own_have_no_fold_numbers(kind: str) -> None:
    with pytest.raises(ConfigError, match=r"evaluate\.cv\.column"):
        data_from(EXAMPLES[kind]).read("/", ("fold",))


@pytest.mark.parametrize(
    ("there", "near"), [("nofile.yaml", ""), ("nofiles.csv.gz", "'nofiles.csv.gz'"), ("nofil.tsv", "'nofil.tsv'")]
)
def test_a_file_that_is_not_there_is_taken_for_one_of_its_kind(there: str, near: str, tmp_path: Path) -> None:
    (tmp_path / there).write_text("a,b\n1,2\n")
    with pytest.raises(ConfigError) as caught:
        check_file(tmp_path / "nofile.csv")
    assert ("did you mean " + near if near else "paths are relative") in str(caught.value)
