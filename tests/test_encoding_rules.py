"""The encoding where spaces are awkward: parents of several kinds, chains of conditions, singletons, the cube's corners."""

from __future__ import annotations

import dataclasses
import itertools

import numpy as np
import pytest

from hptune.conditions import clause
from hptune.encoding import Encoding
from hptune.space import Boolean, Choice, Fixed, Float, Int, Parameter, SearchSpace
from tests.test_encoding import SPACES

PARENTS: dict[str, Parameter] = {
    "reverse-log-int": Int(name="p", low=1, high=9, scale="reverse_log"),
    "log-int": Int(name="p", low=1, high=9, scale="log"),
    "int": Int(name="p", low=1, high=9),
    "factor": Int(name="p", low=1, high=9, scale="log", factor=3),
    "step": Float(name="p", low=1, high=9, step=2),
    "float": Float(name="p", low=1, high=9),
    "reverse-log-float": Float(name="p", low=1, high=9, scale="reverse_log"),
    "extra": Int(name="p", low=1, high=9, extra=(0,)),
    "ordered": Choice(name="p", values=(1, 3, 9), ordered=True),
    "weighted": Choice(name="p", values=(1, 3, 9), ordered=True, weights=(5, 2, 1)),
    "choice": Choice(name="p", values=(1, 3, 9)),
    "fixed": Fixed(name="p", value=3),
    "single-int": Int(name="p", low=3, high=3),
}
"""Numbers between 1 and 9 (an extra 0), of every kind."""


def rows(encoding: Encoding, count: int = 200) -> np.ndarray:
    """Return legal rows, the corners of the cube among them."""
    corners = [np.full(encoding.width, end) for end in (0.0, 1.0)]
    return encoding.sample(np.vstack([*corners, np.random.default_rng(0).random((count, encoding.width))]))


@pytest.mark.parametrize("test", [{"le": 3}, {"ge": 3}, {"ne": 3}, {"gt": 1, "lt": 9}], ids=str)
@pytest.mark.parametrize("kind", PARENTS)
def test_a_child_is_active_where_the_space_says_so_whatever_kind_its_parent_is(
    kind: str, test: dict[str, int]
) -> None:
    """The child of p, the child of a p that is itself conditional, and a grandchild through a fixed value."""
    p = PARENTS[kind]
    q = dataclasses.replace(p, name="q", when=clause("on", True))
    space = SearchSpace(
        (
            Boolean(name="on"),
            p,
            q,
            Float(name="of_p", low=0, high=1, when=clause("p", test)),
            Float(name="of_q", low=0, high=1, when=clause("q", test)),
            Fixed(name="fixed", value=7, when=clause("q", test)),
            Float(name="of_fixed", low=0, high=1, when=clause("fixed", 7)),
        )
    )
    encoding = Encoding(space)
    X = rows(encoding)
    for row in X:
        values = space.decode(row)
        np.testing.assert_allclose(row, space.encode(values), atol=1e-9)
        assert space.check(values) is None
    active = [space.decode(row).keys() for row in X]
    assert {"q" in one for one in active} == {True, False}
    assert all("of_q" not in one and "of_fixed" not in one for one in active if "q" not in one)


def test_what_has_one_value_does_not_vary_and_all_else_does() -> None:
    one = (
        Choice(name="c", values=("only",)),
        Choice(name="o", values=(3,), ordered=True),
        Int(name="i", low=3, high=3),
        Int(name="l", low=3, high=3, scale="log"),
        Float(name="f", low=0.5, high=0.5),
        Fixed(name="x", value=1),
    )
    more = (
        Boolean(name="b"),
        Choice(name="o2", values=(3, 4), ordered=True),
        Float(name="f2", low=0.5, high=0.6),
        Float(name="e2", low=0.5, high=0.5, extra=("auto",)),
    )
    encoding = Encoding(SearchSpace((*one, *more)))
    varying = {encoding.columns[int(j)].parameter for j in (*encoding.category, *encoding.numeric)}
    assert varying == {"b", "o2", "f2", "e2"}
    X = rows(encoding, 20)
    still = [j for j, column in enumerate(encoding.columns) if column.parameter in {p.name for p in one}]
    assert len(still) == 5
    expected = encoding.space.encode(encoding.space.defaults())[still]
    np.testing.assert_array_equal(X[:, still], np.tile(expected, (len(X), 1)))


@pytest.mark.parametrize("name", SPACES)
def test_the_corners_of_the_cube_and_what_lies_beyond_them_become_legal_rows(name: str) -> None:
    space, encoding = SPACES[name], Encoding(SPACES[name])
    numeric = np.isin(np.arange(encoding.width), encoding.category, invert=True)
    for end, beyond in itertools.product((0.0, 1.0), (0.0, 0.3)):
        row = encoding.sample(np.full((1, encoding.width), end))
        moved = encoding.legal(np.where(numeric & ~np.isnan(row), row + (2 * end - 1) * beyond, np.nan_to_num(row)))
        for X in (row, moved):
            assert ((X[:, numeric] >= 0) & (X[:, numeric] <= 1) | np.isnan(X[:, numeric])).all()
            assert all(X[0, j] < encoding.columns[j].levels for j in encoding.category if not np.isnan(X[0, j]))
            np.testing.assert_allclose(X[0], space.encode(space.decode(X[0])), atol=1e-9)
            np.testing.assert_array_equal(encoding.legal(encoding.filled(X, np.full_like(X, end))), X)


def test_keys_tell_rows_apart_from_a_billionth_on() -> None:
    encoding = Encoding(SearchSpace((Float(name="x", low=0, high=1), Float(name="y", low=0, high=1))))
    near, same, apart = np.array([[0.5, 0.25]]), np.array([[0.5 + 1e-11, 0.25]]), np.array([[0.5 + 3e-9, 0.25]])
    assert encoding.keys(near) == encoding.keys(same)
    assert len({*encoding.keys(near), *encoding.keys(apart), *encoding.keys(apart[:, ::-1])}) == 3
    assert encoding.keys(np.array([[0.0, np.nan]])) == encoding.keys(np.array([[-0.0, np.nan]]))
    assert encoding.keys(np.array([[0.0, np.nan]])) != encoding.keys(np.array([[0.0, 0.0]]))


def test_only_what_depends_on_nothing_itself_is_a_branch() -> None:
    space = SearchSpace(
        (
            Choice(name="model", values=("tree", "svr")),
            Choice(name="kernel", values=("rbf", "poly"), when=clause("model", "svr")),
            Int(name="degree", low=2, high=5, when=clause("kernel", "poly")),
            Choice(name="loose", values=("a", "b")),
        )
    )
    encoding = Encoding(space)
    assert [encoding.columns[j].parameter for j in encoding.branches] == ["model"]


def test_inactive_numbers_are_in_the_middle_for_a_model_and_inactive_levels_beyond_the_last() -> None:
    space = SearchSpace(
        (
            Boolean(name="on"),
            Float(name="x", low=0, high=1, when=clause("on", True)),
            Choice(name="c", values=("a", "b", "c"), when=clause("on", True)),
        )
    )
    encoding = Encoding(space)
    numeric, levels = encoding.split(np.array([[0.0, np.nan, np.nan], [1.0, 0.2, 2.0]]))
    assert numeric.tolist() == [[0.5], [0.2]]
    assert levels.tolist() == [[0, 3], [1, 2]]
