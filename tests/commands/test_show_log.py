"""`hptune show DIR N --log`."""

from __future__ import annotations

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


@pytest.mark.parametrize(
    ("arguments", "said"),
    [(["--log"], "expected a trial's number"), (["0", "--log"], "has no log"), (["99", "--log"], "no trial 99")],
)
def test_a_log_that_is_not_there_is_a_usage_error_with_the_mend(arguments, said, folder, capsys):
    assert cli.invoke(["show", str(folder), *arguments]) == 2
    assert said in capsys.readouterr().err
