"""`hptune predict` and `hptune export` on one finished study of a CSV file."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from hptune import cli

Capture = pytest.CaptureFixture[str]

CONFIG = """
name: flowers
data: {train: flowers.csv, target: kind, drop: [id], holdout: {fraction: 0.2}}
model:
  pipeline:
    - impute: sklearn.impute.SimpleImputer
    - scale: {choose: [sklearn.preprocessing.StandardScaler, passthrough]}
    - classifier: {class: sklearn.ensemble.ExtraTreesClassifier, params: {n_estimators: 5}}
space:
  impute.strategy: [mean, median]
  classifier.max_depth: {type: int, min: 2, max: 6}
evaluate: {cv: 2}
oracle: {type: random}
budget: {trials: 3}
executor: {type: serial}
output: {dir: runs/flowers}
"""


def flowers(rows: int = 60) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    kind = rng.integers(0, 2, rows)
    table = pd.DataFrame(
        {
            "id": [f"n{number}" for number in range(rows)],
            "width": kind + rng.normal(size=rows),
            "kind": np.array(["rose", "tulip"])[kind],
            "height": rng.normal(size=rows),
        }
    )
    table.loc[3, "height"] = None
    return table


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the data, the config and the run directory of its finished study."""
    home = tmp_path_factory.mktemp("flowers")
    flowers().to_csv(home / "flowers.csv", index=False)
    (home / "study.yaml").write_text(CONFIG)
    path = list(sys.path)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(home)
        assert cli.invoke(["run", "study.yaml", "-q"]) == 0
    sys.path[:] = path
    return home


@pytest.fixture
def run(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A copy of that folder, the working directory."""
    shutil.copytree(home, tmp_path / "copy")
    monkeypatch.chdir(tmp_path / "copy")
    path = list(sys.path)
    yield tmp_path / "copy"
    sys.path[:] = path


def card(run: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((run / "runs/flowers/model.json").read_text())
    return found


def predict(*arguments: str) -> int:
    return cli.invoke(["predict", "runs/flowers", *arguments])


def kept(run: Path) -> Any:
    from skops import io

    return io.load(run / "runs/flowers/model.skops", trusted=card(run)["trusted"])


def test_the_card_says_what_the_model_file_is(run: Path) -> None:
    import hashlib

    found = card(run)
    assert found["sha256"] == hashlib.sha256((run / "runs/flowers/model.skops").read_bytes()).hexdigest()
    assert found["features"] == ["width", "height"]
    assert found["dtypes"] == {"width": "float64", "height": "float64"}
    assert found["classes"] == ["rose", "tulip"]
    # scikit-learn 1.7 has no Tree in the file.
    assert {"numpy.dtype"} <= set(found["trusted"]) <= {"numpy.dtype", "sklearn.tree._tree.Tree"}
    assert "scikit-learn" in found["versions"]


def test_predictions_are_the_kept_models_whatever_the_order_of_the_columns(run: Path, capsys: Capture) -> None:
    table = flowers()
    table[["kind", "height", "width"]].to_csv("mixed.csv", index=False)
    assert predict("mixed.csv") == 0
    captured = capsys.readouterr()
    assert captured.out.splitlines()[0] == "prediction"
    assert captured.out.splitlines()[1:] == kept(run).predict(table[["width", "height"]]).tolist()
    assert "does not use are ignored: kind" in captured.err


def test_probabilities_have_a_column_for_each_class_and_out_writes_the_file_whole(run: Path, capsys: Capture) -> None:
    assert predict("flowers.csv", "--proba", "--out", "p.csv") == 0
    assert capsys.readouterr().out == ""
    found = pd.read_csv("p.csv")
    assert list(found.columns) == ["prediction", "probability_rose", "probability_tulip"]
    expected = kept(run).predict_proba(flowers()[["width", "height"]])
    assert np.allclose(found.iloc[:, 1:].to_numpy(), expected)
    assert not list(run.glob(".*.tmp"))


def test_without_probabilities_a_model_that_gives_them_is_named(run: Path, capsys: Capture) -> None:
    for name, model in (("plain", "{class: sklearn.svm.SVC}"), ("mended", None)):
        if model is None:  # what the refusal names, and pytest takes warnings for errors
            model = capsys.readouterr().err.strip().split("around one without: ")[1]
        text = (
            f"data: {{train: flowers.csv, target: kind, drop: [id, height]}}\nmodel: {model}\nbudget: {{trials: 1}}\n"
        )
        (run / f"{name}.yaml").write_text(text + "executor: {type: serial}\n")
        assert cli.invoke(["run", f"{name}.yaml", "-q"]) == 0
        code = cli.invoke(["predict", f"runs/{name}", "flowers.csv", "--proba", "--out", "p.csv"])
        assert code == (2 if name == "plain" else 0)
    assert list(pd.read_csv("p.csv").columns) == ["prediction", "probability_rose", "probability_tulip"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("width,heihgt\n1,2\n", "lacks height of the 2 columns that the model was fitted to; did you mean 'heihgt'?"),
        ("width,height\n1,2\n3,tall\n", "new.csv:3: column 'height': expected numbers as in training (float64)"),
        ("width,height\n", "has a header line and no rows"),
        ("width,height,width\n1,2,3\n", "two columns called 'width'"),
        (",width,height,\n0,1,2,3\n", "two columns without a name"),
        ("", "expected a CSV file with a header line and rows"),
    ],
)
def test_rows_that_do_not_fit_are_told_what_was_expected(text: str, said: str, run: Path, capsys: Capture) -> None:
    (run / "new.csv").write_text(text)
    assert predict("new.csv") == 2
    captured = capsys.readouterr()
    assert said in captured.err
    assert "Traceback" not in captured.err


@pytest.mark.parametrize("encoding", ["utf-8", "cp1252"])
def test_the_training_file_itself_is_predicted_columns_without_a_name_included(
    encoding: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    monkeypatch.chdir(tmp_path)
    table = flowers().rename(columns={"width": "Höhe"})
    table.index = pd.Index([f"{number % 7:03}" for number in range(len(table))])
    (tmp_path / "flowers.csv").write_bytes(table.to_csv().encode(encoding))  # the index is a column without a name
    (tmp_path / "study.yaml").write_text(
        "data: {train: flowers.csv, target: kind, drop: [id]}\n"
        "model: {class: sklearn.tree.DecisionTreeClassifier}\n"
        "space: {max_depth: [2, 3]}\n"
        "evaluate: {cv: 2}\nbudget: {trials: 1}\nexecutor: {type: serial}\noutput: {dir: runs/flowers}\n"
    )
    assert cli.invoke(["run", "study.yaml"]) == 0
    assert "\nfitting trial 0 on all rows ...\n" in capsys.readouterr().err
    assert json.loads((tmp_path / "runs/flowers/model.json").read_text())["features"][0] == "Unnamed: 0"
    assert predict("flowers.csv") == 0, capsys.readouterr().err
    out, err = capsys.readouterr()
    assert len(out.splitlines()) == 1 + len(table)
    assert err.startswith("loading runs/flowers/model.skops ...\n")


def test_data_that_is_not_there_and_an_out_that_is_the_data_are_refused(run: Path, capsys: Capture) -> None:
    there = Path("flowers.csv").read_bytes()
    assert predict("nothing.csv") == 2
    assert predict("flowers.csv", "--out", "flowers.csv") == 2
    assert "is the data itself" in capsys.readouterr().err
    assert Path("flowers.csv").read_bytes() == there


def test_a_changed_model_file_is_refused(run: Path, capsys: Capture) -> None:
    path = run / "runs/flowers/model.skops"
    path.write_bytes(path.read_bytes() + b" ")
    assert predict("flowers.csv") == 5
    assert "is not the file that model.json describes" in capsys.readouterr().err


def test_a_card_that_asks_for_trust_in_other_code_is_refused(run: Path, capsys: Capture) -> None:
    """Who can change the model file can change the card beside it, so the card alone must not widen what is run."""
    changed = {**card(run), "trusted": ["os.system"]}
    (run / "runs/flowers/model.json").write_text(json.dumps(changed))
    assert predict("flowers.csv") == 2
    assert "asks for trust in os.system" in capsys.readouterr().err


def test_a_pickle_is_loaded_only_if_the_user_says_so(run: Path, capsys: Capture) -> None:
    import joblib

    from hptune.worker.kept import digest

    folder = run / "runs/flowers"
    joblib.dump(kept(run), folder / "model.joblib")
    found = {**card(run), "model": "model.joblib", "format": "joblib", "sha256": digest(folder / "model.joblib")}
    (folder / "model.json").write_text(json.dumps(found))
    assert predict("flowers.csv") == 2
    assert "--trust-joblib" in capsys.readouterr().err
    assert predict("flowers.csv", "--trust-joblib") == 0
    captured = capsys.readouterr()
    assert "a pickle" in captured.err
    assert len(captured.out.splitlines()) == 61


def test_without_a_model_the_message_says_how_to_get_one(run: Path, capsys: Capture) -> None:
    (run / "runs/flowers/model.json").unlink()
    assert predict("flowers.csv") == 2
    assert "`hptune run runs/flowers` does it" in capsys.readouterr().err
    assert cli.invoke(["run", "runs/flowers", "-q"]) == 0
    assert predict("flowers.csv") == 0


# -- export ---------------------------------------------------------------------------------------------------------


def test_the_exported_script_fits_the_kept_model_again_without_hptune(run: Path) -> None:
    assert cli.invoke(["export", "runs/flowers", "--out", "winner.py"]) == 0
    program = (
        "import json, sys; import winner\n"
        "X, y = winner.load(); model = winner.fit(X, y)\n"
        "assert not any(name.split('.')[0] == 'hptune' for name in sys.modules)\n"
        "print(json.dumps([len(y), model.predict_proba(X).tolist()]))"
    )
    out = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=run)
    rows, chances = json.loads(out.stdout)
    assert rows == 48  # the holdout's twelve are left out
    from hptune.commands._problem import loaded_from
    from hptune.compose import setup_of
    from hptune.worker.problem import Problem

    train = Problem(setup_of(loaded_from(run / "study.yaml", ()))).dataset.train
    assert chances == kept(run).predict_proba(train.X).tolist()


def test_the_script_of_a_model_fitted_to_all_rows_fits_it_again(run: Path) -> None:
    assert card(run)["rows"] == 48
    assert card(run)["refit"] == "training"
    assert cli.invoke(["run", "runs/flowers", "-q", "-o", "output.refit=all", "--trials", "4"]) == 0
    assert card(run)["rows"] == 60
    assert card(run)["refit"] == "all"
    assert cli.invoke(["export", "runs/flowers", "--out", "winner.py"]) == 0
    program = (
        "import json; import winner\nX, y = winner.load(); model = winner.fit(X, y)\n"
        "print(json.dumps([len(y), model.predict_proba(X).tolist(), X.index.tolist()]))"
    )
    out = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=run)
    rows, chances, order = json.loads(out.stdout)
    assert rows == 60
    assert sorted(order) == list(range(60))
    table = flowers().iloc[order]
    assert chances == kept(run).predict_proba(table[["width", "height"]]).tolist()


def test_a_card_without_rows_is_read(run: Path) -> None:
    older = {key: value for key, value in card(run).items() if key not in ("rows", "refit")}
    (run / "runs/flowers/model.json").write_text(json.dumps(older))
    assert predict("flowers.csv") == 0


def test_a_dash_is_stdout(run: Path, capsys: Capture) -> None:
    assert predict("flowers.csv", "--out", "-") == 0
    assert capsys.readouterr().out.startswith("prediction\n")
    assert cli.invoke(["export", "runs/flowers", "--out", "-"]) == 0
    assert "def build():" in capsys.readouterr().out
    assert not Path("-").exists()


def test_the_script_reads_like_one_written_by_hand(run: Path, capsys: Capture) -> None:
    assert cli.invoke(["export", "runs/flowers"]) == 0
    text = capsys.readouterr().out
    assert "hptune" not in text.partition('"""\n')[2].replace("as hptune", "")
    assert max(map(len, text.splitlines())) <= 118
    assert "from sklearn.impute import SimpleImputer\n" in text
    assert '("impute", SimpleImputer(' in text


@pytest.mark.slow
def test_the_script_runs_by_itself(run: Path) -> None:
    assert cli.invoke(["export", "runs/flowers", "--out", "winner.py"]) == 0
    out = subprocess.run([sys.executable, "winner.py"], capture_output=True, text=True, check=True, cwd=run)
    assert "fitted to 48 rows" in out.stdout


EPOCHS = """
name: epochs
data: {train: flowers.csv, target: kind, drop: [id], weights: height}
model:
  pipeline:
    - scale: sklearn.preprocessing.StandardScaler
    - classifier: {class: sklearn.linear_model.SGDClassifier, params: {loss: log_loss, random_state: STATE}}
space:
  classifier.alpha: {type: float, min: 1e-5, max: 1, scale: log}
evaluate: {cv: 2}
oracle: {type: hyperband, resource: epochs, min: 1, max: 4}
budget: {trials: 3}
executor: {type: serial}
output: {dir: runs/epochs}
"""


@pytest.mark.parametrize("state", ["5", "null"])
def test_a_model_trained_in_epochs_is_kept_exported_and_trained_again_as_it_was(
    state: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    monkeypatch.chdir(tmp_path)
    table = flowers().fillna(0.0)
    table.assign(height=table["height"].abs()).to_csv("flowers.csv", index=False)
    Path("study.yaml").write_text(EPOCHS.replace("STATE", state))
    assert cli.invoke(["run", "study.yaml", "-q"]) == 0
    card = json.loads(Path("runs/epochs/model.json").read_text())
    assert card["model"] == "model.skops"  # plain scikit-learn: no type of hptune is in it
    assert cli.invoke(["predict", "runs/epochs", "flowers.csv", "--proba", "--out", "kept.csv"]) == 0
    assert cli.invoke(["export", "runs/epochs", "--out", "winner.py"]) == 0
    program = (
        "import json, sys; import winner\n"
        "X, y, weights = winner.load(); model = winner.fit(X, y, weights)\n"
        "assert not any(name.split('.')[0] == 'hptune' for name in sys.modules)\n"
        "print(json.dumps(model.predict_proba(X).tolist()))"
    )
    out = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    kept = pd.read_csv("kept.csv", dtype=str)  # pandas 2 reads numbers less than exactly
    assert np.array_equal(kept.to_numpy()[:, -2:].astype(float), np.array(json.loads(out.stdout)))
    best = json.loads(Path("runs/epochs/result.json").read_text())["best"]
    assert best["params"]["classifier.epochs"] == 4
    assert cli.invoke(["run", "runs/epochs/best.yaml", "-q", "--dir", "again"]) == 0
    assert json.loads(Path("again/result.json").read_text())["best"]["folds"] == best["folds"]
    capsys.readouterr()


def test_export_of_a_function_model_gives_its_values_and_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    (tmp_path / "sphere_for_export.py").write_text("def f(values):\n    return values['x'] ** 2\n")
    (tmp_path / "s.yaml").write_text(
        "model: {function: 'sphere_for_export:f'}\nspace: {x: {type: float, min: -1, max: 2}, y: [null, a]}\n"
        "evaluate: {metric: loss, direction: minimize}\nbudget: {trials: 2}\noracle: {type: random}\n"
        "executor: {type: serial}\n"
    )
    assert cli.invoke(["run", "s.yaml", "-q"]) == 0
    assert cli.invoke(["export", "runs/s", "--out", "values.py"]) == 0
    assert "its best values are exported" in capsys.readouterr().err
    out = subprocess.run([sys.executable, "values.py"], capture_output=True, text=True, check=True)
    best = json.loads((tmp_path / "runs/s/result.json").read_text())["best"]
    assert json.loads(out.stdout) == best["params"]
    assert "from sphere_for_export import f" in (tmp_path / "values.py").read_text()
    assert cli.invoke(["predict", "runs/s", "s.yaml"]) == 2
    assert "a function model keeps no estimator" in capsys.readouterr().err
