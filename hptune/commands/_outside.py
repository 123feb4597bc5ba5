"""The command line of ask and tell, for scripts that measure the trials themselves.

A part of `hptune.cli`, in a file of its own for its length; nothing heavy is imported here either.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from hptune.commands._options import EXIT_CODES, Folder, Json, Overrides, Prefixes, RunDir, path_given

outside = typer.Typer(rich_markup_mode=None)


@outside.command(epilog=EXIT_CODES)
def ask(
    target: Annotated[
        Path,
        typer.Argument(
            metavar="CONFIG|DIR",
            help="A config without model:, or the run directory of one.",
            parser=path_given,
            show_default=False,
        ),
    ],
    override: Overrides = None,
    folder: RunDir = None,
    again: Annotated[
        int | None,
        typer.Option(
            metavar="N", help="Give out trial N once more: its worker was lost, or it failed.", show_default=False
        ),
    ] = None,
    format: Annotated[str, typer.Option(metavar="FORMAT", help="table, json or shell.")] = "table",
    allow_import: Prefixes = None,
    as_json: Json = False,
) -> int:
    """Ask for the next trial, to measure it yourself.

    The first one is the defaults. A trial is given out once; with nothing left to ask no number is printed. Scripts may
    ask and tell side by side.

    \b
    hptune ask study.yaml
    hptune ask study.yaml --json
    eval "$(hptune ask study.yaml --format shell)"
    """
    from hptune.commands.ask import ask_verb

    return ask_verb(
        target,
        override or (),
        folder=folder,
        again=again,
        format=format,
        as_json=as_json,
        allow_import=allow_import or (),
    )


@outside.command(epilog=EXIT_CODES)
def tell(
    folder: Folder,
    trial: Annotated[
        int, typer.Option("--trial", metavar="N", help="The trial's number, as ask gave it.", show_default=False)
    ],
    value: Annotated[
        list[str] | None,
        typer.Option("--value", metavar="SCORE", help="Its score; again for each fold.", show_default=False),
    ] = None,
    failed: Annotated[
        str | None, typer.Option("--failed", metavar="WHY", help="Why it has none.", show_default=False)
    ] = None,
    as_json: Json = False,
) -> int:
    """Tell what a trial scored, or that it failed.

    Prints the best so far. The same told again changes nothing.

    \b
    hptune tell runs/my-study --trial 3 --value 0.31
    hptune tell runs/my-study --trial 3 --value 0.31 --value 0.28
    hptune tell runs/my-study --trial 3 --failed "out of memory"
    """
    from hptune.commands.tell import tell_verb

    return tell_verb(folder, trial, value or (), failed=failed, as_json=as_json)
