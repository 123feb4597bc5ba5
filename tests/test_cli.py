"""The command line as a whole: fast help, exit codes, one JSON document on stdout whatever happens."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

import hptune
from hptune import cli
from hptune.commands._signals import signals
from hptune.errors import (
    ConfigError,
    DirectoryUnusable,
    ExecutorUnreachable,
    GateNotMet,
    Interrupted,
    JournalDamaged,
    NoSuccess,
    Problem,
    StudyLocked,
    UsageError,
)

HEAVY = ("numpy", "scipy", "sklearn", "pandas", "pydantic", "yaml", "rich", "psutil", "sqlite3", "distributed")
VERBS = (
    *("run", "validate", "space", "trials", "best", "show", "report", "oracles", "init", "spaces", "schema"),
    *("predict", "export", "retry", "doctor", "ask", "tell"),
)


def hptune_process(*arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "hptune", *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ, "COLUMNS": "80", **environ},
        check=False,
    )


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], *([verb, "--help"] for verb in ("run", "trials"))])
def test_help_loads_nothing_heavy(arguments: list[str]) -> None:
    found = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "hptune", *arguments], capture_output=True, text=True, check=True
    )
    loaded = {line.rpartition("|")[2].strip().split(".")[0] for line in found.stderr.splitlines()}
    assert "typer" in loaded
    assert not loaded & set(HEAVY)


def test_completion_loads_nothing_heavy() -> None:
    code = (
        "import sys; from hptune import cli\n"
        "try: cli.invoke([])\n"
        "except SystemExit: pass\n"
        "print(set(sys.modules) & set(sys.argv[1].split()), file=sys.stderr)"
    )
    found = subprocess.run(
        [sys.executable, "-c", code, " ".join(HEAVY)],
        env={**os.environ, "_HPTUNE_COMPLETE": "complete_bash", "COMP_WORDS": "hptune tr", "COMP_CWORD": "1"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert (found.stdout, found.stderr) == ("trials\n", "set()\n")


def test_importing_hptune_loads_nothing_and_its_names_load_on_use() -> None:
    code = (
        "import sys, hptune; assert not {'numpy', 'pydantic', 'hptune.study'} & set(sys.modules);"
        "assert all(getattr(hptune, name) is not None for name in hptune.__all__); print(sorted(hptune.__all__))"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert "HyperParameters" in out


def test_an_unknown_name_of_the_package_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'Studdy'"):
        hptune.Studdy  # noqa: B018
    assert set(hptune.__all__) <= set(dir(hptune))


def test_help_lists_every_verb_and_the_exit_codes(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.invoke(["--help"]) == 0
    out = capsys.readouterr().out
    for verb in VERBS:
        assert re.search(rf"^  {verb}\s+\S", out, re.MULTILINE)
    for code in (0, 1, 2, 3, 4, 5, 6, 7, 129, 130, 143):
        assert re.search(rf"^ +{code}  ", out, re.MULTILINE)
    assert "…" not in out
    assert "..." not in out.partition("Commands:")[2]  # no verb's summary is cut off


def test_validate_says_that_it_fits(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.invoke(["validate", "--help"]) == 0
    told = " ".join(capsys.readouterr().out.split())
    assert "without fitting" not in told
    assert "fitted on a few rows" in told


@pytest.mark.parametrize("verb", VERBS)
def test_each_verb_has_help_and_an_example(verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.invoke([verb, "-h"]) == 0
    out = capsys.readouterr().out
    assert verb == "oracles" or f"hptune {verb} " in out.partition("Usage:")[2].partition("\n")[2]


@pytest.mark.parametrize("arguments", [[], ["report"], ["run"]])
def test_no_arguments_show_the_help_as_it_is(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.invoke([*arguments, "--help"]) == 0
    wanted = capsys.readouterr().out
    assert cli.invoke(arguments) == 2
    captured = capsys.readouterr()
    assert captured.err == wanted
    assert captured.out == ""


def test_the_version_is_the_packages(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.invoke(["--version"]) == 0
    assert capsys.readouterr().out == f"hptune {hptune.__version__}\n"


FAILURES = [
    (UsageError("no"), 2),
    (ConfigError([Problem("a.b", "expected x", "study.yaml", 3, 5)]), 2),
    (GateNotMet("gain too small"), 3),
    (NoSuccess("none"), 4),
    (JournalDamaged("line 3"), 5),
    (StudyLocked("locked"), 5),
    (DirectoryUnusable("full"), 6),
    (ExecutorUnreachable("gone"), 7),
    (OSError(28, "No space left on device"), 6),
    (Interrupted(signal.SIGINT), 130),
    (Interrupted(signal.SIGTERM), 143),
    (KeyboardInterrupt(), 130),
    (ZeroDivisionError("division by zero"), 1),
]


@pytest.mark.parametrize(("error", "code"), FAILURES, ids=lambda found: type(found).__name__ + str(found)[:12])
def test_every_exception_has_its_exit_code_and_one_json_document(
    error: BaseException, code: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fails(**_: object) -> int:
        raise error

    monkeypatch.setattr("hptune.commands.oracles.oracles", fails)
    assert cli.invoke(["oracles", "--json"]) == code
    captured = capsys.readouterr()
    if isinstance(error, GateNotMet):  # the result is the document, and has the verdict
        assert captured.out == ""
        assert "gain too small" in captured.err
        return
    document = json.loads(captured.out)
    assert list(document) == ["schema_version", "error"]
    assert list(document["error"]) == ["file", "line", "key", "message"]
    assert document["error"]["message"]
    assert ("Traceback" in captured.err) == (code == 1)
    assert ("this is a bug in hptune" in captured.err) == (code == 1)


def test_a_config_error_names_file_line_and_key_and_shows_the_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "study.yaml"
    file.write_text("version: 1\nsed: 3\n")

    def fails(**_: object) -> int:
        raise ConfigError([Problem("sed", "unknown key; did you mean 'seed'?", str(file), 2, 1)])

    monkeypatch.setattr("hptune.commands.oracles.oracles", fails)
    assert cli.invoke(["oracles", "--json"]) == 2
    captured = capsys.readouterr()
    assert json.loads(captured.out)["error"] == {
        "file": str(file),
        "line": 2,
        "key": "sed",
        "message": "unknown key; did you mean 'seed'?",
    }
    assert f"{file}:2: sed: unknown key" in captured.err
    assert "    2 | sed: 3\n      | ^\n" in captured.err


def test_a_wrong_verb_is_a_usage_error_with_a_suggestion(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.invoke(["trails"]) == 2
    assert "trials" in capsys.readouterr().err
    for config in ("svr.yaml", "runs/svr"):
        assert cli.invoke([config]) == 2
        assert f"Did you mean `hptune run {config}`?" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "wanted"),
    [
        (["trials", "x", "--json"], True),
        (["trials", "x", "--format", "json"], True),
        (["trials", "x", "--format=json"], True),
        (["trials", "x", "--format", "csv"], False),
        (["trials", "--", "--json"], False),
        ([], False),
    ],
)
def test_whether_json_is_wanted_is_known_without_parsing(arguments: list[str], wanted: bool) -> None:
    assert cli.wants_json(arguments) == wanted


def test_a_usage_error_is_json_too(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.invoke(["trials", "--json", "--nonsense"]) == 2
    assert "nonsense" in json.loads(capsys.readouterr().out)["error"]["message"]


def test_a_closed_stdout_is_no_fault() -> None:
    command = f"{sys.executable} -m hptune oracles | true; echo ${{PIPESTATUS[0]}}"
    found = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=True)
    assert found.stdout == "0\n"
    assert found.stderr == ""


# -- signals --------------------------------------------------------------------------------------------------------


def test_the_first_signal_is_only_noted_while_gentle_and_the_second_raises() -> None:
    with signals.installed():
        with signals.gently():
            os.kill(os.getpid(), signal.SIGTERM)
            assert signals.requested() == "signal"
            with pytest.raises(Interrupted):
                os.kill(os.getpid(), signal.SIGINT)
        assert signals.exit_code == 143  # the first one's


def test_outside_of_gentle_work_the_first_signal_raises() -> None:
    with signals.installed(), pytest.raises(Interrupted) as caught:
        os.kill(os.getpid(), signal.SIGINT)
    assert caught.value.exit_code == 130


def test_handlers_are_put_back_and_an_ignored_signal_stays_ignored() -> None:
    before = signal.getsignal(signal.SIGINT)
    try:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        with signals.installed():
            assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
        assert signals.requested() is None
    finally:
        signal.signal(signal.SIGINT, before)


def test_the_command_line_works_in_a_thread() -> None:
    codes: list[int] = []
    thread = threading.Thread(target=lambda: codes.append(cli.invoke(["trials", "/nonexistent"])))
    thread.start()
    thread.join()
    assert codes == [2]


def test_run_says_its_first_line_before_anything_heavy_is_imported() -> None:
    code = "import sys, hptune.commands.run; print(set(sys.modules) & set(sys.argv[1].split()))"
    out = subprocess.run([sys.executable, "-c", code, " ".join(HEAVY)], capture_output=True, text=True, check=True)
    assert out.stdout == "set()\n"


def test_the_verb_asked_for_is_built_alone_and_is_the_same_as_among_all() -> None:
    from hptune.cli import _command

    every = _command().commands
    for verb, whole in every.items():
        alone = _command([verb, "--help"]).commands
        assert list(alone) == [verb]
        assert [option.opts for option in alone[verb].params] == [option.opts for option in whole.params]
        assert alone[verb].help == whole.help
    assert list(_command(["--version"]).commands) == list(every)
    assert list(_command(["rum"]).commands) == list(every)


def test_ctrl_c_before_the_command_line_is_there_is_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    import hptune.__main__ as entry

    def pressed() -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(entry, "open_missing", pressed)
    with pytest.raises(SystemExit) as caught:
        entry.main()
    assert caught.value.code == 130
    assert capsys.readouterr().err == "interrupted\n"


NOISY = """
import atexit, os, sys
print("on import")
atexit.register(print, "at exit")

def f(values):
    print("printed")
    os.write(1, b"written\\n")
    os.system("echo echoed")
    return values["x"]
"""
NOISY_CONFIG = """
name: noisy
model: {function: "noisy_json:f"}
space: {x: {type: float, min: 0, max: 1}}
evaluate: {metric: loss, direction: minimize}
budget: {trials: 2}
executor: {type: serial}
"""


@pytest.mark.parametrize(
    "words", [["run"], ["run", "--dry-run"], ["validate"], ["space"], ["run", "--trials", "none"]], ids=" ".join
)
def test_what_user_code_prints_is_on_stderr_and_json_stays_one_document(words: list[str], tmp_path: Path) -> None:
    (tmp_path / "noisy_json.py").write_text(NOISY)
    (tmp_path / "c.yaml").write_text(NOISY_CONFIG)
    command = [sys.executable, "-m", "hptune", words[0], "c.yaml", *words[1:], "--json"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=100, check=False)
    assert json.loads(done.stdout)["schema_version"] == 1, done.stderr
    if "none" in words:
        return
    assert done.returncode == 0, done.stderr
    for noise in ["on import", "at exit"] + ["printed", "written", "echoed"] * (words[0] == "run"):
        assert f"{noise}\n" in done.stderr


@pytest.mark.parametrize("real", [False, True])
def test_stdout_is_given_back_when_the_command_line_was_called_from_python(real: bool, tmp_path: Path) -> None:
    (tmp_path / "noisy_json.py").write_text(NOISY)
    (tmp_path / "c.yaml").write_text(NOISY_CONFIG)
    code = (
        "import io, json, sys\nfrom hptune import cli\n"
        + ("" if real else "before = sys.stdout; sys.stdout = found = io.StringIO()\n")
        + "assert cli.invoke(['run', 'c.yaml', '--json']) == 0\n"
        + ("" if real else "assert sys.stdout is found; sys.stdout = before; print(found.getvalue())\n")
        + "print('afterwards')"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True)
    document, _, after = done.stdout.rpartition("afterwards\n")
    assert after == "at exit\n"
    if real:
        assert json.loads(document)["name"] == "noisy"
        assert "written\n" in done.stderr
    else:
        assert "printed" in done.stderr
        assert "printed" not in document
