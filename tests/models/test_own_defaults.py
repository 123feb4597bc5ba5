"""What is said of defaults that a space does not hold; and every mend that is said, applied to the config, is taken."""

from __future__ import annotations

import math
import re
from typing import Any

import pytest

from hptune.config.load import Loaded
from hptune.job import Finding
from hptune.model import EstimatorModel
from hptune.models.own_defaults import moved
from hptune.space import Choice, Float, Int
from hptune.worker.imports import Importer
from tests.config.helpers import loaded
from tests.worker.problems import SAMPLES

KNN = "neighbors.KNeighborsClassifier"
FOREST = "ensemble.RandomForestClassifier"
COUNT = "feature_extraction.text.CountVectorizer"


def config(model: str, entry: str) -> Loaded:
    return loaded(f"model: {{class: sklearn.{model}}}\ndata: {{train: 'sklearn:load_iris'}}\nspace:\n  {entry}\n")


def examined(model: str, entry: str) -> tuple[Any, list[Finding]]:
    """The default and the findings about defaults."""
    known = config(model, entry)
    assert isinstance(known.config.model, EstimatorModel)
    space, findings = known.config.model.examine(known.space, Importer(str(SAMPLES)))
    (parameter,) = space
    return parameter.default_value, [one for one in findings if "the default configuration takes" in one.message]


def applied(entry: str, mend: str, taken: str) -> str:
    """The entry with what one part of a mend says to write."""
    if found := re.fullmatch(r"add (.+?) to the values(, in order| with its weight)?", mend):
        entry = entry.replace("[", f"[{found[1]}, ", 1)
        return entry.replace("weights: [", "weights: [1, ") if found[2] == " with its weight" else entry
    if mend == "put another value first":
        return re.sub(r"\[([^,]*), (.*?)\]", r"[\2, \1]", entry, count=1)
    if "`default:`" in mend:
        return entry.replace("}", f", default: {taken}}}")
    name = entry.split(":")[0]
    if found := re.fullmatch(r"list the values(?:: (.*)| with (.*) among them)", mend):
        return f"{name}: {found[1] or f'[3, {found[2]}]'}"
    if found := re.fullmatch(r"`extra: (.*)` to search it as well", mend):
        without = re.sub(r", extra: \[.*?\]", "", entry)
        return without.replace("}", f", extra: {found[1]}}}")
    assert mend == "widen the range", mend
    return re.sub(r"max: [\d.]+", "max: 10000", re.sub(r"min: [\d.e-]+", "min: 0.00000001", entry)).replace(
        "{type: int, min: 0.00000001", "{type: int, min: 1"
    )


CASES: list[tuple[str, str, tuple[str, ...]]] = [
    (KNN, "metric: [cosine, euclidean]", ("add 'minkowski' to the values", "put another value first")),
    (KNN, "p: [1, 3]", ("add 2 to the values", "put another value first")),
    (KNN, "p: {type: choice, values: [1, 3]}", ("add 2 to the values", "put another value first")),
    (KNN, "p: {type: choice, values: [3, 4], ordered: true}",
     ("add 2 to the values, in order", "write `default:` to choose another")),
    (KNN, "p: {type: choice, values: [1, 3], weights: [1, 2]}",
     ("add 2 to the values with its weight", "write `default:` to choose another")),
    (FOREST, "max_depth: [3, 5]", ("add null to the values", "put another value first")),
    (FOREST, "bootstrap: [false, 0]", ("add true to the values", "put another value first")),
    (COUNT, r"token_pattern: ['\w+', '\S+']", (r"add '(?u)\b\w\w+\b' to the values", "put another value first")),
    (COUNT, "ngram_range: [[1, 2], [2, 2]]", ("add [1, 1] to the values", "put another value first")),
    (COUNT, "lowercase: {type: boolean}", ()),
    (COUNT, "stop_words: {type: boolean}",
     ("write `default:` to choose another", "list the values: [false, true, null]")),
    (FOREST, "n_estimators: {type: int, min: 2, max: 9}", ("write `default:` to choose another", "widen the range")),
    (FOREST, "max_features: {type: int, min: 1, max: 3}",
     ("write `default:` to choose another", "`extra: ['sqrt']` to search it as well")),
    (FOREST, "max_features: {type: int, min: 1, max: 3, extra: [log2]}",
     ("write `default:` to choose another", "`extra: ['log2', 'sqrt']` to search it as well")),
    (FOREST, "max_depth: {type: int, min: 1, max: 3}",
     ("write `default:` to choose another", "`extra: [null]` to search it as well")),
    (FOREST, "ccp_alpha: {type: float, min: 1e-4, max: 1, scale: log}",
     ("write `default:` to choose another", "`extra: [0.0]` to search it as well")),
    (FOREST, "bootstrap: {type: int, min: 2, max: 3}",
     ("write `default:` to choose another", "`extra: [true]` to search it as well")),
    ("linear_model.Lasso", "tol: {type: float, min: 1e-3, max: 1, scale: log}",
     ("write `default:` to choose another", "widen the range")),
    ("cluster.OPTICS", "max_eps: {type: float, min: 1, max: 2}", ("write `default:` to choose another",)),
    (KNN, "n_neighbors: {type: int, min: 1, max: 9, step: 3}",
     ("write `default:` to choose another", "`extra: [5]` to search it as well")),
    ("ensemble.RandomForestRegressor", "max_features: {type: int, min: 2, max: 10}",
     ("write `default:` to choose another", "`extra: [1.0]` to search it as well")),
    ("ensemble.RandomForestRegressor", "max_features: {type: int, min: 1, max: 10}",
     ("write `default:` to choose another", "list the values with 1.0 among them")),
    ("linear_model.LogisticRegressionCV", "scoring: [accuracy, f1]", ("put another value first",)),
    ("linear_model.LogisticRegressionCV", "scoring: {type: choice, values: [accuracy, f1]}",
     ("put another value first",)),
]  # fmt: skip


@pytest.mark.parametrize(("model", "entry", "mends"), CASES)
def test_every_mend_for_a_default_is_taken(model: str, entry: str, mends: tuple[str, ...]) -> None:
    default, findings = examined(model, entry)
    if not mends:
        assert findings == [] or "false" in findings[0].message
        return
    ((finding),) = findings
    said = re.search(r" takes .*? \(((?:write|add|put) .*?)\)(?:; a list is .*)?$", finding.message)
    assert said is not None
    assert tuple(said[1].split(", or ")) == mends
    for mend in mends:
        after, further = examined(model, applied(entry, mend, repr(default) if default is not False else "false"))
        if mend == "put another value first":
            assert (after, type(after)) != (default, type(default))
        else:
            assert further == [], mend


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ("p: [1, 3]", "; a list is a choice between its values, a range is {type: int, min: 1, max: 3}"),
        ("C: [0.1, 100]", "; a list is a choice between its values, a range is {type: float, min: 0.1, max: 100}"),
        ("p: [3, 1]", ""),
        ("p: [1, 3, 5]", ""),
    ],
)
def test_two_numbers_in_a_list_may_have_been_meant_as_a_range(entry: str, said: str) -> None:
    _, (finding,) = examined("svm.SVR" if entry[0] == "C" else KNN, entry)
    assert finding.message.partition("first)")[2] == said


def test_a_default_that_no_space_can_hold_is_not_told_to_be_added() -> None:
    for parameter in (
        Choice(name="eps", values=(1.0, 2.0, 3.0)),
        Float(name="eps", low=1.0, high=2.0),
        Int(name="eps", low=1, high=2),
    ):
        finding = moved(parameter, parameter.with_default(1), "eps", math.inf, False)
        assert finding is not None
        assert finding.message.endswith(
            ("takes 1.0 (put another value first)", "(write `default:` to choose another)")
        )
