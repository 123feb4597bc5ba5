"""What a YAML syntax error means for the person who wrote the file.

The two parsers PyYAML has (libyaml's and the one in Python) word the same fault differently; both are recognised. A
parser sees a fault where its grammar breaks, which is often after the place to mend; the text tells more.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

BREAK = re.compile(r"\r\n|\r|\n")
_NO_SPACE_AFTER_COLON = re.compile(
    r"""^[ ]*(?:-[ ]+)*(?P<key>[A-Za-z_][\w.-]*):(?P<rest>[^\s:/\\][^\s:]*)\s*(?:\#.*)?$"""
)
_NO_SPACE_BEFORE_OPENING = re.compile(
    r"""(?:^|(?<=[\s{,\[]))(?P<key>[A-Za-z_][\w.-]*):(?P<rest>(?P<opening>[{\["'])).*$"""
)
_CLOSING = {"{": "}", "[": "]"}


def after_colon(opening: str) -> str:
    """Return how a value that a bracket or quote opens is shown: {...}."""
    return f"{opening}...{_CLOSING.get(opening, opening)}"


@dataclass(frozen=True)
class Fault:
    """A parser's complaint: its words, and where (1-based); `opened` is where the construct began, if it says so."""

    problem: str
    context: str
    line: int
    column: int
    opened: tuple[int, int] | None
    lines: tuple[str, ...]

    def text_of(self, number: int) -> str:
        """Return the line of that number, "" beyond the file."""
        return self.lines[number - 1] if 1 <= number <= len(self.lines) else ""

    @property
    def character(self) -> str:
        """The character the parser stumbled over, "" at the end of a line."""
        return self.text_of(self.line)[self.column - 1 : self.column]


@dataclass(frozen=True)
class Diagnosis:
    """The fault in human words and the place to look at (1-based)."""

    message: str
    line: int
    column: int


Rule = Callable[[Fault], Diagnosis | None]


def diagnose(fault: Fault) -> Diagnosis:
    """Return what is wrong and how to mend it."""
    for rule in _RULES:
        found = rule(fault)
        if found is not None:
            return found
    words = ", ".join(part for part in (fault.context, fault.problem) if part)
    return Diagnosis(f"not valid YAML: {words}", fault.line, fault.column)


def _tab(fault: Fault) -> Diagnosis | None:
    if "cannot start any token" not in fault.problem and "tab character" not in fault.problem:
        return None
    line = fault.text_of(fault.line)
    column = line.find("\t", max(fault.column - 1, 0)) + 1
    if not column or line[fault.column - 1 : column - 1].strip():
        return None
    if line[: column - 1].strip():
        return Diagnosis("expected spaces, found a tab: separate with spaces", fault.line, column)
    return Diagnosis(
        "expected spaces, found a tab: YAML is indented with spaces only (two a level)", fault.line, column
    )


_RESERVED = {
    "@": "text cannot begin with '@'",
    "`": "text cannot begin with a backtick",
    "%": "text cannot begin with '%'",
}


def _reserved(fault: Fault) -> Diagnosis | None:
    character = fault.character
    if "cannot start any token" not in fault.problem or character not in _RESERVED:
        return None
    return Diagnosis(
        f"{_RESERVED[character]} without quotes: write '{character}...' in quotes", fault.line, fault.column
    )


def _alias(fault: Fault) -> Diagnosis | None:
    if fault.context not in ("while scanning an alias", "while scanning an anchor"):
        return None
    sign, word = ("*", "an alias") if fault.context.endswith("alias") else ("&", "an anchor")
    line, column = fault.opened or (fault.line, fault.column)
    return Diagnosis(
        f"expected the name of {word} after '{sign}': text that begins with '{sign}' must stand in quotes",
        line,
        column,
    )


def _open_quote(fault: Fault) -> Diagnosis | None:
    at_end = "end of stream" in fault.problem or "document separator" in fault.problem
    if not at_end or "scalar" not in fault.context or fault.opened is None:
        return None
    line, column = fault.opened
    quote = fault.text_of(line)[column - 1 : column]
    return Diagnosis(
        f"expected a closing {quote}, found the end of the file: the quote opened here is never closed", line, column
    )


def _escape(fault: Fault) -> Diagnosis | None:
    text = fault.problem
    if "escape" not in text and "hexdecimal" not in text and "hexadecimal" not in text:
        return None
    line = fault.text_of(fault.line)
    start = line.rfind("\\", 0, fault.column + 1)
    column = start + 1 if start >= 0 else fault.column
    found = line[column - 1 : column + 1]
    if "unknown" in text:
        message = f"{found} is no escape that YAML knows: use single quotes, or write \\\\ for a backslash"
    else:
        message = f"{found} needs the code of a character in hexadecimal (\\x41, \\u00e9, \\U0001f600)"
    return Diagnosis(message, fault.line, column)


_FLOW = {"while parsing a flow sequence": ("list", "[", "]"), "while parsing a flow mapping": ("mapping", "{", "}")}


def _variable(fault: Fault) -> Diagnosis | None:
    before = fault.text_of(fault.line)[: fault.column - 1]
    if fault.context not in _FLOW or fault.character != "{" or not before.endswith("$"):
        return None
    message = 'expected quotes around ${...} inside brackets, found none: write "${NAME}", it may still be a number'
    return Diagnosis(message, fault.line, fault.column - 1)


def _open_bracket(fault: Fault) -> Diagnosis | None:
    if fault.context not in _FLOW or fault.opened is None:
        return None
    kind, opening, closing = _FLOW[fault.context]
    line, column = fault.opened
    if fault.line == line or not _is_key_line(fault.text_of(fault.line)):
        found = fault.character
        what = f"found '{found}'" if found and not found.isspace() else "found the end of the file"
        if fault.line >= len(fault.lines) and not found:
            return Diagnosis(
                f"expected ',' or '{closing}', found the end of the file: the {kind} opened with '{opening}' here "
                f"is never closed",
                line,
                column,
            )
        return Diagnosis(
            f"expected ',' or '{closing}' in the {kind} opened with '{opening}' on line {line}, {what}; "
            "text with , : or brackets in it must stand in quotes",
            fault.line,
            fault.column,
        )
    return Diagnosis(
        f"expected ',' or '{closing}', found the next key on line {fault.line}: the {kind} opened with '{opening}' "
        "here is never closed",
        line,
        column,
    )


def _is_key_line(line: str) -> bool:
    return re.match(r"\s*(- )*[\w.]+:(\s|$)", line) is not None


def _missing_space(fault: Fault) -> Diagnosis | None:
    """`trials:60` or `data:{...}` on the faulty line or the one before it: no key, and the grammar breaks after it."""
    signs = ("mapping values", "expected ':'", "expected key", "block end", "unexpected ':'")
    if not any(words in fault.problem for words in signs):
        return None
    candidates = [fault.line]
    if fault.opened is not None and "simple key" in fault.context:
        candidates.insert(0, fault.opened[0])
    before = fault.line - 1
    while before >= max(fault.line - 50, 1) and not re.sub(r"#.*", "", fault.text_of(before)).strip():
        before -= 1
    candidates.append(before)
    for number in candidates:
        match = _NO_SPACE_AFTER_COLON.match(fault.text_of(number))
        if match:
            key, rest = match["key"], match["rest"]
            return Diagnosis(
                f"expected a space after the colon, found {key}:{rest}: write '{key}: {rest}'",
                number,
                match.start("rest") + 1,
            )
        match = _NO_SPACE_BEFORE_OPENING.search(fault.text_of(number))
        if match:
            key, opening = match["key"], match["opening"]
            return Diagnosis(
                f"expected a space after the colon, found {key}:{opening}...: write `{key}: {after_colon(opening)}`",
                number,
                match.start("rest") + 1,
            )
    return None


def _second_colon(fault: Fault) -> Diagnosis | None:
    if "mapping values are not allowed" not in fault.problem:
        return None
    line = fault.text_of(fault.line)
    before = line[: fault.column - 1]
    if re.search(r":\s", before):
        message = (
            "expected one value, found a second ': ' in the line: quote the value if the colon belongs to it, "
            "or put the inner key on a line of its own"
        )
        return Diagnosis(message, fault.line, fault.column)
    indent = len(before) - len(before.lstrip()) + 1
    message = (
        f"expected the same indentation as the keys above, found '{before.strip()}:' after a value that stands on "
        "an earlier line: align the key, or remove that value"
    )
    return Diagnosis(message, fault.line, indent)


def _unaligned(fault: Fault) -> Diagnosis | None:
    if fault.context not in ("while parsing a block mapping", "while parsing a block collection"):
        return None
    line = fault.text_of(fault.line)
    before, rest = line[: fault.column - 1], line[fault.column - 1 :]
    quoted = re.search(r"['\"]\s*$", before)
    if quoted:
        message = (
            f"expected the end of the line after the closing quote, found {rest.strip()[:30]!r}: "
            "quote the whole text (inside '...' a quote is written '')"
        )
        return Diagnosis(message, fault.line, fault.column)
    if before.strip() and rest[:1] in ("]", "}"):
        return Diagnosis(f"found a '{rest[0]}' that closes nothing: remove it", fault.line, fault.column)
    if rest.startswith(":"):
        message = "expected a key before the ':', found none: quote it if it is meant as text"
    elif fault.context.endswith("mapping") and re.match(r"-(\s|$)", rest):
        message = "expected a key, found a list item ('- '): a mapping and a list cannot stand on one level"
    elif fault.context.endswith("collection"):
        message = (
            "expected a list item ('- ') or a line indented like the one above, found something else: "
            "check the indentation"
        )
    else:
        message = "expected a key in line with the keys above it: check the indentation"
    return Diagnosis(message, fault.line, fault.column)


def _node_content(fault: Fault) -> Diagnosis | None:
    if "node content" not in fault.problem:
        return None
    rest = [fault.text_of(fault.line)[fault.column - 1 :], *fault.lines[fault.line :]]
    if "flow" in fault.context and not any(line.strip() for line in rest):
        last = next((number for number in range(len(fault.lines), 0, -1) if fault.text_of(number).strip()), 1)
        message = "expected a value or a closing bracket, found the end of the file"
        return Diagnosis(message, last, max(len(fault.text_of(last).rstrip()), 1))
    found = fault.character
    what = f"found '{found}'" if found and not found.isspace() else "found nothing"
    return Diagnosis(f"expected a value, {what}: quote it if it is meant as text", fault.line, fault.column)


def _entry_on_key_line(fault: Fault) -> Diagnosis | None:
    if "sequence entries are not allowed" not in fault.problem:
        return None
    message = "expected a value, found '- ' in the middle of a line: begin the list on the next line, or write [a, b]"
    return Diagnosis(message, fault.line, fault.column)


def _no_colon(fault: Fault) -> Diagnosis | None:
    if "could not find expected ':'" not in fault.problem:
        return None
    line, column = fault.opened or (fault.line, fault.column)
    found = fault.text_of(line)[column - 1 :].strip()[:30]
    return Diagnosis(f"expected 'key: value', found {found!r}, which has no colon", line, column)


def _fixed(words: str, message: str) -> Rule:
    def rule(fault: Fault) -> Diagnosis | None:
        return Diagnosis(message, fault.line, fault.column) if words in f"{fault.context} {fault.problem}" else None

    return rule


_TAG = "tags (words that begin with '!') are not used in a config: quote the text, or remove the tag"
_RULES: tuple[Rule, ...] = (
    _tab,
    _reserved,
    _alias,
    _open_quote,
    _escape,
    _missing_space,
    _variable,
    _open_bracket,
    _second_colon,
    _unaligned,
    _node_content,
    _entry_on_key_line,
    _no_colon,
    _fixed("tag", _TAG),
    _fixed("block scalar", "expected the end of the line after | or >, found more: begin the text on the next line"),
    _fixed("document start", "expected one document, found text after its end ('...' or a stray first line)"),
    _fixed("incompatible YAML document", "expected YAML 1.x: remove the %YAML line"),
    _fixed("directive", "a line cannot begin with '%': quote the text"),
)
