"""`run --summary --junit`, the step summary, annotations, and `suggest`: what a CI server gets from a real run."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from hptune import cli
from hptune.commands._shared import read_study
from hptune.config.load import load

Capture = pytest.CaptureFixture[str]

# Smaller is better the larger x and n are: the winner is at the upper bounds of both.
OBJECTIVE = (
    "def f(values):\n    return -values['x'] - values['n'] + 1 / (values['x'] - 2 if values['k'] == 'b' else 1)\n"
)
CONFIG = """
name: fun
model: {function: "MODULE:f"}
space:
  x: {type: float, low: -5, high: 5, default: 3, step: 0.5}
  n: {type: int, min: 2, max: 4, default: 3}
  k: [a, b]
evaluate: {metric: loss, direction: minimize}
oracle: {type: random}
budget: {trials: 10}
start_with: [defaults, {x: 5, n: 4, k: a}, {x: 2, n: 3, k: b}]
executor: {type: serial}
output: {dir: runs/fun}
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    module = f"outputs_{abs(hash(tmp_path)) % 10**8}"
    (tmp_path / f"{module}.py").write_text(OBJECTIVE)
    (tmp_path / "study.yaml").write_text(CONFIG.replace("MODULE", module))
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    for name in ("GITHUB_STEP_SUMMARY", "GITHUB_ACTIONS", "GITHUB_WORKSPACE"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


def run(*arguments: str) -> int:
    return cli.invoke(["run", "study.yaml", "-q", *arguments])


def test_a_run_writes_its_summary_and_its_tests(project: Path, capsys: Capture) -> None:
    assert run("--summary", "s.md", "--junit", "j.xml") == 0
    text = Path("s.md").read_text()
    assert text.startswith("## fun: done; `loss` -8")
    assert "hptune run study.yaml --dir runs/fun-again" in text
    assert "trial 2" in text
    names = [case.attrib["name"] for case in ET.parse("j.xml").getroot().iter("testcase")]
    assert names[:2] == ["a trial succeeded", "trial 2"]
    assert capsys.readouterr().out == ""


def reproduced(path: str) -> list[str]:
    """Return the arguments of the command that a summary names first."""
    text = Path(path).read_text().partition("```sh\nhptune ")[2]
    return shlex.split(text.splitlines()[0])


def trials_of(folder: str) -> list[tuple[dict[str, object], float | None]]:
    return [(trial.values, trial.score) for trial in read_study(Path(folder)).trials]


def test_the_command_of_the_summary_gives_the_same_trials(project: Path) -> None:
    learning = ["-o", "oracle={type: bayesian}", "-o", "executor={type: process, workers: 1}", "--trials", "9"]
    assert run(*learning, "--workers", "2", "--summary", "s.md") == 0
    assert cli.invoke([*reproduced("s.md"), "-q"]) == 0
    assert trials_of("runs/fun-again") == trials_of("runs/fun")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("first", "last", "told"),
    [
        (["--workers", "2"], [], ["executor.lookahead=4"]),
        (["-o", "executor.workers=auto"], ["-o", "executor.workers=2"], ["executor.workers=2", None]),
        (["-o", "executor.workers=2"], ["-o", "executor.workers=2"], ["executor.workers=2"]),
        (["--workers", "2"], ["-o", "executor.lookahead=4"], ["executor.lookahead=4"]),
        (["--trials", "+3"], ["--trials", "+1"], ["budget.trials=4"]),
        (["--trials", "12"], [], ["budget.trials=12"]),
        (["-o", "executor.order=async"], ["-o", "executor.order=async"], ["executor.order=async"]),
    ],
    ids=str,
)
def test_the_command_of_the_summary_says_what_the_trials_depend_on(
    first: list[str], last: list[str], told: list[str | None], project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hptune.executor.usable_cores", lambda: 3)
    text = Path("study.yaml").read_text().replace("{type: serial}", "{type: process, workers: 1}")
    Path("study.yaml").write_text(text)
    assert run(*first) == 0
    assert run(*last, "--summary", "s.md") == 0
    overrides = [one for one in reproduced("s.md") if "=" in one]
    assert overrides == [one or "executor.lookahead=6" for one in told]


def test_a_gate_not_met_is_in_both_and_exits_with_3(project: Path) -> None:
    assert run("--summary", "s.md", "--junit", "j.xml", "-o", "gate={min_gain: 5}") == 3
    assert Path("s.md").read_text().startswith("## fun: gate ")
    (suite,) = ET.parse("j.xml").getroot()
    assert suite.attrib["failures"] == "1"


def test_with_json_a_gate_not_met_is_in_the_one_document(project: Path, capsys: Capture) -> None:
    assert run("--json", "-o", "gate={min_gain: 5000}") == 3
    captured = capsys.readouterr()
    document = json.loads(captured.out)
    assert document["gate"]["verdict"] != "pass"
    assert document == json.loads(Path("runs/fun/result.json").read_text())
    assert "gate not met" in captured.err


def test_best_yaml_and_the_closing_part_tell_the_same_gain(project: Path, capsys: Capture) -> None:
    assert cli.invoke(["run", "study.yaml"]) == 0
    (told,) = [line.split(maxsplit=1)[1] for line in capsys.readouterr().out.splitlines() if line.startswith("gain")]
    assert f"# Gain: {told}.\n" in Path("runs/fun/best.yaml").read_text()
    assert cli.invoke(["run", "runs/fun/best.yaml", "--dir", "once"]) == 0
    assert "\ngain" not in capsys.readouterr().out  # one configuration alone is compared with nothing


def test_a_study_whose_time_is_up_says_so_when_it_is_continued(project: Path, capsys: Capture) -> None:
    limit = ("-o", "budget={trials: 100, time: 0.05s}")
    assert cli.invoke(["run", "study.yaml", *limit]) in (0, 4)
    assert "is spent: nothing new begins" not in capsys.readouterr().err
    assert cli.invoke(["run", "study.yaml", *limit, "--trials", "+3"]) in (0, 4)
    assert "budget.time (0.05 s) is spent: nothing new begins until it is raised" in capsys.readouterr().err


def test_a_run_without_a_success_is_told_too(project: Path) -> None:
    assert run("--summary", "s.md", "--junit", "j.xml", "-o", "space={x: [1]}", "-o", "start_with=[defaults]") == 4
    assert Path("s.md").read_text().startswith("## fun: failed: ``no trial succeeded")
    assert ET.parse("j.xml").getroot().attrib["failures"] == "1"


def test_the_step_summary_is_appended_to_and_never_beyond_a_mebibyte(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    step = project / "step.md"
    step.write_text("# earlier\n")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(step))
    assert run("--summary", "s.md") == 0
    assert step.read_text() == "# earlier\n\n" + Path("s.md").read_text()
    step.write_bytes(b"x" * (1024 * 1024 - 1100) + b"\n")
    assert run() == 0
    assert step.stat().st_size < 1024 * 1024
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(project / "none" / "step.md"))
    assert run() == 0
    assert "cannot append to GITHUB_STEP_SUMMARY" in capsys.readouterr().err


def test_what_could_not_be_written_is_refused_before_the_search(project: Path, capsys: Capture) -> None:
    for arguments in (["--summary", "none/s.md"], ["--junit", "."], ["-o", "gate.baseline=none.json"]):
        assert run(*arguments) == 2, arguments
        assert capsys.readouterr().err
    assert not Path("runs/fun/result.json").exists()


def test_errors_of_the_config_are_annotations_on_stderr_in_a_workflow(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    Path("study.yaml").write_text("nam: x\n" + Path("study.yaml").read_text())
    assert run() == 2
    assert "::error" not in capsys.readouterr().err
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_WORKSPACE", str(project))
    assert run("--json") == 2
    captured = capsys.readouterr()
    assert "::error file=study.yaml,line=1,col=1::nam: " in captured.err
    assert list(json.loads(captured.out)) == ["schema_version", "error"]


def test_the_suggested_space_loads_when_merged_and_is_wider(project: Path, capsys: Capture) -> None:
    assert run() == 0
    assert cli.invoke(["suggest", "runs/fun"]) == 0
    text = capsys.readouterr().out
    assert "# widen x: its best value 5 is at the upper bound\n" in text
    # The run's own config.yaml has canonical keys: study.yaml says `high`, which would not go with `max`.
    Path("wider.yaml").write_text("extends: runs/fun/config.yaml\n" + text)
    space = {one.name: one for one in load("wider.yaml").space.parameters}
    assert (space["x"].low, space["x"].high, space["x"].default_value) == (-5, 10, 3)  # type: ignore[attr-defined]
    assert (space["n"].low, space["n"].high) == (2, 5)  # type: ignore[attr-defined]
    assert "k" in space
    assert cli.invoke(["suggest", "runs/fun", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["patch"] == {"space": {"x": {"max": 10.0}, "n": {"max": 5}}}
    assert cli.invoke(["show", "runs/fun"]) == 0
    assert "advice    widen x" in capsys.readouterr().out


def test_the_suggestion_of_a_study_without_advice_is_yaml_too(tmp_path: Path, capsys: Capture) -> None:
    from hptune.config.yaml_loader import load_text
    from tests import told

    told.study(directory=tmp_path).close()
    assert cli.invoke(["suggest", str(tmp_path)]) == 0
    assert load_text(capsys.readouterr().out, "x").value == {"space": {}}


@pytest.mark.parametrize(
    ("options", "code"), [(["gate={min_gain: 5000}"], 3), (["model.function=math:sqrt", "gate=null"], 4)]
)
@pytest.mark.parametrize("more", [[], ["--json"]])
def test_a_reader_that_has_gone_hides_no_verdict(
    options: list[str], code: int, more: list[str], project: Path
) -> None:
    words = [word for one in options for word in ("-o", one)]
    command = [sys.executable, "-m", "hptune", "run", "study.yaml", *words, "--allow-import", "math", *more]
    read, write = os.pipe()
    os.close(read)
    try:
        both = subprocess.run(command, cwd=project, stdout=write, stderr=write, timeout=100, check=False)
        one = subprocess.run(command, cwd=project, stdout=write, stderr=subprocess.DEVNULL, timeout=100, check=False)
    finally:
        os.close(write)
    assert (both.returncode, one.returncode) == (code, code)


@pytest.mark.skipif(not Path("/proc/self").is_dir(), reason="needs a folder that even root cannot write")
def test_a_folder_that_cannot_be_written_is_said_before_the_search(project: Path, capsys: Capture) -> None:
    assert run("--summary", "/proc/self/s.md") == 2  # root cannot write there either
    assert "--summary: expected a folder that can be written, found /proc/self: " in capsys.readouterr().err
    assert not list(Path().glob("runs/fun/result.json"))


@pytest.mark.parametrize(("gate", "code"), [("{min_gain: 5000}", 3), ("null", 6)])
def test_a_summary_that_cannot_be_written_in_the_end_hides_no_verdict(
    gate: str, code: int, project: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hptune.commands._outputs.check_outputs", lambda _: None)
    assert run("--json", "--summary", "gone/s.md", "-o", f"gate={gate}") == code
    captured = capsys.readouterr()
    assert json.loads(captured.out) == json.loads(Path("runs/fun/result.json").read_text())
    assert "cannot write" in captured.err
