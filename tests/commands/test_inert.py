"""What others wrote (a journal's names and values, what a trial printed) is printed, and obeyed by nobody."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from hptune import cli
from hptune.checksum import with_checksum
from hptune.config.yaml_loader import load_text

Capture = pytest.CaptureFixture[str]

CONFIG = """\
name: ridge
data: {train: sklearn:load_diabetes}
model: {class: sklearn.linear_model.Ridge}
space:
  alpha: {type: float, min: 0.5, max: 1, scale: log}
  solver: [svd, cholesky]
evaluate: {metric: r2, cv: 3}
oracle: {type: random}
start_with: [defaults, {alpha: 0.5}]
budget: {trials: 5}
executor: {type: serial}
output: {dir: run}
"""

PAYLOADS = {
    "runner": "::add-mask::42\n  ::set-output name=d::yes\n\r::x::\n##[error]y ##vso[task.complete]z",
    "terminal": "\x1b[31m\x1b]0;title\x07\x9b2J\x85\x7f\x08\r\x1b[2K\u2028\u202e",
    "python": '\nimport os; os.system("touch PWNED")\n#',
    "docstring": '"""\nimport os; os.system("touch PWNED")\n"""',
    "yaml": "\nmodel: {command: touch PWNED}\n#",
    "backslash": "\\",
}

READING = [
    ["trials"], ["trials", "--all"], ["trials", "--format", "markdown"], ["trials", "--json"], ["best"],
    ["best", "--format", "python"], ["best", "--format", "yaml"], ["best", "--json"], ["best", "--param", "no"], ["show"],
    ["show", "0"], ["show", "4"], ["show", "4", "--json"], ["show", "4", "--log"], ["show", "--json"], ["suggest"],
    ["suggest", "--json"], ["importance"], ["importance", "--format", "markdown"], ["compare"],
    ["compare", "--format", "markdown"], ["trials", "--sort", "no"],
]  # fmt: skip


@pytest.fixture(scope="module")
def honest(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("honest")
    (folder / "study.yaml").write_text(CONFIG)
    assert cli.invoke(["run", str(folder / "study.yaml"), "--quiet"]) == 0
    return folder / "run"


def forged(source: Path, folder: Path, change: Callable[[dict[str, Any]], Mapping[str, Any]]) -> Path:
    """Return a copy of a run directory whose records are changed, their checksums right."""
    shutil.copytree(source, folder)
    lines = []
    for line in (source / "journal.jsonl").read_text().splitlines():
        record = json.loads(line)
        del record["crc"]
        lines.append(with_checksum(json.dumps(change(record), separators=(",", ":")).encode()))
    (folder / "journal.jsonl").write_bytes(b"".join(line.rstrip(b"\n") + b"\n" for line in lines))
    return folder


def everywhere(payload: str) -> Callable[[dict[str, Any]], Mapping[str, Any]]:
    """Put `payload` into all that a journal can say in text."""
    name = {"alpha": f"alpha{payload}", "solver": f"{payload}solver"}
    value = {"svd": payload, "cholesky": f"cholesky{payload}"}

    def values(found: Mapping[str, Any]) -> dict[str, Any]:
        return {name[key]: value.get(one, one) for key, one in found.items()}

    def change(record: dict[str, Any]) -> Mapping[str, Any]:
        if record["type"] == "study_started":
            first, second = record["space"]["parameters"]
            parameters = [
                {**first, "name": name["alpha"]},
                {**second, "name": name["solver"], "values": list(value.values()), "default": value["cholesky"]},
            ]
            record |= {
                "name": f"n{payload}",
                "metric": f"m{payload}",
                "starts": [values(one) for one in record["starts"]],
            }
            record["space"] = {**record["space"], "parameters": parameters}
            for config in (record["config"], record["problem"]):
                config["space"] = {name[key]: entry for key, entry in config["space"].items()}
        if record["type"] == "trial_started":
            note = {"oracle": f"o{payload}", "why": payload}
            record |= {"values": values(record["values"]), "origin": f"o{payload}", "note": note}
        if record["type"] == "trial_completed" and record["trial"] == 4:
            told = {"kind": "error", "message": payload, "traceback": f"Traceback\n{payload}"}
            record = {**record, "type": "trial_failed", **told, "final": True}
        return record

    return change


def obeyed(text: str) -> list[str]:
    """Return what in the text a terminal or a CI runner would obey."""
    controls = re.findall("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202e]", text)
    lines = [line for line in text.splitlines() if line.lstrip().startswith("::")]
    return [*controls, *lines, *re.findall(r"##(?:vso)?\[", text)]


@pytest.mark.parametrize("payload", list(PAYLOADS))
def test_nothing_that_a_reading_verb_prints_of_a_forged_journal_is_obeyed(
    payload: str, honest: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    text = PAYLOADS[payload]
    run = forged(honest, tmp_path / "run", everywhere(text))
    (run / "logs").mkdir(exist_ok=True)
    (run / "logs" / "trial-00004.log").write_text(f"{text}\n{text}")
    for width in ("", "40"):
        monkeypatch.setenv("COLUMNS", width)
        for verb, *options in READING:
            folders = [str(run)] * (2 if verb == "compare" else 1)
            code = cli.invoke([verb, *folders, *options])
            said = capsys.readouterr()
            assert code == (2 if "no" in options else 0), said.err
            assert obeyed(said.out) + obeyed(said.err) == [], (verb, options)
            if "--json" in options:
                json.loads(said.out)


@pytest.mark.parametrize("payload", list(PAYLOADS))
def test_what_the_best_trial_and_the_advice_print_for_python_and_yaml_is_data(
    payload: str, honest: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    monkeypatch.chdir(tmp_path)
    text = PAYLOADS[payload]
    run = forged(honest, tmp_path / "run", everywhere(text))
    cli.invoke(["best", str(run), "--json"])
    best = json.loads(capsys.readouterr().out)["params"]
    cli.invoke(["best", str(run), "--format", "python"])
    found: dict[str, Any] = {}
    exec(compile(capsys.readouterr().out, "best.py", "exec"), found)
    assert found["params"] == best
    cli.invoke(["best", str(run), "--format", "yaml"])
    assert load_text(capsys.readouterr().out, "best").value["params"] == best
    cli.invoke(["suggest", str(run), "--json"])
    patch = json.loads(capsys.readouterr().out)["patch"]
    assert patch["space"]
    cli.invoke(["suggest", str(run)])
    assert load_text(capsys.readouterr().out, "suggest").value == patch
    assert sorted(path.name for path in tmp_path.iterdir()) == ["run"]


@pytest.mark.slow
@pytest.mark.parametrize("payload", list(PAYLOADS))
@pytest.mark.parametrize("model", ["estimator", "function"])
def test_an_exported_script_runs_nothing_of_a_journals_texts(
    model: str, payload: str, honest: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    monkeypatch.chdir(tmp_path)
    text = PAYLOADS[payload]

    def change(record: dict[str, Any]) -> Mapping[str, Any]:
        started = record["type"] == "study_started"
        return {**record, "name": f"n{text}", "metric": f"m{text}"} if started else record

    run = forged(honest, tmp_path / "run", everywhere(text) if model == "function" else change)
    if model == "function":
        (run / "config.yaml").write_text("model: {function: 'a:b'}\nspace: {x: [1]}\nevaluate: {metric: loss}\n")
    assert cli.invoke(["export", str(run)]) == 0
    script = capsys.readouterr().out
    assert obeyed(script) == []
    (tmp_path / "script.py").write_text(script)
    done = subprocess.run([sys.executable, "script.py"], capture_output=True, text=True, cwd=tmp_path, check=False)
    assert done.returncode == 0, done.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == ["run", "script.py"]


def test_a_table_of_csv_keeps_values_as_they_are_and_its_own_words_on_one_line(
    honest: Path, tmp_path: Path, capsys: Capture
) -> None:
    text = PAYLOADS["terminal"]

    def change(record: dict[str, Any]) -> Mapping[str, Any]:
        return {**record, "origin": text} if record["type"] == "trial_started" else record

    run = forged(honest, tmp_path / "run", change)
    assert cli.invoke(["trials", str(run), "--format", "csv"]) == 0
    assert obeyed(capsys.readouterr().out) == []


def test_best_yaml_of_any_metric_is_yaml(honest: Path, tmp_path: Path) -> None:
    from hptune.commands._shared import read_study
    from hptune.report.best_yaml import heading

    def change(record: dict[str, Any]) -> Mapping[str, Any]:
        return {**record, "name": "n\nx: 1", "metric": "a\nb"} if record["type"] == "study_started" else record

    history = read_study(forged(honest, tmp_path / "run", change))
    assert history.best is not None
    assert all(line.startswith("#") for line in heading(history, history.best).splitlines())


# -- what a trial printed --------------------------------------------------------------------------------------------

PRINTS = """\
import sys
print("ValueError: bad row:")
print("::add-mask::hello")
print("   ::set-output name=v::pwn")
print("##[error]forged ##vso[task.complete]")
sys.exit(3)
"""

COMMAND = """\
model:
  command: "python3 v.py {x} {result_file} \\e[2K\\r  runs     python3 train.py"
  metrics: {file: "{result_file}"}
space: {x: [1, 2]}
evaluate: {metric: "a:loss", direction: minimize}
budget: {trials: 2}
"""


@pytest.mark.slow
def test_what_a_trial_prints_and_a_config_says_of_its_command_is_obeyed_by_nobody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    (tmp_path / "v.py").write_text(PRINTS)
    (tmp_path / "v.yaml").write_text(COMMAND)
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    run = str(tmp_path / "run")
    assert cli.invoke(["run", str(tmp_path / "v.yaml"), "--dir", run, "--verbose"]) == 4
    assert cli.invoke(["show", run]) == cli.invoke(["show", run, "0"]) == cli.invoke(["show", run, "0", "--log"]) == 0
    said = capsys.readouterr()
    assert obeyed(said.out) + obeyed(said.err) == []
    assert ": :add-mask::hello" in said.out
    assert ": :add-mask::hello" in said.err
    first = next(line for line in said.err.splitlines() if line.startswith("  runs"))
    assert first.startswith("  runs     python3 v.py")
    assert "\\x1b[2K\\r" in first
    assert "runs code" not in said.err  # a command's metric may have a colon: nothing is imported for it


def test_outside_of_ci_what_a_trial_printed_is_shown_as_it_is(
    honest: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    monkeypatch.delenv("GITHUB_ACTIONS", raising=False)
    run = shutil.copytree(honest, tmp_path / "run")
    (run / "logs").mkdir(exist_ok=True)
    (run / "logs" / "trial-00001.log").write_text("::note\n##[x]\n")
    assert cli.invoke(["show", str(run), "1", "--log"]) == 0
    assert capsys.readouterr().out == "::note\n##[x]\n"


# -- a config's own words --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("json_too", [False, True])
def test_a_name_that_could_be_obeyed_is_refused_and_its_refusal_is_not_obeyed(
    json_too: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    (tmp_path / "gh.yaml").write_text(
        "model: {function: 'a:b'}\n"
        'space: {"x\\n::add-mask::42\\n::set-output name=deploy::yes\\n##[error]y\\e[31m": [1, 2]}\n'
        'evaluate: {metric: "a\\nb", direction: minimize}\n'
    )
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.chdir(tmp_path)
    assert cli.invoke(["validate", "gh.yaml", "--static", *(["--json"] if json_too else [])]) == 2
    said = capsys.readouterr()
    ours = [line for line in said.err.splitlines() if line.startswith("::error file=gh.yaml,line=")]
    others = "\n".join(line for line in said.err.splitlines() if line not in ours)
    assert len(ours) == 2
    assert obeyed(others) + obeyed(said.out) == []
    assert "\x1b" not in said.err
    assert "gh.yaml:2: space.x\\n: :" not in others  # the break is made at a line's begin only
    assert "gh.yaml:3: evaluate.metric: expected a name on one line without control characters, found the" in others


def test_an_ask_says_that_code_runs_only_where_the_oracle_is_the_configs_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    (tmp_path / "a.yaml").write_text('space: {x: [1, 2]}\nevaluate: {metric: "evil:f", direction: minimize}\n')
    monkeypatch.chdir(tmp_path)
    assert cli.invoke(["ask", "a.yaml"]) == 0
    assert "runs code" not in capsys.readouterr().err


def test_init_shows_a_tables_header_on_one_line(tmp_path: Path, capsys: Capture) -> None:
    (tmp_path / "t.csv").write_text('"a\n::add-mask::42\n\x1b[31m",b\n1,2\n3,4\n')
    assert cli.invoke(["init", str(tmp_path / "t.csv"), "--target", "no"]) == 2
    said = capsys.readouterr().err
    assert "its columns are" in said
    assert obeyed(said) == []
