"""The closing part of `hptune run`: the best trials, what was gained, what was written, what to do next."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from hptune.history import History
from hptune.report import phrases, wording
from hptune.report.advice import advise
from hptune.report.layout import paint, pairs
from hptune.report.result import mean_gain
from hptune.report.tables import best_first, counted, trial_table

TOP = 5


@dataclass(frozen=True, kw_only=True)
class Closing:
    """What the closing part says besides the history: where things are, and what was said about the refit."""

    stop_reason: str
    folder: str
    files: Sequence[str] = ()
    notes: Sequence[str] = ()


def closing(history: History, facts: Closing, *, width: int | None = None, colour: bool = False) -> list[str]:
    """Return the closing part, no line longer than `width`, without an empty first line."""
    best = history.best
    lines = [_verdict(history, facts.stop_reason, width)]
    if best is not None:
        lines += ["", *_top(history, width, colour), "", *_gained(history, width)]
    rows = [("files", f"{facts.folder}/" + (f" ({', '.join(facts.files)})" if facts.files else ""))]
    rows += [_labelled(note) for note in facts.notes]
    advice = advise(history).short() if facts.stop_reason != "signal" else []
    rows += [("advice" if not index else "", line) for index, line in enumerate(advice)]
    commands = _commands(history, facts)
    rows += [("next" if not index else "", command) for index, command in enumerate(commands)]
    return [*lines, "", *pairs(rows, width, indent="")]


def _verdict(history: History, stop_reason: str, width: int | None) -> str:
    total = wording.count(len(history.trials), "trial")
    why = phrases.ending(history, stop_reason)
    text = f"{total} in {wording.seconds(history.seconds)}: {counted(history)}; {why}."
    if width is None or len(text) <= width:
        return text
    return "\n".join(line.strip() for line in pairs([("", text)], width, indent=""))


def _top(history: History, width: int | None, colour: bool) -> list[str]:
    """Return the table of the best trials, the baseline after them if it is not one of them."""
    done = [trial for trial in history.trials if trial.completed and trial.fidelity is None]
    listed = best_first(history, done)[:TOP]
    baseline = history.baseline
    if baseline is not None and baseline.completed and baseline not in listed:
        listed.append(baseline)
    made = trial_table(history, listed, labels={0: "defaults"})
    plain = trial_table(history, listed)
    if made.table.lost(width) > plain.table.lost(width):  # the line below the table names trial 0 too
        made = plain
    head, *rows = made.table.lines(width)
    out = [paint(head, "dim", colour)]
    out += [paint(row, "bold", colour) if i in made.table.marked else row for i, row in enumerate(rows)]
    same = made.footnote()
    return [*out, *(pairs([("the same in all:", same)], width, indent="") if same else [])]


def _gained(history: History, width: int | None) -> list[str]:
    best, baseline, mean = history.best, history.baseline, mean_gain(history)
    assert best is not None
    objective = history.objective
    folds = f", mean of {len(best.scores)} folds" if len(best.scores) > 1 else ""
    rows = [
        ("metric", f"{phrases.metric(objective)}{folds}"),
        ("best", f"{phrases.brief_score(objective, best, baseline)} (trial {best.number}{_chosen(history)})"),
    ]
    if best.number == 0:
        alone = history.space.size() == 1  # that of a best.yaml: there is nothing to compare it with
        rows.append(("gain", "" if alone else _none_better(history)))
    elif mean is not None and baseline is not None and baseline.score is not None:
        rows.append(("defaults", f"{phrases.brief_score(objective, baseline, best)} (trial 0)"))
        rows.append(("gain", phrases.honest_gain(history) or f"{phrases.gain_of(history, mean)} over the defaults"))
    elif baseline is not None and baseline.failure is not None:
        rows.append(("defaults", f"failed ({baseline.failure.kind}), so there is no gain to tell"))
    rows.append(("expect", phrases.expected(history)))
    rows.append(("holdout", phrases.holdout_beside(history, best)))
    return pairs(rows, width, indent="")


def _chosen(history: History) -> str:
    """Say where another than the search's first by mean was chosen."""
    if history.winner is None or history.best_number == history.winner.trial:
        return ""
    return ", chosen in the finals"


def _none_better(history: History) -> str:
    full = [one for one in history.trials if one.fidelity is None and one.completed]
    if len(full) == 1 and history.view().lower:
        return "none: no configuration but the defaults was measured in full"
    return "none: nothing was better than the defaults" + (" in the finals" if history.winner is not None else "")


def _commands(history: History, facts: Closing) -> list[str]:
    if history.best is None:
        failed = next((trial.number for trial in history.trials if trial.failure), None)
        return [f"hptune show {facts.folder}" + ("" if failed is None else f" {failed}")]
    out = [f"hptune show {facts.folder}", f"hptune best {facts.folder} --format yaml"]
    return [f"hptune run {facts.folder}", *out] if facts.stop_reason == "signal" else out


def _labelled(note: str) -> tuple[str, str]:
    """Return a note as a row: the gate's and the nested score's under their own names, others below the files."""
    label, colon, text = note.partition(": ")
    return (label, text) if colon and label in ("gate", "nested") else ("", note)
