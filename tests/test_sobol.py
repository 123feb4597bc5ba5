"""The Sobol points against SciPy's, and the evenness that scrambling keeps."""

import numpy as np
import pytest
from scipy.stats import qmc

from hptune.sobol import MAX_DIMENSION, sobol


@pytest.mark.parametrize("d", [1, 2, 7, 32, MAX_DIMENSION])
def test_unscrambled_points_equal_scipys(d: int) -> None:
    theirs = qmc.Sobol(d, scramble=False).random(256)
    ours = np.array([sobol(i, d) for i in range(256)])
    assert np.array_equal(ours, theirs)


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_scrambled_points_keep_one_point_in_every_cell(seed: int) -> None:
    points = np.array([sobol(i, 5, seed) for i in range(64)])
    for column in points.T:
        assert sorted((column * 64).astype(int)) == list(range(64))
    pairs = {(int(a * 8), int(b * 8)) for a, b in points[:, :2]}
    assert len(pairs) == 64


def test_seeds_scramble_differently_and_each_the_same_every_time() -> None:
    assert np.array_equal(sobol(5, 4, 0), sobol(5, 4, 0))
    assert not np.array_equal(sobol(5, 4, 0), sobol(5, 4, 1))


def test_more_dimensions_than_the_table_has_are_filled_up() -> None:
    point = sobol(3, MAX_DIMENSION + 10, 0)
    assert point.shape == (MAX_DIMENSION + 10,)
    assert ((point >= 0) & (point < 1)).all()


def test_an_index_or_dimension_out_of_range_is_refused() -> None:
    with pytest.raises(ValueError, match="index"):
        sobol(2**30, 2)
