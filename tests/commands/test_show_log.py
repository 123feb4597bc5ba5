"""`hptune show DIR N --log`."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from hptune import cli
from tests import told


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runs") / "ridge"
    told.ridge(folder).close()
    (folder / "logs").mkdir(exist_ok=True)
    (folder / "logs" / "trial-00001.log").write_bytes(b"epoch 1\n\x1b]0;title\x07\xff done\n")
    return folder


def test_the_log_is_printed_whole_and_cannot_drive_the_terminal(folder, capsys):
    assert cli.invoke(["show", str(folder), "1", "--log"]) == 0
    assert capsys.readouterr().out == "epoch 1\n\\x1b]0;title\\x07� done\n"


@pytest.mark.parametrize("linked", ["logs/trial-00002.log", "logs"])
def test_a_log_that_is_a_link_is_refused_and_not_followed(linked, folder, tmp_path, capsys):
    shutil.copytree(folder, tmp_path / "run")
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "trial-00002.log").write_text("secret")
    if linked == "logs":
        shutil.rmtree(tmp_path / "run" / "logs")
    (tmp_path / "run" / linked).symlink_to(tmp_path / "elsewhere" / linked.removeprefix("logs").removeprefix("/"))
    assert cli.invoke(["show", str(tmp_path / "run"), "2", "--log"]) == 2
    captured = capsys.readouterr()
    assert "secret" not in captured.out
    assert "trial-00002.log is a link, which may lead out of the run directory: it is not read" in captured.err
    assert cli.invoke(["show", str(tmp_path / "run"), "2"]) == 0
    assert "log  " not in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [(["--log"], "expected a trial's number"), (["0", "--log"], "has no log"), (["99", "--log"], "no trial 99")],
)
def test_a_log_that_is_not_there_is_a_usage_error_with_the_mend(arguments, said, folder, capsys):
    assert cli.invoke(["show", str(folder), *arguments]) == 2
    assert said in capsys.readouterr().err
