"""Text vectorizers get a column of the data as the list of texts that they want."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import ColumnTransformer
from sklearn.feature_extraction.text import CountVectorizer, HashingVectorizer, TfidfTransformer, TfidfVectorizer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import Ridge
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import FeatureUnion, Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder

from hptune import cli
from hptune.job import Finding, Setup
from hptune.models.texts import given_a_table, takes_texts
from hptune.space import SearchSpace
from hptune.worker.problem import Problem
from tests.models.houses import findings, scores

TFIDF = "sklearn.feature_extraction.text.TfidfVectorizer"
COUNTS = "sklearn.feature_extraction.text.CountVectorizer"
IMPUTE = {"class": "sklearn.impute.SimpleImputer", "params": {"strategy": "constant", "fill_value": "none"}}
RIDGE = {"ridge": "sklearn.linear_model.Ridge"}
WORDS = ["good", "bad", "fine", "awful", "great", "poor", "nice", "room", "staff", "pool"]
ROWS = 60


def reviews() -> pd.DataFrame:
    rng = np.random.default_rng(0)
    words = rng.choice(WORDS, (ROWS, 8))
    title = [" ".join(some) for some in rng.choice(WORDS, (ROWS, 3))]
    stars = (words == "good").sum(1) - (words == "bad").sum(1) + rng.normal(0, 0.1, ROWS)
    review = [" ".join(some) for some in words]
    return pd.DataFrame({"review": review, "title": title, "size": rng.normal(size=ROWS), "stars": stars})


def setup(folder: Path, *steps: dict[str, Any], table: pd.DataFrame | None = None, drop: Any = ()) -> Setup:
    (reviews() if table is None else table).to_csv(folder / "reviews.csv", index=False)
    return Setup(
        model={"pipeline": [*steps, RIDGE]},
        data={"train": "reviews.csv", "target": "stars", "drop": list(drop)},
        evaluate={"cv": 3},
        space=SearchSpace(()).to_json(),
        seed=3,
        folder=str(folder),
    )


def part(select: Any, with_: Any) -> dict[str, Any]:
    return {"prep": {"columns": [{"words": {"select": select, "with": with_}}], "remainder": "drop"}}


def by_hand(asked: Setup, made: Any, column: str = "review") -> list[float]:
    problem = Problem(asked)
    rows = problem.dataset.train
    model = make_pipeline(ColumnTransformer([("words", made, column)]), Ridge())
    found = cross_val_score(model, rows.X, rows.y, cv=problem.splits, scoring=problem.scoring.metric)
    return [float(one) for one in found]


def errors(found: list[Finding]) -> dict[str, str]:
    return {one.key: one.message for one in found if one.severity == "error"}


# -- what is built --------------------------------------------------------------------------------------------------


def test_vectorizers_are_told_by_their_tags() -> None:
    assert all(takes_texts(one) for one in (TfidfVectorizer(), CountVectorizer(), HashingVectorizer()))
    others = (
        TfidfTransformer(),
        OneHotEncoder(),
        Ridge(),
        make_pipeline(TfidfVectorizer()),
        "passthrough",
        TfidfVectorizer,
    )
    assert not any(takes_texts(one) for one in others)


def test_other_estimators_and_pipelines_that_make_a_list_themselves_stay_what_they_are() -> None:
    flat = Pipeline([("flat", FunctionTransformer(np.ravel)), ("words", TfidfVectorizer())])
    for one in (OneHotEncoder(), "drop", flat):
        assert given_a_table(one) is one
    assert isinstance(flat.steps[1][1], TfidfVectorizer)


@pytest.mark.parametrize(
    ("select", "with_", "made"),
    [
        ("review", TFIDF, TfidfVectorizer()),
        (["review"], {"choose": [TFIDF, COUNTS]}, TfidfVectorizer()),
        ([0], {"pipeline": [{"count": COUNTS}, {"tfidf": "sklearn.feature_extraction.text.TfidfTransformer"}]}, None),
        ({"regex": "^rev"}, {"pipeline": [{"impute": IMPUTE}, {"tfidf": TFIDF}]}, TfidfVectorizer()),
        (
            "review",
            {
                "class": "sklearn.pipeline.FeatureUnion",
                "params": {
                    "transformer_list": [{"a": TFIDF}, {"b": {"class": COUNTS, "params": {"analyzer": "char"}}}]
                },
            },
            FeatureUnion([("a", TfidfVectorizer()), ("b", CountVectorizer(analyzer="char"))]),
        ),
    ],
)
def test_a_part_scores_like_scikit_learns_scalar_selection(
    tmp_path: Path, select: Any, with_: Any, made: Any
) -> None:
    asked = setup(tmp_path, part(select, with_))
    wanted = make_pipeline(CountVectorizer(), TfidfTransformer()) if made is None else made
    assert errors(findings(asked, probe=True)) == {}
    assert scores(asked, {}) == pytest.approx(by_hand(asked, wanted))


def test_a_kind_that_selects_one_column_will_do_and_so_will_the_only_column_without_parts(tmp_path: Path) -> None:
    for steps, drop in (((part("text", TFIDF),), ["title"]), (({"words": TFIDF},), ["title", "size"])):
        asked = setup(tmp_path, *steps, drop=drop)
        assert findings(asked, probe=True) == []
        assert scores(asked, {}) == pytest.approx(by_hand(asked, TfidfVectorizer()))


def test_missing_texts_are_empty_ones(tmp_path: Path) -> None:
    lacking, empty = reviews(), reviews()
    lacking.loc[::7, "review"] = None
    empty.loc[::7, "review"] = ""
    asked = setup(tmp_path, part("review", TFIDF), table=lacking)
    assert errors(findings(asked, probe=True)) == {}
    X, y = empty, Problem(asked).dataset.train.y
    model = make_pipeline(ColumnTransformer([("words", TfidfVectorizer(), "review")]), Ridge())
    wanted = cross_val_score(model, X, y, cv=Problem(asked).splits, scoring="r2")
    assert scores(asked, {}) == pytest.approx(wanted.tolist())
    assert isinstance(Problem(asked).build({})[0].transformers[0][1][0], SimpleImputer)


# -- what is wrong --------------------------------------------------------------------------------------------------


def test_several_columns_and_columns_of_numbers_are_told_with_the_mend(tmp_path: Path) -> None:
    key = "model.pipeline.0.prep.columns.0.words.select"
    assert errors(findings(setup(tmp_path, part("text", TFIDF)))) == {
        key: "TfidfVectorizer takes one column of text, found 2 (review, title); write a part of `columns:` for each"
    }
    several = {"choose": {"one": "passthrough", "two": {"pipeline": [{"impute": IMPUTE}, {"count": COUNTS}]}}}
    assert (
        "CountVectorizer takes one column" in errors(findings(setup(tmp_path, part(["title", "size"], several))))[key]
    )
    assert errors(findings(setup(tmp_path, part("size", TFIDF)))) == {
        key: "TfidfVectorizer takes a column of text, 'size' holds float64"
    }
    found = errors(findings(setup(tmp_path, {"words": TFIDF}, drop=["title"])))
    assert found["model.pipeline.0"].endswith(
        "found 2 (review, size); put it into a part of `columns:`, or `drop:` the others"
    )
    assert (
        "'size' holds float64"
        in errors(findings(setup(tmp_path, {"words": TFIDF}, drop=["title", "review"])))["model.pipeline.0"]
    )


def test_an_array_of_numbers_is_no_text(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    np.savez(tmp_path / "t.npz", X=rng.normal(size=(ROWS, 2)), y=rng.normal(size=ROWS))
    asked = setup(tmp_path, {"words": TFIDF})
    found = findings(Setup(**{**asked.__dict__, "data": {"train": "t.npz"}}))
    assert "TfidfVectorizer takes a column of text, the data is an array" in errors(found)["model.pipeline.0"]


# -- a whole study --------------------------------------------------------------------------------------------------


def test_what_validate_advises_for_long_texts_works_to_the_export(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    table = pd.concat([reviews()] * 3, ignore_index=True).assign(
        review=[" ".join(some) for some in np.random.default_rng(1).choice(WORDS, (3 * ROWS, 9))]
    )
    table.loc[5, "review"] = None
    table.to_csv("reviews.csv", index=False)
    encode = "{class: sklearn.preprocessing.OneHotEncoder, params: {handle_unknown: ignore}}"
    config = (
        "data: {train: reviews.csv, target: stars, drop: [title]}\n"
        "model: {pipeline: [{prep: {columns: [{words: {select: [review], with: %s}}], remainder: passthrough}}, "
        "{ridge: sklearn.linear_model.Ridge}]}\n"
        "space: {ridge.alpha: {type: float, min: 0.1, max: 10}}\n"
        "oracle: {type: random}\nbudget: {trials: 2}\nexecutor: {type: serial}\noutput: {dir: run}\n"
    )
    Path("study.yaml").write_text(config % encode)
    assert cli.invoke(["validate", "study.yaml"]) == 0
    assert "a part of `columns:` with `select: [review]` and a text vectorizer" in capsys.readouterr().err
    Path("study.yaml").write_text(config % TFIDF)
    assert cli.invoke(["run", "study.yaml", "-q"]) == 0
    assert "review" not in capsys.readouterr().err
    assert json.loads(Path("run/model.json").read_text())["format"] == "skops"
    assert cli.invoke(["predict", "run", "reviews.csv"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 3 * ROWS + 1
    assert cli.invoke(["export", "run", "--out", "winner.py"]) == 0
    done = subprocess.run([sys.executable, "winner.py"], capture_output=True, text=True, check=False)
    assert done.stdout.splitlines()[-1:] == [f"fitted to {3 * ROWS} rows"], done.stderr
