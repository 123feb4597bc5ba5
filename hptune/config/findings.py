"""What an inspection found (by key path, in a worker that has no file) as problems with lines."""

from __future__ import annotations

from collections.abc import Iterable

from hptune.config.load import Loaded
from hptune.errors import Problem
from hptune.job import Finding


def problems_from(findings: Iterable[Finding], loaded: Loaded) -> list[Problem]:
    """Return the findings as problems, in the order in which they were found, each once."""
    return list(dict.fromkeys(loaded.problem(one.key, one.message, one.severity) for one in findings))


def placed(problems: Iterable[Problem], loaded: Loaded) -> list[Problem]:
    """Return problems that know only their key (a `ConfigError` from a worker) with file and line."""
    return [one if one.file is not None else loaded.problem(one.key, one.message, one.severity) for one in problems]
