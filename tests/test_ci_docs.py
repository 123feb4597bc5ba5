"""The workflows in docs/ci: YAML, and every hptune command in them runs as it stands there."""

from __future__ import annotations

import re
import shlex
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import pytest
import typer.main
import yaml

from hptune import cli

DOCS = Path(__file__).resolve().parent.parent / "docs"
WORKFLOWS = sorted((DOCS / "ci").glob("*.yml"))

STUDY = """
model: {class: sklearn.linear_model.Ridge}
data: {synthetic: {kind: sparse_linear, n: 60}}
space: {alpha: {type: float, min: 0.01, max: 100, scale: log}}
evaluate: {cv: 3}
oracle: {type: random}
budget: {trials: 4}
"""


def strings(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [text for one in value.values() for text in strings(one)]
    if isinstance(value, list):
        return [text for one in value for text in strings(one)]
    return [value] if isinstance(value, str) else []


def commands(texts: list[str]) -> list[list[str]]:
    """Return the words after `hptune` of each line that begins with it."""
    lines = [line for text in texts for line in text.splitlines()]
    return [shlex.split(line)[1:] for line in lines if line.startswith("hptune ")]


def of_page() -> str:
    return (DOCS / "ci.md").read_text()


def gate() -> str:
    """Return the config lines that the page shows."""
    (block,) = re.findall(r"```yaml\n(.*?)```", of_page(), re.DOTALL)
    return str(block)


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("GITHUB_STEP_SUMMARY", raising=False)
    Path("study.yaml").write_text(STUDY + gate())
    return tmp_path


def test_there_is_a_workflow_for_each_server_and_the_page_names_it() -> None:
    assert [path.name for path in WORKFLOWS] == ["github-actions.yml", "gitlab-ci.yml"]
    for path in WORKFLOWS:
        assert f"(ci/{path.name})" in of_page()


def test_every_command_of_the_workflows_parses() -> None:
    verbs = typer.main.get_command(cli.app).commands  # type: ignore[attr-defined]
    found = [commands(strings(yaml.safe_load(path.read_text()))) for path in WORKFLOWS]
    assert found[0] == found[1], "both servers run the same commands"
    assert [words[0] for words in found[0]] == ["validate", "run"]
    for verb, *arguments in found[0]:
        verbs[verb].make_context(verb, arguments)  # raises for an option that does not exist


@pytest.mark.slow
def test_every_command_of_the_page_and_the_workflows_runs(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    first, *others = commands(re.findall(r"```sh\n(.*?)```", of_page(), re.DOTALL))
    assert cli.invoke(["validate", "study.yaml"]) == 2  # there is no floor yet
    assert "does not exist; commit the result.json of a run there" in capsys.readouterr().err
    assert cli.invoke(["validate", "study.yaml", "-o", "gate=null"]) == 0
    assert cli.invoke(first) == 0
    Path("tuned").mkdir()
    Path("tuned/result.json").write_bytes(Path("runs/first/result.json").read_bytes())
    found = [commands(strings(yaml.safe_load(path.read_text()))) for path in WORKFLOWS]
    for words in [*found[0], *others]:
        assert cli.invoke(words) == 0, capsys.readouterr().err
    summary = Path("summary.md").read_text()
    assert ": gate passed" in summary or ": gate undecided (which passes here)" in summary
    assert "against `" in summary
    names = [case.attrib["name"] for case in ET.parse("junit.xml").getroot().iter("testcase")]
    assert names == ["a trial succeeded", "the gate is met"]


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_what_a_workflow_keeps_is_what_the_run_writes(path: Path) -> None:
    texts = strings(yaml.safe_load(path.read_text()))
    kept = {line for text in texts for line in text.splitlines() if line.startswith("runs/ci/")}
    assert {"runs/ci/result.json", "runs/ci/best.yaml", "runs/ci/trials.csv"} <= kept
    assert any("junit.xml" in text for text in texts)
