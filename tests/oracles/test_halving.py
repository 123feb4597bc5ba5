"""Hyperband and ASHA: the right configurations are promoted, and every share of the resource is used as promised."""

import numpy as np
import pytest
from pydantic import ValidationError

from hptune.objective import Objective
from hptune.oracle import EXHAUSTED, Answer
from hptune.oracles import bayesian
from hptune.oracles.asha import Asha
from hptune.oracles.bayesian import Bayesian
from hptune.oracles.hyperband import Hyperband
from hptune.oracles.tpe import Tpe
from hptune.space import Float, SearchSpace
from hptune.study import Study
from hptune.surrogate.warp import warp

SPACE = SearchSpace((Float(name="x", low=0, high=1), Float(name="y", low=0, high=1)))


def run(oracle, trials, seed=0, lookahead=None):
    study = Study(SPACE, Objective("loss", "minimize"), oracle=oracle, seed=seed, lookahead=lookahead)
    for _ in range(trials):
        trial = study.ask()
        share = trial.fidelity or 1.0
        study.tell(trial.number, (trial.values["x"] - 0.3) ** 2 + trial.values["y"] ** 2 + 0.2 * (1 - share))
    return study.history.trials


@pytest.mark.parametrize(
    "oracle",
    [
        Asha(sampler="random"),
        Hyperband(sampler="random"),
        Asha(sampler="tpe", max=81, min=3, reduction=3),
        Hyperband(sampler={"type": "bayesian"}, promote="rank"),
    ],
)
def test_by_rank_a_promotion_carries_the_best_share_one_rung_up_once(oracle):
    trials = run(oracle, 40)
    shares = list(oracle.shares)
    promotions = [t for t in trials if t.parent is not None]
    assert promotions
    assert len({(t.parent, t.fidelity) for t in promotions}) == len(promotions)
    for t in promotions:
        parent = trials[t.parent]
        assert t.values == parent.values
        assert shares.index(t.fidelity) == shares.index(parent.fidelity) + 1
        rung = sorted(o.score for o in trials[: t.number] if o.fidelity == parent.fidelity)
        assert parent.score <= rung[len(rung) // oracle.eta - 1]


def test_asha_begins_on_the_lowest_rung_and_hyperband_on_all():
    assert {t.fidelity for t in run(Asha(sampler="random"), 30)[1:] if t.parent is None} == {1 / 8}
    begun = {t.fidelity for t in run(Hyperband(sampler="random"), 40)[1:] if t.parent is None}
    assert begun == {1 / 8, 1 / 4, 1 / 2, None}


@pytest.mark.parametrize("oracle", [Hyperband(sampler="tpe"), Hyperband()])
def test_no_configuration_is_tried_twice_at_one_share(oracle):
    trials = run(oracle, 50)
    assert len({(SPACE.key(t.values), t.fidelity) for t in trials}) == 50


def test_a_sampler_is_built_from_its_name_and_halving_cannot_sample_for_itself():
    assert isinstance(Asha(sampler="tpe").sampler, Tpe)
    assert Asha.model_validate(Asha(sampler={"type": "tpe", "startup": 4}).model_dump()).sampler == Tpe(startup=4)
    with pytest.raises(ValidationError, match="expected one of"):
        Asha(sampler="hyperband")


@pytest.mark.parametrize("oracle", [Asha(), Asha(sampler="random")])
def test_failures_are_never_promoted(oracle):
    study = Study(SPACE, Objective("loss", "minimize"), oracle=oracle, seed=0)
    for i in range(30):
        trial = study.ask()
        if i % 2:
            study.tell(trial.number, failed="no luck")
        else:
            study.tell(trial.number, trial.values["x"])
    trials = study.history.trials
    assert all(trials[t.parent].failure is None for t in trials if t.parent is not None)


def told(study, configurations):
    """Tell a study until so many configurations have begun; a smooth loss that falls with the resource."""
    while study.history.view().configurations < configurations:
        trial = study.ask()
        share = trial.fidelity or 1.0
        study.tell(trial.number, (trial.values["x"] - 0.3) ** 2 + trial.values["y"] ** 2 + 0.2 * (1 - share))


def finished(study):
    """Continue what is worth it, and return how many trials that took."""
    before = len(study.history.trials)
    while not isinstance(trial := study.next(finish=True), Answer):
        share = trial.fidelity or 1.0
        study.tell(trial.number, (trial.values["x"] - 0.3) ** 2 + trial.values["y"] ** 2 + 0.2 * (1 - share))
        assert trial.parent is not None
    assert trial is EXHAUSTED
    return len(study.history.trials) - before


def test_by_model_the_configuration_expected_to_be_best_is_measured_in_full_at_the_end():
    study = Study(SPACE, Objective("loss", "minimize"), oracle=Asha(), seed=1)
    told(study, 15)
    finished(study)
    expected = study.oracle.sampler.expected_best(study.history.view())
    assert study.history.trials[expected].fidelity is None
    assert not study.continues


@pytest.mark.parametrize("seed", [3, 7, 8, 12])
def test_by_model_one_configuration_besides_the_defaults_is_measured_in_full_however_bad_less_looks(seed):
    space = SearchSpace((Float(name="x", low=-2, high=2),))
    oracle = Hyperband(resource="steps", min=1, max=9)
    study = Study(space, Objective("loss", "minimize"), oracle=oracle, seed=seed)

    def tried(trial):  # the defaults in full look better than any configuration on less
        study.tell(trial.number, (trial.values["x"] - 1) ** 2 + 1 / (9 * (trial.fidelity or 1)))

    while study.history.view().configurations < 10:
        tried(study.ask())
    assert [one.number for one in study.history.trials if one.fidelity is None] == [0]
    while not isinstance(trial := study.next(finish=True), Answer):
        tried(trial)
    assert trial is EXHAUSTED
    first, *others = (one.score for one in study.history.trials if one.fidelity is None)
    assert min(others) < first / 2


def test_by_rank_the_best_of_every_rung_climbs_at_the_end_even_from_a_short_one():
    study = Study(SPACE, Objective("loss", "minimize"), oracle=Asha(sampler="random"), seed=1)
    told(study, 3)
    assert finished(study) == 3  # one of two configurations, by three rungs
    assert not study.continues


def test_a_model_that_only_begins_is_made_to_continue():
    study = Study(SPACE, Objective("loss", "minimize"), oracle=Asha(), seed=0)
    for _ in range(60):
        trial = study.ask()
        share = trial.fidelity or 1.0
        # More of the resource makes every configuration hopeless: the model would never go on with one.
        study.tell(trial.number, trial.values["x"] if share < 1 / 3 else 1e6)
    begun = "".join("n" if t.parent is None and t.fidelity else "p" for t in study.history.trials)
    assert "n" * 10 not in begun


@pytest.mark.parametrize(("oracle", "expected"), [(Asha(), {0.5, 1.0}), (Bayesian(), {0.5})])
def test_only_where_fidelities_differ_all_losses_count_by_turns(monkeypatch, oracle, expected):
    asked = []

    class Watched(bayesian.Promise):
        def __init__(self, encoding, seen, known=(), *, refines=False, spaced=0.5):
            super().__init__(encoding, seen, known, refines=refines, spaced=spaced)
            asked.append((len(seen.rows), spaced))
            assert np.array_equal(self.w, warp(seen.loss, spaced))

    monkeypatch.setattr(bayesian, "Promise", Watched)
    run(oracle, 20)
    assert {spaced for _, spaced in asked} == expected
    assert all(spaced == (1.0 if begun % 2 == 0 and 1.0 in expected else 0.5) for begun, spaced in asked)


def test_shares_are_whole_amounts_of_what_is_counted():
    assert Hyperband(max=52, min=6).shares == (6 / 52, 13 / 52, 26 / 52, None)
    assert Hyperband(max=52, min=6, reduction=3).shares == (6 / 52, 17 / 52, None)
    assert Hyperband(max=81, min=1, reduction=3).shares == (1 / 81, 3 / 81, 9 / 81, 27 / 81, None)
    assert Hyperband().shares == (1 / 8, 1 / 4, 1 / 2, None)
    assert Hyperband(resource="rows").shares == (1 / 9, 1 / 3, None)  # every rung begins anew
    resource = Hyperband(resource="max_iter", max=52, min=6).to_spend()
    assert [resource.amount(share) for share in (6 / 52, 13 / 52, None)] == [6, 13, 52]


def test_what_is_expected_to_be_best_after_one_that_failed_in_full_climbs_instead():
    study = Study(SPACE, Objective("loss", "minimize"), oracle=Hyperband(), seed=1)

    def tell(trial):
        near = abs(trial.values["x"] - 0.3) < 0.1
        if near and trial.fidelity is None:
            study.tell(trial.number, failed="out of memory")
        else:
            share = trial.fidelity or 1.0
            study.tell(trial.number, (trial.values["x"] - 0.3) ** 2 + trial.values["y"] ** 2 + 0.2 * (1 - share))

    while study.history.view().configurations < 15:
        tell(study.ask())
    while not isinstance(trial := study.next(finish=True), Answer):
        tell(trial)
    failed = {SPACE.key(t.values) for t in study.history.trials if t.failure is not None}
    assert failed
    expected = study.oracle.sampler.expected_best(study.history.view())
    assert SPACE.key(study.history.trials[expected].values) not in failed
    assert study.history.trials[expected].fidelity is None


def test_a_grid_as_sampler_leaves_no_point_for_later():
    space = SearchSpace((Float(name="x", low=0, high=1),))
    study = Study(
        space, Objective("loss", "minimize"), oracle=Asha(sampler={"type": "grid", "points": 12, "shuffle": False})
    )
    while not isinstance(trial := study.next(), Answer):
        study.tell(trial.number, trial.values["x"])
    begun = [t.values["x"] for t in study.history.trials[1:] if t.parent is None]
    assert len(begun) > 6
    assert begun == sorted(begun)
