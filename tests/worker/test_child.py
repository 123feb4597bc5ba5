"""The child's manners: output, the spool, descriptors, signals; and the guard around user code by itself."""

from __future__ import annotations

import dataclasses
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parents[1] / "executors"))
from hostile_kit import HOSTILE, job, setup_for

from hptune import guard, logfile, spool_file
from hptune.frames import MAX_FRAME, FrameBuffer, FrameError, pack, read_frame
from hptune.job import Outcome
from hptune.slot import Slot
from hptune.trial import Failure, Measurement
from hptune.worker.guarded import Guarded, encode, write_spool


@pytest.fixture(scope="module")
def slot() -> Iterator[Slot]:
    slot = Slot(setup_for(), service=HOSTILE)
    yield slot
    slot.close()


def test_what_a_trial_prints_goes_to_its_own_log_and_nowhere_else(slot, tmp_path, capfd):
    logs = [tmp_path / "logs" / f"{number}.log" for number in range(2)]
    for number in (0, 1, 0):
        slot.run(job("print", trial=number, log=str(logs[number])))
        slot.run(job("print", trial=99))  # no log: to nowhere
    assert sorted(logs[0].read_text().split("\n")) == sorted(["", *["out 0", "err 0", "shell 0"] * 2])
    assert sorted(logs[1].read_text().split("\n")) == ["", "err 1", "out 1", "shell 1"]
    assert capfd.readouterr() == ("", "")


def test_a_log_that_cannot_be_written_costs_no_trial(slot, tmp_path):
    (tmp_path / "file").write_text("")
    assert slot.run(job("print", log=str(tmp_path / "file" / "x.log"))).failure is None


def test_twenty_megabytes_of_output_leave_a_log_of_one_with_head_and_tail(slot, tmp_path):
    log = tmp_path / "much.log"
    assert slot.run(job("print_much", log=str(log))).failure is None
    lines = log.read_text().splitlines()
    assert log.stat().st_size <= logfile.KEEP
    assert int(lines[0]) == 0
    assert int(lines[-1]) == 199_999
    assert sum("left out" in line for line in lines) == 1
    assert list(tmp_path.iterdir()) == [log]


def test_a_log_being_written_is_held_below_its_limit(tmp_path):
    log = tmp_path / "running.log"
    log.write_bytes(b"a" * (logfile.KEEP + 5))
    logfile.hold(log, limit=logfile.KEEP + 5)
    assert log.stat().st_size == logfile.KEEP + 5
    logfile.hold(log, limit=logfile.KEEP)
    assert log.stat().st_size == logfile.KEEP // 2
    logfile.hold(tmp_path / "none")
    logfile.trim(tmp_path / "none")
    assert logfile.tail(tmp_path / "none") == ""
    assert logfile.tail(log, 3) == "aaa"


def test_programs_of_a_trial_get_the_default_ctrl_c_while_the_child_ignores_it(slot):
    assert slot.run(job("interrupt_disposition")).measurements[0].score == 1.0


def test_a_spool_that_cannot_be_written_does_not_cost_the_outcome(slot, tmp_path):
    (tmp_path / "file").write_text("")
    spool, log = str(tmp_path / "file" / "1.json"), tmp_path / "1.log"
    assert slot.run(job(spool=spool, log=str(log))).failure is None
    assert "cannot write" in log.read_text()


def test_the_spool_holds_what_was_answered_and_no_temporary_file(slot, tmp_path):
    outcome = slot.run(job(spool=str(tmp_path / "1.json"), folds=(0, 1)))
    spooled = spool_file.from_bytes((tmp_path / "1.json").read_bytes()).outcome
    assert dataclasses.replace(spooled, worker=outcome.worker) == outcome
    assert [path.name for path in tmp_path.iterdir()] == ["1.json"]


def test_a_failed_spool_leaves_no_temporary_file(tmp_path, monkeypatch):
    def full(fd):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        write_spool(str(tmp_path / "1.json"), b"{}")
    assert list(tmp_path.iterdir()) == []


def test_the_traceback_of_a_failure_is_capped(slot):
    failure = slot.run(job("failed")).failure
    assert failure == Failure("error", "x" * 10, "y" * 8000)


def test_the_child_loads_nothing_heavy_before_its_hello():
    code = "import sys; before = set(sys.modules); import hptune.worker.child; print(*set(sys.modules) - before)"
    done = subprocess.run([sys.executable, "-I", "-c", code], capture_output=True, text=True, check=True)
    heavy = {"numpy", "pydantic", "dataclasses", "inspect", "psutil", "pathlib", "subprocess", "hptune.job"}
    assert set(done.stdout.split()) & heavy == set()


def test_the_child_refuses_to_be_started_by_hand():
    code = "from hptune.worker.child import main; main(['', '3', '4', 'x:y'])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "never by hand" in done.stderr


def test_no_exception_escapes_its_description():
    class Worst(BaseException):
        def __str__(self):
            raise self

    failure = Failure.of(Worst(), "loading: ")
    assert failure.message == "loading: Worst: (its message cannot be shown)"
    assert Failure.of(ValueError()).message == "ValueError"
    assert len(Failure.of(ValueError("x" * 9000)).message) <= 500


def test_a_guarded_worker_that_cannot_be_made_fails_every_job():
    def make():
        raise SystemExit(3)

    guarded = Guarded(make)
    assert guarded.run(job()) == guarded.run(job())
    assert guarded.run(job()).failure is not None
    with pytest.raises(KeyboardInterrupt):
        Guarded(lambda: (_ for _ in ()).throw(KeyboardInterrupt()), interrupts=True)


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), object(), {1, 2}, "\ud800"])
def test_an_outcome_json_cannot_hold_is_encoded_as_invalid_or_whole(bad):
    data = json.loads(encode(Outcome(answer={"x": bad}, seconds=2.0)))
    assert data["seconds"] == 2.0
    assert (data["failure"] or {}).get("kind") == (None if isinstance(bad, str) else "invalid")


def test_an_outcome_survives_encoding():
    outcome = Outcome(
        measurements=(Measurement(1, 0.1, 0.2, {"r2": 0.3}),), reports=((0, 1.0, 2.0),), answer={"a": [1, None]}
    )
    assert Outcome.from_json(json.loads(encode(outcome))) == outcome


def test_frames_come_out_as_they_went_in_however_they_are_cut():
    stream = pack(b"one") + pack(b"") + pack(b"three")
    for step in range(1, len(stream) + 1):
        buffer, out = FrameBuffer(), []
        for start in range(0, len(stream), step):
            buffer.feed(stream[start : start + step])
            while (payload := buffer.pop()) is not None:
                out.append(payload)
        assert out == [b"one", b"", b"three"]


def test_a_frame_too_large_is_refused_on_both_sides():
    with pytest.raises(FrameError):
        pack(bytes(MAX_FRAME + 1))
    buffer = FrameBuffer()
    buffer.feed((MAX_FRAME + 1).to_bytes(4, "big"))
    with pytest.raises(FrameError):
        buffer.pop()


def test_a_stream_that_ends_inside_a_frame_is_an_end():
    for sent in (b"", pack(b"abc")[:2], pack(b"abc")[:-1]):
        out, into = os.pipe()
        os.write(into, sent)
        os.close(into)
        assert read_frame(out) is None
        os.close(out)


def test_the_family_of_process_one_is_never_killed():
    for leader in (1, 0, -1):
        with pytest.raises(ValueError, match="above 1"):
            guard.end_family(leader)


def test_the_listing_by_ps_agrees_with_proc():
    rows = {row[0]: row for row in guard._processes_ps()}
    mine = rows[os.getpid()]
    assert mine[1:3] == (os.getppid(), os.getsid(0))
    assert mine[3] > 10_000_000
    assert {row[0]: row[:3] for row in guard.processes()}[os.getpid()] == mine[:3]
