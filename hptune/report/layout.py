"""Text tables: one row a line, aligned, never wider than asked; and whether a stream gets colour.

No rich here, so that reading verbs start fast and what they print can be piped into grep.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, TextIO

from hptune.report.wording import cut, shorten, visible

Align = Literal["left", "right"]
_GAP = "  "
_LEAST = 6  # a column that has to give way keeps this many characters
_STYLES = {"bold": "1", "dim": "2", "red": "31", "green": "32", "yellow": "33", "cyan": "36"}


@dataclass(frozen=True)
class Table:
    """Headers and rows of text; `align` per column; `keep` columns are never shortened or dropped.

    `marked` are the indices of rows to be shown in bold.
    """

    headers: Sequence[str]
    rows: Sequence[Sequence[str]]
    align: Sequence[Align]
    keep: int = 0
    marked: frozenset[int] = field(default_factory=frozenset)

    def __post_init__(self) -> None:
        object.__setattr__(self, "headers", [visible(header) for header in self.headers])
        object.__setattr__(self, "rows", [[visible(cell) for cell in row] for row in self.rows])

    def lines(self, width: int | None = None, indent: str = "") -> list[str]:
        """Return the header line and the rows, none longer than `width` characters (None: as long as they are).

        The widest columns are shortened first; when all are at their least, the last ones are left out and the header
        line says how many.
        """
        columns, widths = self._fit(None if width is None else max(width - len(indent), 20))
        dropped = len(self.headers) - len(columns)
        note = _GAP + _note(dropped) if dropped else ""
        head = self._line(self.headers, columns, widths) + note
        return [(indent + line).rstrip() for line in (head, *(self._line(row, columns, widths) for row in self.rows))]

    def lost(self, width: int | None) -> tuple[int, int]:
        """Return how many columns `lines` leaves out at this width, and how many cells of the others it shortens."""
        columns, widths = self._fit(None if width is None else max(width, 20))
        shortened = sum(len(row[column]) > widths[column] for row in self.rows for column in columns)
        return len(self.headers) - len(columns), shortened

    def _fit(self, room: int | None) -> tuple[list[int], list[int]]:
        """Return the columns for which there is room, and how wide each column of the table may be."""
        columns = list(range(len(self.headers)))
        widths = [max(len(header), self._cells(column)) for column, header in enumerate(self.headers)]
        if room is None:
            return columns, widths
        dropped = 0
        while len(columns) > max(self.keep, 1) and self._least(columns, widths, dropped) > room:
            columns.pop()
            dropped += 1
        return columns, self._fitted(columns, widths, room - (len(_note(dropped)) + len(_GAP) if dropped else 0))

    def _cells(self, column: int) -> int:
        """Return how wide the column's widest cell is, the header aside."""
        return max((len(row[column]) for row in self.rows), default=0)

    def _floor(self, column: int) -> int:
        """Return how narrow a column may get: text and headers may be shortened, a number never."""
        return max(_LEAST, self._cells(column)) if self.align[column] == "right" else _LEAST

    def _least(self, columns: Sequence[int], widths: Sequence[int], dropped: int) -> int:
        """Return the narrowest these columns can be made."""
        total = sum(widths[c] if c < self.keep else min(widths[c], self._floor(c)) for c in columns)
        # Dropping this very column would add the note, so there must be room for it only if one is dropped already.
        return total + len(_GAP) * (len(columns) - 1) + (len(_note(dropped)) + len(_GAP) if dropped else 0)

    def _fitted(self, columns: Sequence[int], widths: Sequence[int], room: int) -> list[int]:
        """Return the widths with the widest columns made narrower until all fit."""
        fitted = list(widths)
        while sum(fitted[c] for c in columns) + len(_GAP) * (len(columns) - 1) > room:
            wide = [c for c in columns if c >= self.keep and fitted[c] > self._floor(c)]
            if not wide:
                break
            fitted[max(wide, key=lambda c: fitted[c])] -= 1
        return fitted

    def _line(self, cells: Sequence[str], columns: Sequence[int], widths: Sequence[int]) -> str:
        out = []
        for c in columns:
            text = cut(cells[c], widths[c])
            out.append(text.rjust(widths[c]) if self.align[c] == "right" else text.ljust(widths[c]))
        return _GAP.join(out).rstrip()

    def markdown(self) -> list[str]:
        """Return the table as GitHub's Markdown, nothing shortened."""
        rule = ["---:" if align == "right" else ":---" for align in self.align]
        rows = [[_escaped(cell) for cell in row] for row in (self.headers, *self.rows)]
        return ["| " + " | ".join(cells) + " |" for cells in (rows[0], rule, *rows[1:])]


def _note(dropped: int) -> str:
    return f"+{dropped} more"


def _escaped(cell: str) -> str:
    return cell.replace("\\", "\\\\").replace("|", "\\|").replace("<", "&lt;")


def pairs(rows: Iterable[tuple[str, str]], width: int | None = None, indent: str = "  ") -> list[str]:
    """Return `label  text` lines, the texts aligned; a text too long for `width` goes on below its own start.

    Labels and texts may come from others: their line breaks and control characters are shown as escapes.
    """
    listed = [(visible(label), visible(text)) for label, text in rows if text]
    if not listed:
        return []
    label_width = max(len(label) for label, _ in listed)
    out = []
    for label, text in listed:
        start = f"{indent}{label.ljust(label_width)}{_GAP}"
        room = None if width is None else max(width - len(start), 20)
        first, *more = _folded(text, room)
        out.append((start + first).rstrip())
        out += [(" " * len(start) + line).rstrip() for line in more]
    return out


def folded(text: str, width: int | None, *, begin: str = "", more: str = "    ") -> list[str]:
    """Return the text after `begin` in lines of at most `width` characters, those after the first below `more`.

    It is broken at spaces; a word that is longer than a line stays whole, for it may be something to copy. Its own line
    breaks and control characters are shown as escapes.
    """
    text = visible(text)
    if width is None or len(begin) + len(text) <= width:
        return [begin + text]
    lines = [begin]
    fresh = True
    for word in text.split(" "):
        if not fresh and len(lines[-1]) + 1 + len(word) > width:
            lines.append(more)
            fresh = True
        lines[-1] += word if fresh else f" {word}"
        fresh = False
    return lines


def _folded(text: str, room: int | None) -> list[str]:
    """Return the text in lines of at most `room` characters, broken at spaces; a longer word is shortened."""
    if room is None or len(text) <= room:
        return [text]
    lines = [""]
    for word in text.split(" "):
        word = shorten(word, room)
        if lines[-1] and len(lines[-1]) + 1 + len(word) > room:
            lines.append(word)
        else:
            lines[-1] = f"{lines[-1]} {word}" if lines[-1] else word
    return lines


# -- the stream ---------------------------------------------------------------------------------------------------


def width_of(stream: TextIO, environ: Mapping[str, str] | None = None) -> int | None:
    """Return how many columns the stream shows: COLUMNS, else the terminal's, None where it is no terminal."""
    environ = os.environ if environ is None else environ
    columns = environ.get("COLUMNS", "")
    if columns.isdecimal() and int(columns) > 0:
        return max(int(columns), 20)
    return shutil.get_terminal_size((80, 24)).columns if _is_terminal(stream) else None


def coloured(stream: TextIO, environ: Mapping[str, str] | None = None) -> bool:
    """Return whether the stream gets colour: a terminal (or FORCE_COLOR), unless NO_COLOR is set or TERM is dumb."""
    environ = os.environ if environ is None else environ
    if environ.get("NO_COLOR"):
        return False
    if environ.get("FORCE_COLOR", "") not in ("", "0"):
        return True
    return _is_terminal(stream) and environ.get("TERM", "") != "dumb"


def animated(stream: TextIO, environ: Mapping[str, str] | None = None) -> bool:
    """Return whether the stream gets a live bar: a terminal that is not dumb, outside of CI."""
    environ = os.environ if environ is None else environ
    return _is_terminal(stream) and environ.get("TERM", "") != "dumb" and environ.get("CI", "") in ("", "false", "0")


def paint(text: str, style: str, on: bool) -> str:
    """Return the text in a style (bold, dim, red, green, yellow, cyan) where colour is on."""
    return f"\x1b[{_STYLES[style]}m{text}\x1b[0m" if on and text else text


def _is_terminal(stream: TextIO) -> bool:
    try:
        return stream.isatty()
    except ValueError:  # a closed stream
        return False
