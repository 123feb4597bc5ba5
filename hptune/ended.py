"""What stopping rules see of a study that is asked and told: the trials that have ended, whatever is still open."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from hptune.history import History, View
from hptune.trial import Trial


@dataclass(frozen=True)
class Ended(View):
    """The trials of a history that have ended, by number, as a view.

    A worker that is lost never tells its trial: nothing waits for those that are open, where a run judges them in order.
    """

    ended: tuple[Trial, ...] = ()

    @classmethod
    def of(cls, history: History) -> Ended:
        begun = len(history.trials)
        return cls(history, begun, begun, ended=tuple(trial for trial in history.trials if trial.status != "running"))

    @property
    def settled(self) -> int:
        return len(self.ended)

    @property
    def settled_best(self) -> int | None:
        number = self.history.best_number
        return next((place for place, trial in enumerate(self.ended) if trial.number == number), None)

    @property
    def failures_in_a_row(self) -> int:
        failed = 0
        for trial in reversed(self.ended):
            if trial.failure is None:
                break
            failed += 1
        return failed

    def __len__(self) -> int:
        return len(self.ended)

    def __getitem__(self, index: Any) -> Any:
        return self.ended[index]
