"""A run in odd surroundings: streams, folders and limits that are not as usual. It works, or says in one line why not."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from hptune import journal as jn
from hptune.run_directory import MARKER
from tests.faults.kit import Project, call, history_of
from tests.faults.test_disk import one_line

pytestmark = pytest.mark.faults
TRIALS = 2


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    return Project(tmp_path_factory.mktemp("project"), trials=TRIALS, sleep="0")


def shell(project: Project, run: Path, line: str, **how: object) -> subprocess.CompletedProcess[str]:
    """Run hptune as `"$@"` of a shell line."""
    command = ["bash", "-c", line, "bash", *(word for word in project.command(run) if word != "-q")]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=120, **how)  # type: ignore[call-overload,no-any-return]


@pytest.mark.parametrize(
    "line",
    [
        '"$@" >&-',
        '"$@" 2>&-',
        '"$@" <&- >&- 2>&-',
        'set -o pipefail; "$@" | true',
        'TMPDIR=/nowhere/at/all "$@"',
        'mkdir gone; cd gone; rmdir ../gone; "$@"',
    ],
)
def test_it_runs_to_the_end(project: Project, tmp_path: Path, line: str) -> None:
    done = shell(project, tmp_path / "run", line, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert history_of(tmp_path / "run").count("completed") == TRIALS
    assert (tmp_path / "run" / "result.json").exists()


def test_files_that_may_not_grow_are_said_in_one_line_and_spoil_no_later_run(tmp_path: Path) -> None:
    """What Python compiles of the config's code under such a limit is cut off, and stays so (3.11)."""
    project = Project(tmp_path / "project", trials=TRIALS, sleep="0")
    done = shell(project, tmp_path / "run", 'ulimit -f 1; "$@"')
    assert done.returncode == 6, done.stderr
    one_line(done.stderr)
    done = shell(project, tmp_path / "run", '"$@"')
    assert done.returncode == 0, done.stderr
    assert history_of(tmp_path / "run").count("completed") == TRIALS


def test_too_few_open_files_are_said_in_one_line_whatever_was_to_be_opened(project: Project, tmp_path: Path) -> None:
    """Which file is one too many (a module, the journal, a worker's pipe) differs with the limit and with what a
    process inherits: the answer does not, and the run is finished once the limit is lifted."""
    codes = {}
    for files in range(7, 23):
        done = shell(project, tmp_path / "run", f'ulimit -n {files}; "$@"')
        codes[files] = done.returncode
        if done.returncode:
            assert "ulimit -n" in one_line(done.stderr)
    assert set(codes.values()) <= {0, 7}, codes
    assert 7 in codes.values(), codes
    done = shell(project, tmp_path / "run", '"$@"')
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("ours", [True, False])
@pytest.mark.parametrize("name", ["logs", "spool", "result.json", "lock", jn.NAME])
def test_something_else_under_a_name_of_ours_is_said_in_one_line(
    project: Project, tmp_path: Path, name: str, ours: bool
) -> None:
    path = tmp_path / "run" / name
    path.parent.mkdir()
    if ours:
        (tmp_path / "run" / MARKER).touch()
    path.write_text("x\n") if name in ("logs", "spool") else path.mkdir()
    done = shell(project, tmp_path / "run", '"$@"')
    assert done.returncode == (5 if name == jn.NAME else 6 if ours else 2), done.stderr
    assert name in one_line(done.stderr)
    assert path.read_text() == "x\n" if name in ("logs", "spool") else not list(path.iterdir())


def test_a_journal_whose_line_ends_were_changed_is_refused_in_words_and_repaired(
    project: Project, tmp_path: Path
) -> None:
    """As by a version control system that "mends" line ends."""
    run = tmp_path / "run"
    project.finish(run)
    sound = (run / jn.NAME).read_bytes()
    (run / jn.NAME).write_bytes(sound.replace(b"\n", b"\r\n"))
    for done in (shell(project, run, '"$@"'), call("trials", str(run))):
        assert done.returncode == 5, done.stderr
        assert "damaged" in one_line(done.stderr)
    done = call("repair", str(run))
    assert done.returncode == 0, done.stderr
    assert (run / jn.NAME).read_bytes() == sound
