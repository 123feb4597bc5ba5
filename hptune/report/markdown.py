"""A run as GitHub-flavoured Markdown, for the summary page of a CI job: the verdict first, then why.

Text from outside (names, values, messages) stands in code spans, where neither Markdown nor HTML nor @mentions work.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from hptune.gate import Judged
from hptune.history import History
from hptune.report import phrases, wording
from hptune.report.advice import advise
from hptune.report.tables import TrialTable, best_first, counted, trial_table
from hptune.space import Fixed
from hptune.trial import Trial

LIMIT: Final = 1024 * 1024
"""GitHub refuses the summary of a step beyond 1 MiB."""

TOP: Final = 5
_ROWS: Final = (50, 10, 3)  # rows of the longer lists, fewer until the summary fits
_CELL: Final = 200  # characters of one value or message
_A_NAME: Final = re.compile(r"[A-Za-z0-9._-]+")  # as a config may call a study


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What the summary says besides the history.

    `command` runs the study, `error` is why the run failed, `nested` what nested cross-validation found.
    """

    stop_reason: str
    folder: str
    command: str
    judged: Judged | None = None
    undecided_passes: bool = False
    error: str = ""
    nested: Mapping[str, Any] | None = None


def summary(history: History, facts: Facts, *, limit: int = LIMIT) -> str:
    """Return the summary, of fewer than `limit` bytes in UTF-8; what is left out is said."""
    text = ""
    for rows in _ROWS:
        text = "\n".join(_lines(history, facts, rows)) + "\n"
        if len(text.encode()) < limit:
            return text
    return _cut(text, limit)


def _lines(history: History, facts: Facts, rows: int) -> list[str]:
    parts = [
        [verdict(history, facts)],
        [_counted(history, facts.stop_reason)],
        _compared(history),
        [] if facts.nested is None else [f"Nested: {phrases.nested(history.objective, facts.nested)}."],
        _gate(facts.judged),
        _top(history),
        _changed(history, rows),
        _failures(history, rows),
        _advice(history),
        _reproduce(history, facts),
    ]
    return [line for part in parts if part for line in ("", *part)][1:]


def verdict(history: History, facts: Facts) -> str:
    """Return the first line: the gate's verdict if there is one, and what was gained."""
    name, best = phrases.name(history), history.best
    name = name if _A_NAME.fullmatch(name) else code(name)
    if facts.stop_reason == "signal":
        said = "interrupted"
    elif facts.error:
        said = f"failed: {code(facts.error)}"
    elif facts.judged is not None:
        said = {"pass": "gate passed", "fail": "gate not met", "undecided": "gate undecided"}[facts.judged.verdict]
        if facts.judged.verdict == "undecided" and facts.undecided_passes:
            said += " (which passes here)"
    else:
        said = "done" if best is not None else "no trial succeeded"
    gained = ""
    if best is not None:
        objective = history.objective
        gained = f"; {code(wording.metric(objective))} {phrases.brief_score(objective, best, history.baseline)}"
        gained += ", the defaults won" if best.number == 0 else ""
        over = phrases.honest_gain(history).partition(", ")[0] or phrases.over_defaults(history)
        gained += f", {over}" if over else ""
    return f"## {name}: {said}{gained}"


def _counted(history: History, stop_reason: str) -> str:
    why = phrases.ending(history, stop_reason)
    total = wording.count(len(history.trials), "trial")
    return f"{total} in {wording.seconds(history.seconds)}: {counted(history)}; {why}."


def _compared(history: History) -> list[str]:
    best, baseline, objective = history.best, history.baseline, history.objective
    if best is None:
        return []
    rows = [["best", *_measured(history, best, baseline)]]
    if baseline is not None and baseline.number != best.number:
        failed = "" if baseline.failure is None else f"failed: {baseline.failure.kind}"
        rows.append(["defaults", *(_measured(history, baseline, best) if not failed else ["0", failed, ""])])
    lines = ["### Best against the defaults", ""]
    lines += _table(
        ["", "trial", f"{code(wording.metric(objective))} ({wording.better(objective)})", "holdout"], rows
    )
    gain, expected = phrases.honest_gain(history), phrases.expected(history)
    lines += ["", f"Gain: {gain}."] if gain else []
    lines += ["", f"To expect: {expected}."] if expected else []
    return lines


def _measured(history: History, trial: Trial, beside: Trial | None) -> list[str]:
    return [str(trial.number), phrases.brief_score(history.objective, trial, beside), phrases.holdout(history, trial)]


def _gate(judged: Judged | None) -> list[str]:
    if judged is None:
        return []
    against = f"against {code(judged.baseline)} on {judged.on}, at {judged.confidence:.0%} confidence"
    return ["### Gate", "", f"**{judged.verdict}** {against}: {judged.reason}."]


def _top(history: History) -> list[str]:
    done = best_first(history, [t for t in history.trials if t.completed and t.fidelity is None])[:TOP]
    if not done:
        return []
    made = trial_table(history, done, labels={0: "defaults"})
    table, same = made.table, same_in_all(made)
    values = [name not in ("trial", "status", "score", "± std", "") for name in table.headers]
    rows = [[code(cell) if is_ else cell for cell, is_ in zip(row, values, strict=True)] for row in table.rows]
    heads = [code(cell) if is_ else cell for cell, is_ in zip(table.headers, values, strict=True)]
    title = "The best of the search" if len(done) == 1 else f"The best {len(done)} of the search"
    return [f"### {title}", "", *_table(heads, rows), *same]


def same_in_all(made: TrialTable) -> list[str]:
    """Return the line below a table about the parameters that it leaves out, nothing where there are none."""
    same = made.footnote()
    return ["", f"The same in all: {code(same, cell=False)}"] if same else []


def _changed(history: History, most: int) -> list[str]:
    """Return the best configuration's parameters that differ from the defaults' (those inactive in it aside)."""
    best, baseline = history.best, history.baseline
    if best is None or baseline is None or best.number == baseline.number:
        return []
    space = history.space
    rows = [
        [code(p.name), _value(baseline.values, p.name), _value(best.values, p.name)]
        for p in space
        if not isinstance(p, Fixed) and _value(best.values, p.name) != _value(baseline.values, p.name)
    ]
    lines = ["### Changed parameters", "", *_table(["parameter", "defaults", "best"], rows[:most])]
    return [*lines, *_left_out(len(rows), most)] if rows else []


def _failures(history: History, most: int) -> list[str]:
    kinds: dict[str, list[int]] = {}
    for trial in history.trials:
        if trial.failure is not None:
            said = f"{trial.failure.kind}: {wording.one_line(trial.failure.message)}"
            kinds.setdefault(wording.cut(said, _CELL), []).append(trial.number)
    lines = []
    for said, numbers in sorted(kinds.items(), key=lambda item: -len(item[1]))[:most]:
        which = ", ".join(map(str, numbers[:5])) + (", ..." if len(numbers) > 5 else "")
        lines.append(f"- {len(numbers)} x {code(said, cell=False)} (trial {which})")
    return ["### Failures", "", *lines, *_left_out(len(kinds), most)] if lines else []


def _advice(history: History) -> list[str]:
    lines = [f"- {code(line, cell=False)}" for line in advise(history).full()]
    return ["### Advice", "", *lines[:10], *_left_out(len(lines), 10)] if lines else []


def _reproduce(history: History, facts: Facts) -> list[str]:
    started = history.started
    versions = ", ".join(f"{name} {found}" for name, found in started.versions.items() if name != "platform")
    hashes = ", ".join(f"{name} {code(found[:16])}" for name, found in started.hashes.items() if found)
    lines = ["### How to reproduce", "", "```sh", *(one for one in (facts.command, _train(history, facts)) if one)]
    lines += ["```", "", f"Seed {started.seed}, {phrases.lookahead(started.lookahead)}."]
    lines[-1] += f" Hashes: {hashes}." if hashes else ""
    return [*lines, *(["", f"Versions: {code(versions, cell=False)}"] if versions else [])]


def _train(history: History, facts: Facts) -> str:
    import shlex

    if history.best is None:
        return ""
    return f"hptune run {shlex.quote(facts.folder + '/best.yaml')}  # trains the best configuration again"


# -- Markdown -------------------------------------------------------------------------------------------------------


def code(text: str, *, cell: bool = True) -> str:
    """Return text as a code span on one line, safe inside a table's `cell`; "" stays empty.

    The fence is longer than any run of backticks in it; a bar needs its backslash in a table even in code.
    """
    flat = wording.cut(wording.one_line(text), 4 * _CELL)
    if not flat:
        return ""
    fence = "`" * (max((len(run) for run in re.findall("`+", flat)), default=0) + 1)
    space = " " if flat[0] == "`" or flat[-1] == "`" or (flat[0] == flat[-1] == " ") else ""
    return f"{fence}{space}{flat.replace('|', chr(92) + '|') if cell else flat}{space}{fence}"


def _value(values: Mapping[str, Any], name: str) -> str:
    return code(wording.cut(wording.exact(values[name]), _CELL)) if name in values else wording.ABSENT


def _table(headers: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    return ["| " + " | ".join(cells) + " |" for cells in (headers, ["---"] * len(headers), *rows)]


def _left_out(found: int, most: int) -> list[str]:
    return ["", f"... and {found - most:,} more."] if found > most else []


def _cut(text: str, limit: int) -> str:
    """Return the lines that fit, and a last one that says so."""
    lines = text.splitlines()
    note = "\n```\n\nThe rest was left out: a summary holds 1 MiB.\n"
    room = limit - len(note.encode()) - 1
    kept: list[str] = []
    for line in lines:
        room -= len(line.encode()) + 1
        if room < 0:
            break
        kept.append(line)
    if sum(line.startswith("```") for line in kept) % 2 == 0:  # no open block of code
        note = note.removeprefix("\n```")
    return "\n".join(kept) + "\n" + note
