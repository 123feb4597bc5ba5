"""`hptune suggest DIR`: what to do next with a study, and a better space as YAML."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

from hptune.commands._shared import read_study, say_json, stdout_width, write
from hptune.config.yaml_dump import dump
from hptune.report.advice import advise, patch
from hptune.report.inert import inert
from hptune.report.layout import folded
from hptune.report.result import SCHEMA_VERSION


def suggest(folder: Path, *, as_json: bool = False) -> int:
    """Print the advice as comments, and wider ranges and choices without what fails as a `space:` section.

    Return the exit code.

    What is printed is YAML whatever the advice: with nothing to change the section is empty.
    """
    history = read_study(folder)
    advice = advise(history)
    section = patch(history, advice.bounds, advice.failing)
    if as_json:
        say_json(
            {
                "schema_version": SCHEMA_VERSION,
                "name": history.name,
                "bounds": [asdict(one) for one in advice.bounds],
                "failing": [asdict(one) for one in advice.failing],
                "tied": list(advice.tied),
                "stability": [
                    {"name": one.name, "value": one.value, "folds": list(one.values)} for one in advice.stability
                ],
                "outlook": advice.outlook or None,
                "advice": advice.full(),
                "patch": section,
            }
        )
        return 0
    lines = advice.full() or ["nothing to advise yet: no trial has completed" if history.best is None else "nothing"]
    if any(one.name not in section["space"] for one in advice.bounds):
        lines.append("(ranges that the config does not declare are to be widened in the code that does)")
    width = stdout_width()
    comments = [one for line in lines for one in folded(line, width, begin="# ", more="#   ")]
    write("".join(f"{inert(line)}\n" for line in comments) + dump(section))
    return 0
