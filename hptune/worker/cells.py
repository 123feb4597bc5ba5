"""What cells of text look like: dates, marks of a missing value, numbers with a currency or separators."""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterable
from typing import Any, Final

HEAD = 200
"""So many cells tell whether a column holds dates."""
MARKS: Final = frozenset(
    (
        "?",
        "-",
        "--",
        ".",
        "*",
        "na",
        "n.a.",
        "n/a",
        "nan",
        "nil",
        "none",
        "null",
        "missing",
        "unknown",
        "not available",
    )
)
"""What people write, in small letters, where there is no value; pandas knows some of them by itself."""
_TIME = r"([ T]\d{1,2}:\d{2}.*)?"
_DATES = (
    re.compile(rf"\d{{4}}([-./])(?P<month>\d{{1,2}})\1(?P<day>\d{{1,2}}){_TIME}"),
    re.compile(rf"(?P<day>\d{{1,2}})([-./])(?P<month>\d{{1,2}})\2\d{{4}}{_TIME}"),
    re.compile(rf"(?P<day>\d{{1,2}})/(?P<month>\d{{1,2}})/\d{{2}}{_TIME}"),
)
_MONTH = r"(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]{0,6}\.?"
_NTH = r"\d{1,2}(st|nd|rd|th)?"
_NAMED = re.compile(rf"({_NTH}[-\s/]{_MONTH}[-\s/,]\s*|{_MONTH}\s{_NTH},?\s)(\d{{4}}|\d{{2}}){_TIME}", re.IGNORECASE)
_PART = re.compile(r"\d{4}[-/](0?[1-9]|1[0-2])|\d{1,2}:\d{2}(:\d{2}(\.\d+)?)?( ?[ap]m)?", re.IGNORECASE)
"""A month of a year, a time of day."""
_CLOCK = re.compile(r"\d{1,2}:\d{2}")
_SIGN = r"[$€£¥₹%]|[A-Z]{3}"
_GROUPED = re.compile(rf"[-+]?(?:{_SIGN})?\s*[-+]?\d{{1,3}}(?:[,.'\s]?\d{{3}})*(?:[.,]\d+)?\s*(?:{_SIGN})?")


def dates(column: Any) -> bool:
    """Return whether a column (a Series) holds dates, as such or as text: 2024-01-31, 31/01/2024, 31 Jan 2024, 9:30."""
    from pandas import CategoricalDtype
    from pandas.api import types

    if types.is_datetime64_any_dtype(column.dtype):
        return True
    if isinstance(column.dtype, CategoricalDtype):
        column = column.cat.categories.to_series()
    if not (types.is_string_dtype(column.dtype) or types.is_object_dtype(column.dtype)):
        return False
    head = column.dropna().head(HEAD).tolist()
    return len(head) > 0 and all(
        isinstance(one, datetime.date) or (isinstance(one, str) and _date(one.strip())) for one in head
    )


def days(column: Any) -> bool:
    """Return whether a column (a Series) holds dates and not only times of day, which begin anew with each."""
    if not dates(column):
        return False
    first = column.dropna().iloc[0]
    return not (isinstance(first, str) and _CLOCK.match(first.strip()))


def _date(text: str) -> bool:
    for form in _DATES:
        if found := form.fullmatch(text):
            one, other = int(found["day"]), int(found["month"])  # which is which nobody says
            return 1 <= min(one, other) <= 12 and max(one, other) <= 31
    return _NAMED.fullmatch(text) is not None or _PART.fullmatch(text) is not None


def marked(texts: Iterable[Any]) -> bool:
    """Return whether these are all marks of a missing value."""
    return all(isinstance(one, str) and one.strip().lower() in MARKS for one in texts)


def with_signs(values: Any) -> str:
    """Return what to say of texts (rows,) that are numbers with a currency, a per cent sign or separators, "" of others."""
    texts = [str(one).strip() for one in values[:HEAD]]
    if all(_is_plain(one) for one in texts) or not all(_GROUPED.fullmatch(one) for one in texts):
        return ""
    signs = sorted({found for one in texts for found in re.findall(_SIGN, one)})
    what = f"a sign ({', '.join(signs)})" if signs else "separators"
    return f"these are numbers with {what}: write them as plain numbers, {_plain(texts[0])} for {texts[0]!r}" + (
        "" if signs else ", or name what stands between thousands (`thousands: ','`)"
    )


def _is_plain(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _plain(text: str) -> str:
    """Return a number as Python writes it; of two kinds of separators the last one is the decimal point."""
    digits = re.sub(r"[^\d.,+-]", "", text)
    marks = re.findall(r"[.,]", digits)
    decimal = (
        marks[-1]
        if marks and (len(set(marks)) == 2 or (len(marks) == 1 and not re.search(r"[.,]\d{3}$", digits)))
        else ""
    )
    whole, _, rest = digits.rpartition(decimal) if decimal else (digits, "", "")
    whole = re.sub(r"[.,]", "", whole)
    return f"{whole}.{rest}" if rest else whole
