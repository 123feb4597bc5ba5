"""Python's own cache of compiled modules, mended where it was cut off.

On a full disk (or under `ulimit -f`) Python 3.11 leaves half a `.pyc` file behind under its final name. From then on each
import of that module fails, long after there is room again, until somebody deletes the file: it holds nothing that is
not in the source beside it.
"""

from __future__ import annotations

import contextlib
import importlib
import types
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

_T = TypeVar("_T")


def imported(module: str) -> types.ModuleType:
    """Return a module by its dotted name; what was cut off in the cache is compiled anew. Raises what it raises."""
    return with_whole_cache(lambda: importlib.import_module(module))


def with_whole_cache(importing: Callable[[], _T]) -> _T:
    """Return what `importing()` returns, which may import anything.

    A compiled file that Python cannot read is deleted and `importing` called once more, for each such file once; what
    cannot be deleted is raised as an `ImportError` that names it.
    """
    removed: set[Path] = set()
    while True:
        try:
            return importing()
        except (EOFError, ValueError, TypeError) as error:  # what marshal raises for half a file and for a wrong one
            damaged = _damaged(error)
            if damaged is None or damaged in removed:
                raise
            removed.add(damaged)
            with contextlib.suppress(FileNotFoundError):  # another worker was faster
                try:
                    damaged.unlink()
                except PermissionError as why:
                    message = (
                        f"the compiled file {damaged} is cut off; deleting it failed ({why.strerror}): delete it"
                    )
                    raise ImportError(message) from error


def _damaged(error: BaseException) -> Path | None:
    """Return the compiled file that Python's import of it could not read, if this is such an error."""
    place = error.__traceback__
    found: Path | None = None
    while place is not None:
        frame = place.tb_frame
        if frame.f_code.co_filename.startswith("<frozen importlib") and frame.f_code.co_name == "get_code":
            path = frame.f_locals.get("bytecode_path")
            found = Path(path) if isinstance(path, str) and path.endswith(".pyc") else None
        place = place.tb_next
    return found
