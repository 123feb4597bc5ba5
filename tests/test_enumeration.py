"""Configurations are counted without being listed, and listed without a look at what is inactive."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hptune import enumeration
from hptune.conditions import Condition, Require, clause
from hptune.enumeration import Count
from hptune.report import phrases
from hptune.space import Boolean, Choice, Float, Int, Parameter, SearchSpace

LAWS = settings(deadline=None, max_examples=100)


@st.composite
def tangled(draw: st.DrawFn) -> SearchSpace:
    """A small space of every kind of condition, with several parents, declared in any order."""
    made: list[Parameter] = []
    for i in range(draw(st.integers(1, 6))):
        when: list[Condition] = []
        for parent in draw(st.lists(st.sampled_from(made), max_size=2, unique_by=lambda p: p.name)) if made else []:
            value = draw(st.sampled_from(list(parent.listed(3))))
            number = isinstance(value, (int, float)) and not isinstance(value, bool)
            test = draw(st.sampled_from(["eq", "ne", "in", "gt", "ge", "lt", "le"] if number else ["eq", "ne", "in"]))
            when.append(Condition(parent.name, test, (value,) if test == "in" else value))
        name, conditions = f"p{i}", tuple(when)
        made.append(
            draw(
                st.sampled_from(
                    [
                        Boolean(name=name, when=conditions),
                        Choice(name=name, values=("a", None, 1), when=conditions),
                        Int(name=name, low=1, high=4, when=conditions),
                        Int(name=name, low=1, high=5, scale="reverse_log", when=conditions),
                        Int(name=name, low=-3, high=0, extra=("auto", None), when=conditions),
                        Float(name=name, low=0, high=1, extra=("auto", False), when=conditions),
                    ]
                )
            )
        )
    return SearchSpace(tuple(draw(st.permutations(made))))


def every(space: SearchSpace, points: int) -> Iterator[dict[str, Any]]:
    """Yield all configurations by the definition: a loop in a loop for each parameter."""

    def walk(left: tuple[Parameter, ...], values: dict[str, Any]) -> Iterator[dict[str, Any]]:
        if not left:
            yield {p.name: values[p.name] for p in space.parameters if p.name in values}
        elif all(condition.holds(values) for condition in left[0].when):
            for value in left[0].listed(points):
                yield from walk(left[1:], {**values, left[0].name: value})
        else:
            yield from walk(left[1:], values)

    return walk(space.parents_first, {})


@LAWS
@given(tangled())
def test_listing_yields_what_the_definition_does_in_its_order(space: SearchSpace) -> None:
    told, expected = itertools.islice(space.listed(3), 2000), itertools.islice(every(space, 3), 2000)
    assert [list(one.items()) for one in told] == [list(one.items()) for one in expected]


@LAWS
@given(tangled(), st.sampled_from([2, 1000]))
def test_the_count_is_the_number_of_configurations(space: SearchSpace, ranges_from: int) -> None:
    """Ranges are cut at the bounds of conditions (here already from 3 values on) or listed: the same."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(enumeration, "_LISTED", ranges_from)
        found = enumeration.count(space.parents_first, 3)
    assert found == Count(sum(1 for _ in every(space, 3)))
    assert (space.count() is None) == any(p.count is None for p in space)


@LAWS
@given(tangled(), st.integers(1, 3), st.integers(1, 50))
def test_a_count_that_gives_up_says_so_and_is_below(space: SearchSpace, states: int, limit: int) -> None:
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(enumeration, "STATES", states)
        found = space.count(3)
        size = space.size(3, limit)
    true = sum(1 for _ in every(space, 3))
    assert found is not None
    assert found.least == true if found.exact else found.least < true
    assert size == min(true, limit)  # a small space is never taken for a large one


def chain(length: int, *, branches: int = 1) -> SearchSpace:
    """Branches of whole numbers 0 to 9, each active where the one before is at least 2."""
    made: list[Parameter] = [Choice(name="b", values=tuple(f"k{i}" for i in range(branches)))]
    for branch in range(branches):
        when = clause("b", f"k{branch}")
        for i in range(length):
            made.append(Int(name=f"p{branch}_{i}", low=0, high=9, when=when))
            when = clause(f"p{branch}_{i}", {"ge": 2})
    return SearchSpace(tuple(made))


def test_a_conditional_space_says_its_true_size() -> None:
    assert phrases.space(chain(10)) == "11 parameters, 1,380,525,202 configurations"


@pytest.mark.parametrize("space", [chain(1500), chain(10, branches=100)], ids=["one chain", "a hundred"])
def test_a_thousand_conditional_parameters_are_counted_and_listed(space: SearchSpace) -> None:
    assert space.count() == (Count(138_052_520_200) if len(space) == 1001 else Count(10**18, exact=False))
    assert len(list(itertools.islice(space.listed(), 30))) == 30


def test_a_range_of_many_whole_numbers_is_not_listed_to_be_counted() -> None:
    x = Int(name="x", low=0, high=10**6 - 1, extra=("auto",))
    above = Boolean(name="above", when=clause("x", {"gt": 10}))
    one = Choice(name="one", values=("a", "b", "c"), when=clause("x", 500))
    assert SearchSpace((x, above, one)).count() == Count(1 + 11 + 2 * (10**6 - 12) + 6)


def test_up_to_the_limit_the_size_is_exact_and_above_it_is_more_than_that() -> None:
    def digits(n: int) -> SearchSpace:
        return SearchSpace(tuple(Int(name=f"d{i}", low=0, high=9) for i in range(n)))

    assert phrases.space(digits(18)) == "18 parameters, 1,000,000,000,000,000,000 configurations"
    assert phrases.space(digits(19)) == "19 parameters, more than 1,000,000,000,000,000,000 configurations"


def test_conditions_that_entangle_everything_are_counted_from_below_and_said_to_be() -> None:
    """Every value of every parameter matters together with every other parameter's: no order forgets any of it early."""
    made: list[Parameter] = [Int(name=f"p{i}", low=0, high=9) for i in range(6)]
    for (i, j), k in itertools.product(itertools.combinations(range(6), 2), range(10)):
        made.append(Boolean(name=f"c{i}{j}{k}", when=(*clause(f"p{i}", k), *clause(f"p{j}", k))))
    space = SearchSpace(tuple(made))
    found = space.count()
    assert found is not None
    assert not found.exact
    assert 4096 < found.least < 10**6 * 2**15
    assert phrases.space(space) == f"156 parameters, more than {found.least:,} configurations"
    assert (space.size(limit=20), space.size()) == (20, 10**18)


def test_constraints_leave_the_size_and_are_met_by_what_is_listed() -> None:
    space = SearchSpace((Int(name="a", low=0, high=3), Int(name="b", low=0, high=3)), (Require("a + b < 3"),))
    assert space.size() == 16
    assert len(list(space.listed())) == 6


def test_what_is_inactive_is_not_looked_at_when_listing() -> None:
    """Sixty branches of eight parameters: steps as many as active values, not as points times parameters."""
    asked = 0

    class Counted(Int):
        def listed(self, points: int | None) -> Iterator[Any]:
            nonlocal asked
            asked += 1
            return super().listed(points)

    made: list[Parameter] = [Choice(name="b", values=tuple(range(60)))]
    made += [Counted(name=f"p{b}_{i}", low=0, high=1, when=clause("b", b)) for b in range(60) for i in range(8)]
    space = SearchSpace(tuple(made))
    holds = Condition.holds
    looks = 0

    def looked(self: Condition, values: Any) -> bool:
        nonlocal looks
        looks += 1
        return holds(self, values)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(Condition, "holds", looked)
        assert sum(1 for _ in space.listed()) == 60 * 2**8
    assert asked == 60 * (2**8 - 1)
    assert looks == 60 * 480
