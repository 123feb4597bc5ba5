"""The journal: cut anywhere, flipped anywhere, full disk, two writers."""

from __future__ import annotations

import json
import os
import resource
import signal
import subprocess
import sys
import zlib
from pathlib import Path
from typing import Any

import pytest

from hptune import journal as jn
from hptune.errors import DirectoryUnusable, JournalDamaged, StudyLocked
from hptune.objective import Objective
from hptune.oracles import ORACLES
from hptune.replay import replay
from hptune.study import Study
from tests.conftest import SPACES

SPACE = SPACES["extras and fixed"]


def loss(values: Any) -> float:
    return zlib.crc32(SPACE.key(values).encode()) / 2**32


def run(folder: Path, trials: int = 8, oracle: str = "random", lookahead: int = 1) -> list[tuple[Any, ...]]:
    """Run or continue a study up to `trials` trials and return what its trials are."""
    with Study(
        SPACE,
        Objective("loss", "minimize"),
        oracle=oracle,
        seed=7,
        directory=folder,
        lookahead=lookahead,
        clock=lambda: 1.0,
    ) as study:
        while study.history.count("completed") < trials:
            trial = study.ask()
            study.tell(trial.number, loss(trial.values))
        return [(t.number, SPACE.key(t.values), t.score, t.status) for t in study.history.trials]


@pytest.fixture
def recorded(tmp_path: Path) -> tuple[bytes, list[tuple[Any, ...]]]:
    trials = run(tmp_path / "whole", 5)
    return (tmp_path / "whole" / jn.NAME).read_bytes(), trials


@pytest.mark.parametrize(("oracle", "step"), [(name, 37) for name in sorted(ORACLES)])
def test_a_journal_cut_at_any_byte_resumes_to_the_uninterrupted_study(tmp_path: Path, oracle: str, step: int) -> None:
    """Every byte in the fault tests; here every 37th, which still falls into every record."""
    whole = run(tmp_path / "whole", 5, oracle)
    data = (tmp_path / "whole" / jn.NAME).read_bytes()
    start = data.index(b"\n") + 1
    for cut in [0, *range(start, len(data) + 1, step)]:
        folder = tmp_path / f"cut-{cut}"
        folder.mkdir()
        (folder / jn.NAME).write_bytes(data[:cut])
        assert run(folder, 5, oracle) == whole, cut


def test_a_cut_tail_is_kept_beside_the_journal_and_said(tmp_path: Path, recorded: Any) -> None:
    data, _ = recorded
    (tmp_path / jn.NAME).write_bytes(data[:-7])
    journal = jn.Journal(tmp_path)
    journal.close()
    assert "half-written" in journal.repaired
    assert (tmp_path / jn.TORN).read_bytes().strip() == data[:-7].splitlines()[-1]


def test_no_single_flipped_bit_goes_unnoticed(tmp_path: Path, recorded: Any) -> None:
    """Every bit of every 3rd byte (all of them in the fault tests)."""
    data, _ = recorded
    path = tmp_path / "x"
    good = jn.scan(data, path).events
    last = data[:-1].rindex(b"\n") + 1
    silent = []
    for byte in range(0, len(data), 3):
        for bit in range(8):
            flipped = bytearray(data)
            flipped[byte] ^= 1 << bit
            try:
                found = jn.scan(bytes(flipped), path)
            except JournalDamaged:
                continue
            if byte < last - 1 or (not found.torn and found.events != good):
                silent.append((byte, bit))
    assert silent == []


def test_swapped_and_repeated_records_are_refused_with_line_and_byte(tmp_path: Path, recorded: Any) -> None:
    data, _ = recorded
    lines = data.splitlines(keepends=True)
    swapped = [*lines[:2], lines[3], lines[2], *lines[4:]]
    repeated = [*lines[:3], lines[2], *lines[3:]]
    for broken in (swapped, repeated):
        (tmp_path / jn.NAME).write_bytes(b"".join(broken))
        with pytest.raises(JournalDamaged, match=r"journal\.jsonl:\d: damaged at byte \d+: expected record"):
            jn.Journal(tmp_path)


def test_a_newer_format_is_refused_by_name(tmp_path: Path, recorded: Any) -> None:
    data, _ = recorded
    first = json.loads(data.splitlines()[0])
    body = json.dumps(
        {**{k: v for k, v in first.items() if k != "crc"}, "format": 99}, separators=(",", ":")
    ).encode()
    (tmp_path / jn.NAME).write_bytes(b'{"crc":"%08x",%s\n' % (zlib.crc32(body), body[1:]))
    with pytest.raises(JournalDamaged, match="format 99"):
        jn.Journal(tmp_path)


def test_a_second_writer_is_refused_and_told_who_writes(tmp_path: Path) -> None:
    journal = jn.Journal(tmp_path)
    code = (
        f"import sys; from pathlib import Path; from hptune.journal import Journal; Journal(Path({str(tmp_path)!r}))"
    )
    other = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert f"in use by process {os.getpid()} on" in other.stderr
    with pytest.raises(StudyLocked):
        jn.Journal(tmp_path)
    journal.close()
    jn.Journal(tmp_path).close()


def test_the_lock_dies_with_its_process(tmp_path: Path) -> None:
    code = (
        "import os, signal, sys; from pathlib import Path; from hptune.journal import Journal\n"
        f"j = Journal(Path({str(tmp_path)!r})); print('held', flush=True); signal.pause()"
    )
    other = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert other.stdout is not None
    assert other.stdout.readline() == "held\n"
    other.send_signal(signal.SIGKILL)
    other.wait()
    other.stdout.close()
    jn.Journal(tmp_path).close()


def test_reading_needs_no_lock_and_passes_over_a_torn_tail(tmp_path: Path, recorded: Any) -> None:
    data, _ = recorded
    (tmp_path / jn.NAME).write_bytes(data[:-3])
    journal = jn.Journal(tmp_path / "elsewhere")
    found = jn.read(tmp_path)
    journal.close()
    assert len(found.events) == data.count(b"\n") - 1
    assert found.torn
    assert (tmp_path / jn.NAME).read_bytes() == data[:-3]


def test_a_full_disk_at_any_write_loses_nothing_that_was_acknowledged(tmp_path: Path) -> None:
    """A file size limit makes every write from some byte on fail for real, whole or in the middle."""
    whole = run(tmp_path / "whole", 5)
    length = (tmp_path / "whole" / jn.NAME).stat().st_size
    old = resource.getrlimit(resource.RLIMIT_FSIZE)
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    for limit in range(700, length, 61):
        folder = tmp_path / f"limit-{limit}"
        try:
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, old[1]))
            with pytest.raises(DirectoryUnusable, match=r"cannot write to .*journal\.jsonl: .* MB free"):
                run(folder, 5)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, old)
        assert (folder / jn.NAME).read_bytes()[-1:] in (b"", b"\n")
        assert run(folder, 5) == whole


def test_a_folder_that_cannot_be_made_is_said_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(DirectoryUnusable, match="cannot create"):
        jn.Journal(tmp_path / "file" / "run")


def test_a_removed_folder_is_noticed_at_the_next_sync(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    study = Study(SPACE, Objective("loss", "minimize"), directory=folder)
    for path in folder.iterdir():
        path.unlink()
    folder.rmdir()
    with pytest.raises(DirectoryUnusable, match="removed"):
        study.ask()
    study.close()


def test_every_event_survives_its_line_exactly(recorded: Any) -> None:
    data, _ = recorded
    events = jn.scan(data, Path("x")).events
    assert b"".join(jn.encode(event, i) for i, event in enumerate(events)) == data
    assert replay(events).count("completed") == 5


def test_a_second_writer_is_refused_even_if_the_lock_file_was_deleted(tmp_path: Path) -> None:
    """As one does who takes it for a stale lock."""
    journal = jn.Journal(tmp_path)
    (tmp_path / jn.LOCK).unlink()
    with pytest.raises(StudyLocked, match="in use by another process, although"):
        jn.Journal(tmp_path)
    (tmp_path / jn.LOCK).unlink()
    with pytest.raises(StudyLocked), jn.locked(tmp_path):
        pass
    journal.close()
    jn.Journal(tmp_path).close()
