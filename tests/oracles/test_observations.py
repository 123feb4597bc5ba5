"""Losses of lower fidelities, moved to what they would be in full."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from hptune import events as ev
from hptune.history import History
from hptune.observations import SLOPES, _step, observe
from hptune.space import Float, SearchSpace

SPACE = SearchSpace((Float(name="x", low=0, high=100),))


def told(trials: list[tuple[float, float | None, float]]) -> History:
    """Return a history of (value of x, fidelity, loss)."""
    history = History(
        ev.StudyStarted(
            time=0, name="s", metric="loss", direction="minimize", space=SPACE.to_json(), seed=0, lookahead=1, folds=1
        )
    )
    for number, (x, fidelity, loss) in enumerate(trials):
        history.apply(ev.TrialStarted(time=1, trial=number, values={"x": x}, fidelity=fidelity))
        history.apply(ev.FoldScored(time=1, trial=number, fold=0, score=loss))
        history.apply(ev.TrialCompleted(time=1, trial=number))
    return history


def test_a_step_is_the_median_slope_drawn_to_one_and_the_median_of_the_rest() -> None:
    rng = np.random.default_rng(0)
    for n in (4, 9, 30):
        x = rng.normal(size=n)
        z = 3.0 + 0.6 * x + 0.01 * rng.normal(size=n)
        a, b = _step(np.column_stack([x, z]))
        slope = float(np.clip(stats.theilslopes(z, x).slope, *SLOPES))
        assert b == pytest.approx((n * slope + 4) / (n + 4))
        assert a == pytest.approx(np.median(z - b * x))


@pytest.mark.parametrize("count", [0, 1, 3])
def test_few_pairs_tell_a_shift_only(count: int) -> None:
    pairs = np.array([(1.0, 5.0), (2.0, 9.0), (3.0, 8.0)][:count]).reshape(-1, 2)
    a, b = _step(pairs)
    assert b == 1.0
    assert a == (np.median(pairs[:, 1] - pairs[:, 0]) if count else 0.0)


def test_equal_losses_tell_a_shift_only() -> None:
    assert _step(np.array([[2.0, 3.0]] * 6)) == (1.0, 1.0)


def test_every_rung_goes_up_step_by_step_and_keeps_its_order() -> None:
    """At a quarter the loss is twice that at a half and a constant more, at a half that in full less five."""
    trials = [(float(x), 0.25, 2.0 * x + 1.0) for x in range(40)]
    trials += [(float(x), 0.5, float(x)) for x in range(20)]
    trials += [(float(x), None, x + 5.0) for x in range(10)]
    history = told(trials)
    seen = observe(history.view(), lift=False)
    loss = dict(zip(seen.measured.tolist(), np.ldexp(seen.loss, seen.exponent).tolist(), strict=True))
    for x in range(10):
        assert loss[60 + x] == x + 5.0  # in full: as measured
    slope = (10 * 1.0 + 4.0) / 14.0
    for x in range(20):
        assert loss[40 + x] == pytest.approx(slope * x + 5.0)
    lower = np.array([loss[x] for x in range(40)])
    assert np.diff(lower) == pytest.approx(2.0 * (20 * 0.5 + 4.0) / 24.0)  # twenty pairs with a slope of a half


def test_thousands_of_pairs_tell_the_slope_at_the_cost_of_a_few_hundred() -> None:
    rng = np.random.default_rng(1)
    x = rng.normal(size=20_000)
    a, b = _step(np.column_stack([x, 1.0 + 0.5 * x]))
    assert b == pytest.approx(0.5, abs=1e-3)
    assert a == pytest.approx(1.0, abs=1e-2)


def test_a_trial_that_diverged_does_not_take_the_slope_away() -> None:
    trials = [(float(x), 0.5, 2.0 * x) for x in range(30)] + [(float(x), None, x + 5.0) for x in range(30)]
    for more in ([], [(77.0, 0.5, 1e14)], [(77.0, 0.5, 1e14), (77.0, None, 2e14)]):
        seen = observe(told([*trials, *more]).view(), lift=False)
        loss = dict(zip(seen.measured.tolist(), np.ldexp(seen.loss, seen.exponent).tolist(), strict=True))
        assert loss[29] - loss[0] == pytest.approx(29 * 2.0 * (30 * 0.5 + 4.0) / 34.0, rel=0.02)
