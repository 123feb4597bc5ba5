"""`hptune predict DIR DATA.csv`: what the refit winner of a study says of new rows.

Not a reading verb: it loads the model file. pandas and scikit-learn are imported inside the functions.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hptune.commands._failing import mutter
from hptune.commands._shared import file_of, read_study, write
from hptune.errors import UsageError, did_you_mean
from hptune.history import History

if TYPE_CHECKING:
    import pandas as pd

    from hptune.data.dialect import Dialect
    from hptune.worker.kept import Card

SHOWN = 6


def predict(
    folder: Path, data: Path, *, out: Path | None = None, proba: bool = False, trust_joblib: bool = False
) -> int:
    """Write the predictions for the rows of `data` as CSV to stdout (`out` None or -) or whole to `out`.

    Returns the exit code. Raises `UsageError` for data that does not fit, and `ModelDamaged` for a model that is not the
    recorded one.
    """
    from hptune.worker.kept import load_model, read_card

    history = read_study(folder)
    card = read_card(folder)
    if card is None:
        raise UsageError(_no_model(folder, history))
    out = file_of(out)
    if out is not None and out.exists() and data.exists() and out.samefile(data):
        raise UsageError(f"--out: {out} is the data itself; name another file")
    pickled = card.format == "joblib" and trust_joblib
    what = ", a pickle, which runs the code it holds: you said --trust-joblib" if pickled else " ..."
    mutter(f"loading {folder / card.model}{what}")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # other versions than at training: said below, once and in our words
        model = load_model(folder, card, trust_joblib=trust_joblib)
        for note in [*_of_another(card, history, folder), *other_versions(card)]:
            mutter(note)
        table, notes = read_features(data, card)
        for note in notes:
            mutter(note)
        found = predictions(model, table if card.dtypes else table.to_numpy(), card, proba=proba)
    text = found.to_csv(index=False, lineterminator="\n")
    if out is None:
        write(text)
    else:
        from hptune.report.files import write_whole

        write_whole(out, text)
        mutter(f"{len(found):,} predictions of trial {card.trial} written to {out}")
    return 0


def _no_model(folder: Path, history: History) -> str:
    """Return why there is no model in a run directory, and the mend."""
    from hptune.models import model_from

    config = history.started.config
    if "model" not in config:
        return f"{folder}: expected a study that hptune ran from a config, found one without: no model was kept"
    if not model_from(config["model"]).makes_estimator:
        kind = model_from(config["model"]).key
        values = f"`hptune best {folder} --format python` prints the best values"
        return f"{folder}: a {kind} model keeps no estimator, so there is nothing to predict with; {values}"
    if history.best is None:
        return f"{folder}: no trial has completed yet, so there is no winner; `hptune show {folder}` says why"
    if not (config.get("output") or {}).get("refit", True):
        return (
            f"{folder}: the winner was not fitted (output.refit is false); `hptune run {folder} -o output.refit=true`"
        )
    return (
        f"{folder}: the winner has not been fitted and saved (with its model.json) yet; `hptune run {folder}` does it"
    )


def _of_another(card: Card, history: History, folder: Path) -> list[str]:
    """Return the note that the model is not the best trial's, where a study has gone on since."""
    best = history.best
    if best is None or best.number == card.trial:
        return []
    mend = f"`hptune run {folder}` fits that one"
    return [f"note: this is the model of trial {card.trial}, the best is trial {best.number} by now; {mend}"]


def other_versions(card: Card) -> list[str]:
    """Return notes on packages whose version differs from the one the model was made with."""
    from hptune.worker.inspect import versions

    here = versions()
    apart = [
        f"{name} {made}, here {here.get(name, 'none')}"
        for name, made in card.versions.items()
        if name not in ("platform", "hptune", "pandas") and here.get(name) != made
    ]
    if not apart:
        return []
    mend = "predictions may differ; `hptune run DIR` in a fresh folder fits it again"
    return [f"note: the model was made with {'; '.join(apart)}: {mend}"]


# -- the data -------------------------------------------------------------------------------------------------------


def read_features(path: Path, card: Card) -> tuple[pd.DataFrame, list[str]]:
    """Return the columns that the model was fitted to, in its order and kinds, and notes.

    Raises `UsageError` naming the columns that are missing or of another kind.
    """
    table = _table(path, card)
    names = [str(name) for name in table.columns]
    missing = [name for name in card.features if name not in names]
    if missing and not card.dtypes and len(names) == len(card.features):
        note = "note: the model was fitted to columns without names: these are taken in their order"
        return table.set_axis(list(card.features), axis=1), [note]
    if missing:
        near = did_you_mean(missing[0], [name for name in names if name not in card.features])
        listed = f"{path} lacks {_listed(missing)} of the {len(card.features)} columns that the model was fitted to"
        raise UsageError(f"{listed}{near}; it has {_listed(names)}")
    extra = [name for name in names if name not in card.features]
    notes = [f"note: columns that the model does not use are ignored: {_listed(extra)}"] if extra else []
    table = table[list(card.features)]
    for name in card.features:
        _check_kind(path, table[name], name, card.dtypes.get(name, "float64"))
    return table, notes


def _table(path: Path, card: Card) -> pd.DataFrame:
    """Read a CSV as the training data was: text stays text, even where all of a column's cells look like numbers."""
    import pandas as pd

    from hptune.data.dialect import UNREADABLE, NotCsv, dialect_of

    if not path.is_file():
        raise UsageError(f"{path}: expected a CSV file, found {'a folder' if path.is_dir() else 'nothing'}")
    try:
        dialect = dialect_of(path, encoding=card.data.get("encoding"), separator=card.data.get("separator"))
        try:
            table = _parsed(path, dialect, card)
        except UnicodeDecodeError:
            if dialect.certain:
                raise
            table = _in_latin(path, dialect, card)
    except (NotCsv, pd.errors.EmptyDataError) as error:
        raise UsageError(f"{path}: expected a CSV file with a header line and rows: {error}") from None
    except (*UNREADABLE, ValueError, pd.errors.ParserError, pd.errors.ParserWarning) as error:
        raise UsageError(f"{path} cannot be read as CSV: {str(error).strip()}") from None
    if len(table) == 0:
        raise UsageError(f"{path} has a header line and no rows")
    return table


def _parsed(path: Path, dialect: Dialect, card: Card) -> pd.DataFrame:
    import pandas as pd

    names = _names(path, dialect)
    table: pd.DataFrame = pd.read_csv(
        path,
        header=0,
        names=names,
        index_col=False,
        low_memory=False,
        sep=dialect.separator,
        encoding=dialect.encoding,
        skipinitialspace=True,
        dtype={name: str for name in names if _is_text(card.dtypes.get(name, ""))},
        decimal=card.data.get("decimal") or ".",
        thousands=card.data.get("thousands"),
        na_values=card.data.get("missing") or None,
    )
    return table


def _in_latin(path: Path, dialect: Dialect, card: Card) -> pd.DataFrame:
    """Return the table as training reads a file that is not UTF-8."""
    from hptune.data.dialect import LATIN

    try:
        return _parsed(path, replace(dialect, encoding=LATIN[0]), card)
    except UnicodeDecodeError:
        return _parsed(path, replace(dialect, encoding=LATIN[1]), card)


def _names(path: Path, dialect: Dialect) -> list[str]:
    """Return the columns' names as the training data's were made; raises `UsageError` for two of the same."""
    from hptune.data.dialect import NotCsv, column_names, header_of

    cells = header_of(path, dialect)
    if not cells:
        raise NotCsv("it is empty")
    try:
        return column_names(cells)
    except ValueError as error:
        raise UsageError(f"{path} has {error}") from None


def _is_text(dtype: str) -> bool:
    return dtype in ("object", "str", "string", "category") or dtype.startswith("string")


def _check_kind(path: Path, column: pd.Series[Any], name: str, trained: str) -> None:
    """Raise `UsageError` where a column of numbers holds something else."""
    import pandas as pd

    if _is_text(trained) or trained == "bool" or not trained.startswith(("int", "uint", "float")):
        return
    numbers = pd.to_numeric(column, errors="coerce")
    wrong = (numbers.isna() & column.notna()).to_numpy().nonzero()[0]
    if len(wrong):
        row = int(wrong[0])
        raise UsageError(
            f"{path}:{row + 2}: column {name!r}: expected numbers as in training ({trained}), found "
            f"{str(column.iloc[row])[:40]!r}"
        )


def _listed(names: Iterable[str]) -> str:
    every = list(names)
    more = f", ... ({len(every)} in all)" if len(every) > SHOWN else ""
    return ", ".join(every[:SHOWN]) + more


# -- predicting -----------------------------------------------------------------------------------------------------


_CALIBRATED = "{class: sklearn.calibration.CalibratedClassifierCV, params: {estimator: {class: sklearn.svm.SVC}}}"
"""What scikit-learn has in place of an SVC's `probability: true`, which 1.11 takes out."""


def predictions(model: Any, X: Any, card: Card, *, proba: bool) -> pd.DataFrame:
    """Return the table to write: `prediction`, and with `proba` a column `probability_CLASS` for each class.

    Raises `UsageError` with the model's own words where it refuses the rows or knows no probabilities.
    """
    import pandas as pd

    if proba and not hasattr(model, "predict_proba"):
        what = f"{type(model).__name__} knows no probabilities"
        raise UsageError(
            f"--proba: {what}; a classifier with predict_proba does, and around one without: {_CALIBRATED}"
        )
    try:
        predicted = model.predict(X)
        chances = model.predict_proba(X) if proba else None
    except Exception as error:
        said = str(error).strip().splitlines() or [""]
        raise UsageError(f"the model refuses these rows: {type(error).__name__}: {said[0]}") from None
    table = pd.DataFrame({"prediction": predicted})
    if chances is not None:
        for number, name in enumerate(_classes(model, card, chances.shape[1])):
            table[f"probability_{name}"] = chances[:, number]
    return table


def _classes(model: Any, card: Card, count: int) -> list[Any]:
    found = card.classes if card.classes is not None else getattr(model, "classes_", None)
    return list(range(count)) if found is None else list(found)
