"""Newcomers' mistakes: the answers of docs/mistakes.md are those that hptune gives, and none is a traceback."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.mistakes import CLASSES, FUNCTION, MISTAKES, PAGE, STUDY, Mistake, entry, page, tried

ALL = [mistake for mistakes in MISTAKES.values() for mistake in mistakes]


@pytest.mark.parametrize("mistake", ALL, ids=[one.title.replace(" ", "-") for one in ALL])
def test_the_answer_is_the_documented_one_with_its_line_and_without_a_traceback(
    mistake: Mistake, tmp_path: Path
) -> None:
    code, said = tried(mistake, tmp_path)
    assert code == mistake.code, said
    assert "Traceback" not in said
    assert str(tmp_path) not in said
    if mistake.lines:
        assert re.search(r"^(warning: )?study\.yaml:\d+: ", said, re.MULTILINE), said
    assert entry(mistake, said) in PAGE.read_text(), (
        f"{said}\n\nMeant? `python -m tests.mistakes` writes the page anew"
    )


def test_the_page_holds_these_mistakes_and_no_others() -> None:
    shown = re.findall(r"^```text\n(.*?)\n```$", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    assert len(shown) == len(ALL) >= 30
    assert PAGE.read_text() == page(dict(zip([one.title for one in ALL], shown, strict=True)))


@pytest.mark.parametrize("text", [STUDY, CLASSES, FUNCTION], ids=["study", "classes", "function"])
def test_the_configs_are_valid_without_the_mistake(text: str, tmp_path: Path) -> None:
    data = "bowl.py" if text == FUNCTION else "houses.csv" if text == STUDY else "kinds.csv"
    files = next(one.files for one in ALL if data in one.files and 'return values["y"]' not in str(one.files[data]))
    code, said = tried(Mistake("none", "", {**files, "study.yaml": text}, kept="valid|warning"), tmp_path)
    assert (code, said) == (0, "study.yaml: valid")
