"""Every snippet of docs/data.md runs, and every message its table quotes is one that hptune has."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml

from hptune.data import DATA_SOURCES, data_from
from hptune.worker.imports import Importer

ROOT = Path(__file__).resolve().parent.parent
TEXT = (ROOT / "docs" / "data.md").read_text()
SNIPPETS = {lang: re.findall(rf"```{lang}\n(.*?)```", TEXT, re.DOTALL) for lang in ("yaml", "python")}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    table = pd.DataFrame(
        {"id": range(50), "owner": rng.integers(0, 9, 50), "importance": 1.0, "size": rng.random(50)}
    )
    table["price"] = 1000 * table["size"]
    table.to_csv("table.csv", index=False)
    table.to_csv("export.csv", index=False, sep=";", decimal=",", encoding="cp1252")
    for code in SNIPPETS["python"]:
        if code.startswith("# my_data.py"):
            Path("my_data.py").write_text(code)
        else:
            exec(code, {})
    return tmp_path


@pytest.mark.parametrize("snippet", SNIPPETS["yaml"])
def test_the_data_of_every_snippet_can_be_read(snippet: str, folder: Path) -> None:
    data: dict[str, Any] = yaml.safe_load(snippet)["data"]
    dataset = data_from(data).load(str(folder), seed=0, task=lambda y: "regression", importer=Importer(str(folder)))
    assert dataset.train.y.dtype.kind == "f"
    assert (dataset.train.weights is not None) == ("weights" in data or data.get("train") == "arrays.npz")


def test_every_option_of_every_kind_is_named() -> None:
    named = {key for snippet in SNIPPETS["yaml"] for key in yaml.safe_load(snippet)["data"]}
    named |= set(re.findall(r"`(\w+):", TEXT))
    assert {name for kind in DATA_SOURCES.values() for name in kind.model_fields} <= named


def test_every_message_of_the_table_is_in_the_source() -> None:
    files = [*(ROOT / "hptune" / "data").glob("*.py"), *(ROOT / "hptune" / "worker").glob("*.py")]
    files += [ROOT / "hptune" / "dataset.py", ROOT / "hptune" / "errors.py"]
    source = " ".join(path.read_text() for path in files)
    source = re.sub(r'"\s+f?"', "", source)  # strings that go on in the next line
    rows = [
        line for line in TEXT.split("## What is checked")[1].splitlines() if re.search(r"\| (error|warning) \|", line)
    ]
    assert len(rows) > 20
    for row in rows:
        for quoted in re.findall(r"(?<!`)`([^`]+)`(?!`)", row.rsplit("|", 2)[1]):
            for part in re.split(r" \.\.\. |\d+%?|'ü'|\bN of M\b|cp1252|: \w+$|:$|'", quoted):
                assert len(part.strip()) < 4 or part.strip() in source, (quoted, part)
