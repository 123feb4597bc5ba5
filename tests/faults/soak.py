"""`python -m tests.faults.soak TRIALS FOLDER`: a no-op objective for very long; prints what it cost as JSON.

In a process of its own, so that its memory is its own; the loop, the journal, the spool and the history are the real
ones, the worker returns at once.
"""

from __future__ import annotations

import itertools
import json
import os
import sys
import time
from pathlib import Path

from hptune import journal as jn
from hptune.executors.serial import SerialExecutor
from hptune.job import Job, Outcome
from hptune.loop import Loop
from hptune.objective import Objective
from hptune.space import Choice, Float, SearchSpace
from hptune.stopping import TrialLimit
from hptune.study import Study, replay
from hptune.trial import Measurement

SPACE = SearchSpace(
    (
        Float(name="x", low=0, high=1),
        Float(name="y", low=1e-3, high=1, scale="log"),
        Choice(name="c", values=("a", None)),
    )
)


class NoOp:
    def run(self, job: Job) -> Outcome:
        return Outcome(measurements=tuple(Measurement(fold, job.values["x"]) for fold in job.folds))


def resident() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def main(trials: int, folder: Path) -> dict[str, float]:
    chunk = min(1000, trials // 10)
    marks: list[tuple[float, int]] = []

    def observe(event: object, history: object) -> None:
        if type(event).__name__ == "TrialCompleted" and (event.trial + 1) % chunk == 0:  # type: ignore[attr-defined]
            marks.append((time.process_time(), resident()))

    with Study(SPACE, Objective("loss"), seed=1, directory=folder, lookahead=1) as study:
        study.observers.append(observe)
        marks.append((time.process_time(), resident()))
        Loop(study, SerialExecutor(worker=NoOp()), [TrialLimit(trials)], folder=folder).run()
    costs = [(b[0] - a[0]) / chunk for a, b in itertools.pairwise(marks)]
    tenth = max(1, len(costs) // 10)
    data = (folder / jn.NAME).read_bytes()
    records = data.count(b"\n")
    opening: list[float] = []
    while len(opening) < 5 or (min(opening) > 25e-6 * records and len(opening) < 20):  # the best of a busy machine's
        began = time.process_time()
        history = replay(jn.scan(data, folder / jn.NAME).events)
        opening.append(time.process_time() - began)
    assert history.count("completed") == trials
    return {
        "trials": trials,
        "cpu_us_first": 1e6 * sorted(costs[:tenth])[tenth // 2],
        "cpu_us_last": 1e6 * sorted(costs[-tenth:])[tenth // 2],
        "bytes_a_trial": (marks[-1][1] - marks[1][1]) / (trials - chunk),
        "records": records,
        "journal_bytes_a_trial": len(data) / trials,
        "opening_us_a_record": 1e6 * min(opening) / records,
    }


if __name__ == "__main__":
    print(json.dumps(main(int(sys.argv[1]), Path(sys.argv[2]))))
