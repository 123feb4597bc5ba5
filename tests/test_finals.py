"""Finals, assessment and gate: pure, from histories told by hand."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hptune import events as ev
from hptune import journal as jn
from hptune.evaluate import FinalsSpec
from hptune.finals import (
    Plan,
    first_round,
    half_round,
    measured_refit_gain,
    plan,
    search_gain,
    search_optimism,
    second_round,
    verdict,
)
from hptune.gate import judge
from hptune.history import History, IllegalEvent
from hptune.repair import repair
from hptune.report import phrases
from hptune.report.honest import assess
from hptune.report.result import gain
from hptune.simplicity import complexities
from hptune.space import Choice, Float, Int, Parameter, SearchSpace
from hptune.statistics import paired_gain

SPACE = SearchSpace((Float(name="alpha", low=1e-3, high=1e3, scale="log"), Choice(name="kind", values=("a", "b"))))


def searched(scores: list[list[float] | None], direction: str = "maximize") -> History:
    """Return a history of trials with these fold scores; None is a failed trial."""
    history = History(
        ev.StudyStarted(
            time=0,
            name="s",
            metric="r2",
            direction=direction,  # type: ignore[arg-type]
            space=SPACE.to_json(),
            seed=0,
            lookahead=1,
            folds=len(next(s for s in scores if s)),
            about={"test_share": 0.25, "final_folds": 5},
        )
    )
    for number, folds in enumerate(scores):
        values = {"alpha": 10.0 ** (number % 6 - 3), "kind": "ab"[number % 2]}
        history.apply(ev.TrialStarted(time=1, trial=number, values=values))
        if folds is None:
            history.apply(ev.TrialFailed(time=1, trial=number, kind="error", message="no"))
            continue
        for fold, score in enumerate(folds):
            history.apply(ev.FoldScored(time=1, trial=number, fold=fold, score=score))
        history.apply(ev.TrialCompleted(time=1, trial=number))
    return history


def finish(history: History, held: Plan, scores: dict[int, list[float]]) -> None:
    for number, folds in scores.items():
        for fold, score in enumerate(folds):
            history.apply(ev.FinalScored(time=2, trial=number, fold=fold, score=score))


def noisy(rng: np.random.Generator, mean: float, folds: int = 5) -> list[float]:
    return [float(x) for x in mean + 0.01 * rng.standard_normal(folds)]


@pytest.fixture
def history() -> History:
    rng = np.random.default_rng(0)
    return searched([noisy(rng, 0.5), *[noisy(rng, 0.5 + i / 100) for i in range(1, 8)], None])


def test_finals_are_held_above_twenty_trials_unless_the_config_says_otherwise(history: History) -> None:
    assert plan(history, FinalsSpec(), 5) is None
    assert plan(history, FinalsSpec(enabled=True), 5) is not None
    many = searched([[0.1 * i, 0.2] for i in range(21)])
    assert plan(many, FinalsSpec(), 5) is not None
    assert plan(many, FinalsSpec(enabled=False), 5) is None
    assert plan(many, FinalsSpec(), 0) is None  # a time series has no fresh folds


def test_the_best_and_the_defaults_take_part(history: History) -> None:
    held = plan(history, FinalsSpec(enabled=True, finalists=3, repeats=2), 5)
    assert held == Plan((0, 7, 6, 5), 10, 5)


def test_a_single_split_gets_ten_fresh_ones() -> None:
    held = plan(searched([[0.1], [0.2]]), FinalsSpec(enabled=True), 1)
    assert held is not None
    assert (held.opening, held.folds) == (5, 10)


def test_what_was_measured_before_an_interruption_is_not_measured_again(history: History) -> None:
    held = Plan((0, 7), 3, 3)
    finish(history, held, {0: [0.5, 0.5], 7: [0.6]})
    assert list(first_round(history, held)) == [(7, 1), (0, 2), (7, 2)]
    assert list(second_round(history, held, "best")) == []  # the opening first
    with pytest.raises(IllegalEvent, match="measured before"):
        history.apply(ev.FinalScored(time=2, trial=0, fold=0, score=0.1))


def test_the_winner_is_chosen_by_the_finals_and_stays_until_a_further_trial_begins(history: History) -> None:
    rng = np.random.default_rng(1)
    held = Plan((0, 7, 6), 10, 5)
    finish(history, held, {0: noisy(rng, 0.5, 10), 7: noisy(rng, 0.52, 10), 6: noisy(rng, 0.6, 10)})
    found = verdict(history, held, test_share=0.25, select="best")
    assert found is not None
    assert found.winner == 6
    assert found.gain.low is not None
    assert 0.05 < found.gain.low < found.gain.mean < 0.11
    assert history.best_number == 7
    history.apply(
        ev.WinnerChosen(
            time=3,
            trial=6,
            finalists=[0, 7, 6],
            folds=10,
            rule=found.rule,
            gain=vars(found.gain),
            optimism=0.001,
            refit_gain=0.01,
        )
    )
    assert history.best is not None
    assert history.best.number == 6
    assessment = assess(history)
    assert assessment is not None
    assert assessment.source == "finals"
    mean = np.mean([m.score for m in history.finals[6]])
    assert assessment.expected == pytest.approx(mean - 0.001 + 0.01)
    assert phrases.expected(history) == f"{assessment.expected:.4f} on fresh rows"
    assert gain(history)["mean"] == pytest.approx(found.gain.mean)
    history.apply(ev.TrialStarted(time=4, trial=9, values={"alpha": 2.0, "kind": "a"}))
    assert history.best.number == 6 or history.winner is None
    assert history.winner is None


def test_the_score_of_fresh_folds_is_told_even_where_the_finals_flatter_nobody(history: History) -> None:
    assert history.best is not None
    assert history.best.score is not None
    finish(history, Plan((0, 7), 5, 5), {0: [0.3] * 5, 7: [0.4] * 5})
    history.apply(
        ev.WinnerChosen(
            time=3, trial=7, finalists=[0, 7], folds=5, rule="best", gain={"mean": 0.1}, optimism=0.0, refit_gain=None
        )
    )
    assert phrases.expected(history) == "0.4000 on fresh rows"
    assert history.best.score > 0.4


def test_only_the_leader_of_the_opening_and_the_defaults_go_on(history: History) -> None:
    held = Plan((0, 7, 6), 4, 2)
    finish(history, held, {0: [0.5, 0.5, 0.5], 7: [0.55, 0.55], 6: [0.6, 0.6]})
    assert list(first_round(history, held)) == []
    assert list(second_round(history, held, "best")) == [(6, 2), (0, 3), (6, 3)]
    for fold in (2, 3):
        history.apply(ev.FinalScored(time=2, trial=6, fold=fold, score=0.4))  # worse there: 0.5 on average
    history.apply(ev.FinalScored(time=2, trial=0, fold=3, score=0.5))
    assert list(second_round(history, held, "best")) == []
    found = verdict(history, held, test_share=0.25, select="best")
    assert found is not None
    assert found.winner == 0  # of equals the defaults


def test_a_leader_that_fails_later_is_judged_by_what_it_shares_with_the_defaults(history: History) -> None:
    held = Plan((0, 7, 6), 4, 2)
    finish(history, held, {0: [0.5, 0.5, 0.9, 0.9], 7: [0.55, 0.56], 6: [0.6, 0.61, 0.62]})
    found = verdict(history, held, test_share=0.25, select="best")
    assert found is not None
    assert (found.winner, found.gain.pairs) == (0, 3)


def test_half_of_the_rows_tells_what_all_of_them_are_worth(history: History) -> None:
    held = Plan((0, 7), 2, 2)
    finish(history, held, {0: [0.5, 0.5], 7: [0.6, 0.7]})
    assert list(half_round(history, held, 7)) == [(7, 0), (7, 1)]
    assert measured_refit_gain(history, held, 7, test_share=0.25) is None
    for fold, score in enumerate((0.5, 0.5)):
        history.apply(ev.FinalScored(time=2, trial=7, fold=fold, half=True, score=score))
    assert list(half_round(history, held, 7)) == []
    assert measured_refit_gain(history, held, 7, test_share=0.25) == pytest.approx(0.2 * 0.15)
    with pytest.raises(IllegalEvent, match="measured before"):
        history.apply(ev.FinalScored(time=2, trial=7, fold=0, half=True, score=0.1))


def test_a_finalist_that_lacks_a_fold_cannot_win(history: History) -> None:
    held = Plan((0, 7, 6), 2, 2)
    finish(history, held, {0: [0.5, 0.5], 7: [0.9], 6: [0.55, 0.56]})
    found = verdict(history, held, test_share=0.25, select="best")
    assert found is not None
    assert found.winner == 6


@pytest.mark.parametrize(
    ("parameter", "values"),  # the simplest first
    [
        (Int(name="max_depth", low=2, high=20, extra=(None,)), [2, 12, 20, None]),
        (Int(name="tree.max_depth", low=2, high=20, extra=(-1,)), [2, 20, -1]),  # LightGBM's "no limit"
        (Int(name="max_leaf_nodes", low=2, high=2000, scale="log", extra=(None,)), [2, 300, None]),
        (Float(name="alpha", low=1e-4, high=1, scale="log", extra=(0, 10)), [10, 0.5, 1e-3, 0]),
        (Float(name="C", low=1e-2, high=1, scale="log", extra=(1e6,)), [0.02, 0.5, 1e6]),
    ],
)
def test_simplicity_places_what_stands_beside_the_range(parameter: Parameter, values: list[Any]) -> None:
    space = SearchSpace((parameter,))
    found = complexities(space, [{parameter.name: one} for one in values]).tolist()
    assert found == sorted(set(found))


def test_simplicity_does_not_guess_at_text_nor_at_null_where_less_is_complex() -> None:
    gamma = Float(name="gamma", low=0.1, high=1, extra=("scale", True))
    space = SearchSpace((gamma, Int(name="n_neighbors", low=1, high=9, extra=(None,))))
    found = complexities(space, [{"gamma": "scale"}, {"gamma": True}, {"n_neighbors": None}])
    assert found.tolist() == [0.5, 0.5, 0.5]


def test_simplicity_places_a_value_between_two_steps() -> None:
    space = SearchSpace((Int(name="degree", low=1, high=9, step=4, extra=(8,)),))
    between, nine = complexities(space, [{"degree": 8}, {"degree": 9}])
    assert between == nine


def test_without_the_baseline_there_is_no_verdict(history: History) -> None:
    held = Plan((0, 7), 2, 2)
    finish(history, held, {7: [0.9, 0.9]})
    assert verdict(history, held, test_share=0.25, select="best") is None


def test_one_standard_error_takes_the_simpler_of_equals(history: History) -> None:
    rng = np.random.default_rng(2)
    held = Plan((0, 7, 6), 10, 5)
    base, wide = noisy(rng, 0.5, 10), [float(x) for x in 0.6 + 0.05 * rng.standard_normal(10)]
    finish(history, held, {0: base, 7: wide, 6: [x - 0.005 for x in wide]})
    best = verdict(history, held, test_share=0.25, select="best")
    simple = verdict(history, held, test_share=0.25, select="one_standard_error")
    assert best is not None
    assert simple is not None
    liked = complexities(SPACE, [history.trials[n].values for n in (7, 6)])
    assert best.winner == 7
    assert simple.winner == (7 if liked[0] <= liked[1] else 6)


def test_simplicity_knows_alpha_and_the_declared_order() -> None:
    low, high = complexities(SPACE, [{"alpha": 1000.0, "kind": "a"}, {"alpha": 0.001, "kind": "b"}])
    assert (low, high) == (0.0, 1.0)


def test_without_finals_the_gain_comes_from_the_search_less_its_luck(history: History) -> None:
    optimism = search_optimism(history)
    told = search_gain(history, test_share=0.25, optimism=optimism)
    assert told is not None
    raw = paired_gain([-s for s in history.trials[0].scores], [-s for s in history.trials[7].scores], test_share=0.25)
    assert optimism >= 0
    assert told.mean == pytest.approx(raw.mean - optimism)


@pytest.mark.parametrize(("min_gain", "expected"), [(0.0, "pass"), (0.2, "fail"), (None, "undecided")])
def test_the_gate_passes_fails_or_says_that_it_cannot_tell(
    history: History, min_gain: float | None, expected: str
) -> None:
    found = assess(history)
    assert found is not None
    assert found.gain is not None
    min_gain = found.gain.mean if min_gain is None else min_gain  # right at the estimate nobody can tell
    judged = judge(history, baseline="defaults", on="cv", min_gain=min_gain, confidence=0.95)
    assert judged.verdict == expected
    assert judged.reason


def test_a_winner_that_is_the_defaults_fails_a_gate_at_zero() -> None:
    rng = np.random.default_rng(0)
    history = searched([noisy(rng, 0.9), noisy(rng, 0.5)])
    judged = judge(history, baseline="defaults", on="cv", min_gain=0.0, confidence=0.9)
    assert (judged.verdict, judged.gain) == ("fail", 0.0)


def test_the_floor_may_be_a_number_or_another_studys_result(history: History, tmp_path: Path) -> None:
    assert judge(history, baseline=0.4, on="cv", min_gain=0.0, confidence=0.9).verdict == "pass"
    assert judge(history, baseline=0.9, on="cv", min_gain=0.0, confidence=0.9).verdict == "fail"
    path = tmp_path / "result.json"
    floor: dict[str, Any] = {"objective": {"metric": "r2"}, "best": {"score": 0.4, "expected": None}}
    path.write_text(json.dumps(floor))
    assert judge(history, baseline=path, on="cv", min_gain=0.0, confidence=0.9).verdict == "pass"
    path.write_text(json.dumps({**floor, "objective": {"metric": "accuracy"}}))
    for content, said in (
        (json.dumps({**floor, "objective": {"metric": "accuracy"}}), "is about accuracy, this study about r2"),
        ("{}", "no result.json of hptune"),
        (None, "cannot read"),
    ):
        path.unlink() if content is None else path.write_text(content)
        judged = judge(history, baseline=path, on="cv", min_gain=0.0, confidence=0.9)
        assert judged.verdict == "fail"  # `undecided: pass` must not let it through
        assert said in judged.reason


def test_a_baseline_that_is_a_file_is_named_as_the_config_spells_it(history: History, tmp_path: Path) -> None:
    path = tmp_path / "result.json"
    path.write_text(json.dumps({"objective": {"metric": "r2"}, "best": {"score": 0.4}}))
    judged = judge(history, baseline=path, on="cv", min_gain=0.0, confidence=0.9, shown="runs/old/result.json")
    assert judged.baseline == "runs/old/result.json"
    assert "the gain over runs/old/result.json" in judged.reason
    assert str(tmp_path) not in judged.reason


def test_a_study_gains_nothing_over_its_own_result(history: History, tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    held = Plan((0, 7, 6), 10, 5)
    finish(history, held, {0: noisy(rng, 0.5, 10), 7: noisy(rng, 0.6, 10), 6: noisy(rng, 0.55, 5)})
    found = verdict(history, held, test_share=0.25, select="best")
    assert found is not None
    told = {"mean": found.gain.mean, "low": found.gain.low, "high": found.gain.high}
    history.apply(
        ev.WinnerChosen(
            time=3,
            trial=7,
            gain={**told, "pairs": 10, "degrees": 4.0, "confidence": 0.9},
            optimism=found.optimism + 0.004,
            rule=found.rule,
            finalists=[0, 7, 6],
            folds=10,
            refit_gain=0.03,
        )
    )
    assessed = assess(history)
    assert assessed is not None
    path = tmp_path / "result.json"
    path.write_text(
        json.dumps({"objective": {"metric": "r2"}, "best": {"score": 1.0, "expected": assessed.expected}})
    )
    judged = judge(history, baseline=path, on="cv", min_gain=0.0, confidence=0.9)
    assert judged.gain == pytest.approx(0.0, abs=1e-12)
    assert judged.verdict == "undecided"


def test_a_gate_on_the_holdout_judges_the_winner_by_its_own_gain(history: History) -> None:
    def judged() -> tuple[str, float | None, str]:
        found = judge(history, baseline="defaults", on="holdout", min_gain=0.0, confidence=0.9)
        return found.verdict, found.gain, found.reason

    assert judged()[:2] == ("undecided", None)
    assert "not scored on the holdout" in judged()[2]
    unscored = judge(history, baseline="defaults", on="holdout", min_gain=0.0, confidence=0.9)
    assert not unscored.passes("pass")  # `undecided: pass` is for folds that cannot tell
    assert "unmeasured" not in unscored.to_json()
    gains = {"mean": -0.2, "low": -0.3, "high": -0.1, "error": 0.03, "pairs": 40, "degrees": 39.0, "confidence": 0.9}
    history.apply(ev.HoldoutScored(time=2, trial=7, scores={"r2": 0.4}, gain=gains))
    assert judged()[:2] == ("fail", -0.2)
    better = {**gains, "mean": 0.2, "low": 0.1, "high": 0.3}
    history.apply(ev.HoldoutScored(time=2, trial=6, scores={"r2": 0.8}, gain=better))  # an earlier winner
    assert judged()[:2] == ("fail", -0.2)


@pytest.mark.parametrize(("pairs", "said"), [(1, "a single row or group cannot tell"), (9, "too small or too alike")])
def test_a_gate_on_a_holdout_that_cannot_tell_says_why_and_what_to_raise(
    history: History, pairs: int, said: str
) -> None:
    unsure = {
        "mean": 0.2,
        "low": None,
        "high": None,
        "error": None,
        "pairs": pairs,
        "degrees": 1.0,
        "confidence": 0.9,
    }
    history.apply(ev.HoldoutScored(time=2, trial=7, scores={"r2": 0.4}, gain=unsure))
    judged = judge(history, baseline="defaults", on="holdout", min_gain=0.0, confidence=0.9)
    assert judged.verdict == "undecided"
    assert said in judged.reason
    assert "raise data.holdout.fraction" in judged.reason


# -- the luck of repeats and of divisions that overlap ----------------------------------------------------------------


@pytest.mark.parametrize(("kind", "most"), [("kfold", 0.09), ("repeated", 0.10), ("shuffle", 0.13)])
def test_noise_alone_is_hardly_ever_a_gain_however_the_rows_are_divided(kind: str, most: float) -> None:
    """200 searches of 15 trials on nothing: the optimism is within a quarter of the truth, intervals stay at zero."""
    rng = np.random.default_rng(0)
    flattered, estimated, claims = [], [], 0
    for _ in range(200):
        if kind == "shuffle":
            parts = [rng.permutation(200)[:40] for _ in range(10)]
        else:
            parts = [
                part for _ in range(2 if kind == "repeated" else 1) for part in rng.permutation(200).reshape(5, -1)
            ]
        rows = rng.normal(size=(15, 200))
        told = searched([[float(one[part].mean()) for part in parts] for one in rows])
        told.started.about.update({"final_folds": 10 if kind == "shuffle" else 5, "overlapping": kind == "shuffle"})
        estimated.append(search_optimism(told))
        found = search_gain(told, test_share=0.25, optimism=estimated[-1])
        assert found is not None
        assert told.best is not None
        flattered.append(told.best.score)
        claims += found.low is not None and found.low > 0
    assert np.mean(estimated) == pytest.approx(np.mean(flattered), rel=0.25)
    assert claims / 200 <= most


def test_luck_is_taken_off_where_the_defaults_failed(history: History) -> None:
    rng = np.random.default_rng(3)
    scores: list[list[float] | None] = [noisy(rng, 0.6) for _ in range(12)]
    told = searched([None, *scores])
    found = assess(told)
    assert found is not None
    assert told.best is not None
    assert told.best.score is not None
    assert (found.gain, found.source) == (None, "search")
    assert found.optimism > 0
    assert found.expected == pytest.approx(told.best.score - found.optimism)
    assert gain(told)["mean"] is None
    assert phrases.honest_gain(told) == ""
    judged = judge(told, baseline=0.6, on="cv", min_gain=0.0, confidence=0.9)
    assert judged.gain == pytest.approx(told.best.score - found.optimism - 0.6)
    assert judge(told, baseline="defaults", on="cv", min_gain=0.0, confidence=0.9).verdict == "undecided"


def test_an_expectation_worse_than_the_defaults_is_explained() -> None:
    """Trial 2 is best on any four folds without the fifth, on which it fails; the winner itself is better than trial 0."""
    told = searched([[0.8] * 5, [0.82] * 5, [0.9, 0.9, 0.9, 0.9, 0.1]])
    assert told.best is not None
    assert told.best.number == 1
    assert phrases.expected(told).endswith(
        ": an unstable choice, the best without a fold does worse than the defaults on it"
    )
    steady = searched([[0.8] * 5, [0.82] * 5, [0.83, 0.83, 0.83, 0.83, 0.78]])
    assert phrases.expected(steady) == "0.8120 on fresh rows"


def test_minimising_the_negative_gives_the_same_gain() -> None:
    rng = np.random.default_rng(4)
    scores = [noisy(rng, 0.6) for _ in range(9)]
    up, down = searched(list(scores)), searched([[-s for s in one] for one in scores], "minimize")
    assert search_optimism(up) == search_optimism(down) > 0
    assert search_gain(up, test_share=0.25, optimism=0.01) == search_gain(down, test_share=0.25, optimism=0.01)


def test_finals_of_which_a_damaged_journal_lost_folds_are_held_again(tmp_path: Path) -> None:
    def told(drop: int | None) -> tuple[list[str], int]:
        folder = tmp_path / str(drop)
        journal = jn.Journal(folder)
        history = searched([[0.5, 0.5], [0.6, 0.61]])
        events: list[ev.Event] = [
            history.started,
            *(ev.TrialStarted(time=1, trial=n, values=history.trials[n].values) for n in (0, 1)),
            *(
                ev.FoldScored(time=1, trial=n, fold=f, score=history.trials[n].scores[f])
                for n in (0, 1)
                for f in (0, 1)
            ),
            *(ev.TrialCompleted(time=1, trial=n) for n in (0, 1)),
            *(ev.FinalScored(time=2, trial=n, fold=f, score=0.5 + n / 10) for n in (0, 1) for f in (0, 1)),
            ev.WinnerChosen(time=3, trial=1, finalists=[0, 1], folds=2, rule="r", gain={"mean": 0.1}, optimism=0.0),
        ]
        for event in events:
            journal.append(event)
        journal.close()
        if drop is not None:
            path = folder / jn.NAME
            lines = path.read_bytes().splitlines(keepends=True)
            path.write_bytes(b"".join(line for i, line in enumerate(lines) if i != drop))
        kept = repair(folder)
        return [why for _, _, why in kept.left_out], len(kept.events)

    assert told(None) == ([], 14)
    assert told(12) == (["cannot follow: the finals of trial 1 have 1 of 2 folds left"], 12)
    assert told(9) == (["cannot follow: the finals of trial 0 have 1 of 2 folds left"], 12)


def test_after_finals_a_floor_is_judged_with_the_degrees_of_freedom_of_the_finals(history: History) -> None:
    rng = np.random.default_rng(1)
    scores = noisy(rng, 0.6, 10)
    finish(history, Plan((0, 7), 10, 5), {0: noisy(rng, 0.5, 10), 7: scores})
    gain = {"mean": 0.1, "low": 0.05, "high": 0.15, "pairs": 10, "degrees": 4.0, "confidence": 0.9}
    history.apply(
        ev.WinnerChosen(
            time=3, trial=7, finalists=[0, 7], folds=10, rule="r", gain=gain, optimism=0.01, refit_gain=0.002
        )
    )
    judged = judge(history, baseline=0.58, on="cv", min_gain=0.0, confidence=0.9)
    moved = [-score + 0.01 - 0.002 for score in scores]
    expected = paired_gain([-0.58] * 10, moved, test_share=0.25, degrees=4)
    assert judged.bound == pytest.approx(expected.bound(0.9))
    assert judged.bound != pytest.approx(paired_gain([-0.58] * 10, moved, test_share=0.25, degrees=9).bound(0.9))
