"""Pairs of configurations: what they share, where children are active, what constraints allow; against brute force."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from hptune.analysis.pairs import Pairs, pairs_of
from hptune.conditions import Require
from hptune.encoding import encoding_of
from hptune.sensitivity import first_order, total_effect
from hptune.sobol import sobol
from hptune.space import Choice, Fixed, Float, Int, SearchSpace

CONDITIONAL = SearchSpace(
    (
        Choice(name="kind", values=("a", "b", "c"), weights=(2, 1, 1)),
        Int(name="n", low=1, high=3, when={"kind": "a"}),
        Float(name="w", low=0, high=1, extra=("auto",)),
        Fixed(name="cache", value=1),
        Float(name="point", low=2, high=2),
    )
)


def of(space: SearchSpace, both: list[tuple[int, int]] | None = None, points: int = 2048) -> Pairs:
    encoding = encoding_of(space)
    return pairs_of(encoding, both or [], np.array([sobol(i, 2 * encoding.width, 0) for i in range(points)]))


def f(values: dict[str, Any]) -> float:
    w = 0.7 if values["w"] == "auto" else values["w"]
    return {"a": values.get("n", 0) ** 2 * 0.2, "b": 2.0 * w, "c": -1.0}[values["kind"]] + w


def indices(space: SearchSpace, pairs: Pairs) -> tuple[list[float], list[float]]:
    y = np.array([f(space.decode(row)) for row in pairs.X])[:, None]
    V = y[pairs.base].var(axis=0)
    total = [float(total_effect(y[a], y[b], V)[0]) for a, b in pairs.apart]
    alone = [float(first_order(y[a], y[b], V, None if c is None else y[c])[0]) for a, b, c in pairs.alike]
    return total, alone


def test_only_what_varies_has_pairs_and_these_differ_in_it_alone() -> None:
    assert list(encoding_of(CONDITIONAL).varying) == ["kind", "n", "w"]
    pairs = of(CONDITIONAL, points=64)
    first, second = (pairs.X[rows] for rows in pairs.apart[2])  # w: a category (auto or not) and a number
    assert np.array_equal(first[:, :2], second[:, :2], equal_nan=True)
    assert not np.array_equal(first[:, 2:4], second[:, 2:4], equal_nan=True)
    first, second = (pairs.X[rows] for rows in pairs.alike[0][:2])
    assert np.array_equal(first[:, 0], second[:, 0])


def brute_force(space: SearchSpace, n: int = 200) -> tuple[list[float], list[float]]:
    """Return total effects and first orders of kind, n and w by conditional means over a full grid of latent values."""
    kinds, p_kind = ("a", "b", "c"), np.array([0.5, 0.25, 0.25])
    numbers, w = (1, 2, 3), ["auto", *((np.arange(n) + 0.5) / n)]
    column = space["w"].columns[0]
    p_w = np.array([column.weights[1], *np.full(n, column.weights[0] / n)])
    y = np.array([[[f({"kind": k, "n": i, "w": x}) for x in w] for i in numbers] for k in kinds])
    p = p_kind[:, None, None] * np.full(3, 1 / 3)[:, None] * p_w
    mean = float((p * y).sum())
    V = float((p * (y - mean) ** 2).sum())
    total, alone = [], []
    for axis, weights in enumerate((p_kind, np.full(3, 1 / 3), p_w)):
        others = tuple({0, 1, 2} - {axis})
        shape = [1, 1, 1]
        shape[axis] = -1
        inner = (y * weights.reshape(shape)).sum(axis=axis, keepdims=True)
        total.append(float((p * (y - inner) ** 2).sum()) / V)
        means = (p * y).sum(axis=others) / weights
        alone.append(float((weights * (means - mean) ** 2).sum()) / V)
    return total, alone


def test_the_indices_of_a_conditional_space_are_those_of_brute_force() -> None:
    total, alone = indices(CONDITIONAL, of(CONDITIONAL))
    true_total, true_alone = brute_force(CONDITIONAL)
    assert total == pytest.approx(true_total, abs=0.02)
    assert alone == pytest.approx(true_alone, abs=0.03)
    assert 0.02 < true_total[1] < 0.5  # the child counts, where it is active


def test_constraints_are_kept_and_what_is_drawn_anew_is_drawn_given_the_rest() -> None:
    space = SearchSpace(
        (Float(name="x", low=0, high=1), Float(name="y", low=0, high=1)), constraints=(Require("x + y < 1"),)
    )
    encoding = encoding_of(space)
    pairs = of(space, [(0, 1)])
    used = np.unique(np.concatenate([pairs.base, *(rows for pair in pairs.apart for rows in pair),
                                     *(rows for rows in pairs.squares[0])]))  # fmt: skip
    assert encoding.allowed(pairs.X[used]).all()
    x = pairs.X[:, :1]
    V = x[pairs.base].var(axis=0)
    assert pytest.approx(1 / 18, rel=0.05) == V  # of a coordinate of the uniform triangle
    # E Var(x | y) = E (1 - y)² / 12 = 1/24 under density 2 (1 - y)
    a, b = pairs.apart[0]
    assert total_effect(x[a], x[b], V) == pytest.approx((1 / 24) / (1 / 18), abs=0.05)
    assert total_effect(x[pairs.apart[1][0]], x[pairs.apart[1][1]], V) == 0
    # x and y depend on each other: Var E(x | y) / V is not 0, as by pairs that share y alone.
    c, d, _ = pairs.alike[1]
    assert first_order(x[c], x[d], V) == pytest.approx(1 - (1 / 24) / (1 / 18), abs=0.06)


def test_a_space_of_which_little_is_allowed_still_gives_pairs() -> None:
    space = SearchSpace(
        (Float(name="x", low=0, high=1), Float(name="y", low=0, high=1)), constraints=(Require("x * y < 0.002"),)
    )
    pairs = of(space, points=256)
    assert encoding_of(space).allowed(pairs.X[pairs.base]).all()
