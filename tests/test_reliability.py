"""docs/reliability.md and the fault tests speak of the same rows."""

from __future__ import annotations

import re
from pathlib import Path

from tests.faults.measure import collected, measured
from tests.faults.report import BEGIN, END, LONG, PAGE, ROWS, table

FAULTS = Path(__file__).parent / "faults"


def test_every_measured_row_is_in_the_table_and_every_row_is_measured() -> None:
    text = "\n".join(path.read_text() for path in FAULTS.glob("*.py") if path.name != "report.py")
    named = {name for name, *_ in ROWS}
    assert not [name for name in named if f'"{name}"' not in text]
    assert not set(re.findall(r'measured\(\s*"([a-z-]+)"', text)) - named - set(LONG)


def test_the_page_has_a_line_for_each_row() -> None:
    lines = PAGE.read_text().split(BEGIN)[1].split(END)[0].splitlines()
    for _, fault, peers, _ in ROWS:
        assert any(line.startswith(f"| {fault} | {peers} | ") for line in lines), fault


def test_the_figures_of_a_row_are_put_together_over_its_tests(tmp_path: Path) -> None:
    import tests.faults.measure as measure

    old, measure.FOLDER = measure.FOLDER, tmp_path
    try:
        measured("hang", "a b/c", hung=1, ended=1, others_lost=0)
        measured("hang", "d", hung=2, ended=1, others_lost=0)
        measured("second-signal", "x", signals=1, max_seconds=0.5, orphans=0)
        measured("second-signal", "y", signals=1, max_seconds=1.5, orphans=0)
        rows = collected(tmp_path)
    finally:
        measure.FOLDER = old
    assert rows["hang"] == {"hung": 3, "ended": 2, "others_lost": 0}
    assert rows["second-signal"]["max_seconds"] == 1.5
    assert "2 of 3 ended, 0 others lost" in table(rows)
    assert "not measured" in table(rows)
