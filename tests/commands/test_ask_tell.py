"""`hptune ask` and `hptune tell`: a study that a script outside drives, one process a question."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from hptune import asking, cli
from hptune import events as ev
from hptune import journal as jn
from hptune.config.load import load
from hptune.objective import Objective
from hptune.oracle import OracleSpec
from hptune.oracles import ORACLES
from hptune.replay import replay
from hptune.report.result_schema import result_schema
from hptune.study import Study
from hptune.trial import Measurement

Capture = pytest.CaptureFixture[str]

CONFIG = """\
version: 1
name: outside
seed: 3
space:
  lr: {type: float, min: 1e-4, max: 1e-1, scale: log, default: 1e-2}
  units: {type: int, min: 32, max: 512, step: 32}
  kind: [plain, deep]
  layers: {type: int, min: 1, max: 4, when: {kind: deep}}
evaluate: {metric: loss}
oracle: {type: random}
budget: {trials: 6}
"""
FEW = CONFIG.partition("space:")[0] + "space: {c: [a, b, d]}\n" + "evaluate:" + CONFIG.partition("evaluate:")[2]


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "100")
    Path("study.yaml").write_text(CONFIG)


@pytest.fixture
def do(capsys: Capture) -> Callable[..., str]:
    def do(*words: str | int | float, code: int = 0) -> str:
        assert cli.invoke([str(word) for word in words]) == code, capsys.readouterr().err
        return capsys.readouterr().out

    return do


@pytest.fixture
def said(capsys: Capture) -> Callable[..., str]:
    def said(*words: str | int | float, code: int = 2) -> str:
        """What is said on stderr, and that is one line."""
        assert cli.invoke([str(word) for word in words]) == code
        text = capsys.readouterr().err
        assert "Traceback" not in text
        return text

    return said


RUN = Path("runs/outside")


def history() -> Any:
    return replay(jn.read(RUN).events)


def loss(values: dict[str, Any]) -> float:
    return float((values["lr"] - 0.02) ** 2 + values["units"] / 1000 + values.get("layers", 2) / 100)


# -- the same study as Python's ---------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("oracle", ["auto", "bayesian", "tpe", "random", "grid", "quasi_random"])
def test_asked_one_after_another_it_is_the_study_of_python(oracle: str, do: Callable[..., str]) -> None:
    space = load("study.yaml").space
    study = Study(space, Objective("loss", "minimize"), oracle=oracle, seed=3)
    for number in range(10):
        trial = study.ask()
        options = ["-o", f"oracle={{type: {oracle}}}", "-o", "budget.trials=20"]
        asked = json.loads(do("ask", "study.yaml", "--json", *options))
        assert (asked["trial"], asked["params"]) == (number, dict(trial.values))
        assert [type(one) for one in asked["params"].values()] == [type(one) for one in trial.values.values()]
        assert asked["baseline"] is (number == 0)
        score = loss(asked["params"])
        study.tell(trial, score)
        do("tell", RUN, "--trial", number, "--value", repr(score))
    assert history().best.number == study.best.number  # type: ignore[union-attr]


def test_the_oracles_that_need_a_model_are_refused_and_no_others(said: Callable[..., str]) -> None:
    spending = [name for name in ORACLES if name in ("hyperband", "asha")]
    for oracle in (*spending, "auto"):
        option = f"oracle={{type: {oracle}, resource: lr, max: 27}}"
        assert "less of a resource at first needs a model:" in said("ask", "study.yaml", "-o", option)
    assert not RUN.exists()
    tested = {"auto", "bayesian", "tpe", "random", "grid", "quasi_random"}
    assert set(ORACLES) - set(spending) == tested


# -- asking -----------------------------------------------------------------------------------------------------------


def test_the_first_ask_makes_the_run_directory_and_gives_the_defaults(do: Callable[..., str]) -> None:
    text = do("ask", "study.yaml")
    assert text.startswith("outside: trial 0, the defaults\n")
    assert "  lr     0.01\n" in text
    assert "hptune tell runs/outside --trial 0 --value SCORE" in text
    assert {"config.yaml", "journal.jsonl", ".hptune"} <= {one.name for one in RUN.iterdir()}
    assert json.loads(do("ask", RUN, "--json"))["trial"] == 1  # its own config.yaml is the same problem


def test_starts_and_constraints_hold_as_in_a_run(do: Callable[..., str]) -> None:
    options = ["-o", "start_with=[{lr: 0.05, kind: deep, layers: 2}]", "-o", 'constraints=[{require: "units < 400"}]']
    asked = [json.loads(do("ask", "study.yaml", "--json", *options))["params"] for _ in range(6)]
    assert asked[1] == {"lr": 0.05, "units": asked[0]["units"], "kind": "deep", "layers": 2}
    assert all(values["units"] < 400 for values in asked)


def test_no_trial_is_given_out_twice_unless_it_is_asked_for_again(do: Callable[..., str], said: Any) -> None:
    numbers = [json.loads(do("ask", "study.yaml", "--json"))["trial"] for _ in range(3)]
    assert numbers == [0, 1, 2]
    again = json.loads(do("ask", RUN, "--again", 1, "--json"))
    assert (again["trial"], again["attempt"], again["open"]) == (1, 2, [0, 1, 2])
    assert again["params"] == dict(history().trials[1].values)
    do("tell", RUN, "--trial", 1, "--failed", "no disk")
    assert json.loads(do("ask", RUN, "--again", 1, "--json"))["attempt"] == 3  # a failed one too
    do("tell", RUN, "--trial", 1, "--value", 0.5)
    assert "trial 1 is completed" in said("ask", RUN, "--again", 1)
    assert "no trial 9 was asked; there are trials 0 to 2" in said("ask", RUN, "--again", 9)


def test_with_the_budget_spent_nothing_is_printed_and_the_reason_is_said(
    do: Callable[..., str], capsys: Capture
) -> None:
    for number in range(6):
        do("ask", "study.yaml")
        if number not in (2, 4):
            do("tell", RUN, "--trial", number, "--value", number)
    assert cli.invoke(["ask", "study.yaml"]) == 0
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("\n") == 1
    assert "nothing left to ask: the budget of trials is spent; trials 2, 4 are open" in err
    asked = json.loads(do("ask", "study.yaml", "--json"))
    assert (asked["trial"], asked["params"], asked["stop_reason"], asked["open"]) == (None, None, "trials", [2, 4])
    assert do("ask", "study.yaml", "--format", "shell").startswith("HPTUNE_TRIAL=\n")
    assert history().ended is None
    assert json.loads((RUN / "result.json").read_text())["status"] == "open"
    do("tell", RUN, "--trial", 2, "--failed", "lost")
    assert "the study has ended: the budget of trials is spent" in do("tell", RUN, "--trial", 4, "--value", 0.1)
    found = json.loads((RUN / "result.json").read_text())
    assert (found["status"], found["stop_reason"], found["best"]["trial"]) == ("complete", "trials", 0)
    assert "ended: the budget of trials is spent" in do("show", RUN)


def test_a_larger_budget_goes_on_and_whoever_tells_knows_it(do: Callable[..., str]) -> None:
    for number in range(6):
        do("ask", "study.yaml")
        do("tell", RUN, "--trial", number, "--value", number)
    size = (RUN / jn.NAME).stat().st_size
    do("ask", "study.yaml")
    assert (RUN / jn.NAME).stat().st_size == size  # an ask that brings nothing writes nothing
    assert json.loads(do("ask", RUN, "--json", "-o", "budget.trials=7"))["trial"] == 6
    told = json.loads(do("tell", RUN, "--trial", 6, "--value", 0.5, "--json"))
    assert told["stop_reason"] == "trials"
    assert json.loads(do("ask", RUN, "--json"))["trial"] is None  # config.yaml has the larger one by now
    assert sum(isinstance(one, ev.StudyResumed) for one in jn.read(RUN).events) == 1


@pytest.mark.parametrize(
    ("budget", "scores", "reason"),
    [
        ("target=0.5", [0.9, None, 0.4], "target"),
        ("patience=2", [0.1, None, 0.2, 0.3], "patience"),
        ("failures.in_a_row=2", [0.1, None, "failed", "failed"], "failures"),
    ],
)
def test_a_lost_worker_keeps_no_other_limit_from_being_reached(
    budget: str, scores: Sequence[Any], reason: str, do: Callable[..., str]
) -> None:
    for number, score in enumerate(scores):
        asked = json.loads(do("ask", "study.yaml", "--json", "-o", f"budget.{budget}"))
        assert asked["trial"] == number
        if score is not None:
            do("tell", RUN, "--trial", number, *(("--failed", "x") if score == "failed" else ("--value", score)))
    asked = json.loads(do("ask", "study.yaml", "--json", "-o", f"budget.{budget}"))
    assert (asked["trial"], asked["stop_reason"], asked["open"]) == (None, reason, [1])


def test_a_space_that_is_used_up_ends_the_study(do: Callable[..., str]) -> None:
    Path("study.yaml").write_text(FEW)
    for number in range(3):
        do("ask", "study.yaml")
        do("tell", RUN, "--trial", number, "--value", number)
    for _ in range(2):
        assert json.loads(do("ask", "study.yaml", "--json"))["stop_reason"] == "exhausted"
    assert [one.type for one in jn.read(RUN).events].count("study_ended") == 1
    assert json.loads((RUN / "result.json").read_text())["stop_reason"] == "exhausted"


def test_time_is_counted_from_the_first_ask(do: Callable[..., str]) -> None:
    do("ask", "study.yaml", "-o", "budget.time=1e-3")
    assert json.loads(do("ask", "study.yaml", "--json", "-o", "budget.time=1e-3"))["stop_reason"] == "time"


# -- what is refused --------------------------------------------------------------------------------------------------


def test_another_space_is_refused_with_the_ways_on(do: Callable[..., str], said: Any) -> None:
    do("ask", "study.yaml")
    text = said("ask", "study.yaml", "-o", "space.lr.max=1")
    assert "space.lr.max: was 0.1, now 1.0" in text
    assert "Keep both by giving this one another --dir" in text
    assert "--fresh" not in text
    do("ask", "study.yaml", "-o", "space.lr.max=1", "--dir", "other")


def test_a_config_with_a_model_is_refused_with_the_mend_and_so_is_its_folder(
    do: Callable[..., str], said: Any
) -> None:
    Path("bowl.py").write_text("def bowl(values):\n    return values['lr']\n")
    Path("model.yaml").write_text(CONFIG + "model: {function: bowl:bowl}\nexecutor: {type: serial}\n")
    text = said("ask", "model.yaml")
    assert text.startswith("model.yaml:12: model: hptune measures the trials")
    assert "leave model: and data: out" in text
    do("run", "model.yaml", "-q", "-o", "evaluate.direction=minimize", "--trials", 2)
    assert "config.yaml:" in said("ask", RUN)
    assert "must not mix" in said("ask", "study.yaml")
    assert "must not mix" in said("tell", RUN, "--trial", 0, "--value", 1)
    Study(load("study.yaml").space, Objective("loss", "minimize"), directory="kept").close()
    assert "the same call in Python" in said("tell", "kept", "--trial", 0, "--value", 1)
    assert "the same call in Python" in said("ask", "study.yaml", "--dir", "kept")


def test_files_of_others_are_not_written_over(said: Any) -> None:
    RUN.mkdir(parents=True)
    (RUN / "trials.csv").write_text("mine")
    assert "a new study would write over trials.csv" in said("ask", "study.yaml")
    assert [one.name for one in RUN.iterdir()] == ["trials.csv"]


@pytest.mark.parametrize("words", [["run"], ["run", "--dry-run"]], ids=" ".join)
def test_there_is_nothing_to_run(words: list[str], said: Any) -> None:
    text = (
        said(words[0], "study.yaml", *words[1:], "-q") if len(words) == 1 else said(words[0], "study.yaml", words[1])
    )
    line = next(one for one in text.splitlines() if "nothing to run" in one)
    assert line.startswith("study.yaml:1: model: there is nothing to run: expected a model, found none")
    assert "hptune ask" in line
    assert "hptune tell" in line
    assert not RUN.exists()


def test_run_and_retry_on_the_folder_say_it_too(do: Callable[..., str], said: Any) -> None:
    do("ask", "study.yaml")
    do("tell", RUN, "--trial", 0, "--failed", "x")
    for words in (["run", RUN, "-q"], ["retry", RUN, "-q"]):
        assert "there is nothing to run" in said(*words)
    assert "no estimator" in said("predict", RUN, "new.csv") or "no model" in said("predict", RUN, "new.csv")


def test_the_config_alone_is_checked_by_validate_and_shown_by_space(do: Callable[..., str], capsys: Capture) -> None:
    for static in ([], ["--static"]):
        assert do("validate", "study.yaml", *static).startswith("study.yaml: valid")
    assert "4 parameters" in do("space", "study.yaml")
    options = ["-o", "executor={workers: 4}", "-o", "evaluate.cv=3", "-o", "budget.trial_time=5"]
    assert cli.invoke(["validate", "study.yaml", *options]) == 0
    assert capsys.readouterr().err.count("has no effect without model:") == 3


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"metric: loss": "metric: cost"}, "evaluate.direction: expected maximize or minimize, found none"),
        ({"seed: 3": "data: {train: a.csv, target: y}"}, "model: expected this key, found none"),
        ({"space:": "constraints: []\nbase: .\n#"}, "model: expected this key, found none"),
    ],
    ids=["no direction", "data", "no space"],
)
def test_what_a_config_without_model_must_say(change: dict[str, str], message: str, said: Any) -> None:
    text = CONFIG
    for old, new in change.items():
        text = text.replace(old, new)
    if "base:" in text:
        text = text.replace("  lr:", "#").replace("  units:", "#").replace("  kind:", "#").replace("  layers:", "#")
    Path("study.yaml").write_text(text)
    assert message in said("validate", "study.yaml", "--static")


def test_a_model_can_be_taken_out_of_a_config_that_has_one(do: Callable[..., str]) -> None:
    Path("model.yaml").write_text(CONFIG + "model: {class: sklearn.svm.SVC}\ndata: {train: a.csv, target: y}\n")
    Path("outside.yaml").write_text("extends: model.yaml\nmodel: null\ndata: null\n")
    assert do("validate", "outside.yaml").startswith("outside.yaml: valid")
    Path("null.yaml").write_text(CONFIG + "model: null\n")
    assert json.loads(do("ask", "null.yaml", "--json"))["trial"] == 0
    assert json.loads(do("ask", "study.yaml", "--json"))["trial"] == 1  # the same problem


# -- telling ----------------------------------------------------------------------------------------------------------


def test_folds_are_told_one_value_each_and_signs_are_kept(do: Callable[..., str]) -> None:
    do("ask", "study.yaml")
    do("tell", RUN, "--trial", 0, "--value", "-0.5", "--value=-0.25", "--value", "1e-3")
    trial = history().trials[0]
    assert trial.scores == (-0.5, -0.25, 0.001)
    assert trial.completed


@pytest.mark.parametrize("value", ["nan", "inf", "-inf", "NaN", "Inf", "1e999"])
def test_what_is_not_finite_makes_the_trial_failed_and_is_said(value: str, do: Callable[..., str]) -> None:
    do("ask", "study.yaml")
    for _ in range(2):  # again after a lost reply
        assert "trial 0 failed: expected finite numbers as score" in do("tell", RUN, "--trial", 0, f"--value={value}")
    assert history().trials[0].failure.kind == "invalid"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--value", "abc"], "--value: expected a number, found 'abc'; one that was not measured is `--failed WHY`"),
        (["--value", ""], "--value: expected a number, found nothing (an unset shell variable?)"),
        (["--value", "0,31"], "--value: expected a number, found '0,31'; write 0.31"),
        (["--value", "1_0"], "--value: expected a number, found '1_0'"),
        ([], "expected either --value SCORE (again for each fold) or --failed WHY, found neither"),
        (["--value", "1", "--failed", "x"], "found both"),
    ],
)
def test_what_is_no_answer_is_refused_in_one_line(words: list[str], message: str, do: Any, said: Any) -> None:
    do("ask", "study.yaml")
    text = said("tell", RUN, "--trial", 0, *words)
    assert message in text
    assert text.count("\n") == 1
    assert history().trials[0].status == "running"


def test_only_a_trial_that_was_asked_is_told(do: Callable[..., str], said: Any, tmp_path: Path) -> None:
    do("ask", "study.yaml")
    for number in (1, 99, -1):
        assert f"no trial {number} was asked; there are trials 0 to 0 in runs/outside" in said(
            "tell", RUN, f"--trial={number}", "--value", 1
        )
    assert "found a file" in said("tell", "study.yaml", "--trial", 0, "--value", 1)
    assert "found nothing by that name" in said("tell", "runs/outsid", "--trial", 0, "--value", 1)
    (tmp_path / "empty").mkdir()
    assert "`hptune ask CONFIG --dir empty` makes one" in said("tell", "empty", "--trial", 0, "--value", 1)
    assert list((tmp_path / "empty").iterdir()) == []  # who tells makes nothing


def test_the_same_told_again_is_fine_and_anything_else_is_refused(do: Callable[..., str], said: Any) -> None:
    for _ in range(2):
        do("ask", "study.yaml")
    first = do("tell", RUN, "--trial", 0, "--value", 0.5)
    size = (RUN / jn.NAME).stat().st_size
    (RUN / "result.json").unlink()  # killed between the journal and the files
    assert do("tell", RUN, "--trial", 0, "--value", "0.50") == first
    assert json.loads((RUN / "result.json").read_text())["best"]["trial"] == 0
    assert json.loads(do("tell", RUN, "--trial", 0, "--value", 0.5, "--json"))["told_before"] is True
    assert "was told 0.5 already, found 0.4; what was told stays" in said("tell", RUN, "--trial", 0, "--value", 0.4)
    assert "found a failure" in said("tell", RUN, "--trial", 0, "--failed", "x")
    assert "found 0.5, 0.5" in said("tell", RUN, "--trial", 0, "--value", 0.5, "--value", 0.5)
    assert (RUN / jn.NAME).stat().st_size == size
    do("tell", RUN, "--trial", 1, "--failed", "out of memory")
    do("tell", RUN, "--trial", 1, "--failed", "out of memory")
    text = said("tell", RUN, "--trial", 1, "--value", 0.5)
    assert "trial 1 failed already: out of memory; `hptune ask runs/outside --again 1`" in text


def test_a_tell_that_was_killed_between_two_folds_is_told_to_its_end_or_not_at_all(do: Any, said: Any) -> None:
    do("ask", "study.yaml")
    started = jn.read(RUN).events[0]
    with Study.of(started, OracleSpec(type="told"), jn.Journal(RUN)) as study:  # type: ignore[arg-type]
        study.score(0, Measurement(fold=0, score=0.5))
    assert "was told 0.5 by a call that was killed, found 0.4" in said("tell", RUN, "--trial", 0, "--value", 0.4)
    do("tell", RUN, "--trial", 0, "--value", 0.5, "--value", 0.6)
    assert history().trials[0].scores == (0.5, 0.6)


# -- the files and the verbs that read them ---------------------------------------------------------------------------


def test_after_each_tell_the_files_are_those_of_the_journal(do: Callable[..., str]) -> None:
    for number in range(4):
        asked = json.loads(do("ask", "study.yaml", "--json"))
        do("tell", RUN, "--trial", number, "--value", loss(asked["params"]))
        result = json.loads((RUN / "result.json").read_text())
        jsonschema.validate(result, result_schema())
        assert (result["status"], result["stop_reason"], result["lookahead"]) == ("open", None, None)
        assert (result["workers"], result["reproducible"]) == (None, False)
        assert result["trials"]["completed"] == number + 1
        assert result["best"]["trial"] == history().best.number
        assert len((RUN / "trials.csv").read_text().splitlines()) == number + 2
        best = load(RUN / "best.yaml")
        assert best.space.defaults() == dict(history().best.values)
    assert json.loads(do("ask", RUN / "best.yaml", "--json"))["params"] == dict(history().best.values)
    assert Path("runs/outside-best/journal.jsonl").is_file()


@pytest.mark.slow
def test_every_verb_that_reads_takes_the_folder(do: Callable[..., str], capsys: Capture) -> None:
    for number in range(5):
        asked = json.loads(do("ask", "study.yaml", "--json"))
        if number == 2:
            do("tell", RUN, "--trial", number, "--failed", "no\x1b[31m disk")
        elif number != 3:
            do("tell", RUN, "--trial", number, "--value", loss(asked["params"]), "--value", 0.3)
    trials = do("trials", RUN)
    assert "3 completed, 1 failed, 1 open" in trials
    assert "  3  open" in trials
    shown = do("show", RUN)
    assert "open: asked and told from outside" in shown
    assert "seed 3, asked and told" in shown
    assert "open" in do("show", RUN, 3)
    assert "\x1b" not in do("show", RUN, 2) + trials
    for words in (["best", RUN], ["best", RUN, "--format", "python"], ["suggest", RUN], ["compare", RUN, RUN]):
        assert do(*words)
    for words in (
        ["trials", RUN, "--json"],
        ["best", RUN, "--json"],
        ["suggest", RUN, "--json"],
        ["show", RUN, "--json"],
    ):
        json.loads(do(*words))
    do("report", RUN, "--figures", "figures")
    script = do("export", RUN)
    assert "VALUES" in script
    assert "The study has no model, your own code was told what to try: its best values are exported." in " ".join(
        script.split()
    )
    assert cli.invoke(["repair", str(RUN)]) == 0
    capsys.readouterr()


def test_a_study_that_was_asked_is_prior_knowledge_for_another(do: Callable[..., str]) -> None:
    for number in range(5):
        asked = json.loads(do("ask", "study.yaml", "--json"))
        do("tell", RUN, "--trial", number, "--value", loss(asked["params"]))
    best = dict(history().best.values)
    options = ["--dir", "next", "-o", "prior={runs: [runs/outside]}", "-o", "oracle={type: tpe}"]
    asked = [json.loads(do("ask", "study.yaml", "--json", *options))["params"] for _ in range(2)]
    assert best in asked


# -- shells -----------------------------------------------------------------------------------------------------------

NASTY = """\
version: 1
name: nasty
space:
  a.b-c: ["it's", "$(touch gone)", "two words", "`x`", "line\\nline", ""]
  flag: [true, null, 1.5, [64, 32], {k: 1}]
  PATH: [x]
  only: {type: int, min: 1, max: 3, when: {flag: true}}
evaluate: {metric: loss}
oracle: {type: random}
budget: {trials: 30}
"""


@pytest.mark.parametrize("shell", ["bash", "sh"])
def test_a_shell_reads_every_value_as_it_is_and_nothing_of_the_last_trial(shell: str, do: Any) -> None:
    Path("study.yaml").write_text(NASTY)
    last = "hp_only=7\n"
    for number in range(30):
        text = do("ask", "study.yaml", "--format", "shell", "--dir", "nasty")
        values = history_in("nasty").trials[number].values
        script = (
            last + 'eval "$1"\nprintf "%s\\0" "$HPTUNE_TRIAL" "$HPTUNE_DIR" "$hp_a_b_c" "$hp_flag" "${hp_only-none}"'
        )
        found = subprocess.run([shell, "-u", "-e", "-c", script, "-", text], capture_output=True, check=True).stdout
        trial, folder, name, flag, only = found.decode().split("\0")[:5]
        assert (int(trial), folder, name) == (number, "nasty", values["a.b-c"])
        assert (flag if isinstance(values["flag"], str) else json.loads(flag)) == values["flag"]
        assert only == (str(values["only"]) if "only" in values else "none")
    assert not Path("gone").exists()


def history_in(folder: str) -> Any:
    return replay(jn.read(Path(folder)).events)


def test_two_parameters_with_one_variable_are_refused_before_a_trial_is_begun(said: Any) -> None:
    Path("study.yaml").write_text(CONFIG.replace("  lr:", "  a.b: [1, 2]\n  a_b: [1, 2]\n  lr:"))
    assert "a.b and a_b are both hp_a_b; rename one, or take --json" in said("ask", "study.yaml", "--format", "shell")
    assert not RUN.exists()


def test_a_shell_is_told_of_a_failure_too(capsys: Capture) -> None:
    assert cli.invoke(["ask", "nothing.yaml", "--format", "shell"]) == 2
    text = capsys.readouterr().out
    script = f"HPTUNE_TRIAL=3; eval '{text}'; echo \"$? [$HPTUNE_TRIAL]\""
    assert subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=True).stdout == "2 []\n"


# -- start-up ---------------------------------------------------------------------------------------------------------


def loads(*words: str) -> set[str]:
    code = textwrap.dedent(
        """
        import sys
        from hptune import cli
        code = cli.invoke(sys.argv[1:])
        print(code, *sorted({name.split(".")[0] for name in sys.modules}), file=sys.stderr)
        """
    )
    found = subprocess.run([sys.executable, "-c", code, *words], capture_output=True, text=True, check=True)
    code, *names = found.stderr.splitlines()[-1].split()
    assert code == "0"
    return set(names)


@pytest.mark.slow
def test_an_ask_and_a_tell_load_nothing_that_they_do_not_need(do: Callable[..., str]) -> None:
    heavy = {"sklearn", "pandas", "scipy", "matplotlib", "rich"}
    assert not loads("ask", "study.yaml", "-o", "oracle={type: bayesian}") & heavy
    assert not loads("tell", str(RUN), "--trial", "0", "--value", "1") & heavy
    for number in range(1, 9):
        do("ask", RUN, "-o", "budget.trials=20")
        do("tell", RUN, "--trial", number, "--value", 1 / number)
    assert "scipy" in loads("ask", str(RUN))  # the model is asked by now


# -- the lock ---------------------------------------------------------------------------------------------------------


def test_a_folder_in_use_is_waited_for(do: Callable[..., str]) -> None:
    do("ask", "study.yaml")
    journal = jn.Journal(RUN)
    words = [sys.executable, "-m", "hptune", "ask", "study.yaml", "--json"]
    waiting = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=os.environ)
    try:
        with pytest.raises(subprocess.TimeoutExpired):
            waiting.wait(3)
        journal.close()
        out, err = waiting.communicate(timeout=60)
    finally:
        waiting.kill()
        journal.close()
    assert waiting.returncode == 0, err
    assert json.loads(out)["trial"] == 1


def test_who_has_waited_too_long_says_for_whom(
    do: Callable[..., str], monkeypatch: pytest.MonkeyPatch, said: Any
) -> None:
    do("ask", "study.yaml")
    monkeypatch.setattr(asking, "WAIT_SECONDS", 0.05)
    lock = jn.take_lock(Path(RUN))  # as another process holds it, not as a Study of this one
    try:
        text = said("tell", RUN, "--trial", 0, "--value", 1, code=5)
    finally:
        os.close(lock)
    assert f"in use by process {os.getpid()}" in text
    assert "waited 0.05 s for it" in text


def test_an_oracle_of_ones_own_may_wait_for_what_is_open(do: Callable[..., str], capsys: Capture) -> None:
    Path("patient.py").write_text(
        "import hptune\n\n\n"
        "class Patient(hptune.OracleSpec):\n"
        "    def suggest(self, history, trial, rng):\n"
        "        if history.pending():\n"
        "            return hptune.WAIT\n"
        "        return hptune.Suggestion(hptune.unseen(history, rng))\n"
    )
    Path("study.yaml").write_text(CONFIG.replace("{type: random}", "{type: patient.Patient}"))
    do("ask", "study.yaml")
    assert cli.invoke(["ask", "study.yaml", "--json"]) == 0
    out, err = capsys.readouterr()
    assert (json.loads(out)["trial"], json.loads(out)["stop_reason"]) == (None, None)
    assert "nothing to ask yet: the oracle waits for the result of trial 0" in err
    do("tell", RUN, "--trial", 0, "--value", 1)
    assert json.loads(do("ask", "study.yaml", "--json"))["trial"] == 1
