"""Stored runs as JSON and a Markdown table: regret, ranks, paired differences, CPU time per suggestion."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

Array = NDArray[np.float64]
Curves = Mapping[str, Mapping[str, Array]]

FLOOR = 1e-3
"""Regret below this counts as this much in logarithms: a thousandth of random search's median."""


def paired(data: Curves, one: str, other: str) -> tuple[Array, Array, int]:
    """Return mean and standard error over problems of log10 regret(one) - log10 regret(other), and their number.

    Seeds are averaged first; shapes (checkpoints,). Only problems that both have runs of count.
    """
    shared = [name for name in data[one] if name in data[other]]
    logs = np.array(
        [np.log10(data[one][n] + FLOOR).mean(axis=0) - np.log10(data[other][n] + FLOOR).mean(axis=0) for n in shared]
    )
    if len(logs) < 2:
        empty = np.full(next((v.shape[1] for v in data[one].values()), 0), np.nan)
        return empty, empty, len(logs)
    return logs.mean(axis=0), logs.std(axis=0, ddof=1) / np.sqrt(len(logs)), len(logs)


def summary(data: Curves, base: str) -> dict[str, Any]:
    """Return the figures of one group of problems, over the problems that every optimiser has runs of."""
    shared = [n for n in data[base] if all(n in data[o] for o in data)]
    out: dict[str, Any] = {"problems": shared, "optimisers": {}}
    if not shared:
        return out
    means = {o: np.array([data[o][n].mean(axis=0) for n in shared]) for o in data}
    ranks = rankdata(np.round(np.stack([means[o] for o in data]), 6), axis=0).mean(axis=1)
    for place, o in enumerate(data):
        difference, error, _ = paired({k: {n: data[k][n] for n in shared} for k in data}, base, o)
        out["optimisers"][o] = {
            "seeds": sorted({len(data[o][n]) for n in shared}),
            "regret": [round(float(v), 4) for v in means[o].mean(axis=0)],
            "mean_rank": [round(float(v), 2) for v in ranks[place]],
            "log10_difference": [None if np.isnan(v) else round(float(v), 3) for v in difference],
            "standard_error": [None if np.isnan(v) else round(float(v), 3) for v in error],
            "per_problem": {n: [round(float(v), 4) for v in data[o][n].mean(axis=0)] for n in shared},
        }
    return out


def milliseconds(runs: Iterable[Mapping[str, Any]], optimiser: str) -> dict[int, float]:
    """Return the median CPU milliseconds of the suggestions around trials 10 and 50."""
    out = {}
    for at in (10, 50):
        spent = [ms for r in runs if r["opt"] == optimiser and "ms" in r for ms in r["ms"][at - 3 : at]]
        if spent:
            out[at] = round(float(np.median(spent)), 1)
    return out


def markdown(groups: Mapping[str, Mapping[str, Any]], base: str, trials: Sequence[int]) -> str:
    """Return the groups as Markdown tables; `trials` are those at which regret was taken."""
    at = "/".join(map(str, trials))
    lines = []
    for title, found in groups.items():
        if not found["problems"]:
            continue
        lines += [
            f"### {title}: {len(found['problems'])} problems",
            "",
            f"| | seeds | regret at {at} | mean rank | log10 regret of `{base}` against it (SE) |",
            "|---|---|---|---|---|",
        ]
        for name, row in found["optimisers"].items():
            seeds = "-".join(str(s) for s in sorted({row["seeds"][0], row["seeds"][-1]}))
            regret = " / ".join(f"{v:.3f}" for v in row["regret"])
            rank = " / ".join(f"{v:.1f}" for v in row["mean_rank"])
            pairs = " / ".join(
                "-" if d is None else f"{d:+.2f} ({e:.2f})"
                for d, e in zip(row["log10_difference"], row["standard_error"], strict=True)
            )
            lines.append(f"| {name} | {seeds} | {regret} | {rank} | {'' if name == base else pairs} |")
        lines.append("")
    return "\n".join(lines)


def write(folder: Path, groups: Mapping[str, Any], cpu: Mapping[str, Any], base: str, trials: Sequence[int]) -> None:
    """Write `oracles.json` and `oracles.md` into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    data = {"base": base, "checkpoints": list(trials), "groups": groups, "cpu_ms_per_suggestion": cpu}
    (folder / "oracles.json").write_text(json.dumps(data, indent=1) + "\n")
    (folder / "oracles.md").write_text(markdown(groups, base, trials) + "\n")
