"""A user's program in the forms that docs/python.md and docs/oracles.md show, typed throughout."""

from __future__ import annotations

from typing import Any

import numpy as np
from pydantic import Field

import hptune

hp = hptune.HyperParameters()
hp.Float("lr", 1e-4, 1e-1, sampling="log", default=1e-2)
hp.Choice("units", np.array([32, 64]))
hp.Choice("layers", range(3))
with hp.conditional_scope("layers", 1):
    hp.Boolean("warm")

names = ("a", "b")
space = hptune.SearchSpace(
    [
        hptune.Float(name="lr", low=1e-4, high=1e-1, scale="log", extra=[0]),
        hptune.Choice(name="hidden", values=[[64, 32], [128]], weights=[1, 2]),
        hptune.Choice(name="kind", values=("plain", "deep")),
        hptune.Choice(name="size", values=np.array([1, 2])),
        hptune.Boolean(name="warm"),
        hptune.Int(name="epochs", low=1, high=5, when={"warm": True}),
        hptune.Fixed(name="config", value={"x": 1}, sets=["model.config"]),
    ],
    constraints=["epochs < 4", {"require": "lr < 0.05"}, {"forbid": {"kind": "deep", "warm": True}}],
)
more = hptune.SearchSpace(hptune.Float(name=name, low=0, high=1) for name in names)


class Climber(hptune.OracleSpec):
    """Random points."""

    startup: int = Field(default=5, ge=1)

    def suggest(
        self, history: hptune.View, trial: int, rng: np.random.Generator
    ) -> hptune.Suggestion | hptune.Answer:
        if len(history.pending()) > self.startup:
            return hptune.WAIT
        values = hptune.unseen(history, rng)
        return values if values is hptune.EXHAUSTED else hptune.Suggestion(values, origin="random")


study = hptune.Study(more, hptune.Objective("loss", "minimize"), oracle=Climber(startup=2))
try:
    study.tell(study.ask(), 0.3)
    study.tell(study.ask(), [0.1, 0.2])
    study.tell(study.ask(), np.array([0.1, 0.2]))
    study.tell(study.ask(), np.mean([1.0, 2.0]))
    study.tell(study.ask().number, np.float32(0.5))
    study.tell(study.ask(), failed=ValueError("no"))
except hptune.errors.StudyExhausted:
    pass
if study.best is not None:
    print(study.best.values["a"], study.best.score)
history: hptune.History = study.history
failures: list[hptune.Failure] = [trial.failure for trial in history.trials if trial.failure is not None]


class Trained(hptune.Tuner):
    def run_trial(self, trial: hptune.TunerTrial, X: list[float], y: list[float]) -> dict[str, float]:
        lr: float = trial.hyperparameters.Float("lr", 0.0, 1.0)
        return {"loss": lr * sum(X) + sum(y)}


tuner = Trained(objective=hptune.Objective("loss", "minimize"), oracle={"type": "tpe"}, max_trials=3)
tuner.search([1.0], [2.0])
best: Any = tuner.get_best_hyperparameters(1)[0].get("lr")
print(best, hptune.Study(space, "val_accuracy").ask().values, hptune.Study(hp, "loss", seed=None).ask().values)
