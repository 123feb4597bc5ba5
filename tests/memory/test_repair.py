"""`hptune repair` of a journal that is whole but for what editors and git put between its lines."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from hptune import cli
from hptune import journal as jn
from hptune.errors import JournalDamaged
from hptune.events import Event
from hptune.objective import Objective
from hptune.repair import KEPT, repair, salvage
from hptune.study import Study
from tests.conftest import SPACES

Capture = pytest.CaptureFixture[str]
SPACE = SPACES["one dimension"]
STRAYS = (b"\n", b"\n\n", b"\r\n", b" ", b"\t\n", b"\r", b"\n \n", b"\0", b"{}\n")
CONFIG = """
model: {function: "targets:f"}
space: {x: {type: float, min: 0, max: 1}}
evaluate: {metric: loss, direction: minimize}
oracle: {type: random}
budget: {trials: 3}
executor: {type: serial}
"""


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The journal of a study with three trials."""
    folder = tmp_path_factory.mktemp("repair") / "study"
    with Study(SPACE, Objective("loss", "minimize"), oracle="random", seed=0, directory=folder) as study:
        for _ in range(3):
            trial = study.ask()
            study.tell(trial.number, trial.values["x"])
    return (folder / jn.NAME).read_bytes()


def accepted(data: bytes) -> bool:
    """Return whether a study is read from the bytes with nothing cut off."""
    try:
        return not jn.scan(data, Path(jn.NAME)).torn
    except JournalDamaged:
        return False


def kept(data: bytes) -> tuple[tuple[Event, ...], bool]:
    """Return what a repair keeps, and whether it changes the file."""
    events, left_out, in_order = salvage(data, Path(jn.NAME))
    return events, bool(left_out) or not in_order


@pytest.mark.parametrize("stray", STRAYS, ids=repr)
def test_what_is_refused_is_changed_by_a_repair_or_refused_by_it_too(stray: bytes, sound: bytes) -> None:
    ends = [place + 1 for place, byte in enumerate(sound) if byte == 10]
    for place in sorted({0, *ends, *(end - 1 for end in ends), *range(0, len(sound), 97)}):
        data = sound[:place] + stray + sound[place:]
        try:
            events, changes = kept(data)
        except JournalDamaged:
            assert not accepted(data)
            continue
        assert changes is not accepted(data), place
        assert accepted(b"".join(jn.encode(event, seq) for seq, event in enumerate(events)))


@pytest.mark.parametrize("stray", [b"\n", b"\n\n", b"\r\n", b" ", b"\t\n"], ids=repr)
def test_nothing_between_the_lines_costs_a_record(stray: bytes, sound: bytes) -> None:
    whole = jn.scan(sound, Path(jn.NAME)).events
    for place in [0, *(place + 1 for place, byte in enumerate(sound) if byte == 10)]:
        assert kept(sound[:place] + stray + sound[place:]) == (whole, True), place


@pytest.mark.parametrize("lines", [1, 2, -1], ids=["first", "second", "all"])
def test_line_ends_that_git_made_of_ours_are_read(lines: int, sound: bytes, tmp_path: Path) -> None:
    (tmp_path / jn.NAME).write_bytes(sound.replace(b"\n", b"\r\n", lines))
    found = repair(tmp_path)
    assert found.left_out == ()
    assert found.events == jn.scan(sound, Path(jn.NAME)).events
    assert (tmp_path / jn.NAME).read_bytes() == sound
    assert found.kept_as == tmp_path / KEPT
    assert repair(tmp_path).kept_as is None


def test_a_run_that_is_sent_to_repair_goes_on_after_it(
    tmp_path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "targets.py").write_text("def f(values):\n    return values['x']\n")
    (tmp_path / "study.yaml").write_text(CONFIG)
    assert cli.invoke(["run", "study.yaml", "--dir", "whole", "-q"]) == 0
    data = (tmp_path / "whole" / jn.NAME).read_bytes()
    for number, broken in enumerate((data + b"\n\n", data.replace(b"\n", b"\r\n"), data.replace(b"\n", b"\n\n"))):
        folder = f"r{number}"
        shutil.copytree("whole", folder)
        (tmp_path / folder / jn.NAME).write_bytes(broken)
        assert cli.invoke(["run", folder, "-q"]) == 5
        assert f"`hptune repair {folder}`" in capsys.readouterr().err
        assert cli.invoke(["repair", folder]) == 0
        said = capsys.readouterr().out
        assert "each on a line of its own and in order; none was damaged" in said
        assert f"`hptune run {folder}` goes on" in said
        assert (tmp_path / folder / jn.NAME).read_bytes() == data
        assert cli.invoke(["run", folder, "-q"]) == 0
    capsys.readouterr()
    assert cli.invoke(["repair", "r0", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["kept_as"] is None
