"""Faults are injected for real: each deed of `hostile.py` is done in a child, and the slot must tell what it was."""

from __future__ import annotations

import os
import resource
import signal
import sys
import threading
import time
from pathlib import Path

import pytest
from hostile_kit import HOSTILE, alive, job, setup_for, until

from hptune import guard
from hptune.errors import ExecutorUnreachable
from hptune.slot import IDLE_SECONDS, Slot, _Ended, _Watch
from tests.timing import in_time

DEATHS = {
    "segfault": "killed by signal 11 (SIGSEGV)",
    "abort": "killed by signal 6 (SIGABRT)",
    "exit3": "exited with code 3",
    "sigkill": "killed (likely out of memory)",
}
EXCEPTIONS = {
    "raise": "ValueError: two",
    "sysexit": "SystemExit: 3",
    "interrupt": "KeyboardInterrupt",
    "unpicklable": "UnpicklableError: cannot travel",
    "unspeakable": "UnspeakableError: (its message cannot be shown)",
    "memory_error": "MemoryError",
    "recursion": "RecursionError: maximum recursion depth exceeded",
    "nothing": "TypeError: expected an Outcome, the worker returned str",
}


def good(slot) -> bool:
    outcome = slot.run(job())
    return outcome.failure is None and outcome.measurements[0].score == 0.25


@pytest.mark.parametrize("deed", DEATHS)
def test_a_death_of_the_child_is_a_crash_with_its_manner_and_costs_no_other_job(shared_slot, deed):
    failure = shared_slot.run(job(deed)).failure
    assert failure is not None
    assert (failure.kind, failure.message) == ("crashed", DEATHS[deed])
    assert good(shared_slot)


@pytest.mark.parametrize("deed", EXCEPTIONS)
def test_whatever_is_raised_is_an_error_and_the_child_lives_on(shared_slot, deed):
    before = shared_slot.run(job("pid")).answer
    failure = shared_slot.run(job(deed)).failure
    assert failure is not None
    assert failure.kind == "error"
    assert failure.message.startswith(EXCEPTIONS[deed])
    assert failure.traceback is not None
    assert len(failure.traceback) <= 8000
    assert shared_slot.run(job("pid")).answer == before


@pytest.mark.parametrize("deed", ["nan", "not_json"])
def test_a_result_that_json_cannot_hold_is_invalid(shared_slot, deed):
    failure = shared_slot.run(job(deed)).failure
    assert failure is not None
    assert failure.kind == "invalid"
    assert good(shared_slot)


@pytest.mark.parametrize("deed", ["close_all", "close_streams", "fork_and_return", "leave_pool", "chdir"])
def test_the_next_job_does_not_notice_what_a_trial_left_behind(shared_slot, deed):
    before = shared_slot.run(job("pid")).answer
    assert shared_slot.run(job(deed)).failure is None
    assert shared_slot.run(job("sleep", values={"seconds": 0.1})).failure is None
    assert shared_slot.run(job("pid")).answer == before


MEDDLING = (
    "virtual timer", "profiling timer", "processor seconds", "file size", "memory", "open files", "children ignored",
    "signals blocked", "recursion", "numpy", "environment", "file modes",
)  # fmt: skip


@pytest.mark.parametrize("what", MEDDLING)
def test_the_next_job_does_not_suffer_from_what_a_trial_changed_of_the_process(shared_slot, tmp_path, what):
    before = shared_slot.run(job("pid")).answer
    spool = tmp_path / "1.json"
    assert shared_slot.run(job("meddle", values={"with": what}, spool=str(spool))).failure is None
    assert spool.exists()
    outcome = shared_slot.run(job("innocent", values={"long": what == "processor seconds"}))
    assert outcome.failure is None
    assert outcome.measurements[0].score == 1.0
    assert shared_slot.run(job("pid")).answer == before


def test_a_thread_that_goes_on_is_left_behind_with_its_child(shared_slot):
    before = shared_slot.run(job("pid")).answer
    assert shared_slot.run(job("leave_thread")).failure is None
    assert not shared_slot.warm
    outcome = shared_slot.run(job("pid"))
    assert outcome.failure is None
    assert outcome.answer["pid"] != before["pid"]


def test_open_files_that_trials_leave_cost_no_result_and_no_later_trial(tmp_path):
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (256, limits[1]))
    slot = Slot(setup_for(), service=HOSTILE)
    try:
        before = slot.run(job("pid")).answer
        few = slot.run(job("leave_files", values={"most": 20}))
        assert few.failure is None
        assert slot.run(job("pid")).answer == before
        spool = tmp_path / "1.json"
        # It takes long enough to be forced to the disk, for which the folder has to be opened, too.
        all_of_them = slot.run(job("leave_files", values={"most": 300}, spool=str(spool)))
        assert all_of_them.failure is None
        assert spool.exists()
        assert not slot.warm
        assert good(slot)
        assert slot.run(job("pid")).answer != before
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)
        slot.close(kill=True)


def test_tidying_up_that_fails_costs_the_child_and_not_the_outcome(slot, monkeypatch, tmp_path):
    (tmp_path / "sitecustomize.py").write_text(
        "from hptune import guard\ndef fail(*_, **__): raise OSError(24, 'Too many open files')\nguard.reap = fail\n"
    )
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path}{os.pathsep}{Path(guard.__file__).parents[1]}")
    for _ in range(2):
        assert good(slot)
        assert not slot.warm


def test_a_suspended_run_does_not_count_against_the_deadline(monkeypatch):
    now = 100.0
    monkeypatch.setattr("hptune.slot.time.monotonic", lambda: now)
    watch = _Watch(job(), None)
    watch.limit(4.0, "late")
    for awake in (True, False, True):
        now += watch.pause() if awake else watch.pause() + 60.0
        watch.woke()
        watch.look(None)
    assert watch.suspended == pytest.approx(60.0)
    now += 4.0 - 3 * IDLE_SECONDS
    with pytest.raises(_Ended, match="late"):
        watch.look(None)


def test_an_answer_that_came_in_time_counts_though_it_is_read_after_the_deadline(slot):
    class Late:
        """A child whose message comes between a look for it and the look at the clock."""

        leaves = gone = False
        said: list[dict] = []  # noqa: RUF012 - one child

        def receive(self):
            return self.said.pop() if self.said else None

        def wait(self, seconds, *, wake):
            self.said.append({"outcome": {"seconds": 1.0}})
            return True

    watch = _Watch(job(), None)
    watch.limit(0.0, "late")
    assert slot._answer(Late(), watch, "outcome") == {"seconds": 1.0}


def test_rubbish_in_the_reply_pipe_costs_the_job_and_no_other(shared_slot):
    failure = shared_slot.run(job("garbage")).failure
    assert failure is not None
    assert failure.kind == "crashed"
    assert good(shared_slot)


@pytest.mark.parametrize("deed", ["kill_guard", "stop_guard"])
def test_a_trial_that_attacks_its_guard_ends_all_the_same(shared_slot, deed):
    shared_slot.run(job())
    pids = [shared_slot.pid, *guard.family(shared_slot.pid)]
    began = time.monotonic()
    failure = shared_slot.run(job(deed, deadline=1.2)).failure
    assert failure is not None
    assert failure.kind in ("crashed", "timeout")
    in_time(began, 1.7)
    assert not any(alive(pid) for pid in pids)
    assert good(shared_slot)


def test_a_child_that_dies_between_two_jobs_costs_neither(shared_slot):
    assert shared_slot.run(job("die_later")).failure is None
    time.sleep(0.15)
    assert good(shared_slot)


@pytest.mark.parametrize("deed", ["sleep", "deaf", "hold_interpreter"])
def test_a_hung_trial_is_dead_half_a_second_after_its_deadline(shared_slot, deed):
    shared_slot.run(job())
    pids = [shared_slot.pid, *guard.family(shared_slot.pid)]
    began = time.monotonic()
    outcome = shared_slot.run(job(deed, deadline=0.3))
    late = time.monotonic() - began - 0.3
    assert outcome.failure is not None
    assert (outcome.failure.kind, outcome.failure.message) == ("timeout", "took longer than 0.3 s; killed")
    assert 0 <= late < 0.5
    assert len(pids) == 2
    assert not any(alive(pid) for pid in pids)


def test_a_deadline_kills_programs_in_other_groups_and_sessions_too(shared_slot, tmp_path):
    shared_slot.run(job())
    leader = shared_slot.pid
    pids: set[int] = set()

    def watch() -> None:
        until((tmp_path / "marker").exists)
        pids.update(guard.family(leader))

    watcher = threading.Thread(target=watch)
    watcher.start()
    outcome = shared_slot.run(job("grandchild", deadline=0.6, options={"marker": str(tmp_path / "marker")}))
    watcher.join()
    assert outcome.failure is not None
    assert outcome.failure.kind == "timeout"
    assert len(pids) == 4  # the child and three programs
    assert until(lambda: not any(alive(pid) for pid in pids), 0.1)


def test_loading_the_problem_does_not_count_against_the_deadline():
    slot = Slot(setup_for(load="sleep"), service=HOSTILE, load_seconds=0.5)
    failure = slot.run(job(deadline=0.01)).failure
    slot.close()
    assert failure is not None
    assert (failure.kind, failure.message) == ("timeout", "loading the problem took longer than 0.5 s")


@pytest.mark.parametrize("deed", ["hog", "hog_below"])
def test_a_session_above_its_memory_cap_is_killed_as_a_whole(shared_slot, deed):
    began = time.monotonic()
    outcome = shared_slot.run(job(deed, memory=200_000_000, deadline=20.0))
    assert outcome.failure is not None
    assert outcome.failure.kind == "memory"
    assert "the limit is 191 MiB" in outcome.failure.message
    assert outcome.peak_memory is not None
    assert outcome.peak_memory > 200_000_000
    in_time(began, 5)
    assert good(shared_slot)


def test_programs_that_a_trial_started_are_gone_after_it_and_the_child_is_not(shared_slot):
    before = shared_slot.run(job("pid")).answer
    outcome = shared_slot.run(job("leave_programs"))
    assert outcome.answer is not None
    pids = outcome.answer["pids"]
    assert len(pids) == 4
    # The last one has left the session and lost its parent; without a subreaper nobody can tell whose it was.
    findable = pids if sys.platform == "linux" else pids[:3]
    assert not any(alive(pid) for pid in findable)
    assert shared_slot.run(job("pid")).answer == before


def test_joblibs_workers_live_from_trial_to_trial_and_end_with_the_child(slot, tmp_path):
    log = tmp_path / "joblib.log"
    outcomes = [slot.run(job("joblib", log=str(log))) for _ in range(3)]
    assert [outcome.failure for outcome in outcomes] == [None] * 3
    workers = {pid for outcome in outcomes for pid in outcome.answer["pids"]}
    assert len(workers) <= 2
    assert log.read_text() == ""  # no "resource_tracker died", no TerminatedWorkerError
    pids = [slot.pid, *guard.family(slot.pid)]
    assert workers < set(pids)
    began = time.monotonic()
    slot.close()
    in_time(began, 1.5)
    assert not any(alive(pid) for pid in pids)


def test_cancel_from_another_thread_ends_the_job_as_lost(shared_slot):
    shared_slot.run(job())
    threading.Timer(0.1, shared_slot.cancel).start()
    began = time.monotonic()
    outcome = shared_slot.run(job("sleep"))
    shared_slot.uncancel()
    assert outcome.failure is not None
    assert outcome.failure.kind == "lost"
    in_time(began, 0.6)
    assert good(shared_slot)


def test_a_cancelled_callable_is_asked_while_the_job_runs(shared_slot):
    began = time.monotonic()
    outcome = shared_slot.run(job("sleep"), cancelled=lambda: time.monotonic() - began > 0.3)
    assert outcome.failure is not None
    assert outcome.failure.kind == "lost"
    in_time(began, 1.5)


def test_a_child_that_dies_while_loading_is_a_crash_with_its_last_words():
    slot = Slot(setup_for(load="segfault"), service=HOSTILE)
    failure = slot.run(job()).failure
    slot.close()
    assert failure is not None
    assert failure.kind == "crashed"
    assert failure.message == "while loading the problem: killed by signal 11 (SIGSEGV)"
    assert "about to die" in (failure.traceback or "")


def test_a_problem_that_cannot_be_loaded_is_the_answer_to_every_job():
    slot = Slot(setup_for(load="raise"), service=HOSTILE)
    failures = [slot.run(job()).failure for _ in range(2)]
    slot.close()
    assert failures[0] == failures[1]
    assert failures[0] is not None
    assert failures[0].message == "loading the problem failed: FileNotFoundError: train.csv"


def test_a_child_that_cannot_start_is_unreachable_and_says_why(monkeypatch):
    monkeypatch.setattr("hptune.spawn._BOOT", "raise ImportError('no hptune here')")
    slot = Slot(setup_for(), service=HOSTILE)
    with pytest.raises(ExecutorUnreachable, match=r"exited with code 1(?s:.*)no hptune here"):
        slot.run(job())
    slot.close()


def test_an_interpreter_that_is_not_there_is_unreachable(monkeypatch):
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    slot = Slot(setup_for(), service=HOSTILE)
    with pytest.raises(ExecutorUnreachable, match="cannot start a worker process"):
        slot.start()
    slot.close()


def test_a_crash_with_a_log_carries_the_end_of_the_log(shared_slot, tmp_path):
    failure = shared_slot.run(job("segfault", log=str(tmp_path / "7.log"))).failure
    assert failure is not None
    assert "last words" in (failure.traceback or "")
    assert "Segmentation fault" in (failure.traceback or "")


def test_descriptors_do_not_grow_with_crashes(slot):
    slot.run(job("exit3"))
    before = len(list(Path("/dev/fd").iterdir()))
    for _ in range(3):
        slot.run(job("exit3"))
    assert len(list(Path("/dev/fd").iterdir())) == before


def test_a_closed_slot_leaves_no_process_even_with_a_thread_that_does_not_end(slot):
    slot.run(job("leave_thread"))
    pids = [slot.pid, *guard.family(slot.pid)]
    began = time.monotonic()
    slot.close()
    slot.close()
    in_time(began, 1)
    assert not any(alive(pid) for pid in pids)
    with pytest.raises(ValueError, match="closed"):
        slot.start()


def test_a_child_killed_before_its_hello_is_replaced_and_the_job_runs(slot):
    slot.start()
    os.kill(slot.pid, signal.SIGSTOP)  # the guard: it cannot start the child
    os.kill(slot.pid, signal.SIGKILL)
    assert slot.run(job()).failure is None
