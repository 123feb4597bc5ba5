"""The ends of ranges are tried by a worker with limits, once for a study, and what they do costs a child at most."""

from __future__ import annotations

from pathlib import Path

import pytest

from hptune import cli

Capture = pytest.CaptureFixture[str]

CONFIG = """\
data: {train: "sklearn:load_iris"}
model: {class: MODULE.Slow}
space:
  x: {type: int, min: 0, max: 9, default: 1}
  y: {type: int, min: 0, max: 9, default: 1}
evaluate: {cv: 3}
oracle: {type: random}
budget: {trials: 1}
executor: {type: EXECUTOR, workers: 1}
output: {dir: runs/slow, refit: false}
"""
SLOW = """\
import os, time
from sklearn.naive_bayes import GaussianNB

class Slow(GaussianNB):
    def __init__(self, x=1, y=1):
        super().__init__()
        self.x, self.y = x, y

    def fit(self, X, y):
        with open("fits.txt", "a") as file:
            file.write(f"{self.x} {self.y}\\n")
        if self.x == 9:
            HARM
        return super().fit(X, y)
"""


def project(folder: Path, monkeypatch: pytest.MonkeyPatch, harm: str, executor: str = "process") -> None:
    module = f"slow_{abs(hash(folder)) % 10**8}"
    (folder / f"{module}.py").write_text(SLOW.replace("HARM", harm).replace("fits.txt", str(folder / "fits.txt")))
    (folder / "study.yaml").write_text(CONFIG.replace("MODULE", module).replace("EXECUTOR", executor))
    monkeypatch.chdir(folder)


@pytest.mark.slow
@pytest.mark.parametrize(("harm", "said"), [("time.sleep(60)", "took longer than"), ("os._exit(3)", "exit")])
def test_an_end_that_hangs_or_kills_its_worker_is_a_warning_that_names_the_range(
    harm: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    monkeypatch.setattr("hptune.probing.DEADLINE", 1)
    project(tmp_path, monkeypatch, harm)
    assert cli.invoke(["validate", "study.yaml"]) == 0
    told = capsys.readouterr().err
    assert "warning: study.yaml:4: space.x: fits at the ends of this range were given up (" in told
    assert said in told


def test_an_end_that_fails_has_its_line_and_can_be_let_be(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    project(tmp_path, monkeypatch, 'raise ValueError("too much")', "serial")
    assert cli.invoke(["validate", "study.yaml"]) == 0
    told = capsys.readouterr().err
    assert "warning: study.yaml:4: space.x.max: a fit with x: 9 on the 100 training rows of a fold fails" in told
    assert "too much; up to 8 it can be fitted: write `max: 8`" in told
    (tmp_path / "fits.txt").unlink()
    assert cli.invoke(["validate", "study.yaml", "-o", "probe=false"]) == 0
    assert "space.x" not in capsys.readouterr().err
    assert not (tmp_path / "fits.txt").exists()


def test_a_study_that_goes_on_does_not_try_the_ends_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    project(tmp_path, monkeypatch, 'raise ValueError("too much")', "serial")
    assert cli.invoke(["run", "study.yaml"]) == 0
    assert "0 1" in (tmp_path / "fits.txt").read_text().splitlines()
    (tmp_path / "fits.txt").unlink()
    assert cli.invoke(["run", "study.yaml", "--trials", "+1"]) == 0
    assert "0 1" not in (tmp_path / "fits.txt").read_text().splitlines()


def test_once_the_time_is_up_the_ranges_left_out_are_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    monkeypatch.setattr("hptune.probing.MOST_SECONDS", 0.0)
    project(tmp_path, monkeypatch, "pass", "serial")
    assert cli.invoke(["validate", "study.yaml"]) == 0
    told = capsys.readouterr().err
    assert "the ends of 0 of 2 ranges were fitted; the others were not tried, for no more are begun after 0 s" in told


def test_a_signal_while_ranges_are_tried_in_this_process_ends_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    project(tmp_path, monkeypatch, "import signal; os.kill(os.getpid(), signal.SIGTERM); time.sleep(5)", "serial")
    assert cli.invoke(["run", "study.yaml"]) == 143
    assert "interrupted" in capsys.readouterr().err
    assert not (tmp_path / "runs").exists()
    assert cli.invoke(["validate", "study.yaml"]) == 143
