"""`python -m tests.faults.resume`: how long after the command a killed study's next record is written.

The command, the interpreter and all imports included; for an objective that is a function and for one of scikit-learn's
models, with 1, 2 and 4 workers. Before each resume a new interpreter imports what the objective needs and nothing else: no
resume can be faster than that, and other programs' figures are of processes that had imported it before. Where other
programs took more than a tenth of the machine meanwhile, the run is killed and measured again, for `--patience` seconds at
most; what is left is said to be of a busy machine.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from hptune.threads import usable_cores
from tests.faults.kit import MARK, ROOT, hptune, journal_of, marked, until
from tests.faults.measure import measured
from tests.faults.test_kill_anywhere import project_for

BUSY = 0.1
"""Other programs' share of the cores from which on a measurement does not count."""
TICK = 1 / os.sysconf("SC_CLK_TCK")


def machine_seconds() -> float:
    """Return the processor seconds that all programs have used since the machine started."""
    fields = Path("/proc/stat").read_text().splitlines()[0].split()[1:9]
    return TICK * sum(int(fields[n]) for n in (0, 1, 2, 5, 6, 7))  # all but idle and waiting for the disk


def our_seconds(folder: Path) -> float:
    """Return the processor seconds of this process and of those started for the folder."""
    used = sum(os.times()[:2])
    for pid in marked(folder):
        fields = Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()
        used += TICK * (int(fields[11]) + int(fields[12]))
    return used


@dataclass(frozen=True)
class Resume:
    """Seconds of a resume, other programs' share of the cores meanwhile, and the seconds of the bare import before it."""

    seconds: float
    others: float
    alone: float


class Resumes:
    """One study that is killed again and again, and what each resume took."""

    def __init__(self, config: Path, workers: int, folder: Path) -> None:
        self.folder = folder
        self.run = folder / "run"
        more = ("--workers", str(workers), "-o", "budget.trials=100000", "-o", "executor.lookahead=8")
        self.command = hptune("run", str(config), "--dir", str(self.run), "-q", *more)
        self.start(0)

    def start(self, size: int) -> float:
        """Start the run, and return the seconds until its journal has grown beyond `size`."""
        began = time.monotonic()
        self.process = subprocess.Popen(
            self.command, start_new_session=True, stdout=subprocess.DEVNULL, cwd=ROOT,
            env={**os.environ, MARK: str(self.folder)},
        )  # fmt: skip
        assert until(lambda: len(journal_of(self.run)) > size, 120, pause=0.002)
        return time.monotonic() - began

    def once(self, module: str) -> Resume:
        """Kill the run at a random moment, import the module elsewhere, and resume the run."""
        time.sleep(random.uniform(0.05, 0.5))
        self.stop()
        alone, size = importing(module), len(journal_of(self.run))
        machine, ours, began = machine_seconds(), our_seconds(self.folder), time.monotonic()
        seconds = self.start(size)
        others = machine_seconds() - machine - (our_seconds(self.folder) - ours)
        return Resume(seconds, others / (usable_cores() * (time.monotonic() - began)), alone)

    def stop(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        assert until(lambda: not marked(self.folder), 5)


def measure(config: Path, module: str, workers: int, number: int, patience: float) -> list[Resume]:
    """Return the quietest `number` resumes."""
    found: list[Resume] = []
    limit = time.monotonic() + patience
    with tempfile.TemporaryDirectory(dir="/dev/shm" if Path("/dev/shm").is_dir() else None) as folder:
        resumes = Resumes(config, workers, Path(folder))
        try:
            while len(found) < number or (
                sum(one.others < BUSY for one in found) < number and time.monotonic() < limit
            ):
                found.append(resumes.once(module))
        finally:
            resumes.stop()
    return sorted(found, key=lambda one: one.others)[:number]


def importing(module: str) -> float:
    """Return the seconds that a new interpreter takes to import a module."""
    began = time.monotonic()
    subprocess.run([sys.executable, "-c", f"import {module}"], check=True)
    return time.monotonic() - began


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--number", type=int, default=7, help="resumes of each problem and number of workers")
    parser.add_argument("--patience", type=float, default=60.0)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        project_for(Path(folder), "random")
        for name, config, module in (
            ("resume-function", Path(folder) / "fault.yaml", "numpy"),
            ("resume-sklearn", ROOT / "configs" / "article" / "ridge.yaml", "sklearn.linear_model"),
        ):
            for workers in (1, 2, 4):
                found = measure(config, module, workers, asked.number, asked.patience)
                median, slowest = statistics.median(r.seconds for r in found), max(r.seconds for r in found)
                alone = statistics.median(r.alone for r in found)
                beyond = statistics.median(r.seconds - r.alone for r in found)
                busy = max(r.others for r in found)
                print(
                    f"{name}, {workers} workers: {median:.2f} s, at most {slowest:.2f} s; importing {module} alone "
                    f"{alone:.2f} s, beyond that {beyond:.2f} s (others {busy:.0%})"
                )
                measured(
                    name, str(workers), resumes=len(found), max_median=median, max_seconds=slowest,
                    max_busy=busy, max_import=alone, max_beyond=beyond,
                )  # fmt: skip


if __name__ == "__main__":
    main()
