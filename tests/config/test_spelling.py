"""Findings stand at the line of their parameter, however `space:` spells its path."""

from __future__ import annotations

import pytest

from hptune.compose import inspect
from hptune.config.findings import placed, problems_from
from hptune.config.load import Loaded
from hptune.config.spelling import Spelling
from hptune.errors import ConfigError, Problem
from hptune.job import Finding
from tests.config.helpers import loaded, refused

VOTING = """\
data: {train: "sklearn:load_iris"}
model:
  class: sklearn.ensemble.VotingClassifier
  params:
    estimators:
      - lr: {class: sklearn.linear_model.LogisticRegression, params: {max_iter: 500}}
      - rf: {class: sklearn.ensemble.RandomForestClassifier, params: {n_estimators: 5}}
executor: {type: serial}
space:
"""
FIRST = VOTING.count("\n") + 1


def voting(*entries: str, more: str = "") -> Loaded:
    return loaded(VOTING + "".join(f"  {one}\n" for one in entries) + more)


@pytest.mark.parametrize("spelled", ["lr.Q", "estimators.lr.Q", "lr__Q", "estimators__lr__Q"])
@pytest.mark.parametrize("severity", ["error", "warning"])
def test_a_finding_stands_at_its_entry(spelled: str, severity: str) -> None:
    config = voting("rf.max_depth: [3, null]", f"{spelled}: {{type: float, min: 1, max: 2}}")
    for part in ("", ".min"):
        key = f"space.estimators.lr.Q{part}"
        (problem,) = problems_from([Finding(key=key, message="m", severity=severity)], config)  # type: ignore[arg-type]
        assert (problem.key, problem.line, problem.severity) == (key, FIRST + 1, severity)
        assert placed([Problem(key, "m", severity=severity)], config) == [problem]


def test_an_inspection_tells_the_line_of_a_short_path() -> None:
    with pytest.raises(ConfigError) as caught:
        inspect(voting("lr.C: {type: float, min: 2, max: 3}", "rf.max_dpth: [3, null]"))
    found = {one.key: one.line for one in caught.value.problems}
    assert found == {"space.estimators.lr.C": FIRST, "space.estimators.rf.max_dpth": FIRST + 1}


def test_an_override_of_a_short_path_is_named() -> None:
    config = loaded(VOTING + "  lr.C: [1, 2]\n", override=["space.lr.C=[3, 4]"])
    assert config.problem("space.estimators.lr.C", "m").file == "-o space.lr.C=[3, 4]"


ORACLE = "oracle: {type: hyperband, resource: RESOURCE, min: 10, max: 90}\n"


@pytest.mark.parametrize("resource", ["lr.max_iter", "estimators.lr.max_iter"])
@pytest.mark.parametrize("spelled", ["lr.max_iter", "estimators.lr.max_iter", "lr__max_iter"])
def test_a_resource_is_found_in_the_space_however_both_spell_it(resource: str, spelled: str) -> None:
    more = ORACLE.replace("RESOURCE", resource)
    config = voting("lr.C: [1, 2]", f"{spelled}: 90", more=more)
    assert config.space.defaults()["estimators.lr.max_iter"] == 90
    (said,) = refused(VOTING + f"  {spelled}: [10, 90]\n" + more)
    assert said.startswith(f"c.yaml:{FIRST}: space.{spelled}: the oracle's resource cannot be searched as well")


def test_the_longest_name_counts_and_other_sections_are_left_alone() -> None:
    spelling = Spelling({"a": "x", "a.b": "y"})
    assert spelling.key("space.a.b.min") == "space.y.min"
    assert spelling.key("space.a.c") == "space.x.c"
    assert spelling.key("space.ab") == "space.ab"
    assert spelling.key("model.a.b") == "model.a.b"
