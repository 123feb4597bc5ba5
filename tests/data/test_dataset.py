"""The holdout and the hash: what the search never sees, and what makes data the same data."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from hptune.data import data_from
from hptune.dataset import Dataset, Rows, Task, _hash
from hptune.errors import ConfigError


def load(data: dict[str, Any], folder: str = "/", task: Task = "regression", **options: Any) -> Dataset:
    return data_from(data).load(folder, **{"seed": 3, **options}, task=lambda y: task)


def with_holdout(data: dict[str, Any], **holdout: Any) -> dict[str, Any]:
    return {**data, "holdout": {"fraction": 0.25, **holdout}}


IRIS = {"train": "sklearn:load_iris"}
LINEAR = {"synthetic": {"kind": "sparse_linear", "n": 40, "d": 6}}


def test_holdout_and_training_rows_make_up_the_data_and_never_meet() -> None:
    whole, parted = load(LINEAR), load(with_holdout(LINEAR))
    assert parted.holdout is not None
    assert (len(parted.train), len(parted.holdout)) == (30, 10)
    together = np.concatenate([parted.train.y, parted.holdout.y])
    assert sorted(together) == sorted(whole.train.y)


def test_the_holdout_depends_on_the_seed_alone() -> None:
    first, again, other = (load(with_holdout(LINEAR), seed=seed) for seed in (0, 0, 1))
    assert first.hash == again.hash != other.hash


def test_a_classifiers_holdout_has_the_shares_of_the_classes() -> None:
    dataset = load(with_holdout(IRIS, fraction=0.2), task="classification")
    assert dataset.holdout is not None
    assert np.bincount(dataset.holdout.y).tolist() == [10, 10, 10]


def test_ordered_rows_have_their_end_as_holdout() -> None:
    whole = load(LINEAR)
    for dataset in (load(with_holdout(LINEAR), in_order=True), load(with_holdout(LINEAR, shuffle=False))):
        assert dataset.holdout is not None
        assert np.array_equal(dataset.holdout.y, whole.train.y[-10:])
    shuffled = load(with_holdout(LINEAR, shuffle=True), in_order=True)
    assert shuffled.holdout is not None
    assert not np.array_equal(shuffled.holdout.y, whole.train.y[-10:])


def test_groups_are_not_torn_apart_by_the_holdout(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("g,a,y\n" + "".join(f"{i // 5},{i},{i % 2}\n" for i in range(40)))
    data = with_holdout({"train": "t.csv", "target": "y", "groups": "g"})
    dataset = load(data, str(tmp_path), task="classification")
    assert dataset.holdout is not None
    assert len(dataset.holdout) == 10
    assert not set(dataset.holdout.groups) & set(dataset.train.groups)
    assert dataset.groups


def test_a_class_of_one_row_cannot_be_held_out(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("a,y\n1,p\n2,p\n3,p\n4,q\n")
    with pytest.raises(ConfigError, match=r"data\.holdout: the rows cannot be divided so"):
        load(with_holdout({"train": "t.csv", "target": "y"}), str(tmp_path), task="classification")


def test_one_row_is_no_data(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("a,y\n1,2\n")
    with pytest.raises(ConfigError, match="at least two rows, found 1"):
        load({"train": "t.csv", "target": "y"}, str(tmp_path))


# -- the hash -------------------------------------------------------------------------------------------------------


def frame() -> pd.DataFrame:
    return pd.DataFrame({"a": [1.0, 2.5, None], "b": ["x", None, "z"], "c": [True, False, True], "d": [1, 2, 3]})


def hashed(**changes: Any) -> str:
    return _hash(Rows(**{"X": frame(), "y": np.array([0.0, 1.0, 2.0]), **changes}), None)


def test_equal_data_have_equal_hashes() -> None:
    assert hashed() == hashed()
    assert hashed(X=frame().astype({"b": "object"})) == hashed()  # how pandas stores text does not matter
    assert hashed(X=np.ones((3, 2), order="F")) == hashed(X=np.ones((3, 2), order="C"))


@pytest.mark.parametrize(
    "changes",
    [
        {"X": frame().rename(columns={"a": "A"})},
        {"X": frame()[["b", "a", "c", "d"]]},
        {"X": frame().assign(a=[1.0, 2.5, 0.0])},
        {"X": frame().assign(b=["x", "", "z"])},
        {"X": frame().assign(b=["x", "None", "z"])},
        {"X": frame().astype({"d": "float64"})},
        {"X": frame().iloc[::-1]},
        {"y": np.array([0.0, 1.0, 2.0000000000000004])},
        {"y": np.array([0, 1, 2])},
        {"groups": np.array([1, 1, 2])},
        {"weights": np.array([1.0, 1.0, 2.0])},
        {"aside": {"fold": np.array([0, 1, 0])}},
    ],
)
def test_any_change_of_values_types_or_names_changes_the_hash(changes: dict[str, Any]) -> None:
    assert hashed(**changes) != hashed()


def test_text_is_not_run_together() -> None:
    one, other = pd.DataFrame({"b": ["ab", "c"]}), pd.DataFrame({"b": ["a", "bc"]})
    assert _hash(Rows(X=one, y=np.zeros(2)), None) != _hash(Rows(X=other, y=np.zeros(2)), None)


def test_the_share_of_the_holdout_is_part_of_the_hash() -> None:
    assert len({load(with_holdout(LINEAR, fraction=f)).hash for f in (0.1, 0.2)} | {load(LINEAR).hash}) == 3


def test_the_hash_is_the_same_in_another_process(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("a,b,y\n1,x,2\n,y,3\n4,,5\n")
    code = (
        "from hptune.data import data_from; data = data_from({'train': 't.csv', 'target': 'y'});"
        f"print(data.load({str(tmp_path)!r}, seed=0, task=lambda y: 'none').hash)"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == load({"train": "t.csv", "target": "y"}, str(tmp_path), seed=0).hash
