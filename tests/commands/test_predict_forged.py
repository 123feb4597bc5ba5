"""`hptune predict` on a stranger's run directory: nothing of it is run, waited for or read without end."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hptune import cli
from hptune.worker.model_contents import strange
from tests.commands import forged_model

Capture = pytest.CaptureFixture[str]

CONFIG = """
data: {train: table.csv, target: y}
model: {class: sklearn.linear_model.Ridge}
space: {alpha: [1.0, 2.0]}
evaluate: {metric: r2, cv: 2}
budget: {trials: 1}
executor: {type: serial}
output: {dir: run}
"""


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("forged")
    rng = np.random.default_rng(0)
    rows = [",".join(map(str, row)) for row in rng.normal(size=(30, 3)).round(3)]
    (home / "table.csv").write_text("\n".join(["a,b,y", *rows]) + "\n")
    (home / "study.yaml").write_text(CONFIG)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(home)
        assert cli.invoke(["run", "study.yaml", "-q"]) == 0
    return home


@pytest.fixture
def run(finished: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    shutil.copytree(finished, tmp_path / "copy")
    monkeypatch.chdir(tmp_path / "copy")
    return tmp_path / "copy" / "run"


def predict() -> int:
    return cli.invoke(["predict", "run", "table.csv"])


def change_card(run: Path, **fields: Any) -> None:
    path = run / "model.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **fields}))


def test_a_model_file_made_to_run_a_command_is_refused_and_nothing_runs(run: Path, capsys: Capture) -> None:
    forged_model.put_command(run, "touch ran")
    assert predict() == 2
    assert not Path("ran").exists()
    assert f"model.json asks for trust in {forged_model.PATH}" in capsys.readouterr().err


@pytest.mark.parametrize(
    "name",
    [
        *(forged_model.PATH, forged_model.GETTER, forged_model.GROUPS, forged_model.CHAIN),
        *(
            "sklearn.utils.Memory",
            "sklearn.utils._testing.GzipFile",
            "sklearn.datasets._lfw.Path",
            "sklearn.base.clone",
        ),
        "sklearn.metrics._dist_metrics.PyFuncDistance64",
    ],
)
def test_a_card_may_name_parts_of_estimators_only_and_imports_nothing(run: Path, name: str) -> None:
    change_card(run, trusted=[name])
    program = "import sys; from hptune import cli; print(cli.invoke(sys.argv[1:]), *sys.modules)"
    words = [sys.executable, "-c", program, "predict", "run", "table.csv"]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    code, *modules = done.stdout.split()
    assert code == "2", done.stderr
    assert f"asks for trust in {name}" in done.stderr
    assert "sklearn" not in modules


def test_a_part_that_would_be_fitted_with_a_folder_of_pickles_is_refused(run: Path, capsys: Capture) -> None:
    """Of types that skops trusts by itself, and loads without a word."""
    from sklearn.cluster import AgglomerativeClustering
    from sklearn.ensemble import StackingRegressor
    from sklearn.linear_model import Ridge

    X, y = np.random.default_rng(0).normal(size=(30, 2)), np.arange(30.0)
    model = StackingRegressor([("one", Ridge())], Ridge()).fit(X, y)
    model.estimators_ = [AgglomerativeClustering(2, memory="cache")]
    model.stack_method_ = ["fit_predict"]
    model.named_estimators_ = {}
    forged_model.put(run, model)
    assert predict() == 2
    assert "which hptune writes in no file and which could run code" in capsys.readouterr().err
    assert not Path("cache").exists()


def test_a_folder_of_pickles_is_found_wherever_it_is() -> None:
    from sklearn.cluster import FeatureAgglomeration
    from sklearn.linear_model import Ridge
    from sklearn.pipeline import make_pipeline

    deep = make_pipeline(FeatureAgglomeration(1, memory="cache"), Ridge())
    held = np.empty(1, dtype=object)
    held[0] = {"one": [("two", deep)]}
    for model in (deep, make_pipeline(Ridge(), memory="cache"), {deep.steps[0][1]: 1}, held):
        assert strange(model).endswith(".memory is set")
    assert strange(make_pipeline(FeatureAgglomeration(1), Ridge())) == ""


def test_a_method_that_a_model_names_is_one_of_those_that_predict(run: Path, capsys: Capture) -> None:
    from sklearn.ensemble import StackingRegressor
    from sklearn.linear_model import Ridge

    X, y = np.random.default_rng(0).normal(size=(30, 2)), np.arange(30.0)
    model = StackingRegressor([("one", Ridge())], Ridge()).fit(X, y)
    forged_model.put(run, model, ["sklearn.utils._bunch.Bunch"])
    assert predict() == 0, capsys.readouterr().err
    model.estimators_, model.named_estimators_ = [np.array([1.0])], {}
    for names in (["dump"], ("predict", "tofile"), np.array(["dump"]), {"dump": 1}):
        model.stack_method_ = names
        forged_model.put(run, model)
        assert predict() == 2
        assert "StackingRegressor.stack_method_ is " in capsys.readouterr().err


def test_a_model_file_that_would_grow_in_memory_is_refused(run: Path, capsys: Capture) -> None:
    path = run / "model.skops"
    with zipfile.ZipFile(path) as archive:
        held = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in held.items():
            archive.writestr(name, data)
    forged_model.describe(run, [])
    assert predict() == 5
    assert "is compressed" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["model.json", "model.skops"])
@pytest.mark.parametrize("kind", ["fifo", "zero", "folder", "holes"])
def test_a_model_or_card_that_is_no_file_is_refused_and_never_waited_for(
    run: Path, name: str, kind: str, capsys: Capture
) -> None:
    path = run / name
    path.unlink()
    if kind == "fifo":
        os.mkfifo(path)
    elif kind == "zero":
        path.symlink_to("/dev/zero")
    elif kind == "folder":
        path.mkdir()
    else:
        path.touch()
        os.truncate(path, 2**40)
    command = [sys.executable, "-m", "hptune", "predict", "run", "table.csv"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 5, done.stderr
    assert "expected a" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("field", "values"),
    [
        ("separator", ["(a|a)*b", "", 5, [","]]),
        ("encoding", ["nope", "zlib", 5, "a\0b"]),
        ("thousands", [5, "ab"]),
        ("decimal", [5, "ab"]),
        ("missing", [5, "a", [None]]),
    ],
)
def test_a_card_that_says_nonsense_of_the_data_is_damaged(
    run: Path, field: str, values: list[Any], capsys: Capture
) -> None:
    data = json.loads((run / "model.json").read_text())["data"]
    for value in values:
        change_card(run, data={**data, field: value})
        assert predict() == 5, value
        err = capsys.readouterr().err
        assert f"run/model.json is damaged (ValueError: data.{field}: found {str(value)[:40]!r})" in err
        assert "Traceback" not in err
