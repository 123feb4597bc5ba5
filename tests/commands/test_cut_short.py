"""What is cut short after the search, in the finals or the refit, has not ended: it is told so, and goes on to as many."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hptune import cli
from hptune import events as ev
from hptune import journal as jn
from hptune.history import History
from hptune.replay import replay

Capture = pytest.CaptureFixture[str]

MODEL = """
from pathlib import Path

from sklearn.linear_model import Ridge


class Pressing(Ridge):
    \"\"\"Ctrl-C comes at the first fit on so many rows, as the file `press` says: all 60, or less than 25.\"\"\"

    def fit(self, X, y):
        press = Path(__file__).with_name("press")
        if press.exists() and eval(press.read_text(), {"rows": len(X)}):
            press.unlink()
            raise KeyboardInterrupt
        return super().fit(X, y)
"""
REFIT, FINALS = "rows == 60", "rows < 25"

CONFIG = """
name: cut
seed: 0
data: {train: d.csv, target: y}
model: {class: "MODULE.Pressing"}
space: {alpha: {type: float, min: 0.001, max: 1000, scale: log, default: 1000}}
evaluate: {cv: 3, finals: {enabled: true}}
oracle: {type: random}
budget: {trials: 2}
executor: {type: serial}
probe: false
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    module = f"pressing_{abs(hash(tmp_path)) % 10**8}"
    (tmp_path / f"{module}.py").write_text(MODEL)
    (tmp_path / "c.yaml").write_text(CONFIG.replace("MODULE", module))
    rng = np.random.default_rng(0)
    X = rng.normal(size=(60, 3))
    rows = np.column_stack([X, X @ [0.4, -0.5, 0.3] + rng.normal(size=60)])
    (tmp_path / "d.csv").write_text("a,b,c,y\n" + "".join(f"{','.join(map(str, row))}\n" for row in rows))
    monkeypatch.chdir(tmp_path)
    path = list(sys.path)
    yield tmp_path
    sys.path[:] = path


def run(*more: str, code: int = 0) -> dict[str, Any]:
    assert cli.invoke(["run", "c.yaml", "--dir", "run", "-q", *more]) == code
    found: dict[str, Any] = json.loads(Path("run/result.json").read_text())
    return {key: value for key, value in found.items() if key not in ("seconds", "versions")}


def history() -> History:
    return replay(jn.read(Path("run")).events)


def shown(capsys: Capture) -> tuple[str | None, str]:
    """Return what `show` says of the end, to programs and to people."""
    capsys.readouterr()
    assert cli.invoke(["show", "run", "--json"]) == 0
    ended = json.loads(capsys.readouterr().out)["ended"]
    assert cli.invoke(["show", "run"]) == 0
    return ended, next(line for line in capsys.readouterr().out.splitlines() if "state" in line)


def cut(records: int, events: Any = None) -> None:
    """Leave the journal as a kill after so many records would have."""
    events = events or jn.read(Path("run")).events
    Path("run", jn.NAME).write_bytes(b"".join(jn.encode(event, n) for n, event in enumerate(events[:records])))


@pytest.mark.slow
@pytest.mark.parametrize("before", [True, False])
@pytest.mark.parametrize(("when", "finals"), [(REFIT, True), (REFIT, False), (FINALS, True)])
def test_more_trials_that_are_interrupted_after_the_search_go_on_to_as_many(
    when: str, before: bool, finals: bool, project: Path, capsys: Capture
) -> None:
    more = ("--trials", "+3", "-o", f"evaluate.finals.enabled={str(finals).lower()}")
    if before:
        run(*more[2:])
    total = 5 if before else 3
    (project / "press").write_text(when)
    found = run(*more, code=130)
    assert not (project / "press").exists()
    assert (found["status"], found["stop_reason"], found["trials"]["total"]) == ("interrupted", "signal", total)
    if (
        when == REFIT
    ):  # one that ends the workers in the finals comes as a second one does: nothing is written any more
        ended, said = shown(capsys)
        assert (ended, said.endswith("ended: it was interrupted")) == ("signal", True)
    found = run(*more)
    assert (found["status"], found["stop_reason"], found["trials"]["total"]) == ("complete", "trials", total)
    assert list(Path("run").glob("model.*"))
    assert (history().winner is not None) == finals
    assert shown(capsys)[0] == "trials"
    journal = Path("run", jn.NAME).read_bytes()
    assert run(*more[2:], "-o", f"budget.trials={total}") == found
    assert Path("run", jn.NAME).read_bytes() == journal
    assert run(*more)["trials"]["total"] == total + 3


def test_a_run_that_is_killed_after_the_search_has_not_ended_whatever_was_the_last_record(
    project: Path, capsys: Capture
) -> None:
    run()
    whole = run("--trials", "+3")
    shutil.copytree("run", "kept")
    events = jn.read(Path("run")).events
    after = max(n for n, event in enumerate(events) if event.type == "trial_completed") + 1
    assert {event.type for event in events[after:]} == {"final_scored", "winner_chosen", "study_ended"}
    assert events[-1].type == "study_ended"
    for records in (after, after + 1, len(events) - 2, len(events) - 1):
        shutil.rmtree("run")
        shutil.copytree("kept", "run")
        cut(records)
        assert history().ended is None
        in_finals = "winner_chosen" not in {event.type for event in events[after:records]} and records > after
        ended, said = shown(capsys)
        assert (ended, "in its finals, or killed there" in said) == (None, in_finals)
        assert run("--trials", "+3") == whole, records
        assert history().ended == "trials"
    assert run("--trials", "+3")["trials"]["total"] == 8


def test_a_journal_of_before_which_tells_the_end_ahead_of_the_finals_goes_on_to_as_many(project: Path) -> None:
    run()
    whole = run("--trials", "+3")
    events = list(jn.read(Path("run")).events)
    end = events.pop()
    assert isinstance(end, ev.StudyEnded)
    after = max(n for n, event in enumerate(events) if event.type == "trial_completed") + 1
    events.insert(after, end)
    cut(len(events), events)
    assert history().ended == "trials"
    assert run() == whole
    cut(after + 3, events)
    assert history().ended is None
    assert run("--trials", "+3") == whole
    cut(len(events), events)
    assert run("--trials", "+3")["trials"]["total"] == 8


def test_the_time_of_a_study_is_that_of_search_and_finals(project: Path) -> None:
    (project / "press").write_text(f"{REFIT} and __import__('time').sleep(1)")  # a slow refit, and no Ctrl-C
    run()
    events = jn.read(Path("run")).events
    assert [event.type for event in events[-2:]] == ["winner_chosen", "study_ended"]
    assert events[-1].time - events[-2].time < 0.9
    seconds = history().seconds
    cut(len(events) - 1)
    for path in Path("run").glob("model.*"):
        path.unlink()
    run()
    assert list(Path("run").glob("model.*"))
    assert history().seconds == pytest.approx(seconds, abs=0.9)
