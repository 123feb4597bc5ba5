"""`python -m benchmarks.honesty`: run the studies that are not stored yet, replay every protocol, print the tables.

With the stored results as they are in the repository this takes seconds; `--studies 0` never fits a model. The
tables go to standard output and to results/tables.md, the figures to results/summary.json.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
from typing import Any

import numpy as np

from benchmarks.honesty.record import RESULTS, Record, load, record
from benchmarks.honesty.replay import NAIVE, PROTOCOLS, TRUTHS, Found, Row, judge, more_trials, summary
from benchmarks.honesty.tasks import TASKS, Task

CHOSEN = "finals 3, r=1+1, left-out, all rows"


def main() -> None:
    """Record, replay, print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.honesty", description=__doc__)
    parser.add_argument("--studies", type=int, default=24, help="studies of each task (24)")
    parser.add_argument("--slow-studies", type=int, default=6, help="of the forests and boosting (6)")
    arguments = parser.parse_args()
    record(arguments.studies, arguments.slow_studies)
    stored = {task: found for task in TASKS if (found := load(task))}
    found = {name: [judge(t, protocol, r) for t, r in stored.items()] for name, protocol in PROTOCOLS.items()}
    rows = [summary(name, cells) for name, cells in found.items()]
    text = "\n".join([_heading(stored), "", *_overall(rows), "", *_by_task(found), "", _more(stored)])
    print(text)
    (RESULTS / "tables.md").write_text(text + "\n", encoding="utf-8")
    plain = [{k: _plain(v) for k, v in dataclasses.asdict(row).items()} for row in rows]
    (RESULTS / "summary.json").write_text(json.dumps({"truths": TRUTHS, "protocols": plain}, indent=1) + "\n")


def _more(stored: dict[Task, Record]) -> str:
    pairs = more_trials(list(stored.values()))
    predicted, found = pairs.mean(axis=0)
    return (
        f"expected_gain of 10 more trials after 20, over {len(pairs)} searches: predicted {predicted:.3f}, found "
        f"{found:.3f}; correlation of the two within single searches {np.corrcoef(pairs.T)[0, 1]:+.2f}."
    )


def _plain(value: Any) -> Any:
    return np.round(value, 4).tolist() if isinstance(value, np.ndarray | float) else value


def _heading(stored: dict[Task, Record]) -> str:
    runs = sum(len(r["search"]) for r in stored.values())
    null = sum(len(r["search"]) for t, r in stored.items() if t.null)
    return (
        f"{runs} studies of {len(stored)} tasks, {null} of them on {sum(t.null for t in stored)} shuffled tasks "
        "where every configuration is worth the same.\nUnits of bias, width and gain: the SD over studies of a good "
        "configuration's CV mean. Bias below zero: promised too much."
    )


def _overall(rows: list[Row]) -> list[str]:
    naive = next(row for row in rows if row.protocol == NAIVE)
    lines = [
        "| protocol | coverage refit | winner changed | of it promised too much | rows n | 4n/5 | false alarms "
        "| passes | bias refit | share of naive | task RMS | bias 4n/5 | share of naive | width | true gain |",
        "|---" * 15 + "|",
    ]
    for row in rows:
        name = f"**{row.protocol}**" if row.protocol == CHOSEN else row.protocol
        lines.append(
            f"| {name} | {row.coverage[0]:.1%} | {row.changed[0]:.1%} | {row.below[0]:.1%} "
            f"| {row.coverage[1]:.1%} | {row.coverage[2]:.1%} | {row.alarms:.1%} | {row.passes:.1%} "
            f"| {row.bias[0]:+.3f} ± {row.error[0]:.3f} "
            f"| {abs(row.bias[0] / naive.bias[0]):.2f} | {row.cells[0]:.2f} "
            f"| {row.bias[2]:+.3f} ± {row.error[2]:.3f} | {abs(row.bias[2] / naive.bias[2]):.2f} | {row.width:.2f} "
            f"| {row.gain:.2f} |"
        )
    return lines


def _by_task(found: dict[str, list[Found]]) -> list[str]:
    lines = [
        f"By task, {CHOSEN!r} beside {NAIVE!r} (truth: refit).",
        "",
        "| task | n | studies | bias naive | bias | coverage | 'gain > 0' naive | 'gain > 0' | true gain "
        "| defaults win |",
        "|---" * 10 + "|",
    ]
    for naive, cell in zip(found[NAIVE], found[CHOSEN], strict=True):
        t = cell.task
        name = t.name + (" (finite)" if t.finite else "")
        lines.append(
            f"| {name} | {t.n} | {len(cell.same)} | {naive.bias[:, 0].mean() / cell.spread:+.2f} "
            f"| {cell.bias[:, 0].mean() / cell.spread:+.2f} | {1 - (cell.below | cell.above)[:, 0].mean():.0%} "
            f"| {naive.alarm.mean():.0%} | {cell.alarm.mean():.0%} | {cell.gain[:, 1].mean() / cell.spread:+.2f} "
            f"| {cell.same.mean():.0%} |"
        )
    return lines


if __name__ == "__main__":
    main()
