"""Commands: what becomes of placeholders, what a program may do to us, and what is refused before one is started."""

from __future__ import annotations

import json
import math
import os
import re
import signal
import stat
import sys
import time
import tracemalloc
from pathlib import Path

import pytest
from pydantic import ValidationError

from hptune import guard
from hptune.conditions import clause
from hptune.config.load import load
from hptune.errors import ConfigError
from hptune.evaluate import EvaluateSpec
from hptune.job import Job, Setup
from hptune.model import Call, TrialFailed
from hptune.models import model_from
from hptune.models.command import CommandModel, Context, slot_number
from hptune.models.command_process import LINE_LIMIT, Lines
from hptune.models.templates import Absent, parse, text_of
from hptune.slot import Slot
from hptune.space import Choice, Float, SearchSpace
from hptune.worker.failures import Invalid
from tests.timing import in_time

CONFIGS = Path(__file__).resolve().parents[2] / "configs"
SPACE = SearchSpace(
    (
        Choice(name="kernel", values=("rbf", "poly")),
        Float(name="lr", low=0, high=1),
        Float(name="degree", low=2, high=5, when=clause("kernel", "poly")),
    )
)


def command(line="true {lr}", **options) -> CommandModel:
    return CommandModel.model_validate({"command": line, **options})


def call_for(work: Path | None, **fields) -> Call:
    defaults = {"seed": 3, "report": lambda *_: None, "data": {}, "metrics": ("loss",), "folder": "/"}
    return Call(work=None if work is None else str(work), **{**defaults, **fields})


def arguments(model: CommandModel, values: dict, **fields) -> list[str]:
    return Context(model, values, call_for(None, **fields), Path("/work")).arguments()


def measured(model: CommandModel, work: Path | None, values: dict | None = None, **fields):
    return model.measure(values or {}, call_for(work, **fields), load=None)


def script(text: str, **options) -> CommandModel:
    """A command that runs a shell script, its text being one argument."""
    return command(["/bin/sh", "-c", text.replace("{", "{{").replace("}", "}}")], **options)


def failure(model: CommandModel, work: Path, **fields):
    with pytest.raises(TrialFailed) as caught:
        measured(model, work, **fields)
    return caught.value.failure


# -- templates ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["", "a", "{a}", "--x={a.b-c}", "{{}}", "{{{a}}}", "x{a}{b}y", "{{a}}"])
def test_a_template_spells_the_text_it_was_parsed_from(text):
    assert str(parse(text)) == text


def test_doubled_braces_are_literal_ones():
    assert parse("{{a}} {{{a}}}").fill({"a": "1"}) == "{a} {1}"
    assert parse("{{a}} {{{a}}}").names == ("a",)


@pytest.mark.parametrize("text", ["{", "}", "{a", "a}", "{a b}", '{"a": 1}', "{}", "{a}}", "{{a}"])
def test_braces_that_are_not_balanced_are_refused_with_the_mend(text):
    with pytest.raises(ValueError, match="write literal braces twice"):
        parse(text)


def test_a_value_with_braces_is_not_taken_for_a_placeholder():
    assert parse("{a}").fill({"a": "{b}"}) == "{b}"


@pytest.mark.parametrize("value", [0.1, 1e-300, 5e-324, 1 / 3, 12345678901234567, -0.5, 1e22])
def test_a_number_is_written_so_that_it_can_be_read_back_exactly(value):
    assert type(value)(text_of(value)) == value


# -- arguments ------------------------------------------------------------------------------------------------------

NASTY = [
    "a b",
    "; touch /tmp/hptune-was-here",
    "$(id)",
    "`id`",
    "'",
    '"',
    "\\",
    "a\nb",
    "*",
    "&& false",
    "{lr}",
    "é",
    "",
]


@pytest.mark.parametrize("value", NASTY)
def test_a_value_is_one_argument_whatever_it_holds(value, tmp_path):
    model = command("printf %s {x} --y={x} '{x}'")
    assert arguments(model, {"x": value}) == ["printf", "%s", value, f"--y={value}", value]


@pytest.mark.parametrize("value", NASTY)
def test_a_value_in_a_shell_line_is_one_word_that_the_shell_leaves_alone(value, tmp_path):
    model = command(
        "printf %s {x} > out; echo '{{\"loss\": 1}}'", shell=True, metrics={"stdout": "json"}, cwd="trial"
    )
    assert measured(model, tmp_path, {"x": value}) == {"loss": 1}
    assert (tmp_path / "out").read_text() == value
    assert not Path("/tmp/hptune-was-here").exists()


def test_the_argument_of_an_inactive_parameter_goes_with_the_flag_before_it_and_with_nothing_else():
    model = command("p --kernel {kernel} --degree {degree} -v --c={lr} {degree} x")
    assert arguments(model, {"kernel": "rbf", "lr": 1}) == ["p", "--kernel", "rbf", "-v", "--c=1", "x"]
    assert arguments(model, {"kernel": "rbf", "lr": 1, "degree": 2})[3:5] == ["--degree", "2"]
    assert arguments(command("p -- {degree}"), {}) == ["p", "--"]
    assert arguments(command("p --a=1 {degree}"), {}) == ["p", "--a=1"]
    assert arguments(command("-p {degree}"), {}) == ["-p"]
    assert arguments(command("p --beta {a} {b}"), {}) == ["p"]


def test_null_is_left_out_like_an_inactive_parameter_and_false_is_not():
    assert arguments(command("p --depth {depth} --warm {warm}"), {"depth": None, "warm": False}) == [
        "p",
        "--warm",
        "false",
    ]


def test_inactive_text_takes_the_place_of_what_would_be_left_out():
    assert arguments(command("p --d {d} --e={d}", inactive="none"), {}) == ["p", "--d", "none", "--e=none"]
    assert arguments(command("p --d {d}x", inactive="", shell=True), {})[2] == "p --d x"


def test_inside_longer_text_an_inactive_parameter_is_never_left_out_silently():
    with pytest.raises(Absent, match="degree"):
        arguments(command("p --degree={degree}"), {})


def test_a_list_is_not_divided_and_numbers_in_it_are_text():
    assert arguments(command(["a b", "{lr}", 3, True, 0.5]), {"lr": 2}) == ["a b", "2", "3", "true", "0.5"]


def test_own_placeholders_stand_for_the_trial(monkeypatch):
    monkeypatch.setenv("HPTUNE_WORKER", "process-3")
    line = "p {trial} {seed} {fold} {fidelity} {slot} {python} {work_dir} {result_file} {config_dir}"
    found = arguments(command(line), {}, trial=7, fold=2, fidelity=27.0)
    own = "/work/fold-2"
    assert found[1:] == ["7", "3", "2", "27", "3", sys.executable, own, f"{own}/result.json", "/"]
    assert arguments(command("p --epochs {fidelity}"), {}) == ["p"]
    assert [slot_number(name) for name in ("process-12", "serial", "")] == [12, 0, 0]


# -- running --------------------------------------------------------------------------------------------------------


def test_the_program_finds_its_values_in_environment_and_file_and_its_own_variables(tmp_path):
    text = 'echo "$HPTUNE_PARAMS"; printf %s "$GPU-$HPTUNE_TRIAL" > "$HPTUNE_RESULT_FILE".x'
    model = script(text, env={"GPU": "{slot}{lr}", "GONE": "{degree}"}, metrics={"stdout": "json"})
    assert measured(model, tmp_path, {"loss": 4, "lr": 0.5}, trial=7) == {"loss": 4.0}
    assert json.loads((tmp_path / "params.json").read_text()) == {"loss": 4, "lr": 0.5}
    assert (tmp_path / "result.json.x").read_text() == "00.5-7"


def test_a_variable_whose_parameter_is_inactive_is_not_set_even_if_we_have_it(tmp_path, monkeypatch):
    monkeypatch.setenv("GONE", "ours")
    model = script('echo "loss=${#GONE}"', env={"GONE": "{degree}"}, metrics={"regex": {"loss": r"loss=(\S+)"}})
    assert measured(model, tmp_path) == {"loss": 0}


def test_the_command_starts_in_the_configs_folder_or_in_the_trials_own_or_where_told(tmp_path):
    (tmp_path / "sub").mkdir()
    where = {"config": tmp_path, "trial": tmp_path / "work", "sub": tmp_path / "sub", "..": tmp_path.parent}
    for cwd, folder in where.items():
        model = script('printf \'{"loss": 1, "at": "%s"}\' "$(pwd -P)"', cwd=cwd, metrics={"stdout": "json"})
        found = Context(
            model, {}, call_for(None, folder=str(tmp_path), metrics=("loss", "at")), tmp_path / "work"
        ).run()
        assert found["at"] == str(folder.resolve())


def test_without_a_run_directory_the_trials_folder_is_temporary(tmp_path):
    model = script('echo "$HPTUNE_WORK_DIR" > seen; echo 0.5 > "$HPTUNE_RESULT_FILE"')
    assert measured(model, None, folder=str(tmp_path)) == {"loss": 0.5}
    assert not Path((tmp_path / "seen").read_text().strip()).exists()


def test_each_fold_has_a_folder_of_its_own_if_the_command_is_told_its_fold(tmp_path):
    model = command(["/bin/sh", "-c", "echo 0.{fold} > {result_file}"])
    assert [measured(model, tmp_path, fold=fold)["loss"] for fold in (0, 1)] == [0.0, 0.1]
    assert sorted(one.name for one in tmp_path.iterdir()) == ["fold-0", "fold-1"]
    assert model.folds(EvaluateSpec(cv=3)) == 3
    assert command().folds(EvaluateSpec(cv=3)) == 1


def test_an_exit_code_is_an_error_with_the_last_lines_of_stdout_and_stderr(tmp_path):
    found = failure(script("for i in $(seq 30); do echo line $i; done; echo 'lr too large' >&2; exit 3"), tmp_path)
    assert (found.kind, found.message) == ("error", "the command exited with code 3: lr too large")
    lines = found.traceback.splitlines()
    assert (len(lines), lines[0], lines[-1]) == (20, "line 12", "lr too large")


@pytest.mark.parametrize("shell", [False, True])
@pytest.mark.parametrize("number", [signal.SIGSEGV, signal.SIGKILL, signal.SIGTERM])
def test_a_command_killed_by_a_signal_has_crashed(number, shell, tmp_path):
    line = f"/bin/sh -c 'kill -{int(number)} $$'; exit $?" if shell else f"/bin/sh -c 'kill -{int(number)} $$'"
    found = failure(command(line, shell=shell), tmp_path)
    assert found.kind == "crashed"
    assert f"signal {int(number)} ({number.name})" in found.message
    assert ("memory" in found.message) == (number == signal.SIGKILL)


@pytest.mark.parametrize(
    ("line", "said"),
    [(["/nowhere/p"], "No such file"), (["/"], "ermission"), (["/bin/echo", "a\0b"], "null byte")],
)
def test_a_program_that_cannot_be_started_is_an_error_that_says_why(line, said, tmp_path):
    found = failure(command(line), tmp_path)
    assert found.kind == "error"
    assert found.message.startswith("the command cannot be started: ")
    assert said in found.message


def test_a_background_process_that_holds_the_output_open_is_not_waited_for(tmp_path):
    began = time.monotonic()
    try:
        assert measured(script("sleep 30 & echo $! > pid; echo loss=1", cwd="trial", metrics=LOSS), tmp_path) == {
            "loss": 1
        }
        in_time(began, 5)
    finally:
        os.kill(int((tmp_path / "pid").read_text()), signal.SIGKILL)


def test_a_background_process_that_never_stops_printing_is_not_waited_for_either(tmp_path):
    model = script("(while :; do echo x; done) & echo $! > pid; echo loss=1", cwd="trial", metrics=LOSS)
    try:
        assert measured(model, tmp_path) == {"loss": 1}
    finally:
        os.kill(int((tmp_path / "pid").read_text()), signal.SIGKILL)


def test_a_program_that_closes_its_output_is_waited_for(tmp_path):
    assert measured(script("exec >&- 2>&-; sleep 0.3; echo 2 > result.json", cwd="trial"), tmp_path) == {"loss": 2}


def test_a_long_line_and_twenty_megabytes_are_read_with_bounded_memory(tmp_path, capfd):
    text = "head -c 20000000 /dev/zero | tr '\\0' x; echo; yes 0123456789 | head -n 20000; echo loss=5"
    tracemalloc.start()
    try:
        assert measured(script(text, metrics=LOSS), tmp_path) == {"loss": 5}
        assert tracemalloc.get_traced_memory()[1] < 6 * LINE_LIMIT
    finally:
        tracemalloc.stop()
    assert len(capfd.readouterr().err) > 20_000_000


def test_lines_come_out_whole_however_the_stream_is_cut():
    data = "a\r\nbé\n\nc".encode()
    for step in range(1, len(data) + 1):
        seen: list[str] = []
        lines = Lines(seen.append)
        for start in range(0, len(data), step):
            lines.feed(data[start : start + step])
        lines.end()
        assert seen == ["a", "bé", "c"]


# -- metrics --------------------------------------------------------------------------------------------------------

LOSS = {"regex": {"loss": r"loss=(\S+)"}}
WRONG_FILES = {
    "": "is empty",
    "nope": "expected JSON or a number in",
    "[0.5]": "expected a JSON object or a number",
    "null": "expected a JSON object or a number",
    '{"los": 1}': "expected loss in the result file, found los; did you mean 'los'?",
    "{}": "expected loss in the result file, found nothing",
    "0.5 0.6": "expected JSON or a number",
    "1_000": "expected JSON or a number",
    "[" * 100_000: "expected JSON or a number",
}
NOT_FINITE = {
    '{"loss": true}': "loss: expected a finite number, found bool True",
    '{"loss": "0.5"}': "loss: expected a finite number, found str '0.5'",
    '{"loss": null}': "loss: expected a finite number, found NoneType",
    '{"loss": [1]}': "loss: expected a finite number, found list [1]",
    '{"loss": NaN}': "loss: expected a finite number, found nan",
    '{"loss": 1' + "0" * 400 + "}": "loss: expected a finite number",
    "true": "loss: expected a finite number, found bool True",
    '"0.5"': "loss: expected a finite number, found str '0.5'",
    "nan": "loss: expected a finite number, found nan",
    "-inf": "loss: expected a finite number, found -inf",
}


def writes(text: str, **options) -> CommandModel:
    return command(["/bin/sh", "-c", 'printf %s "$TEXT" > "$HPTUNE_RESULT_FILE"'], env={"TEXT": "{text}"}, **options)


@pytest.mark.parametrize("text", ['{"loss": 0.25, "x": "y"}', "0.25", " 0.25\n", "\ufeff0.25", "2.5e-1"])
def test_a_result_file_holds_an_object_or_a_bare_number(text, tmp_path):
    assert measured(writes(text), tmp_path, {"text": text}) == {"loss": 0.25}


@pytest.mark.parametrize("text", WRONG_FILES, ids=lambda text: text[:12])
def test_a_result_file_without_the_metric_is_invalid_with_what_was_found(text, tmp_path):
    (tmp_path / "result.txt").write_text(text)
    model = command(["/bin/cp", str(tmp_path / "result.txt"), "{result_file}"])
    found = failure(model, tmp_path / "work")
    assert found.kind == "invalid"
    assert WRONG_FILES[text] in found.message
    assert len(found.message) < 400


@pytest.mark.parametrize("text", NOT_FINITE, ids=lambda text: text[:12])
def test_only_a_finite_real_number_counts(text, tmp_path):
    with pytest.raises(Invalid) as caught:
        measured(writes(text), tmp_path, {"text": text})
    assert NOT_FINITE[text] in str(caught.value)


def test_a_result_that_is_missing_a_folder_or_a_pipe_is_invalid_and_does_not_hang(tmp_path):
    assert "wrote no result file" in failure(script("echo done"), tmp_path / "a").message
    assert "something else" in failure(script('mkdir "$HPTUNE_RESULT_FILE"'), tmp_path / "b").message
    assert "something else" in failure(script('mkfifo "$HPTUNE_RESULT_FILE"'), tmp_path / "c").message
    assert failure(script("echo last words"), tmp_path / "a").traceback == "last words"


def test_the_result_of_an_earlier_attempt_does_not_count(tmp_path):
    (tmp_path / "result.json").write_text("0.1")
    assert "wrote no result file" in failure(script("true"), tmp_path).message


def test_a_result_file_elsewhere_is_not_deleted_and_counts_only_if_written_anew(tmp_path):
    place = tmp_path / "7.json"
    place.write_text("0.1")
    options = {"metrics": {"file": f"{tmp_path}/{{trial}}.json"}, "cwd": "trial"}
    assert "of an earlier run" in failure(script("true", **options), tmp_path / "work", trial=7).message
    assert place.read_text() == "0.1"
    assert measured(script("echo 0.1 > ../7.json", **options), tmp_path / "work", trial=7) == {"loss": 0.1}


def test_the_last_json_line_of_stdout_counts_and_stderr_does_not(tmp_path):
    text = """echo '{"loss": 1}'; echo '{"loss": 2}'; echo '{broken}'; echo '[3]'; printf '{"loss": '"""
    text = """echo '{"loss": 4}' >&2; """ + text + """; echo '{"loss": 4}' >&2"""
    assert measured(script(text, metrics={"stdout": "json"}), tmp_path) == {"loss": 2}
    assert (
        "no line of stdout is a JSON object"
        in failure(script("echo 1", metrics={"stdout": "json"}), tmp_path).message
    )
    text = """echo '{"loss": 1}'; echo '{"done": true}'"""
    assert "found done" in failure(script(text, metrics={"stdout": "json"}), tmp_path).message


def test_the_last_match_of_each_expression_counts_on_stdout_or_stderr(tmp_path):
    metrics = {"regex": {"loss": r"loss=(\S+)", "acc": r"acc (\d+)%"}}
    text = "echo loss=9 loss=3 >&2; echo acc 7%; echo acc 8%; echo bye"
    assert measured(script(text, metrics=metrics), tmp_path, metrics=("loss", "acc")) == {"loss": 3, "acc": 8}
    assert (
        "expected acc in the output, found loss"
        in failure(script("echo loss=1", metrics=metrics), tmp_path, metrics=("loss", "acc")).message
    )
    assert "no line of output matches" in failure(script("true", metrics=metrics), tmp_path).message
    assert "found '3,'" in failure(script("echo loss=3,", metrics=metrics), tmp_path).message
    with pytest.raises(Invalid, match="found nan"):
        measured(script("echo loss=nan", metrics=metrics), tmp_path)


def test_a_bare_number_cannot_hold_two_metrics(tmp_path):
    found = failure(script("echo 1 > result.json", cwd="trial"), tmp_path, metrics=("loss", "acc"))
    assert "expected a JSON object with loss, acc" in found.message


# -- in a supervised child ------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def slot(tmp_path_factory):
    """A worker named process-3 that runs whatever shell script a trial's `do` holds."""
    folder = tmp_path_factory.mktemp("config")
    model = {"command": ["/bin/sh", "-c", "{do}"], "metrics": {"stdout": "json"}, "cwd": "trial"}
    evaluate = {"metric": "loss", "direction": "minimize"}
    setup = Setup(
        model=model, data=None, evaluate=evaluate, space=SearchSpace(()).to_json(), seed=0, folder=str(folder)
    )
    slot = Slot(setup, name="process-3")
    yield slot
    slot.close(kill=True)


def ask(slot, tmp_path, do, **fields):
    return slot.run(Job(trial=4, values={"do": do}, work=str(tmp_path), log=str(tmp_path / "log"), **fields))


def alive(pid: int) -> bool:
    return any(pid == row[0] for row in guard.processes())


def test_what_a_command_leaves_behind_is_dead_when_the_outcome_is_there(slot, tmp_path):
    do = """sleep 60 & echo $! > one; setsid sleep 60 & sleep 0.1; echo $! > two; echo '{"loss": 1}'"""
    assert ask(slot, tmp_path, do).measurements[0].score == 1.0
    pids = [int((tmp_path / name).read_text()) for name in ("one", "two")]
    assert [alive(pid) for pid in pids] == [False, False]


def test_the_command_line_and_both_streams_are_in_the_trials_log(slot, tmp_path, capfd):
    assert ask(slot, tmp_path, """echo out; echo err >&2; echo '{"loss": 1}'""").failure is None
    log = (tmp_path / "log").read_text()
    assert log.startswith("[hptune: trial 4: /bin/sh -c ")
    assert {"out", "err"} <= set(log.splitlines())
    assert capfd.readouterr() == ("", "")


def test_failures_keep_their_kind_and_words_on_the_way_to_the_coordinator(slot, tmp_path):
    failed = ask(slot, tmp_path, "echo why; exit 3").failure
    assert (failed.kind, failed.message, failed.traceback) == ("error", "the command exited with code 3: why", "why")
    assert ask(slot, tmp_path, "kill -11 $$").failure.kind == "crashed"
    assert ask(slot, tmp_path, "echo nothing").failure.kind == "invalid"
    assert ask(slot, tmp_path, """echo '{"loss": "1"}'""").failure.kind == "invalid"


def test_the_slot_is_the_number_of_the_worker(slot, tmp_path):
    assert ask(slot, tmp_path, """echo "{\\"loss\\": $HPTUNE_SLOT}" """).measurements[0].score == 3.0


def test_a_command_beyond_its_time_is_killed_with_all_its_children(slot, tmp_path):
    outcome = ask(slot, tmp_path, "echo begun; sleep 60 & echo $! > pid; sleep 60", deadline=0.7)
    assert outcome.failure.kind == "timeout"
    assert not alive(int((tmp_path / "pid").read_text()))
    assert "begun" in (tmp_path / "log").read_text()


# -- refused before anything is run ---------------------------------------------------------------------------------


def test_everything_wrong_with_a_spec_is_refused_by_its_key():
    wrong = [
        ({"command": "a 'b"}, "no closing quotation"),
        ({"command": ""}, "expected a command"),
        ({"command": []}, "expected a command"),
        ({"command": "a {b"}, "without its '}'"),
        ({"command": ["a"], "shell": True}, "one line of text"),
        ({"command": "a '{b}'", "shell": True}, "stands inside quotes"),
        ({"command": 'a "x {b}"', "shell": True}, "stands inside quotes"),
        ({"command": "a `b {b}`", "shell": True}, "stands inside quotes"),
        ({"command": "a \\{b}", "shell": True}, "stands inside quotes"),
        ({"command": "cat <<E\n{b}\nE", "shell": True}, "here-document"),
        ({"command": "a", "metrics": {}}, "one of file, stdout and regex, found none"),
        ({"command": "a", "metrics": {"file": "x", "stdout": "json"}}, "found file and stdout"),
        ({"command": "a", "metrics": {"regex": {"loss": "loss=("}}}, "no regular expression"),
        (
            {"command": "a", "metrics": {"regex": {"loss": "(x{4294967295}){4294967294}"}}},
            "repeats or nests too much",
        ),
        ({"command": "a", "metrics": {"regex": {"loss": "(?:" * 5000 + ")" * 5000}}}, "repeats or nests too much"),
        ({"command": "a", "metrics": {"regex": {"loss": "loss"}}}, "expected one group, found none"),
        ({"command": "a", "metrics": {"regex": {"loss": "(a)(b)"}}}, "expected one group, found 2"),
        ({"command": "a", "env": {"A B": "x"}}, "names of environment variables"),
        ({"command": "a", "env": {"A": "{x"}}, "without its '}'"),
        ({"command": "a", "cdw": "trial"}, "Extra inputs"),
    ]
    for data, message in wrong:
        with pytest.raises(ValidationError, match=re.escape(message)):
            model_from(data)


@pytest.mark.parametrize("line", ["a '{{b}}' {lr}", 'a "x" {lr}', "a \\\\{lr}", "a $(b {lr}) | c > 'd'{lr}"])
def test_quotes_beside_a_placeholder_are_fine_in_a_shell_line(line):
    assert command(line, shell=True).arguments[0].names == ("lr",)


def found_in(tmp_path, model: CommandModel, space=SPACE, **evaluate) -> dict[str, str]:
    findings = model.check(space, EvaluateSpec(**{"metric": "loss", **evaluate}), tmp_path)
    return {f"{one.severity} {one.key}": one.message for one in findings}


ALL = "--k {kernel} --lr {lr} --degree {degree} --out {result_file}"


def test_a_good_command_has_no_findings(tmp_path):
    (tmp_path / "train.py").write_text("")
    assert found_in(tmp_path, command("{python} train.py " + ALL)) == {}
    assert found_in(tmp_path, command("{python} train.py {params_file} {result_file}")) == {}
    assert found_in(tmp_path, command("{python} {config_dir}/train.py " + ALL, cwd="trial")) == {}
    assert found_in(tmp_path / "x", command("{python} train.py " + ALL, cwd="..")) != {}


def test_a_misspelt_placeholder_is_an_error_and_a_forgotten_parameter_a_warning(tmp_path):
    found = found_in(tmp_path, command("true --k {kernel} --lr {lrr} --d {degree} {result_file}"))
    assert found.pop("error model.command") == "{lrr} is no parameter of the space; did you mean 'lr'?"
    assert found.pop("warning space.lr").startswith("does not stand in the command")
    assert found == {}
    assert "error model.env.X" in found_in(tmp_path, command("true " + ALL, env={"X": "{nope}"}))


def test_a_parameter_called_like_a_placeholder_of_ours_is_an_error(tmp_path):
    space = SearchSpace((Float(name="seed", low=0, high=1),))
    assert (
        "a meaning of its own" in found_in(tmp_path, command("true {seed} {result_file}"), space)["error space.seed"]
    )


def test_an_inactive_parameter_inside_longer_text_is_an_error_unless_there_is_text_for_it(tmp_path):
    line = "true {kernel} {lr} --degree={degree} {result_file}"
    message = found_in(tmp_path, command(line))["error model.command"]
    assert "{degree} stands inside '--degree={degree}' and has no value when it is inactive" in message
    assert found_in(tmp_path, command(line, inactive="")) == {}
    assert "in a shell line" in found_in(tmp_path, command("true " + ALL, shell=True))["error model.command"]
    nullable = SearchSpace((Choice(name="depth", values=(None, 3)),))
    assert (
        "may be null" in found_in(tmp_path, command("true d{depth} {result_file}"), nullable)["error model.command"]
    )
    assert found_in(tmp_path, command("true {depth} {result_file}"), nullable) == {}
    assert "measured in full" in found_in(tmp_path, command(f"true {ALL} e{{fidelity}}"))["error model.command"]


def test_programs_and_scripts_that_are_not_there_are_errors_with_the_mend(tmp_path):
    for name, mode in (("train.py", 0o644), ("go.sh", 0o755)):
        (tmp_path / name).write_text("#!/bin/sh\n")
        (tmp_path / name).chmod(mode)
    expected = {
        "no-such-program-here": "there is no program 'no-such-program-here' on the PATH",
        "go.sh": "the one beside the config is ./go.sh",
        "train.py": "the one beside the config is started with {python} train.py",
        "./train.py": "./train.py is not executable; chmod +x",
        "./trian.py": "did you mean 'train.py'?",
        "{python} trian.py": "there is no file trian.py in",
        "sh g.sh": "did you mean 'go.sh'?",
        "python9": "{python} stands for the interpreter",
    }
    for program, message in expected.items():
        assert message in found_in(tmp_path, command(f"{program} {ALL}"))["error model.command"], program
    for program in ("./go.sh", "sh go.sh", f"{tmp_path}/go.sh", "{kernel}", "{python} -m json.tool"):
        assert found_in(tmp_path, command(f"{program} {ALL}")) == {}, program
    message = found_in(tmp_path, command(f"sh go.sh {ALL}", cwd="trial"))["error model.command"]
    assert message.endswith("write {config_dir}/go.sh")
    assert "error model.cwd" in found_in(tmp_path, command(f"true {ALL}", cwd="trail"))


def test_a_path_of_the_commands_own_is_where_its_program_is_looked_for(tmp_path):
    (tmp_path / "mine").write_text("#!/bin/sh\necho loss=1\n")
    (tmp_path / "mine").chmod(stat.S_IRWXU)
    model = command(f"mine {ALL}", env={"PATH": str(tmp_path)}, metrics=LOSS)
    assert found_in(tmp_path, model) == {}
    assert measured(model, tmp_path / "work", {"kernel": "rbf", "lr": 1}) == {"loss": 1}


def test_metrics_that_cannot_be_found_are_errors(tmp_path):
    regex = command("true " + ALL, metrics={"regex": {"los": "(.)", "x": "(.)"}})
    found = found_in(tmp_path, regex)
    assert found["error model.metrics.regex"] == "expected an expression for 'loss'; did you mean 'los'?"
    assert "warning model.metrics.regex.x" in found
    shared = command("true " + ALL, metrics={"file": "out.json"})
    assert "would write the same file" in found_in(tmp_path, shared)["error model.metrics.file"]
    assert found_in(tmp_path, command("true " + ALL, metrics={"file": "out.json"}, cwd="trial")) == {}
    assert (
        "not told {result_file}"
        in found_in(tmp_path, command("true {kernel} {lr} {degree}"))["warning model.command"]
    )
    cv = {"type": "kfold", "folds": 3}
    assert "error evaluate.cv" in found_in(tmp_path, command(f"true {ALL} {{fold}}"), cv=cv)


def test_a_config_says_file_line_and_key_of_all_that_is_wrong_with_its_command(tmp_path):
    config = tmp_path / "study.yaml"
    config.write_text(
        "model:\n  command: 'nope --lr {lrr} {result_file}'\n"
        "space:\n  lr: {type: float, min: 0, max: 1}\nevaluate: {metric: loss, direction: minimize}\n"
    )
    with pytest.raises(ConfigError) as caught:
        load(config)
    lines = str(caught.value).splitlines()
    assert [line.startswith(f"{config}:2: model.command: ") for line in lines] == [True, True, False]
    assert "did you mean 'lr'" in lines[0]
    assert lines[2].startswith(f"{config}:4: space.lr: ")
    config.write_text('model:\n  command: "p \'x"\n')
    with pytest.raises(ConfigError, match=r"study.yaml:2: model.command: no closing quotation"):
        load(config)


# -- the sample -----------------------------------------------------------------------------------------------------


def test_the_sample_config_is_valid_and_says_what_it_runs():
    loaded = load(CONFIGS / "command.yaml")
    assert loaded.warnings == ()
    assert "train.py" in loaded.config.model.programs()[0]


def test_the_sample_program_is_measured_the_same_twice(tmp_path):
    loaded = load(CONFIGS / "command.yaml")
    values = {"lr": 0.05, "momentum": 0.9, "schedule": "constant"}
    found = [
        measured(loaded.config.model, tmp_path, values, folder=str(CONFIGS), metrics=("loss", "accuracy"))
        for _ in "ab"
    ]
    assert found[0] == found[1]
    assert 0.2 < found[0]["loss"] < math.log(2)


# -- a whole study --------------------------------------------------------------------------------------------------

STUDY = """\
model:
  command: [/bin/sh, -c, 'echo "{{\\"loss\\": $1}}"; echo noise $2', sh, '{x}', '{fold}']
  metrics: {stdout: json}
space: {x: [1, 2, 4]}
evaluate: {metric: loss, direction: minimize, cv: 2}
oracle: {type: grid}
executor: {type: serial}
"""


def test_a_study_of_a_command_measures_its_folds_and_keeps_its_files_out_of_stdout(tmp_path, capfd, monkeypatch):
    from hptune import compose

    monkeypatch.setattr(sys, "path", list(sys.path))
    (tmp_path / "study.yaml").write_text(STUDY)
    with compose.start(load(tmp_path / "study.yaml"), tmp_path / "run") as session:
        assert session.warnings == []
        assert session.run() == "exhausted"
        scores = {trial.values["x"]: trial.scores for trial in session.study.history.trials}
    assert scores == {1: (1.0, 1.0), 2: (2.0, 2.0), 4: (4.0, 4.0)}
    params = sorted((tmp_path / "run" / "work").rglob("params.json"))
    assert [one.parent.relative_to(tmp_path / "run").as_posix() for one in params][:2] == [
        "work/trial-00000/fold-0",
        "work/trial-00000/fold-1",
    ]
    streams = capfd.readouterr()
    assert streams.out == ""
    assert "noise 1" in streams.err
