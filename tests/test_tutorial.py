"""The tutorial runs as it is printed: its Python in one session, its YAML through the command line."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

TUTORIAL = Path(__file__).resolve().parent.parent / "docs" / "tutorial" / "README.md"


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", TUTORIAL.read_text(), flags=re.DOTALL)


def test_every_python_block_runs_in_order() -> None:
    session: dict[str, object] = {"__name__": "tutorial"}
    found = blocks("python")
    assert len(found) == 5
    for block in found:
        exec(compile(block, str(TUTORIAL), "exec"), session)


def test_the_home_made_tuner_has_at_most_forty_lines() -> None:
    (block,) = [one for one in blocks("python") if "class HomeMadeTuner" in one]
    lines = block[block.index("class HomeMadeTuner") : block.index("X, X_valid")].strip().splitlines()
    assert len(lines) <= 40


def test_the_yaml_runs_by_the_command_shown(tmp_path: Path) -> None:
    (yaml,) = blocks("yaml")
    (command,) = blocks("sh")
    (tmp_path / "ridge.yaml").write_text(yaml)
    words = command.split()
    assert words[0] == "hptune"
    done = subprocess.run(
        [sys.executable, "-m", *words], cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "over the defaults" in done.stdout
    assert (tmp_path / "runs" / "ridge" / "result.json").is_file()
