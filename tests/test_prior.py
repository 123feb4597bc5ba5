"""Earlier studies as prior knowledge: carried into the present space, kept with the study, believed as far as right."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hptune import cli
from hptune import events as ev
from hptune.conditions import clause
from hptune.config.load import load
from hptune.errors import StudyExhausted
from hptune.objective import Objective
from hptune.oracles import ORACLES
from hptune.oracles.hyperband import Hyperband
from hptune.own_oracle import oracle_of
from hptune.prior import BELIEF, NOISE, SPREAD, earlier, first_of, taken, weights
from hptune.space import Choice, Fixed, Float, Int, SearchSpace
from hptune.study import Study
from hptune.surrogate.gp import GaussianProcess
from hptune.surrogate.prior_mean import Shifted
from tests import told
from tests.conftest import SPACES
from tests.oracles.test_laws import make, score

Capture = pytest.CaptureFixture[str]
MIXED = SPACES["extras and fixed"]
FIDELITY = "(fidelity)"
LEARNERS = sorted(name for name, kind in ORACLES.items() if kind.uses_prior)


def record(
    space: SearchSpace, trials: int = 20, sign: float = 1.0, into: SearchSpace | None = None
) -> dict[str, Any]:
    """Return what an earlier random study of `sign * score` knows."""
    study = Study(space, Objective("loss", "minimize"), oracle="random", seed=9)
    for _ in range(trials):
        trial = study.ask()
        study.tell(trial.number, sign * score(space, dict(trial.values)))
    return {"run": "runs/earlier", "hash": "0" * 16, **taken(study.history, into or space, 200)}


def with_prior(name: str, space: SearchSpace, prior: list[dict[str, Any]], *, direction: Any = "minimize") -> Study:
    starts = [space.defaults()]
    first = first_of(space, prior, starts)
    started = ev.StudyStarted(
        time=0, name="s", metric="loss", direction=direction, space=space.to_json(), seed=0, lookahead=1,
        starts=[*starts, *first], prior=prior, prior_starts=len(first),
    )  # fmt: skip
    return Study.of(started, make(name), None)


def go(study: Study, trials: int, scale: float = 1.0) -> list[dict[str, Any]]:
    """Return the configurations tried, each with its fidelity."""
    space = study.history.space
    for _ in range(trials):
        try:
            trial = study.ask()
        except StudyExhausted:
            break
        study.tell(trial.number, scale * score(space, dict(trial.values)))
    return [{**trial.values, FIDELITY: trial.fidelity} for trial in study.history.trials]


# -- what is carried over -------------------------------------------------------------------------------------------


def test_trials_are_carried_into_the_present_space() -> None:
    old = SearchSpace(
        (Float(name="x", low=0, high=10), Choice(name="k", values=("a", "b")), Float(name="gone", low=0, high=1))
    )
    new = SearchSpace(
        (
            Float(name="x", low=0, high=5),
            Choice(name="k", values=("b", "c")),
            Int(name="more", low=1, high=9, default=4, when=clause("k", "b")),
        )
    )
    study = Study(old, Objective("acc", "maximize"), seed=0)
    study.tell(study.ask().number, failed="no")
    history = study.history
    for values, found in (
        ({"x": 1.0, "k": "b", "gone": 0.1}, 0.5),
        ({"x": 1.0, "k": "b", "gone": 0.9}, 0.7),  # the same but for what is gone: their mean counts
        ({"x": 7.0, "k": "b", "gone": 0.5}, 0.9),
        ({"x": 2.0, "k": "a", "gone": 0.5}, 0.9),
        ({"x": 3.0, "k": "b", "gone": 0.5}, 0.8),
    ):
        number = len(history.trials)
        history.apply(ev.TrialStarted(time=0, trial=number, values=values))
        study.tell(number, found)
    found = taken(history, new, 200)
    assert (found["trials"], found["outside"]) == (5, 2)
    assert found["kept"] == [[{"x": 3.0, "k": "b", "more": 4}, -0.8], [{"x": 1.0, "k": "b", "more": 4}, -0.6]]


def test_of_many_trials_the_best_half_and_a_spread_are_kept() -> None:
    study = Study(MIXED, Objective("loss", "minimize"), oracle="random", seed=9)
    for i in range(60):
        study.tell(study.ask().number, float(i))
    kept = [one[1] for one in taken(study.history, MIXED, 10)["kept"]]
    assert kept[:5] == [0, 1, 2, 3, 4]
    assert kept[5:] == sorted(kept[5:])
    assert kept[-1] == 59


# -- how much it is believed ----------------------------------------------------------------------------------------


def test_weights_are_the_ridge_regression_they_claim_to_be() -> None:
    rng = np.random.default_rng(0)
    m, w = rng.normal(size=(12, 2)), rng.normal(size=12)
    m[:, 0] += w
    # An independent form: least squares with the prior as two further observations.
    a, b = m - m.mean(axis=0), w - w.mean()
    rows = np.concatenate([a / np.sqrt(NOISE), np.eye(2) / SPREAD])
    goal = np.concatenate([b / np.sqrt(NOISE), np.full(2, BELIEF / 2 / SPREAD)])
    assert weights(m, w) == pytest.approx(np.clip(np.linalg.lstsq(rows, goal, rcond=None)[0], 0, 1.5))


def test_belief_fades_where_an_earlier_study_was_wrong_and_stays_where_it_was_right() -> None:
    w = np.linspace(-1.5, 1.5, 30)
    right, wrong = weights(w[:, None], w), weights(-w[:, None], w)
    assert right[0] > 0.8
    assert wrong[0] == 0.0
    assert weights(-w[:2, None], w[:2])[0] == pytest.approx(BELIEF, abs=0.15)  # two losses prove nothing


def test_the_shifted_process_has_the_gradient_it_says() -> None:
    rng = np.random.default_rng(1)
    U, Z, levels = rng.random((14, 3)), rng.integers(0, 2, (14, 1)), np.array([2])
    phi = np.log(np.array([0.4, 0.6, 0.5, 0.7, 0.01]))
    processes = [GaussianProcess(U, Z, levels, rng.normal(size=14), np.zeros(14), phi) for _ in range(2)]
    model = Shifted(processes[0], ((0.7, processes[1]),), 0.3)
    X, C = rng.random((5, 3)), rng.integers(0, 2, (5, 1))
    mean, _, d_mean, _ = model.slopes(X, C)
    assert mean == pytest.approx(model.predict(X, C)[0])
    for j in range(3):
        step = np.zeros(3)
        step[j] = 1e-6
        numeric = (model.mean(X + step, C) - model.mean(X - step, C)) / 2e-6
        assert d_mean[:, j] == pytest.approx(numeric, abs=1e-6)


# -- the laws with it -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", sorted(ORACLES))
@pytest.mark.parametrize("label", ["extras and fixed", "deeply conditional", "constrained", "three points"])
def test_every_oracle_keeps_its_laws_with_it(name: str, label: str) -> None:
    space = SPACES[label]
    prior = [
        record(space, 3 if label == "three points" else 15),
        record(space, 3 if label == "three points" else 15, -1.0),
    ]
    trials = 3 if label == "three points" else 10
    found = go(with_prior(name, space, prior), trials)
    tried = [(space.key({k: v for k, v in one.items() if k != FIDELITY}), one[FIDELITY]) for one in found]
    assert len(set(tried)) == len(tried) >= min(trials, 8)
    assert all(space.check({k: v for k, v in one.items() if k != FIDELITY}) is None for one in found[1:])
    assert found == go(with_prior(name, space, prior), trials)
    assert found == go(with_prior(name, space, prior, direction="maximize"), trials, -1.0)
    assert found == go(with_prior(name, space, prior), trials, 2.0**-7)


@pytest.mark.parametrize("name", LEARNERS)
def test_what_it_knows_changes_what_is_tried(name: str) -> None:
    prior = [record(MIXED, 30)]
    runs = [go(with_prior(name, MIXED, one), 14) for one in (prior, [{**prior[0], "kept": prior[0]["kept"][:2]}])]
    assert runs[0] != runs[1]  # two trials have no shape: `earlier` leaves them out
    assert earlier(with_prior(name, MIXED, [{**prior[0], "kept": prior[0]["kept"][:2]}]).history) == ()


@pytest.mark.parametrize("name", LEARNERS)
def test_huge_and_equal_earlier_losses_are_survived(name: str) -> None:
    base = record(MIXED, 12)
    huge = {**base, "kept": [[v, (-1) ** i * 1e300 * (i + 1)] for i, (v, _) in enumerate(base["kept"])]}
    equal = {**base, "kept": [[v, 1.0] for v, _ in base["kept"]]}
    go(with_prior(name, MIXED, [huge, equal]), 14)


# -- from a config --------------------------------------------------------------------------------------------------

CONFIG = """
model: {function: "goals:f"}
space: {x: {type: float, min: -5, max: 5, default: 3}, y: [a, b]}
evaluate: {metric: loss, direction: minimize}
oracle: {type: bayesian}
budget: {trials: 8}
executor: {type: serial}
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    (tmp_path / "goals.py").write_text("def f(values):\n    return (values['x'] - 1) ** 2\n")
    (tmp_path / "first.yaml").write_text(CONFIG)
    (tmp_path / "second.yaml").write_text(CONFIG + "prior: {runs: [old]}\n")
    monkeypatch.chdir(tmp_path)
    path = list(sys.path)
    assert cli.invoke(["run", "first.yaml", "--dir", "old", "-q"]) == 0
    yield tmp_path
    sys.path[:] = path
    sys.modules.pop("goals", None)


def params(folder: str, capsys: Capture) -> list[Any]:
    capsys.readouterr()
    assert cli.invoke(["trials", folder, "--format", "json"]) == 0
    return [one["params"] for one in json.loads(capsys.readouterr().out)["trials"]]


def test_a_study_goes_on_without_the_earlier_directory(project: Path, capsys: Capture) -> None:
    assert cli.invoke(["run", "second.yaml", "--dir", "whole", "-q"]) == 0
    assert cli.invoke(["run", "second.yaml", "--dir", "cut", "-q", "--trials", "4"]) == 0
    before = (project / "old" / "journal.jsonl").read_bytes()
    shutil.rmtree("old")
    assert cli.invoke(["run", "second.yaml", "--dir", "cut", "-q", "--trials", "8"]) == 0
    assert params("cut", capsys) == params("whole", capsys)
    assert len(params("whole", capsys)) == 8  # the earlier trials are never its own
    assert b"study_ended" in before
    assert cli.invoke(["show", "whole"]) == 0
    assert "old: 8 of 8 trials" in capsys.readouterr().out
    assert cli.invoke(["show", "whole", "1"]) == 0
    assert "proposed by  prior" in capsys.readouterr().out
    assert cli.invoke(["show", "whole", "--json"]) == 0
    told_prior = json.loads(capsys.readouterr().out)["prior"]
    assert [(one["run"], one["kept"], len(one["hash"])) for one in told_prior] == [("old", 8, 16)]


def test_reading_it_runs_no_code_and_writes_nothing(project: Path) -> None:
    (project / "old" / "config.yaml").write_text("model: {function: 'evil:f'}\n")
    (project / "evil.py").write_text("raise SystemExit('imported')\n")
    files = {path: path.stat().st_mtime_ns for path in (project / "old").rglob("*")}
    assert cli.invoke(["run", "second.yaml", "--dir", "new", "-q"]) == 0
    assert {path: path.stat().st_mtime_ns for path in (project / "old").rglob("*")} == files


@pytest.mark.parametrize(
    ("runs", "message"),
    [
        ("[nowhere]", "prior.runs[0]: expected the run directory of an earlier study, found nothing by that name"),
        ("[old, empty]", "prior.runs[1]: expected the run directory of an earlier study, found no journal.jsonl"),
        ("[old, ./old]", "prior.runs[1]: is listed twice"),
        ("[new]", "prior.runs[0]: is this study's own run directory"),
        ("[torn]", "prior.runs[0]: torn/journal.jsonl:1: damaged at byte 0"),
        ("[foreign]", "prior.runs[0]: that study shares no parameter with this one (it has alpha)"),
        ("[]", "prior.runs: expected"),
    ],
)
def test_a_run_that_cannot_be_used_is_said_with_its_line(
    runs: str, message: str, project: Path, capsys: Capture
) -> None:
    (project / "empty").mkdir()
    (project / "torn").mkdir()
    (project / "torn" / "journal.jsonl").write_text("{}\n{}\n")
    told.ridge(project / "foreign").close()
    (project / "second.yaml").write_text(CONFIG + f"prior: {{runs: {runs}}}\n")
    capsys.readouterr()
    assert cli.invoke(["run", "second.yaml", "--dir", "new", "-q"]) == 2
    found = capsys.readouterr().err
    assert message in found.replace(f"{project}/", "")
    assert "second.yaml:8:" in found
    assert "Traceback" not in found


def test_a_refusal_leaves_no_run_directory_and_deletes_none(project: Path, capsys: Capture) -> None:
    (project / "second.yaml").write_text(CONFIG + "prior: {runs: [nowhere]}\n")
    assert cli.invoke(["run", "second.yaml", "--dir", "new"]) == 2
    assert "expected the run directory of an earlier study, found nothing by that name" in capsys.readouterr().err
    assert not (project / "new").exists()
    assert cli.invoke(["run", "first.yaml", "--dir", "kept", "-q"]) == 0
    held = (project / "kept" / "journal.jsonl").read_bytes()
    assert cli.invoke(["run", "second.yaml", "--dir", "kept", "--fresh"]) == 2
    assert (project / "kept" / "journal.jsonl").read_bytes() == held


def test_what_is_doubtful_is_a_warning(project: Path, capsys: Capture) -> None:
    (project / "second.yaml").write_text(
        (CONFIG + "prior: {runs: [old]}\n")
        .replace("type: bayesian", "type: random")
        .replace("metric: loss", "metric: m")
    )
    assert cli.invoke(["run", "second.yaml", "--dir", "new"]) == 0
    found = " ".join(capsys.readouterr().err.split())
    assert "the oracle random makes no use of it beyond trying the best of each run first" in found
    assert "it measured loss, this study m; only ranks are carried over" in found


@pytest.mark.parametrize(
    ("oracle", "who"),
    [
        ("{type: auto, resource: steps, max: 9}", "auto, which picks hyperband of bayesian,"),
        (
            "{type: auto}\nspace: {x: {type: int, min: 0, max: 9}}",
            "auto, which picks grid (the space has 10 configurations),",
        ),
        (
            "{type: auto}\nspace: {x: {type: int, min: 0, max: 29}}\nbudget: {trials: 40}",
            "auto, which picks grid (the budget of 40 trials covers all 30 configurations),",
        ),
        ("{type: auto}\nspace: {x: {type: int, min: 0, max: 29}}\nbudget: {trials: 40, patience: 9}", ""),
        ("{type: auto}", ""),
        ("{type: hyperband, resource: steps, max: 9}", "hyperband of bayesian"),
        ("{type: asha, resource: steps, max: 9, sampler: auto}", "asha of auto, which picks bayesian,"),
        ("{type: asha, resource: steps, max: 9, sampler: random}", "asha of random"),
        ("{type: hyperband, resource: steps, max: 9, sampler: tpe}", ""),
        ("{type: searches.Deaf}", "searches.Deaf"),
        ("{type: searches.Hears}", ""),
        ("{type: asha, resource: steps, max: 9, sampler: searches.Deaf}", "asha of searches.Deaf"),
        ("{type: asha, resource: steps, max: 9, sampler: searches.Hears}", ""),
    ],
)
def test_an_oracle_says_whether_it_will_learn_from_them(oracle: str, who: str, project: Path) -> None:
    (project / "searches.py").write_text(
        "from typing import ClassVar\n\nimport hptune\n\n\nclass Deaf(hptune.OracleSpec):\n"
        "    def suggest(self, history, trial, rng):\n        return hptune.EXHAUSTED\n\n\n"
        "class Hears(Deaf):\n    uses_prior: ClassVar[bool] = True\n"
    )
    replaced = [line.split(":")[0] for line in f"oracle: {oracle}".splitlines()]
    kept = [line for line in CONFIG.splitlines() if line.split(":")[0] not in replaced]
    kept = kept if "space" not in replaced else [line for line in kept if not line.startswith(" ")]
    (project / "second.yaml").write_text("\n".join([*kept, f"oracle: {oracle}", "prior: {runs: [old]}", ""]))
    loaded = load("second.yaml")
    found = oracle_of(loaded).ignores_prior(loaded.space, loaded.config.budget.model_dump(mode="json"))
    sys.modules.pop("searches", None)
    assert found == who


def test_auto_that_will_not_learn_from_them_is_a_warning(project: Path, capsys: Capture) -> None:
    (project / "goals.py").write_text("def f(values, report):\n    report(1.0, step=9)\n    return values['x']\n")
    for options, who in (
        (["oracle={type: auto, resource: steps, max: 9}"], "hyperband of bayesian"),
        (["oracle={type: auto}", "space={x: [1, 2, 3]}"], "grid (the space has 3 configurations)"),
    ):
        assert cli.invoke(["validate", "second.yaml", *(f"-o{one}" for one in options)]) == 0
        found = " ".join(capsys.readouterr().err.split())
        assert f"second.yaml:8: prior: the oracle auto, which picks {who}, makes no use of it beyond trying" in found


def test_tpe_as_sampler_learns_from_them_at_lower_fidelities_too() -> None:
    space = SPACES["one dimension"]
    first = first_of(space, prior := [record(space)], [space.defaults()])
    oracle = Hyperband(sampler="tpe")  # type: ignore[arg-type]
    tried = []
    for known in (prior, None):
        started = ev.StudyStarted(
            time=0, name="s", metric="loss", direction="minimize", space=space.to_json(), seed=0, lookahead=1,
            starts=[space.defaults(), *first], prior=known, prior_starts=len(first),
        )  # fmt: skip
        tried.append(go(Study.of(started, oracle, None), 12))
    assert tried[0][:2] == tried[1][:2]
    assert tried[0] != tried[1]


def test_what_was_best_there_must_not_be_worst_here(project: Path, capsys: Capture) -> None:
    (project / "second.yaml").write_text(CONFIG.replace("minimize", "maximize") + "prior: {runs: [old]}\n")
    assert cli.invoke(["run", "second.yaml", "--dir", "new", "-q"]) == 2
    assert "that study wants to minimize loss, this one to maximize it" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("space", "said"),
    [
        ("{x: {type: float, min: 0, max: 1}, epochs: 30}", "epochs keeps 8 of them out (9 there, 30 here)"),
        ("{x: {type: float, min: 9, max: 10}, epochs: 9}", "there, outside its range here)"),
        ("{x: {type: float, min: 0, max: 1}, epochs: [1, 2]}", "(9 there, none of its values here)"),
    ],
)
def test_what_keeps_an_earlier_study_out_is_named(space: str, said: str, project: Path, capsys: Capture) -> None:
    wider = SearchSpace((Float(name="x", low=0, high=1), Fixed(name="epochs", value=9)))
    with Study(wider, Objective("loss", "minimize"), "random", directory=project / "long") as study:
        for _ in range(8):
            trial = study.ask()
            study.tell(trial, float(trial.values["x"]))
    config = CONFIG.splitlines()
    line = next(number for number, one in enumerate(config) if one.startswith("space:"))
    (project / "second.yaml").write_text(
        "\n".join([*config[:line], f"space: {space}", *config[line + 1 :], "prior: {runs: [long]}\n"])
    )
    cli.invoke(["validate", "second.yaml"])
    capsys.readouterr()
    cli.invoke(["run", "second.yaml", "--dir", "new"])
    found = " ".join(capsys.readouterr().err.split())
    assert "of its 8 completed trials lie in this study's space: too few to use; " in found
    assert said in found
