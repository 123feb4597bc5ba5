"""The verbs that read a run directory: trials, best, show; and oracles, schema."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from hptune import cli
from hptune.config.yaml_loader import load_text
from hptune.oracles import ORACLES
from tests import told

Capture = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def _eighty_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")


@pytest.fixture(scope="module")
def ridge(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runs") / "ridge"
    told.ridge(folder).close()
    return folder


@pytest.fixture(scope="module")
def pipeline(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runs") / "pipeline"
    told.pipeline(folder).close()
    return folder


def out(capsys: Capture, *arguments: str | Path) -> str:
    assert cli.invoke([str(one) for one in arguments]) == 0
    return capsys.readouterr().out


@pytest.mark.parametrize(
    "arguments",
    [["trials"], ["trials", "--top", "3"], ["trials", "--sort", "std", "--all"], ["trials", "--format", "markdown"]],
    ids=" ".join,
)
def test_tables_of_trials(arguments: list[str], ridge: Path, pipeline: Path, capsys: Capture, snapshot: Any) -> None:
    verb, *options = arguments
    for folder in (ridge, pipeline):
        text = out(capsys, verb, folder, *options)
        assert "markdown" in options or max(map(len, text.splitlines())) <= 80
        assert text == snapshot


@pytest.mark.parametrize("format", ["table", "yaml", "python"])
def test_the_best_trial(format: str, pipeline: Path, capsys: Capture, snapshot: Any) -> None:
    assert out(capsys, "best", pipeline, "--format", format) == snapshot


def test_show_a_study(ridge: Path, pipeline: Path, capsys: Capture, snapshot: Any) -> None:
    for folder in (ridge, pipeline):
        assert out(capsys, "show", folder).replace(str(folder), "DIR") == snapshot


@pytest.mark.parametrize("number", [0, 3])
def test_show_a_trial(number: int, ridge: Path, capsys: Capture, snapshot: Any) -> None:
    assert out(capsys, "show", ridge, str(number)) == snapshot


def test_a_failed_trial_shows_the_end_of_its_log(tmp_path: Path, capsys: Capture) -> None:
    told.ridge(tmp_path).close()
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs" / "trial-00003.log").write_text("".join(f"line {i}\n" for i in range(100)) + "\x1b[31mred\n")
    text = out(capsys, "show", tmp_path, "3")
    assert "the last 20 lines of its log" in text
    assert "line 81" in text
    assert "line 80\n" not in text
    assert "\x1b" not in text


def test_json_of_trials_keeps_types_and_signs(ridge: Path, capsys: Capture) -> None:
    found = json.loads(out(capsys, "trials", ridge, "--json"))
    assert found["objective"] == {"metric": "neg_root_mean_squared_error", "direction": "maximize"}
    assert [t["trial"] for t in found["trials"]] == list(range(8))
    assert found["trials"][4]["score"] == pytest.approx(-53.91)
    assert found["trials"][3]["score"] is None
    assert found["trials"][3]["failure"]["kind"] == "error"
    assert len(found["trials"][0]["folds"]) == 5


@pytest.mark.parametrize("verb", ["best", "show"])
def test_json_of_best_and_show(verb: str, pipeline: Path, capsys: Capture) -> None:
    found = json.loads(out(capsys, verb, pipeline, "--json"))
    assert found["schema_version"] == 1
    best = found if verb == "best" else found["best"]
    assert best["trial"] == 2
    assert best["params"]["regressor"] == "lasso"


def test_csv_can_be_read_back(pipeline: Path, capsys: Capture) -> None:
    rows = list(csv.DictReader(io.StringIO(out(capsys, "trials", pipeline, "--format", "csv", "--top", "2"))))
    assert [row["trial"] for row in rows] == ["2", "9"]


def test_yaml_of_best_is_read_back_exactly(pipeline: Path, capsys: Capture) -> None:
    text = out(capsys, "best", pipeline, "--format", "yaml")
    found = json.loads(out(capsys, "best", pipeline, "--json"))
    assert load_text(text, "best.yaml").value["params"] == found["params"]


def test_python_of_best_is_python(pipeline: Path, capsys: Capture) -> None:
    names: dict[str, Any] = {}
    exec(out(capsys, "best", pipeline, "--format", "python"), names)
    assert names["params"]["regressor.lasso.max_iter"] == 20000


@pytest.mark.parametrize("name", ["regressor.lasso.alpha", "regressor__lasso__alpha", "lasso.alpha", "alpha"])
def test_one_bare_value(name: str, pipeline: Path, capsys: Capture) -> None:
    assert float(out(capsys, "best", pipeline, "--param", name)) == 0.00037721896589304926


def test_bad_requests_exit_with_2_and_say_what_there_is(pipeline: Path, tmp_path: Path, capsys: Capture) -> None:
    for arguments, said in (
        (["best", pipeline, "--param", "svr.C"], "is inactive in the best trial (2): it needs regressor = svr"),
        (["best", pipeline, "--param", "regresor"], "did you mean 'regressor'?"),
        (["best", pipeline, "--format", "jsn"], "did you mean 'json'?"),
        (["best", pipeline, "--format", "jsn", "--json"], "did you mean 'json'?"),
        (["trials", pipeline, "--format", "yaml", "--json"], "expected table, json, csv, markdown, found 'yaml'"),
        (["trials", pipeline, "--sort", "scroe"], "expected trial, score"),
        (["show", pipeline, "12"], "trials 0 to 11"),
        (["show", pipeline, "-1"], "no such option"),
        (["trials", tmp_path], "found no journal.jsonl"),
        (["trials", tmp_path / "nothing"], "found nothing by that name"),
        (["trials", __file__], "expected a run directory, found a file"),
        (["schema", "results"], "did you mean 'result'?"),
    ):
        assert cli.invoke([str(one) for one in arguments]) == 2, arguments
        captured = capsys.readouterr()
        assert said in captured.err.replace("No such option", "no such option"), arguments
        assert "Traceback" not in captured.err
        assert captured.out == "" or "--json" in arguments


def test_best_without_a_success_exits_with_4(tmp_path: Path, capsys: Capture) -> None:
    study = told.study(directory=tmp_path)
    told.fail(study)
    study.close()
    assert cli.invoke(["best", str(tmp_path)]) == 4
    assert "no trial has completed yet" in capsys.readouterr().err


def test_a_damaged_journal_exits_with_5_and_is_not_touched(tmp_path: Path, capsys: Capture) -> None:
    told.ridge(tmp_path).close()
    path = tmp_path / "journal.jsonl"
    damaged = path.read_bytes().replace(b'"trial":1', b'"trial":2', 1)
    path.write_bytes(damaged)
    assert cli.invoke(["trials", str(tmp_path), "--json"]) == 5
    assert "damaged" in json.loads(capsys.readouterr().out)["error"]["message"]
    assert path.read_bytes() == damaged


def test_reading_works_while_the_study_runs_and_changes_nothing(tmp_path: Path, capsys: Capture) -> None:
    study = told.study(directory=tmp_path)
    told.tell(study, -1.0)
    study.ask()
    before = sorted((path.name, path.stat().st_mtime_ns) for path in tmp_path.iterdir())
    text = out(capsys, "trials", tmp_path)
    assert "running" in text
    out(capsys, "show", tmp_path)
    out(capsys, "show", tmp_path, "1")
    assert sorted((path.name, path.stat().st_mtime_ns) for path in tmp_path.iterdir()) == before
    study.close()


def test_an_empty_study_has_an_empty_table(tmp_path: Path, capsys: Capture) -> None:
    told.study(directory=tmp_path).close()
    for format in ("table", "json", "csv", "markdown"):
        assert out(capsys, "trials", tmp_path, "--format", format)
    out(capsys, "show", tmp_path)


def test_oracles_lists_the_registry(capsys: Capture) -> None:
    text = out(capsys, "oracles")
    found = json.loads(out(capsys, "oracles", "--json"))
    assert [one["type"] for one in found["oracles"]] == list(ORACLES)
    for name in ORACLES:
        assert f"\n{name}  " in f"\n{text}"


@pytest.mark.parametrize("kind", ["config", "result"])
def test_schemas_are_schemas(kind: str, capsys: Capture) -> None:
    jsonschema.Draft202012Validator.check_schema(json.loads(out(capsys, "schema", kind)))


GATE = {"verdict": "fail", "reason": "the gain over the defaults is at most 0.01\x1b[31m"}
NESTED = {
    "folds": 5,
    "done": 5,
    "score": 0.83,
    "baseline": 0.81,
    "gain": {"mean": 0.02, "low": -0.01, "high": 0.05, "p_value": 0.2},
    "outer": [],
}


def test_show_has_the_gate_and_the_nested_score_of_the_runs_end(tmp_path: Path, capsys: Capture) -> None:
    with told.ridge(tmp_path) as study:
        study.end("trials")
        total = len(study.history.trials)
    found = {"trials": {"total": total}, "gate": GATE, "nested": NESTED}
    (tmp_path / "result.json").write_text(json.dumps(found))
    text = out(capsys, "show", tmp_path)
    assert "gate      fail; the gain over the defaults is at most 0.01\\x1b[31m" in " ".join(text.split("\n"))
    assert "0.83 over 5 of 5 outer folds; the search gains +0.02" in " ".join(text.split())
    told_json = json.loads(out(capsys, "show", tmp_path, "--json"))
    assert (told_json["gate"], told_json["nested"]) == (GATE, NESTED)


@pytest.mark.parametrize(
    "content",
    [
        "",
        "[]",
        "{",
        "[" * 100_000,
        '{"trials": 3, "gate": {}, "nested": {}}',
        '{"trials": {"total": 1}, "gate": {"reason": "of another run"}, "nested": null}',
        '{"trials": {"total": TOTAL}, "gate": {"reason": 3}, "nested": {"score": "x", "gain": 1}}',
        '{"trials": {"total": TOTAL}, "gate": [], "nested": {"score": 1e999, "done": 1, "folds": 2, "gain": {"low": []}}}',
        '{"trials": {"total": TOTAL}, "gate": null, "nested": {"score": true, "done": 1, "folds": 2, "gain": []}}',
    ],
)
def test_show_does_without_a_damaged_result(content: str, tmp_path: Path, capsys: Capture) -> None:
    with told.ridge(tmp_path) as study:
        study.end("trials")
        total = len(study.history.trials)
    plain = out(capsys, "show", tmp_path)
    (tmp_path / "result.json").write_text(content.replace("TOTAL", str(total)))
    text = out(capsys, "show", tmp_path)
    assert "of another run" not in text
    assert text.splitlines()[0] == plain.splitlines()[0]
    assert "gate" not in text
    assert set(json.loads(out(capsys, "show", tmp_path, "--json"))) >= {"gate", "nested"}
