"""hptune's run of a task, in a process that imports what `hptune run` imports and nothing else (no scikit-learn).

`python -m benchmarks.wallclock.study FOLDER`: runs FOLDER/study.yaml and prints what it found, and when, as JSON.
"""

from __future__ import annotations

import json
import statistics
import sys
from pathlib import Path
from typing import Any

from benchmarks.wallclock.cpu import tree_cpu


def run(folder: Path) -> dict[str, Any]:
    """Return the level, its standard error over the folds, fits and CPU seconds, and the curve of the best so far."""
    from hptune.compose import start
    from hptune.config.load import load

    curve: list[tuple[float, int, float]] = []
    fits = 0

    def watch(event: Any, history: Any) -> None:
        nonlocal fits
        fits += event.type == "fold_scored"
        best = history.best
        if event.type == "trial_completed" and best is not None and best.number == event.trial:
            curve.append((best.score, fits, tree_cpu()))

    with start(load(folder / "study.yaml"), folder / "run") as session:
        session.study.observers.append(watch)
        session.run()
        cpu = tree_cpu()
        best = session.study.history.best
        assert best is not None
        scores = [one.score for one in best.measurements]
        return {
            "level": best.score,
            "error": statistics.stdev(scores) / len(scores) ** 0.5,
            "fits": fits,
            "cpu": cpu,
            "curve": curve,
            "values": dict(best.values),
        }


if __name__ == "__main__":
    from hptune.threads import limit_this_process

    limit_this_process()
    print(json.dumps(run(Path(sys.argv[1]))))
