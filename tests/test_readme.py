"""The README is true: its YAML runs, so do its commands, and what it links to is there."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from hptune.cli import EXIT_CODES
from hptune.config.load import load

ROOT = Path(__file__).resolve().parent.parent
TEXT = (ROOT / "README.md").read_text()
SH = [
    line.partition("#")[0].split()
    for block in re.findall(r"```sh\n(.*?)```", TEXT, re.DOTALL)
    for line in block.splitlines()
]
(YAML,) = re.findall(r"```yaml\n(.*?)```", TEXT, re.DOTALL)
SMALL = [
    "-o",
    "budget.trials=4",
    "-o",
    "executor.type=serial",
    "-o",
    "gate.min_gain=-1000",
    "-o",
    "oracle.type=random",
]


def test_the_config_is_complete(tmp_path: Path) -> None:
    (tmp_path / "svr.yaml").write_text(YAML)
    assert load(tmp_path / "svr.yaml").config.gate is not None


def test_every_hptune_command_runs_in_the_order_shown(tmp_path: Path) -> None:
    (tmp_path / "svr.yaml").write_text(YAML)
    commands = [words for words in SH if words[0] == "hptune"]
    assert [words[1] for words in commands] == ["validate", "run", "trials", "importance", "best"]
    for words in commands:
        extra = SMALL if words[1] == "run" else SMALL[2:4] if words[1] == "validate" else []
        done = subprocess.run(
            [sys.executable, "-m", *words, *extra],
            cwd=tmp_path, env={**os.environ, "COLUMNS": "80"},
            capture_output=True, text=True, timeout=200, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
    assert float(done.stdout) > 0


@pytest.mark.parametrize("target", [words[1] for words in SH if words[0] == "make"])
def test_make_has_the_targets(target: str) -> None:
    assert re.search(rf"^{target}:", (ROOT / "Makefile").read_text(), re.MULTILINE)


@pytest.mark.parametrize("page", ["README.md", "docs/README.md"])
def test_every_link_leads_somewhere(page: str) -> None:
    links = re.findall(r"\]\(([^)#]+)", (ROOT / page).read_text())
    assert links
    assert not [link for link in links if not ((ROOT / page).parent / link).exists()]


def test_the_index_of_the_docs_lists_every_page() -> None:
    index = (ROOT / "docs" / "README.md").read_text()
    pages = [path.relative_to(ROOT / "docs").as_posix() for path in (ROOT / "docs").rglob("*.md")]
    assert not [page for page in pages if page != "README.md" and f"]({page})" not in index]


def test_the_numbers_are_those_stored() -> None:
    caught, tried = json.loads((ROOT / "benchmarks" / "results" / "checks.json").read_text())["all"]
    assert f"{caught} of {tried}" in TEXT
    decision = (ROOT / "docs" / "decisions" / "0004-honest-gain.md").read_text()
    runs = [json.loads(line) for line in (ROOT / "benchmarks/honesty/results/product.jsonl").read_text().splitlines()]
    held = sum(run["low"] - 1e-6 <= run["true_gain"] <= run["high"] + 1e-6 for run in runs)
    coverage = 100 * held / len(runs)
    assert f"{coverage:.1f} % of {len(runs)}" in decision
    assert f"Over {len(runs)} whole studies the interval held the true gain in {coverage:.0f} %" in TEXT.replace(
        "\n ", ""
    )


def test_the_comparisons_are_those_stored() -> None:
    said = " ".join(TEXT.split())
    whole = re.search(r"^\| all \| 37 \|(.+)\|$", (ROOT / "benchmarks/RESULTS.md").read_text(), re.MULTILINE)
    assert whole is not None
    gp, tpe = (10 ** float(cell) for cell in re.findall(r"/ (-\S+) \([\d.]+\)(?: \||\s*$)", whole[1]))
    told = re.search(r"([\d.]+) times that of Optuna's GPSampler and ([\d.]+) times that of its TPE", said)
    assert told is not None
    # The table's logarithms are rounded.
    assert [float(told[1]), float(told[2])] == pytest.approx([gp, tpe], abs=0.01)


def test_the_kinds_of_fault_are_counted() -> None:
    table = (ROOT / "docs" / "reliability.md").read_text().partition("begin -->")[2].partition("<!--")[0]
    rows = [line for line in table.splitlines() if line.startswith("| ") and "faults-long" not in line]
    assert f"[{len(rows) - 1} kinds of fault" in TEXT  # without the header


def test_the_exit_codes_are_the_programs_own() -> None:
    told = re.search(r"^Exit codes: (.*?)\n\n", TEXT, re.MULTILINE | re.DOTALL)
    assert told is not None
    codes = re.findall(r"^ +(\d+) ", EXIT_CODES, re.MULTILINE)
    assert re.findall(r"\d+", told[1]) == codes


def test_the_picture_shows_a_run_of_this_config() -> None:
    picture = (ROOT / "docs" / "figures" / "terminal.svg").read_text().replace("&#160;", " ")
    for words in ("hptune run svr.yaml", "over the defaults", "90% interval", "gate"):
        assert words in picture
    assert "http" not in picture.replace("http://www.w3.org", "")
