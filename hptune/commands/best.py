"""`hptune best DIR`: the best trial, or one of its values for a shell."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hptune.commands._shared import chosen_format, read_study, say, say_json, stdout_width, write
from hptune.errors import NoSuccess, UsageError
from hptune.history import History
from hptune.report import phrases, wording
from hptune.report.inert import in_python
from hptune.report.layout import pairs
from hptune.report.result import SCHEMA_VERSION, gain, outcome
from hptune.report.tables import find_name
from hptune.trial import Trial

FORMATS = ("table", "json", "yaml", "python")


def best(folder: Path, *, format: str = "table", as_json: bool = False, param: str | None = None) -> int:
    """Print the best trial of the study in `folder`; return the exit code.

    Raises `NoSuccess` without a completed trial, and `UsageError` for a parameter that does not exist or is inactive.
    """
    format = chosen_format(format, as_json, FORMATS)
    history = read_study(folder)
    trial = history.best
    if trial is None:
        raise NoSuccess(f"{folder}: no trial has completed yet; `hptune show {folder}` shows what became of them")
    if param is not None:
        found = _value(history, trial, param)
        if format == "json":
            say_json({"schema_version": SCHEMA_VERSION, "trial": trial.number, "value": found})
        else:
            write(f"{wording.exact(found)}\n")  # for a script: as it is
        return 0
    data = {"schema_version": SCHEMA_VERSION, "name": history.name, **outcome(history, trial)}
    match format:
        case "json":
            say_json({**data, "gain": gain(history)})
        case "yaml":
            from hptune.config.yaml_dump import dump

            write(dump(data))
        case "python":
            say(_python(history, trial))
        case _:
            say(_lines(history, trial))
    return 0


def _value(history: History, trial: Trial, param: str) -> Any:
    name = find_name(param, history.space.by_name, trial.values)
    if name not in trial.values:
        needs = " and ".join(str(condition) for condition in history.space[name].when)
        raise UsageError(f"{name} is inactive in the best trial ({trial.number}): it needs {needs}")
    return trial.values[name]


def _lines(history: History, trial: Trial) -> list[str]:
    objective = history.objective
    rows = [(wording.metric(objective), f"{phrases.score(history.objective, trial)} ({wording.better(objective)})")]
    for name, score in trial.metrics.items():
        label, shown = wording.shown_metric(name, score)
        rows.append((label, wording.number(shown)))
    rows.append(("gain", phrases.honest_gain(history) or phrases.over_defaults(history)))
    rows.append(("expect", phrases.expected(history)))
    rows.append(("holdout", phrases.holdout_beside(history, trial)))
    width = stdout_width()
    values = [(name, wording.exact(value)) for name, value in trial.values.items()]
    return [f"{phrases.name(history)}: trial {trial.number}", *pairs(rows, width), "", *pairs(values, width)]


def _python(history: History, trial: Trial) -> list[str]:
    objective = history.objective
    score = f"{wording.metric(objective)} {phrases.score(objective, trial)}"
    head = f"# {phrases.name(history)}, trial {trial.number}: {score}"
    items = [f"    {name!r}: {value!r}," for name, value in trial.values.items()]
    return [in_python(line) for line in (head, "params = {", *items, "}")]
