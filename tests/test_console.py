"""What `run` shows on stderr: plain lines, the bar, failures, quiet."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from hptune.console import Budget, Console
from hptune.objective import Objective
from hptune.oracles.hyperband import Hyperband
from hptune.report import phrases
from hptune.report.closing import Closing, closing
from hptune.space import Float, SearchSpace
from hptune.study import Study
from tests import told


class Clock:
    """Ticks only when told."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


@dataclass
class State:
    seconds: float = 3.0
    running: tuple[tuple[int, float], ...] = ((8, 1.2), (9, 0.3))
    stopping: str | None = None


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def shown(
    study: Study, *, stream: io.StringIO | None = None, environ: Mapping[str, str] | None = None, **options: Any
) -> str:
    """Return what the console writes while `ridge`'s results are told to `study`, three seconds a trial."""
    clock, stream = Clock(), stream or io.StringIO()
    console = Console(
        stream, budget=Budget(8), folder="runs/told", environ=environ or {"COLUMNS": "80"}, clock=clock, **options
    )
    console.header(
        "told", [("metric", "rmse, lower is better"), ("budget", "8 trials")], ["continues: 2 trials found"]
    )
    console.start(study.history)
    study.observers.append(console.observe)
    for number, score in enumerate((-55.12, -54.3, -61.7, None, None, -53.91, -54.0, -70.0)):
        clock.now += 3.0
        if score is None:
            told.fail(study, *(("timeout", "took longer than 2 s") if number == 4 else ()))
        else:
            told.tell(study, score)
        console.tick(State())
    console.stop()
    return stream.getvalue()


def test_plain_lines(snapshot: Any) -> None:
    assert shown(told.study()) == snapshot


def test_verbose_lines_hold_the_values(snapshot: Any) -> None:
    assert shown(told.study(told.PIPELINE), verbose=True) == snapshot


def test_quiet_writes_nothing() -> None:
    assert shown(told.study(), quiet=True) == ""


def test_an_error_is_written_even_when_quiet() -> None:
    stream = io.StringIO()
    Console(stream, quiet=True).error("bad")
    assert stream.getvalue() == "bad\n"


def test_fast_trials_give_a_line_a_second_at_most() -> None:
    stream, clock = io.StringIO(), Clock()
    console = Console(stream, budget=Budget(1000), clock=clock, environ={})
    study = told.study()
    console.start(study.history)
    study.observers.append(console.observe)
    told.tell(study, -1.0)
    for _ in range(100):
        clock.now += 0.05
        told.tell(study, -2.0)
    assert 4 <= len(stream.getvalue().splitlines()) <= 7


class Unwalked(list[Any]):
    """A list that may be looked up and added to, but not walked through."""

    def __iter__(self) -> Any:
        raise AssertionError("walked through")


@pytest.mark.parametrize("options", [{}, {"quiet": True}, {"verbose": True}], ids=str)
@pytest.mark.parametrize("terminal", [False, True])
def test_nothing_that_is_shown_costs_a_walk_over_the_trials(options: Any, terminal: bool) -> None:
    study = told.study()
    study.history.trials = Unwalked()
    environ = {"COLUMNS": "80", "NO_COLOR": "1"}
    text = shown(study, stream=Terminal() if terminal else None, environ=environ, **options)
    assert ("trial 7: " in text) is (not options.get("quiet") and (not terminal or bool(options)))


def test_quiet_makes_no_words_either(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Console, "_place", lambda *_: pytest.fail("words that nobody reads"))
    assert shown(told.study(), quiet=True) == ""


def test_only_the_first_failure_is_loud() -> None:
    stream = io.StringIO()
    console = Console(stream, folder="runs/told", environ={})
    study = told.study()
    console.start(study.history)
    study.observers.append(console.observe)
    for _ in range(3):
        told.fail(study)
    text = stream.getvalue()
    assert text.count("failed (error)") == 3
    assert text.count("Traceback") == 1
    assert "hptune show runs/told 0" in text


@pytest.mark.parametrize("environ", [{"COLUMNS": "80"}, {"COLUMNS": "80", "NO_COLOR": "1"}])
def test_the_live_bar_fits_and_leaves_permanent_lines(environ: dict[str, str]) -> None:
    stream = Terminal()
    text = shown(told.study(told.PIPELINE), stream=stream, environ=environ)
    assert "8/8 trials" in text
    assert "best so far" in text
    assert "failed (timeout)" in text
    assert "running 8 (1 s), 9 (0 s)" in text


def test_the_bar_under_a_line_counts_the_trial_that_the_line_tells_of() -> None:
    stream, study = Terminal(), told.study()
    console = Console(stream, budget=Budget(8), environ={"COLUMNS": "80", "NO_COLOR": "1"}, clock=Clock())
    console.start(study.history)
    study.observers.append(console.observe)
    console.tick(State())
    for score in (-55.12, -54.3):  # between two ticks
        told.tell(study, score)
    console.stop()
    assert "[2/8] trial 1" in stream.getvalue()
    assert "2/8 trials" in stream.getvalue()


def test_a_terminal_in_ci_gets_plain_lines() -> None:
    text = shown(told.study(), stream=Terminal(), environ={"CI": "true", "NO_COLOR": "1", "COLUMNS": "80"})
    assert "\x1b" not in text
    assert "trials," not in text


def test_no_line_is_wider_than_the_screen() -> None:
    text = shown(told.study(told.PIPELINE))
    assert max(map(len, text.splitlines())) <= 80


def test_a_stream_that_has_gone_does_not_stop_a_run() -> None:
    stream = io.StringIO()
    stream.close()
    console = Console(stream, environ={})
    console.line("hello")


def test_the_time_left_is_that_of_the_nearest_limit() -> None:
    clock = Clock()
    console = Console(io.StringIO(), budget=Budget(10, 60.0), clock=clock, environ={})
    study = told.study()
    console.start(study.history)
    study.observers.append(console.observe)
    assert console.left(State(seconds=0.0), 0) == 60
    clock.now = 2.0
    told.tell(study, -1.0)
    assert console.left(State(seconds=2.0), 1) == 18
    assert console.left(State(seconds=55.0), 1) == 5


@pytest.mark.parametrize("make", [told.ridge, told.pipeline], ids=["ridge", "pipeline"])
def test_the_closing_part(make: Any, snapshot: Any) -> None:
    history = make().history
    facts = Closing(stop_reason=history.ended or "", folder="runs/told", files=["result.json", "best.yaml"])
    lines = "\n".join(closing(history, facts, width=80)).splitlines()
    assert max(map(len, lines)) <= 80
    assert lines == snapshot


def test_the_defaults_are_marked_where_that_costs_no_cell() -> None:
    names = ("a_rather_long_name", "another_long_name", "a_third_long_name")
    study = told.study(SearchSpace(tuple(Float(name=name, low=0, high=1, default=0.5) for name in names)))
    for score in (-3.0, -2.0, -2.5):
        told.tell(study, score)
    study.end("trials")

    def marked(width: int) -> bool:
        lines = closing(study.history, Closing(stop_reason="trials", folder="f"), width=width)
        return any(" defaults  " in line for line in lines[2:6])

    assert marked(100)
    assert marked(75)  # the headers are shortened, no value is
    assert not marked(45)


def test_a_gain_of_single_scores_is_not_said_to_be_of_folds() -> None:
    for folds, said in ((1, "(from the search's own scores)"), (5, "search's own folds")):
        study = told.study()
        for score in (-3.0, -2.0, -2.5):
            told.tell(study, score, folds=folds)
        study.end("trials")
        assert said in phrases.honest_gain(study.history)


def test_the_closing_part_without_success_says_where_to_look() -> None:
    study = told.study()
    told.fail(study)
    lines = closing(study.history, Closing(stop_reason="trials", folder="runs/told"), width=80)
    assert any("hptune show runs/told 0" in line for line in lines)


def test_the_closing_part_of_an_interrupted_study_says_how_to_go_on() -> None:
    study = told.study()
    told.tell(study, -1.0)
    lines = closing(study.history, Closing(stop_reason="signal", folder="runs/told"), width=80)
    assert any(line.endswith("hptune run runs/told") for line in lines)
    assert any("nothing was better than the defaults" in line for line in lines)


def test_the_closing_part_of_a_study_in_which_only_the_defaults_were_measured_in_full_says_so() -> None:
    space = SearchSpace((Float(name="x", low=0, high=1),))
    study = Study(space, Objective("loss", "minimize"), oracle=Hyperband(resource="steps", min=1, max=9), seed=0)
    for loss in (1.0, 0.5):
        trial = study.ask()
        study.tell(trial.number, loss)
    assert trial.fidelity is not None
    lines = closing(study.history, Closing(stop_reason="time", folder="runs/told"), width=80)
    assert any("none: no configuration but the defaults was measured in full" in line for line in lines)
