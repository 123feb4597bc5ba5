"""`memory:` of scikit-learn's estimators names a folder of pickles: it is refused wherever it is given."""

from __future__ import annotations

from pathlib import Path

import pytest

from hptune import cli

PIPELINE = """\
data: {train: "sklearn:load_diabetes"}
model:
  pipeline:
    - agg: {class: sklearn.cluster.FeatureAgglomeration, params: {n_clusters: 4MEMORY}}
    - reg: sklearn.linear_model.Ridge
space: {reg.alpha: [1.0, 2.0]SEARCHED}
evaluate: {metric: r2, cv: 2}
"""
NESTED = """\
data: {train: "sklearn:load_diabetes"}
model:
  class: sklearn.ensemble.BaggingRegressor
  params:
    estimator: {pipeline: [{agg: sklearn.cluster.FeatureAgglomeration}, {reg: sklearn.linear_model.Ridge}]}
    NAME: cache
space: {n_estimators: [1, 2]}
evaluate: {metric: r2, cv: 2}
"""


def pipeline(fixed: str = "", searched: str = "") -> str:
    return PIPELINE.replace("MEMORY", fixed).replace("SEARCHED", searched)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("config", "place", "name"),
    [
        (pipeline(", memory: cache"), "4: model.pipeline[0].agg.params.memory", "FeatureAgglomeration"),
        (pipeline("", ", agg.memory: cache"), "6: space.agg.memory", "FeatureAgglomeration"),
        (pipeline("", ", agg.memory: [null, cache]"), "6: space.agg.memory", "FeatureAgglomeration"),
        (
            pipeline("", ", agg.memory: {type: int, min: 1, max: 3, extra: [cache]}"),
            "6: space.agg.memory",
            "FeatureAgglomeration",
        ),
        (NESTED.replace("NAME", "estimator__memory"), "6: model.params.estimator__memory", "Pipeline"),
        (
            NESTED.replace("NAME", "estimator__agg__memory"),
            "6: model.params.estimator__agg__memory",
            "FeatureAgglomeration",
        ),
        (
            NESTED.replace("NAME: cache", "n_jobs: null").replace(
                "n_estimators: [1, 2]", "estimator.agg.memory: [cache, other]"
            ),
            "7: space.estimator.agg.memory",
            "FeatureAgglomeration",
        ),
    ],
)
def test_a_folder_of_pickles_is_refused_with_line_and_mend_before_anything_is_fitted(
    config: str,
    place: str,
    name: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("c.yaml").write_text(config)
    assert cli.invoke(["validate", "c.yaml"]) == 2
    err = capsys.readouterr().err
    assert f"c.yaml:{place}: {name}.memory takes null, found 'cache'" in err
    assert "leave it out: hptune keeps what the leading steps make by itself" in err
    assert [one.name for one in tmp_path.iterdir()] == ["c.yaml"]


def test_no_memory_is_fine_and_a_class_of_ones_own_may_have_what_it_likes() -> None:
    from sklearn.cluster import FeatureAgglomeration

    from hptune.models.constraints import pickles

    class Own(FeatureAgglomeration):  # its code runs anyway
        pass

    assert pickles(FeatureAgglomeration, "memory", None) == ""
    assert pickles(Own, "memory", "cache") == ""
    assert pickles(FeatureAgglomeration, "linkage", "ward") == ""
