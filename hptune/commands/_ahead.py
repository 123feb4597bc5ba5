"""The first worker of a plain `hptune run`, started before typer has been loaded and has read the command line.

A worker takes a second or two to import a model of scikit-learn, and a run waits for that; typer takes two tenths more.
What the arguments mean is guessed here and decided by typer: a wrong guess costs a process and changes nothing.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from pathlib import Path

from hptune.commands._problem import config_of
from hptune.early import Spare, started
from hptune.errors import HptuneError

VALUED = frozenset(("-o", "--override", "--workers", "--dir", "--trials", "--allow-import", "--summary", "--junit"))
FLAGS = frozenset(("--fresh", "--holdout-again", "--json", "-q", "--quiet", "-v", "--verbose"))
"""The options of `run` with which a worker is needed; with any other argument none is started here."""

LONGEST_NUMBER = 9
"""Digits of a number of workers; who gives more is answered by typer."""


def first_worker_for(arguments: Sequence[str]) -> Spare:
    """Return the first worker of the run that the arguments ask for; without one if they seem to ask for something else."""
    understood = read(arguments)
    if understood is None:
        return Spare()
    target, overrides, workers = understood
    try:
        return started(config_of(target)[0], overrides, workers)
    except (HptuneError, OSError):
        return Spare()


def read(arguments: Sequence[str]) -> tuple[Path, list[str], int | None] | None:
    """Return CONFIG|DIR, overrides and number of workers of a `run`; None for anything else or less plain."""
    if not arguments or arguments[0] != "run":
        return None
    target: Path | None = None
    overrides: list[str] = []
    workers: int | None = None
    # `--name=value` and `--name value` are the same; a short option takes its value as the next argument.
    parts = itertools.chain.from_iterable(
        one.split("=", 1) if one.startswith("--") else (one,) for one in arguments[1:]
    )
    for one in parts:
        if one in VALUED:
            value = next(parts, None)
            if value is None:
                return None
            if one in ("-o", "--override"):
                overrides.append(value)
            elif one == "--workers":
                if not value.isdecimal() or len(value) > LONGEST_NUMBER:
                    return None
                workers = int(value)
        elif one not in FLAGS:
            if one.startswith("-") or target is not None:
                return None
            target = Path(one)
    return None if target is None else (target, overrides, workers)
