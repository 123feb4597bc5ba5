"""Who may be imported, and what is said to those who may not or do not exist."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from hptune.errors import ConfigError
from hptune.worker.imports import Importer
from tests.worker.problems import SAMPLES


@pytest.fixture(autouse=True)
def _path() -> Iterator[None]:
    before = list(sys.path)
    yield
    sys.path[:] = before


def said(importer: Importer, name: str, wanted: str = "class") -> str:
    with pytest.raises(ConfigError) as caught:
        importer(name, key="model.class", wanted=wanted)
    (problem,) = caught.value.problems
    assert problem.key == "model.class"
    return problem.message


def test_estimator_classes_of_scikit_learn_need_no_leave() -> None:
    from sklearn.svm import SVC

    importer = Importer(str(SAMPLES))
    assert importer("sklearn.svm.SVC") is SVC
    assert importer("sklearn.svm:SVC") is SVC
    assert importer("sklearn.metrics:mean_absolute_error", wanted="metric").__name__ == "mean_absolute_error"


def test_what_lies_in_the_configs_folder_needs_no_leave() -> None:
    sys.path[:] = [place for place in sys.path if place != str(SAMPLES)]  # put there by another test
    importer = Importer(str(SAMPLES))
    importer("sklearn.svm.SVC")
    assert str(SAMPLES) not in sys.path  # nothing in it was asked for
    assert importer("sample_objectives:sphere", wanted="function")({"x": 2}) == 4
    assert sys.path[0] == str(SAMPLES)
    assert importer("sample_models.Mean").__name__ == "Mean"


def test_a_config_that_was_moved_away_from_its_code_is_told_where_its_base_leads(tmp_path: Path) -> None:
    message = said(Importer(str(tmp_path), base=".."), "absent_objective:measure", "function")
    assert message.startswith(f"there is no absent_objective.py in {tmp_path}, where `base: ..` leads")
    assert "if the config was moved or copied, name there the folder of its code" in message
    assert message.endswith("--allow-import absent_objective")
    (tmp_path / "absent_objective.py").write_text("")
    assert "is neither in" in said(Importer(str(tmp_path), own=False, base="../.."), "absent_objective:measure")


def test_anything_else_needs_leave_and_is_not_run_before_it_has_it(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "foreign_module.py").write_text("raise SystemExit('was run')")
    sys.path.append(str(tmp_path / "elsewhere"))
    message = said(Importer(str(SAMPLES)), "foreign_module:f", "function")
    assert "foreign_module:f is neither in the config's folder" in message
    assert message.endswith("give leave to import it: --allow-import foreign_module")
    assert "os.path.join is neither" in said(Importer(str(SAMPLES)), "os.path.join")


def test_leave_is_by_whole_names() -> None:
    assert Importer(str(SAMPLES), ["math"])("math:hypot", wanted="function")(3, 4) == 5
    assert Importer(str(SAMPLES), ["os.path"])("os.path:basename", wanted="function")("a/b") == "b"
    assert "--allow-import os" in said(Importer(str(SAMPLES), ["os.path"]), "os:system", "function")
    assert "--allow-import mathematics" in said(Importer(str(SAMPLES), ["math"]), "mathematics:f", "function")


def test_leave_for_scikit_learn_does_not_reach_through_it() -> None:
    importer = Importer(str(SAMPLES))
    for name in ("sklearn.datasets:fetch_openml", "sklearn.base:clone"):
        assert f"{name} is no estimator class of sklearn; if you trust it: --allow-import sklearn" in said(
            importer, name, "function"
        )
    assert "is no estimator class of sklearn" in said(importer, "sklearn.metrics._classification:np.save", "metric")


@pytest.mark.parametrize(
    ("name", "wanted", "message"),
    [
        ("sklearn.linear_model.Rigde", "class", "sklearn.linear_model has no 'Rigde'; did you mean 'Ridge'?"),
        ("sklearn.linear_mode.Ridge", "class", "sklearn has no module 'linear_mode'; did you mean 'linear_model'?"),
        ("sklern.svm.SVC", "class", "did you mean 'sklearn'?"),
        ("sklearn.svm", "class", "expected an estimator class (with fit and get_params), sklearn.svm is a module"),
        ("sklearn.svm.SVC.fit", "class", "sklearn.svm.SVC.fit is of type function"),
        ("sklearn.model_selection.KFold", "class", "sklearn.model_selection.KFold is another class"),
        ("sklearn.metrics:f1_scor", "metric", "sklearn.metrics has no 'f1_scor'; did you mean 'f1_score'?"),
        ("sample_objectives:spere", "function", "sample_objectives has no 'spere'; did you mean 'sphere'?"),
        ("sample_objectivs:sphere", "function", "did you mean 'sample_objectives'?"),
        (
            "sample_objectives:not_callable",
            "function",
            "expected a function, sample_objectives:not_callable is of type",
        ),
        ("sample_objectives.deeper:f", "function", "sample_objectives has no module 'deeper'"),
        ("xgboost.XGBFoo", "class", "xgboost"),
    ],
)
def test_a_name_that_is_not_there_is_refused_with_the_nearest(name: str, wanted: str, message: str) -> None:
    assert message in said(Importer(str(SAMPLES)), name, wanted)


def test_a_package_that_is_not_installed_is_named_with_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "imblearn", None)
    message = said(Importer(str(SAMPLES)), "imblearn.over_sampling.SMOTE")
    assert message == "there is no module 'imblearn'; it is not installed (python -m pip install imbalanced-learn)"


def test_a_module_that_raises_is_told_with_its_line(tmp_path: Path) -> None:
    (tmp_path / "breaks_by_zero.py").write_text("x = 1\ny = x / 0\n")
    (tmp_path / "breaks_by_import.py").write_text("import no_such_module_here\n")
    (tmp_path / "breaks_by_exit.py").write_text("raise SystemExit(3)\n")
    importer = Importer(str(tmp_path))
    message = said(importer, "breaks_by_zero:f", "function")
    assert "importing breaks_by_zero failed: ZeroDivisionError: division by zero" in message
    assert message.endswith("breaks_by_zero.py, line 2)")
    assert "No module named 'no_such_module_here'" in said(importer, "breaks_by_import:f", "function")
    assert "SystemExit: 3" in said(importer, "breaks_by_exit:f", "function")


def test_a_file_that_hides_behind_another_module_is_told(tmp_path: Path) -> None:
    (tmp_path / "json.py").write_text("def f(values): return 1.0")
    message = said(Importer(str(tmp_path)), "json:f", "function")
    assert "json was found at" in message
    assert "rename the file there, or give leave: --allow-import json" in message


@pytest.mark.parametrize(
    "name",
    [
        "numpy.log1p",
        "numpy:expm1",
        "scipy.special.expit",
        "sklearn.feature_selection.f_classif",
        "sklearn.metrics.r2_score",
    ],
)
def test_ufuncs_and_scikit_learns_functions_of_arrays_need_no_leave(name: str, tmp_path: Path) -> None:
    assert callable(Importer(str(tmp_path))(name, wanted="function"))


@pytest.mark.parametrize(
    "name", ["numpy.save", "numpy.vectorize", "scipy.io.loadmat", "sklearn.datasets.fetch_openml", "os.system"]
)
def test_other_functions_do(name: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="--allow-import"):
        Importer(str(tmp_path))(name, wanted="function")


def test_a_folders_own_file_called_scipy_is_not_trusted_for_its_name(tmp_path: Path) -> None:
    (tmp_path / "scipy.py").write_text("raise RuntimeError")
    with pytest.raises(ConfigError, match="neither in the config's folder"):
        Importer(str(tmp_path), own=False)("scipy.special.expit", wanted="function")


def test_a_file_beside_a_config_that_names_no_code_is_not_run(tmp_path: Path) -> None:
    (tmp_path / "beside.py").write_text("def f():\n    return 1\n")
    importer = Importer(str(tmp_path))
    importer("sklearn.linear_model.Ridge")
    importer("numpy.log1p", wanted="function")
    assert str(tmp_path) not in sys.path
    with pytest.raises(ModuleNotFoundError):
        importlib.import_module("beside")
    assert importer("beside:f", wanted="function")() == 1
    assert sys.path[0] == str(tmp_path)
