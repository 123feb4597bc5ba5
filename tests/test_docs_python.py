"""The Python of docs/python.md runs as it stands there, in one session, and every public name is on the page."""

from __future__ import annotations

import inspect
import re
import time
from pathlib import Path
from typing import Any

import pytest

import hptune
from hptune import cli
from hptune.parameters import UNSET

PAGE = Path(__file__).resolve().parent.parent / "docs" / "python.md"
EVERY = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
BLOCKS = [block for block in EVERY if "runs/ridge" not in block]
(LOADING,) = [block for block in EVERY if "runs/ridge" in block]


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


def test_the_model_of_a_run_is_loaded_as_both_pages_say(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from sklearn.datasets import load_diabetes

    assert LOADING in (PAGE.parent / "reference.md").read_text()
    monkeypatch.chdir(tmp_path)
    (tmp_path / "ridge.yaml").write_text(
        "data: {train: 'sklearn:load_diabetes'}\n"
        "model: {pipeline: [{scale: sklearn.preprocessing.StandardScaler}, {ridge: sklearn.linear_model.Ridge}]}\n"
        "space: {ridge.alpha: [1, 2]}\nevaluate: {cv: 2}\nbudget: {trials: 2}\nexecutor: {type: serial}\n"
    )
    assert cli.invoke(["run", "ridge.yaml", "-q"]) == 0
    session: dict[str, Any] = {}
    exec(compile(LOADING, str(PAGE), "exec"), session)
    X = load_diabetes(as_frame=True).data[session["card"]["features"]]
    assert len(session["model"].predict(X)) == len(X)


def test_every_public_name_is_on_the_page() -> None:
    text = PAGE.read_text()
    assert [name for name in hptune.__all__ if f"`{name}`" not in text] == []


@pytest.mark.parametrize("kind", [hptune.Study, hptune.Tuner], ids=["Study", "Tuner"])
def test_the_table_of_arguments_is_the_signature(kind: type) -> None:
    table = PAGE.read_text().partition(f"| argument of `{kind.__name__}` |")[2].partition("\n\n")[0]
    rows = [line.strip("| ").split(" | ") for line in table.splitlines() if line.startswith("| `")]
    told = {row[0].strip("`"): row[2].partition(":")[0].strip("`") for row in rows}
    spelled = {inspect.Parameter.empty: "-", UNSET: "left out", time.time: "time.time", "study": '"study"'}
    wanted = inspect.signature(kind).parameters
    assert told == {name: spelled.get(one.default, repr(one.default)) for name, one in wanted.items()}
    first = next(name for name, one in wanted.items() if one.kind is one.KEYWORD_ONLY)
    before = ", ".join(list(wanted)[: list(wanted).index(first)])
    text = PAGE.read_text()
    assert f"`{kind.__name__}({before}, *, ...)`; from `{first}` on by name only" in text


def test_further_names_of_the_classes_are_on_the_page() -> None:
    text = PAGE.read_text()
    for owner, names in (
        (hptune.HyperParameters, ("name_scope", "is_active", "merge", "get_config", "from_config")),
        (hptune.Study, ("ask", "tell", "best", "history", "unfinished", "close")),
        (hptune.HyperModel, ("tunable",)),
    ):
        for name in names:
            assert hasattr(owner, name) or name in inspect.get_annotations(owner), name
            assert re.search(rf"\b{name}\b", text), name
