"""What the benchmarks' pages say is what their stores hold, and their commands say so where there is nothing to say."""

from __future__ import annotations

import json
import re
import runpy
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from benchmarks import oracle_report, oracles, prior, problems
from benchmarks.__main__ import COMMANDS
from benchmarks.oracles import STORED, load, regret
from benchmarks.sphere import sphere
from benchmarks.stalls import stalls
from benchmarks.wallclock import __main__ as wallclock

ROOT = Path(__file__).resolve().parent.parent
PAGE = (ROOT / "benchmarks" / "RESULTS.md").read_text()
WALLCLOCK = (ROOT / "benchmarks" / "wallclock" / "RESULTS.md").read_text()
README = " ".join((ROOT / "README.md").read_text().split())
INNER = {"benchmarks", "benchmarks.wallclock.study"}
"""The list itself, and what another command starts."""


def flat(text: str) -> str:
    return " ".join(text.split())


def called(monkeypatch: pytest.MonkeyPatch, module: str, *words: str) -> None:
    monkeypatch.delenv(problems.DATA, raising=False)
    problems.public.cache_clear()
    monkeypatch.setattr(sys, "argv", [module, *words])
    monkeypatch.delitem(sys.modules, module, raising=False)
    runpy.run_module(module, run_name="__main__")


def test_every_command_is_listed() -> None:
    modules = set()
    for path in (ROOT / "benchmarks").rglob("*.py"):
        if '__name__ == "__main__"' in path.read_text():
            name = ".".join(path.relative_to(ROOT).with_suffix("").parts)
            modules.add(name.removesuffix(".__main__"))
    listed = {command.split()[2] for command in COMMANDS}
    assert modules - INNER == {name for name in listed if name.startswith("benchmarks")}


def test_a_run_is_stored_once() -> None:
    keys = Counter((r["opt"], r["problem"], r["seed"]) for r in map(json.loads, STORED.read_text().splitlines()))
    assert [key for key, count in keys.items() if count > 1] == []


def test_the_tables_of_the_oracles_are_those_stored() -> None:
    stored = json.loads((STORED.parent / "oracles.json").read_text())
    assert oracle_report.markdown(stored["groups"], stored["base"], stored["checkpoints"]).strip() in PAGE


def test_the_readme_tells_the_regret_that_is_stored() -> None:
    rows = json.loads((STORED.parent / "oracles.json").read_text())["groups"]["All of these"]
    gp, tpe = (10 ** rows["optimisers"][name]["log10_difference"][-1] for name in ("optuna-gp", "optuna-tpe"))
    assert (
        f"On {len(rows['problems'])} problems (17 tables and surrogates, 20 real scikit-learn fits, 12 of" in README
    )
    assert f"was {gp:.2f} times that of Optuna's GPSampler and {tpe:.2f} times that of its TPE" in README


def test_the_studies_that_stalled_are_those_stored() -> None:
    runs = {key: r for key, r in load(STORED).items() if 300 <= key[2] < 310}
    names = {name for _, name, _ in runs if not name.startswith(("sk-", "own-"))}
    found = {o: len(stalls(runs, o, names)) for o in ("bayesian", "optuna-tpe", "optuna-gp", "random")}
    places = (
        "(`grid-svm/digits_small` and `grid-tree/breast_cancer`), Optuna's TPE {}, GPSampler {}, `random` itself {} "
    )
    assert ("`bayesian` {} " + places).format(*found.values()) in flat(PAGE)


def test_stalls_are_of_the_seeds_asked_for(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["stalls", "--store", str(STORED), "--on", "random", "--problems", "CHEAP", "--first"]
    called(monkeypatch, "benchmarks.oracles", *words, "300", "--seeds", "10")
    assert re.match(r"random: \d+ of 120 studies stalled", capsys.readouterr().out)
    with pytest.raises(SystemExit, match=r"studies of random with seeds 50 to 59 on CHEAP, found none in .*--first"):
        called(monkeypatch, "benchmarks.oracles", *words, "50", "--seeds", "10")


@pytest.mark.parametrize("verb", ["table", "stalls"])
def test_of_no_runs_nothing_is_made(verb: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SystemExit, match=r"found none in .*--store .*runs-fresh\.jsonl"):
        called(
            monkeypatch,
            "benchmarks.oracles",
            verb,
            "--store",
            str(tmp_path / "no.jsonl"),
            "--out",
            str(tmp_path / "o"),
        )
    assert not (tmp_path / "o").exists()


def test_a_table_of_no_common_problem_is_not_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    words = [
        "table",
        "--store",
        str(STORED),
        "--on",
        "bayesian,smac",
        "--problems",
        "CHEAP",
        "--out",
        str(tmp_path / "o"),
    ]
    with pytest.raises(SystemExit, match=r"\['bayesian', 'smac'\] on some problem of CHEAP, found none"):
        called(monkeypatch, "benchmarks.oracles", *words)
    assert not (tmp_path / "o").exists()


def test_apart_takes_each_optimisers_own_seeds() -> None:
    runs: dict[tuple[str, str, int], dict[str, Any]] = {
        (who, "p", seed): {"opt": who, "problem": "p", "seed": seed, "y": [3.0, float(seed)]}
        for who, seeds in {"random": (0, 1, 2), "a": (1, 5), "b": (2, 6, 7)}.items()
        for seed in seeds
    }
    reference = oracles.references(runs.values())["p"]
    assert oracles.curves(runs, ["a", "b"], ["p"], 2, [2]) == {"a": {}, "b": {}}
    found = oracles.curves(runs, ["a", "b"], ["p"], 2, [2], apart=True)
    assert found["b"]["p"][:, 0].tolist() == [regret([3.0, y], reference)[1] for y in (2.0, 6.0)]
    later = oracles.curves(runs, ["a", "b"], ["p"], 2, [2], first=6, apart=True)
    assert later["a"] == {}
    assert len(later["b"]["p"]) == 2


def test_prior_says_what_its_table_needs(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match=f"set {problems.DATA} to the folder that holds reference.json"):
        called(monkeypatch, "benchmarks.prior", "table")
    monkeypatch.setattr(prior, "STORE", tmp_path / "no.jsonl")
    monkeypatch.setattr(sys, "argv", ["prior", "table"])
    with pytest.raises(SystemExit, match=r"found none in .*no\.jsonl.*prior run"):
        prior.main()


def test_the_tables_of_the_wall_clock_are_those_stored() -> None:
    runs = wallclock.stored()
    told = set(re.findall(r"^\|.*\|$", WALLCLOCK, re.MULTILINE))
    first, longer = (set(wallclock.table(found).splitlines()) for found in (runs, wallclock.continued(runs)))
    assert first <= told <= first | longer


def test_the_readme_tells_whole_runs_too() -> None:
    runs = wallclock.stored()
    rows = {
        line.split("|")[1].strip(" *"): [cell.strip() for cell in line.split("|")]
        for line in wallclock.table(runs).splitlines()
        if "| all |" in line
    }
    until = {name: row[6].removesuffix("x") for name, row in rows.items()}
    whole = {name: row[11].removesuffix("x") for name, row in rows.items()}
    lowest = until["Optuna GP"].partition(" to ")[0]  # what is not reached counts as 0
    assert (
        f"{until['GridSearchCV']} times the CPU seconds after which hptune was as good, a search by Optuna's TPE "
        f"{until['Optuna TPE']} and by its GP {lowest} times" in README
    )
    grid, tpe, gp = (whole[name] for name in ("GridSearchCV", "Optuna TPE", "Optuna GP"))
    assert f"theirs took {grid} (grid), {tpe} (TPE) and {gp} (GP) times hptune's" in README
    for name, told in (("its GP", "Optuna GP"), ("HalvingRandomSearchCV", "HalvingRandomSearchCV")):
        assert f"{name} {whole[told]}" in flat(WALLCLOCK.rpartition("- Whole runs")[2])


def test_the_sphere_is_least_at_its_optimum() -> None:
    problem = sphere(1.0)
    assert problem.evaluate(problem.space.defaults()) == [90.0]
    assert problem.evaluate(dict.fromkeys(problem.space.defaults(), 1.0)) == [0.0]
