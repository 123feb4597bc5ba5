"""Problems as text for a terminal: one line each, and where it helps the line of the file with a caret."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from hptune.config.yaml_events import MOST_BYTES
from hptune.config.yaml_syntax import BREAK
from hptune.errors import Problem
from hptune.report.wording import visible

_WIDTH = 100
RENDERED = 20
"""How many problems are told one by one."""


def render(
    problems: Iterable[Problem], *, frames: bool = True, texts: Mapping[str, str] | None = None, most: int = RENDERED
) -> str:
    """Return the problems, `FILE:LINE: key: message`, each with its code frame; plain text without a last newline.

    `texts` holds the files' contents by name; other files are read from the disk. Beyond `most` problems the rest are
    counted only.
    """
    problems = list(problems)
    texts = dict(texts or {})
    blocks = []
    for problem in problems[:most]:
        lines = [f"{'warning: ' if problem.severity == 'warning' else ''}{visible(str(problem))}"]
        if frames:
            lines += _frame(problem, texts)
        blocks.append("\n".join(lines))
    if len(problems) > most:
        blocks.append(f"... and {len(problems) - most} more")
    return "\n".join(blocks)


def _frame(problem: Problem, texts: dict[str, str]) -> list[str]:
    """Return the line the problem stands in and a caret under its column; nothing where that does not help."""
    if problem.file is None or problem.line is None or problem.column is None:
        return []
    if problem.file not in texts:
        texts[problem.file] = _read(problem.file)
    lines = BREAK.split(texts[problem.file])
    if problem.line > len(lines) or not lines[problem.line - 1].strip():
        return []
    line, caret = lines[problem.line - 1], problem.column - 1
    start = max(0, caret - _WIDTH + 20) if len(line) > _WIDTH else 0
    shown = "".join(character if character.isprintable() else " " for character in line[start : start + _WIDTH])
    margin = f"{problem.line:>5} | "
    return [f"{margin}{shown}".rstrip(), f"{' ' * (len(margin) - 2)}| {' ' * (caret - start)}^"]


def _read(file: str) -> str:
    try:
        with open(file, encoding="utf-8-sig", errors="replace", newline="") as stream:  # noqa: PTH123 - "" is no Path
            return stream.read(MOST_BYTES)
    except (OSError, ValueError):
        return ""
