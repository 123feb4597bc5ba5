"""docs/coming-from.md: its configs run beside its Python, find what GridSearchCV finds, and name what there is."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hptune import cli
from hptune.config.load import load
from hptune.models import MODELS
from hptune.oracles import ORACLES
from hptune.worker.scoring import unknown_names

ROOT = Path(__file__).resolve().parent.parent
TEXT = (ROOT / "docs" / "coming-from.md").read_text()
PYTHON = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)
YAML = re.findall(r"```yaml\n(.*?)```", TEXT, re.DOTALL)
SMALL = ["-q", "-o", "executor={type: serial}", "-o", "output.refit=false"]


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "objective.py").write_text(PYTHON[1])
    (tmp_path / "hyper.py").write_text(PYTHON[2])
    path, modules = list(sys.path), set(sys.modules)
    yield tmp_path
    sys.path[:] = path
    for name in {"objective", "hyper"} & (set(sys.modules) - modules):
        del sys.modules[name]


def best(here: Path, text: str, *more: str) -> dict[str, Any]:
    (here / "study.yaml").write_text(text)
    assert cli.invoke(["run", "study.yaml", *SMALL, *more]) == 0
    found: dict[str, Any] = json.loads((here / "runs" / "study" / "result.json").read_text())["best"]
    return found


def test_the_config_finds_what_the_grid_search_beside_it_finds(here: Path) -> None:
    session: dict[str, Any] = {}
    exec(compile(PYTHON[0], "coming-from.md", "exec"), session)
    found = best(here, YAML[0])
    assert found["params"]["ridge.alpha"] == session["search"].best_params_["ridge__alpha"]
    assert found["score"] == pytest.approx(session["search"].best_score_)


@pytest.mark.parametrize("number", [1, 2])
def test_the_other_configs_run_with_the_code_beside_them(number: int, here: Path) -> None:
    assert best(here, YAML[number], "-o", "budget.trials=4")["trial"] >= 0


SPANS = re.findall(r"`((?:evaluate|budget|executor|output|start_with): [^`]+)`", TEXT)
RIDGE = "data: {train: 'sklearn:load_diabetes'}\nmodel: {class: sklearn.linear_model.Ridge}\nspace: {x: [1, 2]}\n"


@pytest.mark.parametrize("section", [one for one in dict.fromkeys(SPANS) if "..." not in one])
def test_a_section_in_the_tables_is_one(section: str, here: Path) -> None:
    (here / "study.yaml").write_text(
        RIDGE.replace("x:", "x:" if section.startswith("start_with") else "alpha:") + section
    )
    config = load(here / "study.yaml").config
    assert unknown_names(config.evaluate) == []


def test_the_oracles_in_the_tables_are_those_that_there_are() -> None:
    named = set(re.findall(r"oracle: \{type: (\w+)", TEXT))
    assert named <= set(ORACLES)
    assert len(named) > 4


def test_what_is_said_to_be_missing_is_missing() -> None:
    import hptune

    assert not hasattr(hptune, "TuneSearchCV")
    assert not {"cmaes", "evolution", "pbt"} & set(ORACLES)
    assert "serve" not in {
        command.name or command.callback.__name__ for command in cli.app.registered_commands if command.callback
    }
    assert set(MODELS) >= {"function", "hypermodel", "command"}
