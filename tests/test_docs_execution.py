"""docs/execution.md: its measured figures are the stored ones, and what it says of lookahead is what executors do."""

from __future__ import annotations

import json
import re
from pathlib import Path

from hptune.executors.process import ProcessSpec

ROOT = Path(__file__).resolve().parent.parent
PAGE = (ROOT / "docs" / "execution.md").read_text()
STORED = json.loads((ROOT / "benchmarks" / "results" / "execution.json").read_text())


def percent(share: float) -> str:
    return f"{100 * share:.0f} %"


def test_the_measured_figures_are_those_stored() -> None:
    busy = {name: percent(share) for name, share in STORED["busy"].items()}
    assert f"| all of 60 ms | {busy['async, equal']} | {busy['strict, equal']} |" in PAGE
    assert f"| of log-normal length | {busy['async, log-normal']} | {busy['strict, log-normal']} (bound " in PAGE
    assert f"{STORED['cpu']['ms a trial']:.1f} ms of CPU a trial" in PAGE
    told = re.findall(r"(\d\.\d+) s", PAGE.partition("A trial that hangs is gone")[2].partition("|")[0])
    deadline = STORED["deadline"]
    worst = max(one["worst"] for one in deadline.values())
    assert told == [f"{seconds:.3f}" for seconds in (*(one["median"] for one in deadline.values()), worst)]


def test_the_bounds_of_strict_order_are_those_stored() -> None:
    for workers in (2, 4, 8):
        cells = [percent(STORED["bound"][f"{workers} workers, lookahead {times} x W"]) for times in (1, 2, 4)]
        assert f"| {workers} | {' | '.join(cells)} |" in PAGE


def test_the_default_lookahead_is_as_the_pages_say() -> None:
    assert [ProcessSpec(workers=number).resolved_lookahead() for number in (1, 2, 3)] == [1, 4, 6]
    for page, words in (
        ("docs/execution.md", "By default it is 1 for one worker, else twice their number"),
        ("docs/config.md", "(1 for one, else twice as many)"),
        ("README.md", "The same seed and number of workers give the same trials"),
    ):
        text = (ROOT / page).read_text()
        assert words in " ".join(text.split()), page
        assert "lookahead: 4" in text, page
