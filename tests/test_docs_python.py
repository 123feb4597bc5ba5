"""The Python of docs/python.md runs as it stands there, in one session, and every public name is on the page."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import hptune
from hptune import cli

PAGE = Path(__file__).resolve().parent.parent / "docs" / "python.md"
BLOCKS = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)


def test_every_block_runs_in_order_and_the_kept_studies_can_be_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    session: dict[str, object] = {"__name__": "page"}
    assert len(BLOCKS) == 8
    for block in BLOCKS:
        exec(compile(block, str(PAGE), "exec"), session)
    capsys.readouterr()
    for verb in ("show", "trials", "best"):
        for folder in ("runs/mine", "runs/wide"):
            assert cli.invoke([verb, folder]) == 0
    assert "open: it was kept by hptune.Study or Tuner" in capsys.readouterr().out


def test_every_public_name_is_on_the_page() -> None:
    text = PAGE.read_text()
    assert [name for name in hptune.__all__ if f"`{name}`" not in text] == []
