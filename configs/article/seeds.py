"""The article's four numbers over 200 seeds: what is a finding, and what is the luck of one draw of 100 rows.

    python -m configs.article.seeds            # measures, writes configs/article/seeds.json

Seed s draws data and split anew and runs the four configs of this folder, through all of hptune, in this process
(`executor: {type: serial}`). Alpha is searched on a grid of 61 values instead of by the configs' Bayesian oracle: the
question here is how the *models* compare, so the luck of a search is kept out; and a grid costs a tenth of the time.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")  # the matrices are 40 x 40; more threads only wait for each other

import argparse
import json
import statistics
import tempfile
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from itertools import pairwise
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
STORED = HERE / "seeds.json"
STUDIES = ("ols_informative", "lasso", "ridge", "ols_all")  # from the best to the worst in the article
SEEDS = 200
POINTS = 61  # on a logarithmic scale, 10 to 15 for each power of ten
COMMAND = "python -m configs.article.seeds"

Row = dict[str, float]


def measure(seed: int) -> Row:
    """Return the results of the four studies on the data of one seed: train and validation score, alpha."""
    row: Row = {"seed": seed}
    for name in STUDIES:
        row |= {f"{name}_{what}": round(value, 6) for what, value in run(name, seed).items()}
    return row


def run(name: str, seed: int) -> Row:
    """Run one of the studies and return its winner's train and validation score, and its alpha if it has one."""
    from hptune import compose
    from hptune.config.load import load

    changes = [f"seed={seed}", f"data.synthetic.seed={seed}", "executor={type: serial}"]
    changes += [f"oracle={{type: grid, points: {POINTS}}}", f"budget.trials={POINTS + 1}"]  # one for the defaults
    loaded = load(HERE / f"{name}.yaml", changes)
    with tempfile.TemporaryDirectory() as folder, compose.start(loaded, Path(folder) / name) as session:
        session.run()
        best = session.study.best
    assert best is not None
    assert best.score is not None
    assert best.train_score is not None
    alpha = {"alpha": float(best.values["alpha"])} if "alpha" in best.values else {}
    return {"train": best.train_score, "validation": best.score, **alpha}


def has_the_articles_order(row: Mapping[str, float]) -> bool:
    """Return whether the validation scores fall from least squares on the informative features to that on all."""
    scores = [row[f"{name}_validation"] for name in STUDIES]
    return all(better > worse for better, worse in pairwise(scores))


def summary(rows: Sequence[Mapping[str, float]]) -> dict[str, Any]:
    """Return the medians of all that was measured and the share of seeds with the article's order."""
    names = [name for name in rows[0] if name != "seed"]
    return {
        "seeds": len(rows),
        "share_with_the_articles_order": round(statistics.fmean(map(has_the_articles_order, rows)), 4),
        "median": {name: round(statistics.median(row[name] for row in rows), 4) for name in names},
    }


def measured(seeds: Iterable[int], workers: int, say: Callable[[str], None]) -> list[Row]:
    """Return the rows of these seeds, in their order, measured by so many processes."""
    listed = list(seeds)
    rows = []
    with ProcessPoolExecutor(workers) as pool:
        for row in pool.map(measure, listed):
            rows.append(row)
            if len(rows) % 20 == 0:
                say(f"{len(rows)} of {len(listed)} seeds")
    return rows


def stored() -> dict[str, Any]:
    """Return what was measured and stored: `command`, `summary`, `rows`."""
    found: dict[str, Any] = json.loads(STORED.read_text())
    return found


def main() -> None:
    """Measure and store."""
    parser = argparse.ArgumentParser(prog=COMMAND, description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--seeds", type=int, default=SEEDS, help="measure seeds 0 to N - 1 (default: %(default)s)")
    parser.add_argument("--workers", type=int, default=os.cpu_count(), help="processes (default: %(default)s)")
    parser.add_argument("--out", type=Path, default=STORED, help="where to write (default: beside this file)")
    options = parser.parse_args()
    begin = time.monotonic()
    rows = measured(range(options.seeds), options.workers, lambda line: print(line, flush=True))  # noqa: T201
    lines = ",\n  ".join(json.dumps(row) for row in rows)  # one seed a line, so that a change can be read
    head = json.dumps({"command": COMMAND, "versions": versions(), "summary": summary(rows)}, indent=1)[:-2]
    options.out.write_text(f'{head},\n "rows": [\n  {lines}\n ]\n}}\n')
    print(f"{options.out}: {len(rows)} seeds in {time.monotonic() - begin:.0f} s")  # noqa: T201


def versions() -> dict[str, str]:
    """Return the versions that the numbers depend on."""
    from importlib.metadata import version

    return {name: version(name) for name in ("hptune", "numpy", "scipy", "scikit-learn")}


if __name__ == "__main__":
    main()
