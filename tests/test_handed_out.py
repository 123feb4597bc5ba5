"""What a study hands out is the user's: whoever pops from it changes neither search, nor space, nor journal."""

from __future__ import annotations

import dataclasses
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import hptune
from hptune import journal as jn
from hptune.executors.serial import SerialExecutor
from hptune.history import View
from hptune.job import Job, Outcome
from hptune.replay import replay
from hptune.space import Choice, Fixed, Float, SearchSpace
from hptune.study import Study

NESTED = SearchSpace(
    (
        Choice(name="hidden", values=([64, 32], [128])),
        Fixed(name="cfg", value={"x": 1}),
        Float(name="a", low=0, high=1),
    )
)


def spoil(values: Any) -> None:
    """Do what users do to the values that they were given."""
    values["hidden"].clear()
    values["cfg"]["lr"] = 0.1
    values.pop("a")


@pytest.mark.parametrize("oracle", ["random", "bayesian", "tpe"])
def test_values_that_are_popped_from_change_nothing(oracle: str, tmp_path: Path) -> None:
    def asked(spoiled: bool, folder: Path) -> list[Any]:
        with Study(NESTED, "loss", oracle, directory=folder, starts=[{"hidden": [128]}]) as study:
            for _ in range(8):
                trial = study.ask()
                score = trial.values["a"]
                if spoiled:
                    spoil(trial.values)
                told = study.tell(trial, score)
                if spoiled:
                    spoil(told.values)
                    assert study.best is not None
                    spoil(study.best.values)
            known = [one.values for one in study.history.trials]
        assert [one.values for one in replay(jn.read(folder).events).trials] == known
        return known

    assert asked(True, tmp_path / "spoiled") == asked(False, tmp_path / "left alone")


def test_a_retried_trial_has_the_values_that_it_was_asked_with(tmp_path: Path) -> None:
    with Study(NESTED, "loss", "random", directory=tmp_path) as study:
        asked = dict(study.ask().values)
    for _ in range(2):
        with Study(NESTED, "loss", "random", directory=tmp_path) as study:
            again = study.ask()
            assert (again.number, again.values) == (0, asked)
            spoil(again.values)


class Spoiler(hptune.OracleSpec):
    def suggest(self, history: View, trial: int, rng: np.random.Generator) -> Any:
        for one in (history[0], *history, *history.completed(), *history.pending()):
            if one.values:
                spoil(dict(one.values))  # the lists in it
                one.values.clear()  # type: ignore[attr-defined]
        spoil(history.space.defaults())
        history.budget["trials"] = 1  # type: ignore[index]
        return hptune.Suggestion(hptune.unseen(history, rng))  # type: ignore[arg-type]


def test_an_own_oracle_cannot_rewrite_the_trials_that_it_reads() -> None:
    study = Study(NESTED, "loss", Spoiler())
    for number in range(4):
        study.tell(study.ask(), number)
    assert [sorted(one.values) for one in study.history.trials] == [["a", "cfg", "hidden"]] * 4
    assert all(NESTED.check(one.values) is None for one in study.history.trials)


def test_a_trial_that_an_own_oracle_reads_is_as_the_studys_in_all_else() -> None:
    study = Study(NESTED, "loss", "random")
    study.tell(study.ask(), 0.5)
    own = study.history.trials[0]
    lent = study.history.view(copies=True)[0]
    assert "values" not in vars(lent)  # not copied before they are asked for
    assert lent == own
    assert own == lent
    assert (lent.values, lent.score, lent.status) == (own.values, 0.5, "completed")
    spoil(lent.values)
    assert lent != own
    for copied in (
        lambda one: one.changed(reason="so"),
        lambda one: pickle.loads(pickle.dumps(one)),
        dataclasses.replace,
    ):
        spoil(copied(study.history.view(copies=True)[0]).values)
    assert NESTED.check(own.values) is None


def test_a_job_of_the_serial_executor_has_values_of_its_own() -> None:
    class Worker:
        def run(self, job: Job) -> Outcome:
            spoil(job.values)
            return Outcome()

    values = NESTED.defaults()
    SerialExecutor(worker=Worker()).submit(Job(trial=0, values=values)).result()
    assert values == NESTED.defaults() == {"hidden": [64, 32], "cfg": {"x": 1}, "a": 0.5}
