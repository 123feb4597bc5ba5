"""The journal at its edges: forged and foreign records, what an earlier process left behind, failures that come twice."""

from __future__ import annotations

import errno
import json
import os
import socket
import zlib
from pathlib import Path
from typing import Any

import pytest

from hptune import events as ev
from hptune import journal as jn
from hptune.errors import DirectoryUnusable, JournalDamaged
from hptune.events import FORMAT, Event
from tests.memory.test_journal import run


@pytest.fixture
def recorded(tmp_path: Path) -> bytes:
    run(tmp_path / "whole", 3)
    return (tmp_path / "whole" / jn.NAME).read_bytes()


def forged(body: str) -> bytes:
    """Return a line of which the checksum is right, whatever it holds."""
    return b'{"crc":"%08x",%s\n' % (zlib.crc32(body.encode()), body[1:].encode())


def with_format(data: bytes, format: Any) -> bytes:
    """Return the journal with another format in its first record."""
    first, _, rest = data.partition(b"\n")
    fields = {key: value for key, value in json.loads(first).items() if key != "crc"}
    return forged(json.dumps({**fields, "format": format}, separators=(",", ":"))) + rest


def put(folder: Path, data: bytes) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / jn.NAME).write_bytes(data)
    return folder


def events(data: bytes) -> tuple[Event, ...]:
    return jn.scan(data, Path("x")).events


# -- records that are not ours --------------------------------------------------------------------------------------


@pytest.mark.parametrize("line", [b"not a record\n", b'{"crc":"00000000","seq":0}\n', b"\0" * 4096 + b"\n"])
def test_a_file_that_is_no_journal_is_left_as_it_is(tmp_path: Path, line: bytes) -> None:
    folder = put(tmp_path / "run", line)
    with pytest.raises(JournalDamaged, match=r"journal\.jsonl:1: damaged at byte 0: "):
        jn.Journal(folder)
    assert (folder / jn.NAME).read_bytes() == line
    assert not (folder / jn.TORN).exists()


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ('{"seq":3,"type":' + "[" * 100_000 + "]" * 100_000 + "}", "nested too deep"),
        ('{"seq":3,"type":"study_ended","time":1.0,"reason":"trials"}{}', "expected an object"),
        ('{"seq":3,"type":"study_ended","time":1.0,"reason":"trials"} ', "expected an object"),
    ],
    ids=["nested", "followed", "blank"],
)
def test_a_forged_record_is_refused_and_not_taken_for_a_torn_one(
    tmp_path: Path, recorded: bytes, body: str, said: str
) -> None:
    sound = b"".join(recorded.splitlines(keepends=True)[:3])
    folder = put(tmp_path / "run", sound + forged(body))
    with pytest.raises(JournalDamaged, match=rf"journal\.jsonl:4: damaged at byte {len(sound)}: {said}"):
        jn.Journal(folder)


@pytest.mark.parametrize("format", [0, -1, FORMAT + 1, "1", None, 1.0])
def test_a_format_that_is_none_of_ours_asks_for_a_newer_hptune_and_not_for_a_repair(
    tmp_path: Path, recorded: bytes, format: Any
) -> None:
    folder = put(tmp_path / "run", with_format(recorded, format))
    with pytest.raises(JournalDamaged, match="open it with a newer hptune") as refused:
        jn.Journal(folder)
    assert f"has format {format}" in str(refused.value)
    assert "repair" not in str(refused.value)
    assert "damaged" not in str(refused.value)


# -- what a write that fails leaves ---------------------------------------------------------------------------------


def full(monkeypatch: pytest.MonkeyPatch, journal: jn.Journal, event: Event) -> None:
    """Let the disk be full after some bytes of the next record."""

    def some(handle: int, data: bytes) -> int:
        if len(data) <= 20:
            raise OSError(28, "No space left on device")
        return real(handle, data[:20])

    real = os.write
    with monkeypatch.context() as patch:
        patch.setattr(os, "write", some)
        with pytest.raises(DirectoryUnusable, match="No space left"):
            journal.append(event)


@pytest.mark.parametrize("newline", [True, False])
@pytest.mark.parametrize("upgraded", [True, False])
def test_a_full_disk_leaves_the_records_before_it_and_the_next_write_goes_on(
    tmp_path: Path, recorded: bytes, monkeypatch: pytest.MonkeyPatch, newline: bool, upgraded: bool
) -> None:
    """Also right after opening a journal that lacks its last newline, or one of an earlier format."""
    *some, last = recorded.splitlines(keepends=True)
    before = b"".join(some)
    if upgraded:
        for module in (ev, jn):
            monkeypatch.setattr(module, "FORMAT", 10)  # of two digits: the file gets longer
        for step in range(FORMAT, 10):
            monkeypatch.setitem(ev.UPGRADES, step, lambda data: data)
    folder = put(tmp_path / "run", before if newline else before[:-1])
    journal = jn.Journal(folder)
    held = (folder / jn.NAME).read_bytes()
    assert held.endswith(b"\n")
    assert upgraded == (held != before)
    event = events(recorded)[-1]
    full(monkeypatch, journal, event)
    assert (folder / jn.NAME).read_bytes() == held
    journal.append(event)
    journal.close()
    assert (folder / jn.NAME).read_bytes() == held + last


def test_a_record_of_which_only_a_part_was_written_at_first_is_written_whole(
    tmp_path: Path, recorded: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = jn.Journal(put(tmp_path / "run", b"".join(recorded.splitlines(keepends=True)[:-1])))
    real = os.write
    with monkeypatch.context() as patch:
        patch.setattr(os, "write", lambda handle, data: real(handle, data[: max(len(data) // 2, 40)]))
        journal.append(events(recorded)[-1])
    journal.close()
    assert (tmp_path / "run" / jn.NAME).read_bytes() == recorded


def test_a_journal_given_up_is_closed_in_peace_and_tells_its_first_reason(tmp_path: Path, recorded: bytes) -> None:
    journal = jn.Journal(put(tmp_path / "run", b"".join(recorded.splitlines(keepends=True)[:-1])))
    journal.append(events(recorded)[-1])
    journal.give_up("the first reason")
    journal.give_up("another reason")
    with pytest.raises(DirectoryUnusable, match="closed for writing: the first reason"):
        journal.append(events(recorded)[-1])
    journal.close()  # although a record was not synced
    jn.Journal(tmp_path / "run").close()


# -- what others left behind ----------------------------------------------------------------------------------------


def test_two_torn_records_are_kept_one_below_the_other(tmp_path: Path, recorded: bytes) -> None:
    last = recorded.splitlines()[-1]
    for cut in (7, 9):
        jn.Journal(put(tmp_path / "run", recorded[:-cut])).close()
    assert (tmp_path / "run" / jn.TORN).read_bytes().splitlines() == [last[:-6], last[:-8]]


def test_a_repair_that_was_killed_does_not_stand_in_the_way_of_the_next(tmp_path: Path, recorded: bytes) -> None:
    folder = put(tmp_path / "run", recorded)
    (folder / f"{jn.NAME}.new").write_bytes(b"half of a jour")
    (folder / "kept").symlink_to(tmp_path / "nowhere")  # a name that is taken, although nothing is behind it
    (folder / "kept-2").write_bytes(b"an earlier one")
    kept = jn.put_in_place(folder, events(recorded)[:2], "kept")
    assert kept == folder / "kept-3"
    assert kept.read_bytes() == recorded
    assert (folder / jn.NAME).read_bytes() == b"".join(recorded.splitlines(keepends=True)[:2])
    assert not (folder / f"{jn.NAME}.new").exists()
    assert not (tmp_path / "nowhere").exists()


def test_the_lock_names_its_holder_without_the_rest_of_a_longer_name_before(tmp_path: Path) -> None:
    (tmp_path / jn.LOCK).write_text("process 4194304 on a-machine-with-a-very-long-name." + "x" * 100 + "\n")
    journal = jn.Journal(tmp_path)
    assert (tmp_path / jn.LOCK).read_text() == f"process {os.getpid()} on {socket.gethostname()}\n"
    journal.close()


@pytest.mark.parametrize(("number", "room"), [(errno.ENOENT, False), (errno.EACCES, False), (errno.ENOSPC, True)])
def test_the_free_space_is_told_of_a_full_disk_only(number: int, room: bool, tmp_path: Path) -> None:
    with pytest.raises(DirectoryUnusable) as caught, jn.disk(tmp_path / "x", "create"):
        raise OSError(number, "no")
    assert ("MB free there" in str(caught.value)) is room
