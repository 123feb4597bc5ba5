"""How parameters are named, and under which choices they exist."""

from __future__ import annotations

import pytest

from hptune.models import model_from
from tests.models.test_nodes import PIPELINE

NESTED = model_from(
    {
        "pipeline": [
            {"scale": {"choose": ["sklearn.preprocessing.StandardScaler", "passthrough"]}},
            {
                "model": {
                    "choose": {
                        "ridge": "sklearn.linear_model.Ridge",
                        "bag": {
                            "class": "sklearn.ensemble.BaggingRegressor",
                            "params": {
                                "estimator": {"choose": ["sklearn.svm.SVR", "sklearn.tree.ExtraTreeRegressor"]}
                            },
                        },
                        "sub": {"pipeline": [{"svr": "sklearn.svm.SVR"}]},
                    }
                }
            },
        ]
    }
)


def test_choose_points_come_parents_first_with_names_conditions_and_keys() -> None:
    points = [(p.path, p.names, p.conditions, p.key) for p in NESTED.choices()]
    assert points == [
        ("scale", ("StandardScaler", "passthrough"), (), "model.pipeline.0.scale.choose"),
        ("model", ("ridge", "bag", "sub"), (), "model.pipeline.1.model.choose"),
        (
            "model.bag.estimator",
            ("SVR", "ExtraTreeRegressor"),
            (("model", "bag"),),
            "model.pipeline.1.model.choose.bag.params.estimator.choose",
        ),
    ]


@pytest.mark.parametrize(
    ("path", "parents"),
    [
        ("scale", []),
        ("scale.StandardScaler.with_mean", [("scale", "StandardScaler")]),
        ("model.ridge.alpha", [("model", "ridge")]),
        ("model.bag.n_estimators", [("model", "bag")]),
        ("model.bag.estimator", [("model", "bag")]),
        ("model.bag.estimator.SVR.C", [("model", "bag"), ("model.bag.estimator", "SVR")]),
        ("model.sub.svr.C", [("model", "sub")]),
        ("model.sub.svr.kernel.length", [("model", "sub")]),
    ],
)
def test_a_path_implies_its_parents(path: str, parents: list[tuple[str, str]]) -> None:
    assert NESTED.conditions_for(path) == parents


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("scal.with_mean", "scal.with_mean: no step 'scal'; did you mean 'scale'?"),
        ("zzz.with_mean", "no step 'zzz' (steps: scale, model)"),
        ("model.rigde.alpha", "model has no alternative 'rigde'; did you mean 'ridge'?"),
        ("model.alpha", "(alternatives: ridge, bag, sub); a parameter of one is model.ridge.NAME"),
        ("model.sub.svm.C", "no step 'svm' in model.sub; did you mean 'svr'?"),
        ("model.ridge", "model.ridge: names an estimator; name a parameter of it"),
        ("model.sub", "names a pipeline; name a parameter of a step (svr)"),
        ("scale.passthrough.x", "passthrough has no parameters"),
        ("model..alpha", "'model..alpha': expected names joined by single dots"),
    ],
)
def test_a_path_that_leads_nowhere_is_refused(path: str, said: str) -> None:
    with pytest.raises(ValueError) as caught:
        NESTED.conditions_for(path)
    assert said in str(caught.value)


def test_a_plain_class_model_has_plain_names() -> None:
    model = model_from({"class": "sklearn.svm.SVR", "params": {"C": 2}})
    assert model.choices() == []
    assert model.conditions_for("epsilon") == []
    assert model.conditions_for("estimator.C") == []


def test_a_choose_that_is_the_whole_model_is_called_model() -> None:
    model = model_from({"choose": ["sklearn.svm.SVR", "sklearn.linear_model.Ridge"]})
    assert [point.path for point in model.choices()] == ["model"]
    assert model.conditions_for("model.Ridge.alpha") == [("model", "Ridge")]
    with pytest.raises(ValueError, match=r"begin with 'model'; did you mean 'model\.Ridge\.alpha'\?"):
        model.conditions_for("Ridge.alpha")


def test_variants_take_each_alternative_once_under_the_parents_it_needs() -> None:
    from hptune.model import EstimatorModel

    assert isinstance(NESTED, EstimatorModel)
    assert NESTED.variants() == [
        {},
        {"scale": "passthrough"},
        {"model": "bag"},
        {"model": "sub"},
        {"model": "bag", "model.bag.estimator": "ExtraTreeRegressor"},
    ]


def test_imports_name_the_config_key_of_every_class() -> None:
    assert model_from(PIPELINE).imports() == [
        ("model.pipeline.0.impute.class", "sklearn.impute.SimpleImputer"),
        ("model.pipeline.1.scale.choose.0.class", "sklearn.preprocessing.StandardScaler"),
        ("model.pipeline.2.regressor.choose.ridge.class", "sklearn.linear_model.Ridge"),
        ("model.pipeline.2.regressor.choose.bag.class", "sklearn.ensemble.BaggingRegressor"),
        ("model.pipeline.2.regressor.choose.bag.params.estimator.class", "sklearn.svm.SVR"),
    ]
