"""The plots of RESULTS.md: mean regret and mean rank over the trials, a row a group of problems."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

Array = NDArray[np.float64]

COLOURS = {
    "bayesian": "#0072b2",
    "tpe": "#56b4e9",
    "optuna-gp": "#d55e00",
    "optuna-tpe": "#e69f00",
    "random": "#999999",
}
FLOOR = 1e-3
"""Regret below this is drawn there: the axis is logarithmic."""


def draw(path: Path, groups: Mapping[str, Mapping[str, Mapping[str, Array]]]) -> None:
    """Write an SVG of curves: group -> optimiser -> problem -> regret, shape (seeds, trials)."""
    import matplotlib

    matplotlib.use("Agg")
    matplotlib.rcParams.update({"svg.hashsalt": "hptune", "font.size": 9})
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(len(groups), 2, figsize=(9, 2.6 * len(groups)), squeeze=False, sharex=True)
    for (title, data), (left, right) in zip(groups.items(), axes, strict=True):
        shared = [name for name in next(iter(data.values())) if all(name in found for found in data.values())]
        means = {o: np.stack([found[name].mean(axis=0) for name in shared]) for o, found in data.items()}
        ranks = rankdata(np.round(np.stack(list(means.values())), 6), axis=0).mean(axis=1)
        trials = np.arange(1, next(iter(means.values())).shape[1] + 1)
        for (o, mean), rank in zip(means.items(), ranks, strict=True):
            style: dict[str, Any] = {"color": COLOURS.get(o), "label": o, "linewidth": 1.5}
            left.plot(trials, np.maximum(mean.mean(axis=0), FLOOR), **style)
            right.plot(trials, rank, **style)
        left.set(yscale="log", ylabel="mean regret", title=f"{title}: {len(shared)} problems")
        right.set(ylabel="mean rank", title="1 is best")
        for axis in (left, right):
            axis.grid(alpha=0.3)
    for axis in axes[-1]:
        axis.set_xlabel("trials")
    axes[0][0].legend(fontsize=8, loc="upper right")
    figure.tight_layout()
    figure.savefig(path, metadata={"Date": None})
    plt.close(figure)
