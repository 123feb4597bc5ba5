"""`hptune show DIR [TRIAL]`: a study at a glance, or everything about one trial."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from hptune import logfile
from hptune.commands._shared import read_study, say, say_json, stdout_width
from hptune.commands._verdicts import verdict_rows, verdicts
from hptune.errors import UsageError
from hptune.history import History
from hptune.regular_file import contents
from hptune.report import fidelity, phrases, wording
from hptune.report.advice import advise
from hptune.report.layout import pairs
from hptune.report.result import SCHEMA_VERSION, gain, outcome
from hptune.report.tables import counted, counts, status_word, trial_row
from hptune.trial import Trial

LOG_LINES = 20


def show(folder: Path, number: int | None = None, *, as_json: bool = False) -> int:
    """Print the study in `folder`, or its trial `number`; return the exit code.

    Raises `UsageError` for a trial that does not exist.
    """
    history = read_study(folder)
    if number is None:
        if as_json:
            say_json({**_overview(history), **verdicts(history, folder)})
        else:
            say(_study_lines(history, folder))
        return 0
    trial = _existing(history, folder, number)
    log = log_of(folder, number)
    if as_json:
        traceback = trial.failure.traceback if trial.failure else None
        data = {"schema_version": SCHEMA_VERSION, **trial_row(trial), "traceback": traceback}
        say_json({**data, "log": None if log is None else str(log)})
    else:
        say(_trial_lines(history, trial, log))
    return 0


def show_log(folder: Path, number: int | None) -> int:
    """Print all that a trial wrote itself, control characters as escapes; return the exit code.

    Raises `UsageError` for a trial that does not exist or has no log.
    """
    if number is None:
        raise UsageError(f"--log: expected a trial's number (`hptune show {folder} 0 --log`)")
    _existing(read_study(folder), folder, number)
    log = log_of(folder, number)
    if log is None:
        raise UsageError(
            f"trial {number} has no log; those of failed trials and of commands are kept{_linked(folder, number)}"
        )
    try:
        text = contents(log, 2 * logfile.RUNNING, follow=False).decode(errors="replace")
    except OSError as error:
        raise UsageError(f"cannot read {log}: {error.strerror}") from None
    say(wording.printable(text))
    return 0


def _existing(history: History, folder: Path, number: int) -> Trial:
    if not 0 <= number < len(history.trials):
        there = f"trials 0 to {len(history.trials) - 1}" if history.trials else "no trials"
        raise UsageError(f"no trial {number}; there are {there} in {folder}")
    return history.trials[number]


def log_of(folder: Path, number: int) -> Path | None:
    """Return the file with a trial's own output, None if it wrote none (or its log was not kept).

    A link is none: it may lead to anything.
    """
    path = _log_path(folder, number)
    return path if path.is_file() and not _is_link(path) else None


def _log_path(folder: Path, number: int) -> Path:
    return folder / "logs" / f"trial-{number:05d}.log"


def _is_link(log: Path) -> bool:
    return log.is_symlink() or log.parent.is_symlink()


def _linked(folder: Path, number: int) -> str:
    log = _log_path(folder, number)
    return f"; {log} is a link, which may lead out of the run directory: it is not read" if _is_link(log) else ""


# -- the study ------------------------------------------------------------------------------------------------------


def _overview(history: History) -> dict[str, Any]:
    started, best = history.started, history.best
    return {
        "schema_version": SCHEMA_VERSION,
        "name": history.name,
        "ended": history.ended,
        "objective": {"metric": started.metric, "direction": started.direction},
        "oracle": started.oracle,
        "prior": [
            {key: found for key, found in one.items() if key != "kept"} | {"kept": len(one["kept"])}
            for one in started.prior or []
        ],
        "seed": started.seed,
        "lookahead": started.lookahead,
        "parameters": len(history.space),
        "trials": {"total": len(history.trials), **dict(counts(history))},
        "sessions": 1 + len(history.resumed),
        "seconds": history.seconds,
        "best": None if best is None else outcome(history, best),
        "gain": gain(history),
    }


def _study_lines(history: History, folder: Path) -> list[str]:
    started, objective, width = history.started, history.objective, stdout_width()
    sessions = "" if not history.resumed else f", continued {wording.count(len(history.resumed), 'time')}"
    order = "asked and told" if history.asked else phrases.lookahead(started.lookahead)
    rows = [
        ("state", phrases.state(history)),
        ("metric", phrases.metric(objective)),
        ("trials", f"{len(history.trials)}: {counted(history)}"),
        ("time", f"{wording.seconds(history.seconds)}, begun {_moment(started.time)}{sessions}"),
        ("oracle", f"{phrases.oracle(started.oracle)}, seed {started.seed}, {order}"),
        ("", phrases.picked(history)),
        ("prior", phrases.prior(history)),
        ("space", phrases.space(history.space)),
        ("resource", fidelity.spent_sentence(history)),
    ]
    best, baseline = history.best, history.baseline
    if best is not None:
        rows.append(("best", f"{phrases.score(history.objective, best, baseline)} (trial {best.number})"))
    if baseline is not None and baseline.completed:
        rows.append(("defaults", f"{phrases.score(history.objective, baseline, best)} (trial 0)"))
    rows.append(("gain", phrases.honest_gain(history) or phrases.over_defaults(history)))
    rows.append(("expect", phrases.expected(history)))
    if best is not None:
        rows += [("holdout", phrases.holdout_beside(history, best)), ("params", phrases.params(best.values))]
    rows += verdict_rows(history, verdicts(history, folder))
    advice = advise(history).short() if history.ended is not None else []
    rows += [("advice" if not index else "", line) for index, line in enumerate(advice)]
    return [phrases.name(history), *pairs(rows, width), *_failures(history), "", *_next(history, folder)]


def _moment(time: float) -> str:
    """Return a time of the clock, in seconds since 1970, as people write it."""
    try:
        return datetime.fromtimestamp(time, UTC).strftime("%Y-%m-%d %H:%M UTC")
    except (OverflowError, ValueError, OSError):  # of a forged journal
        return "at no time that a calendar has"


def _failures(history: History) -> list[str]:
    """Return the failures, one line for each message: how often, which trials."""
    kinds: dict[tuple[str, str], list[int]] = {}
    for trial in history.trials:
        if trial.failure is not None:
            kinds.setdefault((trial.failure.kind, wording.one_line(trial.failure.message)), []).append(trial.number)
    if not kinds:
        return []
    width = stdout_width()
    lines = []
    for (kind, message), numbers in sorted(kinds.items(), key=lambda item: -len(item[1])):
        which = ", ".join(map(str, numbers[:5])) + (", ..." if len(numbers) > 5 else "")
        line = f"  {len(numbers)} x {kind} (trial {which}): {message}"
        lines.append(line if width is None else wording.shorten(line, width))
    return ["", "failures", *lines]


def _next(history: History, folder: Path) -> list[str]:
    failed = next((trial.number for trial in history.trials if trial.failure), None)
    best = None if history.best is None else history.best.number  # the finals may have chosen another than the search
    number = failed if failed is not None else best
    commands = [f"hptune trials {folder} --top 5"]
    if number is not None:
        commands.append(f"hptune show {folder} {number}")
    return pairs([("next" if not i else "", command) for i, command in enumerate(commands)], None)


# -- one trial ------------------------------------------------------------------------------------------------------


def _trial_lines(history: History, trial: Trial, log: Path | None) -> list[str]:
    width = stdout_width()
    status = f"failed: {trial.failure.kind}" if trial.failure else status_word(history, trial.status)
    rows = [("status", status + (f", {trial.reason}" if trial.reason else ""))]
    if trial.score is not None:
        name = wording.metric(history.objective)
        rows.append((name, f"{phrases.score(history.objective, trial)} ({wording.better(history.objective)})"))
    places = wording.decimals([abs(score) for score in trial.scores])
    shown = [wording.fixed(wording.shown(history.objective, score), places) for score in trial.scores]
    missing = f" ({len(shown)} of {trial.folds})" if shown and len(shown) < trial.folds else ""
    rows.append(("folds", " ".join(shown) + missing))
    if trial.train_score is not None:
        rows.append(("train score", wording.fixed(wording.shown(history.objective, trial.train_score), places)))
    for name, score in trial.metrics.items():
        label, found = wording.shown_metric(name, score)
        rows.append((label, wording.number(found)))
    rows += [
        ("time", wording.seconds(trial.seconds) if trial.measurements or trial.seconds else ""),
        ("proposed by", trial.origin),
        ("because", phrases.why(trial)),
        ("resource", fidelity.sentence(history, trial)),
        ("attempt", str(trial.attempt) if trial.attempt > 1 else ""),
        ("log", "" if log is None else str(log)),
    ]
    values = [(name, wording.exact(value)) for name, value in fidelity.values_of(history, trial).items()]
    out = [f"{phrases.name(history)}: trial {trial.number}", *pairs(rows, width), "", *pairs(values, width)]
    if trial.failure is not None:
        out += ["", *wording.printable(trial.failure.message)]
        if trial.failure.traceback:
            out += ["", *wording.printable(trial.failure.traceback.rstrip())]
        out += _log_tail(log)
    return out


def _log_tail(log: Path | None) -> list[str]:
    """Return the last lines a failed trial wrote itself."""
    if log is None:
        return []
    lines = wording.printable(logfile.tail(log, 16_384))
    tail = lines[-LOG_LINES:]
    return (
        ["", f"the last {wording.count(len(tail), 'line')} of its log", *(f"  {line}" for line in tail)]
        if tail
        else []
    )
