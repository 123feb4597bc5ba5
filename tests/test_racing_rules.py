"""What racing and refinements promise at their edges: who races, from when on, and what a bar means to the last bit."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pytest

from hptune import events as ev
from hptune import racing, refinement
from hptune.observations import FOLD_TRIALS
from hptune.race import Race
from hptune.study import Study
from hptune.surrogate.folds import SHARE, FoldEffects
from hptune.trial import REFINEMENT, Measurement
from tests.test_racing import FOLDS, matrix, study


def complete(
    one: Study, x: float, losses: Sequence[float], *, origin: str = "", fidelity: float | None = None
) -> int:
    """Complete a trial that was not asked for; return its number."""
    number = begin(one, x, origin=origin, fidelity=fidelity)
    for fold, loss in enumerate(losses):
        one.score(number, Measurement(fold, float(loss)))
    one.complete(number)
    return number


def begin(one: Study, x: float, *, origin: str = "", fidelity: float | None = None) -> int:
    number = len(one.history.trials)
    one.history.apply(ev.TrialStarted(time=0.0, trial=number, values={"x": x}, origin=origin, fidelity=fidelity))
    return number


def tilted(x: float, scale: float = 1.0) -> list[float]:
    """Folds that are hard on one side of the space only, and a trace of what nothing explains."""
    return [
        scale * (0.1 * (x - 1.0) ** 2 + math.sin(x + f * 2 * math.pi / FOLDS) + 0.02 * math.sin(1e4 * x * (f + 1)))
        for f in range(FOLDS)
    ]


def searched(count: int, scale: float = 1.0) -> Study:
    """Return a study of so many complete trials, evenly over the space."""
    one = study(lookahead=None)
    for x in np.linspace(-2, 2, count):
        complete(one, float(x), tilted(float(x), scale))
    return one


# -- who is raced against -------------------------------------------------------------------------------------------


def test_a_trial_with_less_of_a_resource_is_no_incumbent() -> None:
    one = searched(12)
    before = racing.race(one.history.view(), {"x": 0.3})
    complete(one, 0.31, [-50.0 - f for f in range(FOLDS)], fidelity=0.25)
    numbers, _ = racing.complete_losses(one.history.view())
    assert numbers.tolist() == list(range(12))
    assert racing.race(one.history.view(), {"x": 0.3}) == before is not None


def test_neighbours_count_from_the_eighth_complete_trial_on() -> None:
    one = searched(racing.NEIGHBOURS - 1)
    assert racing.race(one.history.view(), {"x": 0.3}) == racing.race(one.history.view()) is not None
    complete(one, 0.1, tilted(0.1))
    assert racing.race(one.history.view(), {"x": 0.3}) != racing.race(one.history.view())


def test_only_the_best_complete_trials_are_neighbours() -> None:
    """Three quarters of the best `FOLD_TRIALS`: the last of these matters, the first beyond them does not."""

    def raced(odd: int) -> Race | None:
        one = study(lookahead=None)
        for number in range(FOLD_TRIALS + 20):
            x = -2.0 + 0.05 * number
            losses = np.array(tilted(x)) + 10.0 * number
            complete(one, x, losses + (np.array([3.0, -3.0, 2.0, -2.0, 0.0]) if number == odd else 0.0))
        return racing.race(one.history.view(), {"x": -1.0})

    looked_at = math.ceil(SHARE * FOLD_TRIALS)
    assert raced(looked_at) == raced(FOLD_TRIALS) == raced(-1) is not None
    assert raced(looked_at - 1) != raced(-1)


# -- the bars -------------------------------------------------------------------------------------------------------


def test_a_trial_goes_on_right_on_the_bar_and_where_its_lead_is_no_number() -> None:
    race = Race(incumbent=0, losses=(0.0, 0.0, 0.0), bars=(1.0, 0.5), spread=1.0, degrees=8)
    assert race.goes_on([(0, 1.0)])
    assert race.goes_on([(0, 0.5), (2, 0.5)])
    assert not race.goes_on([(0, math.nextafter(1.0, 2.0))])
    assert race.goes_on([(0, math.inf), (1, -math.inf)])  # nan


def test_losses_so_small_that_a_variance_vanishes_are_raced_by_the_pooled_spread() -> None:
    view = searched(20, scale=2.0**-534).history.view()
    held = racing.race(view)
    assert held is not None
    assert held.spread > 0
    numbers, losses = racing.complete_losses(view)
    order = np.argsort(losses.mean(axis=1), kind="stable")
    positions = np.linspace(0, 1, 20)[numbers[order], None]
    nowhere = np.zeros((20, 0), dtype=np.int64)
    assert FoldEffects.of(positions, nowhere, losses[order]).at(positions[:1], nowhere[:1])[1][0] == 0.0
    assert racing.race(view, {"x": 0.3}) == held
    assert racing.reason(held, [(0, 1.0)]).startswith("raced out after 1 of 5 folds: under 0.1")


def test_a_chance_is_never_told_as_none() -> None:
    held = racing.race_of(matrix(20, FOLDS), np.arange(20))
    assert held is not None
    for behind in np.linspace(0, 12, 600) * held.spread:
        done = [(0, held.losses[0] + float(behind))]
        said = racing.reason(held, done)
        assert ": 0.0" not in said
        assert (": under 0.1" in said) == (racing.chance(held, done) < 0.001)
    assert ": under 0.1" in said


# -- refinements ----------------------------------------------------------------------------------------------------


def test_refinements_are_every_second_trial_even_where_none_was_before() -> None:
    """The first may be asked for late: racing has to leave a fold out first."""
    one = study(lookahead=None)
    for number in range(refinement.FROM + 7):
        complete(one, number / 100, [1.0 + 0.3 * f for f in range(FOLDS)])
    due = [number for number in range(refinement.FROM + 8) if refinement.due(one.history.view(number))]
    assert due == [refinement.FROM + more for more in (0, 2, 4, 6)]


def test_a_refinement_that_is_still_running_has_not_failed_to_pay() -> None:
    one = study(lookahead=None)
    for number in range(refinement.FROM):
        complete(one, number / 100, [1.0 + 0.3 * f for f in range(FOLDS)])
    complete(one, 0.5, [0.5 + 0.3 * f for f in range(FOLDS)], origin=REFINEMENT)  # it paid
    complete(one, 0.6, [1.0 + 0.3 * f for f in range(FOLDS)])
    begin(one, 0.7, origin=REFINEMENT)
    complete(one, 0.8, [1.0 + 0.3 * f for f in range(FOLDS)])
    assert refinement.due(one.history.view())


# -- the effects of folds -------------------------------------------------------------------------------------------


def effects(losses: np.ndarray) -> tuple[bytes, bytes]:
    positions = np.linspace(0, 1, len(losses))[:, None]
    nowhere = np.zeros((len(losses), 0), dtype=np.int64)
    effect, variance = FoldEffects.of(positions, nowhere, losses).at(positions[:3] + 0.01, nowhere[:3])
    return effect.tobytes(), variance.tobytes()


@pytest.mark.parametrize(("count", "looked_at"), [(4, 4), (5, 4), (8, 6), (40, 30)])
def test_the_effects_of_folds_are_those_of_the_better_three_quarters_and_of_four_at_least(
    count: int, looked_at: int
) -> None:
    losses = np.random.default_rng(0).normal(size=(count, 5))
    known = effects(losses)
    for row in range(count):
        other = losses.copy()
        other[row] = np.random.default_rng(1).normal(size=5)
        assert (effects(other) == known) == (row >= looked_at), row


@pytest.mark.parametrize("count", [3, 4, 9])
def test_of_equally_likely_hypotheses_the_first_is_taken_which_has_no_neighbours(count: int) -> None:
    """So far apart that every hypothesis says the same, but for rounding."""
    positions, nowhere = 1000.0 * np.arange(count)[:, None], np.zeros((count, 0), dtype=np.int64)
    for seed in range(40):
        losses = np.random.default_rng(seed).normal(size=(count, 3))
        fitted = FoldEffects.of(positions, nowhere, losses)
        assert (fitted.length, fitted.nugget) == (1e-6, 1.0)
