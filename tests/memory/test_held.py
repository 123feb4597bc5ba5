"""Who holds a run directory: one process, while it lives and its study is open; never its children."""

from __future__ import annotations

import gc
import multiprocessing
import os
import signal
import subprocess
import sys
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import pytest

from hptune import journal as jn
from hptune.errors import DirectoryUnusable, StudyLocked
from hptune.space import Float, SearchSpace
from hptune.study import Study

SPACE = SearchSpace((Float(name="x", low=0, high=1),))
FORK = multiprocessing.get_context("fork")


def opened(folder: Path) -> Study:
    return Study(SPACE, "loss", "random", directory=folder)


def test_a_forked_child_that_lives_on_does_not_keep_a_closed_study_locked(tmp_path: Path) -> None:
    with opened(tmp_path) as study, ProcessPoolExecutor(1, mp_context=FORK) as pool:
        trial = study.ask()
        study.tell(trial, pool.submit(abs, -1).result())
        study.close()
        with opened(tmp_path) as again:  # the pool's worker still lives
            again.ask()


OWNER = """
import os, sys, time
from tests.memory.test_held import opened
from pathlib import Path

study = opened(Path(sys.argv[1]))
study.ask()
if (child := os.fork()) == 0:
    print("ready", os.getpid(), flush=True)
time.sleep(60)
"""


def test_a_forked_child_does_not_keep_the_folder_of_a_killed_owner_locked(tmp_path: Path) -> None:
    owner = subprocess.Popen([sys.executable, "-c", OWNER, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    assert owner.stdout is not None
    word, child = owner.stdout.readline().split()
    try:
        assert word == "ready"
        with pytest.raises(StudyLocked, match=f"process {owner.pid} on"):
            opened(tmp_path)
        owner.kill()
        owner.wait()
        with opened(tmp_path) as study:
            assert study.ask().number == 0
    finally:
        os.kill(int(child), signal.SIGKILL)
        owner.stdout.close()


def test_a_fork_cannot_write_and_takes_no_lock_from_its_parent(tmp_path: Path) -> None:
    with opened(tmp_path) as study:
        trial = study.ask()
        pid = os.fork()
        if pid == 0:
            code = 9
            try:
                study.tell(trial, 1.0)
            except DirectoryUnusable as error:
                code = 0 if "forked" in str(error) else 8
            finally:
                study.close()
                os._exit(code)
        assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
        with pytest.raises(StudyLocked):
            jn.Journal(tmp_path)
        study.tell(trial, 0.5)
        assert study.history.trials[0].score == 0.5


def test_a_study_that_was_forgotten_lets_go_and_an_open_one_of_this_process_is_named(tmp_path: Path) -> None:
    study = opened(tmp_path)
    study.tell(study.ask(), 0.5)
    with pytest.raises(StudyLocked, match=r"an open Study of it holds it; close that one first \(study.close\(\)\)"):
        opened(tmp_path)
    del study
    gc.collect()
    with opened(tmp_path) as again:
        assert len(again.history.trials) == 1
