"""Every config in docs/models.md runs as it stands there, and its winner can be trained again."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from hptune import cli
from hptune.config.load import load

TEXT = (Path(__file__).resolve().parent.parent / "docs" / "models.md").read_text(encoding="utf-8")
PROGRAM = """
import argparse, json
parser = argparse.ArgumentParser()
parser.add_argument("--lr", type=float)
parser.add_argument("--depth", type=int, default=0)
parser.add_argument("--out")
given = parser.parse_args()
json.dump({"loss": abs(given.lr - 0.1) + given.depth, "accuracy": 0.5}, open(given.out, "w"))
"""


def snippets() -> dict[str, str]:
    """Return the configs by the heading they stand under."""
    out: dict[str, str] = {}
    for section in re.split(r"^## ", TEXT, flags=re.MULTILINE)[1:]:
        for number, text in enumerate(re.findall(r"^```yaml\n(.*?)^```", section, re.MULTILINE | re.DOTALL), 1):
            out[f"{section.splitlines()[0]} {number}"] = text
    return out


SNIPPETS = snippets()


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder with the table and the program that the configs are about."""
    rng = np.random.default_rng(0)
    rows = 45
    table = pd.DataFrame({"age": rng.uniform(1, 90, rows).round(1), "size": rng.normal(100, 20, rows).round(1)})
    for name, values in (("colour", ("red", "blue")), ("city", ("a", "b")), ("condition", ("good", "poor"))):
        table[name] = rng.choice(values, rows)
    table["price"] = (table["size"] * 3 + 50 * (table.condition == "good") + rng.normal(0, 10, rows)).round(2)
    table.to_csv(tmp_path / "houses.csv", index=False)
    words = rng.choice(["good", "bad", "fine", "awful", "great", "poor", "nice", "room", "pool"], (rows, 8))
    texts = [" ".join(some) if number % 9 else None for number, some in enumerate(words)]
    stars = (words == "good").sum(1) - (words == "bad").sum(1) + rng.normal(0, 0.1, rows)
    reviews = pd.DataFrame({"review": texts, "hotel": rng.choice(["a", "b"], rows), "stars": stars.round(2)})
    reviews.to_csv(tmp_path / "reviews.csv", index=False)
    (tmp_path / "train.py").write_text(PROGRAM)
    monkeypatch.chdir(tmp_path)
    path = list(sys.path)
    yield tmp_path
    sys.path[:] = path


def best(run: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((Path(run) / "result.json").read_text())
    assert found["trials"]["failed"] == 0
    return dict(found["best"])


def test_there_is_a_config_for_every_kind_of_node() -> None:
    assert len(SNIPPETS) >= 8
    for word in ("class:", "pipeline:", "choose:", "columns:", "function:", "sets:", "fit_params:", "command:"):
        assert any(word in text for text in SNIPPETS.values()), word


@pytest.mark.parametrize("name", SNIPPETS)
def test_a_documented_config_runs_and_its_winner_can_be_trained_again(name: str, folder: Path) -> None:
    (folder / "study.yaml").write_text(SNIPPETS[name])
    assert [str(one) for one in load("study.yaml").warnings] == []
    options = ["-q", "-o", "executor={type: serial}", "-o", "evaluate.cv=3", "-o", "budget.trials=2"]
    if "command:" in SNIPPETS[name]:
        options = [*options[:3], "-o", "budget.trials=2"]
    assert cli.invoke(["run", "study.yaml", "--dir", "run", *options]) == 0
    winner = best("run")
    assert cli.invoke(["run", "run/best.yaml", "--dir", "again", "-q"]) == 0
    again = best("again")
    assert again["folds"] == winner["folds"]
    assert again["params"] == winner["params"]
