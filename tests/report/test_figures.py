"""Figures: one of each kind, readable files, the same bytes twice, and awkward studies drawn all the same."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from hptune import events as ev
from hptune.conditions import clause
from hptune.errors import UsageError
from hptune.history import History
from hptune.objective import Objective
from hptune.report import figure_style as style
from hptune.report import figures
from hptune.report.figure_parts import Window, crown, numeric, place
from hptune.space import Choice, Fixed, Float, Int, SearchSpace
from hptune.study import Study
from hptune.trial import Measurement
from tests import told

LOSS = Objective("loss", "minimize")


def drawn(out: Path, *histories: History) -> set[str]:
    """Draw, check that every file is there twice and whole, and return the figures' names."""
    files = figures.draw_histories(histories, out)
    assert sorted(files) == sorted(out.iterdir())
    for path in files:
        start = path.read_bytes()[:60]
        assert start.startswith(b"\x89PNG" if path.suffix == ".png" else b"<?xml"), path
    names = [path.stem for path in files]
    assert all(names.count(name) == 2 for name in names)
    return set(names)


def scored(space: SearchSpace, *scores: float, name: str = "told", objective: Objective = LOSS) -> History:
    """Return a study of these scores, each with a train score half as large."""
    study = told.study(space, objective, name=name)
    for score in scores:
        number = study.ask().number
        study.score(number, Measurement(0, score, train_score=score / 2))
        study.complete(number)
    return study.history


def test_a_study_has_its_history_and_its_numeric_parameters(tmp_path: Path) -> None:
    assert drawn(tmp_path, told.ridge().history) == {"told-history", "told-parameters"}


def test_studies_of_one_metric_are_compared_and_shared_parameters_laid_over_each_other(tmp_path: Path) -> None:
    first, second = told.ridge().history, told.ridge().history
    names = drawn(tmp_path, first, second, told.pipeline().history)
    assert names >= {"compared-root_mean_squared_error", "compared-alpha-root_mean_squared_error"}
    assert {"told-history", "told-history-2"} <= names  # two studies of one name keep their figures apart


def test_folders_are_drawn_as_their_histories_are(tmp_path: Path) -> None:
    told.ridge(tmp_path / "run").close()
    before = sorted((tmp_path / "run").iterdir())
    files = figures.draw([tmp_path / "run"], tmp_path / "figures")
    assert {path.stem for path in files} == {"told-history", "told-parameters"}
    assert sorted((tmp_path / "run").iterdir()) == before


def test_the_same_study_gives_the_same_bytes(tmp_path: Path) -> None:
    for folder in ("one", "two"):
        drawn(tmp_path / folder, told.ridge().history)
    for path in (tmp_path / "one").iterdir():
        assert path.read_bytes() == (tmp_path / "two" / path.name).read_bytes(), path.name
        assert b"dc:date" not in path.read_bytes()


def test_a_study_without_a_completed_trial_or_with_a_single_one_has_nothing_to_draw(tmp_path: Path) -> None:
    failed = told.study()
    told.fail(failed)
    assert drawn(tmp_path / "a", failed.history, told.study().history) == set()
    assert drawn(tmp_path / "b", scored(told.RIDGE, 1.0)) == set()


AWKWARD = SearchSpace(
    (
        Choice(name="kind", values=("a", "b")),
        Float(name="tiny", low=1e-300, high=1e300, scale="log"),
        Float(name="gamma", low=1e-5, high=1, scale="log", extra=("scale", 0), when=clause("kind", "a")),
        Float(name="momentum", low=0.5, high=0.999, scale="reverse_log"),
        Int(name="a/very:long name\twith $everything$ in it " + "x" * 80, low=-3, high=4),
        Choice(name="width", values=(16, 32, 64), ordered=True),
        Float(name="point", low=2, high=2),
        Fixed(name="cache", value=200),
    )
)


def test_only_parameters_with_numbers_to_tell_apart_are_drawn() -> None:
    history = told.study(AWKWARD).history
    assert [parameter.name[:8] for parameter in numeric(history)] == [
        "tiny",
        "gamma",
        "momentum",
        "a/very:l",
        "width",
    ]


@pytest.mark.parametrize(
    "scores",
    [(1.0, 1.0, 1.0), (0.0, 0.0), (1e-12, 2e-12, 3e-12), (1.0, 1e306, -1e306, 2.0), (5.0, 4.0, 3e9, 4.5, 4.2, 4.4)],
    ids=["equal", "zero", "tiny", "huge", "one-wild"],
)
def test_awkward_spaces_and_scores_are_drawn_without_a_warning(tmp_path: Path, scores: tuple[float, ...]) -> None:
    assert drawn(tmp_path, scored(AWKWARD, *scores), scored(told.RIDGE, *scores, name="$x$")) >= {"told-parameters"}


@pytest.mark.parametrize(("low", "high"), [(0.99990, 0.99995), (55.2, 55.4), (-1, 1), (0, 5e-5), (1e300, 1.0005e300)])
def test_a_linear_axis_labels_its_ticks_with_what_they_are(low: float, high: float) -> None:
    with style.styled():
        _, (axes,) = style.panels(1)
        style.number_axis(axes.yaxis)
        axes.set_ylim(low, high)
        ticks = list(axes.get_yticks())
        labels = axes.yaxis.get_major_formatter().format_ticks(ticks)
    assert len(set(labels)) == len(labels) > 3
    assert [float(label) for label in labels] == pytest.approx(ticks, rel=1e-9, abs=1e-9 * high)


def test_file_names_hold_no_characters_that_a_file_system_minds(tmp_path: Path) -> None:
    histories = [scored(AWKWARD, 1.0, 2.0, name=name, objective=Objective(name, "minimize")) for name in ("A", "a")]
    names = drawn(tmp_path, *histories)
    assert all(re.fullmatch(r"[A-Za-z0-9._-]{1,130}", name) for name in names)
    assert len({name.lower() for name in names}) == len(names)


def test_a_wild_score_is_shown_at_the_edge_and_counted_while_the_defaults_stay_inside() -> None:
    scores = [1.0, 1.1, 1.2, 1.3, 1.05, 1.15, 1.25, 1e9]
    window = Window(scores, LOSS)
    assert window.high < 3
    assert window.clip([1e9, 1.0]) == [window.high, 1.0]
    assert window.note("trial", scores) == "trial (1 beyond the axis)"
    assert 50.0 in Window(scores, LOSS, kept=[50.0])
    mirrored = Window([-score for score in scores], Objective("r2", "maximize"))
    assert (mirrored.low, mirrored.high) == (-window.high, -window.low)


def test_a_winner_of_the_finals_is_called_so_and_the_best_of_the_search_is_not(tmp_path: Path) -> None:
    made = told.ridge()
    history = made.history
    assert crown(history) == "best"
    gain: dict[str, float | None] = {"mean": 1.0}
    time = history.last_time
    event = ev.WinnerChosen(time=time, trial=6, finalists=[0, 4, 6], folds=5, rule="mean", gain=gain, optimism=0.0)
    history.apply(event)
    assert crown(history) == "winner of the finals"
    assert drawn(tmp_path, history) == {"told-history", "told-parameters"}


def test_inactive_parameters_and_extra_values_have_no_place_on_the_axis() -> None:
    study = Study(AWKWARD, LOSS, seed=0, starts=[{"kind": "a", "gamma": "scale"}, {"kind": "b"}])
    trials = [study.ask() for _ in range(3)]
    assert [place(trial, AWKWARD["gamma"]) for trial in trials[1:]] == [None, None]
    assert place(trials[0], AWKWARD["gamma"]) == pytest.approx(10**-2.5)


def test_the_figures_of_many_trials_stay_small(tmp_path: Path) -> None:
    drawn(tmp_path, scored(told.RIDGE, *(1 / (1 + i) for i in range(style.MANY + 500))))
    assert max(path.stat().st_size for path in tmp_path.iterdir()) < 500_000


def test_a_users_own_matplotlib_settings_change_nothing_and_are_left_alone(tmp_path: Path) -> None:
    import matplotlib

    drawn(tmp_path / "plain", told.ridge().history)
    with matplotlib.rc_context({"axes.facecolor": "black", "font.size": 30}):
        drawn(tmp_path / "black", told.ridge().history)
        assert matplotlib.rcParams["font.size"] == 30
    for path in (tmp_path / "plain").iterdir():
        assert path.read_bytes() == (tmp_path / "black" / path.name).read_bytes()


def test_without_matplotlib_the_error_names_the_extra(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(UsageError, match=r"pip install 'hptune\[figures\]'"):
        figures.draw_histories([told.ridge().history], tmp_path)


def test_importing_the_figures_does_not_import_matplotlib() -> None:
    code = "import sys, hptune.report.figures; sys.exit('matplotlib' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], timeout=60).returncode == 0
