"""The command line: every verb's options, and the one place where exceptions become exit codes.

Nothing heavy is imported here: `hptune --help` and shell completion load typer and the standard library. What a verb
does is in `hptune/commands/`, imported when it is called.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer

from hptune import __version__
from hptune.commands._after import after
from hptune.commands._building import built
from hptune.commands._options import (
    EXIT_CODES,
    Config,
    Folder,
    Json,
    JunitFile,
    Overrides,
    Prefixes,
    RunDir,
    SummaryFile,
    path_given,
)
from hptune.commands._outside import outside
from hptune.commands._signals import signals
from hptune.commands._streams import stdout
from hptune.errors import Interrupted
from hptune.plugins import no_plugins

app = typer.Typer(
    name="hptune",
    help="""Tune a model's hyperparameters: one YAML, one command.

    \b
    hptune run study.yaml            run a study; again: continue it
    hptune trials runs/my-study      its trials as a table
    hptune best runs/my-study        the best one
    hptune validate study.yaml       check a config without fitting""",
    epilog=EXIT_CODES,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"hptune {__version__}")
        raise typer.Exit


@app.callback()
def _hptune(
    version: Annotated[
        bool, typer.Option("--version", "-V", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    del version


@app.command(epilog=EXIT_CODES)
def run(
    target: Annotated[
        Path,
        typer.Argument(
            metavar="CONFIG|DIR",
            help="A config file, or a run directory to continue.",
            parser=path_given,
            show_default=False,
        ),
    ],
    override: Overrides = None,
    workers: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="How many trials run at once.", show_default=False)
    ] = None,
    folder: RunDir = None,
    trials: Annotated[
        str | None,
        typer.Option(metavar="N|+N", help="Run N trials in all, or N more than there are.", show_default=False),
    ] = None,
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Start over: delete the study in the run directory.")
    ] = False,
    holdout_again: Annotated[
        bool, typer.Option("--holdout-again", help="Score the holdout for a new winner too, though it is not fresh.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print result.json's document on stdout.")] = False,
    allow_import: Prefixes = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Measure one default trial, estimate the time, write nothing.")
    ] = False,
    summary: SummaryFile = None,
    junit: JunitFile = None,
    quiet: Annotated[bool, typer.Option("-q", "--quiet", help="Print errors only.")] = False,
    verbose: Annotated[bool, typer.Option("-v", "--verbose", help="Print each trial, and failures in full.")] = False,
) -> int:
    """Run a study, or continue the one in its run directory.

    Imports the classes and functions that the config names. Ctrl-C stops it with everything saved; the same command
    continues it.

    \b
    hptune run study.yaml
    hptune run study.yaml -o budget.trials=100 --workers 4
    hptune run runs/my-study --trials +50
    hptune run study.yaml --json > result.json
    hptune run study.yaml --dry-run
    """
    from hptune.commands.run import Options, run

    return run(
        Options(
            target=target,
            overrides=tuple(override or ()),
            workers=workers,
            folder=folder,
            trials=trials,
            fresh=fresh,
            holdout_again=holdout_again,
            as_json=as_json,
            allow_import=tuple(allow_import or ()),
            quiet=quiet,
            verbose=verbose,
            dry_run=dry_run,
            summary=summary,
            junit=junit,
        )
    )


@app.command()
def validate(
    config: Config,
    override: Overrides = None,
    static: Annotated[bool, typer.Option("--static", help="Import nothing that the config names.")] = False,
    allow_import: Prefixes = None,
    as_json: Json = False,
) -> int:
    """Check a config before its first trial.

    Everything that can be known is checked: what the config names is imported and fitted on a few rows, the space is
    held against the estimators. With --static nothing is imported or fitted.

    \b
    hptune validate study.yaml
    hptune validate study.yaml --static
    """
    from hptune.commands.validate import validate

    return validate(config, override or (), static=static, as_json=as_json, allow_import=allow_import or ())


@app.command()
def space(
    config: Config,
    override: Overrides = None,
    sample: Annotated[int, typer.Option(min=0, max=10_000, metavar="N", help="Show N random configurations.")] = 0,
    format: Annotated[str, typer.Option(metavar="FORMAT", help="table, json or markdown.")] = "table",
    allow_import: Prefixes = None,
    as_json: Json = False,
) -> int:
    """Show the search space, its size, and samples of it.

    \b
    hptune space study.yaml --sample 5
    """
    from hptune.commands.space import space

    return space(
        config, override or (), format=format, as_json=as_json, sample=sample, allow_import=allow_import or ()
    )


@app.command()
def trials(
    folder: Folder,
    format: Annotated[str, typer.Option(metavar="FORMAT", help="table, json, csv or markdown.")] = "table",
    sort: Annotated[
        str | None,
        typer.Option(metavar="COLUMN", help="score, trial, std, seconds, status or a parameter.", show_default=False),
    ] = None,
    top: Annotated[
        int | None,
        typer.Option(min=1, metavar="N", help="Only the first N; without --sort: the best N.", show_default=False),
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="All columns, not only those that changed.")] = False,
    as_json: Json = False,
) -> int:
    """List a study's trials.

    \b
    hptune trials runs/my-study --top 10
    hptune trials runs/my-study --sort alpha --all
    hptune trials runs/my-study --format csv > trials.csv
    """
    from hptune.commands.trials import Selection, trials

    selection = Selection(sort=sort, top=top)
    return trials(folder, format=format, as_json=as_json, selection=selection, everything=everything)


@app.command()
def best(
    folder: Folder,
    format: Annotated[str, typer.Option(metavar="FORMAT", help="table, json, yaml or python.")] = "table",
    param: Annotated[
        str | None, typer.Option(metavar="NAME", help="Print this one value, bare.", show_default=False)
    ] = None,
    as_json: Json = False,
) -> int:
    """Show the best trial.

    \b
    hptune best runs/my-study
    alpha=$(hptune best runs/my-study --param alpha)
    """
    from hptune.commands.best import best

    return best(folder, format=format, as_json=as_json, param=param)


@app.command()
def show(
    folder: Folder,
    trial: Annotated[
        int | None, typer.Argument(metavar="[TRIAL]", help="A trial's number.", show_default=False)
    ] = None,
    log: Annotated[bool, typer.Option("--log", help="Print what the trial wrote itself, and nothing else.")] = False,
    as_json: Json = False,
) -> int:
    """Show a study at a glance, or all that is known of one trial.

    \b
    hptune show runs/my-study
    hptune show runs/my-study 17
    hptune show runs/my-study 17 --log
    """
    from hptune.commands.show import show, show_log

    if log:
        return show_log(folder, trial)
    return show(folder, trial, as_json=as_json)


@app.command()
def report(
    folders: Annotated[
        list[Path],
        typer.Argument(metavar="DIR", help="Run directories.", parser=path_given, show_default=False),
    ],
    figures: Annotated[
        Path,
        typer.Option(metavar="OUT", help="The folder for the figures.", parser=path_given, show_default=False),
    ],
    as_json: Json = False,
) -> int:
    """Draw the figures of studies.

    As SVG and PNG; needs matplotlib (the extra `figures`).

    \b
    hptune report runs/ridge runs/lasso --figures figures
    """
    from hptune.commands.report import report

    return report(folders, figures, as_json=as_json)


@app.command()
def oracles(
    format: Annotated[str, typer.Option(metavar="FORMAT", help="table, json or markdown.")] = "table",
    as_json: Json = False,
) -> int:
    """List the oracles (search algorithms) and their options."""
    from hptune.commands.oracles import oracles

    return oracles(format=format, as_json=as_json)


@app.command()
def init(
    data: Annotated[
        str | None,
        typer.Argument(
            metavar="[DATA]", help="A table: .csv, .tsv, .parquet, or sklearn:load_NAME.", show_default=False
        ),
    ] = None,
    target: Annotated[
        str | None, typer.Option(metavar="COLUMN", help="The column to predict.", show_default=False)
    ] = None,
    model: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="An estimator of `hptune spaces`; else two to choose.", show_default=False),
    ] = None,
    out: Annotated[
        str | None, typer.Option(metavar="FILE", help="The config to write; -: to stdout.", show_default=False)
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace a file that is there.")] = False,
    as_json: Json = False,
) -> int:
    """Write a config for the data at hand.

    Looks at the data and writes a commented config that runs as it is: task, metric, preparation of the columns,
    folds and a search space. Without data it is an example to play with.

    \b
    hptune init data.csv --target price
    hptune init data.csv --target species --model SVC --out svc.yaml
    hptune init
    """
    from hptune.commands.init import init

    return init(data, target=target, model=model, out=out, force=force, as_json=as_json)


@app.command()
def spaces(
    name: Annotated[
        str | None, typer.Argument(metavar="[NAME]", help="An estimator's class: SVC.", show_default=False)
    ] = None,
    path: Annotated[
        str, typer.Option(metavar="STEP", help="Where it stands in the model: regressor.svr.", show_default=False)
    ] = "",
    as_json: Json = False,
) -> int:
    """List default search spaces, or print one as YAML.

    For scikit-learn's usual estimators, each with its source.

    \b
    hptune spaces
    hptune spaces SVC >> study.yaml
    hptune spaces Ridge --path regressor.ridge
    """
    from hptune.commands.spaces import spaces

    return spaces(name, path=path, as_json=as_json)


@app.command()
def schema(
    kind: Annotated[
        str, typer.Argument(metavar="[config|result]", help="Of which document.", show_default=False)
    ] = "config",
) -> int:
    """Print the JSON Schema of configs or of results.

    That of configs is for editors; that of results describes result.json.

    \b
    hptune schema > hptune.schema.json
    """
    from hptune.commands.schema import schema

    return schema(kind)


app.add_typer(after)
app.add_typer(outside)


# -- exceptions become exit codes -----------------------------------------------------------------------------------


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command line and exit."""
    sys.exit(_invoked(sys.argv[1:] if arguments is None else arguments))


def invoke(arguments: Sequence[str]) -> int:
    """Run the command line and return its exit code; whatever goes wrong is said on stderr (and as JSON if asked)."""
    try:
        return _invoked(arguments)
    finally:
        stdout.give_back()


def _invoked(arguments: Sequence[str]) -> int:
    """Do what `invoke` does, but leave stdout to the JSON document: what user code prints at exit comes later still."""
    try:
        with signals.installed():
            if os.name == "nt":
                from hptune.errors import UsageError

                raise UsageError("hptune runs on Linux and macOS, not on Windows; use WSL: https://aka.ms/wsl")
            with contextlib.ExitStack() as parsing:
                parsing.enter_context(no_plugins())  # typer's models; from the verb on there may be the user's

                def parsed() -> None:
                    parsing.close()
                    if wants_json(arguments):
                        stdout.keep()

                command = _command(arguments, parsed)
                return int(command.main(args=list(arguments), prog_name="hptune", standalone_mode=False) or 0)
    except (Exception, Interrupted, KeyboardInterrupt) as error:
        from hptune.commands._failing import report_failure

        return report_failure(error, as_json=wants_json(arguments))


def _command(arguments: Sequence[str] = (), parsed: Callable[[], None] = lambda: None) -> Any:
    return built(app, (after, outside), arguments, parsed)


def wants_json(arguments: Sequence[str]) -> bool:
    """Return whether the arguments ask for JSON, before (or without) their being understood."""
    before = list(arguments[: arguments.index("--")] if "--" in arguments else arguments)
    return "--json" in before or "--format=json" in before or ("--format", "json") in itertools.pairwise(before)
