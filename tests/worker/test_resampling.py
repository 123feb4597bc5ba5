"""What a holdout's bootstrap draws, and that its intervals hold what they promise where rows depend on each other."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from hptune.dataset import Rows
from hptune.job import Job
from hptune.statistics import resampled_gain
from hptune.worker.resampling import resampling
from hptune.worker.service import Service
from tests.worker.problems import RIDGE, SYNTHETIC, setup


def rows(count: int, groups: Any = None) -> Rows:
    return Rows(X=np.zeros((count, 1)), y=np.arange(count), groups=groups)


def covered(differences: NDArray[np.float64], groups: Any = None, *, consecutive: bool = False) -> float:
    """Return the share of 90 % intervals that hold the true mean 0, from differences of shape (studies, rows)."""
    rng, held = np.random.default_rng(1), 0
    how = resampling(rows(differences.shape[1], groups), consecutive=consecutive)
    for d in differences:
        gain = resampled_gain(float(d.mean()), [d[how.draw(rng)].mean() for _ in range(200)], units=how.units)
        assert gain.low is not None
        assert gain.high is not None
        held += gain.low <= 0 <= gain.high
    return held / len(differences)


@pytest.mark.parametrize("groups", [[1, 2, 2, 3, 1, 1], ["a", "b", "b", None, "a", "a"], [1, "x", "x", None, 1, 1]])
def test_groups_are_drawn_whole(groups: list[Any]) -> None:
    how = resampling(rows(6, np.array(groups, dtype=object)), consecutive=True)
    assert how.units == 3
    rng, seen = np.random.default_rng(0), set()
    for _ in range(50):
        times = np.bincount(how.draw(rng), minlength=6)
        assert times[0] == times[4] == times[5]
        assert times[1] == times[2]
        assert times[0] + times[1] + times[3] == 3
        seen |= set(np.flatnonzero(times))
    assert seen == set(range(6))


@pytest.mark.parametrize(("count", "length"), [(1, 1), (2, 1), (4, 2), (10, 2), (30, 3), (125, 5), (1001, 10)])
def test_blocks_are_consecutive_rows_from_anywhere_and_come_to_as_many_as_there_are(count: int, length: int) -> None:
    how, rng = resampling(rows(count), consecutive=True), np.random.default_rng(0)
    assert how.units == count // length
    seen = set()
    for _ in range(200):
        drawn = how.draw(rng)
        assert len(drawn) == count
        for start in range(0, count, length):
            assert (np.diff(drawn[start : start + length]) == 1).all()
        seen |= set(drawn.tolist())
    assert seen == set(range(count))


def test_rows_that_know_neither_groups_nor_order_are_drawn_by_themselves() -> None:
    how = resampling(rows(40), consecutive=False)
    assert how.units == 40
    assert np.array_equal(how.draw(np.random.default_rng(3)), np.random.default_rng(3).integers(40, size=40))


def test_the_interval_holds_what_it_promises_where_rows_of_a_group_are_alike() -> None:
    """400 holdouts of 12 groups of 8 rows, half of the variance the groups': 90 % within 4 sigma; by rows 58 %."""
    rng = np.random.default_rng(0)
    groups = np.repeat(np.arange(12), 8)
    d = rng.normal(size=(400, 12))[:, groups] + rng.normal(size=(400, 96))
    assert covered(d, groups) >= 0.84
    assert covered(d) < 0.75


def test_the_interval_is_honester_where_neighbours_in_time_are_alike_and_no_worse_where_they_are_not() -> None:
    """400 holdouts of 120 rows: on white noise 90 % within 4 sigma; with an autocorrelation of 0.5, 80 for 66 %."""
    noise = np.random.default_rng(0).normal(size=(400, 140))
    d = noise.copy()
    for i in range(1, 140):
        d[:, i] += 0.5 * d[:, i - 1]
    assert covered(noise[:, 20:], consecutive=True) >= 0.84
    assert covered(d[:, 20:], consecutive=True) > covered(d[:, 20:]) + 0.1


def units(data: dict[str, Any], **options: Any) -> int:
    """Return how many units the refit job says that the holdout's gain was resampled from."""
    evaluate = {"metric": "neg_mean_squared_error", **options.pop("evaluate", {})}
    service = Service(setup(RIDGE, data, evaluate, **options))
    job = Job(kind="refit", options={"values": {"alpha": 1.0}, "baseline": {"alpha": 50.0}, "holdout": True})
    answer = service.run(job).answer
    assert answer is not None
    gain = answer["holdout"]["gain"]
    assert len(gain["resamples"]) == 300
    assert gain["mean"] == pytest.approx(answer["holdout"]["score"] - answer["holdout"]["baseline"]["score"])
    return int(gain["units"])


def test_a_holdout_is_resampled_by_what_the_config_says_of_its_rows(tmp_path: Any) -> None:
    series = {"evaluate": {"cv": {"type": "time_series", "folds": 3}}}
    held = {**SYNTHETIC, "holdout": {"fraction": 0.5}}  # 30 rows: blocks of 3
    assert units(held) == 30
    assert units(held, **series) == 10
    assert units({**SYNTHETIC, "holdout": {"fraction": 0.5, "shuffle": False}}) == 10
    assert units({**SYNTHETIC, "holdout": {"fraction": 0.5, "shuffle": True}}, **series) == 30
    assert units(SYNTHETIC, outer={"folds": 2, "fold": 0}) == 30
    assert units(SYNTHETIC, outer={"folds": 3, "fold": 0}, **series) == 15 // 2
    rng = np.random.default_rng(0)
    X = rng.normal(size=(60, 2))
    np.savez(tmp_path / "t.npz", X=X, y=X[:, 0], groups=np.repeat(np.arange(12), 5))
    grouped = {"train": str(tmp_path / "t.npz"), "holdout": {"fraction": 0.5}}
    assert units(grouped) == 6
