"""`hptune run`: a study from its config to its files, continued, interrupted, failing; and `validate`, `space`."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest

import hptune
from hptune import cli
from hptune.commands._problem import LOOKING
from hptune.config.load import load
from hptune.report.result_schema import result_schema
from tests.conftest import SPACES
from tests.timing import in_time

Capture = pytest.CaptureFixture[str]

OBJECTIVE = """
import os, time

def f(values):
    time.sleep(float(os.environ.get("NAP", "0")))
    if values["x"] > 4:
        raise ValueError("x is too large")
    return (values["x"] - 1) ** 2

def bad(values):
    raise RuntimeError("always")
"""

CONFIG = """
name: fun
model: {function: "MODULE:f"}
space: {x: {type: float, min: -5, max: 5, default: 3}, y: [a, b]}
evaluate: {metric: loss, direction: minimize}
oracle: {type: random}
budget: {trials: 8}
executor: {type: EXECUTOR, workers: 1}
output: {dir: runs/fun}
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder with a config whose function runs in this process: fast, and seen by coverage."""
    module = f"objective_{abs(hash(tmp_path)) % 10**8}"
    (tmp_path / f"{module}.py").write_text(OBJECTIVE)
    (tmp_path / "study.yaml").write_text(CONFIG.replace("MODULE", module).replace("EXECUTOR", "serial"))
    (tmp_path / "process.yaml").write_text(CONFIG.replace("MODULE", module).replace("EXECUTOR", "process"))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")
    path = list(sys.path)
    yield tmp_path
    sys.path[:] = path


def run(*arguments: str) -> int:
    return cli.invoke(["run", *arguments])


def result(folder: str = "runs/fun") -> dict[str, Any]:
    found: dict[str, Any] = json.loads((Path(folder) / "result.json").read_text())
    jsonschema.Draft202012Validator(result_schema()).validate(found)
    return found


def test_a_run_writes_its_files_and_says_what_it_found(project: Path, capsys: Capture) -> None:
    assert run("study.yaml") == 0
    captured = capsys.readouterr()
    assert captured.err.startswith("hptune ")
    assert "loss, lower is better" in captured.err
    assert "[1/8] trial 0: 4.000, the defaults" in captured.err
    assert "8 trials in" in captured.out
    assert "hptune best runs/fun --format yaml" in captured.out
    assert max(map(len, captured.out.splitlines())) <= 80
    assert max(map(len, captured.err.splitlines())) <= 80
    folder = project / "runs" / "fun"
    for name in ("journal.jsonl", "result.json", "trials.csv", "best.yaml", "config.yaml"):
        assert (folder / name).is_file()
    found = result()
    assert (found["status"], found["stop_reason"], found["reproducible"]) == ("complete", "trials", True)
    assert found["gain"]["mean"] == pytest.approx(found["baseline"]["score"] - found["best"]["score"])
    assert not list(folder.glob(".*.tmp"))


def test_the_result_says_how_many_workers_and_threads_there_were(project: Path) -> None:
    options = ("-o", "executor.type=process", "-o", "executor.threads_per_worker=3", "-o", "budget.trials=2")
    assert run("study.yaml", "--workers", "2", *options) == 0
    assert (result()["workers"], result()["threads"]) == (2, 3)


def test_workers_that_the_executor_cannot_have_are_refused(project: Path, capsys: Capture) -> None:
    assert run("study.yaml", "--workers", "2") == 2
    assert "--workers: the serial executor has one worker, found 2" in capsys.readouterr().err


def test_code_that_the_config_names_is_said_before_it_runs(project: Path, capsys: Capture) -> None:
    assert run("study.yaml") == 0
    assert "runs code that the config names: objective_" in capsys.readouterr().err


def test_the_same_command_again_says_complete_and_more_trials_go_on(project: Path, capsys: Capture) -> None:
    assert run("study.yaml") == 0
    first = (project / "runs/fun/trials.csv").read_bytes()
    capsys.readouterr()
    for target in ("study.yaml", "runs/fun", "runs/fun/config.yaml"):
        assert run(target) == 0
        assert "complete already" in capsys.readouterr().err
        assert (project / "runs/fun/trials.csv").read_bytes() == first
    assert run("runs/fun", "--trials", "+2") == 0
    assert "continues: 8 trials found" in capsys.readouterr().err
    assert result()["trials"]["total"] == 10
    assert run("study.yaml", "--trials", "12") == 0
    assert result()["trials"]["total"] == 12
    assert (project / "runs/fun/trials.csv").read_bytes().startswith(first)


def test_another_problem_is_refused_with_the_difference_and_fresh_starts_over(project: Path, capsys: Capture) -> None:
    assert run("study.yaml") == 0
    capsys.readouterr()
    assert run("study.yaml", "-o", "seed=7", "--json") == 2
    message = json.loads(capsys.readouterr().out)["error"]["message"]
    assert "seed" in message
    assert "--fresh" in message
    assert "`prior: {runs: [runs/fun]}`" in message
    assert run("study.yaml", "-o", "seed=7", "--dir", "other", "-o", "prior={runs: [runs/fun]}") == 0
    assert run("study.yaml", "-o", "seed=7", "--fresh") == 0
    assert result()["seed"] == 7


def test_json_is_the_content_of_result_json_and_nothing_else(project: Path, capsys: Capture) -> None:
    assert run("study.yaml", "--json") == 0
    assert json.loads(capsys.readouterr().out) == result()


def test_quiet_prints_nothing_but_the_result(project: Path, capsys: Capture) -> None:
    assert run("study.yaml", "-q") == 0
    captured = capsys.readouterr()
    assert (captured.out, captured.err) == ("", "")


def test_the_run_directory_can_be_chosen(project: Path, capsys: Capture) -> None:
    assert run("study.yaml", "--dir", "elsewhere/x", "-q") == 0
    assert result("elsewhere/x")["name"] == "fun"
    assert not (project / "runs").exists()
    assert run("elsewhere/x", "--dir", "other") == 2
    assert "give its config file" in capsys.readouterr().err


def test_best_yaml_is_a_config_that_runs_the_winner_again(project: Path) -> None:
    assert run("study.yaml", "-q") == 0
    best = result()["best"]
    loaded = load("runs/fun/best.yaml")
    assert loaded.config.budget.trials == 1
    assert run("runs/fun/best.yaml", "-q", "--json") == 0
    again = result("runs/fun-best")
    assert again["best"]["params"] == best["params"]
    assert again["best"]["score"] == best["score"]


def test_all_trials_failing_is_exit_4_with_everything_saved(project: Path, capsys: Capture) -> None:
    name = next(project.glob("objective_*.py")).stem
    assert run("study.yaml", "-o", f"model.function={name}:bad", "--json") == 4
    captured = capsys.readouterr()
    assert "no trial succeeded" in json.loads(captured.out)["error"]["message"]
    assert captured.err.count("Traceback") == 1
    assert captured.err.count("failed (error)") == 8
    found = result()
    assert (found["status"], found["best"], found["trials"]["failed"]) == ("no_success", None, 8)


def test_the_failure_limit_is_exit_4(project: Path, capsys: Capture) -> None:
    name = next(project.glob("objective_*.py")).stem
    assert run("study.yaml", "-o", f"model.function={name}:bad", "-o", "budget.failures.in_a_row=3") == 4
    assert "too many trials failed in a row" in capsys.readouterr().err
    assert (result()["stop_reason"], result()["trials"]["total"]) == ("failures", 3)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["study.yml"], "did you mean 'study.yaml'"),
        (["."], "found a folder without config.yaml"),
        (["study.yaml", "--trials", "many"], "expected a number above 0"),
        (["study.yaml", "--trials", "+0"], "expected a number above 0"),
        (["study.yaml", "--workers", "0"], "workers"),
        (["study.yaml", "-o", "budget.trails=3"], "did you mean 'trials'"),
        (["study.yaml", "-o", "nonsense"], "nonsense"),
    ],
)
def test_bad_usage_is_exit_2_without_a_traceback(
    arguments: list[str], said: str, project: Path, capsys: Capture
) -> None:
    assert run(*arguments, "--json") == 2
    captured = capsys.readouterr()
    assert said in captured.err
    assert "Traceback" not in captured.err
    assert set(json.loads(captured.out)) == {"schema_version", "error"}
    assert not (project / "runs").exists()


def test_a_study_asked_and_told_from_python_is_continued_there_and_everybody_says_so(
    project: Path, capsys: Capture
) -> None:
    hptune.Study(SPACES["one dimension"], "loss", directory="asked").close()
    assert run("asked") == 2
    assert "asked: holds a study without config.yaml, as hptune.Study and hptune.Tuner" in capsys.readouterr().err
    assert cli.invoke(["show", "asked"]) == 0
    said = capsys.readouterr().out
    assert "open: it was kept by hptune.Study or Tuner, which continue it" in said
    assert "hptune run" not in said


def test_a_bad_config_names_file_line_and_key_in_json(project: Path, capsys: Capture) -> None:
    (project / "bad.yaml").write_text("model: {function: 'x:f'}\nbudget: {trails: 3}\n")
    assert run("bad.yaml", "--json") == 2
    error = json.loads(capsys.readouterr().out)["error"]
    assert (error["file"], error["line"], error["key"]) == ("bad.yaml", 2, "budget.trails")


def test_a_run_directory_that_cannot_be_written_is_exit_6(project: Path, capsys: Capture) -> None:
    (project / "file").write_text("")
    assert run("study.yaml", "--dir", "file/runs", "--json") == 6
    assert json.loads(capsys.readouterr().out)["error"]["message"]


def test_a_locked_run_directory_is_exit_5(project: Path, capsys: Capture) -> None:
    from hptune.journal import Journal

    assert run("study.yaml", "-q") == 0
    journal = Journal(project / "runs/fun")
    try:
        assert run("study.yaml", "--json") == 5
    finally:
        journal.close()


def test_validate_says_what_was_found(project: Path, capsys: Capture) -> None:
    assert cli.invoke(["validate", "study.yaml"]) == 0
    out, err = capsys.readouterr()
    assert err == f"{LOOKING}\n"
    assert out.startswith("study.yaml: valid")
    assert "2 parameters, continuous" in out
    assert cli.invoke(["validate", "study.yaml", "--static", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["valid"] is True
    assert cli.invoke(["validate", "study.yaml", "-o", "model.function=nowhere:f", "--json"]) == 2
    assert "nowhere" in json.loads(capsys.readouterr().out)["error"]["message"]
    assert not (project / "runs").exists()


def test_space_shows_the_parameters_and_samples(project: Path, capsys: Capture) -> None:
    assert cli.invoke(["space", "study.yaml", "--sample", "3"]) == 0
    out, err = capsys.readouterr()
    assert err == f"{LOOKING}\n"
    assert "x          float   -5 to 5  3" in out
    assert len(out.splitlines()) == 10
    assert cli.invoke(["space", "study.yaml", "--json", "--sample", "2"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["defaults"] == {"x": 3.0, "y": "a"}
    assert len(found["samples"]) == 2
    assert cli.invoke(["space", "study.yaml", "--format", "markdown"]) == 0
    assert capsys.readouterr().out.startswith("| parameter |")


def test_samples_of_a_space_of_many_branches_show_what_is_active(project: Path, capsys: Capture) -> None:
    """100 branches of 5 parameters made a table of 501 columns."""
    branches = "".join(
        f", p{i}_{j}: {{type: int, min: 0, max: 9, when: {{branch: k{i}}}}}" for i in range(30) for j in (0, 1)
    )
    names = ", ".join(f"k{i}" for i in range(30))
    text = Path("study.yaml").read_text()
    Path("study.yaml").write_text(text.replace("space: {", f"space: {{branch: [{names}]{branches}, "))
    assert cli.invoke(["space", "study.yaml", "--sample", "3"]) == 0
    header, *rows = capsys.readouterr().out.splitlines()[-4:]
    assert header.split() == ["branch", "x", "y", "with"]
    for row in rows:
        branch = row.split()[0].removeprefix("k")
        assert re.search(rf"p{branch}_0=\d, p{branch}_1=\d$", row)


# -- interrupted ---------------------------------------------------------------------------------------------------


def started(project: Path, *arguments: str, nap: float = 0.3) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "hptune", "run", "process.yaml", *arguments],
        cwd=project,
        env={**os.environ, "NAP": str(nap)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def wait_for_trials(project: Path, count: int, folder: str = "runs/fun") -> None:
    journal = project / folder / "journal.jsonl"
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if journal.exists() and journal.read_bytes().count(b'"trial_completed"') >= count:
            return
        time.sleep(0.02)
    raise AssertionError("the study did not get going")


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), pytest.param(signal.SIGTERM, 143, marks=pytest.mark.slow)]
)
def test_a_signal_saves_everything_and_the_same_command_goes_on_to_the_same_end(
    number: signal.Signals, code: int, project: Path, capsys: Capture
) -> None:
    process = started(project, "--json")
    wait_for_trials(project, 2)
    process.send_signal(number)
    out, err = process.communicate(timeout=60)
    assert process.returncode == code, err
    assert err.count("stopping: ") == 1
    assert "Traceback" not in err.partition("stopping: ")[2]
    found = result()
    assert json.loads(out) == found
    assert (found["status"], found["stop_reason"]) == ("interrupted", "signal")
    assert 2 <= found["trials"]["total"] < 8
    assert run("study.yaml", "-q") == 0
    assert result()["status"] == "complete"
    assert run("study.yaml", "-q", "--dir", "whole") == 0
    assert (project / "runs/fun/trials.csv").read_bytes() == (project / "whole/trials.csv").read_bytes()


def test_a_second_signal_ends_at_once(project: Path) -> None:
    process = started(project, nap=30)
    journal = project / "runs/fun/journal.jsonl"
    deadline = time.monotonic() + 60
    while not (journal.exists() and b"trial_started" in journal.read_bytes()):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    time.sleep(0.3)
    before = time.monotonic()
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=60)
    assert process.returncode == 130
    in_time(before, 4.5)  # the grace of the first signal is five seconds
    assert result()["status"] == "interrupted"


def test_code_that_raises_keyboard_interrupt_is_an_interruption_with_everything_saved(
    project: Path, capsys: Capture
) -> None:
    (project / "pressing.py").write_text(
        "def f(values):\n    if values['x'] != 3:\n        raise KeyboardInterrupt\n    return 1.0\n"
    )
    assert run("study.yaml", "--json", "-o", "model.function=pressing:f") == 130
    found = result()
    assert json.loads(capsys.readouterr().out) == found
    assert (found["stop_reason"], found["best"]["trial"]) == ("signal", 0)
    (project / "at_once.py").write_text("raise KeyboardInterrupt\n")
    assert run("study.yaml", "--json", "--dir", "other", "-o", "model.function=at_once:f") == 130
    assert json.loads(capsys.readouterr().out)["error"]["message"] == "interrupted"


@pytest.mark.slow
def test_a_killed_run_goes_on_to_the_same_trials(project: Path) -> None:
    process = started(project)
    wait_for_trials(project, 3)
    process.kill()
    process.communicate(timeout=60)
    assert not (project / "runs/fun/trials.csv").exists()
    assert run("study.yaml", "-q") == 0
    assert run("study.yaml", "-q", "--dir", "whole") == 0
    assert (project / "runs/fun/trials.csv").read_bytes() == (project / "whole/trials.csv").read_bytes()


@pytest.mark.slow
def test_an_estimator_is_refit_saved_and_scored_on_the_holdout(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    (tmp_path / "ridge.yaml").write_text(
        "data: {train: 'sklearn:load_diabetes', holdout: {fraction: 0.2}}\n"
        "model: {class: sklearn.linear_model.Ridge}\n"
        "space: {alpha: {type: float, min: 1e-3, max: 1e3, scale: log}}\n"
        "evaluate: {metric: neg_root_mean_squared_error, also: [r2], cv: 3}\n"
        "oracle: {type: random}\n"
        "budget: {trials: 4}\n"
    )
    monkeypatch.chdir(tmp_path)
    assert run("ridge.yaml") == 0
    out, err = capsys.readouterr()
    found = result("runs/ridge")
    assert (
        f"\nfitting trial {found['best']['trial']} on all training rows, and scoring it on the holdout ...\n" in err
    )
    assert found["best"]["score"] < 0 < float(out.partition("best ")[2].split()[0])
    assert found["best"]["holdout"] < 0
    assert "holdout" in out
    assert any((tmp_path / "runs/ridge" / name).is_file() for name in ("model.skops", "model.joblib"))
    assert run("runs/ridge/best.yaml", "-q") == 0
    assert result("runs/ridge-best")["best"]["score"] == found["best"]["score"]


@pytest.mark.slow
def test_the_saved_model_is_always_the_bests(project: Path) -> None:
    """A model of an earlier best goes when a better trial comes; a complete study without a model is refit."""
    (project / "knn.yaml").write_text(
        "data: {train: 'sklearn:load_iris'}\n"
        "model: {class: sklearn.neighbors.KNeighborsClassifier}\n"
        "space: {n_neighbors: {type: int, min: 1, max: 100, default: 100}}\n"
        "evaluate: {cv: 3}\n"
        "oracle: {type: random}\n"
        "budget: {trials: 1}\n"
        "executor: {type: serial, workers: 1}\n"
        "output: {dir: runs/knn}\n"
    )

    def models() -> list[tuple[str, int]]:
        kept = [path for name in ("skops", "joblib") for path in (project / "runs/knn").glob(f"model.{name}")]
        return [(path.name, path.stat().st_mtime_ns) for path in kept]

    assert run("knn.yaml", "-q") == 0
    first = models()
    assert run("knn.yaml", "-q") == 0
    assert models() == first
    assert run("knn.yaml", "-q", "--trials", "+3", "-o", "output.refit=false") == 0
    assert result("runs/knn")["best"]["trial"] > 0
    assert models() == []
    assert run("knn.yaml", "-q", "--trials", "4") == 0
    assert len(models()) == 1


LATE = """
import hptune
from sklearn.linear_model import Ridge

class M(hptune.HyperModel):
    def build(self, hp):
        m = hp.Int("m", 1, 5000)
        return Ridge(alpha=m * (hp.Float("late", 0.5, 3.0, sampling="log") if m in (1234, 1235) else 1.0))

    def fit(self, hp, model, X, y):
        hp.Int("batch", 1, 9)
        return model.fit(X, y)
"""


@pytest.mark.parametrize("executor", ["process", "serial"])
def test_a_hyperparameter_first_met_in_a_trial_is_told_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], executor: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / f"late_{executor}.py").write_text(LATE)
    (tmp_path / "study.yaml").write_text(
        f'data: {{train: "sklearn:load_diabetes"}}\nmodel: {{hypermodel: "late_{executor}:M"}}\n'
        f"start_with: [defaults, {{m: 1234}}, {{m: 1235}}]\nevaluate: {{metric: r2, cv: 3}}\nbudget: {{trials: 4}}\n"
        f"oracle: {{type: random}}\noutput: {{refit: false}}\nexecutor: {{type: {executor}, workers: 1}}\n"
    )
    assert run("study.yaml") == 0
    told = capfd.readouterr().err
    assert (
        told.count("late is first met in a trial: it is not searched, trials run it at 0.5; ask for it in build") == 1
    )
    assert "warning: study.yaml:2: model.hypermodel: late" in told
    assert told.count("batch") == 1  # by the probe, before the run
    assert "NotSearched" not in told


def test_wrong_columns_and_metrics_are_told_all_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "d.csv").write_text("id,x,y\n" + "".join(f"{n},{n % 7},{n % 5}\n" for n in range(40)))
    config = (
        "data: {train: d.csv, target: r, drop: [idd, xx], groups: gg, weights: ww}\n"
        "model: {class: sklearn.linear_model.Ridge}\nspace: {alpha: [1, 2]SPACE}\n"
        "evaluate: {metric: acuracy, also: [r3], cv: {type: predefined, column: fold}}\n"
    )
    wrong = {"data.target", "data.drop[0]", "data.drop[1]", "data.groups", "data.weights", "evaluate.cv.column"}
    for space in ("", ", alpah: [3]"):
        (tmp_path / "c.yaml").write_text(config.replace("SPACE", space))
        assert cli.invoke(["validate", "c.yaml"]) == 2
        keys = set(re.findall(r"^c\.yaml:\d+: (\S+):", capsys.readouterr().err, re.MULTILINE))
        assert keys == wrong | {"evaluate.metric", "evaluate.also[0]"} | ({"space.alpah"} if space else set())
