"""`hptune init [DATA] --target COLUMN`: a config to begin with, for the data at hand."""

from __future__ import annotations

import os
import re
import shlex
from pathlib import Path

from hptune.commands._draft import Draft, draft, usual
from hptune.commands._failing import mutter
from hptune.commands._look import Look, look
from hptune.commands._shared import STDOUT, say, say_json, stdout_width, write
from hptune.config.load import load_document
from hptune.config.yaml_loader import load_text
from hptune.data.bundled import PREFIX
from hptune.errors import UsageError
from hptune.report.files import write_whole
from hptune.report.layout import folded
from hptune.report.result import SCHEMA_VERSION
from hptune.spaces import DefaultSpace, Task, find

_EXAMPLE: dict[Task, str] = {
    "regression": f"{PREFIX}load_diabetes",
    "classification": f"{PREFIX}load_breast_cancer",
}


def init(
    data: str | None = None,
    *,
    target: str | None = None,
    model: str | None = None,
    out: str | None = None,
    force: bool = False,
    as_json: bool = False,
) -> int:
    """Look at the data and write a config that runs as it is; return the exit code.

    Without data it is for a data set that scikit-learn brings along. Raises `UsageError` for data that no config can
    use, and for a file that is there already unless `force`.
    """
    wanted = None if model is None else find(model)
    train = data or _EXAMPLE[wanted.task if wanted else "regression"]
    name = _name(train if data else "study")
    place = Path(out if out not in (None, STDOUT) else f"{name}.yaml")
    if out != STDOUT and not force and (place.exists() or place.is_symlink()):
        raise UsageError(f"{place} is there already: --force replaces it, --out FILE names another")
    if out != STDOUT and not place.parent.is_dir():
        raise UsageError(f"--out: there is no folder {place.parent}")
    folder = Path.cwd() if out == STDOUT else place.parent
    mutter(f"looking at {train} ...")
    seen = look(_seen_from(folder, train, target), folder, target, wanted.task if wanted else None)
    models = usual(seen) if wanted is None else (wanted,)
    if wanted is not None and seen.texts and wanted.name.startswith("HistGradientBoosting"):
        raise UsageError(
            f"--model: {wanted.name} takes no sparse features, and {train} has nothing but text; "
            f"expected another one, such as {usual(seen)[0].name}"
        )
    command = f"hptune run {shlex.quote(str(place))}"
    made = draft(seen, models, name=name, command=command)
    # Whatever init gets wrong must show here and not at the user's first run.
    load_document(load_text(made.text, str(place)), folder.resolve())
    if out == STDOUT and not as_json:
        write(made.text)
        return 0
    if out != STDOUT:
        write_whole(place, made.text)
    _say(place, seen, made, models, command, as_json=as_json)
    return 0


def _name(train: str) -> str:
    """Return the study's name: the data's, as far as a study may be called so."""
    stem = Path(train.removeprefix(f"{PREFIX}load_")).name.split(".")[0]
    return re.sub(r"[^A-Za-z0-9_-]+", "-", stem)[:60].strip("-") or "study"


def _seen_from(folder: Path, train: str, target: str | None) -> str:
    """Return what `data.train` must say in a config that lies in `folder`; the data lie in the working directory."""
    if train.startswith(PREFIX):
        if target is not None:
            raise UsageError(f"--target: {train} knows its own target; leave it out")
        return train
    place = Path(train).expanduser()
    return str(place) if place.is_absolute() else os.path.relpath(place, folder)


def _say(
    place: Path, seen: Look, made: Draft, models: tuple[DefaultSpace, ...], command: str, *, as_json: bool
) -> None:
    if as_json:
        say_json(
            {
                "schema_version": SCHEMA_VERSION,
                "config": str(place),
                "text": made.text,
                "task": seen.task,
                "metric": made.metric,
                "models": [one.class_path for one in models],
                "rows": seen.rows,
                "columns": {kind: list(names) for kind, names in seen.columns.items()},
                "missing": list(seen.missing),
                "dropped": dict(seen.drop),
                "notes": list(seen.notes),
            }
        )
        return
    told = [f"{place}: {seen.task} by {' or '.join(made.models)}, measured by {made.metric}"]
    told += [f"left out: {name} ({why})" for name, why in seen.drop.items()]
    told += [f"note: {note}" for note in seen.notes]
    say([*(line for text in told for line in folded(text, stdout_width())), f"next: {command}"])
