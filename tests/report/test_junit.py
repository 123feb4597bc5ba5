"""JUnit XML: which cases there are, what colour they have, and that it is XML whatever a message holds."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hptune.gate import Judged
from hptune.report.junit import junit
from tests import told


def judged(verdict: Literal["pass", "fail", "undecided"]) -> Judged:
    return Judged(verdict, "defaults", "cv", 0.0, 0.9, 0.1, -0.1, "the gain is 0.1 & <more>")


def cases(text: str) -> dict[str, ET.Element]:
    root = ET.fromstring(text)
    (suite,) = root
    found = {case.attrib["name"]: case for case in suite}
    assert len(found) == len(suite)
    for tag in ("failures", "skipped"):
        count = sum(case.find(tag.removesuffix("s")) is not None for case in suite)
        assert root.attrib[tag] == suite.attrib[tag] == str(count)
    assert suite.attrib["tests"] == str(len(suite))
    return found


def test_a_good_run_passes_and_its_failed_trials_are_skipped() -> None:
    found = cases(junit(told.ridge().history))
    assert list(found) == ["a trial succeeded", "trial 3"]
    assert len(found["a trial succeeded"]) == 0
    skipped = found["trial 3"].find("skipped")
    assert skipped is not None
    assert skipped.attrib["message"] == "error: ValueError: alpha is too odd"


@pytest.mark.parametrize(
    ("verdict", "passes", "fails"),
    [("pass", False, False), ("fail", False, True), ("fail", True, True), ("undecided", False, True),
     ("undecided", True, False)],
)  # fmt: skip
def test_the_gate_fails_exactly_where_the_exit_code_does(verdict: str, passes: bool, fails: bool) -> None:
    text = junit(told.ridge().history, judged(verdict), undecided_passes=passes)  # type: ignore[arg-type]
    failure = cases(text)["the gate is met"].find("failure")
    assert (failure is not None) == fails
    if failure is not None:
        assert failure.attrib["type"] == verdict
        assert "0.1 & <more>" in failure.attrib["message"]


def test_a_run_without_a_success_fails() -> None:
    study = told.study()
    told.fail(study)
    for error in ("", "too many trials failed in a row"):
        failure = cases(junit(study.history, error=error))["a trial succeeded"].find("failure")
        assert failure is not None
        assert failure.attrib["message"] == (error or "no trial has completed")


# Surrogates as well: what a trial printed may have been decoded with surrogateescape.
ANYTHING = st.text(st.characters(codec=None, exclude_categories=()), min_size=1)


@given(ANYTHING)
def test_any_message_is_valid_xml(message: str) -> None:
    study = told.study()
    told.tell(study, -1.0)
    text = junit(study.history, judged("fail"), error=message)
    assert "a trial succeeded" in cases(text)
    assert text.encode().decode() == text


def test_control_characters_of_a_trial_are_removed() -> None:
    study = told.study()
    told.fail(study, "crashed", "\x1b[31mred\x00 ]]> \ufffe \N{SNOWMAN}")
    skipped = cases(junit(study.history))["trial 0"].find("skipped")
    assert skipped is not None
    assert skipped.attrib["message"].endswith("\N{SNOWMAN}")
    assert "\x1b" not in skipped.attrib["message"]
