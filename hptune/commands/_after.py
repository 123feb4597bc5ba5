"""The command line of what comes after a study (compare, importance, suggest, predict, export, retry, repair), and of
the doctor.

A part of `hptune.cli`, in a file of its own for its length; nothing heavy is imported here either.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from hptune.commands._options import EXIT_CODES, Folder, Json, Prefixes, path_given

after = typer.Typer(rich_markup_mode=None)


@after.command()
def compare(
    folders: Annotated[
        list[Path],
        typer.Argument(metavar="DIR", help="Run directories.", parser=path_given, show_default=False),
    ],
    format: Annotated[str, typer.Option(help="table, json or markdown.")] = "table",
    as_json: Json = False,
) -> int:
    """Set studies beside each other.

    What differs in their configs, the best of each, and what the others gain over the first where both were measured
    on the same folds.

    \b
    hptune compare runs/ridge runs/lasso
    hptune compare runs/old runs/new --format markdown
    """
    from hptune.commands.compare import compare

    return compare(folders, format=format, as_json=as_json)


@after.command()
def importance(
    folder: Folder,
    format: Annotated[str, typer.Option(metavar="FORMAT", help="table, json or markdown.")] = "table",
    as_json: Json = False,
) -> int:
    """Tell which hyperparameters mattered, and how sure that is.

    Of the score's variance over the space: the share that needs a parameter (importance, 90% interval), that it explains
    alone, and that it has among good configurations. A wider range makes a parameter more important.

    \b
    hptune importance runs/my-study
    hptune importance runs/my-study --format markdown
    """
    from hptune.commands.importance import importance

    return importance(folder, format=format, as_json=as_json)


@after.command()
def suggest(folder: Folder, as_json: Json = False) -> int:
    """Advise what to do next, with a patch of the space as YAML.

    Comments say what was seen; the `space:` section below them can be merged into the config.

    \b
    hptune suggest runs/my-study
    (echo "extends: runs/my-study/config.yaml"; hptune suggest runs/my-study) > wider.yaml
    hptune run wider.yaml --dir runs/wider
    """
    from hptune.commands.suggest import suggest

    return suggest(folder, as_json=as_json)


@after.command()
def predict(
    folder: Folder,
    data: Annotated[Path, typer.Argument(metavar="DATA.csv", help="Rows to predict.", show_default=False)],
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FILE", help="Write there, not to stdout (-).", show_default=False)
    ] = None,
    proba: Annotated[bool, typer.Option("--proba", help="A column for each class's probability too.")] = False,
    trust_joblib: Annotated[
        bool, typer.Option("--trust-joblib", help="Load a model.joblib: a pickle, which runs the code in it.")
    ] = False,
) -> int:
    """Predict new rows with the refit best model.

    Loads the run directory's model file; the CSV's columns are checked against those of training.

    \b
    hptune predict runs/my-study new.csv > predictions.csv
    hptune predict runs/my-study new.csv --proba --out predictions.csv
    """
    from hptune.commands.predict import predict

    return predict(folder, data, out=out, proba=proba, trust_joblib=trust_joblib)


@after.command()
def export(
    folder: Folder,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FILE", help="Write there, not to stdout (-).", show_default=False)
    ] = None,
    allow_import: Prefixes = None,
) -> int:
    """Write the best configuration as Python code without hptune.

    A script that reads the data and fits the winner with scikit-learn alone; of a model that is not made of
    estimators, its values. Imports the classes that the config names.

    \b
    hptune export runs/my-study --out winner.py
    """
    from hptune.commands.export import export

    return export(folder, out=out, allow_import=allow_import or ())


@after.command(epilog=EXIT_CODES)
def retry(
    folder: Folder,
    trial: Annotated[
        list[int] | None,
        typer.Option("--trial", metavar="N", help="Only this failed trial. Repeatable.", show_default=False),
    ] = None,
    workers: Annotated[
        int | None, typer.Option(min=1, help="How many trials run at once.", show_default=False)
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print result.json's document on stdout.")] = False,
    allow_import: Prefixes = None,
    quiet: Annotated[bool, typer.Option("-q", "--quiet", help="Print errors only.")] = False,
    verbose: Annotated[bool, typer.Option("-v", "--verbose", help="Print each trial, and failures in full.")] = False,
) -> int:
    """Run the failed trials of a study again.

    Under their own numbers and from their first fold; then the study goes on as `hptune run DIR` would. The seed
    alone no longer gives the same trials: `reproducible` is false from then on.

    \b
    hptune retry runs/my-study
    hptune retry runs/my-study --trial 7
    """
    from hptune.commands.retry import retry
    from hptune.commands.run import Options

    options = Options(
        target=folder,
        workers=workers,
        as_json=as_json,
        allow_import=tuple(allow_import or ()),
        quiet=quiet,
        verbose=verbose,
    )
    return retry(folder, trial or (), options=options)


@after.command(epilog=EXIT_CODES)
def repair(folder: Folder, as_json: Json = False) -> int:
    """Mend a damaged journal.

    Keeps every record that is as it was written and can still follow; the old file stays beside it as
    `journal.damaged`. What was lost runs again with `hptune run DIR`. A sound journal is left as it is.

    \b
    hptune repair runs/my-study
    """
    from hptune.commands.repair import repair

    return repair(folder, as_json=as_json)


@after.command()
def doctor(as_json: Json = False) -> int:
    """Check what this machine has and lacks.

    Python, packages, cores, memory, disk, file locks, encoding, and whether a worker starts.

    Exits with 1 if something that hptune cannot do without is missing.

    \b
    hptune doctor
    hptune doctor --json
    """
    from hptune.commands.doctor import doctor

    return doctor(as_json=as_json)
