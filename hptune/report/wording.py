"""Numbers, values and a few fixed phrases as hptune writes them everywhere for people.

A `neg_` metric is shown without its minus (and its prefix), and said to be better when lower; nothing else here turns
a sign.
"""

from __future__ import annotations

import itertools
import json
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from hptune.objective import Objective

STOP_REASONS: Final[dict[str, str]] = {
    "trials": "the budget of trials is spent",
    "time": "the time budget is spent",
    "target": "the target score is reached",
    "patience": "no trial was better for as long as budget.patience allows",
    "exhausted": "every configuration of the space has been tried",
    "failures": "too many trials failed in a row",
    "signal": "it was interrupted",
}
"""What each stop reason of result.json means."""

ABSENT: Final = "-"
"""Stands in tables for a parameter that is inactive and a number that is not known."""

_SMALL, _LARGE = 1e-3, 1e7  # outside of these a number is easier to read with an exponent


def number(x: float, digits: int = 4) -> str:
    """Return `x` to so many significant digits, without trailing zeros: 0.0123, 53.91, 1.2e-05."""
    if isinstance(x, int):
        return str(x)
    if not math.isfinite(x):
        return str(x)
    if x == 0:
        return "0"
    if _SMALL <= abs(x) < _LARGE:
        decimals = max(digits - 1 - math.floor(math.log10(abs(x))), 0)
        text = f"{x:.{decimals}f}"
        return text.rstrip("0").rstrip(".") if "." in text else text
    mantissa, _, exponent = f"{x:.{digits - 1}e}".partition("e")
    mantissa = mantissa.rstrip("0").rstrip(".") if "." in mantissa else mantissa
    return f"{mantissa}e{exponent}"


def tick(x: float, ticks: Sequence[float]) -> str:
    """Return the label of one of a linear axis' ticks: as many decimals as tell them all apart, and no tick rounded."""
    ordered = sorted(set(ticks))
    step = min((high - low for low, high in itertools.pairwise(ordered)), default=0.0)
    largest = max(map(abs, ordered), default=0.0)
    if not 0 < step < math.inf:
        return number(x)
    if not _SMALL <= largest < _LARGE:
        return number(x, min(math.ceil(math.log10(largest / step)) + 2, 15))
    places = next((n for n in range(12) if all(abs(round(one, n) - one) < step / 1000 for one in ordered)), 12)
    text = f"{x:.{places}f}"
    return text if float(text) else text.lstrip("-")


def exact(value: Any) -> str:
    """Return a parameter's value in full, as a config spells it: 0.001, true, null, rbf."""
    return value if isinstance(value, str) else json.dumps(value, allow_nan=False, ensure_ascii=False)


def _mapping(found: Mapping[str, Any]) -> str:
    """Return a mapping as short as YAML has it: {0: 1, 1: 5}."""
    return f"{{{', '.join(f'{key}: {value(one)}' for key, one in found.items())}}}"


def value(value: Any) -> str:
    """Return a parameter's value for a table: floats to four significant digits, all else as in a config."""
    if isinstance(value, float):
        return number(value)
    text = _mapping(value) if isinstance(value, Mapping) else exact(value)
    return text if text.isprintable() else json.dumps(text)


def decimals(scores: Iterable[float], digits: int = 4) -> int:
    """Return how many decimals show these numbers in one column: enough for the typical one and to tell them apart.

    `digits` significant digits of the median magnitude, up to three more while two different numbers look the same.
    """
    found = sorted({score for score in scores if math.isfinite(score)})
    sizes = sorted(abs(score) for score in found if score != 0)
    if not sizes:
        return 2
    needed = digits - 1 - math.floor(math.log10(sizes[len(sizes) // 2]))
    needed = min(max(needed, 0), 10)
    for more in range(4):
        if len({f"{score:.{needed + more}f}" for score in found}) == len(found):
            return min(needed + more, 10)
    return needed


def fixed(x: float | None, places: int) -> str:
    """Return `x` with so many decimals, with an exponent where that would be too long, `ABSENT` for None."""
    if x is None:
        return ABSENT
    if abs(x) >= _LARGE or (x != 0 and abs(x) < 0.5 * 10.0**-places):
        return number(x)
    return f"{x:.{places}f}"


def signed(x: float, places: int) -> str:
    """Return `x` with its sign and so many decimals."""
    text = fixed(abs(x), places)
    return ("-" if x < 0 else "+") + text


def seconds(x: float) -> str:
    """Return a time for people: 0.31 s, 12 s, 3 min 20 s, 2 h 5 min; whole numbers stay whole."""
    if x < 0.001:
        return "0 s" if x <= 0 else "<1 ms"
    if x < 1 and not isinstance(x, int):
        return f"{number(x, 2)} s"
    if x < 10 and not isinstance(x, int):
        return f"{x:.1f} s"
    if x < 60:
        return f"{x:.0f} s"
    minutes, rest = divmod(round(x), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s" if rest else f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if minutes else f"{hours} h"


def count(n: int, noun: str) -> str:
    """Return `n` with its noun, in the plural where needed: 1 trial, 2 trials."""
    return f"{n:,} {noun}" if n == 1 else f"{n:,} {noun}s"


def shorten(text: str, width: int) -> str:
    """Return the text in at most `width` characters, the middle replaced by `…` (both ends tell names apart)."""
    if len(text) <= width:
        return text
    if width <= 1:
        return "…"[:width]
    tail = (width - 1) // 3 if width > 12 else 0
    head = width - 1 - tail
    return text[:head] + "…" + (text[-tail:] if tail else "")


def cut(text: str, width: int) -> str:
    """Return the text in at most `width` characters, its end replaced by `…`."""
    return text if len(text) <= width else text[: max(width - 1, 0)] + "…"


def visible(text: str) -> str:
    """Return the text on one line, control characters and line breaks (a terminal would obey them) as escapes."""
    return text if text.isprintable() else "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)


def one_line(text: str) -> str:
    """Return the text on one line, line breaks and runs of blanks as one blank, control characters as escapes."""
    return visible(" ".join(text.split()))


_PLAIN = str.maketrans({"±": "+-", "…": "...", "–": "-", "×": "x"})


def spelled(text: str, encoding: str | None) -> str:
    """Return the text as a stream of that encoding can take it: `±` as +-, other letters it lacks as escapes."""
    encoding = encoding or "utf-8"
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        return text.translate(_PLAIN).encode(encoding, "backslashreplace").decode(encoding)
    return text


def printable(text: str) -> list[str]:
    """Return the text's lines, control characters shown as escapes."""
    return [visible(line) for line in text.expandtabs().splitlines()]


# -- the objective in words ---------------------------------------------------------------------------------------


def metric(objective: Objective) -> str:
    """Return the metric's name as tables show it: neg_log_loss is log_loss."""
    return one_line(objective.metric.removeprefix("neg_") if objective.shown_negated else objective.metric)


def better(objective: Objective) -> str:
    """Return which way is better, as shown."""
    lower = objective.direction == "minimize" or objective.shown_negated
    return "lower is better" if lower else "higher is better"


def shown(objective: Objective, score: float) -> float:
    """Return the score as tables show it: that of a `neg_` metric without the minus."""
    return -score + 0.0 if objective.shown_negated else score


def shown_metric(name: str, score: float) -> tuple[str, float]:
    """Return a further metric's name and score as tables show them."""
    return (one_line(name.removeprefix("neg_")), -score + 0.0) if name.startswith("neg_") else (one_line(name), score)


def counts(statuses: Sequence[tuple[str, int]]) -> str:
    """Return counts in words, those that are zero left out: 17 completed, 2 stopped, 1 failed."""
    return ", ".join(f"{n:,} {word}" for word, n in statuses if n) or "none"
