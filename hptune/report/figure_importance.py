"""The figure of importance: a bar for each parameter with its interval, and beside it the share among good ones."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hptune.analysis.importance import Importance, Share
from hptune.history import History
from hptune.report import figure_style as style
from hptune.report import importance as shown
from hptune.report import wording
from hptune.report.tables import short_names

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MOST_BARS = 24  # the most important ones; more would be too small to read


def importance_figure(history: History, found: Importance) -> Figure:
    """Return the shares of the parameters of a study whose importance can be told, the most important on top."""
    listed = found.parameters[:MOST_BARS]
    figure, (axes,) = style.panels(1, height=1.7 + 0.42 * len(listed))
    rows = [float(len(listed) - 1 - i) for i in range(len(listed))]
    _bars(axes, rows, [one.importance for one in listed], style.BLUE, "needs it (importance)", 0.19)
    _bars(axes, rows, [one.good for one in listed], style.ORANGE, "among the good quarter", -0.19)
    alone = [100 * one.alone.share for one in listed]
    axes.plot(alone, [y + 0.19 for y in rows], "D", color="white", markeredgecolor=style.INK, zorder=4, label="alone",
              clip_on=False)  # fmt: skip
    short = short_names(history.space.by_name)
    axes.set_yticks(rows, [wording.shorten(short[one.name], 30) for one in listed])
    axes.set_ylim(-0.6, len(listed) - 0.4)
    axes.set_xlim(0, 100)
    more = len(found.parameters) - len(listed)
    note = f"; {wording.count(more, 'parameter')} of less left out" if more else ""
    axes.set_xlabel(f"share of the variance of the score, %, with 90 % intervals{note}\n{shown.basis(found)}")
    axes.grid(visible=False, axis="y")
    style.number_axis(axes.xaxis)
    style.label(figure, f"{history.name}: importance of the hyperparameters")
    return figure


def _bars(axes: Axes, rows: list[float], shares: list[Share], colour: str, words: str, shift: float) -> None:
    """Draw a bar with a whisker for each share."""
    middle = [100 * one.share for one in shares]
    ends = [[100 * (one.share - one.low) for one in shares], [100 * (one.high - one.share) for one in shares]]
    at = [y + shift for y in rows]
    axes.barh(at, middle, height=0.34, color=colour, alpha=0.85, label=words)
    axes.errorbar(middle, at, xerr=ends, fmt="none", ecolor=style.INK, elinewidth=1.1, capsize=2.5, clip_on=False)
