"""Options and arguments that several verbs share. Only typer and the standard library are imported."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

EXIT_CODES = """\b
Exit codes:
  0    done
  1    a bug in hptune
  2    bad config or usage
  3    the gate was not met
  4    no trial succeeded, or the failure limit was reached
  5    run directory damaged, or locked by another run
  6    run directory not writable, or disk full
  7    no worker could be started, or no more files opened
  129  the terminal was closed (SIGHUP), everything was saved
  130  interrupted (Ctrl-C), everything was saved
  143  terminated (SIGTERM), everything was saved"""


def path_given(text: str) -> Path:
    """Return the path; nothing is none, though `Path("")` is the working directory (an unset shell variable)."""
    if not text.strip():
        raise typer.BadParameter("expected a path, found nothing (an unset shell variable?); `.` is this folder")
    return Path(text)


Config = Annotated[
    Path,
    typer.Argument(
        metavar="CONFIG",
        help="A config file (or a run directory: the config in it).",
        parser=path_given,
        show_default=False,
    ),
]
Folder = Annotated[
    Path, typer.Argument(metavar="DIR", help="A run directory.", parser=path_given, show_default=False)
]
RunDir = Annotated[
    Path | None,
    typer.Option(
        "--dir",
        metavar="PATH",
        help="The run directory, instead of the config's.",
        parser=path_given,
        show_default=False,
    ),
]
Overrides = Annotated[
    list[str] | None,
    typer.Option(
        "-o", "--override", metavar="KEY=VALUE", help="Set a key of the config: -o budget.trials=20. Repeatable."
    ),
]
Prefixes = Annotated[
    list[str] | None,
    typer.Option("--allow-import", metavar="PREFIX", help="Let the config import modules that begin so. Repeatable."),
]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]
SummaryFile = Annotated[
    Path | None,
    typer.Option("--summary", metavar="FILE", help="Write a summary there, as Markdown.", show_default=False),
]
JunitFile = Annotated[
    Path | None,
    typer.Option(
        "--junit", metavar="FILE", help="Write the run and its gate there, as JUnit XML.", show_default=False
    ),
]
