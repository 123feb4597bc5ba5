"""The spool: what is written down comes back as it was or not at all, and nothing is left lying about."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from hptune import spool, spool_file
from hptune.checksum import Unchecked, with_checksum
from hptune.job import Job, Outcome
from hptune.trial import Measurement

JOB = Job(trial=3, attempt=2, folds=(1, 0))
OUTCOME = Outcome(measurements=(Measurement(1, 0.25), Measurement(0, -1e-300)), seconds=0.5)
BYTES = spool_file.to_bytes(JOB, json.dumps(OUTCOME.to_json()).encode())


def put(folder: Path, job: Job = JOB, data: bytes = BYTES) -> Path:
    folder.mkdir(exist_ok=True)
    path = spool.path_for(folder, job)
    path.write_bytes(data)
    return path


def test_an_outcome_comes_back_as_it_was_with_the_job_it_is_of(tmp_path: Path) -> None:
    path = put(tmp_path)
    assert list(spool.left_over(tmp_path)) == [(3, 1, OUTCOME, path)]
    assert spool.sweep(tmp_path) == []
    assert path.read_bytes() == BYTES
    assert spool_file.from_bytes(BYTES).is_of(JOB)
    assert not spool_file.from_bytes(BYTES).is_of(Job(trial=3, attempt=2, folds=(1,)))


def test_no_single_bit_can_be_changed_unnoticed() -> None:
    for bit in range(len(BYTES) * 8):
        changed = bytearray(BYTES)
        changed[bit // 8] ^= 1 << bit % 8
        with pytest.raises(Unchecked):
            spool_file.from_bytes(bytes(changed))


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{half",
        BYTES[:-1],
        json.dumps(OUTCOME.to_json()).encode(),  # as before there were checksums
        with_checksum(b'{"trial":3}'),
        with_checksum(b'{"trial":3,"attempt":2,"folds":[1],"outcome":7}'),
        with_checksum(b'{"trial":3,"attempt":2,"folds":1,"outcome":{}}'),
        with_checksum(b'{"a":' + b"[" * 100_000),
        spool_file.to_bytes(Job(trial=4, attempt=2, folds=(1,)), b"{}"),
    ],
)
def test_what_is_not_as_it_was_written_is_passed_over_told_and_deleted(tmp_path: Path, data: bytes) -> None:
    path = put(tmp_path, data=data)
    good = put(tmp_path, Job(trial=5), spool_file.to_bytes(Job(trial=5), b"{}"))
    assert [found[3] for found in spool.left_over(tmp_path)] == [good]
    ((trial, told, _),) = spool.sweep(tmp_path)
    assert (trial, told) == (3, path)
    assert list(tmp_path.iterdir()) == [good]
    assert spool.sweep(tmp_path) == []


def test_files_left_in_the_middle_of_a_write_are_deleted_and_nothing_else_is(tmp_path: Path) -> None:
    ours = [tmp_path / name for name in ("t3-a1-f0.json.4711.tmp", "half-t3-a1-f0.json.4711.tmp", ".probe-4711")]
    others = [tmp_path / name for name in ("notes.tmp", "t3-a1-f0.json.tmp", "t3-a1-f0.json.x.tmp", "readme.json")]
    for path in (*ours, *others):
        path.write_text("{")
    elsewhere = tmp_path / "t4-a1-f0.json.1.tmp"
    elsewhere.symlink_to(others[0])
    assert spool.sweep(tmp_path) == []
    assert sorted(tmp_path.iterdir()) == sorted([*others, elsewhere])


def test_a_link_in_the_place_of_the_spool_is_not_followed(tmp_path: Path) -> None:
    path = put(tmp_path / "elsewhere", data=b"{half")
    (tmp_path / "spool").symlink_to(path.parent)
    assert spool.sweep(tmp_path / "spool") == []
    assert path.exists()
    assert spool.sweep(tmp_path / "none") == []
