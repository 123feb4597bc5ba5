"""Reports that follow each other are read as one event; what is known, and what is damage, is as without that."""

from __future__ import annotations

import json
import zlib
from pathlib import Path
from typing import Any

import pytest

from hptune import events as ev
from hptune import journal as jn
from hptune.errors import JournalDamaged
from hptune.history import History
from hptune.objective import Objective
from hptune.replay import replay
from hptune.study import Study
from hptune.trial import Failure, Measurement
from tests.conftest import SPACES

SPACE = SPACES["one dimension"]


def recorded(folder: Path, reports: int = 6) -> bytes:
    """Return the journal of a study with reports of several trials and folds, a retry and an interruption in it."""
    times = iter(range(10**6))
    with Study(SPACE, Objective("loss", "minimize"), directory=folder, clock=lambda: float(next(times))) as study:
        for number in range(3):
            study.ask()
            for step in range(reports):
                study.report(number, step % 2, step + 0.5, float(number - step))
        study.tell(0, [0.5, 0.25])
        study.fail(1, Failure("error", "no"))
        study.retry(1)
        study.report(1, 0, 1.0, 7.0)
        study.report(2, 0, 9.0, 7.0)
        study.score(1, Measurement(fold=0, score=1.0))
        study.report(1, 1, 1.0, 8.0)
    return (folder / jn.NAME).read_bytes()


def known(history: History) -> object:
    return history.trials, history.reports, history.last_time, history.seconds, history.failures


def read(data: bytes, *, packed: bool) -> object:
    """Return all that reading these bytes tells, or what is said against them."""
    try:
        found = jn.scan(data, Path("j"), packed=packed)
        return found.records, found.good, found.torn, found.format, known(replay(found.events, "j"))
    except JournalDamaged as error:
        return str(error)


def test_packed_reports_make_the_same_history_of_fewer_events(tmp_path: Path) -> None:
    data = recorded(tmp_path)
    packed, whole = jn.scan(data, tmp_path, packed=True), jn.scan(data, tmp_path)
    assert packed.records == whole.records == len(whole.events) == data.count(b"\n")
    assert len(packed.events) == len(whole.events) - 3 * 5
    assert known(replay(packed.events)) == known(replay(whole.events))


def test_however_many_reports_there_are_they_are_one_event_a_trial(tmp_path: Path) -> None:
    """As events of their own, 400,000 of them took 695 MB."""
    few, many = (jn.scan(recorded(tmp_path / str(n), n), tmp_path, packed=True) for n in (2, 400))
    assert len(few.events) == len(many.events)


def test_a_journal_cut_or_flipped_at_any_byte_reads_the_same_packed_or_not(tmp_path: Path) -> None:
    data = recorded(tmp_path, 3)
    for byte in range(0, len(data), 7):
        flipped = bytearray(data)
        flipped[byte] ^= 1 << byte % 8
        for bad in (data[:byte], bytes(flipped)):
            assert read(bad, packed=True) == read(bad, packed=False), byte


ODD: dict[str, Any] = {
    "a whole number": {"value": 3},
    "a number as text": {"value": "3.5"},
    "text": {"value": "high"},
    "null": {"step": None},
    "true": {"fold": True},
    "a trial as float": {"trial": 2.0},
    "no number": {"value": float("nan")},
    "endless": {"step": float("inf")},
    "more": {"more": 1},
    "no such trial": {"trial": 77},
    "an ended trial": {"trial": 0},
    "another order": {},
}


@pytest.mark.parametrize("changed", ODD.values(), ids=ODD)
def test_a_report_that_hptune_would_not_write_so_is_judged_the_same(tmp_path: Path, changed: Any) -> None:
    data = recorded(tmp_path)
    lines = data.splitlines(keepends=True)
    last = jn.checked(lines[-1][:-1])
    extra = []
    for later in (1, 2, 3):  # a good one, the odd one, a good one
        fields = {**last, "seq": last["seq"] + later, "trial": 2, **(changed if later == 2 else {})}
        if later == 2 and not changed:
            fields = {"seq": fields.pop("seq"), **dict(sorted(fields.items()))}
        body = json.dumps(fields, separators=(",", ":")).encode()
        extra.append(b'{"crc":"%08x",%s\n' % (zlib.crc32(body), body[1:]))
    bad = data + b"".join(extra)
    assert read(bad, packed=True) == read(bad, packed=False)


def test_a_study_with_packed_reports_goes_on_where_it_was(tmp_path: Path) -> None:
    recorded(tmp_path)
    with Study(SPACE, Objective("loss", "minimize"), directory=tmp_path) as study:
        live = known(study.history)
        assert live == known(replay(jn.read(tmp_path).events))
        study.tell(2, [1.0, 2.0])
    found = jn.read(tmp_path)
    assert not found.torn
    assert found.events[-1].type == "trial_completed"


def test_an_older_format_is_upgraded_report_by_report(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = recorded(tmp_path)
    whole = jn.scan(data, tmp_path).events
    for module in (jn, ev):
        monkeypatch.setattr(module, "FORMAT", 2)
    monkeypatch.setitem(ev.UPGRADES, 1, lambda fields: fields)
    journal = jn.Journal(tmp_path)
    journal.close()
    assert "had format 1, now 2" in journal.repaired
    assert jn.read(tmp_path).events[1:] == whole[1:]
