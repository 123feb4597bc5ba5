"""`hptune report DIR... --figures OUT`: pictures of one or more studies."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from hptune.commands._shared import read_study, say, say_json
from hptune.errors import DirectoryUnusable, UsageError
from hptune.report.result import SCHEMA_VERSION


def report(folders: Sequence[Path], figures: Path, *, as_json: bool = False) -> int:
    """Draw the figures that go with these run directories into `figures`; return the exit code."""
    for folder in folders:
        read_study(folder)  # refuses a folder without a study before anything is drawn
    try:
        from hptune.report.figures import draw
    except ImportError as error:
        if (error.name or "").split(".")[0] != "matplotlib":
            raise
        raise UsageError("figures need matplotlib, which is not installed: pip install 'hptune[figures]'") from None
    try:
        figures.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DirectoryUnusable(f"cannot make {figures}: {error.strerror}; give another --figures folder") from None
    try:
        drawn = draw(list(folders), figures)
    except ModuleNotFoundError as error:
        if (error.name or "").split(".")[0] != "matplotlib":
            raise
        raise UsageError("figures need matplotlib, which is not installed: pip install 'hptune[figures]'") from None
    if as_json:
        say_json({"schema_version": SCHEMA_VERSION, "figures": [str(path) for path in drawn]})
    else:
        say([str(path) for path in drawn] or ["no figure goes with these studies"])
    return 0
