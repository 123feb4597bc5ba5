"""What holds for every executor in the registry, and what their options mean."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import typing

import pytest
from hostile import Hostile
from hostile_kit import HOSTILE, job, setup_for
from pydantic import ValidationError

import hptune.threads
from hptune import spool_file
from hptune.attribute_docs import attribute_docs
from hptune.executor import ExecutorSpec, usable_cores
from hptune.executors import EXECUTORS
from hptune.executors.process import ProcessExecutor
from hptune.executors.serial import SerialExecutor
from hptune.threads import VARIABLES

DEEDS = ["good", "failed", "raise", "sysexit", "unspeakable", "nan", "not_json", "nothing"]


@pytest.fixture(params=EXECUTORS)
def any_executor(request, monkeypatch):
    """Every executor of the registry, opened from its spec, with the hostile service in place of the real one."""
    monkeypatch.syspath_prepend(setup_for().folder)
    monkeypatch.setattr("hptune.spawn.DEFAULT_SERVICE", HOSTILE)
    monkeypatch.setattr(ProcessExecutor.__init__, "__kwdefaults__", {"service": HOSTILE})
    executor = EXECUTORS[request.param](type=request.param).open(setup_for())
    yield executor
    executor.close(kill=True)


def plain(outcome) -> dict:
    """What must not depend on where the job ran."""
    data = outcome.to_json()
    failure = data["failure"]
    if failure is not None:
        failure["traceback"] = failure["traceback"] is not None
    return {**data, "seconds": None, "worker": None}


def test_every_executor_gives_the_outcome_that_the_serial_one_gives(any_executor, monkeypatch):
    serial = SerialExecutor(worker=Hostile(setup_for()))
    for deed in DEEDS:
        one = job(deed, folds=(2, 0), trial=5)
        mine, theirs = any_executor.submit(one).result(20), serial.submit(one).result(0)
        assert plain(mine) == plain(theirs), deed
        assert mine.worker
        assert mine.seconds >= 0


def test_every_executor_spools_what_it_answers(any_executor, tmp_path):
    spool = tmp_path / "new" / "1.json"
    outcome = any_executor.submit(job(spool=str(spool), values={"score": 0.5})).result(20)
    spooled = spool_file.from_bytes(spool.read_bytes()).outcome
    assert spooled.measurements[0].score == outcome.measurements[0].score == 0.5
    assert spooled.failure is None


def test_every_executor_can_be_closed_twice_and_then_refuses(any_executor):
    assert any_executor.slots() >= 1
    any_executor.close()
    any_executor.close()
    with pytest.raises(RuntimeError, match="closed"):
        any_executor.submit(job())


def test_an_executor_that_keeps_no_limits_refuses_jobs_with_one(any_executor):
    spec = EXECUTORS[any_executor.name]
    assert any_executor.supports_limits == spec.supports_limits
    for one in (job(deadline=5.0), job(memory=2**30)):
        if spec.supports_limits:
            assert any_executor.submit(one).result(20).failure is None
        else:
            with pytest.raises(ValueError, match="type: process"):
                any_executor.submit(one)


@pytest.mark.parametrize("name", EXECUTORS)
def test_the_registered_name_is_the_only_type_a_spec_accepts(name):
    spec = EXECUTORS[name]
    assert typing.get_args(spec.model_fields["type"].annotation) == (name,)
    assert spec.model_validate({"type": name}) == spec()
    with pytest.raises(ValidationError, match="extra"):
        spec.model_validate({"type": name, "worker": 2})
    assert spec.model_fields.keys() - {"type"} <= attribute_docs(spec).keys()


@pytest.mark.parametrize("name", EXECUTORS)
def test_a_spec_survives_json(name):
    spec = EXECUTORS[name](workers="auto", threads_per_worker=2, retries=1, order="async", lookahead=7)
    assert type(spec).model_validate_json(spec.model_dump_json()) == spec


@pytest.mark.parametrize(
    ("options", "threads", "lookahead"),
    [
        ({"workers": 1}, usable_cores(), 1),
        ({"workers": 10_000}, 1, 20_000),
        ({"workers": 3, "threads_per_worker": 5, "lookahead": 2}, 5, 2),
        ({}, 1, 1 if usable_cores() == 1 else 2 * usable_cores()),
    ],
)
def test_auto_shares_the_cores_among_the_workers(monkeypatch, options, threads, lookahead):
    monkeypatch.setattr(hptune.threads, "_asked", "")
    spec = EXECUTORS["process"].model_validate(options)
    assert spec.threads() == threads
    assert spec.resolved_lookahead() == lookahead


def test_the_base_spec_opens_nothing():
    with pytest.raises(NotImplementedError):
        ExecutorSpec().open(setup_for())


def test_the_serial_executor_lets_ctrl_c_through_and_turns_sys_exit_into_a_failure():
    serial = SerialExecutor(worker=Hostile(setup_for()))
    with pytest.raises(KeyboardInterrupt):
        serial.submit(job("interrupt"))
    assert serial.submit(job("sysexit")).result().failure is not None
    serial.cancel(serial.submit(job()))
    with pytest.raises(ValueError, match="a setup or a worker"):
        SerialExecutor()


def test_the_coordinators_side_imports_no_heavy_library_and_nothing_of_the_worker():
    code = "import sys, hptune.slot, hptune.executors, hptune.executor; print('\\n'.join(sys.modules))"
    listing = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    heavy = {"numpy", "scipy", "sklearn", "pandas", "psutil"}
    loaded = {name for name in listing.split() if name.split(".")[0] in heavy or name.startswith("hptune.worker")}
    assert loaded == set()


@pytest.mark.parametrize(
    ("asked", "threads"), [("", 8), ("3", 3), ("2,4", 2), ("16", 8), ("0", 8), ("-1", 8), ("many", 8)]
)
def test_auto_gives_a_worker_no_more_threads_than_the_user_asks_for(monkeypatch, asked, threads):
    monkeypatch.setattr(hptune.threads, "usable_cores", lambda: 8)
    monkeypatch.setattr(hptune.threads, "_asked", asked)
    assert hptune.threads.threads_each(1) == threads
    assert hptune.threads.threads_each(5) == 1


def test_the_environment_limits_the_threads_of_a_run(tmp_path):
    config = tmp_path / "study.yaml"
    config.write_text(
        "data: {train: 'sklearn:load_diabetes'}\nmodel: {class: sklearn.linear_model.Ridge}\n"
        "space: {alpha: [1, 2]}\nbudget: {trials: 1}\nprobe: false\noutput: {refit: false}\n"
        "executor: {workers: 1}\n"
    )
    command = [sys.executable, "-m", "hptune", "run", str(config), "-q"]
    for asked, threads in (("1", 1), (None, usable_cores())):
        rest = {name: value for name, value in os.environ.items() if name not in VARIABLES}
        env = rest if asked is None else {**rest, "OMP_NUM_THREADS": asked}
        run = tmp_path / f"run-{asked}"
        subprocess.run([*command, "--dir", str(run)], check=True, env=env)
        assert json.loads((run / "result.json").read_text())["threads"] == threads
