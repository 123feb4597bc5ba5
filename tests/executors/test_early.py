"""The worker that is started before the config is read: a good guess is used, a wrong one leaves nothing behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import typer.main
from hostile_kit import alive, until

import hptune.threads
from hptune.cli import app
from hptune.commands._ahead import FLAGS, VALUED, first_worker_for, read
from hptune.commands._problem import config_of
from hptune.compose import setup_of
from hptune.config.load import load
from hptune.early import LONGEST, MODULE, Spare, ahead, first_worker, guessed_threads, names_own_code
from hptune.errors import DirectoryUnusable
from hptune.executors.process import ProcessExecutor
from hptune.job import Job
from hptune.slot import Slot
from hptune.spawn import Child
from hptune.threads import usable_cores

CONFIG = """
name: early
model: {function: "objective:measure"}
space: {x: {type: float, min: 0, max: 1}}
executor: {workers: 1, threads_per_worker: 3}
"""


@pytest.fixture
def config(tmp_path: Path) -> Path:
    (tmp_path / "objective.py").write_text("import os\ndef measure(values, seed):\n    return float(os.getpid())\n")
    path = tmp_path / "study.yaml"
    path.write_text(CONFIG)
    return path


def child_of(spare: Spare) -> Child:
    child = spare._child
    assert child is not None
    return child


def test_the_spare_child_does_the_first_workers_jobs(config: Path) -> None:
    with first_worker(config) as spare:
        session = child_of(spare).pid
        executor = ProcessExecutor(setup_of(load(config, [])), 1, spare=spare)
    try:
        outcome = executor.submit(Job(values={"x": 0.5}, folds=(0,))).result(60)
        assert outcome.failure is None
        assert os.getsid(int(outcome.measurements[0].score)) == session  # the objective returns its process's id
    finally:
        executor.close(kill=True)


def test_who_needs_other_threads_gets_another_child_and_the_spare_one_ends(config: Path) -> None:
    with first_worker(config, ["executor.threads_per_worker=2"]) as spare:
        child = child_of(spare)
        assert spare.claim("process-1", 2) is None
        assert spare.claim(child.name, 3) is None
        assert until(lambda: not alive(child.pid))
        assert spare.claim(child.name, 2) is None


def test_an_unclaimed_child_ends_with_the_block_and_a_claimed_one_does_not(config: Path) -> None:
    with first_worker(config) as spare:
        pid = child_of(spare).pid
    assert until(lambda: not alive(pid))
    with first_worker(config) as spare:
        child = spare.claim("process-0", 3)
    assert child is not None
    assert alive(child.pid)
    child.end()


def test_the_child_started_before_the_command_line_is_read_is_the_first_worker(config: Path) -> None:
    spare = first_worker_for(["run", str(config), "-q", "--workers", "1"])
    pid = child_of(spare).pid
    with ahead(spare):
        with first_worker(config, [], 1) as found:
            assert child_of(found).pid == pid
            child = found.claim("process-0", 3)
        assert child is not None
    assert alive(pid)
    child.end()


@pytest.mark.parametrize("meant", [["executor.threads_per_worker=2"], ["model.class=sklearn.svm.SVC"]])
def test_a_wrong_guess_of_the_command_line_ends_and_another_child_is_started(config: Path, meant: list[str]) -> None:
    config.write_text(CONFIG.replace("objective:measure", "objective"))
    spare = first_worker_for(["run", str(config)])
    pid = child_of(spare).pid
    with ahead(spare), first_worker(config, meant) as found:
        assert until(lambda: not alive(pid))
        assert child_of(found).pid != pid


def test_a_child_that_no_run_asks_for_ends_with_the_command(config: Path) -> None:
    spare = first_worker_for(["run", str(config)])
    pid = child_of(spare).pid
    with pytest.raises(SystemExit), ahead(spare):
        raise SystemExit(2)
    assert until(lambda: not alive(pid))
    with first_worker(config) as found:
        assert child_of(found).pid != pid


def test_every_option_of_run_is_known_to_the_guess() -> None:
    command = typer.main.get_command(app).commands["run"]
    options = [one for one in command.params if one.param_type_name == "option"]
    flags = {name for one in options if one.is_flag for name in one.opts}
    assert {name for one in options if not one.is_flag for name in one.opts} == VALUED
    assert flags - {"--dry-run"} == FLAGS  # which needs no worker


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ("run a.yaml", ("a.yaml", [], None)),
        ("run -q a.yaml --trials +5 --dir here --json", ("a.yaml", [], None)),
        ("run a.yaml -o x=1 --override=y=2 --workers 3", ("a.yaml", ["x=1", "y=2"], 3)),
        ("run --workers=2 a.yaml", ("a.yaml", [], 2)),
        ("run a.yaml --dry-run", None),
        ("run a.yaml --help", None),
        ("run a.yaml b.yaml", None),
        ("run -- a.yaml", None),
        ("run a.yaml -ox=1", None),
        ("run a.yaml -o", None),
        ("run a.yaml --workers two", None),
        ("run a.yaml --workers " + 5000 * "9", None),
        ("run", None),
        ("validate a.yaml", None),
        ("", None),
    ],
)
def test_a_command_line_is_read_as_typer_reads_it_or_not_at_all(arguments: str, expected: Any) -> None:
    found = read(arguments.split())
    assert found == (None if expected is None else (Path(expected[0]), *expected[1:]))


@pytest.mark.parametrize(
    "text",
    [
        "executor: {type: serial}",
        "extends: base.yaml",
        '{"extends": "base.yaml"}',
        '{"oracle": {"type": "own.Oracle"}}',
        "oracle: {type: own.Oracle}",
        "oracle: own.Oracle",
        "x" * (LONGEST + 1),
    ],
)
def test_where_no_worker_is_needed_or_the_text_is_too_long_none_is_started(tmp_path: Path, text: str) -> None:
    path = tmp_path / "study.yaml"
    path.write_text(text)
    with first_worker(path) as spare:
        assert spare._child is None
    with first_worker(tmp_path / "missing.yaml") as spare:
        assert spare._child is None


@pytest.mark.parametrize(
    ("text", "workers", "threads"),
    [
        ("", None, 1),
        ("", 1, usable_cores()),
        ("executor:\n  workers: 1\n", None, usable_cores()),
        ("executor: {workers: 1}\nexecutor.workers=5000", 1, usable_cores()),
        ("executor: {workers: 1, threads_per_worker: 7}", 1, 7),
        ("executor: {threads_per_worker: 7}\nexecutor.threads_per_worker=5", None, 5),
        ("executor: {workers: 0}", None, 1),
        ('{"executor": {"workers": 1}}', None, usable_cores()),
    ],
)
def test_threads_are_guessed_as_the_executor_will_have_them(
    monkeypatch: pytest.MonkeyPatch, text: str, workers: int | None, threads: int
) -> None:
    monkeypatch.setattr(hptune.threads, "_asked", "")
    assert guessed_threads(text, workers) == threads


@pytest.mark.parametrize("path", sorted(Path("configs").rglob("*.yaml")), ids=str)
def test_the_guess_is_right_for_every_config_of_ours(path: Path) -> None:
    loaded = load(path, [])
    if loaded.config.executor.type == "process":  # type: ignore[attr-defined]
        assert guessed_threads(path.read_text(), None) == loaded.config.executor.threads()


@pytest.mark.parametrize(
    ("text", "own"),
    [
        ("model: {class: sklearn.svm.SVC}\nspace: {svc.C: 1}\ndata: {file: rows.csv, path: ../a.b/c}", False),
        ('model: {function: "objective:measure"}', True),
        ("model:\n  choose: [sklearn.svm.SVC, own.Model]", True),
        ("model: {class: xgboost.XGBClassifier}", True),
        ('space: {"svc.C": {min: 1}}\nexecutor.workers=1', False),
        ("evaluate: {metric: own:score}", True),
        ('{"data": {"train": "sklearn:load_diabetes"}, "space": {"svc.C": 1}}', False),
    ],
)
def test_where_code_of_the_users_may_be_named_nothing_is_imported_before_it(text: str, own: bool) -> None:
    assert names_own_code(text) is own


def test_a_config_from_a_pipe_is_left_to_the_loader(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "study.yaml")
    with first_worker(tmp_path / "study.yaml") as spare:
        assert spare._child is None


def test_a_child_that_died_is_not_handed_out_and_one_that_dies_loading_is_replaced(config: Path) -> None:
    with first_worker(config) as spare:
        child = child_of(spare)
        os.killpg(child.pid, signal.SIGKILL)
        assert until(lambda: child.gone)
        assert spare.claim(child.name, 3) is None
    with first_worker(config) as spare:
        child = child_of(spare)
        slot = Slot(setup_of(load(config, [])), name=child.name, spare=spare)
        os.killpg(child.pid, signal.SIGSTOP)
        slot.start()
        assert slot.pid == child.pid
        os.killpg(child.pid, signal.SIGKILL)
        outcome = slot.run(Job(values={"x": 0.5}, folds=(0,)))
        slot.close(kill=True)
    assert outcome.failure is None


def test_only_modules_of_scikit_learn_are_imported_on_a_guess() -> None:
    text = "class: sklearn.linear_model.Ridge\nx: my_sklearn.thing, os.path, {class: sklearn.svm.SVC}, skl.earn"
    assert MODULE.findall(text) == ["sklearn.linear_model", "sklearn.svm"]


def test_a_bad_config_ends_the_child_that_it_began(tmp_path: Path) -> None:
    (tmp_path / "study.yaml").write_text("name: x\nmodel: {class: sklearn.svm.SVC}\nspaces: 3\n")
    mark = {**os.environ, "HPTUNE_EARLY": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-m", "hptune", "run", str(tmp_path / "study.yaml")],
        capture_output=True, text=True, env=mark, check=False,
    )  # fmt: skip
    assert done.returncode == 2, done.stderr
    assert "spaces" in done.stderr

    def left() -> list[Path]:
        found = []
        for path in Path("/proc").glob("[0-9]*/environ"):
            try:
                if f"HPTUNE_EARLY={tmp_path}".encode() in path.read_bytes():
                    found.append(path)
            except OSError:
                continue
        return found

    assert until(lambda: not left()), left()


def test_a_folder_that_may_not_be_read_starts_no_worker_and_is_left_to_the_verb(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(path: Path) -> bool:
        raise PermissionError(13, "Permission denied", str(path))  # root may read where modes say no

    monkeypatch.setattr(Path, "is_file", refused)
    assert first_worker_for(["run", str(tmp_path)]).claim("worker-0", 1) is None
    with pytest.raises(DirectoryUnusable, match="Permission denied"):
        config_of(tmp_path)
