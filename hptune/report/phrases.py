"""What a study is and found, in the words that header, closing part, `show` and `best` share."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hptune.history import History
from hptune.objective import Objective
from hptune.report import wording
from hptune.report.honest import assess
from hptune.report.result import holdout_score, mean_gain
from hptune.space import Fixed, SearchSpace
from hptune.trial import Trial

ROUNDING = 1e-12
"""A gain this small beside the scores is what adding them in another order makes."""


def name(history: History) -> str:
    """Return the study's name: a journal, unlike a config, may call it anything."""
    return wording.one_line(history.name)


def score(objective: Objective, trial: Trial, beside: Trial | None = None) -> str:
    """Return a trial's score with its spread: `53.91 ± 3.22 over 5 folds`.

    A score of 0 has no size of its own, so it gets the decimals of that of the trial `beside`.
    """
    if trial.score is None:
        return wording.ABSENT
    measure = trial.score or (None if beside is None else beside.score) or 0.0
    places = wording.decimals([abs(measure)])
    spread = "" if trial.std is None else f" ± {wording.fixed(trial.std, places)} over {len(trial.scores)} folds"
    return wording.fixed(wording.shown(objective, trial.score), places) + spread


def brief_score(objective: Objective, trial: Trial, beside: Trial | None = None) -> str:
    """Return a trial's score with its spread: `53.91 ± 3.22`."""
    return score(objective, trial, beside).partition(" over ")[0]


def metric(objective: Objective) -> str:
    """Return the metric and its direction: `log_loss, lower is better`."""
    return f"{wording.metric(objective)}, {wording.better(objective)}"


def space(space: SearchSpace) -> str:
    """Return how large a space is: `3 parameters, 120 configurations`, or `more than` as many as were counted."""
    searched = [parameter for parameter in space if not isinstance(parameter, Fixed)]
    size = space.count()
    words = wording.count(len(searched), "parameter")
    if len(searched) < len(space):
        words += f" and {len(space) - len(searched)} fixed"
    if size is None:
        return f"{words}, continuous"
    more = "" if size.exact else "more than "
    return f"{words}, {more}{wording.count(size.least, 'configuration')}"


def oracle(described: Mapping[str, Any]) -> str:
    """Return an oracle's name and those options that are set: `grid (points 50)`."""
    name = str(described.get("type") or described.get("class", "unknown"))
    options = [
        f"{key} {wording.value(found)}"
        for key, found in described.items()
        if key != "type" and found is not None and not isinstance(found, Mapping)
    ]
    return f"{name} ({', '.join(options)})" if options else name


def prior(history: History) -> str:
    """Return what the study knew of earlier ones: `runs/a: 57 of 60 trials (3 outside this space)`; "" if nothing."""
    parts = []
    for one in history.started.prior or []:
        outside = f" ({one['outside']} outside this space)" if one["outside"] else ""
        parts.append(f"{one['run']}: {len(one['kept'])} of {wording.count(one['trials'], 'trial')}{outside}")
    return "; ".join(parts)


def lookahead(found: int | None) -> str:
    """Return the lookahead in words."""
    return "order async" if found is None else f"lookahead {found}"


def over_defaults(history: History) -> str:
    """Return what the best gained in the search, `+0.012 over the defaults`; "" while not known or they lead."""
    mean, best = mean_gain(history), history.best
    if mean is None or best is None or best.number == 0:
        return ""
    return f"{gain_of(history, mean)} over the defaults"


def honest_gain(history: History) -> str:
    """Return the gain with its interval and where it comes from, "" where it cannot be told.

    `+0.0412 over the defaults, 90 % interval +0.0120 to +0.0694 (finals on 10 fresh folds)`
    """
    found, best = assess(history), history.best
    told = None if found is None else found.gain
    if found is None or told is None or best is None or best.number == 0:
        return ""
    if found.source == "finals":
        where = f"finals on {told.pairs} fresh folds"
    else:
        measured = "folds" if len(best.scores) > 1 else "scores"  # a function's trial is one score, of no fold
        where = f"from the search's own {measured}" + (", luck taken off" if found.optimism else "")
    text = f"{gain_of(history, told.mean)} over the defaults"
    if told.low is not None and told.high is not None:
        text += f", {told.confidence:.0%} interval {gain_of(history, told.low)} to {gain_of(history, told.high)}"
    return f"{text} ({where})"


def expected(history: History) -> str:
    """Return what to expect, `0.157 on fresh rows`; "" where it cannot be told or is the score of the search itself.

    After finals it is another score even where the choice among the finalists flatters nobody: one of fresh folds. An
    expectation worse than the defaults' own score is explained: it is of the choice, not of this one configuration.
    """
    found, baseline = assess(history), history.baseline
    if found is None or found.expected is None or (found.source == "search" and found.optimism == 0):
        return ""
    score = wording.fixed(wording.shown(history.objective, found.expected), wording.decimals([abs(found.expected)]))
    loss = history.objective.loss
    unstable = baseline is not None and baseline.score is not None and loss(found.expected) > loss(baseline.score)
    why = ": an unstable choice, the best without a fold does worse than the defaults on it"
    return f"{score} on fresh rows{why if unstable and found.source == 'search' else ''}"


def gain_of(history: History, mean: float) -> str:
    """Return a gain with as many decimals as tell the best from the baseline; what is rounding alone is none."""
    trials = (history.best, history.baseline)
    scores = [abs(t.score) for t in trials if t is not None and t.score is not None]
    nothing = abs(mean) <= ROUNDING * max(scores, default=0.0)
    return wording.signed(0.0 if nothing else mean, wording.decimals(scores))


def holdout(history: History, trial: Trial) -> str:
    """Return a trial's holdout score as shown, "" if it has none."""
    found = holdout_score(history, trial)
    if found is None:
        return ""
    return wording.fixed(wording.shown(history.objective, found), wording.decimals([abs(found)]))


def holdout_beside(history: History, trial: Trial) -> str:
    """Return a trial's holdout score with that of the defaults, `0.83 (the defaults 0.81)`; "" if it has none."""
    own, baseline = holdout(history, trial), history.baseline
    other = "" if baseline is None or baseline.number == trial.number else holdout(history, baseline)
    return f"{own} (the defaults {other})" if own and other else own


def why(trial: Trial) -> str:
    """Return which oracle was picked for a trial and why, "" where there was nothing to pick."""
    note = trial.note or {}
    return f"{note['oracle']} was picked: {note['why']}" if "oracle" in note and "why" in note else ""


def picked(history: History) -> str:
    """Return which oracles were picked for which trials and why, "" where there was nothing to pick.

    `trials 1-49 bayesian (fewer than 300 configurations so far)`
    """
    runs: list[tuple[str, str, int, int]] = []
    for trial in history.trials:
        note = trial.note or {}
        if "oracle" not in note or "why" not in note:
            continue
        if runs and runs[-1][:2] == (note["oracle"], note["why"]):
            runs[-1] = (*runs[-1][:3], trial.number)
        else:
            runs.append((str(note["oracle"]), str(note["why"]), trial.number, trial.number))
    return "; ".join(
        f"{f'trial {first}' if first == last else f'trials {first}-{last}'} {oracle} ({reason})"
        for oracle, reason, first, last in runs
    )


def params(values: Mapping[str, Any], names: Mapping[str, str] | None = None) -> str:
    """Return values on one line: `alpha=0.0123, kernel=rbf`; `names` shortens the names."""
    short = names or {}
    return wording.visible(
        ", ".join(f"{short.get(key, key)}={wording.value(found)}" for key, found in values.items())
    )


def ending(history: History, reason: str) -> str:
    """Return a stop reason in words."""
    if reason == "exhausted" and not history.used_up:
        return "the oracle has nothing left to suggest"
    return wording.STOP_REASONS.get(reason, reason)


def state(history: History) -> str:
    """Return whether a study as read from its journal is running, ended, or was cut off."""
    if history.ended is not None:
        return f"ended: {ending(history, history.ended)}"
    if not history.started.config:  # asked and told from Python, where no session says that it ends
        return "open: it was kept by hptune.Study or Tuner, which continue it (the same call, the same directory)"
    if history.asked:
        return "open: asked and told from outside (`hptune ask` gives out the next trial)"
    if history.in_finals:
        return "in its finals, or killed there (`hptune run` continues it)"
    return "running, or killed: its journal has no end (`hptune run` continues it)"


def nested(objective: Objective, found: Mapping[str, Any]) -> str:
    """Return what nested cross-validation found: `0.83 over 5 of 5 outer folds, in 9 s more; ... gains +0.02`."""
    score = wording.number(wording.shown(objective, found["score"]))
    done = found["done"]
    compared = found.get("compared") or done  # an older result.json does not tell
    text = f"{score} over {compared} of {found['folds']} outer folds"
    if compared < done:
        text += f" ({done - compared} more without a score of the defaults)"
    if found.get("seconds"):
        text += f", in {wording.seconds(found['seconds'])} more"
    gain = found["gain"]
    if gain is None or gain["low"] is None:
        return text
    places = wording.decimals([abs(one) for one in (found["score"], found["baseline"]) if one is not None])
    mean, low, high = (wording.signed(gain[key], places) for key in ("mean", "low", "high"))
    return f"{text}; the search gains {mean} (90% interval {low} to {high})"
