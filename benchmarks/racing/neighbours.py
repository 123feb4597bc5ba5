"""`python -m benchmarks.racing.neighbours`: the race against neighbours beside that against the incumbent, replayed.

Only the stored random searches: what a random search tries depends on its seed alone, so that its configurations, which
are not stored, are those of a study that is told nothing.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from benchmarks.racing.record import TASKS, TRIALS, Task, stored
from benchmarks.racing.replay import Array, Judge, Result, predictive, replay
from hptune.encoding import encoding_of
from hptune.objective import Objective
from hptune.racing import FOLD_TRIALS, NEIGHBOURS, local, race_of
from hptune.study import Study
from hptune.surrogate.folds import FoldEffects


def rows(task: Task, seed: int) -> tuple[Array, NDArray[np.int64]]:
    """Return the model's inputs of the configurations that the random search with this seed tried."""
    study = Study(task.space, Objective(task.metric, "maximize"), oracle="random", seed=seed, lookahead=4)
    for _ in range(TRIALS):
        study.tell(study.ask().number, 0.0)
    return encoding_of(task.space).split(study.history.view().rows())


class ByNeighbours:
    """The product's rule from `NEIGHBOURS` complete trials on; asked once for each trial, in their order."""

    def __init__(self, U: Array, Z: NDArray[np.int64]) -> None:
        self.U, self.Z, self.number = U, Z, -1

    def __call__(self, losses: Array, numbers: NDArray[np.intp]) -> Judge | None:
        self.number += 1
        held = race_of(losses, numbers) if len(losses) else None
        if held is None:
            return None
        if len(numbers) >= NEIGHBOURS:
            order = np.argsort(losses.mean(axis=1), kind="stable")[:FOLD_TRIALS]
            near = numbers[order]
            own = slice(self.number, self.number + 1)
            effect, s2 = FoldEffects.of(self.U[near], self.Z[near], losses[order]).at(self.U[own], self.Z[own])
            held = local(held, effect[0], float(s2[0])) if s2[0] > 0.0 else held
        return held.goes_on


def _line(name: str, full: int, found: list[Result]) -> str:
    saved = full / sum(one.fits for one in found)
    other, loss = (float(np.mean([getattr(one, key) for one in found])) for key in ("other", "loss"))
    return f"| {name} | {saved:.2f}x, {other:.0%}, {loss:.3f} "


def main() -> None:
    """Print fits saved, share of studies with another winner and mean loss in standard errors, of both."""
    have = stored()
    print("| random search, 60 trials | studies | against the incumbent | by neighbours |\n|---|---|---|---|")
    for task in TASKS:
        kept = have.get(f"{task.name}-random")
        if kept is None:
            continue
        pairs = [replay(losses, predictive(), finish=True, seed=i) for i, losses in enumerate(kept)]
        near = [replay(losses, ByNeighbours(*rows(task, i)), finish=True, seed=i) for i, losses in enumerate(kept)]
        first, second = (
            _line(f"{task.name}, {task.folds} folds | {len(kept)}", kept.size, pairs),
            _line("", kept.size, near),
        )
        print(first + second.replace("|  |", "|") + "|")


if __name__ == "__main__":
    main()
