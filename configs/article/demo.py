"""The article's study, start to end: `make demo`, or

    python -m configs.article.demo --runs runs/article --figures figures

Runs the five configs through the command line, draws the figures, and sets the numbers beside the article's. A second
run finds the studies complete, and prints and draws the same.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from configs.article import seeds
from hptune.config.load import load
from hptune.report import figure_style as style
from hptune.report import wording
from hptune.report.layout import Table

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
QUIET = ("ols_informative", "ols_all")  # a study of one trial has no table worth a screen
SHOWN = ("ols_size", "ridge", "lasso")
NAMES = {
    "ols_informative": "OLS on informative",
    "ols_all": "OLS on all",
    "ridge": "Ridge",
    "lasso": "Lasso",
}

# (study, what, the article's number). "> 0.8" stands for "exceeds the Bayes optimal bound".
ARTICLE: tuple[tuple[str, str, str], ...] = (
    ("ols_informative", "train", "0.68"),
    ("ols_informative", "validation", "0.63"),
    ("ols_all", "train", "> 0.8"),
    ("ols_all", "validation", "0.287"),
    ("ridge", "validation", "0.48"),
    ("ridge", "alpha", "35"),
    ("lasso", "validation", "0.55"),
    ("lasso", "alpha", "0.27"),
)
ORDER = "OLS on informative > Lasso > Ridge > OLS on all"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the demo; return the exit code, that of the first command that fails."""
    parser = argparse.ArgumentParser(prog="python -m configs.article.demo", description="Tune the article's models.")
    parser.add_argument("--runs", type=Path, default=Path("runs/article"), help="where the run directories go")
    parser.add_argument("--figures", type=Path, default=Path("figures"), help="where the figures go")
    options = parser.parse_args(arguments)
    folders = {name: options.runs / name.replace("_", "-") for name in (*QUIET, *SHOWN)}
    for name, folder in folders.items():
        code = hptune(
            "run", shown(HERE / f"{name}.yaml"), "--dir", str(folder), *(["--quiet"] if name in QUIET else [])
        )
        if code:
            return code
    code = hptune("report", *map(str, folders.values()), "--figures", str(options.figures), hide=True)
    if code:
        return code
    with style.styled():
        features(options.figures)
    say("", f"Figures, each as SVG and PNG, in {options.figures}/:")
    say(*(f"  {line}" for line in LEGEND))
    found = {name: outcome(folders[name]) for name in NAMES}
    say("", *table(found))
    return 0


LEGEND = (
    "article-features               an informative and an uninformative feature against the target",
    "article-ols-size-parameters    training and validation score over the number of features",
    "compared-alpha                 validation score over alpha, Ridge and Lasso",
    "compared                       all five studies: training and validation score",
    "article-*                      each study trial by trial, and over its parameter",
)


def hptune(*words: str, hide: bool = False) -> int:
    """Run a command as a user would, after showing it; return its exit code. `hide` keeps what it prints."""
    say("", "$ " + " ".join(("hptune", *words)))
    # A study of 1 ms fits gains nothing from threads, and two programs that both want every core wait for each other.
    environment = {"OMP_NUM_THREADS": "1", **os.environ}
    command = [sys.executable, "-m", "hptune", *words]
    out = subprocess.DEVNULL if hide else None
    return subprocess.run(command, env=environment, stdout=out, check=False).returncode  # noqa: S603 - our own words


def say(*lines: str) -> None:
    """Print lines at once, so that they stay in order with what the commands print."""
    for line in lines:
        print(line, flush=True)  # noqa: T201


def shown(path: Path) -> str:
    """Return the path as short as it can be written from here."""
    return os.path.relpath(path)


# -- numbers --------------------------------------------------------------------------------------------------------


def outcome(folder: Path) -> dict[str, float]:
    """Return the winner of a run directory: train and validation score, and alpha if it has one."""
    best: dict[str, Any] = json.loads((folder / "result.json").read_text())["best"]
    with (folder / "trials.csv").open(newline="") as file:
        row = next(row for row in csv.DictReader(file) if int(row["trial"]) == best["trial"])
    alpha = {"alpha": float(best["params"]["alpha"])} if "alpha" in best["params"] else {}
    return {"train": float(row["train_score"]), "validation": float(best["score"]), **alpha}


def table(found: Mapping[str, Mapping[str, float]]) -> list[str]:
    """Return the lines that set the article's numbers beside ours."""
    summary = seeds.stored()["summary"]
    rows = [
        (
            NAMES[study],
            what,
            said,
            number(found[study][what], what),
            number(summary["median"][f"{study}_{what}"], what),
        )
        for study, what, said in ARTICLE
    ]
    ours = {f"{study}_validation": one["validation"] for study, one in found.items()}
    holds = "yes" if seeds.has_the_articles_order(ours) else "no"
    share = f"{summary['share_with_the_articles_order']:.1%} of seeds"
    rows.append(("order *", "validation", "yes", holds, share))
    heads = ("R2", "", "article", "hptune, seed 0", f"median, {summary['seeds']} seeds")
    return [
        *Table(heads, rows, ("left", "left", "right", "right", "right"), keep=5).lines(),
        "",
        f"* {ORDER}",
        f"The last column is stored; this measures it: {seeds.COMMAND}",
        "What it means: docs/article.md",
    ]


def number(value: float, what: str) -> str:
    """Return a score with three decimals, an alpha with three significant digits."""
    return wording.number(value, 3) if what == "alpha" else f"{value:.3f}"


# -- the figure that needs the data ---------------------------------------------------------------------------------


def features(out: Path) -> list[Path]:
    """Draw the first feature (informative) and the last (not) against the target, with their fitted lines."""
    import numpy as np

    data: Any = load(HERE / "ridge.yaml").config.data
    X, y = data.synthetic.make()
    figure, panels = style.panels(2, columns=2, height=3.4)
    for axes, column, words in zip(panels, (0, X.shape[1] - 1), ("informative", "not informative"), strict=True):
        x = X[:, column]
        slope, start = np.polyfit(x, y, 1)
        ends = np.array([x.min(), x.max()])
        r = np.corrcoef(x, y)[0, 1]
        axes.plot(x, y, "o", color=style.BLUE, alpha=0.75, label="row")
        axes.plot(ends, start + slope * ends, color=style.VERMILION, label="fitted line")
        axes.set_title(f"feature {column + 1}, {words}: correlation {r:+.2f}", loc="left")
        axes.set_xlabel(f"feature {column + 1}")
        style.number_axis(axes.xaxis)
    panels[0].set_ylabel("target")
    style.number_axis(panels[0].yaxis)
    style.label(figure, "One feature against the target, 100 rows")
    return style.save(figure, out, "article-features")


if __name__ == "__main__":
    sys.exit(main())
