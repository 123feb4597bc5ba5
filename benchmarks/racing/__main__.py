"""`python -m benchmarks.racing`: record the studies that are not stored yet, replay every rule, print the tables.

With the stored studies as they are in the repository this takes a few minutes and fits nothing (`--seeds 0`). The tables
also go to results/tables.md and results/summary.json. The searches of `benchmarks.honesty` (at most 30 random
configurations each) are replayed beside our own of 60.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping

import numpy as np

from benchmarks.honesty.record import load
from benchmarks.honesty.tasks import TASKS as HONESTY
from benchmarks.racing.record import RESULTS, record, stored
from benchmarks.racing.replay import RULES, Array, Result, replay

HONESTY_STUDIES = 8
"""Of each of its tasks: further ones change the figures by less than they differ between tasks."""

HEAD = (
    "| rule | fits saved | another winner | loss (SE of the CV score) | worst study | of the best three complete |\n"
    "|---|---|---|---|---|---|"
)


def groups() -> dict[str, dict[str, list[Array]]]:
    """Return studies (trials, folds) by group and task."""
    own = stored()
    out: dict[str, dict[str, list[Array]]] = {}
    for name, losses in own.items():
        oracle = "model-based search" if name.endswith("-auto") else "random search"
        out.setdefault(f"{oracle}, 60 trials, {losses.shape[2]} folds", {})[name] = list(losses)
    for task in HONESTY:
        found = load(task)
        if found and not task.shuffled:
            key = "honesty's, bundled data" if task.finite else "honesty's, generated data"
            label = f"{key}, 16 to 30 random trials (one task 150), 5 folds"
            out.setdefault(label, {})[task.name] = list(-found["search"][:HONESTY_STUDIES].astype(float))
    return out


def rule_row(name: str, tasks: Mapping[str, list[Result]], full: Mapping[str, list[int]]) -> dict[str, float | str]:
    """Return a rule's figures over tasks; each task counts the same."""
    saved = [sum(full[task]) / sum(r.fits for r in results) for task, results in tasks.items()]
    return {
        "rule": name,
        "saved": float(np.exp(np.mean(np.log(saved)))),
        "other": float(np.mean([np.mean([r.other for r in results]) for results in tasks.values()])),
        "loss": float(np.mean([np.mean([r.loss for r in results]) for results in tasks.values()])),
        "worst": max(r.loss for results in tasks.values() for r in results),
        "top": float(np.mean([np.mean([r.top for r in results]) for results in tasks.values()])),
    }


def main() -> None:
    """Record, replay, print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.racing", description=__doc__)
    parser.add_argument("--seeds", type=int, default=8, help="studies of each task and oracle (8)")
    record(parser.parse_args().seeds)
    lines: list[str] = []
    summary = {}
    for group, tasks in groups().items():
        full = {task: [losses.size for losses in studies] for task, studies in tasks.items()}
        lines += [f"{group}: {sum(map(len, tasks.values()))} studies of {len(tasks)} tasks", "", HEAD]
        rows = []
        for name, (rule, finish) in RULES.items():
            found = {
                task: [replay(losses, rule, finish=finish, seed=i) for i, losses in enumerate(studies)]
                for task, studies in tasks.items()
            }
            row = rule_row(name, found, full)
            rows.append(row)
            lines.append(
                f"| {name} | {row['saved']:.2f}x | {row['other']:.1%} | {row['loss']:.3f} | {row['worst']:.2f} "
                f"| {row['top']:.0%} |"
            )
        lines.append("")
        summary[group] = rows
    text = "\n".join(lines)
    print(text)
    (RESULTS / "tables.md").write_text(text, encoding="utf-8")
    (RESULTS / "summary.json").write_text(json.dumps(summary, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
