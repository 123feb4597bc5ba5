"""From bytes to PyYAML's events: the text is checked first, and whatever the parser raises gets a line.

`decoded` refuses what is no UTF-8 text of a config's size; `events` yields the parser's events.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from functools import cache
from typing import Protocol, cast

import yaml
from yaml.parser import Parser
from yaml.reader import Reader
from yaml.scanner import Scanner

from hptune.config.yaml_scalars import shortened
from hptune.config.yaml_syntax import BREAK, Fault, diagnose
from hptune.errors import ConfigError, Problem

MOST_BYTES = 2**20

Place = tuple[int, int]

_DIRECTIVE = re.compile(r"^%(?!YAML 1\.[0-9][ \t]*(#.*)?$).*", re.MULTILINE)
_ENCODINGS = ((codecs.BOM_UTF32_LE, "UTF-32"), (codecs.BOM_UTF32_BE, "UTF-32"),
              (codecs.BOM_UTF16_LE, "UTF-16"), (codecs.BOM_UTF16_BE, "UTF-16"))  # fmt: skip


def refusal(file: str, message: str, line: int = 1, column: int = 1) -> ConfigError:
    """Return the error for one problem with the file as a whole."""
    return ConfigError([Problem("", message, file, line, column)])


def decoded(text: str | bytes, file: str) -> str:
    """Return the text without a byte order mark; raise ConfigError where it is too long or not UTF-8 text."""
    if len(text) > MOST_BYTES:  # a text has at least as many bytes as characters
        raise refusal(
            file, f"expected a config of at most {MOST_BYTES} bytes, found {len(text)}: data belongs in its own file"
        )
    source = text.removeprefix("\ufeff") if isinstance(text, str) else _from_bytes(text, file)
    _check_characters(source, file)
    return source


def _from_bytes(text: bytes, file: str) -> str:
    for mark, name in _ENCODINGS:
        if text.startswith(mark):
            raise refusal(file, f"expected UTF-8, found {name}: save the file as UTF-8")
    try:
        return text.removeprefix(codecs.BOM_UTF8).decode("utf-8")
    except UnicodeDecodeError as error:
        before = text[: error.start].decode("utf-8")
        line, column = _place(before)
        message = f"expected UTF-8, found the byte 0x{text[error.start]:02x}: save the file as UTF-8"
        raise refusal(file, message, line, column) from None


def _place(before: str) -> Place:
    """Return the (line, column) of the character that follows `before`."""
    lines = BREAK.split(before)
    return len(lines), len(lines[-1]) + 1


@cache
def _unprintable(ascii_only: bool) -> re.Pattern[str]:
    """Return what may not stand in the file unescaped, for a text with or without characters beyond ASCII.

    U+0085, U+2028 and U+2029 are line breaks for PyYAML (YAML 1.1) and for no editor: lines would be counted
    differently, so they are refused, as is a byte order mark that is not the first. The whole takes 15 ms to compile, a
    noticeable part of a run's start, and few configs need it.
    """
    if ascii_only:
        return re.compile(r"[^\t\n\r\x20-\x7e]")
    return re.compile("[^\t\n\r\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]")


def _check_characters(text: str, file: str) -> None:
    match = _unprintable(text.isascii()).search(text)
    if match:
        line, column = _place(text[: match.start()])
        code = ord(match[0])
        if code == 0:
            message = "expected text, found a NUL byte: is this a YAML file, saved as UTF-8?"
        else:
            escape = f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
            message = f'expected printable text, found the character U+{code:04X}: remove it, or write "{escape}"'
        raise refusal(file, message, line, column)
    match = _DIRECTIVE.search(text)
    if match:
        line, column = _place(text[: match.start()])
        found = shortened(match[0].strip())
        raise refusal(file, f"a line cannot begin with '%', found {found}: quote the text", line, column)


class Mark(Protocol):
    """A parser's note of a place, counted from 0."""

    line: int
    column: int


class _Events(Protocol):
    def check_event(self) -> bool: ...
    def get_event(self) -> yaml.Event: ...


class PythonParser(Reader, Scanner, Parser):
    """PyYAML's own parser up to events; used where PyYAML was built without libyaml."""

    def __init__(self, text: str) -> None:
        Reader.__init__(self, text)
        Scanner.__init__(self)
        Parser.__init__(self)


def _parser(text: str) -> _Events:
    if yaml.__with_libyaml__:
        from yaml.cyaml import CParser  # type: ignore[attr-defined]  # the stubs hide it

        return cast("_Events", CParser(text))  # 30 times faster; the limits hold before it can recurse
    return PythonParser(text)


def place_of(mark: Mark | None) -> Place:
    """Return a parser's mark as (line, column) from 1."""
    return (1, 1) if mark is None else (mark.line + 1, mark.column + 1)


def events(text: str, file: str) -> Iterator[yaml.Event]:
    """Yield the parser's events; whatever it raises becomes a ConfigError with a line."""
    event: yaml.Event | None = None
    documents = 0
    try:
        parser = _parser(text)
        while parser.check_event():
            event = parser.get_event()
            if isinstance(event, yaml.DocumentStartEvent):
                documents += 1
                if documents > 1:
                    message = "expected one document, found a second ('---'): one file holds one study"
                    raise refusal(file, message, *place_of(event.start_mark))
            yield event
    except yaml.MarkedYAMLError as error:
        line, column = place_of(error.problem_mark or error.context_mark)
        opened = None if error.context_mark is None else place_of(error.context_mark)
        found = diagnose(
            Fault(error.problem or "", error.context or "", line, column, opened, tuple(BREAK.split(text)))
        )
        raise refusal(file, found.message, found.line, found.column) from None
    except (yaml.YAMLError, ValueError, OverflowError) as error:
        # The Python parser meets chr(0xFFFFFFFF) and int() of 5,000 digits unguarded.
        place = place_of(None if event is None else event.end_mark)
        raise refusal(file, f"not valid YAML near here: {shortened(str(error), 80)}", *place) from None
