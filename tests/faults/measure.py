"""Where fault tests write what they measured: one JSON file for each test, by the row of the table it belongs to.

Figures whose name begins with `max_` are the largest over the tests of a row, `min_` the smallest, all others are added up;
`tests.faults.report` makes docs/reliability.md of them.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

FOLDER = Path(os.environ.get("HPTUNE_FAULTS", Path(__file__).resolve().parents[2] / ".faults"))

Figures = dict[str, float]


def measured(row: str, part: str, **figures: float) -> None:
    """Write down the figures of one test (`part`) for a row of the table."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    name = "".join(letter if letter.isalnum() or letter in "-_" else "_" for letter in f"{row}--{part}")
    short = FOLDER / f".{name}.{os.getpid()}"
    short.write_text(json.dumps({"row": row, "part": part, **figures}))
    short.replace(FOLDER / f"{name}.json")


def collected(folder: Path = FOLDER) -> dict[str, Figures]:
    """Return the figures of each row, put together over its tests."""
    rows: dict[str, Figures] = {}
    for path in sorted(folder.glob("*.json")):
        data = json.loads(path.read_text())
        row = rows.setdefault(data.pop("row"), {})
        del data["part"]
        for name, value in data.items():
            if name not in row:
                row[name] = value
            elif name.startswith("max_"):
                row[name] = max(row[name], value)
            elif name.startswith("min_"):
                row[name] = min(row[name], value)
            else:
                row[name] += value
    return rows
