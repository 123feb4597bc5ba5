"""`space:`, `constraints:` and `start_with:` as a search space."""

from __future__ import annotations

import difflib
from typing import Any

import numpy as np
import pytest

from hptune.config.render import RENDERED
from hptune.errors import did_you_mean
from hptune.space import Boolean, Choice, Fixed, Float, Int
from tests.config.helpers import PIPELINE, RIDGE, loaded, refused


def one(entry: str) -> object:
    """The parameter that an entry of `space:` declares for Ridge's alpha, and its warnings checked to be none."""
    found = loaded(f"{RIDGE}space:\n  alpha: {entry}\n")
    assert found.warnings == ()
    return found.space["alpha"]


@pytest.mark.parametrize(
    ("entry", "parameter"),
    [
        ("1.5", Fixed(name="alpha", value=1.5)),
        ("null", Fixed(name="alpha", value=None)),
        ("no", Fixed(name="alpha", value="no")),
        ("[1, 1.5, null, true, auto]", Choice(name="alpha", values=(1, 1.5, None, True, "auto"))),
        ("[true, false]", Choice(name="alpha", values=(True, False))),
        ("[[1], [2, 3]]", Choice(name="alpha", values=([1], [2, 3]))),
        ("{type: float, min: 0, max: 1}", Float(name="alpha", low=0.0, high=1.0)),
        ("{type: float, min: 1e-4, max: 1E3, scale: log}", Float(name="alpha", low=1e-4, high=1e3, scale="log")),
        ("{type: float, min: 0, max: 1, step: 0.3}", Float(name="alpha", low=0.0, high=1.0, step=0.3)),
        ("{type: int, min: 1, max: 64, scale: log, factor: 2}",
         Int(name="alpha", low=1, high=64, scale="log", factor=2)),
        ("{type: float, min: 0.1, max: 1, scale: log, extra: [0, null]}",
         Float(name="alpha", low=0.1, high=1.0, scale="log", extra=(0, None))),
        ("{type: int, min: 1, max: 9, default: 3}", Int(name="alpha", low=1, high=9, default=3)),
        ("{type: choice, values: [a, b], weights: [1, 3], default: b}",
         Choice(name="alpha", values=("a", "b"), weights=(1.0, 3.0), default="b")),
        ("{type: choice, values: [1, 2, 5], ordered: true}", Choice(name="alpha", values=(1, 2, 5), ordered=True)),
        ("{type: boolean}", Boolean(name="alpha")),
        ("{type: boolean, default: true}", Boolean(name="alpha", default=True)),
        ("{type: fixed, value: {a: 1}}", Fixed(name="alpha", value={"a": 1})),
        # KerasTuner's names, then Optuna's
        ("{type: float, min_value: 0.5, max_value: 1, sampling: log}",
         Float(name="alpha", low=0.5, high=1.0, scale="log")),
        ("{type: int, min_value: 2, max_value: 8, step: 2}", Int(name="alpha", low=2, high=8, step=2)),
        ("{type: float, low: 0.5, high: 1, log: true}", Float(name="alpha", low=0.5, high=1.0, scale="log")),
        ("{type: float, low: 0.5, high: 1, log: false}", Float(name="alpha", low=0.5, high=1.0)),
        ("{type: choice, choices: [a, b]}", Choice(name="alpha", values=("a", "b"))),
    ],
)  # fmt: skip
def test_an_entry_declares_a_parameter(entry: str, parameter: object) -> None:
    found = one(entry)
    assert found == parameter
    assert repr(found) == repr(parameter)  # 1 is not True here


# (entry, line, rest of the message)
WRONG = [
    ("{type: float, min: 1}", "alpha: expected max, found none"),
    ("{type: int}", "alpha: expected min and max, found none"),
    (
        "{min: 0, max: 1}",
        "alpha: expected a type: one of float, int, choice, boolean, fixed, found none (a range of numbers is "
        "`type: float` or `type: int`)",
    ),
    ("{}", "alpha: expected a type: one of float, int, choice, boolean, fixed, found none"),
    ("{type: integer, min: 0, max: 1}",
     "alpha.type: expected one of float, int, choice, boolean, fixed, found 'integer'; did you mean 'int'?"),
    ("{type: flaot, min: 0, max: 1}",
     "alpha.type: expected one of float, int, choice, boolean, fixed, found 'flaot'; did you mean 'float'?"),
    ("{type: float, min: 2, max: 1}", "alpha: expected min <= max, found min 2.0 and max 1.0"),
    ("{type: float, min: 0, max: 1, scale: log}",
     "alpha: a log scale needs min > 0, found min 0.0 (add `extra: [0]` to try zero as well)"),
    ("{type: float, min: 1, max: 2, scale: lgo}",
     "alpha.scale: expected linear, log or reverse_log, found 'lgo'; did you mean 'log'?"),
    ("{type: float, min: 1e-3x, max: 1}", "alpha.min: expected a number, found '1e-3x'"),
    ("{type: int, min: 0.5, max: 3}", "alpha.min: expected a whole number, found 0.5"),
    ("{type: int, low: 0.5, max: 3}", "alpha.low: expected a whole number, found 0.5"),
    ("{type: int, min: true, max: 3}", "alpha.min: expected a whole number, found True"),
    ("{type: float, min: 0, low: 0, max: 1}", "alpha.low: min and low say the same: keep one"),
    ("{type: float, min: 0, max: 1, scale: log, log: true}", "alpha.log: scale and log say the same: keep one"),
    ("{type: float, min: 0, max: 1, log: 3}", "alpha.log: expected true or false, found 3"),
    ("{type: float, min: 0, maxx: 1, max: 2}", "alpha.maxx: unknown key; did you mean 'max'?"),
    ("{type: choice, values: [a], min: 0}",
     "alpha.min: unknown key; expected one of values, default, ordered, weights, when, sets"),
    ("{type: choice, values: [a], extra: [b]}",
     "alpha.extra: unknown key: extra values are for ranges; a choice lists all of its own in `values:`"),
    ("{type: float, min: 0, max: 1, step: 0}", "alpha.step: expected a positive number, found 0.0"),
    ("{type: float, min: 1, max: 2, scale: log, step: 1}", "alpha: a log scale takes `factor:`, not `step:`"),
    ("{type: float, min: 1, max: 2, extra: scale}", "alpha.extra: expected a list, found 'scale'; write [scale]"),
    ("{type: float, min: 1, max: 2, extra: [1.5]}", "alpha.extra: 1.5 is inside the range already"),
    ("{type: float, min: 1, max: 2, default: many}", "alpha.default: expected a number, found 'many'"),
    ("{type: choice, values: [a, b], default: c}", "alpha.default: expected one of \"a\", \"b\", found 'c'"),
    ("{type: choice, values: [a, b], weights: [1]}",
     "alpha.weights: expected 2 weights, one for each value, found 1"),
    ("{type: choice, values: [a, b], weights: [1, x]}", "alpha.weights: expected positive numbers, found 'x'"),
    ("{type: choice, values: a}", "alpha.values: expected a list, found 'a'; write [a]"),
    ("{type: choice, values: [2, 1], ordered: true}", "alpha.ordered: expected increasing numbers, found [2, 1]"),
    ("{type: boolean, default: 1}", "alpha.default: expected true or false, found 1"),
    ("{type: fixed}", "alpha: expected value, found none"),
    ("{type: choice, values: [a, b], weights: [1, 0]}", "alpha.weights: expected positive numbers, found 0"),
    ("[]", "alpha: expected at least one value, found an empty list"),
    ("{type: choice, choices: []}", "alpha.choices: expected at least one value, found an empty list"),
    ("[a, a]", "alpha: the value 'a' is listed twice"),
    ("9007199254740993", "alpha: the number 9007199254740993 is beyond ±2^53"),
    ("{type: float, min: 0, max: 1, when: {}}",
     "alpha.when: expected a mapping such as {kernel: rbf}, found an empty mapping"),
    ("{type: float, min: 0, max: 1, when: {solvr: svd}}",
     "alpha.when.solvr: no parameter 'solvr'; did you mean 'solver'?"),
    ("{type: float, min: 0, max: 1, when: {tol: 0.1}}",
     "alpha.when.tol: no parameter 'tol'; a condition needs one that has an entry under space:"),
    ("{type: float, min: 0, max: 1, when: {solver: sdv}}",
     "alpha.when.solver: expected one of \"svd\", \"lsqr\", found 'sdv'; did you mean 'svd'?"),
    ("{type: float, min: 0, max: 1, when: {solver: {eq: svd}}}",
     "alpha.when.solver: expected gt, ge, lt, le, ne, found eq"),
    ("{type: float, min: 0, max: 1, when: {max_iter: {gt: svd}}}",
     "alpha.when.max_iter: gt: expected a number, found 'svd'"),
]  # fmt: skip


@pytest.mark.parametrize("character", ["\\n", "\\r", "\\e", "\\u2028", "\\x9b"])
def test_a_name_that_could_not_be_printed_is_refused_at_its_line(character: str) -> None:
    said = "expected a name on one line without control characters, found the character U+"
    (parameter,) = refused(
        f'model: {{function: "a:b"}}\nspace: {{x: [1, 2],\n "y{character}": [1]}}\nevaluate: {{metric: loss}}\n'
    )
    assert parameter.startswith("c.yaml:3: space.y")
    assert said in parameter
    assert parameter.endswith(": rename it")
    (step,) = refused(f'model: {{pipeline: [{{"a{character}": {{choose: [a.B, a.C]}}}}, b: a.B]}}\nspace: {{}}\n')
    assert step.startswith("c.yaml:1: model")
    found = refused(
        f'{RIDGE}space: {{alpha: [1, 2]}}\nevaluate:\n  metric: "r2{character}"\n  also: ["b{character}"]\n'
    )
    assert [one.partition(": expected")[0] for one in found] == [
        "c.yaml:5: evaluate.metric",
        "c.yaml:6: evaluate.also",
    ]
    assert all(said in one for one in found)


@pytest.fixture
def compared(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many pairs of letters each hint compares, as a list that grows."""
    found: list[int] = []
    real = difflib.get_close_matches

    def close(word: str, names: list[str], *arguments: Any, **options: Any) -> list[str]:
        found.append(len(word) * sum(map(len, names)))
        return real(word, names, *arguments, **options)

    monkeypatch.setattr(difflib, "get_close_matches", close)
    return found


@pytest.mark.parametrize("kind", ["require", "forbid", "start_with", "when"])
def test_of_thousands_of_unknown_names_those_that_are_shown_get_hints(kind: str, compared: list[int]) -> None:
    many = 600
    entry = {"require": "{{require: 'q{} < 1'}}", "forbid": "{{forbid: {{q{}: 1}}}}"}.get(kind, "{{q{}: 1}}")
    text = "model: {function: 'a:b'}\nevaluate: {metric: loss, direction: minimize}\nspace:\n  qq0: [1, 2]\n"
    when = "{{type: int, min: 1, max: 2, when: {{q{}: 1}}}}" if kind == "when" else "[1, 2]"
    text += "".join(f"  p{number}: {when.format(number)}\n" for number in range(many))
    if kind != "when":
        text += "start_with:\n" if kind == "start_with" else "constraints:\n"
        text += "".join(f"  - {entry.format(number)}\n" for number in range(many))
    found = refused(text)
    assert len(found) == many
    assert found[0].endswith("no parameter 'q0'; did you mean 'qq0'?")
    assert len(compared) <= RENDERED


def test_a_hint_compares_no_more_than_it_has_time_for_and_ordinary_names_all(compared: list[int]) -> None:
    assert did_you_mean("colour", ["size", "color", "age"]) == "; did you mean 'color'?"
    assert did_you_mean("regressor.svr.gama", [f"regressor.svr.{n}" for n in ("C", "gamma")]).endswith("gamma'?")
    alike = [f"p{'ab' * 90}{number}" for number in range(2000)]
    assert did_you_mean(f"p{'ab' * 90}", alike) != ""  # the first ones are compared
    assert did_you_mean(f"{alike[-1]}X".upper(), [*alike, f"{alike[-1]}x"]) != ""  # another case costs nothing
    assert did_you_mean("column_1234", [f"column_{number:05}" for number in range(20_000)]) != ""
    assert max(compared) <= 200_000


@pytest.mark.parametrize(("entry", "message"), WRONG, ids=[entry for entry, _ in WRONG])
def test_a_wrong_entry_is_told_at_its_line_and_key(entry: str, message: str) -> None:
    text = f"{RIDGE}space:\n  solver: [svd, lsqr]\n  max_iter: {{type: int, min: 1, max: 9}}\n  alpha: {entry}\n"
    assert refused(text) == [f"c.yaml:6: space.{message}"]


def test_a_default_outside_the_range_is_clipped_and_said() -> None:
    found = loaded(f"{RIDGE}space:\n  alpha: {{type: float, min: 0, max: 1, default: 7}}\n")
    assert found.space.defaults() == {"alpha": 1.0}
    assert [str(one) for one in found.warnings] == [
        "c.yaml:4: space.alpha.default: 7 is not one of the values; the nearest, 1.0, is taken"
    ]
    assert found.warnings[0].severity == "warning"


def test_scikit_learns_double_underscores_are_dots() -> None:
    text = PIPELINE + (
        "space:\n"
        "  regressor__ridge__alpha: {type: float, min: 1, max: 2, when: {scale: passthrough}}\n"
        "  impute__strategy: [mean, median]\n"
        "constraints:\n"
        "  - forbid: {impute__strategy: mean, scale: passthrough}\n"
        "  - require: regressor__ridge__alpha < 1.9\n"
        "start_with: [{impute__strategy: median}]\n"
    )
    found = loaded(text)
    assert "regressor.ridge.alpha" in found.space
    assert [str(one) for one in found.space.constraints] == [
        "forbid impute.strategy = mean and scale = passthrough",
        "require regressor.ridge.alpha < 1.9",
    ]
    assert found.starts == ({"impute.strategy": "median"},)
    twice = PIPELINE + "space:\n  impute.strategy: [mean]\n  impute__strategy: [mean]\n"
    assert refused(twice) == ["c.yaml:14: space.impute__strategy: impute.strategy is declared twice: keep one"]
    wrong = PIPELINE + (
        "space:\n"
        "  impute__strategy: [mean]\n"
        "  regressor__ridge__alpha: {type: float, min: 1, max: 2, when: {impute__strategy: maen}}\n"
    )
    assert refused(wrong) == [
        "c.yaml:14: space.regressor__ridge__alpha.when.impute__strategy: expected one of \"mean\", found 'maen'; "
        "did you mean 'mean'?"
    ]


def test_a_choose_is_a_choice_and_what_lies_below_exists_where_it_is_chosen() -> None:
    space = loaded(PIPELINE + "space: {regressor.svr.kernel.C: [1, 2], regressor.ridge.alpha: [1, 2]}\n").space
    assert space["scale"] == Choice(name="scale", values=("StandardScaler", "RobustScaler", "passthrough"))
    assert space.defaults() == {"scale": "StandardScaler", "regressor": "ridge", "regressor.ridge.alpha": 1}
    assert [str(one) for one in space["regressor.svr"].when] == ["regressor = svr"]
    assert [str(one) for one in space["regressor.svr.kernel.C"].when] == [
        "regressor = svr",
        "regressor.svr = kernel",
    ]


def test_when_is_added_to_what_the_model_implies_and_not_repeated() -> None:
    entry = "{type: int, min: 1, max: 3, when: {regressor: ridge, scale: [RobustScaler, passthrough]}}"
    space = loaded(PIPELINE + f"space: {{regressor.ridge.alpha: {entry}}}\n").space
    assert [str(one) for one in space["regressor.ridge.alpha"].when] == [
        "regressor = ridge",
        "scale in RobustScaler, passthrough",
    ]


def test_when_compares_and_several_keys_must_all_hold() -> None:
    text = f"""{RIDGE}space:
  a: {{type: int, min: 1, max: 9}}
  flag: {{type: boolean}}
  b: {{type: int, min: 1, max: 9, when: {{a: {{gt: 3, le: 5}}, flag: true}}}}
"""
    space = loaded(text).space
    assert "b" in space.complete({"a": 4, "flag": True})
    for other in ({"a": 3, "flag": True}, {"a": 6, "flag": True}, {"a": 4, "flag": False}):
        assert "b" not in space.complete(other)


def test_an_entry_on_a_choose_narrows_it() -> None:
    found = loaded(PIPELINE + "space: {scale: [passthrough, StandardScaler]}\n")
    assert found.space["scale"] == Choice(name="scale", values=("passthrough", "StandardScaler"))
    assert found.space.defaults()["scale"] == "passthrough"
    typed = loaded(
        PIPELINE + "space: {scale: {type: choice, values: [passthrough, RobustScaler], default: RobustScaler}}"
    )
    assert typed.space.defaults()["scale"] == "RobustScaler"


def test_an_entry_on_a_choose_fixes_it_and_what_it_rules_out_is_left_out_and_said() -> None:
    text = PIPELINE + (
        "space:\n"
        "  regressor: ridge\n"
        "  regressor.lasso.alpha: [1, 2]\n"
        "  regressor.svr.kernel.C: [1, 2]\n"
        "  regressor.ridge.alpha: [1, 2]\n"
        "  impute.strategy: {type: choice, values: [mean, median], when: {regressor.lasso.alpha: 1}}\n"
        "constraints: [{forbid: {regressor: lasso, scale: passthrough}}, {require: regressor.lasso.alpha < 2}]\n"
        "start_with: [{regressor: lasso}, {regressor.ridge.alpha: 2}]\n"
    )
    found = loaded(text)
    assert [p.name for p in found.space] == ["scale", "regressor", "regressor.ridge.alpha"]
    assert found.space["regressor"] == Fixed(name="regressor", value="ridge")
    assert found.space.constraints == ()
    assert found.starts == ({"regressor.ridge.alpha": 2},)
    assert [str(one) for one in found.warnings] == [
        "c.yaml:14: space.regressor.lasso.alpha: never active, because regressor is narrowed to ridge: left out, "
        "as regressor.svr.kernel.C",
        "c.yaml:17: space.impute.strategy: never active, because regressor.lasso.alpha is never active: left out",
        "c.yaml:19: start_with[0].regressor: left out: it lies outside the narrowed space",
    ]


def test_conditions_and_constraints_keep_what_narrowing_leaves_of_them() -> None:
    text = PIPELINE + (
        "space:\n"
        "  scale: [passthrough, RobustScaler]\n"
        "  impute.strategy: {type: choice, values: [mean, median], when: {scale: [StandardScaler, passthrough]}}\n"
        "  impute.fill_value: {type: int, min: 0, max: 3, when: {scale: {ne: StandardScaler}}}\n"
        "constraints: [{forbid: {scale: [StandardScaler, RobustScaler], regressor: svr}}]\n"
    )
    space = loaded(text).space
    assert [str(one) for one in space["impute.strategy"].when] == ["scale in passthrough"]
    assert space["impute.fill_value"].when == ()
    assert str(space.constraints[0]) == "forbid scale in RobustScaler and regressor = svr"


NESTED = """\
model:
  choose:
    ridge: sklearn.linear_model.Ridge
    svr: {choose: {linear: sklearn.svm.LinearSVR, rbf: sklearn.svm.SVR, dropped: sklearn.svm.NuSVR}}
data: {train: 'sklearn:load_diabetes'}
space:
  model.svr: [linear, rbf]
"""


def test_that_a_narrowed_choose_differs_from_what_it_lost_is_false_where_it_is_inactive() -> None:
    alpha = (
        "  model.ridge.alpha: {type: float, min: 0, max: 9}\n  model.svr.linear.C: {type: float, min: 1, max: 9}\n"
    )
    space = loaded(NESTED + alpha + "constraints: [{forbid: {model.svr: {ne: dropped}}}]\n").space
    assert space.broken(space.complete({"model": "ridge"})) is None
    assert str(space.constraints[0]) == "forbid model.svr in linear, rbf"
    assert space.broken(space.complete({"model": "svr", "model.svr": "rbf"})) is not None
    depends = "  model.ridge.tol: {type: float, min: 0.1, max: 1, when: {model.svr: {ne: dropped}}}\n"
    assert "model.ridge.tol" not in loaded(NESTED + depends).space.defaults()


def test_a_condition_on_a_fixed_parameter_holds_as_long_as_the_parameter_is_active() -> None:
    text = PIPELINE + (
        "space:\n"
        "  regressor.svr.kernel.kernel: rbf\n"
        "  regressor.svr.kernel.gamma: {type: int, min: 0, max: 1, when: {regressor.svr.kernel.kernel: [rbf, a]}}\n"
        "  regressor.svr.kernel.degree: {type: int, min: 1, max: 3, when: {regressor.svr.kernel.kernel: poly}}\n"
    )
    found = loaded(text)
    assert "regressor.svr.kernel.degree" not in found.space
    assert "regressor.svr.kernel.gamma" not in found.space.defaults()
    chosen = found.space.complete({"regressor": "svr", "regressor.svr": "kernel"})
    assert "regressor.svr.kernel.gamma" in chosen
    assert "is fixed at 'rbf'" in str(found.warnings[0])


CHOOSE_FAULTS = [
    ("scale: [StandardScalar]",
     "space.scale: expected some of StandardScaler, RobustScaler, passthrough, found 'StandardScalar'; "
     "did you mean 'StandardScaler'?"),
    ("scale: 3", "space.scale: expected some of StandardScaler, RobustScaler, passthrough, found 3"),
    ("scale: {type: int, min: 1, max: 2}",
     "space.scale: names a choose of the model: expected some of StandardScaler, RobustScaler, passthrough"),
    ("regresor.ridge.alpha: [1]", "space.regresor.ridge.alpha: no step 'regresor'; did you mean 'regressor'?"),
    ("regressor.rigde.alpha: [1]",
     "space.regressor.rigde.alpha: regressor has no alternative 'rigde'; did you mean 'ridge'?"),
    ("impute: [1]",
     "space.impute: names an estimator; name a parameter of it, or write a choose to search classes"),
    ("scale.passthrough.x: 1", "space.scale.passthrough.x: passthrough has no parameters"),
    ("regressor.ridge.alpha: {type: int, min: 1, max: 2, when: {regressor: [ridge, rigde]}}",
     "space.regressor.ridge.alpha.when.regressor: expected one of \"ridge\", \"lasso\", \"svr\", found 'rigde'; "
     "did you mean 'ridge'?"),
]  # fmt: skip


@pytest.mark.parametrize(("entry", "message"), CHOOSE_FAULTS, ids=[entry for entry, _ in CHOOSE_FAULTS])
def test_a_path_that_leads_nowhere_in_the_model_is_told(entry: str, message: str) -> None:
    assert refused(PIPELINE + f"space:\n  {entry}\n") == [f"c.yaml:13: {message}"]


def test_two_alternatives_of_one_name_are_refused() -> None:
    text = "model: {choose: [sklearn.svm.SVR, my.svm.SVR]}\ndata: {train: 'sklearn:load_diabetes'}"
    assert refused(text) == [
        "c.yaml:1: model.choose: two alternatives are called 'SVR'; name them: choose: {one: ..., two: ...}"
    ]


def test_conditions_in_a_circle_are_refused() -> None:
    text = f"{RIDGE}space:\n  a: {{type: boolean, when: {{b: true}}}}\n  b: {{type: boolean, when: {{a: true}}}}\n"
    assert refused(text) == ["c.yaml:3: space: the conditions of a, b go in a circle"]


RULE_FAULTS = [
    ("constraints: 3", "constraints: expected a list of forbid: and require: entries, found 3"),
    ("constraints: [3]",
     'constraints[0]: expected {forbid: {path: value, ...}} or {require: "expression"}, found 3'),
    ("constraints: [{forbit: {a: 1}}]",
     'constraints[0]: expected {forbid: {path: value, ...}} or {require: "expression"}, found a mapping; '
     "did you mean 'forbid'?"),
    ("constraints: [{forbid: {alhpa: 1}}]",
     "constraints[0].forbid.alhpa: no parameter 'alhpa'; did you mean 'alpha'?"),
    ("constraints: [{forbid: {alpha: 11}}]",
     "constraints[0].forbid.alpha: expected 0.0 to 9.0, found 11"),
    ("constraints: [{require: alpha <}]",
     "constraints[0].require: 'alpha <' is not an expression (invalid syntax)"),
    ("constraints: [{require: \"__import__('os')\"}]",
     "constraints[0].require: \"__import__('os')\" is not part of the language: expected numbers, text, parameter "
     "names, + - * / // % **, comparisons, and/or/not, in [...], min, max, abs, sqrt, log, log2, log10, exp, floor, "
     "ceil"),
    ("constraints: [{require: alhpa < 3}]", "constraints[0].require: no parameter 'alhpa'; did you mean 'alpha'?"),
    ("constraints: [{require: min(alpha) < 3}]",
     "constraints[0].require: 'min(alpha)': min takes two numbers or more, found 1"),
    ("constraints: [{require: solver < 3}]",
     "constraints[0].require: 'solver < 3' can never be computed: found solver (text) against 3 (a number); compare "
     "other values than numbers with == or in"),
    ("constraints: [{require: alpha < 0}]",
     "constraints: the constraints leave less than 0.1% of the space: loosen them, or narrow the ranges"),
    ("start_with: defaults", "start_with: expected a list of configurations, found 'defaults'"),
    ("start_with: [default]",
     "start_with[0]: expected defaults or a mapping such as {path: value}, found 'default'"),
    ("start_with: [{alpah: 1}]", "start_with[0].alpah: no parameter 'alpah'; did you mean 'alpha'?"),
    ("start_with: [{alpha: 10}]", "start_with[0].alpha: expected 0.0 to 9.0, found 10"),
    ("start_with: [{solver: svd, tol: 0.5}]", "start_with[0].tol: is inactive here (it needs solver = lsqr)"),
    ("start_with: [{alpha: 8, solver: lsqr}]\nconstraints: [{forbid: {alpha: {gt: 7}, solver: lsqr}}]",
     "start_with[0]: not allowed: forbid alpha > 7 and solver = lsqr"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "message"), RULE_FAULTS, ids=[text for text, _ in RULE_FAULTS])
def test_a_wrong_constraint_or_start_is_told(text: str, message: str) -> None:
    space = "space: {alpha: {type: float, min: 0, max: 9}, solver: [svd, lsqr], tol: {type: float, min: 0, max: 1, " \
        "when: {solver: lsqr}}}\n"  # fmt: skip
    assert refused(f"{RIDGE}{space}{text}") == [f"c.yaml:4: {message}"]


def test_a_constraint_that_names_an_inactive_parameter_holds() -> None:
    text = PIPELINE + "space: {regressor.ridge.alpha: {type: float, min: 0, max: 9}}\n" \
        "constraints: [{require: regressor.ridge.alpha < 5}]\n"  # fmt: skip
    space = loaded(text).space
    assert space.broken(space.complete({"regressor": "lasso"})) is None
    assert space.broken(space.complete({"regressor.ridge.alpha": 6.0})) is not None


def test_a_functions_parameters_may_have_any_name() -> None:
    found = loaded("model: {function: 'm:f'}\nspace: {a__b: [1, 2], x: {type: float, min: 0, max: 1}}\n")
    assert [p.name for p in found.space] == ["a__b", "x"]


def test_a_hypermodels_unknown_parameters_wait_for_its_recording() -> None:
    text = """\
model: {hypermodel: 'm:Model'}
constraints: [{require: lr < 0.1}, {forbid: {units: 3}}]
start_with: [{lr: 0.01}]
"""
    found = loaded(text)
    assert len(found.space) == 0
    assert [str(one) for one in found.later.values()] == ["require lr < 0.1", "forbid units = 3"]
    assert found.starts == ({"lr": 0.01},)
    wrong = "model: {hypermodel: 'm:Model'}\nconstraints: [{forbid: {units: {eq: 3}}}]"
    assert refused(wrong) == ["c.yaml:2: constraints[0].forbid: units: expected gt, ge, lt, le, ne, found eq"]


def test_every_sample_of_the_contracts_space_is_allowed() -> None:
    found = loaded(
        PIPELINE + "space: {regressor: [ridge, svr], regressor.ridge.alpha: {type: float, min: 0, max: 1}}\n"
    )
    rng = np.random.default_rng(0)
    for _ in range(50):
        assert found.space.check(found.space.sample(rng)) is None
