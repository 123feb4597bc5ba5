"""Conditions and constraints: when they hold, what they refuse, and that they survive JSON."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hptune.conditions import COMPARISONS, Condition, Forbid, Require, clause, constraint_from_json, same

LAWS = settings(deadline=None, max_examples=60)  # no deadline: a busy machine is no failure

scalars = st.one_of(
    st.none(), st.booleans(), st.integers(-3, 3), st.sampled_from([0.0, 1.0, 0.5]), st.sampled_from(["1", "a"])
)


@LAWS
@given(scalars, scalars)
def test_sameness_is_equality_except_that_booleans_are_not_numbers(a: Any, b: Any) -> None:
    assert same(a, b) == (isinstance(a, bool) == isinstance(b, bool) and a == b)
    assert same(a, b) == same(b, a)
    assert same(a, a)


def test_true_is_not_one_but_one_is_one_point_zero() -> None:
    assert not Condition("p", "eq", 1).holds({"p": True})
    assert not Condition("p", "in", (1, 2)).holds({"p": True})
    assert Condition("p", "ne", 1).holds({"p": True})
    assert Condition("p", "eq", 1).holds({"p": 1.0})
    assert not Condition("p", "eq", "1").holds({"p": 1})


@LAWS
@given(st.sampled_from(["eq", "ne", "in", *COMPARISONS]), scalars)
def test_a_condition_on_an_inactive_parameter_is_false(op: Any, value: Any) -> None:
    condition = Condition("p", op, (value,) if op == "in" else value)
    assert condition.holds({"q": 1}) is False


@LAWS
@given(st.integers(-5, 5) | st.floats(-5, 5), st.integers(-5, 5) | st.floats(-5, 5))
def test_comparisons_agree_with_python(value: float, bound: float) -> None:
    expected = {"gt": value > bound, "ge": value >= bound, "lt": value < bound, "le": value <= bound}
    for op, answer in expected.items():
        assert Condition("p", op, bound).holds({"p": value}) is answer  # type: ignore[arg-type]


@pytest.mark.parametrize("value", ["scale", None, True, [1]])
def test_a_value_without_numbers_is_neither_above_nor_below_one(value: Any) -> None:
    for op in ("gt", "ge", "lt", "le"):
        assert not Condition("p", op, 0).holds({"p": value})  # type: ignore[arg-type]


def test_a_clause_is_equality_membership_or_comparisons_by_its_form() -> None:
    assert clause("p", "a") == (Condition("p", "eq", "a"),)
    assert clause("p", None) == (Condition("p", "eq", None),)
    assert clause("p", ["a", True]) == (Condition("p", "in", ("a", True)),)
    assert clause("p", {"gt": 1, "le": 3}) == (Condition("p", "gt", 1), Condition("p", "le", 3))
    assert clause("p", {"ne": "a"}) == (Condition("p", "ne", "a"),)


@pytest.mark.parametrize(
    ("test", "message"),
    [
        ({"above": 3}, "expected gt, ge, lt, le, ne, found above"),
        ({}, "found nothing"),
        ({"gt": "three"}, "p: gt: expected a number, found 'three'"),
        ({"lt": True}, "p: lt: expected a number, found True"),
        ([], "expected a list of values"),
    ],
)
def test_a_clause_that_makes_no_sense_is_refused_with_what_was_expected(test: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        clause("p", test)


def test_an_unknown_operator_is_refused() -> None:
    with pytest.raises(ValueError, match="expected one of eq, ne, in"):
        Condition("p", "like", 1)  # type: ignore[arg-type]


conditions = st.builds(
    lambda op, value: Condition("p", op, (value, "b") if op == "in" else value),
    st.sampled_from(["eq", "ne", "in"]),
    scalars,
) | st.builds(Condition, st.just("q"), st.sampled_from(["gt", "ge", "lt", "le"]), st.integers(-5, 5))


@LAWS
@given(conditions)
def test_a_condition_survives_json(condition: Condition) -> None:
    again = Condition.from_json(json.loads(json.dumps(condition.to_json())))
    assert again == condition
    assert [type(v) for v in again.to_json()] == [type(v) for v in condition.to_json()]


@LAWS
@given(st.lists(conditions, min_size=1, max_size=3), st.dictionaries(st.sampled_from("pq"), scalars))
def test_forbid_refuses_exactly_what_meets_all_its_conditions(parts: list[Condition], values: dict[str, Any]) -> None:
    constraint = Forbid(tuple(parts))
    assert constraint.allows(values) == (not all(one.holds(values) for one in parts))
    assert constraint_from_json(json.loads(json.dumps(constraint.to_json()))) == constraint


@pytest.mark.parametrize(
    ("values", "allowed"),
    [
        ({"a": 1, "b": 1}, True),
        ({"a": 2, "b": 1}, False),
        ({"a": 2}, True),  # b is inactive: the constraint does not speak of this configuration
        ({}, True),
        ({"a": 1, "b": "scale"}, True),  # an extra without a number
        ({"a": 1, "b": 0}, False),  # a division by zero is not true
    ],
)
def test_require_holds_unless_its_expression_is_false_of_active_numbers(
    values: dict[str, Any], allowed: bool
) -> None:
    constraint = Require("a / b <= 1")
    assert constraint.allows(values) is allowed
    assert constraint.names == ("a", "b")
    assert constraint_from_json(json.loads(json.dumps(constraint.to_json()))) == constraint


def test_a_power_that_overflows_does_not_pass_a_limit() -> None:
    assert not Require("10 ** a < 5").allows({"a": 1000})
    assert not Require("exp(a) < 5").allows({"a": 1000})


def test_a_root_of_a_negative_number_does_not_pass_a_limit() -> None:
    assert not Require("(x - 5) ** 0.5 < 2").allows({"x": 1})
    assert not Require("sqrt(x - 5) < 2").allows({"x": 1})
    assert Require("(x - 5) ** 0.5 < 2").allows({"x": 6})


@pytest.mark.parametrize("data", [{}, {"forbid": "x"}, {"require": 3}, {"allow": []}, {"require": "a", "forbid": []}])
def test_json_that_is_no_constraint_is_refused(data: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="expected forbid or require"):
        constraint_from_json(data)


@pytest.mark.parametrize("data", [None, "p = 1", ["p", "eq"], [1, "eq", 2], ["p", "like", 2], ["p", "in", 3]])
def test_json_that_is_no_condition_is_refused(data: Any) -> None:
    with pytest.raises(ValueError):
        Condition.from_json(data)


def test_a_bad_expression_is_refused_when_the_constraint_is_read() -> None:
    with pytest.raises(ValueError, match="not an expression"):
        constraint_from_json({"require": "a <"})


def test_conditions_and_constraints_print_as_one_would_write_them() -> None:
    assert str(Condition("p", "in", ("a", 1))) == "p in a, 1"
    assert str(Condition("p", "ge", 3)) == "p >= 3"
    assert str(Forbid((*clause("p", "a"), *clause("q", {"gt": 1})))) == "forbid p = a and q > 1"
    assert str(Require("a < 1")) == "require a < 1"
