"""Reads the run directories that `prior:` names: their journals, and nothing else of them.

What was read goes into the study's first event, so that a resumed study depends on no other directory. No code from
an earlier run is imported or run.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

from hptune import journal as jn
from hptune.config.load import Loaded
from hptune.errors import ConfigError, JournalDamaged, Problem
from hptune.history import History
from hptune.job import Inspection
from hptune.oracle import OracleSpec
from hptune.prior import FEWEST, MOST_TRIALS, kept_out_by, taken
from hptune.replay import replay
from hptune.report import wording
from hptune.space import Choice, Fixed, SearchSpace


def read_runs(
    loaded: Loaded, inspection: Inspection, space: SearchSpace, oracle: OracleSpec, folder: Path | None = None
) -> tuple[list[dict[str, Any]] | None, list[Problem]]:
    """Return what the runs under `prior:` know as plain data (None without any), and warnings.

    `oracle` is the config's, made; `folder` is the run directory itself. Raises `ConfigError` with the line of every run
    that cannot be used.
    """
    prior = loaded.config.prior
    if prior is None:
        return None, []
    records, warnings, errors = [], [], []
    most = max(MOST_TRIALS // len(prior.runs), 2 * FEWEST)
    for number, name in enumerate(prior.runs):
        key = f"prior.runs.{number}"
        place = loaded.folder / Path(name).expanduser()
        try:
            if folder is not None and place.resolve() == folder.resolve():
                raise ValueError("is this study's own run directory; name an earlier one")
            if place.resolve() in {(loaded.folder / Path(one).expanduser()).resolve() for one in prior.runs[:number]}:
                raise ValueError("is listed twice; its trials would count double")
            history, digest = _read(place)
            found = taken(history, space, most)
            _check_shared(history, space, found)
            _check_direction(history, inspection)
        except (ValueError, JournalDamaged) as error:
            errors.append(loaded.problem(key, str(error).splitlines()[0]))
            continue
        records.append({"run": name, "hash": digest, **found})
        warnings += [
            loaded.problem(key, text, "warning") for text in _doubts(history, inspection, loaded, space, found)
        ]
    if errors:
        raise ConfigError(errors)
    if passes_over := oracle.ignores_prior(space, loaded.config.budget.model_dump(mode="json")):
        message = f"the oracle {passes_over} makes no use of it beyond trying the best of each run first"
        warnings.append(loaded.problem("prior", message, "warning"))
    return records, warnings


def _read(place: Path) -> tuple[History, str]:
    """Return the history in a run directory and the hash of what was read; raises ValueError and `JournalDamaged`."""
    try:
        data = jn.read_bytes(place / jn.NAME)
    except FileNotFoundError:
        what = f"no {jn.NAME} in it" if place.is_dir() else "nothing by that name"
        raise ValueError(f"expected the run directory of an earlier study, found {what} ({place})") from None
    except OSError as error:
        raise ValueError(f"cannot read {place}: {error.strerror}") from None
    scanned = jn.scan(data, place / jn.NAME, packed=True)
    if not scanned.events:
        raise ValueError(f"the study in {place} has not begun: its journal holds no record yet")
    try:
        history = replay(scanned.events)
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise ValueError(f"{place / jn.NAME} holds no study that can be read: {error}") from None
    return history, hashlib.sha256(data[: scanned.good]).hexdigest()[:16]


def _check_direction(history: History, inspection: Inspection) -> None:
    theirs, own = history.objective, inspection
    if theirs.metric == own.metric and theirs.direction != own.direction:
        raise ValueError(f"that study wants to {theirs.direction} {theirs.metric}, this one to {own.direction} it")


def _check_shared(history: History, space: SearchSpace, found: dict[str, Any]) -> None:
    if not found["trials"]:
        raise ValueError("no trial of that study completed, so it knows nothing")
    if not any(name in history.space.by_name for name in space.by_name):
        theirs = ", ".join(list(history.space.by_name)[:5])
        raise ValueError(f"that study shares no parameter with this one (it has {theirs})")


def _barrier(history: History, space: SearchSpace) -> str:
    """Return in words which parameter keeps most trials out, "" where it is none alone."""
    found = kept_out_by(history, space)
    if found is None:
        return ""
    name, count, value = found
    parameter = space[name]
    if isinstance(parameter, Fixed):
        here = f"{wording.value(parameter.value)} here"
    else:
        here = "none of its values here" if isinstance(parameter, Choice) else "outside its range here"
    return f"; {name} keeps {count} of them out ({wording.value(value)} there, {here})"


def _doubts(
    history: History, inspection: Inspection, loaded: Loaded, space: SearchSpace, found: dict[str, Any]
) -> list[str]:
    """Return what the user should know of a run that is used all the same."""
    out = []
    usable = len(found["kept"])
    if usable < FEWEST:
        out.append(
            f"only {usable} of its {found['trials']} completed trials lie in this study's space: too few to use"
            + _barrier(history, space)
        )
    if history.objective.metric != inspection.metric:
        out.append(
            f"it measured {history.objective.metric}, this study {inspection.metric}; only ranks are carried over"
        )
    same = history.started.hashes.get("data") == inspection.data_hash and inspection.data_hash
    held = history.started.about.get("holdout_rows", 0)
    if same and inspection.holdout_rows and (held != inspection.holdout_rows or history.seed != loaded.config.seed):
        out.append(
            "it searched on the same data with another holdout: this study's holdout is not fresh for its trials"
        )
    return out
