"""`${NAME}` and `${NAME:-default}` in the values of a config: what the environment says, or else the default.

`$${` stands for a literal `${`. Nothing nests, and what comes out of a variable is not looked at again.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from hptune.config.yaml_scalars import shortened

_PART = re.compile(r"\$\$\{|\$\{([^{}]*)(\}?)")
_INSIDE = re.compile(r"(?P<name>[A-Za-z_][A-Za-z0-9_]*)(?::-(?P<default>.*))?", re.DOTALL)


def mentions(text: str) -> bool:
    """Return whether there is anything to substitute (or to unescape) in `text`."""
    return "${" in text


def is_whole(text: str) -> bool:
    """Return whether `text` is one `${...}` and nothing else: its outcome may then be a number, true or null."""
    match = _PART.fullmatch(text)
    return match is not None and match[1] is not None


def substituted(text: str, environment: Mapping[str, str]) -> str:
    """Return `text` with each `${...}` replaced; ValueError says what is wrong with one, and the mend.

    As in a shell, `:-` also takes the default where the variable is set and empty.
    """

    def replacement(match: re.Match[str]) -> str:
        return "${" if match[1] is None else _value(match, environment)

    return _PART.sub(replacement, text)


def escaped(text: str) -> str:
    """Return `text` so that reading it as a value gives it back: the inverse of `substituted`."""
    return text.replace("${", "$${")


def _value(match: re.Match[str], environment: Mapping[str, str]) -> str:
    inside = _INSIDE.fullmatch(match[1]) if match[2] else None
    if inside is None:
        rest = match.string[match.end() :]
        if not match[2] and rest.startswith(("{", "${")):
            raise ValueError(
                f"expected no braces inside ${{...}}, found {_quoted(match)}: defaults do not nest and hold no braces"
            )
        mend = "" if match[2] else ", which has no closing brace"
        raise ValueError(
            f"expected ${{NAME}} or ${{NAME:-default}}, found {_quoted(match)}{mend}; write $${{ for a literal ${{"
        )
    name, default = inside["name"], inside["default"]
    value = environment.get(name)
    if default is not None:
        value = value or default
    if value is None:
        raise ValueError(
            f"expected the environment variable {name}, found it unset: set it ({name}=... hptune ...), or write "
            f"${{{name}:-default}}"
        )
    if any("\ud800" <= character <= "\udfff" for character in value):  # half of a pair: a byte that was no UTF-8
        raise ValueError(f"expected UTF-8 text in the environment variable {name}, found other bytes")
    return value


def _quoted(match: re.Match[str]) -> str:
    rest = match.string[match.start() :]
    return f"'{shortened(rest[: rest.find('}') + 1] if '}' in rest else rest)}'"
