"""Problems on a terminal, and findings with lines."""

from __future__ import annotations

import re
from pathlib import Path

from hptune.config.findings import placed, problems_from
from hptune.config.load import load
from hptune.config.render import render
from hptune.errors import ConfigError, Problem
from hptune.job import Finding
from tests.config.helpers import PIPELINE, loaded


def test_a_problem_is_shown_with_its_line_and_a_caret(tmp_path: Path) -> None:
    path = tmp_path / "c.yaml"
    path.write_text("model: {function: 'm:f'}\nbudget:\n  trails: 3\n")
    try:
        load(path)
    except ConfigError as error:
        text = render(error.problems)
    assert text == (f"{path}:3: budget.trails: unknown key; did you mean 'trials'?\n    3 |   trails: 3\n      |   ^")
    assert (
        render(error_problems(path), frames=False) == f"{path}:3: budget.trails: unknown key; did you mean 'trials'?"
    )


def error_problems(path: Path) -> tuple[Problem, ...]:
    try:
        load(path)
    except ConfigError as error:
        return error.problems
    raise AssertionError("expected a ConfigError")


def test_a_long_line_is_shown_around_its_column() -> None:
    line = "x" * 200 + "!" + "y" * 200
    text = render([Problem("k", "m", "f", 1, 201)], texts={"f": line}).splitlines()
    caret = text[2].index("^")
    assert text[1][caret] == "!"
    assert len(text[1]) < 120


def test_control_characters_do_not_reach_the_terminal() -> None:
    text = render([Problem("k", "m", "f", 1, 2)], texts={"f": "a\x1b[31mb\tc"})
    assert "\x1b" not in text
    assert "\t" not in text


def test_a_problem_without_a_file_or_line_is_shown_without_a_frame() -> None:
    assert render([Problem("seed", "m", "-o seed=x")]) == "-o seed=x: seed: m"
    assert render([Problem("seed", "m", "/nowhere/at/all", 3, 1)]) == "/nowhere/at/all:3: seed: m"
    assert render([Problem("seed", "m", "f", 99, 1)], texts={"f": "a"}) == "f:99: seed: m"
    assert render([Problem("seed", "m", "f", 1, 1, "warning")], texts={"f": ""}) == "warning: f:1: seed: m"


def test_the_number_of_problems_shown_is_bounded() -> None:
    lines = render([Problem("k", str(n)) for n in range(50)], most=3).splitlines()
    assert lines == ["k: 0", "k: 1", "k: 2", "... and 47 more"]


def test_findings_get_the_lines_of_the_keys_they_name() -> None:
    found = loaded(
        PIPELINE + "evaluate:\n  metric: r3\n  also: [r2,\n    r4]\nspace:\n  impute__strategy: [mean, maen]\n",
        ["seed=3"],
    )
    places = {
        "evaluate.metric": "c.yaml:13", "evaluate.also[1]": "c.yaml:15", "space.impute.strategy": "c.yaml:17",
        "space.impute.strategy[1]": "c.yaml:17", "data.target": "c.yaml:11", "data": "c.yaml:11", "model": "c.yaml:2",
        "model.pipeline[2].regressor.choose.ridge.class": "c.yaml:7",
        "model.pipeline.regressor.choose.lasso": "c.yaml:8",
        "model.pipeline[1].scale.choose[1]": "c.yaml:4", "seed": "-o seed=3", "gate": "c.yaml:1",
    }  # fmt: skip
    keys = [re.sub(r"\[(\d)\]", r".\1", key) for key in places]  # as a worker spells them
    problems = problems_from([Finding(key=key, message="m") for key in keys], found)
    assert [str(one) for one in problems] == [f"{place}: {key}: m" for key, place in places.items()]
    assert all(one.severity == "error" for one in problems)


def test_findings_keep_their_severity_and_come_once() -> None:
    finding = Finding(key="model", message="m", severity="warning")
    (problem,) = problems_from([finding, finding], loaded(PIPELINE))
    assert problem.severity == "warning"


def test_problems_of_a_worker_get_lines_and_others_keep_theirs() -> None:
    first, second = placed([Problem("data.train", "m"), Problem("x", "m", "other.yaml", 3)], loaded(PIPELINE))
    assert (first.file, first.line) == ("c.yaml", 11)
    assert (second.file, second.line) == ("other.yaml", 3)
