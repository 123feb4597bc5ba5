"""The page on honest numbers: its YAML is valid, and its figures are those of the decision page."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from hptune.config.load import load

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
