"""Fold racing: the rule against its formula, and the same decisions whatever the timing."""

from __future__ import annotations

import itertools
import json
import math
import random
import warnings
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.stats import t as student

from hptune import events as ev
from hptune import journal as jn
from hptune import racing, refinement
from hptune.errors import JournalDamaged
from hptune.history import History
from hptune.job import Job, Outcome
from hptune.loop import Loop
from hptune.objective import Objective
from hptune.observations import observe
from hptune.oracles import ORACLES
from hptune.race import Race
from hptune.repair import repair
from hptune.replay import replay
from hptune.report.result import result
from hptune.report.tables import trial_table
from hptune.report.trials_csv import trials_csv
from hptune.space import Float, SearchSpace
from hptune.stopping import TrialLimit
from hptune.study import Study
from hptune.trial import REFINEMENT, Failure, Measurement
from tests.test_loop import Threads

SPACE = SearchSpace((Float(name="x", low=-2.0, high=2.0, default=1.5),))
FOLDS = 5


def loss(values: Any, fold: int) -> float:
    """A parabola, folds of different difficulty, and noise that is the configuration's own."""
    noise = zlib.crc32(f"{values['x']!r}/{fold}".encode()) / 2**32 - 0.5
    return float(values["x"] ** 2 + 0.3 * fold + 0.2 * noise)


def scored(job: Job) -> Outcome:
    done = [Measurement(fold=f, score=loss(job.values, f), fit_seconds=0.3) for f in job.folds]
    return Outcome(measurements=tuple(done), worker="w", seconds=0.3 * len(done))


def study(folder: Path | None = None, *, oracle: str = "random", lookahead: int | None = 4, seed: int = 0) -> Study:
    started = ev.StudyStarted(
        time=0.0,
        name="s",
        metric="loss",
        direction="minimize",
        space=SPACE.to_json(),
        seed=seed,
        lookahead=lookahead,
        folds=FOLDS,
        starts=[SPACE.defaults()],
    )
    return Study.of(started, ORACLES[oracle](type=oracle), None if folder is None else jn.Journal(folder))


def run(one: Study, executor: Threads, trials: int, **options: Any) -> Loop:
    loop = Loop(one, executor, (TrialLimit(trials),), folds=FOLDS, race=True, **options)
    loop.run()
    return loop


def picture(history: History) -> list[Any]:
    """A failed trial's other folds may or may not have begun, which changes nothing: they are left out."""
    folds = [[] if t.failure else sorted(m.fold for m in t.measurements) for t in history.trials]
    return [(t.number, t.values["x"], t.status, t.reason, folds[t.number], t.origin) for t in history.trials]


# -- the rule -------------------------------------------------------------------------------------------------------


def matrix(rows: int, k: int, seed: int = 0) -> np.ndarray[Any, np.dtype[np.float64]]:
    rng = np.random.default_rng(seed)
    return np.sort(rng.uniform(0, 1, rows))[::-1, None] + rng.normal(0, 1, k) + rng.normal(0, 0.1, (rows, k))


@pytest.mark.parametrize("k", [3, 5, 10])
def test_the_bars_are_where_the_predictive_probability_is_alpha(k: int) -> None:
    losses = matrix(20, k)
    race = racing.race_of(losses, np.arange(20))
    assert race is not None
    best = int(np.argmin(losses.mean(axis=1)))
    assert race.incumbent == best
    differences = np.delete(losses - losses[best], best, axis=0)
    near = differences[np.argsort(np.abs(differences.mean(axis=1)))[:9]]
    spread = math.sqrt(((near - near.mean(axis=1, keepdims=True)) ** 2).sum() / (9 * (k - 1)))
    assert race.spread == pytest.approx(spread)
    for j in range(1, k):
        error = spread * math.sqrt((k - j) / (j * k))
        margin = racing.MARGIN * losses[best].std(ddof=1) / math.sqrt(k) * (k - j) / (k - 1)
        assert student.cdf((-race.bars[j - 1] - margin) / error, 8) == pytest.approx(racing.ALPHA)
        over = race.bars[j - 1] + 0.001 * spread
        done = [(f, float(losses[best, f]) + over) for f in range(j)]
        assert not race.goes_on(done)
        assert racing.chance(race, done) == pytest.approx(student.cdf((-over - margin) / error, 8))
        assert race.goes_on([(f, float(losses[best, f]) + over - 0.002 * spread) for f in range(j)])


def test_nobody_is_given_up_before_eight_degrees_of_freedom_or_without_any_spread() -> None:
    for k, fewest in ((2, 9), (3, 5), (5, 3), (10, 2)):
        assert racing.race_of(matrix(fewest - 1, k), np.arange(fewest - 1)) is None
        assert racing.race_of(matrix(fewest, k), np.arange(fewest)) is not None
    assert racing.race_of(np.ones((30, 5)), np.arange(30)) is None
    assert racing.race_of(matrix(30, 5) * 1e300, np.arange(30)) is None
    assert racing.race_of(np.ones((30, 1)), np.arange(30)) is None


def test_a_race_survives_json_and_huge_losses_stop_nobody_by_accident() -> None:
    race = racing.race_of(matrix(20, 5), np.arange(20))
    assert race is not None
    assert Race.from_json(json.loads(json.dumps(race.to_json()))) == race
    assert race.goes_on([])
    assert not race.goes_on([(0, 1e300), (1, 1e308), (2, 1.7e308)])
    assert race.goes_on([(0, 1e308), (1, -1e308)]) is not race.goes_on([(0, 1e308), (1, 1e308)])


@pytest.mark.parametrize("scale", [2.0**-40, 2.0**60])
def test_scale_and_shift_of_the_losses_change_nothing(scale: float) -> None:
    losses = matrix(20, 5)
    one, other = (racing.race_of(m, np.arange(20)) for m in (losses, losses * scale))
    assert one is not None
    assert other is not None
    assert other.bars == tuple(scale * bar for bar in one.bars)


def test_with_its_values_a_trial_is_compared_with_what_its_neighbours_lose_on_a_fold() -> None:
    """Folds that are hard on one side of the space only: the incumbent's losses say nothing of a trial on the other."""
    one = study(lookahead=None)

    def folds(x: float) -> list[float]:
        tilt = [math.sin(x + f * 2 * math.pi / FOLDS) for f in range(FOLDS)]
        return [0.1 * (x - 1.0) ** 2 + t for t in tilt]

    for _ in range(30):
        trial = one.ask()
        for f, value in enumerate(folds(trial.values["x"])):
            one.score(trial.number, Measurement(fold=f, score=value))
        one.complete(trial.number)
    view = one.history.view()
    plain = racing.race(view)
    assert plain is not None
    for x in (0.2, 0.9, 1.6):  # where the better three quarters of the trials are
        own = racing.race(view, {"x": x})
        assert own is not None
        assert (own.incumbent, own.margin, own.degrees) == (plain.incumbent, plain.margin, plain.degrees)
        mean = sum(folds(x)) / FOLDS
        best = sum(plain.losses) / FOLDS
        for f, value in enumerate(folds(x)):
            assert own.lead([(f, value)]) == pytest.approx(mean - best, abs=0.15)
            assert own.spread < 0.5 * plain.spread
        done = [(f, value) for f, value in enumerate(folds(x))][:3]
        error = own.spread * math.sqrt(2 / 15)
        expected = student.cdf((-own.lead(done) - own.margin / 2) / error, own.degrees)
        assert racing.chance(own, done) == pytest.approx(expected)
        assert own.goes_on(done) == (expected >= racing.ALPHA)


def partly_measured(first_ends: bool) -> Study:
    """Twelve trials, a third of them given up; the first is still running, or has failed."""
    one = study(lookahead=None)
    for number in range(12):
        trial = one.ask()
        if number == 0:
            continue
        folds = racing.fold_order(0, number, FOLDS)[: FOLDS if number % 3 else 2]
        for f in folds:
            one.score(trial.number, Measurement(fold=f, score=loss(trial.values, f)))
        one.complete(trial.number) if number % 3 else one.stop(trial.number, "behind")
    if first_ends:
        one.fail(0, Failure("error", "no"))
    return one


def test_what_is_observed_of_a_trial_does_not_depend_on_whether_those_before_it_have_ended() -> None:
    running, ended = (observe(partly_measured(ends).history.view()) for ends in (False, True))
    assert (running.pending.tolist(), ended.failed.tolist()) == ([0], [0])
    np.testing.assert_array_equal(running.measured, ended.measured)
    np.testing.assert_array_equal(running.loss, ended.loss)
    np.testing.assert_array_equal(running.variance, ended.variance)
    assert (running.variance > 0).tolist() == [number % 3 == 0 for number in range(1, 12)]


def test_few_complete_trials_are_no_neighbours() -> None:
    one = study(lookahead=None)
    for _ in range(racing.NEIGHBOURS - 1):
        trial = one.ask()
        for f in range(FOLDS):
            one.score(trial.number, Measurement(fold=f, score=loss(trial.values, f)))
        one.complete(trial.number)
    assert racing.race(one.history.view(), {"x": 0.0}) == racing.race(one.history.view())


def test_the_order_of_the_folds_is_each_trials_own() -> None:
    orders = {racing.fold_order(0, trial, 5) for trial in range(40)}
    assert len(orders) > 25
    assert all(sorted(order) == list(range(5)) for order in orders)
    assert racing.fold_order(0, 3, 5) == racing.fold_order(0, 3, 5) != racing.fold_order(1, 3, 5)


def test_hidden_results_count_for_nothing() -> None:
    one = study(lookahead=4)
    run(one, Threads(1), 12)
    for k in range(12):
        seen = racing.complete_losses(one.history.view(k))[0]
        assert all(number <= k - 4 for number in seen)
        assert list(seen) == [t.number for t in one.history.view(k).completed()]


# -- refinements ----------------------------------------------------------------------------------------------------


def smooth(job: Job) -> Outcome:
    """A parabola with its least at 0.3; folds that differ in difficulty and, a little, in where they are easiest."""
    done = [Measurement(fold=f, score=(job.values["x"] - 0.3 - 0.02 * (f - 2)) ** 2 + 0.3 * f) for f in job.folds]
    return Outcome(measurements=tuple(done), worker="w", seconds=0.3 * len(done))


def origins(one: Study) -> list[str]:
    return [trial.origin for trial in one.history.trials]


def test_a_raced_search_asks_for_any_improvement_and_one_on_whole_trials_does_not() -> None:
    one, whole = study(oracle="bayesian"), study(oracle="bayesian")
    run(one, Threads(1, scored), 44)
    assert any(trial.status == "stopped" for trial in one.history.trials[: refinement.FROM])
    assert set(origins(one)[refinement.FROM :]) == {REFINEMENT, "model"}
    assert REFINEMENT not in origins(one)[: refinement.FROM]
    for number in range(44):
        assert (origins(one)[number] == REFINEMENT) == refinement.due(one.history.view(number)), number
    Loop(whole, Threads(1, scored), (TrialLimit(44),), folds=FOLDS).run()
    assert REFINEMENT not in origins(whole)


def refined(payments: list[bool], least: float = 0.01, *, fails: bool = False) -> list[int]:
    """The numbers of the refinements of a study whose k-th one improves the best by `least`, is no better, or fails."""
    one, best, found = study(lookahead=None), 1.0, []
    for number in range(125):
        view = one.history.view()
        is_due = refinement.due(view)
        origin = REFINEMENT if is_due else "model"
        one.history.apply(ev.TrialStarted(time=0.0, trial=number, values={"x": number / 100}, origin=origin))
        loss = 2.0
        if is_due:
            pays = payments[len(found)] if len(found) < len(payments) else False
            loss = best - least if pays else best
            best = loss
            found.append(number)
            if fails:
                one.fail(number, Failure("timeout", "too long"))
                continue
        elif number == 0:
            loss = best
        for f in range(FOLDS):
            one.score(number, Measurement(fold=f, score=loss + 0.3 * f))
        one.complete(number)
    return found


def test_refinements_that_do_not_pay_become_rare_and_one_that_pays_brings_them_back() -> None:
    assert np.diff(refined([])).tolist() == [4, 8, 16, 32, 32]
    assert refined([])[0] == refinement.FROM
    assert np.diff(refined([True] * 100)).tolist() == [2] * 52
    assert np.diff(refined([False, False, True, True])).tolist()[:4] == [4, 8, 2, 2]
    assert np.diff(refined([], fails=True)).tolist() == [4, 8, 16, 32, 32]
    # What no one would call an improvement: under a thousandth of a standard error (0.21 here).
    assert np.diff(refined([True] * 100, least=1e-4)).tolist() == [4, 8, 16, 32, 32]


def test_where_folds_are_told_and_not_raced_there_are_no_refinements() -> None:
    """A study asked and told from outside, some trials with fewer folds than others."""
    one = Study(SPACE, Objective("loss", "minimize"), oracle="bayesian")
    for number in range(refinement.FROM + 6):
        trial = one.ask()
        one.tell(trial.number, [loss(trial.values, f) for f in range(3 if number % 3 == 0 else 5)])
    assert observe(one.history.view()).variance.any()
    assert REFINEMENT not in origins(one)


def test_of_huge_losses_nothing_is_said() -> None:
    one = study(lookahead=None)
    for number in range(refinement.FROM):
        trial = one.ask()
        for f in range(FOLDS):
            one.score(trial.number, Measurement(fold=f, score=1e300 if number == 7 else 1.0 + f))
        one.complete(trial.number)
    with warnings.catch_warnings(action="error"):
        assert not refinement.due(one.history.view())


def test_no_margin_is_asked_of_a_refinement() -> None:
    one = study(lookahead=None)
    run(one, Threads(1, scored), 30)
    view = one.history.view()
    held, refined = (racing.race(view, {"x": 0.1}, origin=origin) for origin in ("model", REFINEMENT))
    assert held is not None
    assert refined is not None
    assert held.margin > refined.margin == 0.0
    assert all(tight < loose for tight, loose in zip(held.bars, refined.bars, strict=True))
    assert (held.incumbent, held.losses, held.spread) == (refined.incumbent, refined.losses, refined.spread)


def test_a_raced_search_goes_on_to_the_bottom_of_a_smooth_loss(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without refinements it stays where less than the margin is to be won."""

    def missed(seed: int) -> float:
        one = study(oracle="bayesian", seed=seed)
        run(one, Threads(1, smooth), 50)
        best = one.history.best
        assert best is not None
        return abs(best.values["x"] - 0.3)

    with_them = [missed(seed) for seed in range(3)]
    monkeypatch.setattr(refinement, "FROM", 1000)
    without = [missed(seed) for seed in range(3)]
    assert np.median(with_them) < 1e-3
    assert np.median(with_them) < 0.1 * np.median(without)


# -- the same decisions whatever the timing --------------------------------------------------------------------------


@pytest.mark.parametrize("oracle", ["random", "bayesian", "tpe"])
def test_slow_workers_change_no_trial_and_no_decision(oracle: str) -> None:
    pictures = []
    for workers, delay in ((1, 0.0), (2, 0.01), (4, 0.02), (4, 0.005)):
        one = study(oracle=oracle)
        executor = Threads(workers, scored, delay)
        run(one, executor, 24)
        executor.close()
        pictures.append(picture(one.history))
    assert pictures[0] == pictures[1] == pictures[2] == pictures[3]
    assert sum(status == "stopped" for _, _, status, *_ in pictures[0]) >= 6


@pytest.mark.slow
@pytest.mark.parametrize("oracle", ["hyperband", "asha"])
def test_slow_workers_change_nothing_with_racing_and_partial_fidelities_at_once(oracle: str) -> None:
    pictures = []
    for workers, delay in ((1, 0.0), (2, 0.01), (4, 0.01)):
        policy = ORACLES[oracle](type=oracle, sampler="random")
        one = Study.of(study().history.started, policy, None)
        executor = Threads(workers, scored, delay)
        run(one, executor, 60)
        executor.close()
        fidelities = [trial.fidelity for trial in one.history.trials]
        pictures.append((picture(one.history), fidelities))
    assert pictures[0] == pictures[1] == pictures[2]
    assert any(fidelity is not None for fidelity in fidelities)
    assert any(trial.status == "stopped" for trial in one.history.trials)


def test_racing_saves_folds_and_keeps_the_winner() -> None:
    one, whole = study(), study()
    run(one, Threads(1, scored), 60)
    Loop(whole, Threads(1, scored), (TrialLimit(60),), folds=FOLDS).run()
    fits = sum(len(t.measurements) for t in one.history.trials)
    assert fits < 60 * FOLDS / 1.8
    assert one.history.best is not None
    assert whole.history.best is not None
    assert one.history.best.number == whole.history.best.number


def test_a_fold_measured_ahead_of_a_decision_is_dropped_or_recorded_in_its_turn() -> None:
    executor = Threads(4, scored, 0.01)
    one = study(lookahead=4)
    run(one, executor, 24)
    executor.close()
    fitted = {(job.trial, fold) for job in executor.jobs for fold in job.folds}
    recorded = {(t.number, m.fold) for t in one.history.trials for m in t.measurements}
    assert recorded <= fitted
    for trial in one.history.trials:
        order = racing.fold_order(0, trial.number, FOLDS)
        if trial.status == "stopped":
            assert tuple(m.fold for m in trial.measurements) == order[: len(trial.measurements)]


def test_failures_of_raced_trials_come_in_their_turn_too() -> None:
    def bad(job: Job) -> Outcome:
        order = racing.fold_order(0, job.trial, FOLDS)
        if job.trial % 3 == 2 and order[3] in job.folds:
            before = job.folds[: job.folds.index(order[3])]
            done = scored(Job(trial=job.trial, values=job.values, folds=before)).measurements
            return Outcome(measurements=done, failure=Failure("error", "boom"))
        return scored(job)

    pictures = []
    for workers, delay in ((1, 0.0), (4, 0.01), (4, 0.02)):
        one = study()
        executor = Threads(workers, bad, delay)
        run(one, executor, 18)
        executor.close()
        pictures.append(picture(one.history))
        assert {t.status for t in one.history.trials} == {"completed", "stopped", "failed"}
    assert pictures[0] == pictures[1] == pictures[2]


@pytest.mark.parametrize("oracle", ["random", "bayesian"])
def test_an_interrupted_race_resumes_to_the_uninterrupted_one(
    oracle: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(refinement, "FROM", 8)  # so that refinements are interrupted too
    whole = study(oracle=oracle)
    run(whole, Threads(2, scored), 20)
    assert (REFINEMENT in origins(whole)) == (oracle == "bayesian")
    rng = random.Random(0)
    for number in range(6):
        folder = tmp_path / str(number)
        one = study(folder, oracle=oracle)
        executor = Threads(2, scored, 0.01)
        loop = Loop(one, executor, (TrialLimit(20),), folds=FOLDS, race=True, folder=folder)
        calls = iter(range(10**6))
        stop = rng.randrange(2, 30)
        loop.run(interrupt=lambda c=calls, n=stop: "signal" if next(c) >= n else None, grace=0.0)
        one.close()
        executor.close()
        resumed = study(folder, oracle=oracle)
        resumed.resume({})
        run(resumed, Threads(2, scored), 20, folder=folder)
        resumed.close()
        assert picture(resumed.history) == picture(whole.history)
        assert picture(replay(jn.read(folder).events)) == picture(whole.history)


def test_a_fold_that_a_damaged_journal_lost_is_measured_again(tmp_path: Path) -> None:
    """Of a trial that was raced, and not the last that it has: the rest need not be the first of its order."""
    one = study(tmp_path)
    run(one, Threads(1, scored), 20, folder=tmp_path)
    one.close()
    journal = tmp_path / "journal.jsonl"
    lines = journal.read_bytes().splitlines(keepends=True)
    late = [t for t in one.history.trials if t.number > 8 and t.completed]
    where = [
        i for i, line in enumerate(lines) if b'"fold_scored"' in line and json.loads(line)["trial"] == late[-1].number
    ]
    assert len(where) == FOLDS
    journal.write_bytes(b"".join(line for i, line in enumerate(lines) if i != where[1]))
    with pytest.raises(JournalDamaged):
        study(tmp_path)
    repair(tmp_path)
    again = study(tmp_path)
    again.resume({})
    calls = itertools.count()
    loop = Loop(again, Threads(1, scored), (TrialLimit(20),), folds=FOLDS, race=True, folder=tmp_path)
    assert loop.run(interrupt=lambda: "signal" if next(calls) > 300 else None, grace=0.0) == "trials"
    again.close()
    trial = again.history.trials[late[-1].number]
    assert sorted(m.fold for m in trial.measurements) == list(range(FOLDS))
    assert trial.scores == late[-1].scores


def test_under_async_all_that_is_known_counts() -> None:
    one = study(lookahead=None)
    executor = Threads(3, scored, 0.005)
    run(one, executor, 40)
    executor.close()
    assert one.history.count("stopped") > 10
    assert one.history.count("completed") + one.history.count("stopped") == 40


def test_a_worker_stops_by_itself_where_short_folds_share_a_job() -> None:
    from hptune.worker.evaluation import _Raced

    race = racing.race_of(matrix(20, 5), np.arange(20))
    assert race is not None
    job = Job(folds=(2, 3, 4), options={"race": {**race.to_json(), "done": [[0, race.losses[0]]], "sign": -1.0}})
    raced = _Raced.of(job)
    assert raced is not None
    assert raced.goes_on([])
    assert raced.goes_on([Measurement(2, -race.losses[2])])
    assert not raced.goes_on([Measurement(2, -race.losses[2] - 9.0)])
    assert _Raced.of(Job()) is None


# -- after the search -----------------------------------------------------------------------------------------------


def told(status: list[tuple[list[float], str]], folder: Path | None = None) -> Study:
    one = study(folder, lookahead=1)
    for number, (losses, how) in enumerate(status):
        one.next()
        for fold, score in enumerate(losses):
            one.score(number, Measurement(fold, score))
        one.complete(number) if how == "completed" else one.stop(number, "raced out")
    return one


def test_a_raced_out_trial_among_the_best_is_completed_and_the_search_does_not_see_it() -> None:
    rows = [[1.0, 2.0, 3.0, 4.0, 5.0], [1.3, 2.1, 3.2, 4.1, 5.3], [9.0, 10.0, 11.0, 12.0, 13.0]]
    one = told([(rows[0], "completed"), (rows[1], "completed"), (rows[2], "completed"), ([1.2], "stopped")])
    history = one.history
    assert racing.to_complete(history, 3) == [3]
    assert racing.to_complete(history, 1) == []
    loop = Loop(one, Threads(1, scored), (TrialLimit(4),), folds=FOLDS, race=True)
    assert loop.complete([3]) is None
    assert history.trials[3].completed
    assert history.view(4)[3].status == "stopped"
    assert len(history.view(4)[3].measurements) == 1
    assert history.view(4).settled == 4
    assert racing.to_complete(history, 3) == [3]
    assert [t.number for t in history.view(4).completed()] == [0, 1, 2]


def test_a_raced_out_trial_that_was_completed_stays_raced_out_to_the_search_though_the_record_of_it_is_lost(
    tmp_path: Path,
) -> None:
    """Whether the session's end is told after that, or ahead of it as in journals of before."""
    rows = [[1.0, 2.0, 3.0, 4.0, 5.0], [1.3, 2.1, 3.2, 4.1, 5.3], [9.0, 10.0, 11.0, 12.0, 13.0]]
    for ahead in (False, True):
        folder = tmp_path / str(ahead)
        one = told(
            [(rows[0], "completed"), (rows[1], "completed"), (rows[2], "completed"), ([1.2], "stopped")], folder
        )
        if ahead:
            one.end("trials")
        loop = Loop(one, Threads(1, scored), (TrialLimit(4),), folds=FOLDS, race=True)
        assert loop.complete([3]) is None
        assert one.history.ended == ("trials" if ahead else None)
        one.close()
        events = jn.read(folder).events
        if ahead:
            events = tuple(
                event.model_copy(update={"note": None} if "note" in vars(event) else {}) for event in events
            )
        lines = [jn.encode(event, n) for n, event in enumerate(events) if event.type != "trial_stopped"]
        (folder / jn.NAME).write_bytes(b"".join(lines))
        repair(folder)
        history = replay(jn.read(folder).events)
        assert history.trials[3].completed
        assert history.view(4)[3].status == "stopped"


def test_the_end_that_a_journal_of_before_tells_ahead_of_completed_folds_holds_once_they_are_measured() -> None:
    one = told([([1.0, 2.0, 3.0, 4.0, 5.0], "completed"), ([1.2], "stopped"), ([1.3], "stopped")])
    one.end("trials")
    for number in (1, 2):
        one.retry(number)
    for number in (1, 2):
        for fold in range(1, FOLDS):
            assert one.history.ended is None
            one.score(number, Measurement(fold, 2.0))
        one.complete(number)
    assert one.history.ended == "trials"


def test_tables_and_results_tell_who_was_stopped_after_how_many_folds() -> None:
    rows = [[1.0, 2.0, 3.0, 4.0, 5.0], [9.0, 9.5]]
    history = told([(rows[0], "completed"), (rows[1], "stopped")]).history
    table = trial_table(history, history.trials).table
    assert table.rows[1][1] == "stopped 2/5"
    found = result(history, stop_reason="trials", reproducible=True)
    assert found["stopped"] == [{"trial": 1, "folds": 2}]
    assert found["trials"]["stopped"] == 1
    assert ",stopped," in trials_csv(history).splitlines()[2]
    assert trials_csv(history).splitlines()[2].endswith("raced out")
