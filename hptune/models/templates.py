"""Text with placeholders, as a command's arguments have them: `--lr={lr}`. Pure: nothing is run or read.

`{name}` stands for a value, `{{` and `}}` for literal braces. A value is put into text that has been divided into
arguments already, so it can neither become two arguments nor mean anything to a shell.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

OWN_NAMES = (
    "result_file",
    "params_file",
    "work_dir",
    "config_dir",
    "python",
    "trial",
    "seed",
    "fold",
    "fidelity",
    "slot",
)
"""The placeholders of a command that are no parameters."""

_TOKEN = re.compile(r"\{\{|\}\}|\{([^{}]*)\}|[{}]")
_NAME = re.compile(r"[\w.-]+")


class Absent(ValueError):
    """A placeholder without a value stands inside longer text, where it cannot be left out."""


@dataclass(frozen=True)
class Placeholder:
    """A `{name}` in a template."""

    name: str

    def __str__(self) -> str:
        return f"{{{self.name}}}"


@dataclass(frozen=True)
class Template:
    """Literal texts and placeholders in turn; `str()` gives the text it was parsed from."""

    parts: tuple[str | Placeholder, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """The names of its placeholders, each once, in order."""
        return tuple(dict.fromkeys(part.name for part in self.parts if isinstance(part, Placeholder)))

    @property
    def alone(self) -> bool:
        """Whether it consists of one placeholder and nothing else."""
        return len(self.parts) == 1 and isinstance(self.parts[0], Placeholder)

    def __str__(self) -> str:
        return "".join(
            str(part) if isinstance(part, Placeholder) else part.replace("{", "{{").replace("}", "}}")
            for part in self.parts
        )

    def fill(self, texts: Mapping[str, str | None]) -> str | None:
        """Return the text with every placeholder's; None where a placeholder that stands alone has none.

        Raises `Absent` where one inside longer text has none, KeyError for a name that is not in `texts`.
        """
        filled = [texts[part.name] if isinstance(part, Placeholder) else part for part in self.parts]
        if self.alone:
            return filled[0]
        for part, text in zip(self.parts, filled, strict=True):
            if text is None:
                raise Absent(f"{part} has no value, and cannot be left out of {str(self)!r}")
        return "".join(text for text in filled if text is not None)


def parse(text: str) -> Template:
    """Return the template that `text` spells; raises ValueError for braces that are not balanced."""
    parts: list[str | Placeholder] = []
    literal, end = "", 0
    for match in _TOKEN.finditer(text):
        literal += text[end : match.start()]
        end = match.end()
        token, name = match[0], match[1]
        if token in ("{{", "}}"):
            literal += token[0]
        elif name is not None and _NAME.fullmatch(name):
            parts += [literal, Placeholder(name)] if literal else [Placeholder(name)]
            literal = ""
        else:
            raise ValueError(_unbalanced(text, match))
    literal += text[end:]
    if literal or not parts:
        parts.append(literal)
    return Template(tuple(parts))


def _unbalanced(text: str, match: re.Match[str]) -> str:
    place = f"at character {match.start() + 1} of {text!r}"
    mend = "write literal braces twice: {{ and }}"
    if match[1] is not None:
        return f"expected a parameter's name in braces, found {match[0]!r} {place}; {mend}"
    return f"found {match[0]!r} without its {'}' if match[0] == '{' else '{'!r} {place}; {mend}"


def text_of(value: Any) -> str | None:
    """Return how a value is written in a command: text as it is, numbers so that they can be read back exactly.

    `true`, `false` and lists are written as in JSON. null is no text at all: the argument is left out.
    """
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, (bool, list, dict)):
        return json.dumps(value)
    return str(value)


# -- shell lines ----------------------------------------------------------------------------------------------------


def quoted_placeholder(line: Template) -> Placeholder | None:
    """Return the first placeholder of a shell line that stands inside quotes, after a backslash or in backticks.

    Values are put into a shell line as words of their own, with quotes; other quotes around them would undo those.
    """
    quote, escaped = "", False
    for part in line.parts:
        if isinstance(part, Placeholder):
            if quote or escaped:
                return part
            continue
        for character in part:
            if escaped:
                escaped = False
            elif character == "\\" and quote != "'":
                escaped = True
            elif quote:
                quote = "" if character == quote else quote
            elif character in "'\"`":
                quote = character
    return None
