"""Whose a run directory is: files of others are neither written over nor deleted, and no path is no folder."""

from __future__ import annotations

import errno
import json
import os
from pathlib import Path
from typing import Any

import pytest

import hptune
from hptune import cli, run_directory
from hptune import journal as jn
from hptune.config.load import load
from hptune.errors import StudyLocked, UsageError
from hptune.events import StudyResumed
from tests import told
from tests.conftest import SPACES

Capture = pytest.CaptureFixture[str]

CONFIG = """
name: fun
model: {function: "somewhere:f"}
space: {x: {type: float, min: 0, max: 1}}
evaluate: {metric: loss, direction: minimize}
oracle: {type: random}
budget: {trials: 3}
executor: {type: serial}
"""

RIDGE = """
data: {train: rows.csv, target: y}
model: {class: sklearn.linear_model.Ridge}
space: {alpha: [1.0, 2.0, 3.0, 4.0]}
evaluate: {metric: r2, cv: 2, finals: {enabled: false}}
oracle: {type: grid}
budget: {trials: 2}
executor: {type: serial}
probe: false
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    module = f"run_directory_{abs(hash(tmp_path)) % 10**8}"
    (tmp_path / f"{module}.py").write_text("def f(values):\n    return values['x']\n")
    (tmp_path / "study.yaml").write_text(CONFIG.replace("somewhere", module))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*arguments: str) -> int:
    return cli.invoke(["run", *arguments, "-q"])


def contents(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): path.read_text()
        for path in folder.rglob("*")
        if path.is_file() and path.suffix != ".pyc"
    }


@pytest.mark.usefixtures("project")
def test_nobody_else_gets_in_while_fresh_deletes_the_earlier_study(monkeypatch: pytest.MonkeyPatch) -> None:
    assert run("study.yaml", "--dir", "run") == 0
    first = (Path("run") / jn.NAME).read_bytes()
    refused = []

    def cleared(folder: Path) -> None:
        for again in (False, True):  # before a file is deleted and after the last
            with pytest.raises(StudyLocked):
                jn.Journal(folder)
            refused.append(again)
            run_directory.clear(folder)

    monkeypatch.setattr("hptune.compose.clear", cleared)
    assert run("study.yaml", "--dir", "run", "--fresh", "-o", "seed=7") == 0
    assert refused == [False, True]
    second = (Path("run") / jn.NAME).read_bytes()
    assert len(jn.read(Path("run")).events) == len(first.splitlines()) == len(second.splitlines())
    assert first != second


@pytest.mark.parametrize(
    "name",
    [*run_directory.OURS, "lock", "logs/app.log", "spool/mine", "work/mine"],
)
def test_files_of_others_are_named_and_left_alone(name: str, project: Path, capsys: Capture) -> None:
    (project / name).parent.mkdir(exist_ok=True)
    (project / name).write_text("precious")
    before = contents(project)
    for arguments in (["study.yaml", "--dir", "."], ["study.yaml", "-o", "output.dir=."]):
        for more in ([], ["--fresh"], ["--dry-run"]):
            code = run(*arguments, *more)
            said = capsys.readouterr().err
            assert (code, contents(project)) == ((5 if "damaged" in said else 2), before)
            assert name.split("/")[0] in said
    if name != "journal.jsonl":
        assert "name another (--dir, output.dir), or move them away" in said


def test_a_config_is_not_written_over_by_its_resolved_form(project: Path, capsys: Capture) -> None:
    (project / "study.yaml").rename(project / "config.yaml")
    before = contents(project)
    for arguments in (["."], ["config.yaml", "--dir", "."]):
        assert run(*arguments) == 2
        assert "would write over config.yaml" in capsys.readouterr().err
        assert contents(project) == before


def test_a_folder_with_other_files_may_be_a_run_directory_and_keeps_them(project: Path) -> None:
    (project / "outer-notes").mkdir()
    before = contents(project)
    assert run("study.yaml", "--dir", ".") == 0
    assert run("study.yaml", "--dir", ".", "--fresh") == 0
    assert run("study.yaml", "--dir", ".", "--trials", "+1") == 0
    assert before.items() <= contents(project).items()
    assert (project / "outer-notes").is_dir()


def test_a_study_that_lost_its_marker_goes_on_and_is_not_deleted(project: Path, capsys: Capture) -> None:
    assert run("study.yaml") == 0
    folder = project / "runs" / "fun"
    (folder / run_directory.MARKER).unlink()
    assert run("study.yaml", "--trials", "+1") == 0
    assert run("study.yaml", "--fresh") == 2
    assert "nothing was deleted" in capsys.readouterr().err
    assert len(json.loads((folder / "result.json").read_text())["trials"]) > 0


def test_a_start_that_was_killed_before_its_first_record_is_no_stranger(project: Path) -> None:
    folder = project / "runs" / "fun"
    folder.mkdir(parents=True)
    (folder / "journal.jsonl").write_text("")
    (folder / "lock").write_text("process 1 on somewhere\n")
    assert run("study.yaml") == 0


def test_outer_folds_find_their_folders_taken_before_the_search(project: Path) -> None:
    (project / "outer-1").mkdir()
    run_directory.check_free(project)
    run_directory.check_free(project, 1)
    with pytest.raises(UsageError, match="outer-1"):
        run_directory.check_free(project, 2)


def test_a_study_from_python_writes_its_journal_alone(project: Path) -> None:
    (project / "best.yaml").write_text("precious")
    study = hptune.Study(SPACES["one dimension"], "loss", directory=project)
    study.tell(study.ask(), 1.0)
    study.close()
    assert (project / "best.yaml").read_text() == "precious"


@pytest.mark.parametrize(
    "arguments",
    [
        ["run", ""],
        ["run", "study.yaml", "--dir", ""],
        ["run", "study.yaml", "--dir", " "],
        ["run", "study.yaml", "-o", "output.dir=''"],
        ["validate", ""],
        ["trials", ""],
        ["compare", "runs/fun", ""],
        ["report", "runs/fun", "--figures", ""],
    ],
)
def test_an_empty_path_is_not_this_folder(arguments: list[str], project: Path, capsys: Capture) -> None:
    before = contents(project)
    assert cli.invoke([*arguments, "--json"]) == 2
    said = capsys.readouterr()
    assert "expected a path, found nothing" in said.err
    assert "expected a path, found nothing" in json.loads(said.out)["error"]["message"]
    assert contents(project) == before


def names(folder: str, capsys: Capture) -> set[str]:
    """Return what all that is written and shown of a study calls it."""
    place = Path(folder)
    found = {json.loads((place / "result.json").read_text())["name"]}
    found.add(str(load(place / "config.yaml").config.name))
    found.add(str(load(place / "best.yaml").config.name).removesuffix("-best"))
    found.add((place / "best.yaml").read_text().split("study ", 1)[1].split(":")[0])
    capsys.readouterr()
    for verb in ("best", "show", "trials"):
        assert cli.invoke([verb, folder, "--json"]) == 0
        found.add(json.loads(capsys.readouterr().out)["name"])
    assert cli.invoke(["show", folder]) == 0
    found.add(capsys.readouterr().out.splitlines()[0])
    return found


@pytest.mark.parametrize("more", [[], ["--trials", "+2"]], ids=["complete", "with more trials"])
def test_a_new_name_is_the_studys_name_everywhere(more: list[str], project: Path, capsys: Capture) -> None:
    assert run("study.yaml", "--dir", "run") == 0
    assert names("run", capsys) == {"fun"}
    before = (project / "run" / "trials.csv").read_text()
    assert run("run", "-o", "name=other", *more) == 0
    assert names("run", capsys) == {"other"}
    assert (project / "run" / "trials.csv").read_text().startswith(before)
    journal = (project / "run" / "journal.jsonl").read_bytes()
    assert run("run") == 0
    assert names("run", capsys) == {"other"}
    assert (project / "run" / "journal.jsonl").read_bytes() == journal
    assert cli.invoke(["show", "run"]) == 0
    assert "complete" in capsys.readouterr().out


def test_journals_whose_sessions_tell_no_name_keep_the_first(project: Path) -> None:
    history = told.study().history
    name = history.name
    history.apply(StudyResumed(time=history.last_time + 1, options={"trials": 3, "workers": 1}))
    assert history.name == name
    history.apply(StudyResumed(time=history.last_time + 1, options={"name": "other"}))
    assert history.name == "other"


@pytest.mark.parametrize("override", ["output.dir=foo", "output={dir: foo}", "output.dir=null"])
def test_a_run_directory_is_not_run_in_another(override: str, project: Path, capsys: Capture) -> None:
    assert run("study.yaml", "--dir", "run") == 0
    before = contents(project)
    for more in ([], ["--trials", "+1"], ["--dry-run"]):
        assert run("run", "-o", override, *more) == 2
        assert f"-o {override}: output.dir: run is a run directory; give its config file" in capsys.readouterr().err
    assert contents(project) == before
    assert run("run/config.yaml", "-o", "output.dir=foo") == 0
    assert (project / "foo" / "result.json").is_file()


def test_output_may_change_while_the_run_directory_stays(project: Path) -> None:
    assert run("study.yaml", "--dir", "run") == 0
    (project / "run").rename(project / "moved")
    for override in ("output.dir=moved", "output={refit: false}", "output.refit=false"):
        assert run("moved", "-o", override, "--trials", "+1") == 0


def test_a_moved_study_that_misses_its_data_is_told_of_its_base(project: Path, capsys: Capture) -> None:
    rows = "".join(f"{i % 7},{i % 5},{i % 3}\n" for i in range(40))
    (project / "rows.csv").write_text(f"a,b,y\n{rows}")
    (project / "ridge.yaml").write_text(RIDGE)
    assert run("ridge.yaml", "--dir", "runs/ridge") == 0
    (project / "elsewhere").mkdir()
    (project / "runs" / "ridge").rename(project / "elsewhere" / "ridge")
    (project / "rows.csv").rename(project / "runs" / "rows.csv")
    assert run("elsewhere/ridge") == 2
    said = capsys.readouterr().err
    assert "elsewhere/ridge/config.yaml:" in said
    assert "data.train: there is no file" in said
    assert "paths are relative to `base: ../..`; has the config been moved?" in said
    assert "relative to the config file" not in said
    assert run("elsewhere/ridge", "-o", "base=../../runs", "--trials", "+1") == 0
    assert run("elsewhere/ridge", "-o", "base=../nowhere") == 2
    assert "-o base=../nowhere: base: there is no folder" in capsys.readouterr().err
    assert run("ridge.yaml", "--dir", "again") == 2
    assert "(paths are relative to the config file)" in capsys.readouterr().err


def test_a_run_directory_that_may_not_be_read_is_exit_6_in_every_verb(
    project: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run("study.yaml", "--dir", "run") == 0
    opened = os.open

    def refusing(path: Any, *arguments: Any, **more: Any) -> int:  # root may read where modes say no
        if os.fspath(path).endswith("journal.jsonl"):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), os.fspath(path))
        return opened(path, *arguments, **more)

    monkeypatch.setattr(os, "open", refusing)
    more = [["run", "study.yaml", "--dir", "run"], ["run", "run"], ["run", "run", "--dry-run"]]
    for arguments in (*([verb, "run"] for verb in ("trials", "best", "show", "repair", "retry")), *more):
        assert cli.invoke(arguments) == 6, arguments
        said = capsys.readouterr().err
        assert "run/journal.jsonl: Permission denied" in said
        assert "Traceback" not in said
    (project / "run" / run_directory.MARKER).unlink()
    assert run("run") == 6
    assert "cannot read run: Permission denied" in capsys.readouterr().err


def test_fresh_meets_a_folder_under_a_files_name_and_deletes_nothing(project: Path, capsys: Capture) -> None:
    assert run("study.yaml", "--dir", "run") == 0
    (project / "run" / "best.yaml").unlink()
    (project / "run" / "best.yaml").mkdir()
    before = contents(project)
    assert run("study.yaml", "--dir", "run", "--fresh") == 2
    assert (
        "run/best.yaml: expected a file of an earlier study, found a folder, which hptune did"
        in capsys.readouterr().err
    )
    assert contents(project) == before


def test_a_lock_that_is_a_pipe_is_refused(project: Path, capsys: Capture) -> None:
    assert run("study.yaml", "--dir", "run") == 0
    (project / "run" / "lock").unlink()
    os.mkfifo(project / "run" / "lock")
    for verb in ("run", "repair"):
        assert cli.invoke([verb, "run"]) == 6, verb
        assert "run/lock: expected a file, found something else" in capsys.readouterr().err


def test_a_journal_is_not_read_beyond_what_there_is_room_for(
    project: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run("study.yaml", "--dir", "run") == 0
    path = project / "run" / "journal.jsonl"
    size = path.stat().st_size
    os.truncate(path, 40 * 2**30)
    for verb in ("trials", "repair", "run"):
        assert cli.invoke([verb, "run"]) == 5, verb
        assert "journal.jsonl: expected at most 4,294,967,296 bytes, found 42,949,672,960" in capsys.readouterr().err
    os.truncate(path, size)

    def no_room(line: bytes) -> Any:
        raise MemoryError

    monkeypatch.setattr(jn, "checked", no_room)
    assert cli.invoke(["trials", "run"]) == 5
    assert "journal.jsonl: there is not enough memory to read it" in capsys.readouterr().err


def test_a_journal_that_is_a_folder_is_damage_in_every_verb(project: Path, capsys: Capture) -> None:
    assert run("study.yaml", "--dir", "run") == 0
    (project / "run" / "journal.jsonl").unlink()
    (project / "run" / "journal.jsonl").mkdir()
    for verb in ("run", "trials", "best", "show"):
        assert cli.invoke([verb, "run"]) == 5, verb
        assert "journal.jsonl: expected a file, found something else" in capsys.readouterr().err
