"""docs/reference.md's table of `--json` documents: each verb, run once, prints the keys that stand there."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import typer.main

from hptune import cli
from hptune.commands import doctor
from hptune.commands.doctor import Check

TEXT = (Path(__file__).resolve().parent.parent / "docs" / "reference.md").read_text()
SECTION = TEXT.partition("### The documents of `--json`")[2].partition("\n## ")[0]
ROWS = [line.strip("| ").split(" | ") for line in SECTION.splitlines() if line.startswith("| `")]

SOLO = """\
name: one
data: {train: "sklearn:load_diabetes", holdout: {fraction: 0.2}}
model: {class: sklearn.linear_model.Ridge}
space: {alpha: {type: float, min: 0.001, max: 10, scale: log}}
evaluate: {cv: 2}
oracle: {type: random}
budget: {trials: 12}
executor: {type: serial}
"""
OUTSIDE = """\
name: out
space: {x: {type: float, min: 0, max: 1}}
evaluate: {metric: loss}
oracle: {type: random}
budget: {trials: 3}
"""
WORDS = {
    "run --dry-run": "run one.yaml --dry-run",
    "run": "run one.yaml -q",
    "validate": "validate one.yaml",
    "validate --static": "validate one.yaml --static",
    "space": "space one.yaml --sample 1",
    "trials": "trials runs/one",
    "best": "best runs/one",
    "best --param": "best runs/one --param alpha",
    "show": "show runs/one",
    "show TRIAL": "show runs/one 1",
    "report": "report runs/one --figures figures",
    "compare": "compare runs/one runs/one",
    "importance": "importance runs/one",
    "suggest": "suggest runs/one",
    "retry, no trial failed": "retry runs/one",
    "repair": "repair runs/one",
    "doctor": "doctor",
    "oracles": "oracles",
    "init": "init --out new.yaml",
    "spaces": "spaces",
    "ask": "ask out.yaml",
    "tell": "tell runs/out --trial 0 --value 1",
}
"""What stands in the table's first column, as arguments; in an order in which they can be run."""


@pytest.fixture
def printed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[[str], Any]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(doctor, "_child", lambda: Check("worker process", "ok", "answered"))
    monkeypatch.setattr("hptune.report.figures.draw", lambda folders, out: [out / "one-history.svg"])
    Path("one.yaml").write_text(SOLO)
    Path("out.yaml").write_text(OUTSIDE)

    def run(words: str) -> Any:
        assert cli.invoke([*words.split(), "--json"]) == 0, words
        return json.loads(capsys.readouterr().out)

    return run


def names(cell: str) -> list[str]:
    return re.findall(r"`(\w+)`", cell)


def test_every_verb_prints_the_keys_that_the_table_lists(printed: Callable[[str], Any]) -> None:
    listed = {row[0].replace("`", ""): row for row in ROWS if "result.json" not in row[1]}
    assert listed.keys() == WORDS.keys() - {"run"}
    for command, words in WORDS.items():
        found = printed(words)
        assert found.pop("schema_version") == 1, command
        if command == "run":  # tests/test_reference.py holds the keys of result.json
            assert found == {key: one for key, one in json.loads(Path("runs/one/result.json").read_text()).items()
                             if key != "schema_version"}  # fmt: skip
            continue
        _, keys, inside = (*listed[command], "")[:3]
        assert list(found) == names(keys), command
        for part in inside.split("; "):
            if told := re.fullmatch(r"`(\w+)`: (`\w+`(?:, `\w+`)+)", part.strip(" |")):
                one = found[told[1]]
                assert list(one[0] if isinstance(one, list) else one) == names(told[2]), (command, told[1])


def test_the_table_has_every_verb_that_takes_json() -> None:
    verbs = typer.main.get_command(cli.app).commands  # type: ignore[attr-defined]
    takes = {name for name, verb in verbs.items() if any("--json" in one.opts for one in verb.params)}
    assert {name for row in ROWS for name in re.findall(r"`([a-z]+)", row[0])} == takes
