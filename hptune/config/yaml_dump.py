"""Plain data as readable YAML 1.2 that `yaml_loader` reads back as exactly the same.

Text that any YAML reader, old or new, could take for something else is quoted; floats carry a point and a signed
exponent, which YAML 1.1 readers need to see a number.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from typing import Any

from hptune.config.environment import escaped
from hptune.config.yaml_scalars import INT_MAX, INT_MIN
from hptune.report.inert import quoted

_WIDTH = 100
_MOST_DEPTH = 32
_LONG_KEY = 100  # YAML allows 1,024 characters before the colon
_PLAIN = re.compile(r"[A-Za-z_/][\w./+-]*(?::[\w./+-]+)*(?: [\w(][\w./+()=-]*)*", re.ASCII)
# Words and shapes that YAML 1.1 or 1.2 reads as null, a boolean, a number or a date.
_TAKEN = re.compile(r"(?i)null|true|false|yes|no|on|off|y|n|nan|inf|infinity")
_ESCAPED = re.compile("[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]")


def dump(value: Any) -> str:
    """Return `value` (dicts with text keys, lists, scalars) as YAML; ValueError or TypeError for anything else."""
    _check_depth(value, 0)
    return "\n".join(_block(value, 0)) + "\n"


def line(value: Any) -> str:
    """Return `value` as YAML on one line, collections in brackets; ValueError or TypeError as `dump` has them."""
    if isinstance(value, Mapping):
        return f"{{{', '.join(f'{_text(key)}: {line(item)}' for key, item in value.items())}}}"
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(line(item) for item in value)}]"
    return _scalar(value)


def _check_depth(value: Any, depth: int) -> None:
    if isinstance(value, (Mapping, list, tuple)):
        if depth == _MOST_DEPTH:
            raise ValueError(f"cannot write YAML nested deeper than {_MOST_DEPTH} levels")
        for item in value.values() if isinstance(value, Mapping) else value:
            _check_depth(item, depth + 1)


def _block(value: Any, indent: int) -> list[str]:
    """Return the lines of `value`, each already indented."""
    pad = " " * indent
    flow = _flow(value, _WIDTH - indent)
    if flow is not None:
        return [pad + flow]
    lines: list[str] = []
    if isinstance(value, Mapping):
        for key, item in value.items():
            lines += _entry(key, item, indent)
    else:
        for item in value:
            inner = _block(item, indent + 2)
            lines.append(f"{pad}- {inner[0][indent + 2 :]}")
            lines += inner[1:]
    return lines


def _entry(key: Any, item: Any, indent: int) -> list[str]:
    if not isinstance(key, str):
        raise TypeError(f"expected text as a key, found {key!r}")
    pad, written = " " * indent, _text(key)
    start = f"{pad}{written}:" if len(written) < _LONG_KEY else f"{pad}? {written}\n{pad}:"
    flow = _flow(item, _WIDTH - indent - min(len(written), _LONG_KEY) - 2)
    if flow is not None:
        return [f"{start} {flow}"]
    return [start, *_block(item, indent + 2)]


def _flow(value: Any, width: int) -> str | None:
    """Return `value` on one line: a scalar always, a list of scalars if it fits, an empty collection; else None."""
    if isinstance(value, Mapping):
        return None if value else "{}"
    if isinstance(value, (list, tuple)):
        if any(isinstance(item, (Mapping, list, tuple)) for item in value):
            return None
        line = f"[{', '.join(_scalar(item) for item in value)}]"
        return line if len(line) <= width or not value else None
    return _scalar(value)


def _scalar(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        if not INT_MIN <= value <= INT_MAX:
            raise ValueError("cannot write an integer of more than 64 bits")
        return int.__repr__(value)
    if isinstance(value, float):
        return _float(value)
    if isinstance(value, str):
        return _text(escaped(value))  # a key is taken as it stands, in a value ${ would be substituted
    raise TypeError(f"cannot write a {type(value).__name__} as YAML")


def _float(value: float) -> str:
    if not math.isfinite(value):
        raise ValueError(f"cannot write {value!r}: numbers in a config are finite")
    text = float.__repr__(value)
    mantissa, e, exponent = text.partition("e")
    return text if not e or "." in mantissa else f"{mantissa}.0e{exponent}"


def _text(value: str) -> str:
    if _PLAIN.fullmatch(value) and not _TAKEN.fullmatch(value):
        return str(value)
    if any(character == "\0" or "\ud800" <= character <= "\udfff" for character in value):
        raise ValueError("cannot write text with NUL or with half a surrogate pair")
    return quoted(_ESCAPED.sub(lambda match: f"\\u{ord(match[0]):04x}", json.dumps(value, ensure_ascii=False)))
