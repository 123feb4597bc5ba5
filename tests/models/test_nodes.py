"""The grammar of models: what is accepted, what is refused, and that a dump says it again."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import jsonschema
import pytest
from pydantic import ValidationError

from hptune.models import MODELS, kind_of, model_from

PIPELINE: dict[str, Any] = {
    "pipeline": [
        {"impute": "sklearn.impute.SimpleImputer"},
        {"scale": {"choose": ["sklearn.preprocessing.StandardScaler", "passthrough"]}},
        {
            "regressor": {
                "choose": {
                    "ridge": "sklearn.linear_model.Ridge",
                    "bag": {
                        "class": "sklearn.ensemble.BaggingRegressor",
                        "params": {"estimator": {"class": "sklearn.svm.SVR", "params": {"C": 3}}, "n_estimators": 2},
                    },
                }
            }
        },
    ]
}
EXAMPLES: dict[str, dict[str, Any]] = {
    "class": {"class": "sklearn.svm.SVC", "params": {"class_weight": {"a": 2}, "C": 3, "kernel": "rbf"}},
    "pipeline": PIPELINE,
    "choose": {"choose": {"one": "sklearn.svm.SVC", "two": PIPELINE}},
    "function": {"function": "pkg.mod:objective"},
    "hypermodel": {"hypermodel": "pkg.mod:Class"},
    "command": {"command": "python train.py --lr {lr}", "metrics": {"stdout": "json"}},
}


def test_every_kind_has_an_example_here() -> None:
    assert set(EXAMPLES) == set(MODELS)


@pytest.mark.parametrize("key", MODELS)
def test_a_models_dump_is_plain_json_and_gives_the_same_model_again(key: str) -> None:
    model = model_from(EXAMPLES[key])
    dump = json.loads(json.dumps(model.model_dump(mode="json")))
    assert model_from(dump) == model
    assert type(model) is MODELS[key] is kind_of(dump)
    assert model_from(model.model_dump()) == model


@pytest.mark.parametrize("key", MODELS)
def test_the_json_schema_of_a_kind_accepts_what_the_kind_accepts(key: str) -> None:
    jsonschema.validate(EXAMPLES[key], MODELS[key].model_json_schema())
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({**EXAMPLES[key], "nonsense": 1}, MODELS[key].model_json_schema())


@pytest.mark.parametrize("key", MODELS)
def test_a_model_says_what_it_would_import_or_start(key: str) -> None:
    model = model_from(EXAMPLES[key])
    named = [*(name for _, name in model.imports()), *model.programs()]
    assert named
    text = json.dumps(EXAMPLES[key])
    assert all(name in text for name in named)


def test_specs_load_neither_scikit_learn_nor_pandas_nor_scipy() -> None:
    code = (
        "import sys, hptune.models, hptune.data, hptune.evaluate, hptune.randomness;"
        f"hptune.models.model_from({EXAMPLES['choose']!r}).choices();"
        "assert not {'sklearn', 'pandas', 'scipy'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize(
    ("model", "place", "said"),
    [
        ({"class": "Ridge"}, ("class",), "expected a dotted path such as sklearn.linear_model.Ridge, found 'Ridge'"),
        ({"class": "a.b", "parms": {}}, ("parms",), "Extra inputs"),
        ({"pipeline": []}, ("pipeline",), "at least 1"),
        ({"pipeline": [{"a": 3}]}, ("pipeline", 0, "a"), "expected a class path, {class: ...}"),
        (
            {"pipeline": [{"a": "b.C", "b": "b.D"}]},
            ("pipeline",),
            "step 1: expected one `name: estimator`, found a, b",
        ),
        ({"pipeline": [{"a": "b.C"}, {"a": "b.D"}]}, ("pipeline",), "two steps are called 'a'"),
        ({"pipeline": [{"a.b": "b.C"}]}, ("pipeline",), "the step 'a.b': expected letters, digits"),
        ({"pipeline": [{"a__b": "b.C"}]}, ("pipeline",), "single _"),
        ({"choose": []}, ("choose",), "at least one alternative"),
        ({"choose": "b.C"}, ("choose",), "expected a list of estimators or a mapping name: estimator"),
        ({"choose": ["a.C", "b.C"]}, ("choose",), "two alternatives are called 'C'; name them"),
        ({"choose": [{"pipeline": [{"a": "b.C"}]}]}, ("choose",), "needs a name: choose: {name: ...}"),
        ({"function": "objective"}, ("function",), "expected module:function, such as objective:objective"),
        ({"function": "goals.py:loss"}, ("function",), "expected module:function without .py"),
    ],
)
def test_a_bad_model_is_refused_by_place_and_reason(model: dict[str, Any], place: tuple[Any, ...], said: str) -> None:
    with pytest.raises(ValidationError) as caught:
        model_from(model)
    (error,) = caught.value.errors()
    assert tuple(part for part in error["loc"] if not str(part).startswith("<")) == place
    assert said in error["msg"]


@pytest.mark.parametrize(
    ("model", "said"),
    [
        ({"clas": "a.B"}, "found clas; did you mean 'class'?"),
        ({}, "found nothing"),
        ({"class": "a.B", "function": "a:b"}, "found class and function"),
    ],
)
def test_a_model_of_no_kind_or_two_is_refused(model: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match="expected one of class, pipeline, choose") as caught:
        kind_of(model)
    assert str(caught.value).endswith(said)


def test_a_config_without_fit_parameters_is_dumped_without_them() -> None:
    model = model_from(EXAMPLES["class"])
    assert "fit_params" not in model.model_dump(mode="json")
    with_some = model_from({**EXAMPLES["class"], "fit_params": {"sample_weight": "weights"}})
    assert with_some.model_dump(mode="json")["fit_params"] == {"sample_weight": "weights"}
    assert model_from(with_some.model_dump(mode="json")) == with_some
