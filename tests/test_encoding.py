"""The vectorised encoding says the same as the space's own."""

import numpy as np
import pytest

from hptune.conditions import Condition, Forbid, clause
from hptune.encoding import Encoding
from hptune.space import Boolean, Choice, Fixed, Float, Int, SearchSpace

SPACES = {
    "numbers": SearchSpace(
        (
            Float(name="a", low=-1, high=3),
            Float(name="b", low=1e-4, high=10, scale="log"),
            Float(name="c", low=0.5, high=0.999, scale="reverse_log"),
            Float(name="d", low=0, high=1, step=0.3),
            Int(name="e", low=1, high=1000, scale="log"),
            Int(name="f", low=2, high=64, scale="log", factor=2),
            Int(name="g", low=3, high=3),
            Int(name="h", low=1, high=50, scale="reverse_log"),
            Choice(name="i", values=(1, 5, 20), ordered=True),
            Choice(name="j", values=("s", "m", "l"), ordered=True, weights=(1, 2, 7)),
        )
    ),
    "conditional": SearchSpace(
        (
            Choice(name="kernel", values=("rbf", "poly", "linear")),
            Int(name="degree", low=2, high=5, when=(Condition("kernel", "eq", "poly"),)),
            Float(
                name="gamma",
                low=1e-5,
                high=1,
                scale="log",
                extra=("scale", 0.0),
                when=clause("kernel", {"ne": "linear"}),
            ),
            Boolean(name="shrink", when=(Condition("degree", "ge", 4),)),
            Float(name="x", low=0, high=1, when=(Condition("gamma", "gt", 1e-3),)),
            Fixed(name="k", value=7, when=(Condition("kernel", "eq", "rbf"),)),
            Choice(
                name="deep",
                values=(None, 2, "2"),
                weights=(1, 2, 3),
                when=(*clause("k", 7), *clause("shrink", {"ne": True})),
            ),
        ),
        (Forbid((Condition("kernel", "eq", "rbf"), Condition("gamma", "eq", "scale"))),),
    ),
}


@pytest.mark.parametrize("name", SPACES)
def test_sampled_rows_are_what_the_space_encodes(name):
    space, encoding = SPACES[name], Encoding(SPACES[name])
    U = np.random.default_rng(0).random((300, encoding.width))
    X = encoding.sample(U)
    for row, u in zip(X, U, strict=True):
        values = space.draw(u)
        np.testing.assert_allclose(row, space.encode(values), atol=1e-9)
        assert space.decode(row) == pytest.approx(values)


@pytest.mark.parametrize("name", SPACES)
def test_filled_rows_become_legal_rows_again(name):
    space, encoding = SPACES[name], Encoding(SPACES[name])
    rng = np.random.default_rng(1)
    X = encoding.sample(rng.random((200, encoding.width)))
    full = encoding.filled(X, rng.random(X.shape))
    assert not np.isnan(full).any()
    np.testing.assert_array_equal(encoding.legal(full), X)
    assert all(space.check(space.decode(row)) is None for row in X[encoding.allowed(X)])


def test_neighbours_are_the_next_grid_values():
    space, encoding = SPACES["numbers"], Encoding(SPACES["numbers"])
    for name in ("d", "e", "f", "h", "i", "j"):
        column = [c.parameter for c in encoding.columns].index(name)
        parameter = space[name]
        values = list(parameter.listed(None))
        positions = np.array([parameter.encode(v)[0] for v in values])
        order = np.argsort(positions)
        up = encoding.neighbour(column, positions, np.ones(len(values)))
        down = encoding.neighbour(column, positions, -np.ones(len(values)))
        for rank, i in enumerate(order):
            assert up[i] == pytest.approx(positions[order[min(rank + 1, len(order) - 1)]], abs=1e-9)
            assert down[i] == pytest.approx(positions[order[max(rank - 1, 0)]], abs=1e-9)


def test_model_inputs_put_inactive_entries_in_the_middle_and_on_a_level_of_their_own():
    encoding = Encoding(SPACES["conditional"])
    X = encoding.sample(np.random.default_rng(2).random((100, encoding.width)))
    numeric, levels = encoding.split(X)
    assert not np.isnan(numeric).any()
    assert (levels <= encoding.levels).all()
    assert (levels == encoding.levels).any()
