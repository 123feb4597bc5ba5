"""What is said of nested cross-validation, from outer folds told by hand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hptune import events as ev
from hptune.history import History
from hptune.objective import Objective
from hptune.report import phrases, wording
from hptune.report.nested import nested_result
from hptune.space import Float, SearchSpace
from hptune.statistics import paired_gain
from hptune.worker.inspect import inspect
from hptune.worker.problem import Problem
from tests.worker.problems import RIDGE, setup

SPACE = SearchSpace((Float(name="alpha", low=1e-3, high=1e3, scale="log"),))


def outer(score: float | None, base: float | None, rows: int = 0, held: int = 0) -> History:
    """Return an outer fold whose winner is trial 1; without `base` the defaults failed. `rows` 0: an early journal."""
    about = {"rows": rows, "holdout_rows": held} if rows else {}
    history = History(
        ev.StudyStarted(
            time=0,
            name="s",
            metric="neg_error",
            direction="maximize",
            space=SPACE.to_json(),
            seed=0,
            lookahead=1,
            folds=1,
            about=about,
        )
    )
    for trial in (0, 1):
        history.apply(ev.TrialStarted(time=1, trial=trial, values={"alpha": 1.0 + trial}))
        if trial == 0 and base is None:
            history.apply(ev.TrialFailed(time=1, trial=0, kind="error", message="no"))
        else:
            history.apply(ev.FoldScored(time=1, trial=trial, fold=0, score=float(trial)))
            history.apply(ev.TrialCompleted(time=1, trial=trial))
    for trial, found in ((0, base), (1, score)):
        if found is not None:
            history.apply(ev.HoldoutScored(time=2, trial=trial, scores={"neg_error": found}))
    return history


SCORES, BASES = (-1.0, -1.4, -1.1, -1.9), (-2.0, -1.6, -1.8, -2.1)


def result(*histories: History, folds: int = 4) -> dict[str, Any]:
    found = nested_result(histories, folds)
    assert found is not None
    return found


def interval(share: float, places: tuple[int, ...] = (0, 1, 2, 3)) -> dict[str, float | None]:
    gain = paired_gain([-BASES[i] for i in places], [-SCORES[i] for i in places], test_share=share)
    return {"mean": gain.mean, "low": gain.low, "high": gain.high, "p_value": gain.p_value}


def test_the_interval_has_the_mean_test_share_of_the_outer_folds() -> None:
    """Those of a series of 100 rows in four folds: 20 judged by 20, 40, 60, 80."""
    folds = [outer(s, b, 20 * (i + 1), 20) for i, (s, b) in enumerate(zip(SCORES, BASES, strict=True))]
    gain = result(*folds)["gain"]
    assert gain == pytest.approx(interval((1 + 1 / 2 + 1 / 3 + 1 / 4) / 4), rel=1e-12)  # sums round otherwise in 3.12


def test_a_journal_that_does_not_tell_its_rows_is_of_even_folds() -> None:
    folds = [outer(s, b) for s, b in zip(SCORES, BASES, strict=True)]
    assert result(*folds)["gain"] == interval(1 / 3)


@pytest.mark.parametrize(("cv", "share"), [(5, 1 / 4), ({"type": "time_series", "folds": 5}, 137 / 300)])
def test_the_inspection_of_an_outer_fold_tells_its_share(cv: Any, share: float, tmp_path: Path) -> None:
    np.savez(tmp_path / "t.npz", X=np.arange(240.0).reshape(120, 2), y=np.arange(120.0))
    shares = []
    for fold in range(5):
        data = {"train": str(tmp_path / "t.npz")}
        found = inspect(Problem(setup(RIDGE, data, {"cv": cv}, outer={"folds": 5, "fold": fold})), probe_fits=False)
        shares.append(found.holdout_rows / found.rows)
    assert np.mean(shares) == pytest.approx(share)


def test_score_baseline_and_gain_are_of_the_same_folds() -> None:
    folds = [outer(s, b if i != 1 else None, 60, 20) for i, (s, b) in enumerate(zip(SCORES, BASES, strict=True))]
    found = result(*folds)
    assert (found["done"], found["compared"]) == (4, 3)
    assert found["score"] == pytest.approx(np.mean([SCORES[i] for i in (0, 2, 3)]))
    assert found["score"] - found["baseline"] == pytest.approx(found["gain"]["mean"])
    assert found["gain"] == interval(1 / 3, (0, 2, 3))
    assert [row["score"] for row in found["outer"]] == list(SCORES)
    said = phrases.nested(Objective("neg_error", "maximize"), found)
    assert said.startswith(
        "1.333 over 3 of 4 outer folds (1 more without a score of the defaults), in "
        f"{wording.seconds(found['seconds'])} more; the search gains +0.6"
    )
    assert found["seconds"] == pytest.approx(sum(one.seconds for one in folds))
    assert found["seconds"] > 0


def test_without_any_baseline_the_score_is_of_all_folds_that_are_done() -> None:
    found = result(outer(SCORES[0], None), outer(SCORES[1], None), outer(None, -1.0))
    assert (found["done"], found["compared"], found["baseline"], found["gain"]) == (2, 0, None, None)
    assert found["score"] == pytest.approx(-1.2)
    said = phrases.nested(Objective("neg_error", "maximize"), {**found, "seconds": 90.0})
    assert said == "1.2 over 2 of 4 outer folds, in 1 min 30 s more"
    assert nested_result([outer(None, None)], 4) is None
