"""One study and several threads, or several processes: what may be shared, and what is refused."""

from __future__ import annotations

import pickle
import threading
from pathlib import Path
from typing import Any

import pytest

from hptune import journal as jn
from hptune.errors import UsageError
from hptune.objective import Objective
from hptune.replay import replay
from hptune.space import Float, SearchSpace
from hptune.study import Study

SPACE = SearchSpace((Float(name="x", low=0, high=1),))


@pytest.mark.parametrize("kept", [True, False])
def test_threads_share_a_study(kept: bool, tmp_path: Path) -> None:
    study = Study(SPACE, Objective("loss", "minimize"), "random", directory=tmp_path / "s" if kept else None)
    wrong: list[BaseException] = []

    def work() -> None:
        try:
            for _ in range(50):
                trial = study.ask()
                study.tell(trial.number, trial.values["x"])
        except BaseException as error:
            wrong.append(error)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    study.close()
    assert not wrong
    history = replay(jn.read(tmp_path / "s").events) if kept else study.history
    assert len(history.trials) == history.count("completed") == 200
    assert all(trial.score == trial.values["x"] for trial in history.trials)


def test_only_a_study_in_memory_can_be_copied(tmp_path: Path) -> None:
    study = Study(SPACE, Objective("loss", "minimize"), "random")
    study.tell(study.ask().number, 0.5)
    again = pickle.loads(pickle.dumps(study))
    again.tell(again.ask().number, 0.25)
    assert (len(study.history.trials), len(again.history.trials)) == (1, 2)
    with (
        Study(SPACE, Objective("loss", "minimize"), "random", directory=tmp_path) as kept,
        pytest.raises(TypeError, match="kept in a directory cannot be copied"),
    ):
        pickle.dumps(kept)


def test_a_score_for_each_fold_is_asked_for_before_any_is_recorded() -> None:
    begun = Study(SPACE, Objective("loss", "minimize"), "random").history.started.model_copy(update={"folds": 3})
    study = Study.of(begun, Study(SPACE, Objective("loss", "minimize"), "random").oracle, None)
    number = study.ask().number
    for wrong in (0.9, [0.1, 0.2]):
        with pytest.raises(UsageError, match="expected 3 scores, one per fold"):
            study.tell(number, wrong)
    assert study.tell(number, [0.1, 0.2, 0.3]).scores == (0.1, 0.2, 0.3)


def test_a_kept_study_goes_on_with_its_oracle_where_none_is_named(tmp_path: Path) -> None:
    with Study(SPACE, Objective("loss", "minimize"), "tpe", directory=tmp_path) as study:
        study.tell(study.ask(), 0.5)
    with Study(SPACE, Objective("loss", "minimize"), directory=tmp_path) as study:
        assert study.oracle.type == "tpe"
        study.tell(study.ask(), 0.25)
    with pytest.raises(UsageError, match="expected random, found tpe"):
        Study(SPACE, Objective("loss", "minimize"), "random", directory=tmp_path)
    assert Study(SPACE, Objective("loss", "minimize")).oracle.type == "auto"


def test_an_exception_says_why_and_an_oracle_comes_with_options() -> None:
    study = Study(SPACE, Objective("loss", "minimize"), {"type": "tpe", "startup": 4})
    assert study.oracle.model_dump()["startup"] == 4
    trial = study.tell(study.ask(), failed=ValueError("boo"))
    assert trial.failure is not None
    assert trial.failure.message == "ValueError: boo"
    for wrong, said in (({"type": "tpe", "startup": -1}, "oracle.startup: "), ({"startup": 3}, "found None")):
        with pytest.raises(UsageError, match=said):
            Study(SPACE, Objective("loss", "minimize"), wrong)


@pytest.mark.parametrize("starts", [{"x": 1.0}, "x", ["x"], 3, None, [{"x": 1.0}, ("x", 1.0)]])
def test_starts_are_a_list_of_configurations(starts: Any) -> None:
    with pytest.raises(UsageError, match="starts: expected a list of configurations"):
        Study(SPACE, "loss", starts=starts)
