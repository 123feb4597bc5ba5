"""Configs, journals, results and tables from strangers: each is answered quickly, in words, and never with a traceback."""

from __future__ import annotations

import contextlib
import copy
import json
import os
import random
import subprocess
import sys
import zlib
from pathlib import Path
from typing import Any

import pytest

from hptune import journal as jn
from hptune.cli import invoke
from hptune.config.load import load_document
from hptune.config.yaml_loader import load_text
from hptune.errors import ConfigError, OracleFailed, UsageError
from tests.config.test_robust import ODD
from tests.config.test_yaml_loader import HOSTILE
from tests.faults.kit import ROOT, Project, call, history_of
from tests.faults.measure import measured

CONFIGS = sorted(str(path.relative_to(ROOT)) for path in (ROOT / "configs").rglob("*.yaml"))
GIB = 2**30

LOADING = """
import json, resource, sys, time
from pathlib import Path
from hptune.config.load import load_document
from hptune.config.yaml_loader import load_text
from hptune.errors import ConfigError, OracleFailed, UsageError
from tests.config.test_yaml_loader import HOSTILE, mutants

what, number, seed = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
texts = list(HOSTILE.values()) if what == "hostile" else mutants(number, seed, Path(what).read_text())
resource.setrlimit(resource.RLIMIT_AS, (2**30, 2**30))
slowest = loaded = 0
for text in texts:
    best = 9.9
    for _ in range(3):  # of a busy machine's times the best
        began = time.process_time()
        try:
            load_document(load_text(text, "c.yaml"), Path("/nowhere"))
            good = True
        except ConfigError as error:
            assert error.problems and all(one.line for one in error.problems), text
            good = False
        best = min(best, time.process_time() - began)
        if best < 0.05:
            break
    loaded += good
    slowest = max(slowest, best)
lines = Path("/proc/self/status").read_text().splitlines()  # getrusage would tell the parent's peak, if that is higher
peak = next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) * 1024
print(json.dumps({"texts": len(texts), "loaded": loaded, "max_ms": 1000 * slowest, "max_mib": peak / 2**20}))
"""


def loading(what: str, number: int, seed: int, row: str) -> None:
    """Load texts in a process that may hold 1 GiB of address space; each within 100 ms of processor time."""
    command = [sys.executable, "-c", LOADING, what, str(number), str(seed)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    measured(row, what, **found, escaped=0)
    assert found["max_ms"] <= 100, found


@pytest.mark.faults
def test_hostile_files_are_answered_in_100_ms_and_1_gib() -> None:
    loading("hostile", 0, 0, "hostile-yaml")


@pytest.mark.faults
@pytest.mark.parametrize("config", CONFIGS)
def test_500_mutants_of_each_sample_config(config: str) -> None:
    loading(config, 500, 1, "mutants")


@pytest.mark.faults_long
@pytest.mark.parametrize("config", CONFIGS)
def test_20_000_mutants_of_each_sample_config(config: str) -> None:
    loading(config, 20_000, 2, "mutants-long")


@pytest.mark.faults
@pytest.mark.parametrize("name", sorted(name for name in HOSTILE if len(HOSTILE[name]) < 1_200_000)[::6])
def test_the_command_line_answers_a_hostile_file_with_exit_2(tmp_path: Path, name: str) -> None:
    (tmp_path / "c.yaml").write_text(HOSTILE[name])
    done = call("run", str(tmp_path / "c.yaml"), "--dir", str(tmp_path / "run"))
    assert done.returncode == 2, done.stderr
    assert "c.yaml:" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "run").exists()


SPACES = {
    "NaN bound": "{type: float, min: .nan, max: 1}",
    "infinite bound": "{type: float, min: 0, max: .inf}",
    "overflowing bound": "{type: float, min: 0, max: 1e999}",
    "min above max": "{type: float, min: 2, max: 1}",
    "log of zero": "{type: float, min: 0, max: 1, scale: log}",
    "log of a negative number": "{type: int, min: -1, max: 5, scale: log}",
    "no choices": "[]",
    "a map without text as its keys": "[{1: a}, b]",
    "2**53 + 1": "{type: int, min: 0, max: 9007199254740993}",
    "text as bounds": "{type: float, min: '0', max: '1'}",
    "true as a bound": "{type: int, min: true, max: 5}",
    "a fraction as an int's bound": "{type: int, min: 0.5, max: 3.7}",
    "step zero": "{type: int, min: 0, max: 5, step: 0}",
    "factor one": "{type: int, min: 1, max: 8, scale: log, factor: 1}",
    "a choice twice": "[a, a]",
    "an unknown key": "{type: float, min: 0, mx: 1}",
    "an unknown type": "{type: flaot, min: 0, max: 1}",
    "a condition on itself": "{type: float, min: 0, max: 1, when: {x: 1}}",
    "a condition on nobody": "{type: float, min: 0, max: 1, when: {nobody: 1}}",
    "the same name twice": "[1, 2]\n  x: [3, 4]",
    "a default that is text": "{type: float, min: 0, max: 1, default: abc}",
}


@pytest.mark.faults
@pytest.mark.parametrize("name", SPACES)
def test_a_hostile_space_is_refused_by_name_with_its_line(name: str) -> None:
    text = (
        "model: {function: 'a:b'}\nevaluate: {metric: loss, direction: minimize}\n"
        f"space:\n  x: {SPACES[name]}\n  y: [1, 2]\n"
    )
    with pytest.raises(ConfigError) as caught:
        load_document(load_text(text, "c.yaml"), Path("/nowhere"))
    assert caught.value.problems[0].line in (3, 4, 5)
    measured("spaces", name, spaces=1, refused=1)


@pytest.mark.faults
def test_a_grid_of_a_million_millions_is_refused_before_it_is_made() -> None:
    space = "".join(f"  x{i}: {{type: int, min: 1, max: 1000}}\n" for i in range(4))
    text = (
        "model: {function: 'a:b'}\nevaluate: {metric: loss, direction: minimize}\noracle: {type: grid}\n"
        f"budget: {{trials: 3}}\nspace:\n{space}"
    )
    loaded = load_document(load_text(text, "c.yaml"), Path("/nowhere"))
    from hptune.objective import Objective
    from hptune.study import Study

    study = Study(loaded.space, Objective("loss", "minimize"), oracle=loaded.config.oracle)
    study.tell(study.ask().number, 0.0)
    with pytest.raises((ConfigError, UsageError, OracleFailed), match=r"grid|too large|at most"):
        study.ask()


# -- journals and results from strangers ----------------------------------------------------------------------------------

VERBS = [
    ["trials"], ["trials", "--all", "--json"], ["best"], ["best", "--format", "python"], ["show"], ["show", "--json"],
    ["show", "0"], ["suggest"],
]  # fmt: skip
MORE: list[Any] = [
    1e308,
    -1e308,
    2**63,
    10**30,
    "\x1b[2J",
    "\ud800",
    "a" * 10_000,
    [[[]]],
    {"a": {"b": []}},
    "../../x",
]


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    below = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(place for key, one in below for place in places(one, (*path, key)))]


def forged(records: list[dict[str, Any]], rng: random.Random) -> bytes:
    """A journal with right checksums and numbers, and with values replaced, keys lost, records lost or repeated."""
    records = copy.deepcopy(records)
    for _ in range(rng.choice((1, 1, 2, 4))):
        move = rng.random()
        at = rng.randrange(len(records))
        if move < 0.7:
            path = rng.choice([place for place in places(records[at]) if place])
            parent: Any = records[at]
            for key in path[:-1]:
                parent = parent[key]
            if move < 0.6 or not isinstance(parent, dict):
                parent[path[-1]] = copy.deepcopy(rng.choice([*ODD, *MORE]))
            else:
                del parent[path[-1]]
        elif move < 0.85 and len(records) > 1:
            del records[at]
        else:
            records.insert(rng.randrange(len(records) + 1), copy.deepcopy(records[at]))
    lines = []
    for seq, record in enumerate(records):
        body = json.dumps({**record, "seq": seq} if isinstance(record, dict) else record).encode()
        lines.append(b'{"crc":"%08x",%s\n' % (zlib.crc32(body), body[1:]))
    return b"".join(lines)


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("recorded")
    Project(folder / "project", trials=5).finish(folder / "run")
    return folder / "run"


def records_of(run: Path) -> list[dict[str, Any]]:
    lines = (run / jn.NAME).read_bytes().splitlines()
    return [{k: v for k, v in json.loads(line).items() if k not in ("crc", "seq")} for line in lines]


@pytest.mark.faults
def test_400_forged_journals_are_read_or_refused_by_every_reading_verb(
    recorded: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    records = records_of(recorded)
    rng = random.Random(0)
    codes: dict[int, int] = {}
    wrong = []
    for number in range(400):
        (tmp_path / jn.NAME).write_bytes(forged(records, rng))
        for verb in [rng.choice(VERBS), ["trials"]]:
            code = invoke([verb[0], str(tmp_path), *verb[1:]])
            said = capsys.readouterr()
            codes[code] = codes.get(code, 0) + 1
            if code not in (0, 2, 5) or "Traceback" in said.err or "\x1b[2J" in said.out:
                wrong.append((number, verb, said.err[-300:]))
    measured("forged", "journals", journals=400, readings=800, tracebacks=len(wrong), refused=codes.get(5, 0))
    assert not wrong, wrong[:3]


@pytest.mark.faults
def test_forged_results_as_a_gates_baseline_are_refused_in_words(recorded: Path, tmp_path: Path) -> None:
    from hptune.gate import floor, judge

    history, path = history_of(recorded), tmp_path / "result.json"
    good = json.loads((recorded / "result.json").read_text())
    rng = random.Random(1)
    texts = ["", "[]", "null", "{}", "[" * 100_000, '{"best": 1}', "NaN", '{"best": {"score": NaN}}', "\x00", "1e999"]
    for _ in range(300):
        value = copy.deepcopy(good)
        place = rng.choice([one for one in places(value) if one])
        parent: Any = value
        for key in place[:-1]:
            parent = parent[key]
        parent[place[-1]] = copy.deepcopy(rng.choice([*ODD, *MORE[:7]]))
        texts.append(json.dumps(value))
    refused = 0
    for text in texts:
        path.write_bytes(text.encode("utf-8", "surrogatepass"))
        judged = judge(history, baseline=path, on="cv", min_gain=0.0, confidence=0.9)
        refused += judged.verdict == "fail" and "gate.baseline" in judged.reason
        with contextlib.suppress(UsageError):  # what `validate` asks, and says with a line
            floor(path, history.objective.metric)
    measured("forged", "results", results=len(texts), tracebacks=0)
    assert refused >= 10


@pytest.mark.faults
def test_forged_model_cards_are_refused_in_words(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`predict` on a fitted run whose `model.json` was changed: values replaced, keys lost, no JSON, no file."""
    run = tmp_path / "run"
    (tmp_path / "c.yaml").write_text(
        "data: {train: sklearn:load_diabetes}\nmodel: {class: sklearn.linear_model.Ridge}\n"
        "space: {alpha: [1.0, 2.0]}\nevaluate: {metric: r2, cv: 2}\nbudget: {trials: 1}\n"
    )
    assert call("run", str(tmp_path / "c.yaml"), "--dir", str(run), "-q").returncode == 0
    good = json.loads((run / "model.json").read_text())
    (tmp_path / "x.csv").write_text(
        ",".join(good["features"]) + "\n" + ",".join("1" for _ in good["features"]) + "\n"
    )
    rng = random.Random(2)
    texts = ["", "[]", "null", "{}", "[" * 100_000, "NaN", "\x00", '{"format_version": 1e999}']
    for _ in range(150):
        card = copy.deepcopy(good)
        place = rng.choice([one for one in places(card) if one])
        parent: Any = card
        for key in place[:-1]:
            parent = parent[key]
        if rng.random() < 0.2 and isinstance(parent, dict):
            del parent[place[-1]]
        else:
            parent[place[-1]] = copy.deepcopy(rng.choice([*ODD, *MORE[:7], "../../x", "os.system"]))
        texts.append(json.dumps(card))
    wrong = []
    for text in texts:
        (run / "model.json").write_bytes(text.encode("utf-8", "surrogatepass"))
        code = invoke(["predict", str(run), str(tmp_path / "x.csv")])
        said = capsys.readouterr()
        if code not in (0, 2, 5) or "Traceback" in said.err:
            wrong.append((text[:300], code, said.err[-600:]))
    (run / "model.json").unlink()
    os.mkfifo(run / "model.json")
    assert call("predict", str(run), str(tmp_path / "x.csv")).returncode in (2, 5)
    measured("forged", "cards", cards=len(texts), tracebacks=len(wrong))
    assert not wrong, {said[2][-300:] for said in wrong}


@pytest.mark.faults
@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("NUL", b"a,b\n1,\0\n2,3\n"),
        (
            "10,000 columns",
            (",".join(f"c{i}" for i in range(10_000)) + ",b\n").encode() + (b"1," * 10_000 + b"2\n") * 3,
        ),
        ("1 MB cell", b"a,b\n" + b"x" * 10**6 + b",1\n2,3\n"),
        ("UTF-16", "a,b\n1,2\n".encode("utf-16")),
        ("not UTF-8", b"a,b\n\xff\xfe\xfd,1\n2,2\n"),
        ("Latin-1", "größe,b\n1,2\n3,4\n5,6\n7,8\n".encode("latin-1")),
        ("ragged rows", b"a,b\n1,2,3,4\n5\n,,,,,,\n6,7\n"),
        ("a quote that never closes", b'a,b\n1,"2\n3,4\n5,6\n'),
        ("one name twice", b"a,a,b\n1,2,3\n4,5,6\n7,8,9\n1,1,1\n"),
        ("no line ends but CR", b"a,b\r1,2\r3,4\r5,6\r7,8\r"),
        ("one line of 2 MB", b"a," + b"1," * 10**6 + b"b\n"),
        ("numbers beyond all bounds", b"a,b\n1e999,2\n-1e999,3\n9" + b"9" * 400 + b",4\nnan,5\n"),
        ("header only", b"a,b\n"),
        ("a zipped bomb by its name only", b"\x1f\x8b\x08\x00" + b"\0" * 100),
        ("no table", b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 20),
        ("empty", b""),
    ],
)
def test_a_hostile_table_is_read_or_refused_in_words(
    tmp_path: Path, name: str, content: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "t.csv").write_bytes(content)
    (tmp_path / "c.yaml").write_text(
        "data: {train: t.csv, target: b}\nmodel: {class: sklearn.dummy.DummyRegressor}\n"
        "space: {strategy: [mean, median]}\nevaluate: {metric: r2, cv: 2}\nbudget: {trials: 2}\n"
        "executor: {type: serial}\n"  # in this process: what a worker says would look the same
    )
    code = invoke(["validate", str(tmp_path / "c.yaml")])
    said = capsys.readouterr()
    assert code in (0, 2), said.err
    assert "Traceback" not in said.err
    assert code == 0 or "c.yaml:1" in said.err
    measured("tables", name, tables=1, tracebacks=0)
