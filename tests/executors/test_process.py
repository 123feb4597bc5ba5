"""The process executor: many slots, futures, and an end that leaves nothing."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import FIRST_COMPLETED, wait
from pathlib import Path

import pytest
from hostile_kit import HOSTILE, alive, job, setup_for, until

from hptune import guard, spool_file
from hptune.errors import ExecutorUnreachable
from hptune.executors import process
from hptune.executors.process import ProcessExecutor
from hptune.job import Outcome
from tests.timing import in_time

COORDINATOR = """
import sys, time
sys.path[:0] = [sys.argv[1]]
from hostile_kit import HOSTILE, job, setup_for
from hptune.executors.process import ProcessExecutor
from hptune import guard
executor = ProcessExecutor(setup_for(), 2, service=HOSTILE)
executor.submit(job("grandchild", options={"marker": sys.argv[2] + "/a"}))
executor.submit(job(sys.argv[3], options={"marker": sys.argv[2] + "/b"}))
time.sleep(60)
"""


def descendants(pid: int) -> list[int]:
    return list(guard.family(pid))


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
@pytest.mark.parametrize("other", ["deaf", "hold_interpreter"])
def test_no_process_is_left_when_the_coordinator_is_killed(tmp_path, how, other):
    command = [sys.executable, "-c", COORDINATOR, str(Path(__file__).parent), str(tmp_path), other]
    with subprocess.Popen(command, start_new_session=True) as coordinator:
        try:
            assert until((tmp_path / "a").exists, 10)
            assert until(lambda: len(descendants(coordinator.pid)) == 7, 5)  # 2 guards, 2 children, 3 programs
            pids = descendants(coordinator.pid)
            time.sleep(0.1)  # the other trial is inside its C call by now
        finally:
            coordinator.send_signal(how)
    assert until(lambda: not any(alive(pid) for pid in pids), 2.0)


def test_a_crash_costs_no_sibling_and_no_queued_job(executor):
    sibling = executor.submit(job("sleep", values={"seconds": 0.5}))
    bad = [executor.submit(job(deed)) for deed in ("segfault", "exit3")]
    queued = [executor.submit(job(trial=number)) for number in range(8)]
    assert sibling.result(10).failure is None
    assert [future.result(10).failure.kind for future in bad] == ["crashed", "crashed"]
    assert all(future.result(10).failure is None for future in queued)


def test_both_slots_work_at_once_and_name_themselves(executor):
    for future in [executor.submit(job("sleep", values={"seconds": 0.3})) for _ in range(2)]:
        future.result(10)
    began = time.monotonic()
    futures = [executor.submit(job("sleep", values={"seconds": 0.3})) for _ in range(2)]
    wait(futures)
    in_time(began, 0.55)
    assert {future.result().worker for future in futures} == {"process-0", "process-1"}
    assert executor.slots() == 2


@pytest.mark.slow
@pytest.mark.parametrize(("cores", "at_once"), [(1, 1), (2, 1), (3, 2), (4, 3), (5, 3)])
def test_of_more_workers_than_spare_cores_the_surplus_starts_with_the_first_outcome(monkeypatch, cores, at_once):
    monkeypatch.setattr(process, "usable_cores", lambda: cores)
    executor = ProcessExecutor(setup_for(), 3, service=HOSTILE)
    try:
        first = executor.submit(job("sleep", values={"seconds": 1.5}))
        assert until(first.running, 10)
        assert until(lambda: sum(slot.pid is not None for slot in executor._slots) >= at_once, 10)
        time.sleep(0.1)
        assert sum(slot.pid is not None for slot in executor._slots) == at_once
        assert not first.done()
        assert first.result(10).failure is None
        assert until(lambda: all(slot.pid is not None for slot in executor._slots), 10)
    finally:
        executor.close(kill=True)


def test_of_more_workers_than_cores_the_surplus_starts_when_there_is_work_for_it(monkeypatch):
    monkeypatch.setattr(process, "usable_cores", lambda: 1)
    executor = ProcessExecutor(setup_for(), 2, service=HOSTILE)
    try:
        both = [executor.submit(job("sleep", values={"seconds": 600})) for _ in range(2)]
        assert until(lambda: all(one.running() for one in both), 10)
    finally:
        executor.close(kill=True)


class Loading:
    """Stands for a slot: the first one's child is there at once, all others load until `ready`."""

    warm = True

    def __init__(self, started, ready, name):
        self.started, self.ready, self.name = started, ready, name

    def start(self):
        if self.name not in self.started:
            self.started.append(self.name)

    def run(self, job, sent):
        if self.name == "process-0":
            time.sleep(0.05)
        else:
            self.ready.wait(20)
        sent()
        return Outcome(worker=self.name)

    def cancel(self):
        self.ready.set()

    def uncancel(self):
        pass

    def close(self, kill):
        pass


def test_of_many_workers_on_few_cores_few_load_at_a_time_and_all_while_jobs_wait(monkeypatch):
    """Sixteen on two cores: a study of trials that take no time was over when all had loaded (32 s of CPU)."""
    started, ready = [], threading.Event()
    monkeypatch.setattr(process, "usable_cores", lambda: 2)
    monkeypatch.setattr(process, "Slot", lambda setup, name, **_: Loading(started, ready, name))
    executor = ProcessExecutor(setup_for(), 16)
    try:
        futures = [executor.submit(job(trial=number)) for number in range(20)]
        assert until(lambda: sum(future.done() for future in futures) == 18, 10)
        time.sleep(0.1)
        assert len(started) == 3
        ready.set()
        assert all(future.result(10).failure is None for future in futures)
    finally:
        executor.close(kill=True)
    assert not any(thread.is_alive() for thread in executor._threads)


def test_all_of_many_workers_start_while_there_are_jobs_for_them(monkeypatch):
    monkeypatch.setattr(process, "usable_cores", lambda: 2)
    executor = ProcessExecutor(setup_for(), 6, service=HOSTILE)
    try:
        futures = [executor.submit(job("sleep", values={"seconds": 600})) for _ in range(6)]
        assert until(lambda: all(one.running() for one in futures), 20)
        assert until(lambda: all(slot.pid is not None for slot in executor._slots), 10)
    finally:
        executor.close(kill=True)


def test_the_first_result_can_be_waited_for(executor):
    slow = executor.submit(job("sleep", values={"seconds": 0.5}))
    fast = executor.submit(job())
    done, _ = wait([slow, fast], return_when=FIRST_COMPLETED)
    assert done == {fast}


def test_a_child_has_its_next_job_before_the_last_ones_outcome_is_told(tmp_path):
    executor = ProcessExecutor(setup_for(), 1, service=HOSTILE)
    marker, seen = tmp_path / "next", []
    try:
        first = executor.submit(job("sleep", values={"seconds": 0.3}))
        first.add_done_callback(lambda _: seen.append(until(marker.exists, 5)))  # it holds up the slot's thread
        executor.submit(job("grandchild", options={"marker": str(marker)}))
        assert first.result(10).failure is None
        assert until(lambda: seen == [True], 6)
    finally:
        executor.close(kill=True)


def test_a_queued_job_is_cancelled_and_a_running_one_is_lost(executor):
    running = [executor.submit(job("sleep")) for _ in range(2)]
    queued = executor.submit(job())
    assert until(lambda: all(future.running() for future in running))
    executor.cancel(queued)
    assert queued.cancelled()
    began = time.monotonic()
    executor.cancel(running[0])
    outcome = running[0].result(5)
    assert outcome.failure is not None
    assert outcome.failure.kind == "lost"
    in_time(began, 0.6)
    assert executor.submit(job()).result(5).failure is None
    assert running[1].running()
    executor.cancel(queued)  # and nothing happens to a job that is over
    executor.cancel(running[0])
    assert executor.submit(job()).result(5).failure is None


def test_close_waits_for_what_runs_and_cancels_what_is_queued(executor):
    running = [executor.submit(job("sleep", values={"seconds": 0.4})) for _ in range(2)]
    queued = [executor.submit(job()) for _ in range(3)]
    assert until(lambda: all(future.running() for future in running))
    executor.close()
    executor.close()
    assert [future.result(0).failure for future in running] == [None, None]
    assert all(future.cancelled() for future in queued)
    with pytest.raises(RuntimeError, match="closed"):
        executor.submit(job())


def test_close_with_kill_is_over_at_once_and_leaves_no_process(executor):
    futures = [executor.submit(job("deaf")) for _ in range(3)]
    assert until(lambda: futures[1].running())
    sessions = [slot.pid for slot in executor._slots]
    pids = [pid for session in sessions for pid in [session, *guard.family(session)]]
    began = time.monotonic()
    executor.close(kill=True)
    in_time(began, 0.7)
    assert not any(alive(pid) for pid in pids)
    assert [future.result(0).failure.kind for future in futures[:2]] == ["lost", "lost"]
    assert futures[2].cancelled()
    executor.close(kill=True)


def test_an_executor_that_was_never_used_closes_at_once():
    began = time.monotonic()
    ProcessExecutor(setup_for(load="sleep"), 2, service=HOSTILE).close()
    in_time(began, 1)


def test_workers_that_cannot_start_are_told_by_the_future(monkeypatch):
    monkeypatch.setattr("hptune.spawn._BOOT", "import hptune_is_not_here")
    executor = ProcessExecutor(setup_for(), 1, service=HOSTILE)
    with pytest.raises(ExecutorUnreachable, match="hptune_is_not_here"):
        executor.submit(job()).result(10)
    executor.close()


def test_the_environment_of_a_child_limits_threads_and_fixes_the_hash_seed(executor, monkeypatch):
    environment = executor.submit(job("environment")).result(10).answer
    names = ("OMP", "OPENBLAS", "MKL", "NUMEXPR")
    assert {environment[f"{name}_NUM_THREADS"] for name in names} == {"3"}
    assert environment["VECLIB_MAXIMUM_THREADS"] == "3"
    assert environment["PYTHONHASHSEED"] == os.environ.get("PYTHONHASHSEED", "0")


def test_an_outcome_that_was_written_down_counts_even_if_the_reply_never_comes(executor, tmp_path):
    spool = tmp_path / "spool" / "4.json"
    # Path.replace calls os.replace, after which this child dies: written, never reported.
    outcome = executor.submit(job("spool_then_die", spool=str(spool))).result(10)
    assert outcome.failure is None
    assert outcome.measurements[0].score == 0.25
    assert spool_file.from_bytes(spool.read_bytes()).outcome.measurements[0].score == 0.25
    assert list(spool.parent.iterdir()) == [spool]


@pytest.mark.slow
def test_two_hundred_crashes_lose_no_innocent_job(executor):
    futures = [executor.submit(job("exit3" if number % 2 else "good")) for number in range(400)]
    kinds = [future.result(200).failure is not None for future in futures]
    assert kinds == [bool(number % 2) for number in range(400)]


def test_a_forked_copy_of_the_coordinator_does_not_keep_the_children_alive(executor):
    executor.submit(job()).result(10)
    assert until(lambda: all(slot.pid is not None for slot in executor._slots), 10)
    pids = [pid for slot in executor._slots for pid in [slot.pid, *guard.family(slot.pid)]]
    copy = os.fork()
    if copy == 0:
        time.sleep(5)
        os._exit(0)
    try:
        for slot in executor._slots:
            slot._child._close(slot._child._lifeline)  # what the kernel does when the coordinator dies
        assert until(lambda: not any(alive(pid) for pid in pids), 1.0)
    finally:
        os.kill(copy, signal.SIGKILL)
        os.waitpid(copy, 0)
