"""What a trial changes of its process is put back, what is meant to last stays; the rest is tested in children."""

from __future__ import annotations

import os
import resource
import sys
import threading
import time
import timeit
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from hptune.worker import child_state
from hptune.worker.imports import Importer


@pytest.fixture(autouse=True)
def _kept(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    path = list(sys.path)
    monkeypatch.setattr(child_state, "_kept", None)
    with np.errstate():
        child_state.keep()
        yield
    sys.path[:] = path


def test_a_process_that_is_no_child_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(child_state, "_kept", None)
    np.seterr(all="raise")
    assert child_state.restored()
    assert np.geterr()["over"] == "raise"


def test_what_a_module_sets_while_it_is_imported_lasts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HPTUNE_TEST_CHANGED", "before")
    child_state.keep()
    (tmp_path / "setting_things.py").write_text(
        "import os, numpy\nnumpy.seterr(over='ignore')\nos.environ['HPTUNE_TEST_CHANGED'] = 'after'\n"
        "def measure(values): ...\n"
    )
    importer = Importer(str(tmp_path))
    importer("setting_things:measure", wanted="function")
    assert child_state.restored()
    assert np.geterr()["over"] == "ignore"
    assert os.environ["HPTUNE_TEST_CHANGED"] == "after"


def test_what_a_trial_did_before_an_import_does_not_last(tmp_path: Path) -> None:
    np.seterr(over="raise")
    (tmp_path / "setting_nothing.py").write_text("def measure(values): ...\n")
    Importer(str(tmp_path))("setting_nothing:measure", wanted="function")
    assert child_state.restored()
    assert np.geterr()["over"] == "warn"


def test_what_harms_nobody_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    """Libraries that are first used in a trial raise limits and add variables, once."""
    monkeypatch.delenv("HPTUNE_TEST_ADDED", raising=False)
    child_state.keep()
    before = sys.getrecursionlimit()
    monkeypatch.setenv("HPTUNE_TEST_ADDED", "1")
    try:
        sys.setrecursionlimit(before + 100)
        assert child_state.restored()
        assert sys.getrecursionlimit() == before + 100
        assert os.environ["HPTUNE_TEST_ADDED"] == "1"
    finally:
        sys.setrecursionlimit(before)


def test_a_hard_limit_that_cannot_be_raised_is_told_and_the_soft_one_raised_as_far_as_it_goes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = {which: resource.getrlimit(which) for which in child_state._LIMITS}

    def set_to(which: int, limits: tuple[int, int]) -> None:
        if child_state._as_number(limits[1]) > child_state._as_number(now[which][1]):
            raise ValueError("not allowed to raise maximum limit")
        now[which] = limits

    monkeypatch.setattr(resource, "getrlimit", now.__getitem__)
    monkeypatch.setattr(resource, "setrlimit", set_to)
    now[resource.RLIMIT_FSIZE] = (1000, 5000)
    assert not child_state.restored()
    assert now[resource.RLIMIT_FSIZE] == (5000, 5000)


def test_a_thread_is_told_unless_it_is_a_daemon_or_just_ending() -> None:
    go_on = threading.Event()
    threading.Thread(target=go_on.wait, daemon=True).start()
    assert child_state.restored()
    thread = threading.Thread(target=go_on.wait)
    thread.start()
    assert not child_state.restored()
    go_on.set()
    thread.join()
    threading.Thread(target=lambda: None).start()
    assert child_state.restored()


def test_a_job_pays_a_small_part_of_a_millisecond() -> None:
    spent = timeit.repeat(child_state.restored, timer=time.process_time, number=200, repeat=5)
    assert min(spent) / 200 < 5e-4  # 4e-5 where nothing else runs
