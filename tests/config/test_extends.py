"""`extends:`: a config as what it changes in others."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import pytest

from hptune.config.extends import extended
from hptune.config.load import Loaded, load
from hptune.config.yaml_dump import dump
from hptune.config.yaml_loader import load_text
from hptune.errors import ConfigError

BASE = """\
model: {class: sklearn.svm.SVR, params: {degree: 2, tol: 1e-4}}
data: {train: data/d.csv, target: y, drop: [a, b]}
space:
  C: {type: float, min: 1, max: 10}
  kernel: [rbf, poly]
oracle: {type: grid}
budget: {trials: 7, patience: 3}
"""


def load_from(folder: Path, files: Mapping[str, str], override: list[str] | None = None) -> Loaded:
    """The config c.yaml among these files."""
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    here = Path.cwd()
    os.chdir(folder)  # messages name files as they were given
    try:
        return load("c.yaml", override or [])
    finally:
        os.chdir(here)


def refused(folder: Path, files: Mapping[str, str], override: list[str] | None = None) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        load_from(folder, files, override)
    return [str(problem) for problem in caught.value.problems]


def test_mappings_are_merged_lists_and_scalars_replace(tmp_path: Path) -> None:
    text = "extends: b.yaml\nmodel: {params: {tol: 1}}\ndata: {drop: [c]}\nbudget: {trials: 9}\nseed: 4\n"
    plain = load_from(tmp_path, {"b.yaml": BASE, "c.yaml": text}).resolved
    assert plain["model"]["class"] == "sklearn.svm.SVR"
    assert plain["model"]["params"] == {"degree": 2, "tol": 1}
    assert plain["data"]["drop"] == ["c"]
    assert plain["data"]["target"] == "y"
    assert (plain["budget"]["trials"], plain["budget"]["patience"], plain["seed"]) == (9, 3, 4)
    assert "extends" not in plain


def test_null_takes_a_key_out_and_stays_null_where_there_is_none(tmp_path: Path) -> None:
    text = "extends: b.yaml\nbudget: {patience: null, failures: {in_a_row: null}}\nspace: {kernel: null, tol: null}\n"
    found = load_from(tmp_path, {"b.yaml": BASE, "c.yaml": text})
    assert found.config.budget.patience is None
    assert found.config.budget.failures.in_a_row is None
    assert list(found.config.space) == ["C", "tol"]


@pytest.mark.parametrize(
    ("text", "key", "left"),
    [
        ("oracle: {type: random}", "oracle", {"type": "random"}),
        ("model: {class: sklearn.svm.SVC}", "model", {"class": "sklearn.svm.SVC", "params": {}}),
        ("space: {C: {type: fixed, value: 2}}", "space", {"C": {"type": "fixed", "value": 2}, "kernel": ["rbf",
         "poly"]}),
    ],
)  # fmt: skip
def test_a_mapping_of_another_kind_replaces_as_a_whole(
    tmp_path: Path, text: str, key: str, left: dict[str, object]
) -> None:
    base = BASE.replace("{type: grid}", "{type: grid, points: 3}")
    found = load_from(tmp_path, {"b.yaml": base, "c.yaml": f"extends: b.yaml\n{text}\n"}).resolved[key]
    assert {name: one for name, one in found.items() if one != {} or name in left} == left


def test_a_model_of_another_kind_leaves_nothing_of_the_old_one(tmp_path: Path) -> None:
    text = "extends: b.yaml\nspace: null\nmodel: {pipeline: [{m: sklearn.svm.SVR}]}\n"
    found = load_from(tmp_path, {"b.yaml": BASE, "c.yaml": text})
    assert not {"class", "params"} & set(found.resolved["model"])
    assert found.config.space == {}


def test_of_several_the_last_wins_and_the_config_itself_over_all(tmp_path: Path) -> None:
    files = {
        "b.yaml": BASE,
        "d.yaml": "seed: 1\nbudget: {trials: 8}\n",
        "c.yaml": "extends: [b.yaml, d.yaml]\nseed: 2\n",
    }
    found = load_from(tmp_path, files)
    assert (found.config.seed, found.config.budget.trials, found.config.budget.patience) == (2, 8, 3)


def test_a_base_may_itself_extend_and_two_may_share_one(tmp_path: Path) -> None:
    files = {
        "b.yaml": BASE,
        "left.yaml": "extends: b.yaml\nseed: 1\n",
        "right.yaml": "extends: b.yaml\nbudget: {trials: 2}\n",
        "c.yaml": "extends: [left.yaml, right.yaml]\n",
    }
    found = load_from(tmp_path, files)
    assert (found.config.seed, found.config.budget.trials) == (1, 2)


def test_overrides_come_last(tmp_path: Path) -> None:
    files = {"b.yaml": BASE, "c.yaml": "extends: b.yaml\n"}
    assert load_from(tmp_path, files, ["budget.trials=1"]).config.budget.trials == 1
    assert refused(tmp_path, files, ["extends=d.yaml"]) == [
        "-o extends=d.yaml: extends: can be named in a config only, not with -o"
    ]


def test_a_problem_names_the_file_in_which_the_key_stands(tmp_path: Path) -> None:
    base = BASE.replace("patience: 3", "patience: x").replace("max: 10", "max: 0.5") + "seeed: 3\n"
    text = "# a comment\nextends: b.yaml\nbudget: {trials: many}\noracle:\n  typ: grid\n"
    assert refused(tmp_path, {"b.yaml": base, "c.yaml": text}) == [
        "c.yaml:3: budget.trials: expected a whole number, found 'many'",
        "c.yaml:5: oracle.typ: unknown key; did you mean 'type'?",
        "b.yaml:4: space.C: expected min <= max, found min 1.0 and max 0.5",
        "b.yaml:7: budget.patience: expected a whole number, found 'x'",
        "b.yaml:8: seeed: unknown key; did you mean 'seed'?",
    ]


def test_a_problem_with_what_replaced_a_base_s_value_names_the_config(tmp_path: Path) -> None:
    text = "extends: b.yaml\n\nspace: {kernel: {type: choice, values: []}}\n"
    (message,) = refused(tmp_path, {"b.yaml": BASE, "c.yaml": text})
    assert message.startswith("c.yaml:3: space.kernel.values: ")


def test_paths_in_a_base_start_at_the_base_s_own_folder(tmp_path: Path) -> None:
    files = {"shared/b.yaml": BASE + "output: {dir: runs/x}\n", "c.yaml": "extends: shared/b.yaml\n"}
    plain = load_from(tmp_path, files).resolved
    assert plain["data"]["train"] == "shared/data/d.csv"
    assert plain["output"]["dir"] == "shared/runs/x"
    bundled = BASE.replace("data/d.csv, target: y, drop: [a, b]", "'sklearn:load_diabetes'")
    assert (
        load_from(tmp_path, {**files, "shared/b.yaml": bundled}).resolved["data"]["train"] == "sklearn:load_diabetes"
    )


@pytest.mark.parametrize(
    ("text", "key", "seen"),
    [
        ("gate: {baseline: floor.json}", "gate.baseline", "../shared/floor.json"),
        ("gate: {baseline: defaults}", "gate.baseline", "defaults"),
        ("gate: {baseline: 0.5}", "gate.baseline", 0.5),
        ("prior: {runs: [old, ../other/run, /kept/run, ~/run]}", "prior.runs",
         ["../shared/old", "../other/run", "/kept/run", "~/run"]),
        ("model: {command: './t {C}', cwd: scripts}", "model.cwd", "../shared/scripts"),
        ("model: {command: './t {C}', cwd: trial}", "model.cwd", "trial"),
    ],
)  # fmt: skip
def test_every_path_in_a_base_starts_there_and_words_are_no_paths(
    tmp_path: Path, text: str, key: str, seen: object
) -> None:
    (tmp_path / "shared").mkdir()
    (tmp_path / "shared/b.yaml").write_text(f"{text}\n")
    found = extended(load_text("extends: ../shared/b.yaml\n", "c.yaml"), tmp_path / "mine").value
    section, _, option = key.partition(".")
    assert found[section][option] == seen


def test_a_moved_folder_is_not_taken_for_a_word(tmp_path: Path) -> None:
    (tmp_path / "shared").mkdir()
    (tmp_path / "shared/b.yaml").write_text("model: {command: ./t, cwd: ../trial}\n")
    found = extended(load_text("extends: shared/b.yaml\n", "c.yaml"), tmp_path).value
    assert found["model"]["cwd"] == "./trial"


def test_a_run_s_resolved_config_can_be_extended(tmp_path: Path) -> None:
    resolved = load_from(tmp_path, {"c.yaml": BASE}).resolved
    again = load_from(
        tmp_path,
        {"runs/x/config.yaml": dump({**resolved, "base": "../.."}), "c.yaml": "extends: runs/x/config.yaml\n"},
    )
    assert again.folder == tmp_path
    assert again.resolved["data"] == resolved["data"]


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({"c.yaml": "seed: 1\nextends: c.yaml"},
         "c.yaml:2: extends: expected no circle, found that c.yaml extends c.yaml:"),
        ({"c.yaml": "extends: x/d.yaml", "x/d.yaml": "extends: [../c.yaml]"},
         "x/d.yaml:1: extends: expected no circle, found that c.yaml extends x/d.yaml extends c.yaml: take"),
        ({"c.yaml": "extends: bass.yaml", "base.yaml": BASE},
         "c.yaml:1: extends: bass.yaml: there is no such file; did you mean 'base.yaml'?"),
        ({"c.yaml": "extends: no/b.yaml"}, "c.yaml:1: extends: no/b.yaml: there is no such file; there is no folder"),
        ({"c.yaml": "extends: x", "x/b.yaml": BASE},
         "c.yaml:1: extends: x: expected a config file, found a folder; it holds b.yaml"),
        ({"c.yaml": "extends: 3"},
         "c.yaml:1: extends: expected the name of a config file, or a list of them, found 3"),
        ({"c.yaml": "extends: [b.yaml, null]", "b.yaml": BASE},
         "c.yaml:1: extends: expected the name of a config file, found nothing"),
        ({"c.yaml": "extends: ''"},
         "c.yaml:1: extends: expected the name of a config file, or a list of them, found empty text"),
        ({"c.yaml": "extends: b.yaml", "b.yaml": "- 1"},
         "b.yaml:1: expected a mapping of keys to extend, found a list"),
        ({"c.yaml": "extends: b.yaml", "b.yaml": ""},
         "b.yaml:1: expected a mapping of keys to extend, found an empty file"),
        ({"c.yaml": "extends: b.yaml", "b.yaml": "a: 1\na: 2"}, "b.yaml:2: a: duplicate key 'a' (first at line 1)"),
        ({"c.yaml": "extends: /dev/zero"}, "c.yaml:1: extends: /dev/zero: expected a file, found a device or a pipe"),
    ],
)  # fmt: skip
def test_what_cannot_be_extended_is_refused(tmp_path: Path, files: dict[str, str], message: str) -> None:
    assert refused(tmp_path, files)[0].startswith(message)


def test_eight_levels_are_read_and_a_ninth_is_refused(tmp_path: Path) -> None:
    chain = {f"{n}.yaml": f"extends: {n + 1}.yaml\n" for n in range(1, 8)}
    assert load_from(tmp_path, {**chain, "8.yaml": BASE, "c.yaml": "extends: 1.yaml\n"}).config.budget.trials == 7
    (message,) = refused(
        tmp_path, {**chain, "8.yaml": "extends: 9.yaml\n", "9.yaml": BASE, "c.yaml": "extends: 1.yaml"}
    )
    assert message.startswith(
        "8.yaml:1: extends: expected at most 8 files below each other, found more: c.yaml -> 1.yaml"
    )


def test_a_maze_of_bases_is_refused_quickly(tmp_path: Path) -> None:
    names = [f"{n}.yaml" for n in range(40)]
    files = {
        name: f"extends: [{', '.join(names[n + 1 : n + 5])}]\n" if n < 7 else BASE for n, name in enumerate(names)
    }
    assert load_from(tmp_path, {**files, "c.yaml": "extends: 0.yaml\n"}).config.budget.trials == 7
    (message,) = refused(tmp_path, {**dict.fromkeys(names, BASE), "c.yaml": f"extends: [{', '.join(names)}]\n"})
    assert message.startswith("c.yaml:1: extends: expected at most 32 files in all, found more")


def test_without_a_name_of_its_own_the_config_s_file_names_the_study(tmp_path: Path) -> None:
    assert load_from(tmp_path, {"b.yaml": BASE, "c.yaml": "extends: b.yaml\n"}).config.name == "c"
