"""What is said of a score beside another one, and of parameters that are the same in all trials of a table."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from hptune import cli
from hptune.history import History
from hptune.objective import Objective
from hptune.report import figures, phrases
from hptune.report.closing import Closing, closing
from hptune.report.markdown import Facts, summary
from hptune.space import Choice, Float, SearchSpace
from hptune.study import Study
from tests import told

Capture = pytest.CaptureFixture[str]
SPACE = SearchSpace((Float(name="x", low=0.0, high=1.0, default=0.5), Choice(name="kind", values=("same", "other"))))


def of(
    *scores: float, folder: Path | None = None, holdout: Mapping[int, float] | None = None, name: str = "told"
) -> Study:
    """A study of the scores, all trials of one kind, with (trial: score) on the holdout."""
    starts = [{"x": 0.5 + 0.1 * number, "kind": "same"} for number in range(len(scores))]
    study = Study(SPACE, Objective("loss", "maximize"), "random", directory=folder, starts=starts, name=name)
    for score in scores:
        study.tell(study.ask(), score)
    for number, score in (holdout or {}).items():
        study.holdout(number, {"loss": score})
    study.end("trials")
    return study


def closed(history: History) -> str:
    return "\n".join(closing(history, Closing(stop_reason="trials", folder="runs/x"), width=None))


def test_markdown_tables_say_what_is_the_same_in_all(tmp_path: Path, capsys: Capture) -> None:
    study = of(0.1, 0.3, 0.2, folder=tmp_path / "run")
    facts = Facts(stop_reason="trials", folder="runs/x", command="hptune run x.yaml")
    assert "\n\nThe same in all: `kind=same`\n" in summary(study.history, facts)
    study.close()
    assert cli.invoke(["trials", str(tmp_path / "run"), "--top", "2", "--format", "markdown"]) == 0
    assert capsys.readouterr().out.endswith("|\n\nThe same in all: `kind=same`\n")


def test_a_score_of_zero_has_the_decimals_of_the_one_beside_it() -> None:
    history = of(0.0, 0.3).history
    assert "0.0000 (trial 0)" in closed(history)
    best, baseline = history.best, history.baseline
    assert phrases.score(history.objective, baseline, best) == "0.0000"  # type: ignore[arg-type]
    assert phrases.score(history.objective, baseline) == "0.00"  # type: ignore[arg-type]


def test_the_holdout_of_the_best_has_that_of_the_defaults_beside_it(tmp_path: Path, capsys: Capture) -> None:
    study = of(0.1, 0.3, folder=tmp_path / "run", holdout={0: 0.125, 1: 0.25})
    said = "0.2500 (the defaults 0.1250)"
    assert said in closed(study.history)
    study.close()
    for verb in ("best", "show"):
        assert cli.invoke([verb, str(tmp_path / "run")]) == 0
        assert said in capsys.readouterr().out
    assert "(the defaults" not in closed(of(0.3, 0.1, holdout={0: 0.25}).history)
    assert "(the defaults" not in closed(of(0.1, 0.3, holdout={1: 0.25}).history)


def test_a_trial_without_folds_has_no_line_of_them(tmp_path: Path, capsys: Capture) -> None:
    study = told.study(directory=tmp_path / "run")
    told.fail(study)
    study.close()
    assert cli.invoke(["show", str(tmp_path / "run"), "0"]) == 0
    assert "\n  folds" not in capsys.readouterr().out


def test_the_same_score_looks_the_same_in_a_figure_of_two_studies() -> None:
    pair = [of(0.03226, 0.031, name="a").history, of(0.03226, 0.0001, 0.0002, name="b").history]
    figure = figures._over_shared(pair, "x")
    _, texts = figure.axes[0].get_legend_handles_labels()
    shown = [text.rpartition("score ")[2] for text in texts if "score " in text]
    assert len(shown) == 2
    assert len(set(shown)) == 1
