"""What a plain YAML scalar means: the core schema of YAML 1.2, and nothing of YAML 1.1.

`1e-3` is a number, `no` is text, `010` is ten, `12:30:45` is text. Numbers must be finite and integers
fit 64 bits: JSON, numpy and every later reader can hold what a config says.
"""

from __future__ import annotations

import math
import re

Scalar = str | int | float | bool | None

INT_MIN, INT_MAX = -(2**63), 2**63 - 1
_CONSTANTS: dict[str, bool | None] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_INT = re.compile(r"(?P<decimal>[-+]?[0-9]+)|0x(?P<hex>[0-9a-fA-F]+)|0o(?P<octal>[0-7]+)")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_NOT_FINITE = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")
_MOST_DIGITS = 400  # int() takes quadratic time and Python refuses over 4,300 digits; 64 bits end at 22 octal digits


def resolve(text: str) -> Scalar:
    """Return the value of the plain (unquoted) scalar `text`; ValueError says why it is none hptune can hold."""
    if text in _CONSTANTS:
        return _CONSTANTS[text]
    if match := _INT.fullmatch(text):
        return _integer(text, match)
    if _FLOAT.fullmatch(text):
        number = float(text)
        if math.isinf(number):
            raise ValueError(f"expected a finite number, found {shortened(text)}, which is too large for one")
        return number
    if _NOT_FINITE.fullmatch(text):
        raise ValueError(f"expected a finite number, found {text}; quote it if it is meant as text")
    return text


def _integer(text: str, match: re.Match[str]) -> int:
    for name, base in (("decimal", 10), ("hex", 16), ("octal", 8)):
        digits = match[name]
        if digits is None:
            continue
        sign = -1 if digits.startswith("-") else 1
        significant = digits.lstrip("+-").lstrip("0") or "0"
        if len(significant) < _MOST_DIGITS:
            number = sign * int(significant, base)
            if INT_MIN <= number <= INT_MAX:
                return number
    raise ValueError(
        f"expected an integer of at most 64 bits, found {shortened(text)}; "
        "quote it if it is meant as text, or write it as a float (1e30)"
    )


def shortened(text: str, most: int = 40) -> str:
    """Return `text` cut to `most` characters for a message."""
    return text if len(text) <= most else f"{text[: most - 16]}... ({len(text)} characters)"
