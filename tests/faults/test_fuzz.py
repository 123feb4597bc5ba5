"""Property-based fuzzing of the config loader, the expression language and the journal reader, with a corpus.

The corpus (`corpus/`) holds what once went wrong elsewhere or here; each file is tried as it is, and then mutilated.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hptune import events as ev
from hptune import journal as jn
from hptune.config.load import load_document
from hptune.config.yaml_loader import load_text
from hptune.errors import ConfigError, JournalDamaged
from hptune.expressions import Expression, ExpressionError
from hptune.repair import repair
from hptune.replay import replay
from tests.faults.measure import measured

pytestmark = pytest.mark.faults
HERE = Path(__file__).parent
YAML = sorted((HERE / "corpus").glob("*.yaml"))
JOURNALS = [*sorted((HERE / "corpus").glob("*.jsonl")), *sorted((HERE / "journals").glob("*.jsonl"))]
EXPRESSIONS = (HERE / "corpus" / "expressions.txt").read_text().split("\n")
FUZZ = settings(max_examples=1500, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
CUTS = st.lists(st.tuples(st.integers(0, 6000), st.integers(0, 40), st.binary(max_size=8)), max_size=4)


def mutilated(data: bytes, cuts: list[tuple[int, int, bytes]]) -> bytes:
    for at, length, new in cuts:
        data = data[: at % (len(data) + 1)] + new + data[at % (len(data) + 1) + length :]
    return data


def try_config(data: bytes) -> None:
    try:
        load_document(load_text(data, "c.yaml"), Path("/nowhere"))
    except ConfigError as error:
        assert error.problems  # noqa: PT017 - what a refusal must hold
        assert all(problem.line for problem in error.problems)  # noqa: PT017 - what a refusal must hold


def try_expression(text: str) -> None:
    values = {"a": 1.5, "b": -2, "c": 0, "kernel": "rbf", "degree": 3, "scaler": None, "regressor.svr.C": 1e300}
    try:
        expression = Expression(text)
        expression.holds(dict.fromkeys(expression.names, 1.0) | values)
    except ExpressionError as error:
        assert len(str(error)) < 3000  # noqa: PT017 - as above


def try_journal(data: bytes) -> None:
    path = Path("x/journal.jsonl")
    try:
        found = jn.scan(data, path)
        if found.events:
            replay(found.events, path)
        assert data.startswith(b"".join(jn.encode(event, seq) for seq, event in enumerate(found.events))[:-1])
    except JournalDamaged as error:
        assert str(path) in str(error)  # noqa: PT017 - as above


@pytest.mark.parametrize("path", YAML, ids=lambda path: path.stem)
def test_the_corpus_of_configs(path: Path) -> None:
    try_config(path.read_bytes())


def test_the_corpus_of_expressions() -> None:
    for text in EXPRESSIONS:
        try_expression(text)


@pytest.mark.parametrize("path", JOURNALS, ids=lambda path: path.stem)
def test_the_corpus_of_journals(path: Path, tmp_path: Path) -> None:
    data = path.read_bytes()
    try_journal(data)
    shutil.copy(path, tmp_path / jn.NAME)
    try:
        repair(tmp_path)
    except JournalDamaged:
        assert not data or b"study_started" not in data
    else:
        replay(jn.read(tmp_path).events)


def test_fuzzing_the_loader() -> None:
    @FUZZ
    @given(st.sampled_from(YAML), CUTS)
    def fuzz(path: Path, cuts: list[tuple[int, int, bytes]]) -> None:
        try_config(mutilated(path.read_bytes(), cuts))

    fuzz()
    measured("fuzz", "loader", examples=1500, escaped=0)


def test_fuzzing_expressions() -> None:
    pieces = st.sampled_from(
        [*EXPRESSIONS, "(", ")", "+", "**", " and ", "a", "9" * 30, "min(", ",", "[", "]", '"', "."]
    )

    @FUZZ
    @given(st.one_of(st.lists(pieces, max_size=6).map("".join), st.text(max_size=60)))
    def fuzz(text: str) -> None:
        try_expression(text)

    fuzz()
    measured("fuzz", "expressions", examples=1500, escaped=0)


def test_fuzzing_the_journal_reader() -> None:
    @FUZZ
    @given(st.sampled_from(JOURNALS), CUTS)
    def fuzz(path: Path, cuts: list[tuple[int, int, bytes]]) -> None:
        try_journal(mutilated(path.read_bytes(), cuts))

    fuzz()
    measured("fuzz", "journal", examples=1500, escaped=0)


# -- the journal's format -------------------------------------------------------------------------------------------------


def test_there_is_a_stored_journal_of_every_format_and_a_way_up_from_it() -> None:
    for format in range(1, ev.FORMAT + 1):
        assert (HERE / "journals" / f"format-{format}.jsonl").exists(), "store one before you raise events.FORMAT"
        assert format == ev.FORMAT or format in ev.UPGRADES


@pytest.mark.parametrize("path", sorted((HERE / "journals").glob("*.jsonl")), ids=lambda path: path.stem)
def test_a_stored_journal_of_an_earlier_version_is_read_and_continued(path: Path, tmp_path: Path) -> None:
    shutil.copy(path, tmp_path / jn.NAME)
    history = replay(jn.read(tmp_path).events)
    assert [trial.status for trial in history.trials] == [
        "completed", "completed", "failed", "completed", "stopped", "running",
    ]  # fmt: skip
    assert history.trials[1].score == 0.25
    assert history.trials[2].attempt == 2
    journal = jn.Journal(tmp_path)
    journal.append(ev.TrialCompleted(time=1790000001.0, trial=5))
    journal.close()
    assert len(jn.read(tmp_path).events) == len(jn.scan(path.read_bytes(), path).events) + 1
    measured("formats", path.stem, formats=1, read=1)


def test_a_journal_of_an_older_format_is_written_anew_and_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A format to come, in which every record was told in another way: the way up from today's is taken on opening."""

    def up(record: dict[str, object]) -> dict[str, object]:
        return {**record, "name": f"{record['name']}-up"} if record["type"] == "study_started" else record

    stored = (HERE / "journals" / "format-1.jsonl").read_bytes()
    (tmp_path / jn.NAME).write_bytes(stored)
    monkeypatch.setattr(ev, "FORMAT", 2)
    monkeypatch.setattr(jn, "FORMAT", 2)
    monkeypatch.setitem(ev.UPGRADES, 1, up)
    assert jn.read(tmp_path).events[0].name == "study-up"  # type: ignore[attr-defined]
    assert (tmp_path / jn.NAME).read_bytes() == stored  # reading changes nothing
    journal = jn.Journal(tmp_path)
    journal.append(ev.StudyEnded(time=1.8e9, reason="trials"))
    journal.close()
    assert "had format 1, now 2" in journal.repaired
    assert (tmp_path / "journal.format-1").read_bytes() == stored
    found = jn.read(tmp_path)
    assert found.format == 2
    assert found.events[0].format == 2  # type: ignore[attr-defined]
    assert found.events[-1].type == "study_ended"
    monkeypatch.setattr(ev, "FORMAT", 1)
    monkeypatch.setattr(jn, "FORMAT", 1)
    with pytest.raises(JournalDamaged, match="format 2, this hptune reads up to 1; open it with a newer hptune"):
        jn.Journal(tmp_path)
