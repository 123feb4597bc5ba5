"""`python -m tests.faults.soak TRIALS FOLDER`: a no-op objective for very long; prints what it cost as JSON.

In a process of its own, so that its memory is its own; the loop, the journal, the spool and the history are the real
ones, the worker returns at once.
"""

from __future__ import annotations

import itertools
import json
import os
import statistics
import sys
import time
import zlib
from pathlib import Path

from hptune import journal as jn
from hptune.executors.serial import SerialExecutor
from hptune.job import Job, Outcome
from hptune.loop import Loop
from hptune.objective import Objective
from hptune.replay import replay
from hptune.space import Choice, Float, SearchSpace
from hptune.stopping import TrialLimit
from hptune.study import Study
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


def yardstick() -> float:
    """Return the processor seconds of some fixed work: on a busy machine they grow as those of the trials do."""
    began = time.process_time()
    json.loads(json.dumps([{"n": n, "text": str(n)} for n in range(500)]))
    return time.process_time() - began


def plainly_read(data: bytes) -> None:
    """Parse and sum up every record, and nothing else: the least that opening could do."""
    for line in data.splitlines():
        json.loads(line)
        zlib.crc32(line)


def main(trials: int, folder: Path) -> dict[str, float]:
    chunk = min(1000, trials // 10)
    spent = 0.0
    marks: list[tuple[float, float, int]] = []  # processor seconds of the trials, of the yardstick, resident bytes

    def mark() -> None:
        marks.append((time.process_time() - spent, spent, resident()))

    def observe(event: object, history: object) -> None:
        nonlocal spent
        if type(event).__name__ == "TrialCompleted":
            done = event.trial + 1  # type: ignore[attr-defined]
            if done % (chunk // 20) == 0:
                spent += yardstick()
            if done % chunk == 0:
                mark()

    with Study(SPACE, Objective("loss", "minimize"), "random", 1, directory=folder, lookahead=1) as study:
        study.observers.append(observe)
        mark()
        Loop(study, SerialExecutor(worker=NoOp()), [TrialLimit(trials)], folder=folder).run()
    costs = [(b[0] - a[0]) / chunk for a, b in itertools.pairwise(marks)]
    sticks = [b[1] - a[1] for a, b in itertools.pairwise(marks)]
    relative = [cost / stick for cost, stick in zip(costs, sticks, strict=True)]
    memory = [b[2] - a[2] for a, b in itertools.pairwise(marks[1:])]  # the first chunk left out
    quarter, half = max(1, len(costs) // 4), len(memory) // 2
    data = (folder / jn.NAME).read_bytes()
    records = data.count(b"\n")
    opening: list[float] = []
    reading: list[float] = []  # the same records by the standard library alone: what the machine makes of it just now
    for _ in range(5):
        began = time.process_time()
        history = replay(jn.scan(data, folder / jn.NAME).events)
        opened = time.process_time()
        plainly_read(data)
        opening.append(opened - began)
        reading.append(time.process_time() - opened)
    assert history.count("completed") == trials
    return {
        "trials": trials,
        "cpu_us": 1e6 * statistics.median(costs[-quarter:]),
        "ratio": statistics.median(relative[-quarter:]) / statistics.median(relative[:quarter]),
        "bytes_a_trial": statistics.mean(memory) / chunk,
        "bytes_growth": statistics.mean(memory[half:]) / statistics.mean(memory[:half]),
        "records": records,
        "journal_bytes_a_trial": len(data) / trials,
        "opening_us_a_record": 1e6 * min(opening) / records,
        "opening_over_reading": min(opening) / min(reading),
    }


if __name__ == "__main__":
    print(json.dumps(main(int(sys.argv[1]), Path(sys.argv[2]))))
