"""CONTRACTS, "What may run code": no verb that reads runs anything from a run directory, or leaves it."""

from __future__ import annotations

import json
import os
import pickle
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from hptune import journal as jn
from hptune import run_directory
from hptune.errors import DirectoryUnusable, JournalDamaged, UsageError
from tests.faults.kit import ROOT, Project, call, history_of, hptune
from tests.faults.measure import measured

pytestmark = pytest.mark.faults

READING = [
    ["trials", "RUN", "--all"], ["trials", "RUN", "--json"], ["trials", "RUN", "--format", "csv"], ["best", "RUN"],
    ["best", "RUN", "--format", "yaml"], ["best", "RUN", "--format", "python"], ["show", "RUN"], ["show", "RUN", "0"],
    ["show", "RUN", "1", "--log"], ["show", "RUN", "--json"], ["compare", "RUN", "RUN"], ["suggest", "RUN"],
    ["importance", "RUN"], ["report", "RUN", "--figures", "OUT"], ["schema"], ["schema", "result"], ["oracles"],
    ["spaces"], ["repair", "RUN"],
]  # fmt: skip

WATCH = """
import os, sys
run, out, arguments = sys.argv[1], sys.argv[2], sys.argv[3:]
from hptune.cli import invoke
seen = []
FORBIDDEN = {"pickle.find_class", "os.system", "subprocess.Popen", "os.exec", "os.fork", "os.forkpty", "os.posix_spawn",
    "os.spawn", "socket.connect", "socket.bind", "ctypes.dlopen", "code.__new__", "marshal.loads"}
CHANGES = {"os.remove", "os.rename", "os.mkdir", "os.rmdir", "os.link", "os.symlink", "os.truncate", "os.chmod",
    "os.chown", "shutil.rmtree", "os.utime"}
TRUSTED = ("/site-packages/", "/hptune/", sys.base_prefix, sys.prefix)

def inside(path):
    if isinstance(path, bytes):
        path = os.fsdecode(path)
    return isinstance(path, str) and os.path.realpath(path).startswith(os.path.realpath(run) + os.sep)

def watch(event, args):
    import_of_library = False
    if event in ("exec", "compile"):
        name = args[0].co_filename if event == "exec" else args[1]
        name = os.fsdecode(name) if isinstance(name, bytes) else str(name)
        generated = name.startswith("<")  # dataclasses and named tuples are; the source is looked at below
        if not generated and (inside(name) or not any(part in name for part in TRUSTED)):
            seen.append([event, name])
        source = args[0] if event == "compile" else None
        if isinstance(source, (str, bytes)) and "PWN" "ED" in str(source):
            seen.append([event, str(source)[:80]])
    elif event == "import" and (str(args[0]).split(".")[0] == "evil" or inside(args[1])):
        seen.append([event, str(args[0])])
    elif event == "open":
        path, mode, flags = args
        writes = flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND)
        allowed = REPAIR and os.path.basename(str(path)) == "lock"
        if writes and inside(path) and not allowed:
            seen.append([event, str(path), mode])
        if path is not None and str(path).endswith((".joblib", ".skops", ".pkl")):
            seen.append([event, str(path)])
    elif event in CHANGES and any(inside(one) for one in args):
        seen.append([event, *map(str, args[:2])])
    elif event in FORBIDDEN:
        frame, stack = sys._getframe(1), []
        while frame is not None:
            stack.append(frame.f_code.co_filename)
            frame = frame.f_back
        # Libraries look at their own shared objects and read their own caches; nobody may for us.
        if event not in ("ctypes.dlopen", "marshal.loads", "code.__new__", "subprocess.Popen", "os.posix_spawn",
                         "os.fork") or not any("/site-packages/" in one or "importlib" in one for one in stack):
            seen.append([event, *map(str, args[:2])])

REPAIR = arguments[0] == "repair"
sys.addaudithook(watch)
code = invoke(arguments)
sys.stdout.flush()
import json
print("\\nWATCHED", json.dumps([code, seen]))
"""


class Payload:
    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> object:
        return os.system, (f"touch {self.marker}",)


@pytest.fixture(scope="module")
def trapped(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A real run directory full of traps, and the file that each of them would make."""
    folder = tmp_path_factory.mktemp("trapped")
    run, marker = folder / "run", folder / "PWNED"
    project = Project(folder / "project", trials=4)
    project.finish(run)
    code = f"import os\nos.system('touch {marker}')\n"
    for name in (
        "evil",
        "objective",
        "json",
        "numpy",
        "yaml",
        "pydantic",
        "sitecustomize",
        "usercustomize",
        "hptune",
    ):
        (run / f"{name}.py").write_text(code)
    (run / "__init__.py").write_text(code)
    (run / "conftest.py").write_text(code)
    (run / "hptune.pth").write_text(f"import os; os.system('touch {marker}')")
    for name in ("model.joblib", "model.skops", "model.pkl", "journal.pickle"):
        (run / name).write_bytes(pickle.dumps(Payload(marker)))
    (run / "logs" / "trial-00001.log").write_text(f"__import__('os').system('touch {marker}')\n\x1b]0;title\x07")
    config = (run / "config.yaml").read_text()
    (run / "config.yaml").write_text(
        config.replace("objective:measure", "evil:measure")
        + f"\nx: !!python/object/apply:os.system ['touch {marker}']\n"
    )
    (run / "best.yaml").write_text(f"a: !!python/object/apply:os.system ['touch {marker}']\n")
    (run / "result.json").write_text(json.dumps({"best": {"score": f"__import__('os').system('touch {marker}')"}}))
    return run, marker


@pytest.mark.parametrize("arguments", READING, ids=" ".join)
def test_a_reading_verb_imports_unpickles_executes_and_changes_nothing(
    trapped: tuple[Path, Path], tmp_path: Path, arguments: list[str]
) -> None:
    """Watched by an audit hook, in the run directory itself as working directory."""
    run, marker = trapped
    before = {path: (path.stat().st_mtime_ns, path.stat().st_size) for path in run.rglob("*") if path.name != "lock"}
    words = [{"RUN": str(run), "OUT": str(tmp_path / "out")}.get(word, word) for word in arguments]
    environment = {**os.environ, "MPLCONFIGDIR": str(tmp_path / "mpl")}
    done = subprocess.run(
        [sys.executable, "-P", "-c", WATCH, str(run), str(tmp_path / "out"), *words],
        capture_output=True, text=True, cwd=run, timeout=120, check=False, env=environment,
    )  # fmt: skip
    last = [line for line in done.stdout.splitlines() if line.startswith("WATCHED")]
    assert last, done.stderr
    code, seen = json.loads(last[0].removeprefix("WATCHED"))
    measured("audit", " ".join(arguments), verbs=1, violations=len(seen))
    assert seen == []
    assert code == 0, done.stderr
    assert not marker.exists()
    after = {path: (path.stat().st_mtime_ns, path.stat().st_size) for path in run.rglob("*") if path.name != "lock"}
    assert after == before
    assert "\x1b]" not in done.stdout


def test_every_verb_is_watched_or_named_in_security_md_as_one_that_may_run_code() -> None:
    from hptune.cli import _command

    watched = {words[0] for words in READING}
    may_run = {"run", "validate", "space", "retry", "export", "predict", "ask"}
    writes_and_runs_nothing = {"tell"}  # its own test is below
    reads_no_run_directory = {"init", "doctor"}
    assert set(_command().commands) == watched | may_run | writes_and_runs_nothing | reads_no_run_directory
    text = (ROOT / "SECURITY.md").read_text()
    told = watched | may_run | writes_and_runs_nothing
    assert not [verb for verb in told if f"`{verb}`" not in text and f"hptune {verb}`" not in text]


def test_a_tell_runs_nothing_of_the_folder_and_writes_only_its_files(
    trapped: tuple[Path, Path], tmp_path: Path
) -> None:
    """In a folder with the same traps, whose config would run code if it were read."""
    (tmp_path / "study.yaml").write_text("space: {x: [1, 2]}\nevaluate: {metric: loss}\n")
    run, marker = tmp_path / "run", trapped[1]
    assert call("ask", str(tmp_path / "study.yaml"), "--dir", str(run)).returncode == 0
    for trap in (one for one in trapped[0].iterdir() if one.is_file() and one.suffix not in (".jsonl", "")):
        shutil.copy(trap, run / trap.name)
    words = ["tell", str(run), "--trial", "0", "--value", "1"]
    done = subprocess.run(
        [sys.executable, "-P", "-c", WATCH, str(run), str(tmp_path / "out"), *words],
        capture_output=True, text=True, cwd=run, timeout=120, check=False,
    )  # fmt: skip
    code, seen = json.loads(done.stdout.split("WATCHED")[1])
    assert code == 0, done.stderr
    written = {"lock", "journal.jsonl", "result.json", "trials.csv", "best.yaml"}
    strange = [one for one in seen if not any(name in str(part) for name in written for part in one[1:])]
    assert strange == []
    assert not marker.exists()


def test_the_hook_sees_what_it_should_see(trapped: tuple[Path, Path], tmp_path: Path) -> None:
    """The watchman himself is tested: a process that does load the traps is reported."""
    run, _ = trapped
    bad = WATCH.replace("code = invoke(arguments)", "import pickle\ncode = 0\n"
        "try:\n    pickle.loads((open(run + '/model.pkl', 'rb')).read())\nexcept Exception: pass\n"
        "open(run + '/new', 'w').close()\nos.remove(run + '/new')\n"
        "sys.path.insert(0, run)\nimport evil\nsys.path.pop(0)")  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-P", "-c", bad, str(run), str(tmp_path), "trials"],
        capture_output=True,
        text=True,
        check=False,
    )
    _, seen = json.loads(done.stdout.split("WATCHED")[1])
    assert {one[0] for one in seen} >= {"pickle.find_class", "os.system", "open", "os.remove", "import", "exec"}
    (run.parent / "PWNED").unlink()


@pytest.mark.parametrize(
    ("code", "rule"),
    [
        ("subprocess.run(x, shell=True)", "S602"),
        ("os.system(x)", "S605"),
        ("eval(x)", "S307"),
        ("exec(x)", "S102"),
        ("pickle.loads(x)", "S301"),
        ("yaml.load(x)", "S506"),
    ],
)
def test_the_linter_refuses_what_runs_code(code: str, rule: str) -> None:
    """`make lint` with the project's own settings, on a file that is not there."""
    source = f"import os, pickle, subprocess, yaml\n\n\ndef f(x):\n    {code}\n"
    command = [sys.executable, "-m", "ruff", "check", "--stdin-filename", "hptune/worker/new.py", "-"]
    done = subprocess.run(command, input=source, capture_output=True, text=True, cwd=ROOT, check=False)
    assert rule in done.stdout, done.stdout + done.stderr


# -- out of the folder ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name", ["../escaped", "/abs", "a/b", "..", ".hidden", "", "x" * 300, "a\0b", "a\nb", "a b", "~"]
)
def test_a_study_name_that_could_leave_the_folder_is_refused_with_its_line(tmp_path: Path, name: str) -> None:
    from hptune.config.load import load_document
    from hptune.config.yaml_dump import dump
    from hptune.config.yaml_loader import load_text
    from hptune.errors import ConfigError

    text = "model: {function: 'a:b'}\nspace: {x: [1, 2]}\nevaluate: {metric: loss, direction: minimize}\n"
    text += 'name: "a\\0b"\n' if "\0" in name else dump({"name": name})
    with pytest.raises(ConfigError) as caught:
        load_document(load_text(text, "c.yaml"), tmp_path)
    assert all(problem.line for problem in caught.value.problems)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", [jn.LOCK, jn.NAME, jn.TORN])
def test_a_link_in_a_run_directory_is_not_written_through(tmp_path: Path, name: str) -> None:
    victim, run = tmp_path / "victim", tmp_path / "run"
    Project(tmp_path / "project", trials=2).finish(run)
    victim.write_text("precious")
    data = (run / jn.NAME).read_bytes()
    (run / name).unlink(missing_ok=True)
    (run / name).symlink_to(victim)
    if name == jn.NAME:
        victim.write_bytes(data)
    if name == jn.TORN:
        (run / jn.NAME).write_bytes(data[:-5])
    before = victim.read_bytes()
    with pytest.raises(DirectoryUnusable, match="is a link"):
        jn.Journal(run).close()
    assert victim.read_bytes() == before
    measured("links", name, links=1, escaped=0)


@pytest.mark.parametrize("name", ["logs", "spool", "work", "outer-0"])
def test_a_linked_folder_in_a_run_directory_is_refused(tmp_path: Path, name: str) -> None:
    project, run, outside = Project(tmp_path / "project", trials=2), tmp_path / "run", tmp_path / "outside"
    project.finish(run)
    outside.mkdir()
    (outside / "t0-a1-f0.json").write_text("{}")
    if (run / name).exists():
        (run / name).rmdir()
    (run / name).symlink_to(outside)
    done = subprocess.run(
        project.command(run, "--trials", "3"), capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 6, done.stderr
    assert "is a link" in done.stderr
    assert [path.name for path in outside.iterdir()] == ["t0-a1-f0.json"]
    measured("links", name, links=1, escaped=0)


def test_no_file_is_written_through_a_link_that_a_stranger_left_under_its_name(tmp_path: Path) -> None:
    """Logs, marker, results, the trial's own folder, its files and the model: what the links lead to stays as it is."""
    run, outside = tmp_path / "run", tmp_path / "outside"
    outside.mkdir()
    (outside / "folder").mkdir()
    (run / "logs").mkdir(parents=True)
    (run / "work" / "trial-00000").mkdir(parents=True)
    names = [
        *(
            "logs/trial-00000.log",
            "logs/trial-00000.log.tmp",
            "logs/trial-00001.log",
            ".hptune",
            "result.json",
            "trials.csv",
            "best.yaml",
            "config.yaml",
        ),
        *("model.skops", "model.json", "work/trial-00000/params.json", "work/trial-00000/result.json"),
    ]
    for number, name in enumerate(names):
        (outside / f"{number}").write_text("precious")
        (run / name).symlink_to(outside / f"{number}")
    (run / "work" / "trial-00001").symlink_to(outside / "folder")
    program = "import json, sys; print('x' * 3_000_000); json.dump({'loss': 1}, open(sys.argv[1], 'w'))"
    (tmp_path / "program.py").write_text(program)
    (tmp_path / "c.yaml").write_text(
        f"model:\n  command: {sys.executable} program.py {{result_file}} {{x}}\n  metrics: {{file: '{{result_file}}'}}\n"
        "space: {x: [1, 2, 3]}\nevaluate: {metric: loss, direction: minimize}\nbudget: {trials: 3}\n"
        "oracle: {type: grid}\nexecutor: {workers: 1}\n"
    )
    (tmp_path / "r.yaml").write_text(
        "data: {train: sklearn:load_diabetes}\nmodel: {class: sklearn.linear_model.Ridge}\n"
        "space: {alpha: [1.0, 2.0]}\nevaluate: {metric: r2, cv: 2}\nbudget: {trials: 1}\n"
    )
    done = subprocess.run(
        hptune("run", str(tmp_path / "c.yaml"), "--dir", str(run), "-q"), capture_output=True, text=True,
        check=False, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    (run / jn.NAME).unlink()
    done = subprocess.run(
        hptune("run", str(tmp_path / "r.yaml"), "--dir", str(run), "-q"), capture_output=True, text=True,
        check=False, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert {path.read_text() for path in outside.iterdir() if path.is_file()} == {"precious"}
    assert list((outside / "folder").iterdir()) == []
    measured("links", "files", links=len(names) + 1, escaped=0)


def test_fresh_deletes_nothing_behind_a_link_and_nothing_that_is_not_ours(tmp_path: Path) -> None:
    run, outside = tmp_path / "run", tmp_path / "outside"
    outside.mkdir()
    (outside / "precious").write_text("x")
    (outside / run_directory.MARKER).write_text("x")
    run.mkdir()
    (run / "notes.txt").write_text("mine")
    with pytest.raises(UsageError, match="not made by hptune"):
        run_directory.clear(run)
    (run / run_directory.MARKER).write_text("x")
    for name in (*run_directory.OUR_FOLDERS, "outer-0", "journal.jsonl"):
        (run / name).symlink_to(outside / "precious" if "." in name else outside)
    run_directory.clear(run)
    assert (outside / "precious").read_text() == "x"
    assert (run / "notes.txt").read_text() == "mine"
    measured("links", "fresh", links=5, escaped=0)


@pytest.mark.parametrize("kind", ["fifo", "zero", "folder"])
def test_a_journal_that_is_no_file_is_refused_and_never_waited_for(tmp_path: Path, kind: str) -> None:
    path = tmp_path / jn.NAME
    if kind == "fifo":
        os.mkfifo(path)
    elif kind == "zero":
        path.symlink_to("/dev/zero")
    else:
        path.mkdir()
    with pytest.raises((JournalDamaged, OSError)):
        jn.read(tmp_path)
    done = call("trials", str(tmp_path), timeout=30)
    assert done.returncode in (2, 5), done.stderr
    assert "Traceback" not in done.stderr


def test_commands_are_argument_lists_whatever_a_value_holds(tmp_path: Path) -> None:
    """A choice that is shell code reaches the program as one argument, with and without `shell: true`."""
    marker = tmp_path / "PWNED"
    evil = f"; touch {marker} #$(touch {marker})`touch {marker}`' \" && touch {marker}"
    program = "import json, sys; json.dump({'loss': len(sys.argv[1])}, open(sys.argv[2], 'w'))"
    (tmp_path / "program.py").write_text(program)
    for shell in ("false", "true"):
        config = tmp_path / f"{shell}.yaml"
        config.write_text(
            f"model:\n  command: {sys.executable} program.py {{x}} {{result_file}}\n  shell: {shell}\n"
            f"  metrics: {{file: '{{result_file}}'}}\nspace:\n  x: {json.dumps([evil, 'plain'])}\n"
            "evaluate: {metric: loss, direction: minimize}\nbudget: {trials: 2}\noracle: {type: grid}\n"
            "executor: {workers: 1}\n"
        )
        done = subprocess.run(
            hptune("run", str(config), "--dir", str(tmp_path / shell), "-q"), capture_output=True, text=True,
            check=False, timeout=120,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        scores = {row.score for row in history_of(tmp_path / shell).trials}
        assert scores == {float(len(evil)), 5.0}
        assert not marker.exists()
    measured("shell", "all", values=2, escaped=0)
