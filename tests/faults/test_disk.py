"""Full, read-only, dying and vanishing disks; two processes on one study; a result read while it is written."""

from __future__ import annotations

import json
import os
import platform
import resource
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from hptune import journal as jn
from hptune.errors import DirectoryUnusable
from hptune.objective import Objective
from hptune.report.files import write_whole
from hptune.study import Study
from tests.faults.kernel import fill, read_only, refuse_fsync, small_disk
from tests.faults.kit import Project, history_of, journal_of, until
from tests.faults.measure import measured
from tests.memory.test_journal import SPACE, loss, run

pytestmark = pytest.mark.faults


def one_line(err: str) -> str:
    assert "Traceback" not in err
    lines = [line for line in err.splitlines() if line.startswith("error:")]
    assert len(lines) == 1, err
    return lines[0]


def test_a_file_that_can_grow_no_further_at_any_write_loses_nothing(memory: Path) -> None:
    """RLIMIT_FSIZE refuses every write beyond a byte, whole or in its middle; then it is lifted."""
    whole = run(memory / "whole", 5)
    length = (memory / "whole" / jn.NAME).stat().st_size
    old = resource.getrlimit(resource.RLIMIT_FSIZE)
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    limits = range(700, length, 5)
    for limit in limits:
        folder = memory / f"limit-{limit}"
        try:
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, old[1]))
            with pytest.raises(DirectoryUnusable, match=r"cannot write to .*journal\.jsonl: .* MB free"):
                run(folder, 5)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, old)
        assert journal_of(folder)[-1:] in (b"", b"\n")
        assert run(folder, 5) == whole
        shutil.rmtree(folder)
    measured("full", "limit", points=len(limits), usable=len(limits), lost=0)


def test_a_full_disk_at_any_moment_loses_nothing_once_there_is_room(tmp_path: Path) -> None:
    """A disk of 64 kB that another file fills while the study runs, trial after trial; retried while it is full."""
    whole = run(tmp_path / "whole", 200)
    filled = 0
    with small_disk(tmp_path / "disk", 64) as disk:
        for leave in range(0, 40960, 2048):
            folder = disk / "run"
            filler = fill(disk, leave + 4096)
            for attempt in range(2):
                with pytest.raises(DirectoryUnusable, match=r"No space left on device; .* MB free there"):
                    run(folder, 200)
                acknowledged = journal_of(folder)
                assert acknowledged[-1:] in (b"", b"\n")
                filled += attempt == 0
            known = jn.scan(acknowledged, folder).events
            filler.unlink()
            assert run(folder, 100) == whole[:100]
            assert jn.read(folder).events[: len(known)] == known
            shutil.rmtree(folder)
    measured("full", "disk", points=filled, usable=filled, lost=0)


def test_the_command_line_says_the_disk_is_full_in_one_line_and_goes_on_when_there_is_room(tmp_path: Path) -> None:
    project = Project(tmp_path / "project", trials=40, sleep="0.02")
    whole = project.finish(tmp_path / "whole")
    with small_disk(tmp_path / "disk", 96) as disk:
        process = project.start(disk / "run")
        assert until(lambda: journal_of(disk / "run").count(b"fold_scored") >= 4, 90)
        filler = fill(disk)
        _, err = process.communicate(timeout=90)
        assert process.returncode == 6, err
        assert "MB free" in one_line(err)
        filler.unlink()
        assert project.finish(disk / "run") == whole
    measured("full", "command", points=1, usable=1, lost=0)


def test_trials_that_fail_for_want_of_space_are_not_the_trials_fault(tmp_path: Path) -> None:
    """Each trial prints 10 kB into its log, which is on the full disk: none may be recorded as failed."""
    noisy = 'def measure(values):\n    print("x" * 10_000, flush=True)\n    return values["x"]\n'
    project = Project(tmp_path / "project", trials=300, objective=noisy)
    with small_disk(tmp_path / "disk", 2048) as disk:
        process = project.start(disk / "run")
        assert until(lambda: journal_of(disk / "run").count(b"fold_scored") >= 4, 90)
        filler = fill(disk)
        _, err = process.communicate(timeout=90)
        assert process.returncode == 6, err
        one_line(err)
        assert history_of(disk / "run").count("failed") == 0
        filler.unlink()
        project.finish(disk / "run")
        assert history_of(disk / "run").count("completed") == 300
    measured("full", "prints", points=1, usable=1, lost=0)


def test_a_read_only_directory_is_refused_in_one_line_before_any_trial(tmp_path: Path) -> None:
    project = Project(tmp_path / "project")
    with small_disk(tmp_path / "disk", 512) as disk:
        for made in (False, True):
            if made:
                project.finish(disk / "run", "--trials", "3")
            calls = (project.folder / "calls.txt").read_text() if made else ""
            read_only(disk)
            process = project.start(disk / "run")
            _, err = process.communicate(timeout=90)
            read_only(disk, on=False)
            assert process.returncode == 6, err
            assert str(disk) in one_line(err)
            assert not made or (project.folder / "calls.txt").read_text() == calls
            assert made or not (project.folder / "calls.txt").exists()
    measured("read-only", "all", runs=2, trials_run=0, max_lines=1)


def test_a_directory_removed_while_running_is_said_in_one_line(tmp_path: Path) -> None:
    project, place = Project(tmp_path / "project", trials=2000), tmp_path / "run"
    process = project.start(place)
    assert until(lambda: journal_of(place).count(b"fold_scored") >= 2, 90)
    began = time.monotonic()
    while place.exists():
        shutil.rmtree(place, ignore_errors=True)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 6, err
    assert "removed" in one_line(err) or "cannot" in one_line(err)
    measured("removed", "all", runs=1, max_seconds=time.monotonic() - began)


@pytest.mark.skipif(platform.machine() not in ("x86_64", "aarch64"), reason="system call numbers")
def test_a_failed_fsync_is_fatal_and_never_retried(tmp_path: Path) -> None:
    """In a fork whose kernel refuses fsync; what was told before is there afterwards."""
    pid = os.fork()
    if pid == 0:
        code = 9
        try:
            study = Study(SPACE, Objective("loss", "minimize"), "random", 7, directory=tmp_path / "run")
            for _ in range(3):
                trial = study.ask()
                study.tell(trial.number, loss(trial.values))
            trial = study.ask()
            refuse_fsync()
            words = []
            for attempt in range(2):
                try:
                    study.tell(trial.number, 0.5) if attempt == 0 else study.ask()
                except DirectoryUnusable as error:
                    words.append(str(error))
            study.close()
            good = len(words) == 2 and "cannot save" in words[0] and "closed for writing" in words[1]
            code = 0 if good else 8
        finally:
            os._exit(code)
    _, status = os.waitpid(pid, 0)
    assert os.waitstatus_to_exitcode(status) == 0
    assert history_of(tmp_path / "run").count("completed") >= 3
    measured("fsync", "all", failed=1, retried=0, lost=0)


def test_two_processes_on_one_study_run_each_trial_once(tmp_path: Path) -> None:
    held = """import os, time

def measure(values):
    here = os.path.dirname(__file__)
    while os.path.exists(os.path.join(here, "hold")):
        time.sleep(0.02)
    with open(os.path.join(here, "calls.txt"), "a") as calls:
        calls.write(f"{values}\\n")
    return values["x"]
"""
    for number in range(5):
        project, place = (
            Project(tmp_path / f"project-{number}", trials=30, objective=held),
            tmp_path / f"run-{number}",
        )
        (project.folder / "hold").write_text("")
        first = project.start(place)
        assert until(lambda place=place: journal_of(place).count(b"trial_started") >= 1, 90)
        began = time.monotonic()
        with pytest.raises(jn.StudyLocked, match=rf"in use by process {first.pid} on \S+"):
            jn.Journal(place)
        seconds = time.monotonic() - began
        second = project.start(place)
        _, err = second.communicate(timeout=60)
        assert second.returncode == 5, err
        assert f"in use by process {first.pid} on" in one_line(err)
        (project.folder / "hold").unlink()
        first.communicate(timeout=120)
        assert first.returncode == 0
        assert len((project.folder / "calls.txt").read_text().splitlines()) == 30
        measured("two", str(number), runs=1, refused=1, extra=0, max_refused_ms=1000 * seconds)


def test_two_processes_begun_at_the_same_moment_run_each_trial_once(tmp_path: Path) -> None:
    project, place = Project(tmp_path / "project", trials=30, sleep="0.3"), tmp_path / "run"
    both = [project.start(place), project.start(place)]
    said = [one.communicate(timeout=120)[1] for one in both]
    assert sorted(one.returncode for one in both) == [0, 5], said
    assert len((project.folder / "calls.txt").read_text().splitlines()) == 30
    assert history_of(place).count("completed") == 30
    measured("two", "same-moment", runs=1, refused=1, extra=0)


def test_a_result_read_a_thousand_times_while_it_is_written_is_always_whole(tmp_path: Path) -> None:
    path = tmp_path / "result.json"
    write_whole(path, "{}")
    code = (
        "import sys, json; from pathlib import Path; from hptune.report.files import write_whole\n"
        "n = 0\nwhile True:\n    n += 1\n    write_whole(Path(sys.argv[1]), json.dumps({'n': n, 'x': 'y' * 50000}))"
    )
    writer = subprocess.Popen([sys.executable, "-c", code, str(path)])
    broken, seen = 0, set()
    try:
        assert until(lambda: path.stat().st_size > 2, 30)
        for _ in range(1000):
            try:
                seen.add(json.loads(path.read_bytes())["n"])
            except ValueError:
                broken += 1
            time.sleep(0.001)
    finally:
        writer.kill()
        writer.wait()
    measured("result-read", "all", reads=1000, versions=len(seen), broken=broken)
    assert broken == 0
    assert len(seen) > 10
