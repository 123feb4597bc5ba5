"""`hptune init`: what it writes for a data set loads, says what was seen, and runs as it is."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from hptune import cli
from hptune.config.load import Loaded, load
from hptune.spaces import SPACES

FAST = [
    "-q",
    "-o",
    "budget.trials=2",
    "-o",
    "executor={type: serial}",
    "-o",
    "evaluate.cv=2",
    "-o",
    "output.refit=false",
]


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def mixed(rows: int = 120) -> pd.DataFrame:
    """Numbers and text with gaps, booleans, an id, a constant, dates; `label` and `amount` follow from these."""
    rng = np.random.default_rng(0)
    age, city = rng.normal(40, 10, rows).round(1), rng.choice(["Rome", "Oslo", "Bonn"], rows)
    truth = (age - 40) / 10 + (city == "Rome") + rng.normal(0, 0.5, rows)
    table = pd.DataFrame(
        {
            "customer_id": rng.permutation(rows) + 5000,
            "age": age,
            "income": rng.lognormal(3, 1, rows).round(2),
            "city": city,
            "active": rng.random(rows) < 0.5,
            "source": "web",
            "since": pd.date_range("2020-01-01", periods=rows).astype(str),
            "label": np.where(truth > 0.4, "yes", "no"),
            "amount": (truth * 10).round(3),
        }
    )
    table.loc[3:12, "age"] = np.nan
    table.loc[20:25, "city"] = np.nan
    return table


def numeric(rows: int = 100) -> pd.DataFrame:
    rng = np.random.default_rng(1)
    X = rng.normal(size=(rows, 4)).round(3)
    return pd.DataFrame(X, columns=list("abcd")).assign(y=(X[:, 0] * 2 - X[:, 1]).round(4))


def init(*arguments: str) -> Loaded:
    """The config that `hptune init` writes with these arguments."""
    out = next((one for one in Path().glob("*.yaml")), None)
    assert out is None
    assert cli.invoke(["init", *arguments]) == 0
    (out,) = Path().glob("*.yaml")
    return load(out)


def refusal(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert cli.invoke(["init", *arguments]) == 2
    return capsys.readouterr().err.strip()


# -- what is written ------------------------------------------------------------------------------------------------


def test_numbers_give_a_regression_with_scaling_and_a_choice_of_models() -> None:
    numeric().to_csv("d.csv", index=False)
    found = init("d.csv", "--target", "y").resolved
    assert found["name"] == "d"
    assert [list(step) for step in found["model"]["pipeline"]] == [["scale"], ["model"]]
    assert list(found["model"]["pipeline"][1]["model"]["choose"]) == ["linear", "boosting"]
    assert found["evaluate"]["metric"] == "neg_root_mean_squared_error"
    assert found["evaluate"]["cv"]["type"] == "repeated_kfold"
    assert found["data"]["drop"] == []


def test_mixed_columns_are_imputed_and_encoded_each_kind_its_own_way() -> None:
    mixed().drop(columns="amount").to_csv("d.csv", index=False)
    found = init("d.csv", "--target", "label").resolved
    parts = {name: one for part in found["model"]["pipeline"][0]["prepare"]["columns"] for name, one in part.items()}
    assert {name: part["select"] for name, part in parts.items()} == {
        "numbers": "number", "words": "text", "flags": "boolean",
    }  # fmt: skip
    assert [list(step) for step in parts["numbers"]["with"]["pipeline"]] == [["impute"], ["scale"]]
    assert [list(step) for step in parts["words"]["with"]["pipeline"]] == [["encode"]]
    assert sorted(found["data"]["drop"]) == ["customer_id", "since", "source"]
    assert found["evaluate"]["metric"] == "roc_auc"


def test_what_left_out_columns_are_is_said_in_the_file_and_on_stdout(capsys: pytest.CaptureFixture[str]) -> None:
    mixed().drop(columns="amount").to_csv("d.csv", index=False)
    init("d.csv", "--target", "label")
    said, text = capsys.readouterr().out, Path("d.yaml").read_text()
    for word in ("customer_id", "called like an id", "source", "the same value", "since", "dates"):
        assert word in said
        assert word in text
    assert "left out: source (the same value in every row)\n" in said
    assert said.splitlines()[-1] == "next: hptune run d.yaml"


def test_many_rows_spare_a_holdout_and_few_are_divided_three_times() -> None:
    numeric(1200).to_csv("many.csv", index=False)
    found = init("many.csv", "--target", "y").config
    assert found.data is not None
    assert found.data.holdout is not None
    assert found.evaluate.cv == 5
    Path("many.yaml").unlink()
    numeric(40).to_csv("few.csv", index=False)
    config = init("few.csv", "--target", "y", "--model", "KNeighborsRegressor")
    assert config.config.data is not None
    assert config.config.data.holdout is None
    assert (
        config.space["n_neighbors" if "n_neighbors" in config.space else "model.n_neighbors"].to_json()["max"] <= 31
    )


@pytest.mark.parametrize(
    ("values", "task", "metric"),
    [
        ([0, 1] * 30, "classification", "roc_auc"),
        (["a", "b", "c"] * 20, "classification", "accuracy"),
        (["a"] * 50 + ["b"] * 5 + ["c"] * 5, "classification", "balanced_accuracy"),
        (list(range(60)), "regression", "neg_root_mean_squared_error"),
        ([0.5, 1.5] * 30, "regression", "neg_root_mean_squared_error"),
        ([0.0, 1.0] * 30, "classification", "roc_auc"),
        ([0.0, 1.0, 2.0] * 20, "classification", "accuracy"),
        ([3.0, 7.0, 12.0] * 20, "regression", "neg_root_mean_squared_error"),
        ([True, False] * 30, "classification", "roc_auc"),
    ],
)
def test_the_task_and_its_metric_follow_from_the_target(values: list[Any], task: str, metric: str) -> None:
    numeric(60).assign(y=values).to_csv("d.csv", index=False)
    assert init("d.csv", "--target", "y").config.evaluate.metric == metric
    assert f"; {task}" in Path("d.yaml").read_text() or f"  {task}" in Path("d.yaml").read_text()


def test_a_rare_class_lowers_the_number_of_folds() -> None:
    numeric(400).assign(y=["a"] * 397 + ["b"] * 3).to_csv("d.csv", index=False)
    assert init("d.csv", "--target", "y").config.evaluate.cv == 3


def test_a_decimal_comma_and_a_semicolon_are_found_out() -> None:
    numeric().to_csv("d.csv", index=False, sep=";", decimal=",")
    assert init("d.csv", "--target", "y").resolved["data"]["decimal"] == ","


def test_a_config_in_another_folder_finds_its_data(here: Path) -> None:
    (here / "sub").mkdir()
    numeric().to_csv("d.csv", index=False)
    assert cli.invoke(["init", "d.csv", "--target", "y", "--out", "sub/x.yaml"]) == 0
    assert load("sub/x.yaml").resolved["data"]["train"] == "../d.csv"


def test_names_that_yaml_or_the_environment_would_change_survive() -> None:
    table = numeric().rename(columns={"a": "no", "b": "${HOME}", "y": "1e3: #"})
    table.assign(id=range(100), yes=1).to_csv("d.csv", index=False)
    data = init("d.csv", "--target", "1e3: #").resolved["data"]
    assert data["target"] == "1e3: #"
    assert sorted(data["drop"]) == ["id", "yes"]


def test_stdout_and_json_hold_the_same_text(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.invoke(["init", "--out", "-"]) == 0
    text, err = capsys.readouterr()
    assert err == "looking at sklearn:load_diabetes ...\n"
    assert cli.invoke(["init", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["text"] == text == Path("study.yaml").read_text()
    assert (told["task"], told["rows"], told["config"]) == ("regression", 442, "study.yaml")


def test_a_file_that_is_there_is_only_replaced_by_force(capsys: pytest.CaptureFixture[str]) -> None:
    Path("study.yaml").write_text("mine")
    assert refusal(capsys).endswith("study.yaml is there already: --force replaces it, --out FILE names another")
    assert Path("study.yaml").read_text() == "mine"
    assert cli.invoke(["init", "--force"]) == 0
    assert Path("study.yaml").read_text() != "mine"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["d.csv"], "--target: expected the column to predict, found none; d.csv has a, b, c, d, y"),
        (["d.csv", "--target", "z"], "--target: d.csv has no column 'z'; its columns are a, b, c, d, y"),
        (["e.csv", "--target", "y"], "there is no file"),
        (["d.txt", "--target", "y"], "expected a file ("),
        (["d.csv", "--target", "y", "--model", "Rigde"], "no default space for 'Rigde'; did you mean 'Ridge'?"),
        (["d.csv", "--target", "y", "--model", "SVC"],
         "--target: expected classes, found real numbers in y; --model takes a regressor"),
        (["t.csv", "--target", "y", "--model", "SVR"],
         "--target: expected numbers for a regressor, found text in y; --model takes a classifier"),
        (["t.csv", "--target", "one"], "--target: expected different values, found the same one in every row of one"),
        (["t.csv", "--target", "name"], "--target: expected classes, found 60 different texts in the 60 rows"),
        (["sklearn:load_iris", "--target", "y"], "--target: sklearn:load_iris knows its own target; leave it out"),
        (["d.csv", "--target", "y", "--out", "no/x.yaml"], "--out: there is no folder no"),
    ],
)  # fmt: skip
def test_data_that_no_config_could_use_are_refused(
    capsys: pytest.CaptureFixture[str], arguments: list[str], message: str
) -> None:
    numeric().to_csv("d.csv", index=False)
    table = numeric(60).assign(y=["a", "b"] * 30, one=1, name=[f"n{number}" for number in range(60)])
    table.to_csv("t.csv", index=False)
    assert message in refusal(capsys, *arguments)
    assert not list(Path().glob("*.yaml"))


@pytest.mark.slow
def test_numbers_with_marks_of_missing_values_stay_numbers_and_the_marks_are_written_down() -> None:
    table = mixed(200).drop(columns="amount").astype({"income": object})
    table.loc[[3, 8], "income"] = "?"
    table.loc[5, "income"] = "Unknown"
    table.to_csv("d.csv", index=False)
    found = init("d.csv", "--target", "label").resolved
    assert found["data"]["missing"] == ["?", "Unknown"]
    assert "income" not in found["data"]["drop"]
    assert cli.invoke(["validate", "d.yaml"]) == 0
    assert runs("d.yaml")["trials"]["completed"] == 2


def test_marks_that_mean_something_in_the_target_or_among_words_are_left(capsys: pytest.CaptureFixture[str]) -> None:
    table = mixed(200).drop(columns="amount").astype({"income": object})
    table.loc[[3, 8], "income"] = "-"
    table["label"] = table["label"].replace("no", "-")
    table.loc[5:60, "city"] = "unknown"
    table.to_csv("d.csv", index=False)
    assert init("d.csv", "--target", "label").resolved["data"]["missing"] == []


def test_dates_in_other_forms_are_left_out_and_a_target_with_a_currency_is_told(
    capsys: pytest.CaptureFixture[str],
) -> None:
    days = pd.date_range("2024-01-01", periods=100).strftime("%d/%m/%Y")
    numeric().assign(day=days).to_csv("d.csv", index=False)
    assert init("d.csv", "--target", "y").resolved["data"]["drop"] == ["day"]
    Path("d.yaml").unlink()
    numeric().assign(y=[f"${1000 + number:,}.50" for number in range(100)]).to_csv("d.csv", index=False)
    said = refusal(capsys, "d.csv", "--target", "y")
    assert said.endswith("numbers with a sign ($): write them as plain numbers, 1000.50 for '$1,000.50'")


@pytest.mark.slow
def test_gaps_in_text_that_say_there_is_none_are_a_category_and_told(capsys: pytest.CaptureFixture[str]) -> None:
    rng = np.random.default_rng(0)
    area, garage = rng.normal(150, 10, 120).round(), rng.choice(["attached", "detached", "NA"], 120)
    price = area + np.where(garage == "NA", -50, 0)  # most_frequent made a garage of NA
    pd.DataFrame({"area": area, "garage": garage, "price": price}).to_csv("d.csv", index=False)
    init("d.csv", "--target", "price", "--model", "Ridge")
    share = f"{(garage == 'NA').mean():.0%}"
    told = f"garage: {share} empty, None or NA, read as missing: a category of its own"
    assert told in capsys.readouterr().out
    assert f"# {told}" in Path("d.yaml").read_text()
    assert cli.invoke(["validate", "d.yaml"]) == 0
    assert abs(runs("d.yaml")["best"]["score"]) < 10


def test_gaps_in_many_columns_of_text_are_told_in_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    table = numeric(300)
    for number in range(12):
        table[f"t{number}"] = [None, *["a", "b", "c"] * 99, "a", "b"]
    table.to_csv("d.csv", index=False)
    init("d.csv", "--target", "y", "--model", "Ridge")
    assert "t9: under 1%, and 2 more columns empty," in " ".join(capsys.readouterr().out.split())


def reviews(rows: int = 120) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    label = np.where(np.arange(rows) % 2, "good", "bad")
    drawn = rng.integers(1000, size=(2, rows))
    told = [f"it is {one} in {a} of {b} ways" for one, a, b in zip(label, *drawn, strict=True)]
    return pd.DataFrame({"review": told, "label": label})


@pytest.mark.slow
@pytest.mark.parametrize("columns", [["review"], ["review", "reply"]])
def test_of_a_table_of_texts_the_words_are_the_features(
    columns: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    reviews().assign(reply=reviews().review[::-1].to_numpy())[[*columns, "label"]].to_csv("d.csv", index=False)
    found = init("d.csv", "--target", "label")
    parts = [one for part in found.resolved["model"]["pipeline"][0]["prepare"]["columns"] for one in part.values()]
    assert [part["select"] for part in parts] == [[name] for name in columns]
    assert "nothing but text, so its words are counted" in " ".join(capsys.readouterr().out.split())
    assert cli.invoke(["validate", "d.yaml"]) == 0
    assert runs("d.yaml")["best"]["score"] > 0.95


def test_texts_beside_other_features_stay_out_and_boosting_takes_no_words(capsys: pytest.CaptureFixture[str]) -> None:
    reviews().assign(size=np.arange(120) % 7 / 2).to_csv("d.csv", index=False)
    assert init("d.csv", "--target", "label").resolved["data"]["drop"] == ["review"]
    reviews().to_csv("e.csv", index=False)
    said = refusal(capsys, "e.csv", "--target", "label", "--model", "HistGradientBoostingClassifier")
    assert "takes no sparse features, and e.csv has nothing but text; expected another one" in said
    assert said.endswith("such as LogisticRegression")


# -- and runs -------------------------------------------------------------------------------------------------------


def runs(config: str) -> dict[str, Any]:
    """The result of a run of the config as it is, but for two trials of two folds in this process."""
    assert cli.invoke(["run", config, "--dir", "run", *FAST]) == 0
    found: dict[str, Any] = json.loads(Path("run/result.json").read_text())
    assert found["trials"]["completed"] == 2
    return found


def test_a_config_for_mixed_columns_runs_as_it_is() -> None:
    mixed().drop(columns="amount").to_csv("d.csv", index=False)
    init("d.csv", "--target", "label", "--model", "LogisticRegression")
    assert runs("d.yaml")["best"]["score"] > 0.7  # so the features really reached the model


@pytest.mark.slow
@pytest.mark.parametrize("target", ["label", "amount"])
def test_a_config_with_a_choice_of_models_runs_as_it_is(target: str) -> None:
    other = "amount" if target == "label" else "label"
    mixed().drop(columns=other).to_csv("d.csv", index=False)
    init("d.csv", "--target", target)
    runs("d.yaml")


@pytest.mark.slow
@pytest.mark.parametrize("name", [one for one in SPACES if one.replace("Classifier", "Regressor") == one])
def test_a_config_for_each_known_model_runs_as_it_is(name: str) -> None:
    target = "label" if SPACES[name].task == "classification" else "amount"
    table = mixed().drop(columns="amount" if target == "label" else "label")
    if target == "amount":
        table["amount"] /= table["amount"].std()
    table.to_csv("d.csv", index=False)
    init("d.csv", "--target", target, "--model", name)
    runs("d.yaml")


@pytest.mark.slow
def test_the_config_written_without_any_data_runs_as_it_is() -> None:
    init()
    runs("study.yaml")


def test_whole_numbers_that_hardly_occur_twice_are_a_quantity(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rng = np.random.default_rng(0)
    table = pd.DataFrame({"a": rng.normal(size=12), "b": rng.normal(size=12), "count": range(10, 46, 3)})
    table.to_csv("counts.csv", index=False)
    assert cli.invoke(["init", "counts.csv", "--target", "count", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["task"] == "regression"
    table.assign(count=[1, 2, 3] * 4).to_csv("classes.csv", index=False)
    assert cli.invoke(["init", "classes.csv", "--target", "count", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["task"] == "classification"


def test_a_file_that_is_not_there_is_said(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.invoke(["init", "nope.csv"]) == 2
    found = capsys.readouterr().err
    assert "there is no file nope.csv" in found
    assert "--target" not in found


@pytest.mark.parametrize("name", ["digits", "iris", "wine", "diabetes", "breast_cancer"])
def test_scikit_learns_own_data_gives_a_config_that_is_valid(name: str, tmp_path: Path, capsys: Any) -> None:
    path = str(tmp_path / "c.yaml")
    assert cli.invoke(["init", f"sklearn:load_{name}", "--out", path]) == 0
    capsys.readouterr()
    loaded = load(path)  # digits has columns with one value, which cannot be dropped of such data
    assert loaded.warnings == ()
    said = [line for line in Path(path).read_text().splitlines() if "same value" in line]
    assert len(said) == (name == "digits")


def test_a_mark_that_is_a_category_of_another_column_stays_one() -> None:
    table = mixed(200).drop(columns="amount").astype({"income": object})
    table["garage"] = ["none", "attached", "detached", "none"] * 50
    table.loc[[3, 8], "income"] = "?"
    table.loc[[5, 6], "income"] = "none"
    table.to_csv("d.csv", index=False)
    assert init("d.csv", "--target", "label").resolved["data"]["missing"] == ["?"]


@pytest.mark.parametrize(
    ("written", "separator", "more", "key"),
    [
        ("{:,}", ",", {}, "thousands"),  # "18,611" between commas
        ("{:,}", ";", {"width": [0.5, 1.25] * 30}, "thousands"),  # points elsewhere
        ("{:,}", ";", {"large": ["1,234,567", "12"] * 30}, "thousands"),
        ("{:,}", ";", {}, "decimal"),  # 18,611 between semicolons may be either
        ("{}", ";", {"width": ["0,5", "1,25"] * 30}, "decimal"),
    ],
)
def test_what_a_comma_in_numbers_stands_for(written: str, separator: str, more: Any, key: str) -> None:
    price = np.random.default_rng(0).integers(1_000, 99_999, size=60)
    table = pd.DataFrame({"k": range(60), "c": ["a", "b", "c"] * 20, **more})
    table["price"] = [written.format(one) for one in price]
    table.to_csv("d.csv", index=False, sep=separator)
    data = init("d.csv", "--target", "price").resolved["data"]
    assert {one for one in ("thousands", "decimal") if data.get(one)} == {key}


@pytest.mark.slow
@pytest.mark.parametrize("rows", [4, 6, 9])
def test_few_rows_get_folds_that_can_be_scored(rows: int) -> None:
    rng = np.random.default_rng(0)
    pd.DataFrame({"a": rng.normal(size=rows), "b": rng.normal(size=rows), "y": rng.normal(size=rows)}).to_csv(
        "d.csv", index=False
    )
    assert cli.invoke(["init", "d.csv", "--target", "y", "--model", "Ridge"]) == 0
    assert cli.invoke(["validate", "d.yaml"]) == 0
