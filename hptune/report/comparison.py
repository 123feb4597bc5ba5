"""Two studies side by side: what differs in their configs, and what one gains over the other where folds agree."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from hptune.finals import search_optimism
from hptune.history import History
from hptune.report import wording
from hptune.statistics import Gain, paired_gain

_NOT_OF_THE_FOLDS: Final = ("finals", "nested", "select", "train_score", "also", "early_stop_folds")
"""Keys of `evaluate:` that leave the folds of a trial as they are."""


@dataclass(frozen=True)
class Paired:
    """What the best of one study gains over the best of another; `why` says why nothing can be told (then None)."""

    gain: Gain | None
    why: str = ""

    def text(self, one: History) -> str:
        """Return it in words, numbers as the metric of `one` needs them."""
        if self.gain is None:
            return f"not compared: {self.why}"
        places = wording.decimals(
            [abs(one.best.score)] if one.best is not None and one.best.score is not None else []
        )
        said = wording.signed(self.gain.mean, places)
        if self.gain.low is None or self.gain.high is None:
            return f"{said} ({wording.count(self.gain.pairs, 'fold')}: too alike or too few for an interval)"
        low, high = wording.signed(self.gain.low, places), wording.signed(self.gain.high, places)
        sure = "" if self.gain.low > 0 or self.gain.high < 0 else "; the folds cannot tell them apart"
        return f"{said}, {self.gain.confidence:.0%} interval {low} to {high} on {self.gain.pairs} folds{sure}"


def paired(reference: History, other: History) -> Paired:
    """Return the gain of `other`'s best over `reference`'s on the searches' folds, the luck of both taken off.

    So it is the difference of what is to be expected of the two, and the same the other way round. But luck, which is
    itself only estimated, does not turn round what the folds say: where it is more than their difference, no gain is
    left; and the interval is wider by as much as was taken off. Nothing where their scores are the same.
    """
    why = _differing_folds(reference, other)
    if why:
        return Paired(None, why)
    a, b = reference.best, other.best
    assert a is not None
    assert b is not None
    loss = reference.objective.loss
    first = {m.fold: loss(m.score) for m in a.measurements}
    second = {m.fold: loss(m.score) for m in b.measurements}
    folds = sorted(first.keys() & second.keys())
    share = reference.test_share
    gain = paired_gain([first[fold] for fold in folds], [second[fold] for fold in folds], test_share=share)
    same = all(first[fold] == second[fold] for fold in folds)
    return Paired(gain if same else gain.without(_luck(other) - _luck(reference)))


def _luck(history: History) -> float:
    """Return by how much the search's choice flatters its best; one chosen in the finals was not chosen here."""
    if history.best is None or history.best.number != history.best_number:
        return 0.0
    return search_optimism(history)


def _differing_folds(a: History, b: History) -> str:
    """Return why the two studies' folds are not the same rows, "" if they are."""
    if a.objective != b.objective:
        return f"the metrics differ ({a.objective.metric} and {b.objective.metric})"
    if a.best is None or b.best is None:
        return "no trial has completed" + ("" if a.best is None and b.best is None else " in one of them")
    data = a.started.hashes.get("data", "")
    if not data or data != b.started.hashes.get("data", ""):
        return (
            "the data differ" if data and b.started.hashes.get("data") else "there is no data set to share folds of"
        )
    if a.seed != b.seed:
        return f"the seeds differ ({a.seed} and {b.seed}), and with them the folds"
    if _folds_of(a) != _folds_of(b):
        return "`evaluate:` differs, and with it the folds"
    shared = {m.fold for m in a.best.measurements} & {m.fold for m in b.best.measurements}
    return "" if shared else "their best trials share no fold"


def _folds_of(history: History) -> Mapping[str, Any]:
    evaluate = history.started.problem.get("evaluate") or {}
    return {key: value for key, value in evaluate.items() if key not in _NOT_OF_THE_FOLDS}
