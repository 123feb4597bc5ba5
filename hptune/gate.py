"""The gate: does the gain over a baseline pass? Pure; the command line turns the verdict into an exit code.

The baseline is the defaults (trial 0, measured on the same folds), a score, or the score another study's result.json
holds: a floor that moves when a better one is committed.
"""

from __future__ import annotations

import json
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from hptune.errors import UsageError
from hptune.history import History
from hptune.regular_file import contents
from hptune.report.honest import assess
from hptune.report.result import LARGEST
from hptune.statistics import HUGE, Gain, Verdict, gate_verdict, paired_gain


@dataclass(frozen=True)
class Judged:
    """A gate's verdict. `bound` is the one-sided lower bound of the gain at the gate's confidence, metric units.

    `unmeasured`: undecided because the winner was never scored where the gate asks, which `undecided: pass` does not cover.
    """

    verdict: Verdict
    baseline: str
    on: Literal["cv", "holdout"]
    min_gain: float
    confidence: float
    gain: float | None
    bound: float | None
    reason: str
    unmeasured: bool = False

    def passes(self, undecided: Literal["pass", "fail"]) -> bool:
        """Return whether the gate lets the study through, with what its config says of an undecided one."""
        return self.verdict == "pass" or (self.verdict == "undecided" and undecided == "pass" and not self.unmeasured)

    def to_json(self) -> dict[str, Any]:
        return {key: value for key, value in asdict(self).items() if key != "unmeasured"}


class _Unmeasured(UsageError):
    """The winner was not scored where the gate asks."""


def judge(
    history: History,
    *,
    baseline: Literal["defaults"] | float | Path,
    on: Literal["cv", "holdout"],
    min_gain: float,
    confidence: float,
    shown: str = "",
) -> Judged:
    """Return the verdict on a finished study; `shown` is how the config spells a baseline that is a file.

    A winner that is the defaults themselves gains exactly zero. Fails with the reason where a result.json cannot be read
    or is about another metric; undecided, and not to be passed, where the winner was not scored on the holdout.
    """
    name = "defaults" if baseline == "defaults" else shown or str(baseline)
    try:
        gain = _gain(history, baseline, on, confidence)
    except _Unmeasured as error:
        return Judged("undecided", name, on, min_gain, confidence, None, None, str(error), unmeasured=True)
    except UsageError as error:  # the file has changed since the check: what the search found is kept all the same
        return Judged("fail", name, on, min_gain, confidence, None, None, str(error))
    if gain is None:
        reason = "no trial to compare" if history.best is None else "the baseline was not measured"
        return Judged("undecided", name, on, min_gain, confidence, None, None, reason)
    verdict = gate_verdict(gain, confidence=confidence, min_gain=min_gain)
    bound = gain.bound(confidence)
    what = f"the gain over {'the defaults' if baseline == 'defaults' else shown or _named(baseline)}"
    what += " on the holdout" if on == "holdout" else ""
    sure = f"with {confidence:.0%} confidence, one-sided"
    reason = (
        f"{what} is {gain.mean:.4g}, but {_unsure(gain, on)}"
        if bound is None
        else _reason(verdict, gain, bound, min_gain, what, sure)
    )
    return Judged(verdict, name, on, min_gain, confidence, gain.mean, bound, reason)


def _named(baseline: float | Path | str) -> str:
    return f"{baseline:g}" if isinstance(baseline, (int, float)) else str(baseline)


def _reason(verdict: Verdict, gain: Gain, bound: float, min_gain: float, what: str, sure: str) -> str:
    mean = 0.0 if abs(gain.mean) < 1e-9 * abs(bound) else gain.mean  # what is left of two equal scores
    if verdict == "pass":
        return f"{what} is at least {bound:.4g} ({sure}), above {min_gain:.4g}"
    if verdict == "fail":
        return f"{what} is {mean:.4g} and not above {min_gain:.4g}"
    return f"{what} is {mean:.4g}, but only {bound:.4g} is certain ({sure}): not enough to tell from {min_gain:.4g}"


def _unsure(gain: Gain, on: Literal["cv", "holdout"]) -> str:
    """Return why nothing tells how sure a gain is."""
    if on == "holdout":
        if gain.pairs < 2:
            return "a holdout of a single row or group cannot tell how sure it is: raise data.holdout.fraction"
        return "the holdout is too small or too alike to tell how sure it is: raise data.holdout.fraction"
    if gain.pairs < 2:
        return "one score has no folds that tell how sure it is"
    return f"it is the same on each of {gain.pairs} folds, which tells nothing of how sure it is: give the study more"


def _gain(
    history: History, baseline: Literal["defaults"] | float | Path, on: Literal["cv", "holdout"], confidence: float
) -> Gain | None:
    if history.best is None:
        return None
    if on == "holdout":
        return _holdout_gain(history, baseline)
    found = assess(history)
    if baseline == "defaults":
        if history.best.number == 0:
            return Gain.none(len(history.best.scores), confidence=confidence)
        return None if found is None else found.gain
    # One score has no folds to pair with: the winner's own folds say how sure its mean is. They are moved to what is to
    # be expected of it, which is what `floor` holds too; against a given score luck counts, whichever way it falls.
    loss, winner = history.objective.loss, history.winner
    least = loss(floor(baseline, history.objective.metric) if isinstance(baseline, Path) else float(baseline))
    measured = history.best.measurements
    if winner is not None:
        measured = tuple(m for m in history.finals.get(history.best.number, ()) if m.fold < winner.folds)
    refit = 0.0 if winner is None else winner.refit_gain or 0.0
    losses = np.array([loss(m.score) for m in measured]) + (0.0 if found is None else found.optimism) - refit
    if max(np.abs(losses).max(initial=0.0), abs(least)) > HUGE:
        raise UsageError("the scores are too large to compute with")
    share = history.test_share
    return paired_gain(
        np.full(len(losses), least),
        losses,
        test_share=share,
        confidence=confidence,
        degrees=max(len(losses) - 1, 1) if winner is None else winner.gain.get("degrees") or 1.0,
    )


def _holdout_gain(history: History, baseline: Literal["defaults"] | float | Path) -> Gain | None:
    assert history.best is not None
    if baseline != "defaults":
        raise UsageError("gate: `on: holdout` compares with the defaults; take `on: cv` for another baseline")
    if history.best.number == 0:
        return Gain.none()
    if history.best.number not in history.holdout:
        raise _Unmeasured(
            "the winner was not scored on the holdout, which an earlier one was (--holdout-again scores it)"
        )
    told = history.holdout_gains.get(history.best.number)
    return None if told is None else Gain.told(told)


def floor(path: Path, metric: str) -> float:
    """Return the score to beat that another study's result.json holds: the one to expect of its best trial.

    Raises `UsageError` for a file that is none, or one about another metric.
    """
    try:
        data = json.loads(contents(path, LARGEST))
        found, best = data["objective"]["metric"], data["best"]
        score = best.get("expected")
        score = best["score"] if score is None else score
    except OSError as error:
        raise UsageError(f"gate.baseline: cannot read {path}: {error.strerror}") from None
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise UsageError(f"gate.baseline: {path} is no result.json of hptune with a best trial") from None
    if found != metric:
        raise UsageError(f"gate.baseline: {path} is about {found}, this study about {metric}")
    number = isinstance(score, (int, float)) and not isinstance(score, bool)
    if not number or not -sys.float_info.max <= score <= sys.float_info.max:
        raise UsageError(f"gate.baseline: {path}: expected a number as best.score, found {str(score)[:80]!r}")
    return float(score)
