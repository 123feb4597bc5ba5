"""The step from a fold's rows to all of them, and the halves it is measured on."""

from __future__ import annotations

import numpy as np
import pytest

from hptune.learning_curve import half, refit_gain


@pytest.mark.parametrize("folds", [2, 5, 10])
def test_a_loss_that_falls_like_one_over_the_rows_is_continued_exactly(folds: int) -> None:
    rows, share = 1000, 1 - 1 / folds

    def loss(n: float) -> float:
        return 0.3 + 7.0 / n

    found = refit_gain([loss(share * rows)], [loss(share * rows / 2)], test_share=(1 - share) / share)
    assert found == pytest.approx(loss(share * rows) - loss(rows))


def test_harm_is_not_cut_off() -> None:
    assert refit_gain([1.0, 1.0], [0.5, 1.0], test_share=0.25) == pytest.approx(-0.05)
    with pytest.raises(ValueError, match="equal shapes"):
        refit_gain([1.0], [], test_share=0.25)


def test_half_keeps_classes_in_proportion_and_groups_whole() -> None:
    rng = np.random.default_rng(0)
    rows = np.arange(100, 200)
    classes = np.repeat(["a", "b", "c"], [60, 38, 2])
    kept = half(rows, rng, classes=classes)
    assert sorted(np.unique(classes[kept - 100], return_counts=True)[1].tolist()) == [1, 19, 30]
    groups = np.arange(100) % 7
    kept = half(rows, rng, groups=groups)
    assert {g: int((groups[kept - 100] == g).sum()) for g in set(groups[kept - 100].tolist())} == {
        g: int((groups == g).sum()) for g in set(groups[kept - 100].tolist())
    }
    assert len(half(rows, rng)) == 50
    assert len(half(rows[:1], rng)) == 1
