"""What an inspection found (by key path, in a worker that has no file) as problems with lines."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from hptune.config.load import Loaded
from hptune.dataset import RELATIVE
from hptune.errors import Problem
from hptune.job import Finding


def problems_from(findings: Iterable[Finding], loaded: Loaded) -> list[Problem]:
    """Return the findings as problems, in the order in which they were found, each once."""
    return list(dict.fromkeys(loaded.problem(one.key, _seen(one.message, loaded), one.severity) for one in findings))


def placed(problems: Iterable[Problem], loaded: Loaded) -> list[Problem]:
    """Return problems that know only their key (a `ConfigError` from a worker) with file and line."""
    return [
        one if one.file is not None else loaded.problem(one.key, _seen(one.message, loaded), one.severity)
        for one in problems
    ]


def _seen(message: str, loaded: Loaded) -> str:
    """Return a message with where relative paths start: a worker knows the folder, not that `base:` names it.

    The config of a run directory has one, and it misleads once the directory has been moved.
    """
    base, data = loaded.config.base, loaded.config.data
    named = Path(getattr(data, "train", "")).expanduser()
    if base is None or named.is_absolute():
        return message
    return message.replace(
        RELATIVE,
        f"paths are relative to `base: {base}`; has the config been moved? Write `base:` with the folder where the data "
        "lies now, or -o base=FOLDER",
    )
