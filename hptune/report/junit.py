"""A run as JUnit XML, which GitLab, Jenkins and most other CI servers show as test results.

One test case for the run ("a trial succeeded"), one for the gate if there is one, and one for each failed trial. A
failed trial is *skipped*, not failed: a search is meant to meet configurations that do not work, and a red test for
each of them would hide the two that count.
"""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from typing import Final

from hptune.gate import Judged
from hptune.history import History
from hptune.report import wording

_NOT_XML: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What XML 1.0 (section 2.2) cannot hold, not even escaped."""

_LONGEST: Final = 10_000  # characters of a failure's text: CI servers keep reports in their database


def junit(history: History, judged: Judged | None = None, *, undecided_passes: bool = False, error: str = "") -> str:
    """Return the XML document of a run.

    `error` is why the run failed as a whole, "" if it did not. With `undecided_passes` an undecided gate passes.
    """
    name = history.name
    cases = [_run(history, name, error)]
    if judged is not None:
        cases.append(_gate(judged, name, undecided_passes))
    cases += _failed(history, name)
    tally = {
        "tests": str(len(cases)),
        "failures": str(sum(case.find("failure") is not None for case in cases)),
        "errors": "0",
        "skipped": str(sum(case.find("skipped") is not None for case in cases)),
        "time": f"{history.seconds:.3f}",
    }
    root = ET.Element("testsuites", {"name": "hptune", **tally})
    suite = ET.SubElement(root, "testsuite", {"name": _clean(name), **tally})
    suite.extend(cases)
    ET.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(root, encoding="unicode") + "\n"


def _run(history: History, name: str, error: str) -> ET.Element:
    case = _case(name, "a trial succeeded", history.seconds)
    if history.best is None or error:
        _child(case, "failure", "no_success", error or "no trial has completed")
    return case


def _gate(judged: Judged, name: str, undecided_passes: bool) -> ET.Element:
    case = _case(name, "the gate is met", 0.0)
    text = f"{judged.verdict}: {judged.reason} (baseline {judged.baseline}, at {judged.confidence:.0%} confidence)"
    if judged.verdict == "fail" or (judged.verdict == "undecided" and not undecided_passes):
        _child(case, "failure", judged.verdict, text)
    else:
        ET.SubElement(case, "system-out").text = _clean(text)
    return case


def _failed(history: History, name: str) -> list[ET.Element]:
    cases = []
    for trial in history.trials:
        if trial.failure is None:
            continue
        case = _case(name, f"trial {trial.number}", trial.seconds)
        skipped = ET.SubElement(case, "skipped")
        skipped.set("message", _clean(wording.one_line(f"{trial.failure.kind}: {trial.failure.message}"))[:_LONGEST])
        cases.append(case)
    return cases


def _case(study: str, name: str, seconds: float) -> ET.Element:
    return ET.Element("testcase", {"classname": f"hptune.{_clean(study)}", "name": name, "time": f"{seconds:.3f}"})


def _child(case: ET.Element, tag: str, kind: str, text: str) -> None:
    message = _clean(wording.one_line(text))[:_LONGEST]
    ET.SubElement(case, tag, {"type": kind, "message": message}).text = _clean(text)[:_LONGEST]


def _clean(text: str) -> str:
    return _NOT_XML.sub("", text)
