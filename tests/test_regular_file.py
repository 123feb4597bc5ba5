"""Files that may be a stranger's, and the logs: no link is followed, no pipe waited for, no device read without end."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from hptune import logfile
from hptune.regular_file import NoRegularFile, contents, created, opened


def test_what_a_file_holds_is_read_whole_up_to_a_limit(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"abc")
    assert contents(path, 3) == b"abc"
    with pytest.raises(NoRegularFile, match="expected at most 2 bytes, found 3"):
        contents(path, 2)
    assert contents(Path("/proc/self/cmdline"), 2**20)  # tells no size
    with pytest.raises(NoRegularFile, match="expected at most 3 bytes, found"):
        contents(Path("/proc/self/cmdline"), 3)


def test_pipes_devices_folders_and_unwanted_links_are_refused_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "zero").symlink_to("/dev/zero")
    for path in (tmp_path / "fifo", tmp_path / "zero", tmp_path):
        with pytest.raises(NoRegularFile, match="expected a file, found something else"):
            opened(path)
    (tmp_path / "link").symlink_to(tmp_path / "file")
    (tmp_path / "file").write_bytes(b"abc")
    assert contents(tmp_path / "link", 3) == b"abc"
    with pytest.raises(OSError, match="symbolic link"):
        contents(tmp_path / "link", 3, follow=False)


def test_a_new_file_takes_the_place_of_a_link(tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_text("precious")
    (tmp_path / "new").symlink_to(victim)
    os.close(created(tmp_path / "new"))
    assert victim.read_text() == "precious"
    assert not (tmp_path / "new").is_symlink()


def test_a_log_is_cut_beside_a_link_under_the_name_of_its_shorter_half(tmp_path: Path) -> None:
    log, victim = tmp_path / "trial.log", tmp_path / "victim"
    victim.write_text("precious")
    log.write_bytes(b"x" * (2 * logfile.KEEP))
    log.chmod(0o640)
    (tmp_path / "trial.log.tmp").symlink_to(victim)
    logfile.trim(log)
    assert victim.read_text() == "precious"
    assert log.stat().st_size == logfile.KEEP
    assert log.stat().st_mode & 0o777 == 0o640
    assert sorted(one.name for one in tmp_path.iterdir()) == ["trial.log", "victim"]


def test_a_logs_tail_is_not_that_of_another_file(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("secret")
    (tmp_path / "trial.log").symlink_to(tmp_path / "secret")
    assert logfile.tail(tmp_path / "trial.log") == ""
    assert logfile.tail(tmp_path / "secret") == "secret"
