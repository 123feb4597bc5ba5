"""The page on honest numbers: its YAML is valid, and its figures are those of the decision page."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from benchmarks.importance import PIPELINE, pipeline
from hptune import cli
from hptune.config.load import load
from hptune.evaluate import FinalsSpec
from hptune.objective import Objective
from hptune.statistics import finals_repeats
from hptune.study import Study

DOCS = Path(__file__).resolve().parent.parent / "docs"
PAGE = (DOCS / "honest.md").read_text()
BASE = 'data: {train: "sklearn:load_diabetes"}\nmodel: {class: sklearn.linear_model.Ridge}\n'


@pytest.mark.parametrize("block", re.findall(r"```yaml\n(.*?)```", PAGE, flags=re.DOTALL))
def test_every_yaml_block_is_a_part_of_a_config(block: str, tmp_path: Path) -> None:
    (tmp_path / "c.yaml").write_text(BASE + block)
    assert load(tmp_path / "c.yaml").config.data is not None


def test_its_figures_are_the_decisions() -> None:
    decision = (DOCS / "decisions" / "0004-honest-gain.md").read_text()
    for figure in ("95.2", "6.1", "584", "95.6", "8.3", "480"):
        assert figure in decision
    assert "95 %" in PAGE
    assert "584" in PAGE
    assert "480" in PAGE


def test_the_price_of_the_finals_is_told_by_the_number_of_repeats() -> None:
    changes = [trials for trials in range(21, 300) if finals_repeats(trials) > finals_repeats(trials - 1)]
    assert (finals_repeats(21), finals_repeats(299), changes) == (2, 4, [85, 105])
    said = " ".join(FinalsSpec.model_json_schema()["properties"]["repeats"]["description"].split())
    assert "2 times, for 85 trials and more 3, for 105 and more 4" in said
    assert "From 85 trials on the leader and the defaults get a third repeat, from 105 on a fourth." in " ".join(
        PAGE.split()
    )


def test_the_table_of_the_finals_price_adds_up() -> None:
    decision = (DOCS / "decisions" / "0004-honest-gain.md").read_text()
    rows = re.findall(r"\| \d+ \| (\d+) \| (\d+) \| (\d+) % \|$", decision, re.MULTILINE)
    assert len(rows) == 9
    assert all(round(100 * int(finals) / int(search)) == int(share) for search, finals, share in rows)


def test_the_example_of_importance_is_what_the_command_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with Study(PIPELINE, Objective("loss", "minimize"), "random", directory=tmp_path / "run") as study:
        for number in range(60):
            trial = study.ask()
            study.tell(trial, failed="boom") if number % 10 == 9 else study.tell(trial, pipeline(dict(trial.values)))
    monkeypatch.setenv("COLUMNS", "80")
    assert cli.invoke(["importance", str(tmp_path / "run")]) == 0
    told = capsys.readouterr().out
    shown = re.search(r"```\n(parameter .*?)```", PAGE, flags=re.DOTALL)
    assert shown is not None
    words = re.compile(r"[A-Za-z]+")  # another processor may round a share the other way
    assert sorted(words.findall(shown[1])) == sorted(words.findall(told)), told
    numbers = re.compile(r"\d+(?=%)")
    for page, found in zip(numbers.findall(shown[1]), numbers.findall(told), strict=True):
        assert abs(int(page) - int(found)) <= 3, told
