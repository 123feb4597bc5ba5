"""result.json, trials.csv and best.yaml: what a study has found, each written whole."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hptune.report.best_yaml import best_config, heading
from hptune.report.files import write_whole
from hptune.report.result import document, result
from hptune.report.trials_csv import trials_csv

if TYPE_CHECKING:
    from hptune.config.load import Loaded
    from hptune.history import History


def write_found(folder: Path, history: History, result: Mapping[str, Any], config: Mapping[str, Any]) -> list[str]:
    """Write the files and return their names; `config` is the resolved one; raises `DirectoryUnusable`."""
    names = ["result.json", "trials.csv"]
    write_whole(folder / "result.json", document(result))
    write_whole(folder / "trials.csv", trials_csv(history))
    best = history.best
    if best is not None:
        from hptune.config.yaml_dump import dump

        fixed = best_config(config, best, name=f"{history.name[:59]}-best", folder=config["output"]["dir"] + "-best")
        write_whole(folder / "best.yaml", heading(history, best) + dump(fixed))
        names.append("best.yaml")
    return names


def resolved_in(loaded: Loaded, folder: Path) -> dict[str, Any]:
    """Return a config as plain data, with paths that hold from the run directory.

    Relative paths in it start at `base:`, where those of the original do.
    """
    plain, base, place = loaded.resolved, loaded.folder.resolve(), folder.resolve()
    output = {**plain.get("output", {}), "dir": os.path.relpath(place, base)}
    return {**plain, "base": os.path.relpath(base, place), "output": output}


def config_text(plain: Mapping[str, Any], verb: str = "run") -> str:
    """Return the text of config.yaml, with which `hptune VERB DIR` goes on."""
    from hptune.config.yaml_dump import dump

    heading = f"# The resolved config of this study; `hptune {verb}` on this folder continues it.\n"
    return heading + dump(dict(plain))


def write_told(folder: Path, history: History, reason: str | None) -> None:
    """Write the files of a study that is asked and told; `reason` None: it has not ended. Raises `DirectoryUnusable`."""
    place = folder.resolve()
    plain = {key: found for key, found in history.started.config.items() if key != "base"}
    # Whoever tells has no config, and the only path left in best.yaml is that of its own run directory.
    config = {**plain, "output": {"dir": f"../{place.name}"}}
    write_found(folder, history, result(history, stop_reason=reason, reproducible=False), config)
