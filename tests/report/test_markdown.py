"""The Markdown summary: verdict first, foreign text inert, never 1 MiB."""

from __future__ import annotations

from html.parser import HTMLParser
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from hptune.gate import Judged
from hptune.report.markdown import Facts, code, summary
from hptune.space import Choice, SearchSpace
from tests import told

MARKDOWN = MarkdownIt("commonmark", {"html": True}).enable("table")


def facts(**options: Any) -> Facts:
    given = {"stop_reason": "trials", "folder": "runs/told", "command": "hptune run told.yaml", **options}
    return Facts(**given)


def judged(verdict: str) -> Judged:
    return Judged(verdict, "tuned/result.json", "cv", 0.0, 0.9, 0.1, -0.1, "the gain is 0.1")  # type: ignore[arg-type]


def headings(text: str) -> list[str]:
    return [line.removeprefix("### ") for line in text.splitlines() if line.startswith("### ")]


def test_the_summary_tells_what_nested_cross_validation_found() -> None:
    gain = {"mean": 0.02, "low": -0.01, "high": 0.05, "p_value": 0.1}
    found = {"folds": 5, "done": 4, "score": 0.8, "baseline": 0.78, "gain": gain, "outer": []}
    text = summary(told.pipeline().history, facts(nested=found))
    assert "Nested: 0.8 over 4 of 5 outer folds; the search gains +0.0200 (90% interval -0.0100 to +0.0500)." in text
    assert "Nested" not in summary(told.pipeline().history, facts())


def test_every_section_of_a_full_run() -> None:
    text = summary(told.pipeline().history, facts(judged=judged("pass")))
    assert headings(text) == [
        "Best against the defaults",
        "Gate",
        "The best 5 of the search",
        "Changed parameters",
        "Failures",
        "Advice",
        "How to reproduce",
    ]
    html = MARKDOWN.render(text)
    assert html.count("<table>") == 3
    assert "<td>|" not in html
    assert "1 x <code>timeout: took longer than 2 s</code> (trial 7)" in html
    assert "hptune run runs/told/best.yaml" in html


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({}, "done"),
        ({"judged": judged("pass")}, "gate passed"),
        ({"judged": judged("fail")}, "gate not met"),
        ({"judged": judged("undecided")}, "gate undecided"),
        ({"judged": judged("undecided"), "undecided_passes": True}, "gate undecided (which passes here)"),
        ({"stop_reason": "signal"}, "interrupted"),
        ({"error": "no `trial` succeeded"}, "failed: ``no `trial` succeeded``"),
    ],
)
def test_the_first_line_is_the_verdict(options: dict[str, Any], said: str) -> None:
    first = summary(told.ridge().history, facts(**options)).splitlines()[0]
    assert first.startswith(f"## told: {said}; `root_mean_squared_error` 53.91")
    assert "over the defaults" in first


def test_a_study_without_trials_or_success_has_a_summary() -> None:
    study = told.study()
    assert summary(study.history, facts()).startswith("## told: no trial succeeded\n")
    told.fail(study, message="<img src=x> | @user\n# not a heading")
    text = summary(study.history, facts(error="no trial succeeded"))
    assert headings(text) == ["Failures", "How to reproduce"]
    assert "<img" not in MARKDOWN.render(text)


class _Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.tags.append(tag)

    def handle_data(self, data: str) -> None:
        self.text += data


@given(st.text(min_size=1, max_size=60))
def test_foreign_text_is_a_code_span_and_nothing_else_even_in_a_table(text: str) -> None:
    span = code(text)
    if not span:
        assert not text.split()
        return
    found = _Tags()
    found.feed(MARKDOWN.render(f"| a |\n| --- |\n| {span} |\n"))
    assert found.tags == ["table", "thead", "tr", "th", "tbody", "tr", "td", "code"]


@pytest.mark.parametrize("limit", [200_000, 5_000, 1_000])
def test_a_summary_stays_under_its_limit_and_says_what_is_left_out(limit: int) -> None:
    values = tuple("é" * 150 + str(i) for i in range(2))
    space = SearchSpace(tuple(Choice(name=f"a_rather_long_name_of_parameter_{i}", values=values) for i in range(400)))
    study = told.study(space, told.R2)
    for score in (0.1, 0.2, 0.3):
        told.tell(study, score, folds=2)
    text = summary(study.history, facts(), limit=limit)
    assert len(text.encode()) < limit
    assert "more." in text or "The rest was left out" in text
    assert text.count("```") % 2 == 0
