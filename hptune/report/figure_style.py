"""How hptune's figures look, and how they are written: SVG and PNG, the same bytes for the same study.

matplotlib is an extra and slow to import, so it is imported inside functions only. No pyplot: a figure belongs to who
made it, and nothing global is left behind.
"""

from __future__ import annotations

import contextlib
import io
import re
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from hptune.errors import UsageError
from hptune.report import wording
from hptune.report.files import write_whole

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis
    from matplotlib.figure import Figure

# Okabe and Ito's palette (https://jfly.uni-koeln.de/color/), told apart with every common colour blindness. Marks
# also differ in shape, so that a figure printed in grey can be read.
BLUE, ORANGE, GREEN, VERMILION, PURPLE, SKY = "#0072B2", "#E69F00", "#009E73", "#D55E00", "#CC79A7", "#56B4E9"
INK, GREY = "#222222", "#767676"
SERIES: Final = ((BLUE, "o"), (ORANGE, "s"), (GREEN, "^"), (PURPLE, "D"), (SKY, "v"), (VERMILION, "P"))

STYLE: Final[dict[str, Any]] = {
    "font.family": ["DejaVu Sans"],  # comes with matplotlib, so that every machine draws the same
    "font.size": 9,
    "text.color": INK,
    "text.parse_math": False,  # a study may be called a$b$
    "axes.edgecolor": GREY,
    "axes.labelcolor": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "axes.titlesize": 9,
    "grid.color": "#E3E3E3",
    "grid.linewidth": 0.6,
    "xtick.color": GREY,
    "ytick.color": GREY,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "lines.linewidth": 1.2,
    "lines.markersize": 4.5,
    "legend.frameon": False,
    "figure.facecolor": "white",
    "savefig.dpi": 150,
    "svg.hashsalt": "hptune",  # ids in the SVG are otherwise random
    "svg.fonttype": "path",  # looks the same where the font is missing
}
WIDTH = 6.4  # inches
MANY = 2000  # more marks than this are drawn as pixels inside the SVG, which would be megabytes otherwise


@contextlib.contextmanager
def styled() -> Iterator[None]:
    """Draw in hptune's style inside the `with`; raises `UsageError` naming the extra where matplotlib is missing."""
    import numpy as np

    try:
        import matplotlib
    except ModuleNotFoundError as error:
        if (error.name or "").split(".")[0] != "matplotlib":
            raise
        raise UsageError("figures need matplotlib, which is not installed: pip install 'hptune[figures]'") from None
    # On an axis that reaches to 1e300 matplotlib computes ticks beyond the largest float, and leaves them out.
    with matplotlib.rc_context(), warnings.catch_warnings(), np.errstate(over="ignore", invalid="ignore"):
        matplotlib.rcdefaults()  # a user's matplotlibrc would change the figures
        settings: Any = matplotlib.rcParams  # typed by a literal of every key it knows
        settings.update(STYLE)
        # A name in a script that the font lacks is drawn as boxes, which is no reason to stop.
        warnings.filterwarnings("ignore", message="Glyph .* missing from font", category=UserWarning)
        yield


def panels(count: int, *, columns: int = 3, height: float = 3.8) -> tuple[Figure, list[Axes]]:
    """Return a figure with `count` panels that share their y axis, row by row, and its axes.

    One panel is `height` inches high, those of several rows less.
    """
    from matplotlib.figure import Figure

    columns = min(columns, count)
    rows = -(-count // columns)
    size = (WIDTH if columns < 3 else 1.35 * WIDTH, height if rows == 1 else 2.4 * rows + 0.9)
    figure = Figure(figsize=size, layout="constrained")
    grid = figure.subplots(rows, columns, sharey=True, squeeze=False)
    listed = list(grid.flat)
    for spare in listed[count:]:
        spare.remove()
    return figure, listed[:count]


def label(figure: Figure, title: str) -> None:
    """Give the figure its title, and below the panels one legend of all that they show."""
    figure.suptitle(title, x=0.01, ha="left", fontsize=10.5, fontweight="bold")
    found: dict[str, Any] = {}
    for axes in figure.axes:
        for handle, name in zip(*axes.get_legend_handles_labels(), strict=True):
            found.setdefault(name, handle)
    if found:
        # As many columns as the longest entry leaves room for, at about 0.075 inches a character.
        widest = max(map(len, found)) * 0.075 + 0.6
        columns = max(1, min(len(found), int(figure.get_figwidth() / widest)))
        figure.legend(list(found.values()), list(found), loc="outside lower center", ncols=columns)


def number_axis(axis: Axis, *, log: bool = False, whole: bool = False) -> None:
    """Give an axis plain numbers as ticks: 0.001 and 100, no powers of ten in small print."""
    from matplotlib import ticker

    if log:
        axis.axes.set_xscale("log")
        low, high = axis.get_view_interval()
        if high < 30 * low:
            axis.set_major_locator(ticker.LogLocator(subs=(1, 2, 5)))
        axis.set_minor_formatter(ticker.NullFormatter())
    elif whole:
        axis.set_major_locator(ticker.MaxNLocator(nbins="auto", integer=True, steps=(1, 2, 5, 10)))

    class Plain(ticker.Formatter):
        def __call__(self, x: float, pos: int | None = None) -> str:
            del pos
            return wording.number(float(x))

        def format_ticks(self, values: Sequence[float]) -> list[str]:
            ticks = [float(one) for one in values]
            return [wording.number(one) if log else wording.tick(one, ticks) for one in ticks]

    axis.set_major_formatter(Plain())


def file_name(parts: Sequence[str], taken: set[str]) -> str:
    """Return a file name of these parts that no other figure has, safe on every file system, and take it."""
    plain = "-".join(re.sub(r"[^A-Za-z0-9._-]+", "_", part).strip("._") or "unnamed" for part in parts)[:120]
    name, number = plain, 1
    while name.lower() in taken:  # some file systems hold A and a for the same
        number += 1
        name = f"{plain}-{number}"
    taken.add(name.lower())
    return name


def save(figure: Figure, out: Path, name: str) -> list[Path]:
    """Write the figure as SVG and PNG, each whole, without a date; return their paths."""
    written = []
    for kind, metadata in (("svg", {"Date": None}), ("png", {"Software": None})):
        data = io.BytesIO()
        figure.savefig(data, format=kind, metadata=metadata)
        path = out / f"{name}.{kind}"
        write_whole(path, data.getvalue())
        written.append(path)
    return written
