"""A user's own oracle: the documented example runs, its options are checked, its faults end in clear messages."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import hptune
from hptune import cli
from hptune.config.identity import problem_of
from hptune.config.load import load
from hptune.errors import OracleFailed, StudyExhausted, UsageError
from hptune.objective import Objective
from hptune.oracles.hyperband import Hyperband
from hptune.oracles.tpe import Tpe
from hptune.own_oracle import oracle_of
from hptune.report import phrases
from hptune.study import Study
from tests.conftest import SPACES

Capture = pytest.CaptureFixture[str]
PAGE = (Path(__file__).resolve().parents[2] / "docs" / "oracles.md").read_text()
CODE = re.findall(r"```python\n(.*?)```", PAGE, flags=re.DOTALL)[0]
YAML = re.findall(r"```yaml\n(.*?)```", PAGE, flags=re.DOTALL)
CONFIG = next(one for one in YAML if "oracle:" in one)
SAMPLER = next(one for one in YAML if "sampler:" in one).strip()
CONFIG = (
    CONFIG.replace('data: {train: "sklearn:load_diabetes"}\n', "")
    .replace("model: {class: sklearn.linear_model.Ridge}", 'model: {function: "targets:f"}')
    .replace("evaluate: {metric: r2, cv: 3}", "evaluate: {metric: loss, direction: minimize}")
)
SAMPLED = re.sub(r"oracle: .*", SAMPLER, CONFIG).replace("targets:f", "targets:g")
STEPS = """

def g(values, report):
    for step in range(1, 10):
        report(abs(values['alpha'] - 1) + 1 / step, step=step)
    return abs(values['alpha'] - 1)
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The documented files, over a function instead of a fit; what was imported is forgotten at the end."""
    (tmp_path / "searches.py").write_text(CODE)
    (tmp_path / "targets.py").write_text(f"def f(values):\n    return abs(values['alpha'] - 1)\n{STEPS}")
    (tmp_path / "study.yaml").write_text(CONFIG)
    (tmp_path / "sampled.yaml").write_text(SAMPLED)
    monkeypatch.chdir(tmp_path)
    path = list(sys.path)
    yield tmp_path
    sys.path[:] = path
    for name in ("searches", "targets", "faulty"):
        sys.modules.pop(name, None)


def climber() -> Any:
    scope: dict[str, Any] = {"__name__": "searches"}
    exec(CODE, scope)
    return scope["Climber"]


def test_the_table_in_the_docs_is_the_registry(capsys: Capture) -> None:
    assert cli.invoke(["oracles", "--format", "markdown"]) == 0
    assert f"-->\n{capsys.readouterr().out}<!-- end -->" in PAGE


def test_the_documented_example_runs_and_goes_on(project: Path, capsys: Capture) -> None:
    assert len(CODE.splitlines()) <= 40
    assert cli.invoke(["run", "study.yaml", "--dir", "short", "-q", "--trials", "6"]) == 0
    assert cli.invoke(["run", "study.yaml", "--dir", "short", "-q", "--trials", "12"]) == 0
    assert cli.invoke(["run", "study.yaml", "--dir", "long"]) == 0
    assert "runs code that the config names: targets:f, searches.Climber" in capsys.readouterr().err
    assert cli.invoke(["trials", "short", "--format", "json"]) == 0
    short = json.loads(capsys.readouterr().out)["trials"]
    assert cli.invoke(["trials", "long", "--format", "json"]) == 0
    long = json.loads(capsys.readouterr().out)["trials"]
    assert [one["params"] for one in short] == [one["params"] for one in long]
    assert {one["origin"] for one in long[1:]} == {"random", "step"}


def test_reading_verbs_never_import_it(project: Path, capsys: Capture) -> None:
    assert cli.invoke(["run", "study.yaml", "--dir", "r", "-q", "--trials", "2"]) == 0
    (project / "searches.py").write_text("raise SystemExit('imported')\n")
    del sys.modules["searches"]
    for verb in ("show", "trials", "best", "suggest"):
        assert cli.invoke([verb, "r"]) == 0
    assert cli.invoke(["validate", "study.yaml", "--static"]) == 0
    assert "searches" not in sys.modules
    assert "searches.Climber (startup 5, step 0.2)" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("{type: searches.Climber, stepp: 1}", "study.yaml:5: oracle.stepp: unknown key; did you mean 'step'?"),
        ("{type: searches.Climber, step: 2}", "study.yaml:5: oracle.step: expected a number of at most 1, found 2"),
        ("{class: searches.Climbr}", "oracle.type: searches has no 'Climbr'; did you mean 'Climber'?"),
        ("{type: searches.np}", "oracle.type: expected an oracle, searches.np is a module"),
        ("{type: pathlib.Path}", "oracle.type: pathlib.Path is neither in the config's folder"),
        (
            "{type: other.Thing}",
            "oracle.type: expected a subclass of hptune.OracleSpec, other.Thing is another class",
        ),
        ("{type: other.Idle}", "oracle.type: other.Idle has no suggest(self, history, trial, rng)"),
        ("{type: other.Picky}", "oracle: expected an even moon"),
        ("{type: broken.Thing}", "oracle.type: importing broken failed: ZeroDivisionError: division by zero"),
        ("{type: a..b}", "oracle.type: expected"),
    ],
)
def test_a_wrong_name_or_option_is_said_with_its_line(
    line: str, message: str, project: Path, capsys: Capture
) -> None:
    (project / "other.py").write_text(
        "import hptune, pydantic\n\n\nclass Thing:\n    pass\n\n\nclass Idle(hptune.OracleSpec):\n    pass\n\n\n"
        "class Picky(hptune.OracleSpec):\n    @pydantic.model_validator(mode='after')\n    def _moon(self):\n"
        "        raise ValueError('expected an even moon')\n\n    def suggest(self, history, trial, rng):\n        pass\n"
    )
    (project / "broken.py").write_text("1 / 0\n")
    (project / "study.yaml").write_text(re.sub(r"oracle: .*", f"oracle: {line}", CONFIG))
    for verb in (["validate", "study.yaml"], ["run", "study.yaml", "--dir", "r", "-q"]):
        assert cli.invoke(verb) == 2
        found = capsys.readouterr().err
        assert message in " ".join(found.split())
        assert "Traceback" not in found
    for name in ("other", "broken"):
        sys.modules.pop(name, None)


# -- as the sampler of hyperband and asha ---------------------------------------------------------------------------


def trials_of(folder: str, capsys: Capture) -> list[dict[str, Any]]:
    capsys.readouterr()
    assert cli.invoke(["trials", folder, "--format", "json"]) == 0
    return list(json.loads(capsys.readouterr().out)["trials"])


def test_the_documented_sampler_runs_and_goes_on(project: Path, capsys: Capture) -> None:
    assert cli.invoke(["run", "sampled.yaml", "--dir", "r"]) == 0
    assert "runs code that the config names: targets:g, searches.Climber" in capsys.readouterr().err
    whole = trials_of("r", capsys)
    assert {one["origin"] for one in whole[1:]} == {"random", "step", "promotion"}
    journal = project / "r" / "journal.jsonl"
    data = journal.read_bytes()
    journal.write_bytes(data[: len(data) // 2])
    assert cli.invoke(["run", "sampled.yaml", "--dir", "r", "-q"]) == 0
    again = trials_of("r", capsys)
    assert [(one["params"], one["origin"]) for one in again] == [(one["params"], one["origin"]) for one in whole]
    assert cli.invoke(["retry", "r"]) == 0
    assert cli.invoke(["run", "r", "-q", "--trials", "+2"]) == 0


def test_a_sampler_by_path_says_what_the_object_says(project: Path, capsys: Capture) -> None:
    assert cli.invoke(["run", "sampled.yaml", "--dir", "r", "-q"]) == 0
    oracle = Hyperband(resource="steps", max=9, sampler=climber()(step=0.2))
    study = Study(load("sampled.yaml").space, Objective("loss", "minimize"), oracle=oracle, seed=0, lookahead=1)
    for told in trials_of("r", capsys):
        trial = study.next(finish=study.history.view().configurations == 12)
        assert isinstance(trial, hptune.Trial)
        assert dict(trial.values) == told["params"]
        study.tell(trial.number, told["score"])


@pytest.mark.parametrize("sampler", ["{type: tpe, startup: 4}", "{class: tpe, startup: 4}"])
def test_class_is_another_name_for_the_type_of_a_sampler(sampler: str, project: Path) -> None:
    text = re.sub(r"sampler: {.*}}", f"sampler: {sampler}}}", SAMPLED)
    (project / "sampled.yaml").write_text(text)
    assert load("sampled.yaml").config.oracle.sampler == Tpe(startup=4)  # type: ignore[attr-defined]


def test_a_sampler_by_its_name_alone_takes_its_defaults(project: Path) -> None:
    loaded = load("sampled.yaml", ["oracle.sampler=searches.Climber"])
    assert oracle_of(loaded).model_dump()["sampler"] == {"type": "searches.Climber", "startup": 5, "step": 0.2 / 2}


def test_reading_verbs_never_import_a_sampler(project: Path) -> None:
    assert cli.invoke(["run", "sampled.yaml", "--dir", "r", "-q", "--trials", "2"]) == 0
    (project / "searches.py").write_text("raise SystemExit('imported')\n")
    del sys.modules["searches"]
    for verb in ("show", "trials", "best", "suggest"):
        assert cli.invoke([verb, "r"]) == 0
    assert cli.invoke(["validate", "sampled.yaml", "--static"]) == 0
    assert "searches" not in sys.modules


def test_another_option_of_a_sampler_is_another_problem(project: Path, capsys: Capture) -> None:
    assert cli.invoke(["run", "sampled.yaml", "--dir", "r", "-q", "--trials", "2"]) == 0
    assert cli.invoke(["run", "sampled.yaml", "--dir", "r", "-q", "-o", "oracle.sampler.step=0.3"]) == 2
    assert "oracle.sampler.step: was 0.2, now 0.3" in capsys.readouterr().err


def test_null_is_an_option_of_a_sampler_like_any_other(project: Path) -> None:
    given = problem_of(load("sampled.yaml", ["oracle.sampler.step=null"]))
    assert given["oracle"]["sampler"] == {"type": "searches.Climber", "step": None}


@pytest.mark.parametrize(
    ("sampler", "message"),
    [
        (
            "{class: searches.Climber, stepp: 1}",
            "sampled.yaml:5: oracle.sampler.stepp: unknown key; did you mean 'step'?",
        ),
        ("{class: searches.Climber, step: 2}", "oracle.sampler.step: expected a number of at most 1, found 2"),
        ("searches.Climbr", "sampled.yaml:5: oracle.sampler: searches has no 'Climbr'; did you mean 'Climber'?"),
        ("{class: pathlib.Path}", "oracle.sampler.type: pathlib.Path is neither in the config's folder"),
        ("other.Thing", "oracle.sampler: expected a subclass of hptune.OracleSpec, other.Thing is another class"),
        ("other.Idle", "oracle.sampler: other.Idle has no suggest(self, history, trial, rng)"),
        ("other.Halves", "oracle.sampler: expected an oracle that proposes new configurations, found"),
        (
            "{class: searches.Climber}, promote: model",
            "oracle.promote: model needs sampler: bayesian, found searches.Climber",
        ),
        ("climber", "tpe, auto, found 'climber'"),
    ],
)
def test_a_wrong_name_or_option_of_a_sampler_is_said_with_its_line(
    sampler: str, message: str, project: Path, capsys: Capture
) -> None:
    (project / "other.py").write_text(
        "import hptune\nfrom hptune.oracles.asha import Asha\n\n\nclass Thing:\n    pass\n\n\n"
        "class Idle(hptune.OracleSpec):\n    pass\n\n\nclass Halves(Asha):\n    type: str = ''\n"
    )
    (project / "sampled.yaml").write_text(re.sub(r"sampler: {.*}}", f"sampler: {sampler}}}", SAMPLED))
    for verb in (["validate", "sampled.yaml"], ["run", "sampled.yaml", "--dir", "r", "-q"]):
        assert cli.invoke(verb) == 2
        found = capsys.readouterr().err
        assert message in " ".join(found.split())
        assert "Traceback" not in found
    sys.modules.pop("other", None)


def test_ask_has_no_use_for_a_resource_with_whatever_sampler(project: Path, capsys: Capture) -> None:
    text = re.sub(r"(model|executor): .*\n", "", SAMPLED)
    (project / "sampled.yaml").write_text(text)
    assert cli.invoke(["ask", "sampled.yaml"]) == 2
    assert "hyperband with less of a resource at first needs a model" in capsys.readouterr().err
    assert "searches" not in sys.modules


@pytest.mark.parametrize("oracle", [Hyperband(sampler="searches.Climber"), {"type": "asha", "sampler": "a.B"}])
def test_a_study_in_python_takes_the_object_and_not_its_path(oracle: Any) -> None:
    with pytest.raises(UsageError, match=r"oracle.sampler: expected a name or an oracle, found '.*give an object"):
        Study(SPACES["one dimension"], Objective("loss", "minimize"), oracle=oracle)


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (None, "expected a hptune.Suggestion"),
        (hptune.Suggestion(None), "expected a hptune.Suggestion"),  # type: ignore[arg-type]
        (hptune.Suggestion({"x": 7.0}), "x: "),
        (ZeroDivisionError("oh"), "raised ZeroDivisionError: oh"),
        (hptune.WAIT, "waits although every trial has ended"),
    ],
    ids=["None", "no values", "outside", "raises", "waits"],
)
def test_nonsense_of_a_sampler_is_refused_in_its_name(answer: Any, message: str) -> None:
    class Faulty(hptune.OracleSpec):
        def suggest(self, history: Any, trial: int, rng: Any) -> Any:
            if isinstance(answer, BaseException):
                raise answer
            return answer

    oracle = Hyperband(sampler=Faulty())
    study = Study(SPACES["one dimension"], Objective("loss", "minimize"), oracle=oracle, seed=0)
    study.tell(study.ask().number, 1.0)
    with pytest.raises(OracleFailed, match=rf"the oracle hyperband of .*Faulty, asked for trial 1: {message}"):
        study.ask()


# -- what it answers ------------------------------------------------------------------------------------------------

SPACE = SPACES["extras and fixed"]
GOOD = {"kernel": "linear", "eps": 0.5, "cache": 200}


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (ZeroDivisionError("oh"), r"raised ZeroDivisionError: oh \(.*test_own.py, line \d+\)"),
        (SystemExit(3), "raised SystemExit: 3"),
        (None, r"expected a hptune.Suggestion\(values\), hptune.WAIT or hptune.EXHAUSTED, found None"),
        (GOOD, "expected a hptune.Suggestion"),
        (hptune.Suggestion(None), "expected a hptune.Suggestion"),  # type: ignore[arg-type]
        (hptune.Suggestion({**GOOD, "degree": 3}), "degree: is inactive here"),
        (hptune.Suggestion({"kernel": "linear", "eps": 0.5}), "no value for cache, active here"),
        (hptune.Suggestion({**GOOD, "eps": 11}), "eps: "),
        (hptune.Suggestion({**GOOD, "eps": float("nan")}), "eps: "),
        (hptune.Suggestion({**GOOD, "esp": 1}), "no parameter 'esp'; did you mean 'eps'?"),
        (
            hptune.Suggestion(SPACE.defaults()),
            r"its suggestion is the configuration of trial 0 again; .*hptune.unseen",
        ),
        (hptune.Suggestion(GOOD, fidelity=-1), "fidelity: expected None or a number above 0, found -1"),
        (hptune.Suggestion(GOOD, parent=9), "parent: expected an earlier trial's number, found 9"),
        (hptune.Suggestion(GOOD, note={"x": object()}), "note: expected a mapping that JSON can hold"),
        (hptune.Suggestion(GOOD, note={"x": "y" * 3000}), "note: expected at most 2048 bytes of JSON, found 30"),
        (hptune.Suggestion(GOOD, predicted=(1.0, float("inf"))), "predicted: expected"),
        (hptune.WAIT, "waits although every trial has ended"),
    ],
    ids=lambda one: str(one)[:40].replace(" ", "-"),
)
def test_nonsense_is_refused_and_nothing_is_lost(answer: Any, message: str) -> None:
    class Faulty(hptune.OracleSpec):
        def suggest(self, history: Any, trial: int, rng: Any) -> Any:
            if isinstance(answer, BaseException):
                raise answer
            return answer

    study = Study(SPACE, Objective("loss", "minimize"), oracle=Faulty(), seed=0)
    study.tell(study.ask().number, 1.0)
    with pytest.raises(OracleFailed, match=rf"(?s)Faulty, asked for trial 1: .*{message}.*are kept"):
        study.ask()
    assert len(study.history.trials) == 1


class Five(hptune.OracleSpec):
    """Ends a study after five suggestions of its own."""

    def suggest(self, history: Any, trial: int, rng: Any) -> Any:
        if trial > 5:
            return hptune.EXHAUSTED
        values = hptune.unseen(history, rng)
        return values if values is hptune.EXHAUSTED else hptune.Suggestion(values)


@pytest.mark.parametrize(
    ("space", "trials", "said"),
    [
        ("one dimension", 6, "the oracle has nothing left to suggest"),
        ("three points", 3, "every configuration of the space has been tried"),
    ],
)
def test_it_may_end_a_study_and_nobody_says_that_all_has_been_tried_if_it_has_not(
    space: str, trials: int, said: str
) -> None:
    study = Study(SPACES[space], Objective("loss", "minimize"), oracle=Five(), seed=0)
    for number in range(trials):
        study.tell(study.ask().number, float(number))
    with pytest.raises(StudyExhausted, match=said):
        study.ask()
    assert phrases.ending(study.history, "exhausted") == said
    study.end("exhausted")
    assert phrases.state(study.history) == f"ended: {said}"


def test_the_closing_part_says_so_too(project: Path, capsys: Capture) -> None:
    (project / "searches.py").write_text(
        "import hptune\nclass Climber(hptune.OracleSpec):\n"
        "    def suggest(self, history, trial, rng):\n        return hptune.EXHAUSTED\n"
    )
    config = re.sub(r"oracle: .*", "oracle: {type: searches.Climber}", CONFIG)
    (project / "study.yaml").write_text(config)
    for _ in range(2):
        assert cli.invoke(["run", "study.yaml", "--dir", "ends"]) == 0
        said = "".join(capsys.readouterr())
        assert "the oracle has nothing left to suggest" in said
        assert "every configuration" not in said


def test_constraints_hold_for_it() -> None:
    class Faulty(hptune.OracleSpec):
        def suggest(self, history: Any, trial: int, rng: Any) -> Any:
            return hptune.Suggestion({"a": 0.7, "b": 0.7, "k": "q"})

    study = Study(SPACES["constrained"], Objective("loss", "minimize"), oracle=Faulty(), seed=0)
    study.tell(study.ask().number, 1.0)
    with pytest.raises(OracleFailed, match=r"not allowed: require a \+ b < 0.8"):
        study.ask()


def test_values_become_plain_and_the_origin_is_its_name() -> None:
    import numpy as np

    class Wide(hptune.OracleSpec):
        step: float = 0.5

        def suggest(self, history: Any, trial: int, rng: Any) -> Any:
            print("thinking")
            return hptune.Suggestion({"x": np.float64(self.step)})

    assert Wide().type.endswith("Wide")
    study = Study(SPACES["one dimension"], Objective("loss", "minimize"), oracle=Wide(step=0.25), seed=0)
    study.tell(study.ask().number, 1.0)
    trial = study.ask()
    assert (trial.values, type(trial.values["x"]), trial.origin) == ({"x": 0.25}, float, "Wide")


@pytest.mark.parametrize("name", ["three points", "deeply conditional", "constrained", "extras and fixed"])
def test_the_documented_example_keeps_the_laws(name: str) -> None:
    space = SPACES[name]
    oracle = climber()()
    study = Study(space, Objective("loss", "minimize"), oracle=oracle, seed=0)
    for i in range(15):
        try:
            trial = study.ask()
        except StudyExhausted:
            assert len(study.history.trials) == space.size()
            break
        study.tell(trial.number, float(i % 5))
    keys = [space.key(trial.values) for trial in study.history.trials]
    assert len(set(keys)) == len(keys)


def test_trials_that_run_are_finished_before_the_message(project: Path, capsys: Capture) -> None:
    (project / "faulty.py").write_text(
        "import hptune\n\n\nclass Fails(hptune.OracleSpec):\n    def suggest(self, history, trial, rng):\n"
        "        if trial == 3:\n            raise RuntimeError('no idea')\n"
        "        return hptune.Suggestion(hptune.unseen(history, rng))\n"
    )
    text = re.sub(r"oracle: .*", "oracle: {type: faulty.Fails}", CONFIG)
    (project / "study.yaml").write_text(text.replace("{type: serial}", "{type: process, workers: 2}"))
    assert cli.invoke(["run", "study.yaml", "--dir", "r", "-q"]) == 2
    found = capsys.readouterr().err
    assert "the oracle faulty.Fails, asked for trial 3: raised RuntimeError: no idea" in found
    assert "faulty.py, line 7" in found
    assert "Traceback" not in found
    assert cli.invoke(["trials", "r", "--format", "json"]) == 0
    assert [one["status"] for one in json.loads(capsys.readouterr().out)["trials"]] == ["completed"] * 3
    (project / "faulty.py").write_text((project / "faulty.py").read_text().replace("== 3", "== 99"))
    del sys.modules["faulty"]
    assert cli.invoke(["run", "study.yaml", "--dir", "r", "-q", "--trials", "6"]) == 0
