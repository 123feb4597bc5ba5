"""docs/config.md: what its configs do is what the page says."""

from __future__ import annotations

import re
import textwrap
from pathlib import Path

import pytest

from hptune import cli
from hptune.commands._shared import read_study
from hptune.config.load import load

PAGE = Path(__file__).resolve().parent.parent / "docs" / "config.md"
BLOCKS = re.findall(r"^```yaml\n(.*?)^```", PAGE.read_text(), re.MULTILINE | re.DOTALL)
CONDITIONS = next(text for text in BLOCKS if "when:" in text)
WEIGHTS = [text for text in BLOCKS if "class_weight" in text]


def test_conditions_and_constraints_hold_in_every_trial(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("study.yaml").write_text(CONDITIONS)
    assert load("study.yaml").warnings == ()
    options = ["-o", "executor={type: serial}", "-o", "evaluate={cv: 2}", "-o", "oracle={type: random}"]
    assert cli.invoke(["run", "study.yaml", "-q", "--dir", "run", "--trials", "30", *options]) == 0
    found = [trial.values for trial in read_study(Path("run")).trials]
    assert {values["kernel"] for values in found} == {"rbf", "poly", "linear"}
    for values in found:
        poly = values["kernel"] == "poly"
        assert ("gamma" in values) == (values["kernel"] in ("rbf", "poly"))
        assert ("degree" in values) == poly
        assert ("coef0" in values) == (poly and values["degree"] >= 3)
        assert not (poly and values["C"] > 10)
        assert not poly or values["degree"] <= 4 or values["C"] < 1


@pytest.mark.parametrize("text", WEIGHTS, ids=["params", "space"])
def test_weights_by_class_are_read_as_shown(text: str, tmp_path: Path) -> None:
    model = "" if "model:" in text else "model: {class: sklearn.linear_model.LogisticRegression}\n"
    (tmp_path / "c.yaml").write_text(textwrap.dedent(text) + model + "data: {train: 'sklearn:load_iris'}\n")
    config = load(tmp_path / "c.yaml")
    if model:
        assert config.space["class_weight"].values[2] == {"0": 1, "1": 5}  # type: ignore[attr-defined]
    else:
        assert config.config.model.params == {"class_weight": {"low": 1, "mid": 5, "high": 2}}  # type: ignore[attr-defined]
