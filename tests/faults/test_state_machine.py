"""A model-based test of journal and study: any order of asking, telling, failing, dying, reopening, intruding."""

from __future__ import annotations

import os
import shutil
import signal
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from hptune import journal as jn
from hptune.errors import StudyLocked
from hptune.objective import Objective
from hptune.study import Study
from tests.faults.measure import measured
from tests.memory.test_journal import SPACE

pytestmark = pytest.mark.faults
LIMIT = 12
COUNTS = {"steps": 0, "deaths": 0, "reopened": 0, "intruders": 0, "studies": 0}
BASE = "/dev/shm" if Path("/dev/shm").is_dir() else None


class JournalAndStudy(RuleBasedStateMachine):
    """What was acknowledged (`asked`, `told`) against what the study and its journal hold."""

    def __init__(self) -> None:
        super().__init__()
        COUNTS["studies"] += 1
        self.folder = Path(tempfile.mkdtemp(dir=BASE, prefix="hptune-machine-"))
        self.asked: dict[int, str] = {}
        self.told: dict[int, float | None] = {}
        self.study = self.opened()

    def opened(self) -> Study:
        return Study(
            SPACE,
            Objective("loss", "minimize"),
            "random",
            seed=3,
            directory=self.folder / "run",
            lookahead=3,
            clock=lambda: 1.0,
        )

    def teardown(self) -> None:
        self.study.close()
        shutil.rmtree(self.folder)

    def running(self) -> list[int]:
        return [number for number in self.asked if number not in self.told]

    def may_ask(self) -> bool:
        unfinished = self.study.unfinished
        return unfinished or (len(self.study.history.trials) < LIMIT and self.study.ready)

    @precondition(lambda self: self.may_ask())
    @rule()
    def ask(self) -> None:
        COUNTS["steps"] += 1
        trial = self.study.ask()
        key = SPACE.key(trial.values)
        assert self.asked.get(trial.number, key) == key  # a number is of one configuration for ever
        assert trial.number not in self.told  # and is never handed out once it is told
        self.asked[trial.number] = key

    @precondition(lambda self: self.running())
    @rule(score=st.floats(-1e6, 1e6), data=st.data())
    def tell(self, score: float, data: st.DataObject) -> None:
        COUNTS["steps"] += 1
        number = data.draw(st.sampled_from(self.running()))
        self.study.tell(number, score)
        self.told[number] = score

    @precondition(lambda self: self.running())
    @rule(data=st.data())
    def fail(self, data: st.DataObject) -> None:
        COUNTS["steps"] += 1
        number = data.draw(st.sampled_from(self.running()))
        self.study.tell(number, failed="on purpose")
        self.told[number] = None

    @rule(point=st.integers(0, 4), how=st.sampled_from(["before", "half", "after"]), score=st.floats(-1e6, 1e6))
    def die_in_the_middle(self, point: int, how: str, score: float) -> None:
        """A process dies at a write or fsync of an ask or a tell; nothing of that step was acknowledged."""
        running = self.running()
        action: Callable[[], object]
        if running:
            action = lambda: self.study.tell(running[0], score)  # noqa: E731
        elif self.may_ask():
            action = self.study.ask
        else:
            return
        assert self.study.journal is not None
        held = self.study.journal._held
        kept = os.dup(held.file), os.dup(held.lock)
        pid = os.fork()
        if pid == 0:  # a fork is no writer: this one takes its parent's place
            (held.file, held.lock), held.forked = kept, False
            dying(action, point, how)
        _, status = os.waitpid(pid, 0)
        for descriptor in kept:
            os.close(descriptor)
        # Otherwise the step has fewer writes than that, and the process just ended.
        COUNTS["deaths"] += os.WIFSIGNALED(status)
        abandon(self.study)
        self.study = self.opened()
        # The step may have come through whole: then it counts, if it did not it is done again.
        trial = self.study.history.trials[running[0]] if running else None
        if trial is not None and trial.completed:
            assert trial.score == score
            self.told[trial.number] = score
        elif trial is not None and trial.measurements:
            self.study.tell(trial.number, score)
            self.told[trial.number] = score

    @rule()
    def reopen(self) -> None:
        COUNTS["reopened"] += 1
        self.study.close()
        self.study = self.opened()

    @rule()
    def intrude(self) -> None:
        """A second writer is refused, and changes nothing."""
        COUNTS["intruders"] += 1
        before = (self.folder / "run" / jn.NAME).read_bytes()
        with pytest.raises(StudyLocked):
            jn.Journal(self.folder / "run")
        assert (self.folder / "run" / jn.NAME).read_bytes() == before

    @invariant()
    def nothing_told_is_lost_and_nothing_is_counted_twice(self) -> None:
        trials = self.study.history.trials
        assert [trial.number for trial in trials] == list(range(len(trials)))
        assert len(trials) <= LIMIT
        for number, score in self.told.items():
            assert trials[number].status == ("failed" if score is None else "completed")
            assert trials[number].score == score
        for number, key in self.asked.items():
            assert SPACE.key(trials[number].values) == key
        done = {trial.number for trial in trials if trial.status != "running"}
        assert done == set(self.told)

    @invariant()
    def the_journal_says_the_same(self) -> None:
        assert [e for e in jn.read(self.folder / "run").events if e.type == "trial_completed"] == [
            e for e in jn.read(self.folder / "run").events if e.type == "trial_completed" and e.trial in self.told
        ]


def dying(action: Callable[[], object], point: int, how: str) -> None:
    """In a fork: SIGKILL at the point-th write or fsync of `action`, else an end without a word. Does not return."""
    count = 0
    write, fsync = os.write, os.fsync

    def here() -> bool:
        nonlocal count
        count += 1
        return count == point + 1

    def die() -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    def fatal_write(descriptor: int, data: bytes) -> int:
        if here():
            write(descriptor, {"before": b"", "half": data[: len(data) // 2], "after": data}[how])
            die()
        return write(descriptor, data)

    def fatal_fsync(descriptor: int) -> None:
        if here():
            if how == "after":
                fsync(descriptor)
            die()
        fsync(descriptor)

    try:
        os.write, os.fsync = fatal_write, fatal_fsync  # type: ignore[assignment]
        action()
    finally:
        os._exit(0)


def abandon(study: Study) -> None:
    """Let go of a dead process's files without a last word."""
    journal = study.journal
    assert journal is not None
    journal._held.close()


def test_any_history_of_asking_telling_dying_and_reopening_keeps_every_result() -> None:
    from hypothesis.stateful import run_state_machine_as_test

    run_state_machine_as_test(
        JournalAndStudy,
        settings=settings(
            max_examples=200,
            stateful_step_count=30,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            phases=[Phase.generate],  # shrinking takes minutes; add Phase.shrink to look into a failure
        ),
    )
    measured("machine", "all", **COUNTS, violations=0)
