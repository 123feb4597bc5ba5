"""The page on fidelity: its YAML is valid, its options are the registry's, its first config runs."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from hptune.cli import app
from hptune.config.load import load
from hptune.oracles import ORACLES

PAGE = (Path(__file__).resolve().parent.parent / "docs" / "fidelity.md").read_text()
BLOCKS = re.findall(r"```yaml\n(.*?)```", PAGE, flags=re.DOTALL)


@pytest.mark.parametrize("block", BLOCKS)
def test_every_yaml_block_is_a_config(block: str, tmp_path: Path) -> None:
    (tmp_path / "c.yaml").write_text(block)
    assert load(tmp_path / "c.yaml").resource is not None


def test_its_options_are_those_of_the_registry() -> None:
    for name in ("hyperband", "asha"):
        fields = set(ORACLES[name].model_fields) - {"type"}
        assert set(re.findall(r"`(\w+)`", "".join(re.findall(r"^\| (`.*?) \|", PAGE, flags=re.MULTILINE)))) == fields


def test_the_first_config_runs_and_its_winner_has_all_of_the_resource(tmp_path: Path) -> None:
    (tmp_path / "c.yaml").write_text(BLOCKS[0] + "executor: {type: serial}\n")
    small = ["-o", "budget.trials=4", "-o", "evaluate.cv=2", "-o", "oracle.max=27", "-o", "oracle.min=3"]
    done = CliRunner().invoke(app, ["run", str(tmp_path / "c.yaml"), "--dir", str(tmp_path / "run"), *small])
    assert done.exit_code == 0, done.output
    result = json.loads((tmp_path / "run" / "result.json").read_text())
    assert result["best"]["params"]["max_iter"] == 27
    assert result["resource"]["spent"] > 1
