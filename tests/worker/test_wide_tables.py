"""Tables of many columns are looked at many columns at a time, and nothing is said of them that was not said before."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hptune.dataset import LONG, WIDE, Rows, in_blocks
from hptune.worker import columns
from hptune.worker.columns import Columns


def column(kind: int, y: Any, rng: np.random.Generator) -> Any:
    """Return a column of one of the kinds that are told apart: constant, leaking, rising, missing, infinite, text."""
    n = len(y)
    noise = rng.normal(size=n)
    holes = np.where(rng.random(n) < 0.3, np.nan, noise)
    return [
        lambda: noise,
        lambda: np.full(n, 2.0),
        lambda: np.full(n, np.nan),
        lambda: np.where(np.arange(n) < 50, 1.0, noise),
        lambda: np.exp(y.astype(float) / 10),
        lambda: -3 * y,
        lambda: np.where(np.arange(n) == n // 2, 99.0, 3 * y),
        lambda: y // 2,
        lambda: holes,
        lambda: np.where(rng.random(n) < 0.1, np.inf, holes),
        lambda: rng.integers(0, 3, n),
        lambda: 2**53 + rng.integers(0, 3, n),
        lambda: rng.integers(0, 2, n).astype(bool),
        lambda: pd.array(np.where(rng.random(n) < 0.2, None, y), dtype="Int64"),
        lambda: np.where(rng.random(n) < 0.5, "a", "b").astype(object),
        lambda: pd.Categorical(rng.integers(0, 4, n)),
    ][kind]()


@settings(deadline=None, max_examples=40)
@given(
    kinds=st.lists(st.integers(0, 15), min_size=1, max_size=12),
    rows=st.sampled_from([1, 2, 12, 120]),
    classes=st.booleans(),
    seed=st.integers(0, 999),
    cells=st.sampled_from([1, 300, 10**6]),
)
def test_what_is_said_of_columns_is_what_is_said_of_each_alone(
    kinds: list[int], rows: int, classes: bool, seed: int, cells: int
) -> None:
    rng = np.random.default_rng(seed)
    y = rng.integers(0, 3 if classes else 60, rows)
    table = pd.DataFrame({f"c{i}": column(kind, y, rng) for i, kind in enumerate(kinds)})
    asked = Columns(X=table, y=y, once=np.arange(rows), classes=classes)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(columns, "CELLS", cells)
        told = asked.remarks()
        patched.setattr(Columns, "_ruled_out", lambda *_: set())
        assert told == asked.remarks()


def test_ordinary_columns_are_not_looked_at_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """300 rows by 5,000 columns: 2.5 s."""
    rng = np.random.default_rng(0)
    table = pd.DataFrame(rng.normal(size=(60, 500)))
    y = rng.normal(size=60)
    table[7] = np.exp(y)
    looked: list[Any] = []
    follows = columns._follows
    monkeypatch.setattr(columns, "_follows", lambda one, target: looked.append(one.name) or follows(one, target))
    remarks = Columns(X=table, y=y, once=np.arange(60), classes=False).remarks()
    assert [one.drop for one in remarks] == [("7",)]
    assert looked == [7]


def blocks(table: Any) -> int:
    return len(table._mgr.blocks)


def test_a_wide_table_is_in_one_block_a_type_and_the_same_table() -> None:
    rng = np.random.default_rng(0)
    parts = {f"c{i}": rng.normal(size=20) if i % 3 else rng.integers(0, 9, 20) for i in range(WIDE)}
    table = pd.concat([pd.Series(values, name=name) for name, values in parts.items()], axis=1)
    for name in list(table)[::2]:
        table[name] = table[name].copy()  # as a reader leaves them
    joined = in_blocks(table)
    assert blocks(joined) == 2 < blocks(table)
    pd.testing.assert_frame_equal(joined, table)
    rows = Rows(X=joined, y=np.arange(20)).take(np.array([3, 5]))
    pd.testing.assert_frame_equal(rows.X, table.iloc[[3, 5]])
    assert rows.X.to_numpy().flags.f_contiguous == table.iloc[[3, 5]].to_numpy().flags.f_contiguous


def test_narrow_and_very_long_tables_and_arrays_are_left_as_they_are() -> None:
    for X in (pd.DataFrame(np.zeros((5, WIDE - 1))), np.zeros((5, WIDE)), pd.DataFrame(np.zeros((LONG + 1, WIDE)))):
        assert in_blocks(X) is X
