"""What nested cross-validation says of the whole procedure: search, finals and all."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hptune.history import History
from hptune.report.tables import finite
from hptune.statistics import paired_gain


def nested_result(histories: Sequence[History], folds: int) -> dict[str, Any] | None:
    """Return the outer folds' scores and the procedure's gain over the defaults; None before the first is done.

    `score` and `baseline` are means over the outer folds that have both, with the metric's own sign; `gain` (positive
    is better), the difference of the two, has the corrected interval at 90 %. `done` says how many folds have a score,
    `compared` how many a baseline too; where none has, `score` is the mean of all that are done. `seconds` is the wall
    time of the outer searches, which the main search's does not hold.
    """
    rows: list[dict[str, Any]] = []
    scores: list[float] = []
    pairs: list[tuple[float, float]] = []
    shares: list[float] = []
    for fold, history in enumerate(histories):
        best, metric = history.best, history.objective.metric
        if best is None or best.number not in history.holdout:
            continue
        score = history.holdout[best.number][-1][metric]
        base = history.holdout[0][-1][metric] if 0 in history.holdout else None
        scores.append(score)
        if base is not None:
            pairs.append((base, score))
            shares.append(_test_share(history, folds))
        rows.append(
            {
                "fold": fold,
                "score": finite(score),
                "baseline": finite(base),
                "params": dict(best.values),
                "trials": len(history.trials),
            }
        )
    if not rows:
        return None
    scores = [s for _, s in pairs] or scores
    out: dict[str, Any] = {
        "folds": folds,
        "done": len(rows),
        "compared": len(pairs),
        "score": sum(scores) / len(scores),
        "baseline": None,
        "gain": None,
        "seconds": sum(history.seconds for history in histories),
        "outer": rows,
    }
    if pairs:
        loss, share = histories[0].objective.loss, sum(shares) / len(shares)
        gain = paired_gain([loss(b) for b, _ in pairs], [loss(s) for _, s in pairs], test_share=share)
        out["baseline"] = sum(b for b, _ in pairs) / len(pairs)
        out["gain"] = {"mean": gain.mean, "low": gain.low, "high": gain.high, "p_value": gain.p_value}
    return out


def _test_share(history: History, folds: int) -> float:
    """Return n2/n1 of an outer fold: its rows over those that were searched with, of a time series not 1/(folds - 1)."""
    about = history.started.about
    kept, tested = about.get("rows"), about.get("holdout_rows")
    return float(tested) / float(kept) if kept and tested else 1 / (folds - 1)
