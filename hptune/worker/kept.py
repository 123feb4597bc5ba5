"""The refit winner as it lies in a run directory: `model.skops` or `.joblib`, and `model.json` that says what it is.

The card (`model.json`) names the model file and its sha256, the types that a reader of the file has to trust, the
features the model was fitted to, the classes it tells apart and the versions it was made with. Heavy imports stand
inside the functions.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from io import BufferedReader
from pathlib import Path
from typing import Any

from hptune.dataset import Rows
from hptune.errors import HptuneError, UsageError
from hptune.regular_file import NoRegularFile, contents, created, opened
from hptune.worker.bytecode import with_whole_cache
from hptune.worker.model_contents import strange
from hptune.worker.model_types import is_harmless

CARD = "model.json"
FORMAT = 1
LARGEST_CARD = 64 * 2**20
"""A card has some bytes for each feature and class; a larger file, in bytes, is none."""
LARGEST_MODEL = 64 * 2**30
"""In bytes; a larger file (one with holes has any size) is not read."""


class ModelDamaged(HptuneError):
    """The model file is not the one that its card describes."""

    exit_code = 5


@dataclass(frozen=True, kw_only=True)
class Card:
    """What `model.json` says.

    `dtypes` is empty where the model was fitted to an array without column names. `classes` are what a classifier
    predicts, in the order of its probabilities. `rows` is how many it was fitted to, 0 where an older card does not say;
    `refit`: "training" rows only, or "all" with the holdout's. `reason` is why the format is not skops.
    """

    model: str
    format: str
    sha256: str
    trial: int
    rows: int = 0
    refit: str = ""
    task: str = "none"
    features: tuple[str, ...] = ()
    dtypes: Mapping[str, str] = field(default_factory=dict)
    classes: list[Any] | None = None
    trusted: tuple[str, ...] = ()
    reason: str = ""
    folder: str = ""
    data: Mapping[str, Any] = field(default_factory=dict)
    """The config's `data:`, which says how a CSV file is written (separator, encoding, decimal, ...)."""
    versions: Mapping[str, str] = field(default_factory=dict)


# -- writing --------------------------------------------------------------------------------------------------------


def write_card(place: Path, saved: Mapping[str, Any], fitted: Any, rows: Rows, /, **about: Any) -> None:
    """Write the card of a model that `refit.save` has just saved; raises OSError if it cannot be written.

    `saved` is what `save` returned, `about` are further fields of the card.
    """
    classes: Any = getattr(fitted, "classes_", None)
    document = {
        "format_version": FORMAT,
        "model": saved["model"],
        "format": saved["format"],
        "sha256": digest(place / str(saved["model"])),
        "features": list(rows.feature_names),
        "dtypes": {str(name): str(kind) for name, kind in rows.X.dtypes.items()}
        if hasattr(rows.X, "columns")
        else {},
        "classes": classes.tolist() if hasattr(classes, "tolist") else None,
        "trusted": list(saved["trusted"]),
        "reason": saved["reason"],
        **about,
    }
    temporary = place / f"{CARD}.{os.getpid()}.tmp"
    try:
        with os.fdopen(created(temporary), "w", encoding="utf-8") as file:
            json.dump(document, file, ensure_ascii=False, indent=2, default=str)
            file.write("\n")
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(place / CARD)
    finally:
        temporary.unlink(missing_ok=True)


def digest(path: Path) -> str:
    """Return the sha256 of a file, 64 hex digits; raises OSError, `NoRegularFile` for a pipe or a device."""
    with opened(path) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


# -- reading --------------------------------------------------------------------------------------------------------


def read_card(folder: Path) -> Card | None:
    """Return the card in a run directory, None without one; raises `ModelDamaged` for one that makes no sense."""
    path = folder / CARD
    try:
        found = json.loads(contents(path, LARGEST_CARD))
        if found.pop("format_version") > FORMAT:
            raise UsageError(f"{path} was written by a newer hptune; use that one, or `hptune run {folder}` again")
        known = {name: found[name] for name in Card.__dataclass_fields__ if name in found}
        _check(known)
        card = Card(**{**known, "features": tuple(known["features"]), "trusted": tuple(known["trusted"])})
        if card.model not in ("model.skops", "model.joblib"):
            raise ValueError(f"model: expected model.skops or model.joblib, found {card.model!r}")
    except FileNotFoundError:
        return None
    except NoRegularFile as error:
        raise ModelDamaged(f"{path} is damaged ({error.strerror}); {_anew(folder)}") from None
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror}") from None
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise ModelDamaged(f"{path} is damaged ({type(error).__name__}: {error}); {_anew(folder)}") from None
    return card


def _check(told: Mapping[str, Any]) -> None:
    """Raise ValueError for a card whose fields are not of their kinds."""
    for name, value in told.items():
        match name:
            case "trial" | "rows":
                good = isinstance(value, int) and not isinstance(value, bool)
            case "features" | "trusted":
                good = isinstance(value, list) and all(isinstance(one, str) for one in value)
            case "dtypes" | "versions":
                good = isinstance(value, dict) and all(isinstance(one, str) for one in value.values())
            case "data":
                good = isinstance(value, dict)
                if good:
                    _check_data(value)
            case "classes":
                good = value is None or isinstance(value, list)
            case _:
                good = isinstance(value, str)
        if not good:
            raise ValueError(f"{name}: found {str(value)[:40]!r}")


def _check_data(data: Mapping[str, Any]) -> None:
    """Raise ValueError unless the fields that say how a CSV file is written are as a config may give them."""
    for name in ("separator", "thousands", "decimal", "encoding", "missing"):
        value = data.get(name)
        match name:
            case "missing":
                good = value is None or (
                    isinstance(value, list) and all(isinstance(one, (str, int, float)) for one in value)
                )
            case "encoding":
                good = value is None or (isinstance(value, str) and _is_encoding(value))
            case _:
                good = value is None or (isinstance(value, str) and len(value) == 1)
        if not good:
            raise ValueError(f"data.{name}: found {str(value)[:40]!r}")


def _is_encoding(name: str) -> bool:
    try:
        "a".encode(name)  # refuses the codecs that are not for text too
    except (LookupError, ValueError):
        return False
    return True


def load_model(folder: Path, card: Card, *, trust_joblib: bool = False) -> Any:
    """Return the model that a card describes.

    A skops file is loaded with the card's types trusted, and these may be some parts of scikit-learn's estimators only
    (`model_types`): the card lies beside the file, and who can change the one can change the other. A joblib file is a
    pickle, which runs what it holds; so it is loaded only if the user says so. Raises `UsageError` and `ModelDamaged`.
    """
    path = folder / card.model
    try:
        with opened(path) as file:
            return _loaded(file, path, card, trust_joblib)
    except OSError as error:
        raise ModelDamaged(f"cannot read {path}: {error.strerror}; {_anew(folder)}") from None


def _loaded(file: BufferedReader, path: Path, card: Card, trust_joblib: bool) -> Any:
    """Return what a model file holds: it is opened once, so what is loaded is what was hashed."""
    size = os.fstat(file.fileno()).st_size
    if size > LARGEST_MODEL:
        raise ModelDamaged(f"{path}: expected at most {LARGEST_MODEL:,} bytes, found {size:,}; {_anew(path.parent)}")
    found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != card.sha256:
        raise ModelDamaged(
            f"{path} is not the file that {CARD} describes: expected sha256 {card.sha256[:12]}..., found "
            f"{found[:12]}...; {_anew(path.parent)}"
        )
    file.seek(0)
    return _joblib(file, path, card, trust_joblib) if card.format == "joblib" else _skops(file, path, card)


def _skops(file: BufferedReader, path: Path, card: Card) -> Any:
    wrong = [name for name in card.trusted if not is_harmless(name)]
    if wrong:
        raise UsageError(
            f"{path.with_name(CARD)} asks for trust in {', '.join(wrong[:3])}: expected parts of scikit-learn's "
            "estimators, hptune writes no such file. Load it yourself with skops.io.load if you know where it comes from"
        )
    from skops import io

    try:
        _check_stored(file)
        model = io.load(file, trusted=list(card.trusted))
    except Exception as error:
        raise ModelDamaged(
            f"{path} cannot be loaded: {type(error).__name__}: {error}; {_anew(path.parent)}"
        ) from None
    if found := strange(model):
        raise UsageError(
            f"{path}: {found}, which hptune writes in no file and which could run code. Load it yourself with "
            "skops.io.load if you know where it comes from"
        )
    return model


def _check_stored(file: BufferedReader) -> None:
    """Raise ValueError for compressed members: hptune writes none, and a few bytes could fill the memory."""
    with zipfile.ZipFile(file) as archive:
        packed = [one.filename for one in archive.infolist() if one.compress_type != zipfile.ZIP_STORED]
    if packed:
        raise ValueError(f"{packed[0][:40]!r} is compressed")


def _joblib(file: BufferedReader, path: Path, card: Card, trust: bool) -> Any:
    if not trust:
        why = f" (skops could not keep it: {card.reason.removeprefix('not skops: ')})" if card.reason else ""
        raise UsageError(
            f"{path} is a pickle{why}: loading it runs whatever code it holds. If you made this run directory "
            "yourself, say --trust-joblib"
        )
    if card.folder and card.folder not in sys.path:
        sys.path.insert(0, card.folder)  # the user's own classes lie beside the config
    try:
        return with_whole_cache(lambda: _unpickled(file))
    except Exception as error:
        raise UsageError(
            f"{path} cannot be loaded: {type(error).__name__}: {error}; the modules that it needs must be importable "
            f"(the config lay in {card.folder})"
        ) from None


def _unpickled(file: BufferedReader) -> Any:
    import joblib

    file.seek(0)  # a second attempt begins anew
    return joblib.load(file)


def _anew(folder: Path) -> str:
    return f"delete the model.* files in {folder} and `hptune run {folder}` to fit the winner again"
