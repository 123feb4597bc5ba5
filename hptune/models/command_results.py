"""Where a command leaves its metrics, `model.metrics`: a file, the last JSON line of stdout, or lines that match.

Each reader is shown the lines while the command runs and asked for the metrics when it has ended. A reader that finds
none raises ValueError, saying what it found instead.
"""

from __future__ import annotations

import json
import os
import re
import stat
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, Protocol

from pydantic import Field, field_validator, model_validator

from hptune.errors import did_you_mean
from hptune.models.regex import groups_in
from hptune.models.templates import Template, parse
from hptune.spec import Spec

FILE_LIMIT = 2**24
"""Bytes a result file may have."""

Found = Mapping[str, Any] | float


class Metrics(Spec):
    """Where a command leaves its metrics: one of file, stdout and regex."""

    file: str | None = None
    """A file that the command writes: a JSON object with the metrics by name, or a bare number. Placeholders are
    filled in; {result_file} is a file in the trial's own folder."""
    stdout: Literal["json"] | None = None
    """json: the last line of stdout that is a JSON object holds the metrics by name."""
    regex: dict[str, str] | None = Field(default=None, min_length=1)
    """For each metric a regular expression with one group; the last line of output that matches counts."""

    @model_validator(mode="after")
    def _one(self) -> Metrics:
        given = [name for name in type(self).model_fields if getattr(self, name) is not None]
        if len(given) != 1:
            raise ValueError(f"expected one of file, stdout and regex, found {' and '.join(given) or 'none'}")
        return self

    @field_validator("file")
    @classmethod
    def _parsed(cls, file: str | None) -> str | None:
        if file is not None and not file.strip():
            raise ValueError("expected a file's name")
        parse(file or "")
        return file

    @field_validator("regex")
    @classmethod
    def _compiled(cls, regex: dict[str, str] | None) -> dict[str, str] | None:
        for name, pattern in (regex or {}).items():
            try:
                groups = groups_in(pattern)
            except ValueError as error:
                raise ValueError(f"{name}: {_short(pattern)} is no regular expression: {error}") from None
            if groups != 1:
                mend = f"write {name}=(\\S+), say" if groups == 0 else "write the others as (?:...)"
                raise ValueError(f"{name}: expected one group, found {groups or 'none'} in {pattern!r}; {mend}")
        return regex

    @property
    def file_template(self) -> Template | None:
        """The result file's name, None for the other two."""
        return None if self.file is None else parse(self.file)

    def reader(self, path: Path | None) -> Reader:
        """Return a reader for one run of the command; `path` is the result file, if that is where metrics are."""
        if path is not None:
            return ResultFile(path)
        return LastMatches(self.regex) if self.regex is not None else LastJson()


class Reader(Protocol):
    """Finds the metrics of one run."""

    stderr_too: bool
    where: str

    def line(self, line: str) -> None:
        """Look at a line of output."""
        ...

    def found(self) -> Found:
        """Return the metrics by name, or a bare number; raises ValueError if there are none."""
        ...


class ResultFile:
    """A file that the command is to write. One that was there before it does not count, unless it is written anew."""

    stderr_too = True
    where = "the result file"

    def __init__(self, path: Path) -> None:
        self.path = path
        self._before = self._signature()

    def _signature(self) -> tuple[int, int, int] | None:
        try:
            seen = self.path.stat()
        except OSError:
            return None
        return seen.st_ino, seen.st_size, seen.st_mtime_ns

    def line(self, line: str) -> None:
        pass

    def found(self) -> Found:
        now = self._signature()
        if now is None:
            raise ValueError(f"the command wrote no result file {self.path}")
        if now == self._before:
            raise ValueError(f"the command did not write {self.path}, which is of an earlier run")
        text = self._text()
        if not text:
            raise ValueError(f"the result file {self.path} is empty")
        try:
            found = json.loads(text)
        except (ValueError, RecursionError):
            try:
                return number_in(text)
            except ValueError:
                raise ValueError(f"expected JSON or a number in {self.path}, found {_short(text)}") from None
        if isinstance(found, (list, type(None))):
            raise ValueError(f"expected a JSON object or a number in {self.path}, found {_short(text)}")
        return found  # type: ignore[no-any-return] # text and booleans are refused by name like those in an object

    def _text(self) -> str:
        if not stat.S_ISREG(self.path.stat().st_mode):
            raise ValueError(f"expected a file, {self.path} is something else")
        try:
            with self.path.open("rb") as file:
                size = os.fstat(file.fileno()).st_size
                if size > FILE_LIMIT:
                    raise ValueError(f"the result file {self.path} has {size:,} bytes, {FILE_LIMIT:,} are allowed")
                return file.read(FILE_LIMIT).decode("utf-8-sig", errors="replace").strip()
        except OSError as error:
            raise ValueError(f"the result file {self.path} cannot be read: {error.strerror}") from None


class LastJson:
    """The last line of stdout that is a JSON object; stderr is not looked at."""

    stderr_too = False
    where = "the last JSON line of stdout"

    def __init__(self) -> None:
        self._last: Mapping[str, Any] | None = None

    def line(self, line: str) -> None:
        text = line.strip()
        if text.startswith("{") and text.endswith("}"):
            try:
                found = json.loads(text)
            except (ValueError, RecursionError):
                return
            self._last = found

    def found(self) -> Found:
        if self._last is None:
            raise ValueError("no line of stdout is a JSON object")
        return self._last


class LastMatches:
    """For each metric what its expression's group held when it last matched a line of stdout or stderr."""

    stderr_too = True
    where = "the output"

    def __init__(self, regex: Mapping[str, str]) -> None:
        self._patterns = {name: re.compile(pattern) for name, pattern in regex.items()}
        self._texts: dict[str, str] = {}

    def line(self, line: str) -> None:
        for name, pattern in self._patterns.items():
            for match in pattern.finditer(line):
                self._texts[name] = match[1] or ""

    def found(self) -> Found:
        out: dict[str, float] = {}
        for name, pattern in self._patterns.items():
            if name not in self._texts:
                continue
            try:
                out[name] = number_in(self._texts[name])
            except ValueError:
                found = _short(self._texts[name])
                raise ValueError(f"{name}: expected a number, {pattern.pattern!r} found {found}") from None
        if not out:
            patterns = ", ".join(repr(pattern.pattern) for pattern in self._patterns.values())
            raise ValueError(f"no line of output matches {patterns}")
        return out


def number_in(text: str) -> float:
    """Return the number that `text` spells (nan and inf too: they are refused later, by name), else ValueError."""
    if "_" in text or not text.isascii():  # Python's float would read 1_000 and other scripts' digits
        raise ValueError(text)
    return float(text)


def chosen(found: Found, names: Sequence[str], where: str) -> dict[str, Any]:
    """Return the metrics called `names` from what a reader found, unchecked; a bare number is the first of them.

    Raises ValueError if one is missing.
    """
    if not isinstance(found, Mapping):
        if len(names) > 1:
            raise ValueError(f"expected a JSON object with {', '.join(names)} in {where}, found {_short(str(found))}")
        return {names[0]: found}
    missing = [name for name in names if name not in found]
    if missing:
        there = ", ".join(map(str, list(found)[:20])) or "nothing"
        raise ValueError(f"expected {', '.join(missing)} in {where}, found {there}{did_you_mean(missing[0], found)}")
    return {name: found[name] for name in names}


def _short(text: str) -> str:
    return repr(text if len(text) <= 80 else f"{text[:77]}...")
