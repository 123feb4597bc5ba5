"""The expression language of `require:` constraints: arithmetic and comparisons on parameters, and nothing else.

An expression is parsed with Python's own grammar, then every node must be on a short list; it is interpreted by the
few lines below, never by `eval`. Numbers are floats while computing, so no power can grow without bound.

    regressor.svr.C * regressor.svr.epsilon < 1000
    kernel == "rbf" or degree <= 3
    min(a, b) > 0.1 and scaler in ["standard", "robust"]
"""

from __future__ import annotations

import ast
import math
import operator
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

MAX_LENGTH = 1000
MAX_DEPTH = 50

_BINARY: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
    ast.Pow: operator.pow,
}
_COMPARE: dict[type[ast.cmpop], Callable[[Any, Any], bool]] = {
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Eq: lambda a, b: _same(a, b),
    ast.NotEq: lambda a, b: not _same(a, b),
    ast.In: lambda a, b: any(_same(a, one) for one in b),
    ast.NotIn: lambda a, b: not any(_same(a, one) for one in b),
}
_FUNCTIONS: dict[str, Callable[..., Any]] = {
    "min": min,
    "max": max,
    "abs": abs,
    "sqrt": math.sqrt,
    "log": math.log,
    "log2": math.log2,
    "log10": math.log10,
    "exp": math.exp,
    "floor": math.floor,
    "ceil": math.ceil,
}
_ARGUMENTS: dict[str, tuple[int, float, str]] = {  # fewest, most, in words; any other function takes one
    "min": (2, math.inf, "two numbers or more"),
    "max": (2, math.inf, "two numbers or more"),
    "log": (1, 2, "one number, or two: log(x, base)"),
}
_LITERALS = {"true": True, "false": False, "null": None, "True": True, "False": False, "None": None}


class ExpressionError(ValueError):
    """The text is not an expression of this language, or cannot be computed; the message says which part."""


class NotNumbers(ExpressionError):
    """A parameter's value is text, null or a list where the expression needs a number."""


class Expression:
    """A parsed expression.

    `names` are the parameters it mentions, dotted, in order of appearance. Raises `ExpressionError` when the text
    uses anything outside the language. What no values of the parameters could compute is for `check` to find: a study
    that was recorded with it has to stay readable.

        >>> Expression("a.C * eps < 10").holds({"a.C": 3.0, "eps": 2.0})
        True
    """

    def __init__(self, text: str) -> None:
        self.text = text
        if len(text) > MAX_LENGTH:
            raise ExpressionError(f"an expression may have {MAX_LENGTH} characters, this one has {len(text)}")
        try:
            tree = ast.parse(text.strip(), mode="eval")
        except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
            reason = getattr(error, "msg", None) or str(error)
            raise ExpressionError(f"{text!r} is not an expression ({reason})") from None
        names: dict[str, None] = {}
        self._body = tree.body
        try:
            _check(tree.body, names, 0)
        except RecursionError:  # ast.unparse of a part that is refused
            raise ExpressionError(f"an expression may be nested {MAX_DEPTH} deep") from None
        self.names: tuple[str, ...] = tuple(names)

    def check(self, kinds: Mapping[str, str] = MappingProxyType({})) -> None:
        """Raise `ExpressionError` for a part that can never be computed, such as `min(x)` or `"a" < 3`.

        `kinds` are those of parameters all of whose values are of one (see `kind_of`); the others may be any.
        """
        _kind(self._body, kinds)

    def value(self, values: Mapping[str, Any]) -> Any:
        """Return what the expression computes to for these parameter values.

        Raises `ExpressionError` for an unknown name, a comparison of text with a number, or a division by zero.
        """
        try:
            return _compute(self._body, values)
        except TypeError as error:
            raise NotNumbers(f"{self.text!r} cannot be computed: {error}") from None
        except (ValueError, ArithmeticError, KeyError) as error:
            raise ExpressionError(f"{self.text!r} cannot be computed: {error}") from None

    def holds(self, values: Mapping[str, Any]) -> bool:
        """Return whether the expression is true for these parameter values (raises as `value`)."""
        return bool(self.value(values))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Expression) and self.text == other.text

    def __hash__(self) -> int:
        return hash(self.text)

    def __repr__(self) -> str:
        return f"Expression({self.text!r})"


def _same(a: object, b: object) -> bool:
    """Equality by value in which True is not 1."""
    return isinstance(a, bool) == isinstance(b, bool) and a == b


def _dotted(node: ast.expr) -> str | None:
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    if not isinstance(node, ast.Name):
        return None
    return ".".join([node.id, *reversed(parts)])


def _check(node: ast.expr, names: dict[str, None], depth: int) -> None:
    if depth > MAX_DEPTH:
        raise ExpressionError(f"an expression may be nested {MAX_DEPTH} deep")
    children: list[ast.expr]
    match node:
        case ast.Constant(value=value):
            if value is not None and not isinstance(value, (bool, int, float, str)):
                raise ExpressionError(f"{value!r} is not a number, text, true, false or null")
            if isinstance(value, int) and abs(value) > 2**53:
                raise ExpressionError(f"the number {str(value)[:20]}... is too large")
            return
        case ast.Name() | ast.Attribute():
            name = _dotted(node)
            if name is None:
                raise ExpressionError("a dot may only join the parts of a parameter's name")
            if name not in _LITERALS:
                names.setdefault(name)
            return
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _BINARY:
            children = [left, right]
        case ast.UnaryOp(op=ast.UAdd() | ast.USub() | ast.Not(), operand=operand):
            children = [operand]
        case ast.BoolOp(values=operands):
            children = operands
        case ast.Compare(left=left, ops=ops, comparators=right_sides) if all(type(op) in _COMPARE for op in ops):
            children = [left, *right_sides]
        case ast.List(elts=items) | ast.Tuple(elts=items):
            children = items
        case ast.Call(func=ast.Name(id=function), args=arguments, keywords=[]) if function in _FUNCTIONS:
            children = arguments
        case _:
            raise ExpressionError(
                f"{ast.unparse(node)!r} is not part of the language: expected numbers, text, parameter names, "
                f"+ - * / // % **, comparisons, and/or/not, in [...], {', '.join(_FUNCTIONS)}"
            )
    for child in children:
        _check(child, names, depth + 1)


NUMBER, TEXT, TRUTH, NULL, LIST = "a number", "text", "true or false", "null", "a list"


def kind_of(value: object) -> str:
    """Return which of the language's five kinds a value is."""
    match value:
        case None:
            return NULL
        case bool():
            return TRUTH
        case int() | float():
            return NUMBER
        case str():
            return TEXT
    return LIST


def _kind(node: ast.expr, kinds: Mapping[str, str]) -> str | None:
    """Return the kind a part computes to, None where that is up to the parameters' values.

    Raises `ExpressionError` where no value can be computed, so that a constraint is not one in name only.
    """
    match node:
        case ast.Constant(value=value):
            return kind_of(value)
        case ast.Name() | ast.Attribute():
            name = _dotted(node) or ""
            return kind_of(_LITERALS[name]) if name in _LITERALS else kinds.get(name)
        case ast.BinOp(left=left, right=right):
            return _numbers_in(node, [left, right], kinds)
        case ast.UnaryOp(op=ast.UAdd() | ast.USub(), operand=operand):
            return _numbers_in(node, [operand], kinds)
        case ast.UnaryOp(operand=operand):
            _kind(operand, kinds)
        case ast.BoolOp(values=operands):
            for one in operands:
                _kind(one, kinds)
        case ast.Compare(left=left, ops=ops, comparators=right_sides):
            for op, a, b in zip(ops, [left, *right_sides[:-1]], right_sides, strict=True):
                _comparable(op, a, b, kinds)
        case ast.List(elts=items) | ast.Tuple(elts=items):
            for one in items:
                _kind(one, kinds)
            return LIST
        case ast.Call(func=ast.Name(id=function), args=arguments):
            fewest, most, words = _ARGUMENTS.get(function, (1, 1, "one number"))
            if not fewest <= len(arguments) <= most:
                raise ExpressionError(f"{ast.unparse(node)!r}: {function} takes {words}, found {len(arguments)}")
            return _numbers_in(node, arguments, kinds)
    return TRUTH


def _numbers_in(node: ast.expr, operands: list[ast.expr], kinds: Mapping[str, str]) -> str:
    for one in operands:
        kind = _kind(one, kinds)
        if kind not in (NUMBER, None):
            raise ExpressionError(
                f"{ast.unparse(node)!r} can never be computed: expected a number, found {_shown(one, kind)}"
            )
    return NUMBER


def _comparable(op: ast.cmpop, a: ast.expr, b: ast.expr, kinds: Mapping[str, str]) -> None:
    left, right = _kind(a, kinds), _kind(b, kinds)
    wrong = ""
    if isinstance(op, (ast.In, ast.NotIn)):
        if right not in (LIST, None):
            wrong = f"expected a list such as [1, 2] after in, found {_shown(b, right)}"
    elif not isinstance(op, (ast.Eq, ast.NotEq)):
        # Python orders true and false as 1 and 0.
        ordered = {NUMBER if kind == TRUTH else kind for kind in (left, right) if kind is not None}
        if NULL in ordered or len(ordered) > 1:
            wrong = (
                f"found {_shown(a, left)} against {_shown(b, right)}; compare other values than numbers with == or in"
            )
    if wrong:
        raise ExpressionError(f"{ast.unparse(ast.Compare(a, [op], [b]))!r} can never be computed: {wrong}")


def _shown(node: ast.expr, kind: str | None) -> str:
    text = ast.unparse(node)
    return text if kind in (None, NULL) else f"{text} ({kind})"


def _number(value: Any) -> Any:
    return float(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _arithmetic(value: Any) -> Any:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise TypeError(f"{value!r} is not a number")
    return float(value)


def _compute(node: ast.expr, values: Mapping[str, Any]) -> Any:
    match node:
        case ast.Constant(value=value):
            return _number(value)
        case ast.Name() | ast.Attribute():
            name = _dotted(node) or ""
            return _LITERALS[name] if name in _LITERALS else _number(values[name])
        case ast.BinOp(left=left, op=op, right=right):
            a, b = _arithmetic(_compute(left, values)), _arithmetic(_compute(right, values))
            try:
                result = _BINARY[type(op)](a, b)
            except OverflowError:  # only a power raises it; like a product it is infinite, with its sign
                result = -math.inf if a < 0 and b % 2 == 1 else math.inf
            if isinstance(result, complex):  # like the root of a negative number, which math.sqrt refuses
                raise ValueError(f"{a!r} ** {b!r} is not a real number")
            return result
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            return not _compute(operand, values)
        case ast.UnaryOp(op=op, operand=operand):
            number = _arithmetic(_compute(operand, values))
            return -number if isinstance(op, ast.USub) else number
        case ast.BoolOp(op=ast.And(), values=operands):
            return all(_compute(one, values) for one in operands)
        case ast.BoolOp(values=operands):
            return any(_compute(one, values) for one in operands)
        case ast.Compare(left=left, ops=ops, comparators=right_sides):
            sides = [_compute(one, values) for one in (left, *right_sides)]
            return all(_COMPARE[type(op)](a, b) for op, a, b in zip(ops, sides[:-1], sides[1:], strict=True))
        case ast.List(elts=items) | ast.Tuple(elts=items):
            return [_compute(one, values) for one in items]
        case ast.Call(func=ast.Name(id=function), args=arguments):
            given = [_arithmetic(_compute(one, values)) for one in arguments]
            try:
                return _FUNCTIONS[function](*given)
            except OverflowError:  # exp of a large number, floor and ceil of an infinite one
                return math.copysign(math.inf, given[0])
    raise AssertionError(f"unchecked node {ast.dump(node)}")
