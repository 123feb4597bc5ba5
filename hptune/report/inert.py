"""Text that nobody obeys: no terminal its escapes, no CI runner its lines.

GitHub's runner takes a line that begins with `::` (blanks before it do not count) for a command, and `##[` anywhere in
a line; Azure's takes `##vso[`. Names, values and what a trial printed come from others.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from typing import Final

from hptune.report.annotations import wanted

_CONTROLS: Final = "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]"
"""What a terminal may obey: control characters but newline and tab, and those that turn the direction of writing."""
_OBEYED: Final = re.compile(_CONTROLS)
_OBEYED_OR_STYLE: Final = re.compile(f"(\x1b\\[(?:[0-2]|3[1-6])m)|{_CONTROLS}")  # the styles are `layout.paint`'s
_LEADING: Final = re.compile(r"((?:\A|[\r\n])\s*:)(?=:)")
_BRACKET: Final = re.compile(r"(##(?:vso)?)\[", re.IGNORECASE)


def in_runner(environ: Mapping[str, str] | None = None) -> bool:
    """Return whether what is printed is read by a runner that takes commands from it: GitHub's or Azure's."""
    environ = os.environ if environ is None else environ
    return wanted(environ) or environ.get("TF_BUILD", "").lower() == "true"


def inert(text: str, *, styles: bool = False, environ: Mapping[str, str] | None = None) -> str:
    """Return lines for people with control characters as escapes and, in CI, commands broken by a blank.

    `styles` keeps the escapes that `layout.paint` writes.
    """
    if styles:
        text = _OBEYED_OR_STYLE.sub(lambda match: match[1] or _escape(match[0]), text)
    else:
        text = plain(text)
    if in_runner(environ):
        text = _BRACKET.sub(r"\1 [", _LEADING.sub(r"\1 ", text))
    return text


def plain(text: str) -> str:
    """Return the text with control characters but newline and tab as escapes."""
    return _OBEYED.sub(lambda match: _escape(match[0]), text)


def quoted(text: str) -> str:
    """Return JSON, or YAML's double-quoted text, that means the same and holds no `##[` and no control character."""
    return _BRACKET.sub(r"\1\\u005b", _OBEYED.sub(lambda match: f"\\u{ord(match[0]):04x}", text))


def in_python(code: str) -> str:
    """Return Python code, whose literals are as `repr` writes them, that means the same and holds no `##[`."""
    return _BRACKET.sub(r"\1\\x5b", code)


def _escape(character: str) -> str:
    return repr(character)[1:-1]
