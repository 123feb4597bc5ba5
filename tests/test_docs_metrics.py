"""The metrics of docs/config.md are measured as its config asks for them."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from hptune import cli

SECTION = (
    (Path(__file__).resolve().parent.parent / "docs" / "config.md").read_text().split("## Metrics of your own")[1]
)
(PYTHON,) = re.findall(r"```python\n(.*?)```", SECTION, re.DOTALL)
(YAML,) = re.findall(r"```yaml\n(.*?)```", SECTION, re.DOTALL)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The documented files, with a table of text classes."""
    rng = np.random.default_rng(0)
    table = pd.DataFrame({"age": rng.normal(size=120), "visits": rng.normal(size=120)})
    table["churn"] = np.where(table.age + rng.normal(size=120) > 0.5, "yes", "no")
    table.to_csv(tmp_path / "customers.csv", index=False)
    (tmp_path / "my_metrics.py").write_text(PYTHON)
    (tmp_path / "study.yaml").write_text(YAML)
    monkeypatch.chdir(tmp_path)
    path = list(sys.path)
    yield tmp_path
    sys.path[:] = path
    sys.modules.pop("my_metrics", None)


RUN = ["run", "study.yaml", "--dir", "run", "-q", "-o", "budget.trials=2", "-o", "executor={type: serial}"]


def test_functions_made_scorers_and_callables_of_three_are_metrics(folder: Path) -> None:
    assert cli.invoke(RUN) == 0
    best = json.loads((folder / "run" / "result.json").read_text())["best"]
    assert set(best["metrics"]) == {"roc_auc", "my_metrics:average_precision", "my_metrics:features"}
    assert best["metrics"]["my_metrics:features"] == 2
    assert 0.4 < best["metrics"]["my_metrics:average_precision"] <= 1
    assert best["score"] > 0


@pytest.mark.slow
@pytest.mark.parametrize("metric", ["f1", "average_precision", "recall", "jaccard"])
def test_the_mend_for_two_classes_of_text_is_one(
    metric: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "study.yaml").write_text(
        YAML.replace("my_metrics:cost", metric).replace("  direction: minimize # hptune cannot know it\n", "")
    )
    assert cli.invoke(["validate", "study.yaml"]) == 2
    said = " ".join(capsys.readouterr().err.split())
    lines = re.search(r"beside the config: `(.*?)` and `(.*?)`, and take (\S+) with `direction: maximize`", said)
    assert lines is not None
    (folder / "my_metrics.py").write_text("\n".join(lines.groups()[:2]) + "\n")
    (folder / "study.yaml").write_text(
        re.sub(r"evaluate:(.|\n)*", f"evaluate: {{metric: '{lines[3]}', direction: maximize}}\n", YAML)
    )
    sys.modules.pop("my_metrics", None)
    assert cli.invoke(RUN) == 0
