"""docs/reference.md says what the program does: verbs, options, exit codes, keys, and every jq example runs."""

from __future__ import annotations

import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest
import typer.main

from hptune.cli import EXIT_CODES, app
from hptune.report.result import document, result
from hptune.report.result_schema import result_schema
from hptune.report.trials_csv import trials_csv
from hptune.report.wording import STOP_REASONS
from tests import told

DOCS = Path(__file__).parent.parent / "docs"
TEXT = (DOCS / "reference.md").read_text()
JQ = [line.partition("  #")[0].strip() for line in TEXT.splitlines() if line.startswith("jq ")]
COMMAND = typer.main.get_command(app)
VERBS = COMMAND.commands  # type: ignore[attr-defined]


@pytest.mark.parametrize("verb", sorted(VERBS))
def test_every_verb_and_option_is_documented(verb: str) -> None:
    row = re.search(rf"^\| `{verb}[ `].*$", TEXT, re.MULTILINE)
    assert row is not None, verb
    for parameter in VERBS[verb].params:
        if parameter.param_type_name == "option":
            assert any(f"`{name}" in row[0] for name in parameter.opts), (verb, parameter.opts)


def test_every_exit_code_is_documented_with_the_same_words() -> None:
    for code, meaning in re.findall(r"^ +(\d)    (.+)$", EXIT_CODES, re.MULTILINE):
        assert re.search(rf"^\| {code} \| {re.escape(meaning)}", TEXT, re.MULTILINE), code
    signals = re.findall(r"^ +(\d{3})  .*\((.+)\)", EXIT_CODES.replace("Ctrl-C", "SIGINT"), re.MULTILINE)
    assert signals == [("129", "SIGHUP"), ("130", "SIGINT"), ("143", "SIGTERM")]
    assert "| 129, 130, 143 | interrupted by SIGHUP, SIGINT, SIGTERM," in TEXT


def test_every_page_names_the_same_verbs_that_import_an_oracle() -> None:
    verbs = "`run`, `retry`, `ask`, `validate` and `space`"
    for page in ("reference.md", "oracles.md"):
        assert f"imported by {verbs}" in " ".join((DOCS / page).read_text().split()), page


def test_every_extra_is_on_a_page() -> None:
    extras = tomllib.loads((DOCS.parent / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    pages = " ".join(path.read_text() for path in [DOCS.parent / "README.md", *DOCS.glob("*.md")])
    assert [name for name in extras.keys() - {"all", "dev", "bench"} if f"[{name}]" not in pages] == []


def test_every_key_of_the_result_is_documented() -> None:
    section = TEXT.partition("## result.json")[2]
    keys = [*result_schema()["properties"], *result_schema()["$defs"]["outcome"]["properties"], *STOP_REASONS]
    assert not [key for key in keys if f"`{key}`" not in section]


def test_every_fixed_column_of_trials_csv_is_documented() -> None:
    header = trials_csv(told.ridge().history).splitlines()[0].split(",")
    names = [name for name in header if not name.startswith(("fold_", "param.", "metric."))]
    assert not [name for name in names if f"`{name}`" not in TEXT]


@pytest.mark.skipif(shutil.which("jq") is None, reason="jq is not installed")
@pytest.mark.parametrize("example", JQ)
def test_every_jq_example_runs(example: str, tmp_path: Path) -> None:
    (tmp_path / "result.json").write_text(
        document(result(told.pipeline().history, stop_reason="exhausted", reproducible=True))
    )
    found = subprocess.run(["bash", "-c", example], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert found.stdout.strip() not in ("", "null")
