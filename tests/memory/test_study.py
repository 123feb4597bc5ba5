"""Ask and tell: the library user's door."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hptune import events as ev
from hptune.config.specs import StudyConfig
from hptune.errors import JournalDamaged, StudyExhausted, UsageError
from hptune.history import IllegalEvent
from hptune.journal import Journal
from hptune.objective import Objective
from hptune.oracles.bayesian import Bayesian
from hptune.space import Float, SearchSpace
from hptune.study import Study
from hptune.tuner import Tuner
from tests.conftest import SPACES


def test_trial_0_is_the_defaults_and_the_users_starts_follow_filled_up() -> None:
    space = SPACES["extras and fixed"]
    study = Study(
        space, Objective("loss", "minimize"), starts=[{"kernel": "poly"}, {}, {"kernel": "linear", "eps": 0}]
    )
    asked = [dict(study.ask().values) for _ in range(3)]
    assert asked[0] == space.defaults()
    assert asked[1] == space.complete({"kernel": "poly"})
    assert asked[2] == {"kernel": "linear", "eps": 0, "cache": 200}


def test_seed_0_is_a_seed_of_its_own() -> None:
    space = SPACES["sixty dimensions"]
    runs = []
    for seed in (0, 0, 1):
        study = Study(space, Objective("loss", "minimize"), seed=seed)
        runs.append([study.ask().values for _ in range(3)][1:])
    assert runs[0] == runs[1] != runs[2]


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), 10**400, [0.1, float("nan")], {"loss": float("nan")}])
def test_what_is_not_finite_makes_the_trial_invalid(bad: object) -> None:
    study = Study(SPACES["one dimension"], Objective("loss", "minimize"))
    trial = study.ask()
    told = study.tell(trial.number, bad)  # type: ignore[arg-type]
    assert told.failure is not None
    assert told.failure.kind == "invalid"
    assert study.best is None


@pytest.mark.parametrize(
    ("bad", "said"),
    [
        (None, "either a score or"),
        ("0.5", r"expected a number, or one for each fold, found '0.5' \(str\); the trial stays open"),
        (True, "found True"),
        (1 + 2j, "found "),
        ([], "found no scores"),
        ([0.1, None], r"found None \(NoneType\)"),
        (np.ones((2, 2)), "found array"),
        ({"rmse": 0.3}, "expected 'loss' among the metrics told, found rmse"),
        ({}, "found none"),
        ({"loss": "low"}, "found 'low'"),
    ],
)
def test_what_is_no_number_is_refused_and_the_trial_stays_open(bad: object, said: str) -> None:
    study = Study(SPACES["one dimension"], Objective("loss", "minimize"))
    trial = study.ask()
    with pytest.raises(UsageError, match=said):
        study.tell(trial, bad)  # type: ignore[arg-type]
    assert study.tell(trial, {"loss": 0.25, "other": "x"}).score == 0.25


def test_reprs_are_short_and_tell_name_counts_and_best() -> None:
    study = Study(SPACES["one dimension"], Objective("loss", "minimize"), name="mine")
    assert repr(study) == "<Study 'mine': 0 trials>"
    study.tell(study.ask(), 0.5)
    study.tell(study.ask(), failed="no")
    said = "'mine': 2 trials (1 failed), best loss 0.5 in trial 0>"
    assert repr(study) == f"<Study {said}"
    assert repr(study.history) == f"<History {said}"
    first, second = study.history.trials
    assert repr(first) == f"<Trial 0: completed, score 0.5, {dict(first.values)}>"
    assert repr(second) == f"<Trial 1: failed (error), {dict(second.values)}>"


def test_folds_make_a_mean_and_a_standard_deviation() -> None:
    study = Study(SPACES["one dimension"], Objective("r2", "maximize"))
    trial = study.tell(study.ask().number, [0.2, 0.4, 0.6])
    assert trial.score == pytest.approx(0.4)
    assert trial.std == pytest.approx(0.2)
    assert trial.scores == (0.2, 0.4, 0.6)


def test_a_trial_is_told_once() -> None:
    study = Study(SPACES["one dimension"], Objective("loss", "minimize"))
    number = study.ask().number
    study.tell(number, 1.0)
    with pytest.raises(IllegalEvent, match="completed already"):
        study.tell(number, 2.0)
    assert study.best is not None
    assert study.best.score == 1.0


def test_a_finite_space_raises_when_it_is_used_up() -> None:
    study = Study(SPACES["three points"], Objective("loss", "minimize"))
    for _ in range(3):
        study.ask()
    with pytest.raises(StudyExhausted, match="every configuration"):
        study.ask()


def test_a_lookahead_refuses_to_run_ahead_of_it() -> None:
    study = Study(SPACES["one dimension"], Objective("loss", "minimize"), lookahead=2)
    study.ask()
    study.ask()
    with pytest.raises(UsageError, match=r"tell the result of trials \[0, 1\]"):
        study.ask()


def test_a_kept_study_goes_on_where_it_stopped(tmp_path: Path) -> None:
    space = SPACES["log ints and steps"]
    with Study(space, Objective("loss", "minimize"), seed=5) as whole:
        expected = []
        for i in range(6):
            trial = whole.ask()
            expected.append(dict(trial.values))
            whole.tell(trial.number, float(i))
    found = []
    for part in range(3):
        with Study(space, Objective("loss", "minimize"), seed=5, directory=tmp_path) as study:
            for i in range(2):
                trial = study.ask()
                found.append(dict(trial.values))
                study.tell(trial.number, float(2 * part + i))
    assert found == expected


def test_another_space_in_the_same_directory_is_refused(tmp_path: Path) -> None:
    Study(SPACES["one dimension"], Objective("loss", "minimize"), directory=tmp_path).close()
    with pytest.raises(UsageError, match="another space"):
        Study(SPACES["three points"], Objective("loss", "minimize"), directory=tmp_path)


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"objective": Objective("acc", "maximize")}, "direction: expected maximize, found minimize"),
        ({"objective": Objective("auc", "minimize")}, "metric: expected auc, found acc"),
        ({"seed": 3}, "seed: expected 3, found 0"),
        ({"oracle": "tpe"}, "oracle: expected tpe, found bayesian"),
        ({"oracle": Bayesian(startup=4)}, "oracle option startup: expected 4, found "),
        (
            {"objective": Objective("acc", "maximize"), "seed": 3},
            "direction: expected maximize, found minimize; seed: expected 3, found 0",
        ),
    ],
)
def test_a_study_goes_on_only_with_the_objective_oracle_and_seed_it_began_with(
    tmp_path: Path, asked: dict[str, Any], said: str
) -> None:
    began: dict[str, Any] = {"objective": Objective("acc", "minimize"), "oracle": "bayesian", "seed": 0}
    with Study(SPACES["one dimension"], **began, directory=tmp_path) as study:
        for score in (0.1, 0.5, 0.9):
            study.tell(study.ask().number, score)
    with pytest.raises(UsageError, match="holds a study of another ") as refused:
        Study(SPACES["one dimension"], **{**began, **asked}, directory=tmp_path)
    assert said in str(refused.value)
    assert "Take another directory" in str(refused.value)
    with Study(SPACES["one dimension"], **began, directory=tmp_path, lookahead=2) as again:  # as it began: not locked
        assert again.best is not None
        assert again.best.number == 0


def test_an_option_that_an_earlier_version_did_not_know_is_no_difference(tmp_path: Path) -> None:
    space = SPACES["one dimension"]
    began = ev.StudyStarted(
        time=0,
        name="study",
        metric="loss",
        direction="minimize",
        space=space.to_json(),
        seed=0,
        oracle={"type": "bayesian"},
        hashes={"space": space.hash},
    )
    Study.of(began, Bayesian(), Journal(tmp_path)).close()
    Study(space, Objective("loss", "minimize"), "bayesian", directory=tmp_path).close()


@pytest.mark.parametrize("name", ["a\nb", "a\x1b[31m", "a\x9bm", "a\u2028b", "a\r"])
def test_a_name_that_a_terminal_would_obey_is_refused_and_any_other_is_not(name: str) -> None:
    plain = Objective("loss of / the 2nd kind", "minimize")
    with pytest.raises(UsageError, match="space: expected a name on one line without control characters"):
        Study(SearchSpace((Float(name=name, low=0, high=1),)), plain)
    space = SearchSpace((Float(name="a b/c\tα", low=0, high=1),))
    with pytest.raises(UsageError, match="objective: expected a name on one line without control characters"):
        Study(space, Objective(name, "minimize"))
    assert Study(space, plain).ask().number == 0


def test_an_unknown_oracle_is_refused_with_a_suggestion() -> None:
    with pytest.raises(UsageError, match="did you mean 'random'"):
        Study(SPACES["one dimension"], Objective("loss", "minimize"), oracle="randon")


def test_what_was_asked_may_be_told_by_the_trial_itself() -> None:
    study = Study(SPACES["one dimension"], Objective("loss", "minimize"))
    assert study.tell(study.ask(), 0.5).score == 0.5
    with pytest.raises(UsageError, match="number: expected a trial or its number, found '1'"):
        study.tell("1", 0.5)  # type: ignore[arg-type]


@pytest.mark.parametrize("score", [np.array(0.25), np.float32(0.25), np.array([0.25]), [np.array(0.25)], (0.25,)])
def test_scores_may_be_numpys(score: Any) -> None:
    study = Study(SPACES["one dimension"], Objective("loss", "minimize"))
    assert study.tell(study.ask(), score).scores == (0.25,)


@pytest.mark.parametrize(
    ("name", "direction"), [("accuracy", "maximize"), ("val_loss", "minimize"), ("jaccard", "maximize")]
)
def test_an_objective_may_be_a_name_that_tells_its_direction(name: str, direction: str) -> None:
    assert Study(SPACES["one dimension"], name).history.objective == Objective(name, direction)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="direction"):
        Objective(name)  # type: ignore[call-arg]


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"objective": "speed"}, r"hptune.Objective\('speed', 'maximize' or 'minimize'\)"),
        ({"objective": 3}, r"objective: expected hptune.Objective\(metric, direction\), found 3 \(int\)"),
        ({"space": {"x": [1, 2]}}, r"space: expected hptune.SearchSpace\(\[...\]\) or HyperParameters, found"),
        ({"seed": -1}, "seed: expected a whole number from 0 up, or None, found -1"),
        ({"seed": "1"}, "seed: expected a whole number from 0 up, or None, found '1'"),
        ({"lookahead": 0}, "lookahead: expected a whole number from 1 up, or None, found 0"),
    ],
)
def test_arguments_that_cannot_be_used_are_refused_in_words(wrong: dict[str, Any], said: str) -> None:
    fine: dict[str, Any] = {"space": SPACES["one dimension"], "objective": "loss"}
    with pytest.raises(UsageError, match=said):
        Study(**{**fine, **wrong})


def test_no_seed_draws_one_and_goes_on_with_a_kept_studys(tmp_path: Path) -> None:
    space = SPACES["one dimension"]
    assert Study(space, "loss", seed=None).history.seed != Study(space, "loss", seed=None).history.seed
    with Study(space, "loss", seed=None, directory=tmp_path) as study:
        drawn = study.history.seed
    with Study(space, "loss", seed=None, directory=tmp_path) as again:
        assert again.history.seed == drawn


def test_a_closed_study_says_that_it_is_closed(tmp_path: Path) -> None:
    with Study(SPACES["one dimension"], "loss", directory=tmp_path) as study:
        number = study.ask().number
    for call in (study.ask, lambda: study.tell(number, 1.0)):
        with pytest.raises(UsageError, match=r"the study is closed; Study\(..., directory='.*'\) continues it"):
            call()


def test_a_study_in_memory_has_nothing_to_close() -> None:
    with Study(SPACES["one dimension"], "loss") as study:
        number = study.ask().number
    study.close()
    study.tell(number, 1.0)
    assert study.ask().number == 1


def test_a_seed_that_is_left_out_is_the_folders_and_else_0(tmp_path: Path) -> None:
    space = SPACES["one dimension"]
    assert Study(space, "loss").history.seed == 0
    Study(space, "loss", seed=5, directory=tmp_path).close()
    with Study(space, "loss", directory=tmp_path) as study:
        assert study.history.seed == 5
    with pytest.raises(UsageError, match="seed: expected 0, found 5"):
        Study(space, "loss", seed=0, directory=tmp_path)


def test_a_folder_of_hptune_run_is_refused_and_left_as_it_was(tmp_path: Path) -> None:
    space = SPACES["one dimension"]
    begun = Study(space, "loss").history.started.model_copy(update={"config": {"version": 1}})
    Study.of(begun, Study(space, "loss").oracle, Journal(tmp_path)).close()
    before = (tmp_path / "journal.jsonl").read_bytes()
    with pytest.raises(UsageError, match=r"belongs to `hptune run`; read it with `hptune show .*`, or take another"):
        Study(space, "loss", directory=tmp_path)
    tuner = Tuner(lambda hp: hp.Float("x", 0, 1), "r2", directory=tmp_path)
    with pytest.raises(UsageError, match="belongs to `hptune run`"):
        tuner.search([[0.0]] * 10, [0.0] * 10)
    assert (tmp_path / "journal.jsonl").read_bytes() == before
    Study.of(begun, Study(space, "loss").oracle, Journal(tmp_path)).close()  # as the command line opens it


@pytest.mark.parametrize("name", ["lock", "journal.jsonl"])
@pytest.mark.parametrize("text", ["mine", "mine\nand mine\n"])
def test_a_study_writes_over_no_file_of_others(tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises((UsageError, JournalDamaged), match=f"{name}.* "):
        Study(SPACES["one dimension"], "loss", directory=tmp_path)
    assert (tmp_path / name).read_text() == text


def test_the_oracle_is_auto_as_on_the_command_line() -> None:
    theirs = StudyConfig.model_fields["oracle"].get_default(call_default_factory=True)
    assert Study(SPACES["one dimension"], "loss").oracle == theirs


class Mute(Exception):
    def __str__(self) -> str:
        raise RuntimeError("no words")


def test_an_exception_that_cannot_be_shown_is_a_failure_all_the_same() -> None:
    study = Study(SPACES["one dimension"], "loss")
    failure = study.tell(study.ask(), failed=Mute(), kind="memory").failure
    assert failure is not None
    assert (failure.kind, failure.message) == ("memory", "Mute: (its message cannot be shown)")


@pytest.mark.parametrize("about", [{"x": object()}, {"x": float("nan")}, {("a", 1): 2}, 3])
@pytest.mark.parametrize("kept", [True, False])
def test_what_no_journal_can_hold_is_refused_before_anything_is_written(
    tmp_path: Path, about: Any, kept: bool
) -> None:
    with pytest.raises(UsageError, match="about: expected a mapping of text, numbers"):
        Study(SPACES["one dimension"], "loss", directory=tmp_path / "s" if kept else None, about=about)
    assert list(tmp_path.iterdir()) == []
    study = Study(SPACES["one dimension"], "loss", about={"who": ("me", None)})
    assert study.history.started.about == {"who": ["me", None]}
