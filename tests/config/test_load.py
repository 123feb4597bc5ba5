"""A config file from the disk to a `Loaded`: what loads, what every mistake says, and what is never imported."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from hptune.config.load import load
from hptune.config.yaml_dump import dump
from hptune.errors import ConfigError
from hptune.models import MODELS
from hptune.oracles import ORACLES
from hptune.parameters import Choice
from tests.config.helpers import RIDGE, loaded, refused

FULL = Path(__file__).parent / "full.yaml"


def test_the_contracts_example_loads() -> None:
    found = load(FULL)
    config = found.config
    assert config.name == "diabetes-regression"
    assert (config.budget.trials, config.budget.time, config.budget.trial_time) == (60, 900.0, 120.0)
    assert config.budget.trial_memory == 2 * 2**30
    assert config.budget.patience == 20
    assert config.budget.target is None
    assert config.executor.retries == 0
    assert found.folder == FULL.parent
    assert found.warnings == ()
    assert found.starts == ({"regressor": "ridge", "regressor.ridge.alpha": 10.0},)
    space = found.space
    assert space["regressor"] == Choice(name="regressor", values=("ridge", "lasso", "svr"))
    assert [p.name for p in space] == [
        "scale", "regressor", "impute.strategy", "regressor.ridge.alpha", "regressor.lasso.alpha", "regressor.svr.C",
        "regressor.svr.kernel", "regressor.svr.degree", "regressor.svr.gamma", "regressor.svr.epsilon",
    ]  # fmt: skip
    assert [str(one) for one in space["regressor.svr.gamma"].when] == [
        "regressor = svr",
        "regressor.svr.kernel in rbf, poly",
    ]
    assert [str(one) for one in space.constraints] == [
        "forbid scale = passthrough and regressor = svr",
        "require regressor.svr.C * regressor.svr.epsilon < 1000",
    ]


def test_what_a_config_leaves_out_has_defaults() -> None:
    config = loaded("model: {function: 'm:f'}").config
    assert config.name == "c"
    assert config.version == 1
    assert config.seed == 0
    assert config.data is None
    assert config.budget.trials == 50
    assert config.budget.failures.in_a_row == 10
    assert config.gate is None
    assert config.output.refit is True
    assert config.executor.supports_limits


def test_a_time_budget_alone_does_not_limit_the_trials() -> None:
    assert loaded("model: {function: 'm:f'}\nbudget: {time: 1h}").config.budget.trials is None
    assert loaded("model: {function: 'm:f'}\nbudget: {patience: 5}").config.budget.trials == 50
    assert loaded("model: {function: 'm:f'}\nbudget: {trials: null, patience: 5}").config.budget.trials is None


@pytest.mark.parametrize(
    ("file", "name"),
    [("my study (2).yaml", "my-study-2"), ("..yaml", "study"), ("é.yaml", "study"), ("a" * 90, "a" * 64)],
)
def test_a_study_without_a_name_is_called_after_its_file(tmp_path: Path, file: str, name: str) -> None:
    (tmp_path / file).write_text("model: {function: 'm:f'}")
    assert load(tmp_path / file).config.name == name


# -- every mistake, with the message in full ------------------------------------------------------------------------

KINDS_OF_CV = (
    "kfold, stratified, group, stratified_group, repeated_kfold, repeated_stratified, time_series, shuffle, "
    "single_split, predefined"
)
MODEL = "model: {class: sklearn.linear_model.Ridge}\n"
DATA = "data: {train: 'sklearn:load_diabetes'}\n"
WRONG: dict[str, tuple[str, list[str]]] = {
    "unknown key": (RIDGE + "buget: {trials: 3}", ["3: buget: unknown key; did you mean 'budget'?"]),
    "unknown key below": (RIDGE + "budget:\n  trails: 3", ["4: budget.trails: unknown key; did you mean 'trials'?"]),
    "unknown key like no other": (
        RIDGE + "output: {colour: red}",
        ["3: output.colour: unknown key; expected one of dir, refit"],
    ),
    "no model": ("seed: 1\n" + DATA, ["1: model: expected this key, found none; such as "
        "`model: {class: sklearn.linear_model.Ridge}`; without model: leave data: out too, a script of yours reads it "
        "(`hptune ask`)"]),
    "model as text": (
        DATA + "model: sklearn.svm.SVC",
        [
            "2: model: expected a mapping such as {class: sklearn.svm.SVC}, found 'sklearn.svm.SVC'; "
            "write {class: sklearn.svm.SVC}"
        ],
    ),
    "two kinds of model": (
        DATA + "model: {class: a.B, function: 'a:b'}",
        ["2: model: expected one of {models}, found class and function"],
    ),
    "misspelt kind of model": (
        DATA + "model: {pipline: []}",
        ["2: model: expected one of {models}, found pipline; "
         "did you mean 'pipeline'?"],
    ),
    "misspelt params": (
        DATA + "model: {class: a.B, parmas: {C: 1}}",
        ["2: model.parmas: unknown key; did you mean 'params'?"],
    ),
    "no class path": (
        DATA + "model: {class: Ridge}",
        ["2: model.class: expected a dotted path such as sklearn.linear_model.Ridge, found 'Ridge'"],
    ),
    "two steps in one": (
        DATA + "model:\n  pipeline:\n    - scale: a.B\n      ridge: c.D",
        ["4: model.pipeline: step 1: expected one `name: estimator`, found scale, ridge"],
    ),
    "a step without estimator": (
        DATA + "model:\n  pipeline:\n    - scale:\n    - ridge: c.D",
        ["4: model.pipeline[0].scale: expected a class path, {class: ...}, {choose: ...}, {pipeline: [...]}, "
         "{columns: [...]} or passthrough, found nothing"],
    ),
    "misspelt class in an alternative": (
        DATA + "model: {choose: {a: {clas: b.C}}}",
        ["2: model.choose.a: expected a class path, {class: ...}, {choose: ...}, {pipeline: [...]}, "
         "{columns: [...]} or passthrough, found clas; did you mean 'class'?"],
    ),
    "no data": (
        MODEL,
        ["1: data: expected data: for a model with class:, found none; write data: {train: FILE, target: COLUMN}"],
    ),
    "no target": (
        MODEL + "data: {train: x.csv}",
        ["2: data.target: expected this key, found none; such as `target: price`"]),
    "target is a number": (
        MODEL + "data: {train: x.csv, target: 3}",
        ["2: data.target: expected text, found 3; quote it if it is meant as text"],
    ),
    "holdout is a number": (
        MODEL + "data: {train: x.csv, target: y, holdout: 0.2}",
        ["2: data.holdout: expected a mapping, found 0.2; write {fraction: 0.2}"],
    ),
    "holdout too large": (
        MODEL + "data:\n  train: x.csv\n  target: y\n  holdout:\n    fraction: 20",
        ["6: data.holdout.fraction: expected a number below 1, found 20"],
    ),
    "unknown data set": (
        MODEL + "data: {train: 'sklearn:load_diabets'}",
        ["2: data.train: expected one of sklearn:load_iris, sklearn:load_wine, sklearn:load_breast_cancer, "
         "sklearn:load_digits, sklearn:load_diabetes, found 'sklearn:load_diabets'; did you mean "
         "'sklearn:load_diabetes'?"],
    ),
    "space as a list": (RIDGE + "space: [alpha]", ["3: space: expected a mapping, found a list"]),
    "cv of one fold": (RIDGE + "evaluate: {cv: 1}", ["3: evaluate.cv: expected a number of at least 2, found 1"]),
    "unknown cv": (
        RIDGE + "evaluate: {cv: {type: kfld}}",
        [f"3: evaluate.cv.type: expected one of {KINDS_OF_CV}, found 'kfld'; did you mean 'kfold'?"],
    ),
    "a kind that is no text": (
        "model: {class: a.B}\ndata: {synthetic: {kind: {}}}\nevaluate: {cv: {type: [kfold]}}",
        ["2: data.synthetic.kind: expected text, found an empty mapping",
         "3: evaluate.cv.type: expected text, found a list"],
    ),
    "cv without type": (
        RIDGE + "evaluate:\n  cv: {folds: 3}",
        [f"4: evaluate.cv: expected a type: one of {KINDS_OF_CV}; write cv: 3, or {{type: kfold, folds: 3}}"],
    ),
    "an option of another cv": (
        RIDGE + "evaluate:\n  cv: {type: kfold, repeats: 3}",
        ["4: evaluate.cv.repeats: unknown key; expected one of type, folds, shuffle"],
    ),
    "also is no list": (
        RIDGE + "evaluate: {also: r2}",
        ["3: evaluate.also: expected a list, found 'r2'; write [r2]"],
    ),
    "direction": (
        RIDGE + "evaluate: {direction: minimise}",
        ["3: evaluate.direction: expected maximize or minimize, found 'minimise'; did you mean 'minimize'?"],
    ),
    "oracle as text": (
        RIDGE + "oracle: random",
        ["3: oracle: expected a mapping such as {type: random}, found 'random'"],
    ),
    "grid points": (
        RIDGE + "oracle: {type: grid, points: 0}",
        ["3: oracle.points: expected a number of at least 1, found 0"],
    ),
    "trials as text": (
        RIDGE + "budget: {trials: '60'}",
        ["3: budget.trials: expected a whole number, found '60'; write it without quotes"],
    ),
    "trials as true": (RIDGE + "budget: {trials: true}", ["3: budget.trials: expected a whole number, found true"]),
    "no space after the colon": (
        RIDGE + "budget:\n  trials:60",
        ["4: budget: expected a mapping, found 'trials:60'; is a space missing after the colon (trials: 60)?"],
    ),
    "a number with underscores": (
        RIDGE + "budget: {trials: 1_000}",
        ["3: budget.trials: expected a whole number, found '1_000'"],
    ),
    "bad duration": (
        RIDGE + "budget: {time: 15 minutes}",
        ["3: budget.time: expected a duration such as 90s, 15m or 1h30m, or a number of seconds, found '15 minutes'"],
    ),
    "bad size": (
        RIDGE + "budget: {trial_memory: 2}",
        ["3: budget.trial_memory: expected a size such as 2GiB or 500MB, or a number of bytes, of at least 1MiB, "
         "found 2 bytes; is the unit missing?"],
    ),
    "yes is text": (
        RIDGE + "output: {refit: yes}",
        ["3: output.refit: expected true or false or all, found 'yes'; write true"],
    ),
    "unknown executor": (
        RIDGE + "executor: {type: processes}",
        ["3: executor.type: expected one of serial, process, found 'processes'; did you mean 'process'?"],
    ),
    "workers": (
        RIDGE + "executor: {type: process, workers: 0}",
        ["3: executor.workers: expected a number of at least 1 or auto, found 0"],
    ),
    "limits without a process": (
        RIDGE + "budget: {trial_time: 3s}\nexecutor: {type: serial}",
        ["3: budget.trial_time: the serial executor cannot keep this limit: it runs trials in hptune's own process; "
         "leave it out, or write executor: {type: process}"],
    ),
    "lookahead without order": (
        RIDGE + "executor: {type: process, order: async, lookahead: 3}",
        ["3: executor.lookahead: goes with order: strict only; leave it out"],
    ),
    "gate on a holdout that is not there": (
        RIDGE + "gate: {on: holdout}",
        ["3: gate.on: expected cv, found holdout; the config has none: write data: {holdout: {fraction: 0.2}, ...}"],
    ),
    "values without their keys": (
        RIDGE + "prior: [a, b]\nevaluate: {finals: false}\nbudget: {failures: 5}\noutput: false",
        ["3: prior: expected a mapping, found a list; write {runs: [a, b]}",
         "4: evaluate.finals: expected a mapping, found false; write {enabled: false}",
         "5: budget.failures: expected a mapping, found 5; write {in_a_row: 5}",
         "6: output: expected a mapping, found false; write {refit: false}"],
    ),
    "confidence": (RIDGE + "gate: {confidence: 95}", ["3: gate.confidence: expected a number below 1, found 95"]),
    "negative seed": (RIDGE + "seed: -1", ["3: seed: expected a number of at least 0, found -1"]),
    "seed is not whole": (RIDGE + "seed: 1.5", ["3: seed: expected a whole number, found 1.5"]),
    "version": (RIDGE + "version: 2", ["3: version: expected 1, found 2"]),
    "name climbs out": (
        RIDGE + "name: ../victim",
        ["3: name: expected 1 to 64 letters, digits, '.', '_' or '-' (no '.' in front), found '../victim'"],
    ),
    "name is empty": (
        RIDGE + "name: ''",
        ["3: name: expected 1 to 64 letters, digits, '.', '_' or '-' (no '.' in front), found ''"],
    ),
    "duplicate key": (RIDGE + "seed: 1\nseed: 2", ["4: seed: duplicate key 'seed' (first at line 3): keep one"]),
    "empty": ("", ["1: expected a mapping of keys such as model:, found an empty file; `hptune init` writes a config "
                   "to begin with"]),
    "a list": ("- model", ["1: expected a mapping of keys such as model:, found a list"]),
    "a word": ("model", ["1: expected a mapping of keys such as model:, found a single value"]),
    "six at once": (
        "data: {train: x.csv, traget: y}\nmodel: {class: a.B}\nspace:\n  C: {type: float, min: 2, max: 1}\n"
        "oracle: {type: rnadom}\nbudget: {trials: 0}\nstart_with: [default]",
        ["1: data.target: expected this key, found none; such as `target: price`",
         "1: data.traget: unknown key; did you mean 'target'?",
         "4: space.C: expected min <= max, found min 2.0 and max 1.0",
         "5: oracle.type: expected one of {oracles}, found 'rnadom'; did you mean 'random'?",
         "6: budget.trials: expected a number of at least 1, found 0",
         "7: start_with[0]: expected defaults or a mapping such as {path: value}, found 'default'"],
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
def test_a_mistake_is_told_with_line_key_and_mend(name: str) -> None:

    text, messages = WRONG[name]
    expected = [
        f"c.yaml:{message.replace('{oracles}', ', '.join(ORACLES)).replace('{models}', ', '.join(MODELS))}"
        for message in messages
    ]
    assert refused(text) == expected


def test_numbers_and_booleans_of_yaml_1_1_are_not_what_they_were() -> None:
    found = loaded(RIDGE + "seed: 010\nspace: {alpha: [1e-3, 1E5, no, 12:30:45]}\n")
    assert found.config.seed == 10
    assert found.space["alpha"] == Choice(name="alpha", values=(0.001, 100000.0, "no", "12:30:45"))


# -- files ----------------------------------------------------------------------------------------------------------


def one_problem(path: Path) -> str:
    with pytest.raises(ConfigError) as caught:
        load(path)
    (problem,) = caught.value.problems
    assert problem.line == 1
    assert caught.value.exit_code == 2
    return str(problem).replace(str(path.parent), "DIR")


def test_a_file_that_is_not_there_is_told_with_its_neighbours(tmp_path: Path) -> None:
    assert (
        one_problem(tmp_path / "nowhere" / "x.yaml") == "DIR/x.yaml:1: there is no such file; there is no folder DIR"
    )
    assert one_problem(tmp_path / "study.yaml") == "DIR/study.yaml:1: there is no such file"
    (tmp_path / "stduy.yaml").touch()
    assert (
        one_problem(tmp_path / "study.yaml") == "DIR/study.yaml:1: there is no such file; did you mean 'stduy.yaml'?"
    )
    assert one_problem(tmp_path / "q.yml") == "DIR/q.yml:1: there is no such file; the folder holds stduy.yaml"


def test_a_folder_is_told_with_the_configs_in_it(tmp_path: Path) -> None:
    folder = tmp_path / "study"
    folder.mkdir()
    assert one_problem(folder) == "DIR/study:1: expected a config file, found a folder"
    (folder / "a.yaml").touch()
    assert one_problem(folder) == "DIR/study:1: expected a config file, found a folder; it holds a.yaml"


def test_a_file_that_cannot_be_opened_is_told(tmp_path: Path) -> None:
    path = tmp_path / "x.yaml"
    path.symlink_to(path)
    assert "cannot be read" in one_problem(path)
    assert "DIR/" in one_problem(tmp_path / ("x" * 300))
    with pytest.raises(ConfigError, match="cannot be read"):
        load("a\0b")


def test_a_huge_file_is_refused_without_being_read_whole(tmp_path: Path) -> None:
    path = tmp_path / "x.yaml"
    with path.open("wb") as stream:
        stream.truncate(10**12)  # sparse: a terabyte that takes no room
    assert one_problem(path).startswith("DIR/x.yaml:1: expected a config of at most 1048576 bytes")


def test_problems_name_the_file_as_it_was_called(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("s.yaml").write_text("model: 3")
    with pytest.raises(ConfigError) as caught:
        load("s.yaml")
    assert caught.value.problems[0].file == "s.yaml"
    Path("s.yaml").write_text("model: {function: 'm:f'}")
    assert load("s.yaml").folder == tmp_path.resolve()


# -- the resolved config --------------------------------------------------------------------------------------------


def test_the_resolved_config_is_a_config_and_resolves_to_itself() -> None:
    first = load(FULL)
    second = loaded(dump(first.resolved))
    assert second.resolved == first.resolved
    assert second.space == first.space
    assert second.starts == first.starts


def test_null_among_values_survives_resolving() -> None:
    text = RIDGE.replace("Ridge}", "Ridge, params: {random_state: null}}") + "space: {alpha: [null, 1]}"
    found = loaded(text)
    assert found.resolved["model"] == {"class": "sklearn.linear_model.Ridge", "params": {"random_state": None}}
    again = loaded(dump(found.resolved))
    assert again.space["alpha"].default_value is None


# -- nothing is imported --------------------------------------------------------------------------------------------


def test_loading_imports_no_scikit_learn_pandas_or_scipy() -> None:
    code = (
        "import sys\n"
        "from hptune.config.load import load\n"
        "from hptune.config.schema import config_schema\n"
        "from hptune.config.identity import problem_of\n"
        f"problem_of(load({str(FULL)!r})); config_schema()\n"
        "print([name for name in sys.modules if name.split('.')[0] in ('sklearn', 'scipy', 'pandas')])\n"
        "print([name for name in sys.modules if name.startswith('hptune.worker')])\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout == "[]\n[]\n"


def test_loading_a_config_runs_nothing_that_it_names(tmp_path: Path) -> None:
    marker = tmp_path / "ran"
    (tmp_path / "mine.py").write_text(f"open({str(marker)!r}, 'w')")
    (tmp_path / "c.yaml").write_text("model: {function: 'mine:f'}\nevaluate: {metric: 'mine:g', direction: minimize}")
    load(tmp_path / "c.yaml")
    assert not marker.exists()
